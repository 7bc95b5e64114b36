"""Receiving statements from files, webhooks and ESPs: find or make the contact, pass the door, fold.

Within a batch the order does not matter for consent: contacts that are named by id and address are placed first, who
joined is written before who left, and entries and events carry ids of their own. Of two values for one field, the
later row counts. A contact whose events came late is recounted.

What speaks of somebody who was erased is dropped before a contact is made (F62). Bounces that say nothing against the
address are not taken for dead ones (R17), and too many dead addresses at once are set aside (`breaker`).

What others must hear of it is posted with it: the CRM is shown whom the batch changed (O9), and an ESP that reports
somebody subscribed who is out here is told again that they are out (F30).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from lifecycle_mail.errors import AmbiguousAddress, InvalidInput
from lifecycle_mail.model.addresses import EmailAddress, MatchKey
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.echoes import distinct
from lifecycle_mail.model.entries import (
    SUPPRESSION_RULES,
    Consent,
    Entry,
    OptOut,
    Standing,
    Subject,
    Suppression,
    state_event_id,
)
from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope, ScopeKind
from lifecycle_mail.model.names import ContactId, EntryId, entry_id
from lifecycle_mail.model.profiles import EngagementProfile, extend, fold, marks_of, resolve
from lifecycle_mail.policy.consent_rules import ConsentRules
from lifecycle_mail.ports import Capability, Crm, Esp, Store
from lifecycle_mail.service.breaker import Breaker, sift
from lifecycle_mail.service.flights import mark_in_flight
from lifecycle_mail.service.outbox import post_again, post_pictures
from lifecycle_mail.service.placing import Placer
from lifecycle_mail.service.reading import Reader, chunks

FUTURE = timedelta(hours=24)
"""How far ahead of its receipt an event may be stamped before it is quarantined."""


@frozen(kw_only=True)
class Received:
    """What became of a batch of statements.

    Attributes:
        statements: how many there were.
        contacts: how many contacts were made.
        entries: how many entries the consent log did not hold yet.
        events: how many events were new.
        duplicates: how many events were known already.
        quarantined: events stamped more than 24 h ahead, which are kept and count for nothing.
        erased: statements about people who were erased: dropped, or, where they name the id of somebody else, taken
            without the erased address (O5, F62).
        blocked: bounces that say nothing against the address (R17): nobody is suppressed for them.
        set_aside: dead addresses and complaints that a breaker keeps out of the log until a person has looked (F66).
        widened: noes to a list that nobody declared and the person never joined, taken as noes to all marketing:
            bound to a list that nobody knows, they would bind nothing.
        ambiguous: statements about an address that several contacts share, which only a person can place.
        refused: statements that could not be taken, with the reason; the others were.
    """

    statements: int = 0
    contacts: int = 0
    entries: int = 0
    events: int = 0
    duplicates: int = 0
    erased: int = 0
    blocked: int = 0
    set_aside: int = 0
    quarantined: tuple[EngagementEvent, ...] = ()
    widened: tuple[Left, ...] = ()
    ambiguous: tuple[tuple[Statement, AmbiguousAddress], ...] = ()
    refused: tuple[tuple[Statement, InvalidInput], ...] = ()

    def __str__(self) -> str:
        counts = {
            "contacts": self.contacts,
            "entries": self.entries,
            "events": self.events,
            "duplicates": self.duplicates,
            "erased": self.erased,
            "blocked": self.blocked,
            "set aside": self.set_aside,
            "quarantined": len(self.quarantined),
            "widened": len(self.widened),
            "ambiguous": len(self.ambiguous),
            "refused": len(self.refused),
        }
        return f"{self.statements} statements: " + ", ".join(
            f"{count} {name}" for name, count in counts.items() if count
        )


class Receiver:
    """Takes one batch of statements.

    Args:
        reader: of the store that is written to.
        fields: the declared types of custom fields.
        lists: the declared lists; with none, any key goes.
        new_id: makes the id of a contact that is known by address alone.
        breaker: how many may stop being mailed at once; left out, the defaults hold.
        rules: how long implied consent lasts; left out, the defaults hold.
        esp, crm: who else must hear of it; left out, nobody.
        now: the instant of receipt, aware UTC.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        fields: Mapping[str, FieldType],
        lists: Collection[str],
        new_id: Callable[[EmailAddress], ContactId],
        breaker: Breaker | None = None,
        rules: ConsentRules | None = None,
        esp: Esp | None = None,
        crm: Crm | None = None,
        now: datetime,
    ) -> None:
        self.reader = reader
        self.store = reader.store
        self.lists = lists
        self.breaker = breaker or Breaker()
        self.rules = rules or ConsentRules()
        self.esp = esp
        self.crm = crm
        self.now = now
        self._placer = Placer(reader, fields=fields, new_id=new_id, now=now)
        self._blocked = 0
        self._aside = 0
        self._entries: list[Entry] = []
        self._ids: dict[EntryId, Entry] = {}
        self._shared: dict[MatchKey | None, Sequence[ContactId]] = {}
        self._widened: list[Left] = []
        self._ambiguous: list[tuple[Statement, AmbiguousAddress]] = []
        self._refused: list[tuple[Statement, InvalidInput]] = []
        self._spoken_of: set[ContactId | None] = set()  # in the log, by which the CRM is shown them

    def take(self, statements: Iterable[Statement]) -> Received:
        """Write everything in one transaction."""
        batch = sorted(statements, key=_how_well_known)  # stable: within a kind the order of arrival stays
        happened: list[EngagementEvent] = []
        snapshots: list[tuple[ContactId, Counted]] = []
        said: list[tuple[Left | Held | Joined, Sequence[ContactId]]] = []
        with self.store.transaction():
            for statement in self._placer.without_erased(batch):
                try:
                    contact = self._placer.place(statement)
                    if isinstance(statement, Happened):
                        happened.append(_event(statement, contact.id))
                    elif isinstance(statement, Known):
                        self._placer.know(contact, statement)
                    elif isinstance(statement, Counted):
                        snapshots.append((contact.id, statement))
                    elif isinstance(statement, Held) and statement.blocked:
                        self._blocked += 1
                    else:
                        said.append((statement, [contact.id]))
                except AmbiguousAddress as error:
                    self._ambiguous.append((statement, error))
                    if isinstance(statement, Held) and statement.blocked:
                        self._blocked += 1
                    elif isinstance(statement, Left | Held):  # a no binds the address, whoever uses it
                        said.append((statement, self._sharing(statement.who, error)))
                except InvalidInput as error:
                    self._refused.append((statement, error))
                    if isinstance(statement, Left | Held) and statement.who.address is not None:
                        said.append((statement, ()))  # an id that is none: the no binds the address all the same
            self._entries += self._placer.write()
            written = self._say(said)
            taken = _take(self.store, happened, now=self.now)
            self._count(snapshots)
            self._tell_others(said)
        return Received(
            statements=len(batch),
            contacts=len(self._placer.made),
            entries=written,
            events=taken.new,
            duplicates=len(happened) - len(taken.early) - taken.new,
            erased=self._placer.of_erased,
            blocked=self._blocked,
            set_aside=self._aside,
            quarantined=taken.early,
            widened=tuple(self._widened),
            ambiguous=tuple(self._ambiguous),
            refused=tuple(self._refused),
        )

    # -- entries

    def _sharing(self, who: Who, error: AmbiguousAddress) -> Sequence[ContactId]:
        holders = [ContactId(one) for one in error.contact_ids]
        if who.address is not None:
            self._shared[who.address.match_key(self.reader.rules)] = holders
        return holders

    def _say(self, said: Sequence[tuple[Left | Held | Joined, Sequence[ContactId]]]) -> int:
        """Write what was said about consent, who joined first; return how many entries are new."""
        for statement, holders in said:
            if isinstance(statement, Joined):
                try:
                    self._add(statement, holders[0])
                except InvalidInput as error:  # a list that is none: the noes of the batch get in
                    self._refused.append((statement, error))
        for statement, holders in said:
            if not isinstance(statement, Joined):
                bound = self._bound(statement, holders) if isinstance(statement, Left) else statement
                self._add(bound, holders[0] if len(holders) == 1 else None)
        entries, waiting = sift(self._entries, self.breaker, self.store, new=self._placer.made, now=self.now)
        self.store.set_aside(waiting)
        self._aside = len(waiting)
        written = self.store.append(entries, at=self.now)
        for record in written:
            self._spoken_of.add(record.entry.subject.contact_id)
            if isinstance(record.entry, OptOut):
                subject = record.entry.subject
                mine = [subject.contact_id] if subject.contact_id is not None else self._shared.get(subject.key, ())
                for one in mine:
                    mark_in_flight(self.store, self.store.claims_of(one), record.entry.scope, now=self.now)
        return len(written)

    def _bound(self, statement: Left, holders: Sequence[ContactId]) -> Left:
        scope = statement.scope
        if not self.lists or scope.kind is not ScopeKind.LIST or scope.key in self.lists:
            return statement
        joined = {e.list for e in self._entries if isinstance(e, Consent) and e.subject.contact_id in holders}
        people = self.reader.people(list(self.store.get(holders).values()))
        if scope.key in joined or any(scope.key in person.lists() for person in people):
            return statement
        self._widened.append(statement)
        return evolve(statement, scope=Scope.all())

    def _add(self, statement: Left | Held | Joined, contact_id: ContactId | None) -> None:
        known = None if contact_id is None else self._placer.by_id(contact_id)
        address = statement.who.address or (None if contact_id is None else self._placer.address_of(contact_id))
        entry = self._entry(statement, contact_id, address)
        if isinstance(statement, Left | Held) and statement.event_id is not None and statement.dated:
            twin = self._same_id(entry.id)
            if twin is not None and twin.provenance.at != statement.provenance.at:
                # Ids that begin anew in each file: with another time it is another event.
                anew = f"{statement.event_id}@{statement.provenance.at.isoformat()}"
                entry = self._entry(evolve(statement, event_id=anew), contact_id, address)
        self._entries.append(entry)
        self._ids.setdefault(entry.id, entry)
        if known is not None and self._misses(entry, known):
            self._entries.append(evolve(entry, subject=self.reader.named(known)))

    def _misses(self, entry: Entry, known: Contact) -> bool:
        """Whether a no names another address than the contact's, and nothing in the log says that they are one's.

        It binds the contact by the id. Who asks by the address alone must find it, too.
        """
        key = self.reader.key(known)
        follows = isinstance(entry, OptOut) or (
            isinstance(entry, Suppression) and SUPPRESSION_RULES[entry.kind].follows_person
        )
        if not follows or key is None or key == entry.subject.key:
            return False
        own = [one for one in self.store.about({known.id: ()})[known.id] if one.subject.contact_id == known.id]
        return not any(key in (one.subject.key, getattr(one, "old", None)) for one in (*own, *self._named(known.id)))

    def _named(self, contact_id: ContactId) -> Iterator[Entry]:
        return (entry for entry in self._entries if entry.subject.contact_id == contact_id)

    def _same_id(self, entry_id: EntryId) -> Entry | None:
        record = self.store.record(entry_id)
        return record.entry if record is not None else self._ids.get(entry_id)

    def _entry(
        self, statement: Left | Held | Joined, contact_id: ContactId | None, address: EmailAddress | None
    ) -> Entry:
        key: MatchKey | None = None if address is None else address.match_key(self.reader.rules)
        subject = Subject(contact_id=contact_id, key=key)
        at = statement.provenance.at
        if isinstance(statement, Joined):
            ends = statement.expires_at
            if statement.standing is Standing.IMPLIED:
                ends = self.rules.last_end(ends, at)
            return Consent(
                subject=subject, list=statement.list, standing=statement.standing,
                provenance=statement.provenance, expires_at=ends,
            )  # fmt: skip
        event_id = statement.event_id or state_event_id(subject, at if statement.dated else None)
        if isinstance(statement, Left):
            return OptOut(
                subject=subject,
                scope=statement.scope,
                event_id=event_id,
                provenance=statement.provenance,
                dated=statement.dated,
            )
        return Suppression(
            subject=subject,
            kind=statement.kind,
            event_id=event_id,
            provenance=statement.provenance,
            until=statement.until,
        )

    # -- what others must hear

    def _tell_others(self, said: Sequence[tuple[Left | Held | Joined, Sequence[ContactId]]]) -> None:
        post_pictures(self.store, self.crm, self._placer.changed - self._spoken_of, now=self.now)
        if self.esp is None or Capability.OPT_OUTS not in self.esp.capabilities:
            return
        joined = {
            (holders[0], statement.list, statement.provenance.at)
            for statement, holders in said
            if isinstance(statement, Joined) and statement.provenance.source == self.esp.name
        }
        if not joined:
            return
        people: dict[ContactId, Person] = {}
        for ids in chunks(sorted({one for one, _, _ in joined})):
            known = self.store.get(ids)
            people.update((one.contact_id, one) for one in self.reader.people([known[one] for one in ids]))
        for one, listed, at in sorted(joined):
            noes = distinct({no.id for no in people[one].opt_outs_of(listed)}, people[one].echoes)
            post_again(self.store, self.esp, one, noes, at=at)

    # -- counts

    def _count(self, snapshots: list[tuple[ContactId, Counted]]) -> None:
        for chunk in chunks(snapshots):
            profiles = dict(self.store.profiles([contact_id for contact_id, _ in chunk]))
            for contact_id, counted in chunk:
                before = profiles.get(contact_id) or EngagementProfile(contact_id=contact_id)
                profiles[contact_id] = before.with_baseline(counted.snapshot)
            self.store.save(list(profiles.values()))


