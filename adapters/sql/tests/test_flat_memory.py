"""However many there are, memory holds a page of them (F68)."""

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lifecycle_mail import Lifecycle
from lifecycle_mail.testing import frozen_now
from lifecycle_mail.testing.stores.answers import answer

FEW, MANY, CHUNK = 5_000, 15_000, 500
ROOM = 1.1
"""How much more three times as many may take, for whatever grows by the way: caches, and lists of free memory."""


def peak_of(work: Callable[[], object]) -> int:
    """Return how many bytes were held at most beyond those before."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def written(folder: Path, many: int) -> Path:
    """Return a file of that many opt-outs."""
    path = folder / f"{many}.csv"
    with path.open("w") as file:
        file.write("email\n")
        file.writelines(f"user{number:06}@example.com\n" for number in range(many))
    return path


def test_an_import_and_an_export_hold_a_page(tmp_path: Path) -> None:
    """F68: three times as many opt-outs take no more memory to read and to write."""
    read: list[int] = []
    wrote: list[int] = []
    for many in (CHUNK, FEW, MANY):  # the first warms up what is made once
        with Lifecycle("memory", f"sqlite:///{tmp_path}/{many}.db") as mail:
            path = written(tmp_path, many)
            read.append(peak_of(partial(mail.import_opt_outs, path, now=frozen_now, chunk=CHUNK)))
            wrote.append(peak_of(partial(mail.export_opt_outs, tmp_path / "out.csv")))
            assert many == mail.store.position()
            assert many == len((tmp_path / "out.csv").read_text().splitlines()) - 1
    assert read[2] < ROOM * read[1]
    assert wrote[2] < ROOM * wrote[1]


def test_counting_answers_holds_a_page(tmp_path: Path) -> None:
    """F68: half as many again take no more memory to count than two pages, and each of them is counted once."""
    counted: list[int] = []
    for many in (CHUNK, 2 * FEW, MANY):
        with Lifecycle("memory", f"sqlite:///{tmp_path}/{many}.db") as mail:
            for start in range(0, many, CHUNK):
                some = range(start, min(many, start + CHUNK))
                mail.store.put_answers([answer(f"c{number}", text="words " * 20) for number in some])
            counted.append(peak_of(mail.reasons))
            assert many == mail.reasons().total.answers
    assert counted[2] < ROOM * counted[1]
