"""Faults at the n-th system call on the registry's files: errors, a full disk, kills (F1-F7, F9, F10, F12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.jobs import opened
from adapters.sql.tests.faults.nursery import Child
from adapters.sql.tests.faults.scenes import SCENES, Stage
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.story import Ending
from adapters.sql.tests.faults.telling import KILLED, Telling
from adapters.sql.tests.faults.tracing import Fault, calls, require_strace, struck, traced

EIO = "error=EIO"
FULL = "error=ENOSPC"
KILL_BEFORE = "error=EIO:signal=SIGKILL"
KILL_AFTER = "signal=SIGKILL"

WRITING = ("openat", "pwrite64", "fdatasync", "ftruncate")
REFUSALS = {"RegistryUnavailable", "RegistryBusy", "RegistryDamaged"}


@pytest.fixture(autouse=True, scope="module")
def _strace() -> None:
    require_strace()


def faults_of(counted: Counter[str], what: str) -> list[Fault]:
    """Return one fault for every call that was counted."""
    return [Fault(call, number, what) for call, many in sorted(counted.items()) for number in range(1, many + 1)]


def strike(telling: Telling, fault: Fault) -> bool:
    """Let a fault happen to a step; return whether it did.

    A process that was not killed says what is wrong in an error of ours, or did what was asked.
    """
    child, lines = traced(telling, fault)
    ended = telling.hear(child)
    if not ended and child.status != KILLED:
        assert child.raised() in REFUSALS, f"{fault}: {child.complaints()}"
    return struck(lines) or child.status == KILLED


def expected_of(stage: Stage, folder: Path, name: str, *, journal_alone: bool = False) -> tuple[Ending, Counter[str]]:
    """Play a scene undisturbed; return how it ends, and the calls that it makes."""
    whole = stage.scene(name, "mails", folder)
    child, lines = traced(whole, journal_alone=journal_alone)
    assert whole.hear(child), child.complaints()
    return whole.ending(), calls(lines)


def strike_each(stage: Stage, folder: Path, name: str, faults: Sequence[Fault], expected: Ending, said: str) -> None:
    """Let each of these faults happen to a scene of its own, and do the step again: it ends as it should."""
    missed = []
    for fault in faults:
        telling = stage.scene(name, "mails", folder / "struck")
        if not strike(telling, fault):
            missed.append(fault)
        assert expected == telling.finish_after_fault(folder / "aside"), f"{fault}; {said}"
    assert len(missed) <= len(faults) // 10, f"never happened: {[*map(str, missed)]}"


# -- errors and kills at every call

SHARE = {"opt-out": 20, "erase": 8, "send": 8, "create": 8}
"""How many of the calls of a step fail in the default run."""


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize("name", SHARE)
def test_an_error_of_the_disk_is_an_error_of_ours_and_no_acknowledgement(
    stage: Stage, folder: Path, name: str, seed: int
) -> None:
    """F5, F10, F12: where a call fails nothing is acknowledged that is not there, and the next try does it once."""
    expected, counted = expected_of(stage, folder / "whole", name)
    chosen = dice("errors", name, seed).sample(faults_of(counted, EIO), SHARE[name])
    strike_each(stage, folder, name, chosen, expected, replay(seed))


@pytest.mark.long
@pytest.mark.parametrize("name", SCENES)
def test_an_error_at_every_call_is_an_error_of_ours_and_no_acknowledgement(
    stage: Stage, folder: Path, name: str
) -> None:
    """F5, F10, F12: as above, at all calls of each thing that a registry does."""
    expected, counted = expected_of(stage, folder / "whole", name)
    strike_each(stage, folder, name, faults_of(counted, EIO), expected, "at every call")


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize("name", ["opt-out", "erase", "create"])
def test_a_kill_at_a_call_leaves_all_or_nothing(stage: Stage, folder: Path, name: str, seed: int) -> None:
    """F1, F2, F5, F10: killed before or after a call that writes, a step is done or not, and the next try does it."""
    expected, counted = expected_of(stage, folder / "whole", name)
    writes = Counter({call: many for call, many in counted.items() if call in WRITING})
    both = [*faults_of(writes, KILL_BEFORE), *faults_of(writes, KILL_AFTER)]
    strike_each(stage, folder, name, dice("kills", name, seed).sample(both, 8), expected, replay(seed))


@pytest.mark.long
@pytest.mark.parametrize("name", SCENES)
def test_a_kill_at_every_call_leaves_all_or_nothing(stage: Stage, folder: Path, name: str) -> None:
    """F1-F7, F10: as above, at all calls that write of each thing that a registry does."""
    expected, counted = expected_of(stage, folder / "whole", name)
    writes = Counter({call: many for call, many in counted.items() if call in WRITING})
    both = [*faults_of(writes, KILL_BEFORE), *faults_of(writes, KILL_AFTER)]
    strike_each(stage, folder, name, both, expected, "at every call")


# -- a full disk


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize("name", ["opt-out", "send"])
def test_a_full_disk_is_an_error_and_what_is_there_can_be_read(
    stage: Stage, folder: Path, name: str, seed: int
) -> None:
    """F9: from the n-th write to the journal on there is no room: nothing is acknowledged, and reads go on."""
    expected, counted = expected_of(stage, folder / "whole", name, journal_alone=True)
    before = stage.scene(name, "mails", folder / "before")
    standings = {one: standing.value for one, standing in before.ending().standings.items()}
    for number in [1, *dice("full", name, seed).sample(range(2, counted["pwrite64"] + 1), 4)]:
        telling = stage.scene(name, "mails", folder / "struck")
        child, ended = fill_disk(telling, number)
        assert not ended, child.said()
        assert "RegistryUnavailable" == child.raised(), child.complaints()
        read = dict(line.split()[1:] for line in child.said() if line.startswith("READ"))
        assert before.acknowledged == telling.acknowledged
        assert standings == read or name == "send"  # whose sweep may have been done before there was no room
        assert standings.keys() == read.keys()
        assert expected == telling.finish_after_fault(folder / "aside"), f"{number}; {replay(seed)}"


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_an_erasure_on_a_full_disk_is_done_or_not_done(stage: Stage, folder: Path, seed: int) -> None:
    """F9: where the erasure itself has no room it is not done; where the scrubbing after it has none, that is due."""
    expected, counted = expected_of(stage, folder / "whole", "erase", journal_alone=True)
    outcomes = set()
    for number in [1, counted["pwrite64"], *dice("full", seed).sample(range(2, counted["pwrite64"]), 4)]:
        telling = stage.scene("erase", "mails", folder / "struck")
        child, ended = fill_disk(telling, number)
        assert ended or child.raised() == "RegistryUnavailable", child.complaints()
        with opened(telling.folder, "mails") as mail:
            assert isinstance(mail.store, SqlStore)
            assert ended <= mail.store.scrub_due()
        outcomes.add(ended)
        assert expected == telling.finish_after_fault(folder / "aside"), f"{number}; {replay(seed)}"
        assert not telling.traces_of(story.address("p01"))
    assert {True, False} == outcomes


def fill_disk(telling: Telling, number: int) -> tuple[Child, bool]:
    """Let the disk be full from the n-th write to the journal on; return who told the story, and whether they ended."""
    full = Fault("pwrite64", number, FULL, ever_after=True)
    child, lines = traced(telling, full, job="jobs:play_and_read", journal_alone=True)
    ended = telling.hear(child)
    assert struck(lines)
    return child, ended


def test_no_room_for_the_file_itself_is_an_error(stage: Stage, folder: Path) -> None:
    """F9: where a write to the database or to its journal finds no room, nothing is acknowledged that is not there."""
    expected, counted = expected_of(stage, folder / "whole", "opt-out")
    some = dice("no room").sample(faults_of(Counter(pwrite64=counted["pwrite64"]), FULL), 6)
    strike_each(stage, folder, "opt-out", some, expected, "no room")


# -- a file that a dead process left in the middle of a commit


def left_in_a_commit(stage: Stage, folder: Path) -> Telling:
    """Return a registry whose journal has yet to be played back: its writer died before the opt-out was there."""
    telling = stage.scene("opt-out", "mails", folder)
    before = telling.acknowledged
    child, _ = traced(telling, Fault("ftruncate", 1, KILL_BEFORE))
    assert not telling.hear(child)
    assert (KILLED, before) == (child.status, telling.acknowledged)
    assert 0 < (folder / "mail.db-journal").stat().st_size
    return telling


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_an_error_while_a_broken_commit_is_undone_is_an_error_of_ours(stage: Stage, folder: Path, seed: int) -> None:
    """F1, F10: whoever opens a file that was left in the middle of a commit undoes it, or says that they cannot."""
    undo_each(stage, folder, lambda faults: dice("undone", seed).sample(faults, 10), replay(seed))


@pytest.mark.long
def test_an_error_at_every_call_that_undoes_a_broken_commit_is_an_error_of_ours(stage: Stage, folder: Path) -> None:
    """F1, F10: as above, at every call."""
    undo_each(stage, folder, lambda faults: faults, "at every call")


def undo_each(stage: Stage, folder: Path, choose: Callable[[list[Fault]], Sequence[Fault]], said: str) -> None:
    """Let faults happen to the next process that opens such a file; the one after it does what was asked."""
    left = left_in_a_commit(stage, folder / "left")
    whole = left.copied(folder / "whole")
    child, lines = traced(whole)
    assert whole.hear(child), child.complaints()
    expected = whole.ending()
    counted = calls(lines)
    for fault in choose([*faults_of(counted, EIO), *faults_of(counted, KILL_AFTER)]):
        telling = left.copied(folder / "struck")
        strike(telling, fault)
        assert expected == telling.finish_after_fault(folder / "aside"), f"{fault}; {said}"
