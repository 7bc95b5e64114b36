"""Opening a registry: which URLs, disks and journals are refused, and how connections are set (F8, F14)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from lifecycle_mail_sql import JournalWarning, NetworkDiskWarning, SqlStore, opening
from lifecycle_mail_sql.opening import network_disk, wal_is_safe
from sqlalchemy import text

from adapters.sql.tests.made_up import no_of
from adapters.sql.tests.schemas.places import Place, Where
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
    "postgresql://ada:hunter2@host/db?schema=Mail": "schema=Mail: write 1 to 63 characters of a-z, 0-9 and _",
    'postgresql://ada:hunter2@host/db?schema=a";drop': "write 1 to 63 characters",
    "postgresql://ada:hunter2@host/db?schema=" + "a" * 64: "write 1 to 63 characters",
    "postgresql://ada:hunter2@host/db?schema=a&schema=b": "schema: given more than once",
    "postgresql://ada:hunter2@host/db?timeout=soon": "timeout=soon: write seconds",
    "postgresql://ada:hunter2@host:99999/db": "port: write a number from 1 to 65535",
    "postgresql://ada:hunter2@host:0/db": "port: write a number from 1 to 65535",
    "postgresql://host/db?password=hunter2&port=5432,x": "port: write a number from 1 to 65535",
    "postgresql://host/db?password=hunter2&verify=full": "verify: unknown, write schema, timeout or what libpq knows",
    "postgresql://host/db?password=hunter2&jurnal=wal": "jurnal: unknown, write schema, timeout or what libpq knows",
    "postgresql://host/db?password=hunter2&password=x": "password: given more than once",
    "postgresql://host/db?password=hunter2&schema=A": "schema=A: write 1 to 63",
    "sqlite:///mail.db?password=hunter2": "password: unknown, write journal, verify or timeout",
    "sqlite:///mail.db?password=hunter2&password=x": "password: given more than once",
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
    with pytest.raises(RegistryDamaged, match="name the file of the registry; if it is that, restore a backup"):
        SqlStore(f"sqlite:///{letter}")
    assert "Dear registry, " * 1000 == letter.read_text()


def test_without_the_driver_of_postgres_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match=r"pip install 'lifecycle-mail-sql\[postgres\]'") as raised:
        SqlStore(f"postgresql://ada:{QUOTED}@host/db")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "more",
    ["/postgres?schema=pw", "/no_such_database", ":1/postgres", "/postgres?no_such_option=1", "/postgres?sslmode=odd"],
)
def test_a_password_is_never_printed(postgres: Server, more: str) -> None:
    """Not by the store, nor by an error of any kind, nor by what caused it."""
    host = "127.0.0.1" if more.startswith(":") else f"127.0.0.1:{postgres.port}"
    printed = []
    try:
        with closing(SqlStore(f"postgresql://postgres:{QUOTED}@{host}{more}")) as store:
            printed = [repr(store), str(store), repr(store.opened), repr(store.opened.engine)]
            assert "postgres:***@" in printed[0]
    except (Misconfigured, RegistryUnavailable) as error:
        found: BaseException | None = error
        while found is not None:
            printed += [str(found), repr(found)]
            found = found.__cause__ or found.__context__
    assert printed
    assert not [one for one in printed if "hunter2" in one]


def test_a_password_that_is_an_option_is_not_printed_either(postgres: Server) -> None:
    """What comes after the question mark is left out, because anything may stand there."""
    shown = f"SqlStore('postgresql+psycopg://postgres@127.0.0.1:{postgres.port}/postgres')"
    with closing(SqlStore(f"{postgres.url(new_schema())}&password=hunter2")) as store:
        assert shown == repr(store)


@pytest.mark.parametrize(
    ("who", "database"), [("nobody_at_all", "postgres"), ("postgres", "no_such_database"), ("locked_out", "postgres")]
)
def test_who_is_turned_away_is_not_told_to_call_again(postgres: Server, who: str, database: str) -> None:
    """A wrong user or database stays wrong: it is said what to check, and nothing is tried again."""
    if who == "locked_out":
        postgres.sql("CREATE ROLE locked_out NOLOGIN")
    with pytest.raises(RegistryUnavailable, match="check the user, the password and the database in the URL") as raised:
        SqlStore(f"postgresql://{who}@127.0.0.1:{postgres.port}/{database}")
    assert not isinstance(raised.value, RegistryBusy)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds addresses, and so does its journal; one that was there keeps its mode."""
    before = os.umask(0o022)
    try:
        with closing(SqlStore(f"sqlite:///{tmp_path}/mail.db")) as store:
            store.append([no_of("ada")], at=NOW)
            assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        (tmp_path / "mail.db").chmod(0o660)
        with closing(SqlStore(f"sqlite:///{tmp_path}/mail.db")) as store:
            store.append([no_of("bob")], at=NOW)
        assert 0o660 == (tmp_path / "mail.db").stat().st_mode & 0o777
    finally:
        os.umask(before)


