"""What a bounce says of an address (R17), read off its status.

Only a permanent failure that is about the mailbox says that the address is dead. `4.x.x` is for now, and `5.7.x` is
about the sender: a policy of the receiving host, or authentication that failed (5.7.515).
"""

from __future__ import annotations

import re
from typing import Final

_ENHANCED: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_BASIC: Final = re.compile(r"\s*([245])\d\d\b")


def spares_address(*texts: str) -> bool:
    """Whether a bounce says nothing against the address.

    Args:
        texts: what is known of its status, the best witness first: an enhanced status (`5.1.1`), a basic one (`550`),
            or the words of the receiving host, which often hold both. An enhanced one is believed before a basic one.
    """
    for text in texts:
        enhanced = _ENHANCED.search(text)
        if enhanced is not None:
            return enhanced[1] == "4" or (enhanced[1], enhanced[2]) == ("5", "7")
    for text in texts:
        basic = _BASIC.match(text)
        if basic is not None:
            return basic[1] == "4"
    return False
