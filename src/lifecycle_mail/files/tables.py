"""Tables: rows of cells between delimiters.

Rows come with the number of the line on which they begin, however many line ends their quoted cells hold.
Quoting is read strictly: a quote that is never closed would otherwise swallow the rows after it. Where it
happens, its first line is refused and reading goes on with the second.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lifecycle_mail.errors import InvalidDocument, Problem
from lifecycle_mail.files.text import BROKEN, Fault, Rows, TextFile, broken, fault_in, shown, suspect

DELIMITERS: Final = (",", ";", "\t")


def open_table(path: Path, *, delimiter: str | None = None, fallback: str | None = None) -> Rows[list[str]]:
    """Open a file of delimited cells.

    Args:
        path: where it lies, plain or gzip.
        delimiter: what stands between cells; without it, the one of `, ; tab` that splits the first line
            most.
        fallback: see `TextFile`.

    Raises:
        OSError: the file cannot be opened.
        InvalidDocument: its header cannot be read.
    """
    text = TextFile(path, fallback=fallback)
    try:
        lines = text.lines()
        first = next((line for line in _numbered(lines) if line[1].strip()), None)
        if first is None:
            return Rows(text, (), iter(()))
        at, line = first
        parsed = _rows(text, lines, line, at, delimiter or _sniff(line))
        header_at, header = next(parsed)
        if isinstance(header, Fault):
            raise InvalidDocument(
                "cannot read", [Problem(f"{path}:{header_at}", f"the header: {header.reason}", header.fix)]
            )
        names = unique_names(header)
        return Rows(text, names, _even(parsed, len(names)))
    except BROKEN as error:
        text.close()
        raise InvalidDocument("cannot read", [Problem(f"{path}:1", broken(error).reason)]) from error
    except BaseException:
        text.close()
        raise


def unique_names(header: Sequence[str]) -> list[str]:
    """Keep columns of one name apart as `Name`, `Name (2)`, and give the nameless their place."""
    names: list[str] = []
    taken = {cell.strip() for cell in header}
    used: set[str] = set()
    for place, cell in enumerate(header, start=1):
        base = cell.strip() or f"column {place}"
        name, count = base, 1
        while name in used or (count > 1 and name in taken):
            count += 1
            name = f"{base} ({count})"
        used.add(name)
        names.append(name)
    return names


def _numbered(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    return enumerate(lines, start=1)


def _sniff(line: str) -> str:
    def cells(delimiter: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=delimiter)))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=cells)


def _rows(
    text: TextFile, lines: Iterator[str], first: str, at: int, delimiter: str
) -> Iterator[tuple[int, list[str] | Fault]]:
    waiting = deque([first])
    used: list[str] = []  # the lines of the current row
    faults: list[Fault] = []

    def feed() -> Iterator[str]:
        while True:
            try:
                line = waiting.popleft() if waiting else next(lines, None)
            except BROKEN as error:
                faults.append(broken(error))
                line = "\n"
            if line is None:
                return
            used.append(line)
            if suspect(line) and (fault := fault_in(line, text.encoding)) is not None:
                faults.append(fault)
            yield line

    while True:
        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if faults:
                    yield at, Fault(faults[0].reason, faults[0].fix, shown("".join(used)))
                    faults.clear()
                elif cells:
                    yield at, cells
                at += len(used)
                used.clear()
            return
        except csv.Error as error:
            fault = faults[0] if faults else _quoting(error)
            yield at, Fault(fault.reason, fault.fix, shown(used[0]))
            at += 1
            waiting.extendleft(reversed(used[1:]))
            used.clear()
            faults.clear()


def _quoting(error: csv.Error) -> Fault:
    if "field limit" in str(error):
        return Fault(f"a cell has more than {csv.field_size_limit():,} characters", "is a quote left open?")
    if "unexpected end" in str(error):
        return Fault("a quote is opened and never closed", 'close it, or write a quote within a cell twice: ""')
    return Fault(f"the quotes of the row do not add up ({error})", 'write a quote within a quoted cell twice: ""')


def _even(rows: Iterator[tuple[int, list[str] | Fault]], expected: int) -> Iterator[tuple[int, list[str] | Fault]]:
    for at, row in rows:
        if not isinstance(row, Fault) and len(row) != expected:
            fix = "quote cells that contain the delimiter, and give every row a cell for each column"
            yield at, Fault(f"{expected} cells expected, {len(row)} found", fix, row_text(row))
        else:
            yield at, row


def row_text(cells: Sequence[str]) -> str:
    """Cells as a line of CSV, to be shown."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return shown(out.getvalue())
