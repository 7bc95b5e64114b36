"""`lifecycle-mail sync`, `reconcile`, `segments` and `esps`: keeping an ESP in line, and what it can do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from lifecycle_mail.cli.options import errors, format_option, guard, say
from lifecycle_mail.cli.printing import Format, print_rows, progress_on
from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.plugins import ESPS, load_capabilities, names
from lifecycle_mail.ports import Capability, ClaimState
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.syncing import Synced

_dry_run_option = click.option("--dry-run", is_flag=True, help="Only compare: nothing is told, heard or made.")


@click.command()
@_dry_run_option
@with_registry(writes=True, esp=True)
def sync(mail: Lifecycle, dry_run: bool) -> None:
    """Bring the ESP in line with the registry.

    \b
    lifecycle-mail sync --dry-run --config lifecycle.toml --db mail.db
    lifecycle-mail sync --config lifecycle.toml --db mail.db

    Noes go first, both ways; then contacts with their fields and topics: those alone who would look different. Only
    ever towards "do not mail". Cut off anywhere, start it again. Whatever stops it, and whom the ESP refuses, exits
    with 1.
    """
    _report(mail, dry_run=dry_run, consent_only=False)


@click.command()
@_dry_run_option
@with_registry(writes=True, esp=True)
def reconcile(mail: Lifecycle, dry_run: bool) -> None:
    """Compare who is out here with who is out at the ESP, and settle what is unknown.

    \b
    lifecycle-mail reconcile --config lifecycle.toml --db mail.db

    Who is out there is out here from now on; who is out here is told to the ESP, again where it would mail them all the
    same. No fields and no topics are told. Mails whose outcome is unknown are asked about, campaign by campaign.
    """
    _report(mail, dry_run=dry_run, consent_only=True)
    if dry_run:
        return
    now = datetime.now(UTC)
    for key in sorted(mail.programme.campaigns):
        claims = mail.store.claims(mail.programme.campaigns[key].key)
        if any(claim.state is ClaimState.UNKNOWN for claim in claims.values()):
            answers = mail.reconcile(key, now=now)
            click.echo(f"{key}: " + ", ".join(f"{many:,} {name}" for name, many in answers.items()))


def _report(mail: Lifecycle, *, dry_run: bool, consent_only: bool) -> None:
    if not mail.esp.capabilities:
        raise click.UsageError("say whom to sync with: --esp NAME, or [esp] in the configuration")
    with _bar(mail) as progress:
        done = mail.sync(now=datetime.now(UTC), dry_run=dry_run, consent_only=consent_only, progress=progress)
    if done is None:
        click.echo("another worker syncs")
        return
    _say(done)
    if done.problem is not None or done.refused:
        sys.exit(1)


@contextmanager
def _bar(mail: Lifecycle) -> Iterator[Callable[[int], object]]:
    with progress_on(errors) as progress:
        task = progress.add_task("contacts", total=mail.store.count())
        yield lambda done: progress.update(task, completed=done)


def _say(done: Synced) -> None:
    for heard in (done.swept, done.drained):
        if heard is not None:
            say(str(heard))
    click.echo(str(done))
    if done.dry_run:
        for one in done.examples:
            place = f" in {one.place}" if one.place else ""
            click.echo(f"  {one.contact_id} {one.address}{place}: {one.what}")
        more = done.new + done.changed + done.out - len(done.examples)
        if more > 0:
            click.echo(f"  and {more:,} more")
    for contact_id, error in list(done.refused.items())[:20]:
        say(f"{contact_id}: {error}")
    if done.refused:
        say("to try them again: lifecycle-mail outbox retry --all, then sync")


@click.group()
def segments() -> None:
    """Put segments at the ESP.

    \b
    lifecycle-mail segments publish spent-over-100 --config lifecycle.toml --db mail.db
    """


@segments.command()
@click.argument("key")
@click.option(
    "--native/--members",
    default=None,
    help="Insist on the ESP's own words, or on a list of members. Default: its words where they are exact.",
)
@with_registry(writes=False, esp=True)
def publish(mail: Lifecycle, key: str, native: bool | None) -> None:
    """Put the segment KEY at the ESP, and let it count back.

    \b
    lifecycle-mail segments publish spent-over-100 --config lifecycle.toml --db mail.db

    Says why it was put in the ESP's own words, or as a list of members. A count that is not ours exits with 1.
    """
    if not mail.esp.capabilities:
        raise click.UsageError("say where: --esp NAME, or [esp] in the configuration")
    done = mail.publish(key, now=datetime.now(UTC), native=native)
    click.echo(str(done))
    sys.exit(1 if done.agrees is False else 0)


@click.command()
@format_option
@guard
def esps(form: Format) -> None:
    """Show what each installed ESP can do.

    \b
    lifecycle-mail esps

    Full: it does. Versioned: on some plans, or with an add-on. Unsupported: it cannot. Not implemented: we do not yet.
    """
    found = {}
    for name in names(ESPS):
        try:
            found[name] = load_capabilities(name)
        except Misconfigured as error:  # one that is broken hides none of the others
            say(str(error))
    rows = [
        {"capability": one.value, **{name: str(can.abilities[one]) for name, can in found.items()}}
        for one in Capability
    ]
    print_rows(rows, ("capability", *found), title=f"{len(found)} installed", form=form)
