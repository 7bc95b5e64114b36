"""Erasing people: their data goes everywhere, a keyed hash stays, and nobody comes back by a list (O5, F62, F63)."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import (
    AmbiguousAddress,
    CampaignRefused,
    ConsentRefused,
    EspError,
    EspRefused,
    EspUnavailable,
    InvalidAddress,
    InvalidInput,
    Misconfigured,
    OutcomeUnknown,
    RegistryBusy,
    UnknownName,
)
from lifecycle_mail.memory import MemoryCrm, MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import MatchRules, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.profiles import Snapshot
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.ports import Capability, ClaimState
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.testing import consent, contact, event, said
from lifecycle_mail.testing.stores import PEPPERS
from lifecycle_mail.testing.stores.answers import answer
from tests.service.worlds import (
    DAY,
    HOUR,
    NOW,
    OFFERS,
    PROOF,
    SPRING,
    address,
    entries,
    fake,
    join,
    mailed,
    needs_confirmation,
    shelf,
    states,
    world,
)

ALL = Scope.all()
LATER = NOW + 30 * DAY
SECRETS = ("ada.lovelace", "Ada.Lovelace", "countess", "Countess", "192.0.2.77", "Byron", "engine@", "the analytical")
"""What is personal in the life of `a_life`: parts of two addresses, an IP, a name, words."""


def erasing(*names: str, **options: Any) -> Lifecycle:
    """Return a world whose store has a pepper."""
    return world(*names, peppers=PEPPERS, **options)


def a_life(mail: Lifecycle) -> None:
    """Let one contact do all that leaves personal data: two addresses, words, evidence, events, claims, tasks."""
    mail.subscribe("Ada.Lovelace@example.com", OFFERS, proof="form 7, 192.0.2.77", now=NOW - 9 * DAY, contact_id="a1")
    mail.update("a1", {"name": "Byron"}, now=NOW - 9 * DAY, tags=["Byron's"])
    mail.send(mail.plan(SPRING, now=NOW - 8 * DAY), now=NOW - 8 * DAY)
    mail.record(
        [event("a1", EventKind.OPENED, at=NOW - 7 * DAY, mail="spring:a1", link="https://x.example/?Byron")], now=NOW
    )
    mail.opt_out(
        "a1", campaign=SPRING, now=NOW - 6 * DAY, reason=OptOutReason.OTHER, text="the analytical engine@home",
        evidence="192.0.2.77", event_id="click-of-Byron", source="Ada.Lovelace@export.csv",
    )  # fmt: skip
    asked = needs_confirmation(mail.subscribe("a1", OFFERS, proof="192.0.2.77", now=NOW - 5 * DAY))
    mail.confirm(asked.token, now=NOW - 5 * DAY, evidence="192.0.2.77")
    mail.change_address("a1", "Countess@example.com", by=Actor.CONTACT, now=NOW - 4 * DAY, evidence="192.0.2.77")
    sunset = said(Actor.POLICY, text="silent since Byron")
    mail.suppress("a1", "sunset", provenance=sunset, now=NOW - 3 * DAY)
    mail.lift("a1", "sunset", by=Actor.OPERATOR, text="Byron wrote to us", now=NOW - 3 * DAY)
    mail.opt_out("ada.lovelace@EXAMPLE.com", scope=ALL, now=NOW - 2 * DAY, text="Byron again")
    mail.receive(
        [
            Left(
                who=Who(None, parse_address("countess@example.com")), scope=ALL, event_id="esp-countess-1",
                provenance=said(Actor.ESP, at=NOW - 2 * DAY, through=Through.WEBHOOK, evidence="Byron"),
            ),
            Held(
                who=Who("a1"), kind=SuppressionKind.COMPLAINT, event_id="Byron-spam",
                provenance=said(Actor.CONTACT, at=NOW - 2 * DAY, through=Through.COMPLAINT, text="Byron says spam"),
            ),
            Happened(who=Who("a1"), kind=EventKind.CLICKED, at=NOW + 90 * DAY, link="https://x.example/Byron"),
            Counted(who=Who("a1"), snapshot=Snapshot(taken_at=NOW - 3 * DAY, mails=3)),
        ],
        now=NOW - DAY,
    )  # fmt: skip
    mail.store.put_answers(
        [
            answer("a1", text="Byron", tool="the analytical engine", improve="192.0.2.77", about="of engine@home"),
            answer("a1", question="drift", reasons=["other"], at=NOW - 9 * DAY, text="the countess"),
        ]
    )
    mail.drain(now=NOW - HOUR)


def everything(thing: object, seen: set[int] | None = None) -> Iterator[str]:
    """Walk whatever an object holds, and yield every text in it; what holds callables alone is passed over."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield repr(thing)
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from everything(key, seen)
            yield from everything(value, seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for one in thing:
            yield from everything(one, seen)
    else:
        yield repr(thing)
        names = [*vars(thing)] if hasattr(thing, "__dict__") else [*getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from everything(getattr(thing, name, None), seen)


def found_in(mail: Lifecycle, secrets: tuple[str, ...] = SECRETS) -> set[str]:
    """Return which of these texts stand anywhere in the store, however deep."""
    texts = list(everything(vars(shelf(mail))))
    return {secret for secret in secrets if any(secret in text for text in texts)}


# --- what goes, and what stays (O5) ----------------------------------------------------------------------------------


def test_all_personal_data_was_there_before() -> None:
    """The life that the next test erases leaves every secret in the store: or nothing would be shown."""
    mail = erasing(crm=MemoryCrm())
    a_life(mail)
    assert set(SECRETS) == found_in(mail)
    assert "'a1'" in " ".join(everything(vars(shelf(mail))))


def test_an_erasure_leaves_nothing_personal_anywhere() -> None:
    """Addresses, names, words, evidence, ids and links of a whole life are gone from all that the store holds (O5)."""
    mail = erasing("bob", crm=MemoryCrm())
    a_life(mail)
    before = mail.store.position()
    done = mail.erase("a1", by=Actor.CONTACT, now=NOW, text="Byron asked for it from 192.0.2.77")
    assert (2, (), ("memory", "memory-crm"), True) == (done.addresses, done.shared, done.told, done.is_new)
    assert set() == found_in(mail)
    assert "'a1'" not in " ".join(everything(vars(shelf(mail))))
    assert before + 3 == mail.store.position()  # one for each address, and one for the id
    with pytest.raises(UnknownName):
        mail.contact("a1")


def test_no_id_is_left_that_anybody_could_try_words_against() -> None:
    """The ids of their entries are plain hashes of what these said: not one is kept, whatever it was cited by (O5)."""
    mail = erasing()
    a_life(mail)
    ids = {str(record.entry.id) for record in mail.store.records()} | {one.id for one in mail.store.answers()}
    assert ids <= {text.strip("'") for text in everything(vars(shelf(mail)))}
    mail.erase("a1", by=Actor.CONTACT, now=NOW)
    assert set() == ids & {text.strip("'") for text in everything(vars(shelf(mail)))}


def test_what_stays_is_what_they_said_and_what_was_sent() -> None:
    """The log keeps its entries with kind, scope, campaign and reason, and counts by day stay (O1, O3, O10)."""
    mail = erasing("bob")
    a_life(mail)
    causes, tallies = mail.opt_out_causes(), list(mail.store.tally())
    kinds = [type(record.entry) for record in mail.store.records()]
    claims = mail.store.claims(SPRING.key)
    mail.erase("a1", by=Actor.CONTACT, now=NOW)
    assert causes == mail.opt_out_causes()
    assert tallies == list(mail.store.tally())
    assert kinds == [type(record.entry) for record in mail.store.records()][: len(kinds)]
    assert [claim.state for claim in claims.values()] == [one.state for one in mail.store.claims(SPRING.key).values()]


def test_the_past_of_others_reads_as_before() -> None:
    """Erasing one contact changes nothing that is known of another (O10)."""
    mail = erasing("bob", "cleo")
    a_life(mail)
    mail.opt_out("cleo", scope=ALL, now=NOW)
    before = [(person, mail.as_of(NOW).person(person.contact_id)) for person in mail.people()]
    mail.erase("a1", by=Actor.CONTACT, now=NOW + HOUR)
    others = [one for one in before if one[0].contact_id != "a1"]
    assert others == [(person, mail.as_of(NOW).person(person.contact_id)) for person in mail.people()]


class Listening(MemoryEsp):
    """An ESP that keeps whom it was told to forget."""

    told: tuple[Contact, ...] = ()

    def forget(self, contact: Contact) -> None:
        """Keep that, and forget."""
        self.told += (contact,)
        super().forget(contact)


def test_the_esp_and_the_crm_forget() -> None:
    """The ESP is told of every address by which it may know them, the CRM of the id (O5, O9)."""
    esp, crm = Listening(), MemoryCrm()
    mail = erasing(esp=esp, crm=crm)
    a_life(mail)
    mail.erase("countess@example.com", by=Actor.CONTACT, now=NOW)
    assert {("a1", "ada.lovelace@example.com"), ("a1", "Countess@example.com")} == {
        (one.id, one.email) for one in esp.told
    }
    assert ["a1"] == crm.forgotten
    mail.drain(now=NOW + HOUR)
    mail.drain(now=NOW + DAY)
    assert {} == crm.shown
    assert set() == found_in(mail)


def test_an_esp_that_cannot_forget_is_not_named() -> None:
    """What it holds is somebody's to remove there: the answer names who was told."""
    mail = erasing("ada", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    assert () == mail.erase("ada", by=Actor.OPERATOR, now=NOW).told


# --- in which order (F63) --------------------------------------------------------------------------------------------


def test_without_a_pepper_nobody_is_told_anything() -> None:
    """It fails closed, before anybody else forgets what we could not (F63)."""
    mail = world("ada", crm=MemoryCrm())
    for who in ("ada", address("ada"), "stranger@example.com"):
        with pytest.raises(Misconfigured, match="pepper"):
            mail.erase(who, by=Actor.CONTACT, now=NOW)
    assert [] == fake(mail).forgotten
    assert "forget" not in fake(mail).calls
    assert address("ada") == mail.contact("ada").email
    assert [] == entries(mail, Suppression)


@pytest.mark.parametrize("error", [EspUnavailable, EspRefused])
@pytest.mark.parametrize("who_fails", ["esp", "crm"])
def test_what_the_others_refuse_is_raised_and_nothing_is_erased(error: Any, who_fails: str) -> None:
    """Whoever cannot forget now is asked again: here all is as it was, and a second call does it."""
    crm = MemoryCrm()
    mail = erasing("ada", crm=crm)
    (fake(mail) if who_fails == "esp" else crm).fail("forget", error)
    with pytest.raises(error):
        mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert address("ada") == mail.contact("ada").email
    assert [] == entries(mail, Suppression)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    with pytest.raises(UnknownName):
        mail.contact("ada")


def test_what_the_store_refuses_is_not_half_done() -> None:
    """Where the store fails in the middle, nothing was written; the others may have been told and are told again."""
    mail = erasing("ada")
    shelf(mail).fail("append", RuntimeError("disk"))
    with pytest.raises(RuntimeError, match="disk"):
        mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert address("ada") == mail.contact("ada").email
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    assert ["ada", "ada"] == fake(mail).forgotten


def test_a_busy_store_is_asked_again() -> None:
    """Reading and writing are both tried again, and what is erased is erased once (F15, F21)."""
    mail = erasing("ada")
    for operation in ("get", "about", "append", "erase"):
        shelf(mail).fail(operation, RegistryBusy("others write"), times=2)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    assert 2 == len(entries(mail, Suppression))
    assert ["ada"] == fake(mail).forgotten


def test_an_address_that_is_added_meanwhile_is_erased_too() -> None:
    """Who moves while the ESP is being told is erased at the new address, and the ESP hears of that as well."""

    class Slow(MemoryEsp):
        moves = True

        def forget(self, contact: Contact) -> None:
            super().forget(contact)
            if self.moves:
                self.moves = False
                mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)

    mail = erasing("ada", esp=Slow())
    assert 2 == mail.erase("ada", by=Actor.CONTACT, now=NOW).addresses
    assert set() == found_in(mail, ("ada@", "new@"))
    assert ["ada", "ada", "ada"] == fake(mail).forgotten


def test_whoever_is_erased_meanwhile_was_told_of_all_the_same() -> None:
    """Two workers erase one person at once: the later answer is that it was done, and names whom it told."""

    class Slow(MemoryEsp):
        first = True

        def forget(self, contact: Contact) -> None:
            super().forget(contact)
            if self.first:
                self.first = False
                mail.erase("ada", by=Actor.CONTACT, now=NOW)

    mail = erasing("ada", esp=Slow(), crm=MemoryCrm())
    done = mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert (0, ("memory", "memory-crm"), False) == (done.addresses, done.told, done.is_new)
    assert 2 == len(entries(mail, Suppression))


def test_whoever_is_being_staged_is_erased_when_the_campaign_is_done() -> None:
    """Afterwards no ESP could be asked for them: until the worker is done the erasure is refused, and then it works."""
    refused: list[str] = []

    class Slow(MemoryEsp):
        def stage(self, *args: Any, **options: Any) -> Any:
            with pytest.raises(CampaignRefused, match="call again when it is done") as caught:
                mail.erase("ada", by=Actor.CONTACT, now=NOW)
            refused.append(str(caught.value))
            return super().stage(*args, **options)

    mail = erasing("ada", "bob", esp=Slow(capabilities={Capability.CAMPAIGNS}))
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert 1 == len(refused)
    assert ["ada", "bob"] == mailed(mail)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW + DAY).is_new


def test_who_loses_the_campaign_while_taking_somebody_out_is_refused() -> None:
    """By a clock far ahead another worker takes it, and may stage them anew: the erasure is asked for again (F20)."""

    class Slow(MemoryEsp):
        def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
            super().unstage(campaign, contact_ids)
            assert other.take()

    mail = erasing("ada", "bob", esp=Slow(capabilities={Capability.CAMPAIGNS}))
    other = Lease(mail.store, SPRING.key, clock=Clock(NOW + DAY, lambda: 0.0), wait=lambda _: None)
    fake(mail).fail("release", EspUnavailable)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    with pytest.raises(CampaignRefused, match="call again when it is done"):
        mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert ClaimState.CLAIMED is mail.store.claims(SPRING.key, [ContactId("ada")])[ContactId("ada")].state
    assert ["ada", "bob"] == [one.id for one in mail.store.each()]


@pytest.mark.parametrize("lag", [0, 1, 9])
@pytest.mark.parametrize("told", [False, None])
@pytest.mark.parametrize("fails", ["release", "staged"])
def test_whoever_is_staged_is_taken_out_before_they_are_erased(fails: str, told: bool | None, lag: int) -> None:
    """By the name that the ESP knows, whatever it shows: the log then names them by a hash alone (F17)."""
    asked: list[Any] = []
    answers: list[bool | None] = []

    class Unsure(MemoryEsp):
        def released(self, campaign: Any) -> bool | None:
            return super().released(campaign) or (answers.pop() if answers else False)

        def unstage(self, campaign: Any, contact_ids: Any) -> None:
            asked.append(set(contact_ids))
            super().unstage(campaign, contact_ids)

    mail = erasing("ada", "bob", esp=Unsure(capabilities={Capability.CAMPAIGNS}))
    fake(mail).fail(fails, EspUnavailable)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    answers.append(told)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert [{"ada"}] == asked
    fake(mail).lag(lag)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW + HOUR)
    fake(mail).lag(0)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW + 2 * HOUR)
    assert ["bob"] == mailed(mail)
    assert {"bob"} == {one for one, state in states(mail).items() if state == "handed-off"}
    assert not any(is_hashed(one) for some in asked for one in some)


