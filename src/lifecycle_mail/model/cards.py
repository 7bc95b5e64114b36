"""Numbers of payment cards in what people write: they are neither kept nor mailed back.

Somebody who tells why they left may write the whole number of the card that was charged. Nobody here may keep it, and
a mail may name its last four digits alone (C2). A number is taken for a card's where it begins as one does, has 13 to
19 digits (ISO/IEC 7812), in groups or not, and its last digit is the check that Luhn's formula asks for. One in ten of
other numbers that are as long passes, too; of an order's number the last four digits are left, which mostly will do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_LENGTHS: Final = range(19, 12, -1)
_USUAL: Final = {"2": 16, "3": 15, "4": 16, "5": 16, "6": 16}
"""What the numbers of payment cards begin with, and how long most of them are."""
_LAST: Final = 4

_RUN: Final = re.compile(r"•{4} \d{4}(?!\d)|\d+(?:(?:[^\w•]|_){1,5}\d+)*")
"""What was hidden before; or groups of digits, with a space, a dash, the end of a line or the like between them."""


def without_cards(text: str) -> str:
    """Leave of each number that can be a card's its last four digits. Done again, it changes nothing more."""
    return _RUN.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    said = found[0]
    if said.startswith("•"):
        return said
    places = [place for place, char in enumerate(said) if char.isdecimal()]
    digits = "".join(str(int(said[place])) for place in places)  # in whichever script they are written
    kept, done = "", 0
    for at in range(len(digits)):
        if at < done or (at > done and places[at - 1] + 1 == places[at]):
            continue  # a number begins where digits do, or behind one that was hidden
        length = _length_of_card(digits, places, at)
        if length:
            begins = places[done - 1] + 1 if done else 0
            done = at + length
            is_cut = done < len(digits) and places[done] == places[done - 1] + 1
            kept += f"{said[begins : places[at]]}•••• {digits[done - _LAST : done]}{' ' * is_cut}"
    return kept + said[places[done - 1] + 1 if done else 0 :]


def _length_of_card(digits: str, places: Sequence[int], at: int) -> int:
    """Return how many digits the card's number has that begins at one of them, the longest; 0 where none does.

    It ends where digits do. One of the usual length may have more behind it: the code on the back, say.
    """
    usual = _USUAL.get(digits[at])
    for length in _LENGTHS if usual else ():
        end = at + length
        if end > len(digits) or not _checks(digits[at:end]):
            continue
        if length == usual or end == len(digits) or places[end] != places[end - 1] + 1:
            return length
    return 0


def _checks(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(one - 9 * (one > 9) for one in doubled)) % 10 == 0
