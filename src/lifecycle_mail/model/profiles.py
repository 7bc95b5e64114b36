"""Engagement, folded.

A profile keeps what decisions need of a contact's events: the first and last instant of each mark, counts by UTC
month, and the latest `window` mails, each with its first open and click. Two steps make the fold exact:

1. `resolve` looks at one contact's events together and gives each the mail it belongs to and the instant at which
   that mail was sent. It does not depend on the order of arrival.
2. `fold` counts resolved events. A mail's place in the window is (sent at, mail id), which every event of that
   mail now carries, so keeping the newest K of a union equals keeping the newest K of the parts: the fold is
   associative and commutative over disjoint sets of events.

Idempotence belongs to the door, which keeps event ids for good. An event that is not later than everything folded
may change what older events resolve to, so it recounts its contact (`extend` says when).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.events import ENGAGING, FAILING, RANK, EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.instants import Micros, optional_utc, to_micros
from lifecycle_mail.model.names import ContactId

WINDOW = 32
"""How many of the latest mails a profile keeps."""

ENGAGED_MARKS = ("opened", "clicked", "replied", "converted")
"""The marks of a person's interest; a machine's carry the prefix `machine-`."""


@frozen
class Resolved:
    """An event with the mail it belongs to.

    Attributes:
        event: the event.
        mail: the mail's id; empty where no mail is known, as for a purchase before the first mail.
        mail_at: when that mail was sent, or the earliest thing known of it.
    """

    event: EngagementEvent
    at: Micros
    mail: str
    mail_at: Micros


def resolve(events: Iterable[EngagementEvent]) -> list[Resolved]:
    """Give each event of *one* contact its mail, whatever order they come in.

    A mail with an id is sent when its `sent` event says, else `delivered`, else at the earliest thing known of it.
    A `sent` or `delivered` without a mail id is a mail of its own; anything else without one belongs to the
    latest mail sent at or before it.
    """
    ordered = sorted(((to_micros(e.at), RANK[e.kind], e.id, e) for e in events), key=lambda row: row[:3])
    known: dict[str, tuple[int, Micros]] = {}  # mail -> (rank of the best witness, instant)
    for at, rank, _, event in ordered:
        if not event.mail:
            continue
        witness = min(rank, 2)  # sent beats delivered beats anything else
        best = known.get(event.mail)
        if best is None or witness < best[0]:  # rows come in time order: the first of equals is the earliest
            known[event.mail] = (witness, at)
    placed = sorted((at, mail) for mail, (_, at) in known.items())
    upcoming = 0
    latest: tuple[Micros, str] | None = None
    resolved = []
    for at, _, event_key, event in ordered:
        while upcoming < len(placed) and placed[upcoming][0] <= at:
            latest = max(latest, placed[upcoming]) if latest else placed[upcoming]
            upcoming += 1
        if event.mail:
            mail, mail_at = event.mail, known[event.mail][1]
        elif event.kind is EventKind.SENT or event.kind is EventKind.DELIVERED:
            mail, mail_at = event_key, at
            latest = max(latest, (at, mail)) if latest else (at, mail)
        elif latest is not None:
            mail_at, mail = latest
        else:
            mail, mail_at = "", at
        resolved.append(Resolved(event, at, mail, mail_at))
    return resolved


def _earlier(one: Micros | None, other: Micros | None) -> Micros | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


@frozen
class Mail:
    """One mail in the window. Instants are UTC microseconds.

    Attributes:
        at: when it was sent.
        id: its id.
        purpose: what it was for.
        opened: the first open not known to be a machine's, or None.
        clicked: the first click, reply or conversion likewise, or None.
        machine: whether a machine opened or clicked it.
        failed: whether it bounced or was dropped: then it says nothing about interest.
    """

    at: Micros
    id: str
    purpose: Purpose = Purpose.REGULAR
    opened: Micros | None = None
    clicked: Micros | None = None
    machine: bool = False
    failed: bool = False

    @property
    def engaged(self) -> Micros | None:
        """The first sign of a person's interest, or None."""
        return _earlier(self.opened, self.clicked)

    def merge(self, other: Mail) -> Mail:
        """Return what both say of the same mail."""
        return Mail(
            self.at,
            self.id,
            max(self.purpose, other.purpose, key=_PURPOSE_RANK.__getitem__),
            _earlier(self.opened, other.opened),
            _earlier(self.clicked, other.clicked),
            self.machine or other.machine,
            self.failed or other.failed,
        )


