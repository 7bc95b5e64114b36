"""The durable registry stands as a pure model does, whatever happens to it, in whatever order.

A failure prints the steps that led to it, and what to add to replay it. The long run draws steps at random, and many
more of them.
"""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from adapters.sql.tests.model.racing_machine import BackingUp, RacingRules
from adapters.sql.tests.servers import Server

_schemas = count(1)


def _settings(examples: int, steps: int, *, at_random: bool) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, derandomize=not at_random, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


class OnSqlite(BackingUp):
    """A registry in a file of SQLite."""

    def url(self, folder: Path) -> str:
        """Return the URL of a new file."""
        return f"sqlite:///{folder}/mail.db"


class OnPostgres(RacingRules):
    """A registry in a schema of a Postgres server, which the test starts."""

    server: Server

    def url(self, folder: Path) -> str:  # noqa: ARG002 - it lies with the server
        """Return the URL of a new schema."""
        return self.server.url(f"machine{next(_schemas)}")


class TestSqlite(OnSqlite.TestCase):  # type: ignore[valid-type,misc]
    """A file of SQLite stands as the model does (F12, F13, F16-F20, F30-F35, F48, F61, F62, F64)."""

    settings = _settings(30, 25, at_random=False)


class TestPostgres(OnPostgres.TestCase):  # type: ignore[valid-type,misc]
    """A Postgres server stands as the model does (F12, F16-F20, F30-F35, F48, F61, F62, F64)."""

    settings = _settings(5, 25, at_random=False)

    @pytest.fixture(autouse=True)
    def _server(self, postgres: Server) -> None:
        OnPostgres.server = postgres


@pytest.mark.long
class TestSqliteAtLength(TestSqlite):
    """As above, 500 times 40 steps by chance."""

    settings = _settings(500, 40, at_random=True)


@pytest.mark.long
class TestPostgresAtLength(TestPostgres):
    """As above, 100 times 40 steps by chance."""

    settings = _settings(100, 40, at_random=True)
