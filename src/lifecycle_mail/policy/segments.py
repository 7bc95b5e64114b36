"""Segments: computed filters (L2). Nobody joins or leaves one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeGuard

from attrs import field, frozen

from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ListKey, SegmentKey, require_slug
from lifecycle_mail.policy.predicates import EVERYONE, Predicate
from lifecycle_mail.policy.text import read_predicate


def list_key(value: MailingList | str) -> ListKey:
    """Take a list or its key as the key."""
    return value.key if isinstance(value, MailingList) else ListKey(value)


def _list_keys(value: MailingList | str | Iterable[MailingList | str] | None) -> tuple[ListKey, ...]:
    if value is None:
        return ()
    if isinstance(value, MailingList | str):
        return (list_key(value),)
    return tuple(dict.fromkeys(map(list_key, value)))


def _segment_key(value: str) -> SegmentKey:
    return SegmentKey(value)


@frozen
class Segment:
    """A computed filter of one list, of several, or of all contacts.

    Attributes:
        key: our slug for it.
        of: the lists whose subscribers are filtered; none means all contacts, and then no marketing can go to it.
        where: who of them is in it.
        title: for people.
    """

    key: SegmentKey = field(converter=_segment_key, validator=require_slug)
    of: tuple[ListKey, ...] = field(kw_only=True, default=None, converter=_list_keys)
    where: Predicate = field(kw_only=True, default=EVERYONE, converter=read_predicate)
    title: str = field(kw_only=True, default="")


def ranks_needed(predicates: Iterable[Predicate]) -> tuple[str, ...]:
    """Return the `rank:...` facts that these predicates read, in order."""
    return tuple(sorted({name for predicate in predicates for name in predicate.facts() if name.startswith("rank:")}))


def rank(values: Sequence[tuple[str, float | None]]) -> dict[str, int]:
    """Rank contacts by a number, highest first, from 1; equals in order of contact_id, the missing not at all.

    Args:
        values: (contact_id, number) of each.
    """
    ordered = sorted((-value, contact_id) for contact_id, value in values if _is_number(value))
    return {contact_id: place for place, (_, contact_id) in enumerate(ordered, 1)}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
