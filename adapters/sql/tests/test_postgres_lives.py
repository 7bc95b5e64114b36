"""What a process leaves behind that dies at its work on Postgres, and an old dump that comes back (F3, F4, F6, F13)."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from adapters.sql.tests.made_up import opened
from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.lists import Scope
from tests.service.worlds import (
    DAY,
    HOUR,
    NOW,
    OFFERS,
    Countdown,
    Crashed,
    Mortal,
    address,
    fake,
    join,
    mailed,
    world,
)

ROOT = Path(__file__).parents[3]
ALL = Scope.all()

IMPORTING = """
import os, signal, sys
from adapters.sql.tests.made_up import opened
from tests.service.worlds import NOW, world

url, path, where, at = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def die(done):
    if done >= at:
        os.kill(os.getpid(), signal.SIGKILL)

store = opened(url)
if where == "in a transaction":
    mark, done = store.mark, 0
    def count(bookmark):
        mark(bookmark)
        die(bookmark.place)
    store.mark = count
    die_between = lambda _: None
else:
    die_between = die
world(store=store).import_opt_outs(path, chunk=20, now=NOW, progress=die_between)
"""


@pytest.mark.parametrize("where", ["in a transaction", "between two"])
def test_an_import_that_is_killed_goes_on(postgres: Server, tmp_path: Path, where: str) -> None:
    """F6: killed in every chunk, one after the other, an import ends with each row once, and brings nobody back."""
    url, path = postgres.url(new_schema()), tmp_path / "out.csv"
    rows = [f"person{number}@example.com" for number in range(100)]
    path.write_text("\n".join(["email", *rows, ""]))
    for at in (20, 60, 100):
        command = [sys.executable, "-c", IMPORTING, url, str(path), where, str(at)]
        done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own
        assert -signal.SIGKILL == done.returncode
    with closing(opened(url)) as store:
        mail = world(store=store)
        done_at_last = mail.import_opt_outs(path, chunk=20, now=NOW)
        assert (100, 0) == (done_at_last.rows, done_at_last.rejected)
        assert rows == sorted((str(record.entry.subject.key)[2:] for record in store.records()), key=rows.index)
        assert () == store.check().problems


@pytest.mark.parametrize("after", [False, True], ids=["before the ESP hears", "before its answer"])
def test_what_was_to_be_told_is_told_by_the_next(postgres: Server, after: bool) -> None:
    """F3, F4: a worker dies in its Nth call, for every N: the next tells each no that the ESP has not heard."""
    esp = MemoryEsp()
    with closing(opened(postgres.url(new_schema()))) as store:
        mail = world(store=store, esp=esp)
        for dies_at in range(1, 100):
            join(mail, f"ada{dies_at}")
            mail.opt_out(f"ada{dies_at}", scope=ALL, now=NOW)
            countdown = Countdown(dies_at, after=after)
            with suppress(Crashed):
                world(store=Mortal(store, countdown), esp=Mortal(esp, countdown)).drain(now=NOW)
            mail.drain(now=NOW + HOUR)
            assert 0 == mail.drain(now=NOW + HOUR).left
            assert address(f"ada{dies_at}") in told(esp)
            if not countdown.dead:
                break
    assert dies_at > 10


def told(esp: MemoryEsp) -> set[str]:
    """Return who is out at the ESP."""
    return {str(one.who.address) for one in esp.opt_outs(since=None, now=NOW + DAY)}


def test_an_old_dump_mails_nobody_who_is_out(own_postgres: Server) -> None:
    """F13: what was lost with the database is heard from the ESP before anything is sent."""
    schema = new_schema()
    names = ["ada", "bob", "cem"]
    with closing(opened(own_postgres.url(schema))) as store:
        mail = world(*names, store=store)
        mail.sweep(now=NOW - 3 * HOUR)
        dump = own_postgres.dump(schema)
        mail.opt_out("ada", scope=ALL, now=NOW - 2 * HOUR)
        mail.drain(now=NOW - 2 * HOUR)
        esp = fake(mail)
        esp.unsubscribe(parse_address(address("bob")), ALL, at=NOW - HOUR)
        mail.fetch(now=NOW - HOUR)
    own_postgres.sql(f'DROP SCHEMA "{schema}" CASCADE')
    own_postgres.load(dump)
    with closing(opened(own_postgres.url(schema))) as store:
        mail = world(store=store, esp=esp)
        assert 3 == mail.plan("spring", now=NOW).sendable
        mail.send(mail.plan("spring", now=NOW), now=NOW)
        assert ["cem"] == mailed(mail)
        assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)
