"""Following the system calls of a process with strace: counting them, failing them, writing them down.

Only calls on the registry's own files and their folder are looked at, from the moment at which the process begins its
job: it waits at a gate until strace has taken hold of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence

import pytest
from attrs import frozen

from adapters.sql.tests.faults.nursery import PATIENCE, Child
from adapters.sql.tests.faults.telling import Telling

_CALL = re.compile(r"^\d+ +(\w+)\(")
_FAILED = "INJECTED"


def require_strace() -> None:
    """Skip the test where processes cannot be traced."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here: apt-get install strace")
    done = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.decode().strip()}")


@frozen
class Fault:
    """What happens to a system call.

    Attributes:
        call: its name.
        number: the n-th one.
        what: as strace says it: `error=EIO`, `signal=SIGKILL`.
        ever_after: whether it happens to every later one too.
    """

    call: str
    number: int
    what: str
    ever_after: bool = False

    def __str__(self) -> str:
        return f"{self.call}:{self.what}:when={self.number}" + ("+" if self.ever_after else "")


def traced(
    telling: Telling,
    *faults: Fault,
    job: str = "jobs:play",
    options: Sequence[str] = (),
    journal_alone: bool = False,
    heard: bool = False,
    **arguments: object,
) -> tuple[Child, list[str]]:
    """Let a story go on under strace, and return who told it and the lines that strace wrote.

    Args:
        telling: the story.
        faults: what happens to its calls.
        job: what plays it.
        options: further ones of strace.
        journal_alone: whether only calls on the journal are looked at, not those on the database and the folder.
        heard: whether what the process says is looked at too.
        arguments: further ones of the job.
    """
    gate, out = telling.folder / "gate", telling.folder / "trace"
    os.mkfifo(gate)
    try:
        child = telling.start(job=job, gate=gate, **arguments)  # type: ignore[arg-type]  # of the job
        database, journal = telling.folder / "mail.db", telling.folder / "mail.db-journal"
        paths = [journal] if journal_alone else [database, journal, telling.folder]
        watched = [f"--trace-path={path}" for path in [*paths, *([child.out] if heard else [])]]
        injected = [f"--inject={fault}" for fault in faults]
        command = ["strace", "-f", f"-p{child.pid}", f"-o{out}", *watched, *injected, *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:  # noqa: S603
            assert strace.stderr is not None
            attached = strace.stderr.readline()
            gate.write_bytes(b"x")
            assert "attached" in attached, attached
            child.wait()
            strace.communicate(timeout=PATIENCE)
    finally:
        gate.unlink()
    lines = out.read_text(encoding="utf-8", errors="replace").splitlines()
    out.unlink()
    return child, lines


def calls(lines: Sequence[str]) -> Counter[str]:
    """Count the calls by name."""
    return Counter(found[1] for line in lines if (found := _CALL.match(line)))


def struck(lines: Sequence[str]) -> bool:
    """Whether a fault happened."""
    return any(_FAILED in line for line in lines)
