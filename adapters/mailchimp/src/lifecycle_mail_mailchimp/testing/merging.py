"""Values of merge fields, as Mailchimp takes and keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from lifecycle_mail_mailchimp.testing.state import MergeField

MOST_BYTES: Final = 255
"""How much of a text is kept."""


class WrongValue(ValueError):
    """A value that a field does not take."""


def merged(fields: Mapping[str, MergeField], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the values to keep, by tag, and what is wrong with the others. Tags that nobody has are passed over."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for tag, value in given.items():
        if tag not in fields:
            continue
        try:
            values[tag] = _taken(fields[tag], value)
        except WrongValue as error:
            wrong.append((tag, str(error)))
    return values, wrong


def missing(fields: Mapping[str, MergeField], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the required fields that are blank."""
    return [(tag, "Please enter a value") for tag, one in fields.items() if one.required and is_blank(values.get(tag))]


def is_blank(value: object) -> bool:
    """Tell whether a field holds nothing."""
    return value is None or value == ""


def as_date(value: object) -> date | None:
    """Read a date as fields of dates take it: `2026-03-01`, `03/01/2026`, or an instant, of which the day is kept."""
    text = str(value)
    readers: tuple[Callable[[str], date], ...] = (date.fromisoformat, _american, _day_of)
    for read in readers:
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _american(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a day has no zone


def _day_of(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _taken(one: MergeField, value: Any) -> Any:
    if is_blank(value):
        return ""
    return _KINDS.get(one.type, _KINDS["text"])(one, value)


def _text(_one: MergeField, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongValue("This value should be a string.")
    return str(value).encode()[:MOST_BYTES].decode(errors="ignore")


def _number(_one: MergeField, value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return int(value) if str(value).lstrip("+-").isdecimal() else float(value)
    except (TypeError, ValueError):
        raise WrongValue("Please enter a number") from None


def _date(_one: MergeField, value: Any) -> str:
    read = as_date(value)
    if read is None:
        raise WrongValue("Please enter a valid date")
    return read.isoformat()


def _address(one: MergeField, value: Any) -> Any:
    if not isinstance(value, dict):
        return _text(one, value)
    if lacking := [name for name in ("addr1", "city", "state", "zip") if not value.get(name)]:
        raise WrongValue(f"Please enter a complete address: {', '.join(lacking)}")
    return {"addr2": "", "country": "US", **{name: str(part) for name, part in value.items()}}


def _choice(one: MergeField, value: Any) -> str:
    text = _text(one, value)
    if text not in one.options.get("choices", ()):
        raise WrongValue("Please select a valid value")
    return text


_KINDS: Final[Mapping[str, Callable[[MergeField, Any], Any]]] = {
    "text": _text,
    "number": _number,
    "date": _date,
    "address": _address,
    "radio": _choice,
    "dropdown": _choice,
}
