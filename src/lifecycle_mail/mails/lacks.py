"""What the law or its kind asks of a mail, and one of its two parts does not have.

It is looked for in what came out of the templates and not in what went in, because anybody may replace any template:
each point of C1, one primary call to action (S7), and in marketing mails the way out, the preferences and the postal
address, in both parts (O2, R8). The renderer makes no mail that lacks one; the lint of templates names each by rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from attrs import frozen
from markupsafe import escape

from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.specs import ProgrammeSpecification, Specification
from lifecycle_mail.mails.urls import Urls


@frozen(kw_only=True)
class Lack:
    """Something that one part of a mail does not have, and should.

    Attributes:
        rule: `missing-point` (C1), `two-primary-calls`, `no-primary-call` (S7), `missing-unsubscribe`,
            `missing-preferences` (O2), `missing-postal-address` (R8) or `empty-subject`.
        form: the part, `text` or `html`.
        what: the point, the number of calls, or what a template has to fill in.
    """

    rule: str
    form: str
    what: str


def lacks_of_kind(spec: Specification, form: str, *, points: Collection[str], primary: int) -> Iterator[Lack]:
    """Find what the kind of a mail asks for.

    Args:
        spec: what the mail says.
        form: the part.
        points: those that it makes.
        primary: how many primary calls to action it has.
    """
    for point in sorted(spec.row.points.keys() - set(points)):
        yield Lack(rule="missing-point", form=form, what=str(point))
    if primary > 1:
        yield Lack(rule="two-primary-calls", form=form, what=str(primary))
    elif spec.row.marketing and not primary:
        yield Lack(rule="no-primary-call", form=form, what="0")


def lacks_of_marketing(spec: Specification, form: str, said: str, *, brand: Brand, urls: Urls) -> Iterator[Lack]:
    """Find what the law asks for; nothing of a mail that is not marketing.

    Args:
        spec: what the mail says.
        form: the part.
        said: all of it.
        brand: who sends.
        urls: the links of the mail.
    """
    if not isinstance(spec, ProgrammeSpecification):
        return
    for name in ("unsubscribe", "preferences"):
        if getattr(urls, name) not in said:
            yield Lack(rule=f"missing-{name}", form=form, what=f"url.{name}")
    # Plain text is broken into lines, at any of its spaces.
    said = " ".join(said.split())
    lines = brand.postal_address if form == "text" else map(str, map(escape, brand.postal_address))
    if not all(" ".join(line.split()) in said for line in lines):
        yield Lack(rule="missing-postal-address", form=form, what="brand.postal_address")


def refusal(spec: Specification, lacks: Iterable[Lack]) -> str:
    """Say all that a mail lacks, and what to do about it."""
    by_form: dict[str, dict[str, list[str]]] = {}
    for lack in lacks:
        by_form.setdefault(lack.form, {}).setdefault(lack.rule, []).append(lack.what)
    said = []
    for form, found in by_form.items():
        if points := found.pop("missing-point", None):
            said.append(
                f"the {form} does not make the point {', '.join(points)} (C1): put it into "
                f'{{% call point("{points[0]}") %}}...{{% endcall %}} in the template'
            )
        if calls := found.pop("two-primary-calls", None) or found.pop("no-primary-call", None):
            most = "exactly one" if spec.row.marketing else "at most one"
            said.append(
                f"the {form} has {calls[0]} primary calls to action, and {most} is clear (S7): use part.button() once "
                f"and part.link() for the rest"
            )
        if found.pop("empty-subject", None):
            said.append("the subject is empty")
        if missing := [what for names in found.values() for what in names]:
            said.append(
                f"the {form} lacks {', '.join(missing)}, and a marketing mail goes with a way out, the preferences and "
                f"a postal address or not at all (O2, R8): call part.footer() in the template"
            )
    return f"{spec.kind}: {'; '.join(said)}"
