"""What Mailchimp's states of a member mean, for the copy and for consent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.intake import Held, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import KeptAs
from lifecycle_mail_mailchimp.account import NAME, address_of
from lifecycle_mail_mailchimp.topics import Topics

STATES: Final[Mapping[str, KeptAs]] = {
    "subscribed": KeptAs.SUBSCRIBED,
    "unsubscribed": KeptAs.OUT,
    "cleaned": KeptAs.BOUNCED,
    "pending": KeptAs.PENDING,
    "transactional": KeptAs.INACTIVE,
    "archived": KeptAs.INACTIVE,
}


def state_of(member: Mapping[str, Any]) -> KeptAs:
    """Return what Mailchimp says of a member; what it is not known to say is mailed nothing."""
    return STATES.get(str(member.get("status")), KeptAs.INACTIVE)


def out_statements(
    member: Mapping[str, Any], audience: str, topics: Topics, *, now: datetime, through: Through
) -> list[Statement]:
    """Say what follows from a member who is out: they left every list bound to the audience, or cannot be reached.

    Dated by the last change, which is the only time that a member has: the same state is the same no (F33).
    """
    address = address_of(member)
    state = state_of(member)
    if address is None or state not in (KeptAs.OUT, KeptAs.BOUNCED):
        return []
    text = str(member.get("last_changed") or "")
    at = parse_instant(text) if text else None
    who = Who(None, address)
    said = _said(at or now, through if state is KeptAs.OUT else Through.BOUNCE, member)
    if state is KeptAs.BOUNCED:
        return [Held(who=who, kind=SuppressionKind.BOUNCE, provenance=said, dated=at is not None)]
    scopes = [Scope.list(key) for key in topics.lists(audience)] or [Scope.all()]
    return [Left(who=who, scope=scope, provenance=said, dated=at is not None) for scope in scopes]


def _said(at: datetime, through: Through, member: Mapping[str, Any]) -> Provenance:
    reason = str(member.get("unsubscribe_reason") or "")[:500]
    return Provenance(actor=Actor.ESP, through=through, at=at, source=NAME, text=reason)


def compliance_statements(address: EmailAddress, audience: str, topics: Topics, *, now: datetime) -> list[Statement]:
    """Say that somebody is out of whom Mailchimp only says that they cannot be subscribed (F27)."""
    said = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=now, source=NAME, text="in a compliance state there")
    scopes = [Scope.list(key) for key in topics.lists(audience)] or [Scope.all()]
    return [Left(who=Who(None, address), scope=scope, provenance=said, dated=False) for scope in scopes]
