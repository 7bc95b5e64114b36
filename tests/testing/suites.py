"""Running suites, for the tests of suites."""

from unittest import SkipTest

from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.testing import StoreConformance
from lifecycle_mail.testing.conformance import Conformance
from lifecycle_mail.testing.stores import PEPPERS
from tests.test_memory import TestMemoryStore as MemoryStoreSuite


def suite_of(kind: type[MemoryStore]) -> StoreConformance:
    """Return the suite for stores, run on one that is made differently."""

    class Suite(MemoryStoreSuite):
        def make_store(self) -> MemoryStore:
            return kind(peppers=PEPPERS)

    return Suite()


def failing(suite: Conformance) -> set[str]:
    """Run every test of a suite and return those that fail."""
    failed = set()
    for name in dir(suite):
        if name.startswith("test_"):
            try:
                getattr(type(suite)(), name)()
            except SkipTest:
                pass
            except Exception:  # noqa: BLE001 - any failure is one
                failed.add(name)
    return failed


def breaks(suite: Conformance, law: str) -> bool:
    """Run one test of a suite and tell whether it fails."""
    try:
        getattr(suite, law)()
    except SkipTest:
        return False
    except Exception:  # noqa: BLE001 - any failure is one
        return True
    return False
