"""Looking a registry over: what `check` finds, and what `rebuild` mends (F11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_mail_sql import SqlStore, keeping, schema
from lifecycle_mail_sql.beside import Beside
from sqlalchemy import select, text

from adapters.sql.tests.schemas.write import fill
from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.errors import RegistryDamaged
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import Entry
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.ports import Maintained
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.service.worlds import NOW, OFFERS, address, world
from tests.strategies import CONTACTS, KEYS, MINUTE, logs

Opened = Callable[[], SqlStore]
BESIDE = ("moments", "links", "complicated", "marks", "subscriptions")
"""What is kept beside the log."""


class _Undone(Exception):
    """Ends a transaction of which nothing is to stay."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def _filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/mail.db"
    else:
        url = request.getfixturevalue("postgres").url(new_schema())
    with closing(SqlStore(url, peppers=PEPPERS)) as store:
        fill(store)
        yield store


@pytest.fixture
def filled(_filled: SqlStore) -> Iterator[SqlStore]:
    """Return a registry with a little of everything; what a test does to it is undone."""
    with suppress(_Undone), _filled.transaction():
        yield _filled
        raise _Undone


def tamper(store: SqlStore, statement: str) -> None:
    """Change what is stored behind the store's back."""
    with store.db.writing() as tx:
        assert tx.execute(text(statement)).rowcount


def problems(store: SqlStore) -> list[tuple[str, str]]:
    """Return what `check` finds: where, and what to do."""
    return [(one.path, str(one)) for one in store.check().problems]


def rows(store: SqlStore, name: str) -> list[Any]:
    """Return the rows of a table, in order."""
    with store.db.reading() as tx:
        return sorted(map(tuple, tx.execute(select(schema.metadata.tables[name]))))


def test_a_registry_that_is_well_has_no_problems(filled: SqlStore) -> None:
    """What was looked at is counted."""
    checked = filled.check()
    assert () == checked.problems
    assert filled.position() == checked.counted["log"]
    assert filled.count() == checked.counted["contacts"]
    assert {"log", "contacts", "profiles", "claims", "answers"} <= checked.counted.keys()
    assert isinstance(filled, Maintained)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log WHERE seq = 3",
        "DELETE FROM log WHERE seq = 1",
        "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)",
        "DELETE FROM log",
    ],
)
def test_a_record_that_is_gone_is_found(filled: SqlStore, statement: str) -> None:
    """F11: in the middle, at the beginning, at the end, or all of them."""
    tamper(filled, statement)
    assert {"log", *BESIDE} & {path for path, _ in problems(filled)}


@pytest.mark.parametrize("column", [column.name for column in schema.log.c if column.name != "seq"])
def test_a_record_that_was_changed_is_found_and_not_read(filled: SqlStore, column: str) -> None:
    """F11: each column is under the checksum; the place is named, and reading the record raises."""
    value = "7" if column in ("recorded_at", "person", "key", "old", "happened_at", "crc") else "'complaint'"
    tamper(filled, f'UPDATE log SET "{column}" = {value} WHERE seq = 5')  # noqa: S608 - columns of ours
    assert ("log", "log: record 5 of the log is not what was written: restore a backup, then sweep") in problems(filled)
    with pytest.raises(RegistryDamaged, match="record 5"):
        list(filled.records())


def test_evidence_that_was_changed_is_found_and_not_read(filled: SqlStore) -> None:
    """F11: what proves a consent is under a checksum of its own."""
    tamper(filled, "UPDATE evidence SET evidence = 'forged' WHERE seq = 1")
    assert [("log", "log: the evidence of record 1 is not what was written: restore a backup, then sweep")] == problems(
        filled
    )
    with pytest.raises(RegistryDamaged, match="the evidence of record 1"):
        list(filled.records())


def test_an_event_id_that_is_gone_is_found_and_not_read(filled: SqlStore) -> None:
    """F11, F33: a no without the id of its click would be another no when it comes again."""
    gone = "DELETE FROM evidence WHERE seq = (SELECT min(seq) FROM evidence WHERE event_id IS NOT NULL)"
    tamper(filled, gone)
    ((place, said),) = problems(filled)
    assert "log" == place
    assert "is not there: restore a backup, then sweep" in said
    with pytest.raises(RegistryDamaged, match="the event id of record"):
        list(filled.records())


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("contacts", "UPDATE contacts SET identity = 'other@example.com' WHERE person = 2"),
        ("contacts", "UPDATE contacts SET body = '{}' WHERE person = 1"),
        ("contacts", "UPDATE contacts SET crc = 0 WHERE person = 1"),
        ("profiles", "UPDATE profiles SET body = '{}' WHERE person = 1"),
        ("claims", "UPDATE claims SET state = 'returned' WHERE person = 1"),
        ("claims", "UPDATE claims SET opted_out_at = NULL WHERE person = 1"),
        ("answers", "UPDATE answers SET text = 'forged' WHERE person > 0"),
        ("answers", "UPDATE answers SET person = 1 WHERE person = 0"),
    ],
)
def test_a_changed_row_is_found(filled: SqlStore, table: str, change: str) -> None:
    """F11: contacts, profiles, claims and answers carry checksums, too."""
    tamper(filled, change)
    assert [table] == [path for path, _ in problems(filled)]


