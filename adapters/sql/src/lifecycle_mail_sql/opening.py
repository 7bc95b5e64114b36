"""Opening a database so that what was acknowledged stays.

SQLite: a rollback journal and `synchronous=FULL`. The journal is ended by truncating it, which SQLite syncs; ended by
deleting it, as is SQLite's own default, the directory would not be synced, and a power loss could bring the journal
back and undo a commit that was acknowledged (F8). A write-ahead log only on versions of SQLite that do not lose
commits when it restarts, and never on a network disk (F14). `secure_delete` overwrites what an erasure frees. Writers
begin with `BEGIN IMMEDIATE`, so that nobody reads first and finds, when writing, that others were faster.

A file is made for its owner alone: it holds addresses. What it is afterwards is the owner's affair.

Postgres: through psycopg, connections checked before use, so that a restart of the server costs a new connection and
no error (F21). Writers take turns by an advisory lock: the numbers of the log have no gaps, come in the order of
commits, and no two transactions can wait for each other. Who stands still or is cut off in the middle of a turn holds
up the others for a minute at most: the server ends a transaction that idles, and gives up a connection over which
nothing comes. The tables have a schema of their own, beside those of the application.
"""

from __future__ import annotations

import os
import re
import sqlite3
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from lifecycle_mail.errors import Misconfigured, RegistryUnavailable

WRITES = "lifecycle_mail_writes"
"""The execution option of a connection that is about to write."""

_NETWORK = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs",
        "vmhgfs",
    }
)  # fmt: skip
_LOCAL_FUSE = frozenset(
    {"fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.encfs", "fuse.lxcfs", "fuse.mergerfs", "fuse.ntfs-3g"}
)
"""What is mounted through FUSE is on a network disk, but for these."""

_PATIENCE = 30.0
_LOCK = 0x6C_69_66_65  # "life"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SCHEMA_RULE = "write 1 to 63 characters of a-z, 0-9 and _, beginning with a letter"
_CHECKS = ("full", "quick", "off")
_WRITE = "write sqlite:///mail.db or postgresql://user@host/name"
_STAYS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""How soon a connection to Postgres is given up over which nothing comes, where nobody says otherwise."""
_IDLE = "60s"
"""How long a transaction of Postgres may idle, where nobody says otherwise."""


class NetworkDiskWarning(UserWarning):
    """A database file lies on a network disk, where locks and syncs may not hold."""


class JournalWarning(UserWarning):
    """A database file had a write-ahead log, and was given a rollback journal."""


@frozen(kw_only=True)
class Opened:
    """A database that is open.

    Attributes:
        engine: of SQLAlchemy.
        path: the file, for SQLite; else None.
        schema: the schema that holds the tables, for Postgres; else empty.
        verify: how thoroughly the file is verified when it is opened: `full`, `quick` or `off`.
    """

    engine: Engine
    path: Path | None
    schema: str = ""
    verify: str = "off"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.path is not None


def open_database(text: str) -> Opened:
    """Open a database by its URL.

    Args:
        text: `sqlite:///mail.db`, `sqlite:////var/lib/mail.db`, `postgresql://user@host/name`. For SQLite these can be
            added after `?`: `journal=wal`; `verify=full|quick|off`; `timeout=30`, in seconds. For Postgres
            `schema=lifecycle_mail`, the schema that the tables are in, made where it is missing; `timeout=30`; and what
            libpq knows, such as `connect_timeout` and `sslmode`. The timeout is how long a writer waits for others
            before the registry is busy.

    Raises:
        Misconfigured: the URL, a driver that is missing, or a disk or version that would lose data.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the port is no number
        raise Misconfigured(f"not a database URL: {_WRITE}") from None
    kind = url.get_backend_name()
    if kind not in _DRIVERS or url.drivername not in (kind, _DRIVERS[kind]):
        raise Misconfigured(f"{url.drivername!r} is no store of lifecycle-mail-sql: write sqlite:/// or postgresql://")
    repeated = [name for name, value in url.query.items() if not isinstance(value, str)]
    if repeated:
        raise Misconfigured(f"{shown(url)}: {', '.join(sorted(repeated))}: given more than once")
    return _open_sqlite(url) if kind == "sqlite" else _open_postgres(url)


