"""What the law or its kind asks of a mail, and one of its two parts does not have; or what it says and may not.

It is looked for in what came out of the templates and not in what went in, because anybody may replace any template:
each point of C1, what was cancelled and when (R15), one primary call to action (S7), no promotion in a transactional
mail (C6), and in marketing mails the way out, the preferences and the postal address, in both parts (O2, R8). The
renderer makes no mail that lacks one; the lint of templates names each by rule.

A mail is judged as its reader gets it, after its CSS was moved into the elements: what is hidden is not there, a link
is one that can be followed and has words, and a link of the plain text stands there as a whole (`Part`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from itertools import groupby
from typing import Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.filled import filled_in, paragraphs, without
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.kinds import Point
from lifecycle_mail.mails.lines import has_words, one_line
from lifecycle_mail.mails.marks import CALL, count_marks, split_points, without_marks
from lifecycle_mail.mails.pages import Page
from lifecycle_mail.mails.promotions import find_promotion
from lifecycle_mail.mails.specs import ProgrammeSpecification, Specification
from lifecycle_mail.mails.urls import Urls

_LINK: Final = re.compile(r"(?<!\w)(?:https?://|mailto:|tel:|sms:)\S+", re.IGNORECASE)
_GAP: Final = re.compile(r"\n\s*\n")
_AFTER_A_LINK: Final = ">)]}\"'.,;:!?"


@frozen(kw_only=True)
class Lack:
    """Something that one part of a mail does not have, and should; or says, and should not.

    Attributes:
        rule: `missing-point`, `empty-point` (C1), `unstated-cancellation` (R15), `two-primary-calls`,
            `no-primary-call`, `primary-call-without-link` (S7), `missing-unsubscribe`, `hidden-unsubscribe`,
            `missing-preferences`, `hidden-preferences` (O2), `missing-postal-address`, `hidden-postal-address` (R8),
            `promotion` (C6), `misplaced-mark` or `empty-subject`.
        form: the part, `text` or `html`.
        what: the point, the number of calls, the words that promote, or what a template has to fill in.
    """

    rule: str
    form: str
    what: str


@frozen(kw_only=True)
class Part:
    """One part of a mail, as its reader gets it.

    Attributes:
        form: `text` or `html`.
        texts: all that it says, hidden or not: of HTML its blocks, its rows and what stands beside them; the plain text
            in one; and what either says word by word.
        seen: what is seen of them, as one line in small letters.
        written: all that stands in it, in the same way, whoever sees it; to say of something that it is hidden.
        links: where the links lead that can be seen and followed.
        calls: how many of the primary calls to action stand right before such a link.
        points: what is seen of each point, in the same way as `seen`; a link alone says nothing.
        is_whole: whether as much is seen of it with the marks as without them.
    """

    form: str
    texts: tuple[str, ...]
    seen: str
    written: str
    links: frozenset[str]
    calls: int
    points: Mapping[Point, str]
    is_whole: bool = True

    @classmethod
    def read(cls, form: str, said: str) -> Part:
        """Read a part as it came out of its templates, with the marks of its points and primary calls."""
        return cls._of_html(said) if form == "html" else cls._of_text(said)

    @classmethod
    def _of_html(cls, said: str) -> Part:
        marked, marks, said = Page.read(said), count_marks(said), without_marks(said)
        # What is sent: a mark in a style, or in a tag, would change what is read.
        page = marked if marked.marks == marks else Page.read(said)
        return cls(
            form="html",
            texts=tuple(dict.fromkeys((*page.blocks, *page.rows, *page.labels, *_word_by_word(page.rows)))),
            seen=_plain(" ".join(page.seen)),
            written=_plain(f"{unescape(said)} {' '.join(page.blocks)}"),
            links=frozenset(one.target.strip() for one in page.anchors if one.target and has_words(one.seen)),
            calls=marked.calls,
            points={point: _plain(said) for point, said in marked.points.items()},
            is_whole=page is marked or (marked.seen, marked.anchors) == (page.seen, page.anchors),
        )

    @classmethod
    def _of_text(cls, said: str) -> Part:
        firsts = [_GAP.split(without_marks(one).lstrip(), 1)[0] for one in said.split(CALL)[1:]]
        text = without_marks(said)
        plain = _plain(text)
        return cls(
            form="text",
            texts=(text, *_word_by_word(paragraphs(text))),
            seen=plain,
            written=plain,
            links=frozenset(_links(text)),
            calls=sum(_LINK.search(one) is not None for one in firsts),
            points=_points_of(said.replace(CALL, "")),
        )

    def says(self, text: str) -> bool:
        """Whether a text is seen, in whichever lines, cells or capitals it stands."""
        return _plain(text) in self.seen

    def has(self, text: str) -> bool:
        """Whether a text stands there, seen or not."""
        return _plain(text) in self.written


def _points_of(text: str) -> dict[Point, str]:
    """What a plain text says in each point."""
    found: dict[Point, list[str]] = {}
    for points, run in split_points(text):
        for point in points:
            found.setdefault(point, []).append(run)
    return {point: _plain(" ".join(_with_words("".join(runs)))) for point, runs in found.items()}


def _with_words(text: str) -> Iterator[str]:
    return (one for one in paragraphs(text) if has_words(_LINK.sub("", one)))


def _word_by_word(paragraphs: Iterable[str]) -> Iterator[str]:
    """What is said in paragraphs of a word each: readers put these together, and longer ones not."""
    for is_word, run in groupby(paragraphs, key=lambda one: " " not in one):
        if is_word:
            yield " ".join(run)


def _plain(text: str) -> str:
    return one_line(text).casefold()


def _links(text: str) -> Iterator[str]:
    for found in _LINK.finditer(text):
        yield found[0]
        yield found[0].rstrip(_AFTER_A_LINK)  # mailboxes leave out what ends a sentence


def lacks_of_kind(spec: Specification, form: str, *, points: Collection[str], primary: int) -> Iterator[Lack]:
    """Find what the kind of a mail asks for, by what its template called.

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


