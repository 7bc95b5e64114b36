"""Power loss: what was acknowledged is there, whatever the disk had not yet written (F8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from attrs import define

from adapters.sql.tests.faults.jobs import open_store
from adapters.sql.tests.faults.power import OPTIONS, Disk, Operation, operations
from adapters.sql.tests.faults.scenes import ALL, LIST, SCENES, Stage
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.story import Step
from adapters.sql.tests.faults.tracing import require_strace, traced
from lifecycle_mail.errors import RegistryUnavailable

FILES = ("mail.db", "mail.db-journal")
NOES = (Step("leave", "p01", LIST), Step("leave", "stranger07@example.com", ALL))


@pytest.fixture(autouse=True, scope="module")
def _strace() -> None:
    require_strace()


@define
class Recorded:
    """What a program did to a disk.

    Attributes:
        before: the noes that were acknowledged before.
        disk: the disk as it was.
        operations: what was called.
    """

    before: Sequence[str]
    disk: Disk
    operations: Sequence[Operation]

    def cuts(self, seed: int, count: int) -> Iterator[tuple[str, Mapping[str, bytes], Sequence[str]]]:
        """Yield what the disk may hold after each call, and the noes that were acknowledged by then; each once."""
        seen = set()
        for place, one in enumerate(self.operations):
            self.disk.do(one)
            said = [line.split()[3] for line in self.disk.said if line.startswith("ACK")]
            for number, image in enumerate(self.disk.images(dice("power", seed, place), count)):
                what = (len(said), *sorted(image.items()))
                if what not in seen:
                    seen.add(what)
                    yield f"cut {place}, image {number}", image, [*self.before, *said]


def record(stage: Stage, folder: Path, *steps: Step, empty: bool = False, **settled: str) -> Recorded:
    """Record what steps do, perhaps on connections that are settled differently (`pragma`)."""
    telling = stage.before("mails", empty=empty).copied(folder, *steps)
    before, disk = telling.acknowledged, Disk.holding(folder, FILES)
    child, lines = traced(
        telling, job="jobs:play_with" if settled else "jobs:play", options=OPTIONS, heard=True, **settled,  # type: ignore[arg-type]  # of the job
    )  # fmt: skip
    assert telling.hear(child), child.complaints()
    return Recorded(before, disk, operations(lines))


def lost(image: Mapping[str, bytes], acknowledged: Sequence[str], folder: Path) -> str:
    """Open what a disk holds; return what is wrong with it, or nothing."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    for name, content in image.items():
        (folder / name).write_bytes(content)
    try:
        store = open_store(f"{folder}/mail.db")
    except RegistryUnavailable as error:
        return str(error)
    try:
        held = {record.entry.id for record in store.records()}
    finally:
        store.close()
    return ", ".join(sorted(set(acknowledged) - held))


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_power_loss_at_any_call_keeps_what_was_acknowledged(stage: Stage, folder: Path, seed: int) -> None:
    """F8: cut the power after any call of an opt-out, and keep any part of what was not synced: nothing is lost."""
    cuts = 0
    for where, image, acknowledged in record(stage, folder, NOES[0]).cuts(seed, 1):
        cuts += 1
        assert "" == lost(image, acknowledged, folder), f"{where}; {replay(seed)}"
    assert 30 < cuts


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(3), ids="seed{}".format)
def test_power_loss_in_one_no_after_the_other_keeps_both(stage: Stage, folder: Path, seed: int) -> None:
    """F8: as above, for two opt-outs, with many combinations of what was not synced."""
    for where, image, acknowledged in record(stage, folder, *NOES).cuts(seed, 20):
        assert "" == lost(image, acknowledged, folder), f"{where}; {replay(seed)}"


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(3), ids="seed{}".format)
@pytest.mark.parametrize("name", SCENES)
def test_power_loss_in_anything_keeps_what_was_acknowledged(stage: Stage, folder: Path, name: str, seed: int) -> None:
    """F5, F8: as above, for each thing that a registry does and the making of its tables, with many combinations."""
    for where, image, acknowledged in record(stage, folder, SCENES[name], empty=name == "create").cuts(seed, 10):
        assert "" == lost(image, acknowledged, folder), f"{where}; {replay(seed)}"


@pytest.mark.parametrize("pragma", ["journal_mode=delete", "synchronous=NORMAL", "synchronous=OFF"])
def test_the_same_power_loss_bites_where_less_is_synced(stage: Stage, folder: Path, pragma: str) -> None:
    """F8: with the journal deleted, or with fewer syncs, an acknowledged opt-out can be lost.

    SQLite's own default ends a commit by deleting the journal, and does not sync the folder: the journal may come back
    with the power, and undoes the commit. That is why `opening` has it truncated, which is synced.
    """
    cuts = list(record(stage, folder, NOES[0], pragma=pragma).cuts(1, 1))
    at_the_end = [(image, acknowledged) for _, image, acknowledged in cuts if acknowledged == cuts[-1][2]]
    assert any(lost(image, acknowledged, folder) for image, acknowledged in at_the_end)
