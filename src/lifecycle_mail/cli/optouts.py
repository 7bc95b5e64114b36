"""`lifecycle-mail optouts`: adding opt-outs, and asking who left, why, and how many."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from lifecycle_mail.cli.known import iso, known_by_the_log, person_as_rows
from lifecycle_mail.cli.options import as_instant, format_option, instant_option, most_option, say
from lifecycle_mail.cli.printing import Format, print_json, print_rows
from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.files.exporting import address_of
from lifecycle_mail.measure.watch import WatchRow, WatchRules
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import OptOut, Record
from lifecycle_mail.model.lists import Channel, MailingList, Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.past import AsOf
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.standings import EntryStanding, Standings, Verdict

_REASONS = click.Choice([reason.value for reason in OptOutReason])
_CHANNELS = click.Choice([channel.value for channel in Channel])
_SHOWN = ("recorded_at", "who", "scope", "standing", "reason", "campaign")
_ALL = ("seq", "recorded_at", "said_at", "who", "scope", "standing", "through", "source", "reason", "campaign",
        "segment")  # fmt: skip


@click.group()
def optouts() -> None:
    """Add opt-outs, and ask who left, why, and how many.

    \b
    lifecycle-mail optouts add ada@example.com --list offers --db mail.db
    lifecycle-mail optouts list --since 2026-01-01 --db mail.db
    """


@optouts.command()
@click.argument("who")
@click.option("--list", "list_key", metavar="KEY", help="They leave this list, and no other.")
@click.option("--channel", type=_CHANNELS, help="They leave everything on this channel.")
@click.option("--all", "everything", is_flag=True, help="They leave all marketing.")
@click.option("--reason", type=_REASONS, help="Why, where they said.")
@click.option("--text", default="", help="What they said, in their words.")
@click.option("--evidence", default="", help="What shows it: a ticket, a letter.")
@click.option("--event-id", metavar="ID", help="The source's own id of it: told twice, it is one opt-out.")
@with_registry(writes=True)
def add(
    mail: Lifecycle, who: str, list_key: str | None, channel: str | None, everything: bool, reason: str | None,
    text: str, evidence: str, event_id: str | None,
) -> None:  # fmt: skip
    """Record that WHO (an address or a contact id) wants no more mail.

    \b
    lifecycle-mail optouts add ada@example.com --list offers --reason too-many --db mail.db

    Say how far it reaches: --list, --channel or --all. It holds at once, an unknown address is remembered too, and
    only the person can come back. Transactional mail is never covered.
    """
    if sum((list_key is not None, channel is not None, everything)) != 1:
        raise click.UsageError("say how far it reaches, with one of --list KEY, --channel NAME and --all")
    scope = Scope.all()
    if channel is not None:
        scope = Scope.channel(Channel(channel))
    elif list_key is not None:
        scope = Scope.list(list_key)
    try:
        said = mail.opt_out(
            who, now=datetime.now(UTC), scope=scope, through=Through.APPLICATION, actor=Actor.OPERATOR, reason=reason,
            text=text, evidence=evidence, event_id=event_id, source="command-line",
        )  # fmt: skip
    except UnknownName as error:
        raise InvalidInput(f"{error}; declare it in the configuration (-c), or record --all") from None
    at = said.opt_out.provenance.at
    click.echo(f"out of {said.opt_out.scope}" + ("" if said.is_new else f", as was said before, at {iso(at)}"))
    if said.in_flight:
        sent = ", ".join(sorted({claim.campaign for claim in said.in_flight}))
        click.echo(f"{len(said.in_flight):,} mails were handed off before, and cannot be held back: {sent}")


@optouts.command("list")
@click.option("--campaign", metavar="KEY", help="Those that this campaign led to.")
@click.option("--reason", type=_REASONS, help="Those that gave this reason.")
@click.option("--list", "list_key", metavar="KEY", help="Those that left this list alone.")
@instant_option("--since", says="Those recorded from this instant on.")
@instant_option("--until", says="Those recorded before this instant.")
@most_option
@format_option
@with_registry(writes=False)
def list_command(
    mail: Lifecycle, campaign: str | None, reason: str | None, list_key: str | None, since: datetime | None,
    until: datetime | None, most: int, form: Format,
) -> None:  # fmt: skip
    """Show who left, the latest last.

    \b
    lifecycle-mail optouts list --campaign spring-sale --db mail.db

    A report that only echoes an opt-out of ours is left out. The standing says whether it still binds: stands, or
    overridden by the person's own confirmation. To have them all, `optouts export`.
    """
    left = None if list_key is None else Scope.list(list_key)

    def wanted(record: Record) -> bool:
        entry = record.entry
        return (
            isinstance(entry, OptOut)
            and (campaign is None or entry.provenance.campaign == campaign)
            and (reason is None or entry.provenance.reason == reason)
            and (left is None or entry.scope == left)
            and (since is None or record.recorded_at >= since)
            and (until is None or record.recorded_at < until)
        )

    rows: deque[dict[str, Any]] = deque(maxlen=most or None)
    count = 0
    for record, verdict in _noes(mail, wanted):
        rows.append(_row(record, verdict))
        count += 1
    if form is Format.TABLE:
        shown = [
            row | {"recorded_at": row["recorded_at"][:16].replace("T", " "), "who": _cut(row["who"])} for row in rows
        ]
        print_rows(shown, _SHOWN, title=f"{count:,} opt-outs, in UTC", form=form)
    else:
        print_rows(list(rows), _ALL, title="", form=form)
    if count > len(rows):
        say(f"{count - len(rows):,} earlier ones are not shown: --most 0 shows all")


def _noes(mail: Lifecycle, wanted: Callable[[Record], bool]) -> Iterator[tuple[Record, Verdict]]:
    """Yield the opt-outs of the log that are wanted, and are no echo, with how they stand now."""
    position = mail.store.position()
    standings = Standings(Reader(mail.store, mail.match), until=position)
    for chunk in chunks(record for record in mail.store.records(until=position) if wanted(record)):
        for record, verdict in zip(chunk, standings.of(chunk), strict=True):
            if verdict.standing is not EntryStanding.ECHO:
                yield record, verdict


def _cut(who: str) -> str:
    return f"{who[:21]}…" if is_hashed(who) else who


def _row(record: Record, verdict: Verdict) -> dict[str, Any]:
    entry = record.entry
    assert isinstance(entry, OptOut)  # noqa: S101 - nothing else is wanted
    said, subject = entry.provenance, entry.subject
    return {
        "seq": record.seq,
        "recorded_at": iso(record.recorded_at),
        "said_at": iso(said.at) if entry.dated else "",
        "who": address_of(subject.key) or subject.contact_id,
        "scope": str(entry.scope),
        "standing": verdict.standing.value,
        "through": said.through.value,
        "source": said.source,
        "reason": said.reason or "",
        "campaign": said.campaign or "",
        "segment": said.segment or "",
    }


@optouts.command()
@instant_option("--since", says="Those recorded from this instant on.")
@instant_option("--until", says="As of this past instant.")
@format_option
@with_registry(writes=False)
def causes(mail: Lifecycle, since: datetime | None, until: datetime | None, form: Format) -> None:
    """Count opt-outs by campaign, segment and reason.

    \b
    lifecycle-mail optouts causes --db mail.db

    What is not known is counted as "(not known)"; one that came back as an echo counts once. Reasons are those that
    were said with the no; `lifecycle-mail reasons --question opt-out` counts what people answer to a goodbye.
    """
    found = mail.opt_out_causes(since=since, until=until)
    kinds = {
        "campaign": found.campaigns,
        "segment": found.segments,
        "reason": found.reasons,
        "through": found.through,
        "scope": found.scopes,
    }
    rows = [
        {"by": by, "name": name or "(not known)", "count": count}
        for by, counts in kinds.items()
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    print_rows(rows, ("by", "name", "count"), title=f"{found.total:,} opt-outs", form=form)


@optouts.command("as-of")
@click.argument("instant", callback=as_instant)
@click.option("--who", help="How this contact (an address or an id) stood, with every list.")
@format_option
@with_registry(writes=False)
def as_of(mail: Lifecycle, instant: datetime, who: str | None, form: Format) -> None:
    """Show the registry as it stood at a past INSTANT.

    \b
    lifecycle-mail optouts as-of 2026-01-31 --who ada@example.com --db mail.db

    What was recorded by then counts, whatever instant it was stamped with.
    """
    if instant > datetime.now(UTC):
        say(f"{iso(instant)} is still to come: this is the registry as it stands")
    then = mail.as_of(instant)
    if who is not None:
        _print_person(mail, then, who, form)
        return
    scopes = mail.opt_out_causes(until=instant).scopes
    rows = [{"scope": scope, "count": count} for scope, count in sorted(scopes.items())]
    title = f"at {iso(instant)}: {scopes.total():,} opt-outs, {then.position:,} records of the log"
    print_rows(rows, ("scope", "count"), title=title, form=form)


def _print_person(mail: Lifecycle, then: AsOf, who: str, form: Format) -> None:
    person = _person(mail, then, who)
    lists = mail.programme.lists
    rows = [{"list": key, "standing": str(_standing(person, key, then.instant, lists))}
            for key in sorted({*person.lists(), *map(ListKey, lists)})]  # fmt: skip
    rest = person_as_rows(person, now=then.instant)
    said, held = rest["opt_outs"], rest["suppressions"]
    if form is Format.JSON:
        print_json({"at": iso(then.instant), "position": then.position, "lists": rows, **rest})
        return
    title = f"at {iso(then.instant)}: {len(said):,} opt-outs, suppressed: {', '.join(held) or 'no'}"
    print_rows(rows, ("list", "standing"), title=title, form=form)
    if form is Format.TABLE and said:
        print_rows(said, ("said_at", "scope", "through"), title="every no, also one that was overridden", form=form)


def _person(mail: Lifecycle, then: AsOf, who: str) -> Person:
    """Read a contact, or somebody whom the log alone knows."""
    try:
        return then.person(who)
    except UnknownName:
        found = known_by_the_log(mail, who, now=datetime.now(UTC), until=then.position)
        if found is None:
            raise
        return found


def _standing(person: Person, key: ListKey, at: datetime, lists: Mapping[str, MailingList]) -> object:
    return person.standing(key, now=at, channel=lists.get(key, MailingList(key)).channel)


@optouts.command()
@instant_option("--since", says="From this UTC day on. Default: all that is known.")
@click.option("--threshold", metavar="SHARE", type=float, default=WatchRules().threshold, show_default=True,
              help="The share of the delivered above which a rate is an alert.")  # fmt: skip
@click.option("--least", metavar="N", type=int, default=WatchRules().least, show_default=True,
              help="The fewest mails delivered that tell.")  # fmt: skip
@format_option
@with_registry(writes=False, esp=True)
def watch(mail: Lifecycle, since: datetime | None, threshold: float, least: int, form: Format) -> None:
    """Compare opt-outs with mails delivered.

    \b
    lifecycle-mail optouts watch --since 2026-01-01 --db mail.db

    By campaign, list, segment and mailbox provider. A rate above the threshold is an alert: alerts exit with 1.
    """
    found = mail.opt_out_watch(now=datetime.now(UTC), since=since, rules=WatchRules(threshold=threshold, least=least))
    if form is Format.TABLE:
        click.echo(str(found))
    else:
        rows = [_watched(row) for row in (found.total, *found.rows)]
        print_rows(rows, ("by", "name", "delivered", "opt_outs", "rate", "threshold", "alert"), title="", form=form)
    sys.exit(1 if found.alerts else 0)


def _watched(row: WatchRow) -> dict[str, Any]:
    return {
        "by": row.dimension.value,
        "name": row.key,
        "delivered": row.delivered,
        "opt_outs": row.opt_outs,
        "rate": row.rate,
        "threshold": row.threshold,
        "alert": row.is_alert,
    }
