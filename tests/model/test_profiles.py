"""Engagement is folded exactly: in any order, in any parts, in any instalments."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.profiles import (
    EngagementProfile,
    Mail,
    Resolved,
    Snapshot,
    extend,
    fold,
    marks_of,
    resolve,
)
from tests.strategies import CONTACTS, histories, scheduled_histories, two_instalments

ANN = CONTACTS[0]
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOWS = st.sampled_from((1, 2, 3, 32))
STARTS = {EventKind.SENT, EventKind.DELIVERED}


def happened(kind: EventKind, hours: float, mail: str = "", **more: object) -> EngagementEvent:
    """One event, so many hours after noon."""
    return EngagementEvent(contact_id=ANN, kind=kind, at=NOON + hours * HOUR, mail=mail, **more)  # type: ignore[arg-type]


def counted(events: Iterable[EngagementEvent], window: int = 32) -> EngagementProfile:
    """Count all the events of Ann at once: what every other way to get there must agree with."""
    return fold(ANN, resolve(events), window=window)


def sent(profile: EngagementProfile) -> list[str]:
    """Name the mails of the window, newest first."""
    return [mail.id for mail in profile.mails]


class TestResolve:
    """Every event finds its mail."""

    @given(histories(), st.data())
    def test_order_of_arrival_does_not_matter(self, events: list[EngagementEvent], data: st.DataObject) -> None:
        """Whatever order events arrive in, each gets the same mail, sent at the same instant (F34)."""
        shuffled = data.draw(st.permutations(events))
        assert set(resolve(events)) == set(resolve(shuffled))

    @given(histories())
    def test_agrees_with_its_description(self, events: list[EngagementEvent]) -> None:
        """Each event is placed as the words of `resolve` say, read off one by one."""

        def sent_at(mail: str) -> int:
            mine = [e for e in events if e.mail == mail]
            sends = [e for e in mine if e.kind is EventKind.SENT]
            deliveries = [e for e in mine if e.kind is EventKind.DELIVERED]
            return min(to_micros(e.at) for e in sends or deliveries or mine)

        mails = {(sent_at(e.mail), e.mail) for e in events if e.mail}
        mails |= {(to_micros(e.at), e.id) for e in events if not e.mail and e.kind in STARTS}

        def home(one: EngagementEvent) -> tuple[int, str]:
            at = to_micros(one.at)
            if one.mail:
                return sent_at(one.mail), one.mail
            if one.kind in STARTS:
                return at, one.id
            return max((mail for mail in mails if mail[0] <= at), default=(at, ""))

        assert {e.id: home(e) for e in events} == {row.event.id: (row.mail_at, row.mail) for row in resolve(events)}
        event(f"orphans: {sum(1 for e in events if not e.mail and e.kind not in STARTS) > 0}")

    def test_a_mail_is_sent_when_its_send_says(self) -> None:
        """A send outranks an earlier delivery, which outranks an earlier open."""
        opened, delivered = happened(EventKind.OPENED, 1, "m"), happened(EventKind.DELIVERED, 2, "m")
        send = happened(EventKind.SENT, 3, "m")

        def sent_at(*events: EngagementEvent) -> set[datetime]:
            return {from_micros(row.mail_at) for row in resolve(events)}

        assert sent_at(opened) == {opened.at}
        assert sent_at(opened, delivered) == {delivered.at}
        assert sent_at(opened, delivered, send) == {send.at}

    def test_an_open_in_the_instant_of_a_send_belongs_to_it(self) -> None:
        """A mail is sent before it is opened, where both carry one stamp and neither carries a mail id."""
        send, opened = happened(EventKind.SENT, 0), happened(EventKind.OPENED, 0)
        assert {row.mail for row in resolve([opened, send])} == {send.id}

    def test_a_touch_before_the_first_mail_has_none(self) -> None:
        """A purchase before the first mail belongs to no mail, and is still counted."""
        profile = counted([happened(EventKind.CONVERTED, 0), happened(EventKind.SENT, 1, "m")])
        assert (profile.mails[0].clicked, profile.count("converted")) == (None, 1)


class TestFold:
    """Counting the parts and merging them is counting the whole."""

    @given(histories(), WINDOWS, st.data())
    def test_parts_merge_into_the_whole(self, events: list[EngagementEvent], window: int, data: st.DataObject) -> None:
        """However resolved events are split in three, their folds merge into the fold of all (F34)."""
        rows = resolve(events)
        parts: list[list[Resolved]] = [[], [], []]
        for row in rows:
            parts[data.draw(st.integers(0, 2))].append(row)
        one, two, three = (fold(ANN, part, window=window) for part in parts)
        whole = fold(ANN, rows, window=window)
        assert one.merge(two).merge(three) == whole
        assert one.merge(two.merge(three)) == whole
        assert three.merge(one).merge(two) == whole
        event(f"window overflows: {len({row.mail for row in rows if row.mail}) > window}")

    @given(histories(), WINDOWS)
    def test_counts_what_is_there(self, events: list[EngagementEvent], window: int) -> None:
        """First, last, months and the kept mails agree with a count by hand."""
        profile = counted(events, window)
        marked = [(mark, e) for e in events for mark in marks_of(e)]
        by_mark: dict[str, list[int]] = {}
        for mark, one in marked:
            by_mark.setdefault(mark, []).append(to_micros(one.at))
        assert profile.first == {mark: min(instants) for mark, instants in by_mark.items()}
        assert profile.last == {mark: max(instants) for mark, instants in by_mark.items()}
        assert profile.folded_until == max((to_micros(e.at) for e in events), default=None)
        months = Counter((one.at.strftime("%Y-%m"), mark) for mark, one in marked)
        assert months == {(month, mark): n for month, marks in profile.months.items() for mark, n in marks.items()}
        assert all(profile.count(mark) == len(instants) for mark, instants in by_mark.items())

        rows = resolve(events)
        places = sorted({(row.mail_at, row.mail) for row in rows if row.mail}, reverse=True)
        assert [(mail.at, mail.id) for mail in profile.mails] == places[:window]
        for mail in profile.mails:
            mine = [row.event for row in rows if row.mail == mail.id]
            opens = [to_micros(e.at) for e in mine if e.kind is EventKind.OPENED and e.engaging]
            clicks = [to_micros(e.at) for e in mine if e.kind is not EventKind.OPENED and e.engaging]
            assert mail.opened == min(opens, default=None)
            assert mail.clicked == min(clicks, default=None)
            assert mail.engaged == min(opens + clicks, default=None)
            assert mail.failed == any(e.kind.value in ("soft-bounced", "hard-bounced", "dropped") for e in mine)
            machine = [e for e in mine if e.evidence is Evidence.MACHINE]
            assert mail.machine == any(mark.startswith("machine-") for e in machine for mark in marks_of(e))
            assert mail.purpose is max((e.purpose for e in mine), key=list(Purpose).index)

    def test_months_are_those_of_utc(self) -> None:
        """An event of one in the morning on 1 March, two hours east of Greenwich, counts for February."""
        east = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))
        opened = EngagementEvent(contact_id=ANN, kind=EventKind.OPENED, at=east)
        assert counted([opened]).months == {"2026-02": {"opened": 1}}

    @pytest.mark.parametrize("kind", [EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.CONVERTED])
    def test_machines_are_counted_apart(self, kind: EventKind) -> None:
        """A machine's act is counted apart and engages nobody; the unknown is a person's (R18)."""
        send = happened(EventKind.SENT, 0, "m")
        scanned = counted([send, happened(kind, 1, "m", evidence=Evidence.MACHINE)])
        assert (scanned.count(kind), scanned.count(f"machine-{kind}")) == (0, 1)
        assert (scanned.mails[0].engaged, scanned.mails[0].machine) == (None, True)
        unknown = counted([send, happened(kind, 1, "m")])
        assert (unknown.count(kind), unknown.mails[0].engaged, unknown.mails[0].machine) == (
            1, to_micros(NOON + HOUR), False,
        )  # fmt: skip

    def test_purposes_are_marked_once_for_each_send(self) -> None:
        """A re-engagement mail counts when it is sent, and not again when it is delivered and opened."""
        kinds = (EventKind.SENT, EventKind.DELIVERED, EventKind.OPENED)
        profile = counted(happened(kind, 0, "m", purpose=Purpose.RE_ENGAGEMENT) for kind in kinds)
        assert (profile.count("re-engagement"), profile.mails[0].purpose) == (1, Purpose.RE_ENGAGEMENT)

    @pytest.mark.parametrize(
        "other", [EngagementProfile(contact_id=ContactId("bob")), EngagementProfile(contact_id=ANN, window=3)]
    )
    def test_strangers_do_not_merge(self, other: EngagementProfile) -> None:
        """Profiles of two contacts, or of two windows, are not merged in silence."""
        with pytest.raises(InvalidInput, match="rebuild from events"):
            EngagementProfile(contact_id=ANN).merge(other)

    @given(histories(max_size=4), histories(max_size=4))
    def test_mails_merge_in_any_order(self, one: list[EngagementEvent], two: list[EngagementEvent]) -> None:
        """Two accounts of one mail make the same mail, whichever is told first."""
        mine, yours = (
            fold(ANN, [Resolved(e, to_micros(e.at), "m", to_micros(NOON)) for e in events]).mails
            or (Mail(to_micros(NOON), "m"),)
            for events in (one, two)
        )
        assert mine[0].merge(yours[0]) == yours[0].merge(mine[0])
        assert mine[0].merge(mine[0]) == mine[0]


def check_extend(known: Sequence[EngagementEvent], new: Sequence[EngagementEvent], window: int) -> bool:
    """Extend a profile of what was known, compare with counting all, and tell whether it was extended.

    It is extended twice: by one who knows nothing of older mails, and by a door that remembers them all.
    """
    before, whole = counted(known, window), counted([*known, *new], window)
    blind = extend(before, new)
    vouched = extend(before, new, unseen={e.mail for e in new} - {e.mail for e in known})
    assert blind in (None, whole)
    assert vouched in (None, whole)
    assert blind is None or vouched is not None
    return vouched is not None


def check_instalments(events: Sequence[EngagementEvent], sizes: Sequence[int], window: int) -> int:
    """Fold in instalments, recount where told to, and compare each time; count the extensions."""
    profile, known, extended = EngagementProfile(contact_id=ANN, window=window), list[EngagementEvent](), 0
    for size in (*sizes, len(events)):
        new = events[len(known) : len(known) + size]
        after = extend(profile, new, unseen={e.mail for e in new} - {e.mail for e in known})
        known += new
        extended += after is not None and bool(new)
        profile = counted(known, window) if after is None else after
        assert profile == counted(known, window)
    return extended


class TestExtend:
    """What arrives later is added without a recount, and only where a recount would say the same."""

    @given(histories(), histories(), WINDOWS)
    def test_anything_at_any_time(self, known: list[EngagementEvent], new: list[EngagementEvent], window: int) -> None:
        """Whatever is known and whatever comes, an extended profile is that of all the events together."""
        ids = {e.id for e in known}
        event(f"extended: {check_extend(known, [e for e in new if e.id not in ids], window)}")

    @settings(max_examples=800)
    @given(two_instalments(), WINDOWS)
    def test_later_events(self, instalments: tuple[list[EngagementEvent], list[EngagementEvent]], window: int) -> None:
        """The same where all that comes is later than all that is known, so that extending is common."""
        known, new = instalments
        event(f"extended: {check_extend(known, new, window)}, something known: {bool(known)}")

    @given(histories(), st.lists(st.integers(1, 5), max_size=5), WINDOWS, st.booleans())
    def test_instalments(self, events: list[EngagementEvent], sizes: list[int], window: int, in_time: bool) -> None:
        """Instalment by instalment, with a recount where one is due, every intermediate profile is exact."""
        ordered = sorted(events, key=lambda e: e.at) if in_time else events
        event(f"extended: {check_instalments(ordered, sizes, window)} times")

    @given(scheduled_histories(), st.lists(st.integers(1, 5), max_size=6), WINDOWS)
    def test_instalments_of_a_tidy_source(self, events: list[EngagementEvent], sizes: list[int], window: int) -> None:
        """The same for a source that sends first and reports in time."""
        event(f"extended: {check_instalments(events, sizes, window)} times")

    def test_month_by_month(self) -> None:
        """A year of weekly mails, folded month by month, is the year folded at once, and needs no recount."""
        year = [
            one
            for week in range(52)
            for one in (
                happened(EventKind.SENT, 168 * week, f"m{week}"),
                *([happened(EventKind.OPENED, 168 * week + 2, f"m{week}")] if week % 3 else []),
            )
        ]
        profile = EngagementProfile(contact_id=ANN)
        for month in sorted({f"{e.at:%Y-%m}" for e in year}):
            new = [e for e in year if f"{e.at:%Y-%m}" == month]
            after = extend(profile, new, unseen={e.mail for e in new})
            assert after == counted(e for e in year if f"{e.at:%Y-%m}" <= month)
            profile = after
        assert sent(profile) == [f"m{week}" for week in reversed(range(20, 52))]

    def test_nothing_new_changes_nothing(self) -> None:
        """No new events leave the very same profile."""
        profile = counted([happened(EventKind.SENT, 0, "m")])
        assert extend(profile, []) is profile

    @pytest.mark.parametrize(
        ("why", "new"),
        [
            ("as late as the last one folded", [happened(EventKind.CLICKED, 2, "b")]),
            ("of a mail nobody saw sent", [happened(EventKind.OPENED, 3, "x")]),
            ("sends a mail of the window again", [happened(EventKind.SENT, 3, "b")]),
            ("delivers a mail of the window", [happened(EventKind.DELIVERED, 3, "b")]),
            (
                "guesses beside an older mail",
                [happened(EventKind.OPENED, 3, "b"), happened(EventKind.OPENED, 4)],
            ),
            ("sends a mail that the window dropped", [happened(EventKind.SENT, 3, "a")]),
        ],
    )
    def test_asks_for_a_recount(self, why: str, new: list[EngagementEvent]) -> None:
        """Where older events may resolve differently, the answer is to recount that contact."""
        before = counted([happened(EventKind.SENT, number, mail) for number, mail in enumerate("abc")], window=2)
        assert extend(before, new, unseen={"x"}) is None, why

    @pytest.mark.parametrize(
        "new",
        [
            [happened(EventKind.SENT, 3, "d")],
            [happened(EventKind.SENT, 3)],
            [happened(EventKind.OPENED, 3, "b"), happened(EventKind.CLICKED, 4, "b")],
            [happened(EventKind.OPENED, 3)],
            [
                happened(EventKind.OPENED, 3),
                happened(EventKind.SENT, 3, "d"),
                happened(EventKind.OPENED, 3, "d"),
            ],
            [happened(EventKind.HARD_BOUNCED, 3, "c")],
        ],
    )
    def test_needs_no_recount(self, new: list[EngagementEvent]) -> None:
        """What a source reports in time is added as it comes: sends, opens, touches without a mail."""
        known = [happened(EventKind.SENT, number, mail) for number, mail in enumerate("abc")]
        assert extend(counted(known, window=2), new, unseen={"d"}) == counted([*known, *new], window=2)

    def test_a_full_window_needs_somebody_to_vouch(self) -> None:
        """A window that is not full shows every mail; a full one may have dropped what is now sent."""
        known = [happened(EventKind.SENT, 0, "a"), happened(EventKind.SENT, 1, "b")]
        new = [happened(EventKind.SENT, 2, "c")]
        assert extend(counted(known, window=3), new) == counted([*known, *new], window=3)
        assert extend(counted(known, window=2), new) is None

    def test_keeps_what_was_counted_elsewhere(self) -> None:
        """An extended profile keeps its baseline."""
        before = EngagementProfile(contact_id=ANN).with_baseline(Snapshot(taken_at=NOON, mails=40))
        after = extend(before, [happened(EventKind.SENT, 1, "m")])
        assert after is not None
        assert after.baseline == before.baseline


@pytest.mark.long
class TestAtLength:
    """The same laws with more examples: `HYPOTHESIS_PROFILE=long pytest -m long`."""

    @given(two_instalments(), WINDOWS)
    def test_later_events(self, instalments: tuple[list[EngagementEvent], list[EngagementEvent]], window: int) -> None:
        """What comes later is added as a recount would count it."""
        check_extend(*instalments, window)

    @given(histories(max_size=25), st.lists(st.integers(1, 6), max_size=8), WINDOWS, st.booleans())
    def test_instalments(self, events: list[EngagementEvent], sizes: list[int], window: int, in_time: bool) -> None:
        """Every intermediate profile is exact, whatever the instalments."""
        check_instalments(sorted(events, key=lambda e: e.at) if in_time else events, sizes, window)

    @given(scheduled_histories(mails=15), st.lists(st.integers(1, 6), max_size=10), WINDOWS)
    def test_instalments_of_a_tidy_source(self, events: list[EngagementEvent], sizes: list[int], window: int) -> None:
        """Every intermediate profile is exact for a source that sends first and reports in time."""
        check_instalments(events, sizes, window)

    @given(histories(max_size=25), WINDOWS, st.data())
    def test_parts_merge_into_the_whole(self, events: list[EngagementEvent], window: int, data: st.DataObject) -> None:
        """However the events are split, merging the folds gives the fold of all."""
        rows = resolve(events)
        mine = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        one = fold(ANN, [row for row, first in zip(rows, mine, strict=True) if first], window=window)
        two = fold(ANN, [row for row, first in zip(rows, mine, strict=True) if not first], window=window)
        assert one.merge(two) == two.merge(one) == fold(ANN, rows, window=window)


def snapshots() -> st.SearchStrategy[Snapshot]:
    """Somebody else's counts; two may be taken at one instant."""
    return st.builds(
        Snapshot,
        taken_at=st.sampled_from((NOON, NOON + HOUR, NOON + 2 * HOUR)),
        mails=st.sampled_from((None, 3, 40)),
        last_open=st.sampled_from((None, NOON)),
    )


