"""Making and upgrading the schema: the same whichever way, whole or not at all, from every schema there was (F5)."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from attrs import define
from lifecycle_mail_sql import SqlStore, keeping, schema
from lifecycle_mail_sql.connecting import Connections
from lifecycle_mail_sql.opening import open_database
from sqlalchemy import event, text

from adapters.sql.tests.conftest import new_schema
from adapters.sql.tests.faults.nursery import Child, Nursery, nursery
from adapters.sql.tests.faults.seeds import dice
from adapters.sql.tests.faults.server_jobs import as_it_is
from adapters.sql.tests.schemas.write import FOLDER, SCHEMA, dump_postgres, dump_sqlite, renamed
from adapters.sql.tests.servers import MAIN, USER, Server
from lifecycle_mail.errors import ConsentRefused, Misconfigured, RegistryBusy, RegistryUnavailable
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Task, TaskKind
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.cli.running import run_well
from tests.service.worlds import DAY, NEWS, NOW, OFFERS, PROOF, address, world

VERSION = "lifecycle_mail_version"
OURS = keeping._MIGRATIONS
"""The folder of the migrations."""
REVISIONS = sorted(script.revision for script in ScriptDirectory(str(OURS)).walk_revisions())


@define
class Place:
    """Where a registry is to be, on either database.

    Attributes:
        kind: `sqlite` or `postgresql`.
        url: of the registry.
        path: of the file.
        server, name: for Postgres, and of the schema there.
    """

    kind: str
    url: str
    path: Path | None = None
    server: Server | None = None
    name: str = ""

    def load(self, revision: str) -> None:
        """Put the stored dump of a schema there."""
        dump = (FOLDER / f"{revision}.{self.kind}.sql").read_text(encoding="utf-8")
        if self.path is not None:
            with closing(sqlite3.connect(self.path)) as raw:
                raw.executescript(dump)
        else:
            assert self.server is not None
            self.server.load(renamed(dump, SCHEMA, self.name))

    def tables(self) -> str:
        """Return the statements that make what is there, in one order and one way to write them."""
        if self.path is not None:
            said = dump_sqlite(self.path, data=False) if self.path.exists() else ""
        else:
            assert self.server is not None
            there = self.server.sql(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{self.name}'")  # noqa: S608
            said = dump_postgres(self.server, self.name, data=False) if there.strip() == "1" else ""
        # `key > 0` and `"key" > 0` are one; which of them Alembic writes is its own affair.
        return re.sub(r"[ \t]+", " ", said.replace('"', ""))


Where = Callable[[], Place]


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


# --- the same, whichever way ------------------------------------------------------------------------------------------


def _migrate(place: Place) -> None:
    """Run every migration on an empty database, as nothing but Alembic would."""
    database = Connections(open_database(place.url).engine)
    with database.writing() as tx:
        if place.server is not None:
            tx.exec_driver_sql(f'CREATE SCHEMA "{place.name}"')
        context = MigrationContext.configure(tx, opts={"version_table": VERSION})
        scripts = ScriptDirectory(str(OURS))
        for script in reversed(list(scripts.walk_revisions())):
            with Operations.context(context):
                script.module.upgrade()
        context.stamp(scripts, "head")
    database.close()


def test_migrations_build_what_a_new_registry_gets(where: Where) -> None:
    """F5: an empty database gets the newest tables at once, and they are those that the migrations lead to."""
    made, migrated = where(), where()
    SqlStore(made.url).close()
    _migrate(migrated)
    assert made.tables() == migrated.tables()


def test_the_tables_are_those_that_the_code_knows(where: Where) -> None:
    """F5: nothing is there, or missing, that Alembic would write a migration for."""
    for make in (lambda place: SqlStore(place.url).close(), _migrate):
        place = where()
        make(place)
        database = Connections(open_database(place.url).engine)
        with database.reading() as tx:
            context = MigrationContext.configure(tx, opts={"version_table": VERSION, "compare_server_default": True})
            assert [] == compare_metadata(context, schema.metadata)
        database.close()


def test_the_newest_migration_is_the_schema_of_the_code() -> None:
    """F5: whoever adds a migration says so in `schema.REVISION`, and they follow one another."""
    assert [schema.REVISION] == ScriptDirectory(str(OURS)).get_heads()
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


# --- from every schema there was --------------------------------------------------------------------------------------


def test_every_schema_is_kept() -> None:
    """F5: a dump for each migration and database, and no others; `schemas/write.py` writes the newest."""
    expected = {f"{revision}.{kind}.sql" for revision in REVISIONS for kind in ("sqlite", "postgresql")}
    assert expected == {path.name for path in FOLDER.glob("*.sql")}


def test_the_newest_dump_is_what_the_code_makes(where: Where) -> None:
    """F5: whoever changes the tables of a schema that is not out yet writes its dump again."""
    made, dumped = where(), where()
    SqlStore(made.url).close()
    dumped.load(schema.REVISION)
    assert made.tables() == dumped.tables(), "run python -m adapters.sql.tests.schemas.write"


def holds_what_was_filled(store: SqlStore) -> None:
    """Check that a registry holds what `schemas.write.fill` put there."""
    assert () == store.check().problems
    mail = world(store=store)
    standings = {name: mail.standing(name, OFFERS, now=NOW + DAY).value for name in ("ada", "bob", "cem")}
    assert {"ada": "out-of-list", "bob": "out-of-all", "cem": "active"} == standings
    ada = store.get([ContactId("ada")])[ContactId("ada")]
    assert ("ada@new.example.com", 120, frozenset({"vip"})) == (ada.email, ada.fields["spend"], ada.tags)
    claims = {one: claim.state.value for one, claim in store.claims(CampaignKey("spring")).items()}
    assert {"ada": "handed-off", "cem": "handed-off"} == {one: claims[ContactId(one)] for one in ("ada", "cem")}
    assert {"eve"} == store.erased(["eve", "ada"])
    assert 1 == store.profiles([ContactId("cem")])[ContactId("cem")].count("opened")
    found = store.bookmark("import:old")
    assert (7, "row 7") == (None if found is None else (found.place, found.note))
    assert {"offers": "a1b2"} == store.bound("esp:memory", "list")
    assert ["cem"] == [one.contact_id for one in store.quarantined()]
    assert ["too many at once"] == [one.why for one in store.aside()]
    assert list(store.tally())


def holds_still(store: SqlStore) -> None:
    """Check that a registry that was filled can be written to, and forgets nobody's no."""
    mail = world(store=store)
    mail.subscribe("bob", OFFERS, proof=PROOF, now=NOW + DAY)
    mail.subscribe(address("dee"), OFFERS, proof=PROOF, now=NOW + DAY, contact_id="dee")
    assert ListStanding.OUT_OF_ALL is mail.standing("bob", NEWS, now=NOW + DAY)
    assert ListStanding.ACTIVE is mail.standing("dee", OFFERS, now=NOW + DAY)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.subscribe(address("eve"), OFFERS, proof=PROOF, now=NOW + DAY)
    assert 1 == store.post([Task(target="esp:x", kind=TaskKind.TAG, contact_id=ContactId("dee"), made_at=NOW)])
    assert () == store.check().problems


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_schema_is_upgraded_with_what_is_in_it(where: Where, revision: str) -> None:
    """F5: to the tables of a new registry, and nobody's no, claim or consent is lost."""
    old, new = where(), where()
    old.load(revision)
    SqlStore(new.url).close()
    with as_it_is(old.url, OURS, schema.REVISION) as store:
        assert (revision, schema.REVISION) == store.upgrade()
    with closing(SqlStore(old.url, peppers=PEPPERS)) as store:
        holds_what_was_filled(store)
        holds_still(store)
    assert new.tables() == old.tables()