@pytest.mark.parametrize("lag", [0, 1, 9])
@pytest.mark.parametrize("done", [False, True])
def test_who_was_perhaps_taken_out_counts_as_mailed_only_if_they_were(done: bool, lag: int) -> None:
    """The answer is lost, and the erasure with it: what is sent next is what the ESP acknowledges (F22)."""
    mail = erasing("ada", "bob", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    fake(mail).fail("release", EspUnavailable)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    fake(mail).fail("unstage", OutcomeUnknown, done=done)
    with pytest.raises(OutcomeUnknown):
        mail.erase("ada", by=Actor.CONTACT, now=NOW)
    fake(mail).lag(lag)
    for hours in (1, 2):
        mail.send(mail.plan(SPRING, now=NOW), now=NOW + hours * HOUR)
        assert {one for one, state in states(mail).items() if state == "handed-off"} == set(mailed(mail))
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW + DAY).is_new


@pytest.mark.parametrize("capabilities", [frozenset(), {Capability.SINGLE_MAILS}], ids=["none", "another"])
def test_whoever_is_staged_elsewhere_is_not_erased_behind_its_back(capabilities: Any) -> None:
    """Without the ESP that has them staged they cannot be taken out: it is said which campaign, and what to do."""
    mail = erasing("ada", "bob", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    fake(mail).fail("release", EspUnavailable)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    other = erasing(store=mail.store, esp=MemoryEsp(name="other", capabilities=capabilities))
    with pytest.raises(Misconfigured, match="'spring' at an ESP, and other is not the one"):
        other.erase("ada", by=Actor.CONTACT, now=NOW)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert ["bob"] == mailed(mail)


@pytest.mark.parametrize(("operation", "times"), [("release", 1), ("stage", 2)])
def test_where_somebody_was_erased_and_may_be_staged_nothing_is_released(operation: str, times: int) -> None:
    """Claimed or unknown, to another ESP it may have been a single mail: no ESP could be asked for a hash (O5, F17)."""
    mail = erasing("ada", "bob", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    fake(mail).fail(operation, OutcomeUnknown, done=operation == "stage", times=times)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    other = erasing(store=mail.store, esp=MemoryEsp(name="other", capabilities={Capability.SINGLE_MAILS}))
    assert other.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    fake(mail).lag(1)
    for _ in range(2):
        with pytest.raises(CampaignRefused, match="1 who were erased without memory may be staged there"):
            mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert [] == mailed(mail)


RECEIPT = Campaign("receipt", to=[OFFERS], kind=CampaignKind.TRANSACTIONAL)


@pytest.mark.parametrize("campaign", [SPRING, RECEIPT], ids=["marketing", "transactional"])
@pytest.mark.parametrize("error", [EspUnavailable, OutcomeUnknown])
def test_whoever_may_still_be_staged_is_taken_out_whatever_the_campaign(
    campaign: Campaign, error: type[EspError]
) -> None:
    """Where a release did not happen, or nobody knows, who is erased is taken out, and the others get it (O5, F17)."""
    mail = erasing("ada", "bob", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    fake(mail).fail("release", error)
    mail.send(mail.plan(campaign, now=NOW), now=NOW)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    if error is OutcomeUnknown:
        with pytest.raises(CampaignRefused, match="1 more may get it: plan it again"):
            mail.send(mail.plan(campaign, now=NOW), now=NOW)
    mail.send(mail.plan(campaign, now=NOW), now=NOW)
    assert ["bob"] == mailed(mail, campaign.key)


def test_a_receipt_whose_answer_was_lost_stays_unknown() -> None:
    """An ESP that takes both took it as a single mail, of which there is nothing to take out (O2, O5)."""
    mail = erasing("ada", esp=MemoryEsp())
    fake(mail).fail("send", OutcomeUnknown, done=True)
    mail.send(mail.plan(RECEIPT, now=NOW), now=NOW)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    assert [ClaimState.UNKNOWN] == [claim.state for claim in mail.store.claims(RECEIPT.key).values()]
    assert "unstage" not in fake(mail).calls


def test_a_mail_that_was_interrupted_one_by_one_keeps_nobody_from_being_erased() -> None:
    """It was claimed and perhaps sent; there is nothing to take out of (O5)."""
    mail = erasing("ada", esp=MemoryEsp(capabilities={Capability.SINGLE_MAILS}))
    fake(mail).fail("send", OutcomeUnknown)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new


def test_who_cannot_be_taken_out_is_not_erased() -> None:
    """What the ESP did not do is raised, nobody was told anything, and the same works later (O5)."""
    mail = erasing("ada", "bob", esp=MemoryEsp(), crm=MemoryCrm())
    fake(mail).fail("release", EspUnavailable)
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    fake(mail).fail("unstage", EspUnavailable)
    with pytest.raises(EspUnavailable):
        mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert [] == fake(mail).forgotten
    assert "ada" in states(mail)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW).is_new
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert ["bob"] == mailed(mail)


def test_an_erasure_whose_answer_was_lost_was_done() -> None:
    """The store says that it is busy after it has written: tried again, the erasure is this call's own (F21)."""

    class Lost(MemoryStore):
        loses = True

        @contextmanager
        def transaction(self) -> Iterator[None]:
            with super().transaction():
                yield
            if self.loses and self._undo is None and self.erased(["ada"]):  # all is written
                self.loses = False
                raise RegistryBusy("no answer")

    mail = world("ada", store=Lost(peppers=PEPPERS))
    done = mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert (1, True) == (done.addresses, done.is_new)
    assert 2 == len(entries(mail, Suppression))


def test_trying_whether_there_is_a_pepper_erases_nobody() -> None:
    """The store is as it was where nobody goes by the name."""
    mail = erasing("ada")
    before = list(everything(vars(shelf(mail))))
    with pytest.raises(UnknownName):
        mail.erase("nobody", by=Actor.OPERATOR, now=NOW)
    assert before == list(everything(vars(shelf(mail))))


def test_erasing_again_is_answered_as_done() -> None:
    """By the id or an address, once erased they stay so, and nobody is told twice."""
    mail = erasing()
    a_life(mail)
    mail.erase("a1", by=Actor.CONTACT, now=NOW)
    position, told = mail.store.position(), len(fake(mail).forgotten)
    for who in ("a1", "countess@example.com", "Ada.Lovelace@example.com"):
        assert not mail.erase(who, by=Actor.CONTACT, now=NOW + HOUR).is_new
    assert (position, told) == (mail.store.position(), len(fake(mail).forgotten))


# --- whom it reaches -------------------------------------------------------------------------------------------------


def test_an_address_that_nobody_has_can_be_erased() -> None:
    """A no of a stranger is kept as a hash of the address, and a list that brings it makes no contact (F62)."""
    crm = MemoryCrm()
    mail = erasing("bob", crm=crm)
    mail.opt_out("stranger@example.com", scope=ALL, now=NOW - DAY, text="leave me alone")
    done = mail.erase("Stranger@example.com", by=Actor.CONTACT, now=NOW)
    assert (1, True) == (done.addresses, done.is_new)
    assert set() == found_in(mail, ("stranger", "Stranger", "leave me"))
    known = Known(who=Who("s1", parse_address("stranger@example.com")), fields={"name": "S"})
    assert (1, 0) == ((report := mail.receive([known], now=LATER)).erased, report.contacts)
    assert ["bob"] == [one.id for one in mail.store.each()]
    assert 1 == len(fake(mail).forgotten)  # the ESP may know the address all the same
    assert [] == crm.forgotten


def test_nobody_goes_by_it() -> None:
    """A name that is neither a contact nor an address is an error, and what is no address says so masked."""
    mail = erasing("ada")
    with pytest.raises(UnknownName, match="nobody"):
        mail.erase("nobody", by=Actor.OPERATOR, now=NOW)
    assert [] == fake(mail).forgotten


def test_a_shared_address_stays_the_others() -> None:
    """It is erased for nobody while another contact uses it; by the address alone nobody is chosen."""
    esp = Listening()
    mail = erasing("bob", esp=esp)
    mail.subscribe("home@example.com", OFFERS, proof=PROOF, now=NOW - DAY, contact_id="dan")
    mail.receive([Known(who=Who("eve", parse_address("home@example.com")))], now=NOW - DAY)
    mail.opt_out("eve", scope=ALL, now=NOW - DAY, text="eve says no")
    with pytest.raises(AmbiguousAddress, match="dan, eve"):
        mail.erase("home@example.com", by=Actor.CONTACT, now=NOW)
    done = mail.erase("eve", by=Actor.CONTACT, now=NOW)
    assert (0, ("h***@example.com",)) == (done.addresses, done.shared)
    assert "home@example.com" == mail.contact("dan").email
    assert set() == found_in(mail, ("'eve'", "eve says"))
    assert [("eve", None)] == [(one.id, one.address) for one in esp.told]  # the address is his there, too
    # Her no bound the address, and still does.
    assert 1 == mail.plan(SPRING, now=NOW).withheld["out-of-all"]
    # Only she is gone: the address can be named, and later be erased with him.
    assert 1 == mail.erase("dan", by=Actor.CONTACT, now=NOW).addresses
    assert set() == found_in(mail, ("home@",))


def test_a_former_address_that_another_uses_now_stays_theirs() -> None:
    """Ada moved out and Bob moved in: erasing her leaves him his address."""
    mail = erasing("ada")
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="bob")
    done = mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert (1, ("a***@example.com",)) == (done.addresses, done.shared)
    assert address("ada") == mail.contact("bob").email
    assert set() == found_in(mail, ("two.example",))


@pytest.mark.parametrize("rules", [MatchRules(), MatchRules(plus_tags=True, gmail_dots=True)])
def test_the_address_goes_under_every_rule(rules: MatchRules) -> None:
    """What claims and the log know an inbox by differs where spellings are folded: both are gone."""
    mail = erasing(match=rules)
    mail.subscribe("a.d.a+offers@gmail.com", OFFERS, proof=PROOF, now=NOW - DAY, contact_id="ada")
    mail.send(mail.plan(SPRING, now=NOW - DAY), now=NOW - DAY)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert set() == found_in(mail, ("gmail.com", "a.d.a", ":ada@", "'ada'"))


def test_the_address_of_a_stranger_goes_under_every_rule() -> None:
    """A no of somebody who never was a contact is filed under the folded spelling alone: that is hashed as well."""
    mail = erasing(match=MatchRules(plus_tags=True, gmail_dots=True))
    mail.opt_out("a.d.a+offers@gmail.com", scope=ALL, now=NOW - DAY, text="leave me alone")
    assert {"gmail.com"} == found_in(mail, ("gmail.com",))
    assert mail.erase("a.d.a+offers@gmail.com", by=Actor.CONTACT, now=NOW).is_new
    assert set() == found_in(mail, ("gmail.com", "a.d.a", ":ada@", "leave me"))
    assert ["erased"] == [one.held for one in mail.screen_addresses(["ada+news@gmail.com"], now=NOW)]


def test_an_archived_contact_can_be_erased() -> None:
    """By the id or the address: what the log still says of them goes (O5)."""
    for who in ("ada", address("ada")):
        mail = erasing("ada", "bob")
        mail.archive("ada", by=Actor.OPERATOR, now=NOW - HOUR, text="the year ends for ada")
        assert mail.erase(who, by=Actor.CONTACT, now=NOW).is_new
        assert set() == found_in(mail, ("'ada'", "ada@", "the year ends"))


def test_whoever_is_known_by_events_alone_can_be_erased() -> None:
    """An application may record events before it says who somebody is."""
    mail = erasing()
    mail.record([event("eva", at=NOW - HOUR, mail="eva1", link="eva"), event("eva", at=NOW + 9 * DAY)], now=NOW)
    assert mail.erase("eva", by=Actor.CONTACT, now=NOW).is_new
    assert set() == found_in(mail, ("eva",))
    assert not mail.erase("eva", by=Actor.CONTACT, now=NOW).is_new


def test_an_address_of_one_who_was_archived_and_of_one_who_was_not_is_ambiguous() -> None:
    """Whoever came back under another id has two: each is erased by its id."""
    mail = erasing("ada")
    mail.archive("ada", by=Actor.OPERATOR, now=NOW - DAY, text="gone")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="ada2")
    with pytest.raises(AmbiguousAddress, match="ada, ada2"):
        mail.erase(address("ada"), by=Actor.CONTACT, now=NOW)
    mail.erase("ada2", by=Actor.CONTACT, now=NOW)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert set() == found_in(mail, ("'ada'", "'ada2'", "ada@"))


