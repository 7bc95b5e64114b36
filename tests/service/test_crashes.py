"""A process that dies in any call of a port: afterwards nobody gets two mails, and nobody who said no gets one (F7)."""

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

import pytest

from lifecycle_mail.errors import CampaignRefused, OutcomeUnknown
from lifecycle_mail.memory import MemoryCrm, MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ConsentState
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Known, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.ports import Capability, TaskState
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.leasing import LEASE
from lifecycle_mail.service.outbox import post_tags
from lifecycle_mail.service.sending import READS
from lifecycle_mail.service.sending.base import Worker
from tests.service.worlds import (
    BOTH_WAYS,
    CAMPAIGNS_ONLY,
    DAY,
    HOUR,
    MAILS_ONLY,
    NOW,
    Countdown,
    Crashed,
    Meddling,
    Mortal,
    address,
    entries,
    fake,
    left,
    mailed,
    sent_counts,
    states,
    world,
)

NAMES = ["ada", "bob", "cem", "dee", "eve"]
ALL = Scope.all()


def mortal(mail: Lifecycle, countdown: Countdown) -> Lifecycle:
    """Return another process on the same store and ESP, that dies when the countdown says so."""
    crm = None if mail.crm is None else Mortal(mail.crm, countdown)
    return world(store=Mortal(mail.store, countdown), esp=Mortal(mail.esp, countdown), crm=crm)


