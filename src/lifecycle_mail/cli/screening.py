"""`lifecycle-mail screen`: what is held against each address of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from lifecycle_mail.cli.options import FILE, errors, format_option, out_option, say
from lifecycle_mail.cli.printing import Format, bar_of_rows, print_rows
from lifecycle_mail.cli.registry import require_apart_from_read, with_registry
from lifecycle_mail.errors import InvalidDocument, Problem
from lifecycle_mail.files.importing import ADDRESS, plain_name
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import Fault, Rows
from lifecycle_mail.files.writing import csv_file
from lifecycle_mail.service import Lifecycle

COLUMNS = ("address", "outcome", "held", "reason")
_EVERY = 5_000


@click.command()
@click.argument("file", type=FILE)
@click.option("--list", "list_key", metavar="KEY",
              help="The list that they would be mailed for. Default: marketing by e-mail as such.")  # fmt: skip
@click.option("--column", metavar="NAME", help="The column of addresses. Default: the one named like 'email'.")
@click.option("--encoding", metavar="NAME", help="The encoding, such as cp1252, of a file that is not UTF-8.")
@format_option
@out_option
@with_registry(writes=False)
def screen(
    mail: Lifecycle, file: Path, list_key: str | None, column: str | None, encoding: str | None, form: Format,
    out: Path,
) -> None:  # fmt: skip
    """Tell of each address in FILE whether anything is held against it.

    \b
    lifecycle-mail screen bought.csv --list offers --db mail.db

    FILE is a table with a column of addresses, or one address a line. Writes screened.csv (address, outcome, held,
    reason), a row for each, and prints how many are clear, held and invalid. That an address is clear is no consent:
    nothing is held against it, and nobody says that its owner agreed.
    """
    counts: Counter[tuple[str, str]] = Counter()
    require_apart_from_read(out / "screened.csv", file)
    out.mkdir(parents=True, exist_ok=True)
    with (
        open_table(file, fallback=encoding) as rows,
        bar_of_rows(file, errors) as progress,
        csv_file(out / "screened.csv", COLUMNS) as write,
    ):
        addresses = _addresses(file, rows, column)
        for done, verdict in enumerate(mail.screen_addresses(addresses, to=list_key, now=datetime.now(UTC)), start=1):
            outcome = "clear" if not verdict.held else "held" if verdict.address_ok else "invalid"
            write((verdict.text, outcome, verdict.held if outcome == "held" else "", verdict.reason))
            counts[outcome, verdict.held if outcome == "held" else ""] += 1
            if done % _EVERY == 0:
                progress(done)
    table = [{"outcome": outcome, "held": held, "count": count} for (outcome, held), count in sorted(counts.items())]
    print_rows(table, ("outcome", "held", "count"), title=f"{counts.total():,} addresses", form=form)
    say(f"wrote {out / 'screened.csv'}")


def _addresses(file: Path, rows: Rows[list[str]], column: str | None) -> Iterator[str]:
    """Yield the cell of each row that holds the address; a row that cannot be taken apart is its text, and invalid."""
    header = [name.strip() for name in rows.header]
    place = _place(header, column)
    if place is None and column is None and len(header) == 1 and "@" in header[0]:  # a list without a header
        yield header[0]
        place = 0
    if place is None:
        named = f"no column {column!r}" if column else "no column of addresses"
        has = f"it has {', '.join(header)[:200]}" if header else "it is empty"
        fix = "say which column holds the addresses: --column NAME"
        raise InvalidDocument("cannot read", [Problem(str(file), f"{named}: {has}", fix)])
    for _, row in rows:
        yield row.row if isinstance(row, Fault) else row[place].strip()


def _place(header: Sequence[str], column: str | None) -> int | None:
    if column is not None:
        return header.index(column) if column in header else None
    names = [plain_name(name) for name in header]
    return next((names.index(name) for name in ADDRESS if name in names), None)
