"""Showing an ESP who there is (E2): what is told, what is not, and what becomes of failures."""

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import EspRefused, EspUnavailable, Misconfigured, OutcomeUnknown
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.ports import Capability, Change, Handled, KeptAs, TaskState
from lifecycle_mail.service.syncing import Synced
from lifecycle_mail.testing import contact
from tests.service.worlds import DAY, HOUR, NEWS, NOW, OFFERS, address, fake, join, world

FIELDS = {"plan": FieldType.TEXT, "2020_spend": FieldType.NUMBER}


def synced(mail: Any, *, days: float = 0, **options: Any) -> Synced:
    """Sync, some days from now."""
    report = mail.sync(now=NOW + days * DAY, **options)
    assert isinstance(report, Synced)
    return report


def members(mail: Any) -> dict[str, tuple[KeptAs, set[ListKey]]]:
    """Return whom the fake holds: their state and topics by id."""
    return {str(one.contact_id): (one.state, set(one.lists)) for one in fake(mail).members.values()}


def test_who_is_subscribed_is_shown_with_fields_topics_and_tags() -> None:
    """A first sync makes what is missing there, and shows everybody who may be mailed."""
    mail = world("ada", "bob", fields=FIELDS)
    join(mail, "bob", NEWS)
    mail.update("ada", {"plan": "pro", "2020_spend": 250}, tags=["vip"], now=NOW)
    report = synced(mail)
    assert (2, 2, 0, 0) == (report.contacts, report.new, report.changed, report.accepted - 2)
    assert {"ada": (KeptAs.SUBSCRIBED, {"offers"}), "bob": (KeptAs.SUBSCRIBED, {"offers", "news"})} == members(mail)
    ada = fake(mail).members[parse_address(address("ada")).identity]
    assert {"plan": "pro", "2020_spend": 250} == dict(ada.fields)
    assert {"vip"} == set(ada.tags)
    assert ("the field plan", "the field 2020_spend", "the topic offers", "the topic news") == report.prepared
    assert "2 contacts: 2 new" in str(report)


def test_a_second_sync_tells_nothing() -> None:
    """Who looks right is not told again; who changed is, and they alone (E2)."""
    mail = world("ada", "bob", "cem")
    synced(mail)
    fake(mail).calls.clear()
    assert (0, 0, 3) == (synced(mail, days=1).new, 0, 3)
    assert "show" not in fake(mail).calls
    mail.update("bob", {"plan": "pro"}, now=NOW + DAY)
    report = synced(mail, days=2)
    assert (0, 1, 2) == (report.new, report.changed, report.same)


def test_a_dry_run_shows_the_difference_and_does_nothing() -> None:
    """The diff comes first: nothing is made, told or heard there or here (E2)."""
    mail = world("ada", "bob", fields=FIELDS)
    fake(mail).unsubscribe(parse_address(address("bob")), Scope.all(), at=NOW)
    report = synced(mail, dry_run=True)
    assert report.dry_run
    assert {("ada", "new"), ("bob", "new")} == {(one.contact_id, one.what) for one in report.examples}
    assert "would be told" in str(report)
    assert [] == list(fake(mail).members)
    assert {"prepare", "kept"} == set(fake(mail).calls)
    assert ListStanding.ACTIVE is mail.standing("bob", OFFERS, now=NOW)


def test_who_may_not_be_mailed_is_not_made_known() -> None:
    """Nobody who left, bounced, waits for confirmation or has no address is added at the ESP."""
    mail = world("ada", "bob")
    mail.opt_out("bob", scope=Scope.all(), through="one-click", now=NOW)
    mail.store.put([contact("ghost", address=None)])
    report = synced(mail)
    assert {"ada"} == set(members(mail))
    assert 1 == report.new


def test_a_no_at_the_esp_is_heard_before_anybody_is_shown() -> None:
    """ESP says out, here subscribed: out here too, and not told otherwise (F31)."""
    mail = world("ada", "bob")
    synced(mail)
    fake(mail).unsubscribe(parse_address(address("ada")), Scope.all(), at=NOW + HOUR)
    report = synced(mail, days=1)
    assert report.swept is not None
    assert 1 == report.swept.entries
    assert KeptAs.OUT is members(mail)["ada"][0]
    assert mail.picture("ada", now=NOW + DAY).opt_outs


