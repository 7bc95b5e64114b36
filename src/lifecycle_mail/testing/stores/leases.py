"""The laws of leases: one worker at a time (F20)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from lifecycle_mail.ports import CLOCKS_APART, Store
from lifecycle_mail.testing.builders import frozen_now
from lifecycle_mail.testing.stores.making import MakesStores

SPRING, AUTUMN = "campaign:spring", "campaign:autumn"
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
YEARS = timedelta(days=3650)


class LeasesConformance(MakesStores, suite=True):
    """The laws of `ports.Leases`."""

    def test_a_campaign_has_one_worker(self) -> None:
        """While one has it nobody else gets it; other campaigns are free."""
        with self.opened() as store:
            assert store.begin(SPRING, "one", at=frozen_now, until=frozen_now + MINUTE)
            assert not store.begin(SPRING, "two", at=frozen_now, until=frozen_now + MINUTE)
            assert store.begin(AUTUMN, "two", at=frozen_now, until=frozen_now + MINUTE)

    def test_a_campaign_that_was_given_back_is_free(self) -> None:
        """`finish` ends a lease, and only by the worker who has it."""
        with self.opened() as store:
            store.begin(SPRING, "one", at=frozen_now, until=frozen_now + MINUTE)
            store.finish(SPRING, "two")
            assert not store.begin(SPRING, "two", at=frozen_now, until=frozen_now + MINUTE)
            store.finish(SPRING, "one")
            store.finish(SPRING, "one")
            assert store.begin(SPRING, "two", at=frozen_now, until=frozen_now + MINUTE)

    def test_a_worker_that_died_keeps_a_campaign_until_its_lease_ends(self) -> None:
        """From the last instant of the lease on, another worker may take over (F7)."""
        end = frozen_now + MINUTE
        with self.opened() as store:
            store.begin(SPRING, "one", at=frozen_now, until=end)
            assert not store.begin(SPRING, "two", at=end - timedelta(microseconds=1), until=end + MINUTE)
            assert store.begin(SPRING, "two", at=end, until=end + MINUTE)
            store.finish(SPRING, "one")
            assert not store.begin(SPRING, "one", at=end, until=end + MINUTE)

    def test_a_worker_may_begin_again(self) -> None:
        """The one who has it prolongs the lease by beginning again."""
        with self.opened() as store:
            store.begin(SPRING, "one", at=frozen_now, until=frozen_now + MINUTE)
            assert store.begin(SPRING, "one", at=frozen_now, until=frozen_now + 3 * MINUTE)
            assert not store.begin(SPRING, "two", at=frozen_now + 2 * MINUTE, until=frozen_now + 3 * MINUTE)

    def test_whose_work_it_is_without_interruption(self) -> None:
        """Until another takes it or it is given back, run out or not; not any more, though the other gives it back."""
        end = frozen_now + MINUTE
        with self.opened() as store:
            assert not store.holds(SPRING, "one")
            store.begin(SPRING, "one", at=frozen_now, until=end)
            assert (True, False) == (store.holds(SPRING, "one"), store.holds(SPRING, "two"))
            assert not store.holds(AUTUMN, "one")
            store.begin(SPRING, "one", at=frozen_now, until=end)
            store.begin(SPRING, "two", at=frozen_now, until=end)  # refused
            store.finish(SPRING, "two")
            assert store.holds(SPRING, "one")
            store.begin(SPRING, "two", at=end, until=end + MINUTE)
            assert (False, True) == (store.holds(SPRING, "one"), store.holds(SPRING, "two"))
            store.finish(SPRING, "two")
            assert (False, False) == (store.holds(SPRING, "one"), store.holds(SPRING, "two"))

    def test_of_many_workers_one_begins(self) -> None:
        """Eight workers ask at once, one gets the campaign (F19)."""
        began: list[str] = []

        def worker(number: int) -> Callable[[Store], None]:
            def begin(store: Store) -> None:
                if store.begin(SPRING, f"w{number}", at=frozen_now, until=frozen_now + MINUTE):
                    began.append(f"w{number}")

            return begin

        with self.opened() as store:
            self.at_once(store, *map(worker, range(8)))
            assert 1 == len(began)

    def test_a_clock_that_was_ahead_holds_no_work(self) -> None:
        """A lease taken more than `CLOCKS_APART` after now is none; one taken just within it holds (F64)."""
        ahead = frozen_now + YEARS
        with self.opened() as store:
            assert store.begin(SPRING, "one", at=ahead, until=ahead + MINUTE)
            assert not store.begin(SPRING, "two", at=ahead - CLOCKS_APART, until=ahead + MINUTE)
            assert store.begin(SPRING, "two", at=ahead - CLOCKS_APART - MOMENT, until=ahead + MINUTE)
        with self.opened() as store:
            store.begin(SPRING, "one", at=ahead, until=ahead + MINUTE)
            assert store.begin(SPRING, "two", at=frozen_now, until=frozen_now + MINUTE)
            assert not store.begin(SPRING, "three", at=frozen_now, until=frozen_now + MINUTE)

    def test_a_long_lease_is_a_lease(self) -> None:
        """What counts is when it was taken, not how long it lasts."""
        with self.opened() as store:
            store.begin(SPRING, "one", at=frozen_now, until=frozen_now + YEARS)
            assert not store.begin(SPRING, "two", at=frozen_now + YEARS / 2, until=frozen_now + YEARS)

    def test_leases_survive_a_restart(self) -> None:
        """A worker that died keeps its work until the lease ends, in the next process too (F7)."""
        store = self.make_store()
        store.begin(SPRING, "one", at=frozen_now, until=frozen_now + MINUTE)
        with self.reopened(store) as again:
            assert not again.begin(SPRING, "two", at=frozen_now, until=frozen_now + MINUTE)
            assert again.begin(SPRING, "one", at=frozen_now, until=frozen_now + MINUTE)
