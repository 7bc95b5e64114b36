"""One registry and all who open it: processes, threads, restarts, and files that are not whole (F5, F11, F15, F63)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve
from lifecycle_mail_sql import SqlStore
from sqlalchemy import event, text

from adapters.sql.tests.made_up import no_of
from adapters.sql.tests.schedules import at_once
from lifecycle_mail.errors import Misconfigured, RegistryBusy, RegistryDamaged, RegistryUnavailable
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing import contact, said
from lifecycle_mail.testing.builders import key_of
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, PEPPERS
from tests.service.worlds import NOW, world

ROOT = Path(__file__).parents[3]

Opened = Callable[[], SqlStore]


# --- one registry, many users -----------------------------------------------------------------------------------------

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


FORKED = """
import os, sys
from lifecycle_mail_sql import SqlStore
from adapters.sql.tests.made_up import no_of
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
    monkeypatch.setattr("lifecycle_mail_sql.schema.REVISION", "9999")
    with pytest.raises(Misconfigured, match="has schema 0003, and this version needs 9999: run `lifecycle-mail db upg"):
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
