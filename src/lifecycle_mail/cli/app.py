"""The commands.

Exit codes: 0 done; 1 done, and there is something to see to (findings of a check, or rejected rows with --strict);
2 wrong usage; 3 a file or a configuration cannot be used; 4 refused by a rule, or the registry cannot be read.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from lifecycle_mail.cli.aside import aside
from lifecycle_mail.cli.db import db
from lifecycle_mail.cli.demo import demo
from lifecycle_mail.cli.loading import Loaded, load
from lifecycle_mail.cli.mails import preview, render, templates
from lifecycle_mail.cli.moving import export_command, import_command
from lifecycle_mail.cli.options import (
    PATH,
    config_option,
    errors,
    format_of,
    format_option,
    guard,
    now_option,
    out_option,
    policy_option,
    say,
    strict_option,
)
from lifecycle_mail.cli.optouts import optouts
from lifecycle_mail.cli.outbox import outbox
from lifecycle_mail.cli.people import archive, erase, picture, restore
from lifecycle_mail.cli.printing import Format, print_json, print_rows
from lifecycle_mail.cli.reasons import reasons
from lifecycle_mail.cli.registry import DB, database_option, peppers_option, registry, require_apart_from_read
from lifecycle_mail.cli.screening import screen
from lifecycle_mail.cli.subjects import subjects
from lifecycle_mail.cli.sweeping import sweep
from lifecycle_mail.cli.syncing import esps, reconcile, segments, sync
from lifecycle_mail.files import (
    DECISION_COLUMNS,
    PLAN_COLUMNS,
    Config,
    read_policy,
    write_csv,
    write_jsonl,
    write_rejects,
)
from lifecycle_mail.lint import check_lists, propose, to_toml, usage_of
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES

F = TypeVar("F", bound=Callable[..., Any])

_files = click.argument("files", nargs=-1, required=True, type=PATH)
_files_or_db = click.argument("files", nargs=-1, type=PATH)


def _decides(command: F) -> F:
    """Give a command FILES or a registry to decide about, and call it with `loaded`."""

    @_files_or_db
    @database_option
    @peppers_option
    @config_option
    @policy_option
    @functools.wraps(command)
    @guard
    def run(
        *args: Any, files: Sequence[Path], db: str | None, pepper_file: Path | None, config: Path | None,
        policy: str | None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        source = click.get_current_context().get_parameter_source("db")
        if files and db is not None and source is not ParameterSource.ENVIRONMENT:
            raise click.UsageError("give FILES, or --db for a registry, and not both")
        if not files and db is None:
            raise click.UsageError(f"say what to decide about: FILES, or --db URL|PATH for a registry, or {DB}")
        found = Config.read(config, policy=policy)
        if files:
            return command(*args, loaded=load(files, found, console=errors), **kwargs)
        with registry(db, pepper_file, found.programme, writes=False) as mail:
            return command(*args, loaded=Loaded.registry(mail), **kwargs)

    return run  # type: ignore[return-value]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lifecycle-mail")
def app() -> None:
    """Decide, explain and enforce who may be e-mailed.

    Reads what your e-mail service provider exports (Mailchimp audience exports, SendGrid events and suppressions) and
    any CSV or JSON lines that a mapping describes; says for every contact how engaged they are and what to do next;
    plans a campaign and accounts for everybody in it. Keeps a registry of opt-outs in a file of SQLite or in Postgres.
    Nothing is ever sent by these commands.

    \b
    Start with:        lifecycle-mail demo
    Then, on a file:   lifecycle-mail decide subscribed_members_export.csv
                       lifecycle-mail plan newsletter *_export.csv -c lifecycle.toml
                       lifecycle-mail explain ada@example.com *_export.csv
    With a registry:   lifecycle-mail db init --db mail.db
                       lifecycle-mail optouts import unsubscribed.csv --db mail.db
                       lifecycle-mail screen addresses.csv --db mail.db
    Mails:             lifecycle-mail preview
                       lifecycle-mail render last-chance --locale et

    \b
    Exit codes: 0 done   1 done, but see the findings   2 wrong usage
                3 a file or the configuration cannot be used   4 refused by a rule, or the registry cannot be read
    """


@app.command()
@_decides
@now_option
@format_option
@out_option
@click.option("--jsonl", is_flag=True, help="Write decisions.jsonl instead of decisions.csv.")
@strict_option
def decide(loaded: Loaded, now: str | None, form: Format, out: Path, jsonl: bool, strict: bool) -> None:
    """Give every contact a tier and a next step, each with its reason.

    \b
    lifecycle-mail decide subscribed_members_export.csv --policy weekly
    lifecycle-mail decide --db mail.db -c lifecycle.toml

    Writes decisions.csv (contact_id, email, tier, action, reason, rule, policy_version) and rejects.csv (every row or
    cell that could not be used, with file, line, reason and fix), and prints how many contacts are in each tier.
    """
    _require_apart(loaded, out, written := "decisions.jsonl" if jsonl else "decisions.csv")
    decisions = loaded.decide(now)
    out.mkdir(parents=True, exist_ok=True)
    rows = (row.as_row() for row in decisions)
    if jsonl:
        write_jsonl(out / written, rows)
    else:
        write_csv(out / written, DECISION_COLUMNS, ([row[name] for name in DECISION_COLUMNS] for row in rows))
    counts = Counter((row.tier.outcome, row.action.outcome, row.tier.rule.name) for row in decisions)
    order = {name: place for place, name in enumerate(loaded.mail.programme.policy.tiers.outcomes())}
    summary = [
        {"tier": tier, "action": action, "rule": rule, "count": count}
        for (tier, action, rule), count in sorted(counts.items(), key=lambda item: (order[item[0][0]], item[0]))
    ]
    policy_name = f"{decisions.policy.name} {decisions.policy.version}"
    print_rows(
        summary,
        ("tier", "action", "rule", "count"),
        title=f"{len(decisions):,} contacts, policy {policy_name}",
        form=form,
    )
    _finish(loaded, out, written, strict)


@app.command()
@click.argument("campaign")
@_decides
@now_option
@format_option
@out_option
@strict_option
def plan(campaign: str, loaded: Loaded, now: str | None, form: Format, out: Path, strict: bool) -> None:
    """Say who would get CAMPAIGN, and who is withheld and why.

    \b
    lifecycle-mail plan newsletter *_export.csv -c lifecycle.toml
    lifecycle-mail plan newsletter --db mail.db -c lifecycle.toml

    CAMPAIGN is a key from the configuration. Who there is comes from FILES, or from a registry. Writes plan.csv
    (contact_id, email, outcome, reason, rule, leaves_list) and rejects.csv, and prints the sum:
    audience = sendable + withheld, by reason. Nothing is sent.
    """
    _require_apart(loaded, out, "plan.csv")
    made = loaded.mail.plan(campaign, now=loaded.single_instant(now))
    out.mkdir(parents=True, exist_ok=True)
    rows = (row.as_row() for row in made)
    write_csv(out / "plan.csv", PLAN_COLUMNS, ([row[name] for name in PLAN_COLUMNS] for row in rows))
    summary = [{"outcome": "sendable", "reason": "", "count": made.sendable}]
    summary += [{"outcome": "withheld", "reason": reason, "count": n} for reason, n in sorted(made.withheld.items())]
    print_rows(summary, ("outcome", "reason", "count"), title=f"{campaign}: {made}", form=form)
    _finish(loaded, out, "plan.csv", strict)


@app.command()
@click.argument("who")
@_decides
@click.option("--campaign", help="Explain whether they get this campaign, instead of tier and next step.")
@now_option
@format_of(Format.TABLE, Format.JSON)
def explain(who: str, loaded: Loaded, campaign: str | None, now: str | None, form: Format) -> None:
    """Say what is decided about WHO (an address or a contact id), by which rule, and what would flip it.

    \b
    lifecycle-mail explain ada@example.com *_export.csv
    lifecycle-mail explain ada@example.com --campaign newsletter --db mail.db -c lifecycle.toml
    """
    contact = loaded.mail.contact(who)
    at = loaded.instant_of(contact, now)
    decisions = loaded.mail.why(contact.id, now=at, campaign=campaign)
    if form is Format.JSON:
        found = [decision.to_dict() for decision in decisions]
        print_json({"contact_id": contact.id, "email": contact.email, "at": at.isoformat(), "decisions": found})
    else:
        click.echo(f"{contact.email or contact.id} at {at:%Y-%m-%d %H:%M} UTC\n")
        click.echo("\n".join(decision.explain() for decision in decisions))


@app.group()
def lists() -> None:
    """Look at mailing lists as their subscribers see them.

    \b
    lifecycle-mail lists check *_export.csv -c lifecycle.toml
    """


@lists.command("check")
@_files
@config_option
@format_option
@click.option("--most", default=8, show_default=True, help="How many lists a preference page may offer.")
@guard
def lists_check(files: Sequence[Path], config: Path | None, form: Format, most: int) -> None:
    """Find lists shaped by operations, not by topics, and propose topics and segments instead. Findings exit with 1.

    \b
    lifecycle-mail lists check *_export.csv -c lifecycle.toml
    """
    loaded = load(files, Config.read(config), console=errors)
    usage = usage_of(loaded.mail.programme, loaded.mail.people(), loaded.sent_by_list(), now=loaded.read_at)
    findings = check_lists(usage, most_lists=most)
    rows = [
        {"rule": found.rule, "lists": ", ".join(found.about), "message": found.message, "fix": found.fix}
        for found in findings
    ]
    if not rows and form is Format.TABLE:
        click.echo(f"{len(usage.lists)} lists, no findings")
        return
    print_rows(
        rows, ("rule", "lists", "message", "fix"), title=f"{len(rows)} findings in {len(usage.lists)} lists", form=form
    )
    if form is Format.TABLE and findings:
        click.echo("\nTopics and segments instead, to complete:\n\n" + to_toml(propose(usage)))
    sys.exit(1 if findings else 0)


@app.command()
@click.argument("name", metavar="CADENCE|FILE")
@click.option("--toml", is_flag=True, help="Print the resolved policy as TOML, to start one of your own from.")
@guard
def policy(name: str, toml: bool) -> None:
    """Print a policy: the table of tiers and the table of next steps.

    \b
    lifecycle-mail policy weekly
    lifecycle-mail policy weekly --toml > policy.toml
    """
    found = read_policy(name)
    click.echo(found.to_toml() if toml else f"{found.name}, version {found.version}\n\n{found.tiers}\n\n{found.sunset}")


@app.command()
@format_option
def facts(form: Format) -> None:
    """List the facts that predicates can be written over.

    \b
    lifecycle-mail facts
    """
    rows = [
        {"fact": f"{fact.name}({fact.takes})" if fact.takes else fact.name, "type": str(fact.type), "says": fact.doc}
        for fact in [*CATALOGUE.values(), *FAMILIES.values()]
    ]
    print_rows(rows, ("fact", "type", "says"), title=f"{len(rows)} facts", form=form)


def _require_apart(loaded: Loaded, out: Path, written: str) -> None:
    """Check that what is written takes the place of no file that was read."""
    read = [part.path for part in loaded.reading.parts]
    for name in (written, "rejects.csv"):
        require_apart_from_read(out / name, *read)


def _finish(loaded: Loaded, out: Path, written: str, strict: bool) -> None:
    """Write the rejects, and say on standard error what was read and written."""
    reading = loaded.reading
    if not reading.parts:  # a registry: it was never read from files
        say(f"wrote {out / written}")
        return
    rejects = write_rejects(out / "rejects.csv", loaded.rejects())
    say(f"read {reading.rows:,} rows: {reading.accepted:,} taken, {reading.rejected:,} rejected; {loaded.received}")
    say(f"wrote {out / written} and {out / 'rejects.csv'} ({rejects:,} rows)")
    if strict and rejects:
        sys.exit(1)


optouts.add_command(import_command)
optouts.add_command(export_command)
for _command in (
    demo, db, optouts, reasons, aside, screen, erase, archive, restore, outbox, sweep, picture, render, preview,
    subjects, templates, sync, reconcile, segments, esps,
):  # fmt: skip
    app.add_command(_command)
