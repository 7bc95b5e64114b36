"""`lifecycle-mail outbox`: what the ESP must still be told, and telling it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

import click

from lifecycle_mail.cli.options import format_option, most_option, say
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.ports import Posted, TaskState
from lifecycle_mail.service import Lifecycle

_STATES = click.Choice([state.value for state in TaskState])


@click.group()
def outbox() -> None:
    """See what the ESP and the CRM must still be told, and tell the ESP.

    \b
    lifecycle-mail outbox list --db mail.db
    lifecycle-mail outbox drain --esp mailchimp --db mail.db
    """


@outbox.command("list")
@click.option("--target", metavar="NAME", help="Only what this one must be told, such as esp:mailchimp.")
@click.option("--state", "states", type=_STATES, multiple=True, help="Only tasks in this state. Default: due, refused.")
@most_option
@format_option
@with_registry(writes=False)
def list_command(mail: Lifecycle, target: str | None, states: Sequence[str], most: int, form: Format) -> None:
    """Show what is to be told, in the order in which it is done.

    \b
    lifecycle-mail outbox list --db mail.db

    What the log gained since the last drain is not among it yet.
    """
    wanted = [TaskState(state) for state in states] or [TaskState.DUE, TaskState.REFUSED]
    rows = [_row(posted) for posted in islice(mail.outbox(target=target, states=wanted), most or None)]
    counts: Counter[str] = Counter()
    for (whose, _, state), count in mail.store.waiting().items():
        if target in (None, whose):
            counts[state] += count
    title = ", ".join(f"{counts[state]:,} {state.value}" for state in TaskState)
    columns = ("task", "target", "kind", "state", "tries", "due_at", "contact")
    print_rows(rows, columns, title=title, form=form)
    more = sum(counts[state] for state in wanted) - len(rows)
    if more > 0:
        say(f"{more:,} more are not shown: --most 0 shows all")


def _row(posted: Posted) -> dict[str, object]:
    task = posted.task
    return {
        "task": task.id,
        "target": task.target,
        "kind": task.kind.value,
        "state": posted.state.value,
        "tries": posted.tries,
        "due_at": posted.due_at.isoformat(timespec="seconds"),
        "contact": task.contact_id or "",
    }


@outbox.command()
@click.option(
    "--most",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many tasks are done at most. Default: all that are due.",
)
@with_registry(writes=True, esp=True)
def drain(mail: Lifecycle, most: int | None) -> None:
    """Tell the ESP what it does not know yet.

    \b
    lifecycle-mail outbox drain --esp mailchimp --db mail.db

    Opt-outs go first. May be called as often as one likes, also after it was cut off: what was told is not told again.
    What the ESP refused, or what stopped it, exits with 1; what had nothing to tell any more is passed over.
    """
    if not mail.esp.capabilities:
        raise click.UsageError("say whom to tell: --esp NAME")
    done = mail.drain(now=datetime.now(UTC), most=most)
    click.echo(str(done))
    sys.exit(1 if done.refused or done.problems else 0)


@outbox.command()
@click.argument("task")
@format_option
@with_registry(writes=False)
def journal(mail: Lifecycle, task: str, form: Format) -> None:
    """Show every try of one TASK.

    \b
    lifecycle-mail outbox journal 9f2c01 --db mail.db
    """
    found = mail.store.attempts(EntryId(task))
    if not found:
        raise InvalidInput(f"task {task[:40]!r} was never tried, or is none: `outbox list` shows the tasks")
    rows = [{"at": one.at.isoformat(timespec="seconds"), "state": one.state.value, "note": one.note} for one in found]
    print_rows(rows, ("at", "state", "note"), title=f"{len(rows)} tries", form=form)


@outbox.command()
@click.argument("tasks", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that were refused.")
@with_registry(writes=True)
def retry(mail: Lifecycle, tasks: Sequence[str], everything: bool) -> None:
    """Let TASKS that were refused be tried again.

    \b
    lifecycle-mail outbox retry --all --db mail.db
    """
    if bool(tasks) == everything:
        raise click.UsageError("say which: the ids of tasks, or --all")
    ids = None if everything else [EntryId(task) for task in tasks]
    click.echo(f"{mail.retry_refused(ids, now=datetime.now(UTC)):,} tasks are due again")
