"""Contacts and their engagement as plain JSON data, both ways: what exports and archives have in common.

An instant among the custom fields is written as `{"instant": ...}`, which sets it apart from a text; a number that JSON
does not know as `{"number": ...}`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.answers import Reason
from lifecycle_mail.model.contacts import FieldValue
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.policy.documents import converter

if TYPE_CHECKING:
    from cattrs import Converter


@functools.cache
def contact_converter() -> Converter:
    """Return the converter of policies, with what a contact holds beyond them."""
    made = converter().copy()
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_unstructure_hook(EmailAddress, lambda address: address.written)
    made.register_unstructure_hook_func(_is_text_set, sorted)
    made.register_unstructure_hook_func(_is_field_value, _plain_value)
    made.register_structure_hook(datetime, lambda value, _: parse_instant(_text(value)))
    made.register_structure_hook(EmailAddress, lambda value, _: parse_address(_text(value)))
    made.register_structure_hook_func(_is_reason, lambda value, _: _text(value))
    made.register_structure_hook_func(_is_text_set, lambda value, _: _texts(value))
    made.register_structure_hook_func(_is_field_value, lambda value, _: _read_value(value))
    return made


def _is_reason(kind: Any) -> bool:
    return bool(kind == Reason)  # which of them there are, the answer's question says


def _is_text_set(kind: Any) -> bool:
    return bool(kind == frozenset[str])


def _is_field_value(kind: Any) -> bool:
    return bool(kind == FieldValue)


def _plain_value(value: FieldValue) -> object:
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    return value


def _read_value(value: object) -> FieldValue:
    if isinstance(value, Mapping) and set(value) == {"instant"}:
        return parse_instant(_text(value["instant"]))
    if isinstance(value, Mapping) and set(value) == {"number"}:
        return _number(_text(value["number"]))
    if isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(f"{str(value)[:40]!r}: expected a text, a number, a flag or an instant")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r}: expected a number") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{str(value)[:40]!r}: expected a text")
    return value


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise InvalidInput(f"{str(value)[:40]!r}: expected a list of texts")
    return frozenset(map(_text, value))