def test_the_other_way_round_the_address_names_who_is_left() -> None:
    """Once the archived one is erased, the address is that of the other alone; of two archived ones it is neither's."""
    mail = erasing("ada")
    mail.archive("ada", by=Actor.OPERATOR, now=NOW - DAY, text="gone")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="ada2")
    mail.archive("ada2", by=Actor.OPERATOR, now=NOW - HOUR, text="gone as well")
    with pytest.raises(AmbiguousAddress, match="ada, ada2"):
        mail.erase(address("ada"), by=Actor.CONTACT, now=NOW)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert not mail.erase(address("ada"), by=Actor.CONTACT, now=NOW).is_new  # nobody else uses it: it went with ada
    assert mail.erase("ada2", by=Actor.CONTACT, now=NOW).is_new
    assert set() == found_in(mail, ("'ada'", "'ada2'", "ada@"))


def test_whoever_is_in_no_log_is_erased_under_every_rule() -> None:
    """The folded spelling, which nothing has named yet, is hidden as well: no list brings it back (F62)."""
    mail = erasing(match=MatchRules(plus_tags=True, gmail_dots=True))
    mail.receive([Known(who=Who("ada", parse_address("a.d.a@gmail.com")))], now=NOW - DAY)
    assert 2 == mail.erase("ada", by=Actor.CONTACT, now=NOW).addresses
    assert ["erased"] == [one.held for one in mail.screen_addresses(["ad.a@gmail.com"], now=NOW)]


