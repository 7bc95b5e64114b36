"""Workers that take turns, call by call, in an order that a test gives.

Each worker has a thread, of which one runs at a time: what happens depends on the order alone, and repeats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PATIENCE = 60.0
"""Seconds after which a worker that does not come back fails the test."""


class Turns:
    """Runs pieces of work, one call of a port after the other.

    Args:
        order: whose turn it is, again and again: numbers of workers. When it is used up they run one after another.

    Attributes:
        trace: what was done, in order: (worker, operation, detail).
    """

    def __init__(self, order: Sequence[int]) -> None:
        self._order = list(order)
        self._mine = threading.local()
        self._turns: list[threading.Semaphore] = []
        self._back = threading.Semaphore(0)
        self.trace: list[tuple[int, str, Any]] = []

    def run(self, *work: Callable[[], object]) -> list[object]:
        """Do all the work; return what each piece returned, or the error that it raised."""
        answers: list[object] = [None] * len(work)
        self._turns = [threading.Semaphore(0) for _ in work]
        alive = list(range(len(work)))

        def run(number: int, piece: Callable[[], object]) -> None:
            self._mine.number = number
            self._turns[number].acquire()
            try:
                answers[number] = piece()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                answers[number] = error
            alive.remove(number)
            self._back.release()

        for number, piece in enumerate(work):
            threading.Thread(target=run, args=(number, piece), daemon=True).start()
        while alive:
            wished = self._order.pop(0) if self._order else alive[0]
            self._turns[wished if wished in alive else alive[0]].release()
            assert self._back.acquire(timeout=PATIENCE), "a worker waits for another one that is not its turn"
        return answers

    def pause(self) -> None:
        """Let others go on; returns when it is this worker's turn again. Who sets the scene waits for nobody."""
        if self._is_worker():
            self._back.release()
            self._turns[self._mine.number].acquire()

    def note(self, operation: str, detail: Any = None) -> None:
        """Write down what this worker does."""
        if self._is_worker():
            self.trace.append((self._mine.number, operation, detail))

    def _is_worker(self) -> bool:
        return hasattr(self._mine, "number")


class Stepping:
    """A port as a worker sees it that takes turns: before each call, but not within a transaction, others go on."""

    def __init__(self, port: Any, turns: Turns) -> None:
        self._port = port
        self._turns = turns
        self._depth = 0
        self._claimed: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction, and note its commit."""
        if self._depth == 0:
            self._turns.pause()
        self._depth += 1
        try:
            with self._port.transaction():
                yield
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._turns.note("commit", tuple(self._claimed))
            self._claimed.clear()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value) or name == "close":
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            if self._depth == 0:
                self._turns.pause()
                self._turns.note(name, arguments)
            answer = value(*arguments, **named)
            if name == "claim":
                self._claimed += answer
            return answer

        return call
