"""Rendering: from a specification to a mail, as a pure function.

Theory of operation
===================

A kind has one template. It is rendered twice, for plain text and for HTML, by two environments that differ in their
layouts (`mail`, `parts`) and in whether they escape; so the two parts of a mail cannot say different things. Rules for
CSS are moved into the elements of each mail when it is done, never in a template's source: an HTML parser would move
what stands between the cells of a table out of it.

What the law or the kind asks for is checked on what came out, and not on what went in, because anybody may replace any
template (`lacks`). A mail that lacks something is not made, and all that it lacks is said at once. To read each mail
again takes longer than to make it; so with the templates and translations that ship, which tests hold to the same,
points and calls to action are counted and nothing more.

Texts of the caller's are filled in as values. They are escaped where they are put, and nothing that was filled in is
read as a template (F55).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from attrs import frozen
from babel import Locale

from lifecycle_mail.errors import InvalidInput, InvalidTemplate, LifecycleMailError, MailRefused
from lifecycle_mail.mails import catalogues as cat
from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.budget import charge
from lifecycle_mail.mails.catalogues import Catalogue, Translator
from lifecycle_mail.mails.formats import Formats, is_from_right, locale_of
from lifecycle_mail.mails.kinds import Family, Point
from lifecycle_mail.mails.lacks import Judge, Lack, check_signature, lacks_of_kind, refusal
from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import LAYOUTS, Templates
from lifecycle_mail.mails.marks import CALL, around, as_comments, without_marks
from lifecycle_mail.mails.markup import check_characters, check_markup
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.reasons import LABELS, question_of
from lifecycle_mail.mails.sandbox import Function, MailEnvironment, limited
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.mails.urls import Urls
from lifecycle_mail.mails.wording import subject_line
from lifecycle_mail.model.answers import Reason
from lifecycle_mail.model.instants import as_utc

WIDTH: Final = 72
"""Columns of a paragraph in plain text; links are never broken."""

_GAPS: Final = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_BLANK: Final = re.compile(r"\n\s*\n")

_REASON_FOR_IT: Final[Mapping[Family, str]] = {
    Family.CANCELLATION: "This mail is about %(product)s. It reaches you whatever you chose about our other mails.",
    Family.PROGRAMME: "You get this mail because you are on the list %(list)s.",
    Family.CONSENT: "You get this mail because of a choice or a request that was made with this address.",
}


_SCRIPT: Final = 4  # letters of a subtag such as Arab or Hant

_HELLO: Final = ("Hello %(name)s,", "Hello,")

FIXED: Final = (*_REASON_FOR_IT.values(), *_HELLO)
"""Sentences that stand in no template, for those who translate."""


class _Recorded:
    """What one rendering of a template did.

    Args:
        is_judged: whether it leaves marks of its points and of its primary calls to action.
    """

    def __init__(self, *, is_judged: bool = False) -> None:
        self.points: set[Point] = set()
        self.primary = 0
        self.kept: dict[str, str] = {}
        self._is_judged = is_judged

    def point(self, name: str, *, caller: Any) -> Any:
        point, said = Point(name), caller()
        self.points.add(point)
        made = around(point, said) if self._is_judged else said
        return made if said[-1:].isspace() else made + "\n"  # bare words do not run into those of the next point

    def count_primary(self) -> str:
        self.primary += 1
        return CALL if self._is_judged else ""

    def keep(self, name: str, *, caller: Any) -> str:
        self.kept[name] = one_line(without_marks(str(caller())))
        return ""


@frozen(kw_only=True)
class Draft:
    """A mail as far as it got, for those who look for all that is wrong with it at once.

    Attributes:
        mail: the mail; a part that an error stopped is empty, and so is a subject that it did not come to.
        lacks: what it lacks; with any of them it may not go.
        errors: what stopped it, by the part that it stopped: `text`, `html` or both.
    """

    mail: Mail
    lacks: tuple[Lack, ...]
    errors: Mapping[str, LifecycleMailError]


class Renderer:
    """Renders the mails of one sender.

    Args:
        brand: who sends.
        links: makes the links; `Links(base_url, keys)`.
        templates: somebody's own templates by name; see `lifecycle_mail.mails.loading`.
        catalogues: further translations, by language; they come before those that ship.

    Raises:
        UnknownName: a template of a name that there is not.
        InvalidInput: a template that is no text, or a signature that promotes: it stands below mails that may not (C6).
    """

    def __init__(
        self, brand: Brand, *, links: Links, templates: Mapping[str, str] | None = None,
        catalogues: Iterable[Catalogue] = (),
    ) -> None:  # fmt: skip
        import css_inline

        catalogues = tuple(catalogues)
        check_signature(brand)
        self.brand = brand
        self.links = links
        self._own = frozenset(templates or ())
        self._catalogues: dict[str, list[Catalogue]] = {}
        for one in catalogues:
            self._catalogues.setdefault(one.language.replace("_", "-").lower(), []).append(one)
        filters = {"wrap": _wrap}
        self._environments = {
            form: MailEnvironment(Templates(templates or {}, form=form), html=form == "html", filters=filters)
            for form in ("text", "html")
        }
        self._translators: dict[tuple[tuple[str, ...], bool], Translator] = {}
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def render(self, spec: Specification, *, now: datetime) -> Mail:
        """Render one mail.

        Args:
            spec: what it says, and to whom.
            now: the instant at which it is written: links are signed, and days counted, from there.

        Raises:
            MailRefused: it would lack what its kind has to say, or a deadline that it names is over.
            InvalidTemplate: somebody's own template is wrong, forbidden, or does not come to an end.
            InvalidInput: a link would be too long.
        """
        draft = self.draft(spec, now=now)
        if draft.errors:
            raise next(iter(draft.errors.values()))
        if draft.lacks:
            raise MailRefused(refusal(spec, draft.lacks))
        return draft.mail

    def draft(self, spec: Specification, *, now: datetime) -> Draft:
        """Render one mail as far as it goes, and say what it lacks. Nothing but `render` makes mails to be sent.

        Args:
            spec: what it says, and to whom.
            now: as for `render`.

        Raises:
            MailRefused: a deadline that it names is over.
            InvalidInput: a link would be too long.
        """
        now = as_utc(now)
        spec.require_timely(now)
        chain = self._languages(spec.to.locale)
        language = self._language(chain, spec.to.locale)
        plain = self._translator(chain, html=False)
        locale = locale_of(language)
        formats = Formats(locale or Locale("en"), spec.to.zone)
        urls = Urls(spec, self.links, plain, now)
        written = language if locale is None else str(locale).replace("_", "-")
        voice = _Voice(spec, self.brand, formats, now, language=written)

        judge = Judge(spec, self.brand, urls, formats) if self._is_own(spec, chain) else None
        parts = {"text": "", "html": ""}
        kept: dict[str, str] = {}
        lacks: list[Lack] = []
        errors: dict[str, LifecycleMailError] = {}
        for form in parts:
            recorded = _Recorded(is_judged=judge is not None)
            context = voice.context(self._translator(chain, html=form == "html"), urls, recorded)
            try:
                said = self._run(form, spec, {**context, **kept}, is_judged=judge is not None)
                if form == "text":
                    _require_kept(spec, recorded)
                if form == "html":
                    said = self._inlined(as_comments(said))
                    parts[form] = without_marks(said)
                else:
                    parts[form] = _GAPS.sub("\n\n", without_marks(said)).strip() + "\n"
                if judge:  # once more: a parser writes what `&#8;` stands for
                    check_characters(parts[form], template=str(spec.kind))
            except LifecycleMailError as error:
                errors[form] = error
            else:
                lacks += lacks_of_kind(spec, form, points=recorded.points, primary=recorded.primary)
                if judge:
                    lacks += judge.lacks(form, said, points=recorded.points, primary=recorded.primary)
            if form == "text":
                kept = {"subject": "", "preheader": "", **recorded.kept}
                lacks += judge.lacks_beside(kept.values()) if judge else ()
        if not errors and not kept["subject"]:
            lacks.append(Lack(rule="empty-subject", form="text", what="subject"))
        mail = Mail(
            spec=spec,
            brand=self.brand,
            at=now,
            language=language,
            subject=kept["subject"],
            preheader=kept["preheader"],
            text=parts["text"],
            html=parts["html"],
            unsubscribe_url=urls.unsubscribe if spec.row.marketing else None,
        )
        return Draft(mail=mail, lacks=tuple(lacks), errors=errors)

    def render_all(self, specs: Iterable[Specification], *, now: datetime) -> Iterator[Mail]:
        """Render mails one after the other, holding one at a time."""
        for spec in specs:
            yield self.render(spec, now=now)

    def _inlined(self, html: str) -> str:
        """Move the rules of CSS into the elements; what cannot be moved stays, behind the rest of the head."""
        from css_inline import InlineError

        try:
            found = self._inliner.inline(_BLANK.sub("\n", html))
        except InlineError as error:
            reason = f"its CSS cannot be read: {error}"
            raise InvalidTemplate(
                template="mail.html", line=None, reason=reason, fix="write `name: value;` in each rule and `style`"
            ) from None
        style, end, rest = found.partition("</style>\n")
        start, begin, rules = style.partition("<head><style>")
        if not end or not begin:
            return found
        # A browser looks for the character set in the first kilobyte, and the inliner puts its rules before it.
        return f"{start}<head>\n{rest.replace('</head>', f'<style>{rules}{end}</head>', 1)}"

    def _is_own(self, spec: Specification, chain: Iterable[str]) -> bool:
        """Whether anything but what ships can stand in a mail: that needs no judge.

        A template that ships takes from the layouts and from nothing else.
        """
        return not self._own.isdisjoint((str(spec.kind), *LAYOUTS)) or not self._catalogues.keys().isdisjoint(chain)

    def _run(self, form: str, spec: Specification, context: Mapping[str, Any], *, is_judged: bool) -> str:
        template = str(spec.kind)
        with limited(template):
            said = self._environments[form].get_template(template).render(context)
        if is_judged:
            check_characters(said, template=template)
            if form == "html":
                check_markup(said, template=template)
        return said

    def _languages(self, tag: str) -> tuple[str, ...]:
        known = {*self._catalogues, *cat.shipped(), "en"}
        found = tuple(one for one in cat.chain(tag, self.brand.locale) if one in known)
        return found[: found.index("en") + 1]  # what comes after English is never asked

    def _language(self, chain: tuple[str, ...], tag: str) -> str:
        """The language that a mail is written in, with the reader's region where it is theirs.

        A script is the catalogue's, never the reader's: Malay in Latin letters does not become ms-Arab by being read.
        """
        tag = tag.replace("_", "-")
        added = tag[len(chain[0]) :].split("-")
        is_theirs = f"{tag.lower()}-".startswith(f"{chain[0]}-") and not any(len(one) == _SCRIPT for one in added)
        return tag if is_theirs else chain[0]

    def _translator(self, chain: tuple[str, ...], *, html: bool) -> Translator:
        found = self._translators.get((chain, html))
        if found is None:
            asked: list[Catalogue] = []
            for language in chain:
                asked += self._catalogues.get(language, [])
                if language in cat.shipped():
                    asked.append(cat.shipped()[language])
            found = Translator(asked, html=html, isolate=is_from_right(chain[0]))
            self._translators[chain, html] = found
        return found


class _Voice:
    """What a template can say, beside what it stands in it."""

    def __init__(self, spec: Specification, brand: Brand, formats: Formats, now: datetime, *, language: str) -> None:
        self.language = language
        self.spec = spec
        self.brand = brand
        self.formats = formats
        self.now = now

    def context(self, translator: Translator, urls: Urls, recorded: _Recorded) -> dict[str, Any]:
        """Return what a template reads and calls."""
        spec, formats = self.spec, self.formats
        rtl = formats.locale.text_direction == "rtl"
        product = str(getattr(spec, "product", ""))

        def greeting() -> str:
            name = spec.to.greeting
            return translator.text(_HELLO[0], name=name) if name else translator.text(_HELLO[1])

        def why() -> str:
            listed = getattr(spec, "listed", None)
            title = "" if listed is None else listed.title
            return translator.text(_REASON_FOR_IT[spec.row.family], product=product, list=title)

        def label(reason: Reason) -> str:
            question = question_of(spec.kind)
            said = {} if question is None else LABELS[question]
            if reason not in said:
                raise InvalidInput(f"label(): {spec.kind} asks for no reason of that name")
            return translator.text(said[reason])

        functions: dict[str, Callable[..., Any]] = {
            "_": translator.text,
            "n_": translator.plural,
            "day": formats.day,
            "moment": formats.moment,
            "money": formats.money,
            "number": formats.number,
            "days_until": self.days_until,
            "days_since": self.days_since,
            "lines": _lines,
            "label": label,
            "greeting": greeting,
            "why": why,
            "subject_line": lambda: subject_line(spec, translator, formats, self.brand),
            "point": recorded.point,
            "primary": recorded.count_primary,
            "keep": recorded.keep,
        }
        return {
            **{name: Function(function) for name, function in functions.items()},
            "spec": spec,
            "brand": self.brand,
            "url": urls,
            "language": self.language,
            "direction": "rtl" if rtl else "ltr",
            "side": "right" if rtl else "left",
            "marketing": spec.row.marketing,
        }

    def days_until(self, day: date) -> int:
        """Days from today to a day, in the reader's zone."""
        return (day - self._today()).days

    def days_since(self, day: date) -> int:
        """Days from a day to today, in the reader's zone."""
        return (self._today() - day).days

    def _today(self) -> date:
        return self.now.astimezone(self.spec.to.zone).date()


def _lines(text: str) -> list[str]:
    charge(len(text))
    return text.splitlines()


def _wrap(text: str) -> str:
    """Break lines for plain text, never inside a word or a link."""
    lines = [textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.splitlines()]
    return "\n".join(lines)


def _require_kept(spec: Specification, recorded: _Recorded) -> None:
    missing = sorted({"subject", "preheader"} - recorded.kept.keys())
    if missing:
        raise InvalidTemplate(
            template=str(spec.kind), line=None, reason=f"the text keeps no {' and no '.join(missing)}",
            fix='begin with {% extends "mail" %}, and let a layout of your own say {% call keep("subject") %}',
        )  # fmt: skip
    for said in recorded.kept.values():
        check_characters(said, template=str(spec.kind))
