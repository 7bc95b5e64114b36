"""Questions that a server works on while whoever asked does something else."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Work that a thread of its own begins at once. Called, it gives the result; called again, it does the work anew.

    Args:
        work: gives the same in any thread.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._begun: Future[T] | None = Future()
        self._process = os.getpid()
        Thread(target=self._run, args=(self._begun,), daemon=True).start()

    def _run(self, begun: Future[T]) -> None:
        try:
            begun.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - whoever calls is told
            begun.set_exception(error)

    def __call__(self) -> T:
        """Return what the work gives, or raise what it raises."""
        begun, self._begun = self._begun, None
        if begun is None or self._process != os.getpid():  # a fork takes no threads along
            return self._work()
        return begun.result()
