"""Decide, explain and enforce who may be e-mailed, with what, when and how often."""

from lifecycle_mail.errors import LifecycleMailError
from lifecycle_mail.model.addresses import EmailAddress, MatchRules, parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.eligibility import Cap, Withheld
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.sunset import Action, Tier
from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import Content
from lifecycle_mail.service import Lifecycle, NeedsConfirmation, Subscribed

__all__ = [
    "Action",
    "Actor",
    "Campaign",
    "CampaignKind",
    "Cap",
    "Channel",
    "Contact",
    "Content",
    "Decision",
    "EmailAddress",
    "EngagementEvent",
    "EventKind",
    "Evidence",
    "FieldType",
    "Frequency",
    "Lifecycle",
    "LifecycleMailError",
    "ListStanding",
    "MailingList",
    "MatchRules",
    "NeedsConfirmation",
    "OptOutReason",
    "Otherwise",
    "Plan",
    "Policy",
    "Programme",
    "Provenance",
    "Purpose",
    "Rule",
    "Scope",
    "Segment",
    "Standing",
    "Subscribed",
    "SuppressionKind",
    "Table",
    "Through",
    "Tier",
    "Withheld",
    "parse_address",
    "where",
]
