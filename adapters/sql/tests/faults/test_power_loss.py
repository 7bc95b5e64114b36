"""Power loss: what was acknowledged is there, whatever the disk had not yet written (F8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from adapters.sql.tests.faults.disk_esp import WAYS
from adapters.sql.tests.faults.jobs import opened
from adapters.sql.tests.faults.power import OPTIONS, Create, Disk, Operation, Said, Sync, Unlink, operations
from adapters.sql.tests.faults.scenes import ALL, BEFORE, LIST, Stage
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.story import Step
from adapters.sql.tests.faults.telling import Telling
from adapters.sql.tests.faults.tracing import require_strace, traced
from lifecycle_mail.errors import RegistryUnavailable

FILES = ("mail.db", "mail.db-journal")
NOES = [Step("leave", "p01", LIST), Step("leave", "stranger07@example.com", ALL), Step("leave", "p03", ALL)]


@pytest.fixture(autouse=True, scope="module")
def _strace() -> None:
    require_strace()


def recorded(stage: Stage, folder: Path, *, job: str = "jobs:play") -> tuple[Telling, Disk, list[Operation]]:
    """Record three opt-outs; return the registry before them, the disk that it lies on, and what was called."""
    before = stage.before("mails").copied(folder / "before", *NOES)
    disk = Disk.holding(folder / "played", FILES)
    played = before.copied(folder / "played")
    disk = Disk.holding(played.folder, FILES)
    child, lines = traced(played, job=job, options=OPTIONS)
    assert played.hear(child), child.complaints()
    return before, disk, operations(lines)
