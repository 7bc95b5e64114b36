"""Emoji in a text, each as one, however many code points it is made of.

Flags are two letters, families are joined from people, a hand has a colour of skin, and a heart needs a variation
selector to be one. The ranges are wide: they take in the decorations beside the emoji (a star, a tick, an arrow of
the dingbats), which are judged the same way in a subject line, and places that are kept for emoji to come.
"""

from __future__ import annotations

import re
from typing import Final

_FLAG: Final = "[\U0001f1e6-\U0001f1ff]{1,2}"
_KEYCAP: Final = "[0-9#*]\ufe0f?\u20e3"
# Miscellaneous symbols and dingbats; watches, players and stars; the planes of pictographs.
_PICTURE: Final = (
    "[\u231a\u231b\u23cf\u23e9-\u23fa\u25fd\u25fe\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff](?!\ufe0e)"
)
# Signs, arrows and shapes that only their selector turns into emoji.
_TURNED: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u2328\u24c2\u25aa-\u25fe\u2934\u2935\u2b05-\u2b07"
    "\u3030\u303d\u3297\u3299](?=\ufe0f)"
)
_TONE: Final = "[\U0001f3fb-\U0001f3ff]"
_TAGS: Final = "[\U000e0020-\U000e007f]{0,16}"
_ONE: Final = f"(?:{_FLAG}|{_KEYCAP}|(?:{_PICTURE}|{_TURNED})\ufe0f?{_TONE}?{_TAGS})"
_EMOJI: Final = re.compile(f"{_ONE}(?:\u200d{_ONE})*")


def find_emoji(text: str) -> tuple[tuple[int, int], ...]:
    """Return where each emoji of a text begins and ends."""
    return tuple(found.span() for found in _EMOJI.finditer(text))


def without_emoji(text: str, instead: str = "") -> str:
    """Return a text with each emoji left out, or something in its place."""
    return _EMOJI.sub(instead, text)
