"""What a title tells someone outside (L1, L5).

A title is read word by word, and each word gets a mark: a date, a code, a word of the workshop, a number, or a word
that says something. The judgement of a title and the topic behind it are two uses of this one reading:

- `why_unreadable` names the dates, codes and workshop words, which mean nothing to who did not make the list.
  A plain number is let through: "Top 10 tips" is a fine title;
- `topic_of` takes them all away, numbers too. What is left is the topic; what was taken away told this list apart
  from others on the same topic, and is work for a segment.

The words are English; titles in other languages and scripts are judged by their dates and codes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from attrs import frozen

from lifecycle_mail.model.lists import MailingList

EXPECT: Final = "say what to expect, and how often"
"""What a proposal writes where only the application knows; left in, it is a finding."""
UNNAMED: Final = "Say what these mails are about"
"""The title that a proposal gives to lists that name no topic; left in, it is a finding."""


class Mark(StrEnum):
    """What a word of a title is."""

    WORD = "word"
    NUMBER = "number"
    DATE = "date"
    CODE = "code"
    WORKSHOP = "workshop"


SIGNS: Final[Mapping[Mark, str]] = {
    Mark.DATE: "a date",
    Mark.CODE: "a code",
    Mark.WORKSHOP: "a word of the workshop",
}
"""The marks that make a title unreadable, and how they are called."""

WORKSHOP: Final = frozenset({
    "backup", "bak", "batch", "batches", "copy", "crm", "csv", "dedupe", "deduped", "dev", "draft", "dump",
    "eblast", "export", "exported", "exports", "final", "import", "imported", "imports", "master", "merged",
    "migrated", "migration", "new2", "prod", "qa", "rev", "seed", "seedlist", "seg", "segment", "segmented",
    "segments", "staging", "sync", "tbd", "temp", "test", "testing", "tests", "tmp", "todo", "untitled",
    "upload", "uploaded", "uploads", "ver", "version", "wip", "xls", "xlsx",
})  # fmt: skip
"""Words of those who make lists."""
UNDERSTOOD: Final = frozenset({
    "2d", "3d", "4g", "4k", "4x4", "5g", "b2b", "b2c", "bbc", "co2", "css", "d2c", "h2o", "html", "mp3", "tv",
})  # fmt: skip
"""Words that look like codes, and that people know."""
MONTHS: Final = frozenset({
    "apr", "april", "aug", "august", "dec", "december", "feb", "february", "jan", "january", "jul", "july",
    "jun", "june", "nov", "november", "oct", "october", "sep", "sept", "september",
})  # fmt: skip
PERHAPS_MONTHS: Final = frozenset({"mar", "march", "may"})
"""Months beside a number or as the last word; otherwise words like any other ("what you may like")."""
JOINING: Final = frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "until", "with",
})  # fmt: skip
"""Words that are left over where what they joined to the topic was taken away ("Offers for June")."""

# What stands between words, and not what they are made of: in many scripts that is more than letters.
_APART = r"\x00-\x20\x7f-\xa0!-&(-/:-@\[-`{-~\u2010-\u2018\u201a-\u205e\u2028\u2029\u3000-\u3002"
_PIECE: Final = re.compile(rf"(?P<date>(?<![^\W_])\d{{1,4}}[-./]\d{{1,2}}[-./]\d{{1,4}}(?![^\W_]))|[^{_APART}]+")
_GLUED: Final = re.compile(r"([^\W\d_]{3,})['\u2019]?(\d+)|(\d+)([^\W\d_]{3,})")
_UNIT: Final = re.compile(r"\d{1,3}(?:am|h|k|km|min|nd|pm|rd|s|st|th)")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_DAY: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-3]\d)?")
_ID_DIGITS: Final = 5


@frozen
class Word:
    """One word of a title and what it is."""

    text: str
    mark: Mark


def read_title(title: str) -> tuple[Word, ...]:
    """Read a title, or a key, word by word."""
    words = list(_words(unicodedata.normalize("NFKC", title)))
    for place, word in enumerate(words):
        if word.text.casefold() in PERHAPS_MONTHS:
            near = words[max(place - 1, 0) : place + 2]
            last = 0 < place == len(words) - 1
            if last or any(re.search(r"\d", other.text) for other in near):
                words[place] = Word(word.text, Mark.DATE)
    return tuple(words)


def _words(title: str) -> Iterator[Word]:
    for piece in _PIECE.finditer(title):
        text = piece[0].strip("'\u2019")
        if piece["date"]:
            yield Word(text, Mark.DATE)
            continue
        if not any(map(str.isalnum, text)):
            continue
        mark = _mark(text)
        if mark is Mark.CODE and (glued := _GLUED.fullmatch(text)):
            for part in filter(None, glued.groups()):
                own = _mark(part)
                yield Word(part, Mark.CODE if own is Mark.NUMBER else own)
        else:
            yield Word(text, mark)


def _mark(text: str) -> Mark:
    folded = text.casefold()
    if folded in UNDERSTOOD or _UNIT.fullmatch(folded):
        return Mark.WORD
    if folded in WORKSHOP:
        return Mark.WORKSHOP
    if folded in MONTHS or _YEAR.fullmatch(text) or _DAY.fullmatch(text):
        return Mark.DATE
    if text.isdecimal():
        numbered = len(text) > 1 and int(text[0]) == 0
        return Mark.CODE if numbered or len(text) >= _ID_DIGITS else Mark.NUMBER
    return Mark.CODE if re.search(r"\d", text) else Mark.WORD


def topic_of(title: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that name the topic, and those that were taken away (L5)."""
    words = read_title(title)
    taken = tuple(word.text for word in words if word.mark is not Mark.WORD)
    left = [word.text for word in words if word.mark is Mark.WORD]
    first, last = 0, len(left)
    while first < last and left[last - 1].casefold() in JOINING:
        last -= 1
    while first < last and left[first].casefold() in JOINING:
        first += 1
    if first < last or taken:
        left = left[first:last]
    return tuple(left), taken


def why_unreadable(mailing_list: MailingList) -> tuple[str, ...]:
    """Say why the title tells a subscriber nothing; say nothing if it does (L1, L5)."""
    title = mailing_list.title.strip()
    words = read_title(title)
    if not words:
        return ("it has no title",)
    if title == UNNAMED:
        return ("its title has yet to be written",)
    reasons = []
    if title == mailing_list.key:
        reasons.append("its title is its key")
    if "_" in title:
        reasons.append("its title has underscores")
    for mark, called in SIGNS.items():
        marked = dict.fromkeys(word.text for word in words if word.mark is mark)
        reasons += [f"{text[:70]!r} in its title is {called}" for text in marked]
    if all(word.mark is Mark.NUMBER for word in words):
        reasons.append("its title is only a number")
    elif _without_vowels(words):
        reasons.append("its title has no vowels")
    return tuple(reasons)


def says_what_to_expect(mailing_list: MailingList) -> bool:
    """Whether somebody wrote down what subscribers get (L1)."""
    return mailing_list.expect.strip() not in ("", EXPECT)


def _without_vowels(words: tuple[Word, ...]) -> bool:
    if any(word.text.casefold() in UNDERSTOOD for word in words):
        return False
    letters = [
        letter for word in words for letter in unicodedata.normalize("NFKD", word.text.casefold()) if letter.isalpha()
    ]
    # Other scripts write their vowels with other letters, or none.
    return bool(letters) and all(map(str.isascii, letters)) and not set("aeiouy") & set(letters)
