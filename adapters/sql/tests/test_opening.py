"""Opening a registry: which URLs, disks and journals are refused, and how connections are set (F8, F14)."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from lifecycle_mail_sql import NetworkDiskWarning, SqlStore, opening
from lifecycle_mail_sql.opening import network_disk, wal_is_safe
from sqlalchemy import text

from adapters.sql.tests.made_up import no_of
from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.errors import Misconfigured, RegistryBusy, RegistryDamaged, RegistryUnavailable
from tests.service.worlds import NOW

QUOTED = "hunter2%2Fis%3Amy%40secret"
"""A password with everything in it that a URL may stumble over."""


def raw(path: Path) -> sqlite3.Connection:
    """Open a file without us."""
    return sqlite3.connect(path, isolation_level=None)


# --- URLs -------------------------------------------------------------------------------------------------------------

REFUSED = {
    "": "not a database URL: write sqlite:///mail.db or postgresql://user@host/name",
    "mail.db": "not a database URL",
    "postgresql://ada:hunter2@host:hunter2/db": "not a database URL",
    "mysql://ada:hunter2@host/db": "'mysql' is no store of lifecycle-mail-sql: write sqlite:/// or postgresql://",
    "sqlite+pysqlcipher://:hunter2@/mail.db": "'sqlite.pysqlcipher' is no store",
    "postgresql+psycopg2://ada:hunter2@host/db": "'postgresql.psycopg2' is no store",
    "sqlite://": "no file: write sqlite:///mail.db, or memory: for a store that forgets",
    "sqlite:///:memory:": "no file: write sqlite:///mail.db",
    "sqlite://data/mail.db": "data is no part of the path: write three slashes, or four for an absolute path",
    "sqlite:///mail.db?journal=off": "journal=off: write rollback or wal",
    "sqlite:///mail.db?verify=maybe": "verify=maybe: write one of full, quick, off",
    "sqlite:///mail.db?timeout=soon": "timeout=soon: write seconds",
    "sqlite:///mail.db?timeout=-1": "timeout=-1: write seconds",
    "sqlite:///mail.db?mode=ro": "mode: unknown, write journal, verify or timeout",
    "sqlite:///mail.db?journal=wal&journal=rollback": "journal: given more than once",
    "sqlite:////no/such/folder/mail.db": "/no/such/folder/mail.db: the folder does not exist; make it, or give another",
    "postgresql://ada:hunter2@host/db?schema=Mail": "schema='Mail': write 1 to 63 characters of a-z, 0-9 and _",
    'postgresql://ada:hunter2@host/db?schema=a";drop': "write 1 to 63 characters",
    "postgresql://ada:hunter2@host/db?schema=" + "a" * 64: "write 1 to 63 characters",
    "postgresql://ada:hunter2@host/db?schema=a&schema=b": "schema: given more than once",
    "postgresql://ada:hunter2@host/db?timeout=soon": "timeout=soon: write seconds",
}


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_cannot_be_meant_is_refused_with_what_to_write(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is opened or made, and no password is repeated."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match=REFUSED[url].replace("?", "[?]")) as raised:
        SqlStore(url)
    assert "hunter2" not in str(raised.value)
    assert [] == list(tmp_path.iterdir())


def test_all_that_is_wrong_is_said_at_once() -> None:
    """A list of problems, not the first one."""
    with pytest.raises(Misconfigured, match=r"mode: unknown.*; journal=off.*; verify=no.*; timeout=x"):
        SqlStore("sqlite:///mail.db?journal=off&verify=no&timeout=x&mode=ro")


def test_a_path_may_be_relative_absolute_or_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is where the path says, and nothing else is made but its journal."""
    folder = tmp_path / "a folder with % and ünïcode"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for url, name in (("sqlite:///one.db", "one.db"), (f"sqlite:///{tmp_path}/two.db", "../two.db")):
        with closing(SqlStore(url)) as store:
            store.append([no_of("ada")], at=NOW)
        assert (folder / name).stat().st_size > 0
    assert {"one.db", "one.db-journal"} == {path.name for path in folder.iterdir()}


def test_what_is_no_file_or_no_database_is_refused(tmp_path: Path) -> None:
    """F11: a folder, and a file of something else; neither is written to."""
    with pytest.raises(RegistryUnavailable, match="cannot be opened: check that it is there"):
        SqlStore(f"sqlite:///{tmp_path}")
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear registry, " * 1000)
    with pytest.raises(RegistryDamaged, match="restore a backup, then sweep"):
        SqlStore(f"sqlite:///{letter}")
    assert "Dear registry, " * 1000 == letter.read_text()


