"""A contact's whole picture: what every side should see alike (O9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import Contact, FieldValue
from lifecycle_mail.model.entries import OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile


@frozen(kw_only=True)
class Mailed:
    """A campaign's mail to a contact: how far it came and when, and when a no came too late for it."""

    campaign: CampaignKey
    state: str
    at: datetime
    opted_out_at: datetime | None = None


@frozen(kw_only=True)
class Picture:
    """Everything known and decided about one contact at one instant.

    Attributes:
        contact: who they are, with fields, tags, roles among the fields, and the frequency they chose.
        at: the instant of the picture, aware UTC.
        lists: how they stand with every list they ever had to do with, and with every declared one.
        opt_outs: every no that binds them or once did, oldest first.
        suppressions: what else is in force, by kind.
        engagement: the folded profile.
        tier, step: what the policy makes of them, and why.
        tier_reason, step_reason: the reasons of the two.
        mails: what was sent to them, oldest first.
        answers: what they answered to the question why, oldest first.
        value: the field that the application declares as their value, or None.
    """

    contact: Contact
    at: datetime
    lists: Mapping[ListKey, ListStanding]
    opt_outs: tuple[OptOut, ...] = ()
    suppressions: Mapping[SuppressionKind, Suppression] = field(factory=dict)
    engagement: EngagementProfile
    tier: str = ""
    tier_reason: str = ""
    step: str = ""
    step_reason: str = ""
    mails: tuple[Mailed, ...] = ()
    answers: tuple[Answer, ...] = ()
    value: FieldValue | None = None

    @property
    def contact_id(self) -> ContactId:
        """Whose picture it is."""
        return self.contact.id
