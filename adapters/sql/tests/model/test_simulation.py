"""A year of mail: whatever happens, no acknowledged opt-out is lost and nothing leaves unscreened (F1-F4, F7, F15-F29).

Every failure says its seed and how to replay it. `SIMULATION_SEED` moves the seeds of the long run elsewhere.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.sql.tests.model import mutants, simulation
from adapters.sql.tests.model.ledger import Broken
from adapters.sql.tests.servers import Server, new_schema

ROOT = Path(__file__).parents[4]
FIRST = int(os.environ.get("SIMULATION_SEED", "1000"))


def show(told: simulation.Told) -> None:
    """Print what a year came to; pytest shows it with `-s`, or where the test fails."""
    sys.stdout.write(f"{told}\n")


@pytest.mark.parametrize(
    ("seed", "steps", "whole"),
    [
        pytest.param(1, 2_000, True, id="campaigns"),
        pytest.param(5, 2_000, False, id="single mails"),
        pytest.param(1, 6_000, True, id="campaigns, longer", marks=pytest.mark.long),
        pytest.param(5, 4_000, False, id="single mails, longer", marks=pytest.mark.long),
    ],
)
def test_a_year_on_sqlite(seed: int, steps: int, whole: bool) -> None:
    """Thousands of steps in a file: opt-outs, claims, counts and the log hold, and both sides agree (F3-F35)."""
    told = simulation.run(seed, steps, whole=whole)
    show(told)
    assert steps == told.steps
    assert 200 < told.mails
    assert {"sunset", "erase", "restore", "look_aside", "send: died", "drain: died"} <= told.acts.keys()


@pytest.mark.parametrize(("seed", "whole"), [(3, True), (4, False)], ids=["campaigns", "single mails"])
def test_a_short_year_on_postgres(postgres: Server, seed: int, whole: bool) -> None:
    """As above, on a server; the trace is the one that SQLite writes."""
    told = simulation.run(seed, 300, store=postgres.url(new_schema()), whole=whole)
    show(told)
    assert told.digest == simulation.run(seed, 300, whole=whole).digest


@pytest.mark.long
@pytest.mark.parametrize("number", range(80))
def test_many_years_in_memory(number: int) -> None:
    """800,000 steps of the million, 10,000 a year, with another seed each, where a commit costs nothing."""
    show(simulation.run(FIRST + number, 10_000, store="memory:"))


@pytest.mark.long
@pytest.mark.parametrize("number", range(20))
def test_many_years_on_sqlite(number: int) -> None:
    """200,000 steps of the million, 10,000 a year, in a file."""
    show(simulation.run(FIRST + 80 + number, 10_000))


@pytest.mark.long
@pytest.mark.parametrize("number", range(2))
def test_years_on_postgres(postgres: Server, number: int) -> None:
    """20,000 steps more, 10,000 a year, on a server."""
    show(simulation.run(FIRST + 100 + number, 10_000, store=postgres.url(new_schema())))


def test_one_seed_is_one_trace() -> None:
    """Two runs of one seed write the same lines; so do another store, and Python with other hash seeds."""
    first: list[str] = []
    again: list[str] = []
    told = simulation.run(7, 1_000, store="memory:", write=first.append)
    simulation.run(7, 1_000, store="memory:", write=again.append)
    assert first == again
    assert 1_000 < len(first)
    assert told.digest == simulation.run(7, 1_000).digest
    for hash_seed in ("0", "4711"):
        command = [sys.executable, "-m", simulation.__name__, "--seed", "7", "--steps", "1000", "--store", "memory:"]
        done = subprocess.run(  # noqa: S603 - our own module
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stdout + done.stderr
        assert f"trace {told.digest}" == done.stdout.splitlines()[-1]
        assert done.stdout.startswith("seed 7, 1000 steps")
    assert told.digest != simulation.run(8, 1_000, store="memory:").digest


@pytest.mark.parametrize(
    ("wrap", "whole", "law"),
    [
        (mutants.forgets_noes, True, "said no to"),
        (mutants.forgets_what_the_esp_says, True, "and is off"),
        (mutants.hides_noes, False, "and is off"),
        (mutants.hides_news, True, "the log shows less than it says it holds"),
        (mutants.stands_still, True, "before the log was read"),
        (mutants.claims_twice, False, "a second mail"),
        (mutants.forgets_doubt, False, "whose claim is returned"),
        (mutants.forgets_flights, True, "not known to be in flight"),
        (mutants.forgets_to_erase, False, "was erased, and is there"),
    ],
)
def test_a_store_that_breaks_a_promise_is_found_out(wrap: Callable[[Any], Any], whole: bool, law: str) -> None:
    """One of a few years fails, says by which law, with the seed and how to replay it."""
    broken, seed = first_to_break(law, wrap=wrap, whole=whole)
    assert f"seed {seed}, tick" in broken
    assert f"replay: python -m adapters.sql.tests.model.simulation --seed {seed} --steps 3000" in broken


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (mutants.sends_unclaimed, "nobody had claimed"),
        (mutants.is_deaf, "was never told"),
        (mutants.loses_tags, "tagged here"),
    ],
)
def test_a_world_that_breaks_a_promise_is_found_out(change: mutants.Change, law: str) -> None:
    """So does one in which the ESP is called past the screen, or takes what it is told for nothing."""
    assert first_to_break(law, change=change)


def first_to_break(law: str, **how: Any) -> tuple[str, int]:
    """Live through up to ten years until one breaks a law; return what it says, and its seed."""
    for seed in range(1, 11):
        try:
            simulation.run(seed, 3_000, store="memory:", **how)
        except Broken as broken:
            if law in str(broken):
                return str(broken), seed
    pytest.fail(f"ten years went by, and this was not found out: {law}")
