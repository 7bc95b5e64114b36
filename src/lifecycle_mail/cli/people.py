"""`lifecycle-mail picture`, `erase`, `archive` and `restore`: one person at a time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from lifecycle_mail.cli.known import iso, known_by_the_log, person_as_rows
from lifecycle_mail.cli.options import FILE, NEW_FILE, format_of, instant_option, say, why_option
from lifecycle_mail.cli.pictures import picture_as_json, picture_as_text
from lifecycle_mail.cli.printing import Format, print_json
from lifecycle_mail.cli.registry import require_apart_from_read, with_registry
from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem, UnknownName
from lifecycle_mail.model.addresses import mask
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import Maintained
from lifecycle_mail.service import Archived, Lifecycle

_yes = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.command()
@click.argument("who")
@instant_option("--now", "at", says="As of this instant. Default: now.")
@click.option("--value-field", metavar="NAME", help="The field that says what a contact is worth.")
@format_of(Format.TABLE, Format.JSON)
@with_registry(writes=False)
def picture(mail: Lifecycle, who: str, at: datetime | None, value_field: str | None, form: Format) -> None:
    """Show all that is known and decided about a contact.

    \b
    lifecycle-mail picture ada@example.com --db mail.db -c lifecycle.toml

    WHO is an address or a contact id. Of somebody who is no contact, what the log holds is shown: that they said no.
    """
    mail.value_field = value_field
    now = at or datetime.now(UTC)
    try:
        found = mail.picture(who, now=now)
    except UnknownName:
        person = known_by_the_log(mail, who, now=now)
        if person is None:
            raise
        _print_unknown(person, who, now, form)
        return
    if form is Format.JSON:
        print_json(picture_as_json(found))
    else:
        click.echo(picture_as_text(found))


def _print_unknown(person: Person, who: str, now: datetime, form: Format) -> None:
    """Show somebody who is no contact, and whom the log knows all the same."""
    rows = person_as_rows(person, now=now)
    if form is Format.JSON:
        print_json({"contact_id": None, "at": iso(now), "email": who, **rows})
        return
    click.echo(f"{who} at {iso(now)}: no contact")
    click.echo("opt-outs:" if rows["opt_outs"] else "opt-outs: none")
    for no in rows["opt_outs"]:
        click.echo(f"  {no['said_at']}: out of {no['scope']}, through {no['through']}")
    click.echo(f"suppressed: {', '.join(rows['suppressions']) or 'no'}")


@click.command()
@click.argument("who")
@_yes
@with_registry(writes=True, esp=True)
def erase(mail: Lifecycle, who: str, yes: bool) -> None:
    """Erase somebody for good.

    \b
    lifecycle-mail erase ada@example.com --esp mailchimp --db mail.db --pepper-file peppers

    WHO is an address or a contact id. Everything personal goes, wherever it was written. A keyed hash stays, made with
    the newest pepper, so that they are never mailed again. Shows what will go and asks, unless --yes; declined, it
    exits with 1. What backups and logs of the database keep is not reached.
    """
    now = datetime.now(UTC)
    click.echo("\n".join(_known_of(mail, who, now=now)))
    if not _agreed("Erase them for good?", yes=yes):
        click.echo("nothing was erased")
        sys.exit(1)
    done = mail.erase(who, by=Actor.OPERATOR, now=now)
    if not done.is_new:
        click.echo("they were erased before")
        return
    click.echo(f"erased: {done.addresses:,} addresses, and everything about them")
    for one in done.shared:
        click.echo(f"{one} stays: another contact uses it")
    click.echo(f"told: {', '.join(done.told)}" if done.told else "no ESP was told: remove what it holds there, too")
    if isinstance(mail.store, Maintained) and mail.store.scrub_due():
        click.echo("free space of the database may still hold what was erased: run `lifecycle-mail db scrub`")


def _known_of(mail: Lifecycle, who: str, *, now: datetime) -> Iterator[str]:
    """Yield what is known of somebody and would go."""
    try:
        found = mail.picture(who, now=now)
    except UnknownName:
        yield f"no contact goes by {mask(who)}: what the log holds under it will go"
        return
    contact = found.contact
    events = len(mail.store.events_of(contact.id))
    yield f"contact {contact.id}, {contact.email or 'without an address'}"
    yield f"  {len(contact.fields):,} fields, {len(contact.tags):,} tags, {events:,} events of engagement"
    yield f"  {len(found.lists):,} lists: " + ", ".join(f"{key} {how}" for key, how in found.lists.items())
    yield f"  {len(found.opt_outs):,} opt-outs, {len(found.mails):,} mails of campaigns"


@click.command()
@click.argument("who")
@click.option("--out", type=NEW_FILE, required=True, help="Where the document of the contact is written; a new file.")
@why_option
@_yes
@with_registry(writes=True)
def archive(mail: Lifecycle, who: str, out: Path, why: str, yes: bool) -> None:
    """Take a contact out of the active records.

    \b
    lifecycle-mail archive ada@example.com --out ada.json --why "left the club" --db mail.db

    WHO is an address or a contact id. They stay unmailed. Writes a document that `restore` brings back, before anything
    is removed; keep it where personal data may be kept. Shows what will go and asks, unless --yes; declined, it exits
    with 1.
    """
    now = datetime.now(UTC)
    require_apart_from_read(out)
    mail.contact(who)
    click.echo("\n".join(_known_of(mail, who, now=now)))
    if not _agreed("Archive them?", yes=yes):
        click.echo("nothing was archived")
        sys.exit(1)
    written: list[Archived] = []

    def keep(done: Archived) -> None:  # they are removed only where the document is safe
        if written:  # the store was busy, and all of it is done again
            out.unlink()
        _write_new(out, done.document)
        written.append(done)

    done = mail.archive(who, by=Actor.OPERATOR, now=now, text=why, keep=keep)
    click.echo(f"archived contact {done.contact_id}, who stays unmailed")
    say(f"wrote {out}")


@click.command()
@click.argument("file", type=FILE)
@why_option
@with_registry(writes=True)
def restore(mail: Lifecycle, file: Path, why: str) -> None:
    """Bring a contact back from the document in FILE.

    \b
    lifecycle-mail restore ada.json --why "joined again" --db mail.db

    What was imported about them meanwhile counts before the document. An opt-out that stood still stands.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        contact = mail.restore(document, by=Actor.OPERATOR, now=datetime.now(UTC), text=why)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else f"no JSON ({error})"
        fix = "give the file that `archive` wrote"
        raise InvalidDocument("archive", [Problem(str(file), reason, fix)]) from None
    click.echo(f"restored contact {contact.id}")


def _agreed(question: str, *, yes: bool) -> bool:
    """Ask; where nobody answers, they have not agreed."""
    if yes:
        return True
    try:
        return click.confirm(question)
    except click.Abort:
        click.echo()
        return False


def _write_new(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document to a new file that its owner alone may read, and see that it is on the disk.

    Raises:
        InvalidInput: there is such a file: perhaps the only copy of somebody.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput(f"{path}: there is such a file already, and it is kept: give another --out") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":  # the name of the file, too
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
