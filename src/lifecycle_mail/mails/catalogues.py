"""Translations: catalogues in gettext's PO format, read by Babel, and a chain of languages to fall back on.

A sentence is looked up in the reader's language with its region, then without, then in the brand's language, then in
English, which is what stands in the templates. So a catalogue that is not complete loses single sentences and no mail.
What is filled in is filled in by name and once: a name of `%(x)s` that came from a form stays what it is (F55).
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from attrs import field, frozen
from markupsafe import Markup, escape

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.mails.budget import charge
from lifecycle_mail.mails.formats import locale_of
from lifecycle_mail.mails.markup import UNWRITTEN
from lifecycle_mail.mails.po import entries_of, lines_of, problems_of_form

SHIPPED: Final = ("en", "es", "pt", "ms", "et")
"""Languages that are complete (C5)."""

_PLACE: Final = re.compile(r"%\((\w+)\)s|%%")
_NAMELESS: Final = re.compile(r"%[sd](?!\w)")
_ISOLATE: Final = ("\u2068", "\u2069")
"""What keeps a part of plain text apart from the order of the words around it."""
_ELEMENT: Final = ("<bdi>", "</bdi>")
"""The same in HTML."""
_MARK: Final = "\ufeff"
"""What editors of Windows put in front of a file."""

Message = str | tuple[str, str]
"""A sentence in English, or its singular and plural."""


@frozen(eq=False)
class Catalogue:
    """The sentences of one language.

    Attributes:
        language: its tag.
        texts: by English sentence; of a plural, the sentence of the singular leads to all its forms.
        form: which plural form a number takes.
        lines: where in its file a sentence stands, counted from 1; nothing where it was read from none.
    """

    language: str
    texts: Mapping[str, tuple[str, ...]] = field(repr=False)
    form: Callable[[int], int] = field(repr=False)
    lines: Mapping[str, int] = field(factory=dict, repr=False)

    @classmethod
    def read(cls, text: str, *, language: str, name: str = "") -> Catalogue:
        """Read a PO file; what is not translated, or only by guess (fuzzy), is left out.

        Raises:
            InvalidDocument: lines of it are none of a PO file; or its rule for plurals is none, or translations fill in
                what their sentences do not; every place is named.
        """
        from babel.messages.pofile import PoFileError, read_po

        name = name or f"{language}.po"
        lines = lines_of(text.removeprefix(_MARK))
        if misshapen := problems_of_form(name, lines):
            raise InvalidDocument(name, misshapen)
        try:
            found = read_po(entries_of(lines), locale=locale_of(language), abort_invalid=True)
        except (PoFileError, ValueError, LookupError) as error:
            place, reason = name, str(error)
            if isinstance(error, PoFileError):  # it counts lines from 0, at the end of what it says
                place, reason = f"{name}:{error.lineno + 1}", reason.removesuffix(f" on {error.lineno}")
            raise InvalidDocument(name, [Problem(place, reason, "write a PO file, as gettext tools do")]) from None
        texts: dict[str, tuple[str, ...]] = {}
        places: dict[str, int] = {}
        form, problems = _plural_form(name, found.plural_expr, found.num_plurals)
        for message in found:
            if not message.id or message.fuzzy or message.context:
                continue
            sources = _forms(message.id)
            forms = _forms(message.string)
            if not all(map(str.strip, forms)):
                continue
            allowed = set().union(*(placeholders(source) for source in sources))
            for one in forms:
                strange = placeholders(one) - allowed
                rest = _PLACE.sub("", one)
                if "%(" in rest:
                    strange.add("%(...) that does not end in s")
                if allowed and _NAMELESS.search(rest):
                    strange.add("%s or %d, without a name")
                if unwritten := UNWRITTEN.search(one):
                    strange.add(f"U+{ord(unwritten[0]):04X}, which no mail can have")
                if strange:
                    problems.append(
                        Problem(
                            f"{name}:{message.lineno}", f"{one[:60]!r} fills in {', '.join(sorted(strange))}",
                            f"the sentence has {', '.join(sorted(allowed)) or 'nothing to fill in'}",
                        )
                    )  # fmt: skip
            texts[sources[0]] = tuple(forms)
            places[sources[0]] = message.lineno or 1
        if problems:
            raise InvalidDocument(name, problems)
        return cls(language, texts, form, places)


def _plural_form(name: str, rule: str, forms: int) -> tuple[Callable[[int], int], list[Problem]]:
    """Read a rule for plurals, and try it: a number for which it has no form would cost a mail."""
    fix = 'write "Plural-Forms: nplurals=2; plural=(n != 1);", or as your language has it'
    try:
        form = gettext.c2py(rule)
        wrong = next((n for n in (*range(200), 1_000, 1_000_000) if not 0 <= form(n) < forms), None)
    except (ValueError, ArithmeticError, RecursionError) as error:
        return int, [Problem(name, f"Plural-Forms {rule[:80]!r}: {error}", fix)]
    if wrong is not None:
        return form, [Problem(name, f"Plural-Forms {rule[:80]!r}: of {forms} forms, {wrong} takes none", fix)]
    return form, []


def _forms(text: Iterable[str | None] | str | None) -> tuple[str, ...]:
    return tuple(one or "" for one in ((text,) if isinstance(text, str) or text is None else text))


def placeholders(text: str) -> set[str]:
    """Return the names that a sentence fills in."""
    return {found[1] for found in _PLACE.finditer(text) if found[1]}


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Catalogue]:
    """Read the catalogues that come with this package; English needs none."""
    folder = resources.files(__package__) / "locales"
    return {
        language: Catalogue.read((folder / f"{language}.po").read_text("utf-8"), language=language)
        for language in SHIPPED
        if language != "en"
    }


def chain(tag: str, *more: str) -> tuple[str, ...]:
    """Return the languages to try, in order: the tag, its shorter forms, the same of further ones, and English."""
    found: list[str] = []
    for one in (tag, *more, "en"):
        parts = one.replace("_", "-").split("-")
        found += ["-".join(parts[:length]).lower() for length in range(len(parts), 0, -1)]
    return tuple(dict.fromkeys(found))


class Translator:
    """Sentences for one reader.

    Args:
        catalogues: in the order in which they are asked; English is what is left.
        html: whether to escape what is filled in, and the sentence.
        isolate: whether to keep what is filled in apart from the order of the words around it. Where those run from
            right to left, a Latin name or a day would otherwise be put into another order, and move its neighbours.
    """

    def __init__(self, catalogues: Iterable[Catalogue], *, html: bool, isolate: bool = False) -> None:
        self.catalogues = tuple(catalogues)
        self.html = html
        self._around = ("", "") if not isolate else _ELEMENT if html else _ISOLATE
        self._kept: dict[str, _Sentence] = {}

    def text(self, source: str, /, **values: Any) -> str:
        """Return a sentence in the reader's language, filled in.

        Raises:
            InvalidInput: something that it fills in is not given, or is neither a text nor a whole number.
        """
        sentence = self._kept.get(source)
        if sentence is None:
            found = next((one.texts[source][0] for one in self.catalogues if source in one.texts), source)
            sentence = self._sentence(found, known_as=source)
        return sentence.filled(values)

    def plural(self, one: str, many: str, count: int, /, **values: Any) -> str:
        """Return the form of a sentence that a number takes, filled in.

        Raises:
            InvalidInput: as for `text`, or the number is no whole one.
        """
        if isinstance(count, bool) or not isinstance(count, int):
            raise InvalidInput(f"n_(): the number decides the form, and a {type(count).__name__} is no whole one")
        for catalogue in self.catalogues:
            forms = catalogue.texts.get(one)
            if forms is not None and len(forms) > (form := catalogue.form(abs(count))):
                return self._sentence(forms[form]).filled(values)
        return self._sentence(one if abs(count) == 1 else many).filled(values)

    def _sentence(self, text: str, *, known_as: str = "") -> _Sentence:
        made = _Sentence.of(text, html=self.html, around=self._around)
        if known_as and len(self._kept) < _KEPT:
            self._kept[known_as] = made
        return made


_KEPT: Final = 2_000
"""How many sentences a translator keeps taken apart: more than there are, unless a template makes them up."""


@frozen
class _Sentence:
    """A sentence taken apart where it is filled in.

    Attributes:
        text: as it was written.
        names: what it fills in, in order.
        parts: what stands before, between and after, escaped where it is for HTML.
        html: whether what is filled in is escaped.
        around: what is put before and behind what is filled in.
    """

    text: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    html: bool
    around: tuple[str, str]

    @classmethod
    def of(cls, text: str, *, html: bool, around: tuple[str, str]) -> _Sentence:
        """Take a sentence apart."""
        names: list[str] = []
        parts = [""]
        end = 0
        for place in _PLACE.finditer(text):
            parts[-1] += text[end : place.start()]
            end = place.end()
            if place[1] is None:
                parts[-1] += "%"
            else:
                names.append(place[1])
                parts.append("")
        parts[-1] += text[end:]
        return cls(text, tuple(names), tuple(str(escape(part)) if html else part for part in parts), html, around)

    def filled(self, values: Mapping[str, Any]) -> str:
        """Fill values in by name, each once; a full stop at the end of one is also that of the sentence."""
        made = [self.parts[0]]
        for name, part in zip(self.names, self.parts[1:], strict=True):
            try:
                value = values[name]
            except KeyError:
                raise InvalidInput(f"{self.text[:60]!r}: no value for {name}") from None
            if not isinstance(value, str):
                if isinstance(value, bool) or not isinstance(value, int):
                    kind = type(value).__name__
                    raise InvalidInput(f"{self.text[:60]!r}: {name} is a {kind}, and texts and whole numbers fit")
                value = str(value)
            before, behind = self.around if value else ("", "")
            charge(len(before) + len(value) + len(behind))  # before it is copied: a sentence may name it often
            rest = part[1:] if part.startswith(".") and value.endswith(".") else part  # "Harbour Inc." ends a sentence
            made += (before, escape(value) if self.html else value, behind, rest)
        joined = "".join(made)
        return Markup(joined) if self.html else joined  # noqa: S704 - every part was escaped