@frozen
class Judge:
    """Finds what a mail lacks by what its reader gets.

    Attributes:
        spec: what the mail says.
        brand: who sends.
        urls: the links of the mail.
        formats: how the reader writes days and sums.
    """

    spec: Specification
    brand: Brand
    urls: Urls
    formats: Formats
    _values: tuple[str, ...] = field(init=False)

    @_values.default
    def _filled_in(self) -> tuple[str, ...]:
        return () if self.spec.row.marketing else filled_in(self.spec, self.brand, self.formats)

    def lacks(self, form: str, said: str, *, points: Collection[str], primary: int) -> Iterator[Lack]:
        """Find what a part lacks, beside what `lacks_of_kind` finds.

        Args:
            form: the part.
            said: all of it, with the marks of its points and primary calls; its CSS in its elements.
            points: those that it makes.
            primary: how many primary calls to action it has.
        """
        part = Part.read(form, said)
        if not part.is_whole:
            yield Lack(rule="misplaced-mark", form=form, what="primary()")
        for point in sorted(self.spec.row.points.keys() & set(points)):
            seen = part.points.get(point, "")
            if not has_words(seen):
                yield Lack(rule="empty-point", form=form, what=str(point))
            elif point == Point.CONFIRMATION:
                yield from self._of_confirmation(form, seen)
        if primary and not part.calls:
            yield Lack(rule="primary-call-without-link", form=form, what="primary()")
        yield from self._of_marketing(part)
        yield from self._of_restraint(form, part.texts)

    def lacks_beside(self, texts: Iterable[str]) -> Iterator[Lack]:
        """Find what is wrong with the texts that stand beside both parts: the subject and the preheader."""
        yield from self._of_restraint("text", texts)

    def _of_confirmation(self, form: str, seen: str) -> Iterator[Lack]:
        """What was cancelled and when (R15)."""
        if _plain(getattr(self.spec, "product", "")) not in seen:
            yield Lack(rule="unstated-cancellation", form=form, what="spec.product")
        at = getattr(self.spec, "cancelled_at", None)
        if at is not None and _plain(self.formats.day(at)) not in seen:  # an instant is written with its day in front
            yield Lack(rule="unstated-cancellation", form=form, what="day(spec.cancelled_at)")

    def _of_marketing(self, part: Part) -> Iterator[Lack]:
        """The way out, the preferences and the postal address (O2, R8)."""
        if not isinstance(self.spec, ProgrammeSpecification):
            return
        for name in ("unsubscribe", "preferences"):
            url = getattr(self.urls, name)
            if url not in part.links:
                # In the plain text it is a part of a longer link, and not hidden.
                how = "hidden" if part.form == "html" and part.has(url) else "missing"
                yield Lack(rule=f"{how}-{name}", form=part.form, what=f"url.{name}")
        if not all(map(part.says, self.brand.postal_address)):
            how = "hidden" if all(map(part.has, self.brand.postal_address)) else "missing"
            yield Lack(rule=f"{how}-postal-address", form=part.form, what="brand.postal_address")

    def _of_restraint(self, form: str, texts: Iterable[str]) -> Iterator[Lack]:
        """What promotes in a transactional mail, beside what was filled in (C6)."""
        if self.spec.row.marketing:
            return
        # At once, and not text by text: there may be thousands, and as many values that were filled in (F54).
        found = map(_promotion_in, paragraphs(without(self._values, "\n\n".join(texts))))
        for words in {words.casefold(): words for words in found if words is not None}.values():
            yield Lack(rule="promotion", form=form, what=words)


