"""The CRM: one call returns a contact's whole picture, and both sides show the same state (O9, O4)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import (
    EspError,
    EspUnavailable,
    Misconfigured,
    OutcomeUnknown,
    RegistryUnavailable,
    UnknownName,
)
from lifecycle_mail.memory import MemoryCrm, MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import Standing
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Joined, Known, Left, Who
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.pictures import Mailed, Picture
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.sunset import UNRESPONSIVE
from lifecycle_mail.ports import TaskState
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import days_ago, event, said
from tests.service.worlds import (
    DAY,
    HOUR,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    address,
    fake,
    left,
    needs_confirmation,
    shelf,
    world,
)

ALL, OFFERS_ONLY = Scope.all(), Scope.list("offers")
TIPS = MailingList("tips", double_opt_in=True)


def crm(mail: Lifecycle) -> MemoryCrm:
    """Return the in-memory CRM."""
    assert isinstance(mail.crm, MemoryCrm)
    return mail.crm


def with_crm(*names: str, **options: Any) -> Lifecycle:
    """Return a world with a CRM that has been shown everybody."""
    options.setdefault("crm", MemoryCrm())
    mail = world(*names, **options)
    mail.drain(now=NOW - HOUR)
    crm(mail).calls.clear()
    return mail


def shown(mail: Lifecycle, name: str = "ada") -> Picture:
    """Return the picture that the CRM has of somebody."""
    return crm(mail).shown[ContactId(name)]


# --- the picture ----------------------------------------------------------------------------------------------------


def test_a_picture_holds_everything() -> None:
    """Fields, lists, noes, what else holds mail back, engagement, tier, step, mails and value, in one call (O9)."""
    mail = world("ada", lists=(OFFERS, NEWS), value_field="ltv", policy=Policy.for_cadence("weekly"))
    mail.update("ada", {"ltv": 120.5, "role": "editor"}, frequency=Frequency.MONTHLY, tags=["vip"], now=NOW)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.record([event("ada", EventKind.OPENED, at=NOW, mail="spring:ada")], now=NOW)
    no = mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW + HOUR).opt_out
    pause = mail.pause("ada", until=NOW + DAY, now=NOW + HOUR)
    picture = mail.picture(address("ada"), now=NOW + 2 * HOUR)
    row = next(iter(mail.decide(now=NOW + 2 * HOUR)))
    assert picture == Picture(
        contact=mail.contact("ada"),
        at=NOW + 2 * HOUR,
        lists={OFFERS.key: ListStanding.OUT_OF_LIST, NEWS.key: ListStanding.ACTIVE},
        opt_outs=(no,),
        suppressions={pause.kind: pause},
        engagement=mail.store.profiles([ContactId("ada")])[ContactId("ada")],
        tier=row.tier.outcome,
        tier_reason=row.tier.reason,
        step=row.action.outcome,
        step_reason=row.action.reason,
        mails=(
            Mailed(
                campaign=mail.store.claims_of(ContactId("ada"))[0].campaign,
                state="handed-off",
                at=NOW,
                opted_out_at=NOW + HOUR,
            ),
        ),
        value=120.5,
    )
    assert ("editor", Frequency.MONTHLY) == (picture.contact.fields["role"], picture.contact.frequency)
    assert "ada" == picture.contact_id
    assert not mail.picture("ada", now=NOW + 2 * DAY).suppressions


def test_a_picture_of_somebody_new_is_empty_and_of_nobody_an_error() -> None:
    """Every declared list says how they stand, and nothing is said that is not known."""
    mail = world("ada")
    mail.receive([Known(who=Who("bob"))], now=NOW)
    picture = mail.picture("bob", now=NOW)
    assert {OFFERS.key: ListStanding.NONE, NEWS.key: ListStanding.NONE} == picture.lists
    assert ((), {}, (), None) == (picture.opt_outs, picture.suppressions, picture.mails, picture.value)
    assert "" not in (picture.tier, picture.tier_reason, picture.step, picture.step_reason)
    with pytest.raises(UnknownName):
        mail.picture("nobody", now=NOW)


def test_a_picture_shows_lists_that_are_no_longer_declared() -> None:
    """And reads each list over its own channel (P6)."""
    sms = MailingList("alerts", channel=Channel.SMS)
    mail = world("ada")
    for old in (sms, MailingList("old"), MailingList("older")):
        mail.subscribe("ada", old, proof=PROOF, now=NOW)
    mail.opt_out("ada", scope=Scope.list("older"), now=NOW)
    mail.opt_out("ada", scope=Scope.channel(Channel.SMS), now=NOW)
    again = world(store=mail.store)
    again.programme = again.programme.with_(sms)
    lists = again.picture("ada", now=NOW).lists
    assert {
        "alerts": ListStanding.OUT_OF_CHANNEL,
        "news": ListStanding.NONE,
        "offers": ListStanding.ACTIVE,
        "old": ListStanding.ACTIVE,
        "older": ListStanding.OUT_OF_LIST,
    } == lists


def test_a_picture_shows_every_no_once_oldest_first() -> None:
    """Overridden ones too, and none that only echoes another (O1, F33)."""
    mail = world("ada")
    first = mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW).opt_out
    mail.drain(now=NOW)
    mail.fetch(now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    second = mail.opt_out("ada", scope=ALL, now=NOW + DAY).opt_out
    assert (first, second) == mail.picture("ada", now=NOW + DAY).opt_outs


def test_a_mail_that_was_taken_back_is_not_shown() -> None:
    """What was claimed and not sent may still be sent: nothing has happened yet."""
    mail = world("ada")
    fake(mail).fail("release", EspUnavailable)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert ["staged"] == [one.state for one in mail.picture("ada", now=NOW).mails]
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert () == mail.picture("ada", now=NOW).mails


# --- what the CRM is shown ------------------------------------------------------------------------------------------


def back(mail: Lifecycle) -> None:
    """Let Ada say no and come back."""
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW))
    mail.confirm(asked.token, now=NOW)


CHANGES: dict[str, Callable[[Lifecycle], object]] = {
    "a no": lambda mail: mail.opt_out("ada", scope=ALL, now=NOW),
    "a no by address": lambda mail: mail.opt_out(address("ada"), scope=ALL, now=NOW),
    "a no of a twin": lambda mail: mail.opt_out("twin", scope=ALL, now=NOW),
    "a no told by the ESP": lambda mail: mail.receive([left("ada", ALL, event_id="w1")], now=NOW),
    "a yes": lambda mail: mail.subscribe("ada", NEWS, proof=PROOF, now=NOW),
    "a return": back,
    "a request": lambda mail: mail.subscribe("ada", TIPS, proof=PROOF, now=NOW),
    "a pause": lambda mail: mail.pause("ada", until=NOW + DAY, now=NOW),
    "a complaint": lambda mail: mail.suppress("ada", "complaint", provenance=said(Actor.ESP), now=NOW),
    "a field": lambda mail: mail.update("ada", {"spend": 3}, now=NOW),
    "an address": lambda mail: mail.change_address("ada", "a2@example.com", by=Actor.CONTACT, now=NOW),
    "a spelling": lambda mail: mail.change_address("ada", "Ada@example.com", by=Actor.CONTACT, now=NOW),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_picture_is_shown(change: str) -> None:
    """After a drain the CRM shows what we know, whatever the road (O9)."""
    mail = world("ada", crm=MemoryCrm())
    mail.programme = mail.programme.with_(TIPS)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - DAY, contact_id="twin")
    mail.drain(now=NOW)
    before = shown(mail)
    CHANGES[change](mail)
    assert mail.drain(now=NOW).told["picture"]
    assert before != shown(mail)
    assert mail.picture("ada", now=NOW) == shown(mail)
    assert mail.picture("twin", now=NOW) == shown(mail, "twin")


def test_a_lift_is_shown() -> None:
    """What an operator ended holds on neither side (O9)."""
    mail = with_crm("ada")
    mail.suppress("ada", "sunset", provenance=said(Actor.POLICY), now=NOW)
    mail.drain(now=NOW)
    assert shown(mail).suppressions
    mail.lift("ada", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    assert not shown(mail).suppressions


def test_a_tag_of_the_policy_is_shown() -> None:
    """The unresponsive carry it on every side (S12, O9)."""
    mail = with_crm(policy=Policy.for_cadence("weekly"))
    mail.subscribe(address("ada"), OFFERS, proof="a form", now=days_ago(400), contact_id="ada")
    mail.record((event("ada", EventKind.SENT, at=days_ago(390 - 7 * n), mail=f"m{n}") for n in range(20)), now=NOW)
    mail.drain(now=NOW)
    decisions = list(mail.decide(now=NOW))
    assert mail.apply(decisions * 2, now=NOW).tagged
    mail.drain(now=NOW)
    assert UNRESPONSIVE in shown(mail).contact.tags


def test_all_that_is_due_of_a_contact_is_one_picture() -> None:
    """And many contacts are one call: the last state is shown, not each step towards it (O9)."""
    mail = with_crm("ada", "bob")
    for spend in range(5):
        mail.update("ada", {"spend": spend}, now=NOW + HOUR)
    mail.opt_out("bob", scope=ALL, now=NOW + HOUR)
    assert 6 == mail.drain(now=NOW + HOUR).told["picture"]
    assert ["show"] == crm(mail).calls
    assert (4, 1) == (shown(mail).contact.fields["spend"], len(shown(mail, "bob").opt_outs))


def test_changes_within_one_tick_of_the_clock_are_all_shown() -> None:
    """Drained in between, the second is a task of its own all the same."""
    mail = with_crm("ada")
    for spend in (1, 2, 1, 2):
        mail.update("ada", {"spend": spend}, now=NOW)
        mail.drain(now=NOW)
        assert spend == shown(mail).contact.fields["spend"]


def test_a_change_that_is_undone_posts_nothing() -> None:
    """The task is written with the change or not at all (E2)."""
    mail = with_crm("ada")
    before = len(list(mail.outbox()))
    shelf(mail).fail("post", RegistryUnavailable("disk full"))
    with pytest.raises(RegistryUnavailable):
        mail.update("ada", {"spend": 1}, now=NOW)
    assert {} == mail.contact("ada").fields
    assert before == len(list(mail.outbox()))


def test_without_a_crm_nothing_is_posted_for_one() -> None:
    """One that is added later is shown everybody of whom the log speaks."""
    mail = world("ada")
    mail.update("ada", {"spend": 1}, now=NOW)
    mail.drain(now=NOW)
    assert [] == list(mail.outbox())
    later = world(store=mail.store, crm=MemoryCrm())
    assert 1 == later.drain(now=NOW + DAY).told["picture"]
    assert 1 == shown(later).contact.fields["spend"]


def test_a_picture_that_changes_during_the_call_is_shown_again() -> None:
    """The slower of two workers does not have the last word (O9)."""

    class Slow(MemoryCrm):
        def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
            if meanwhile:
                meanwhile.pop()()
            return super().show(pictures)

    meanwhile: list[Callable[[], object]] = []
    mail = with_crm("ada", crm=Slow())

    def overtake() -> None:
        mail.update("ada", {"spend": 2}, now=NOW)
        world(store=mail.store, crm=mail.crm).drain(now=NOW)

    mail.update("ada", {"spend": 1}, now=NOW)
    meanwhile.append(overtake)
    assert 0 == mail.drain(now=NOW).left
    assert 2 == shown(mail).contact.fields["spend"]


def test_whom_the_crm_refuses_is_kept_with_the_reason() -> None:
    """The others are shown, and nobody is told twice (F26)."""
    mail = with_crm("ada", "bob")
    crm(mail).refuse("ada", body=f"{address('ada')} is a duplicate")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    drained = mail.drain(now=NOW)
    assert (1, 1) == (drained.told["picture"], drained.refused)
    (refused,) = mail.outbox(states=[TaskState.REFUSED])
    assert "memory-crm answered 400 to show: [cut] is a duplicate" == mail.store.attempts(refused.task.id)[-1].note
    assert shown(mail, "bob").opt_outs
    assert not shown(mail).opt_outs


@pytest.mark.parametrize("error", [EspUnavailable, OutcomeUnknown])
def test_a_crm_that_is_away_is_shown_later(error: type[EspError]) -> None:
    """Nothing is lost, and the ESP hears of the no meanwhile (F29, F22)."""
    mail = with_crm("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    crm(mail).fail("show", error, done=error is OutcomeUnknown)
    drained = mail.drain(now=NOW)
    assert (["crm:memory-crm"], 1, 1) == (list(drained.problems), drained.told["opt-out"], drained.left)
    assert 1 == mail.drain(now=NOW + HOUR).told["picture"]
    assert shown(mail).opt_outs


def test_somebody_who_is_gone_is_not_shown() -> None:
    """Removed here: there is no picture, nothing is wrong, and the reason is kept."""
    mail = with_crm("ada", "bob")
    for name in ("ada", "bob"):
        mail.update(name, {"spend": 1}, now=NOW)
    mail.store.remove([ContactId("ada")])
    drained = mail.drain(now=NOW)
    assert (1, 1, 0) == (drained.told["picture"], drained.moot, drained.refused)


def test_what_is_received_is_shown() -> None:
    """Fields, tags and new contacts, whoever tells of them; what tells nothing new posts nothing (O9)."""
    mail = with_crm("ada", "bob")
    mail.receive([Known(who=Who("ada"), fields={"role": "editor"}), Known(who=Who("bob"))], now=NOW)
    mail.receive([Known(who=Who("new", parse_address(address("new"))), tags={"vip"})], now=NOW)
    assert {"picture": 2} == mail.drain(now=NOW).told
    assert ({"role": "editor"}, {"vip"}) == (dict(shown(mail).contact.fields), set(shown(mail, "new").contact.tags))
    mail.receive([Known(who=Who("ada"), fields={"role": "editor"})], now=NOW)
    mail.receive([Happened(who=Who("ada"), kind=EventKind.OPENED, at=NOW)], now=NOW)  # shown with the next picture
    assert "told nothing" == str(mail.drain(now=NOW))


def test_what_the_log_says_with_it_is_shown_once() -> None:
    """Who is made known and joins in one batch has one picture posted, by the log (O9)."""
    mail = with_crm("ada")
    who = Who("new", parse_address(address("new")))
    why = said(Actor.OPERATOR, through=Through.IMPORT, source="file:members.csv")
    mail.receive([Known(who=who, tags={"vip"}), Joined(who=who, list=OFFERS.key, provenance=why)], now=NOW)
    assert {"picture": 1} == mail.drain(now=NOW).told
    assert {"vip"} == set(shown(mail, "new").contact.tags)


def test_imported_profiles_are_shown(tmp_path: Path) -> None:
    """A contact of an export, and one that is written over, in the transaction that writes them (O9)."""
    other = world("new")
    other.update("new", {"role": "editor"}, now=NOW)
    other.export_profiles(tmp_path / "people.jsonl")
    mail = with_crm("ada")
    mail.import_profiles(tmp_path / "people.jsonl", now=NOW)
    mail.drain(now=NOW)
    assert "editor" == shown(mail, "new").contact.fields["role"]
    mail.import_profiles(tmp_path / "people.jsonl", now=NOW + DAY, replace=True)
    assert "told nothing" == str(mail.drain(now=NOW + DAY))
    mail.update("new", {"role": "author"}, now=NOW + DAY)
    mail.drain(now=NOW + DAY)
    other.export_profiles(tmp_path / "again.jsonl")
    mail.import_profiles(tmp_path / "again.jsonl", now=NOW + 2 * DAY, replace=True)
    mail.drain(now=NOW + 2 * DAY)
    assert "editor" == shown(mail, "new").contact.fields["role"]


def test_who_is_archived_is_shown_as_that_and_comes_back_whole() -> None:
    """The CRM sees that they are held back, keeps what it knows, and sees them again when they return (O5, O9)."""
    mail = with_crm("ada")
    mail.update("ada", {"role": "editor"}, now=NOW)
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW)
    mail.drain(now=NOW)
    done = mail.archive("ada", by=Actor.OPERATOR, now=NOW + HOUR, text="left the club")
    assert {"picture": 1} == mail.drain(now=NOW + HOUR).told
    picture = shown(mail)
    assert ({"archive"}, 1, {}) == (set(picture.suppressions), len(picture.opt_outs), dict(picture.contact.fields))
    assert (address("ada"), ListStanding.OUT_OF_LIST) == (picture.contact.email, picture.lists[OFFERS.key])
    assert [] == crm(mail).forgotten
    mail.restore(done.document, by=Actor.OPERATOR, now=NOW + DAY, text="joined again")
    mail.drain(now=NOW + DAY)
    assert ("editor", set()) == (shown(mail).contact.fields["role"], set(shown(mail).suppressions))
    elsewhere = with_crm()
    elsewhere.restore(done.document, by=Actor.OPERATOR, now=NOW + DAY, text="another registry")
    elsewhere.drain(now=NOW + DAY)
    assert "editor" == shown(elsewhere).contact.fields["role"]


def test_who_is_erased_after_an_archive_is_not_shown_again() -> None:
    """What an erasure leaves of the archive is nobody's picture (O5)."""
    mail = with_crm("ada", store=MemoryStore(peppers={"test": "sixteen bytes or more"}))
    mail.archive("ada", by=Actor.OPERATOR, now=NOW, text="left the club")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    mail.drain(now=NOW)
    assert ["ada"] == crm(mail).forgotten
    assert {} == crm(mail).shown