# --- somebody else's database (F5) ------------------------------------------------------------------------------------

FOREIGN = ["tasks (id INTEGER)", "links (person INTEGER)", "log (y INTEGER)", "people (z INTEGER)", "users (name TEXT)"]


@pytest.mark.parametrize("table", FOREIGN)
def test_a_registry_is_not_made_among_the_tables_of_somebody_else(where: Where, table: str) -> None:
    """F5: it is refused with their names, whether they are called like ours or not, and nothing is made."""
    place = where()
    _run(place, f"CREATE TABLE {table}")
    before = place.tables()
    name = table.partition(" ")[0]
    with pytest.raises(Misconfigured, match=rf"is not empty, and is no registry: it holds {name}: give"):
        SqlStore(place.url)
    with (
        closing(SqlStore(place.url, ready=False)) as store,
        pytest.raises(Misconfigured, match="is not empty, and is no registry"),
    ):
        store.upgrade()
    with (
        closing(SqlStore(place.url, ready=False)) as store,
        pytest.raises(Misconfigured, match="nothing to make anew: schema: there is no registry here"),
    ):
        store.rebuild()
    assert before == place.tables()


def test_what_is_in_the_way_is_named_but_not_without_end(where: Where) -> None:
    """F5: the first five, and how many more; views count as well."""
    place = where()
    for number in range(7):
        _run(place, f"CREATE VIEW v{number} AS SELECT 1")
    with pytest.raises(Misconfigured, match="it holds v0, v1, v2, v3, v4 and 2 more: give"):
        SqlStore(place.url)


def test_a_file_that_another_application_has_marked_is_left_alone(tmp_path: Path) -> None:
    """F5: also while it has no tables yet."""
    path = tmp_path / "app.db"
    with closing(raw(path)) as somebody:
        somebody.execute("PRAGMA application_id = 4711")
        somebody.execute("CREATE TABLE passing (x)")
        somebody.execute("DROP TABLE passing")
    with pytest.raises(Misconfigured, match="another application's"):
        SqlStore(f"sqlite:///{path}")


def test_tables_of_an_application_may_stand_beside_a_registry(where: Where) -> None:
    """F5: what comes later is nobody's problem."""
    place = where()
    SqlStore(place.url).close()
    _run(place, "CREATE TABLE users (name TEXT)")
    with closing(SqlStore(place.url)) as store:
        assert () == store.check().problems


def test_a_schema_that_is_empty_is_made_use_of(postgres: Server) -> None:
    """F5: one that somebody made beforehand, for a role that may make no schemas, and nothing else is needed."""
    name, role = new_schema(), "limited"
    postgres.sql(f"CREATE ROLE {role} LOGIN")
    postgres.sql(f"CREATE SCHEMA {name}")
    url = postgres.url(name).replace("postgres@", f"{role}@")
    for lacking, grant in (("USAGE", "USAGE"), ("CREATE", "CREATE")):
        with pytest.raises(RegistryUnavailable, match=f'GRANT {lacking} ON SCHEMA "{name}" TO "{role}"'):
            SqlStore(url)
        postgres.sql(f"GRANT {grant} ON SCHEMA {name} TO {role}")
    with closing(SqlStore(url)) as store:
        store.append([no_of("ada")], at=NOW)
        assert () == store.check().problems


def test_a_role_that_may_not_look_does_not_take_a_full_registry_for_an_empty_one(postgres: Server) -> None:
    """F5, F12: it is said what to grant: the schema first, then its tables."""
    name, role = new_schema(), "blind"
    SqlStore(postgres.url(name)).close()
    postgres.sql(f"CREATE ROLE {role} LOGIN")
    url = postgres.url(name).replace("postgres@", f"{role}@")
    with pytest.raises(RegistryUnavailable, match="lacks USAGE on the schema"):
        SqlStore(url)
    postgres.sql(f"GRANT USAGE ON SCHEMA {name} TO {role}")
    with pytest.raises(RegistryUnavailable, match="SELECT, INSERT, UPDATE and DELETE on its tables"):
        SqlStore(url)


