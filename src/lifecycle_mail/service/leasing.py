"""Work that one worker does at a time, and how late it is while it is done (F19, F20, F64).

The caller says what time it is once, at the beginning. What takes longer adds the time that has passed by a clock that
only ever runs forward, so a lease is prolonged before it runs out, however slow the other side answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from lifecycle_mail.errors import RegistryBusy
from lifecycle_mail.ports import Store
from lifecycle_mail.service.retrying import again, in_transaction

LEASE = timedelta(minutes=15)
"""How long a worker that died keeps its work from the others."""


class Clock:
    """Tells the time from one instant on, in whole seconds.

    Args:
        now: the instant at which it is started, aware UTC.
        ticks: counts seconds, and never back.
    """

    def __init__(self, now: datetime, ticks: Callable[[], float]) -> None:
        self._now = now
        self._ticks = ticks
        self._started = ticks()

    def __call__(self) -> datetime:
        """Return the instant that it is by now."""
        return self._now + timedelta(seconds=int(self._ticks() - self._started))


class Lease:
    """One worker's hold on some work.

    Clocks of two workers that lie up to two thirds of `LEASE` apart do not let both in. Where they lie further apart,
    another may take the work from one who is at it: so whoever does what must not be done twice asks directly before
    (`still`), and no longer has it once anybody else has had it, even if they have given it back.

    Args:
        store: where leases are kept.
        work: its name.
        clock: tells the time.
        wait: see `retrying.again`.
    """

    def __init__(self, store: Store, work: str, *, clock: Clock, wait: Callable[[int], None]) -> None:
        self._store = store
        self._work = work
        self._clock = clock
        self._wait = wait
        self._worker = uuid.uuid4().hex
        self._kept_at = clock()

    def take(self) -> bool:
        """Take the work, or prolong it; False where another worker has it."""
        at = self._kept_at = self._clock()
        return again(lambda: self._begin(at), wait=self._wait)

    def keep(self) -> bool:
        """Prolong it where a third of it has passed; False where another worker has had it since."""
        return self._clock() - self._kept_at < LEASE / 3 or self.still()

    def still(self) -> bool:
        """Prolong it now; False where another worker has had it since, and what was read before may not be so now."""
        return in_transaction(self._store, self.prolong, wait=self._wait)

    def prolong(self) -> bool:
        """Do as `still` does, as a part of a transaction."""
        at = self._kept_at = self._clock()
        return self.holds() and self._begin(at)

    def holds(self) -> bool:
        """Whether the work is ours without interruption, as the store knows."""
        return self._store.holds(self._work, self._worker)

    def _begin(self, at: datetime) -> bool:
        return self._store.begin(self._work, self._worker, at=at, until=at + LEASE)

    def give_back(self) -> None:
        """Let others have it; where the store is too busy even for that, it runs out by itself."""
        with suppress(RegistryBusy):  # the work is done, and its result is worth more
            again(lambda: self._store.finish(self._work, self._worker), wait=self._wait)