@pytest.mark.parametrize("table", ["people", "match_keys"])
def test_names_that_are_gone_are_found_and_nothing_is_read_as_nobodys(filled: SqlStore, table: str) -> None:
    """F11, F12: a no without its address would bind nobody; it is damage."""
    tamper(filled, f"DELETE FROM {table}")  # noqa: S608 - tables of ours
    assert {"log"} == {path for path, _ in problems(filled)}
    with pytest.raises(RegistryDamaged, match="is not there"):
        list(filled.records())


@pytest.mark.parametrize("table", BESIDE)
def test_what_is_kept_beside_the_log_is_held_against_it(filled: SqlStore, table: str) -> None:
    """F11: rows that are missing, and rows too many, are counted by table; `rebuild` mends it, and nothing else."""
    expected = {name: rows(filled, name) for name in BESIDE}
    columns = schema.metadata.tables[table].c
    strange = ", ".join("'zzz'" if column.type.python_type is str else "999" for column in columns)
    one = " AND ".join(
        f'"{column.name}" = ' + (f"'{value}'" if isinstance(value, str) else str(value))
        for column, value in zip(columns, expected[table][0], strict=True)
    )
    for change in (f"DELETE FROM {table} WHERE {one}", f"INSERT INTO {table} VALUES ({strange})"):  # noqa: S608 - ours
        tamper(filled, change)
        found = dict(problems(filled))
        # An address is marked as one to be read because somebody complicated is at it.
        assert ({"complicated", "marks"} if table == "complicated" and "DELETE" in change else {table}) == set(found)
        assert f"{table}: 1 rows are not what the log says (run `lifecycle-mail db check --rebuild`)" == found[table]
        filled.rebuild()
        assert () == filled.check().problems
        assert expected == {name: rows(filled, name) for name in BESIDE}


def test_all_that_is_kept_beside_the_log_comes_back_from_it(filled: SqlStore) -> None:
    """F11: emptied, and made anew."""
    expected = {name: rows(filled, name) for name in BESIDE}
    for name in BESIDE:
        tamper(filled, f"DELETE FROM {name}")  # noqa: S608 - tables of ours
    assert set(BESIDE) == {path for path, _ in problems(filled)}
    filled.rebuild()
    assert expected == {name: rows(filled, name) for name in BESIDE}


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ("UPDATE lifecycle_mail_version SET version_num = '9999'", "install the version that wrote it"),
        ("DELETE FROM lifecycle_mail_version", "restore a backup"),
    ],
)
def test_a_wrong_revision_is_a_problem(filled: SqlStore, change: str, fix: str) -> None:
    """F5: of a newer version, or gone; nothing else is looked at, because nobody knows what it would mean."""
    tamper(filled, change)
    ((path, said),) = problems(filled)
    assert "schema" == path
    assert fix in said


def test_an_older_revision_is_a_problem_with_a_command(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """F5: it can be upgraded."""
    before = schema.REVISION
    monkeypatch.setattr(schema, "REVISION", "9999")
    assert [("schema", f"schema: {before}, and this version needs 9999 (run `lifecycle-mail db upgrade`)")] == problems(
        filled
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE chores", "chores: the table is not there (restore a backup, then sweep)"),
        (
            "ALTER TABLE aside RENAME COLUMN why TO y",
            "aside: the table has no column why (restore a backup, then sweep)",
        ),
        ("DROP TABLE lifecycle_mail_version", "schema: there is no registry here (name the registry, or make one with"),
    ],
)
def test_a_table_or_column_that_is_gone_is_a_problem(opened: Opened, change: str, said: str) -> None:
    """F11: found whether or not anybody asked for it yet, with its name; nothing raises."""
    store = opened()
    with store.db.writing() as tx:
        tx.execute(text(change))
    ((path, found),) = problems(store)
    assert said.partition(":")[0] == path
    assert found.startswith(said)