def test_a_shared_address_is_shared_under_every_rule() -> None:
    """Where spellings are folded, both forms of an address stay while another contact uses it."""
    mail = erasing(match=MatchRules(plus_tags=True, gmail_dots=True))
    for who in ("dan", "eve"):
        mail.subscribe("ho.me@gmail.com", OFFERS, proof=PROOF, now=NOW - DAY, contact_id=who)
    done = mail.erase("eve", by=Actor.CONTACT, now=NOW)
    assert (0, 2) == (done.addresses, len(done.shared))
    mail.send(mail.plan(SPRING, now=NOW), now=NOW)
    assert ["dan"] == mailed(mail)


def test_an_esp_is_told_of_the_address_as_it_is_written() -> None:
    """Though another contact has her former one now, hers is named with its capitals."""
    esp = Listening()
    mail = erasing("ada", esp=esp)
    mail.change_address("ada", "Ada@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="bob")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert ["Ada@two.example.com"] == [one.email for one in esp.told]


def test_whoever_was_erased_at_a_shared_address_is_not_meant_by_it() -> None:
    """Eve was erased and Dan, who shares the address, was archived: the address names him alone."""
    mail = erasing("bob")
    for who in ("dan", "eve"):
        mail.subscribe("home@example.com", OFFERS, proof=PROOF, now=NOW - DAY, contact_id=who)
    assert ("h***@example.com",) == mail.erase("eve", by=Actor.CONTACT, now=NOW).shared
    mail.archive("dan", by=Actor.OPERATOR, now=NOW, text="gone")
    assert 1 == mail.erase("home@example.com", by=Actor.CONTACT, now=NOW).addresses
    assert set() == found_in(mail, ("'dan'", "'eve'", "home@"))


def test_whoever_is_in_no_log_is_erased_with_every_address() -> None:
    """Nothing was ever said of them: the address in use and the former one are erased all the same (F62)."""
    mail = erasing()
    mail.receive([Known(who=Who("ada", parse_address("first@example.com")))], now=NOW - DAY)
    mail.change_address("ada", "second@example.com", by=Actor.OPERATOR, now=NOW - DAY)
    mail.receive([Known(who=Who("eve", parse_address("eve@example.com")))], now=NOW - DAY)
    assert 2 == mail.erase("ada", by=Actor.CONTACT, now=NOW).addresses
    assert 1 == mail.erase("eve", by=Actor.CONTACT, now=NOW).addresses
    texts = ["first@example.com", "second@example.com", "eve@example.com"]
    assert ["erased"] * 3 == [one.held for one in mail.screen_addresses(texts, now=NOW)]
    assert set() == found_in(mail, ("first@", "second@", "eve@"))


def test_former_addresses_of_others_stay() -> None:
    """Who had her address before or has it now keeps what was theirs alone."""
    mail = erasing("ada")
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.subscribe("before@example.com", OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="bob")
    mail.change_address("bob", address("ada"), by=Actor.CONTACT, now=NOW - HOUR)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert {"before@", "ada@example.com"} == found_in(mail, ("before@", "ada@example.com", "two.example"))


def test_an_address_that_somebody_left_is_not_shared() -> None:
    """Bob moved out of it long ago: erasing Ada erases it, and Bob can be erased after her."""
    mail = erasing("bob")
    mail.change_address("bob", "bob@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.subscribe(address("bob"), OFFERS, proof=PROOF, now=NOW - HOUR, contact_id="ada")
    done = mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert (1, ()) == (done.addresses, done.shared)
    assert set() == found_in(mail, ("bob@example.com",))
    assert "bob@two.example.com" == mail.contact("bob").email
    assert (1, ()) == ((his := mail.erase("bob", by=Actor.CONTACT, now=NOW)).addresses, his.shared)
    assert set() == found_in(mail, ("bob@", "'bob'"))


def test_who_left_an_address_goes_on_when_another_is_erased_there() -> None:
    """O5, F62: the erased stay out, whoever is at their address; who used to share it is another person."""
    mail = erasing()
    for one in ("ada", "bob"):
        mail.subscribe(address("family"), OFFERS, proof=PROOF, now=NOW - DAY, contact_id=one)
    mail.change_address("ada", address("ada"), by=Actor.CONTACT, now=NOW - HOUR)
    assert (1, ()) == ((done := mail.erase("bob", by=Actor.CONTACT, now=NOW)).addresses, done.shared)
    assert ["ada"] == [one.contact_id for one in mail.plan(SPRING, now=NOW).recipients]
    assert "active" == mail.standing("ada", OFFERS, now=NOW)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.change_address("ada", address("family"), by=Actor.CONTACT, now=LATER)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.subscribe(address("family"), OFFERS, proof=PROOF, now=LATER)
    eve = contact("eve", address=address("family"))
    mail.store.put([eve])
    mail.store.append([consent(eve, at=NOW)], at=NOW)
    assert 1 == mail.plan(SPRING, now=LATER).withheld["erased"]


def test_an_address_that_is_erased_by_its_name_follows_who_left_it() -> None:
    """Where nobody says whose it was, it may be theirs: who asks to be forgotten at it gets no mail elsewhere."""
    mail = erasing("ada")
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.erase(address("ada"), by=Actor.CONTACT, now=NOW)
    assert 1 == mail.plan(SPRING, now=LATER).withheld["erased"]


@pytest.mark.parametrize("name", ["hmac:2025:zz", "hmac:2025:" + 64 * "0", "hmac:"])
def test_nobody_is_named_like_a_hash(name: str) -> None:
    """A contact of such an id would be taken for somebody who was erased, and would stay readable when they are."""
    mail = erasing("ada")
    with pytest.raises(InvalidInput, match="begins keyed hashes"):
        mail.subscribe(address("bob"), OFFERS, proof=PROOF, now=NOW, contact_id=name)
    with pytest.raises(InvalidInput, match="begins keyed hashes"):
        mail.record([event(name)], now=NOW)
    statements: list[Statement] = [
        Known(who=Who(name, parse_address(address("bob")))), Happened(who=Who(name), kind=EventKind.OPENED, at=NOW),
    ]  # fmt: skip
    received = mail.receive(statements, now=NOW)
    assert 2 == len(received.refused)
    assert ["ada"] == [one.id for one in mail.store.each()]


def test_a_file_that_is_named_for_somebody_is_not_named_any_more() -> None:
    """O5: what names a file goes; two files are still two, and the names of systems stay, for echoes are told by it."""
    mail = erasing("ada")
    for number, source in enumerate(("file:ada-lovelace.csv", "file:ada-byron.csv", "file:ada-byron.csv", "mailchimp")):
        mail.opt_out("ada", scope=ALL, now=NOW, source=source, event_id=str(number))
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    first, second, third, system = (one.provenance.source for one in entries(mail, OptOut))
    assert "mailchimp" == system
    assert first != second == third
    assert ["file:[erased]"] * 2 == [one[: len("file:[erased]")] for one in (first, second)]
    assert set() == found_in(mail, ("lovelace", "byron"))


def test_a_former_address_alone_erases_nobody_who_left_it() -> None:
    """Whoever was archived at another address is not meant by one that they had before."""
    mail = erasing("ada")
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.archive("ada", by=Actor.OPERATOR, now=NOW - HOUR, text="gone")
    assert 1 == mail.erase(address("ada"), by=Actor.CONTACT, now=NOW).addresses
    assert {"two.example", "'ada'"} == found_in(mail, ("two.example", "'ada'", "ada@example.com"))


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_nobody_signs_up_again() -> None:
    """By address, by id, under a new id: refused with what to do, and nothing is written (O5)."""
    mail = erasing("ada", "bob")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    position = mail.store.position()
    attempts: list[tuple[str, str | None]] = [
        (address("ada"), None), ("ADA@example.com", None), ("ada", None), (address("ada"), "ada"),
        (address("ada"), "new"), ("new@example.com", "ada"),
    ]  # fmt: skip
    for who, contact_id in attempts:
        with pytest.raises(ConsentRefused, match="was erased"):
            mail.subscribe(who, OFFERS, proof=PROOF, now=LATER, contact_id=contact_id)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.change_address("bob", "Ada@example.com", by=Actor.CONTACT, now=LATER)
    with pytest.raises(InvalidAddress):
        mail.subscribe("nobody", OFFERS, proof=PROOF, now=LATER)
    assert position == mail.store.position()
    assert set() == found_in(mail, ("ada@", "Ada@", "ADA@"))
    assert address("bob") == mail.contact("bob").email


def test_a_contact_without_an_address_gets_no_erased_one() -> None:
    """A sign-up for a known contact gives them an address, and not that of somebody who was erased."""
    mail = erasing("ada")
    mail.receive([Known(who=Who("carl"))], now=NOW)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=LATER, contact_id="carl")
    assert None is mail.contact("carl").address


def test_a_pending_confirmation_confirms_nothing() -> None:
    """The link that was in the mail when they were erased is worth nothing any more (F44)."""
    mail = erasing("ada")
    mail.opt_out("ada", scope=ALL, now=NOW - DAY)
    asked = needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - HOUR))
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    with pytest.raises(ConsentRefused, match="not valid"):
        mail.confirm(asked.token, now=LATER)