def _how_well_known(statement: Statement) -> int:
    who = statement.who
    if who.contact_id is not None:
        return 0 if who.address is not None else 1
    return 2


def _event(statement: Happened, contact_id: ContactId) -> EngagementEvent:
    # A source's id is its own business: two sources, or two contacts of a careless one, may share it.
    own = entry_id("event", statement.source, contact_id, statement.event_id)
    named = {} if statement.event_id is None else {"id": own}
    return EngagementEvent(
        contact_id=contact_id, kind=statement.kind, at=statement.at, mail=statement.mail, campaign=statement.campaign,
        link=statement.link, evidence=statement.evidence, purpose=statement.purpose, source=statement.source, **named,
    )  # fmt: skip


@frozen
class TakenEvents:
    """What became of events: how many were new, and those stamped too far ahead to count."""

    new: int
    early: tuple[EngagementEvent, ...]


def take_events(store: Store, events: Iterable[EngagementEvent], *, now: datetime) -> TakenEvents:
    """Pass events through the door, fold the new ones, and quarantine those from the future.

    Events of contacts who were erased are dropped (O5).
    """
    return _take(store, _not_of_erased(store, events), now=now)


def _not_of_erased(store: Store, events: Iterable[EngagementEvent]) -> Iterator[EngagementEvent]:
    for chunk in chunks(events):
        erased = store.erased({event.contact_id for event in chunk})
        yield from (event for event in chunk if event.contact_id not in erased)


