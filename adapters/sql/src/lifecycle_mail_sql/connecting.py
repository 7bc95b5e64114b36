"""Transactions, and errors said in our words.

A thread has at most one transaction that writes; every call inside it, reading ones too, goes through its connection.
Outside of one each call is a transaction of its own.

Rows are fetched before they are looked at. An error about one of them may be kept for long, and with it whatever reads
the rest; in SQLite that would hold a lock, and nobody could write (F11).
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from weakref import WeakSet

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lifecycle_mail.errors import RegistryBusy, RegistryDamaged, RegistryUnavailable
from lifecycle_mail_sql.ahead import Ahead
from lifecycle_mail_sql.opening import WRITES

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_MISMATCH})
_FIXES = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, then call again",
    sqlite3.SQLITE_IOERR: "the disk does not read or write, or the journal beside the file may not be written: look "
    "after the disk, and who may write to the file and its folder, then call again",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that it is there, and who may read it",
    sqlite3.SQLITE_READONLY: "the file may not be written: check who may, and whether the disk is mounted to be read",
    sqlite3.SQLITE_PERM: "the file may not be used: check who may read and write it",
    sqlite3.SQLITE_AUTH: "the file may not be used: check who may read and write it",
    sqlite3.SQLITE_ERROR: "`lifecycle-mail db check` says what is there",
    sqlite3.SQLITE_CONSTRAINT: "nothing was written; `lifecycle-mail db check` looks the registry over",
}
MORE = "; `lifecycle-mail db check` says more"
"""How an error ends that is damage, but for who looks for damage."""
# By the beginning of the state.
_POSTGRES_FIXES = {
    "23": "nothing was written; `lifecycle-mail db check` looks the registry over",
    "28": "check the user and the password in the URL",
    "3D000": "check the database in the URL",
    "42501": "grant the role USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables",
    "42703": "`lifecycle-mail db check` says what is there",
    "42P01": "`lifecycle-mail db check` says what is there",
    "53100": "the disk is full: make room, then call again",
}
# What the server says to who may not come in. It comes without a state, as does a connection that was never made.
_TURNED_AWAY = re.compile(
    r'(database|role) ".*" does not exist|authentication failed|no pg_hba\.conf entry|permission denied for database|'
    r"is not permitted to log in|no password supplied"
)
# Serialisation failure, deadlock, and whatever is called after these in the same transaction; lock not available, too
# many connections, cancelled (by a timeout that the server sets, for one), shutdown, crash, cannot connect now.
_TRANSIENT = frozenset({"40001", "40P01", "25P02", "55P03", "53300", "57014", "57P01", "57P02", "57P03"})
# A call that reads with several statements sees one state of the database. In SQLite every transaction does.
_READS = {"postgresql": {"isolation_level": "REPEATABLE READ"}}


class Connections:
    """Gives each thread a connection.

    Args:
        engine: of SQLAlchemy.

    Attributes:
        writes: grows with each transaction that may have written, of any thread.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reads: dict[str, Any] = _READS.get(engine.dialect.name, {})
        self._driver: type[Exception] = engine.dialect.loaded_dbapi.Error  # of what is read without SQLAlchemy
        self._mine = threading.local()
        self._asked: WeakSet[Ahead] = WeakSet()
        self._asking = threading.Lock()
        self.writes = 0

    @property
    def in_transaction(self) -> bool:
        """Whether the thread is in a transaction that writes."""
        return self._current is not None

    @property
    def _current(self) -> Connection | None:
        return getattr(self._mine, "connection", None)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with: the transaction's, where the thread is in one."""
        current = self._current
        if current is not None:
            with translated(self._driver):
                yield current
            return
        with translated(self._driver), self.engine.connect().execution_options(**self._reads) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection to write with: the transaction's, or one that is committed at the end."""
        with self.transaction() as connection, translated(self._driver):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection as `writing` does, to a block that is not ours: what it raises comes out as it is.

        An application has databases of its own; what these say is nothing that a registry said.
        """
        current = self._current
        if current is not None:
            yield current
            return
        with translated(self._driver):
            connection = self.engine.connect().execution_options(**{WRITES: True})
        try:
            with translated(self._driver):
                connection.begin()
            self._mine.connection = connection
            self._mine.afterwards = []
            try:
                yield connection
            finally:
                self._mine.connection = None
            with translated(self._driver):
                connection.commit()
        except (DBAPIError, RegistryUnavailable, self._driver):
            connection.invalidate()  # what it holds open is let go, locks and file handles among it
            raise
        except BaseException:
            try:
                connection.rollback()
            except (DBAPIError, PendingRollbackError, self._driver):  # no error of the block's: the connection broke
                connection.invalidate()
            raise
        finally:
            self.writes += 1
            connection.close()
        for work in dict.fromkeys(self._mine.afterwards):
            work()

    def afterwards(self, work: Callable[[], None]) -> None:
        """Do something once the transaction that the thread is in is committed; never where it is not."""
        self._mine.afterwards.append(work)

    def ahead(self, statement: str, given: str) -> Ahead | None:
        """Let the server begin to work on a statement with one parameter and one value; None where it does not."""
        begun = None if self.in_transaction else Ahead.begin(self.engine, statement, given)
        if begun is not None:
            with self._asking:
                self._asked.add(begun)
        return begun

    def close(self) -> None:
        """Let go of every connection."""
        with self._asking:
            asked = list(self._asked)
        try:
            for begun in asked:
                begun.close()
        finally:
            self.engine.dispose()


@contextmanager
def translated(*drivers: type[Exception]) -> Iterator[None]:
    """Raise what a database says as errors of ours (F9, F10, F11, F12, F15, F21).

    Args:
        drivers: the errors of a driver that is called without SQLAlchemy in between.
    """
    try:
        yield
    except DBAPIError as error:
        _raise(error, error.orig, broken=error.connection_invalidated)
    except drivers as error:
        _raise(error, error, broken=False)
    except PendingRollbackError as error:
        raise RegistryBusy("the connection broke in this transaction: begin it again") from error
    except PoolTimeout as error:
        raise RegistryBusy("every connection of the pool is in use: call again, or open more") from error


def _raise(error: Exception, found: BaseException | None, *, broken: bool) -> NoReturn:
    said = str(found).strip().splitlines()[0] if str(found).strip() else type(found).__name__
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _BUSY:
            raise RegistryBusy(f"others have been writing for too long: call again ({said})") from error
        if code == sqlite3.SQLITE_NOTADB:
            raise RegistryDamaged(
                f"the database is none ({said}): name the file of the registry; if it is that, restore a backup, then "
                f"sweep"
            ) from error
        if code in _DAMAGED:
            raise RegistryDamaged(f"the database is damaged ({said}): restore a backup, then sweep{MORE}") from error
        fix = _FIXES.get(code, "nothing was written")
        raise RegistryUnavailable(f"the registry cannot be used ({said}): {fix}") from error
    state: str = getattr(found, "sqlstate", None) or ""
    if not state and _TURNED_AWAY.search(str(found)):
        raise RegistryUnavailable(
            f"the registry cannot be used ({said}): check the user, the password and the database in the URL"
        ) from error
    if broken or state in _TRANSIENT or state.startswith("08") or _lost(found):
        raise RegistryBusy(f"the database cannot be reached, or asks to try again: call again ({said})") from error
    if state in ("XX001", "XX002"):
        raise RegistryDamaged(f"the database is damaged ({said}): restore a backup, then sweep") from error
    fix = next((fix for begins, fix in _POSTGRES_FIXES.items() if state.startswith(begins)), "nothing was written")
    raise RegistryUnavailable(f"the registry cannot be used ({said}): {fix}") from error


def _lost(found: BaseException | None) -> bool:
    """Whether a connection was lost, or never made, without the server saying anything."""
    return type(found).__name__ == "OperationalError" and getattr(found, "sqlstate", None) is None
