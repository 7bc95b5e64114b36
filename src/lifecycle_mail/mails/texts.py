"""The checks of what specifications are made of: texts, links, days, and several of each.

Each is an attrs validator or converter, or what they are made from. They see what nobody else looks at again: no text
that passes breaks out of its line into a header (F55), and no link leads elsewhere than over https.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.hosts import OURSELVES, is_host
from lifecycle_mail.mails.links import MAX_URL
from lifecycle_mail.mails.lures import has_lure
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import one_of
from lifecycle_mail.model.unseen import FILLERS, JOINERS, is_blank

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

MAX_LINE: Final = 200
"""Characters of a title, a benefit, a name."""
MAX_PARAGRAPH: Final = 2_000
"""Characters of a text that may run over several lines."""
MAX_ITEMS: Final = 12
"""Entries of any list in a mail: more are not read."""
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,7}")
"""How a language tag is written."""

# Characters that are not seen, or that turn round how the rest is read: they end header lines and fake names (F55).
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PICTURES: Final = range(0x1F000, 0x1FB00)  # emoji that are newer than Python's tables are unknown to it, not unseen


def check_is_text(what: str, value: object) -> None:
    """Check that something is a text, of whatever length.

    Args:
        what: its name, for the message.
        value: what may be one.

    Raises:
        InvalidInput: it is none.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{what}: {type(value).__name__} is not a text")


def check_text(what: str, value: Any, *, most: int = MAX_LINE, lines: bool = False, empty: bool = False) -> None:
    """Check a text of the caller's that a mail will show.

    Args:
        what: its name, for the message.
        value: the text.
        most: characters at most.
        lines: whether it may have more than one line.
        empty: whether it may be empty.

    Raises:
        InvalidInput: it is no text, empty, too long, or has characters that are not seen.
    """
    check_is_text(what, value)
    if is_blank(value):
        if empty and not value:
            return
        raise InvalidInput(f"{what}: nothing is written there; give a text{', or leave it out' if empty else ''}")
    if len(value) > most:
        raise InvalidInput(f"{what}: {len(value):,} characters are too many, {most:,} fit: shorten it")
    for place, char in enumerate(value):
        if _is_hidden(char) and not (lines and char == "\n"):
            name = unicodedata.name(char, f"U+{ord(char):04X}")
            raise InvalidInput(f"{what}: character {place + 1} is {name}, which cannot be seen: take it out (F55)")


def _is_hidden(char: str) -> bool:
    return char in FILLERS or (
        unicodedata.category(char) in _HIDDEN and not (char in JOINERS or ord(char) in _PICTURES)
    )


def as_seen(value: str, *, lines: bool = False) -> str:
    """Keep of a text what is seen, as an attrs converter: for what comes from forms, imports and other people's tables.

    Byte-order and direction marks are everyday there, and keep nobody from the notice that they are owed (R15). Ends of
    lines and tabs are spaces. What is no text is left to the validator, which knows the name of the field.

    Args:
        value: as it came.
        lines: whether it may have more than one line.
    """
    if not isinstance(value, str) or not any(map(_is_hidden, value)):
        return value
    kept = []
    for char in value.replace("\r\n", "\n").replace("\r", "\n"):
        if not _is_hidden(char) or (lines and char == "\n"):
            kept.append(char)
        elif char.isspace():
            kept.append(" ")
    return "".join(kept).strip()


def as_seen_lines(value: str) -> str:
    """Keep of a text of several lines what is seen, as an attrs converter."""
    return as_seen(value, lines=True)


def check_url(what: str, value: object) -> None:
    """Check a link: https, a host, nothing that a header line or a reader could be fooled by.

    Raises:
        InvalidInput: it is none; the message says why.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidInput(f"{what}: a link is ASCII without spaces: percent-encode its path, IDNA-encode its host")
    if len(value) > MAX_URL:
        raise InvalidInput(f"{what}: {len(value)} characters are too many for a link in a mail, {MAX_URL} fit (R5)")
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        # Whole, so that there is no user name, no bracket and no empty port.
        fine = parts.netloc.lower() in (host, f"{host}:{parts.port}") and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(char in value for char in "<>\"'`\\{}|^"):
        # It is not repeated: it may hold a password.
        raise InvalidInput(f"{what}: not a link that a mail may carry: write https://host/path, with no user name")
    if not is_host(host) or (parts.scheme != "https" and not (parts.scheme == "http" and host in OURSELVES)):
        raise InvalidInput(
            f"{what}: it leads nowhere that a mail may lead: write https:// and the whole name of a host, as in "
            f"https://mail.example.com"
        )


def is_line(_instance: object, at: Any, value: Any) -> None:
    """Check, as an attrs validator, that a field holds a text of one line."""
    check_text(at.name, value)


def is_line_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of one line, or none."""
    check_text(at.name, value, empty=True)


