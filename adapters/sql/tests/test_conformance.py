"""The core's laws of stores, unchanged, on SQLite and on Postgres."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from lifecycle_mail_sql import SqlStore, schema
from sqlalchemy import select

from adapters.sql.tests.servers import Server
from lifecycle_mail.ports import Store
from lifecycle_mail.testing import StoreConformance
from lifecycle_mail.testing.stores.making import PEPPERS

_numbers = count(1)


class _Durable(StoreConformance):
    """A store that outlives the process, opened anew for each worker."""

    def reopen(self, store: Any) -> Store:
        """Close a store and open it again."""
        store.close()
        return SqlStore(store.url, peppers=PEPPERS)

    def with_peppers(self, store: Any, peppers: Mapping[str, str]) -> Store:
        """Close a store and open it again with these peppers."""
        store.close()
        return SqlStore(store.url, peppers=peppers)

    def another(self, store: Any) -> Store:
        """Open it a second time, as another process would."""
        return SqlStore(store.url, peppers=PEPPERS)


class TestSqlite(_Durable):
    """A file of SQLite."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_store(self) -> Store:
        """Return a store in a new file."""
        return SqlStore(f"sqlite:///{self.folder}/{next(_numbers)}.db", peppers=PEPPERS)

    def raw(self, store: Any) -> str:
        """Return the bytes of the file, of what is beside it, and what is free in it."""
        path = store.opened.path
        files = sorted(path.parent.glob(f"{path.name}*"))
        return b"".join(one.read_bytes() for one in files).decode("utf-8", "replace")


class TestPostgres(_Durable):
    """A schema of a real Postgres server."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres: Server) -> None:
        self.server = postgres

    def make_store(self) -> Store:
        """Return a store in a new schema."""
        return SqlStore(self.server.url(f"law{next(_numbers)}"), peppers=PEPPERS)

    def raw(self, store: Any) -> str:
        """Return every row of every table."""
        with store.db.reading() as tx:
            return repr([tx.execute(select(table)).all() for table in schema.metadata.sorted_tables])
