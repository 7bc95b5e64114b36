"""A year of mail, decided by one seed: people, an ESP that fails, workers that die, and the laws that must hold.

    python -m adapters.sql.tests.model.simulation --seed 7 --steps 10000
    python -m adapters.sql.tests.model.simulation --seed 7 --steps 100000 --store memory:

prints the seed and what happened, or where a law broke. The same arguments give the same trace, byte for byte,
whatever hash seed Python has; `--trace FILE` writes it. One step is one thing that happens: somebody does something,
an operation of a worker, a reaction at the ESP.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import field, frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.model import sim_checks, sim_people, sim_work
from adapters.sql.tests.model.ledger import Broken
from adapters.sql.tests.model.sim_world import World
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.testing.stores.making import PEPPERS

WEIGHTS = (
    (5.0, sim_people.sign_up), (5.0, sim_people.confirm), (3.0, sim_people.opt_out), (0.5, sim_people.opt_out_unknown),
    (1.5, sim_people.leave_at_the_esp), (40.0, sim_people.react), (0.4, sim_people.complain), (1.0, sim_people.pause),
    (5.0, sim_people.change), (0.3, sim_people.move),
    (6.0, sim_work.fetch), (1.0, sim_work.sweep), (5.0, sim_work.drain), (3.0, sim_work.receipt),
    (1.0, sim_work.reconcile), (2.0, sim_work.mischief), (0.3, sim_work.import_noes), (0.4, sim_work.import_members),
    (0.05, sim_work.erase), (0.1, sim_work.archive), (0.2, sim_work.restore), (0.3, sim_work.look_aside),
    (0.3, sim_work.lift),
)  # fmt: skip
WEEKS = 52
SENDS = 3
"""How often in a week somebody looks whether there is a campaign to send."""
LOOK = 500
"""After how many steps everything is looked at."""
WHOLE = 10
"""How often in a year the database is verified whole."""


@frozen(kw_only=True)
class Told:
    """What a year came to.

    Attributes:
        seed, steps: of the run.
        digest: what two runs of one seed have in common.
        mails, records: how many mails left, and how long the log is.
        acts: how often what happened.
        seconds: how long it took.
    """

    seed: int
    steps: int
    digest: str
    mails: int
    records: int
    acts: dict[str, int] = field(repr=False)
    seconds: float = field(eq=False)

    def __str__(self) -> str:
        acts = ", ".join(f"{count} {name}" for name, count in sorted(self.acts.items()))
        return (
            f"seed {self.seed}, {self.steps} steps, {self.mails} mails, {self.records} records, {self.seconds:.1f} s\n"
            f"{acts}\ntrace {self.digest}"
        )


def run(
    seed: int, steps: int, *, store: str = "sqlite", humans: int | None = None, whole: bool | None = None,
    wrap: Callable[[Any], Any] = lambda store: store, change: Callable[[World], object] = lambda _: None,
    write: Callable[[str], object] | None = None,
) -> Told:  # fmt: skip
    """Live through a year.

    Args:
        seed: decides everything.
        steps: how many.
        store: `memory:`, `sqlite` for a file of its own, or the URL of a registry that nobody has opened yet.
        humans: how many people; left out it goes by the steps.
        whole: whether the ESP sends campaigns itself; left out it does for odd seeds.
        wrap: what a test puts around each store.
        change: what a test does to the world before it begins.
        write: called with each line of the trace.

    Raises:
        Broken: a law does not hold; says the seed and how to replay it.
    """
    began = time.perf_counter()
    humans = humans or (80 if steps > 5_000 else 40)
    with tempfile.TemporaryDirectory(prefix="lifecycle-mail-", dir=SCRATCH) as folder:
        world = World(
            seed, steps=steps, humans=humans, open_store=_opens(store, folder),
            whole=seed % 2 == 1 if whole is None else whole, wrap=wrap, write=write,
        )  # fmt: skip
        try:
            change(world)
            _live(world, steps)
        except Exception as error:
            raise Broken(_how_to_replay(world, store, humans, error)) from error
        finally:
            for worker in world.workers:
                if worker.mail is not None:
                    worker.mail.store.close()
            world.store.close()
        return Told(
            seed=seed, steps=steps, digest=world.digest, mails=len(world.esp.outbox), records=world.position,
            acts=world.tally, seconds=time.perf_counter() - began,
        )  # fmt: skip


def _live(world: World, steps: int) -> None:
    looks = SENDS * WEEKS * sum(weight for weight, _ in WEIGHTS) / steps
    world.weigh([*WEIGHTS, (looks, sim_work.send), (looks / SENDS / 2, sim_work.sunset)])
    for step in range(steps):
        if step * WEEKS // steps != (step - 1) * WEEKS // steps:
            sim_work.announce(world, step * WEEKS // steps)
        world.step()
        if step % LOOK == LOOK - 1:
            sim_checks.look(world)
        if step % (steps // WHOLE or 1) == 0:
            sim_checks.whole(world)
    sim_checks.end(world)


def _opens(store: str, folder: str) -> Callable[[], Any]:
    if store == "memory:":
        shared = MemoryStore(peppers=PEPPERS)
        return lambda: shared
    url = f"sqlite:///{folder}/mail.db?verify=off" if store == "sqlite" else store
    return lambda: SqlStore(url, peppers=PEPPERS)


def _how_to_replay(world: World, store: str, humans: int, error: Exception) -> str:
    where = "" if store == "sqlite" else f" --store {store}"
    command = f"python -m adapters.sql.tests.model.simulation --seed {world.seed} --steps {world.steps}{where}"
    command += f" --humans {humans} {'--whole' if world.whole else '--singly'}"
    tail = "\n".join(world.tail)
    return f"seed {world.seed}, tick {world.tick}: {type(error).__name__}: {error}\nreplay: {command}\n{tail}"


SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it


def main(arguments: list[str] | None = None) -> int:
    """Run one year and print what happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--store", default="sqlite", help="memory:, sqlite, or the URL of an empty registry")
    parser.add_argument("--humans", type=int)
    parser.add_argument("--whole", action=argparse.BooleanOptionalAction, help="the ESP sends campaigns itself")
    parser.add_argument("--singly", dest="whole", action="store_false", help="mails leave one by one")
    parser.add_argument("--trace", type=Path, help="a file for the trace")
    given = parser.parse_args(arguments)
    lines: list[str] = []
    try:
        told = run(
            given.seed, given.steps, store=given.store, humans=given.humans, whole=given.whole,
            write=lines.append if given.trace else None,
        )  # fmt: skip
    except Broken as broken:
        sys.stdout.write(f"{broken}\n")
        return 1
    finally:
        if given.trace:
            given.trace.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
