"""Calls to an ESP that go out side by side, a batch each; what a batch does not take is tried again alone (F26)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from attrs import evolve, frozen

from lifecycle_mail.errors import EspRefused
from lifecycle_mail.ports import Change, Handled, KeepsContacts

TRIES = 3
"""How often a contact is told in one run that the ESP did not take for now."""

_WHOLE = frozenset({401, 403, 405})
"""Statuses that are about the caller, and not about anybody whom a call names."""


@frozen
class Batch:
    """What goes into one call, and how often it was tried."""

    changes: Sequence[Change]
    tries: int = 1


class Calls:
    """Calls that go out side by side, a full batch at a time, and never more than there are connections.

    Only so many wait as keep all connections busy, so that reading never runs far ahead of telling.

    Args:
        esp: who is called.
        took: called with what became of each batch, in the thread that puts.

    Attributes:
        failed: how many were not taken for now, however often they were tried.
    """

    def __init__(self, esp: KeepsContacts, took: Callable[[Handled], None]) -> None:
        self._esp = esp
        self._took = took
        self._lanes: dict[Hashable, list[Change]] = defaultdict(list)
        self._flying: dict[Future[Handled], Batch] = {}
        self.failed = 0
        self._pool = ThreadPoolExecutor(max_workers=esp.connections, thread_name_prefix=f"sync-{esp.name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for call in list(self._flying):  # what left must be accounted for, whatever stopped us
            if call.done() and not call.cancelled() and call.exception() is None:
                self._took(call.result())

    def put(self, change: Change) -> None:
        """Tell of a change, as soon as there are enough of its lane."""
        lane = self._lanes[self._esp.lane(change)]
        lane.append(change)
        if len(lane) >= self._esp.at_once:
            self._start(Batch(self._lanes.pop(self._esp.lane(change))))

    def finish(self) -> None:
        """Tell the rest, and wait for all answers."""
        while self._lanes:
            self._start(Batch(self._lanes.popitem()[1]))
        while self._flying:
            self._land()

    def _start(self, batch: Batch) -> None:
        while len(self._flying) >= 2 * self._esp.connections:
            self._land()
        self._flying[self._pool.submit(self._esp.show, batch.changes)] = batch

    def _land(self) -> None:
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        call = next(iter(done))  # one at a time: what becomes of it may start and land others
        self._landed(call, self._flying.pop(call))

    def _landed(self, call: Future[Handled], batch: Batch) -> None:
        changes = batch.changes
        try:
            handled = call.result()
        except EspRefused as error:
            if error.status in _WHOLE:
                raise
            if len(changes) > 1:  # refused as a whole: find out for whose sake (F26)
                half = len(changes) // 2
                for some in (changes[:half], changes[half:]):
                    self._start(evolve(batch, changes=some))
                return
            handled = Handled(refused={changes[0].shown.contact.id: error})
        passing = {one for one, error in handled.refused.items() if error.retryable}
        self._took(evolve(handled, refused={one: why for one, why in handled.refused.items() if one not in passing}))
        left = [change for change in changes if change.shown.contact.id in passing]
        if left and batch.tries < TRIES:  # only those (F26)
            self._start(Batch(left, batch.tries + 1))
        else:
            self.failed += len(left)
