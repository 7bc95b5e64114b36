import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from lifecycle_mail.errors import (
    EspRefused,
    EspUnavailable,
    OutcomeUnknown,
    RegistryUnavailable,
    UnknownName,
    Unscreened,
)
from lifecycle_mail.memory import MemoryCrm, MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capability, Content, Crm, Esp, Store
from lifecycle_mail.testing import (
    CrmConformance,
    EspConformance,
    StoreConformance,
    campaign,
    consent,
    contact,
    event,
    frozen_now,
    said,
    screened,
)
from lifecycle_mail.testing.builders import subject_of
from lifecycle_mail.testing.crms import picture
from lifecycle_mail.testing.stores import PEPPERS
from lifecycle_mail.testing.stores.bookmarks import bookmark
from lifecycle_mail.testing.stores.outbox import task

SPRING = campaign().key
HOUR = timedelta(hours=1)


class TestMemoryStore(StoreConformance):
    """The in-memory store keeps every law of a store."""

    def make_store(self) -> MemoryStore:
        """Return an empty store."""
        return MemoryStore(peppers=PEPPERS)

    def with_peppers(self, store: Store, peppers: Mapping[str, str]) -> Store:
        """Give the same store other peppers."""
        assert isinstance(store, MemoryStore)
        store._peppers = Peppers(peppers)
        return store

    def raw(self, store: Store) -> str:
        """Return every shelf."""
        return repr({name: shelf for name, shelf in vars(store).items() if name not in ("_peppers", "url")})


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


class TestMemoryCrm(CrmConformance):
    """The in-memory CRM keeps every law of a CRM."""

    def make_crm(self) -> Crm:
        """Return one that knows nobody."""
        return MemoryCrm()

    def shows(self, crm: Crm, contact_id: ContactId) -> object:
        """Look at the picture."""
        return crm_of(crm).shown.get(contact_id)

    def say(self, crm: Crm, statement: Statement) -> None:
        """Act as a colleague."""
        crm_of(crm).say(statement)

    def refuse(self, crm: Crm, contact_id: ContactId) -> None:
        """Script a refusal."""
        crm_of(crm).refuse(contact_id)

    def limit(self, crm: Crm, operation: str) -> None:
        """Script one 429."""
        crm_of(crm).fail(operation, EspUnavailable, status=429)

    def cut(self, crm: Crm, operation: str, *, done: bool) -> None:
        """Script a lost answer."""
        crm_of(crm).fail(operation, OutcomeUnknown, done=done)


def crm_of(crm: Crm) -> MemoryCrm:
    """Take a CRM for the fake that it is."""
    assert isinstance(crm, MemoryCrm)
    return crm


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


def test_the_list_of_those_who_are_out_is_read_from_an_instant_on() -> None:
    """In the words of the reports; a change shows as late as its report, and can be asked for from then on (F31)."""
    esp, ada, bob = MemoryEsp(), parse_address("ada@example.com"), parse_address("bob@example.com")
    esp.unsubscribe(ada, Scope.all(), at=frozen_now)
    esp.delay(2 * HOUR)
    esp.unsubscribe(bob, Scope.all(), at=frozen_now + HOUR)
    reported = esp.reports(now=frozen_now + 9 * HOUR)
    assert reported[:1] == list(esp.opt_outs(since=None, now=frozen_now + 2 * HOUR))
    assert reported == list(esp.opt_outs(since=None, now=frozen_now + 3 * HOUR))
    assert reported[1:] == list(esp.opt_outs(since=frozen_now + 2 * HOUR, now=frozen_now + 3 * HOUR))
    assert reported == list(esp.opt_outs(since=frozen_now, now=frozen_now + 3 * HOUR))
    esp.acknowledge(reported)
    assert reported == list(esp.opt_outs(since=None, now=frozen_now + 3 * HOUR))
    assert ["reports", *["opt_outs"] * 4, "acknowledge", "opt_outs"] == esp.calls


def test_an_esp_that_forgets_keeps_only_that_an_address_is_out() -> None:
    """Tags, news by id or address and staged mails go, those of others stay (O5)."""
    esp, ada, bob = MemoryEsp(), contact("ada", address="Ada@example.com"), contact("bob")
    esp.tag([ada, bob], "silent", present=True)
    esp.stage(SPRING, [screened(ada), screened(bob)], content=None)
    esp.lag(1)
    esp.unstage(SPRING, [])
    esp.send(recipient("ada"), content=None)
    esp.happen(EventKind.OPENED, esp.outbox[0], at=frozen_now)
    for who in ("ADA@example.com", "bob@example.com"):
        esp.unsubscribe(parse_address(who), Scope.all(), at=frozen_now)
    esp.forget(ada)
    assert {"bob"} == esp.tags["silent"]
    assert [{"bob"}, {"bob"}] == [set(esp.staged(SPRING)) for _ in range(2)]
    assert ["bob@example.com"] == [str(one.who.address) for one in esp.reports(now=frozen_now)]
    assert 2 == len(list(esp.opt_outs(since=None, now=frozen_now)))
    esp.forget(contact("ghost", address=None))
    assert ["ada", "ghost"] == esp.forgotten


