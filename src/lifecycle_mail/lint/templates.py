"""Checks somebody's own templates, by what comes out of them (C1, C5, C6, O2, R8, R15, S7, S8).

Theory of operation. Each mail whose template was replaced is rendered twice from the samples, once with much to say and
once with only what it has to say; where a layout was replaced, that is every mail. What comes out is read as a mailbox
reads it. All findings are made at once: a template that is broken stops no other, and what the renderer would refuse
is among them. A template that does not come to an end is stopped by the sandbox and found to be broken.

Who is to blame. An error names its template and line. Anything else is looked for in the sources, as it is written
there. Where nothing of it stands in any, the mail's own template is to blame if the same comes out with the layouts
that ship, and otherwise the layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import define, evolve, field
from jinja2 import TemplateSyntaxError, nodes

from lifecycle_mail.errors import InvalidTemplate, LifecycleMailError, UnknownName
from lifecycle_mail.lint import subjects
from lifecycle_mail.lint.findings import Finding
from lifecycle_mail.lint.rendered import Problem, problems_of, problems_of_lacks
from lifecycle_mail.lint.translations import check_translations
from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.catalogues import Catalogue
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import LAYOUTS, NAMES, Templates, shipped_source
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import NOW, bare, sample_reader, samples
from lifecycle_mail.mails.sandbox import MailEnvironment
from lifecycle_mail.mails.signing import SigningKey
from lifecycle_mail.mails.specs import Specification

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown-name": "a template of a name that nothing goes by is never used",
        "unknown-block": "a block that no template below has is never shown",
        "unknown-sentence": "a translation of what no template says is never used (C5)",
        "broken": "no mail comes out of it",
        "missing-point": "a cancellation mail says what its kind promises (C1)",
        "empty-point": "what is marked and not said is not said (C1)",
        "unstated-cancellation": "a notice says what was cancelled, and when (R15)",
        "two-primary-calls": "who is asked for two things does neither (S7)",
        "no-primary-call": "a mail that asks for nothing gets no answer (S7)",
        "primary-call-without-link": "what cannot be followed is no call to action (S7)",
        "missing-unsubscribe": "marketing without a way out is against the law, and is not sent (O2)",
        "hidden-unsubscribe": "a way out that nobody sees is none (O2)",
        "missing-preferences": "who cannot choose less leaves everything (O2)",
        "hidden-preferences": "a choice that nobody sees is none (O2)",
        "missing-postal-address": "marketing says by law where the sender is (R8)",
        "hidden-postal-address": "an address that nobody sees is none (R8)",
        "misplaced-mark": "what is judged has to be what is sent",
        "guilt": "nobody should feel bad for leaving (C1)",
        "promotion": "this mail reaches people who opted out of marketing, so it must not promote anything (C6)",
        **{f"subject-{rule}": why for rule, why in subjects.RULES.items() if rule not in ("guilt", "promotion")},
        "empty-preheader": "a mailbox shows some other words beside the subject (C5)",
        "image-without-alt": "most see no image at first, and some never do (C5)",
        "link-without-text": "nobody can follow what has no name, least of all by ear (C5)",
        "insecure-link": "what is not https can be read and changed on its way",
        "dead-link": "a mail has no site of its own that a link could start from",
        "missing-in-text": "who reads the plain text cannot follow it (C5)",
        "markup-in-text": "who reads the plain text sees the tags (C5)",
        "too-big": "Gmail clips what is longer, and the way out with it",
        "missing-language": "a screen reader would read it out in another language (C5)",
        "missing-heading": "who listens finds their way by headings (C5)",
        "unmarked-table": "a screen reader would read layout out as rows and columns (C5)",
        "active-content": "mailboxes run nothing, and distrust what tries (C5)",
        "remote-style": "mailboxes do not load it, and readers did not ask to be watched (C5)",
        "untranslated": "a sentence in another language stands out in the mail (C5)",
        "partly-translated": "a mail in two languages is read out in one, and has its days and sums in it (C5)",
    }
)
"""Every rule and why it counts."""

_SHIPPED: Final = "shipped/"
_MARKUP: Final = re.compile(r"<[^<>'\"\\]{1,40}")
"""The tag that a message is about."""


def check_templates(
    templates: Mapping[str, str],
    *,
    brand: Brand,
    links: Links | None = None,
    catalogues: Iterable[Catalogue] = (),
    locale: str = "en",
    now: datetime = NOW,
) -> tuple[Finding, ...]:
    """Find what is wrong with somebody's own templates; nothing is found in those that ship.

    Args:
        templates: the templates by name; see `lifecycle_mail.mails.loading`.
        brand: who sends.
        links: makes the links; made-up ones where it is left out.
        catalogues: their further translations. Where there are any, each sentence has to be in every language of them,
            those that ship as well, and each of theirs has to be one.
        locale: the language tag of the reader; words are judged in the language of the mail that they get.
        now: when the mails are written, an aware instant; the samples' days lie around it.

    Returns:
        Findings in the order of `RULES`, then by template and line.

    Raises:
        InvalidInput: a `locale` that is none, a signature that promotes, or links too long for any mail.
    """
    own = {name: source for name, source in templates.items() if name in NAMES}
    catalogues = tuple(catalogues)
    found = _Found(own=own)
    if own:
        links = links or Links("https://links.example/m", [SigningKey("sample", b"nothing is sent with this")])
        kinds_alone = {name: source for name, source in own.items() if name not in LAYOUTS}
        whole = Renderer(brand, links=links, templates=own, catalogues=catalogues)
        alone = whole
        if len(kinds_alone) < len(own):
            alone = Renderer(brand, links=links, templates=kinds_alone, catalogues=catalogues)
        for kind, full in samples(sample_reader(locale), now=now).items():
            if kind in own or len(kinds_alone) < len(own):
                found.look_at(full, whole, alone, now, least=False)
                found.look_at(bare(full), whole, alone, now, least=True)
    findings = [*_unknown(templates), *_unknown_blocks(own), *found.findings()]
    broken = {one.template for one in findings if one.rule == "broken"}
    findings += check_translations(own, catalogues, broken=broken)
    order = list(RULES)
    return tuple(
        sorted(findings, key=lambda one: (order.index(one.rule), one.template, one.line or 0, one.message, one.fix))
    )


@define
class _Met:
    """Where something was found."""

    kinds: dict[Kind, None] = field(factory=dict)
    when_full: bool = False


@define
class _Found:
    """What was found so far, the same thing once, however many mails it is in."""

    own: Mapping[str, str]
    met: dict[tuple[str, str, int | None, str, str], _Met] = field(factory=dict)

    def look_at(self, spec: Specification, whole: Renderer, alone: Renderer, now: datetime, *, least: bool) -> None:
        """Find what is wrong with one mail.

        Args:
            spec: what it says.
            whole: renders it with all of somebody's own templates.
            alone: renders it with the layouts that ship.
            now: when it is written.
            least: whether it says only what it has to.
        """
        problems = list(_problems(whole, spec, now, self.own))
        anyway = frozenset(problems)
        if problems and alone is not whole and spec.kind in self.own:
            anyway = frozenset(_problems(alone, spec, now, self.own))
        for one in problems:
            template, line = one.place or _blame(one, spec.kind, self.own, with_shipped_layouts=one in anyway)
            met = self.met.setdefault((one.rule, template, line, one.message, one.fix), _Met())
            met.kinds[spec.kind] = None
            met.when_full |= not least

    def findings(self) -> Iterator[Finding]:
        for (rule, template, line, message, fix), met in self.met.items():
            said = message if met.when_full else f"{message}, in a mail that says only what it has to"
            yield Finding(rule=rule, template=template, line=line, message=said, fix=fix, kinds=tuple(met.kinds))


def _problems(renderer: Renderer, spec: Specification, now: datetime, own: Mapping[str, str]) -> Iterator[Problem]:
    draft = renderer.draft(spec, now=now)
    broken: dict[Problem, str] = {}
    for form, error in draft.errors.items():
        one = _broken(form, error, own)
        broken[one] = "" if one in broken else form
    yield from (evolve(one, form=form) for one, form in broken.items())
    yield from problems_of_lacks(draft.lacks)
    yield from problems_of(draft.mail, broken=draft.errors)


def _broken(form: str, error: LifecycleMailError, own: Mapping[str, str]) -> Problem:
    name, line, message, fix = "", None, str(error), ""
    if isinstance(error, InvalidTemplate):
        name, line, message, fix = error.template, error.line, error.reason, error.fix
    if name.startswith("shipped/"):
        message += ", where a template that ships asks for it"
    written = _MARKUP.search(message)
    return Problem(
        rule="broken",
        message=message,
        fix=fix or "mend it; the placeholders of its kind are all that a template may read and call",
        form=form,
        tag=written[0].casefold() if written else "",
        # Where no line is at fault, a kind is named for want of anything better.
        place=(name, line) if name in own and (line is not None or name in LAYOUTS) else None,
    )


def _blame(
    problem: Problem, kind: Kind, own: Mapping[str, str], *, with_shipped_layouts: bool
) -> tuple[str, int | None]:
    """Return the template at fault, and the line where it says so.

    Args:
        with_shipped_layouts: whether it is there with the layouts that ship, too.
    """
    layouts = [name for name in LAYOUTS if name in own and name.endswith(problem.form)]
    suspects = [str(kind), *layouts] if kind in own else layouts
    for name in suspects if problem.clue else ():
        for line, said in enumerate(own[name].splitlines(), start=1):
            if problem.clue.casefold() in said.casefold():
                return name, line
    places = [
        (name, line)
        for name in (suspects if problem.tag else ())
        for line, said in enumerate(own[name].splitlines(), start=1)
        if problem.tag in said.casefold()
    ]
    if len(places) == 1:
        return places[0]
    if kind in own and (with_shipped_layouts or not layouts):
        return str(kind), None
    return (layouts or [name for name in LAYOUTS if name in own])[0], None


def _unknown(templates: Mapping[str, str]) -> Iterator[Finding]:
    for name in templates:
        if name not in NAMES:
            message = str(UnknownName("template", name, NAMES))
            fix = f"call it by the kind of its mail, or {', '.join(LAYOUTS)}"
            yield Finding(rule="unknown-name", template=name, line=None, message=message, fix=fix)


def _unknown_blocks(own: Mapping[str, str]) -> Iterator[Finding]:
    """Find blocks, by misspelt names perhaps, that stand over nothing: a template shows only what it replaces."""
    trees = {name: tree for name, source in own.items() if (tree := _parsed(source)) is not None}
    for name, tree in trees.items():
        over = [one.template.value for one in tree.find_all(nodes.Extends) if isinstance(one.template, nodes.Const)]
        if not over or name in LAYOUTS:
            continue
        below = [trees.get(layout) or _parsed(shipped_source(layout)) for layout in ("mail.html", "mail.text")]
        below += [_parsed(shipped_source(one)) for one in (name, over[0].removeprefix(_SHIPPED)) if one in NAMES]
        below += [trees[over[0]]] if over[0] in trees else []
        known = {block.name for one in below if one is not None for block in one.find_all(nodes.Block)}
        for block in tree.body:
            if isinstance(block, nodes.Block) and block.name not in known:
                yield Finding(
                    rule="unknown-block", template=name, line=block.lineno,
                    message=str(UnknownName("block", block.name, sorted(known))),
                    fix="give it the name of the block that it replaces, or put what it says into one",
                )  # fmt: skip


def _parsed(source: str) -> nodes.Template | None:
    try:
        return MailEnvironment(Templates({}, form="html"), html=True, filters={"wrap": str}).parse(source)
    except TemplateSyntaxError:
        return None  # which is found to be broken
