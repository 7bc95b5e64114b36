"""A Postgres server that says no: tried again where that may help, and else said in our words (F9, F15, F21)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import psycopg
import pytest

from adapters.sql.tests.made_up import no_of, opened
from adapters.sql.tests.servers import TAKE_TURN, Server, new_schema
from lifecycle_mail.errors import RegistryBusy, RegistryDamaged, RegistryUnavailable
from lifecycle_mail.model.entries import Record
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.service.retrying import in_transaction
from tests.service.worlds import NOW, world

ALL = Scope.all()
PATIENCE = 60.0


@pytest.mark.parametrize(
    "more", [{"timeout": "0.05"}, {"options": "-c statement_timeout=50"}], ids=["lock_timeout", "statement_timeout"]
)
def test_a_writer_that_waits_for_too_long_is_told_so(postgres: Server, more: dict[str, Any]) -> None:
    """F15, F21: another holds the writers' turn: busy, and nothing is written; when it lets go the next try writes."""
    schema = new_schema()
    opened(postgres.url(schema)).close()
    store = opened(postgres.url(schema, **more))
    with postgres.beside(schema) as run:
        run(TAKE_TURN)
        with pytest.raises(RegistryBusy, match="call again"):
            store.append([no_of("bob")], at=NOW)
        mail = world(store=store, wait=lambda _attempt: run("SELECT pg_advisory_unlock_all()"))
        assert mail.opt_out("ada@example.com", scope=ALL, now=NOW).is_new
    assert 1 == store.position()
    store.close()


def test_a_deadlock_is_tried_again(postgres: Server) -> None:
    """F21: the server ends the transaction of ours in a real deadlock with somebody else's; the next try writes."""
    schema = new_schema()
    store = opened(postgres.url(schema, options="-c deadlock_timeout=50"))
    no = no_of("ada")
    waits: list[int] = []
    with postgres.beside(schema) as run:
        run("SET deadlock_timeout = '60s'")
        run("BEGIN")
        run("LOCK TABLE log IN ACCESS EXCLUSIVE MODE")
        other = Thread(target=run, args=(TAKE_TURN,), daemon=True)

        def work() -> Sequence[Record]:
            if not waits:
                other.start()
                _until_somebody_waits(postgres)
            return store.append([no], at=NOW)

        def let_go(attempt: int) -> None:
            waits.append(attempt)
            other.join(PATIENCE)
            run("ROLLBACK")
            run("SELECT pg_advisory_unlock_all()")

        written = in_transaction(store, work, wait=let_go)
    assert [1] == waits
    assert [no] == [record.entry for record in written] == [record.entry for record in store.records()]
    store.close()


def _until_somebody_waits(server: Server) -> None:
    with server.beside() as run:
        while run("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
            pass


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03", "57014", "57P01"])
def test_what_the_server_says_may_be_tried_again_is_busy(postgres: Server, state: str) -> None:
    """F21: the server raises an error of that state in the middle of a transaction once, and the next try writes."""
    schema = new_schema()
    store = opened(postgres.url(schema))
    waits: list[int] = []
    with postgres.beside(schema) as run:
        run(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RAISE EXCEPTION USING ERRCODE = ''{state}'', MESSAGE = ''not now''; END'"
        )
        run("CREATE TRIGGER fail BEFORE INSERT ON log EXECUTE FUNCTION fail()")

        def mend(attempt: int) -> None:
            waits.append(attempt)
            run("DROP TRIGGER IF EXISTS fail ON log")

        mail = world(store=store, wait=mend)
        assert mail.opt_out("ada@example.com", scope=ALL, now=NOW).is_new
    assert [1] == waits
    assert 1 == store.position()
    store.close()


@pytest.mark.parametrize("state", ["53100", "42501", "XX001", "P0001"])
def test_other_errors_of_the_server_are_no_success_and_not_tried_again(postgres: Server, state: str) -> None:
    """F9, F11: disk full, not allowed, damaged, anything else: raised at once in our words, and nothing is written."""
    schema = new_schema()
    store = opened(postgres.url(schema))
    waits: list[int] = []
    mail = world(store=store, wait=waits.append)
    with postgres.beside(schema) as run:
        run(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RAISE EXCEPTION USING ERRCODE = ''{state}'', MESSAGE = ''no''; END'"
        )
        run("CREATE TRIGGER fail BEFORE INSERT ON log EXECUTE FUNCTION fail()")
        kind = RegistryDamaged if state.startswith("XX") else RegistryUnavailable
        with pytest.raises(kind) as raised:
            mail.opt_out("ada@example.com", scope=ALL, now=NOW)
        assert "ada@example.com" not in str(raised.value)
        assert not isinstance(raised.value, RegistryBusy)
        run("DROP TRIGGER fail ON log")
    assert [] == waits
    assert 0 == store.position()
    store.close()


def test_a_transaction_that_idles_for_too_long_is_ended_by_the_server(postgres: Server) -> None:
    """F21: the server's own patience ends: busy, and nothing is written."""
    schema = new_schema()
    store = opened(postgres.url(schema, application_name="idle"))
    mail = world(store=store)

    def idle(run: Callable[[str], Any]) -> None:
        with store.transaction():
            with store.db.writing() as tx:  # not before: a server this impatient would end a slow connecting, too
                tx.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 50")
            mail.opt_out("ada@example.com", scope=ALL, now=NOW)
            while run(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idle' AND state LIKE 'idle in%'"
            ):
                pass

    with postgres.beside() as run, pytest.raises(RegistryBusy):
        idle(run)
    assert 0 == store.position()
    store.close()


def test_who_has_waited_sees_what_was_committed_meanwhile(postgres: Server) -> None:
    """F17, F21: also where the server's default isolation would show a writer the state before it got its turn."""
    schema = new_schema()
    first = opened(postgres.url(schema))
    second = opened(postgres.url(schema, options="-c default_transaction_isolation=repeatable\\ read"))
    seen: list[int] = []

    def look() -> None:
        with second.transaction():
            seen.append(second.position())

    waiting = Thread(target=look, daemon=True)
    with first.transaction():
        waiting.start()
        _until_somebody_waits(postgres)
        world(store=first).opt_out("ada@example.com", scope=ALL, now=NOW)
    waiting.join(PATIENCE)
    assert [1] == seen
    first.close()
    second.close()


def test_what_the_applications_own_server_says_comes_out_as_it_is(postgres: Server) -> None:
    """F21: inside a transaction of the registry: it is neither said in our words nor tried again, and all is undone."""
    store = opened(postgres.url(new_schema()))
    theirs = psycopg.errors.SerializationFailure("of the application")
    with suppress(psycopg.errors.SerializationFailure), store.transaction():
        store.append([no_of("ada")], at=NOW)
        raise theirs
    assert 0 == store.position()
    store.close()