def test_a_no_here_is_told_and_takes_the_topic_away() -> None:
    """Leaving one of two lists here removes that topic there; the other stays."""
    mail = world("ada", lists=[OFFERS, NEWS])
    synced(mail)
    mail.opt_out("ada", scope=Scope.list(OFFERS.key), through="preference-page", now=NOW + HOUR)
    synced(mail, days=1)
    assert {"ada": (KeptAs.SUBSCRIBED, {"news"})} == members(mail)


def test_esp_says_subscribed_here_out() -> None:
    """Somebody let them in there: the no is pushed again, and nothing is pulled in (F30)."""
    mail = world("ada", "bob")
    synced(mail)
    mail.opt_out("ada", scope=Scope.all(), through="one-click", now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    esp = fake(mail)
    (key,) = [one for one, held in esp.members.items() if held.contact_id == "ada"]
    esp._scopes.clear()  # as an operator does there, by hand
    esp.members[key] = evolve(esp.members[key], state=KeptAs.SUBSCRIBED, lists=frozenset({OFFERS.key}))
    told = len(esp.suppressed)
    report = synced(mail, days=1)
    assert 1 == report.told_out
    assert told < len(esp.suppressed)
    assert KeptAs.OUT is members(mail)["ada"][0]
    assert 0 == synced(mail, days=2).told_out


def test_a_topic_that_was_taken_away_there_is_a_no() -> None:
    """On the ESP's own page, of which no report comes: heard while we read, and not put back (F31)."""
    mail = world("ada", lists=[OFFERS, NEWS])
    synced(mail)
    fake(mail).untick(parse_address(address("ada")), OFFERS.key, at=NOW + HOUR)
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + DAY)
    synced(mail, days=1, dry_run=True)
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + DAY)
    synced(mail, days=1)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + DAY)
    assert {"ada": (KeptAs.SUBSCRIBED, {"news"})} == members(mail)
    synced(mail, days=2)
    assert 1 == len(mail.picture("ada", now=NOW + 2 * DAY).opt_outs)


def test_strangers_are_counted_and_left_alone() -> None:
    """Whom the ESP would mail and we do not know is reported, and nothing else (E2: towards do-not-mail only)."""
    mail = world("ada")
    synced(mail)
    esp = fake(mail)
    (ada,) = esp.members.values()
    stranger = parse_address("zoe@example.com")
    esp.members[stranger.identity] = evolve(ada, address=stranger, contact_id=None)
    report = synced(mail, days=1)
    assert 1 == report.strangers
    assert "1 there and not here" in str(report)
    assert KeptAs.SUBSCRIBED is esp.members[stranger.identity].state


class Fails(MemoryEsp):
    """Does not take some contacts for now, the first so many times they are told."""

    def __init__(self, times: int, *names: str) -> None:
        super().__init__()
        self.times = times
        self.names = set(names)
        self.told: list[list[str]] = []

    def show(self, changes: Sequence[Change]) -> Handled:
        """Take all but those."""
        self.told.append([change.shown.contact.id for change in changes])
        here = {change.shown.contact.id for change in changes} & self.names
        handled = super().show([one for one in changes if self.times <= 0 or one.shown.contact.id not in here])
        if not here or self.times <= 0:
            return handled
        self.times -= 1
        busy = EspUnavailable(esp=self.name, operation="show", status=500, body="try again")
        return evolve(handled, refused={**handled.refused, **dict.fromkeys(map(ContactId, here), busy)})


def test_only_those_who_failed_are_tried_again() -> None:
    """3 of 500 in a batch fail: only those 3 are retried (F26)."""
    names = [f"p{number:03}" for number in range(500)]
    mail = world(*names, esp=Fails(1, "p001", "p250", "p499"))
    report = synced(mail)
    assert [500, 3] == [len(one) for one in mail.esp.told]  # type: ignore[attr-defined]
    assert ["p001", "p250", "p499"] == sorted(mail.esp.told[1])  # type: ignore[attr-defined]
    assert (500, 0, {}) == (report.accepted, report.failed, report.refused)


def test_who_fails_again_and_again_is_left_to_the_next_sync() -> None:
    """A contact is told three times a run at most; the next run finds them missing, and tells them (F26)."""
    mail = world("ada", "bob", esp=Fails(3, "bob"))
    report = synced(mail)
    assert (1, 1) == (report.accepted, report.failed)
    assert "1 to be tried again" in str(report)
    again = synced(mail, days=1)
    assert (1, 1, 0) == (again.new, again.accepted, again.failed)


