"""`lifecycle-mail optouts import` and `export`: opt-outs in files."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from lifecycle_mail.cli.options import FILE, NEW_FILE, errors, instant_option, say, strict_option
from lifecycle_mail.cli.printing import bar_of_rows, progress_on
from lifecycle_mail.cli.registry import require_apart_from_read, with_registry
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.service import Lifecycle


@click.command("import")
@click.argument("file", type=FILE)
@click.option("--rejects", type=NEW_FILE, help="Table of the rows that could not be taken. Default: none is written.")
@click.option("--scope", metavar="all|list:KEY|channel:NAME", default="all", show_default=True,
              help="How far the noes of a plain list reach.")  # fmt: skip
@click.option("--source", metavar="NAME", help="What a list is known by from week to week. Default: the file's name.")
@click.option("--encoding", metavar="NAME", help="The encoding, such as cp1252, of a file that is not UTF-8.")
@strict_option
@with_registry(writes=True)
def import_command(
    mail: Lifecycle, file: Path, rejects: Path | None, scope: str, source: str | None, encoding: str | None,
    strict: bool,
) -> None:  # fmt: skip
    """Take opt-outs from FILE: an export of ours, a list of addresses, or a list of keyed hashes.

    \b
    lifecycle-mail optouts import unsubscribed.csv --rejects rejects.csv --db mail.db

    Cut off anywhere, the same command goes on where it stopped. Nothing in a file brings anybody back.
    """
    if rejects is not None:
        require_apart_from_read(rejects, file)
    with bar_of_rows(file, errors) as progress:
        done = mail.import_opt_outs(
            file, now=datetime.now(UTC), source=source, scope=Scope.parse(scope), fallback=encoding, rejects=rejects,
            progress=progress,
        )  # fmt: skip
    if done.resumed_from:
        say(f"resumed at row {done.resumed_from + 1:,}")
    click.echo(str(done))
    if rejects is not None:
        say(f"wrote {rejects} ({done.rejected:,} rows were not taken)")
    elif done.rejected:
        say("to see the rows that were not taken, import again with --rejects FILE")
    if strict and done.rejected:
        sys.exit(1)


@click.command("export")
@click.argument("file", type=NEW_FILE)
@click.option("--hashed", metavar="PEPPER", help="Name people by keyed hashes alone, made with this pepper.")
@instant_option("--until", says="The registry as it stood at this instant.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="POSITION",
              help="Only what the log gained after this position: that of an earlier export.")  # fmt: skip
@with_registry(writes=False)
def export_command(mail: Lifecycle, file: Path, hashed: str | None, until: datetime | None, after: int) -> None:
    """Write every opt-out and suppression to FILE, as CSV that brings them back.

    \b
    lifecycle-mail optouts export optouts.csv --db mail.db

    FILE is written whole or not at all, and what a spreadsheet would take for a formula is made harmless.
    """
    require_apart_from_read(file)
    with progress_on(errors) as progress:
        task = progress.add_task(file.name, total=None)
        done = mail.export_opt_outs(
            file, hashed=hashed, after=after, until=until, progress=lambda rows: progress.update(task, completed=rows)
        )
    click.echo(f"{done.rows:,} rows, up to position {done.position:,} of the log")
    say(f"wrote {file}")
