"""What a template may read and call, listed for each kind of mail (C5).

What a specification, the brand and their parts hold is read off their classes and docstrings, and the rest is that of
`vocabulary`: each thing is described in one place.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, get_args, get_origin, get_type_hints

from attrs import NOTHING, evolve, fields, fields_dict, has

from lifecycle_mail.mails.brand import Brand, Logo, Palette, Theme
from lifecycle_mail.mails.kinds import KINDS, Kind, class_of
from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.mails.parts import Card, Item, Money, Recipient, Way
from lifecycle_mail.mails.vocabulary import (
    BLOCKS,
    FILTERS,
    FUNCTIONS,
    HEADINGS,
    MACROS,
    POINTS,
    SETTINGS,
    TESTS,
    URLS,
    Group,
    Placeholder,
)
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.lists import MailingList

_WORDS: Final[Mapping[type, tuple[str, str]]] = {
    str: ("text", "texts"),
    bool: ("yes or no", ""),
    int: ("whole number", ""),
    Decimal: ("number", ""),
    datetime: ("instant, written by `moment()` or `day()`", ""),
    date: ("day, written by `day()`", ""),
    Money: ("sum of money, written by `money()`", ""),
    Card: ("card", ""),
    Item: ("item", "items"),
    Way: ("way", "ways"),
    MailingList: ("list", "lists"),
    Recipient: ("reader", ""),
    EmailAddress: ("address", ""),
    Logo: ("image", ""),
    Theme: ("theme", ""),
    Palette: ("colours", ""),
}
_ENTRY: Final[Mapping[type, str]] = {Item: "item", Way: "way", MailingList: "topic"}
"""What one of several is called in a loop."""
_HIDDEN: Final[Mapping[type, frozenset[str]]] = {
    EmailAddress: frozenset({"written", "local", "domain", "identity", "masked"})
}
"""What is no template's business."""
_ENTRY_OF_DOC: Final = re.compile(r"^    (?P<names>\w+(?:, \w+)*): (?P<doc>.*(?:\n     +.*)*)", re.MULTILINE)


def placeholders(kind: Kind) -> tuple[Placeholder, ...]:
    """Return all that a template of a kind may read, call or replace, in the order of `Group`."""
    from lifecycle_mail.mails.samples import BRAND, sample_reader, samples

    spec = samples(sample_reader())[kind]
    return (
        *_inside(class_of(kind), spec, "spec", Group.SPEC),
        *_inside(Brand, BRAND, "brand", Group.BRAND),
        *_urls(kind),
        *_points(kind),
        *_blocks(kind),
        *MACROS.values(),
        *(one for name, one in FUNCTIONS.items() if _is_for(kind, name)),
        *FILTERS.values(),
        *TESTS.values(),
        *SETTINGS.values(),
    )


def to_markdown(kind: Kind, *, groups: Iterable[Group] = tuple(Group), level: int = 2) -> str:
    """Return the placeholders of a kind as Markdown: a heading, and a table for each group.

    Args:
        kind: of the mail.
        groups: those to show; all of them where it is left out.
        level: of the heading that names the kind.
    """
    wanted = frozenset(groups)
    found = placeholders(kind)
    parts = [f"{'#' * level} {kind}", KINDS[kind].doc]
    for group in Group:
        rows = [one for one in found if one.group is group and group in wanted]
        if rows:
            parts += [f"{'#' * (level + 1)} {HEADINGS[group]}", _as_table(group, rows)]
    return "\n\n".join(parts) + "\n"


_SAID: Final = {Group.SPEC: "In every mail", Group.BRAND: "In every mail", Group.BLOCK: "Needed"}
"""What a table calls it that something is required, if it says so."""


