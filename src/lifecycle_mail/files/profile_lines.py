"""Contacts with their engagement as JSON lines, which come back as they were.

A line holds the contact, the profile that was folded of their events, and where they moved: opt-outs follow the person
from one address to the next, and an address that they left still tells of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput
from lifecycle_mail.files.contact_data import contact_converter
from lifecycle_mail.files.reading import RowRefused
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Subject
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Provenance
from lifecycle_mail.policy.documents import structure


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


def as_json(line: ContactLine) -> dict[str, Any]:
    """Return a line as what `write_jsonl` writes."""
    plain: dict[str, Any] = contact_converter().unstructure(line)
    return plain


def from_json(value: object) -> ContactLine:
    """Read a line.

    Raises:
        InvalidInput: it is none, or something in it is wrong; the message says where.
    """
    if not isinstance(value, Mapping) or "contact" not in value:
        raise RowRefused("it is no contact of an export", 'write one {"contact": ...} a line')
    try:
        line = structure(value, ContactLine, what="line", using=contact_converter())
    except InvalidDocument as error:
        raise InvalidInput("; ".join(map(str, error.problems))) from None
    if line.profile is not None and line.profile.contact_id != line.contact.id:
        raise RowRefused("the profile is that of another contact", "export it again")
    return line
