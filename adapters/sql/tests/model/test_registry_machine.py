"""The durable registry stands as a pure model does, whatever happens to it, in whatever order."""

import os
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings

from adapters.sql.tests.model.operating_machine import BackingUp

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000"))
_numbers = count(1)


def _settings(few: int, many: int) -> settings:
    """Return settings with few examples, the same on each run, or in the long profile with many."""
    return settings(
        max_examples=many if LONG else few, derandomize=not LONG, stateful_step_count=40 if LONG else 25, deadline=None,
        print_blob=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip


class OnSqlite(BackingUp):
    """In a file of SQLite."""

    def url(self, folder: Path) -> str:
        """Return the URL of a new file."""
        return f"sqlite:///{folder}/mail.db"


class TestSqlite(OnSqlite.TestCase):  # type: ignore[name-defined,misc]
    """The laws of the machine, in a file of SQLite (F13, F16, F17, F19, F30, F31, F33-F35, F48, F62, F64)."""

    settings = _settings(40, EXAMPLES // 10)