def test_who_is_erased_while_the_crm_is_shown_them_is_forgotten_there() -> None:
    """The call that was under way must not leave there what was erased here (O5)."""

    class Slow(MemoryCrm):
        def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
            contact = mail.contact("ada")
            assert contact.address is not None
            mail.store.erase(contact.id, [contact.address.match_key()])
            return super().show(pictures)

    store = MemoryStore(peppers={"test": "sixteen bytes or more"})
    mail = world("ada", crm=Slow(), store=store)
    mail.drain(now=NOW)
    assert ["ada"] == crm(mail).forgotten
    assert {} == crm(mail).shown
    assert 0 == mail.drain(now=NOW + DAY).left


def test_the_erased_are_not_shown_to_a_crm_that_is_added_later() -> None:
    """What the log holds of them under a hash is nobody's picture (O5)."""
    mail = world("ada", "bob", store=MemoryStore(peppers={"test": "sixteen bytes or more"}))
    contact = mail.contact("ada")
    assert contact.address is not None
    mail.store.erase(contact.id, [contact.address.match_key()])
    later = world(store=mail.store, crm=MemoryCrm())
    drained = later.drain(now=NOW)
    assert (1, 0) == (drained.told["picture"], drained.refused)
    assert {"bob"} == set(crm(later).shown)


