"""The in-memory store and ESP: real enough to run an application's tests on, and scriptable where it hurts (E4).

`MemoryStore` keeps the laws of every store (the conformance suite runs on it) and forgets everything at the end.
`MemoryEsp` refuses, fails, limits and lags when told to::

    esp = MemoryEsp()
    esp.refuse("bob@example.com", status=400, body="looks fake")    # one recipient, for good
    esp.fail("release", EspUnavailable, times=2)                    # not done, may be repeated
    esp.fail("send", OutcomeUnknown, done=True)                     # done, and the answer got lost
    esp.limit(10)                                                   # 429 after ten calls, until wait()
    esp.lag(3)                                                      # the next three reads show the past
    esp.delay(timedelta(hours=2))                                   # reports arrive two hours late
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from attrs import evolve, frozen

from lifecycle_mail.errors import CampaignRefused, EspError, EspRefused, EspUnavailable, UnknownName, Unscreened
from lifecycle_mail.model.addresses import EmailAddress, MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Entry, OptOut, Record
from lifecycle_mail.model.events import EngagementEvent, EventKind, Purpose
from lifecycle_mail.model.intake import Happened, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import LARGEST_CHUNK, Capability, Claim, ClaimState, Content, Handled


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
        self._leases: dict[CampaignKey, tuple[str, datetime]] = {}
        self.quarantined: dict[EntryId, tuple[datetime, EngagementEvent]] = {}

    # -- scripting

    def fail(self, operation: str, error: Exception, *, times: int = 1) -> None:
        """Let the next calls of an operation raise, before anything is done."""
        _require_operation(self, operation)
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
                claims[one.contact_id] = Claim(
                    campaign=one.campaign, contact_id=one.contact_id, state=ClaimState.CLAIMED,
                    leaves_list=one.leaves_list, position=one.position, at=at,
                )  # fmt: skip
                self._on_undo(partial(_restore, claims, one.contact_id, before))
                free.add(one.contact_id)
            return free

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


def _require_operation(fake: object, operation: str) -> None:
    if operation.startswith("_") or not callable(getattr(fake, operation, None)):
        known = [name for name in dir(fake) if not name.startswith("_") and callable(getattr(fake, name))]
        raise UnknownName("operation", operation, known)


def _restore(shelf: dict[Any, Any], key: object, old: object | None) -> None:
    if old is None:
        shelf.pop(key, None)
    else:
        shelf[key] = old


@frozen
class Sent:
    """A mail that left the fake ESP."""

    recipient: Screened
    content: Content | None


@frozen
class _Failure:
    error: type[EspError]
    done: bool
    status: int | None
    body: str


class MemoryEsp:
    """An ESP that sends nothing and remembers everything.

    Attributes:
        outbox: every mail that left, in order.
        suppressed: every opt-out it was told of or took itself: (address, scope).
        tags: who carries which tag.
        calls: the operations asked of it, in order.
    """

    def __init__(self, *, name: str = "memory", capabilities: Collection[Capability] = frozenset(Capability)) -> None:
        self._name = name
        self._capabilities = frozenset(capabilities)
        self._lock = threading.RLock()
        self._staged: dict[CampaignKey, dict[ContactId, Sent]] = defaultdict(dict)
        self._released: set[CampaignKey] = set()
        self._refusals: dict[str, tuple[int, str]] = {}
        self._failures: dict[str, list[_Failure]] = defaultdict(list)
        self._left: int | None = None
        self._limit: int | None = None
        self._lag = 0
        self._past: dict[CampaignKey, frozenset[ContactId]] = {}
        self._delay = timedelta(0)
        self._news: list[tuple[datetime, Statement]] = []
        self._ids = count(1)
        self.outbox: list[Sent] = []
        self.suppressed: list[tuple[EmailAddress, Scope]] = []
        self.tags: dict[str, set[ContactId]] = defaultdict(set)
        self.calls: list[str] = []

    @property
    def name(self) -> str:
        """The source that its reports are filed under."""
        return self._name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; a test may leave some out."""
        return self._capabilities

    # -- what a test scripts, E4

    def refuse(self, address: str, *, status: int = 400, body: str = "refused") -> None:
        """Refuse one recipient for good."""
        self._refusals[address.casefold()] = (status, body)

    def fail(
        self, operation: str, error: type[EspError] = EspUnavailable, *, times: int = 1, done: bool = False,
        status: int | None = None, body: str = "",
    ) -> None:  # fmt: skip
        """Let the next calls of an operation raise; with `done` the work is done and only the answer is lost."""
        _require_operation(self, operation)
        self._failures[operation].extend([_Failure(error, done, status, body)] * times)

    def limit(self, calls: int) -> None:
        """Answer 429 after so many calls, until `wait`."""
        self._limit = self._left = calls

    def wait(self) -> None:
        """Let the rate limit start anew, as time would."""
        self._left = self._limit

    def lag(self, reads: int) -> None:
        """Let the next reads of who is staged show what was true before the latest change."""
        self._lag = reads

    def delay(self, by: timedelta) -> None:
        """Let reports arrive this much later than they happen."""
        self._delay = by

    def unsubscribe(self, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Act as a person who uses the ESP's own unsubscribe link."""
        self.suppressed.append((address, scope))
        self._report(at, self._left_statement(address, scope, at))

    # -- the ports

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over."""
        with self._lock, self._operation("send"):
            self._require_screened(recipient, None)
            self._take(recipient)
            self.outbox.append(Sent(recipient, content))

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell whether a mail left after all."""
        with self._lock, self._operation("was_sent"):
            return any(s.recipient.campaign == campaign and s.recipient.contact_id == contact_id for s in self.outbox)

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released."""
        with self._lock, self._operation("stage"):
            if campaign in self._released:
                raise EspRefused(esp=self.name, operation="stage", status=400, body="campaign was sent")
            for recipient in recipients:
                self._require_screened(recipient, campaign)
            self._remember(campaign)
            accepted, refused = set(), {}
            for recipient in recipients:
                try:
                    self._take(recipient)
                except EspError as error:
                    refused[recipient.contact_id] = error
                else:
                    self._staged[campaign][recipient.contact_id] = Sent(recipient, content)
                    accepted.add(recipient.contact_id)
            return Handled(accepted=accepted, refused=refused)

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        with self._lock, self._operation("unstage"):
            self._remember(campaign)
            for contact_id in contact_ids:
                self._staged[campaign].pop(contact_id, None)

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        with self._lock, self._operation("staged"):
            if self._lag > 0:
                self._lag -= 1
                return self._past.get(campaign, frozenset())
            return frozenset(self._staged[campaign])

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        with self._lock, self._operation("release"):
            if campaign in self._released:
                raise EspRefused(esp=self.name, operation="release", status=400, body="campaign was sent")
            self._released.add(campaign)
            self.outbox.extend(self._staged[campaign].values())

    def released(self, campaign: CampaignKey) -> bool:
        """Tell whether a campaign was released."""
        with self._lock, self._operation("released"):
            return campaign in self._released

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Take an opt-out, and report it back as real ones do."""
        with self._lock, self._operation("suppress"):
            if contact.address is not None:
                self.suppressed.append((contact.address, opt_out.scope))
                self._report(at, self._left_statement(contact.address, opt_out.scope, at))

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off."""
        with self._lock, self._operation("tag"):
            ids = {contact.id for contact in contacts}
            self.tags[tag] = self.tags[tag] | ids if present else self.tags[tag] - ids

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return the news that has arrived by now."""
        with self._lock, self._operation("reports"):
            return [statement for at, statement in self._news if at <= now]

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Forget news that was stored."""
        with self._lock, self._operation("acknowledge"):
            stored = set(map(id, statements))
            self._news = [(at, statement) for at, statement in self._news if id(statement) not in stored]

    # -- what a test lets happen

    def happen(
        self, kind: EventKind, sent: Sent, *, at: datetime, link: str = "", purpose: Purpose = Purpose.REGULAR
    ) -> None:
        """Let something happen to a mail that left, to be fetched with `reports`."""
        recipient = sent.recipient
        self._report(
            at,
            Happened(
                who=Who(recipient.contact_id, recipient.address), kind=kind, at=at, link=link, purpose=purpose,
                mail=f"{recipient.campaign}:{recipient.contact_id}", campaign=recipient.campaign, source=self.name,
                event_id=f"{self.name}-{next(self._ids)}",
            ),
        )  # fmt: skip

    def _report(self, at: datetime, statement: Statement) -> None:
        self._news.append((at + self._delay, statement))

    def _left_statement(self, address: EmailAddress, scope: Scope, at: datetime) -> Left:
        provenance = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=at, source=self.name)
        return Left(
            who=Who(None, address), scope=scope, provenance=provenance, event_id=f"{self.name}-{next(self._ids)}"
        )

    @staticmethod
    def _require_screened(recipient: Screened, campaign: CampaignKey | None) -> None:
        if not isinstance(recipient, Screened):
            raise Unscreened("a send port takes only what the screen made: plan a campaign and send the plan")
        if campaign is not None and recipient.campaign != campaign:
            raise Unscreened(f"screened for campaign {recipient.campaign!r}, not for {campaign!r}")

    def _take(self, recipient: Screened) -> None:
        refusal = self._refusals.get(str(recipient.address).casefold())
        if refusal is not None:
            raise EspRefused(esp=self.name, operation="take a recipient", status=refusal[0], body=refusal[1])

    def _remember(self, campaign: CampaignKey) -> None:
        self._past[campaign] = frozenset(self._staged[campaign])

    @contextmanager
    def _operation(self, operation: str) -> Iterator[None]:
        self.calls.append(operation)
        if self._left is not None:
            if self._left <= 0:
                raise EspUnavailable(
                    esp=self.name, operation=operation, status=429, body="too many requests", fix="wait"
                )
            self._left -= 1
        failure = self._failures[operation].pop(0) if self._failures[operation] else None
        if failure is not None and not failure.done:
            raise failure.error(esp=self.name, operation=operation, status=failure.status, body=failure.body)
        yield
        if failure is not None:
            raise failure.error(esp=self.name, operation=operation, status=failure.status, body=failure.body)
