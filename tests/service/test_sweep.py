"""Sweeping: what webhooks missed is found, and no old backup lets anybody be mailed who is out (F13, F20, F32)."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import CampaignRefused, EspUnavailable, Misconfigured
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import Consent, OptOut, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Held, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Capabilities, Capability, Store
from lifecycle_mail.service import Lifecycle, Received
from lifecycle_mail.service.leasing import LEASE
from lifecycle_mail.service.sweeping import together
from lifecycle_mail.testing import said
from tests.service.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OFFERS,
    PROOF,
    Meddling,
    address,
    entries,
    fake,
    left,
    mailed,
    needs_confirmation,
    shelf,
    world,
)

ALL = Scope.all()
LISTS_ONLY = frozenset({Capability.SINGLE_MAILS, Capability.OPT_OUT_LIST, Capability.OPT_OUTS})
MARK = "sweep:memory"


def leave(mail: Lifecycle, name: str, *, at: datetime = NOW) -> None:
    """Let somebody leave by the ESP's own link."""
    fake(mail).unsubscribe(parse_address(address(name)), ALL, at=at)


def lose_news(mail: Lifecycle) -> None:
    """Let everything that the ESP would report be lost: its webhooks failed for longer than it tries."""
    esp = fake(mail)
    esp.acknowledge(esp.reports(now=NOW + 3650 * DAY))


def standing(mail: Lifecycle, name: str) -> ListStanding:
    """Return how somebody stands with Offers in the end."""
    return mail.standing(name, OFFERS, now=NOW + 100 * DAY)


def asked_since(mail: Lifecycle) -> list[datetime | None]:
    """Return since when the ESP is asked for who is out, from now on."""
    esp, found = fake(mail), list[datetime | None]()
    listing = esp.opt_outs

    def opt_outs(*, since: datetime | None, now: datetime) -> Iterable[Statement]:
        found.append(since)
        return listing(since=since, now=now)

    esp.opt_outs = opt_outs  # type: ignore[method-assign]
    return found


class Hasty(MemoryEsp):
    """An ESP that lists what it dates later than now."""

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Say who is out, whenever that will be."""
        return super().opt_outs(since=since, now=now + 7300 * DAY)


# --- what a sweep takes ---------------------------------------------------------------------------------------------


def test_a_sweep_finds_what_webhooks_missed() -> None:
    """Who is out there is out here, and a second sweep finds nothing new (F31, F32)."""
    mail = world("ada", "bob")
    leave(mail, "ada")
    lose_news(mail)
    assert 0 == mail.fetch(now=NOW + DAY).entries
    found = mail.sweep(now=NOW + DAY)
    assert found is not None
    assert (1, 1) == (found.statements, found.entries)
    assert (ListStanding.OUT_OF_ALL, ListStanding.ACTIVE) == (standing(mail, "ada"), standing(mail, "bob"))
    again = mail.sweep(now=NOW + DAY + MINUTE)
    assert again is not None
    assert 0 == again.entries


def test_a_sweep_takes_the_news_too() -> None:
    """Opens and clicks, acknowledged when they are stored; and a no that comes both ways counts once (E3, F33)."""
    mail = world("ada")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    fake(mail).happen(EventKind.OPENED, fake(mail).outbox[0], at=NOW + MINUTE)
    leave(mail, "ada", at=NOW + HOUR)
    found = mail.sweep(now=NOW + DAY)
    assert found is not None
    assert (3, 1, 1) == (found.statements, found.entries, found.events)
    assert [] == fake(mail).reports(now=NOW + DAY)


def test_a_sweep_reads_from_an_hour_before_the_latest_that_the_esp_has_named() -> None:
    """The first reads everything, and so does each until the ESP has named an instant; lists may lag a little (F32)."""
    mail = world("ada", "bob")
    since = asked_since(mail)
    mail.sweep(now=NOW)
    leave(mail, "ada", at=NOW + HOUR)
    for hours in (5, 24):
        mail.sweep(now=NOW + hours * HOUR)
    leave(mail, "bob", at=NOW + 30 * HOUR)
    for hours in (31, 48):
        mail.sweep(now=NOW + hours * HOUR)
    assert [None, None, NOW, NOW, NOW + 29 * HOUR] == since
    mark = mail.store.bookmark(MARK)
    assert mark is not None
    assert NOW + 48 * HOUR == mark.at


def test_a_sweep_never_reads_from_later_than_the_last() -> None:
    """An ESP whose clock runs a little ahead, or that names an instant years ahead, hides nobody (F64)."""
    mail = world("ada", "bob", esp=Hasty())
    since = asked_since(mail)
    leave(mail, "ada", at=NOW + 30 * MINUTE)
    leave(mail, "bob", at=NOW + 3650 * DAY)
    mail.sweep(now=NOW)
    mail.sweep(now=NOW + HOUR)
    assert [None, NOW - HOUR] == since


def test_an_esp_that_dates_nothing_is_read_whole() -> None:
    """What is stamped with the instant of our looking says nothing of the ESP's clock (F64)."""

    class Undated(MemoryEsp):
        def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
            assert since is None
            return [left("ada", ALL, at=now, dated=False)]

    mail = world("ada", esp=Undated())
    since = asked_since(mail)
    for hours in range(3):
        mail.sweep(now=NOW + hours * HOUR)
    assert [None] * 3 == since


