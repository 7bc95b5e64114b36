"""What would stop mailing too many at once stops and asks (F64, F66, F67); bounces that blame the sender (R17)."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import BreakerOpen, InvalidInput, UnknownName
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import Lift, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Held, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.ports import CLOCKS_APART, SetAside
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.breaker import Breaker
from lifecycle_mail.testing import assert_sendable, assert_withheld, event, said
from tests.service.worlds import DAY, HOUR, MINUTE, NOW, OFFERS, PROOF, SPRING, address, entries, shelf, world

BOUNCE, COMPLAINT = SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT
TIGHT = Breaker(share=0.2, least=3)
YEARS = 3650 * DAY


def people(count: int) -> list[str]:
    """Return so many names."""
    return [f"p{place:04d}" for place in range(count)]


def crowd(count: int, **options: Any) -> Lifecycle:
    """Return a world of so many subscribers, with a breaker that opens above three or a fifth of them."""
    options.setdefault("breaker", TIGHT)
    return world(*people(count), **options)


def reports(
    names: Iterable[str],
    kind: SuppressionKind = BOUNCE,
    *,
    status: str = "5.1.1",
    through: Through = Through.BOUNCE,
    batch: str = "b1",
) -> list[Statement]:
    """Return an ESP's words that mails to these people bounced for good, or that they complained."""
    return [
        Held(
            who=Who(None, parse_address(address(name))), kind=kind, event_id=f"{batch}:{kind}:{name}", status=status,
            provenance=said(Actor.ESP, through=through, source="memory"),
        )
        for name in names
    ]  # fmt: skip


def held(mail: Lifecycle, kind: SuppressionKind = BOUNCE) -> list[str]:
    """Return who is suppressed for that in the log, by the ids."""
    return sorted(one.subject.contact_id or "" for one in entries(mail, Suppression) if one.kind is kind)


# --- a run of the policy ---------------------------------------------------------------------------------------------


def silent(count: int, *, of: int, **options: Any) -> Lifecycle:
    """Return a crowd in which so many never opened one of twenty mails in two years, and were asked in vain."""
    mail = world(breaker=TIGHT, **options)
    for name in people(of):
        mail.subscribe(address(name), OFFERS, proof=PROOF, now=NOW - 800 * DAY, contact_id=name)
    asked = [(EventKind.SENT, "regular", 700 - 30 * place) for place in range(20)]
    asked += [(EventKind.SENT, "re-engagement", days) for days in (60, 55, 50)]
    asked += [(EventKind.SENT, "last-chance", 40)]
    mail.record(
        [
            event(name, kind, at=NOW - days * DAY, mail=f"{purpose}{days}", purpose=purpose)
            for name in people(count)
            for kind, purpose, days in asked
        ],
        now=NOW,
    )
    return mail


