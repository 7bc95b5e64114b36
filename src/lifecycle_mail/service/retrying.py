"""Trying again what a busy store refused (F15, F21).

`RegistryBusy` says that others wrote for too long or that the connection broke: nothing of a transaction is written,
or, where it broke in the very commit, all of it. So what is tried again is always a whole transaction, and one that
gives the same result on what it has written itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lifecycle_mail.errors import RegistryBusy
from lifecycle_mail.ports import Store

T = TypeVar("T")

TRIES = 5
"""How often a transaction is tried before the error is the caller's."""


def again(work: Callable[[], T], *, wait: Callable[[int], None], tries: int = TRIES) -> T:
    """Do work, and do it again while the store is busy.

    Args:
        work: one whole transaction.
        wait: called between two tries with the number of the first of them; sleeps outside tests.
        tries: how often at most.

    Raises:
        RegistryBusy: the store was busy each time.
    """
    for attempt in range(1, tries):
        try:
            return work()
        except RegistryBusy:
            wait(attempt)
    return work()


def in_transaction(store: Store, work: Callable[[], T], *, wait: Callable[[int], None]) -> T:
    """Do work in one transaction, and all of it again while the store is busy."""

    def whole() -> T:
        with store.transaction():
            return work()

    return again(whole, wait=wait)