def is_words_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of one line, or none, that may come from people: no link, no number to call."""
    check_text(at.name, value, empty=True)
    if has_lure(value):
        # It is not repeated: an error must not carry it any further.
        raise InvalidInput(
            f"{at.name}: it holds a link, an address or seven digits and more, which strangers write into forms for "
            f"others to read: write it in words, or leave it out (F55)"
        )


def is_paragraph_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of several lines, or none."""
    check_text(at.name, value, most=MAX_PARAGRAPH, lines=True, empty=True)


def is_link(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a link."""
    check_url(at.name, value)


def is_day(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a day: a date without a time, as the reader's calendar has it."""
    if type(value) is not date:
        raise InvalidInput(f"{at.name}: {value!r} is not a day: give datetime.date(2026, 3, 31)")


def is_a(of: type) -> Callable[[object, Any, Any], None]:
    """Return a validator of a field that holds one of a class."""

    def check(_instance: object, at: Any, value: Any) -> None:
        if not isinstance(value, of):
            # It is not repeated: it may be the whole number of a card.
            raise InvalidInput(f"{at.name}: a {type(value).__name__} is not a {of.__name__}")

    return check


def is_flag(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds yes or no."""
    if not isinstance(value, bool):
        raise InvalidInput(f"{at.name}: a {type(value).__name__} is not True or False")


def as_tuple(values: Iterable[T]) -> tuple[T, ...]:
    """Keep several as a tuple. What is not several is left to the validator, which knows the name of the field."""
    several = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    return tuple(values) if several else values  # type: ignore[return-value]


def as_members(kind: type[E], values: Iterable[E], what: str) -> tuple[E, ...]:
    """Keep several members of an enumeration, or their words, as a tuple.

    Raises:
        InvalidInput: one is none of them.
    """
    found = as_tuple(values)
    return tuple(one_of(kind, value, what) for value in found) if isinstance(found, tuple) else found


def as_texts(values: Iterable[str]) -> tuple[str, ...]:
    """Keep several texts as a tuple, as an attrs converter."""
    return as_tuple(values)


def as_lists(values: Iterable[MailingList]) -> tuple[MailingList, ...]:
    """Keep several lists as a tuple, as an attrs converter."""
    return as_tuple(values)


def are(
    of: type | None = None, *, least: int = 0, most: int = MAX_ITEMS, among: Collection[object] | None = None
) -> Callable[[object, Any, Any], None]:
    """Return a validator of a field that holds several.

    Args:
        of: their class; None for texts of one line.
        least: how many there are at least.
        most: how many there are at most.
        among: what can be chosen from, or None.

    The validator tells at once all that is wrong with the first entries, as many as fit.
    """

    def wrong(what: str, value: Any) -> Iterator[str]:
        if of is None:
            try:
                check_text(what, value)
            except InvalidInput as error:
                yield str(error)
                return
        elif not isinstance(value, of):
            yield f"{what}: {type(value).__name__} is not a {of.__name__}"
            return
        if among is not None and value not in among:
            yield f"{what}: '{value}' is none of {', '.join(map(str, among))}"

    def check(_instance: object, at: Any, values: Any) -> None:
        if not isinstance(values, tuple):
            raise InvalidInput(f"{at.name}: a {type(values).__name__} is not several: give a list")
        found, fine = [], []
        if not least <= len(values) <= most:
            found.append(f"{at.name}: {len(values):,} entries; give {least} to {most}")
        for place, value in enumerate(values[:most]):
            told = [*wrong(f"{at.name}[{place}]", value)]
            found += told
            fine += [] if told else [value]
        if len(set(fine)) != len(fine):
            found.append(f"{at.name}: an entry is there twice")
        if found:
            raise InvalidInput("; ".join(found))

    return check


def as_address(value: EmailAddress | str, what: str = "address") -> EmailAddress:
    """Parse an address, as an attrs converter.

    Raises:
        InvalidAddress: it cannot be mailed.
        InvalidInput: it is no text.
    """
    if not isinstance(value, str | EmailAddress):
        raise InvalidInput(f"{what}: a {type(value).__name__} is not an address: give a text such as ann@example.com")
    return parse_address(value) if isinstance(value, str) else value


def as_reply_to(value: EmailAddress | str | None) -> EmailAddress | None:
    """Parse where replies go, which may be missing."""
    return None if value is None else as_address(value, "reply_to")


def is_locale(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a language tag."""
    if not isinstance(value, str) or not LANGUAGE_TAG.fullmatch(value):
        raise InvalidInput(f"{at.name} {str(value)[:40]!r}: write a language tag such as et, pt-BR or zh-Hant")