def test_without_the_driver_of_postgres_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match=r"pip install 'lifecycle-mail-sql\[postgres\]'") as raised:
        SqlStore(f"postgresql://ada:{QUOTED}@host/db")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "more", ["/postgres?schema=pw", "/no_such_database", ":1/postgres", "/postgres?no_such_option=1"]
)
def test_a_password_is_never_printed(postgres: Server, more: str) -> None:
    """Not by the store, nor by an error of any kind, nor by what caused it."""
    host = "127.0.0.1" if more.startswith(":") else f"127.0.0.1:{postgres.port}"
    printed = []
    try:
        with closing(SqlStore(f"postgresql://postgres:{QUOTED}@{host}{more}")) as store:
            printed = [repr(store), str(store), repr(store.opened), repr(store.opened.engine)]
            assert "postgres:***@" in printed[0]
    except RegistryUnavailable as error:
        found: BaseException | None = error
        while found is not None:
            printed += [str(found), repr(found)]
            found = found.__cause__ or found.__context__
    assert printed
    assert not [one for one in printed if "hunter2" in one]


# --- disks and journals (F14) -----------------------------------------------------------------------------------------

MOUNTS = r"""
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/ada ext4 rw 0 0
//server/share /mnt/two\040words cifs rw 0 0
server:/over /srv/over nfs rw 0 0
/dev/sdc1 /srv/over xfs rw 0 0
odd line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/mail.db", None),
        ("/home/bob/mail.db", "nfs4"),
        ("/home", "nfs4"),
        ("/homestead/mail.db", None),
        ("/home/ada/mail.db", None),
        ("/mnt/two words/mail.db", "cifs"),
        ("/srv/over/mail.db", None),
    ],
)
def test_a_network_disk_is_known_by_its_mount(path: str, kind: str | None) -> None:
    """F14: the nearest mount counts, and of two at one place the later."""
    assert kind == network_disk(Path(path), MOUNTS)


def test_a_network_disk_is_known_through_a_link(tmp_path: Path) -> None:
    """F14: the file lies where the link leads."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert "nfs" == network_disk(tmp_path / "link" / "mail.db", f"server:/ {tmp_path}/disk nfs rw 0 0")
    assert network_disk(tmp_path / "mail.db", "") is None


def test_a_file_on_a_network_disk_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F14: with what to do, and it opens all the same."""
    monkeypatch.setattr(opening, "_mounts", lambda: f"server:/ {tmp_path} nfs4 rw 0 0")
    with pytest.warns(NetworkDiskWarning, match=r"network disk \(nfs4\).*use a local disk, or Postgres"):
        SqlStore(f"sqlite:///{tmp_path}/mail.db").close()


def test_a_write_ahead_log_on_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F14: it cannot work there, on whatever version."""
    monkeypatch.setattr(opening, "_mounts", lambda: f"server:/ {tmp_path} nfs4 rw 0 0")
    monkeypatch.setattr(opening, "wal_is_safe", lambda _: True)
    with pytest.raises(Misconfigured, match=r"network disk \(nfs4\), where it cannot work; leave it out"):
        SqlStore(f"sqlite:///{tmp_path}/mail.db?journal=wal")


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.7.0", False), ("3.40.1", False), ("3.44.5", False), ("3.44.6", True), ("3.44.9", True), ("3.45.0", False),
        ("3.50.6", False), ("3.50.7", True), ("3.51.0", False), ("3.51.2", False), ("3.51.3", True), ("3.52.0", True),
        ("4.0.0", True),
    ],
)  # fmt: skip
def test_a_write_ahead_log_is_safe_on_mended_versions_only(version: str, safe: bool) -> None:
    """F14: 3.51.3 mended it, and 3.50.7 and 3.44.6 have the same fix."""
    assert safe == wal_is_safe(tuple(map(int, version.split("."))))


@pytest.mark.parametrize("safe", [False, True])
def test_a_write_ahead_log_is_taken_where_the_version_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool
) -> None:
    """F14: else it is refused, with the versions that are safe."""
    monkeypatch.setattr(opening, "wal_is_safe", lambda _: safe)
    url = f"sqlite:///{tmp_path}/mail.db?journal=wal"
    if not safe:
        with pytest.raises(Misconfigured, match=r"leave journal out, or use SQLite 3\.51\.3, 3\.50\.7, 3\.44\.6"):
            SqlStore(url)
        return
    with closing(SqlStore(url)) as store:
        store.append([no_of("ada")], at=NOW)
        assert "wal" == _pragma(store, "journal_mode")
        assert 2 == _pragma(store, "synchronous")