@pytest.mark.parametrize("who", ["ada", "ada@example.com", "ADA@EXAMPLE.com"])
def test_a_no_is_answered_as_done(who: str) -> None:
    """The link in an old mail goes on to work: the answer is a no that stands, and nothing is written (R22)."""
    mail = erasing("ada")
    mail.send(mail.plan(SPRING, now=NOW - HOUR), now=NOW - HOUR)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    position = mail.store.position()
    for named in ({"scope": Scope.list("offers")}, {"campaign": SPRING}, {"scope": ALL, "event_id": "x1"}):
        answer = mail.opt_out(who, now=LATER, text="ada again", **named)
        assert (False, ()) == (answer.is_new, answer.in_flight)
    assert position == mail.store.position()
    assert set() == found_in(mail, ("ada@", "ada again"))


def test_everything_else_knows_nobody() -> None:
    """What needs a contact says that there is none, as for anybody unknown."""
    mail = erasing("ada")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    for who in ("ada", address("ada")):
        with pytest.raises(UnknownName):
            mail.update(who, {"x": 1}, now=LATER)
        with pytest.raises(UnknownName):
            mail.archive(who, by=Actor.OPERATOR, now=LATER, text="x")
        with pytest.raises(UnknownName):
            mail.change_address(who, "b@example.com", by=Actor.CONTACT, now=LATER)


