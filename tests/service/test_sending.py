"""Sending through `Lifecycle`: everybody once, nobody who said no, and everybody accounted for."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import (
    CampaignRefused,
    EspError,
    EspRefused,
    EspUnavailable,
    OutcomeUnknown,
    RegistryUnavailable,
    UnknownName,
)
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import MatchKey, MatchRules, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Record, Subject
from lifecycle_mail.model.events import EngagementEvent, Purpose
from lifecycle_mail.model.intake import Joined, Known, Who
from lifecycle_mail.model.lists import Frequency, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Cap, Screened, Withheld
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import Capability, ClaimState, Content, Handled
from lifecycle_mail.service import Lifecycle, SendReport
from lifecycle_mail.service.leasing import LEASE
from lifecycle_mail.service.sending import READS
from lifecycle_mail.service.sending.base import Worker
from lifecycle_mail.testing import assert_sendable, assert_withheld, event, said
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import (
    BOTH_WAYS,
    CAMPAIGNS_ONLY,
    DAY,
    HOUR,
    MAILS_ONLY,
    MINUTE,
    NEWS,
    NOW,
    OFFERS,
    SPRING,
    Meddling,
    accounted,
    address,
    fake,
    join,
    left,
    mailed,
    sent_counts,
    shelf,
    states,
    world,
)

either_way = pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaigns"])
RECEIPT = Campaign("receipt", kind="transactional")
EVERYBODY = ["ada", "bob", "cem", "dee"]
ALL, OFFERS_ONLY = Scope.all(), Scope.list("offers")


def send(mail: Lifecycle, *, now: datetime = NOW) -> SendReport:
    """Plan and send the campaign `spring`, and check that everybody is accounted for."""
    plan = mail.plan("spring", now=now)
    report = mail.send(plan, now=now)
    assert accounted(plan, report), f"{plan}; {report}"
    return report


# --- the plain case -------------------------------------------------------------------------------------------------


@either_way
def test_everybody_gets_one_mail(capabilities: Collection[Capability]) -> None:
    """Each recipient once, with what it says, counted as sent; a second send does nothing (E2)."""
    mail = world("ada", "bob", "cem", esp=MemoryEsp(capabilities=capabilities))
    content = Content(subject="Spring", text="It is spring.")
    plan = mail.plan("spring", now=NOW)
    report = mail.send(plan, now=NOW, content=content)
    assert (3, Counter(), {}, 0, 0, None) == (
        report.sent, report.withheld, report.refused, report.unknown, report.returned, report.problem,
    )  # fmt: skip
    assert "spring: sent 3" == str(report)
    assert ["ada", "bob", "cem"] == mailed(mail)
    assert [content] * 3 == [sent.content for sent in fake(mail).outbox]
    assert {"handed-off"} == set(states(mail).values())
    assert {"ada": 1, "bob": 1, "cem": 1} == sent_counts(mail, ["ada", "bob", "cem"])
    again = mail.send(plan, now=NOW + HOUR)
    assert (0, {"already-sent": 3}) == (again.sent, again.withheld)
    assert accounted(plan, again)
    assert {"already-sent": 3} == mail.plan("spring", now=NOW + HOUR).withheld
    assert 3 == len(fake(mail).outbox)
    assert {"ada": 1, "bob": 1, "cem": 1} == sent_counts(mail, ["ada", "bob", "cem"])


@either_way
def test_a_plan_without_recipients_sends_nothing(capabilities: Collection[Capability]) -> None:
    """And is no error."""
    mail = world(esp=MemoryEsp(capabilities=capabilities))
    assert 0 == send(mail).sent
    assert [] == fake(mail).outbox


def test_an_esp_that_sends_nothing_is_not_asked_to() -> None:
    """What it cannot do is said before anything is claimed (E1)."""
    mail = world("ada", esp=MemoryEsp(capabilities={Capability.OPT_OUTS}))
    with pytest.raises(CampaignRefused, match="neither"):
        mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert {} == states(mail)


KINDS = ("in", "out", "out of all", "not confirmed", "bounced", "complained", "paused", "never", "sunset", "no address")


@settings(max_examples=40)
@given(st.lists(st.sampled_from(KINDS), max_size=12), st.sampled_from(BOTH_WAYS), st.sets(st.integers(0, 11)))
def test_the_audience_is_the_sendable_and_the_withheld(
    kinds: list[str], capabilities: Collection[Capability], refused: set[int]
) -> None:
    """For every plan, and every send of it: nobody falls between, whoever they are and whatever the ESP refuses."""
    mail = world(esp=MemoryEsp(capabilities=capabilities))
    for number, kind in enumerate(kinds):
        name = f"c{number}"
        if kind == "never":
            mail.receive([Known(who=Who(name))], now=NOW)
            continue
        join(mail, name)
        match kind:
            case "out" | "out of all":
                mail.opt_out(name, scope=ALL if kind == "out of all" else OFFERS_ONLY, now=NOW)
            case "not confirmed":
                mail.change_address(name, f"new-{name}@example.com", by=Actor.OPERATOR, now=NOW)
            case "bounced" | "complained" | "sunset":
                held = {"bounced": "bounce", "complained": "complaint"}.get(kind, kind)
                mail.suppress(name, held, provenance=said(Actor.ESP), now=NOW)
            case "paused":
                mail.pause(name, until=NOW + DAY, now=NOW)
            case "no address":
                mail.store.put([evolve(mail.contact(name), address=None)])
        if number in refused:
            fake(mail).refuse(address(name))
    plan = mail.plan("spring", now=NOW)
    audience = [f"c{n}" for n, kind in enumerate(kinds) if kind != "never"]
    assert sorted(audience) == [row.contact_id for row in plan]
    assert plan.audience == plan.sendable + sum(plan.withheld.values())
    assert kinds.count("in") == plan.sendable
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    expected = [f"c{n}" for n, kind in enumerate(kinds) if kind == "in" and n not in refused]
    assert sorted(expected) == mailed(mail)


def test_a_marketing_campaign_with_no_list_behind_it_is_refused() -> None:
    """Nobody could leave it (L3, O2)."""
    mail = world("ada")
    with pytest.raises(CampaignRefused, match="no list"):
        mail.plan(Campaign("blast", to=[Segment("everyone")]), now=NOW)
    with pytest.raises(CampaignRefused, match="to="):
        mail.plan("spring", now=NOW, to=["ada"])
    with pytest.raises(CampaignRefused, match="to="):
        mail.plan(RECEIPT, now=NOW)
    with pytest.raises(UnknownName, match="spring"):
        mail.plan("sprang", now=NOW)


@either_way
def test_transactional_mail_reaches_who_opted_out(capabilities: Collection[Capability]) -> None:
    """Receipts go on in every case except a dead or erased address, and carry no list to leave (O2)."""
    names = ["in", "out", "complained", "sunset", "paused", "bounced", "erased"]
    mail = world(*names, esp=MemoryEsp(capabilities=capabilities))
    mail.opt_out("out", scope=ALL, now=NOW)
    mail.pause("paused", until=NOW + DAY, now=NOW)
    for name, kind in (("complained", "complaint"), ("sunset",) * 2, ("bounced", "bounce"), ("erased", "erasure")):
        mail.suppress(name, kind, provenance=said(Actor.ESP), now=NOW)
    mail.receive([Known(who=Who("nowhere"))], now=NOW)
    plan = mail.plan(RECEIPT, now=NOW, to=[*names, "nowhere", "in"])
    assert_withheld(plan, "bounced", reason="bounced")
    assert_withheld(plan, "erased", reason="erased")
    assert_withheld(plan, "nowhere", reason="no-address")
    mail.send(plan, now=NOW)
    assert ["complained", "in", "out", "paused", "sunset"] == mailed(mail, "receipt")
    assert {None} == {sent.recipient.leaves_list for sent in fake(mail).outbox}


@either_way
def test_of_several_contacts_with_one_address_one_gets_it(capabilities: Collection[Capability]) -> None:
    """An address gets a campaign once, and the other contact is accounted for."""
    mail = world("ada", esp=MemoryEsp(capabilities=capabilities))
    mail.subscribe(address("ada"), OFFERS, proof="a form", now=NOW - DAY, contact_id="ada-2")
    plan = mail.plan("spring", now=NOW)
    assert_withheld(plan, "ada-2", reason="same-address")
    mail.send(plan, now=NOW)
    assert ["ada"] == mailed(mail)


def test_a_second_plan_does_not_reach_the_same_address_again() -> None:
    """Who shares an address with somebody who got the campaign is withheld in later plans too."""
    mail = world("ada", esp=MemoryEsp(capabilities=MAILS_ONLY))
    mail.subscribe(address("ada"), OFFERS, proof="a form", now=NOW - DAY, contact_id="ada-2")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.send(mail.plan("spring", now=NOW + HOUR), now=NOW + HOUR)
    assert ["ada"] == mailed(mail)


# --- F12 ------------------------------------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize("operation", ["about", "position", "claim", "claims", "get", "profiles", "begin", "records"])
def test_when_the_registry_cannot_be_read_nothing_is_sent(capabilities: Collection[Capability], operation: str) -> None:
    """Not one mail leaves, and a later call sends them all (F12)."""
    mail = world("ada", "bob", "cem", esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    if operation == "records" and capabilities == MAILS_ONLY:
        pytest.skip("the log is read before each mail, its news only after")
    shelf(mail).fail(operation, RegistryUnavailable("disk on fire"))
    with pytest.raises(RegistryUnavailable):
        mail.send(plan, now=NOW)
    assert [] == fake(mail).outbox
    assert 3 == mail.send(plan, now=NOW + MINUTE).sent
    assert ["ada", "bob", "cem"] == mailed(mail)


@either_way
def test_when_the_registry_fails_on_the_way_the_rest_waits(capabilities: Collection[Capability]) -> None:
    """Whenever reading the log fails, nobody gets a mail unread; whoever is left gets it in the next call (F12)."""
    for operation in ("about", "position", "records", "claims"):
        for skip in range(6):
            store = FailsLater(operation, skip)
            mail = world("ada", "bob", "cem", store=store, esp=MemoryEsp(capabilities=capabilities))
            plan = mail.plan("spring", now=NOW)
            mail.opt_out("bob", scope=ALL, now=NOW)
            store.armed = True
            try:
                mail.send(plan, now=NOW)
            except RegistryUnavailable:
                assert "bob" not in mailed(mail)
            store.armed = False
            mail.send(plan, now=NOW + MINUTE)
            mail.reconcile("spring", now=NOW + MINUTE)
            assert ["ada", "cem"] == mailed(mail), (operation, skip)
            assert {"ada": 1, "bob": 0, "cem": 1} == sent_counts(mail, ["ada", "bob", "cem"])


class FailsLater(MemoryStore):
    """A store that fails in one call of an operation, after it worked some times."""

    def __init__(self, operation: str, skip: int) -> None:
        super().__init__()
        self.operation = operation
        self.skip = skip
        self.armed = False

    def _enter(self, operation: str) -> None:
        super()._enter(operation)
        if self.armed and operation == self.operation:
            self.skip -= 1
            if self.skip == -1:
                raise RegistryUnavailable("scripted")


def test_planning_needs_the_registry() -> None:
    """Without it there is no plan (F12)."""
    mail = world("ada")
    for operation in ("about", "position"):
        shelf(mail).fail(operation, RegistryUnavailable("gone"))
        with pytest.raises(RegistryUnavailable):
            mail.plan("spring", now=NOW)


# --- F17: a no between plan and hand-off ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject", [Subject(contact_id=ContactId("bob")), Subject(key=MatchKey("1:bob@example.com"))], ids=["id", "address"]
)
def test_a_no_that_names_one_thing_alone_is_heard_while_staging(subject: Subject) -> None:
    """An entry of another application may name the id without the address, or the address without the id (F17)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    no = OptOut(subject=subject, scope=ALL, provenance=said(at=NOW), event_id="reply-1")
    esp.after["stage"] = lambda: mail.store.append([no], at=NOW)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert ["ada"] == mailed(mail)