def shown(url: URL) -> str:
    """Return a URL as it may be printed: without its password and what comes after the question mark, where another
    may stand.
    """
    return url.set(query={}).render_as_string(hide_password=True)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _open_sqlite(url: URL) -> Opened:
    options = {name: str(value) for name, value in url.query.items()}
    journal = options.pop("journal", "rollback")
    verify = options.pop("verify", "full")
    timeout = options.pop("timeout", str(_PATIENCE))
    problems = [f"{name}: unknown, write journal, verify or timeout" for name in sorted(options)]
    problems += [] if journal in ("rollback", "wal") else [f"journal={journal}: write rollback or wal"]
    problems += [] if verify in _CHECKS else [f"verify={verify}: write one of {', '.join(_CHECKS)}"]
    problems += [] if _is_seconds(timeout) else [f"timeout={timeout}: write seconds"]
    if url.host:
        problems.append(f"{url.host} is no part of the path: write three slashes, or four for an absolute path")
    if not url.database or url.database == ":memory:":
        problems.append("no file: write sqlite:///mail.db, or memory: for a store that forgets")
    if problems:
        raise Misconfigured(f"{shown(url)}: {'; '.join(problems)}")
    path = Path(str(url.database)).absolute()
    with readable_disk():
        found = path.parent.is_dir()
    if not found:
        raise Misconfigured(f"{path}: the folder does not exist; make it, or give another path")
    _check_disk(path, wal=journal == "wal")
    if journal == "wal" and not wal_is_safe(sqlite3.sqlite_version_info):
        raise Misconfigured(
            f"journal=wal: SQLite {sqlite3.sqlite_version} can lose a commit when its write-ahead log restarts; "
            f"leave journal out, or use SQLite 3.51.3, 3.50.7, 3.44.6 or later (F14)"
        )
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": float(timeout), "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,  # they hold addresses, and errors are logged
    )
    event.listen(engine, "do_connect", lambda *_: _make_private(path))
    event.listen(engine, "connect", lambda raw, _record: _settle_sqlite(raw, journal, path))
    event.listen(engine, "begin", _begin_sqlite)
    _renew_after_fork(engine)
    return Opened(engine=engine, path=path, verify=verify)


def _make_private(path: Path) -> None:
    """Make a file that is not there for its owner alone; SQLite gives its journal the same mode."""
    with suppress(OSError):  # it is there, or SQLite says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


@contextmanager
def readable_disk() -> Iterator[None]:
    """Raise as ours what the disk says where it does not even tell whether a file is there (F10)."""
    try:
        yield
    except OSError as error:
        raise RegistryUnavailable(
            f"the registry cannot be used ({error.strerror}): check the disk, and who may read the file"
        ) from error


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether a version of SQLite keeps every commit when its write-ahead log restarts."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _settle_sqlite(raw: sqlite3.Connection, journal: str, path: Path) -> None:
    try:
        _set_journal(raw, journal, path)
        _set_pragmas(raw)
    except UnicodeDecodeError as error:  # the driver cannot even say what is wrong with the schema (F11)
        damaged = sqlite3.DatabaseError("malformed database schema")
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged from error


def _set_journal(raw: sqlite3.Connection, journal: str, path: Path) -> None:
    wanted = "wal" if journal == "wal" else "truncate"
    (found,) = raw.execute("PRAGMA journal_mode").fetchone()
    if found == wanted:
        return
    before = found  # a file that was once opened with a write-ahead log keeps it until it is told otherwise
    try:
        (found,) = raw.execute(f"PRAGMA journal_mode={wanted}").fetchone()
    except sqlite3.OperationalError as error:
        if before == "wal" and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            # Waiting does not help: it stays as it is while anybody has it open.
            raise RegistryUnavailable(
                f"{path} has a write-ahead log, and somebody has it open with that: end what has it open, or add "
                f"?journal=wal where SQLite is one that is safe with it (F14)"
            ) from error
        raise
    if found != wanted:
        raise sqlite3.OperationalError(f"cannot set journal_mode={wanted}: it is {found}")
    if before == "wal":
        warnings.warn(
            f"{path} had a write-ahead log, and has a rollback journal now: write ?journal=wal to keep one, on a "
            f"version of SQLite that is safe with it",
            JournalWarning,
            stacklevel=2,
        )