def whole_export(name: str, who: Who) -> list[Statement]:
    """Return all that a list may say of somebody."""
    imported = said(Actor.OPERATOR, at=LATER, through=Through.IMPORT, source="file:again.csv", evidence=f"{name}:1")
    told = evolve(imported, actor=Actor.ESP, through=Through.BOUNCE)
    return [
        Known(who=who, fields={"name": name}, tags=frozenset({name}), source=name),
        Joined(who=who, list=ListKey("offers"), provenance=imported),
        Left(who=who, scope=Scope.list("offers"), provenance=imported),
        Held(who=who, kind=SuppressionKind.BOUNCE, provenance=told),
        Happened(who=who, kind=EventKind.OPENED, at=LATER, mail=name, link=name),
        Happened(who=who, kind=EventKind.CLICKED, at=LATER + 9 * DAY, mail=name),
        Counted(who=who, snapshot=Snapshot(taken_at=LATER, mails=3)),
    ]


@pytest.mark.parametrize(
    ("contact_id", "written"),
    [
        ("ada", "ada@example.com"),
        ("ada", None),
        (None, "ada@example.com"),
        (None, "Ada@Example.COM"),
        ("another-id", "ada@example.com"),
        ("ada", "another@example.com"),
    ],
)
def test_a_list_brings_nobody_back(contact_id: str | None, written: str | None) -> None:
    """Whatever a later import says of them, nobody is mailed and nothing personal comes back (F62)."""
    mail = erasing("ada", "bob")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    batch = whole_export("Lady Ada", Who(contact_id, None if written is None else parse_address(written)))
    position = mail.store.position()
    for _ in range(2):
        report = mail.receive(batch, now=LATER)
        assert (7, 7, 0, 0, 0) == (report.statements, report.erased, report.contacts, report.entries, report.events)
        assert "7 erased" in str(report)
    assert position == mail.store.position()
    assert set() == found_in(mail, ("Lady Ada", "ada@", "another"))
    assert ["bob"] == [one.id for one in mail.store.each()]
    mail.send(mail.plan(SPRING, now=LATER), now=LATER)
    assert ["bob"] == mailed(mail)