def test_noes_of_one_batch_are_heard_however_they_name_people() -> None:
    """However the records of one batch name people, each is found: cem by his id, bob by the address he left (F17)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", "cem", esp=esp)
    mail.change_address("bob", "new-bob@example.com", by=Actor.CONTACT, now=NOW - HOUR)
    subjects = [
        Subject(contact_id=ContactId("cem")),
        Subject(contact_id=ContactId("stranger")),
        Subject(key=MatchKey(f"1:{address('bob')}")),
    ]
    noes = [
        OptOut(subject=one, scope=ALL, provenance=said(at=NOW), event_id=f"reply-{number}")
        for number, one in enumerate(subjects)
    ]
    esp.after["stage"] = lambda: mail.store.append(noes, at=NOW)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert ["ada"] == mailed(mail)


@either_way
@pytest.mark.parametrize("scope", [ALL, OFFERS_ONLY, Scope.parse("channel:email")])
def test_a_no_between_plan_and_send_is_heard(capabilities: Collection[Capability], scope: Scope) -> None:
    """Opt-outs are read again at hand-off (F17)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    mail.opt_out("bob", scope=scope, now=NOW)
    report = mail.send(plan, now=NOW)
    assert (1, 1) == (report.sent, report.withheld.total())
    assert accounted(plan, report)
    assert ["ada"] == mailed(mail)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("during", ["stage", "staged", "unstage", "wait"])
