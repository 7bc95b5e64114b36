"""What the tests of files share: an instant of receipt, and short ways to write a file and read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from lifecycle_mail.files import Reading, Source, read
from lifecycle_mail.model.intake import Statement

T = TypeVar("T")

RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_all(*paths: Path, **options: Any) -> tuple[list[Statement], Reading]:
    """Read files to the end; return the statements, and the reading with its books."""
    reading = read(paths, received_at=RECEIVED, **options)
    statements = list(reading)
    for report in reading.files.values():
        assert report.rows == report.accepted + report.rejected
        assert report.rejected == sum(1 for r in reading.rejects if r.whole and r.file == report.file)
    return statements, reading


def only(kind: type[T], statements: Sequence[object]) -> list[T]:
    """Return the statements of one kind."""
    return [statement for statement in statements if isinstance(statement, kind)]


def events_source(**more: Any) -> Source:
    """Return a source for tables of events with the columns id, at and kind."""
    from lifecycle_mail.files import Columns

    columns = more.pop("columns", Columns(contact_id="id", at="at", kind="kind"))
    return Source(files=("*",), format=more.pop("format", "events"), columns=columns, **more)