def calls_of_a_send(capabilities: Collection[Capability]) -> int:
    """Count the calls of ports that a send of the five makes."""
    mail = world(*NAMES, esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    countdown = Countdown()
    mortal(mail, countdown).send(plan, now=NOW)
    return countdown.calls


def left_by_the_dead(capabilities: Collection[Capability], dies_at: int, *, after: bool) -> tuple[Lifecycle, Plan]:
    """Return what a process leaves that dies in this call of a send to the five, and the plan that it sent."""
    mail = world(*NAMES, esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    with pytest.raises(Crashed):
        mortal(mail, Countdown(dies_at, after=after)).send(plan, now=NOW)
    return mail, plan


def counted_as_mailed(mail: Lifecycle) -> set[str]:
    """Return whose claims say that their mail was handed off."""
    return {str(one) for one, state in states(mail).items() if state == "handed-off"}


@pytest.mark.parametrize("who", ["bob", "eve"])
@pytest.mark.parametrize("chunk", [5_000, 2, 1])
@pytest.mark.parametrize("lag", [1, 2, 9])
@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
def test_an_esp_that_shows_the_past_after_a_death_deceives_nobody(
    after: bool, lag: int, chunk: int, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a dead process left in doubt is not believed: no mail after a no, and who counts as mailed was."""
    monkeypatch.setattr(Worker, "chunk", chunk)
    for dies_at in range(1, calls_of_a_send(CAMPAIGNS_ONLY) + 1):
        where = f"died in call {dies_at}"
        mail, _ = left_by_the_dead(CAMPAIGNS_ONLY, dies_at, after=after)
        gone = mailed(mail)
        mail.opt_out(who, scope=ALL, now=NOW)
        fake(mail).lag(lag)
        for hours in (1, 2):
            mail.send(mail.plan("spring", now=NOW), now=NOW + hours * HOUR)
            assert (who in gone) or who not in mailed(mail), where
            assert counted_as_mailed(mail) == set(mailed(mail)), where
        fake(mail).lag(0)
        mail.send(mail.plan("spring", now=NOW), now=NOW + 3 * HOUR)
        assert sorted({*NAMES} - {who} | {*gone}) == mailed(mail), where


@pytest.mark.parametrize("lag", [1, 2, 9])
@pytest.mark.parametrize("done", [False, True])
def test_who_was_perhaps_taken_out_counts_as_mailed_only_if_they_were(done: bool, lag: int) -> None:
    """The ESP shows nobody for long, then takes them out without an answer, and then shows them as they were."""
    mail = world(*NAMES, esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    fake(mail).lag(READS)
    fake(mail).fail("unstage", OutcomeUnknown, done=done)
    assert isinstance(mail.send(plan, now=NOW).problem, OutcomeUnknown)
    assert [] == mailed(mail)
    fake(mail).lag(lag)
    for hours in (1, 2):
        mail.send(mail.plan("spring", now=NOW), now=NOW + hours * HOUR)
        assert counted_as_mailed(mail) == set(mailed(mail))
    fake(mail).lag(0)
    mail.send(mail.plan("spring", now=NOW), now=NOW + 3 * HOUR)
    assert NAMES == mailed(mail)


@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
@pytest.mark.parametrize(
    ("capabilities", "chunk"),
    [(MAILS_ONLY, 5_000), (CAMPAIGNS_ONLY, 5_000), (CAMPAIGNS_ONLY, 2)],
    ids=["mails", "campaign", "campaign in chunks"],
)
def test_a_send_that_dies_anywhere_is_finished_by_the_next(
    capabilities: Collection[Capability], after: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every call N: crash there, bob says no, a new process sends: one mail each, none to bob after his no (F7)."""
    monkeypatch.setattr(Worker, "chunk", chunk)
    total = calls_of_a_send(capabilities)
    assert total > 10
    for dies_at in range(1, total + 1):
        where = f"died in call {dies_at} of {total}"
        mail, plan = left_by_the_dead(capabilities, dies_at, after=after)
        gone = mailed(mail)
        mail.opt_out("bob", scope=ALL, now=NOW)
        later = NOW + 2 * LEASE
        mail.send(plan, now=later)
        mail.reconcile("spring", now=later)
        mail.send(plan, now=later)
        expected = [name for name in NAMES if name != "bob" or "bob" in gone]
        assert expected == mailed(mail), where
        assert Counter(expected) == +Counter(sent_counts(mail, NAMES)), where
        assert {"claimed", "staged", "unknown"}.isdisjoint(states(mail).values()), where
        if "bob" in gone:
            assert NOW == mail.store.claims_of(ContactId("bob"))[0].opted_out_at, where


@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
@pytest.mark.parametrize(("capabilities", "during"), [(MAILS_ONLY, "send"), (CAMPAIGNS_ONLY, "release")])
def test_a_no_during_the_hand_off_is_noted_though_the_worker_dies(
    capabilities: Collection[Capability], during: str, after: bool
) -> None:
    """For every call N of a port: crash there, finish later, and the mail says that the no came too late (F18)."""
    found = 0
    for dies_at in range(1, 200):
        esp = Meddling(capabilities=capabilities)
        mail = world("ada", "bob", "cem", esp=esp)
        esp.before[during] = partial(mail.opt_out, "ada", scope=ALL, now=NOW)
        countdown = Countdown(dies_at, after=after)
        with suppress(Crashed):
            mortal(mail, countdown).send(mail.plan("spring", now=NOW), now=NOW)
        esp.before.clear()
        for hours in (24, 25):
            with suppress(CampaignRefused):
                mail.send(mail.plan("spring", now=NOW + hours * HOUR), now=NOW + hours * HOUR)
            mail.reconcile("spring", now=NOW + hours * HOUR)
        if entries(mail, OptOut) and "ada" in mailed(mail):
            found += 1
            assert NOW == mail.store.claims_of(ContactId("ada"))[0].opted_out_at, f"died in call {dies_at}"
        if not countdown.dead:
            break
    else:
        pytest.fail("the send never came to its end")
    assert found >= 2


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaigns"])
def test_a_send_that_dies_twice(capabilities: Collection[Capability]) -> None:
    """A crash, a restart that crashes elsewhere, and a third process: still one mail each (F7)."""
    total = calls_of_a_send(capabilities)
    for first in range(1, total + 1, 4):
        for second in range(1, total + 1, 7):
            mail = world(*NAMES, esp=MemoryEsp(capabilities=capabilities))
            plan = mail.plan("spring", now=NOW)
            for turn, dies_at in enumerate((first, second)):
                with suppress(Crashed):
                    mortal(mail, Countdown(dies_at, after=bool(turn))).send(plan, now=NOW + turn * 2 * LEASE)
            for _ in range(2):
                mail.send(plan, now=NOW + DAY)
                mail.reconcile("spring", now=NOW + DAY)
            mail.send(plan, now=NOW + DAY)
            assert NAMES == mailed(mail), (first, second)
            assert dict.fromkeys(NAMES, 1) == sent_counts(mail, NAMES), (first, second)


def test_while_a_dead_worker_holds_the_campaign_nobody_sends_it() -> None:
    """Its lease runs out by itself (F7)."""
    mail = world(*NAMES)
    plan = mail.plan("spring", now=NOW)
    with pytest.raises(Crashed):
        mortal(mail, Countdown(4)).send(plan, now=NOW)
    with pytest.raises(CampaignRefused, match="another worker"):
        mail.send(plan, now=NOW + LEASE / 2)
    assert 5 == mail.send(plan, now=NOW + LEASE).sent


@pytest.mark.parametrize("after", [False, True])
def test_receiving_that_dies_anywhere_leaves_nothing_half_done(after: bool) -> None:
    """A batch is written whole or not at all, and coming again it is taken once (F6, F41)."""
    batch: list[Statement] = [
        Known(who=Who("new", parse_address("new@example.com")), fields={"spend": 1}),
        left("ada", ALL, event_id="w1"),
        left("stranger", ALL, event_id="w2"),
    ]
    countdown = Countdown()
    mortal(world("ada"), countdown).receive(batch, now=NOW)
    for dies_at in range(1, countdown.calls + 1):
        mail = world("ada")
        before = mail.store.position()
        with pytest.raises(Crashed):
            mortal(mail, Countdown(dies_at, after=after)).receive(batch, now=NOW)
        assert before == mail.store.position()
        assert ["ada"] == [one.id for one in mail.store.each()]
        mail.receive(batch, now=NOW)
        mail.receive(batch, now=NOW)
        assert 2 == len(entries(mail, OptOut))
        assert 3 == len(list(mail.store.each()))


def to_be_told() -> Lifecycle:
    """Return a world in which an ESP must be told of noes and tags, and a CRM of everybody."""
    mail = world("ada", "bob", "cem", crm=MemoryCrm())
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.opt_out(address("bob"), scope=ALL, now=NOW)
    mail.update("cem", {"spend": 1}, tags=["vip"], now=NOW)
    with mail.store.transaction():
        post_tags(mail.store, mail.esp, [ContactId("cem")], "vip", present=True, now=NOW)
    return mail


def calls_of(act: Callable[[Lifecycle], object], mail: Lifecycle) -> int:
    """Count the calls of ports that an act makes."""
    countdown = Countdown()
    act(mortal(mail, countdown))
    return countdown.calls


@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
def test_a_drain_that_dies_anywhere_is_finished_by_the_next(after: bool) -> None:
    """Each task is due or done, and at most one call is repeated: nothing is lost and nothing counts twice (F3, F4)."""
    total = calls_of(lambda mail: mail.drain(now=NOW), to_be_told())
    assert total > 30
    for dies_at in range(1, total + 1):
        where = f"died in call {dies_at} of {total}"
        mail = to_be_told()
        with pytest.raises(Crashed):
            mortal(mail, Countdown(dies_at, after=after)).drain(now=NOW)
        assert {TaskState.DUE, TaskState.DONE} >= {posted.state for posted in mail.outbox()}, where
        told = Counter(str(who) for who, _ in fake(mail).suppressed)
        assert 0 == mail.drain(now=NOW + LEASE).left, where
        assert {TaskState.DONE} == {posted.state for posted in mail.outbox()}, where
        assert {address("ada"), address("bob")} == {str(who) for who, _ in fake(mail).suppressed}, where
        assert 3 >= len(fake(mail).suppressed), where
        assert not told or 1 == max(told.values()), where
        assert {"cem"} == fake(mail).tags["vip"], where
        assert isinstance(mail.crm, MemoryCrm)
        assert {one: mail.picture(one, now=NOW).lists for one in ("ada", "bob", "cem")} == {
            one: picture.lists for one, picture in mail.crm.shown.items()
        }, where
        mail.fetch(now=NOW + DAY)
        assert 2 == ConsentState(record.entry for record in mail.store.records()).opt_out_count(), where


@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
def test_a_sweep_that_dies_anywhere_is_finished_by_the_next(after: bool) -> None:
    """The bookmark says only what was taken, and what comes again counts once (F13, F32)."""

    def left_there() -> Lifecycle:
        mail = world("ada", "bob")
        mail.sweep(now=NOW - DAY)
        for name in ("ada", "bob"):
            fake(mail).unsubscribe(parse_address(address(name)), ALL, at=NOW - HOUR)
        fake(mail).acknowledge(fake(mail).reports(now=NOW)[:1])  # one of the two comes by the list alone
        return mail

    total = calls_of(lambda mail: mail.sweep(now=NOW), left_there())
    assert total > 10
    for dies_at in range(1, total + 1):
        where = f"died in call {dies_at} of {total}"
        mail = left_there()
        with pytest.raises(Crashed):
            mortal(mail, Countdown(dies_at, after=after)).sweep(now=NOW)
        mark = mail.store.bookmark("sweep:memory")
        assert mark is not None
        assert mark.at == NOW - DAY or 2 == len(entries(mail, OptOut)), where
        assert mail.sweep(now=NOW + LEASE) is not None, where
        assert 2 == len(entries(mail, OptOut)), where
        assert [] == fake(mail).reports(now=NOW), where


@pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
def test_hearing_the_crm_that_dies_anywhere_is_finished_by_the_next(after: bool) -> None:
    """Stored whole or not at all, and told again until it is acknowledged (O9)."""

    def said_there() -> Lifecycle:
        crm = MemoryCrm()
        mail = world("ada", crm=crm)
        crm.say(left("ada", ALL, event_id="c1", source=crm.name))
        crm.say(Known(who=Who("ada"), fields={"role": "editor"}))
        return mail

    total = calls_of(lambda mail: mail.hear_crm(now=NOW), said_there())
    for dies_at in range(1, total + 1):
        mail = said_there()
        with pytest.raises(Crashed):
            mortal(mail, Countdown(dies_at, after=after)).hear_crm(now=NOW)
        assert bool(mail.contact("ada").fields) is bool(entries(mail, OptOut))
        mail.hear_crm(now=NOW)
        assert (1, "editor") == (len(entries(mail, OptOut)), mail.contact("ada").fields["role"])
        assert 0 == mail.hear_crm(now=NOW).statements


def test_an_opt_out_that_dies_anywhere_is_whole_or_absent() -> None:
    """With the mark on the mail in flight, or without either; said again it holds (F1, F2, F48)."""
    for after in (False, True):
        for dies_at in range(1, 30):
            mail = world("ada", store=MemoryStore())
            mail.send(mail.plan("spring", now=NOW), now=NOW)
            try:
                mortal(mail, Countdown(dies_at, after=after)).opt_out("ada", scope=ALL, now=NOW)
            except Crashed:
                pass
            else:
                break
            marked = mail.store.claims_of(ContactId("ada"))[0].opted_out_at is not None
            assert marked is bool(entries(mail, OptOut))
            mail.opt_out("ada", scope=ALL, now=NOW)
            assert 1 == len(entries(mail, OptOut))
            assert NOW == mail.store.claims_of(ContactId("ada"))[0].opted_out_at
        else:
            pytest.fail("the opt-out never came to its end")
