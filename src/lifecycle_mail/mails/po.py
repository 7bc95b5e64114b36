"""The form of PO files, line by line, before Babel reads them.

Babel forgives: of `msgstr "Hei` it takes "He", of `msgstr Hei` "e", and of two translations of a sentence the later. A
translator who misses a quote would find a letter missing in everybody's mail; so what gettext's own tools refuse is
found here first, all of it, each with its line. So is what they know and Babel does not: signs by number, and a tab
behind a keyword. Obsolete entries (`#~`) are comments, and of those Babel gets the flags of other entries alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from attrs import define, field

from lifecycle_mail.errors import Problem

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_LINE: Final = re.compile(
    r"\s*+(?P<keyword>[^\s\"\[]*+)(?P<number>\[[^\]\s]*+\])?+(?P<gap>\s*+)(?P<rest>.*+)", re.DOTALL
)
_TEXT: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"\s*+', re.DOTALL)
_STRANGE: Final = re.compile(r'(?:[^\\]++|\\["\\nrt])*+(?P<strange>\\.?)', re.DOTALL)
_DATE: Final = re.compile(r'(?:(?<=")|(?<=\\n))(?:POT-Creation|PO-Revision)-Date:[^"\\]*\\n', re.IGNORECASE)
_SHOWN: Final = 40


class _Word(StrEnum):
    CONTEXT = "msgctxt"
    ID = "msgid"
    PLURAL = "msgid_plural"
    TEXT = "msgstr"


_BEFORE: Final = {
    _Word.CONTEXT: (None, _Word.TEXT),
    _Word.ID: (None, _Word.TEXT, _Word.CONTEXT),
    _Word.PLURAL: (_Word.ID,),
    _Word.TEXT: (_Word.ID, _Word.PLURAL, _Word.TEXT),
}
"""What may stand before each: an entry is a sentence and its translation, or its singular, plural and their forms."""

_WORDS: Final = frozenset(_Word)


def lines_of(text: str) -> list[str]:
    """Split a PO file into its lines; other signs that end a line somewhere are part of one."""
    return _LINE_END.split(text)


def entries_of(lines: Sequence[str]) -> list[str]:
    """Return what Babel is to read: each line at its place, without comments and obsolete entries.

    A flag, such as that of a guess, stays where an entry follows that is read: Babel would give those of an obsolete
    entry to the next, and what goes on in an obsolete line to the one before. The dates of a header, which nobody here
    needs, are left out: Babel refuses the empty ones and the placeholders that gettext's own tools write.
    """
    kept: list[str] = []
    is_read = False
    for line in reversed(lines):
        said = line.lstrip()
        if said.startswith("#"):
            is_read = is_read and not said.startswith("#~")
            kept.append(line if is_read and said.startswith("#,") else "")
        else:
            is_read = is_read or bool(said)
            kept.append(_DATE.sub("", line))
    return kept[::-1]


def problems_of_form(name: str, lines: Sequence[str]) -> list[Problem]:
    """Find what is no PO file.

    Args:
        name: of the file, for the places.
        lines: of `lines_of`.

    Returns:
        Every line that is wrong, with what to do.
    """
    reader = _Reader()
    found = [
        Problem(f"{name}:{number}", message, fix)
        for number, line in enumerate(lines, start=1)
        for message, fix in reader.problems(line, number)
    ]
    return found + [Problem(f"{name}:{number}", message, fix) for number, message, fix in reader.unfinished()]


@define
class _Reader:
    """Where in an entry a line stands."""

    last: _Word | None = None
    counted: bool = False  # the entry has a plural
    forms: int = 0
    begun: int = 0
    key: list[str] = field(factory=list)
    known: dict[str, int] = field(factory=dict)

    def problems(self, line: str, number: int) -> Iterator[tuple[str, str]]:
        if not line.strip():
            return
        if line.lstrip().startswith("#"):
            yield from self._comment()
            return
        found = _LINE.fullmatch(line)
        keyword, index, rest = ("", None, line.strip()) if found is None else found.group("keyword", "number", "rest")
        said = _TEXT.fullmatch(rest)
        if keyword and keyword not in _WORDS:
            yield f"{line.strip()[:_SHOWN]!r} is no line of a PO file", f"begin it with {', '.join(_Word)}, or a quote"
            return
        if said is None:
            yield f"{rest.strip()[:_SHOWN]!r} is not a text in quotes", 'write "...", with \\" for a quote in it'
        elif strange := _strange_in(said[1]):
            yield (
                f"{strange} is no escape",
                "write \\n for the end of a line, \\\\ for a backslash, and other signs as they are",
            )
        if keyword and found is not None and said is not None and not found["gap"].startswith(" "):
            yield f"no space follows {keyword}{index or ''}", f'write {keyword}{index or ""} "..."'
        text = rest if said is None else said[1]
        if keyword:
            yield from self._begins(_Word(keyword), index, number)
        elif self.last is None:
            yield "a text stands in no entry", "put msgid or msgstr in front of it"
        if self.last in (_Word.CONTEXT, _Word.ID):
            self.key.append(f"{keyword}\0{text}" if keyword else text)
        elif keyword in (_Word.PLURAL, _Word.TEXT) and self.key:
            yield from self._is_new()

    def _begins(self, word: _Word, index: str | None, number: int) -> Iterator[tuple[str, str]]:
        if self.last not in _BEFORE[word]:
            where = "without a msgid" if self.last is None else f"after {self.last}"
            yield (
                f"{word}{index or ''} stands {where}",
                "write msgid and then its msgstr; a plural has msgid_plural between them",
            )
            if word is _Word.PLURAL:
                return
            if self.last is None:
                self.last = word
                return
        if word in (_Word.CONTEXT, _Word.ID) and self.last is not _Word.CONTEXT:
            self.counted, self.forms, self.begun, self.key = False, 0, number, []
        elif word is _Word.PLURAL:
            self.counted = True
        elif word is _Word.TEXT:
            wanted = f"[{self.forms}]" if self.counted else None
            if index != wanted or (self.forms and not self.counted):
                yield (
                    f"{word}{index or ''} is not what comes here",
                    f"write {word}{wanted}" if self.counted else "write one msgstr for each msgid",
                )
            self.forms += 1
        if word is not _Word.TEXT and index is not None:
            yield f"{word}{index} has a number", f"write {word}"
        self.last = word

    def _comment(self) -> Iterator[tuple[str, str]]:
        if self.last is _Word.TEXT:
            self.last = None  # it ends the entry
        elif self.last is not None:
            yield "a comment stands between msgid and its msgstr", "put it in front of the entry"

    def _is_new(self) -> Iterator[tuple[str, str]]:
        key, self.key = "".join(self.key), []
        first = self.known.setdefault(key, self.begun)
        if first != self.begun:
            yield f"the same msgid stands in line {first}", "keep one of the two"

    def unfinished(self) -> Iterator[tuple[int, str, str]]:
        if self.last not in (None, _Word.TEXT):
            yield self.begun, "the last sentence has no msgstr", 'write msgstr "" where it is not translated yet'


def _strange_in(text: str) -> str:
    found = _STRANGE.match(text)
    return "" if found is None else found["strange"]
