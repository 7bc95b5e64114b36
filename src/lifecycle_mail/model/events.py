"""Engagement events, normalised.

Every source (webhooks, exports, tables) is turned into these. `evidence` says whether a person or a machine
opened or clicked (R18); what nobody can tell stays `unknown` and is counted as a person's until evidence says
otherwise, because most ESPs' exports cannot tell.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.names import ContactId, EntryId, entry_id
from lifecycle_mail.model.peppers import PREFIX, is_hashed


class EventKind(StrEnum):
    """What happened to a mail. The order is that in which they happen within one instant."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    CONVERTED = "converted"
    DEFERRED = "deferred"
    SOFT_BOUNCED = "soft-bounced"
    HARD_BOUNCED = "hard-bounced"
    DROPPED = "dropped"


ENGAGING = frozenset({EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.CONVERTED})
"""Kinds that show interest, where no machine did them."""

FAILING = frozenset({EventKind.SOFT_BOUNCED, EventKind.HARD_BOUNCED, EventKind.DROPPED})
"""Kinds after which a mail was not delivered and says nothing about interest."""

RANK = {kind: place for place, kind in enumerate(EventKind)}
"""Breaks ties between events of one instant: a mail is sent before it is opened."""


class Evidence(StrEnum):
    """Who did it."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What a mail was for, as far as the sunset policy cares."""

    REGULAR = "regular"
    RE_ENGAGEMENT = "re-engagement"
    LAST_CHANCE = "last-chance"
    TRANSACTIONAL = "transactional"


LONGEST = 512
"""How many characters an id of an event, a mail or a campaign may have: stores look them up, and no index of Postgres
takes a text of any length."""


def _require_short(_instance: object, attribute: Any, value: Any) -> None:
    if len(value) > LONGEST:
        raise InvalidInput(f"{attribute.name} {value[:40]!r}... of an event: {len(value):,} characters, not {LONGEST}")


def _require_plain(_instance: object, _attribute: object, value: Any) -> None:
    if is_hashed(value):
        raise InvalidInput(f"contact id {value[:40]!r} of an event: {PREFIX!r} begins keyed hashes of who was erased")


@frozen(kw_only=True)
class EngagementEvent:
    """One thing that happened to one mail to one contact.

    Attributes:
        contact_id: whose.
        kind: what.
        at: when, an aware UTC instant.
        mail: the source's id of the mail, or empty where it has none; then an open belongs to the latest mail
            sent at or before it.
        campaign: the campaign's key or the source's id of it, or empty.
        link: the link clicked, or empty.
        evidence: person, machine, or unknown.
        purpose: what the mail was for.
        source: the system that says so.
        id: the source's own id of the event; where it has none, a hash of contact, mail, campaign, purpose, kind,
            instant and link.

    Raises:
        InvalidInput: mail, campaign or id has more than 512 characters, or the contact id begins like a keyed hash.
    """

    contact_id: ContactId = field(validator=_require_plain)
    kind: EventKind = field(converter=EventKind)
    at: datetime = field(converter=as_utc)
    mail: str = field(default="", validator=_require_short)
    campaign: str = field(default="", validator=_require_short)
    link: str = ""
    evidence: Evidence = field(default=Evidence.UNKNOWN, converter=Evidence)
    purpose: Purpose = field(default=Purpose.REGULAR, converter=Purpose)
    source: str = ""
    id: EntryId = field(validator=_require_short)

    @id.default
    def _make_id(self) -> EntryId:
        moment = self.at.isoformat()
        return entry_id("event", self.contact_id, self.mail, self.campaign, self.purpose, self.kind, moment, self.link)

    @property
    def engaging(self) -> bool:
        """Whether it shows a person's interest."""
        return self.kind in ENGAGING and self.evidence is not Evidence.MACHINE
