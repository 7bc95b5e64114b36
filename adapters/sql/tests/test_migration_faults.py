"""Making and upgrading the schema, killed or broken off anywhere: the old one is there, or the new (F5)."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest
from attrs import define
from lifecycle_mail_sql import SqlStore, schema
from sqlalchemy import event

from adapters.sql.tests.faults.nursery import Child, Nursery
from adapters.sql.tests.faults.seeds import dice
from adapters.sql.tests.faults.server_jobs import as_it_is
from adapters.sql.tests.schemas.places import NEXT, OURS, REVISIONS, Place, Where, holds_what_was_filled
from adapters.sql.tests.servers import TAKE_TURN, Server, new_schema
from lifecycle_mail.errors import RegistryBusy


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
    with place.server.beside(place.name) as run:
        run(TAKE_TURN)

        def wait(children: list[Child]) -> None:
            while run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != len(children):
                assert not any(child.ends_within(0) for child in children)

        yield wait
