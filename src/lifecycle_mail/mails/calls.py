"""Marks of primary calls to action: what `primary()` leaves in a part of a mail, until it is seen what follows (S7)."""

from __future__ import annotations

import re
from typing import Final

CALL: Final = "\ufdd2"
"""The mark. It is no character of any text, and no mail keeps it."""

_IN_A_TAG: Final = re.compile(rf"<[a-zA-Z/][^<>{CALL}]*{CALL}[^<>]*>")
_IN_A_LINE: Final = re.compile(rf"\n[ \t]*{CALL}[ \t]*\n")


def before_tags(html: str) -> str:
    """Move marks out of the tags that they stand in, in front of them, so that they change nothing there."""
    return _IN_A_TAG.sub(lambda found: CALL + found[0].replace(CALL, ""), html) if CALL in html else html


def without_calls(html: str) -> str:
    """Take out the marks, and the empty lines that this would leave."""
    return _IN_A_LINE.sub("\n", html).replace(CALL, "") if CALL in html else html
