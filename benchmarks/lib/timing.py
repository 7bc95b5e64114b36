"""Timing: medians of repeats that take turns, so that a busy machine slows both sides of a ratio alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median


class Sample:
    """The measured seconds of one thing, one figure a repeat."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self.seconds = tuple(seconds)

    @property
    def median(self) -> float:
        """The figure in the middle."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """How far the slowest is from the fastest, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / self.median if self.median else 0.0

    def over(self, other: Sample) -> float:
        """Return how many times the other's seconds these are: the median of the turns, each held against its own.

        A machine that slows down for a while slows both sides of a turn; medians of their own may come from two times.
        """
        return median(ours / theirs for ours, theirs in zip(self.seconds, other.seconds, strict=True))

    def micros(self, calls: int = 1) -> str:
        """Write the median in microseconds a call, with the spread."""
        return f"{self.median / calls * 1e6:8.2f} us (spread {self.spread:4.0%})"


def take_turns(runs: Mapping[str, Callable[[], float]], *, repeats: int) -> dict[str, Sample]:
    """Let each run measure itself in turn, `repeats` times over.

    Args:
        runs: by name, what returns the seconds that it took.
        repeats: how often; the median of so many counts.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            found[name].append(run())
    return {name: Sample(seconds) for name, seconds in found.items()}


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Return a run that does the work once and returns the seconds of CPU it took.

    Of CPU and not of the clock on the wall: what is over in a millisecond would mostly measure the neighbours.
    """

    def run() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return run


def verdict(figure: float, bar: float, unit: str = "x") -> str:
    """Write a figure beside its bar."""
    return f"{figure:.2f}{unit} (bar {bar:g}{unit}: {'held' if figure <= bar else 'MISSED'})"
