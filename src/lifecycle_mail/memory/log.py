"""The consent log in memory: a list of records, and shelves on which they are found.

Who was erased stands in the log under keyed hashes. What is asked about them in plain is looked up under the hash and
returned under the plain name; what is written about them is redacted on its way in, and is known for the same if it
was there before the erasure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from lifecycle_mail.memory.base import Base
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import AddressChanged, Consent, ConsentRequest, Entry, Record, named_in, old_key
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.peppers import Peppers, is_hashed, pepper_of
from lifecycle_mail.model.redaction import cited_by, redacted, renamed

T = TypeVar("T", bound=Entry)
Shelf = dict[int, Record]
"""Records by their sequence numbers."""


class Log(Base):
    """The port `ConsentLog`, `marks` left out."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        self._log: list[Record] = []
        self._by_entry: dict[EntryId, Shelf] = defaultdict(dict)
        self._by_contact: dict[ContactId, Shelf] = defaultdict(dict)
        self._by_key: dict[MatchKey, Shelf] = defaultdict(dict)
        self._by_old_key: dict[MatchKey, Shelf] = defaultdict(dict)
        self._by_cited: dict[EntryId, Shelf] = defaultdict(dict)
        self._by_list: dict[ListKey, Shelf] = defaultdict(dict)

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        """Write what the log does not hold yet."""
        with self._lock, self.transaction():
            self._enter("append")
            written = []
            for given in entries:
                entry = self._unless_held(given)
                if entry is None:
                    continue
                record = Record(len(self._log) + 1, at, entry)
                self._log.append(record)
                self._on_undo(self._log.pop)
                self._shelve(record)
                written.append(record)
            return written

    def _unless_held(self, entry: Entry) -> Entry | None:
        """Return an entry as the log will keep it, or None where it does already.

        Raises:
            Misconfigured: it names a keyed hash under a pepper that is not here.
        """
        for name in (entry.subject.contact_id, entry.subject.key):
            if name is not None and is_hashed(name):
                self._peppers.require([pepper_of(name)])
                self._told_by_hash.add(pepper_of(name))
        names = self._erased_names(entry)
        subject = renamed(entry, names).subject if names else entry.subject
        ids = [entry.id, *(self._new_id(entry.id, pepper) for pepper in self._peppers.secrets if names)]
        if any(known.entry.subject == subject for one in ids for known in self._by_entry.get(one, {}).values()):
            return None
        return self._without_names(entry, names)

    def _erased_names(self, entry: Entry) -> dict[str, str]:
        if not self._erased:
            return {}
        return {name: self._stored(name) for name in named_in(entry) if self._is_hidden(name)}

    def _without_names(self, entry: T, names: Mapping[str, str]) -> T:
        """Return an entry without what an erasure forbids to write again."""

        def new_id(one: EntryId) -> EntryId:
            if one == entry.id:
                return self._new_id(one)
            forms = [one, *(self._new_id(one, pepper) for pepper in self._peppers.secrets)]
            return next((form for form in forms if self._by_entry.get(form)), self._new_id(one))

        return redacted(entry, names, new_id) if names else entry

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
        """Find a record by the id of its entry: the first, where it names several subjects."""
        with self._lock:
            self._enter("record")
            found = self._by_entry.get(entry_id)
            return found[min(found)] if found else None

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        """Return every entry about each contact, former addresses included."""
        with self._lock:
            self._enter("about")
            last = len(self._log) if until is None else until
            return {contact_id: self._about(contact_id, keys, last) for contact_id, keys in whom.items()}

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        own = self._of_contact(contact_id)
        names: set[str] = {contact_id, *keys}
        for record in own.values():
            if isinstance(record.entry, AddressChanged):
                names |= {key for key in (record.entry.old, record.entry.subject.key) if key is not None}
        asked = {form: name for name in names for form in self._forms(name) if form != name}
        ever = {MatchKey(form) for name in names - {contact_id} for form in self._forms(name)}
        found = {seq: record.entry for seq, record in own.items() if seq <= last}
        for key in ever:
            found |= {seq: record.entry for seq, record in self._by_key.get(key, {}).items() if seq <= last}
        return [renamed(found[seq], asked) if asked else found[seq] for seq in sorted(found)]

    def _of_contact(self, contact_id: ContactId) -> Shelf:
        forms = self._forms(contact_id)
        if len(forms) == 1:
            return self._by_contact.get(contact_id, {})
        found: Shelf = {}
        for form in forms:
            found |= self._by_contact.get(ContactId(form), {})
        return found

    # -- shelves

    def _shelves(self, entry: Entry) -> Iterator[Shelf]:
        yield self._by_entry[entry.id]
        if entry.subject.contact_id is not None:
            yield self._by_contact[entry.subject.contact_id]
        if entry.subject.key is not None:
            yield self._by_key[entry.subject.key]
        old = old_key(entry)
        if old is not None:
            yield self._by_old_key[old]
        for one in cited_by(entry):
            yield self._by_cited[one]
        if isinstance(entry, Consent | ConsentRequest):
            yield self._by_list[entry.list]

    def _shelve(self, record: Record) -> None:
        for shelf in self._shelves(record.entry):
            self._set(shelf, record.seq, record)

    def _replace_entry(self, record: Record, entry: Entry) -> None:
        """Put another entry in the place of a record's."""
        for shelf in self._shelves(record.entry):
            self._drop(shelf, record.seq)
        changed = Record(record.seq, record.recorded_at, entry)
        self._log[record.seq - 1] = changed
        self._on_undo(partial(self._log.__setitem__, record.seq - 1, record))
        self._shelve(changed)