def _pragma(store: SqlStore, name: str) -> object:
    with store.db.reading() as tx:
        return tx.execute(text(f"PRAGMA {name}")).scalar_one()


def test_a_file_that_was_left_with_a_write_ahead_log_is_brought_back(tmp_path: Path) -> None:
    """F14: what somebody else wrote with one, and was killed over, is all there, and the log is gone."""
    original, left = tmp_path / "original.db", tmp_path / "left.db"
    SqlStore(f"sqlite:///{original}").close()
    with closing(raw(original)) as somebody:
        assert [("wal",)] == somebody.execute("PRAGMA journal_mode=wal").fetchall()
        somebody.execute("INSERT INTO bookmarks VALUES ('import:x', 7, 0, '')")
        for end in ("", "-wal"):
            shutil.copy(f"{original}{end}", f"{left}{end}")
    with closing(SqlStore(f"sqlite:///{left}")) as store:
        found = store.bookmark("import:x")
        assert found is not None
        assert 7 == found.place
        assert "truncate" == _pragma(store, "journal_mode")
        assert not Path(f"{left}-wal").exists()
        assert () == store.check().problems


def test_a_write_ahead_log_that_somebody_has_open_is_not_taken_away(tmp_path: Path) -> None:
    """F14: it is said that others are there; when they have gone it is brought back."""
    path = tmp_path / "mail.db"
    SqlStore(f"sqlite:///{path}").close()
    with closing(raw(path)) as somebody:
        somebody.execute("PRAGMA journal_mode=wal")
        somebody.execute("BEGIN")
        somebody.execute("SELECT count(*) FROM log").fetchall()
        with pytest.raises(RegistryBusy, match="call again"):
            SqlStore(f"sqlite:///{path}?timeout=0")
    with closing(SqlStore(f"sqlite:///{path}")) as store:
        assert "truncate" == _pragma(store, "journal_mode")


def test_every_connection_is_set_the_same(tmp_path: Path) -> None:
    """F8, F14, O5: a rollback journal that is synced and truncated, freed bytes overwritten, on each of the pool."""
    expected: dict[str, object] = {
        "journal_mode": "truncate", "synchronous": 2, "secure_delete": 1, "cell_size_check": 1, "trusted_schema": 0,
        "temp_store": 2, "fullfsync": 1,
    }  # fmt: skip
    with closing(SqlStore(f"sqlite:///{tmp_path}/mail.db")) as store, ExitStack() as held:
        connections = [held.enter_context(store.opened.engine.connect()) for _ in range(7)]
        assert 7 == len({id(one.connection.dbapi_connection) for one in connections})
        for one in connections:
            assert expected == {name: one.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in expected}


def test_every_connection_to_postgres_is_set_the_same(postgres: Server) -> None:
    """F8, F15, F17: its own schema, synced commits, a bounded wait, a fresh look at each statement of a writer."""
    expected = {
        "search_path": "set_alike", "lock_timeout": "2500ms", "synchronous_commit": "on", "client_encoding": "UTF8",
        "transaction_isolation": "read committed",
    }  # fmt: skip
    otherwise = "-c synchronous_commit=off -c client_encoding=latin1 -c default_transaction_isolation=serializable"
    url = postgres.url("set_alike", timeout="2.5", options=otherwise)
    with closing(SqlStore(url)) as store, ExitStack() as held:
        for _ in range(7):
            one = held.enter_context(store.opened.engine.connect())
            assert expected == {name: one.exec_driver_sql(f"SHOW {name}").scalar_one() for name in expected}


def test_commits_that_wait_for_replicas_still_do(postgres: Server) -> None:
    """F8: a stricter setting of the server stays."""
    url = postgres.url(new_schema(), options="-c synchronous_commit=remote_apply")
    with closing(SqlStore(url)) as store, store.db.reading() as tx:
        assert "remote_apply" == tx.execute(text("SHOW synchronous_commit")).scalar_one()


def test_a_database_that_lacks_letters_is_refused(postgres: Server) -> None:
    """F59: an opt-out whose words it cannot hold would be lost."""
    postgres.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(Misconfigured, match=r"the database is in LATIN1.*make one in UTF8"):
        SqlStore(postgres.url(new_schema()).replace("/postgres?", "/latin?"))