def _set_pragmas(raw: sqlite3.Connection) -> None:
    for pragma in (
        "synchronous=FULL",
        "secure_delete=ON",
        "cell_size_check=ON",
        "trusted_schema=OFF",
        "cache_size=-65536",
        "temp_store=MEMORY",
        "fullfsync=ON",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_disk(path: Path, *, wal: bool) -> None:
    kind = network_disk(path, _mounts())
    if kind is None:
        return
    if wal:
        raise Misconfigured(f"journal=wal: {path} lies on a network disk ({kind}), where it cannot work; leave it out")
    warnings.warn(
        f"{path} lies on a network disk ({kind}): locks and syncs may not hold there, and opt-outs may be lost; "
        f"use a local disk, or Postgres",
        NetworkDiskWarning,
        stacklevel=6,
    )


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: nothing is known
        return ""


def network_disk(path: Path, mounts: str) -> str | None:
    """Return the kind of network file system that a path lies on, or None.

    Args:
        path: an absolute path.
        mounts: lines as in `/proc/self/mounts`; a later mount hides an earlier one at the same place.
    """
    best: tuple[int, str] = (-1, "")
    real = Path(os.path.realpath(path))
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        where = Path(fields[1].replace("\\040", " "))
        if (real == where or where in real.parents) and len(where.parts) >= best[0]:
            best = (len(where.parts), fields[2])
    kind = best[1]
    return kind if kind in _NETWORK or (kind.partition(".")[0] == "fuse" and kind not in _LOCAL_FUSE) else None


# --- Postgres ---------------------------------------------------------------------------------------------------------


def _open_postgres(url: URL) -> Opened:
    driven = url if "+" in url.drivername else url.set(drivername=_DRIVERS["postgresql"])
    options = {name: str(value) for name, value in url.query.items()}
    schema, timeout = options.pop("schema", "lifecycle_mail"), options.pop("timeout", str(_PATIENCE))
    problems = [] if _SCHEMA.fullmatch(schema) else [f"schema={schema}: {_SCHEMA_RULE}"]
    problems += [] if _is_seconds(timeout) else [f"timeout={timeout}: write seconds"]
    ports = [str(url.port)] if url.port is not None else options.get("port", "").split(",")
    problems += [] if all(map(_is_port, filter(None, ports))) else ["port: write a number from 1 to 65535"]
    known = _known_to_libpq()
    problems += [
        f"{name}: unknown, write schema, timeout or what libpq knows" for name in sorted(options.keys() - known)
    ]
    if problems:
        raise Misconfigured(f"{shown(url)}: {'; '.join(problems)}")
    given = {name for name, value in known.items() if value} | options.keys()  # the first by the environment
    stays = {name: value for name, value in _STAYS.items() if name in known and name not in given}
    driven = driven.set(query={**options, **stays})
    engine = create_engine(
        driven,
        # Whatever the server's default is: who has waited for its turn must see what was committed meanwhile.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        hide_parameters=True,
    )
    patience = max(1, int(float(timeout) * 1000))  # zero would be for ever
    event.listen(engine, "connect", lambda raw, _record: _settle_postgres(raw, schema, patience))
    event.listen(engine, "begin", _begin_postgres)
    _renew_after_fork(engine)
    return Opened(engine=engine, path=None, schema=schema)


def _known_to_libpq() -> dict[str, str]:
    """Return what can be said in a URL of Postgres, each with what the environment says of it."""
    try:
        import psycopg
    except ImportError as error:
        raise Misconfigured(
            f"the driver of Postgres is missing ({error}): pip install 'lifecycle-mail-sql[postgres]'"
        ) from None
    found = psycopg.pq.Conninfo.get_defaults()
    return {one.keyword.decode(): (one.val or b"").decode(errors="replace") for one in found}


def _settle_postgres(raw: Any, schema: str, patience: int) -> None:
    encoding = raw.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Misconfigured(f"the database is in {encoding}, which lacks letters that people have: make one in UTF8")
    with raw.cursor() as cursor:
        cursor.execute(f'SET search_path TO "{schema}"; SET lock_timeout TO {patience}; SET client_encoding TO UTF8')
        # What is acknowledged is on the disk (F8), whatever else the server's default allows.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        # Who stands still in the middle of a transaction has the turn of all writers.
        cursor.execute(
            "SELECT set_config(name, %s, false) FROM pg_settings "
            "WHERE name = 'idle_in_transaction_session_timeout' AND source = 'default'",
            (_IDLE,),
        )
    raw.commit()


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        # By schema: two registries in one database are two tenants.
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(%s, hashtext(current_setting('search_path')))", (_LOCK,)
        )


# --- both -------------------------------------------------------------------------------------------------------------


def _is_seconds(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _is_port(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= 65535


def _renew_after_fork(engine: Engine) -> None:
    """Let a forked child open connections of its own: one that two processes share breaks for both."""
    if not hasattr(os, "register_at_fork"):
        return
    kept: weakref.ref[Any] = weakref.ref(engine)

    def renew() -> None:
        found = kept()
        if found is not None:
            found.dispose(close=False)

    os.register_at_fork(after_in_child=renew)
