"""A breaker: what would stop mailing too many at once stops itself and asks (F64, F66, F67).

Suppressing somebody by mistake looks like nothing at all: the mail just does not go. So a run of the policy that would
sunset more than a share of all contacts writes nothing, and says how to confirm. And dead addresses and complaints
that others report, beyond that share within a day, are not written to the log but set aside, a whole batch of them,
until a person has looked: an ESP that takes its own trouble for that of 5,000 recipients suppresses nobody.

What is never held back: a person's no, in whatever number. What is not counted: what an operator imports as such, whom
the same batch makes known, since nobody stops being mailed by a first import, and who is stopped already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import BreakerOpen, InvalidInput, UnknownName
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import Entry, Lift, Suppression, SuppressionKind
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.provenance import Provenance, Through
from lifecycle_mail.policy.deciding import ContactDecision
from lifecycle_mail.policy.sunset import Action
from lifecycle_mail.ports import CLOCKS_APART, Bookmark, Marks, SetAside, Store
from lifecycle_mail.service.reading import Reader, chunks

REPORTED = (SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT)
"""The kinds that others report, and that may be wrong about many people at once."""


def _share(_instance: object, _attribute: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(f"share {value!r}: give a share of all contacts from 0 to 1")


def _least(_instance: object, _attribute: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"least {value!r}: give a whole number, zero or more")


def _span(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise InvalidInput(f"per {value!r}: give a timedelta above zero")


@frozen
class Breaker:
    """How many may stop being mailed at once before somebody is asked.

    Attributes:
        share: of all contacts.
        least: so many may in any case, however few contacts there are.
        per: the time in which reports of dead addresses and complaints are counted together.
    """

    share: float = field(default=0.2, validator=_share)
    least: int = field(default=50, validator=_least)
    per: timedelta = field(default=timedelta(days=1), validator=_span)

    def limit(self, of: int) -> int:
        """Return how many of so many contacts may."""
        return max(self.least, int(self.share * of))


def require_plausible(
    rows: Sequence[ContactDecision], breaker: Breaker, reader: Reader, *, now: datetime, confirm: int | None
) -> None:
    """Count whom decisions would newly sunset.

    Raises:
        BreakerOpen: they are more than the limit, and more than were confirmed.
    """
    falling = [row for row in rows if row.action.outcome == Action.SUNSET and not _is_sunset(row.subject.person, now)]
    if len(falling) <= breaker.least:
        return
    of = reader.store.count()
    limit = breaker.limit(of)
    allowed = max(limit, confirm or 0)
    # A run that was applied already stops nobody anew: asked of the log where it decides.
    count = _still_mailed(falling, reader, now) if len(falling) > allowed else 0
    if count > allowed:
        fix = (
            "nothing was done; look at the decisions, at the clock, and at whether events still arrive, "
            f"and if it is right, apply them with confirm={count}"
        )
        raise BreakerOpen("this run", count=count, of=of, limit=limit, fix=fix)


def _is_sunset(person: Person, now: datetime) -> bool:
    return SuppressionKind.SUNSET in person.held_by(now=now)


def _still_mailed(rows: Iterable[ContactDecision], reader: Reader, now: datetime) -> int:
    found = 0
    for chunk in chunks(rows):
        contacts = reader.store.get([row.contact_id for row in chunk])
        found += sum(1 for person in reader.people(list(contacts.values())) if not _is_sunset(person, now))
    return found


def sift(
    entries: Sequence[Entry], breaker: Breaker, store: Store, *, new: Collection[ContactId], now: datetime
) -> tuple[Sequence[Entry], Sequence[SetAside]]:
    """Part what may be written from what has to wait, in a transaction, and count what was let through.

    Args:
        entries: what a batch says.
        breaker: the limit.
        store: holds what is known already, and the count.
        new: contacts that the batch has made known.
        now: when it came.
    """
    reports: dict[SuppressionKind, list[Suppression]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Suppression) and entry.kind in REPORTED and _counts(entry, new):
            reports[entry.kind].append(entry)
    if not reports:
        return entries, ()
    keys = {one.subject.key for said in reports.values() for one in said if one.subject.key is not None}
    marks, waits = store.marks(keys), {one.entry.id: one.why for one in store.aside()}
    waiting: list[SetAside] = []
    for kind, said in sorted(reports.items()):
        # What waits for a decision is not let in by being told again, a few at a time.
        waiting += [SetAside(entry=one, why=waits[one.id], at=now) for one in said if one.id in waits]
        stopping = [one for one in said if one.id not in waits and _stops(one, marks, store)]
        people = {_whom(one) for one in stopping}
        count = _counted(store, kind).at(now, breaker.per)
        of = store.count()
        total, limit = count.current + len(people), breaker.limit(of)
        if total > limit:
            why = f"{kind}: {total:,} of {of:,} contacts would stop being mailed within {breaker.per}, {limit:,} may"
            waiting += [SetAside(entry=one, why=why, at=now) for one in stopping]
            people = set()
        if stopping:  # also where all of them wait: the window has begun, and ends
            store.mark(Bookmark(name=f"breaker:{kind}", place=count.total + len(people), at=now, note=count.note))
    held = {id(one.entry) for one in waiting}
    return [one for one in entries if id(one) not in held], waiting


def _counts(entry: Suppression, new: Collection[ContactId]) -> bool:
    return entry.provenance.through is not Through.IMPORT and entry.subject.contact_id not in new


def _stops(entry: Suppression, marks: Mapping[MatchKey, Marks], store: Store) -> bool:
    """Whether somebody would stop being mailed by it who is not stopped already."""
    whom, key = entry.subject.contact_id or ContactId(""), entry.subject.key
    if key is not None:
        known = marks.get(key, Marks())
        if entry.kind not in known.suppressions:
            return True
        if not known.read:
            return False
    # Perhaps lifted: then it stops them anew, unless it is the very report that was.
    about = store.about({whom: [] if key is None else [key]})[whom]
    return not any(one.id == entry.id and one.subject == entry.subject for one in about)


def _whom(entry: Suppression) -> str | None:
    return entry.subject.key or entry.subject.contact_id


@frozen
class _Count:
    """What was let through: how many in all, and how many there were when each window began.

    Attributes:
        total: how many, ever.
        windows: when windows began and what the total was then, the latest last. More than one is kept, for workers
            whose clocks are apart count into one total, each in a window of its own time (F64).
    """

    total: int = 0
    windows: tuple[tuple[datetime, int], ...] = ()

    def at(self, now: datetime, per: timedelta) -> _Count:
        """Return the count with a window for an instant as its latest."""
        current = [one for one in self.windows if now - per < one[0] <= now + CLOCKS_APART]
        if current:
            window = min(current, key=lambda one: one[1])
        else:
            # Where clocks ahead began them all, nothing says that they are over: what they count is carried over, once.
            ahead = all(at > now + CLOCKS_APART for at, _ in self.windows)
            window = now, min((before for _, before in self.windows), default=self.total) if ahead else self.total
        others = [one for one in self.windows if one != window]
        return evolve(self, windows=(*others[1 - _WINDOWS :], window))

    @property
    def current(self) -> int:
        """How many were let through in the latest window."""
        return self.total - self.windows[-1][1]

    @property
    def note(self) -> str:
        """The windows in words."""
        return " ".join(f"{at.isoformat()}={before}" for at, before in self.windows)


_WINDOWS = 8
"""How many windows are kept: more clocks than that are not all wrong at once."""


def _counted(store: Store, kind: SuppressionKind) -> _Count:
    found = store.bookmark(f"breaker:{kind}")
    if found is None:
        return _Count()
    pairs = (one.rpartition("=") for one in found.note.split())
    return _Count(found.place, tuple((datetime.fromisoformat(at), int(before)) for at, _, before in pairs))


@frozen
class Decided:
    """What a try decided of what was set aside: where its answer was lost, the next try gives it."""

    entry_ids: Collection[EntryId]
    answer: int


def accept(store: Store, entry_ids: Collection[str] | None, *, now: datetime, tried: list[Decided]) -> int:
    """Write what was set aside to the log; see `Lifecycle.accept_aside`. `tried` holds what earlier tries did."""
    waiting = {one.entry.id for one in store.aside()}
    for before in tried:
        if waiting.isdisjoint(before.entry_ids) and all(store.record(one) for one in before.entry_ids):
            return before.answer
    taken = _taken(store, entry_ids, waiting)
    written = len(store.append([one.entry for one in taken], at=now))
    tried.append(Decided([one.entry.id for one in taken], written))
    return written


def discard(
    store: Store, entry_ids: Collection[str] | None, said: Provenance, *, now: datetime, tried: list[Decided]
) -> int:
    """Let go of what was set aside; see `Lifecycle.discard_aside`. `tried` holds what earlier tries did."""
    waiting = {one.entry.id for one in store.aside()}
    for before in tried:
        if waiting.isdisjoint(before.entry_ids):
            return before.answer
    taken = _taken(store, entry_ids, waiting)
    tried.append(Decided([one.entry.id for one in taken], len(taken)))
    for one in taken:
        lift = Lift(subject=one.entry.subject, cites={one.entry.id}, provenance=said)
        if lift.ends(one.entry):  # both, or the same report would be a new one when it comes again
            store.append([one.entry, lift], at=now)
    return len(taken)


def _taken(store: Store, entry_ids: Collection[str] | None, waiting: Collection[EntryId]) -> Sequence[SetAside]:
    asked = waiting if entry_ids is None else set(map(EntryId, entry_ids))
    for missing in sorted(set(asked).difference(waiting)):
        raise UnknownName("suppression that was set aside", missing)
    return store.take_back(asked)