@pytest.mark.parametrize("lag", [0, 1, 2, READS - 1])
@pytest.mark.parametrize("who", ["bob", address("bob"), "old-bob@example.com"])
def test_a_no_while_a_campaign_is_being_staged_is_heard(when: str, during: str, lag: int, who: str) -> None:
    """Until release nobody who said no stays in, by id, by address or by one they used to have (F17)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    waits: list[int] = []
    hooks: dict[str, Callable[[], object]] = {}

    def wait(attempt: int) -> None:
        waits.append(attempt)
        hooks.pop("wait", lambda: None)()

    mail = world("ada", "bob", "cem", esp=esp, wait=wait)
    mail.change_address("bob", "old-bob@example.com", by=Actor.CONTACT, now=NOW - HOUR)
    mail.change_address("bob", address("bob"), by=Actor.CONTACT, now=NOW - HOUR)
    plan = mail.plan("spring", now=NOW)

    def say_no() -> None:
        mail.opt_out(who, scope=ALL, now=NOW)

    if during == "wait":
        hooks["wait"] = say_no
    elif during == "unstage":  # somebody else is taken out, and meanwhile bob says no
        esp.after["stage"] = lambda: mail.opt_out("cem", scope=ALL, now=NOW)
        getattr(esp, when)["unstage"] = say_no
    else:
        getattr(esp, when)[during] = say_no
    esp.lag(lag)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    heard = during != "wait" or waits
    assert ("bob" in mailed(mail)) is (not heard)
    assert "ada" in mailed(mail) or report.problem is not None


def test_a_no_while_the_news_is_being_read_is_news_too() -> None:
    """The log is read until it says nothing new: what comes in between two reads is not passed over (F17)."""

    class Busy(MemoryStore):
        def records(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
            found = list(super().records(after=after, until=until))
            if found and nos:
                mail.opt_out(nos.pop(), scope=ALL, now=NOW)
            return iter(found)

    nos: list[str] = []
    mail = world("ada", "bob", "cem", "dee", store=Busy(), esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    fake(mail).fail("release")
    mail.send(plan, now=NOW)
    mail.opt_out("bob", scope=ALL, now=NOW)
    nos += ["dee", "cem"]
    report = mail.send(plan, now=NOW)
    assert ["ada"] == mailed(mail)
    assert accounted(plan, report)


def test_what_is_staged_is_compared_again_after_a_no() -> None:
    """Taking out is told to the ESP and read back before release: an ESP that is slow to forget sends nothing wrong."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)

    def say_no_and_lag() -> None:
        mail.opt_out("bob", scope=ALL, now=NOW)
        esp.lag(2)

    esp.after["staged"] = say_no_and_lag
    assert 1 == mail.send(plan, now=NOW).sent
    assert ["ada"] == mailed(mail)
    assert esp.calls.count("staged") >= 3


class Forgetful(MemoryEsp):
    """An ESP that says it takes people out and does not."""

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Answer, and do nothing."""


def test_an_esp_that_keeps_who_was_taken_out_releases_nothing() -> None:
    """Reading back shows it, and nothing leaves (F17)."""
    esp = Forgetful(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    esp.stage(CampaignKey("spring"), mail.plan("spring", now=NOW).recipients, content=None)
    mail.opt_out("bob", scope=ALL, now=NOW)
    plan = mail.plan("spring", now=NOW)
    report = mail.send(plan, now=NOW)
    assert isinstance(report.problem, EspUnavailable)
    assert (0, 1) == (report.sent, report.returned)
    assert accounted(plan, report)
    assert [] == esp.outbox
    assert "nothing was released" in str(report)


class Deaf(MemoryEsp):
    """An ESP that says it staged everybody and staged nobody."""

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Show nobody."""
        super().staged(campaign)
        return set()


def test_an_esp_that_shows_nobody_releases_nothing() -> None:
    """Who does not show in time is given up, and said to be (E4)."""
    esp = Deaf(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)
    report = mail.send(plan, now=NOW)
    assert (0, 2, []) == (report.sent, report.returned, esp.outbox)
    assert report.problem is not None
    assert accounted(plan, report)
    assert {"returned"} == set(states(mail).values())


def test_who_leaves_the_list_that_their_mail_names_is_taken_out() -> None:
    """On another list of the campaign they may get it, but not the one whose link leaves the list they have left."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    both = Campaign("both", to=[OFFERS, NEWS])
    mail = world("ada", lists=[OFFERS, NEWS], esp=esp)
    join(mail, "bob")
    plan = mail.plan(both, now=NOW)
    (named,) = {one.leaves_list for one in plan.recipients if one.contact_id == "ada"}
    esp.after["stage"] = lambda: mail.opt_out("ada", scope=Scope.list(str(named)), now=NOW)
    report = mail.send(plan, now=NOW)
    assert (1, 1) == (report.sent, report.returned)
    assert ["bob"] == mailed(mail, both.key)
    assert {"ada": "returned", "bob": "handed-off"} == states(mail, both.key)
    assert "active" == str(mail.standing("ada", NEWS if named == OFFERS.key else OFFERS, now=NOW))


@pytest.mark.parametrize("moves", ["after stage", "between calls"])
def test_who_moves_while_staged_gets_nothing_at_the_old_address(moves: str) -> None:
    """What was staged under an address that is no longer theirs is taken out (F17)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)

    def move() -> None:
        mail.change_address("bob", "bob@new.example.com", by=Actor.CONTACT, now=NOW)

    if moves == "after stage":
        esp.after["stage"] = move
    else:
        esp.fail("release")
        mail.send(plan, now=NOW)
        move()
    mail.send(plan, now=NOW + MINUTE)
    assert "bob@example.com" not in [str(sent.recipient.address) for sent in esp.outbox]
    assert "ada" in mailed(mail)