def test_events_of_the_erased_are_dropped() -> None:
    """A late open under the old id makes no profile and counts nowhere (O5)."""
    mail = erasing("ada", "bob")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    late = [event("ada", at=NOW - HOUR), event("ada", at=NOW + 9 * DAY), event("bob", at=NOW - HOUR)]
    assert 1 == mail.record(late, now=NOW)
    assert [] == list(mail.store.events_of(ContactId("ada")))
    assert [] == list(mail.store.quarantined())
    assert {} == mail.store.profiles([ContactId("ada")])
    assert 1 == sum(tally.count for tally in mail.store.tally())


def test_a_no_of_somebody_else_is_not_lost_with_it() -> None:
    """A no that names a living contact by id and an erased address binds the contact, without the address."""
    mail = erasing("ada", "carl")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    no = Left(
        who=Who("carl", parse_address(address("ada"))), scope=ALL, event_id="n1",
        provenance=said(Actor.ESP, at=NOW, through=Through.WEBHOOK, source="memory"),
    )  # fmt: skip
    report = mail.receive([no], now=NOW)
    assert (1, 1) == (report.erased, report.entries)
    assert [("carl", "1:carl@example.com")] == [
        (one.subject.contact_id, one.subject.key) for one in entries(mail, OptOut) if one.event_id == "n1"
    ]
    assert 1 == mail.plan(SPRING, now=NOW).withheld["out-of-all"]