@pytest.mark.parametrize("left", ["half", "letter"])
def test_a_file_that_cannot_be_read_is_a_problem_with_what_to_do(tmp_path: Path, left: str) -> None:
    """F11: cut off, or no database at all: `check` says so and sends nobody to `check` again."""
    path = tmp_path / "mail.db"
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
        fill(store)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if left == "half" else b"Dear registry, " * 1000)
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS, ready=False)) as store:
        found = problems(store)
    assert {"file"} == {place for place, _ in found}
    assert all("restore a backup, then sweep" in said and "db check" not in said for _, said in found)


def test_one_bit_of_a_name_in_a_large_file_hides_no_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F11: of a file of more than 64 MB not all is verified when it is opened, but a no is found or it is refused."""
    monkeypatch.setattr(keeping, "_QUICK", 0)
    path, name = tmp_path / "mail.db", MatchKey(f"1:{address('stranger')}")
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
        fill(store)
        expected = store.marks([name])
    assert {Scope.all()} == expected[name].noes
    whole = path.read_bytes()
    places = [one.end() - 1 for one in re.finditer(re.escape(name.encode()), whole)]
    refused = 0
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        try:
            store = SqlStore(f"sqlite:///{path}", peppers=PEPPERS)
        except RegistryDamaged:
            refused += 1
            continue
        with closing(store):
            assert expected == store.marks([name])
    assert refused >= 2  # the row and the index of the names


def test_stats_count_what_there_is(filled: SqlStore) -> None:
    """Every table, every kind of entry, the schema, and for a file its size."""
    stats = filled.stats()
    assert schema.REVISION == stats["schema"]
    assert (filled.count(), filled.position()) == (stats["contacts"], stats["log"])
    assert set(schema.metadata.tables) <= stats.keys()
    kinds = {name: number for name, number in stats.items() if name.startswith("log: ")}
    assert filled.position() == sum(map(int, kinds.values()))
    path = filled.opened.path
    assert (path is not None) == ("bytes" in stats)
    if path is not None:
        assert path.stat().st_size == stats["bytes"]


# --- after any log ----------------------------------------------------------------------------------------------------

Step = tuple[str, Any]
_registries = count(1)


@st.composite
def lives(draw: st.DrawFn) -> list[Step]:
    """A log that is written in pieces, with erasures in between."""
    entries = draw(logs())
    steps: list[Step] = []
    while entries:
        size = draw(st.integers(1, 5))
        steps.append(("append", entries[:size]))
        entries = entries[size:]
        if draw(st.integers(0, 3)) == 0:
            keys = draw(st.frozensets(st.sampled_from(KEYS), max_size=2))
            steps.append(("erase", (draw(st.sampled_from(CONTACTS)), keys)))
    return steps


def live(store: SqlStore, steps: Sequence[Step]) -> None:
    """Live through it; what was written once more changes nothing."""
    written: list[Entry] = []
    for number, (kind, what) in enumerate(steps):
        if kind == "append":
            written += what
            store.append(what, at=NOW + number * MINUTE)
            store.append(written[-7:], at=NOW + number * MINUTE)
        else:
            contact_id, keys = what
            store.erase(ContactId(contact_id), [MatchKey(key) for key in keys])
        assert () == store.check().problems
    before = {name: rows(store, name) for name in BESIDE}
    with store.db.reading() as tx:
        assert not any(Beside(store.dialect).differences(tx).values())
    store.rebuild()
    assert before == {name: rows(store, name) for name in BESIDE}


@settings(max_examples=30)
@given(steps=lives())
def test_after_any_log_nothing_is_different_on_sqlite(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """What grows entry by entry is what is made from the whole log; a rebuild changes nothing."""
    path = tmp_path_factory.getbasetemp() / f"life{next(_registries)}.db"
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
        live(store, steps)
    for left in (path, Path(f"{path}-journal")):
        left.unlink()


@settings(max_examples=8)
@given(steps=lives())
def test_after_any_log_nothing_is_different_on_postgres(postgres: Server, steps: list[Step]) -> None:
    """As on SQLite."""
    with closing(SqlStore(postgres.url(new_schema()), peppers=PEPPERS)) as store:
        live(store, steps)


def test_a_check_beside_writers_finds_nothing(opened: Opened) -> None:
    """F15: what is written while it looks is no difference."""
    store, other, ended = opened(), opened(), Event()
    mail = world("ada", store=other)
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for number in count():
                if ended.is_set():
                    return
                mail.subscribe(f"p{number}@example.com", OFFERS, proof="form", now=NOW, contact_id=f"p{number}")
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    writer = Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            assert () == store.check().problems
    finally:
        ended.set()
        writer.join()
    assert [] == errors
