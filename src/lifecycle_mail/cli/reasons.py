"""`lifecycle-mail reasons`: why people leave, as they say themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click

from lifecycle_mail.cli.options import format_option, instant_option
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.cli.registry import with_registry
from lifecycle_mail.measure.reasons import FLAG_ABOVE, LEAST, NONE_CHOSEN, By, ReasonReport
from lifecycle_mail.model.answers import Question
from lifecycle_mail.service import Lifecycle

_NUMBERS = ("reason", "count", "answers", "share", "low", "high", "flagged")


def _as_zone(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tzinfo:
    if value is None:
        return UTC
    try:
        return ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise click.BadParameter(f"{value[:40]!r}: give an IANA name such as Europe/Tallinn") from None


@click.command()
@click.option("--question", type=click.Choice([one.value for one in Question]), default=Question.CANCELLATION.value,
              show_default=True, help="Why a plan was cancelled, mail was not read, or a list was left.")  # fmt: skip
@click.option("--by", type=click.Choice([one.value for one in By]), default=By.REASON.value, show_default=True,
              help="By reason alone, by plan (or list), or by month.")  # fmt: skip
@instant_option("--since", says="Answers from this instant on. Default: all.")
@instant_option("--before", says="Answers before this instant.")
@click.option("--zone", metavar="NAME", callback=_as_zone, help="Whose months: an IANA name. Default: UTC.")
@click.option("--flag-above", metavar="SHARE", type=float, default=FLAG_ABOVE, show_default=True,
              help="The share of the answers above which a reason is flagged.")  # fmt: skip
@click.option("--least", metavar="N", type=int, default=LEAST, show_default=True, help="The fewest answers that tell.")
@format_option
@with_registry(writes=False)
def reasons(
    mail: Lifecycle, question: str, by: str, since: datetime | None, before: datetime | None, zone: tzinfo,
    flag_above: float, least: int, form: Format,
) -> None:  # fmt: skip
    """Count why people leave, as they say themselves.

    \b
    lifecycle-mail reasons --db mail.db
    lifecycle-mail reasons --by month --since 2026-01-01 --db mail.db

    An answer may name several reasons, and counts for each once; shares are of answers. A reason that more than half
    of them name is flagged, of all answers, of a plan or of a month: then it exits with 1.
    """
    found = mail.reasons(question=question, since=since, before=before, flag_above=flag_above, least=least, zone=zone)
    column = {By.REASON: "", By.PLAN: "plan" if found.question is Question.CANCELLATION else "list"}.get(By(by), by)
    rows = list(_rows(found, By(by), column))
    begin = (column,) if column else ()
    if form is Format.TABLE:
        shown = [_shown(found, row, column) for row in rows]
        title = f"{found.question}: {found.total.answers:,} answers; a reason is flagged above {100 * flag_above:g} %"
        sure = () if column else ("between",)  # of all answers; a table of plans has no room for it
        print_rows(shown, (*begin, "reason", "count", "share", *sure, "flag"), title=title, form=form)
    else:
        print_rows(rows, (*begin, *_NUMBERS), title="", form=form)
    sys.exit(1 if found.flagged else 0)


def _rows(found: ReasonReport, by: By, column: str) -> Iterator[dict[str, Any]]:
    for group in found.groups(by):
        for share in group.shares:
            yield ({column: group.key} if column else {}) | {"answers": group.answers, **share.to_dict()}


def _shown(found: ReasonReport, row: dict[str, Any], column: str) -> dict[str, Any]:
    """Return a row for people to read."""
    shown = {
        "reason": row["reason"] or NONE_CHOSEN,
        "count": row["count"],
        "share": f"{100 * row['share']:.1f} %",
        "between": f"{100 * row['low']:.1f}-{100 * row['high']:.1f} %",
        "flag": "yes" if row["flagged"] else "",
    }
    return shown | ({column: row[column] or found.nameless} if column else {})
