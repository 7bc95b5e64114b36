"""Opening a registry: what is refused, what is set, and what processes, threads and restarts find (F11, F14, F63)."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve
from lifecycle_mail_sql import NetworkDiskWarning, SqlStore, opening
from lifecycle_mail_sql.opening import network_disk, wal_is_safe
from sqlalchemy import event, text

from adapters.sql.tests.schedules import at_once
from adapters.sql.tests.servers import Server
from lifecycle_mail.errors import Misconfigured, RegistryBusy, RegistryDamaged, RegistryUnavailable
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing import contact, said
from lifecycle_mail.testing.builders import key_of, subject_of
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, PEPPERS
from tests.service.worlds import NOW, world

ROOT = Path(__file__).parents[3]
QUOTED = "hunter2%2Fis%3Amy%40secret"
"""A password with everything in it that a URL may stumble over."""

Opened = Callable[[], SqlStore]


def no_of(name: str) -> OptOut:
    """Return somebody's no to everything."""
    return OptOut(subject=subject_of(contact(name)), scope=Scope.all(), event_id=name, provenance=said(at=NOW))


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
    """F15, F17: its own schema, a bounded wait, and a fresh look at each statement of a writer."""
    with closing(SqlStore(postgres.url("set_alike", timeout="2.5"))) as store, ExitStack() as held:
        for _ in range(7):
            one = held.enter_context(store.opened.engine.connect())
            assert "set_alike" == one.exec_driver_sql("SHOW search_path").scalar_one()
            assert "2500ms" == one.exec_driver_sql("SHOW lock_timeout").scalar_one()
            assert "read committed" == one.exec_driver_sql("SHOW transaction_isolation").scalar_one()


READS: dict[str, Callable[[SqlStore, ContactId, MatchKey], object]] = {
    "marks": lambda store, _, key: store.marks([key]),
    "about": lambda store, whom, key: store.about({whom: [key]}),
    "erased": lambda store, whom, key: store.erased([whom, key]),
}


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("name", READS)
def test_a_call_that_reads_sees_one_state(opened: Opened, name: str, place: int) -> None:
    """F17: the first person ever is erased between two of its statements: it answers as of before, or as of after."""
    store = opened()
    whom, key = ContactId("ada"), MatchKey(str(key_of(contact("ada"))))
    store.append([no_of("ada")], at=NOW)
    before = READS[name](store, whom, key)
    with closing(SqlStore(at_once(store.url), peppers=PEPPERS)) as other:
        with _between_statements(store, place, lambda: other.erase(whom, [key])):
            answer = READS[name](store, whom, key)
        other.erase(whom, [key])
    assert answer in (before, READS[name](store, whom, key))
    assert store.marks([key])


@contextmanager
def _between_statements(store: SqlStore, place: int, work: Callable[[], object]) -> Iterator[None]:
    """Let something happen before the n-th statement that the store makes."""
    statements = count(1)

    def happen(*_: object) -> None:
        if next(statements) == place:
            with suppress(RegistryBusy):  # SQLite: who reads keeps writers waiting
                work()

    event.listen(store.opened.engine, "before_cursor_execute", happen)
    try:
        yield
    finally:
        event.remove(store.opened.engine, "before_cursor_execute", happen)


# --- one registry, many users -----------------------------------------------------------------------------------------

FORKED = """
import os, sys
from lifecycle_mail_sql import SqlStore
from adapters.sql.tests.test_opening import no_of
from tests.service.worlds import NOW
store = SqlStore(sys.argv[1])
store.append([no_of("before")], at=NOW)
children = []
for child in range(3):
    pid = os.fork()
    if not pid:
        for number in range(5):
            store.append([no_of(f"child{child}-{number}")], at=NOW)
        assert store.position() >= 6
        os._exit(0)
    children.append(pid)
for number in range(5):
    store.append([no_of(f"parent-{number}")], at=NOW)
assert [0, 0, 0] == [os.waitpid(pid, 0)[1] for pid in children]
print(*(record.entry.event_id for record in store.records()))
store.close()
"""


def test_a_process_may_fork_with_a_registry_open(fresh_url: str) -> None:
    """F15: parent and children write through connections of their own, at once, and nothing is lost."""
    program = [sys.executable, "-c", FORKED, fresh_url]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603 - as above
    assert (0, "") == (done.returncode, done.stderr)
    expected = {f"{who}-{number}" for who in ("parent", "child0", "child1", "child2") for number in range(5)}
    said_no = done.stdout.split()
    assert ["before"] == said_no[:1]
    assert sorted(expected) == sorted(said_no[1:])


