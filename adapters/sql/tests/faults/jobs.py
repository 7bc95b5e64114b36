"""What the children of the nursery do; every argument is what JSON can hold."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from lifecycle_mail_sql import SqlStore
from sqlalchemy import Engine, event

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import DiskEsp
from adapters.sql.tests.faults.nursery import say
from adapters.sql.tests.faults.story import Step
from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant
from lifecycle_mail.testing.stores.making import PEPPERS


def warm_up() -> None:
    """Import and prepare what jobs need, so that their children find it ready."""
    with tempfile.TemporaryDirectory() as folder, opened(folder, "mails") as mail:
        for step in (Step("join", "p00"), Step("leave", "p00", "all"), Step("send", "0"), Step("drain")):
            story.play(step, mail, Path(folder), NOW)


def open_store(path: str, *, peppers: Mapping[str, str] = PEPPERS, **options: str) -> SqlStore:
    """Open the registry in a file."""
    more = "&".join(f"{name}={value}" for name, value in options.items())
    return SqlStore(f"sqlite:///{path}" + (f"?{more}" if more else ""), peppers=peppers)


@contextmanager
def opened(
    folder: str | Path, way: str, *, tick: Callable[[], None] = lambda: None, peppers: Mapping[str, str] = PEPPERS
) -> Iterator[Lifecycle]:
    """Open the registry and the ESP in a folder."""
    store = open_store(f"{folder}/mail.db", peppers=peppers)
    esp = DiskEsp(Path(folder) / "esp", way, tick=tick)
    try:
        yield story.opened(store, esp)
    finally:
        store.close()
        esp.close()


class Fuse:
    """Kills its own process at the n-th tick: before a statement or a commit, or around a call to the ESP.

    Args:
        length: after how many ticks; None never.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.ticks = 0
        event.listen(Engine, "before_cursor_execute", lambda *_: self.tick())
        event.listen(Engine, "commit", lambda _: self.tick())

    def tick(self) -> None:
        """Burn on."""
        self.ticks += 1
        if self.ticks == self.length:
            os.kill(os.getpid(), signal.SIGKILL)


def play(
    folder: str,
    way: str,
    steps: Sequence[Sequence[str]],
    begin: int,
    attempt: int,
    fuse: int | None,
    ahead: float = 0,
) -> None:
    """Play a story from a step on, perhaps by a clock that is so many days ahead.

    Says `ACK tick step entry` for each no that is acknowledged, `DONE tick step` for each step, `END ticks`.
    """
    burning = Fuse(fuse)
    with opened(folder, way, tick=burning.tick) as mail:
        _play(mail, folder, steps, begin, attempt, burning, timedelta(days=ahead))


def play_and_read(
    folder: str, way: str, steps: Sequence[Sequence[str]], begin: int, attempt: int, fuse: int | None
) -> None:
    """Play a story as above; whatever comes of it, say of everybody `READ contact standing`."""
    with opened(folder, way) as mail:
        try:
            _play(mail, folder, steps, begin, attempt, Fuse(fuse))
        finally:
            for person in mail.people():
                say(f"READ {person.contact_id} {mail.standing(person.contact_id, story.OFFERS, now=NOW).value}")
            mail.plan(story.CAMPAIGNS[0], now=NOW)


def play_with(
    folder: str, way: str, steps: Sequence[Sequence[str]], begin: int, attempt: int, fuse: int | None, pragma: str
) -> None:
    """Play a story as above, on connections that are settled differently."""
    with opened(folder, way) as mail:
        assert isinstance(mail.store, SqlStore)
        engine = mail.store.db.engine
        event.listen(engine, "connect", lambda raw, _record: raw.execute(f"PRAGMA {pragma}"))
        engine.dispose()
        _play(mail, folder, steps, begin, attempt, Fuse(fuse))


def _play(
    mail: Lifecycle,
    folder: str,
    steps: Sequence[Sequence[str]],
    begin: int,
    attempt: int,
    burning: Fuse,
    ahead: timedelta = timedelta(0),
) -> None:
    for place, step in enumerate(Step(*one) for one in steps):
        if place < begin:
            continue
        acknowledged = story.play(step, mail, Path(folder), story.instant(place, attempt) + ahead)
        burning.tick()
        if acknowledged is not None:
            say(f"ACK {time.monotonic_ns()} {place} {acknowledged}")
            burning.tick()
        say(f"DONE {time.monotonic_ns()} {place}")
    say(f"END {burning.ticks}")


WORKERS = 8
"""How many processes work at once."""
SHARED = [f"shared{number}" for number in range(6)]
"""Whom every worker lets opt out, as fast as it can."""
TORN = [f"torn{number}" for number in range(6)]
"""Who are signed up by every other worker while the rest let them opt out."""


def own_people(number: int) -> list[str]:
    """Return whom a worker alone speaks of."""
    return [f"w{number}-{place}" for place in range(8)]


def work_at_once(folder: str, way: str, number: int, rounds: int) -> None:
    """Do a little of everything beside seven others.

    Says `ACK tick contact entry new` for each no that is acknowledged, and `END` at the end.
    """

    def leave(who: str, scope: Scope) -> None:
        done = mail.opt_out(who, scope=scope, now=NOW)
        say(f"ACK {time.monotonic_ns()} {who} {done.opt_out.id} {int(done.is_new)}")

    with opened(folder, way) as mail:
        own = own_people(number)
        for place in range(rounds):
            part = own[place::rounds]
            for one in part:
                mail.subscribe(story.address(one), story.OFFERS, proof="form 7", now=NOW, contact_id=one)
            for one in SHARED[place::rounds]:
                leave(one, Scope.list(story.OFFERS.key))
            for one in TORN[place::rounds]:
                if number % 2:
                    leave(one, Scope.all())
                else:
                    mail.subscribe(one, story.OFFERS, proof="form 7", now=NOW)
            with suppress(CampaignRefused):  # another worker is sending it, or sweeping, or has released it
                story.send(mail, story.CAMPAIGNS[0], now=NOW)
            for one in part[::2]:
                leave(one, Scope.all())
            mail.drain(now=NOW)
            mail.sweep(now=NOW)
    say("END")


def leave_at_once(folder: str, way: str, number: int, count: int) -> None:
    """Let so many strangers opt out; says what `work_at_once` says."""
    with opened(folder, way) as mail:
        for place in range(count):
            who = story.address(f"stranger{number}-{place}")
            done = mail.opt_out(who, scope=Scope.all(), now=NOW)
            say(f"ACK {time.monotonic_ns()} {who} {done.opt_out.id} {int(done.is_new)}")
    say("END")


def do_when_told(folder: str, way: str, doing: str, peppers: dict[str, str], told: str) -> None:
    """Open a registry with these peppers, say `OPEN`, and do one thing once the pipe `told` is written to."""
    with opened(folder, way, peppers=peppers) as mail:
        say("OPEN")
        Path(told).read_bytes()
        story.play(Step(doing, "p03" if doing == "leave" else "0", str(Scope.all())), mail, Path(folder), NOW)
