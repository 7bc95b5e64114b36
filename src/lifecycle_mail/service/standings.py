"""Whether the noes and suppressions of the log still bind, for whoever reads the log and not one person.

An entry binds everybody whom it names: the contact, and whoever uses the address. So it no longer binds where each of
those whom the registry knows came back, or was let go. Nearly all of them have nothing else in the log, and are told
from the entries that name them; only where somebody came back or lifted something is everybody read who has, or ever
had, the address.

A no to all marketing, or to a channel, reaches lists that do not exist yet. Nobody overrides it but for lists by name,
and it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import frozen

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.echoes import distinct, echoes_in
from lifecycle_mail.model.entries import (
    SUPPRESSION_RULES,
    AddressChanged,
    Consent,
    Entry,
    Lift,
    OptOut,
    Record,
    Suppression,
)
from lifecycle_mail.model.lists import Channel, ScopeKind
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.service.reading import Reader


class EntryStanding(StrEnum):
    """What became of a no, or of a suppression."""

    STANDS = "stands"
    OVERRIDDEN = "overridden"
    LIFTED = "lifted"
    ECHO = "echo"


@frozen
class Verdict:
    """How an entry stands.

    Attributes:
        standing: whether it binds; an echo binds as long as the no that it echoes.
        overridden_for: the lists for which everybody whom it bound came back, sorted.
    """

    standing: EntryStanding = EntryStanding.STANDS
    overridden_for: tuple[ListKey, ...] = ()


_STANDS = Verdict()
_ECHO = Verdict(EntryStanding.ECHO)
_LIFTED = Verdict(EntryStanding.LIFTED)


class Standings:
    """Tells how entries of the log stand, as of a position.

    Args:
        reader: of the store.
        until: the position.
    """

    def __init__(self, reader: Reader, *, until: int) -> None:
        self._reader = reader
        self._store = reader.store
        self._until = until

    def of(self, records: Sequence[Record]) -> list[Verdict]:
        """Return how each of these opt-outs and suppressions stands, a chunk at once."""
        whom: dict[ContactId, set[MatchKey]] = {}
        for record in records:
            subject = record.entry.subject
            keys = whom.setdefault(subject.contact_id or _nobody_at(subject.key), set())
            if subject.key is not None:
                keys.add(subject.key)
        about = self._store.about(whom, until=self._until)
        return [self._of(record.entry, about) for record in records]

    def _of(self, entry: Entry, about: Mapping[ContactId, Sequence[Entry]]) -> Verdict:
        entries = about[entry.subject.contact_id or _nobody_at(entry.subject.key)]
        if len(entries) == 1:
            return _STANDS
        if isinstance(entry, Suppression):
            return self._of_suppression(entry, entries)
        if not isinstance(entry, OptOut):
            return _STANDS
        echoes = echoes_in(entries)
        told = {entry.id, *echoes.get(entry.id, ())}
        lists = {one.list for one in entries if isinstance(one, Consent) and not told.isdisjoint(one.cites)}
        back = self._lists_back(entry, sorted(lists))
        if entry.scope.kind is ScopeKind.LIST and entry.scope.key in back:
            return Verdict(EntryStanding.OVERRIDDEN, back)
        if entry.id in echoes and entry.id not in distinct({entry.id}, echoes):
            return Verdict(EntryStanding.ECHO, back) if back else _ECHO
        return Verdict(EntryStanding.STANDS, back) if back else _STANDS

    def _lists_back(self, entry: OptOut, lists: Sequence[ListKey]) -> tuple[ListKey, ...]:
        """Return the lists of these for which everybody whom a no binds came back."""
        if not lists:
            return ()
        bound = [person for person in self._everybody(entry) if entry.id in person.opt_outs]
        channel = Channel(entry.scope.key) if entry.scope.kind is ScopeKind.CHANNEL else Channel.EMAIL

        def is_out(person: Person, key: ListKey) -> bool:
            return any(one.id == entry.id for one in person.opt_outs_of(key, channel))

        return tuple(
            key
            for key in lists
            if entry.scope.covers(key, channel) and bound and not any(is_out(person, key) for person in bound)
        )

    def _of_suppression(self, entry: Suppression, entries: Sequence[Entry]) -> Verdict:
        if not any(isinstance(one, Lift) and one.ends(entry) for one in entries):
            return _STANDS
        people = self._everybody(entry)
        key = entry.subject.key
        if key is not None and not SUPPRESSION_RULES[entry.kind].follows_person:
            people.append(self._gone(_nobody_at(key), key))  # a fact about the address binds whoever uses it next
        return _STANDS if any(entry.id in person.suppressions for person in people) else _LIFTED

    def _everybody(self, entry: Entry) -> list[Person]:
        """Read everybody whom an entry may bind: whom it names, and who has, or ever had, the address."""
        key = entry.subject.key
        ids = {entry.subject.contact_id}
        if key is not None:
            nobody = _nobody_at(key)
            named = self._store.about({nobody: [key]}, until=self._until)[nobody]
            ids |= {one.subject.contact_id for one in named}
            if not is_hashed(key):  # an identity is the match key under the rules that fold nothing but case
                ids.update(self._store.find(key))
        known = sorted(one for one in ids if one is not None)
        contacts = self._store.get(known)
        return [
            self._reader.person(contacts[one], until=self._until) if one in contacts else self._gone(one, key)
            for one in known
        ]

    def _gone(self, contact_id: ContactId, key: MatchKey | None) -> Person:
        """Read somebody who is no contact, at the last address that the log tells of."""
        entries = self._store.about({contact_id: [] if key is None else [key]}, until=self._until)[contact_id]
        return Person.read(entries, contact_id, _last_key(entries, contact_id) or key)


def _nobody_at(key: MatchKey | None) -> ContactId:
    """Return an id under which an address is looked up that no contact has: ids are printable."""
    return ContactId(f"\n{key}")


def _last_key(entries: Iterable[Entry], contact_id: ContactId) -> MatchKey | None:
    found = None
    for one in entries:
        if one.subject.contact_id == contact_id and isinstance(one, AddressChanged | Consent):
            found = one.subject.key or found
    return found