def test_a_final_refusal_is_kept_and_not_tried_each_time() -> None:
    """Refused for good is a person's to look at: no loop, until somebody lets it be tried again (F28)."""
    mail = world("ada", "bob")
    fake(mail).refuse(address("bob"), body="Forgotten Email Not Subscribed")
    report = synced(mail)
    assert {"bob"} == set(report.refused)
    assert "1 refused" in str(report)
    (kept,) = mail.outbox(states=[TaskState.REFUSED])
    assert ("sync:memory", "contact", "bob") == (kept.task.target, kept.task.kind.value, kept.task.contact_id)
    fake(mail).calls.clear()
    assert {} == synced(mail, days=1).refused
    assert "show" not in fake(mail).calls
    fake(mail)._refusals.clear()
    mail.retry_refused(now=NOW + DAY)
    assert 1 == synced(mail, days=2).accepted
    assert [] == list(mail.outbox(states=[TaskState.DUE, TaskState.REFUSED]))


def test_a_batch_that_is_refused_as_a_whole_is_halved() -> None:
    """One address that makes the ESP refuse the whole batch is found, and costs only itself (F26)."""

    class Strict(MemoryEsp):
        def show(self, changes: Sequence[Change]) -> Handled:
            if any(change.shown.contact.id == "p13" for change in changes):
                raise EspRefused(esp=self.name, operation="show", status=400, body="contacts[13].email is not valid")
            return super().show(changes)

    mail = world(*[f"p{number:02}" for number in range(40)], esp=Strict())
    report = synced(mail)
    assert {"p13"} == set(report.refused)
    assert 39 == report.accepted == len(fake(mail).members)


def test_a_wrong_key_stops_at_once() -> None:
    """What is about the caller is nobody's refusal: one call, and the report says why (401)."""
    mail = world("ada", "bob")
    fake(mail).fail("show", EspRefused, status=401, body="API key invalid")
    report = synced(mail)
    assert report.problem is not None
    assert 401 == report.problem.status
    assert {} == report.refused
    assert 1 == fake(mail).calls.count("show")
    assert 2 == synced(mail, days=1).accepted


@pytest.mark.parametrize("error", [EspUnavailable, OutcomeUnknown])
@pytest.mark.parametrize("done", [False, True])
def test_an_interrupted_sync_goes_on(error: type[EspUnavailable], done: bool) -> None:
    """Cut off after some batches, the next sync tells the rest; whoever it told already is the same (E2, F6)."""
    names = [f"p{number:02}" for number in range(20)]
    mail = world(*names, esp=MemoryEsp())
    fake(mail).at_once, fake(mail).connections = 5, 1
    fake(mail).fail("show", error, done=done)
    report = synced(mail)
    assert isinstance(report.problem, error)
    there = len(fake(mail).members)
    again = synced(mail, days=1)
    assert (20 - there, there) == (again.new, again.same)
    assert set(names) == set(members(mail))


def test_reading_that_breaks_off_tells_nothing() -> None:
    """Without knowing what the ESP holds nobody is told anything."""
    mail = world("ada")
    fake(mail).fail("kept", EspUnavailable)
    assert synced(mail).problem is not None
    assert {} == members(mail)


def test_consent_only_tells_noes_and_shows_nobody() -> None:
    """`reconcile` moves towards do-not-mail, and makes nobody known."""
    mail = world("ada", "bob")
    mail.opt_out("bob", scope=Scope.all(), through="one-click", now=NOW)
    report = synced(mail, consent_only=True)
    assert {} == members(mail)
    assert 1 == len(fake(mail).suppressed)
    assert 1 == report.new


def test_an_esp_that_holds_no_contacts_says_so() -> None:
    """It is asked before anything is done, and the answer says why (E1)."""
    mail = world("ada", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    with pytest.raises(Misconfigured, match="memory does not do contacts: not implemented: the test left it out"):
        mail.sync(now=NOW)


def test_progress_is_told() -> None:
    """A long sync can be watched."""
    seen: list[int] = []
    mail = world("ada", "bob")
    synced(mail, progress=seen.append)
    assert [2] == seen


def test_two_workers_do_not_sync_at_once() -> None:
    """The second is told that another syncs (F20)."""
    mail = world("ada")
    mail.store.begin("sync:memory", "another", at=NOW, until=NOW + HOUR)
    assert mail.sync(now=NOW) is None
