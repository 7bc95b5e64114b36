"""What the tests of the store may count on: a Postgres server of their own, and registries on either database."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lifecycle_mail_sql import SqlStore

import tests.conftest  # noqa: F401 - how generated examples are drawn is said there
from adapters.sql.tests.faults.nursery import Nursery, nursery
from adapters.sql.tests.schemas.places import MIGRATION, NEXT, OURS, Place, Where
from adapters.sql.tests.servers import Server, binaries, new_schema, started
from lifecycle_mail.testing.stores.making import PEPPERS


def _require_server() -> None:
    if binaries() is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start a server for all tests of this process, none of which kills it."""
    _require_server()
    with started(durable=False) as server:
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


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a registry that nobody opened yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mail.db"
    server: Server = request.getfixturevalue("postgres")
    return server.url(new_schema())


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


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """Return what makes a new place for a registry."""

    def make() -> Place:
        name = new_schema()
        if request.param == "sqlite":
            path = tmp_path / f"{name}.db"
            return Place("sqlite", f"sqlite:///{path}", path=path)
        server: Server = request.getfixturevalue("postgres")
        return Place("postgresql", server.url(name), server=server, name=name)

    return make


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return a folder of migrations with one that is made up."""
    folder = tmp_path / "migrations"
    shutil.copytree(OURS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"r{NEXT}_next.py").write_text(MIGRATION, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Return what starts processes; one for all tests of a module."""
    with nursery(tmp_path_factory.mktemp("children")) as forks:
        yield forks
