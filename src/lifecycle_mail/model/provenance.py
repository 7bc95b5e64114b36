"""Where an entry of the consent log comes from (O3): who acted, through what, when, why, and on what evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from lifecycle_mail.model.instants import as_utc


class Actor(StrEnum):
    """Who acted."""

    CONTACT = "contact"
    OPERATOR = "operator"
    ESP = "esp"
    POLICY = "policy"


class Through(StrEnum):
    """By what road it reached us."""

    ONE_CLICK = "one-click"
    PREFERENCE_PAGE = "preference-page"
    CONFIRMATION = "confirmation"
    SIGN_UP = "sign-up"
    REPLY = "reply"
    WEBHOOK = "webhook"
    IMPORT = "import"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    APPLICATION = "application"
    RUN = "run"


class OptOutReason(StrEnum):
    """Why people say they leave (O3). New ones come last: links name a reason by its place."""

    NOT_RELEVANT = "not-relevant"
    COMPETITOR = "competitor"
    CHANGED_ROLE = "changed-role"
    TOO_MANY = "too-many"
    NEVER_SIGNED_UP = "never-signed-up"
    OTHER = "other"


@frozen(kw_only=True)
class Provenance:
    """Who acted, through what, when, and on what evidence.

    Attributes:
        actor: the contact, an operator, the ESP, or a policy.
        through: one-click header, preference page, reply, webhook, import ...
        at: when it happened, an aware UTC instant; when it was *recorded* is the log's own business.
        source: the system that says so (`app`, `mailchimp`, `file:members.csv` ...).
        campaign: the campaign that led to it, where known.
        segment: the segment that the campaign was sent to, where known.
        reason: one of the six, where given.
        text: free text: the person's words for `other`, an operator's reason.
        evidence: what proves it: an IP and form, a message id, a file and line.
    """

    actor: Actor
    through: Through
    at: datetime = field(converter=as_utc)
    source: str = "app"
    campaign: str | None = None
    segment: str | None = None
    reason: OptOutReason | None = None
    text: str = ""
    evidence: str = ""
