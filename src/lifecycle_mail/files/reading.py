"""Reading files: what was said, what was refused, and how many rows of each.

Theory of operation
===================

A `Part` is one file: how to open it, and how to convert a row of it into statements. Converters know nothing
of files and counts. They return statements; they refuse a row by raising `InvalidInput` (`RowRefused` where
there is advice), and set a cell aside by calling `note`. `Reading` runs the parts one after the other and
keeps the books:

- every row is either accepted or rejected, and the two always add up to the rows;
- every rejected row, and every cell set aside, is a `Reject` with file, line, reason and advice;
- an accepted row that says nothing (a kind declared as `ignore`) is counted as ignored.

Nothing is dropped in silence. A reading may be iterated again: it then starts over, with empty books.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import define, field, frozen

from lifecycle_mail.errors import InvalidAddress, InvalidInput
from lifecycle_mail.files.tables import row_text
from lifecycle_mail.files.text import Fault, Rows, shown
from lifecycle_mail.model.intake import Statement

R = TypeVar("R")

Note = Callable[[str, str], None]
"""Called with reason and advice for something that is set aside while the row is taken."""

Convert = Callable[[int, R, Note], Sequence[Statement]]
"""Called with line, row and `note`; returns statements, or raises `InvalidInput` to refuse the row."""

OnProgress = Callable[[Path, int, int], None]
"""Called with path, bytes done and bytes in all, as they lie on the disk."""

_EVERY: Final = 4096


class RowRefused(InvalidInput):
    """A row that cannot be taken.

    Attributes:
        reason: what is wrong with it.
        fix: what to do about it.
    """

    def __init__(self, reason: str, fix: str = "") -> None:
        self.reason = reason
        self.fix = fix
        super().__init__(f"{reason} ({fix})" if fix else reason)


@frozen(kw_only=True)
class Reject:
    """A row that was refused, or a part of one that was set aside.

    Attributes:
        file: the path as it was given.
        line: the line on which the row begins, from 1.
        reason: what is wrong.
        fix: what to do about it, or empty.
        row: the row as text, cut to 500 characters.
        whole: True where the whole row was refused; False where the rest of it was taken.
    """

    file: str
    line: int
    reason: str
    fix: str = ""
    row: str = ""
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" + (f" ({self.fix})" if self.fix else "")


@define(kw_only=True)
class FileReport:
    """The books of one file.

    Attributes:
        file: the path as it was given.
        format: what it was read as.
        encoding: the encoding that it turned out to have.
        accepted: rows taken, wholly or but for cells set aside.
        rejected: rows refused.
        ignored: accepted rows that say nothing, because the mapping says so or the table only names things.
        statements: how many statements the rows gave.
    """

    file: str
    format: str
    encoding: str = ""
    accepted: int = 0
    rejected: int = 0
    ignored: int = 0
    statements: int = 0

    @property
    def rows(self) -> int:
        """All rows: the accepted and the rejected."""
        return self.accepted + self.rejected


@frozen(kw_only=True)
class Part(Generic[R]):
    """One file to read.

    Attributes:
        path: where it lies.
        format: what it is read as.
        open: opens it.
        start: returns a converter that has seen nothing yet.
        remark: something to say about the file as a whole, or None.
    """

    path: Path
    format: str
    open: Callable[[], Rows[R]]
    start: Callable[[], Convert[R]]
    remark: Fault | None = None


@define(eq=False)
class Reading:
    """The statements of files, in the order of files and rows.

    Attributes:
        parts: the files.
        on_progress: called now and then, and at the end of each file.
        rejects: what was refused or set aside so far.
        files: the books so far, by path.
    """

    parts: Sequence[Part[Any]]
    on_progress: OnProgress | None = field(default=None, kw_only=True)
    rejects: list[Reject] = field(factory=list, init=False)
    files: dict[str, FileReport] = field(factory=dict, init=False)

    def __iter__(self) -> Iterator[Statement]:
        return (statement for statement, _, _ in self.placed())

    def placed(self) -> Iterator[tuple[Statement, str, int]]:
        """Yield each statement with the file and the line that said it."""
        self.rejects = []
        self.files = {}
        for part in self.parts:
            yield from self._read(part)

    @property
    def rows(self) -> int:
        """All rows read so far."""
        return sum(report.rows for report in self.files.values())

    @property
    def accepted(self) -> int:
        """Rows taken so far."""
        return sum(report.accepted for report in self.files.values())

    @property
    def rejected(self) -> int:
        """Rows refused so far."""
        return sum(report.rejected for report in self.files.values())

    def _read(self, part: Part[Any]) -> Iterator[tuple[Statement, str, int]]:
        name = str(part.path)
        report = self.files[name] = FileReport(file=name, format=part.format)
        if part.remark is not None:
            self.rejects.append(Reject(file=name, line=1, reason=part.remark.reason, fix=part.remark.fix, whole=False))
        total = part.path.stat().st_size
        notes: list[tuple[str, str]] = []

        def note(reason: str, fix: str) -> None:
            notes.append((reason, fix))

        convert = part.start()
        with part.open() as rows:
            report.encoding = rows.encoding
            for line, row in rows:
                if self.on_progress is not None and report.rows % _EVERY == 0:
                    self.on_progress(part.path, rows.bytes_done, total)
                if row.__class__ is Fault:
                    self._reject(report, line, row, row.row)
                    continue
                try:
                    statements = convert(line, row, note)
                except InvalidInput as problem:
                    notes.clear()
                    self._reject(report, line, fault_of(problem), row_as_text(row))
                    continue
                report.accepted += 1
                if notes:
                    row_shown = row_as_text(row)
                    for reason, fix in notes:
                        self.rejects.append(
                            Reject(file=name, line=line, reason=reason, fix=fix, row=row_shown, whole=False)
                        )
                    notes.clear()
                elif not statements:
                    report.ignored += 1
                report.statements += len(statements)
                for statement in statements:
                    yield statement, name, line
        if self.on_progress is not None:
            self.on_progress(part.path, total, total)

    def _reject(self, report: FileReport, line: int, fault: Fault, row: str) -> None:
        report.rejected += 1
        self.rejects.append(Reject(file=report.file, line=line, reason=fault.reason, fix=fault.fix, row=row))


def fault_of(problem: InvalidInput) -> Fault:
    """Say why a row is refused, and what to do about it."""
    if isinstance(problem, RowRefused):
        return Fault(problem.reason, problem.fix)
    if isinstance(problem, InvalidAddress):
        return Fault(f"{problem.written!r} is no address that mail can be sent to: {problem.reason}", problem.fix)
    return Fault(str(problem))


def row_as_text(row: object) -> str:
    """Return a row as it is shown among the rejects."""
    if isinstance(row, list) and all(isinstance(cell, str) for cell in row):
        return row_text(row)
    return shown(json.dumps(row, ensure_ascii=False, default=str))
