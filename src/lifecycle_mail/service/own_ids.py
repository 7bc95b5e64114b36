"""Knowing our own entries and our own people again in an export as hashes, which may have come a long way.

Such a row has for its id the keyed hash of the id that the entry had where it was exported, and names keyed hashes. To
tell whether that was here, our own noes are hidden in the same way: one id may come with several people, so whom a row
names counts, too. And to tell whose mail is in flight when their no comes (F18), so are the names in our log.

Both are kept in tables on the disk while the import runs, so that a long log takes no more memory than a short one
(F68); there is nothing in them but keyed hashes, digests of such, and our own ids of contacts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lifecycle_mail.files.exporting import hashing, is_without_words
from lifecycle_mail.model.entries import OptOut, Record, Suppression, named_in
from lifecycle_mail.model.names import ContactId, EntryId, entry_id
from lifecycle_mail.model.peppers import Peppers, is_hashed, pepper_of
from lifecycle_mail.ports import Store
from lifecycle_mail.service.reading import chunks

if TYPE_CHECKING:
    import sqlite3


_TABLES = """
CREATE TABLE own (pepper TEXT, id BLOB, PRIMARY KEY (pepper, id)) WITHOUT ROWID;
CREATE TABLE people (name TEXT, contact_id TEXT, PRIMARY KEY (name, contact_id)) WITHOUT ROWID;
"""


class OwnIds:
    """Tells which entries of an export as hashes are ours, and whom hashes name; the log is read for the first of them.

    Args:
        store: ours.
        peppers: whose hashes may be told.
    """

    def __init__(self, store: Store, peppers: Peppers) -> None:
        self._store = store
        self._peppers = peppers
        self._tables: sqlite3.Connection | None = None
        self._read: dict[str, int] = {}

    @property
    def _table(self) -> sqlite3.Connection:
        if self._tables is None:
            import sqlite3  # only where hashes are imported

            self._tables = sqlite3.connect("", isolation_level=None)  # of no name: it goes when it is closed
            self._tables.executescript(_TABLES)
        return self._tables

    def close(self) -> None:
        """Forget it all; what is asked afterwards is read anew."""
        if self._tables is not None:
            self._tables.close()
        self._tables = None
        self._read.clear()

    def among(self, entries: Iterable[OptOut | Suppression | None]) -> set[EntryId]:
        """Return the ids of those entries that are ours."""
        asked: dict[str, dict[bytes, EntryId]] = defaultdict(dict)
        for entry in entries:
            if entry is not None and is_without_words(entry):
                for name in (entry.subject.contact_id, entry.subject.key):
                    if name is not None and is_hashed(name):
                        asked[pepper_of(name)][_digest(entry)] = entry.id
        found: set[EntryId] = set()
        for pepper, ids in asked.items():
            self._hash_up_to_now(pepper)
            for some in chunks(sorted(ids), 500):
                held = self._table.execute(
                    f"SELECT id FROM own WHERE pepper = ? AND id IN ({','.join('?' * len(some))})",  # noqa: S608 - marks
                    (pepper, *some),
                )
                found.update(ids[one] for (one,) in held)
        return found

    def learn(self, entries: Iterable[OptOut | Suppression | None]) -> None:
        """Read the log for what these entries name by a hash: before a transaction, which should not take so long."""
        names = (
            name for entry in entries if entry is not None for name in (entry.subject.contact_id, entry.subject.key)
        )
        for pepper in sorted({pepper_of(name) for name in names if name is not None and is_hashed(name)}):
            self._hash_up_to_now(pepper)

    def whom(self, names: Iterable[str]) -> dict[str, set[ContactId]]:
        """Return for each keyed hash the contacts whose id it is, or who have or had that address, as was learned."""
        hashed = sorted({name for name in names if is_hashed(name)})
        if not hashed:
            return {}
        found: dict[str, set[ContactId]] = defaultdict(set)
        for some in chunks(hashed, 500):
            held = self._table.execute(
                f"SELECT name, contact_id FROM people WHERE name IN ({','.join('?' * len(some))})",  # noqa: S608 - marks
                some,
            )
            for name, contact_id in held:
                found[name].add(ContactId(contact_id))
        return found

    def _hash_up_to_now(self, pepper: str) -> None:
        """Hash what the log gained since the last time."""
        after, until = self._read.get(pepper, 0), self._store.position()
        hidden = hashing(self._peppers, pepper)
        for some in chunks(self._store.records(after=after, until=until)):
            noes = [record.entry for record in some if isinstance(record.entry, OptOut | Suppression)]
            digests = sorted(_digest(hidden(no)) for no in noes)
            people = sorted({(self._peppers.hashed(name, pepper), one) for name, one in _named(some)})
            self._table.execute("BEGIN")
            self._table.executemany("INSERT OR IGNORE INTO own VALUES (?, ?)", ((pepper, one) for one in digests))
            self._table.executemany("INSERT OR IGNORE INTO people VALUES (?, ?)", people)
            self._table.execute("COMMIT")
        self._read[pepper] = until


def _named(records: Iterable[Record]) -> Iterator[tuple[str, ContactId]]:
    """Yield each name that records know a contact by, once: the id, and addresses in use and former ones."""
    seen = set()
    for record in records:
        subject = record.entry.subject
        if subject.contact_id is None or is_hashed(subject.contact_id):
            continue
        for name in named_in(record.entry):
            pair = (name, subject.contact_id)
            if not is_hashed(name) and pair not in seen:
                seen.add(pair)
                yield name, subject.contact_id


def _digest(entry: OptOut | Suppression) -> bytes:
    return bytes.fromhex(entry_id(entry.id, entry.subject.contact_id, entry.subject.key))
