"""Whom new records of the log speak of, among those whom a campaign goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import Record
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.redaction import names_a_hash
from lifecycle_mail.service.reading import Reader, chunks, moves_of


class News:
    """Finds whom records bind: by id, by an address they have or used to have, or by a keyed hash of one of these.

    Args:
        reader: of the store.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._bound: defaultdict[MatchKey, set[ContactId]] = defaultdict(set)
        self._keyed: set[ContactId] = set()

    def about(self, records: Sequence[Record], among: Collection[ContactId]) -> dict[int, set[ContactId]]:
        """Return for each record, by its number, whom of these contacts it may bind."""
        among = set(among)
        if any(record.entry.subject.key is not None for record in records):
            self._read_keys(among)
        found: dict[int, set[ContactId]] = {}
        for record in records:
            subject = record.entry.subject
            found[record.seq] = {one for one in (subject.contact_id,) if one is not None} & among
            if subject.key is not None:
                found[record.seq] |= self._bound.get(subject.key, set()) & among
        hashed = [record for record in records if names_a_hash(record.entry)]
        if hashed:
            self._read_hashed(hashed, among, found)
        return found

    def _read_keys(self, ids: Iterable[ContactId]) -> None:
        """Read once by which match keys these contacts are bound, former ones included."""
        store = self._reader.store
        for chunk in chunks(one for one in ids if one not in self._keyed):
            contacts = store.get(chunk)
            about = store.about({one: self._reader.keys(contact) for one, contact in contacts.items()})
            for one, entries in about.items():
                keys = {*self._reader.keys(contacts[one])}
                for moved in moves_of(entries, one):
                    keys |= {key for key in (moved.old, moved.subject.key) if key is not None}
                for key in keys:
                    self._bound[key].add(one)
            self._keyed.update(chunk)

    def _read_hashed(
        self, hashed: Sequence[Record], among: Iterable[ContactId], found: dict[int, set[ContactId]]
    ) -> None:
        """Add whom records bind that name somebody by a hash alone, which is an import's or what an erasure left.

        Only the store knows the hashes of a name, so it is asked for all that it holds about each of these contacts.
        """
        numbers: defaultdict[EntryId, list[int]] = defaultdict(list)  # one event may have named several people
        for record in hashed:
            numbers[record.entry.id].append(record.seq)
        for chunk in chunks(among):
            contacts = self._reader.store.get(chunk)
            whom = {one: self._reader.keys(contacts[one]) if one in contacts else [] for one in chunk}
            for one, entries in self._reader.store.about(whom).items():
                for entry in entries:
                    for number in numbers.get(entry.id, ()):
                        found[number].add(one)