_PURPOSE_RANK = {purpose: place for place, purpose in enumerate(Purpose)}


@frozen(kw_only=True)
class Snapshot:
    """What somebody else already counted about a contact, true at `taken_at`.

    Attributes:
        taken_at: the instant of counting (aware, UTC).
        last_open, last_click, last_sent, first_sent: aware UTC instants, or None where it never happened or
            nobody knows.
        mails: mails delivered in all, or None.
        mails_30d: mails in the 30 days before `taken_at`, or None.
        unopened_streak: mails since the last open (all of them, if none was ever opened), or None.
        opened_share: share of the last ten mails that were opened, 0 to 1, or None.
    """

    taken_at: datetime = field(converter=optional_utc)
    last_open: datetime | None = field(default=None, converter=optional_utc)
    last_click: datetime | None = field(default=None, converter=optional_utc)
    last_sent: datetime | None = field(default=None, converter=optional_utc)
    first_sent: datetime | None = field(default=None, converter=optional_utc)
    mails: int | None = None
    mails_30d: int | None = None
    unopened_streak: int | None = None
    opened_share: float | None = None

    @property
    def mails_known(self) -> int:
        """The fewest mails that fit what was counted."""
        opened = 1 if self.last_open is not None else 0
        ever = (self.last_open, self.last_click, self.last_sent, self.first_sent) != (None, None, None, None)
        return max(self.mails or 0, self.mails_30d or 0, (self.unopened_streak or 0) + opened, int(ever))


@frozen(kw_only=True)
class EngagementProfile:
    """What decisions need of a contact's events. Instants are UTC microseconds.

    Attributes:
        contact_id: whose.
        window: how many mails are kept.
        mails: the latest ones, newest first.
        first, last: for each mark (sent, delivered, opened, clicked, machine-opened, re-engagement ...) its
            earliest and latest instant.
        months: for each UTC month (`2026-02`) how often each mark occurred.
        folded_until: the latest instant folded, or None.
        baseline: what was counted before our own counting began, or None.
    """

    contact_id: ContactId
    window: int = WINDOW
    mails: tuple[Mail, ...] = ()
    first: Mapping[str, Micros] = field(factory=dict)
    last: Mapping[str, Micros] = field(factory=dict)
    months: Mapping[str, Mapping[str, int]] = field(factory=dict)
    folded_until: Micros | None = None
    baseline: Snapshot | None = None

    def count(self, mark: str) -> int:
        """How often a mark occurred in all."""
        return sum(counts.get(mark, 0) for counts in self.months.values())

    def merge(self, other: EngagementProfile) -> EngagementProfile:
        """Return the profile of both, exact where they were folded from disjoint resolved events."""
        if (self.contact_id, self.window) != (other.contact_id, other.window):
            raise InvalidInput("profiles of different contacts or windows do not merge: rebuild from events")
        mails = {(mail.at, mail.id): mail for mail in self.mails}
        for mail in other.mails:
            twin = mails.get((mail.at, mail.id))
            mails[mail.at, mail.id] = mail if twin is None else twin.merge(mail)
        newest = sorted(mails, reverse=True)[: self.window]
        months = {month: dict(counts) for month, counts in self.months.items()}
        for month, counts in other.months.items():
            mine = months.setdefault(month, {})
            for mark, count in counts.items():
                mine[mark] = mine.get(mark, 0) + count
        last = dict(self.last)
        first = dict(self.first)
        for mark, at in other.last.items():
            last[mark] = max(at, last.get(mark, at))
        for mark, at in other.first.items():
            first[mark] = min(at, first.get(mark, at))
        ends = [end for end in (self.folded_until, other.folded_until) if end is not None]
        return EngagementProfile(
            contact_id=self.contact_id,
            window=self.window,
            mails=tuple(mails[place] for place in newest),
            first=first,
            last=last,
            months=months,
            folded_until=max(ends, default=None),
            baseline=_newer(self.baseline, other.baseline),
        )

    def with_baseline(self, snapshot: Snapshot) -> EngagementProfile:
        """Return the profile with what was counted elsewhere; of two snapshots the later taken one counts."""
        return evolve(self, baseline=_newer(self.baseline, snapshot))


def _newer(one: Snapshot | None, other: Snapshot | None) -> Snapshot | None:
    found = [snapshot for snapshot in (one, other) if snapshot is not None]
    return max(found, key=lambda s: (s.taken_at, repr(s)), default=None)


