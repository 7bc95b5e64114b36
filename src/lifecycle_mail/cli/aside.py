"""`lifecycle-mail aside`: what a breaker kept out of the log, and a person's decision about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from lifecycle_mail.cli.known import iso
from lifecycle_mail.cli.options import format_option, why_option
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.files.exporting import address_of
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import SetAside
from lifecycle_mail.service import Lifecycle

F = TypeVar("F", bound=Callable[..., Any])


def _which(command: F) -> F:
    command = click.option("--all", "everything", is_flag=True, help="All that wait.")(command)
    return click.argument("entries", metavar="[ID]...", nargs=-1)(command)


def _ids(entries: Sequence[str], *, everything: bool) -> Sequence[str] | None:
    if bool(entries) == everything:
        raise click.UsageError("say which: ids, as `aside list` shows them, or --all")
    return None if everything else entries


@click.group()
def aside() -> None:
    """Decide about dead addresses and complaints that came in numbers nobody expected.

    \b
    lifecycle-mail aside list --db mail.db
    lifecycle-mail aside discard --all --why "the ESP was blocked" --db mail.db

    Too many at once are rather the sender's fault than that of so many addresses. They wait here, and suppress nobody,
    until somebody has looked.
    """


@aside.command("list")
@format_option
@with_registry(writes=False)
def list_command(mail: Lifecycle, form: Format) -> None:
    """Show what waits, the oldest first.

    \b
    lifecycle-mail aside list --db mail.db
    """
    rows = [_row(one) for one in mail.aside()]
    print_rows(rows, ("id", "at", "kind", "who", "source", "why"), title=f"{len(rows):,} wait", form=form)


def _row(one: SetAside) -> dict[str, Any]:
    entry = one.entry
    return {
        "id": entry.id,
        "at": iso(one.at),
        "kind": entry.kind.value,
        "who": address_of(entry.subject.key) or entry.subject.contact_id,
        "source": entry.provenance.source,
        "why": one.why,
    }


@aside.command()
@_which
@with_registry(writes=True)
def accept(mail: Lifecycle, entries: Sequence[str], everything: bool) -> None:
    """Take what waits for true: those addresses are mailed no more.

    \b
    lifecycle-mail aside accept 9f2c01 --db mail.db
    """
    count = mail.accept_aside(_ids(entries, everything=everything), now=datetime.now(UTC))
    click.echo(f"{count:,} suppressed")


@aside.command()
@_which
@why_option
@with_registry(writes=True)
def discard(mail: Lifecycle, entries: Sequence[str], everything: bool, why: str) -> None:
    """Let go of what waits, as somebody else's mistake: nobody is suppressed for it.

    \b
    lifecycle-mail aside discard --all --why "the ESP was blocked" --db mail.db
    """
    which = _ids(entries, everything=everything)
    count = mail.discard_aside(which, by=Actor.OPERATOR, now=datetime.now(UTC), text=why)
    click.echo(f"{count:,} let go")
