"""Runs the command line within the test's own process, as a shell would see it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from attrs import frozen

from lifecycle_mail.cli.app import app


@frozen
class Ran:
    """What a command left behind.

    Attributes:
        code: its exit code.
        out: what it printed.
        err: what it said on standard error.
    """

    code: int
    out: str
    err: str


def run(*arguments: object) -> Ran:
    """Run one command."""
    with _caught() as (out, err):
        code = 0
        try:
            app([str(argument) for argument in arguments], prog_name="lifecycle-mail")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return Ran(code, _text(out), _text(err))


def run_well(*arguments: object) -> Ran:
    """Run one command that must end with 0."""
    ran = run(*arguments)
    assert 0 == ran.code, ran.err
    return ran


@contextmanager
def _caught() -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        yield out, err


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a table that was written."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def header_of(path: Path) -> list[str]:
    """Read the names of a table's columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def written(path: Path, text: str) -> Path:
    """Write a file and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def sendable_in(path: Path) -> set[str]:
    """Return the addresses that a plan would mail; the plan accounts for everybody."""
    rows = rows_of(path)
    assert {"sendable", "withheld"} >= {row["outcome"] for row in rows}
    return {row["email"] for row in rows if row["outcome"] == "sendable"}
