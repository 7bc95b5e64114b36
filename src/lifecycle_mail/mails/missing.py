"""What a template asks for and is not there: told by the names that stand in the template, with near misses.

Of what is there nothing is told but names: no value, which may be somebody's own, and no class of Python's.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.utils import missing

from lifecycle_mail.mails.vocabulary import FUNCTIONS, SETTINGS

_NAMES: Final = ("spec", "brand", "url", "part", *FUNCTIONS, *SETTINGS)
_IMPORTED: Final[Mapping[Any, str]] = {
    "part": ': begin with {% extends "mail" %}, or with {% import "parts" as part with context %}',
}
"""What is there in a template that begins as those do that ship, and how it begins."""
_SHOWN: Final = 60
"""Characters of a name that are shown; to compare longer ones takes long, and leads nowhere."""
_SOMETHING: Final = "what is asked"


class Missing(StrictUndefined):
    """What is not there. Whatever is done with it but to ask whether it is `defined` is a mistake, which is told then.

    Near misses are looked for when it is told: a template may ask ten thousand times for what is not there.
    """

    __slots__ = ("_undefined_is_written", "_undefined_place")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._undefined_place = ""
        self._undefined_is_written = False

    @property
    def _undefined_message(self) -> str:
        name, of = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if of is missing:
            return f"{_shown(name)} is undefined{_IMPORTED.get(name) or _near(name, _NAMES)}"
        what = _shown(name) if self._undefined_is_written else "what is asked for"
        place = self._undefined_place or _SOMETHING
        if issubclass(self._undefined_exception, SecurityError):
            return f"to read {what} of {place} is unsafe"
        if not self._undefined_is_written:
            return f"{place} has nothing of the name or number that is asked for"
        return f"{place} has no {what}{_near(name, _names(of))}"


def told(found: Any, place: str, *, is_written: bool) -> Any:
    """Return what was found; where it is missing, it tells from now on where it was looked for first.

    Args:
        found: what a template asked for, or a `Missing`.
        place: what it was asked of, as the template says it; see `place_of`.
        is_written: whether its name stands in the template. A name that was worked out may be somebody's own, and is
            not told.
    """
    if found.__class__ is Missing and not found._undefined_place:
        found._undefined_place, found._undefined_is_written = place, is_written
    return found


def place_of(node: nodes.Expr) -> str:
    """Return what stands in a template before a dot or a bracket, such as `spec.to`, where it can be said in short."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(f".{node.attr}")
        elif isinstance(node.arg, nodes.Const):
            parts.append(f"[{node.arg.value!r}]")
        else:
            return _SOMETHING
        node = node.node
    found = "".join([node.name if isinstance(node, nodes.Name) else "", *reversed(parts)])
    return found if isinstance(node, nodes.Name) and len(found) <= _SHOWN else _SOMETHING


def _shown(name: object) -> str:
    if not isinstance(name, str):
        return f"entry {name}"
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")


def _near(name: object, known: Iterable[str]) -> str:
    if not isinstance(name, str) or len(name) > _SHOWN:
        return ""
    near = get_close_matches(name, sorted(known), n=3)
    return f": did you mean {' or '.join(map(repr, near))}?" if near else ""


def _names(of: object) -> list[str]:
    """Return what can be read of something: its fields, and the macros of a template."""
    kind = type(of)
    found = [name for name in dir(kind) if _is_field(inspect.getattr_static(kind, name, None))]
    return [name for name in {*found, *getattr(of, "__dict__", ())} if not name.startswith("_")]


def _is_field(found: object) -> bool:
    return inspect.isdatadescriptor(found) or isinstance(found, cached_property)