class TestBaseline:
    """What was counted before our own counting began."""

    @given(st.lists(snapshots(), min_size=1, max_size=4), st.data())
    def test_the_later_count_wins(self, taken: list[Snapshot], data: st.DataObject) -> None:
        """In whatever order snapshots come, merged or one by one, the one taken last counts."""

        def after(order: list[Snapshot]) -> EngagementProfile:
            profile = EngagementProfile(contact_id=ANN)
            for one in order:
                profile = profile.with_baseline(one)
            return profile

        shuffled = data.draw(st.permutations(taken))
        profile = after(taken)
        assert profile == after(shuffled)
        assert profile.baseline is not None
        assert profile.baseline.taken_at == max(one.taken_at for one in taken)
        half = len(shuffled) // 2
        assert profile == after(shuffled[half:]).merge(after(shuffled[:half]))

    @given(
        st.lists(st.tuples(st.integers(0, 90), st.booleans(), st.booleans()), max_size=15),
        st.sets(
            st.sampled_from(
                (
                    "mails",
                    "mails_30d",
                    "unopened_streak",
                    "last_open",
                    "last_click",
                    "last_sent",
                    "first_sent",
                )
            )
        ),
    )
    def test_never_knows_of_more_mails_than_there_were(
        self, mails: list[tuple[int, bool, bool]], told: set[str]
    ) -> None:
        """Whatever part of the truth is told, the mails known are a lower bound, and never none for some."""
        mails.sort(reverse=True)  # by age in days: the oldest first
        ages = [age for age, _, _ in mails]
        opened = [place for place, (_, was_opened, _) in enumerate(mails) if was_opened]
        clicked = [place for place, (_, _, was_clicked) in enumerate(mails) if was_clicked]

        def when(place: int | None) -> datetime | None:
            return None if place is None else NOON - timedelta(days=ages[place])

        truth: dict[str, int | datetime | None] = {
            "mails": len(mails),
            "mails_30d": sum(1 for age in ages if age <= 30),
            "unopened_streak": len(mails) - 1 - max(opened, default=-1),
            "last_open": when(max(opened, default=None)),
            "last_click": when(max(clicked, default=None)),
            "last_sent": when(len(mails) - 1 if mails else None),
            "first_sent": when(0 if mails else None),
        }
        snapshot = Snapshot(taken_at=NOON, **{name: truth[name] for name in told})  # type: ignore[arg-type]
        assert snapshot.mails_known <= len(mails)
        if "mails" in told:
            assert snapshot.mails_known == len(mails)
        elif any(truth[name] for name in told):
            assert snapshot.mails_known >= 1
        if {"unopened_streak", "last_open"} <= told:
            assert snapshot.mails_known >= len(mails) - max(opened, default=0)

    def test_instants_are_kept_in_utc(self) -> None:
        """A snapshot of an Estonian CRM is kept in UTC, and one without a zone is refused."""
        tallinn = timezone(timedelta(hours=2))
        snapshot = Snapshot(taken_at=NOON.astimezone(tallinn), last_open=NOON.astimezone(tallinn))
        assert (snapshot.taken_at.tzinfo, snapshot.last_open) == (UTC, NOON)
        with pytest.raises(InvalidInput, match="no time zone"):
            Snapshot(taken_at=datetime(2026, 2, 3))  # noqa: DTZ001 - this is what is refused