def test_what_a_crm_refuses_and_is_asked_is_scripted_and_written_down() -> None:
    """With the status and body of the script; it fails and limits as the ESP does (E4)."""
    crm = MemoryCrm(name="acme")
    crm.refuse("ada", status=422, body="no such account")
    refused = crm.show([picture(contact("ada"))])[ContactId("ada")]
    assert ("acme", 422, "no such account") == (refused.esp, refused.status, refused.body)
    crm.limit(1)
    crm.forget(ContactId("ada"))
    with pytest.raises(EspUnavailable):
        crm.changes(now=frozen_now)
    crm.wait()
    assert [] == crm.changes(now=frozen_now)
    assert (["show", "forget", "changes", "changes"], ["ada"]) == (crm.calls, crm.forgotten)


@pytest.mark.parametrize("fake", [MemoryEsp(), MemoryStore(), MemoryCrm()])
@pytest.mark.parametrize("operation", ["sned", "_take", "name", ""])
def test_a_fault_in_an_operation_that_does_not_exist_is_an_error(
    fake: MemoryEsp | MemoryStore | MemoryCrm, operation: str
) -> None:
    """A misspelt fault would never strike, and the test that relies on it would prove nothing."""
    with pytest.raises(UnknownName):
        fake.fail(operation, RegistryUnavailable() if isinstance(fake, MemoryStore) else EspUnavailable)  # type: ignore[arg-type]


ADA, AT = ContactId("ada"), {"at": frozen_now}
TASK = task("ada")
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "append": (([],), AT), "position": ((), {}), "position_at": ((frozen_now,), {}), "records": ((), {}),
    "record": (("x",), {}), "about": (({},), {}), "marks": (([],), {}), "get": (([],), {}),
    "put": (([contact("bob")],), {}), "remove": (([ADA],), {}), "find": (("x",), {}), "each": ((), {}),
    "members": (([],), {}), "count": ((), {}), "put_lists": (([],), {}), "lists": ((), {}),
    "admit": (([event()],), {}), "events_of": ((ADA,), {}), "unseen": (({},), {}), "reclassify": (({},), {}),
    "tally": ((), {}), "profiles": (([],), {}), "save": (([],), {}), "quarantine": (([event()],), AT),
    "quarantined": ((), {}), "set_aside": (([],), {}), "aside": ((), {}), "take_back": (([],), {}),
    "erase": ((ADA, []), {}), "erased": (([],), {}), "begin": (("spring", "w"), {**AT, "until": frozen_now}),
    "finish": (("spring", "w"), {}), "holds": (("spring", "w"), {}), "claim": (([recipient("bob")],), AT),
    "settle": ((SPRING, [ADA], "staged"), AT), "claims": ((SPRING,), {}), "claims_of": ((ADA,), {}),
    "mark_in_flight": ((ADA, [SPRING]), {"opted_out_at": frozen_now}), "post": (([],), {}),
    "take": (("x", "w"), {**AT, "most": 1, "until": frozen_now}), "note": (([],), {}), "tasks": ((), {}),
    "waiting": ((), {}), "attempts": ((TASK.id,), {}), "revive": (([],), AT), "bookmark": (("x",), {}),
    "mark": ((bookmark("x"),), {}), "bookmarks": ((), {}), "bind": (("a", "b", "c", "d"), {}),
    "bound": (("a", "b"), {}), "put_answers": (([],), {}), "answers": ((), {}), "answers_of": (([],), {}),
}  # fmt: skip
"""How each operation of a store can be called."""


@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_of_the_store_can_be_made_to_fail(operation: str) -> None:
    """The fault strikes so often as it was told to, before anything is done (E4, F12)."""
    store = MemoryStore(peppers=PEPPERS)
    store.claim([recipient()], at=frozen_now)
    positional, named = CALLS[operation]
    store.fail(operation, RegistryUnavailable("scripted"), times=2)
    for _ in range(2):
        with pytest.raises(RegistryUnavailable, match="scripted"):
            getattr(store, operation)(*positional, **named)
    assert [] == list(store.each())
    getattr(store, operation)(*positional, **named)


def test_no_operation_of_the_store_is_left_out() -> None:
    """Every method of the ports can fail, but opening and closing a transaction and the store, and asking (E4)."""
    ports = {name for port in Store.__mro__ for name in vars(port) if not name.startswith("_")}
    assert ports == {*CALLS, "transaction", "close", "ask_marks"}


def test_an_id_that_an_erasure_makes_is_as_long_as_any() -> None:
    """So that no column and no reader has to know that somebody was erased (O5)."""
    store, who = MemoryStore(peppers=PEPPERS), contact("ada")
    store.append([consent(who)], at=frozen_now)
    store.erase(who.id, [])
    (record,) = store.records()
    assert consent(who).id != record.entry.id
    assert re.fullmatch("[0-9a-f]{32}", record.entry.id)


def test_a_chunk_with_one_unscreened_stages_nobody() -> None:
    """An intruder is found before anybody is taken."""
    esp = MemoryEsp()
    with pytest.raises(Unscreened, match="autumn"):
        esp.stage(SPRING, [recipient(), screened(contact("bob"), campaign("autumn"))], content=None)
    assert set() == set(esp.staged(SPRING))
