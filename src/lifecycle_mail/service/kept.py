"""What an ESP holds, while it is compared with what we hold: on disk, so that memory stays flat however much it is."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import frozen

from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Kept, KeptAs

Key = tuple[str, str]
"""A place, and the identity of an address."""


@frozen
class Held:
    """What is kept of a `Kept`."""

    state: KeptAs
    lists: frozenset[ListKey]
    digest: int


class KeptTable:
    """A table of all that an ESP holds, found by place and address.

    It lies in a temporary file of SQLite's, which is gone when it is closed. Addresses are kept as hashes of 64 bits:
    among a million, two are alike once in thirty million runs.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "pragma journal_mode = off; pragma synchronous = off;"
            "create table kept (key integer primary key, state text, lists text, digest integer, met integer default 0)"
            " without rowid; begin"
        )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add(self, page: Iterable[Kept]) -> None:
        """Keep a page; who came before is kept as they came last."""
        self._db.executemany(
            "insert or replace into kept (key, state, lists, digest) values (?, ?, ?, ?)",
            [
                (
                    _hash(one.place, one.address.identity),
                    one.state.value,
                    ",".join(sorted(one.lists)),
                    _signed(one.digest),
                )
                for one in page
            ],
        )

    def find(self, whom: Collection[tuple[str, EmailAddress]]) -> Mapping[Key, Held]:
        """Return what it holds of these, and remember that we know of them."""
        by_hash = {_hash(place, address.identity): (place, address.identity) for place, address in whom}
        found: dict[Key, Held] = {}
        for some in _parts(list(by_hash)):
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"select key, state, lists, digest from kept where key in ({marks})", some)  # noqa: S608
            for key, state, lists, digest in rows:
                on = frozenset(ListKey(one) for one in lists.split(",") if one)
                found[by_hash[key]] = Held(KeptAs(state), on, digest)
        return found

    def met(self, whom: Iterable[Key]) -> None:
        """Remember whom we would mail ourselves."""
        self._db.executemany("update kept set met = 1 where key = ?", [(_hash(*one),) for one in whom])

    def strangers(self) -> int:
        """Count whom the ESP would mail and we would not."""
        (count,) = self._db.execute(
            "select count(*) from kept where state = ? and lists <> '' and not met", (KeptAs.SUBSCRIBED.value,)
        ).fetchone()
        return int(count)


def as_held(digest: int) -> int:
    """Return a digest as the table keeps it."""
    return _signed(digest)


def _hash(place: str, identity: str) -> int:
    digest = hashlib.blake2b(f"{place}\0{identity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _signed(number: int) -> int:
    """Fold a number into the 64 bits that SQLite keeps."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def _parts(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[at : at + 500] for at in range(0, len(keys), 500))
