"""Keys for what is proposed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LONGEST: Final = 64


def slug(text: str) -> str:
    """Make a key of a text; empty where no letter or digit can be kept."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")


def free_key(wanted: str, taken: set[str]) -> str:
    """Return the key, numbered if it is taken, and take it."""
    key, number = wanted, 1
    while key in taken:
        number += 1
        ending = f"-{number}"
        key = wanted[: _LONGEST - len(ending)] + ending
    taken.add(key)
    return key
