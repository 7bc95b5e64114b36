"""Making and upgrading the schema: the same whichever way, and from every schema there was (F5)."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from lifecycle_mail_sql import SqlStore, keeping, schema
from lifecycle_mail_sql.connecting import Connections
from lifecycle_mail_sql.opening import open_database
from sqlalchemy import text

from adapters.sql.tests.faults.server_jobs import as_it_is
from adapters.sql.tests.schemas.places import (
    FORMS,
    MIGRATION,
    NEXT,
    OURS,
    REVISIONS,
    Place,
    Where,
    holds_answers,
    holds_still,
    holds_what_was_filled,
)
from adapters.sql.tests.schemas.write import FOLDER
from lifecycle_mail.errors import Misconfigured, RegistryUnavailable
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.cli.running import run_well

VERSION = "lifecycle_mail_version"


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
    """F5: a dump for each form and database, and no others; `schemas/write.py` writes the newest."""
    expected = {f"{form}.{kind}.sql" for form in FORMS for kind in ("sqlite", "postgresql")}
    assert expected == {path.name for path in FOLDER.glob("*.sql")}


def test_the_newest_dump_is_what_the_code_makes(where: Where) -> None:
    """F5: whoever changes the tables of a schema that is not out yet writes its dump again."""
    made, dumped = where(), where()
    SqlStore(made.url).close()
    dumped.load(schema.REVISION)
    assert made.tables() == dumped.tables(), "run python -m adapters.sql.tests.schemas.write"


@pytest.mark.parametrize("form", FORMS)
def test_every_schema_is_upgraded_with_what_is_in_it(where: Where, form: str) -> None:
    """F5: to the tables of a new registry, and nobody's no, claim or consent is lost."""
    old, new = where(), where()
    old.load(form)
    SqlStore(new.url).close()
    with as_it_is(old.url, OURS, schema.REVISION) as store:
        assert (form[:4], schema.REVISION) == store.upgrade()
    with closing(SqlStore(old.url, peppers=PEPPERS)) as store:
        holds_what_was_filled(store)
        if form >= "0003":
            holds_answers(store)
        holds_still(store)
    assert new.tables() == old.tables()


def test_ids_that_are_too_long_now_are_shortened_and_stay_apart(where: Where) -> None:
    """F5, F33: an event of before 0002 is read, and two of which only the end differs are two still."""
    place = where()
    place.load("0001")
    long = "x" * 1999
    held = {"id": long, "person": 0, "at": 0, "kind": "opened", "mail": long, "campaign": "", "link": long}
    held |= {"evidence": "human", "purpose": "regular", "source": "", "provider": ""}
    with closing(SqlStore(place.url, peppers=PEPPERS, ready=False)) as store:
        with store.db.writing() as tx:
            ada = tx.execute(text("SELECT no FROM people WHERE name = 'ada'")).scalar_one()
            for end in ("1", "2"):
                row = {**held, "id": long + end, "mail": long + end, "campaign": long + end, "person": ada}
                tx.execute(schema.events.insert(), row)
                day = {"day": "2026-01-01", "campaign": long + end, "provider": "", "mark": "opened", "count": 1}
                tx.execute(schema.daily.insert(), day)
            tx.execute(
                schema.quarantine.insert(), {"id": long, "person": ada, "body": json.dumps(held), "set_aside_at": 0}
            )
        store.upgrade()
    with closing(SqlStore(place.url, peppers=PEPPERS)) as store:
        events = [one for one in store.events_of(ContactId("ada")) if one.id.startswith("xxx")]
        for name in ("id", "mail", "campaign"):
            assert [512, 512] == [len(getattr(one, name)) for one in events]
            assert 2 == len({getattr(one, name) for one in events})
        assert [] == list(store.admit(events))
        assert {one.campaign for one in events} < {one.campaign for one in store.tally()}
        (early,) = [one for one in store.quarantined() if one.id.startswith("xxx")]
        assert (512, 512, long) == (len(early.id), len(early.mail), early.link)
        assert () == store.check().problems


# --- the next migration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_several_migrations_are_run_in_order(where: Where, newer: Path, form: str) -> None:
    """F5: from each schema through all that follow, and again it is nothing to do."""
    place = where()
    place.load(form)
    with as_it_is(place.url, newer, NEXT) as store:
        assert (form[:4], NEXT) == store.upgrade()
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
            tx.execute(text("UPDATE lifecycle_mail_version SET version_num = '9999'"))
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