# --- the next migration -----------------------------------------------------------------------------------------------

NEXT = f"{len(REVISIONS) + 1:04}"
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{REVISIONS[-1]}", None, None

def upgrade():
    op.create_table("notes", sa.Column("no", sa.BigInteger(), primary_key=True), sa.Column("words", sa.Text()))
    op.create_index("ix_notes_words", "notes", ["words"])
    op.execute("INSERT INTO notes SELECT seq, kind FROM log")
    op.add_column("bookmarks", sa.Column("owner", sa.Text(), nullable=True))
    op.execute("UPDATE bookmarks SET owner = 'somebody'")
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return a folder of migrations with one that is made up."""
    folder = tmp_path / "migrations"
    shutil.copytree(OURS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"r{NEXT}_next.py").write_text(MIGRATION, encoding="utf-8")
    return folder


@pytest.mark.parametrize("revision", REVISIONS)
def test_several_migrations_are_run_in_order(where: Where, newer: Path, revision: str) -> None:
    """F5: from each schema through all that follow, and again it is nothing to do."""
    place = where()
    place.load(revision)
    with as_it_is(place.url, newer, NEXT) as store:
        assert (revision, NEXT) == store.upgrade()
        assert (NEXT, NEXT) == store.upgrade()
        with store.db.reading() as tx:
            notes = tx.execute(text("SELECT count(*) FROM notes")).scalar_one()
            owners = tx.execute(text("SELECT DISTINCT owner FROM bookmarks")).scalars().all()
        assert (store.position(), ["somebody"]) == (notes, owners)


def test_a_migration_that_fails_changes_nothing(where: Where, newer: Path) -> None:
    """F5: its last statement is wrong: what it did before is undone, and the registry is as it was."""
    place = where()
    place.load(REVISIONS[-1])
    (newer / "versions" / f"r{NEXT}_next.py").write_text(
        MIGRATION + "    op.execute('SELECT nothing')", encoding="utf-8"
    )
    before = place.tables()
    with as_it_is(place.url, newer, NEXT) as store, pytest.raises(RegistryUnavailable, match="nothing"):
        store.upgrade()
    assert before == place.tables()
    with closing(SqlStore(place.url, peppers=PEPPERS)) as store:
        holds_what_was_filled(store)


def test_a_schema_of_a_newer_version_is_left_alone(where: Where) -> None:
    """F5: upgrading it is refused."""
    place = where()
    place.load(REVISIONS[-1])
    with closing(SqlStore(place.url, peppers=PEPPERS)) as store:
        with store.db.writing() as tx:
            tx.execute(text(f"UPDATE {VERSION} SET version_num = '9999'"))  # noqa: S608 - a constant
        with pytest.raises(Misconfigured, match="9999 was written by a newer version"):
            store.upgrade()


def test_the_command_upgrades_an_older_registry(where: Where, newer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F5: opening it is refused with that command, so the command must work."""
    place = where()
    SqlStore(place.url).close()
    monkeypatch.setattr(keeping, "_MIGRATIONS", newer)
    monkeypatch.setattr(schema, "REVISION", NEXT)
    with pytest.raises(Misconfigured, match="run `lifecycle-mail db upgrade`"):
        SqlStore(place.url)
    assert f"schema {REVISIONS[-1]} is now {NEXT}" in run_well("db", "upgrade", "--db", place.url).out
    SqlStore(place.url).close()


