"""Processes whose clock is wrong, and processes that lack a pepper (F62-F64)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import DiskEsp
from adapters.sql.tests.faults.jobs import opened
from adapters.sql.tests.faults.nursery import Nursery
from adapters.sql.tests.faults.scenes import ALL, LIST, SCENES, Stage
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.story import Step
from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.service import NeedsConfirmation
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant

TEN_YEARS = 3652.0
A_DAY_BACK = -1.0


# -- clocks


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize("ahead", [TEN_YEARS, A_DAY_BACK], ids=["ten-years-ahead", "a-day-back"])
@pytest.mark.parametrize("name", ["send", "sweep", "drain"])
def test_what_a_worker_with_a_wrong_clock_left_is_done_by_the_next(
    stage: Stage, folder: Path, name: str, ahead: float, seed: int
) -> None:
    """F64: killed with leases, claims and tasks in hand, it keeps nobody waiting, and nothing is done twice."""
    whole = stage.scene(name, "mails", folder / "whole")
    whole.finish()
    expected = whole.ending()
    for fuse in dice("clock", name, ahead, seed).sample(range(1, whole.ticks + 1), 2):
        killed = stage.scene(name, "mails", folder / "killed")
        assert not killed.hear(killed.start(fuse=fuse, ahead=ahead))
        assert expected == killed.finish_after_fault(folder / "aside"), f"tick {fuse}; {replay(seed)}"


@pytest.mark.parametrize("ahead", [TEN_YEARS, A_DAY_BACK], ids=["ten-years-ahead", "a-day-back"])
def test_a_no_by_a_wrong_clock_holds(stage: Stage, folder: Path, ahead: float) -> None:
    """F64: whatever the clock said when it was recorded, a no binds at once, and nobody is signed up over it."""
    telling = stage.before("mails").copied(folder / "registry", Step("leave", "p01", LIST), Step("leave", "p03", ALL))
    assert telling.hear(telling.start(ahead=ahead))
    with opened(telling.folder, "mails") as mail:
        for name in ("p01", "p03"):
            assert mail.standing(name, story.OFFERS, now=NOW) is not ListStanding.ACTIVE
            answer = mail.subscribe(name, story.OFFERS, proof="form 7", now=story.instant(99, 0))
            assert isinstance(answer, NeedsConfirmation)
        story.play(Step("join", "p98"), mail, folder, story.instant(98, 0))
        story.send(mail, story.CAMPAIGNS[0], now=story.instant(99, 0))
        assert isinstance(mail.esp, DiskEsp)
        assert ["p98"] == [one.contact for one in mail.esp.world().mails]  # p00 and p02 are out too


# -- peppers


@pytest.mark.parametrize("peppers", [{}, {"2025": "another secret"}, {"2026": "a newer one"}], ids=str)
def test_a_process_without_the_pepper_of_an_erasure_does_nothing(
    stage: Stage, folder: Path, peppers: dict[str, str]
) -> None:
    """F63: once anybody is erased, a registry is opened with that pepper or not at all."""
    telling = stage.before("mails").copied(folder / "registry", SCENES["erase"])
    telling.finish()
    with pytest.raises(Misconfigured), opened(telling.folder, "mails", peppers=peppers):
        pass


@pytest.mark.parametrize("doing", ["send", "leave", "import", "drain"])
def test_a_process_that_runs_without_the_pepper_stops_at_the_first_erasure(
    fork: Nursery, stage: Stage, folder: Path, doing: str
) -> None:
    """F63: it was opened before there was anything to know; from then on it reads, writes and sends nothing."""
    before = stage.before("mails").copied(folder / "registry")
    told = folder / "told"
    os.mkfifo(told)
    child = fork.start(
        "jobs:do_when_told", folder=str(before.folder), way="mails", doing=doing, peppers={}, told=str(told)
    )  # fmt: skip
    # The first waits until it is open and reads.
    with told.open("wb"), opened(before.folder, "mails") as mail:
        mail.erase("p01", by=Actor.CONTACT, now=NOW)
        position = mail.store.position()
    child.wait()
    assert (["OPEN"], "Misconfigured") == (child.said(), child.raised()), child.complaints()
    with opened(before.folder, "mails") as mail:
        assert isinstance(mail.esp, DiskEsp)
        assert ([], position) == (mail.esp.world().mails, mail.store.position())


def test_who_was_erased_stays_out_of_every_process(stage: Stage, folder: Path) -> None:
    """F62: imported again, and signed up again, by a process that began after the erasure."""
    telling = stage.before("mails").copied(folder / "registry", SCENES["erase"])
    telling.finish()
    again = telling.copied(folder / "again", Step("join", "p01"))
    child = again.start()
    assert not again.hear(child)
    assert "ConsentRefused" == child.raised()
    with opened(again.folder, "mails") as mail:
        assert not mail.store.get([ContactId("p01")])
    assert not again.traces_of(story.address("p01"))
