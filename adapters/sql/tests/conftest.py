"""What the tests of the store may count on: a Postgres server of their own, and registries on either database."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.servers import Server, binaries
from lifecycle_mail.testing.stores.making import PEPPERS


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start a server for all tests of this process."""
    if binaries() is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    # Not in pytest's own folder, which other accounts may not enter: the server runs under one of its own.
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-mail-"))
    folder.chmod(0o711)
    try:
        server = Server(folder / "server")
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_schemas = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a registry that nobody opened yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mail.db"
    server: Server = request.getfixturevalue("postgres")
    return server.url(f"t{next(_schemas)}")


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
