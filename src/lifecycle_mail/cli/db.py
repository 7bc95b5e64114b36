"""`lifecycle-mail db`: making, upgrading, verifying and counting a registry."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lifecycle_mail.cli.options import config_option, format_option, guard
from lifecycle_mail.cli.printing import Format, print_json, print_rows
from lifecycle_mail.cli.registry import NoEsp, database_option, peppers_option, store_for_upkeep
from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.files import Config
from lifecycle_mail.model.addresses import MatchRules
from lifecycle_mail.ports import Maintained, Store
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.matching import kept_rules


def _maintained(store: Store) -> Maintained:
    if not isinstance(store, Maintained):
        raise Misconfigured(f"{type(store).__name__} has no schema and no files to look after")
    return store


def _matching(store: Store) -> tuple[str | None, str]:
    """Return the version of a registry's match rules, and what they fold in words, also where opening refuses it."""
    try:
        rules = kept_rules(store)
    except Misconfigured:
        return None, "match rules that this version does not know"
    return (None, "no match rules yet") if rules is None else (rules.version, f"folds {rules.folds}")


@click.group()
def db() -> None:
    """Make, upgrade, verify and count a registry.

    \b
    lifecycle-mail db init --db mail.db
    lifecycle-mail db check --db postgresql://user@host/name
    """


@db.command()
@database_option
@peppers_option
@config_option
@click.option(
    "--match",
    type=click.Choice(["plus-tags", "gmail-dots"]),
    multiple=True,
    help="Let a no hold for ada+work@ as for ada@, or for a.da@gmail.com as for ada@gmail.com. May be given twice.",
)
@guard
def init(db: str | None, pepper_file: Path | None, config: Path | None, match: tuple[str, ...]) -> None:
    """Make a registry.

    \b
    lifecycle-mail db init --db mail.db -c lifecycle.toml

    The lists of the configuration are written to it, so that other commands know them. One that is there already stays
    as it is, and its lists are brought up to date. How addresses are matched is settled here for good: one that is
    there already keeps its rules, and is refused others.
    """
    lists = Config.read(config).programme.lists
    with store_for_upkeep(db, pepper_file, writes=True, make=True) as store:
        wanted = MatchRules(plus_tags="plus-tags" in match, gmail_dots="gmail-dots" in match)
        rules = Lifecycle(NoEsp(), store, match=wanted if match else None).match  # to open it is to settle them
        if lists:
            store.put_lists(list(lists.values()))
        found = _maintained(store).stats()
        known = len(store.lists())
    schema = found.get("schema", "unknown")
    click.echo(f"the registry is there: schema {schema}, folds {rules.folds}, {known:,} lists")


@db.command()
@database_option
@peppers_option
@guard
def upgrade(db: str | None, pepper_file: Path | None) -> None:
    """Bring the schema to what this version needs.

    \b
    lifecycle-mail db upgrade --db mail.db

    In one transaction: cut off anywhere, the old schema is there or the new one. Make a backup before.
    """
    with store_for_upkeep(db, pepper_file, writes=True) as store:
        before, after = _maintained(store).upgrade()
    click.echo(f"schema {after}: nothing to do" if before == after else f"schema {before} is now {after}")


@db.command()
@database_option
@peppers_option
@format_option
@click.option("--rebuild", is_flag=True, help="First make anew from the log what is kept beside it.")
@guard
def check(db: str | None, pepper_file: Path | None, form: Format, rebuild: bool) -> None:
    """Verify integrity, schema, checksums, and state against the log.

    \b
    lifecycle-mail db check --db mail.db

    Problems exit with 1, each with its place and what to do. What is kept beside the log for speed can be made anew
    from it with --rebuild; of what is damaged in the log itself, a backup is restored.
    """
    with store_for_upkeep(db, pepper_file, writes=rebuild) as store:
        kept = _maintained(store)
        if rebuild:
            kept.rebuild()
        found = kept.check()
    rows = [{"place": one.path, "problem": one.message, "fix": one.fix} for one in found.problems]
    counted = ", ".join(f"{count:,} {name}" for name, count in found.counted.items())
    if not rows and form is Format.TABLE:
        click.echo(f"no problems: {counted}")
        return
    print_rows(rows, ("place", "problem", "fix"), title=f"{len(rows)} problems: {counted}", form=form)
    sys.exit(1 if rows else 0)


@db.command()
@database_option
@peppers_option
@guard
def scrub(db: str | None, pepper_file: Path | None) -> None:
    """Write the tables anew, so that free space holds nothing of who was erased.

    \b
    lifecycle-mail db scrub --db mail.db

    A small file of SQLite is scrubbed by the erasure itself; `db stats` says whether it is due. It needs as much room
    again, and nobody can write meanwhile.
    """
    with store_for_upkeep(db, pepper_file, writes=True) as store:
        _maintained(store).scrub()
    click.echo("scrubbed: free space holds nothing of who was erased")


@db.command()
@database_option
@peppers_option
@format_option
@guard
def stats(db: str | None, pepper_file: Path | None, form: Format) -> None:
    """Count what a registry holds.

    \b
    lifecycle-mail db stats --db mail.db
    """
    with store_for_upkeep(db, pepper_file, writes=False) as store:
        found = _maintained(store).stats()
        version, folds = _matching(store)
    if form is Format.JSON:
        print_json({**found, "match_rules": version})
        return
    counts = {name: value for name, value in found.items() if isinstance(value, int) and name != "bytes"}
    size = f"{found['bytes']:,} bytes" if "bytes" in found else "the registry"
    rows = [{"what": name, "count": count} for name, count in counts.items()]
    title = f"{size}, schema {found.get('schema', 'unknown')}, {folds}"
    print_rows(rows, ("what", "count"), title=title, form=form)
