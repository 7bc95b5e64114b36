"""Characters that are drawn as nothing, though Unicode counts them among letters, marks and signs (F55, F59).

Control characters and their like have a category of their own, by which they are refused. These have not: a name of
Hangul fillers passes for letters, and a reader is greeted with an empty place.
"""

from __future__ import annotations

import re
from typing import Final

JOINERS: Final = "\u200c\u200d"
"""Zero width, and yet they spell words: without them Persian is wrong, and emoji fall apart."""

FILLERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters that stand for no letter. No text of today needs them."""

# What only changes its neighbours, and the blank pattern of Braille: right beside something that is seen.
_UNSEEN: Final = rf"{JOINERS}\u034f\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef"
_BLANK: Final = re.compile(rf"[\s{_UNSEEN}]*")
_EACH_UNSEEN: Final = re.compile(f"[{_UNSEEN}]+")


def is_blank(text: str) -> bool:
    """Whether nothing of a text is seen: it is empty, or has spaces and what changes its neighbours alone."""
    return _BLANK.fullmatch(text) is not None


def without_unseen(text: str) -> str:
    """Return a text without what only changes its neighbours, to look for what that would hide."""
    return _EACH_UNSEEN.sub("", text)