@pytest.mark.parametrize(("ahead", "expected"), [(3650 * DAY, None), (2 * HOUR, None), (30 * MINUTE, NOW - 25 * HOUR)])
def test_a_bookmark_from_the_future_is_not_believed(ahead: timedelta, expected: datetime | None) -> None:
    """A clock that was years ahead would hide every no until then: everything is read again (F64)."""
    mail = world("ada", "bob")
    leave(mail, "bob", at=NOW - DAY)
    mail.sweep(now=NOW + ahead)
    leave(mail, "ada")
    since = asked_since(mail)
    mail.sweep(now=NOW)
    assert [expected] == since
    assert ListStanding.OUT_OF_ALL is standing(mail, "ada")


@pytest.mark.parametrize("earlier", [[], ["bob"]], ids=["nobody had left", "somebody had"])
def test_a_clock_that_is_years_ahead_and_stays_so_hides_no_no(earlier: list[str]) -> None:
    """Whoever leaves at the ESP by its clock is found by ours, and others are mailed: nothing goes unscreened (F64)."""
    mail = world("ada", "bob", "cem")
    ahead = NOW + 3650 * DAY
    for name in earlier:
        leave(mail, name, at=NOW)
    mail.sweep(now=ahead)
    leave(mail, "ada", at=NOW + HOUR)
    lose_news(mail)
    mail.sweep(now=ahead + 2 * HOUR)
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=ahead + 3 * HOUR)
    mail.send(mail.plan("spring", now=ahead + 3 * HOUR), now=ahead + 3 * HOUR)
    assert sorted({"bob", "cem"} - set(earlier)) == mailed(mail)


def test_a_sweep_is_received_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the list, no transaction is longer than a chunk (F68)."""
    monkeypatch.setattr("lifecycle_mail.service.sweeping.LARGEST_CHUNK", 2)
    names = [f"c{n}" for n in range(5)]
    mail = world(*names, esp=MemoryEsp(capabilities={Capability.OPT_OUT_LIST}))
    for name in names:
        leave(mail, name)
    lose_news(mail)
    found = mail.sweep(now=NOW)
    assert found is not None
    assert (5, 5) == (found.statements, found.entries)


def test_a_sweep_that_fails_begins_anew() -> None:
    """Whatever call fails, the bookmark stays where it was, and nothing is missed (E2)."""
    for operation in ("reports", "acknowledge", "opt_outs"):
        mail = world("ada", "bob")
        leave(mail, "bob")
        mail.sweep(now=NOW)
        leave(mail, "ada", at=NOW + HOUR)
        fake(mail).fail(operation, EspUnavailable)
        with pytest.raises(EspUnavailable):
            mail.sweep(now=NOW + 2 * HOUR)
        since = asked_since(mail)
        mail.sweep(now=NOW + 3 * HOUR)
        assert [NOW - HOUR] == since
        assert ListStanding.OUT_OF_ALL is standing(mail, "ada")
        assert 2 == len(entries(mail, OptOut))


def test_a_sweep_brings_nobody_back() -> None:
    """Who is out here and not there stays out, and the ESP hears of it (F30)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.sweep(now=NOW)
    assert ListStanding.OUT_OF_ALL is standing(mail, "ada")
    mail.drain(now=NOW)
    assert [parse_address(address("ada"))] == [who for who, _ in fake(mail).suppressed]