# --- what the CRM says ----------------------------------------------------------------------------------------------


def told(name: str = "ada", *, at: datetime = NOW) -> dict[str, Any]:
    """Return who and by what road, as a CRM says it."""
    return {"who": Who(name), "provenance": said(Actor.OPERATOR, at=at, through=Through.WEBHOOK, source="memory-crm")}


def test_a_no_from_the_crm_holds_here_and_reaches_the_esp() -> None:
    """A colleague marks somebody as out: out here too, there too, and shown back to the CRM (O9, F31)."""
    mail = with_crm("ada")
    crm(mail).say(Left(scope=ALL, **told()))
    assert 1 == mail.hear_crm(now=NOW).entries
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)
    drained = mail.drain(now=NOW)
    assert (1, 1) == (drained.told["opt-out"], drained.told["picture"])
    assert [(parse_address(address("ada")), ALL)] == fake(mail).suppressed
    assert ListStanding.OUT_OF_ALL is shown(mail).lists[OFFERS.key]


@pytest.mark.parametrize("standing", Standing)
def test_a_yes_from_the_crm_brings_nobody_back(standing: Standing) -> None:
    """However firmly it is said, and however late (O4, F30, F35)."""
    mail = with_crm("ada")
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW)
    crm(mail).say(Joined(list=OFFERS.key, standing=standing, **told(at=NOW + HOUR)))
    mail.hear_crm(now=NOW + HOUR)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    assert ListStanding.OUT_OF_LIST is shown(mail).lists[OFFERS.key]
    assert [OFFERS_ONLY] == [scope for _, scope in fake(mail).suppressed]


