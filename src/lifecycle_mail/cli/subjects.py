"""`lifecycle-mail subjects`: the subject lines that ship, and a check of one's own (S8)."""

from __future__ import annotations

import sys

import click

from lifecycle_mail.cli.options import format_of, guard, say
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.lint.subjects import MOST, check_subject
from lifecycle_mail.lint.words import URGENCY
from lifecycle_mail.mails.formats import locale_of
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.subjects import DEFAULTS, SUBJECTS, Style

_SHOWN = ("kind", "style", "key", "line")
_ALL = (*_SHOWN, "needs", "length", "emoji")


@click.group()
def subjects() -> None:
    """See the subject lines that ship, and check a line of your own.

    \b
    lifecycle-mail subjects list --kind last-chance
    lifecycle-mail subjects check "Shall we keep writing?" --kind last-chance
    """


@subjects.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in DEFAULTS]), help="Those of one kind of mail.")
@click.option("--style", type=click.Choice([style.value for style in Style]), help="Those of one style.")
@format_of(*Format)
@guard
def list_command(kind: str | None, style: str | None, form: Format) -> None:
    """List the subject lines that ship, by kind and style.

    \b
    lifecycle-mail subjects list
    lifecycle-mail subjects list --kind last-chance --style urgency

    They are shown in English, with names, days and numbers as an example; a line is used where all that it needs is
    known, and each ships in five languages. Mails of the programme choose among them; a mail of any other kind has its
    subject in its template.
    """
    rows = [
        {"kind": str(of), "style": str(line.style), "key": line.key, "line": line.example,
         "needs": ", ".join(sorted(line.needs)), "length": str(line.length), "emoji": line.emoji}
        for line in SUBJECTS
        for of in sorted(line.kinds)
        if kind in (None, of) and style in (None, line.style)
    ]  # fmt: skip
    print_rows(rows, _SHOWN if form is Format.TABLE else _ALL, title=f"{len(rows)} subject lines", form=form)


@subjects.command("check")
@click.argument("line", metavar="LINE")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), metavar="KIND",
              help="The mail that it stands above. Default: any marketing.")  # fmt: skip
@click.option("--locale", metavar="TAG", default="en", show_default=True, help="The language of the line.")
@click.option("--deadline", is_flag=True, help="The mail has a real deadline, so that the line may hurry.")
@click.option("--most", metavar="N", type=click.IntRange(min=1), default=MOST, show_default=True,
              help="Characters from which it is too long.")  # fmt: skip
@format_of(*Format)
@guard
def check_command(line: str, kind: str | None, locale: str, deadline: bool, most: int, form: Format) -> None:
    """Find what is wrong with the subject LINE.

    \b
    lifecycle-mail subjects check "Last chance: 20 % off!!"
    lifecycle-mail subjects check "Sinu tellimus lõpeb 31. märtsil" --kind plan-ending --locale et

    Give it as the recipient sees it: translated, and with everything filled in. KIND is one of those that
    `lifecycle-mail templates list` shows; those that reach people who opted out of marketing bear no promotion and no
    emoji. Put -- before a line that begins with a hyphen. Exits with 1 where anything is found.
    """
    if locale_of(locale) is None:
        raise click.BadParameter(f"{locale[:40]!r}: give a language tag such as et or pt-BR", param_hint="'--locale'")
    findings = check_subject(
        line, kind=None if kind is None else Kind(kind), locale=locale, deadline=deadline, most=most
    )
    if locale.replace("_", "-").partition("-")[0].casefold() not in URGENCY:
        say(f"of {locale} no words are known, only those of {', '.join(URGENCY)}: the rest of the line was judged")
    if not findings and form is Format.TABLE:
        say("nothing to mend")
        return
    rows = [{"rule": one.rule, "message": one.message, "fix": one.fix} for one in findings]
    print_rows(rows, ("rule", "message", "fix"), title=f"{len(rows)} to mend", form=form)
    sys.exit(1 if findings else 0)