def test_a_sweep_does_not_throw_out_who_came_back() -> None:
    """The list still shows what we told the ESP before: an echo, and no second no (O4, F33)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    lose_news(mail)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.sweep(now=NOW + DAY)
    assert ListStanding.ACTIVE is standing(mail, "ada")


def test_dead_addresses_and_complaints_come_with_a_sweep() -> None:
    """Whatever the ESP lists holds mail back here too (F31)."""

    class Listing(MemoryEsp):
        def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
            yield from super().opt_outs(since=since, now=now)
            for name, kind in (("ada", SuppressionKind.BOUNCE), ("bob", SuppressionKind.COMPLAINT)):
                why = said(Actor.ESP, at=NOW, through=Through.WEBHOOK, source=self.name)
                yield Held(who=Who(None, parse_address(address(name))), kind=kind, provenance=why)

    mail = world("ada", "bob", esp=Listing())
    mail.sweep(now=NOW)
    assert {"bounced": 1, "complained": 1} == mail.plan("spring", now=NOW).withheld


def test_an_esp_that_can_only_report_or_only_list_is_swept_for_that() -> None:
    """What it cannot do is not asked of it, and one that can neither is an error (E1)."""
    reporting = world("ada", esp=MemoryEsp(capabilities={Capability.REPORTS}))
    leave(reporting, "ada")
    assert reporting.sweep(now=NOW) is not None
    assert ListStanding.OUT_OF_ALL is standing(reporting, "ada")
    assert "opt_outs" not in fake(reporting).calls
    assert reporting.store.bookmark(MARK) is None

    class Bare:
        name = "bare"
        capabilities = Capabilities.of(())

    with pytest.raises(Misconfigured, match="bare"):
        world("ada", esp=Bare()).sweep(now=NOW)

    class Lists(Bare):
        capabilities = Capabilities.of({Capability.OPT_OUT_LIST})

        def opt_outs(self, **_: object) -> Iterable[Statement]:
            return [left("ada", ALL, source="bare", event_id="b1")]

    listing = world("ada", esp=Lists())
    found = listing.sweep(now=NOW)
    assert found is not None
    assert 1 == found.entries


def test_what_became_of_two_batches_adds_up() -> None:
    """Every number and every list of `Received`."""
    one = Received(statements=2, contacts=1, entries=1, widened=(left("ada", ALL),))
    other = Received(statements=3, events=2, widened=(left("bob", ALL),))
    both = together(one, other)
    assert (5, 1, 1, 2, 2) == (both.statements, both.contacts, both.entries, both.events, len(both.widened))
    assert one == together(one, Received())


# --- one at a time --------------------------------------------------------------------------------------------------


def test_of_two_sweeps_at_once_one_runs() -> None:
    """The second is told so by None, and nothing is asked of the ESP twice (F20)."""
    esp = Meddling()
    mail = world("ada", esp=esp)
    leave(mail, "ada")
    others: list[Received | None] = []
    esp.before["opt_outs"] = lambda: others.append(world(store=mail.store, esp=esp).sweep(now=NOW))
    assert mail.sweep(now=NOW) is not None
    assert [None] == others
    assert (1, 1) == (esp.calls.count("reports"), esp.calls.count("opt_outs"))
    assert world(store=mail.store, esp=esp).sweep(now=NOW) is not None


def test_a_dead_sweep_holds_nobody_up_for_long() -> None:
    """Its lease runs out by itself (F20)."""
    mail = world("ada")
    mail.store.begin(MARK, "dead", at=NOW, until=NOW + LEASE)
    assert mail.sweep(now=NOW) is None
    assert mail.sweep(now=NOW + LEASE) is not None


def test_a_sweep_that_was_overtaken_stops_and_leaves_the_bookmark() -> None:
    """Slower than its lease, and another has begun: what it took is taken, the rest is the other's (F20)."""
    seconds = [0.0]
    names = ["ada", "bob"]

    class Slow(MemoryEsp):
        def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
            for statement in super().opt_outs(since=since, now=now):
                yield statement
                seconds[0] += 2 * LEASE.total_seconds()
                mail.store.begin(MARK, "another", at=NOW + timedelta(seconds=seconds[0]), until=NOW + 10 * LEASE)

    mail = world(*names, esp=Slow(), ticks=lambda: seconds[0])
    for name in names:
        leave(mail, name)
    lose_news(mail)
    assert mail.sweep(now=NOW) is None
    assert mail.store.bookmark(MARK) is None


# --- before a send --------------------------------------------------------------------------------------------------


