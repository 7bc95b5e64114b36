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
from rich.console import Console
from rich.markup import escape

from lifecycle_mail.cli.demo import run_demo
from lifecycle_mail.cli.loading import SNAPSHOT, Loaded, load
from lifecycle_mail.cli.printing import Format, print_json, print_rows
from lifecycle_mail.errors import InvalidInput, LifecycleMailError
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
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES

F = TypeVar("F", bound=Callable[..., Any])
_errors = Console(stderr=True)


def _guard(command: F) -> F:
    """Turn our errors into messages and exit codes."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (InvalidInput, OSError) as error:
            _errors.print(f"[bold red]cannot go on:[/] {escape(str(error))}", soft_wrap=True)
            sys.exit(3)
        except LifecycleMailError as error:
            _errors.print(f"[bold red]refused:[/] {escape(str(error))}", soft_wrap=True)
            sys.exit(4)

    return run  # type: ignore[return-value]


_PATH = click.Path(exists=True, path_type=Path)
_files = click.argument("files", nargs=-1, required=True, type=_PATH)
_config = click.option(
    "-c", "--config", type=_PATH, help="TOML with lists, segments, campaigns, fields, policy, sources."
)
_policy = click.option("--policy", metavar="CADENCE|FILE", help="daily ... quarterly, or a policy's TOML file.")


def _check_instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and value != SNAPSHOT:
        try:
            parse_instant(value)
        except InvalidInput as error:
            raise click.BadParameter(str(error)) from None
    return value


_now = click.option(
    "--now",
    metavar="INSTANT",
    callback=_check_instant,
    help="Decide as of this instant (ISO 8601), or 'snapshot'. Default: now; for snapshots, theirs.",
)


def _as_format(_context: click.Context, _parameter: click.Parameter, value: str) -> Format:
    return Format(value)


def _format_of(*forms: Format) -> Callable[[F], F]:
    # By value: click would show and take the names of an enum's members.
    return click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in forms]),
        default=Format.TABLE.value,
        show_default=True,
        callback=_as_format,
        help="What is printed.",
    )


_format = _format_of(*Format)
_out = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the files written. Default: here.",
)
_strict = click.option("--strict", is_flag=True, help="Exit with 1 where any row was rejected.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lifecycle-mail")
def app() -> None:
    """Decide, explain and enforce who may be e-mailed.

    Reads what your e-mail service provider exports (Mailchimp audience exports, SendGrid events and suppressions) and
    any CSV or JSON lines that a mapping describes; says for every contact how engaged they are and what to do next;
    plans a campaign and accounts for everybody in it. Nothing is ever sent by these commands.

    \b
    Start with:        lifecycle-mail demo
    Then, on a file:   lifecycle-mail decide subscribed_members_export.csv
                       lifecycle-mail plan newsletter *_export.csv -c lifecycle.toml
                       lifecycle-mail explain ada@example.com *_export.csv

    \b
    Exit codes: 0 done   1 done, but see the findings   2 wrong usage
                3 a file or the configuration cannot be used   4 refused by a rule
    """


@app.command()
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the demo's files in this folder.")
@_guard
def demo(keep: Path | None) -> None:
    """Show the whole job on small made-up lists: decide, explain, plan, send, opt out, plan again."""
    run_demo(keep)


@app.command()
@_files
@_config
@_policy
@_now
@_format
@_out
@click.option("--jsonl", is_flag=True, help="Write decisions.jsonl instead of decisions.csv.")
@_strict
@_guard
def decide(
    files: Sequence[Path],
    config: Path | None,
    policy: str | None,
    now: str | None,
    form: Format,
    out: Path,
    jsonl: bool,
    strict: bool,
) -> None:
    """Give every contact in FILES a tier and a next step, each with its reason.

    Writes decisions.csv (contact_id, email, tier, action, reason, rule, policy_version) and rejects.csv (every row or
    cell that could not be used, with file, line, reason and fix), and prints how many contacts are in each tier.
    """
    loaded = load(files, Config.read(config, policy=policy), console=_errors)
    decisions = loaded.decide(now)
    out.mkdir(parents=True, exist_ok=True)
    rows = (row.as_row() for row in decisions)
    if jsonl:
        write_jsonl(out / "decisions.jsonl", rows)
    else:
        write_csv(out / "decisions.csv", DECISION_COLUMNS, ([row[name] for name in DECISION_COLUMNS] for row in rows))
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
    _finish(loaded, out, "decisions.jsonl" if jsonl else "decisions.csv", strict)


@app.command()
@click.argument("campaign")
@_files
@_config
@_policy
@_now
@_format
@_out
@_strict
@_guard
def plan(
    campaign: str,
    files: Sequence[Path],
    config: Path | None,
    policy: str | None,
    now: str | None,
    form: Format,
    out: Path,
    strict: bool,
) -> None:
    """Say who would get CAMPAIGN, and who is withheld and why.

    CAMPAIGN is a key from the configuration. Writes plan.csv (contact_id, email, outcome, reason, rule, leaves_list)
    and rejects.csv, and prints the sum: audience = sendable + withheld, by reason. Nothing is sent.
    """
    loaded = load(files, Config.read(config, policy=policy), console=_errors)
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
@_files
@click.option("--campaign", help="Explain whether they get this campaign, instead of tier and next step.")
@_config
@_policy
@_now
@_format_of(Format.TABLE, Format.JSON)
@_guard
def explain(
    who: str,
    files: Sequence[Path],
    campaign: str | None,
    config: Path | None,
    policy: str | None,
    now: str | None,
    form: Format,
) -> None:
    """Say what is decided about WHO (an address or a contact id), by which rule, and what would flip it."""
    loaded = load(files, Config.read(config, policy=policy), console=_errors)
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
    """Look at mailing lists as their subscribers see them."""


@lists.command("check")
@_files
@_config
@_format
@click.option("--most", default=8, show_default=True, help="How many lists a preference page may offer.")
@_guard
def lists_check(files: Sequence[Path], config: Path | None, form: Format, most: int) -> None:
    """Find lists shaped by operations, not by topics, and propose topics and segments instead. Findings exit with 1."""
    loaded = load(files, Config.read(config), console=_errors)
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
@_guard
def policy(name: str, toml: bool) -> None:
    """Print a policy: the table of tiers and the table of next steps."""
    found = read_policy(name)
    click.echo(found.to_toml() if toml else f"{found.name}, version {found.version}\n\n{found.tiers}\n\n{found.sunset}")


@app.command()
@_format
def facts(form: Format) -> None:
    """List the facts that predicates can be written over."""
    rows = [
        {"fact": f"{fact.name}({fact.takes})" if fact.takes else fact.name, "type": str(fact.type), "says": fact.doc}
        for fact in [*CATALOGUE.values(), *FAMILIES.values()]
    ]
    print_rows(rows, ("fact", "type", "says"), title=f"{len(rows)} facts", form=form)


def _finish(loaded: Loaded, out: Path, written: str, strict: bool) -> None:
    """Write the rejects and say on standard error what was read and written."""
    reading = loaded.reading
    rejects = write_rejects(out / "rejects.csv", loaded.rejects())
    counts = f"read {reading.rows:,} rows: {reading.accepted:,} taken, {reading.rejected:,} rejected"
    _errors.print(f"{counts}; {loaded.received}", soft_wrap=True, highlight=False)
    names = f"wrote {out / written} and {out / 'rejects.csv'} ({rejects:,} rows)"
    _errors.print(escape(names), soft_wrap=True, highlight=False)
    if strict and rejects:
        sys.exit(1)
