"""What the tests of the store may count on: a Postgres server of their own, and registries on either database."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from lifecycle_mail_sql import SqlStore

import tests.conftest  # noqa: F401 - how generated examples are drawn is said there
from adapters.sql.tests.servers import Server, binaries, started
from lifecycle_mail.testing.stores.making import PEPPERS


def _require_server() -> None:
    if binaries() is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start a server for all tests of this process."""
    _require_server()
    with started() as server:
        yield server


@pytest.fixture(scope="module")
def _own_postgres() -> Iterator[Server]:
    _require_server()
    with started() as server:
        yield server


@pytest.fixture
def own_postgres(_own_postgres: Server) -> Server:
    """Return a server that a test may stop, restart and kill; it runs when the test begins."""
    if not _own_postgres.is_up:
        _own_postgres.start()
    return _own_postgres


_schemas = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a registry that nobody opened yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mail.db"
    server: Server = request.getfixturevalue("postgres")
    return server.url(new_schema())


def new_schema() -> str:
    """Return the name of a schema that nobody has used."""
    return f"t{next(_schemas)}"


@pytest.fixture
def opened(fresh_url: str) -> Iterator[Callable[[], SqlStore]]:
    """Return what opens the registry, as often as one likes; all are closed with the test."""
    stores: list[SqlStore] = []

    def open_one() -> SqlStore:
        stores.append(SqlStore(fresh_url, peppers=PEPPERS))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()
