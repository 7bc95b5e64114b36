"""Cells: text that becomes instants, numbers, labels and people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.reading import Note, RowRefused
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.intake import Who
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import is_hashed

_KEPT: Final = 1 << 16
_MOST: Final = 1e15


def instants(zone: ZoneInfo | None = None) -> Callable[[str], datetime]:
    """Return a `parse_instant` for that zone which remembers: a campaign's mails share their instants."""

    @lru_cache(maxsize=_KEPT)
    def read(text: str) -> datetime:
        return parse_instant(text, zone)

    return read


def tags_in(cell: str) -> frozenset[str]:
    """Read labels between commas, each perhaps in quotes: `Newsletter, VIP` or `"Tag one","Tag, two"`."""
    if not cell.strip():
        return frozenset()
    flat = " ".join(cell.split())
    try:
        found = next(csv.reader([flat], skipinitialspace=True, strict=True))
    except csv.Error:
        found = flat.split(",")
    return frozenset(tag.strip() for tag in found if tag.strip())


def text_of(value: object) -> str:
    """A JSON value as the cell of a table: a missing one is empty, a list of texts is a cell of labels."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _one_line(value)
    return json.dumps(value, ensure_ascii=False)


def _one_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


@lru_cache(maxsize=1024)
def zone_or_none(name: str) -> str | None:
    """The name if it is one of the IANA's, else None."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None
    return name


def timezone_in(cell: str, note: Note) -> str | None:
    """Read a time zone; what is none, such as the area codes `212/332/646/917`, is set aside."""
    text = cell.strip()
    if not text:
        return None
    zone = zone_or_none(text)
    if zone is None:
        note(f"{text[:40]!r} is no time zone: the contact is taken without one", "give an IANA name")
    return zone


def number_in(name: str, cell: str) -> float | None:
    """Read a number; an empty cell is None.

    Raises:
        RowRefused: it is none, or beyond any sense.
    """
    if not cell:
        return None
    try:
        number = float(cell)
    except ValueError:
        number = float("nan")
    if not abs(number) < _MOST:  # NaN, too
        raise RowRefused(f"{name}: {cell[:40]!r} is not a number")
    return number


def whole_in(name: str, cell: str) -> int | None:
    """Read a count; an empty cell is None.

    Raises:
        RowRefused: it is negative, or not whole.
    """
    number = number_in(name, cell)
    if number is None:
        return None
    if number < 0 or number != int(number):
        raise RowRefused(f"{name} is {number:g}: it should be a whole number of mails")
    return int(number)


def share_in(opened: str, unopened: str) -> float | None:
    """Read the share of mails opened from itself or from its opposite; empty cells are None.

    Raises:
        RowRefused: it does not lie between 0 and 1.
    """
    share, opposite = number_in("opened_share", opened), number_in("unopened_share", unopened)
    given = share if share is not None else opposite
    if given is None:
        return None
    if not 0 <= given <= 1:
        raise RowRefused(f"a share of {given:g}: it should lie between 0 and 1", "divide percentages by 100")
    return share if share is not None else round(1 - given, 9)


def address_in(cell: str) -> EmailAddress:
    """Read the address in a cell, white space around it aside.

    Raises:
        InvalidAddress: it cannot be mailed.
    """
    return parse_address(cell.strip())


def contact_id_in(cell: str) -> str:
    """Check a contact id.

    Raises:
        InvalidInput: it is too long, not printable, or begins like a keyed hash.
    """
    text = cell.strip()
    if len(text) > 256 or not text.isprintable() or is_hashed(text):
        Contact(id=ContactId(text))  # raises, in the words of the model
    return text


def someone(contact_id: str, email: str, note: Note) -> Who:
    """Say whom a row is about. A bad address beside a contact id is set aside: the contact is known all the
    same.

    Args:
        contact_id: the application's id, or empty.
        email: the address, or empty.
        note: told of a bad address.

    Raises:
        InvalidInput: neither says who it is.
    """
    known = contact_id_in(contact_id) or None
    if not email.strip():
        if known is None:
            raise RowRefused("it names nobody: the cells of the contact id and the address are empty")
        return Who(known)
    try:
        return Who(known, address_in(email))
    except InvalidInput as problem:
        if known is None:
            raise
        note(f"{problem}; the contact is taken without an address", "correct the address")
        return Who(known)
