"""Specifications: what one mail to one person says, a class for each kind."""

from lifecycle_mail.mails.specs.base import Specification
from lifecycle_mail.mails.specs.cancellation import (
    CancellationConfirmed,
    CancellationNote,
    CancellationReasonRequest,
    CancellationSurvey,
    InactivityNotice,
    MembershipEnded,
    PaymentFailed,
    PlanEnding,
    TechnicalFollowUp,
)
from lifecycle_mail.mails.specs.consent import (
    FRESH,
    ConfirmResubscription,
    ConfirmSubscription,
    FreshLink,
    Goodbye,
    PreferenceRequest,
)
from lifecycle_mail.mails.specs.programme import (
    FinalNotice,
    Incentive,
    IncentiveKind,
    LastChance,
    PreferenceUpdate,
    ProgrammeSpecification,
    Survey,
    ValueProposition,
    WeMissYou,
)

__all__ = [
    "FRESH",
    "CancellationConfirmed",
    "CancellationNote",
    "CancellationReasonRequest",
    "CancellationSurvey",
    "ConfirmResubscription",
    "ConfirmSubscription",
    "FinalNotice",
    "FreshLink",
    "Goodbye",
    "InactivityNotice",
    "Incentive",
    "IncentiveKind",
    "LastChance",
    "MembershipEnded",
    "PaymentFailed",
    "PlanEnding",
    "PreferenceRequest",
    "PreferenceUpdate",
    "ProgrammeSpecification",
    "Specification",
    "Survey",
    "TechnicalFollowUp",
    "ValueProposition",
    "WeMissYou",
]
