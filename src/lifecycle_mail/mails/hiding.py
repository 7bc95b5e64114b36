"""What the style of an element hides, read as a browser reads it.

A value that is worked out and may be nothing (`calc(0px)`, `var(--x)`, an escape) is taken for hiding. A template
writes the styles, so whatever reads them takes linear time (F54).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

OF_BLOCKS: Final = frozenset({"block", "flex", "grid", "list-item", "table", "table-cell", "table-row"})
"""What makes a block of an inline element."""
_OF_PARENT: Final = re.compile(r"inherit|unset|smaller|larger|[\d.]+(?:em|ex|ch|%)")
SIZES: Final = ("height", "width", "max-height", "max-width")
_OVERFLOWS: Final = ("overflow", "overflow-x", "overflow-y")
_CUTS_OFF: Final = frozenset({"hidden", "clip", "scroll", "auto"})
_WIDE: Final = frozenset({"inherit", "initial", "unset", "revert"})
_KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "display": _WIDE | OF_BLOCKS | {
        "none", "inline", "inline-block", "inline-table", "inline-flex", "inline-grid", "contents", "flow-root", "ruby",
        "run-in", "table-caption", "table-column", "table-column-group", "table-footer-group", "table-header-group",
        "table-row-group",
    },
    "visibility": _WIDE | {"visible", "hidden", "collapse"},
    "opacity": _WIDE,
    "font-size": _WIDE | {
        "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large", "smaller", "larger",
    },
    **dict.fromkeys(SIZES, _WIDE | {"auto", "none", "min-content", "max-content", "fit-content"}),
}  # fmt: skip
"""Words that a property knows; of the declarations of a name a browser takes the last that it understands."""
_HIDES: Final[Mapping[str, str]] = {"display": "none", "visibility": "hidden"}
_NUMBER: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?)(?:[a-z]{1,4}|%)?")
_LONGEST_NUMBER: Final = 40


def declared(style: str) -> dict[str, str]:
    """Read the declarations of an element as a browser does, as far as they can hide something.

    The last of a name that is understood counts, and the important ones before the others.
    """
    found: dict[str, str] = {}
    important: set[str] = set()
    for one in _without_comments(style).casefold().split(";"):
        name, _, value = one.partition(":")
        value, mark, _ = value.partition("!")
        name, value = name.strip(), value.strip()
        if "\\" in name:  # whatever it spells: nobody has to write it so
            name, value = "display", "none"
        elif name in _KEYWORDS:
            if _is_worked_out(name, value):
                value = _HIDES.get(name, "0")
            elif value not in _KEYWORDS[name] and (name in _HIDES or _NUMBER.fullmatch(value) is None):
                continue
        if mark:
            important.add(name)
        elif name in important:
            continue
        found[name] = value
    return found


def _is_worked_out(name: str, value: str) -> bool:
    """Whether a value is not what is written, and may be nothing; `calc(100% - 20px)` is something."""
    if "(" in value or len(value) > _LONGEST_NUMBER:
        return name in _HIDES or not any(digit in value for digit in "123456789")
    return "\\" in value


def _without_comments(style: str) -> str:
    """Leave the comments of CSS out; one that is not closed goes on to the end."""
    kept, start = [], 0
    while (begin := style.find("/*", start)) >= 0:
        kept.append(style[start:begin])
        end = style.find("*/", begin + 2)
        if end < 0:
            return "".join(kept)
        start = end + 2
    return "".join((*kept, style[start:]))


def is_nothing(value: str | None) -> bool:
    """Whether a value is zero, or below it, whatever its unit."""
    if value is None or len(value) > _LONGEST_NUMBER:
        return False
    number = _NUMBER.fullmatch(value)
    return number is not None and float(number[1]) <= 0


def cuts_off(style: Mapping[str, str]) -> bool:
    """Whether a box of no height or width cuts off what is in it."""
    overflows = (style.get(one, "").split() for one in _OVERFLOWS)
    return any(map(_CUTS_OFF.intersection, overflows)) and any(is_nothing(style.get(one)) for one in SIZES)


def is_hidden(value: str | None, outer: bool) -> bool:
    """Whether an element is not visible: by its own `visibility`, or that of the one around it."""
    return outer if value in (None, "", "inherit", "unset") else value != "visible"


def is_tiny(style: Mapping[str, str], outer: bool) -> bool:
    """Whether the words of an element have no size: by its own, or that of the one around it."""
    size = style.get("font-size") or _size_of(style.get("font", ""))
    return outer if not size or (outer and _OF_PARENT.fullmatch(size)) else is_nothing(size)


def _size_of(font: str) -> str:
    """Return the size that a short declaration of a font has: the first length that is no weight."""
    for word in font.split():
        size = word.partition("/")[0]
        if is_nothing(size) or (size[:1].isdigit() and not size.isdigit()):
            return size
    return ""
