"""Decide, explain and enforce who may be e-mailed, with what, when and how often.

Names are imported when they are first asked for, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle_mail.errors import LifecycleMailError
    from lifecycle_mail.measure.watch import WatchRules
    from lifecycle_mail.model.addresses import EmailAddress, MatchRules, parse_address
    from lifecycle_mail.model.consent import ListStanding
    from lifecycle_mail.model.contacts import Contact, FieldType
    from lifecycle_mail.model.entries import Standing, SuppressionKind
    from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
    from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
    from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
    from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
    from lifecycle_mail.policy.consent_rules import ConsentRules
    from lifecycle_mail.policy.eligibility import Cap, Withheld
    from lifecycle_mail.policy.planning import Plan
    from lifecycle_mail.policy.policies import Policy
    from lifecycle_mail.policy.programme import Programme
    from lifecycle_mail.policy.segments import Segment
    from lifecycle_mail.policy.sunset import Action, Tier
    from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table
    from lifecycle_mail.policy.where import where
    from lifecycle_mail.ports import Content
    from lifecycle_mail.service import Breaker, Lifecycle, NeedsConfirmation, Subscribed

_HOME_OF = {
    "Action": "policy.sunset",
    "Actor": "model.provenance",
    "Breaker": "service",
    "Campaign": "policy.campaigns",
    "CampaignKind": "policy.campaigns",
    "Cap": "policy.eligibility",
    "Channel": "model.lists",
    "ConsentRules": "policy.consent_rules",
    "Contact": "model.contacts",
    "Content": "ports",
    "Decision": "policy.tables",
    "EmailAddress": "model.addresses",
    "EngagementEvent": "model.events",
    "EventKind": "model.events",
    "Evidence": "model.events",
    "FieldType": "model.contacts",
    "Frequency": "model.lists",
    "Lifecycle": "service",
    "LifecycleMailError": "errors",
    "ListStanding": "model.consent",
    "MailingList": "model.lists",
    "MatchRules": "model.addresses",
    "NeedsConfirmation": "service",
    "OptOutReason": "model.provenance",
    "Otherwise": "policy.tables",
    "Plan": "policy.planning",
    "Policy": "policy.policies",
    "Programme": "policy.programme",
    "Provenance": "model.provenance",
    "Purpose": "model.events",
    "Rule": "policy.tables",
    "Scope": "model.lists",
    "Segment": "policy.segments",
    "Standing": "model.entries",
    "Subscribed": "service",
    "SuppressionKind": "model.entries",
    "Table": "policy.tables",
    "Through": "model.provenance",
    "Tier": "policy.sunset",
    "WatchRules": "measure.watch",
    "Withheld": "policy.eligibility",
    "parse_address": "model.addresses",
    "where": "policy.where",
}
"""Where each name lives, for importing it on first use; the block above says the same to type checkers."""


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'lifecycle_mail' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"lifecycle_mail.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])


__all__ = [
    "Action",
    "Actor",
    "Breaker",
    "Campaign",
    "CampaignKind",
    "Cap",
    "Channel",
    "ConsentRules",
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
    "WatchRules",
    "Withheld",
    "parse_address",
    "where",
]
