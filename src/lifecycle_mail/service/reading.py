"""Reading a store into subjects: contact, consent, engagement, all true at one position of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from attrs import frozen

from lifecycle_mail.errors import AmbiguousAddress, InvalidAddress, UnknownName
from lifecycle_mail.model.addresses import EmailAddress, MatchKey, MatchRules, mask, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Entry
from lifecycle_mail.model.entries import Subject as LogSubject
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.policy.facts import Subject
from lifecycle_mail.ports import LARGEST_CHUNK, Store

T = TypeVar("T")


def moves_of(entries: Iterable[Entry], contact_id: ContactId) -> list[AddressChanged]:
    """Return a contact's changes of address, in order."""
    return [e for e in entries if isinstance(e, AddressChanged) and e.subject.contact_id == contact_id]


def last_key(entries: Iterable[Entry], contact_id: ContactId) -> MatchKey | None:
    """Return the address that the log knows somebody by last; None where it knows of none."""
    own = [entry for entry in entries if entry.subject.contact_id == contact_id]
    moves = moves_of(own, contact_id)
    if moves:
        return moves[-1].subject.key
    named = [entry.subject.key for entry in own if entry.subject.key is not None]
    return named[-1] if named else None


def chunks(items: Iterable[T], size: int = LARGEST_CHUNK) -> Iterator[list[T]]:
    """Cut a stream into lists of at most `size`."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


@frozen
class Speaker:
    """Who says something, as far as it is known.

    Attributes:
        subject: what an entry names: the contact, or an address alone where nobody or more than one has it.
        holders: every contact it may be, those who used to have the address among them.
        logs: what the log holds about the address and about each of them, each in the order of the log.
    """

    subject: LogSubject
    holders: tuple[ContactId, ...]
    logs: tuple[Sequence[Entry], ...]


class Reader:
    """Reads subjects from a store.

    Attributes:
        store: the store.
        rules: how addresses are matched for suppression.
    """

    def __init__(self, store: Store, rules: MatchRules) -> None:
        self.store = store
        self.rules = rules

    def key(self, contact: Contact) -> MatchKey | None:
        """Return the match key of a contact's address."""
        return None if contact.address is None else contact.address.match_key(self.rules)

    def keys(self, contact: Contact) -> list[MatchKey]:
        """Return what entries about a contact's address are filed under."""
        key = self.key(contact)
        return [] if key is None else [key]

    def named(self, contact: Contact) -> LogSubject:
        """Return what entries about a contact name: the id, and the address in use."""
        return LogSubject(contact_id=contact.id, key=self.key(contact))

    def subjects(self, contacts: Sequence[Contact], *, now: datetime, until: int | None = None) -> list[Subject]:
        """Read a chunk of contacts at once, in their order.

        Raises:
            RegistryUnavailable: the log cannot be read.
        """
        people = self.people(contacts, until=until)
        profiles = self.store.profiles([contact.id for contact in contacts])
        return [
            Subject(
                contact=contact,
                person=person,
                profile=profiles.get(contact.id) or EngagementProfile(contact_id=contact.id),
                now=now,
            )
            for contact, person in zip(contacts, people, strict=True)
        ]

    def people(self, contacts: Sequence[Contact], *, until: int | None = None) -> list[Person]:
        """Read the consent of a chunk of contacts at once, now or at a past position of the log."""
        about = self.store.about({contact.id: self.keys(contact) for contact in contacts}, until=until)
        return [Person.read(about[contact.id], contact.id, self.key(contact)) for contact in contacts]

    def all_subjects(self, *, now: datetime) -> Iterator[Subject]:
        """Yield every contact as a subject, in order of id, a chunk at a time."""
        for chunk in chunks(self.store.each()):
            yield from self.subjects(chunk, now=now)

    def some_subjects(self, contact_ids: Iterable[ContactId], *, now: datetime) -> Iterator[Subject]:
        """Yield these contacts as subjects, a chunk at a time; those that do not exist are passed over."""
        for chunk in chunks(contact_ids):
            found = self.store.get(chunk)
            yield from self.subjects([found[one] for one in chunk if one in found], now=now)

    def person(self, contact: Contact, *, until: int | None = None) -> Person:
        """Read one contact's consent, now or at a past position of the log, at the address they had then (O10)."""
        if until is None:
            return self.people([contact])[0]
        whom = {contact.id: self.keys(contact)}
        then = self.store.about(whom, until=until)[contact.id]
        known = len(moves_of(then, contact.id))
        later = moves_of(self.store.about(whom)[contact.id], contact.id)[known:]
        return Person.read(then, contact.id, later[0].old if later else self.key(contact))

    def speaker(self, who: str) -> Speaker:
        """Find who says something: a contact by id or address, else everybody whom the address may name.

        Raises:
            InvalidAddress: it is neither a contact's id nor an address.
        """
        try:
            contact = self.find(who)
        except AmbiguousAddress:  # what is said binds the address, whoever of them said it
            contact = None
        if contact is not None:
            about = self.store.about({contact.id: self.keys(contact)})
            return Speaker(self.named(contact), (contact.id,), (about[contact.id],))
        address = parse_address(who)
        key = address.match_key(self.rules)
        nobody = ContactId("")
        named = self.store.about({nobody: [key]})[nobody]
        ever = {entry.subject.contact_id for entry in named if entry.subject.contact_id is not None}
        holders = tuple(sorted(ever.union(self.store.find(address.identity))))
        known = self.store.get(holders)
        about = self.store.about({one: [key, *self.keys(known[one])] for one in holders if one in known})
        return Speaker(LogSubject(key=key), holders, (named, *about.values()))

    def find(self, who: str) -> Contact | None:
        """Find a contact by id, else by address.

        Raises:
            AmbiguousAddress: several contacts have the address.
        """
        found = self.store.get([ContactId(who)])
        if found:
            return found[ContactId(who)]
        try:
            address = parse_address(who)
        except InvalidAddress:
            return None
        return self.by_address(address)

    def by_address(self, address: EmailAddress) -> Contact | None:
        """Find the one contact with an address.

        Raises:
            AmbiguousAddress: several contacts have it.
        """
        ids = self.store.find(address.identity)
        if len(ids) > 1:
            raise AmbiguousAddress(address.masked, ids)
        return self.store.get(ids)[ids[0]] if ids else None

    def require(self, who: str) -> Contact:
        """Find a contact by id or address.

        Raises:
            UnknownName: nobody goes by it.
            AmbiguousAddress: several contacts have the address.
        """
        found = self.find(who)
        if found is None:
            raise UnknownName("contact", mask(who))
        return found
