"""A process that has imported everything, and forks one for each trial.

A trial is a real process with files, locks and a death of its own, and it starts within milliseconds. Run as a program
this module is the nursery: it takes orders as lines of JSON and forks. `Nursery` is the tests' end of it.

What a child prints goes to a file, so what it has said is known however it dies. It prints with one call of the system
for each line, `say`, and nothing is buffered.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

from attrs import define, field

ROOT = Path(__file__).parents[4]
PACKAGE = "adapters.sql.tests.faults"
PATIENCE = 120.0
"""Seconds after which a child that does not end fails the test."""
FAILED = 70
"""The exit status of a child whose job raised."""

_RAISED = re.compile(r"raised lifecycle_mail\.errors:(\w+)")
_DIE_WITH_PARENT = 1
_LET_TRACE = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)


def say(line: str) -> None:
    """Print a line at once, in one call of the system."""
    os.write(1, f"{line}\n".encode())


class Stuck(AssertionError):
    """A child did not end in time."""


@define
class Child:
    """A process that runs one job.

    Attributes:
        nursery: who forked it.
        pid: its number.
        out, err: what it prints.
        status: its exit status once it has ended; minus the signal where one killed it.
    """

    nursery: Nursery
    pid: int
    out: Path
    err: Path
    status: int | None = None
    _handle: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._handle = os.pidfd_open(self.pid)

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def kill(self) -> None:
        """Kill it as the system would, at once; it may have ended before."""
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait for its end and return the exit status.

        Raises:
            Stuck: it did not end; it is killed.
        """
        if self.status is None:
            stuck = not self.ends_within(patience)
            if stuck:
                self.kill()
            self.status = self.nursery.reap(self.pid)
            os.close(self._handle)
            if stuck:
                raise Stuck(f"no end after {patience} s; it said {self.said()[-3:]} {self.complaints()}")
        return self.status

    def said(self) -> list[str]:
        """Return the lines that it printed so far."""
        return self.out.read_text(encoding="utf-8").splitlines()

    def complaints(self) -> str:
        """Return what it printed as errors."""
        return self.err.read_text(encoding="utf-8")

    def raised(self) -> str | None:
        """Return the name of the error that it ended with, if it is one of ours."""
        last = self.complaints().splitlines()[-1:]
        found = _RAISED.fullmatch(last[0]) if last else None
        return found[1] if found else None

    def finish(self, patience: float = PATIENCE) -> list[str]:
        """Wait for its end, which must be a good one, and return what it said."""
        status = self.wait(patience)
        assert status == 0, f"status {status}: {self.complaints()}"
        return self.said()


class Nursery:
    """The tests' end of the process that forks.

    Args:
        folder: where children print.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)
        self._process = subprocess.Popen(  # noqa: S603 - this module
            [sys.executable, "-m", f"{PACKAGE}.nursery"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )  # fmt: skip

    def close(self) -> None:
        """End it; children that still run end with it."""
        with self._process:
            self._orders.close()

    @property
    def _orders(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _ask(self, **order: Any) -> int:
        assert self._process.stdout is not None
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        return int(self._process.stdout.readline())

    def start(self, job: str, *, gate: Path | None = None, **arguments: Any) -> Child:
        """Fork a child that runs a job.

        Args:
            job: `module:function`; the module is one of this folder.
            gate: a pipe that the child opens to read before it begins, if any.
            arguments: of the function, as JSON can hold them.
        """
        number = next(self._numbers)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        for path in (out, err):
            path.touch()
        pid = self._ask(
            job=job, arguments=arguments, out=str(out), err=str(err), gate=None if gate is None else str(gate)
        )
        return Child(self, pid, out, err)

    def run(self, job: str, **arguments: Any) -> list[str]:
        """Run a job to its end and return what it said."""
        return self.start(job, **arguments).finish()

    def reap(self, pid: int) -> int:
        """Return the exit status of a child that has ended."""
        return self._ask(reap=pid)


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """Give a nursery and end it."""
    opened = Nursery(folder)
    try:
        yield opened
    finally:
        opened.close()


# -- the program


def _job(name: str) -> Callable[..., None]:
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(f"{PACKAGE}.{module}"), function)
    assert callable(found)
    return found  # type: ignore[no-any-return]


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = FAILED
    try:
        libc = ctypes.CDLL(None)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        libc.prctl(_LET_TRACE, _ANYBODY)
        for target, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, order["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            opened = os.open(path, flags, 0o644)
            os.dup2(opened, target)
            os.close(opened)
        if order["gate"] is not None:
            with open(order["gate"], "rb") as gate:  # noqa: PTH123 - as plain as can be
                gate.read(1)
        _job(order["job"])(**order["arguments"])
        status = 0
    except BaseException as error:  # noqa: BLE001 - a child must not go on as the nursery
        kind = type(error)
        os.write(2, f"{traceback.format_exc()}\nraised {kind.__module__}:{kind.__name__}\n".encode())
    finally:
        os._exit(status)


def main() -> None:
    """Take orders until there are no more."""
    from adapters.sql.tests.faults import jobs

    jobs.warm_up()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, state = os.waitpid(order["reap"], 0)
            say(str(os.waitstatus_to_exitcode(state)))
        else:
            say(str(_fork(order)))


if __name__ == "__main__":
    main()
