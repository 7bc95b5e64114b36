"""`lifecycle-mail sweep`: asking the ESP what its webhooks missed."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.service import Lifecycle


@click.command()
@with_registry(writes=True, esp=True)
def sweep(mail: Lifecycle) -> None:
    """Ask the ESP who left, bounced or complained, whatever its webhooks missed.

    \b
    lifecycle-mail sweep --esp mailchimp --db mail.db

    The first sweep of a registry takes everybody who is out there: do it after a backup was restored.
    """
    if not mail.esp.capabilities:
        raise click.UsageError("say whom to ask: --esp NAME")
    heard = mail.sweep(now=datetime.now(UTC))
    click.echo("another worker sweeps" if heard is None else str(heard))