# --- killed, or the disk fails ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Return what starts processes."""
    with nursery(tmp_path_factory.mktemp("children")) as forks:
        yield forks


@define
class Trial:
    """Makes or upgrades a registry in a process that is stopped somewhere.

    Attributes:
        begin: returns a place as it is before.
        old, new: the tables before, and after a trial that nothing stopped.
        ticks: how many statements and commits it takes.
    """

    fork: Nursery
    newer: Path
    begin: Where
    old: str = ""
    new: str = ""
    ticks: int = 0

    def __attrs_post_init__(self) -> None:
        place = self.begin()
        self.old = place.tables()
        done = self.run(place).finish()[-1].split()
        assert [NEXT, "READY"] == [done[2], done[0]]
        self.ticks = int(done[3])
        self.new = place.tables()
        assert self.old != self.new

    def run(self, place: Place, *, fuse: int | None = None, largest: int | None = None) -> Child:
        """Start a process that makes or upgrades it."""
        return self.fork.start(
            "server_jobs:make_ready",
            url=place.url,
            migrations=str(self.newer),
            revision=NEXT,
            fuse=fuse,
            largest=largest,
        )

    def check(self, place: Place, *, may_be_new: bool) -> None:
        """Check that what is left is the old or the new, and that the next one makes it the new."""
        if place.path is not None and place.path.exists():
            with closing(sqlite3.connect(place.path)) as raw:
                assert [("ok",)] == raw.execute("PRAGMA integrity_check").fetchall()
        assert place.tables() in ((self.old, self.new) if may_be_new else (self.old,))
        assert self.run(place).finish()[-1].startswith("READY")
        assert self.new == place.tables()
        with as_it_is(place.url, self.newer, NEXT) as store:
            (holds_what_was_filled if store.position() else _is_empty)(store)


def _is_empty(store: SqlStore) -> None:
    assert () == store.check().problems


@pytest.fixture(params=["creation", "upgrade"])
def trial(request: pytest.FixtureRequest, where: Where, fork: Nursery, newer: Path) -> Trial:
    """Return what makes a registry, or upgrades one with data in it."""
    if request.param == "creation":
        return Trial(fork, newer, where)

    def filled() -> Place:
        place = where()
        place.load(REVISIONS[-1])
        return place

    return Trial(fork, newer, filled)


