"""What commands print: tables for people, JSON and CSV for programs, always on standard output."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lifecycle_mail.files import safe_cell


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
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    else:
        console = Console()
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(_table(rows, columns))


def print_json(data: object) -> None:
    """Print JSON, readable."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _cell(value: object) -> object:
    return safe_cell(value) if isinstance(value, str) else value


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
