"""What commands print: tables for people, JSON and CSV for programs, always on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lifecycle_mail.files.writing import csv_on


class Format(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str, form: Format) -> None:
    """Print rows; in a table, a column of numbers is drawn with bars, since people would rather look than read."""
    if form is Format.JSON:
        print_json(list(rows))
    elif form is Format.CSV:
        write = csv_on(sys.stdout, columns)
        for row in rows:
            write([row[name] for name in columns])
    else:
        console = Console()
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(_table(rows, columns))


def print_json(data: object) -> None:
    """Print JSON, readable."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Show progress bars while work is done, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def bar_of_rows(path: Path, console: Console) -> Iterator[Callable[[int], None]]:
    """Show how many rows of a file are done; yields what is called with the number."""
    with progress_on(console) as progress:
        total = _lines_of(path) if console.is_terminal else None
        task = progress.add_task(path.name, total=total)
        yield lambda done: progress.update(task, completed=done)


def _lines_of(path: Path) -> int:
    """Count lines, which is about as many as there are rows; packed, it is a guess that is too small."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) or 1


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table()
    most = max((row["count"] for row in rows), default=0) if "count" in columns else 0
    for name in columns:
        number = name == "count"
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    if most:
        table.add_column("", no_wrap=True)
    for row in rows:
        cells = [f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in columns]
        bar = ["█" * max(1, round(12 * row["count"] / most)) if row["count"] else ""] if most else []
        table.add_row(*map(Text, [*cells, *bar]))  # as it is: [red] in a cell is no markup
    return table
