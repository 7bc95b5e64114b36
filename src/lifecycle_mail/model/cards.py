"""Numbers of payment cards in what people write: they are neither kept nor mailed back.

Somebody who tells why they left may write the whole number of the card that was charged. Nobody here may keep it, and
a mail may name its last four digits alone (C2). A number is taken for a card's where it begins as one does, has 13 to
19 digits (ISO/IEC 7812), in groups or not, and its last digit is the check that Luhn's formula asks for. One in ten of
other numbers that are as long passes, too; of an order's number the last four digits are left, which mostly will do.
"""

from __future__ import annotations

import re
from typing import Final

_LEAST: Final = 13
_MOST: Final = 19
_FIRST: Final = frozenset("23456")
"""What the numbers of payment cards begin with."""
_LAST: Final = 4

_DIGITS: Final = re.compile(r"\d+")
_RUN: Final = re.compile(r"\d+(?:[^\w\n]{1,3}\d+)*")
"""Groups of digits, with a space, a dash or the like between them."""


def without_cards(text: str) -> str:
    """Leave of each number that can be a card's its last four digits."""
    return _RUN.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    said, kept, after = found[0], "", 0
    groups = list(_DIGITS.finditer(said))
    place = 0
    while place < len(groups):
        last = _last_of_card(groups, place)
        if last is None:
            place += 1
            continue
        start, end = groups[place].start(), groups[last].end()
        kept += f"{said[after:start]}•••• {_plain(said[start:end])[-_LAST:]}"
        after, place = end, last + 1
    return kept + said[after:]


def _last_of_card(groups: list[re.Match[str]], first: int) -> int | None:
    """Return the last group of the card's number that begins with a group, or None where none does."""
    digits = ""
    for place in range(first, min(len(groups), first + _MOST)):
        digits += _plain(groups[place][0])
        if len(digits) > _MOST:
            return None
        if len(digits) >= _LEAST and digits[0] in _FIRST and _checks(digits):
            return place
    return None


def _plain(text: str) -> str:
    """Return the digits of a text, in whichever script they are written."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def _checks(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(one - 9 * (one > 9) for one in doubled)) % 10 == 0