@pytest.mark.parametrize(("count", "of", "opens"), [(3, 4, False), (4, 4, True), (4, 20, False), (5, 20, True)])
def test_a_run_that_would_sunset_too_many_writes_nothing(count: int, of: int, opens: bool) -> None:
    """Up to the larger of the least and the share is done; above it nothing, and the error says what next (F67)."""
    mail = silent(count, of=of)
    decisions = mail.decide(now=NOW)
    assert count == decisions.by_action()["sunset"]
    if not opens:
        assert count == mail.apply(decisions, now=NOW).sunset
        return
    position = mail.store.position()
    with pytest.raises(BreakerOpen, match=f"confirm={count}") as caught:
        mail.apply(decisions, now=NOW)
    limit = max(3, of // 5)
    assert (count, of, limit) == (caught.value.count, caught.value.of, caught.value.limit)
    assert position == mail.store.position()
    assert not any(contact.tags for contact in mail.store.each())


def test_confirming_passes_that_many_and_no_more() -> None:
    """A number that somebody read and confirmed lets through a run of at most that many (F67)."""
    mail = silent(5, of=6)
    decisions = mail.decide(now=NOW)
    for too_few in (None, 0, 1, 4):
        with pytest.raises(BreakerOpen):
            mail.apply(decisions, now=NOW, confirm=too_few)
    assert 5 == mail.apply(decisions, now=NOW, confirm=5).sunset
    # Once sunset they are not newly so: the same run again needs no confirmation, and changes nothing.
    assert 0 == mail.apply(decisions, now=NOW).sunset


def test_what_was_applied_in_part_counts_in_part() -> None:
    """Of decisions that are old only those count whom the log still says to mail."""
    mail = silent(5, of=6)
    decisions = mail.decide(now=NOW)
    mail.suppress("p0000", "sunset", provenance=said(Actor.POLICY), now=NOW)
    with pytest.raises(BreakerOpen, match="confirm=4"):
        mail.apply(decisions, now=NOW, confirm=3)
    assert 4 >= mail.apply(decisions, now=NOW, confirm=4).sunset


def test_whoever_is_sunset_already_does_not_count() -> None:
    """The breaker looks at whom a run would newly stop."""
    mail = silent(5, of=6)
    mail.apply(mail.decide(now=NOW), now=NOW, confirm=5)
    again = mail.decide(now=NOW + DAY)
    assert 0 == mail.apply(again, now=NOW + DAY).sunset


def test_decisions_may_come_from_a_stream() -> None:
    """A generator is gathered before it is counted, and then applied as a whole."""
    mail = silent(3, of=4)
    rows = mail.decide(now=NOW)
    assert 3 == mail.apply((row for row in rows), now=NOW).sunset
    more = silent(4, of=4)
    rows = more.decide(now=NOW)
    with pytest.raises(BreakerOpen):
        more.apply((row for row in rows), now=NOW)
    assert 4 == more.apply((row for row in rows), now=NOW, confirm=4).sunset


def test_a_clock_ahead_ten_years_sunsets_nobody() -> None:
    """To a clock that jumped everybody is inactive: the run stops by itself (F64)."""
    mail = crowd(20)
    mail.record(
        [
            event(name, kind, at=NOW - days * DAY, mail=f"m{days}")
            for name in people(20)
            for days in range(1, 8)
            for kind in (EventKind.SENT, EventKind.OPENED)
        ],
        now=NOW,
    )
    mail.record(
        [
            event(name, EventKind.SENT, at=NOW + YEARS - days * DAY, mail=f"ask{days}", purpose=purpose)
            for name in people(20)
            for days, purpose in (
                (60, "re-engagement"),
                (55, "re-engagement"),
                (50, "re-engagement"),
                (40, "last-chance"),
            )
        ],
        now=NOW + YEARS,
    )
    decisions = mail.decide(now=NOW + YEARS)
    assert 20 == decisions.by_action()["sunset"]
    with pytest.raises(BreakerOpen, match="look at the decisions, at the clock"):
        mail.apply(decisions, now=NOW + YEARS)
    assert [] == entries(mail, Suppression)
    assert {"wait", "keep"} >= set(mail.decide(now=NOW).by_action())


def test_a_breaker_has_sensible_limits() -> None:
    """A fifth of all, and never fewer than fifty; what makes no sense is refused."""
    assert [50, 50, 50, 200, 2000] == [Breaker().limit(of) for of in (0, 10, 250, 1000, 10_000)]
    assert [0, 0, 10] == [Breaker(share=0.1, least=0).limit(of) for of in (0, 9, 100)]
    for wrong in (
        {"share": -0.1},
        {"share": 1.1},
        {"least": -1},
        {"least": 2.5},
        {"per": timedelta(0)},
        {"per": 3},
        {"share": "a fifth"},
        {"least": True},
        {"share": True},
    ):
        with pytest.raises(InvalidInput):
            Breaker(**wrong)


# --- what others report ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BOUNCE, COMPLAINT])
def test_too_many_reports_are_set_aside(kind: SuppressionKind) -> None:
    """A batch beyond the limit is kept out of the log as a whole, with the reason, and mails go on (F66)."""
    mail = crowd(20)
    done = mail.receive(reports(people(5), kind), now=NOW)
    assert (5, 0, 0) == (done.set_aside, done.entries, done.contacts)
    assert "5 set aside" in str(done)
    assert [] == held(mail, kind)
    waiting = mail.aside()
    assert people(5) == sorted(one.entry.subject.contact_id or "" for one in waiting)
    assert {f"{kind}: 5 of 20 contacts would stop being mailed within 1 day, 0:00:00, 4 may"} == {
        one.why for one in waiting
    }
    assert 20 == mail.plan(SPRING, now=NOW).sendable


def test_up_to_the_limit_they_are_written() -> None:
    """A usual day's bounces go to the log at once, and are counted together until the window is over (F66)."""
    mail = crowd(20)
    assert 0 == mail.receive(reports(people(3)), now=NOW).set_aside
    assert 0 == mail.receive(reports(people(4)), now=NOW + HOUR).set_aside  # three of them told again
    assert people(4) == held(mail)
    assert 1 == mail.receive(reports(people(5)), now=NOW + 2 * HOUR).set_aside
    assert people(4) == held(mail)
    assert 0 == mail.receive(reports([people(6)[5]]), now=NOW + DAY).set_aside
    assert [*people(4), "p0005"] == held(mail)


def test_the_two_kinds_are_counted_apart() -> None:
    """Many bounces hold back no complaint."""
    mail = crowd(20)
    mail.receive([*reports(people(5)), *reports(people(2), COMPLAINT)], now=NOW)
    assert ([], people(2)) == (held(mail), held(mail, COMPLAINT))


def test_a_no_is_never_held_back() -> None:
    """However many say no at once, and whatever stands beside it, each no is in the log (O1, F66)."""
    mail = crowd(20)
    noes: list[Statement] = [
        Left(
            who=Who(None, parse_address(address(name))), scope=Scope.all(), event_id=name,
            provenance=said(Actor.ESP, through=Through.WEBHOOK, source="memory"),
        )
        for name in people(20)
    ]  # fmt: skip
    done = mail.receive([*reports(people(20)), *noes], now=NOW)
    assert (20, 20) == (done.set_aside, done.entries)
    assert 20 == mail.plan(SPRING, now=NOW).withheld["out-of-all"]


def test_nobody_is_counted_twice() -> None:
    """One address that bounces often stops one contact; one that is stopped already stops nobody anew."""
    mail = crowd(20)
    often = [one for batch in "abcdefgh" for one in reports(people(4), batch=batch)]
    assert 0 == mail.receive(often, now=NOW).set_aside
    again = [one for batch in "ijklmnop" for one in reports(people(4), batch=batch)]
    assert 0 == mail.receive(again, now=NOW).set_aside
    assert 64 == len(entries(mail, Suppression))


def test_contacts_without_an_address_count_by_their_ids() -> None:
    """A complaint of somebody whose address nobody knows stops that contact (F66)."""
    mail = world(breaker=TIGHT)
    mail.receive([Known(who=Who(name)) for name in people(20)], now=NOW)
    told = said(Actor.CONTACT, through=Through.COMPLAINT, source="memory")
    often: list[Statement] = [
        Held(who=Who(name), kind=COMPLAINT, provenance=told, event_id=f"{batch}:{name}")
        for batch in "ab"
        for name in people(5)
    ]
    fewer = [one for one in often if one.who.contact_id != "p0004"]
    assert (0, 8) == ((done := mail.receive(fewer, now=NOW)).set_aside, done.entries)
    assert 2 == mail.receive(often, now=NOW).set_aside
    assert people(4) == sorted(set(held(mail, COMPLAINT)))


def test_one_id_for_two_people_is_two_reports() -> None:
    """A careless source that gives everybody the same id stops each of them anew."""
    mail = crowd(20)
    told = said(Actor.ESP, through=Through.BOUNCE, source="memory")

    def same_id(names: Iterable[str]) -> list[Statement]:
        return [Held(who=Who(name), kind=BOUNCE, provenance=told, event_id="1") for name in names]

    assert 0 == mail.receive(same_id(people(4)), now=NOW).set_aside
    for name in people(4):
        mail.lift(name, BOUNCE, by=Actor.OPERATOR, text="not so", now=NOW)
    assert 0 == mail.receive(same_id(people(4)), now=NOW + HOUR).set_aside
    assert 1 == mail.receive(same_id(people(5)), now=NOW + HOUR).set_aside


def test_a_lifted_address_counts_again() -> None:
    """Whoever an operator let back in would newly stop being mailed."""
    mail = crowd(20)
    mail.receive(reports(people(4)), now=NOW)
    for name in people(4):
        mail.lift(name, BOUNCE, by=Actor.OPERATOR, text="the host was down", now=NOW + MINUTE)
    assert 0 == mail.receive(reports(people(4)), now=NOW + HOUR).set_aside  # the same reports are known
    assert 4 == mail.receive(reports(people(4), batch="b2"), now=NOW + HOUR).set_aside
    assert 20 == mail.plan(SPRING, now=NOW + HOUR).sendable


def test_a_first_import_trips_nothing() -> None:
    """Whom the batch itself makes known nobody stops mailing: an export with its dead addresses is taken (F66)."""
    mail = world(breaker=TIGHT)
    done = mail.receive(reports(people(50)), now=NOW)
    assert (50, 0) == (done.contacts, done.set_aside)
    assert 50 == len(held(mail))


def test_an_import_by_an_operator_trips_nothing() -> None:
    """What is marked as an import was looked at by whoever imports it."""
    mail = crowd(20)
    assert 0 == mail.receive(reports(people(20), through=Through.IMPORT), now=NOW).set_aside
    assert people(20) == held(mail)


def test_new_contacts_of_the_batch_count_among_all() -> None:
    """The share is that of the registry as the batch leaves it."""
    mail = crowd(10)
    more: list[Statement] = [Known(who=Who(name, parse_address(address(name)))) for name in people(30)]
    assert 0 == mail.receive([*more, *reports(people(6))], now=NOW).set_aside


def test_other_reasons_are_not_counted() -> None:
    """A pause or a sunset that somebody tells of is the application's own business."""
    mail = crowd(20)
    assert 0 == mail.receive(reports(people(20), SuppressionKind.SUNSET), now=NOW).set_aside


def test_what_waits_is_not_let_in_by_being_told_again() -> None:
    """A few at a time, the same reports stay where they are until a person decides (F66)."""
    mail = crowd(20)
    mail.receive(reports(people(10)), now=NOW)
    for name in people(10):
        assert 1 == mail.receive(reports([name]), now=NOW + 2 * DAY).set_aside
    assert [] == held(mail)
    assert 10 == len(mail.aside())


@pytest.mark.parametrize("jump", [-YEARS, -2 * HOUR, -CLOCKS_APART, HOUR, DAY - MINUTE])
def test_what_is_counted_is_kept_when_a_clock_jumps(jump: timedelta) -> None:
    """Nothing says that a window is over which a clock ahead began: what it counts is carried over (F64)."""
    mail = crowd(20)
    mail.receive(reports(people(4)), now=NOW)
    assert 1 == mail.receive(reports([people(5)[4]]), now=NOW + jump).set_aside


@pytest.mark.parametrize("jump", [-YEARS, -2 * HOUR])
def test_what_is_carried_over_lasts_no_longer_than_a_window(jump: timedelta) -> None:
    """A clock that was ahead for years, and is put right, holds nobody's reports back for years (F64)."""
    mail = crowd(20)
    mail.receive(reports(people(4)), now=NOW)
    for hours, waiting in ((0, 1), (23, 1), (26, 0)):
        done = mail.receive(reports([people(5)[4]], batch=f"b{hours}"), now=NOW + jump + hours * HOUR)
        assert waiting == done.set_aside, hours


@pytest.mark.parametrize("apart", [YEARS, DAY, 2 * HOUR])
@pytest.mark.parametrize("clocks", [2, 3])
def test_workers_whose_clocks_are_apart_count_into_one_total(apart: timedelta, clocks: int) -> None:
    """By turns they let through what one may for each jump ahead, which looks like time gone by, and no more (F64)."""
    mail = crowd(40, breaker=Breaker(share=0.1, least=2))
    waiting = 0
    for place, name in enumerate(people(40)):
        now = NOW + (place % clocks) * apart + place * MINUTE
        waiting += mail.receive(reports([name]), now=now).set_aside
    assert waiting >= 40 - 4 * clocks
    assert len(held(mail)) <= 4 * clocks
    assert 4 <= len(held(mail))


def test_a_window_that_is_over_is_over_for_every_clock() -> None:
    """Days go by, some of them by two clocks: each has its limit a day, and what is long over is not kept (F64)."""
    mail = crowd(60)
    for day in range(12):
        names = people(60)[day * 5 : day * 5 + 4]
        assert 0 == mail.receive(reports(names), now=NOW + day * DAY).set_aside, day
    mark = mail.store.bookmark("breaker:bounce")
    assert mark is not None
    assert (48, 8) == (mark.place, len(mark.note.split()))


def test_the_window_is_in_the_same_transaction() -> None:
    """A batch that fails counts nothing."""
    mail = crowd(20)
    shelf(mail).fail("admit", RuntimeError("disk"))
    happened = Happened(who=Who("p0000"), kind=EventKind.OPENED, at=NOW)
    with pytest.raises(RuntimeError, match="disk"):
        mail.receive([*reports(people(4)), happened], now=NOW)
    assert (None, []) == (mail.store.bookmark("breaker:bounce"), held(mail))


# --- what waits ------------------------------------------------------------------------------------------------------


def waiting(count: int = 5) -> tuple[Lifecycle, Sequence[SetAside]]:
    """Return a crowd of twenty in which the bounces of some wait."""
    mail = crowd(20)
    mail.receive(reports(people(count)), now=NOW)
    return mail, mail.aside()


def test_accepting_writes_them_to_the_log() -> None:
    """All of them, or those that are named; what is accepted waits no more (F66)."""
    mail, aside = waiting()
    assert 2 == mail.accept_aside([aside[0].entry.id, aside[1].entry.id], now=NOW + HOUR)
    assert (2, 3) == (len(held(mail)), len(mail.aside()))
    assert 3 == mail.accept_aside(now=NOW + HOUR)
    assert (people(5), ()) == (held(mail), tuple(mail.aside()))
    assert 0 == mail.accept_aside(now=NOW + HOUR)
    assert {NOW} == {one.provenance.at for one in entries(mail, Suppression)}
    assert 5 == mail.plan(SPRING, now=NOW + HOUR).withheld["bounced"]
    assert 0 == mail.receive(reports(people(5)), now=NOW + 2 * HOUR).set_aside


def test_discarding_lets_them_be_mailed() -> None:
    """By whom and why stands in the log, and the same reports hold nobody when they come again (F66)."""
    mail, _ = waiting()
    assert 5 == mail.discard_aside(by=Actor.OPERATOR, now=NOW + HOUR, text="their 5.7.515 was told as 5.0.0")
    assert 0 == len(mail.aside())
    assert {(Actor.OPERATOR, "their 5.7.515 was told as 5.0.0")} == {
        (one.provenance.actor, one.provenance.text) for one in entries(mail, Lift)
    }
    done = mail.receive(reports(people(5)), now=NOW + 2 * HOUR)
    assert (0, 0) == (done.set_aside, done.entries)
    assert 20 == mail.plan(SPRING, now=NOW + 2 * HOUR).sendable
    # Another report of one of them is another one.
    mail.receive(reports(people(1), batch="b2"), now=NOW + 2 * HOUR)
    assert_withheld(mail.plan("spring", now=NOW + 2 * HOUR), "p0000", reason="bounced")


def test_a_discarded_complaint_leaves_no_trace() -> None:
    """Only the person withdraws a complaint, so none is written; told again, it is one (R23)."""
    mail = crowd(20)
    mail.receive(reports(people(5), COMPLAINT), now=NOW)
    assert 5 == mail.discard_aside(by=Actor.OPERATOR, now=NOW, text="a test of theirs")
    assert [] == held(mail, COMPLAINT)
    assert [] == entries(mail, Lift)
    assert 0 == mail.receive(reports(people(1), COMPLAINT), now=NOW + HOUR).set_aside
    assert_withheld(mail.plan("spring", now=NOW + HOUR), "p0000", reason="complained")


def test_names_that_do_not_wait_are_refused() -> None:
    """A wrong id is an error, and nothing is done; a reason is due."""
    mail, aside = waiting()
    ids = [aside[0].entry.id, "nowhere"]
    with pytest.raises(UnknownName, match="nowhere"):
        mail.accept_aside(ids, now=NOW)
    with pytest.raises(UnknownName, match="nowhere"):
        mail.discard_aside(ids, by=Actor.OPERATOR, now=NOW, text="x")
    with pytest.raises(InvalidInput, match="text="):
        mail.discard_aside(by=Actor.OPERATOR, now=NOW, text=" ")
    assert aside == mail.aside()


def test_what_waits_is_forgotten_with_the_person() -> None:
    """An erasure takes what waits about them too (O5)."""
    mail = crowd(20, peppers={"2026": "a pepper for tests, known to everybody"})
    mail.receive(reports(people(5)), now=NOW)
    mail.erase("p0003", by=Actor.CONTACT, now=NOW)
    assert ["p0000", "p0001", "p0002", "p0004"] == sorted(one.entry.subject.contact_id or "" for one in mail.aside())


# --- whose fault it is (R17, F66) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    ["5.7.515", "5.7.1", "550 5.7.515 Access denied, sending domain does not meet the level", "4.2.2", "421 x"],
)
def test_a_bounce_that_blames_the_sender_suppresses_nobody(status: str) -> None:
    """5.7.515 for five thousand recipients stops nobody, and is counted (R17, F66)."""
    mail = crowd(20)
    done = mail.receive(reports(people(20), status=status), now=NOW)
    assert (20, 0, 0) == (done.blocked, done.set_aside, done.entries)
    assert "20 blocked" in str(done)
    assert 20 == mail.plan(SPRING, now=NOW).sendable
    assert [] == list(mail.aside())


