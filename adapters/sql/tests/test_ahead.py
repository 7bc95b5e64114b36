"""What a Postgres server works on while verdicts are told: never needed, never stale, never left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import pytest
from lifecycle_mail_sql import SqlStore, ahead

from adapters.sql.tests.made_up import no_of
from adapters.sql.tests.servers import PATIENCE, Server, new_schema
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import Marks
from lifecycle_mail.testing.builders import contact, key_of
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.service.worlds import NOW, address, world

ROOT = Path(__file__).parents[3]
PEOPLE = [f"p{number}" for number in range(12)]
AT = [MatchKey(str(key_of(contact(name)))) for name in PEOPLE]
ALL = Scope.all()


@pytest.fixture
def url(postgres: Server) -> str:
    """Return the URL of a registry whose connections can be told from others by their name."""
    schema = new_schema()
    return postgres.url(schema, application_name=schema)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """Return a registry of which every second person said no."""
    with closing(SqlStore(url, peppers=PEPPERS)) as made:
        made.append([no_of(name) for name in PEOPLE[::2]], at=NOW)
        yield made


@contextmanager
def locked(postgres: Server, url: str) -> Iterator[Callable[[], None]]:
    """Let nobody read addresses until the block ends, or what it is given is called."""
    with postgres.beside(_name(url)) as run:
        run("BEGIN")
        run("LOCK TABLE match_keys")
        try:
            yield lambda: run("COMMIT")
        finally:
            with suppress(Exception):
                run("ROLLBACK")


def _name(url: str) -> str:
    return url.rpartition("=")[2]


def counted(postgres: Server, url: str, where: str = "true") -> int:
    """Count the connections of the registry, or those of them that are so."""
    with postgres.beside() as run:
        return int(run(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{_name(url)}' AND {where}"))  # noqa: S608


def until(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "it never came"


MANY = [MatchKey(f"1:{'x' * 300}{number}@example.com") for number in range(49_000)]
"""More than goes over at once."""
WAITS = "wait_event_type = 'Lock'"
OUT = {key: Marks(noes=frozenset({ALL})) for key in AT[::2]}


def test_the_server_works_on_it_before_the_answer_is_wanted(store: SqlStore, url: str, postgres: Server) -> None:
    """It waits for a lock there while nobody waits here; then the answer is that of `marks`."""
    with locked(postgres, url) as unlock:
        asked = store.ask_marks([*AT, AT[0]])
        assert asked is not None
        until(lambda: counted(postgres, url, WAITS) == 1)
        unlock()
        assert OUT == asked.answer() == store.marks(AT)
    assert 0 == _checked_out(store)


def _checked_out(store: SqlStore) -> int:
    pool: Any = store.opened.engine.pool
    return int(pool.checkedout())


def test_a_screening_asks_one_chunk_ahead(store: SqlStore) -> None:
    """While the verdicts of one chunk are told the next is asked about, and no more; all come in order."""
    texts = [address(name) for name in PEOPLE]
    found = world(store=store).screen_addresses(texts, now=NOW, chunk=3)
    held = [next(found).held]
    assert 1 == _checked_out(store)
    held += [one.held for one in found]
    assert ["out-of-all", ""] * 6 == held
    assert 0 == _checked_out(store)


def test_what_is_written_meanwhile_counts(store: SqlStore) -> None:
    """A no that the caller takes between two verdicts holds in the next chunk already, and in an open transaction."""
    mail = world(store=store)
    found = mail.screen_addresses([address(name) for name in PEOPLE[1::2]], now=NOW, chunk=1)
    assert "" == next(found).held
    mail.opt_out(address(PEOPLE[3]), scope=ALL, now=NOW)
    assert "out-of-all" == next(found).held
    with store.transaction():
        mail.opt_out(address(PEOPLE[5]), scope=ALL, now=NOW)
        assert "out-of-all" == next(found).held
        mail.opt_out(address(PEOPLE[7]), scope=ALL, now=NOW)
    assert ["out-of-all", "", ""] == [one.held for one in found]


def test_a_screening_that_is_left_leaves_nothing_behind(store: SqlStore, url: str, postgres: Server) -> None:
    """The question is cancelled at the server, and its connection is given up."""
    found = world(store=store).screen_addresses([address(name) for name in PEOPLE], now=NOW, chunk=2)
    next(found)
    assert 1 == _checked_out(store)
    with locked(postgres, url):
        asked = store.ask_marks(AT)
        assert asked is not None
        until(lambda: counted(postgres, url, WAITS) == 1)
        asked.close()
        until(lambda: counted(postgres, url, WAITS) == 0)
    found.close()  # type: ignore[attr-defined]
    assert 0 == _checked_out(store)


def test_a_store_that_is_closed_has_no_connections(store: SqlStore, url: str, postgres: Server) -> None:
    """Those of questions that nobody asked about again among them."""
    asked = [store.ask_marks(AT) for _ in range(2)]
    assert None not in asked
    store.close()
    until(lambda: counted(postgres, url) == 0)
    assert [None, None] == [one.answer() for one in asked if one]


def test_who_waits_can_be_interrupted(store: SqlStore, url: str, postgres: Server) -> None:
    """Ctrl-C comes through, and nothing goes on at the server."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with locked(postgres, url):
            asked = store.ask_marks(AT)
            assert asked is not None
            until(lambda: counted(postgres, url, WAITS) == 1)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                asked.answer()
            until(lambda: counted(postgres, url, WAITS) == 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 0 == _checked_out(store)


def test_who_is_interrupted_while_asking_leaves_nothing_behind(
    store: SqlStore, url: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes through there, too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with locked(postgres, url):
        monkeypatch.setattr(ahead, "_wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.ask_marks([*MANY, *AT])
        monkeypatch.undo()
        monkeypatch.setattr(store.db._asked, "add", interrupt)
        with suppress(KeyboardInterrupt):
            store.ask_marks(AT)
        until(lambda: counted(postgres, url, WAITS) == 0)
    assert 0 == _checked_out(store)


def test_a_question_that_is_dropped_leaves_nothing_behind(store: SqlStore, url: str, postgres: Server) -> None:
    """Whoever forgets to close it: it is given up as if they had."""
    with locked(postgres, url):
        asked = store.ask_marks(AT)
        assert asked is not None
        until(lambda: counted(postgres, url, WAITS) == 1)
        del asked
        until(lambda: counted(postgres, url, WAITS) == 0)
    assert 0 == _checked_out(store)


def test_who_waits_goes_on_waiting_when_the_store_is_closed(store: SqlStore, url: str, postgres: Server) -> None:
    """As with any call: a thread that has asked has its answer, and nobody takes its connection from it."""
    found: list[object] = []
    with locked(postgres, url) as unlock:
        asked = store.ask_marks(AT)
        assert asked is not None
        until(lambda: counted(postgres, url, WAITS) == 1)
        thread = Thread(target=lambda: found.append(asked.answer()), daemon=True)
        taken = asked._begun._held
        thread.start()
        until(lambda: not taken)
        store.close()
        assert not found
        unlock()
        thread.join(PATIENCE)
    assert [OUT] == found


def test_writing_between_chunks_costs_no_connections(store: SqlStore, url: str, postgres: Server) -> None:
    """An answer that came too late is thrown away, and its connection kept."""

    def backends() -> str:
        with postgres.beside() as run:
            named = f"application_name = '{_name(url)}'"
            return str(run(f"SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE {named}"))  # noqa: S608

    before = None
    mail = world(store=store)
    for number, _ in enumerate(mail.screen_addresses([address(name) for name in PEOPLE], now=NOW, chunk=1)):
        until(lambda: counted(postgres, url, "state = 'active'") == 0)
        if number == 3:
            before = backends()
        mail.opt_out(address(f"other{number}"), scope=ALL, now=NOW)
    assert before == backends()


def test_where_hashes_are_nothing_is_asked_ahead_for_long(store: SqlStore) -> None:
    """Whoever was erased is found by more than one question: the first answer says so, and none is begun again."""
    mail = world(store=store)
    mail.erase(address(PEOPLE[0]), by=Actor.CONTACT, now=NOW)
    texts = [address(name) for name in PEOPLE]
    for _ in range(2):
        held = [one.held for one in mail.screen_addresses(texts, now=NOW, chunk=5)]
        assert ["erased", "", *(["out-of-all", ""] * 5)] == held
    assert store.ask_marks(AT) is None
    assert 0 == _checked_out(store)


def test_a_connection_that_is_lost_costs_the_answer_alone(store: SqlStore, url: str, postgres: Server) -> None:
    """F21: whoever asks again in the ordinary way gets it."""
    found = world(store=store).screen_addresses([address(name) for name in PEOPLE], now=NOW, chunk=2)
    held = [next(found).held]
    with locked(postgres, url):
        asked = store.ask_marks(AT)
        assert asked is not None
        until(lambda: counted(postgres, url, WAITS) == 1)
        with postgres.beside() as run:
            named = f"application_name = '{_name(url)}'"
            assert run(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {named}") >= 2  # noqa: S608
        assert asked.answer() is None
    assert ["out-of-all", ""] * 6 == held + [one.held for one in found]
    assert 0 == _checked_out(store)


def test_where_connections_are_scarce_nothing_is_asked_ahead(store: SqlStore) -> None:
    """Nobody is asked ahead while more than half of the connections that are kept open are in use."""
    asked = [store.ask_marks(AT) for _ in range(6)]
    assert 3 == sum(one is not None for one in asked)
    assert [OUT] * 3 == [one.answer() for one in asked if one]
    assert store.ask_marks(AT[:1]) is not None


def test_a_large_question_is_sent_whole(store: SqlStore) -> None:
    """Megabytes go over in pieces, as the server takes them."""
    asked = store.ask_marks([*MANY, *AT])
    assert asked is not None
    assert OUT == asked.answer()


def test_a_server_that_cannot_be_asked_is_not(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong is told by the ordinary question."""

    def fail(*_: object) -> None:
        raise RuntimeError("no more file handles")

    monkeypatch.setattr(ahead, "_wait", fail)
    assert store.ask_marks([*MANY, *AT]) is None
    assert 0 == _checked_out(store)
    monkeypatch.undo()
    assert OUT == store.marks(AT)


FORKED = """
import gc, os, sys
import psycopg
from lifecycle_mail_sql import SqlStore
from lifecycle_mail.model.addresses import MatchKey
url, schema, port = sys.argv[1:]
store = SqlStore(url)
key = MatchKey("1:p0@example.com")
with psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres") as beside:
    beside.execute(f'LOCK TABLE "{schema}".match_keys')
    asked = store.ask_marks([key])
    pid = os.fork()
    if not pid:
        os._exit(0 if asked.answer() is None and asked.close() is None else 1)
    assert 0 == os.waitpid(pid, 0)[1]
    pid = os.fork()
    if not pid:
        del asked
        gc.collect()
        os._exit(0)
    assert 0 == os.waitpid(pid, 0)[1]
    beside.rollback()
assert {} == asked.answer()
pid = os.fork()
if not pid:
    os._exit(0 if {} == store.marks([key]) else 1)
assert 0 == os.waitpid(pid, 0)[1]
store.close()
"""


def test_a_process_may_fork_before_it_has_its_answer(url: str, postgres: Server) -> None:
    """A child has no part in what its parent asked: it asks for itself, and takes nothing from the parent (F15)."""
    program = [sys.executable, "-W", "error", "-c", FORKED, url, _name(url), str(postgres.port)]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)  # noqa: S603 - ours
    assert (0, "") == (done.returncode, done.stderr)
