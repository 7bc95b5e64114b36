"""What was filled in, and what a template said round it.

A mail is judged by the words that a template says, and not by those that it was given: a brand may be called Bargain,
and a sum that is paid back is no price (C6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Final

from attrs import fields, has

from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.mails.parts import Money
from lifecycle_mail.mails.specs import Specification

_SHORTEST: Final = 3  # shorter ones are found in any word: they have to stand alone, and letters are none of them
_NOT_SHOWN: Final = frozenset(
    {"contact_id", "timezone", "locale", "theme", "campaign", "token", "key", "style", "subject", "url", "website"}
)
"""Fields that no reader sees: what stands in them excuses no words of a template. No link is seen either."""
_SPACES: Final = re.compile(r"[^\S\n]+")
_TURKISH: Final = {ord("\u0130"): "i", ord("\u0131"): "i"}
"""For patterns without case these are an i, too."""
_PARAGRAPH: Final = re.compile(r"\n\s*\n|\n(?=[ \t]*[-*>] )")


def filled_in(spec: Specification, brand: Brand, formats: Formats) -> tuple[str, ...]:
    """Return the texts that a mail was made from, as it shows them, the longest first."""
    found = {one_line(text) for one in (spec, brand) for text in _texts(one, formats)}
    kept = (one for one in found if len(one) >= _SHORTEST or (one and not one.isalpha()))
    return tuple(sorted(kept, key=lambda one: (-len(one), one)))


def _texts(value: Any, formats: Formats) -> Iterator[str]:
    if isinstance(value, Money):
        yield formats.money(value)
        yield from (f"{value.amount} {value.currency}", f"{value.currency} {value.amount}")  # as its fields say it
    elif isinstance(value, str) and not isinstance(value, Enum):
        yield value
        yield from value.splitlines()
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one, formats)
    elif has(type(value)):
        for at in fields(type(value)):
            if at.name not in _NOT_SHOWN and not at.name.endswith("_url"):
                yield from _texts(getattr(value, at.name), formats)


def without(values: Iterable[str], text: str) -> str:
    """Put as many small letters in place of what was filled in, in whichever lines and capitals it stands.

    Args:
        values: what was filled in, the longest first.
        text: one that was made from it; runs of spaces are one space in what comes back.
    """
    text = _SPACES.sub(" ", text)
    words = _folded(text.replace("\n", " "))
    for one in values:
        if _folded(one) in words:  # most are not, and a pattern takes as long as to search for a hundred of them
            wanted = re.escape(one).replace("\\ ", "[ \n]")
            alone = len(one) < _SHORTEST
            wanted = rf"(?<!\w){wanted}(?!\w)" if alone else wanted
            text = re.sub(wanted, lambda found: "x" * len(found[0]), text, flags=re.IGNORECASE)
    return text


def _folded(text: str) -> str:
    return text.translate(_TURKISH).casefold()


def paragraphs(text: str) -> tuple[str, ...]:
    """Split a plain text into its paragraphs and entries, each as one line."""
    return tuple(one_line(one) for one in _PARAGRAPH.split(text) if one.strip())