@pytest.mark.parametrize("status", ["", "5.1.1", "5.0.0", "550 no such user", "via 10.5.7.1: 550 5.1.1 no such user"])
def test_a_dead_address_is_dead(status: str) -> None:
    """What names a mailbox that is not there, or nothing at all, holds the address (R17)."""
    mail = crowd(20)
    done = mail.receive(reports(people(2), status=status), now=NOW)
    assert (0, 2) == (done.blocked, done.entries)
    assert people(2) == held(mail)


def test_a_complaint_is_a_complaint_whatever_its_status() -> None:
    """The rule is about bounces."""
    mail = crowd(20)
    assert 0 == mail.receive(reports(people(2), COMPLAINT, status="5.7.1"), now=NOW).blocked
    assert people(2) == held(mail, COMPLAINT)


def test_a_blocked_bounce_makes_its_contact_known_all_the_same() -> None:
    """It says that somebody is there, and holds nobody."""
    mail = world()
    (blocked,) = reports(["zoe"], status="5.7.1")
    assert (1, 1) == ((done := mail.receive([blocked], now=NOW)).contacts, done.blocked)
    mail.subscribe(address("zoe"), SPRING.to[0].key, proof="form", now=NOW)
    assert_sendable(mail.plan("spring", now=NOW), mail.contact(address("zoe")).id)


def test_a_blocked_bounce_of_a_shared_address_holds_nobody_either() -> None:
    """What blames the sender holds no address, however many use it (R17)."""
    mail = world()
    for name in ("dan", "eve"):
        mail.receive([Known(who=Who(name, parse_address(address("home"))))], now=NOW)
    done = mail.receive(reports(["home"], status="5.7.1"), now=NOW)
    assert (1, 1, 0) == (done.blocked, len(done.ambiguous), done.entries)
    done = mail.receive(reports(["home"]), now=NOW)
    assert (0, 1, 1) == (done.blocked, len(done.ambiguous), done.entries)


def test_feeding_a_batch_twice_sets_each_aside_once() -> None:
    """Told again, what waits waits once (F33)."""
    mail = crowd(20)
    batch = [*reports(people(9)), *(evolve(one) for one in reports(people(9)))]
    mail.receive(batch, now=NOW)
    mail.receive(batch, now=NOW)
    assert 9 == len(mail.aside())
