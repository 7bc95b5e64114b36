"""Telling a story while it is killed, over and over, on a file or on a server."""

import shutil
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from adapters.sql.tests.faults.seeds import dice, replay
from adapters.sql.tests.faults.telling import Telling

KILLS_A_STORY = 10
"""About how often one registry is killed before its story ends."""


def kill_over_and_over(
    new: Callable[[str, int], Telling], aside: Path, *names: str, seed: int, kills: int, by_clock: bool = False
) -> None:
    """Tell the story of a seed, kill it at random, and hold it against the story that nobody killed.

    A kill comes from inside at a statement, a commit or a call to the ESP, which is the same place each time; or by
    the clock from outside, at an instant that no seed repeats. Where a story ends before it was killed often enough,
    the one of the next number begins.

    Args:
        new: makes a story that was not begun, from what to call it and its seed.
        aside: where a registry is looked at without disturbing it.
        names: what the dice are named for, beside the seed.
        seed, kills, by_clock: which story, how often, and how.
    """
    done = 0
    for number in count():
        if done >= kills:
            return
        chance = dice(*names, seed, number)
        story = 1000 * seed + number  # no two seeds tell the same
        told = f"story {story}, " + ("killed by the clock" if by_clock else replay(seed))
        killed, whole = new("killed", story), new("whole", story)
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
            killed.check_log(aside)
        else:
            killed.finish()
        ended = killed.ending()
        assert whole.ending() == ended, told
        assert (0, 1) == (ended.due, max(ended.mails.values())), told
        shutil.rmtree(killed.folder)