def marks_of(event: EngagementEvent) -> tuple[str, ...]:
    """Return what an event counts as."""
    if event.kind is EventKind.SENT and event.purpose is not Purpose.REGULAR:
        return (event.kind.value, event.purpose.value)
    if event.kind in ENGAGING and event.evidence is Evidence.MACHINE:
        return (f"machine-{event.kind.value}",)
    return (event.kind.value,)


def fold(
    contact_id: ContactId, events: Iterable[Resolved], *, window: int = WINDOW, baseline: Snapshot | None = None
) -> EngagementProfile:
    """Count distinct resolved events of one contact.

    Args:
        contact_id: whose they are.
        events: what `resolve` returned, or any part of it.
        window: how many of the latest mails to keep.
        baseline: what was counted elsewhere.
    """
    first: dict[str, Micros] = {}
    last: dict[str, Micros] = {}
    months: dict[str, dict[str, int]] = {}
    mails: dict[tuple[Micros, str], list[Resolved]] = {}
    until: Micros | None = None
    for row in events:
        event, at = row.event, row.at
        counts = months.setdefault(f"{event.at.year:04d}-{event.at.month:02d}", {})
        for mark in marks_of(event):
            counts[mark] = counts.get(mark, 0) + 1
            if mark not in last or at > last[mark]:
                last[mark] = at
            if mark not in first or at < first[mark]:
                first[mark] = at
        if until is None or at > until:
            until = at
        if row.mail:
            mails.setdefault((row.mail_at, row.mail), []).append(row)
    newest = sorted(mails, reverse=True)[:window]
    return EngagementProfile(
        contact_id=contact_id,
        window=window,
        mails=tuple(_mail(place, mails[place]) for place in newest),
        first=first,
        last=last,
        months=months,
        folded_until=until,
        baseline=baseline,
    )


def _mail(place: tuple[Micros, str], rows: Sequence[Resolved]) -> Mail:
    at, mail = place
    opened: Micros | None = None
    clicked: Micros | None = None
    machine = failed = False
    purpose = Purpose.REGULAR
    for row in rows:
        event = row.event
        if event.purpose is not purpose:
            purpose = max(purpose, event.purpose, key=_PURPOSE_RANK.__getitem__)
        if event.kind in FAILING:
            failed = True
        elif event.kind in ENGAGING:
            if event.evidence is Evidence.MACHINE:
                machine = True
            elif event.kind is EventKind.OPENED:
                opened = _earlier(opened, row.at)
            else:
                clicked = _earlier(clicked, row.at)
    return Mail(at, mail, purpose, opened, clicked, machine, failed)


def extend(
    profile: EngagementProfile, events: Sequence[EngagementEvent], *, unseen: Container[str] = ()
) -> EngagementProfile | None:
    """Fold new events into a profile, or return None where that contact must be recounted from all its events.

    A recount is due when older events may resolve differently, or the window does not show what new ones refer to:
    an event is not later than all that is folded, speaks of a mail that neither the window nor these events show
    being sent, sends a mail again that the window shows, or has no mail id while others refer to older mails. A
    full window may have dropped a mail that is now sent again; only the door can tell, and vouches for the others.

    Args:
        profile: what is folded already.
        events: distinct events that are not folded yet.
        unseen: ids of mails that no folded event speaks of.
    """
    if not events:
        return profile
    places = {mail.id: mail.at for mail in profile.mails}
    starting = {e.mail for e in events if e.mail and e.kind in (EventKind.SENT, EventKind.DELIVERED)}
    referring = {e.mail for e in events if e.mail} - starting
    guessing = any(not e.mail for e in events)
    if profile.folded_until is not None and (
        any(to_micros(event.at) <= profile.folded_until for event in events)
        or referring - places.keys()
        or starting & places.keys()
        or (len(profile.mails) >= profile.window and any(mail not in unseen for mail in starting))
        or (guessing and referring)
    ):
        return None
    before = profile.mails[0] if profile.mails else None
    resolved = []
    for row in resolve(events):
        if row.event.mail in places:
            resolved.append(evolve(row, mail_at=places[row.event.mail]))
        elif not row.mail and before is not None:
            resolved.append(evolve(row, mail=before.id, mail_at=before.at))
        else:
            resolved.append(row)
    return profile.merge(fold(profile.contact_id, resolved, window=profile.window))
