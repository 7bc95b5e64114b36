from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from lifecycle_mail.errors import (
    EspRefused,
    EspUnavailable,
    OutcomeUnknown,
    RegistryUnavailable,
    UnknownName,
    Unscreened,
)
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Left
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capability, Content, Esp
from lifecycle_mail.testing import (
    EspConformance,
    StoreConformance,
    campaign,
    contact,
    event,
    frozen_now,
    said,
    screened,
)
from lifecycle_mail.testing.builders import subject_of

SPRING = campaign().key
HOUR = timedelta(hours=1)


class TestMemoryStore(StoreConformance):
    """The in-memory store keeps every law of a store."""

    def make_store(self) -> MemoryStore:
        """Return an empty store."""
        return MemoryStore()


class TestMemoryEsp(EspConformance):
    """The in-memory ESP keeps every law of an ESP."""

    def make_esp(self) -> Esp:
        """Return one that can do everything."""
        return MemoryEsp()

    def left(self, esp: Esp, campaign: CampaignKey) -> Sequence[ContactId]:
        """Read its outbox."""
        return [sent.recipient.contact_id for sent in memory(esp).outbox if sent.recipient.campaign == campaign]

    def refuse(self, esp: Esp, address: EmailAddress) -> None:
        """Script a refusal."""
        memory(esp).refuse(str(address))

    def limit(self, esp: Esp, operation: str) -> None:
        """Script one 429."""
        memory(esp).fail(operation, EspUnavailable, status=429)

    def cut(self, esp: Esp, operation: str, *, done: bool) -> None:
        """Script a lost answer."""
        memory(esp).fail(operation, OutcomeUnknown, done=done)

    def unsubscribe(self, esp: Esp, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Act as a person at the ESP."""
        memory(esp).unsubscribe(address, scope, at=at)


def memory(esp: Esp) -> MemoryEsp:
    """Take an ESP for the fake that it is."""
    assert isinstance(esp, MemoryEsp)
    return esp


class TestMemoryEspWithSingleMailsOnly(TestMemoryEsp):
    """One that sends mails one by one and nothing else."""

    def make_esp(self) -> Esp:
        """Return it."""
        return MemoryEsp(name="smtp", capabilities={Capability.SINGLE_MAILS})


class TestMemoryEspWithCampaignsOnly(TestMemoryEsp):
    """One that sends campaigns and nothing else."""

    def make_esp(self) -> Esp:
        """Return it."""
        return MemoryEsp(name="newsletter", capabilities={Capability.CAMPAIGNS})


def recipient(name: str = "ada") -> Screened:
    """Return a screened recipient of the campaign `spring`."""
    return screened(contact(name))


CONTENT = Content(subject="Spring", text="It is spring.")

# --- what a test can script (E4) ----------------------------------------------------------------------------------


def test_a_refused_address_is_refused_however_it_is_written() -> None:
    """A refusal carries the status and body that were scripted, for one address and for good (E4)."""
    esp = MemoryEsp()
    esp.refuse("ADA@example.com", status=422, body="looks fake")
    for _ in range(2):
        with pytest.raises(EspRefused) as caught:
            esp.send(recipient(), content=None)
        assert (422, "looks fake") == (caught.value.status, caught.value.body)
    esp.send(recipient("bob"), content=CONTENT)
    assert [("bob", CONTENT)] == [(sent.recipient.contact_id, sent.content) for sent in esp.outbox]


def test_some_of_a_chunk_can_be_refused() -> None:
    """A partial failure names those refused and stages the rest (E4, F26)."""
    esp = MemoryEsp()
    esp.refuse("bob@example.com")
    handled = esp.stage(SPRING, [recipient(), recipient("bob")], content=CONTENT)
    assert {"ada"} == handled.accepted == esp.staged(SPRING)
    assert ["bob"] == list(handled.refused)


def test_a_failure_before_the_work_leaves_it_undone() -> None:
    """So many calls of that operation fail, the next one works, other operations never failed (E4)."""
    esp = MemoryEsp()
    esp.fail("send", times=2, status=503, body="down")
    for _ in range(2):
        with pytest.raises(EspUnavailable, match="503"):
            esp.send(recipient(), content=None)
    assert [] == esp.outbox
    esp.stage(SPRING, [recipient()], content=None)
    esp.send(recipient(), content=None)
    assert 1 == len(esp.outbox)


def test_a_failure_after_the_work_loses_only_the_answer() -> None:
    """The mail has left, and the caller cannot know (E4, F22)."""
    esp = MemoryEsp()
    esp.fail("send", OutcomeUnknown, done=True)
    with pytest.raises(OutcomeUnknown):
        esp.send(recipient(), content=None)
    assert esp.was_sent(SPRING, ContactId("ada"))
    assert 1 == len(esp.outbox)


def test_a_rate_limit_counts_calls_until_one_waits() -> None:
    """After the limit every operation answers 429; waiting starts the count anew (E4, F24)."""
    esp = MemoryEsp()
    esp.limit(2)
    esp.stage(SPRING, [recipient()], content=None)
    esp.staged(SPRING)
    for _ in range(2):
        with pytest.raises(EspUnavailable) as caught:
            esp.release(SPRING)
        assert 429 == caught.value.status
    assert [] == esp.outbox
    esp.wait()
    esp.release(SPRING)
    assert esp.released(SPRING)
    with pytest.raises(EspUnavailable):
        esp.staged(SPRING)


def test_lagging_reads_show_what_was_before_the_latest_change() -> None:
    """So many reads are late, after staging and after taking out (E4)."""
    esp = MemoryEsp()
    esp.lag(1)
    esp.stage(SPRING, [recipient()], content=None)
    assert [set(), {"ada"}] == [set(esp.staged(SPRING)) for _ in range(2)]
    esp.lag(2)
    esp.unstage(SPRING, [ContactId("ada")])
    assert [{"ada"}, {"ada"}, set()] == [set(esp.staged(SPRING)) for _ in range(3)]


def test_delayed_reports_arrive_later_than_they_happen() -> None:
    """A report is fetched once it has arrived, until it is acknowledged, and still says when it happened (E4)."""
    esp = MemoryEsp()
    esp.delay(2 * HOUR)
    esp.unsubscribe(parse_address("ada@example.com"), Scope.all(), at=frozen_now)
    assert [] == esp.reports(now=frozen_now + HOUR)
    (report,) = esp.reports(now=frozen_now + 2 * HOUR)
    assert isinstance(report, Left)
    assert (frozen_now, True) == (report.provenance.at, report.dated)
    esp.acknowledge([report])
    assert [] == esp.reports(now=frozen_now + 3 * HOUR)


def test_an_opt_out_that_it_is_told_is_reported_back() -> None:
    """As real ones do: with the instant of the push, and an id of its own (F33)."""
    esp, ada = MemoryEsp(), contact("ada")
    no = OptOut(subject=subject_of(ada), scope=Scope.all(), event_id="1", provenance=said())
    esp.suppress(no, ada, at=frozen_now + HOUR)
    assert ada.address is not None
    assert [(ada.address, Scope.all())] == esp.suppressed
    (report,) = esp.reports(now=frozen_now + 5 * HOUR)
    assert isinstance(report, Left)
    assert (frozen_now + HOUR, True) == (report.provenance.at, report.dated)


def test_who_has_no_address_cannot_be_suppressed_anywhere() -> None:
    """A contact without an address is nobody to an ESP, and no error."""
    esp, ghost = MemoryEsp(), contact("ghost", address=None)
    no = OptOut(subject=subject_of(ghost), scope=Scope.all(), event_id="1", provenance=said())
    esp.suppress(no, ghost, at=frozen_now)
    assert [] == esp.suppressed


def test_a_sent_mail_can_be_opened() -> None:
    """What happens to a mail is reported with the ids that it was sent with."""
    esp = MemoryEsp()
    esp.send(recipient(), content=None)
    esp.happen(EventKind.OPENED, esp.outbox[0], at=frozen_now)
    esp.happen(EventKind.CLICKED, esp.outbox[0], at=frozen_now, link="https://example.com")
    opened, clicked = esp.reports(now=frozen_now)
    assert isinstance(opened, Happened)
    assert isinstance(clicked, Happened)
    assert ("ada", "spring", "spring:ada") == (opened.who.contact_id, opened.campaign, opened.mail)
    assert opened.event_id != clicked.event_id


def test_the_calls_are_written_down() -> None:
    """A test can ask what was asked of the ESP, failed calls among it."""
    esp = MemoryEsp()
    esp.fail("staged")
    with pytest.raises(EspUnavailable):
        esp.staged(SPRING)
    esp.released(SPRING)
    assert ["staged", "released"] == esp.calls


def test_tags_are_kept_by_contact() -> None:
    """A tag is put on some and taken off others (S12)."""
    esp = MemoryEsp()
    esp.tag([contact("ada"), contact("bob")], "silent", present=True)
    esp.tag([contact("bob")], "silent", present=False)
    assert {"ada"} == esp.tags["silent"]


@pytest.mark.parametrize("fake", [MemoryEsp(), MemoryStore()])
@pytest.mark.parametrize("operation", ["sned", "_take", "name", ""])
def test_a_fault_in_an_operation_that_does_not_exist_is_an_error(fake: MemoryEsp | MemoryStore, operation: str) -> None:
    """A misspelt fault would never strike, and the test that relies on it would prove nothing."""
    with pytest.raises(UnknownName):
        fake.fail(operation, EspUnavailable if isinstance(fake, MemoryEsp) else RegistryUnavailable())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "operation",
    [
        "append", "position", "position_at", "records", "record", "about", "get", "put", "find", "each", "admit",
        "events_of", "profiles", "save", "quarantine", "begin", "finish", "claim", "settle", "claims", "claims_of",
        "mark_in_flight",
    ],
)  # fmt: skip
def test_every_operation_of_the_store_can_be_made_to_fail(operation: str) -> None:
    """The fault strikes so often as it was told to, before anything is done (E4, F12)."""
    store = MemoryStore()
    store.claim([recipient()], at=frozen_now)
    at, ada = {"at": frozen_now}, ContactId("ada")
    arguments: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
        "append": (([],), {**at}), "position_at": ((frozen_now,), {}), "record": (("x",), {}), "about": (({},), {}),
        "get": (([],), {}), "put": (([contact("bob")],), {}), "find": (("x",), {}), "admit": (([event()],), {}),
        "events_of": ((ada,), {}), "profiles": (([],), {}), "save": (([],), {}), "quarantine": (([event()],), {**at}),
        "begin": ((SPRING, "w"), {**at, "until": frozen_now}), "finish": ((SPRING, "w"), {}),
        "claim": (([recipient("bob")],), {**at}), "settle": ((SPRING, [ada], "staged"), {**at}),
        "claims": ((SPRING,), {}), "claims_of": ((ada,), {}),
        "mark_in_flight": ((ada, [SPRING]), {"opted_out_at": frozen_now}),
    }  # fmt: skip
    positional, named = arguments.get(operation, ((), {}))
    store.fail(operation, RegistryUnavailable("scripted"), times=2)
    for _ in range(2):
        with pytest.raises(RegistryUnavailable, match="scripted"):
            getattr(store, operation)(*positional, **named)
    assert [] == list(store.each())
    getattr(store, operation)(*positional, **named)


def test_quarantine_is_undone_with_its_transaction() -> None:
    """What is set aside in a transaction that fails was never set aside."""
    store = MemoryStore()

    def fail() -> None:
        with store.transaction():
            store.quarantine([event()], at=frozen_now)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert {} == store.quarantined
    store.quarantine([event()], at=frozen_now)
    store.quarantine([event()], at=frozen_now + HOUR)
    assert {event().id: (frozen_now, event())} == store.quarantined


def test_a_chunk_with_one_unscreened_stages_nobody() -> None:
    """An intruder is found before anybody is taken."""
    esp = MemoryEsp()
    with pytest.raises(Unscreened, match="autumn"):
        esp.stage(SPRING, [recipient(), screened(contact("bob"), campaign("autumn"))], content=None)
    assert set() == set(esp.staged(SPRING))