def _take(store: Store, events: Iterable[EngagementEvent], *, now: datetime) -> TakenEvents:
    by_contact: dict[ContactId, list[EngagementEvent]] = defaultdict(list)
    unseen: dict[ContactId, set[str]] = defaultdict(set)
    new = 0
    early: list[EngagementEvent] = []
    for chunk in chunks(events):
        on_time = [event for event in chunk if event.at <= now + FUTURE]
        early += [event for event in chunk if event.at > now + FUTURE]
        for contact_id, mails in store.unseen(_started_by(on_time)).items():
            unseen[contact_id].update(mails)
        for event in store.admit(on_time):
            by_contact[event.contact_id].append(event)
            new += 1
    if early:
        store.quarantine(early, at=now)
    for ids in chunks(sorted(by_contact)):
        profiles = store.profiles(ids)
        store.save([_folded(store, one, profiles.get(one), by_contact[one], unseen[one]) for one in ids])
    return TakenEvents(new, tuple(early))


def _started_by(events: Iterable[EngagementEvent]) -> dict[ContactId, set[str]]:
    """Return the mails that these events say were sent: asked for before the door has seen them."""
    mails: dict[ContactId, set[str]] = defaultdict(set)
    for event in events:
        if event.mail and event.kind in (EventKind.SENT, EventKind.DELIVERED):
            mails[event.contact_id].add(event.mail)
    return mails


def _folded(
    store: Store,
    contact_id: ContactId,
    profile: EngagementProfile | None,
    new: list[EngagementEvent],
    unseen: Collection[str],
) -> EngagementProfile:
    if profile is not None:
        grown = extend(profile, new, unseen=unseen)
        if grown is not None:
            return grown
        events = store.events_of(contact_id)
        if _counted(profile) + _marked(new) > _marked(events):
            # Restored from an archive: events of before it are not kept any more, and what they came to must not go.
            return profile.merge(fold(contact_id, resolve(new), window=profile.window))
        return fold(contact_id, resolve(events), window=profile.window, baseline=profile.baseline)
    return fold(contact_id, resolve(new))


def _counted(profile: EngagementProfile) -> int:
    return sum(sum(counts.values()) for counts in profile.months.values())


def _marked(events: Iterable[EngagementEvent]) -> int:
    return sum(len(marks_of(event)) for event in events)