@either_way
def test_a_segment_is_asked_again_at_hand_off(capabilities: Collection[Capability]) -> None:
    """Who is no longer in it is withheld, also where an earlier call had staged them."""
    rich = Campaign("rich", to=[Segment("rich", of=OFFERS, where=where.field("spend") > 100)])
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=capabilities))
    for name in ("ada", "bob"):
        mail.update(name, {"spend": 200}, now=NOW)
    plan = mail.plan(rich, now=NOW)
    if capabilities == CAMPAIGNS_ONLY:
        fake(mail).fail("release")
        assert 2 == mail.send(plan, now=NOW).returned
        assert {"staged"} == set(states(mail, "rich").values())
    mail.update("bob", {"spend": 0}, now=NOW)
    report = mail.send(plan, now=NOW)
    assert (1, {"not-in-segment": 1}) == (report.sent, report.withheld)
    assert ["ada"] == mailed(mail, "rich")


def test_a_new_plan_takes_out_whom_only_an_old_one_had_staged() -> None:
    """A send sends its plan and nobody else."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).fail("release")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    assert {"ada", "bob"} == set(fake(mail).staged(CampaignKey("spring")))
    fewer = Campaign("spring", to=[Segment("a", of=OFFERS, where=where.field("chosen") == True)])  # noqa: E712
    mail.update("ada", {"chosen": True}, now=NOW)
    plan = mail.plan(fewer, now=NOW)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    assert ["ada"] == mailed(mail)
    assert "returned" == states(mail)["bob"]


@either_way
def test_the_top_of_an_audience_stays_as_planned(capabilities: Collection[Capability]) -> None:
    """Who is among the top N was decided over the audience of the plan; one drop-out lets nobody else in."""
    best = Campaign("best", to=[Segment("top-2", of=OFFERS, where=where.top(2, by=where.field("spend")))])
    mail = world("ada", "bob", "cem", "dee", esp=MemoryEsp(capabilities=capabilities))
    for name, spend in (("ada", 400), ("bob", 300), ("cem", 300), ("dee", 100)):
        mail.update(name, {"spend": spend}, now=NOW)
    plan = mail.plan(best, now=NOW)
    assert ["ada", "bob"] == [one.contact_id for one in plan.recipients]
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.update("dee", {"spend": 9000}, now=NOW)
    assert 1 == mail.send(plan, now=NOW).sent
    assert ["bob"] == mailed(mail, "best")


@either_way
def test_the_cap_counts_what_other_campaigns_sent_meanwhile(capabilities: Collection[Capability]) -> None:
    """Two campaigns are planned, one is sent: the other is over the cap for those (P2)."""
    policy = Policy.for_cadence("weekly", cap=Cap(mails=1, days=7))
    mail = world("ada", esp=MemoryEsp(capabilities=capabilities), policy=policy)
    first, second = mail.plan("spring", now=NOW), mail.plan(Campaign("summer", to=[OFFERS]), now=NOW)
    mail.send(first, now=NOW)
    report = mail.send(second, now=NOW + HOUR)
    assert (0, {"frequency": 1}) == (report.sent, report.withheld)
    assert 1 == mail.send(second, now=NOW + 8 * DAY).sent


def test_a_chosen_frequency_is_kept() -> None:
    """Who chose monthly gets no second mail within the month (P2)."""
    mail = world("ada")
    mail.update("ada", {}, now=NOW, frequency=Frequency.MONTHLY)
    assert 1 == send(mail).sent
    summer = Campaign("summer", to=[OFFERS])
    assert_withheld(mail.plan(summer, now=NOW + 7 * DAY), "ada", reason="frequency")
    assert_sendable(mail.plan(summer, now=NOW + 28 * DAY), "ada")


# --- F18: a no after hand-off ---------------------------------------------------------------------------------------


@either_way
def test_a_no_after_hand_off_is_in_flight(capabilities: Collection[Capability]) -> None:
    """Both times are kept, in the answer and in the store; the earliest no stays (F18)."""
    mail = world("ada", lists=(OFFERS, NEWS), esp=MemoryEsp(capabilities=capabilities))
    send(mail)
    out = mail.opt_out("ada", scope=ALL, now=NOW + HOUR)
    (claim,) = out.in_flight
    assert ("spring", NOW, NOW + HOUR) == (claim.campaign, claim.at, claim.opted_out_at)
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW + 2 * HOUR)
    (kept,) = mail.store.claims_of(ContactId("ada"))
    assert (ClaimState.HANDED_OFF, NOW, NOW + HOUR) == (kept.state, kept.at, kept.opted_out_at)


def test_only_what_the_no_covers_is_in_flight() -> None:
    """Leaving News says nothing of an offer on its way, and a receipt is never in flight against a no (O2, F18)."""
    mail = world("ada", lists=(OFFERS, NEWS))
    send(mail)
    mail.send(mail.plan(RECEIPT, now=NOW, to=["ada"]), now=NOW)
    assert () == mail.opt_out("ada", scope=Scope.list("news"), now=NOW + HOUR).in_flight
    assert ["spring"] == [claim.campaign for claim in mail.opt_out("ada", scope=ALL, now=NOW + HOUR).in_flight]


def test_a_mail_of_last_week_is_not_in_flight() -> None:
    """After the longest scheduling that an ESP offers it has arrived."""
    mail = world("ada")
    send(mail)
    assert () == mail.opt_out("ada", scope=ALL, now=NOW + 4 * DAY).in_flight


@pytest.mark.parametrize(("capabilities", "during"), [(MAILS_ONLY, "send"), (CAMPAIGNS_ONLY, "release")])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_no_during_the_hand_off_is_in_flight(
    capabilities: Collection[Capability], during: str, when: str, lost: bool
) -> None:
    """The mail can no longer be held back; that the person said no meanwhile is recorded with both times (F18)."""
    esp = Meddling(capabilities=capabilities)
    mail = world("ada", "bob", lists=(OFFERS, NEWS), esp=esp)
    plan = mail.plan("spring", now=NOW)
    if lost:
        esp.fail(during, OutcomeUnknown, done=True)
        when = "before"

    def say_no() -> None:
        mail.opt_out("ada", scope=ALL, now=NOW + MINUTE)
        mail.opt_out("bob", scope=Scope.list("news"), now=NOW + MINUTE)

    getattr(esp, when)[during] = say_no
    mail.send(plan, now=NOW)
    assert "ada" in mailed(mail)
    found = {one: mail.store.claims_of(ContactId(one))[0].opted_out_at for one in ("ada", "bob")}
    assert {"ada": NOW + MINUTE, "bob": None} == found


# --- F19: several workers -------------------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("leased", [True, False], ids=["at once", "after each other's lease"])
def test_many_workers_send_each_mail_once(
    capabilities: Collection[Capability], workers: int, leased: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One plan, many threads, with the lease held and with every lease run out: at most one mail each (F19)."""
    names = [f"c{n:02}" for n in range(30)]
    mail = world(*names, esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    barrier = Barrier(workers)
    answers: list[SendReport | BaseException] = []

    def work(number: int) -> None:
        mine = world(store=mail.store, esp=mail.esp)
        barrier.wait()
        try:
            answers.append(mine.send(plan, now=NOW if leased else NOW + number * 2 * LEASE))
        except BaseException as error:  # noqa: BLE001 - looked at below
            answers.append(error)

    monkeypatch.setattr(Worker, "chunk", 7)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # take turns as often as Python can
    threads = [Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert workers == len(answers)
    assert {CampaignRefused} >= {type(one) for one in answers if isinstance(one, BaseException)}
    assert set(Counter(mailed(mail)).values()) <= {1}
    missed = len(names) - len(mailed(mail))
    if missed and capabilities == CAMPAIGNS_ONLY and not leased:  # staged too late for the one release there is
        with pytest.raises(CampaignRefused, match=f"for {missed} more"):
            mail.send(plan, now=NOW + DAY)
    else:
        mail.send(plan, now=NOW + DAY)
        mail.reconcile("spring", now=NOW + DAY)
        assert names == mailed(mail)
    assert mailed(mail) == [one for one, state in states(mail).items() if state == "handed-off"]
    assert Counter(mailed(mail)) == +Counter(sent_counts(mail, names))


def test_a_campaign_that_is_being_sent_is_refused_to_others() -> None:
    """The second worker is told to come again, and gets it when the first is done (F19)."""
    esp = Meddling(capabilities=MAILS_ONLY)
    mail = world("ada", esp=esp)
    plan = mail.plan("spring", now=NOW)
    refused: list[Exception] = []

    def meanwhile() -> None:
        with pytest.raises(CampaignRefused, match="another worker") as caught:
            world(store=mail.store, esp=esp).send(plan, now=NOW)
        refused.append(caught.value)

    esp.before["send"] = meanwhile
    assert 1 == mail.send(plan, now=NOW).sent
    assert 1 == len(refused)
    assert {"already-sent": 1} == mail.send(plan, now=NOW).withheld


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("capabilities", "when", "during"),
    [
        (MAILS_ONLY, "before", "send"),
        (MAILS_ONLY, "after", "send"),
        (CAMPAIGNS_ONLY, "before", "stage"),
        (CAMPAIGNS_ONLY, "after", "stage"),
        (CAMPAIGNS_ONLY, "after", "staged"),
        (CAMPAIGNS_ONLY, "before", "release"),
        (CAMPAIGNS_ONLY, "after", "release"),
    ],
)
def test_a_slow_worker_changes_nothing_that_a_faster_one_has_done(
    capabilities: Collection[Capability], when: str, during: str, fails: bool
) -> None:
    """Its lease ran out in the middle of a call, another sent the campaign: claims and counts stay true (F19)."""
    esp = Meddling(capabilities=capabilities)
    names = ["ada", "bob", "cem"]
    mail = world(*names, esp=esp)
    plan = mail.plan("spring", now=NOW)

    def overtake() -> None:
        world(store=mail.store, esp=esp).send(plan, now=NOW + 2 * LEASE)
        if fails:
            esp.fail(during)

    getattr(esp, when)[during] = overtake
    with suppress(CampaignRefused):  # told so at its next step, if there is one
        mail.send(plan, now=NOW)
    mail.reconcile("spring", now=NOW + DAY)
    assert set(Counter(mailed(mail)).values()) == {1}
    assert mailed(mail) == [one for one, state in states(mail).items() if state == "handed-off"]
    assert Counter(mailed(mail)) == +Counter(sent_counts(mail, names))


def test_the_campaign_is_given_back_after_an_error() -> None:
    """A send that failed does not lock the campaign."""
    mail = world("ada")
    plan = mail.plan("spring", now=NOW)
    shelf(mail).fail("about", RegistryUnavailable("gone"))
    with pytest.raises(RegistryUnavailable):
        mail.send(plan, now=NOW)
    assert 1 == world(store=mail.store, esp=mail.esp).send(plan, now=NOW).sent


class Slow(Meddling):
    """An ESP whose calls take so many seconds, by the clock that a worker counts with."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self.seconds = seconds
        self.passed = 0.0

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Send, slowly."""
        self.passed += self.seconds
        super().send(recipient, content=content)

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Stage, slowly."""
        self.passed += self.seconds
        return super().stage(campaign, recipients, content=content)


@either_way
def test_a_worker_that_takes_long_keeps_its_campaign(
    capabilities: Collection[Capability], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is prolonged as it goes on: an hour later nobody else has begun (F19, F64)."""
    monkeypatch.setattr(Worker, "chunk", 1)
    names = [f"c{n:02}" for n in range(20)]
    esp = Slow(240, capabilities=capabilities)
    mail = world(*names, esp=esp, ticks=lambda: esp.passed)
    plan = mail.plan("spring", now=NOW)
    refused: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(CampaignRefused, match="another worker") as caught:
            world(store=mail.store, esp=esp).send(plan, now=NOW + timedelta(seconds=esp.passed))
        refused.append(str(caught.value))
        esp.after["send"] = esp.after["stage"] = meanwhile

    esp.after["send"] = esp.after["stage"] = meanwhile
    assert 20 == mail.send(plan, now=NOW).sent
    assert 20 == len(refused)
    assert names == mailed(mail)


@pytest.mark.parametrize("during", ["send", "stage", "staged"])
def test_a_worker_whose_campaign_was_taken_lets_nothing_more_leave(
    during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds out before the next mail, the next chunk and the release; the other finishes the campaign (F19)."""
    monkeypatch.setattr(Worker, "chunk", 2)
    names = [f"c{n}" for n in range(6)]
    capabilities = MAILS_ONLY if during == "send" else CAMPAIGNS_ONLY
    esp = Slow(0, capabilities=capabilities)
    mail = world(*names, esp=esp, ticks=lambda: esp.passed)
    plan = mail.plan("spring", now=NOW)
    late = NOW + LEASE

    def take_over() -> None:
        esp.passed += LEASE.total_seconds()
        assert mail.store.begin(CampaignKey("spring"), "another", at=late, until=late + LEASE)

    esp.after[during] = take_over
    with pytest.raises(CampaignRefused, match="another worker"):
        mail.send(plan, now=NOW)
    assert mailed(mail) == (["c0"] if during == "send" else [])
    assert "release" not in esp.calls
    if during == "send":
        assert {"c0": "handed-off"} == states(mail)
    with pytest.raises(CampaignRefused, match="another worker"):
        mail.send(plan, now=late)
    mail.store.finish(CampaignKey("spring"), "another")
    mail.send(plan, now=late + MINUTE)
    assert names == mailed(mail)
    assert dict.fromkeys(names, 1) == sent_counts(mail, names)


def test_a_lease_is_prolonged_once_in_five_minutes() -> None:
    """Not with each mail: that would be as many writes again (F19)."""

    class Counting(MemoryStore):
        begun = 0

        def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
            self.begun += 1
            return super().begin(work, worker, at=at, until=until)

    esp, store = Slow(60, capabilities=MAILS_ONLY), Counting()
    mail = world(*(f"c{n:02}" for n in range(30)), esp=esp, store=store, ticks=lambda: esp.passed)
    assert 30 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent
    assert 6 == store.begun


def test_a_lease_of_a_clock_that_was_years_ahead_holds_nobody_up() -> None:
    """A worker died whose clock said 2036: the campaign can be sent today (F64)."""
    mail = world("ada")
    ahead = NOW + 3650 * DAY
    assert mail.store.begin(CampaignKey("spring"), "ahead", at=ahead, until=ahead + LEASE)
    assert 1 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent


def test_a_full_window_is_not_recounted_at_each_mail() -> None:
    """The door vouches that the thirty-third mail was never heard of: its contact's events are not read again."""

    class Counting(MemoryStore):
        recounts = 0

        def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
            self.recounts += 1
            return super().events_of(contact_id)

    store = Counting()
    mail = world("ada", store=store, esp=MemoryEsp(capabilities=MAILS_ONLY))
    mail.record([event(at=NOW - DAY, kind="sent", mail=f"m{n:02}") for n in range(32)], now=NOW - DAY)
    for n in range(5):
        receipt = Campaign(f"receipt-{n}", kind="transactional")
        at = NOW + n * HOUR
        assert 1 == mail.send(mail.plan(receipt, now=at, to=["ada"]), now=at).sent
    assert 0 == store.recounts
    before = store.profiles([ContactId("ada")])[ContactId("ada")]
    assert (37, 32) == (before.count("sent"), len(before.mails))
    again = event(at=NOW + DAY, kind="delivered", mail="m00")  # dropped from the window long ago, and told again
    mail.record([again], now=NOW + DAY)
    assert 1 == store.recounts
    assert before.mails == store.profiles([ContactId("ada")])[ContactId("ada")].mails


def test_mails_that_are_heard_of_twice_in_one_batch_are_new_once() -> None:
    """However a batch is cut into chunks, the door is asked before it has seen any of it."""
    whole, cut = world("ada"), world("ada")
    heard = [event(at=NOW + n * MINUTE, kind="sent", mail=f"m{n:02}") for n in range(40)]
    heard += [event(at=NOW + n * MINUTE + HOUR, kind="delivered", mail=f"m{n:02}") for n in range(40)]
    whole.record(heard, now=NOW + DAY)
    for one in heard:
        cut.record([one], now=NOW + DAY)
    assert whole.store.profiles([ContactId("ada")]) == cut.store.profiles([ContactId("ada")])


def test_a_plan_reads_the_members_of_its_lists_alone() -> None:
    """Who never had to do with a list behind it is not looked at; without a list behind a target everybody is (L3)."""

    class Counting(MemoryStore):
        walks = 0

        def each(self) -> Iterator[Contact]:
            self.walks += 1
            return super().each()

    store = Counting()
    mail = world("ada", "bob", store=store)
    join(mail, "cem", NEWS)
    mail.receive([Known(who=Who("dee", parse_address(address("dee"))))], now=NOW)
    segment = Segment("vips", of=OFFERS, where=where.tags.has("vip"))
    for campaign, names in (
        (SPRING, ["ada", "bob"]),
        (Campaign("both", to=[NEWS, OFFERS]), ["ada", "bob", "cem"]),
        (Campaign("vips-only", to=[segment]), ["ada", "bob"]),
        (Campaign("notice", to=[NEWS], kind="transactional"), ["cem"]),
    ):
        assert names == [row.contact_id for row in mail.plan(campaign, now=NOW)]
    assert 0 == store.walks
    bare = Campaign("outage", to=[Segment("everybody"), NEWS], kind="transactional")
    assert ["ada", "bob", "cem", "dee"] == [row.contact_id for row in mail.plan(bare, now=NOW)]
    assert 1 == store.walks


# --- F22: outcome unknown -------------------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize("done", [True, False])
def test_an_unknown_outcome_is_not_repeated_but_reconciled(capabilities: Collection[Capability], done: bool) -> None:
    """The claim stays `unknown`, no blind resend; `reconcile` asks, and what did not leave may be sent (F22)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    whole = capabilities == CAMPAIGNS_ONLY
    fake(mail).fail("release" if whole else "send", OutcomeUnknown, done=done)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    assert (0, 2) == (report.sent, report.unknown) if whole else (1, 1) == (report.sent, report.unknown)
    assert "unknown" in str(report)
    before = mailed(mail)
    if whole and not done:  # the ESP says that it released nothing, so there is nothing to doubt
        assert 2 == mail.send(plan, now=NOW + MINUTE).sent
        assert {"handed-off": 0, "returned": 0, "unknown": 0} == mail.reconcile("spring", now=NOW + HOUR)
        assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])
        return
    again = mail.send(plan, now=NOW + MINUTE)
    assert (0, {"already-sent": 2}) == (again.sent, again.withheld)
    assert before == mailed(mail)
    unknown = 2 if whole else 1
    expected = {"handed-off": unknown * done, "returned": unknown * (not done), "unknown": 0}
    assert expected == mail.reconcile("spring", now=NOW + HOUR)
    assert {"handed-off": 0, "returned": 0, "unknown": 0} == mail.reconcile("spring", now=NOW + HOUR)
    mail.send(plan, now=NOW + DAY)
    assert ["ada", "bob"] == mailed(mail)
    assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])


def test_what_an_esp_cannot_tell_stays_unknown() -> None:
    """None is no answer: nothing is sent again (F22)."""

    class Mute(MemoryEsp):
        def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:  # noqa: ARG002
            return None

    mail = world("ada", esp=Mute(capabilities=MAILS_ONLY))
    plan = mail.plan("spring", now=NOW)
    fake(mail).fail("send", OutcomeUnknown)
    mail.send(plan, now=NOW)
    assert {"handed-off": 0, "returned": 0, "unknown": 1} == mail.reconcile("spring", now=NOW)
    assert 0 == mail.send(plan, now=NOW).sent
    assert {"ada": "unknown"} == states(mail)


def test_a_campaign_is_reconciled_without_asking_about_single_mails() -> None:
    """An ESP that only sends campaigns has no `was_sent`; whether it released is all there is to ask (F22)."""

    class CampaignsOnly:
        """The fake without the ports of single mails."""

        def __init__(self) -> None:
            self.behind = MemoryEsp(capabilities=CAMPAIGNS_ONLY)

        def __getattr__(self, name: str) -> Any:
            if name in ("send", "was_sent"):
                raise AttributeError(name)
            return getattr(self.behind, name)

    esp = CampaignsOnly()
    mail = world("ada", esp=esp)
    plan = mail.plan("spring", now=NOW)
    esp.behind.fail("release", OutcomeUnknown, done=True)
    assert 1 == mail.send(plan, now=NOW).unknown
    assert 1 == mail.reconcile("spring", now=NOW)["handed-off"]
    assert 1 == len(esp.behind.outbox)


@pytest.mark.parametrize("lag", [0, 1, 9])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_a_stage_whose_answer_is_lost_is_staged_again(times: int, done: bool, lag: int) -> None:
    """That changes nothing that was done; where that answer is lost, too, the next call begins anew (F22)."""
    mail = world("ada", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).fail("stage", OutcomeUnknown, done=done, times=times)
    fake(mail).lag(lag if times == 2 else 0)
    report = send(mail)
    assert (times == 1, times == 2) == (bool(report.sent), bool(report.returned))
    send(mail, now=NOW + HOUR)
    assert bool(report.sent) is ("handed-off" in states(mail).values()) or ["ada"] == mailed(mail)
    fake(mail).lag(0)
    send(mail, now=NOW + 2 * HOUR)
    assert ["ada"] == mailed(mail)
    assert {"ada": 1} == sent_counts(mail, ["ada"])


# --- refusals, limits, lags -----------------------------------------------------------------------------------------


@either_way
def test_who_is_refused_is_named_and_not_tried_again(capabilities: Collection[Capability]) -> None:
    """Only those, with the ESP's answer; the others get their mail (F26)."""
    mail = world("ada", "bob", "cem", esp=MemoryEsp(capabilities=capabilities))
    fake(mail).refuse(address("bob"), status=400, body="looks fake")
    report = send(mail)
    assert (2, {"bob"}) == (report.sent, set(report.refused))
    error = report.refused[ContactId("bob")]
    assert isinstance(error, EspRefused)
    assert (400, "looks fake") == (error.status, error.body)
    assert ["ada", "cem"] == mailed(mail)
    assert "refused" == states(mail)["bob"]
    calls = len(fake(mail).calls)
    assert 0 == send(mail, now=NOW + HOUR).sent
    assert not {"send", "stage"} & set(fake(mail).calls[calls:])


def test_a_rate_limit_stops_single_mails_and_the_next_call_goes_on() -> None:
    """Who was not handed off is counted, and gets theirs later; nobody gets two (F24)."""
    names = [f"c{n}" for n in range(10)]
    mail = world(*names, esp=MemoryEsp(capabilities=MAILS_ONLY))
    plan = mail.plan("spring", now=NOW)
    fake(mail).limit(3)
    report = mail.send(plan, now=NOW)
    assert (3, 7) == (report.sent, report.returned)
    assert isinstance(report.problem, EspUnavailable)
    assert "not handed off 7" in str(report)
    assert "429" in str(report)
    assert accounted(plan, report)
    sent = 3
    while sent < 10:
        fake(mail).wait()
        sent += mail.send(plan, now=NOW + HOUR).sent
    assert names == mailed(mail)


@pytest.mark.parametrize("calls", range(8))
def test_a_rate_limit_anywhere_in_a_campaign_releases_all_or_nothing(
    calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign is never released in part: what is staged waits, and the next call goes on (F24, F7)."""
    monkeypatch.setattr(Worker, "chunk", 4)
    names = [f"c{n}" for n in range(10)]
    mail = world(*names, esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    fake(mail).limit(calls)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    assert mailed(mail) in ([], names)
    assert (report.problem is None) is (mailed(mail) == names)
    fake(mail).limit(1000)
    mail.send(plan, now=NOW + HOUR)
    assert names == mailed(mail)
    assert dict.fromkeys(names, 1) == sent_counts(mail, names)


@pytest.mark.parametrize("operation", ["released", "stage", "staged", "unstage", "release"])
@pytest.mark.parametrize("error", [EspUnavailable, EspRefused, OutcomeUnknown])
def test_whatever_fails_before_the_hand_off_is_reported(operation: str, error: type[EspError]) -> None:
    """The report says what stopped it; nothing has left, and a later call sends to all but who said no."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    esp = fake(mail)
    esp.stage(CampaignKey("spring"), plan.recipients, content=None)
    mail.opt_out("bob", scope=ALL, now=NOW)
    esp.fail(operation, error)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    if (operation, error) != ("stage", OutcomeUnknown):
        assert isinstance(report.problem, error)
        assert [] == mailed(mail)
    mail.reconcile("spring", now=NOW)
    mail.send(plan, now=NOW + HOUR)
    assert ["ada"] == mailed(mail)


@pytest.mark.parametrize("lag", range(1, READS + 3))
def test_a_lagging_esp_never_sends_wrong(lag: int) -> None:
    """However long it shows the past, who said no gets nothing, and everybody is accounted for (E4)."""
    waits: list[int] = []
    esp = MemoryEsp(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", "cem", esp=esp, wait=waits.append)
    plan = mail.plan("spring", now=NOW)
    mail.opt_out("cem", scope=ALL, now=NOW)
    esp.lag(lag)
    report = mail.send(plan, now=NOW)
    assert accounted(plan, report)
    assert mailed(mail) == (["ada", "bob"] if report.problem is None else [])
    assert (lag < READS) is (report.problem is None)
    assert list(range(1, min(lag, READS - 1) + 1)) == waits
    esp.lag(0)
    mail.send(plan, now=NOW + HOUR)
    assert ["ada", "bob"] == mailed(mail)


def test_who_does_not_show_is_given_up_and_the_rest_is_sent() -> None:
    """One that the ESP silently dropped does not hold up the others, and is counted as not handed off."""

    class Lossy(MemoryEsp):
        def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
            self._staged[campaign].pop(ContactId("bob"), None)
            return super().staged(campaign)

    mail = world("ada", "bob", esp=Lossy(capabilities=CAMPAIGNS_ONLY))
    report = send(mail)
    assert (1, 1, None) == (report.sent, report.returned, report.problem)
    assert ["ada"] == mailed(mail)
    with pytest.raises(CampaignRefused, match="new campaign for 1 more"):
        mail.send(mail.plan("spring", now=NOW), now=NOW + HOUR)


def test_strangers_at_the_esp_are_taken_out() -> None:
    """Whoever somebody else staged there was not screened by this plan (F17)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).stage(CampaignKey("spring"), mail.plan("spring", now=NOW).recipients, content=None)
    mail.opt_out("bob", scope=ALL, now=NOW)
    assert 1 == send(mail).sent
    assert ["ada"] == mailed(mail)


def test_a_released_campaign_refuses_newcomers() -> None:
    """Who joined later needs a new campaign; who got it needs nothing (L3)."""
    mail = world("ada", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    send(mail)
    join(mail, "bob")
    with pytest.raises(CampaignRefused, match="new campaign for 1 more"):
        mail.send(mail.plan("spring", now=NOW + HOUR), now=NOW + HOUR)
    assert ["ada"] == mailed(mail)


def test_a_released_campaign_refuses_who_came_back() -> None:
    """Somebody withheld at release who is sendable again is a newcomer too, and not passed over in silence."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    mail.pause("bob", until=NOW + DAY, now=NOW)
    mail.send(plan, now=NOW)
    assert {"ada"} == set(mailed(mail))
    again = mail.send(plan, now=NOW + HOUR)
    assert {"already-sent": 1, "paused": 1} == again.withheld
    with pytest.raises(CampaignRefused, match="1 more"):
        mail.send(plan, now=NOW + 2 * DAY)


def test_more_than_one_chunk() -> None:
    """5,001 recipients are claimed and staged in two chunks and released once."""
    mail = world(esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    signed_up = said(through=Through.IMPORT, at=NOW - DAY)
    names = [f"c{n:04}" for n in range(5_001)]
    mail.receive(
        (Joined(who=Who(n, parse_address(address(n))), list=OFFERS.key, provenance=signed_up) for n in names),
        now=NOW - DAY,
    )
    plan = mail.plan("spring", now=NOW)
    mail.opt_out("c0000", scope=ALL, now=NOW)
    mail.opt_out("c4999", scope=ALL, now=NOW)
    assert 4_999 == mail.send(plan, now=NOW).sent
    assert sorted(set(names) - {"c0000", "c4999"}) == mailed(mail)
    calls = Counter(fake(mail).calls)
    assert (2, 1) == (calls["stage"], calls["release"])


def test_match_rules_hold_on_the_way_out() -> None:
    """Where plus tags do not count, a no under one spelling withholds the other, also between stage and release."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", esp=esp, match=MatchRules(plus_tags=True))
    mail.subscribe("bob+deals@example.com", OFFERS, proof="a form", now=NOW, contact_id="bob")
    plan = mail.plan("spring", now=NOW)
    esp.after["stage"] = lambda: mail.opt_out("bob+x@example.com", scope=ALL, now=NOW)
    mail.send(plan, now=NOW)
    assert ["ada"] == mailed(mail)


def test_a_no_at_the_esp_is_heard_on_the_way_out() -> None:
    """A webhook that comes in while a campaign is staged takes that person out (F17, F31)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)
    esp.after["stage"] = lambda: mail.receive([left("bob", ALL, event_id="w1")], now=NOW)
    report = mail.send(plan, now=NOW)
    assert {Withheld.OUT_OF_ALL: 1} == report.withheld
    assert ["ada"] == mailed(mail)


def test_the_purpose_of_a_mail_is_counted() -> None:
    """What the sunset policy asks later: a last chance counts as one (S10)."""
    last = Campaign("last", to=[OFFERS], purpose=Purpose.LAST_CHANCE)
    mail = world("ada")
    mail.send(mail.plan(last, now=NOW), now=NOW)
    mail.send(mail.plan(RECEIPT, now=NOW, to=["ada"]), now=NOW)
    profile = mail.store.profiles([ContactId("ada")])[ContactId("ada")]
    assert {Purpose.LAST_CHANCE, Purpose.TRANSACTIONAL} == {one.purpose for one in profile.mails}
    assert "last-chance" in profile.last
    assert SPRING.purpose is Purpose.REGULAR


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaign"])
def test_an_id_of_any_length_that_is_taken_can_be_mailed(capabilities: frozenset[Capability]) -> None:
    """What records a mail names the campaign and the contact: the longest of both are recorded, and mailed once."""
    mail = world(esp=MemoryEsp(capabilities=capabilities))
    key, whom = "c" * 64, "i" * 256
    mail.subscribe("zoe@example.com", OFFERS, proof="form 7", now=NOW - DAY, contact_id=whom)
    plan = mail.plan(Campaign(key, to=[OFFERS]), now=NOW)
    assert 1 == mail.send(plan, now=NOW).sent
    assert {whom: 1} == sent_counts(mail, [whom])
    assert [whom] == mailed(mail, key)


@pytest.mark.parametrize("chunk", [2, 5_000])
def test_who_is_erased_during_the_release_holds_nobody_up(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """O5, F18: the mails have left, everybody else's is recorded, and of who was erased nothing is counted."""
    monkeypatch.setattr(Worker, "chunk", chunk)
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world(*EVERYBODY, esp=esp, peppers=PEPPERS)

    def erase() -> None:
        mail.erase("bob", by=Actor.CONTACT, now=NOW)

    esp.after["release"] = erase
    assert len(EVERYBODY) == mail.send(mail.plan("spring", now=NOW), now=NOW).sent
    assert {"handed-off"} == set(states(mail).values())
    rest = [name for name in EVERYBODY if name != "bob"]
    assert dict.fromkeys(rest, 1) == sent_counts(mail, rest)
    assert 0 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent


def test_a_campaign_with_somebody_who_was_erased_is_reconciled() -> None:
    """O5, F22: an unknown outcome, an erasure, and then the answer: it is settled for all of them."""
    mail = world(*EVERYBODY, esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY), peppers=PEPPERS)
    fake(mail).fail("release", OutcomeUnknown, done=True)
    assert len(EVERYBODY) == mail.send(mail.plan("spring", now=NOW), now=NOW).unknown
    mail.erase("bob", by=Actor.CONTACT, now=NOW)
    assert len(EVERYBODY) == mail.reconcile("spring", now=NOW + HOUR)["handed-off"]
    rest = [name for name in EVERYBODY if name != "bob"]
    assert dict.fromkeys(rest, 1) == sent_counts(mail, rest)
