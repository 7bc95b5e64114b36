"""Marks in a part of a mail, for whoever judges it: where its points begin and end, and its primary calls to action.

Words that a template made may not be seen where they stand, and the same words may stand elsewhere; so a point is read
between its marks, when the mail is done (C1, R15). While the CSS of HTML is inlined, these are comments: a parser moves
a text that stands between the rows of a table out of it. What `primary()` leaves is a character, in front of its link
(S7). Each mark is one character that is none of any text, so it cannot be cut; a template that forges one says what it
could say by `point()`. No mail keeps them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from lifecycle_mail.mails.kinds import Point

CALL: Final = "\ufdd2"
"""The mark of a primary call to action."""
_BEGINS: Final = {point: chr(0xFDD3 + 2 * place) for place, point in enumerate(Point)}
_ENDS: Final = {point: chr(0xFDD4 + 2 * place) for place, point in enumerate(Point)}
_MEANT: Final = {
    **{mark: (point, True) for point, mark in _BEGINS.items()},
    **{mark: (point, False) for point, mark in _ENDS.items()},
}  # fmt: skip
"""Of which point each mark is, and whether it begins there."""

_IN_A_TAG: Final = re.compile(rf"<[a-zA-Z/][^<>{CALL}]*{CALL}[^<>]*>")
_OF_POINT: Final = re.compile(f"[{''.join(_MEANT)}]")
_PLACE: Final = re.compile(rf"(?P<mark>{_OF_POINT.pattern})|<!--(?:[^-]++|-(?!->))*+(?:-->)?|<[a-zA-Z/][^<>]*+>?")
"""A mark, or what it may stand in; a comment that is not closed goes on to the end."""
_MARK: Final = re.compile(rf"{CALL}|(?:<|&lt;)!--{_OF_POINT.pattern}--(?:>|&gt;)|{_OF_POINT.pattern}")
_IN_A_LINE: Final = re.compile(rf"\n[ \t]*(?:(?:{_MARK.pattern})[ \t]*)++\n")


def around(point: Point, said: str) -> str:
    """Put the marks of a point around what a template made for it; `Markup` stays that."""
    made = f"{_BEGINS[point]}{said}{_ENDS[point]}"
    return Markup(made) if isinstance(said, Markup) else made  # noqa: S704 - escaped before


def read_mark(said: str) -> tuple[Point, bool] | None:
    """Return of which point a text, or what a comment says, is the mark, and whether it begins there; else None."""
    return _MEANT.get(said)


def split_points(text: str) -> Iterator[tuple[frozenset[Point], str]]:
    """Split a plain text where points begin and end, and say of each run in which points it stands."""
    within: Counter[Point] = Counter()
    at = 0
    for found in _OF_POINT.finditer(text):
        yield frozenset(+within), text[at : found.start()]
        at = found.end()
        point, begins = _MEANT[found[0]]
        within[point] = max(0, within[point] + (1 if begins else -1))
    yield frozenset(+within), text[at:]


def as_comments(html: str) -> str:
    """Make comments of the marks of points, which a parser leaves where they are, and move those of calls before tags.

    In a tag, or in a comment that was there, a mark of a point has nothing to say and is taken out.
    """
    if not _is_marked(html):
        return html
    if CALL in html:
        html = _IN_A_TAG.sub(lambda found: CALL + found[0].replace(CALL, ""), html)
    return _PLACE.sub(_commented, html)


def _commented(found: re.Match[str]) -> str:
    return f"<!--{found[0]}-->" if found["mark"] else _OF_POINT.sub("", found[0])


def without_marks(said: str) -> str:
    """Take out all marks, and the empty lines that this would leave."""
    if not _is_marked(said):
        return said
    return _MARK.sub("", _IN_A_LINE.sub("\n", said))


def count_marks(said: str) -> int:
    """Count all marks in what was made of a part."""
    return sum(map(said.count, (CALL, *_MEANT)))


def _is_marked(said: str) -> bool:
    """Whether there is any mark; there is none in all that ships, and to look for each is faster than for a pattern."""
    return any(map(said.__contains__, (CALL, *_MEANT)))
