"""What the service needs of an ESP that holds contacts: their fields, their topics, and segments of them (E2, L7).

The ESP's copy is never the truth about consent. It is told who is subscribed; of who is out it hears by
`TakesOptOuts`, and what it says in somebody's favour changes nothing here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports.esps import Esp, Handled
from lifecycle_mail.ports.outbox import Bindings


@runtime_checkable
class KeepsBindings(Esp, Protocol):
    """An ESP adapter that keeps the ids which stand for our keys where the registry is."""

    def keep_in(self, bindings: Bindings) -> None:
        """Use these bindings from now on; called once, before anything else."""
        ...


def _keys(lists: Iterable[ListKey]) -> frozenset[ListKey]:
    return frozenset(lists)


@frozen(kw_only=True)
class Shown:
    """How a contact should look at an ESP.

    Attributes:
        contact: their address, which there is, fields and tags.
        lists: the lists they are subscribed to now, as screened; none where they are out.
    """

    contact: Contact
    lists: Set[ListKey] = field(default=frozenset(), converter=_keys)

    @property
    def address(self) -> EmailAddress:
        """Where mail reaches them."""
        assert self.contact.address is not None  # noqa: S101 - nobody without an address is shown to an ESP
        return self.contact.address


class KeptAs(StrEnum):
    """What an ESP says of a contact that it holds."""

    SUBSCRIBED = "subscribed"
    OUT = "out"
    """They left there, or were taken out by us."""
    BOUNCED = "bounced"
    PENDING = "pending"
    """Asked, and not answered yet."""
    INACTIVE = "inactive"
    """Held, and mailed nothing: archived, or known from a shop alone."""


@frozen(kw_only=True)
class Kept:
    """A contact that an ESP holds.

    Attributes:
        place: in which of its audiences; empty where it has one.
        address: theirs.
        contact_id: our id for them, where the ESP was told it.
        state: what it says of them.
        lists: the topics that it would mail them.
        digest: a hash of all that it shows of them, to be compared with `KeepsContacts.digest`.
        heard: what follows for consent: they took a topic away there that it had been told of, without leaving (F31).
    """

    place: str
    address: EmailAddress
    contact_id: ContactId | None = None
    state: KeptAs
    lists: Set[ListKey] = field(default=frozenset(), converter=_keys)
    digest: int = 0
    heard: tuple[Statement, ...] = ()


@frozen(kw_only=True)
class Change:
    """Something to tell an ESP about a contact.

    Attributes:
        shown: how the contact should look there: on those of their lists that are in the audience.
        place: in which audience.
        known: what it says of them so far; None where it does not hold them, or was not asked.
    """

    shown: Shown
    place: str = ""
    known: KeptAs | None = None


@runtime_checkable
class KeepsContacts(Esp, Protocol):
    """An ESP that holds contacts with their fields and topics."""

    @property
    def at_once(self) -> int:
        """How many contacts it takes in one call."""
        ...

    @property
    def connections(self) -> int:
        """How many calls it takes at the same time."""
        ...

    def prepare(
        self, fields: Mapping[str, FieldType], lists: Mapping[str, MailingList], *, dry_run: bool
    ) -> Sequence[str]:
        """Make the fields and topics that it lacks; return what was made, or would be, in words for people."""
        ...

    def kept(self) -> Iterator[Sequence[Kept]] | None:
        """Yield all that it holds, a page at a time; None where telling it needs no reading first.

        Somebody may be missed or come twice while others write there: telling it of who is not known must be safe.
        """
        ...

    @property
    def places(self) -> Mapping[str, Set[ListKey]]:
        """Its audiences, with the lists that are in each: `{"": {...}}` where it has one.

        Known once it is prepared, and as it would be after a dry run.
        """
        ...

    def digest(self, shown: Shown, place: str) -> int:
        """Return the hash that `Kept.digest` would have if it showed a contact just like this."""
        ...

    def lane(self, change: Change) -> Hashable:
        """Return what changes have in common that go into one call."""
        ...

    def show(self, changes: Sequence[Change]) -> Handled:
        """Tell it of changes of one lane, `at_once` at most. Repeating it changes nothing.

        It is never told that somebody is subscribed who is out there.

        Raises:
            EspRefused: none of them was taken.
            EspUnavailable: not done: may be repeated.
            OutcomeUnknown: some may have been taken; it may be repeated.
        """
        ...


@frozen(kw_only=True)
class Native:
    """A segment in an ESP's own words.

    Attributes:
        definition: what the ESP is told, as JSON.
        text: the same for people to read.
        inexact: how its members may differ for a while, if they may: counts that lag.
    """

    definition: object
    text: str
    inexact: str = ""


@frozen(kw_only=True)
class NotNative:
    """Why an ESP cannot express a segment: it is computed here, and its members are told.

    Attributes:
        reasons: every part that it cannot express, and why.
    """

    reasons: tuple[str, ...]


@runtime_checkable
class CompilesSegments(Esp, Protocol):
    """An ESP that computes a segment itself, where it can express it exactly."""

    def compiled(self, segment: Segment, fields: Mapping[str, FieldType]) -> Native | NotNative:
        """Put a segment into its words, or say why not. Asks nobody."""
        ...

    def put_segment(self, segment: Segment, native: Native) -> None:
        """Make the segment there, or change it to this."""
        ...


@runtime_checkable
class HoldsSegments(Esp, Protocol):
    """An ESP that holds a segment which was computed here. Its members are contacts that it holds."""

    def fill_segment(self, segment: Segment, members: Iterable[Contact]) -> Handled:
        """Make the segment, or change it, so that just these are in it."""
        ...

    def segment_count(self, segment: Segment) -> int | None:
        """Count who is in a segment there, however it was made; None where it cannot tell yet."""
        ...
