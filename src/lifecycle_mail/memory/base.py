"""What every part of the in-memory store stands on: the lock, the undo list, scripted faults, and erased names.

Every write says how it is undone, so that a transaction that fails leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

from lifecycle_mail.memory.scripting import require_operation
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.peppers import Peppers, is_hashed

K = TypeVar("K")
V = TypeVar("V")
Name = TypeVar("Name", bound=str)


class Base:
    """Holds what the parts share; each part adds what it keeps."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        self.url = url
        self._peppers = peppers if isinstance(peppers, Peppers) else Peppers(peppers or {})
        self._lock = threading.RLock()
        self._undo: list[Callable[[], object]] | None = None
        self._failures: dict[str, list[Exception]] = defaultdict(list)
        self._erased: dict[str, str] = {}  # every keyed hash of who was erased -> the one that they are kept under
        self._told_by_hash: set[str] = set()  # the peppers of hashes that entries named, as an import of hashes does

    # -- scripting

    def fail(self, operation: str, error: Exception, *, times: int = 1) -> None:
        """Let the next calls of an operation raise, before anything is done."""
        require_operation(self, operation)
        self._failures[operation].extend([error] * times)

    def _enter(self, operation: str) -> None:
        if self._failures and self._failures[operation]:
            raise self._failures[operation].pop(0)

    # -- transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one: undone in reverse where anything is raised."""
        with self._lock:
            if self._undo is not None:  # a transaction within a transaction belongs to it
                yield
                return
            self._undo = []
            try:
                yield
            except BaseException:
                for undo in reversed(self._undo):
                    undo()
                raise
            finally:
                self._undo = None

    def close(self) -> None:
        """Nothing is held open."""

    def _on_undo(self, undo: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    def _set(self, shelf: dict[K, V], key: K, value: V) -> None:
        self._on_undo(partial(_restore, shelf, key, shelf.get(key)))
        shelf[key] = value

    def _drop(self, shelf: dict[K, V], key: K) -> V | None:
        before = shelf.pop(key, None)
        self._on_undo(partial(_restore, shelf, key, before))
        return before

    # -- erased names, O5

    def _stored(self, name: Name) -> Name:
        """Return what a contact id or match key is kept under: itself, or the keyed hash that an erasure left."""
        if not self._erased or is_hashed(name):
            return name
        forms = self._peppers.forms(name)
        return cast(Name, next((self._erased[form] for form in forms if form in self._erased), name))

    def _is_hidden(self, name: str | None) -> bool:
        """Whether a contact id or match key was erased, or is a keyed hash of one that was."""
        return name is not None and (name in self._erased or self._stored(name) != name)

    def _forms(self, name: str) -> list[str]:
        """Return all that a text may be kept under."""
        return [name, *self._peppers.forms(name)] if self._erased or self._told_by_hash else [name]

    def _new_id(self, entry_id: EntryId, pepper: str | None = None) -> EntryId:
        """Return the id that an erased person's entry goes by: 32 hex digits, as all ids."""
        return EntryId(self._peppers.hashed(entry_id, pepper).rpartition(":")[2][:32])


def _restore(shelf: dict[Any, Any], key: object, old: object | None) -> None:
    if old is None:
        shelf.pop(key, None)
    else:
        shelf[key] = old
