"""Placing statements: finding the contact that each is about, or making it, within one batch.

What a batch says of contacts is kept here until all of it is placed, and what one statement makes the next one finds.
What speaks of somebody who was erased is left out before a contact is made of it (F62). Reports about mails of before
somebody was archived count and bind, and make no contact of them again (O5); an import that knows them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from attrs import evolve

from lifecycle_mail.errors import AmbiguousAddress
from lifecycle_mail.model.addresses import EmailAddress, MatchKey, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact, FieldType, read_field
from lifecycle_mail.model.entries import AddressChanged, SuppressionKind
from lifecycle_mail.model.intake import Happened, Held, Known, Left, Statement, Who
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.service.reading import Reader, chunks, last_key

_REPORTS = (Happened, Left, Held)
"""What is told of mails that were sent, however long ago."""
_NOBODY = ContactId("\n")
"""An id that no contact can have."""


class Placer:
    """Finds and makes the contacts of one batch.

    Args:
        reader: of the store that is written to.
        fields: the declared types of custom fields.
        new_id: makes the id of a contact that is known by address alone.
        now: the instant of receipt, aware UTC.

    Attributes:
        made: the contacts that the batch made known.
        changed: the contacts that the batch made known or changed, once they are written.
        of_erased: how many statements spoke of somebody who was erased.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        fields: Mapping[str, FieldType],
        new_id: Callable[[EmailAddress], ContactId],
        now: datetime,
    ) -> None:
        self._reader = reader
        self._store = reader.store
        self._fields = fields
        self._new_id = new_id
        self._now = now
        self._contacts: dict[ContactId, Contact] = {}
        self._dirty: dict[ContactId, Contact] = {}
        self._by_address: dict[str, set[ContactId]] = {}
        self._moves: list[AddressChanged] = []
        self._archived: dict[ContactId, MatchKey | None] = {}
        self._archived_at: dict[MatchKey, list[ContactId]] = {}
        self.made: set[ContactId] = set()
        self.changed: set[ContactId] = set()
        self.of_erased = 0

    def write(self) -> list[AddressChanged]:
        """Write the contacts, and return what the log must say of their addresses."""
        before = self._store.get(self._dirty)
        self.changed = {one for one, contact in self._dirty.items() if before.get(one) != contact}
        self._store.put(list(self._dirty.values()))
        self._link_made()
        return self._moves

    def without_erased(self, batch: Sequence[Statement]) -> Iterator[Statement]:
        """Yield what speaks of people who were not erased; what names somebody else at an erased address comes last."""
        erased = self._erased_in(batch)
        self._find_archived(batch)
        others: list[Statement] = []
        for statement in batch:
            who = statement.who
            if erased and who.contact_id in erased:
                self.of_erased += 1
            elif erased and who.address is not None and who.address.match_key(self._reader.rules) in erased:
                self.of_erased += 1
                if who.contact_id is not None:
                    others.append(evolve(statement, who=Who(who.contact_id)))
            else:
                yield statement
        for statement in others:
            # Only of a contact whom we know otherwise: one made for this is the erased person under another id.
            if self.by_id(ContactId(statement.who.contact_id or "")) is not None:
                yield statement

    def _erased_in(self, batch: Sequence[Statement]) -> set[str]:
        names: dict[str, None] = {}
        for statement in batch:
            if statement.who.contact_id is not None:
                names[statement.who.contact_id] = None
            if statement.who.address is not None:
                names[statement.who.address.match_key(self._reader.rules)] = None
        return {one for some in chunks(names) for one in self._store.erased(some)}

    def _find_archived(self, batch: Sequence[Statement]) -> None:
        """Note who of those that reports name was archived: by the id, and by the address that they had then."""
        reports = [statement.who for statement in batch if isinstance(statement, _REPORTS)]
        ids = dict.fromkeys(ContactId(who.contact_id) for who in reports if who.contact_id is not None)
        keys = dict.fromkeys(
            who.address.match_key(self._reader.rules)
            for who in reports
            if who.contact_id is None and who.address is not None
        )
        if not self._store.position():
            return
        for some in chunks(ids):
            self._archived |= self._archived_among(some)
        for few in chunks(keys):
            marks = self._store.marks(few)
            for key in few:
                if key not in marks or SuppressionKind.ARCHIVE not in marks[key].suppressions:
                    continue
                named = {one.subject.contact_id for one in self._store.about({_NOBODY: [key]})[_NOBODY]}
                last = self._archived_among([one for one in named if one is not None and not is_hashed(one)])
                self._archived_at[key] = sorted(one for one, held in last.items() if held == key)
                self._archived |= last

    def _archived_among(self, ids: Sequence[ContactId]) -> dict[ContactId, MatchKey | None]:
        """Return who of these was archived and is no contact, each with the last key that the log tells of."""
        there = self._store.get(ids)
        about = self._store.about(dict.fromkeys([one for one in ids if one not in there], ()))
        last = {one: last_key(entries, one) for one, entries in about.items() if entries}
        held = {one: Person.read(about[one], one, key).suppressions.values() for one, key in last.items()}
        return {
            one: key
            for one, key in last.items()
            if any(entry.kind is SuppressionKind.ARCHIVE and entry.subject.contact_id == one for entry in held[one])
        }

    def place(self, statement: Statement) -> Contact:
        """Find or make the contact that a statement is about.

        Of somebody who was archived a report finds the id alone.

        Raises:
            AmbiguousAddress: several contacts have the address that it names.
        """
        who = statement.who
        if who.contact_id is not None:
            contact = self.by_id(ContactId(who.contact_id))
            if contact is None and isinstance(statement, _REPORTS) and who.contact_id in self._archived:
                return Contact(id=ContactId(who.contact_id))
            if contact is None:
                return self._make(ContactId(who.contact_id), who.address)
            # Only what says who somebody is moves them: a late report about a mail names the address it went to.
            moves = isinstance(statement, Known) or contact.address is None
            if moves and who.address is not None and contact.address != who.address:
                return self._move(contact, who.address)
            return contact
        assert who.address is not None  # noqa: S101 - Who holds one of the two
        ids = self._at(who.address)
        archived: Sequence[ContactId] = ()
        if not ids and isinstance(statement, _REPORTS):
            archived = self._archived_at.get(who.address.match_key(self._reader.rules), ())
        if len(archived) > 1:
            raise AmbiguousAddress(who.address.masked, archived)
        if archived:
            return Contact(id=archived[0])
        if len(ids) > 1:
            raise AmbiguousAddress(who.address.masked, ids)
        for one in ids:
            found = self.by_id(one)
            assert found is not None  # noqa: S101 - the store has just named them
            return found
        return self._make(self._new_id(who.address), who.address)

    def _at(self, address: EmailAddress) -> set[ContactId]:
        """Return who has an address, those of this batch that are not written yet among them."""
        identity = address.identity
        if identity not in self._by_address:
            self._by_address[identity] = set(self._store.find(identity))
        return self._by_address[identity]

    def address_of(self, contact_id: ContactId) -> EmailAddress | None:
        """Return the address of a contact, or the one that somebody had when they were archived."""
        known = self.by_id(contact_id)
        if known is not None:
            return known.address
        last = self._archived.get(contact_id)
        return None if last is None or is_hashed(last) else parse_address(last.partition(":")[2])

    def by_id(self, contact_id: ContactId) -> Contact | None:
        """Return a contact as the batch leaves it."""
        if contact_id not in self._contacts:
            found = self._store.get([contact_id])
            if not found:
                return None
            self._contacts.update(found)
        return self._contacts[contact_id]

    def _make(self, contact_id: ContactId, address: EmailAddress | None) -> Contact:
        made = Contact(id=contact_id, address=address)
        self.made.add(contact_id)
        self._write(made)
        return made

    def _move(self, contact: Contact, address: EmailAddress) -> Contact:
        old = self._reader.key(contact)
        moved = evolve(contact, address=address)
        self._write(moved)
        if self._reader.key(moved) != old:
            self._moves.append(self._moved(moved, old))
        return moved

    def _moved(self, contact: Contact, old: MatchKey | None) -> AddressChanged:
        provenance = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=self._now, source="import")
        return AddressChanged(subject=self._reader.named(contact), old=old, provenance=provenance)

    def know(self, contact: Contact, statement: Known) -> None:
        """Keep what a statement says of a contact.

        Raises:
            InvalidInput: a value is not of the declared type of its field.
        """
        known = {
            name: read_field(name, value, self._fields[name]) if name in self._fields else value
            for name, value in statement.fields.items()
        }
        self._write(
            evolve(
                contact,
                fields={**contact.fields, **known},
                tags=contact.tags | statement.tags,
                source=statement.source or contact.source,
                signed_up_at=statement.signed_up_at or contact.signed_up_at,
                timezone=statement.timezone or contact.timezone,
                locale=statement.locale or contact.locale,
            )
        )

    def _write(self, contact: Contact) -> None:
        """Keep a contact to be written, and let the next statement in the batch find it."""
        before = self._contacts.get(contact.id)
        if before is not None and before.address is not None:
            self._at(before.address).discard(contact.id)
        if contact.address is not None:
            self._at(contact.address).add(contact.id)
        self._contacts[contact.id] = contact
        self._dirty[contact.id] = contact

    def _link_made(self) -> None:
        """Write that contacts who come back from an archive have another address, where the log knows them by one."""
        if not self._store.position():
            return
        for ids in chunks(sorted(self.made)):
            about = self._store.about(dict.fromkeys(ids, ()))
            for one in ids:
                contact, known = self._contacts[one], last_key(about[one], one)
                if known is not None and self._reader.key(contact) not in (None, known):
                    self._moves.append(self._moved(contact, known))
