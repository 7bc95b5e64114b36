"""Mails: what a cancellation or a re-engagement mail says, how it looks, and where its links lead.

Theory of operation. What one mail to one person says is a *specification*, a frozen class for each kind
(`CancellationConfirmed`, `LastChance`, ...); the table `KINDS` says what each kind must say. A `Renderer`, made once
from a `Brand` and `Links`, turns a specification and an instant into a `Mail`: subject, preheader, HTML, plain text and
headers. It reads no clock and no file, so the same specification at the same instant is the same mail.

Names are imported when they are first used: Jinja2 and Babel load with the first mail.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle_mail.mails.brand import Brand, Logo, Palette, Theme, contrast
    from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue
    from lifecycle_mail.mails.choosing import NOTICE, Cancellation, Cause, choose_notice, write_notice
    from lifecycle_mail.mails.kinds import KINDS, Family, Kind, KindRow, Point
    from lifecycle_mail.mails.links import PURPOSES, Link, LinkPurpose, Links, Tokens
    from lifecycle_mail.mails.loading import NAMES, shipped_source
    from lifecycle_mail.mails.messages import DKIM_HEADERS, Mail
    from lifecycle_mail.mails.parts import Card, Item, Money, Recipient, Way
    from lifecycle_mail.mails.reasons import NEXT_STEP, SINGLE_REASONS, SURVEY_REASONS, NextStep, Step, next_step
    from lifecycle_mail.mails.rendering import Renderer
    from lifecycle_mail.mails.replies import PersonalReply, personal, reply_or_mail
    from lifecycle_mail.mails.signing import SigningKey
    from lifecycle_mail.mails.specs import (
        CancellationConfirmed,
        CancellationNote,
        CancellationReasonRequest,
        CancellationSurvey,
        ConfirmResubscription,
        ConfirmSubscription,
        FinalNotice,
        FreshLink,
        Goodbye,
        InactivityNotice,
        Incentive,
        IncentiveKind,
        LastChance,
        MembershipEnded,
        PaymentFailed,
        PlanEnding,
        PreferenceRequest,
        PreferenceUpdate,
        Specification,
        Survey,
        TechnicalFollowUp,
        ValueProposition,
        WeMissYou,
    )
    from lifecycle_mail.mails.subjects import SUBJECTS, Style, SubjectLine, subjects_for
    from lifecycle_mail.model.answers import CancellationReason, DriftReason

_HOME_OF = {
    "Brand": "mails.brand",
    "Cancellation": "mails.choosing",
    "CancellationConfirmed": "mails.specs",
    "CancellationNote": "mails.specs",
    "CancellationReasonRequest": "mails.specs",
    "CancellationSurvey": "mails.specs",
    "CancellationReason": "model.answers",
    "Card": "mails.parts",
    "Catalogue": "mails.catalogues",
    "Cause": "mails.choosing",
    "ConfirmResubscription": "mails.specs",
    "ConfirmSubscription": "mails.specs",
    "DKIM_HEADERS": "mails.messages",
    "DriftReason": "model.answers",
    "Family": "mails.kinds",
    "FinalNotice": "mails.specs",
    "FreshLink": "mails.specs",
    "Goodbye": "mails.specs",
    "InactivityNotice": "mails.specs",
    "Incentive": "mails.specs",
    "IncentiveKind": "mails.specs",
    "Item": "mails.parts",
    "KINDS": "mails.kinds",
    "Kind": "mails.kinds",
    "KindRow": "mails.kinds",
    "LastChance": "mails.specs",
    "Link": "mails.links",
    "LinkPurpose": "mails.links",
    "Links": "mails.links",
    "Logo": "mails.brand",
    "Mail": "mails.messages",
    "MembershipEnded": "mails.specs",
    "Money": "mails.parts",
    "NAMES": "mails.loading",
    "NEXT_STEP": "mails.reasons",
    "NOTICE": "mails.choosing",
    "NextStep": "mails.reasons",
    "PURPOSES": "mails.links",
    "Palette": "mails.brand",
    "PaymentFailed": "mails.specs",
    "PersonalReply": "mails.replies",
    "PlanEnding": "mails.specs",
    "Point": "mails.kinds",
    "PreferenceRequest": "mails.specs",
    "PreferenceUpdate": "mails.specs",
    "Recipient": "mails.parts",
    "Renderer": "mails.rendering",
    "SHIPPED": "mails.catalogues",
    "SINGLE_REASONS": "mails.reasons",
    "SUBJECTS": "mails.subjects",
    "SURVEY_REASONS": "mails.reasons",
    "SigningKey": "mails.signing",
    "Specification": "mails.specs",
    "Step": "mails.reasons",
    "Style": "mails.subjects",
    "SubjectLine": "mails.subjects",
    "Survey": "mails.specs",
    "TechnicalFollowUp": "mails.specs",
    "Theme": "mails.brand",
    "Tokens": "mails.links",
    "ValueProposition": "mails.specs",
    "Way": "mails.parts",
    "WeMissYou": "mails.specs",
    "choose_notice": "mails.choosing",
    "contrast": "mails.brand",
    "next_step": "mails.reasons",
    "personal": "mails.replies",
    "reply_or_mail": "mails.replies",
    "shipped_source": "mails.loading",
    "subjects_for": "mails.subjects",
    "write_notice": "mails.choosing",
}
"""Where each name lives, for importing it on first use; the block above says the same to type checkers."""


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'lifecycle_mail.mails' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"lifecycle_mail.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])


__all__ = [
    "DKIM_HEADERS",
    "KINDS",
    "NAMES",
    "NEXT_STEP",
    "NOTICE",
    "PURPOSES",
    "SHIPPED",
    "SINGLE_REASONS",
    "SUBJECTS",
    "SURVEY_REASONS",
    "Brand",
    "Cancellation",
    "CancellationConfirmed",
    "CancellationNote",
    "CancellationReason",
    "CancellationReasonRequest",
    "CancellationSurvey",
    "Card",
    "Catalogue",
    "Cause",
    "ConfirmResubscription",
    "ConfirmSubscription",
    "DriftReason",
    "Family",
    "FinalNotice",
    "FreshLink",
    "Goodbye",
    "InactivityNotice",
    "Incentive",
    "IncentiveKind",
    "Item",
    "Kind",
    "KindRow",
    "LastChance",
    "Link",
    "LinkPurpose",
    "Links",
    "Logo",
    "Mail",
    "MembershipEnded",
    "Money",
    "NextStep",
    "Palette",
    "PaymentFailed",
    "PersonalReply",
    "PlanEnding",
    "Point",
    "PreferenceRequest",
    "PreferenceUpdate",
    "Recipient",
    "Renderer",
    "SigningKey",
    "Specification",
    "Step",
    "Style",
    "SubjectLine",
    "Survey",
    "TechnicalFollowUp",
    "Theme",
    "Tokens",
    "ValueProposition",
    "Way",
    "WeMissYou",
    "choose_notice",
    "contrast",
    "next_step",
    "personal",
    "reply_or_mail",
    "shipped_source",
    "subjects_for",
    "write_notice",
]
