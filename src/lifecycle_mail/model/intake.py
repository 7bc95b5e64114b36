"""Statements: what files, webhooks and ESPs say, before anybody is looked up.

A reader turns each row into statements about *someone*, known by the application's id, by an address, or by both.
The service finds or makes the contact, and the door keeps out what it has seen. A statement can only take people
off the active lists or report; the one that adds a subscription (`Joined`) never overrides a no (O4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.bounces import spares_address
from lifecycle_mail.model.contacts import FieldValue
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence, Purpose
from lifecycle_mail.model.instants import as_utc, optional_utc
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.profiles import Snapshot
from lifecycle_mail.model.provenance import Provenance


@frozen
class Who:
    """Someone, as a source knows them: by the application's id, by an address, or by both."""

    contact_id: str | None = None
    address: EmailAddress | None = None

    def __attrs_post_init__(self) -> None:
        if self.contact_id is None and self.address is None:
            raise InvalidInput("neither a contact id nor an address: map at least one of them")


def _as_tags(tags: Iterable[str]) -> frozenset[str]:
    return frozenset(tags)


@frozen(kw_only=True)
class Known:
    """Someone exists, with these fields and tags. A missing value says nothing and removes nothing."""

    who: Who
    fields: Mapping[str, FieldValue] = field(factory=dict)
    tags: frozenset[str] = field(default=frozenset(), converter=_as_tags)
    source: str | None = None
    signed_up_at: datetime | None = field(default=None, converter=optional_utc)
    timezone: str | None = None
    locale: str | None = None


@frozen(kw_only=True)
class Joined:
    """Someone is said to be subscribed; `standing` says how firmly. It overrides no opt-out, whatever its date."""

    who: Who
    list: ListKey
    provenance: Provenance
    standing: Standing = Standing.IMPORTED
    expires_at: datetime | None = field(default=None, converter=optional_utc)


@frozen(kw_only=True)
class Left:
    """Someone is said to be out. Without an event id, the time of change (or the address alone) identifies it."""

    who: Who
    scope: Scope
    provenance: Provenance
    event_id: str | None = None
    dated: bool = True


@frozen(kw_only=True)
class Held:
    """Someone may not be mailed for another reason: a dead address, a complaint.

    `status` is what a bounce says of itself: an enhanced status code, or the words of the receiving host.
    """

    who: Who
    kind: SuppressionKind = field(converter=SuppressionKind)
    provenance: Provenance
    event_id: str | None = None
    dated: bool = True
    until: datetime | None = field(default=None, converter=optional_utc)
    status: str = ""

    @property
    def blocked(self) -> bool:
        """Whether it is a bounce that says nothing against the address (R17)."""
        return self.kind is SuppressionKind.BOUNCE and spares_address(self.status)


@frozen(kw_only=True)
class Happened:
    """Something happened to a mail; the attributes are those of `EngagementEvent`."""

    who: Who
    kind: EventKind
    at: datetime = field(converter=as_utc)
    mail: str = ""
    campaign: str = ""
    link: str = ""
    evidence: Evidence = Evidence.UNKNOWN
    purpose: Purpose = Purpose.REGULAR
    source: str = ""
    event_id: str | None = None


@frozen(kw_only=True)
class Counted:
    """Somebody else counted a contact's engagement."""

    who: Who
    snapshot: Snapshot


Statement = Known | Joined | Left | Held | Happened | Counted
"""Anything a reader yields."""
