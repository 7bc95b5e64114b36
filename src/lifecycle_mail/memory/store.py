"""The in-memory store."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from attrs import evolve

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.memory.scripting import require_operation
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Entry, Record
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import LARGEST_CHUNK, Claim, ClaimState


class MemoryStore:
    """Every store port in dictionaries, safe to share between threads."""

    def __init__(self, url: str = "memory:") -> None:
        self.url = url
        self._lock = threading.RLock()
        self._undo: list[Callable[[], object]] | None = None
        self._failures: dict[str, list[Exception]] = defaultdict(list)
        self._log: list[Record] = []
        self._by_entry: dict[EntryId, list[Record]] = defaultdict(list)
        self._by_contact: dict[ContactId, list[Record]] = defaultdict(list)
        self._by_key: dict[MatchKey, list[Record]] = defaultdict(list)
        self._contacts: dict[ContactId, Contact] = {}
        self._by_identity: dict[str, set[ContactId]] = defaultdict(set)
        self._seen: set[EntryId] = set()
        self._events: dict[ContactId, list[EngagementEvent]] = defaultdict(list)
        self._profiles: dict[ContactId, EngagementProfile] = {}
        self._claims: dict[CampaignKey, dict[ContactId, Claim]] = defaultdict(dict)
        # Who ever claimed at an address; their claims say whether they still do, so nothing here is undone.
        self._inboxes: dict[tuple[CampaignKey, str], set[ContactId]] = defaultdict(set)
        self._leases: dict[CampaignKey, tuple[str, datetime]] = {}
        self.quarantined: dict[EntryId, tuple[datetime, EngagementEvent]] = {}

    # -- scripting

    def fail(self, operation: str, error: Exception, *, times: int = 1) -> None:
        """Let the next calls of an operation raise, before anything is done."""
        require_operation(self, operation)
        self._failures[operation].extend([error] * times)

    def _enter(self, operation: str) -> None:
        if self._failures and self._failures[operation]:
            raise self._failures[operation].pop(0)

    def _on_undo(self, undo: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one: undone in reverse where anything is raised."""
        with self._lock:
            if self._undo is not None:  # a transaction within a transaction belongs to it
                yield
                return
            self._undo = []
            try:
                yield
            except BaseException:
                for undo in reversed(self._undo):
                    undo()
                raise
            finally:
                self._undo = None

    def close(self) -> None:
        """Nothing is held open."""

    # -- the consent log

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        """Write what the log does not hold yet."""
        with self._lock:
            self._enter("append")
            written = []
            for entry in entries:
                if any(known.entry.subject == entry.subject for known in self._by_entry.get(entry.id, ())):
                    continue
                record = Record(len(self._log) + 1, at, entry)
                shelves: list[list[Record]] = [self._log, self._by_entry[entry.id]]
                if entry.subject.contact_id is not None:
                    shelves.append(self._by_contact[entry.subject.contact_id])
                if entry.subject.key is not None:
                    shelves.append(self._by_key[entry.subject.key])
                for shelf in shelves:
                    shelf.append(record)
                    self._on_undo(shelf.pop)
                written.append(record)
            return written

    def position(self) -> int:
        """Return the sequence number of the latest record."""
        with self._lock:
            self._enter("position")
            return len(self._log)

    def position_at(self, instant: datetime) -> int:
        """Return the last record recorded at or before an instant."""
        with self._lock:
            self._enter("position_at")
            return max((record.seq for record in self._log if record.recorded_at <= instant), default=0)

    def records(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield records in order."""
        with self._lock:
            self._enter("records")
            return iter(self._log[after : len(self._log) if until is None else until])

    def record(self, entry_id: EntryId) -> Record | None:
        """Find a record by the id of its entry."""
        with self._lock:
            self._enter("record")
            found = self._by_entry.get(entry_id)
            return found[0] if found else None

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        """Return every entry about each contact, former addresses included."""
        with self._lock:
            self._enter("about")
            last = len(self._log) if until is None else until
            return {contact_id: self._about(contact_id, keys, last) for contact_id, keys in whom.items()}

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        own = self._by_contact.get(contact_id, ())
        ever = set(keys)
        for record in own:
            if isinstance(record.entry, AddressChanged):
                ever |= {key for key in (record.entry.old, record.entry.subject.key) if key is not None}
        found = {record.seq: record.entry for record in own if record.seq <= last}
        for key in ever:
            found.update((record.seq, record.entry) for record in self._by_key.get(key, ()) if record.seq <= last)
        return [found[seq] for seq in sorted(found)]

    # -- contacts

    def get(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        """Return those contacts that exist."""
        with self._lock:
            self._enter("get")
            return {one: self._contacts[one] for one in contact_ids if one in self._contacts}

    def put(self, contacts: Sequence[Contact]) -> None:
        """Write contacts, new or changed."""
        with self._lock:
            self._enter("put")
            for contact in contacts:
                before = self._contacts.get(contact.id)
                self._replace(before, contact)
                self._on_undo(partial(self._replace, contact, before))

    def _replace(self, old: Contact | None, new: Contact | None) -> None:
        if old is not None:
            del self._contacts[old.id]
            if old.address is not None:
                self._by_identity[old.address.identity].discard(old.id)
        if new is not None:
            self._contacts[new.id] = new
            if new.address is not None:
                self._by_identity[new.address.identity].add(new.id)

    def find(self, identity: str) -> Sequence[ContactId]:
        """Return who has this address."""
        with self._lock:
            self._enter("find")
            return sorted(self._by_identity.get(identity, ()))

    def each(self) -> Iterator[Contact]:
        """Yield every contact, in order of id."""
        with self._lock:
            self._enter("each")
            return iter([self._contacts[one] for one in sorted(self._contacts)])

    # -- engagement

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        """Keep the events whose ids were never seen."""
        with self._lock:
            self._enter("admit")
            new = []
            for event in events:
                if event.id not in self._seen:
                    self._seen.add(event.id)
                    self._events[event.contact_id].append(event)
                    new.append(event)
            self._on_undo(partial(self._forget, new))
            return new

    def _forget(self, events: Sequence[EngagementEvent]) -> None:
        for event in events:
            self._seen.discard(event.id)
            self._events[event.contact_id].remove(event)

    def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
        """Return all events of a contact."""
        with self._lock:
            self._enter("events_of")
            return list(self._events.get(contact_id, ()))

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
                before = self._profiles.get(profile.contact_id)
                self._profiles[profile.contact_id] = profile
                self._on_undo(partial(_restore, self._profiles, profile.contact_id, before))

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        """Set aside events from the future."""
        with self._lock:
            self._enter("quarantine")
            for event in events:
                if event.id not in self.quarantined:
                    self.quarantined[event.id] = (at, event)
                    self._on_undo(partial(self.quarantined.pop, event.id))

    # -- claims

    def begin(self, campaign: CampaignKey, worker: str, *, at: datetime, until: datetime) -> bool:
        """Take the campaign for one worker."""
        with self._lock:
            self._enter("begin")
            held = self._leases.get(campaign)
            if held is not None and held[0] != worker and held[1] > at:
                return False
            self._leases[campaign] = (worker, until)
            return True

    def finish(self, campaign: CampaignKey, worker: str) -> None:
        """Give the campaign back."""
        with self._lock:
            self._enter("finish")
            if self._leases.get(campaign, ("",))[0] == worker:
                del self._leases[campaign]

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        """Claim a chunk and return those that were free."""
        with self._lock:
            self._enter("claim")
            if len(recipients) > LARGEST_CHUNK:
                raise CampaignRefused(f"{len(recipients)} recipients in one claim: at most {LARGEST_CHUNK}")
            free = set()
            for one in recipients:
                claims = self._claims[one.campaign]
                before = claims.get(one.contact_id)
                if before is not None and before.state is not ClaimState.RETURNED:
                    continue
                inbox = self._inboxes[one.campaign, one.address.identity]
                if one.leaves_list is not None and self._is_taken(one, inbox):  # marketing: one mail an inbox
                    continue
                inbox.add(one.contact_id)
                claims[one.contact_id] = Claim(
                    campaign=one.campaign, contact_id=one.contact_id, state=ClaimState.CLAIMED,
                    leaves_list=one.leaves_list, address=one.address.identity, position=one.position, at=at,
                )  # fmt: skip
                self._on_undo(partial(_restore, claims, one.contact_id, before))
                free.add(one.contact_id)
            return free

    def _is_taken(self, one: Screened, inbox: Collection[ContactId]) -> bool:
        claims = [self._claims[one.campaign].get(other) for other in inbox]
        return any(
            claim is not None and claim.state is not ClaimState.RETURNED and claim.address == one.address.identity
            for claim in claims
        )

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        """Move claims to a state."""
        with self._lock:
            self._enter("settle")
            claims = self._claims[campaign]
            for one in contact_ids:
                before = claims[one]
                claims[one] = evolve(before, state=state, at=at)
                self._on_undo(partial(_restore, claims, one, before))

    def claims(self, campaign: CampaignKey) -> Mapping[ContactId, Claim]:
        """Return every claim of a campaign."""
        with self._lock:
            self._enter("claims")
            return dict(self._claims.get(campaign, {}))

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        """Return every claim of a contact, oldest first."""
        with self._lock:
            self._enter("claims_of")
            found = [claims[contact_id] for claims in self._claims.values() if contact_id in claims]
            return sorted(found, key=lambda claim: (claim.at, claim.campaign))

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        """Note that the person said no after hand-off."""
        with self._lock:
            self._enter("mark_in_flight")
            for campaign in campaigns:
                before = self._claims[campaign][contact_id]
                if before.opted_out_at is None or opted_out_at < before.opted_out_at:
                    self._claims[campaign][contact_id] = evolve(before, opted_out_at=opted_out_at)
                    self._on_undo(partial(_restore, self._claims[campaign], contact_id, before))


def _restore(shelf: dict[Any, Any], key: object, old: object | None) -> None:
    if old is None:
        shelf.pop(key, None)
    else:
        shelf[key] = old
