"""What children of the nursery do with a registry that has a URL; every argument is what JSON can hold."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lifecycle_mail_sql import SqlStore, keeping, opening, schema
from lifecycle_mail_sql.connecting import Connections
from sqlalchemy import inspect, text

from adapters.sql.tests.faults import jobs, story
from adapters.sql.tests.faults.disk_esp import DiskEsp
from adapters.sql.tests.faults.nursery import say
from lifecycle_mail.errors import CampaignRefused, RegistryUnavailable
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant
from lifecycle_mail.testing.stores.making import PEPPERS


@contextmanager
def opened(url: str, folder: str | Path, way: str, *, tick: Callable[[], None] = lambda: None) -> Iterator[Lifecycle]:
    """Open a registry by its URL, and the ESP in a folder."""
    store = SqlStore(url, peppers=PEPPERS)
    esp = DiskEsp(Path(folder) / "esp", way, tick=tick)
    try:
        yield story.opened(store, esp)
    finally:
        store.close()
        esp.close()


def play(
    url: str, folder: str, way: str, steps: Sequence[Sequence[str]], begin: int, attempt: int, fuse: int | None
) -> None:
    """Play a story from a step on; says what `jobs.play` says."""
    burning = jobs.Fuse(fuse)
    with opened(url, folder, way, tick=burning.tick) as mail:
        jobs._play(mail, folder, steps, begin, attempt, burning)


def leave(url: str, folder: str, who: Sequence[str]) -> None:
    """Say no for each of these; says `ACK entry` for each."""
    with opened(url, folder, "mails") as mail:
        for one in who:
            done = mail.opt_out(story.address(one), scope=Scope.all(), now=NOW)
            assert done.is_new
            say(f"ACK {done.opt_out.id}")


def claim(url: str, folder: str, number: str) -> None:
    """Claim everybody that a campaign would go to; says `FREE contact` for each that was."""
    with opened(url, folder, "mails") as mail:
        plan = mail.plan(story.CAMPAIGNS[int(number)], now=NOW)
        for one in sorted(mail.store.claim(plan.recipients, at=NOW)):
            say(f"FREE {one}")


def send(url: str, folder: str, way: str, number: str) -> None:
    """Send a campaign; says `SENT count`, or `REFUSED` where another is sending it."""
    with opened(url, folder, way) as mail:
        plan = mail.plan(story.CAMPAIGNS[int(number)], now=NOW)
        try:
            say(f"SENT {mail.send(plan, now=NOW).sent}")
        except CampaignRefused:
            say("REFUSED")


class Slow(DiskEsp):
    """An ESP that tells who is out once so many others have come to ask, and were sent away."""

    others: Path
    count: int

    def opt_outs(self, **asked: object) -> list[object]:  # type: ignore[override]
        """Wait for the others, and say that nobody is."""
        del asked
        with self.others.open("rb", buffering=0) as sent_away:
            for _ in range(self.count):
                sent_away.read(1)
        return []


def sweep(url: str, folder: str, others: str, count: int) -> None:
    """Sweep; says `SWEPT`, or `REFUSED` where another does, who is told so through a pipe."""
    esp = Slow(Path(folder) / "esp", "mails")
    esp.others, esp.count = Path(others), count
    store = SqlStore(url, peppers=PEPPERS)
    if story.opened(store, esp).sweep(now=NOW) is None:
        say("REFUSED")
        with Path(others).open("wb", buffering=0) as sent_away:
            sent_away.write(b".")
    else:
        say("SWEPT")
    store.close()


def begin(url: str, folder: str) -> None:
    """Take some work for oneself; says `MINE` or `TAKEN`."""
    with opened(url, folder, "mails") as mail:
        mine = mail.store.begin("work", f"{os.getpid()}", at=NOW, until=NOW + story.STEP)
        say("MINE" if mine else "TAKEN")


def make_ready(url: str, migrations: str, revision: str, fuse: int | None, largest: int | None) -> None:
    """Open a registry and bring its schema to a revision; says `READY before after`, or `REFUSED` with the reason.

    Args:
        url: of the registry; an empty one is made.
        migrations: the folder of the migrations.
        revision: the newest of them.
        fuse: see `jobs.Fuse`.
        largest: how many bytes a file may have, where the disk is to fail.
    """
    if largest is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    burning = jobs.Fuse(fuse)
    try:
        with as_it_is(url, Path(migrations), revision) as store:
            said = f"READY {' '.join(store.upgrade())} {burning.ticks}"
    except RegistryUnavailable as error:
        said = f"REFUSED {error}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(said)


@contextmanager
def as_it_is(url: str, migrations: Path, revision: str) -> Iterator[SqlStore]:
    """Open a registry, whatever its schema is, with other migrations than ours."""
    ours = keeping._MIGRATIONS, schema.REVISION
    database = Connections(opening.open_database(url).engine)
    try:
        with database.reading() as tx:
            there = inspect(tx).has_table("lifecycle_mail_version")
            found = tx.execute(text("SELECT version_num FROM lifecycle_mail_version")).scalar_one() if there else None
    finally:
        database.close()
    keeping._MIGRATIONS, schema.REVISION = migrations, found or revision
    try:
        store = SqlStore(url, peppers=PEPPERS, ready=found is None)
        schema.REVISION = revision
        try:
            yield store
        finally:
            store.close()
    finally:
        keeping._MIGRATIONS, schema.REVISION = ours
