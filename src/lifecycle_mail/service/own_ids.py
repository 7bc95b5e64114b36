"""Knowing our own entries again in an export as hashes, which may have come a long way.

Such a row has for its id the keyed hash of the id that the entry had where it was exported, and names keyed hashes. To
tell whether that was here, our own noes are hidden in the same way: one id may come with several people, so whom a row
names counts, too. Digests of these are kept in a table on the disk while the import runs, so
that a long log takes no more memory than a short one (F68); there is nothing in it but digests of keyed hashes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self

from lifecycle_mail.files.exporting import hashing, is_without_words
from lifecycle_mail.model.entries import OptOut, Suppression
from lifecycle_mail.model.names import EntryId, entry_id
from lifecycle_mail.model.peppers import Peppers, is_hashed, pepper_of
from lifecycle_mail.ports import Store
from lifecycle_mail.service.reading import chunks

if TYPE_CHECKING:
    import sqlite3


class OwnIds:
    """Tells which entries of an export as hashes are ours; the log is read for the first of them.

    Args:
        store: ours.
        peppers: whose hashes may be told.
        table: where the hashes are kept meanwhile.
    """

    def __init__(self, store: Store, peppers: Peppers, table: sqlite3.Connection) -> None:
        self._store = store
        self._peppers = peppers
        self._table = table
        self._read: dict[str, int] = {}
        table.execute("CREATE TABLE own (pepper TEXT, id BLOB, PRIMARY KEY (pepper, id)) WITHOUT ROWID")

    @classmethod
    @contextmanager
    def open(cls, store: Store, peppers: Peppers) -> Iterator[Self]:
        """Open the table, for as long as an import runs."""
        import sqlite3  # only where something is imported

        with closing(sqlite3.connect("", isolation_level=None)) as table:  # of no name: it goes when it is closed
            yield cls(store, peppers, table)

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

    def _hash_up_to_now(self, pepper: str) -> None:
        """Hash what the log gained since the last time."""
        after, until = self._read.get(pepper, 0), self._store.position()
        hidden = hashing(self._peppers, pepper)
        noes = (
            _digest(hidden(record.entry))
            for record in self._store.records(after=after, until=until)
            if isinstance(record.entry, OptOut | Suppression)
        )
        for some in chunks(noes):
            self._keep(pepper, some)
        self._read[pepper] = until

    def _keep(self, pepper: str, digests: Sequence[bytes]) -> None:
        self._table.execute("BEGIN")
        self._table.executemany("INSERT OR IGNORE INTO own VALUES (?, ?)", ((pepper, one) for one in sorted(digests)))
        self._table.execute("COMMIT")


def _digest(entry: OptOut | Suppression) -> bytes:
    return bytes.fromhex(entry_id(entry.id, entry.subject.contact_id, entry.subject.key))
