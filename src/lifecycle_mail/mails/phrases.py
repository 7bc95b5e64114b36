"""Phrases that are looked for in a text, however it spells them.

Case, accents, kinds of spaces and of dashes are folded on both sides, and characters that are not seen are left out,
so that "ULTIMA  oportunidad" is found as "última oportunidad". What is found is given back as it was written.

Folding goes character by character: a whole text is never normalised, because putting piled-up accents into order takes
quadratic time. A pattern repeats nothing without a bound, so that a search is linear whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

from attrs import field, frozen

_ENDING: Final = r"\w{0,12}"
_NUMBER: Final = r"\d{1,9}"
_GAP: Final = r"[ -]{1,4}"
_MOST_PARTS: Final = 6
_APOSTROPHES: Final = "\u2018\u2019\u02bc"


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    if char.isspace():
        return " "
    if char in _APOSTROPHES:
        return "'"
    parts = unicodedata.normalize("NFKD", char).casefold()
    if len(parts) > _MOST_PARTS:  # a ligature of whole words, which would take many times its room
        return char
    kept = "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Cf"))
    return "-" if unicodedata.category(char) == "Pd" or char == "\u2212" else kept


@frozen
class Folded:
    """A text as it is searched, and where each character of it stands in the text as it was written.

    Attributes:
        written: the text as it was given.
        text: the same without case, accents and what is not seen.
        places: for each character of `text`, its place in `written`.
    """

    written: str
    text: str
    places: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Folded:
        """Fold a text, in time linear in its length."""
        folded: list[str] = []
        places: list[int] = []
        for place, char in enumerate(text):
            for part in _folded(char):
                folded.append(part)
                places.append(place)
        return cls(text, "".join(folded), places)

    def as_written(self, start: int, end: int) -> str:
        """Return the part of the text as written that stands behind a part of the folded one."""
        return self.written[self.places[start] : self.places[end - 1] + 1] if start < end else ""


def _as_tuple(phrases: Sequence[str]) -> tuple[str, ...]:
    return tuple(phrases)


@frozen
class Phrases:
    """Phrases to look for; each begins and ends where words do.

    Attributes:
        written: the phrases, spelt well. A `*` at the end of a word stands for any ending of it, `#` for a number,
            and a space for spaces or a hyphen.
    """

    written: tuple[str, ...] = field(converter=_as_tuple)

    def find(self, text: Folded | str) -> str | None:
        """Return the first phrase that the text holds, as it is written there, or None."""
        return next(self._found(text), None)

    def find_all(self, text: Folded | str) -> tuple[str, ...]:
        """Return each phrase that the text holds once, in its order, as it is written there."""
        return tuple(dict.fromkeys(self._found(text)))

    def _found(self, text: Folded | str) -> Iterator[str]:
        folded = Folded.of(text) if isinstance(text, str) else text
        for match in _pattern(self.written).finditer(folded.text):
            yield folded.as_written(*match.span())


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Compile phrases on first use. The longest come first, so that all of a phrase is quoted."""
    sources = sorted({_source(phrase) for phrase in phrases}, key=lambda source: (-len(source), source))
    # Nothing matches where there is nothing to look for.
    return re.compile(rf"(?<!\w)(?:{'|'.join(sources) or '(?!)'})(?!\w)")


def _source(phrase: str) -> str:
    special = {" ": _GAP, "*": _ENDING, "#": _NUMBER}
    return "".join(special.get(char) or re.escape(char) for char in Folded.of(phrase).text)