@given(st.permutations(range(4)))
def test_the_order_in_a_batch_makes_no_difference(order: list[int]) -> None:
    """Whether somebody is known otherwise is asked of the whole batch, not of what came before."""
    mail = erasing("ada")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    erased = parse_address(address("ada"))
    batch: list[Statement] = [
        Known(who=Who("dora", erased), fields={"of": "dora"}),
        Known(who=Who("dora", parse_address("dora@example.com"))),
        Known(who=Who("fred"), fields={"x": 1}),
        Known(who=Who("gus", erased), fields={"of": "gus"}),
    ]
    report = mail.receive([batch[place] for place in order], now=NOW)
    assert (2, 2) == (report.erased, report.contacts)
    assert {"dora": {"of": "dora"}, "fred": {"x": 1}} == {one.id: dict(one.fields) for one in mail.store.each()}
    assert "dora@example.com" == mail.contact("dora").email


def test_a_fetch_after_the_erasure_brings_nothing_back() -> None:
    """What the ESP still reports of them is acknowledged and dropped."""
    mail = erasing("ada")
    gone = parse_address(address("ada"))
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    fake(mail).unsubscribe(gone, ALL, at=NOW)
    assert (1, 0) == ((report := mail.fetch(now=NOW + HOUR)).erased, report.contacts)
    assert 0 == mail.fetch(now=NOW + HOUR).statements


def test_a_restored_id_maker_makes_no_erased_id() -> None:
    """Where ids are made from addresses, an id that was erased is not made again for another's statement."""
    mail = erasing()
    mail.subscribe("old@example.com", OFFERS, proof=PROOF, now=NOW - DAY)
    theirs = mail.contact("old@example.com").id
    mail.change_address(theirs, "new@example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.erase("new@example.com", by=Actor.CONTACT, now=NOW)
    assert "1:" in theirs  # `testing.lifecycle` makes ids from addresses
    with pytest.raises(ConsentRefused):
        mail.subscribe("old@example.com", OFFERS, proof=PROOF, now=LATER)
    assert set() == found_in(mail, ("old@", "new@"))


# --- any life --------------------------------------------------------------------------------------------------------

TIPS = MailingList("tips", double_opt_in=True)
STEPS = ("join", "tips", "out", "out of all", "back", "move", "move back", "sent", "sunset", "complain", "list", "open")


def step(mail: Lifecycle, name: str, place: int) -> None:
    """Let something happen to the contact `victim`, whose every text says so."""
    at = NOW + place * timedelta(minutes=1)
    if name == "join":
        who, contact_id = ("victim", None) if place else ("victim@example.com", "victim")
        mail.subscribe(who, OFFERS, proof="victim's form", now=at, contact_id=contact_id)
    elif name == "tips":
        mail.subscribe("victim", TIPS, proof="victim's form", now=at)
    elif name in ("out", "out of all"):
        scope = ALL if name == "out of all" else Scope.list("offers")
        mail.opt_out("victim", scope=scope, now=at, text="victim", evidence="victim", event_id=f"victim{place}")
    elif name == "back":
        answer = mail.subscribe("victim", OFFERS, proof="victim", now=at)
        if hasattr(answer, "token"):
            mail.confirm(answer.token, now=at, evidence="victim")
    elif name in ("move", "move back"):
        to = "victim@example.com" if name == "move back" else f"victim{place}@example.org"
        mail.change_address("victim", to, by=Actor.CONTACT if place % 2 else Actor.OPERATOR, now=at, evidence="victim")
    elif name == "sent":
        mail.send(mail.plan(SPRING, now=at), now=at)
    elif name == "sunset":
        mail.suppress("victim", "sunset", provenance=said(Actor.POLICY, text="victim"), now=at)
    elif name == "complain":
        told = said(Actor.CONTACT, at=at, through=Through.COMPLAINT, evidence="victim")
        mail.receive([Held(who=Who("victim"), kind=SuppressionKind.COMPLAINT, provenance=told)], now=at)
    elif name == "list":
        mail.receive(whole_export("victim", Who("victim", parse_address("victim@example.com"))), now=at)
    else:
        mail.record([event("victim", at=at, mail=f"victim{place}", link="victim")], now=at)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=12), st.sampled_from(["victim", "address"]))
def test_no_life_leaves_a_trace(steps: list[str], by: str) -> None:
    """Whatever somebody did and however they are named, the erasure leaves no text of theirs, and bob's life stays."""
    one_by_one = MemoryEsp(capabilities=frozenset(Capability) - {Capability.CAMPAIGNS})
    mail = erasing("bob", esp=one_by_one, crm=MemoryCrm())
    step(mail, "join", 0)
    for place, name in enumerate(steps, start=1):
        step(mail, name, place)
    mail.drain(now=NOW + DAY)
    bob = mail.contact("bob")
    who = "victim" if by == "victim" else mail.contact("victim").email
    mail.erase(who, by=Actor.CONTACT, now=NOW + DAY, text="victim")
    assert set() == found_in(mail, ("victim",))
    for contact_id in ("victim", None):
        again = whole_export("victim", Who(contact_id, parse_address("victim@example.com")))
        assert 0 == mail.receive(again, now=LATER).contacts
    assert set() == found_in(mail, ("victim",))
    assert bob == mail.contact("bob")
    assert {"bob"} == {row.subject.contact.id for row in mail.decide(now=LATER)}


def test_the_store_may_be_given_with_its_own_pepper() -> None:
    """A store that is given as an object brings its peppers itself."""
    mail = world("ada", store=MemoryStore(peppers=PEPPERS))
    assert mail.erase("ada", by=Actor.OPERATOR, now=NOW, text="she asked").is_new


def test_joining_after_all_under_another_address_works() -> None:
    """The message says how: another address, and a new contact."""
    mail = erasing("ada")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    join(mail, "ada2")
    assert 1 == mail.plan(SPRING, now=NOW).sendable
