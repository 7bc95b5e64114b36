"""Events, their door, the counts by day, and profiles, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial

from attrs import evolve, frozen

from lifecycle_mail.memory.people import People
from lifecycle_mail.model.events import EngagementEvent, Evidence
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.profiles import EngagementProfile, marks_of
from lifecycle_mail.model.providers import provider_of
from lifecycle_mail.ports import Tally

_Place = tuple[date, str, str, str]


@frozen
class _Kept:
    """An event, and the mailbox provider that its contact had when it came."""

    event: EngagementEvent
    provider: str

    def places(self) -> list[_Place]:
        """Return where it is counted."""
        event = self.event
        return [(event.at.date(), event.campaign, self.provider, mark) for mark in marks_of(event)]


class Engaging(People):
    """The ports `Engagement` and `Contacts.remove`. About who was erased it lets nothing in."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        # The door: ids of events, with whose they are. Of who was erased, keyed hashes of both.
        self._seen: dict[str, ContactId] = {}
        self._events: dict[ContactId, dict[EntryId, _Kept]] = defaultdict(dict)
        self._tally: Counter[_Place] = Counter()
        self._profiles: dict[ContactId, EngagementProfile] = {}
        self._quarantined: dict[EntryId, tuple[EngagementEvent, datetime]] = {}

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        """Take contacts out, their profiles and events with them; the ids of the events stay seen."""
        with self._lock:
            self._enter("remove")
            for one in contact_ids:
                self._remove(one)

    def _remove(self, contact_id: ContactId) -> None:
        if contact_id in self._contacts:
            self._replace(self._contacts[contact_id], None)
        self._drop(self._profiles, contact_id)
        self._drop(self._events, contact_id)
        for early in [event.id for event, _ in self._quarantined.values() if event.contact_id == contact_id]:
            self._drop(self._quarantined, early)

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        """Keep the events whose ids were never seen."""
        with self._lock:
            self._enter("admit")
            new = []
            for event in events:
                if self._is_erased(event) or any(form in self._seen for form in self._forms(event.id)):
                    continue
                contact = self._contacts.get(event.contact_id)
                address = None if contact is None else contact.address
                kept = _Kept(event, "" if address is None else provider_of(address.domain))
                self._set(self._seen, event.id, event.contact_id)
                self._set(self._events[event.contact_id], event.id, kept)
                self._count(kept, 1)
                new.append(event)
            return new

    def _is_erased(self, event: EngagementEvent) -> bool:
        return self._stored(event.contact_id) != event.contact_id

    def _count(self, kept: _Kept, by: int) -> None:
        for place in kept.places():
            self._tally[place] += by
            self._on_undo(partial(self._tally.subtract, {place: by}))

    def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
        """Return all events of a contact."""
        with self._lock:
            self._enter("events_of")
            return [kept.event for kept in self._events.get(contact_id, {}).values()]

    def unseen(self, mails: Mapping[ContactId, Collection[str]]) -> Mapping[ContactId, Collection[str]]:
        """Return which of these mails no event speaks of."""
        with self._lock:
            self._enter("unseen")
            return {
                contact_id: set(asked) - {kept.event.mail for kept in self._events.get(contact_id, {}).values()}
                for contact_id, asked in mails.items()
            }

    def reclassify(self, evidence: Mapping[EntryId, Evidence]) -> Collection[ContactId]:
        """Note who really did what these events tell, and count their days anew."""
        with self._lock:
            self._enter("reclassify")
            changed = set()
            for event_id, who in evidence.items():
                events = self._events.get(self._seen.get(event_id, ContactId("")), {})
                kept = events.get(event_id)
                if kept is None or kept.event.evidence is who:
                    continue
                now = evolve(kept, event=evolve(kept.event, evidence=who))
                self._count(kept, -1)
                self._count(now, 1)
                self._set(events, event_id, now)
                changed.add(kept.event.contact_id)
            return changed

    def tally(self, *, since: date | None = None) -> Iterator[Tally]:
        """Yield the counts by day, campaign, provider and mark."""
        with self._lock:
            self._enter("tally")
            places = sorted(place for place, count in self._tally.items() if count)
            return iter(
                [
                    Tally(day=day, campaign=campaign, provider=provider, mark=mark, count=self._tally[place])
                    for place in places
                    for day, campaign, provider, mark in [place]
                    if since is None or day >= since
                ]
            )

    def profiles(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, EngagementProfile]:
        """Return the profiles that exist."""
        with self._lock:
            self._enter("profiles")
            return {one: self._profiles[one] for one in contact_ids if one in self._profiles}

    def save(self, profiles: Sequence[EngagementProfile]) -> None:
        """Write profiles, new or changed."""
        with self._lock:
            self._enter("save")
            for profile in profiles:
                if self._stored(profile.contact_id) == profile.contact_id:
                    self._set(self._profiles, profile.contact_id, profile)

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        """Set aside events from the future."""
        with self._lock:
            self._enter("quarantine")
            for event in events:
                if event.id not in self._quarantined and not self._is_erased(event):
                    self._set(self._quarantined, event.id, (event, at))

    def quarantined(self) -> Sequence[EngagementEvent]:
        """Return the events that were set aside, in order of id."""
        with self._lock:
            self._enter("quarantined")
            return [self._quarantined[one][0] for one in sorted(self._quarantined)]

    def _erase_events(self, contact_id: ContactId, name: ContactId) -> None:
        """Forget what a contact did, and keep their events out by keyed hashes of the ids."""
        for event_id in [one for one, whose in self._seen.items() if whose == contact_id]:
            self._drop(self._seen, event_id)
            self._set(self._seen, str(self._peppers.hashed(event_id)), name)
