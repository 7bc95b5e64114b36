"""What the style of an element hides, read as a browser reads it.

A value that is worked out and may be nothing (`calc(0px)`, `var(--x)`, an escape) is taken for hiding. A length has a
unit, as wherever a page says what kind of HTML it is. A template writes the styles, so whatever reads them takes linear
time (F54).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

OF_BLOCKS: Final = frozenset({"block", "flex", "grid", "list-item", "table", "table-cell", "table-row"})
"""What makes a block of an inline element."""
_OF_PARENT: Final = re.compile(r"inherit|unset|smaller|larger|[\d.]+(?:em|ex|ch|%)")
SIZES: Final = (
    "height", "width", "max-height", "max-width", "block-size", "inline-size", "max-block-size", "max-inline-size",
)  # fmt: skip
_OVERFLOWS: Final = ("overflow-x", "overflow-y")
_CUTS_OFF: Final = frozenset({"hidden", "clip", "scroll", "auto", "overlay"})
_WIDE: Final = frozenset({"inherit", "initial", "unset", "revert"})
_KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "display": _WIDE | OF_BLOCKS | {
        "none", "inline", "inline-block", "inline-table", "inline-flex", "inline-grid", "contents", "flow-root", "ruby",
        "table-caption", "table-column", "table-column-group", "table-footer-group", "table-header-group",
        "table-row-group",
    },
    "visibility": _WIDE | {"visible", "hidden", "collapse"},
    "opacity": _WIDE,
    "font-size": _WIDE | {
        "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large", "smaller", "larger",
    },
    **dict.fromkeys(_OVERFLOWS, _WIDE | _CUTS_OFF | {"visible"}),
    **dict.fromkeys(SIZES, _WIDE | {"auto", "none", "min-content", "max-content", "fit-content"}),
}  # fmt: skip
"""Words that a property knows; of the declarations of a name a browser takes the last that it understands."""
_HIDES: Final[Mapping[str, str]] = {
    "display": "none", "visibility": "hidden", **dict.fromkeys(_OVERFLOWS, "hidden"),
}  # fmt: skip
_NUMBER: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?)([a-z]{1,5}|%)?")
_UNITS: Final = frozenset({
    "%", "px", "pt", "pc", "in", "cm", "mm", "q", "em", "rem", "ex", "rex", "ch", "rch", "ic", "lh", "rlh", "cap",
    *(f"{which}{of}" for which in ("", "s", "l", "d") for of in ("vh", "vw", "vi", "vb", "vmin", "vmax")),
})  # fmt: skip
_LONGEST_NUMBER: Final = 40
_TOKEN: Final = re.compile(
    r"""(?P<comment>/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?)|"[^"\n]*+"?|'[^'\n]*+'?|[^/"'()\[\]{};]++|.""", re.DOTALL
)
"""A comment or text that is not closed goes on to the end, a text to that of its line."""
_OPENS: Final = frozenset("([{")
_CLOSES: Final = frozenset(")]}")
_ELSEWHERE: Final = ("var(", "env(", "attr(")


def declared(style: str) -> dict[str, str]:
    """Read the declarations of an element as a browser does, as far as they can hide something.

    The last of a name that is understood counts, and the important ones before the others.
    """
    found: dict[str, str] = {}
    important: set[str] = set()
    for one in _declarations(style.casefold()):
        name, _, value = one.partition(":")
        value, mark, rest = value.partition("!")
        if mark and rest.strip() != "important":
            continue
        for part, said in _in_long(name.strip(), value.strip()):
            understood = _understood(part, said)
            if understood is None:
                continue
            if mark:
                important.add(part)
            elif part in important:
                continue
            found[part] = understood
    return found


def _declarations(style: str) -> Iterator[str]:
    """Split a style where its declarations end: not in a comment, a text or brackets."""
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(style):
        text = token[0]
        if text == ";" and not depth:
            yield "".join(parts)
            parts = []
        else:
            depth = max(0, depth + (text in _OPENS) - (text in _CLOSES))
            parts.append(" " if token["comment"] else text)
    yield "".join(parts)


def _in_long(name: str, value: str) -> Iterator[tuple[str, str]]:
    """Write a declaration of several properties as one of each."""
    if "\\" in name:  # whatever it spells: nobody has to write it so
        yield "display", "none"
    elif name == "overflow":
        across, _, down = value.partition(" ")
        yield "overflow-x", across
        yield "overflow-y", down.strip() or across
    elif name == "font":
        yield "font-size", _size_of(value)
    else:
        yield name, value


def _understood(name: str, value: str) -> str | None:
    """Return what a property takes a value for, or None where it takes it for nothing."""
    if name not in _KEYWORDS or value in _KEYWORDS[name]:
        return value
    if _is_worked_out(name, value):
        return _HIDES.get(name, "0")
    number = None if name in _HIDES else _NUMBER.fullmatch(value)
    if number is None:
        return None
    if name == "opacity":
        return value if number[2] in (None, "%") else None
    return value if number[2] in _UNITS or (number[2] is None and is_nothing(value)) else None


def _is_worked_out(name: str, value: str) -> bool:
    """Whether a value is not what is written, and may be nothing; `calc(100% - 20px)` is something."""
    if "(" in value or len(value) > _LONGEST_NUMBER:
        is_elsewhere = any(one in value for one in _ELSEWHERE)
        return name in _HIDES or is_elsewhere or not any(digit in value for digit in "123456789")
    return "\\" in value


def is_nothing(value: str | None) -> bool:
    """Whether a value is zero, or below it, whatever its unit."""
    if value is None or len(value) > _LONGEST_NUMBER:
        return False
    number = _NUMBER.fullmatch(value)
    return number is not None and float(number[1]) <= 0


def cuts_off(style: Mapping[str, str]) -> bool:
    """Whether a box of no height or width cuts off what is in it."""
    return any(style.get(one) in _CUTS_OFF for one in _OVERFLOWS) and any(is_nothing(style.get(one)) for one in SIZES)


def is_hidden(value: str | None, outer: bool) -> bool:
    """Whether an element is not visible: by its own `visibility`, or that of the one around it."""
    return outer if value in (None, *_WIDE - {"initial"}) else value not in ("visible", "initial")


def is_tiny(style: Mapping[str, str], outer: bool) -> bool:
    """Whether the words of an element have no size: by its own, or that of the one around it."""
    size = style.get("font-size")
    return outer if size is None or (outer and _OF_PARENT.fullmatch(size)) else is_nothing(size)


def _size_of(font: str) -> str:
    """Return the size that a short declaration of a font has, or nothing where it is none.

    It is the first length that is no weight, and names of fonts follow it.
    """
    words = font.split()
    if len(words) == 1:
        return font if font in _WIDE or "(" in font or "\\" in font else ""
    for word in words[:-1]:
        size = word.partition("/")[0]
        if "(" in size or is_nothing(size) or (size[:1].isdigit() and not size.isdigit()):
            return size
    return ""