def test_threads_share_a_store(opened: Opened) -> None:
    """F15: eight of them, ten noes each: none lost, and the numbers of the log have no gaps."""
    store = opened()
    errors: list[BaseException] = []

    def leave(thread: int) -> None:
        try:
            for number in range(10):
                store.append([no_of(f"{thread}-{number}")], at=NOW)
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    threads = [Thread(target=leave, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors
    assert list(range(1, 81)) == [record.seq for record in store.records()]


# --- what a restart finds ---------------------------------------------------------------------------------------------


def _set_version(store: SqlStore, version: str) -> None:
    with store.db.writing() as tx:
        tx.execute(text("UPDATE lifecycle_mail_version SET version_num = :version"), {"version": version})


def test_a_newer_schema_is_refused(opened: Opened) -> None:
    """F5: nothing that this version does not know is read or written."""
    _set_version(opened(), "9999")
    with pytest.raises(Misconfigured, match=r"has schema 9999.*written by a newer version; install that"):
        opened()


def test_an_older_schema_is_refused_with_the_command(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """F5: it is upgraded when somebody says so, not by whoever happens to open it first."""
    opened()
    monkeypatch.setattr("lifecycle_mail_sql.schema.REVISION", "0002")
    with pytest.raises(Misconfigured, match="has schema 0001, and this version needs 0002: run `lifecycle-mail db upg"):
        opened()


def test_what_was_written_is_there_after_a_restart(opened: Opened) -> None:
    """R6: of another process, or of this one."""
    first = opened()
    first.append([no_of("ada")], at=NOW)
    first.close()
    assert [no_of("ada")] == [record.entry for record in opened().records()]


@pytest.mark.parametrize(
    "peppers", [{}, {"2026": "a pepper that never was used here"}, {"2025": "not that secret at all"}]
)
def test_without_the_pepper_that_was_used_nothing_opens(
    opened: Opened, fresh_url: str, peppers: dict[str, str]
) -> None:
    """F63: missing, another one, or another secret under its name: refused, and nothing of the secrets is printed."""
    store = opened()
    ada = contact("ada")
    store.append([no_of("ada")], at=NOW)
    store.erase(ContactId("ada"), [MatchKey(str(key_of(ada)))])
    store.close()
    with pytest.raises(Misconfigured, match=r"pepper 2025.*without it nothing is read and nothing is sent") as raised:
        SqlStore(fresh_url, peppers=peppers)
    assert not [secret for secret in [*peppers.values(), *PEPPERS.values()] if secret in str(raised.value)]
    with closing(SqlStore(fresh_url, peppers=NEWER_PEPPERS)) as again:
        assert {"ada"} == again.erased(["ada"])


# --- files that are not whole (F11) -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a file of forty people, of whom every other one is out."""
    path = tmp_path_factory.mktemp("whole") / "mail.db"
    with closing(SqlStore(f"sqlite:///{path}")) as store:
        world(*(f"person{number:03}" for number in range(40)), store=store)
        store.append([evolve(no_of(f"person{number:03}"), provenance=LETTER) for number in range(0, 40, 2)], at=NOW)
    return path.read_bytes()


LETTER = said(at=NOW, evidence="a letter " * 20)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, whole: bytes, share: float) -> None:
    """F11: at any length, and no byte of it is changed."""
    path = tmp_path / "mail.db"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RegistryUnavailable, match="restore a backup, then sweep"):
        SqlStore(f"sqlite:///{path}")
    assert whole[: int(len(whole) * share)] == path.read_bytes()


@pytest.mark.parametrize("verify", ["full", "quick", "off"])
def test_a_flipped_bit_in_a_record_is_found_when_it_is_read_at_the_latest(
    tmp_path: Path, whole: bytes, verify: str
) -> None:
    """F11, F12: on opening where that is asked for, else by the checksum of its row; then nothing is planned."""
    path = tmp_path / "mail.db"
    flipped = bytearray(whole)
    flipped[whole.index(b"a letter ")] ^= 0x04
    path.write_bytes(flipped)
    if verify == "full":
        with pytest.raises(RegistryDamaged, match=r"is damaged.*restore a backup, then sweep"):
            SqlStore(f"sqlite:///{path}?verify={verify}")
        return
    with closing(world(store=SqlStore(f"sqlite:///{path}?verify={verify}"))) as mail:
        with pytest.raises(RegistryDamaged, match="not what was written: restore a backup, then sweep"):
            mail.plan("spring", now=NOW)
        assert isinstance(mail.store, SqlStore)
        assert mail.store.check().problems
