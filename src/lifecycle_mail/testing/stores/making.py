"""How a suite gets the stores it tests."""

# ruff: noqa: ARG002, S101 - a suite is made of tests, and of hooks that a subclass fills in

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from string import ascii_letters
from threading import Barrier, Thread

from lifecycle_mail.ports import Store
from lifecycle_mail.testing.conformance import Conformance, does_not_apply, hook

PEPPERS: Mapping[str, str] = {"2025": "a pepper for tests, known to everybody"}
"""What the stores of a suite are opened with (O5); never use it for anything else."""

NEWER_PEPPERS: Mapping[str, str] = {**PEPPERS, "2026": "another pepper, which comes after the first"}
"""What they are opened with once a newer pepper has come."""

PATIENCE = 60.0
"""Seconds after which a thread that does not come back fails the test."""


class MakesStores(Conformance):
    """What an adapter's subclass defines."""

    def make_store(self) -> Store:
        """Return an empty store of its own for each call, opened with `PEPPERS`."""
        return hook("make_store", "return an empty store, opened with PEPPERS")

    def reopen(self, store: Store) -> Store:
        """Close a store and return a new one on the same data, opened with `PEPPERS`.

        Leave it undefined where nothing is durable.
        """
        does_not_apply(f"{type(store).__name__} forgets everything at the end")

    def with_peppers(self, store: Store, peppers: Mapping[str, str]) -> Store:
        """Close a store and return one on the same data, opened with these peppers.

        A store that is closed already stays so. Where a pepper in use is missing or wrong, this or the first call of
        the new store raises `Misconfigured`; what forgets everything at the end may take the peppers as they are.
        """
        return hook("with_peppers", "return a store on the same data, opened with other peppers")

    def another(self, store: Store) -> Store:
        """Return a second store on the same data, as another worker opens it; or the same, if threads share it."""
        return store

    def raw(self, store: Store) -> str:
        """Return everything that is stored, as text to be searched: files, rows, whatever it is kept in.

        Laws of erasure look into it for what no port tells. Leave it undefined where there is no way to read it.
        """
        return ""

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Give an empty store and close it."""
        store = self.make_store()
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def reopened(self, store: Store) -> Iterator[Store]:
        """Give a store again after a restart, and close it."""
        again = self.reopen(store)
        try:
            yield again
        finally:
            again.close()

    def at_once(self, store: Store, *work: Callable[[Store], None]) -> None:
        """Run pieces of work on one store's data at the same time, and raise what any of them raises."""
        barrier = Barrier(len(work))
        errors: list[BaseException] = []

        def run(piece: Callable[[Store], None]) -> None:
            try:
                mine = self.another(store)
                try:
                    barrier.wait(PATIENCE)
                    piece(mine)
                finally:
                    if mine is not store:
                        mine.close()
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)

        threads = [Thread(target=run, args=(piece,), daemon=True) for piece in work]
        with _hurry():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads), "a worker never came back"
        if errors:
            raise errors[0]


def long_text(length: int, letters: Sequence[str] = ascii_letters) -> str:
    """Return a text of so many characters, always the same, of which no compression makes much."""
    return "".join(Random(length).choices(letters, k=length))  # noqa: S311 - no secret


@contextmanager
def _hurry() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that what is not atomic shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