@pytest.mark.parametrize(
    "change", ["DROP TABLE chores", "DROP TABLE claims", "ALTER TABLE aside RENAME COLUMN why TO reason"]
)
def test_a_registry_that_lacks_a_table_or_a_column_is_refused(where: Where, change: str) -> None:
    """F11: not when it is first needed, which may be an erasure."""
    place = where()
    SqlStore(place.url).close()
    _run(place, change)
    with pytest.raises(RegistryDamaged, match="restore a backup, then sweep") as raised:
        SqlStore(place.url)
    lacking = (
        "aside: the table has no column why" if "aside" in change else f"{change.split()[-1]}: the table is not there"
    )
    assert lacking in str(raised.value)


def _run(place: Place, statement: str) -> None:
    """Run one statement where a registry is or is to be, without us."""
    if place.path is not None:
        with closing(raw(place.path)) as somebody:
            somebody.execute(statement)
        return
    assert place.server is not None
    place.server.sql(f'CREATE SCHEMA IF NOT EXISTS "{place.name}"')
    with place.server.beside(place.name) as run:
        run(statement)


# --- disks and journals (F14) -----------------------------------------------------------------------------------------

MOUNTS = r"""
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/ada ext4 rw 0 0
//server/share /mnt/two\040words cifs rw 0 0
server:/over /srv/over nfs rw 0 0
/dev/sdc1 /srv/over xfs rw 0 0
s3fs /s3 fuse.s3fs rw 0 0
host /guest virtiofs rw 0 0
/dev/sdd1 /cluster ocfs2 rw 0 0
fuse-overlayfs /layers fuse.fuse-overlayfs rw 0 0
sshfs /unsaid fuse rw 0 0
/dev/sde1 /stick fuseblk rw 0 0
odd line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/mail.db", None),
        ("/home/bob/mail.db", "nfs4"),
        ("/home", "nfs4"),
        ("/unsaid/mail.db", "fuse"),
        ("/stick/mail.db", None),
        ("/homestead/mail.db", None),
        ("/home/ada/mail.db", None),
        ("/mnt/two words/mail.db", "cifs"),
        ("/srv/over/mail.db", None),
        ("/s3/mail.db", "fuse.s3fs"),
        ("/guest/mail.db", "virtiofs"),
        ("/cluster/mail.db", "ocfs2"),
        ("/layers/mail.db", None),
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
    with pytest.warns(JournalWarning, match="had a write-ahead log, and has a rollback journal now"):
        store = SqlStore(f"sqlite:///{left}")
    with closing(store):
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
        with pytest.raises(RegistryUnavailable, match="somebody has it open with that: end what has it open") as raised:
            SqlStore(f"sqlite:///{path}?timeout=0")
        assert not isinstance(raised.value, RegistryBusy)  # it would be tried again, and nothing would change
    with pytest.warns(JournalWarning):
        store = SqlStore(f"sqlite:///{path}")
    with closing(store):
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
        "transaction_isolation": "read committed", "idle_in_transaction_session_timeout": "1min",
    }  # fmt: skip
    otherwise = "-c synchronous_commit=off -c client_encoding=latin1 -c default_transaction_isolation=serializable"
    url = postgres.url("set_alike", timeout="2.5", options=otherwise)
    with closing(SqlStore(url)) as store, ExitStack() as held:
        for _ in range(7):
            one = held.enter_context(store.opened.engine.connect())
            assert expected == {name: one.exec_driver_sql(f"SHOW {name}").scalar_one() for name in expected}


def test_a_connection_that_is_cut_off_is_given_up(postgres: Server) -> None:
    """F21: within a minute or so, and not after the hours that TCP takes; a URL may say otherwise."""

    def said(url: str) -> dict[str, str]:
        with closing(SqlStore(url)) as store, store.opened.engine.connect() as one:
            raw_connection: Any = one.connection.driver_connection
            found: dict[str, str] = raw_connection.info.get_parameters()
            idle = str(one.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one())
            return {name: found[name] for name in (*given, "keepalives_idle", "tcp_user_timeout")} | {"idle": idle}

    given: dict[str, Any] = {"connect_timeout": "7", "keepalives_interval": "3"}
    name = new_schema()
    mine = {"connect_timeout": "10", "keepalives_interval": "10", "keepalives_idle": "30", "tcp_user_timeout": "60000"}
    assert {**mine, "idle": "1min"} == said(postgres.url(name))
    otherwise = postgres.url(name, **given, options="-c idle_in_transaction_session_timeout=0")
    assert {**mine, **given, "idle": "0"} == said(otherwise)


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