def _kill(trial: Trial, places: Iterable[int]) -> None:
    for place_in in places:
        place = trial.begin()
        child = trial.run(place, fuse=place_in)
        assert -signal.SIGKILL == child.wait(), child.said()
        trial.check(place, may_be_new=True)


def test_a_kill_leaves_the_old_schema_or_the_new(trial: Trial) -> None:
    """F5: kill -9 before a statement or a commit: what is there is whole, and the next one makes it ready."""
    chance = dice("schema", trial.old)
    _kill(trial, sorted({trial.ticks, *chance.sample(range(1, trial.ticks), 3)}))


@pytest.mark.long
def test_a_kill_anywhere_leaves_the_old_schema_or_the_new(trial: Trial) -> None:
    """F5: kill -9 before every statement and commit."""
    _kill(trial, range(1, trial.ticks + 1))


def _fail(trial: Trial, sizes: Callable[[int], Iterable[int]]) -> None:
    whole = trial.begin()
    if whole.path is None:
        pytest.skip("the disk of a server is the server's affair")
    trial.run(whole).finish()
    refused = 0
    for largest in sizes(whole.path.stat().st_size):
        place = trial.begin()
        refused += trial.run(place, largest=largest).finish()[-1].startswith("REFUSED")
        trial.check(place, may_be_new=False)
    assert refused


def test_a_disk_that_fails_leaves_the_old_schema(trial: Trial) -> None:
    """F5, F10: the file or its journal cannot grow beyond a size: an error, the old schema, and then the new."""
    _fail(trial, lambda size: range(0, size, size // 5))


@pytest.mark.long
def test_a_disk_that_fails_at_any_page_leaves_the_old_schema(trial: Trial) -> None:
    """F5, F10: as above, for every page."""
    _fail(trial, lambda size: range(0, size, 4096))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_connection_that_breaks_leaves_the_old_schema(postgres: Server, newer: Path, share: float) -> None:
    """F5, F21: the server ends the connection in the middle of an upgrade: busy, the old schema, and then the new."""
    name = new_schema()
    place = Place("postgresql", postgres.url(name, application_name="upgrading"), server=postgres, name=name)
    place.load(REVISIONS[-1])
    before, statements = place.tables(), count(1)
    with as_it_is(place.url, newer, NEXT) as store:

        def break_off(*_: object) -> None:
            if next(statements) == 2 + int(share * 10):
                ended = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                postgres.sql(ended + " WHERE application_name = 'upgrading'")

        event.listen(store.opened.engine, "before_cursor_execute", break_off)
        with pytest.raises(RegistryBusy):
            store.upgrade()
        event.remove(store.opened.engine, "before_cursor_execute", break_off)
        assert before == place.tables()
        assert (REVISIONS[-1], NEXT) == store.upgrade()


def test_many_that_open_an_empty_database_at_once_make_one_schema(where: Where, fork: Nursery) -> None:
    """F5, F15: eight processes: one makes the tables, and the others find them."""
    place, alone = where(), where()
    SqlStore(alone.url).close()
    with _held_up(place) as wait_for_all:
        children = [
            fork.start(
                "server_jobs:make_ready", url=place.url, migrations=str(OURS), revision=schema.REVISION, fuse=None,
                largest=None,
            )
            for _ in range(8)
        ]  # fmt: skip
        wait_for_all(children)
    assert {f"READY {schema.REVISION} {schema.REVISION}"} == {
        child.finish()[-1].rpartition(" ")[0] for child in children
    }
    assert alone.tables() == place.tables()


@contextmanager
def _held_up(place: Place) -> Iterator[Callable[[list[Child]], None]]:
    """Keep writers waiting, and give what returns when all of them are."""
    if place.path is not None:
        with closing(sqlite3.connect(place.path, isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            yield lambda children: [child.ends_within(0.1) for child in children].clear()
            raw.execute("COMMIT")
        return
    assert place.server is not None
    with psycopg.connect(
        host="127.0.0.1", port=place.server.port, user=USER, dbname=MAIN, autocommit=True
    ) as connection:
        connection.execute(f'SET search_path TO "{place.name}"')
        connection.execute("SELECT pg_advisory_lock(%s, hashtext(current_setting('search_path')))", (0x6C_69_66_65,))

        def wait(children: list[Child]) -> None:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while connection.execute(waiting).fetchone() != (len(children),):
                assert not any(child.ends_within(0) for child in children)

        yield wait
