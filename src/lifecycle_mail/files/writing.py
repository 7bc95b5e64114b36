"""Writing files: whole or not at all, the same bytes every time, and safe to open in a spreadsheet.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, and
runs it on the machine of whoever opens the file (F56). What people typed into a form is such a cell sooner or
later.
"""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from lifecycle_mail.files.reading import Reject
from lifecycle_mail.model.contacts import FieldValue
from lifecycle_mail.model.instants import as_utc

# U+2212 is the minus sign of typesetters; the other variants turn into these under NFKC.
_DANGEROUS: Final = frozenset("=+-@\u2212")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def safe_cell(text: str) -> str:
    """Return the text with an apostrophe before it where a spreadsheet would take it for a formula (F56).

    Numbers stay as they are. `raw_cell` undoes it.
    """
    return f"'{text}" if _is_dangerous(text.lstrip("'")) else text


def raw_cell(text: str) -> str:
    """Take off the apostrophe that `safe_cell` put before a text."""
    return text[1:] if text.startswith("'") and _is_dangerous(text.lstrip("'")) else text


def _is_dangerous(text: str) -> bool:
    if not text or (text[0].isascii() and text[0].isalnum()):
        return False
    if _NUMBER.fullmatch(text):
        return False
    if text[0] in "\t\r\n":
        return True
    for character in text:
        # White space and what cannot be seen is skipped by programs, or lost on the way to them.
        if character.isspace() or unicodedata.category(character)[0] in "CZ":
            continue
        plain = unicodedata.normalize("NFKC", character)
        return not _DANGEROUS.isdisjoint((character, plain[:1]))
    return False


def _as_cell(value: FieldValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _iso(value)
    return repr(value)


def _iso(instant: datetime) -> str:
    return as_utc(instant).astimezone(UTC).isoformat().replace("+00:00", "Z")


@contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    """Open a file beside the path, to take its place once written: readers see the old one or the new."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        # Half a character that slipped in is written as an escape, rather than losing the file for it.
        with beside.open("x", encoding="utf-8", errors="backslashreplace", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


class _Lines:
    """Ends lines with `\\n`, while the writer, which quotes what ends its own lines, quotes `\\r` as well.

    An unquoted one would begin a new row in a spreadsheet, and its first cell could be a formula (F56).
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def write(self, line: str) -> int:
        return self._out.write(line.removesuffix("\r\n") + "\n")


@contextmanager
def csv_file(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[FieldValue | None]], object]]:
    """Open a table that is written with a call for each row, as `write_csv` writes it, and is there once all are.

    Raises:
        OSError: it cannot be written; the file is then as it was.
    """
    with _whole(path) as out:
        yield csv_on(out, header)


def csv_on(out: IO[str], header: Sequence[str]) -> Callable[[Sequence[FieldValue | None]], object]:
    """Write the header of a table where texts go, and return what writes a row, as `write_csv` does."""
    writer = csv.writer(_Lines(out), lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in header])
    return lambda row: writer.writerow([_as_cell(value) for value in row])


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[FieldValue | None]]) -> int:
    """Write a table: UTF-8, commas, `\\n`, texts made safe, instants in UTC, missing values empty.

    Returns:
        The number of rows.

    Raises:
        OSError: it cannot be written; the file is then as it was.
    """
    count = 0
    with csv_file(path, header) as write:
        for row in rows:
            write(row)
            count += 1
    return count


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> int:
    """Write one JSON object a line: UTF-8, keys as they come, instants in UTC.

    Returns:
        The number of rows.

    Raises:
        OSError: it cannot be written; the file is then as it was.
        ValueError: a value is NaN or infinite.
    """
    count = 0
    with _whole(path) as out:
        for row in rows:
            json.dump(row, out, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_json)
            out.write("\n")
            count += 1
    return count


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


DECISION_COLUMNS: Final = ("contact_id", "email", "tier", "action", "reason", "rule", "policy_version")
PLAN_COLUMNS: Final = ("contact_id", "email", "outcome", "reason", "rule", "leaves_list")
REJECT_COLUMNS: Final = ("file", "line", "refused", "reason", "fix", "row")

OWN: Final = frozenset({DECISION_COLUMNS, PLAN_COLUMNS, REJECT_COLUMNS})
"""The columns of what we write: such a file in a folder of exports is passed over when the folder is read."""


def _reject_cells(reject: Reject) -> Sequence[FieldValue | None]:
    refused = "row" if reject.whole else "cell"
    return reject.file, reject.line, refused, reject.reason, reject.fix, reject.row


@contextmanager
def rejects_file(path: Path) -> Iterator[Callable[[Reject], object]]:
    """Open a table of what is refused or set aside, written with a call for each; see `csv_file`."""
    with csv_file(path, REJECT_COLUMNS) as write:
        yield lambda reject: write(_reject_cells(reject))


def write_rejects(path: Path, rejects: Iterable[Reject]) -> int:
    """Write what was refused or set aside as a table, one a row.

    Returns:
        The number of rows.

    Raises:
        OSError: it cannot be written; the file is then as it was.
    """
    return write_csv(path, REJECT_COLUMNS, map(_reject_cells, rejects))
