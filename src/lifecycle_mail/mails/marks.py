"""Marks in a part of a mail, for whoever judges it: where its points begin and end, and its primary calls to action.

Words that a template made may not be seen where they stand, and the same words may stand elsewhere; so a point is read
between its marks, when the mail is done (C1, R15). While the CSS of HTML is inlined, these are comments: a parser moves
a text that stands between the rows of a table out of it. What `primary()` leaves is a character, in front of its link
(S7). All begin with a character that is none of any text; a template that forges one fools itself. No mail keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from lifecycle_mail.mails.kinds import Point

CALL: Final = "\ufdd2"
"""The mark of a primary call to action."""
_POINT: Final = "\ufdd3"
"""The mark of a point; what follows says of which, and whether it begins or ends."""

_POINTS: Final = tuple(Point)
_BEGINS, _ENDS = "b", "e"

_IN_A_TAG: Final = re.compile(rf"<[a-zA-Z/][^<>{CALL}]*{CALL}[^<>]*>")
_OF_POINT: Final = re.compile(rf"{_POINT}([0-9])([{_BEGINS}{_ENDS}])", re.IGNORECASE)
_AS_COMMENT: Final = rf"(?:<|&lt;)!--{_OF_POINT.pattern}--(?:>|&gt;)"
_PLACE: Final = re.compile(
    rf"(?P<mark>{_OF_POINT.pattern})|<!--(?:[^-]++|-(?!->))*+(?:-->)?|<[a-zA-Z/][^<>]*+>?", re.IGNORECASE
)  # fmt: skip
"""A mark, or what it may stand in; a comment that is not closed goes on to the end."""
_MARK: Final = re.compile(rf"{CALL}|{_AS_COMMENT}|{_OF_POINT.pattern}|{_POINT}", re.IGNORECASE)
_IN_A_LINE: Final = re.compile(
    rf"\n[ \t]*(?:(?:{CALL}|{_AS_COMMENT}|{_OF_POINT.pattern})[ \t]*)++\n", re.IGNORECASE
)  # fmt: skip


def around(point: Point, said: str) -> str:
    """Put the marks of a point around what a template made for it; `Markup` stays that."""
    place = _POINTS.index(point)
    begins, ends = (f"{_POINT}{place}{which}" for which in (_BEGINS, _ENDS))
    return Markup(f"{begins}{said}{ends}") if isinstance(said, Markup) else f"{begins}{said}{ends}"  # noqa: S704 - escaped


def read_mark(comment: str) -> tuple[Point, bool] | None:
    """Return of which point a comment is the mark, and whether it begins there; None where it is none."""
    found = _OF_POINT.fullmatch(comment)
    if found is None or int(found[1]) >= len(_POINTS):
        return None
    return _POINTS[int(found[1])], found[2].lower() == _BEGINS


def split_points(text: str) -> Iterator[tuple[frozenset[Point], str]]:
    """Split a plain text where points begin and end, and say of each run in which points it stands."""
    within: list[Point] = []
    at = 0
    for found in _OF_POINT.finditer(text):
        yield frozenset(within), text[at : found.start()]
        at = found.end()
        mark = read_mark(found[0])
        if mark is None:
            continue
        point, begins = mark
        if begins:
            within.append(point)
        elif point in within:
            within.remove(point)
    yield frozenset(within), text[at:]


def as_comments(html: str) -> str:
    """Make comments of the marks of points, which a parser leaves where they are, and move those of calls before tags.

    In a tag, or in a comment that was there, a mark of a point has nothing to say and is taken out.
    """
    if CALL in html:
        html = _IN_A_TAG.sub(lambda found: CALL + found[0].replace(CALL, ""), html)
    return _PLACE.sub(_commented, html) if _POINT in html else html


def _commented(found: re.Match[str]) -> str:
    return f"<!--{found[0]}-->" if found["mark"] else _OF_POINT.sub("", found[0])


def without_marks(said: str) -> str:
    """Take out all marks, and the empty lines that this would leave."""
    if CALL not in said and _POINT not in said:
        return said
    return _MARK.sub("", _IN_A_LINE.sub("\n", said))
