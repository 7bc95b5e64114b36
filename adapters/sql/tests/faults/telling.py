"""Telling a story to its end on one file, whatever happens to those who tell it, and comparing the end with another."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import Factory, define
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import DiskEsp
from adapters.sql.tests.faults.jobs import opened
from adapters.sql.tests.faults.nursery import FAILED, Child, Nursery
from adapters.sql.tests.faults.story import Ending, Step
from lifecycle_mail.model.names import EntryId

KILLED = -signal.SIGKILL


@define
class Telling:
    """A story on one file, which is broken off and begun again.

    Attributes:
        fork: starts processes.
        folder: where the file is, and that of the ESP.
        way: how the ESP sends.
        steps: the story.
        said: what all workers so far have said, without the ticks of the last line.
        ticks: how many ticks the last worker counted that came to the end.
        attempts: how often it was begun.
    """

    fork: Nursery
    folder: Path
    way: str
    steps: Sequence[Step]
    said: list[str] = Factory(list)
    ticks: int = 0
    attempts: int = 0

    def start(
        self, *, job: str = "jobs:play", fuse: int | None = None, gate: Path | None = None, **arguments: object
    ) -> Child:
        """Go on where the last worker stopped: with the step that it did not report as done."""
        done = [int(line.split()[2]) for line in self.said if line.startswith("DONE")]
        self.attempts += 1
        return self.fork.start(
            job, gate=gate, folder=str(self.folder), way=self.way, begin=max(done, default=-1) + 1,
            steps=[[step.kind, step.who, step.scope] for step in self.steps], attempt=self.attempts, fuse=fuse,
            **arguments,
        )  # fmt: skip

    def hear(self, child: Child) -> bool:
        """Take what a worker said, who came to the end, was killed, or raised; return whether it came to the end."""
        status = child.wait()
        assert status in (0, KILLED, FAILED), f"status {status}: {child.complaints()}"
        for line in child.said():
            if line.startswith("END"):
                self.ticks = int(line.split()[1])
            elif line.startswith(("ACK", "DONE")):
                self.said.append(line)
        return status == 0

    def finish(self) -> None:
        """Tell it to its end, undisturbed."""
        child = self.start()
        assert self.hear(child), child.complaints()

    def copied(self, folder: Path, *more: Step) -> Telling:
        """Return the same story as far as it has come, on a copy of its files, with more to come."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return Telling(
            self.fork, folder, self.way, [*self.steps, *more], said=[*self.said], attempts=self.attempts
        )  # fmt: skip

    @property
    def acknowledged(self) -> list[str]:
        """Return the entries of every no that was acknowledged so far."""
        return [line.split()[3] for line in self.said if line.startswith("ACK")]

    def check_log(self, aside: Path) -> None:
        """Check that every no that was acknowledged is in the log once, in a copy that may be written to."""
        expected = dict.fromkeys(self.acknowledged, 1)
        with opened(self.copied(aside).folder, self.way) as mail:
            held = Counter(record.entry.id for record in mail.store.records())
        assert expected == {one: held[EntryId(one)] for one in expected}

    def finish_after_fault(self, aside: Path) -> Ending:
        """Tell it to its end and return that. What a step that is told again had acknowledged is looked for first."""
        if self.said[-1:] and self.said[-1].startswith("ACK"):
            self.check_log(aside)
        self.finish()
        return self.ending()

    def ending(self) -> Ending:
        """Return how it ended; the registry has no problems, and nobody was mailed after a no."""
        with opened(self.folder, self.way) as mail:
            assert isinstance(mail.store, SqlStore)
            assert () == mail.store.check().problems
            assert isinstance(mail.esp, DiskEsp)
            world = mail.esp.world()
            assert not story.mailed_after_no(self.said, self.steps, world)
            return story.ending(mail, world, now=story.instant(len(self.steps), self.attempts))

    def traces_of(self, name: str) -> list[str]:
        """Return the files of the registry that still hold a name, once what is due to be scrubbed is scrubbed."""
        with opened(self.folder, self.way) as mail:
            assert isinstance(mail.store, SqlStore)
            if mail.store.scrub_due():
                mail.store.scrub()
        files = self.folder.glob("mail.db*")
        return sorted(path.name for path in files if name.encode() in path.read_bytes())