def test_fields_roles_and_tags_come_in() -> None:
    """What segments and templates use, from whoever knows it (O9)."""
    mail = with_crm("ada")
    crm(mail).say(Known(who=Who("ada"), fields={"role": "editor"}, tags={"vip"}))
    mail.hear_crm(now=NOW)
    assert ({"role": "editor"}, {"vip"}) == (dict(mail.contact("ada").fields), set(mail.contact("ada").tags))


def test_what_the_crm_said_is_acknowledged_once_it_is_stored() -> None:
    """Stored and not acknowledged, it is told again and counts once (F33)."""
    mail = with_crm("ada")
    crm(mail).say(Left(scope=ALL, event_id="c1", **told()))
    crm(mail).fail("acknowledge", EspUnavailable)
    with pytest.raises(EspUnavailable):
        mail.hear_crm(now=NOW)
    assert 0 == mail.hear_crm(now=NOW).entries
    assert 0 == mail.hear_crm(now=NOW).statements


def test_without_a_crm_there_is_nothing_to_hear() -> None:
    """The error says what to give."""
    with pytest.raises(Misconfigured, match="crm="):
        world("ada").hear_crm(now=NOW)


def test_an_esp_that_takes_nothing_leaves_the_crm_its_pictures() -> None:
    """The two are told apart (E1, O9)."""
    mail = world("ada", esp=MemoryEsp(capabilities=[]), crm=MemoryCrm())
    assert {"picture": 1} == mail.drain(now=NOW).told
    assert mail.picture("ada", now=NOW) == shown(mail)


def test_the_provenance_of_a_crms_no_is_kept() -> None:
    """Who said so and by what road, as for every no (O3)."""
    mail = with_crm("ada")
    said_there: Provenance = told()["provenance"]
    crm(mail).say(Left(scope=ALL, **told()))
    mail.hear_crm(now=NOW)
    (no,) = mail.picture("ada", now=NOW).opt_outs
    assert said_there == no.provenance
