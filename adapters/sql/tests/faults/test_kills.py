"""Kill -9 at any instant, over and over on the same file (F1-F4, F6, F7)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import WAYS
from adapters.sql.tests.faults.nursery import Nursery
from adapters.sql.tests.faults.scenes import SCENES, Stage
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.telling import Telling

KILLS_A_STORY = 10
"""About how often one file is killed before its story ends."""


def kill_over_and_over(fork: Nursery, folder: Path, way: str, seed: int, kills: int, *, by_clock: bool = False) -> None:
    """Tell the story of a seed, kill it at random, and hold it against the story that nobody killed.

    A kill comes from inside at a statement, a commit or a call to the ESP, which is the same place each time; or by
    the clock from outside, at an instant that no seed repeats. Where a story ends before it was killed often enough,
    the one of the next number begins.
    """
    told = "killed by the clock" if by_clock else replay(seed)
    done = 0
    for number in count():
        if done >= kills:
            return
        chance = dice("kills", way, seed, number)
        killed, whole = (_new(fork, folder / f"{number}-{what}", way, seed + number) for what in ("killed", "whole"))
        began = time.monotonic()
        whole.finish()
        seconds = time.monotonic() - began
        while done < kills:
            share = chance.uniform(0, 2 / KILLS_A_STORY)
            child = killed.start(fuse=None if by_clock else 1 + int(share * whole.ticks))
            if by_clock and not child.ends_within(share * seconds):
                child.kill()
            if killed.hear(child):
                break
            assert not child.complaints(), told
            done += 1
            killed.check_log(folder / "aside")
        else:
            killed.finish()
        ended = killed.ending()
        assert whole.ending() == ended, told
        assert (0, 1) == (ended.due, max(ended.mails.values())), told
        shutil.rmtree(killed.folder)


def _new(fork: Nursery, folder: Path, way: str, seed: int) -> Telling:
    folder.mkdir()
    story.write_files(folder, seed)
    return Telling(fork, folder, way, story.steps(seed))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_kills_at_any_instant_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str, seed: int) -> None:
    """F1-F4, F6, F7: a stream of work killed 10 times on its files ends as the one that nobody killed.

    Every acknowledged no is in the log once after each kill, nobody gets a campaign twice or after their no, an import
    goes on, nobody comes back by it, and every no reaches the ESP.
    """
    kill_over_and_over(fork, folder, way, seed, kills=10)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(10, first=1001), ids="seed{}".format)
def test_a_thousand_kills_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str, seed: int) -> None:
    """F1-F4, F6, F7: as above, 1,000 times in all."""
    kill_over_and_over(fork, folder, way, seed, kills=50)


@pytest.mark.parametrize("way", WAYS)
def test_kills_by_the_clock_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str) -> None:
    """F1-F4, F6, F7: as above, at instants that fall between all places."""
    kill_over_and_over(fork, folder, way, 1, kills=5, by_clock=True)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_kills_by_the_clock_lose_nothing_and_repeat_nothing(fork: Nursery, folder: Path, way: str) -> None:
    """F1-F4, F6, F7: as above, 100 times in all."""
    kill_over_and_over(fork, folder, way, 2001, kills=50, by_clock=True)


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
