"""Whom an ESP is told of because of a no: all whom it binds here, at every address by which the ESP may know them.

A no binds the address that it names, whoever has it, and follows the contact that it names to any other (O2). So the
ESP is told of the address in the no, whether or not a contact has it; of the address that each contact has whom the no
binds; and of the last one of those who were archived. Who has come back is left out, and with them their address: a no
that its person has overridden is not told any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from attrs import frozen

from lifecycle_mail.errors import InvalidAddress
from lifecycle_mail.model.addresses import DEFAULT, EmailAddress, MatchKey, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.echoes import distinct
from lifecycle_mail.model.entries import Entry, OptOut, Pushed
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.service.reading import Reader, last_key

_NOBODY = ContactId("")


@frozen
class Whom:
    """Whom a no concerns at an ESP.

    Attributes:
        contacts: who is out there too, each at an address.
        unaware: those of them of whom the ESP does not know this very no.
        is_overridden: whether somebody whom it bound has come back.
    """

    contacts: Sequence[Contact]
    unaware: Sequence[Contact]
    is_overridden: bool


@frozen
class _Named:
    """Somebody whom the log names: as a contact, or as whom the log knows where the contact is archived."""

    contact: Contact
    person: Person
    entries: Sequence[Entry]

    def has_overridden(self, opt_out: OptOut) -> bool:
        cited = {cite for consent in self.person.consents for cite in consent.cites}
        return not cited.isdisjoint({opt_out.id, *self.person.echoes.get(opt_out.id, ())})


class Addressees:
    """Finds whom an ESP is told of.

    Args:
        reader: of the store.
        source: the name of the ESP.
        new_id: the id that an address would get, where nobody has it.
    """

    def __init__(self, reader: Reader, source: str, new_id: Callable[[EmailAddress], ContactId]) -> None:
        self._reader = reader
        self._store = reader.store
        self._source = source
        self._new_id = new_id

    def of(self, opt_out: OptOut) -> Whom:
        """Find whom a no concerns."""
        speaker, key = opt_out.subject.contact_id, opt_out.subject.key
        about = self._under(key)
        named = self._people(self._ids(speaker, key, about))
        bound = [one for one in named if opt_out.id in one.person.opt_outs]
        back = {one.contact.id for one in bound if one.has_overridden(opt_out)}
        returned = {_identity(one.contact) for one in bound if one.contact.id in back}
        out = [
            one.contact
            for one in bound
            if one.contact.id not in back
            and one.contact.address is not None
            and (one.contact.id == speaker or _identity(one.contact) not in returned)
        ]
        address = address_in(key)
        if address is not None and address.identity not in {_identity(one.contact) for one in bound}:
            out.append(Contact(id=speaker or self._new_id(address), address=address))
        known = set(self._known([*about, *(entry for one in bound for entry in one.entries)], opt_out))
        unaware = [one for one in out if self._name(one.id, self._reader.key(one)) not in known]
        if opt_out.provenance.source == self._source and any(self._echoes_ours(one.person, opt_out) for one in bound):
            unaware = []  # it echoes what we told: that no goes wherever this one would
        return Whom(out, unaware, bool(back))

    def _echoes_ours(self, person: Person, opt_out: OptOut) -> bool:
        """Whether what the ESP said only repeats a no that did not come from there."""
        echoed = (person.opt_outs.get(one) for one in person.echoes.get(opt_out.id, ()))
        return any(one is not None and one.provenance.source != self._source for one in echoed)

    def named(self, contact_id: ContactId, opt_out_id: EntryId) -> OptOut | None:
        """Return a no that binds a contact."""
        return next((one.person.opt_outs.get(opt_out_id) for one in self._people([contact_id])), None)

    def standing(self, contact_id: ContactId, *, before: int) -> list[OptOut]:
        """Return the noes from before a place of the log that bind a contact still, one a scope, echoes left out."""
        found: dict[Scope, OptOut] = {}
        for one in self._people([contact_id]):
            noes = one.person.opt_outs
            for opt_out in sorted((noes[name] for name in distinct(noes, one.person.echoes)), key=_when):
                said = self._store.record(opt_out.id)
                if said is not None and said.seq < before and not one.has_overridden(opt_out):
                    found.setdefault(opt_out.scope, opt_out)
        return list(found.values())

    def about(self, contact_id: ContactId | None, keys: Collection[MatchKey]) -> list[OptOut]:
        """Return the noes that name a contact or one of these addresses, each once."""
        whom = contact_id or _NOBODY
        entries = self._store.about({whom: list(keys)})[whom]
        return list({entry: None for entry in entries if isinstance(entry, OptOut)})

    def has_somebody(self, opt_out: OptOut) -> bool:
        """Whether there is a contact, or a plain address, that a no names."""
        subject = opt_out.subject
        if subject.contact_id is not None or address_in(subject.key) is not None:
            return True
        return bool(self._ids(None, subject.key, self._under(subject.key)))

    def left_behind(self, key: MatchKey | None) -> bool:
        """Whether somebody who had an address has another now."""
        known = self._store.get(self._ids(None, key, self._under(key)))
        return any(self._reader.key(one) not in (None, key) for one in known.values())

    # -- reading

    def _under(self, key: MatchKey | None) -> Sequence[Entry]:
        """Return what the log holds of an address."""
        return () if key is None else self._store.about({_NOBODY: [key]})[_NOBODY]

    def _ids(self, speaker: ContactId | None, key: MatchKey | None, about: Iterable[Entry]) -> list[ContactId]:
        """Return everybody whom a no may bind: whom it names, and who has or had the address."""
        ids = {speaker, *(entry.subject.contact_id for entry in about)}
        if key is not None and address_in(key) is not None:
            ids.update(self._store.find(key))
        return sorted(one for one in ids if one is not None and not is_hashed(one))

    def _people(self, ids: Collection[ContactId]) -> list[_Named]:
        return list(self._read(ids))

    def _read(self, ids: Collection[ContactId]) -> Iterator[_Named]:
        known = self._store.get(ids)
        about = self._store.about({one: self._reader.keys(known[one]) if one in known else () for one in ids})
        for one in ids:
            contact, entries = known.get(one), about[one]
            if contact is not None:
                key = self._reader.key(contact)
            else:
                key = last_key(entries, one)
                contact = Contact(id=one, address=address_in(key))
                entries = self._store.about({one: [] if key is None else [key]})[one]
            yield _Named(contact, Person.read(entries, one, key), entries)

    def _known(self, entries: Collection[Entry], opt_out: OptOut) -> Iterator[tuple[ContactId | None, MatchKey | None]]:
        """Yield by what names the ESP knows of a no: it told it itself, or was told."""
        if opt_out.provenance.source == self._source:
            yield self._name(opt_out.subject.contact_id, opt_out.subject.key)
        for entry in entries:
            if isinstance(entry, Pushed) and (entry.done, entry.opt_out, entry.provenance.source) == (
                True, opt_out.id, self._source,
            ):  # fmt: skip
                yield self._name(entry.subject.contact_id, entry.subject.key)

    def _name(self, contact_id: ContactId | None, key: MatchKey | None) -> tuple[ContactId | None, MatchKey | None]:
        """Return what tells an address from others: the key, and the contact where several spellings share it."""
        return None if address_in(key) is not None else contact_id, key


def address_in(key: MatchKey | None) -> EmailAddress | None:
    """Return the address that a match key tells: what several spellings share, or a hash, tells none."""
    if key is None or not key.startswith(f"{DEFAULT.version}:"):
        return None
    try:
        return parse_address(key.partition(":")[2])
    except InvalidAddress:  # whatever wrote it, one key does not hold up the noes of others
        return None


def _identity(contact: Contact) -> str | None:
    return None if contact.address is None else contact.address.identity


def _when(opt_out: OptOut) -> tuple[object, str]:
    return opt_out.provenance.at, opt_out.id
