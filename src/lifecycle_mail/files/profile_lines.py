"""Contacts with their engagement as JSON lines, which come back as they were.

A line holds the contact, the profile that was folded of their events, and where they moved: opt-outs follow the person
from one address to the next, and an address that they left still tells of theirs. An instant among the custom fields is
written as `{"instant": ...}`, which sets it apart from a text; a number that JSON does not know as `{"number": ...}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput
from lifecycle_mail.files.reading import RowRefused
from lifecycle_mail.model.addresses import EmailAddress, MatchKey, parse_address
from lifecycle_mail.model.contacts import Contact, FieldValue
from lifecycle_mail.model.entries import AddressChanged, Subject
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Provenance
from lifecycle_mail.policy.documents import converter, structure

if TYPE_CHECKING:
    from cattrs import Converter


@frozen(kw_only=True)
class Move:
    """A change of address, without the contact whose it is.

    Attributes:
        old, key: the match keys before and after, or None.
        provenance: who made it, and when.
    """

    old: MatchKey | None
    key: MatchKey | None
    provenance: Provenance


@frozen(kw_only=True)
class ContactLine:
    """What a line says.

    Attributes:
        contact: the contact.
        profile: their engagement, or None.
        moves: their changes of address, in order.
    """

    contact: Contact
    profile: EngagementProfile | None = None
    moves: tuple[Move, ...] = ()

    def changes(self) -> list[AddressChanged]:
        """Return the entries of the log that the moves are."""
        return [
            AddressChanged(
                subject=Subject(contact_id=self.contact.id, key=move.key), old=move.old, provenance=move.provenance
            )
            for move in self.moves
        ]


def moves_in(entries: Sequence[object], contact: Contact) -> tuple[Move, ...]:
    """Return the changes of address of a contact that stand among entries of the log."""
    return tuple(
        Move(old=one.old, key=one.subject.key, provenance=one.provenance)
        for one in entries
        if isinstance(one, AddressChanged) and one.subject.contact_id == contact.id
    )


_converters: list[Converter] = []


def _converter() -> Converter:
    if not _converters:
        made = converter().copy()
        made.register_structure_hook(datetime, lambda value, _: parse_instant(str(value)))
        made.register_structure_hook(EmailAddress, lambda value, _: parse_address(_text(value)))
        made.register_structure_hook(FieldValue, lambda value, _: _read_value(value))
        made.register_unstructure_hook(EmailAddress, str)
        _converters.append(made)
    return _converters[0]


def as_json(line: ContactLine) -> dict[str, Any]:
    """Return a line as what `write_jsonl` writes."""
    plain: dict[str, Any] = _converter().unstructure(line)
    plain["contact"]["fields"] = {name: _plain_value(value) for name, value in line.contact.fields.items()}
    return plain


def from_json(value: object) -> ContactLine:
    """Read a line.

    Raises:
        InvalidInput: it is none, or something in it is wrong; the message says where.
    """
    if not isinstance(value, Mapping) or "contact" not in value:
        raise RowRefused("it is no contact of an export", 'write one {"contact": ...} a line')
    try:
        line = structure(value, ContactLine, what="line", using=_converter())
    except InvalidDocument as error:
        raise InvalidInput("; ".join(map(str, error.problems))) from None
    if line.profile is not None and line.profile.contact_id != line.contact.id:
        raise RowRefused("the profile is that of another contact", "export it again")
    return line


def _plain_value(value: FieldValue) -> object:
    if isinstance(value, datetime):
        return {"instant": value}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    return value


def _read_value(value: object) -> FieldValue:
    if isinstance(value, Mapping) and set(value) == {"instant"}:
        return parse_instant(_text(value["instant"]))
    if isinstance(value, Mapping) and set(value) == {"number"}:
        return float(_text(value["number"]))
    if isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(f"{str(value)[:40]!r}: expected a text, a number, a flag or an instant")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{str(value)[:40]!r}: expected a text")
    return value