def _promotion_in(text: str) -> str | None:
    return _known_promotion(text) if len(text) <= _SHORT else find_promotion(text)


_SHORT: Final = 500
_known_promotion = lru_cache(maxsize=2_048)(find_promotion)
"""Without what was filled in, the mails of a kind say the same."""


def check_signature(brand: Brand) -> None:
    """Check that a signature promotes nothing: it stands below mails to people who opted out of marketing, too (C6).

    Names are names, and taken out of it before.

    Raises:
        InvalidInput: it promotes.
    """
    words = find_promotion(without(filter(None, (brand.name, brand.sender)), brand.signature))
    if words is not None:
        raise InvalidInput(
            f"signature: {words!r} promotes, and it stands below mails to people who opted out of marketing (C6): "
            f"sign with a name, and say the rest in a mail of a list"
        )


_WAY_OUT: Final = (
    "and a marketing mail goes with a way out, the preferences and a postal address or not at all (O2, R8): call "
    "part.footer() in the template"
)


def refusal(spec: Specification, lacks: Iterable[Lack]) -> str:
    """Say all that a mail lacks, and what to do about it."""
    by_form: dict[str, dict[str, list[str]]] = {}
    for lack in dict.fromkeys(lacks):
        by_form.setdefault(lack.form, {}).setdefault(lack.rule, []).append(lack.what)
    said = [sentence for form, found in by_form.items() for sentence in _sentences(spec, form, found)]
    return f"{spec.kind}: {'; '.join(said)}"


def _sentences(spec: Specification, form: str, found: Mapping[str, list[str]]) -> Iterator[str]:
    if points := found.get("missing-point"):
        yield (
            f"the {form} does not make the point {', '.join(points)} (C1): put it into "
            f'{{% call point("{points[0]}") %}}...{{% endcall %}} in the template'
        )
    if points := found.get("empty-point"):
        yield (
            f"the {form} shows no words for the point {', '.join(points)} (C1): write them between "
            f'{{% call point("{points[0]}") %}} and {{% endcall %}}, where they are seen'
        )
    if unsaid := found.get("unstated-cancellation"):
        yield (
            f"the {form} does not say what was cancelled and when (R15): print {', '.join(unsaid)} between "
            f'{{% call point("confirmation") %}} and {{% endcall %}}'
        )
    if calls := found.get("two-primary-calls") or found.get("no-primary-call"):
        most = "exactly one" if spec.row.marketing else "at most one"
        yield (
            f"the {form} has {calls[0]} primary calls to action, and {most} is clear (S7): use part.button() once "
            f"and part.link() for the rest"
        )
    if "primary-call-without-link" in found:
        yield (
            f"the {form} has a primary call to action without a link (S7): let {{{{ primary() }}}} stand right before "
            f"its link, as in part.button()"
        )
    if promoting := found.get("promotion"):
        yield (
            f"the {form} says {', '.join(map(repr, promoting))}, and a transactional mail promotes nothing (C6): leave "
            f"prices, discounts and offers to mails of a list"
        )
    if "misplaced-mark" in found:
        yield (
            f"the {form} has the mark of a point or of a primary call where it changes what is read: let primary() and "
            f"{{% call point() %}} stand where text stands, and not in tags, styles or single words"
        )
    if "empty-subject" in found:
        yield "the subject is empty"
    if missing := [what for rule, names in found.items() if rule in _MISSING for what in names]:
        yield f"the {form} lacks {', '.join(missing)}, {_WAY_OUT}"
    if hidden := [what for rule, names in found.items() if rule in _HIDDEN for what in names]:
        yield f"the {form} has {', '.join(hidden)} where nobody can see or follow it, {_WAY_OUT}"


_MISSING: Final = frozenset({"missing-unsubscribe", "missing-preferences", "missing-postal-address"})
_HIDDEN: Final = frozenset({"hidden-unsubscribe", "hidden-preferences", "hidden-postal-address"})
