"""Contacts: the people an application knows.

A `contact_id` is the application's own and says nothing; an address is how mail reaches the person and may be
missing, in which case nothing is sendable. Fields are the application's, typed by a declaration, because
`"100" > "20"` is how segments go wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.instants import as_utc, optional_utc, parse_instant
from lifecycle_mail.model.lists import Frequency
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import PREFIX, is_hashed

FieldValue = bool | int | float | str | datetime
"""What a custom field may hold; a datetime is aware."""


class FieldType(StrEnum):
    """The type an application declares for a custom field."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    INSTANT = "instant"


_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})


def _number(value: object) -> FieldValue:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int | float):
        number: int | float = value
    else:
        text = str(value).strip()
        if "_" in text:  # Python reads 1_000 as a thousand; nobody who writes a list means that
            raise ValueError
        try:
            number = int(text)
        except ValueError:
            number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _flag(value: object) -> FieldValue:
    if isinstance(value, bool):
        return value
    text = str(value).strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError


def _instant(value: object) -> FieldValue:
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return parse_instant(str(value))


_READERS: Mapping[FieldType, tuple[Callable[[object], FieldValue], str]] = {
    FieldType.TEXT: (str, "any text"),
    FieldType.NUMBER: (_number, "a number such as 250 or 99.90"),
    FieldType.FLAG: (_flag, "true or false"),
    FieldType.INSTANT: (_instant, "a date such as 2026-02-03 or 2026-02-03T10:00:00Z"),
}


def read_field(name: str, value: object, kind: FieldType) -> FieldValue:
    """Turn a cell or a value into the declared type of a field.

    Raises:
        InvalidInput: the value is not of that type; the message names the field and an example.
    """
    reader, example = _READERS[kind]
    try:
        if value is None:
            raise ValueError
        return reader(value)
    except (ValueError, OverflowError):
        raise InvalidInput(f"field {name!r}: {str(value)[:40]!r} is not {example}") from None


def _freeze_fields(fields: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    if not fields:
        return _NO_FIELDS
    clean: dict[str, FieldValue] = {}
    for name, value in fields.items():
        if not isinstance(value, bool | int | float | str | datetime):
            raise InvalidInput(
                f"field {name!r}: {type(value).__name__} is not a field type: "
                f"use text, a number, a flag or an aware datetime"
            )
        clean[name] = as_utc(value) if isinstance(value, datetime) else value
    return MappingProxyType(dict(sorted(clean.items())))


_NO_FIELDS: Mapping[str, FieldValue] = MappingProxyType({})


def _require_id(_instance: object, _attribute: object, value: Any) -> None:
    if not value or len(value) > 256 or not value.isprintable():
        raise InvalidInput(f"contact id {value[:70]!r}: give 1 to 256 printable characters")
    if is_hashed(value):
        raise InvalidInput(f"contact id {value[:70]!r}: {PREFIX!r} begins keyed hashes of who was erased: give another")


def _as_tags(tags: Iterable[str]) -> frozenset[str]:
    if isinstance(tags, str):
        raise InvalidInput(f"tags {tags[:40]!r}: give a set of tags, not one text")
    return frozenset(tags)


@frozen(kw_only=True)
class Contact:
    """A person the application knows.

    Attributes:
        id: the application's opaque id.
        address: where mail reaches them; None means that nothing is sendable.
        fields: the application's own, by name; a name may start with a digit (L4).
        tags: free labels, kept as given.
        source: how they signed up (organic, contest, import ...), for S4.
        signed_up_at: aware UTC instant, or None where nobody knows.
        timezone: an IANA name for rules about civil time, or None.
        locale: BCP 47 language tag, or None.
        frequency: how often they chose to hear from us (P2), or None.
    """

    id: ContactId = field(validator=_require_id)
    address: EmailAddress | None = None
    fields: Mapping[str, FieldValue] = field(factory=dict, converter=_freeze_fields, hash=False)
    tags: frozenset[str] = field(default=frozenset(), converter=_as_tags)
    source: str | None = None
    signed_up_at: datetime | None = field(default=None, converter=optional_utc)
    timezone: str | None = field(default=None)
    locale: str | None = None
    frequency: Frequency | None = None

    @timezone.validator
    def _known_zone(self, _attribute: object, value: str | None) -> None:
        if value is None:
            return
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError):
            raise InvalidInput(f"time zone {value[:40]!r}: give an IANA name such as Europe/Tallinn") from None

    @property
    def email(self) -> str:
        """The address as text, or empty."""
        return "" if self.address is None else str(self.address)

    def updated(self, fields: Mapping[str, FieldValue | None], *, tags: Iterable[str] | None = None) -> Contact:
        """Return a copy with these fields set; None removes one."""
        merged = {**self.fields, **fields}
        kept = {name: value for name, value in merged.items() if value is not None}
        return evolve(self, fields=kept, tags=self.tags if tags is None else frozenset(tags))
