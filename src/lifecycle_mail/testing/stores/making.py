"""How a suite gets the stores it tests."""

# ruff: noqa: S101 - a suite is made of tests

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier, Thread

from lifecycle_mail.ports import Store
from lifecycle_mail.testing.conformance import Conformance, does_not_apply, hook

PATIENCE = 60.0
"""Seconds after which a thread that does not come back fails the test."""


class MakesStores(Conformance):
    """What an adapter's subclass defines."""

    def make_store(self) -> Store:
        """Return an empty store of its own for each call."""
        return hook("make_store", "return an empty store")

    def reopen(self, store: Store) -> Store:
        """Close a store and return a new one on the same data; leave it undefined where nothing is durable."""
        does_not_apply(f"{type(store).__name__} forgets everything at the end")

    def another(self, store: Store) -> Store:
        """Return a second store on the same data, as another worker opens it; or the same, if threads share it."""
        return store

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Give an empty store and close it."""
        store = self.make_store()
        try:
            yield store
        finally:
            store.close()

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


@contextmanager
def _hurry() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that what is not atomic shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
