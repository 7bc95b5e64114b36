"""Kill -9, over and over on the same file (F1-F4, F6, F7).

By a seed at statements, commits and calls to the ESP; by the clock at any instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import WAYS
from adapters.sql.tests.faults.killing import kill_over_and_over
from adapters.sql.tests.faults.nursery import Nursery
from adapters.sql.tests.faults.scenes import SCENES, Stage
from adapters.sql.tests.faults.seeds import dice, seeds
from adapters.sql.tests.faults.telling import Telling


def kill(fork: Nursery, folder: Path, way: str, seed: int, kills: int, *, by_clock: bool = False) -> None:
    """Kill the stories of a seed on files."""

    def new(what: str, seed: int) -> Telling:
        place = folder / f"{seed}-{what}"
        place.mkdir()
        story.write_files(place, seed)
        return Telling(fork, place, way, story.steps(seed))

    kill_over_and_over(new, folder / "aside", "kills", way, seed=seed, kills=kills, by_clock=by_clock)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_kills_at_any_place_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str, seed: int) -> None:
    """F1-F4, F6, F7: a stream of work killed 10 times on its files ends as the one that nobody killed.

    Every acknowledged no is in the log once after each kill, nobody gets a campaign twice or after their no, an import
    goes on, nobody comes back by it, and every no reaches the ESP.
    """
    kill(fork, folder, way, seed, kills=10)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(10, first=1001), ids="seed{}".format)
def test_a_thousand_kills_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str, seed: int) -> None:
    """F1-F4, F6, F7: as above, 1,000 times in all."""
    kill(fork, folder, way, seed, kills=50)


@pytest.mark.parametrize("way", WAYS)
def test_kills_by_the_clock_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str) -> None:
    """F1-F4, F6, F7: as above, at instants that fall between all places."""
    kill(fork, folder, way, 1, kills=5, by_clock=True)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_kills_by_the_clock_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str) -> None:
    """F1-F4, F6, F7: as above, 100 times in all."""
    kill(fork, folder, way, 2001, kills=50, by_clock=True)


ALONE = [(name, way) for name in SCENES for way in WAYS if name == "send" or way == "mails"]
A_FEW = 6
"""How many of the places of a step are tried in the default run."""


def kill_at(stage: Stage, folder: Path, name: str, way: str, places: Callable[[int], Iterable[int]]) -> None:
    """Kill a step at these of its ticks, do it again, and hold it against the step that nobody killed."""
    whole = stage.scene(name, way, folder / "whole")
    whole.finish()
    expected = whole.ending()
    for fuse in places(whole.ticks):
        killed = stage.scene(name, way, folder / "killed")
        assert not killed.hear(killed.start(fuse=fuse))
        assert expected == killed.finish_after_fault(folder / "aside"), f"killed at tick {fuse} of {whole.ticks}"
        assert name != "erase" or not killed.traces_of(story.address(SCENES["erase"].who))


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize(("name", "way"), ALONE)
def test_a_kill_at_a_statement_of_one_step_is_made_good_by_the_next_try(
    stage: Stage, folder: Path, name: str, way: str, seed: int
) -> None:
    """F1-F7: killed before a statement, a commit or a call to the ESP, or before the answer, a step is done once.

    F1: before the commit nothing is acknowledged. F2: after it the retry changes nothing. F3, F4: what the ESP is told
    around a kill is told again at most. F5: the tables are there, or none of them. F6: an import goes on. F7: nobody
    gets a campaign twice.
    """
    chance = dice("ticks", name, way, seed)
    kill_at(stage, folder, name, way, lambda ticks: sorted(chance.sample(range(1, ticks + 1), A_FEW)))


@pytest.mark.long
@pytest.mark.parametrize(("name", "way"), ALONE)
def test_a_kill_at_every_statement_of_one_step_is_made_good_by_the_next_try(
    stage: Stage, folder: Path, name: str, way: str
) -> None:
    """F1-F7: as above, at every place there is."""
    kill_at(stage, folder, name, way, lambda ticks: range(1, ticks + 1))