def test_the_first_send_sweeps_and_later_ones_for_an_hour_do_not() -> None:
    """A process that starts does not know what was restored while it was away (F13)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=LISTS_ONLY))
    since = asked_since(mail)
    leave(mail, "bob")
    lose_news(mail)
    plan = mail.plan("spring", now=NOW)
    report = mail.send(plan, now=NOW)
    assert (1, {"out-of-all": 1}) == (report.sent, report.withheld)
    mail.send(plan, now=NOW + 59 * MINUTE)
    assert 1 == len(since)
    mail.send(plan, now=NOW + HOUR)
    mail.send(plan, now=NOW + HOUR)
    assert 2 == len(since)
    mail.send(plan, now=NOW)  # the clock was set back: who knows what has been done since (F64)
    assert 3 == len(since)
    world(store=mail.store, esp=mail.esp).send(plan, now=NOW + HOUR)
    assert 4 == len(since)


def test_how_long_a_sweep_is_good_for_is_a_setting() -> None:
    """And one that was asked for counts as well."""
    mail = world("ada", sweep_every=DAY)
    since = asked_since(mail)
    mail.sweep(now=NOW)
    plan = mail.plan("spring", now=NOW)
    for hours in (0, 1, 23):
        mail.send(plan, now=NOW + hours * HOUR)
    assert 1 == len(since)
    mail.send(plan, now=NOW + DAY)
    assert 2 == len(since)


def test_an_esp_that_cannot_list_is_not_swept_before_a_send() -> None:
    """There is nothing to ask it for (E1)."""
    mail = world("ada", esp=MemoryEsp(capabilities={Capability.SINGLE_MAILS}))
    assert 1 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent
    assert ["send"] == fake(mail).calls


@pytest.mark.parametrize("operation", ["reports", "opt_outs", "acknowledge"])
def test_when_the_sweep_fails_nothing_is_sent(operation: str) -> None:
    """The report says why, everybody is accounted for, and the next call sends (F13, F12)."""
    mail = world("ada", "bob")
    plan = mail.plan("spring", now=NOW)
    fake(mail).fail(operation, EspUnavailable, status=503)
    report = mail.send(plan, now=NOW)
    assert (0, 2) == (report.sent, report.returned)
    assert f"stopped: memory answered 503 to {operation}" in str(report)
    assert [] == mailed(mail)
    assert 2 == mail.send(plan, now=NOW).sent


def test_while_another_sweeps_nothing_is_sent() -> None:
    """Nobody waits: the caller is told to come again (F20)."""
    mail = world("ada")
    plan = mail.plan("spring", now=NOW)
    mail.store.begin(MARK, "another", at=NOW, until=NOW + LEASE)
    with pytest.raises(CampaignRefused, match="another worker is sweeping memory: call again"):
        mail.send(plan, now=NOW)
    assert [] == mailed(mail)
    mail.store.finish(MARK, "another")
    assert 1 == mail.send(plan, now=NOW).sent


# --- F13: an old backup ---------------------------------------------------------------------------------------------


def backup(store: Store) -> MemoryStore:
    """Return a copy of all that a send and a sweep rest on, as it is now."""
    old = MemoryStore()
    for record in store.records():
        old.append([record.entry], at=record.recorded_at)
    old.put(list(store.each()))
    for mark in store.bookmarks():
        old.mark(mark)
    return old


def restore(mail: Lifecycle, old: MemoryStore, *, running: bool) -> Lifecycle:
    """Put an old backup in the place of the store: under a process that runs on, or before a new one starts."""
    if not running:
        return world(store=old, esp=mail.esp)
    mail.store = old
    mail._reader.store = old
    mail._consents.store = old
    return mail


@pytest.mark.parametrize("running", [False, True], ids=["a new process", "a running one"])
def test_nobody_who_opted_out_is_mailed_from_an_old_backup(running: bool) -> None:
    """Half of the log is gone and the ESP knows the noes: they are read anew before anything is sent (F13)."""
    names = ["ada", "bob", "cem", "dee", "eve"]
    mail = world(*names)
    mail.sweep(now=NOW - 5 * HOUR)
    mail.opt_out("ada", scope=ALL, now=NOW - 4 * HOUR)
    mail.drain(now=NOW - 4 * HOUR)
    old = backup(mail.store)
    mail.opt_out("bob", scope=ALL, now=NOW - 3 * HOUR)  # told to the ESP by us
    mail.drain(now=NOW - 3 * HOUR)
    leave(mail, "cem", at=NOW - 2 * HOUR)  # told to us by the ESP
    mail.sweep(now=NOW - HOUR)
    leave(mail, "dee", at=NOW - 2 * MINUTE)
    mail.sweep(now=NOW - MINUTE)
    lose_news(mail)
    restored = restore(mail, old, running=running)
    assert 4 == restored.plan("spring", now=NOW).sendable
    restored.send(restored.plan("spring", now=NOW), now=NOW)
    assert ["eve"] == mailed(restored)
    for name in ("bob", "cem", "dee"):
        assert ListStanding.OUT_OF_ALL is restored.standing(name, OFFERS, now=NOW)


ACTS = st.tuples(st.sampled_from(["here", "there", "sweep", "drain", "fetch", "backup"]), st.integers(0, 3))


@given(st.lists(ACTS, max_size=12), st.booleans())
def test_whatever_was_lost_with_the_backup_no_no_that_the_esp_knows_is_overlooked(
    acts: list[tuple[str, int]], running: bool
) -> None:
    """For every history, and every age of the backup: who is out at the ESP gets nothing (F13, F31)."""
    names = [f"c{n}" for n in range(4)]
    mail = world(*names)
    old = backup(mail.store)
    for number, (act, who) in enumerate(acts):
        now = NOW - DAY + number * HOUR
        match act:
            case "here":
                mail.opt_out(names[who], scope=ALL, now=now)
            case "there":
                leave(mail, names[who], at=now)
            case "sweep":
                mail.sweep(now=now)
            case "drain":
                mail.drain(now=now)
            case "fetch":
                mail.fetch(now=now)
            case "backup":
                old = backup(mail.store)
    lose_news(mail)
    restored = restore(mail, old, running=running)
    out = {str(who) for who, _ in fake(mail).suppressed}
    restored.send(restored.plan("spring", now=NOW), now=NOW)
    assert out.isdisjoint(map(address, mailed(restored)))


def test_a_store_that_was_replaced_within_the_hour_is_noticed() -> None:
    """The bookmark is older than what this process has seen: it sweeps again, however lately it swept (F13)."""
    mail = world("ada")
    mail.sweep(now=NOW - MINUTE)
    old = backup(mail.store)
    leave(mail, "ada", at=NOW)
    mail.sweep(now=NOW)
    for n in range(9):  # and the log has grown since
        old.append(entries(world(f"c{n}"), Consent), at=NOW + MINUTE)
    assert old.position() > mail.store.position()
    restored = restore(mail, old, running=True)
    assert ListStanding.ACTIVE is standing(restored, "ada")
    restored.send(restored.plan("spring", now=NOW + MINUTE), now=NOW + MINUTE)
    assert [] == mailed(restored)


def test_a_log_that_has_become_shorter_is_noticed() -> None:
    """A backup that was made after the last sweep: what this process has seen since is gone, so it sweeps (F13)."""
    mail = world("ada", "bob")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    old = backup(mail.store)
    leave(mail, "ada", at=NOW + MINUTE)
    mail.fetch(now=NOW + MINUTE)
    again = Campaign("again", to=[OFFERS])
    mail.send(mail.plan(again, now=NOW + MINUTE), now=NOW + MINUTE)
    restored = restore(mail, old, running=True)
    third = Campaign("third", to=[OFFERS])
    restored.send(restored.plan(third, now=NOW + 2 * MINUTE), now=NOW + 2 * MINUTE)
    assert ["bob"] == mailed(restored, "third")


def test_a_sweep_marks_mails_in_flight() -> None:
    """A no that the ESP took after hand-off is noted on the mail when the sweep finds it (F18)."""
    mail = world("ada")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    leave(mail, "ada", at=NOW + MINUTE)
    lose_news(mail)
    mail.sweep(now=NOW + HOUR)
    assert NOW + HOUR == mail.store.claims_of(ContactId("ada"))[0].opted_out_at
    assert isinstance(shelf(mail), MemoryStore)


def test_calls_of_a_sweep_come_in_a_safe_order() -> None:
    """News are acknowledged after they are stored, and the bookmark is set after the list is (E2)."""
    mail = world("ada")
    leave(mail, "ada")
    order: list[str] = []

    def note(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object, **named: object) -> object:
            order.append(name)
            return call(*arguments, **named)

        return noted

    for port, name in ((mail.esp, "reports"), (mail.esp, "acknowledge"), (mail.esp, "opt_outs")):
        setattr(port, name, note(name, getattr(port, name)))
    for name in ("append", "mark", "begin", "finish"):
        setattr(mail.store, name, note(name, getattr(mail.store, name)))
    mail.sweep(now=NOW)
    assert ["begin", "reports", "append", "acknowledge", "opt_outs", "append", "mark", "finish"] == order