def _as_table(group: Group, rows: Sequence[Placeholder]) -> str:
    columns = {"Name": [f"`{one.name}`" for one in rows]}
    if any(one.type for one in rows):
        columns["Type"] = [one.type for one in rows]
    if group in _SAID:
        columns[_SAID[group]] = ["yes" if one.required else "no" for one in rows]
    columns["What it is"] = [one.doc for one in rows]
    lines = [tuple(columns), ("---",) * len(columns), *zip(*columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |" for cells in lines)


def _is_for(kind: Kind, function: str) -> bool:
    row = KINDS[kind]
    return {"subject_line": row.marketing, "point": bool(row.points)}.get(function, True)


def _urls(kind: Kind) -> Iterator[Placeholder]:
    from lifecycle_mail.mails.urls import Urls

    for name, (gives, is_there) in URLS.items():
        if is_there(kind):
            yield Placeholder(name=f"url.{name}", group=Group.URL, type=gives, doc=_first(getattr(Urls, name).__doc__))


def _points(kind: Kind) -> Iterator[Placeholder]:
    for point, names in KINDS[kind].points.items():
        carried = f" Carried by {', '.join(f'`spec.{name}`' for name in names)}." if names else ""
        name = f'{{% call point("{point}") %}}'
        yield Placeholder(name=name, group=Group.POINT, doc=POINTS[point] + carried)


def _blocks(kind: Kind) -> Iterator[Placeholder]:
    needed = {"preheader", "body"} if KINDS[kind].marketing else {"subject", "preheader", "body"}
    for name, one in BLOCKS.items():
        yield evolve(one, required=name in needed)


def _inside(cls: type[Any], full: Any, prefix: str, group: Group, of: str = "") -> Iterator[Placeholder]:
    """List the fields of a class, and what is inside them.

    Args:
        full: one of the class that says much, or None: then only what has no default is always there.
        of: what it is one of, as a template names it.
    """
    from lifecycle_mail.mails.samples import bare

    docs, hints, known = _docs(cls), get_type_hints(cls), fields_dict(cls)
    lean = None if full is None else bare(full)
    for name, gives in {**{one.name: hints[one.name] for one in fields(cls)}, **_properties(cls)}.items():
        if name in _HIDDEN.get(cls, ()):
            continue
        at = f"{prefix}.{name}"
        kind = _without_none(gives)
        always = name not in known or known[name].default is NOTHING
        if lean is not None:
            always = bool(getattr(lean, name)) or kind is bool
        doc = docs[name] + (f" One of `{of}`." if of else "")
        words = _in_words(gives, link=name.endswith("url") or name == "website")
        yield Placeholder(name=at, group=group, type=words, required=always, doc=doc)
        value = None if full is None else getattr(full, name)
        if get_origin(kind) is tuple:
            (entry, *_) = get_args(kind)
            if entry in _ENTRY:
                yield from _inside(entry, value[0] if value else None, _ENTRY[entry], group, at)
        elif has(kind):
            yield from _inside(kind, value, at, group)


def _properties(cls: type[Any]) -> dict[str, Any]:
    """What else it says about itself, as a text or an address."""
    found = {
        name: get_type_hints(one.fget).get("return")
        for base in reversed(cls.__mro__)
        for name, one in vars(base).items()
        if isinstance(one, property)
    }
    return {name: gives for name, gives in found.items() if gives in (str, EmailAddress)}


def _docs(cls: type[Any]) -> dict[str, str]:
    """What docstrings say about attributes and properties, those of base classes too."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        said = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")[2].partition("\n\n")[0]
        for entry in _ENTRY_OF_DOC.finditer(said):
            doc = one_line(entry["doc"])
            found |= dict.fromkeys(entry["names"].split(", "), doc[:1].upper() + doc[1:])
        found |= {name: _first(one.__doc__) for name, one in vars(base).items() if isinstance(one, property)}
    return {**dict.fromkeys([one.name for one in fields(cls)], ""), **found}


def _first(doc: str | None) -> str:
    return one_line(inspect.cleandoc(doc or "").partition("\n\n")[0])


def _without_none(gives: Any) -> Any:
    kept = [one for one in get_args(gives) if one is not type(None)]
    return kept[0] if len(kept) < len(get_args(gives)) else gives


def _in_words(gives: Any, *, link: bool) -> str:
    """Say what is there, as somebody reads it who writes templates."""
    kind = _without_none(gives)
    several = get_origin(kind) is tuple
    one = get_args(kind)[0] if several else kind
    one = getattr(one, "__supertype__", one)
    if inspect.isclass(one) and issubclass(one, Enum):
        words = f"{'several' if several else 'one'} of {', '.join(f'`{value}`' for value in one)}"
    else:
        words = f"several {_WORDS[one][1]}" if several else "link" if link else _WORDS[one][0]
    return words if kind is gives else f"{words}; or None"
