"""The numbers of a policy, with defaults by sending cadence (S1, S2, S10)."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from attrs import field, fields, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.profiles import WINDOW
from lifecycle_mail.policy.predicates import NOBODY, Predicate
from lifecycle_mail.policy.text import read_predicate


class Cadence(StrEnum):
    """How often one sends, which is what inactivity is measured against (S1)."""

    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


INACTIVE_DAYS: dict[Cadence, tuple[int, int]] = {
    Cadence.DAILY: (45, 180),
    Cadence.WEEKLY: (75, 180),
    Cadence.FORTNIGHTLY: (100, 180),
    Cadence.MONTHLY: (120, 180),
    Cadence.QUARTERLY: (270, 365),
}
"""Days without a sign of interest until *inactive* (S1) and *deeply inactive* (S2: six months or more)."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _positive(_instance: object, attribute: Any, value: Any) -> None:
    if not (_is_number(value) and value > 0):
        raise InvalidInput(f"{attribute.name} {value!r}: give a number above zero")


def _not_negative(_instance: object, attribute: Any, value: Any) -> None:
    if not (_is_number(value) and value >= 0):
        raise InvalidInput(f"{attribute.name} {value!r}: give a number, zero or more")


def whole(least: int, most: int) -> Callable[[object, Any, Any], None]:
    """Return an attrs validator for whole numbers within bounds."""

    def check(_instance: object, attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput(f"{attribute.name} {value!r}: give a whole number from {least} to {most}")

    return check


kept_mails = whole(1, WINDOW)
"""Validates a number of mails: more than a profile keeps are never counted, so such a limit would never bind."""


def _share(_instance: object, attribute: Any, value: Any) -> None:
    if not (_is_number(value) and 0 < value <= 1):
        raise InvalidInput(f"{attribute.name} {value!r}: give a share above 0 and at most 1")


@frozen(kw_only=True)
class Settings:
    """The numbers that a policy's tables are built from. Days are of 24 hours.

    Attributes:
        inactive_days: days without a sign of interest until *inactive*.
        deep_days: until *deeply inactive*.
        evidence_mails: with fewer mails than this a contact is *unknown*: nobody is sunset for lack of evidence.
        new_days: how long after signing up a contact is *new*.
        high_share: *highly engaged* from this share of ...
        high_mails: ... so many of the latest mails.
        at_risk_mails: *at risk* after so many mails without a sign of interest.
        at_risk_ratio: or when the share engaged fell to this part of what it was.
        sunset_after_days: nobody is sunset before so many days of inactivity (S10: 180 to 365 for consumers).
        re_engagement_mails: how many re-engagement mails come before the last chance.
        answer_days: how long a last chance waits for an answer (S7).
        observe_days: how long to watch after that before suppressing (S10: up to 90).
        hold: whom a person decides about instead of the policy (S10: high value).
    """

    inactive_days: float = field(validator=_positive)
    deep_days: float = field(validator=_positive)
    evidence_mails: int = field(default=5, validator=kept_mails)
    new_days: float = field(default=30, validator=_not_negative)
    high_share: float = field(default=0.5, validator=_share)
    high_mails: int = field(default=10, validator=kept_mails)
    at_risk_mails: int = field(default=3, validator=kept_mails)
    at_risk_ratio: float = field(default=0.5, validator=_share)
    sunset_after_days: float = field(default=180, validator=_positive)
    re_engagement_mails: int = field(default=3, validator=kept_mails)
    answer_days: float = field(default=7, validator=_not_negative)
    observe_days: float = field(default=0, validator=_not_negative)
    hold: Predicate = field(default=NOBODY, converter=read_predicate)

    def __attrs_post_init__(self) -> None:
        if self.deep_days < self.inactive_days:
            raise InvalidInput(
                f"deep_days {self.deep_days!r} is below inactive_days {self.inactive_days!r}: nobody would be inactive"
            )

    @classmethod
    def for_cadence(cls, cadence: Cadence | str, **changes: Any) -> Settings:
        """Return the defaults for a cadence, with these changes.

        Raises:
            InvalidInput: an unknown cadence or setting, or a number that makes no sense.
        """
        try:
            inactive, deep = INACTIVE_DAYS[Cadence(cadence)]
        except ValueError:
            raise InvalidInput(f"cadence {cadence!r}: one of {', '.join(Cadence)}") from None
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise InvalidInput(f"no setting named {', '.join(unknown)}: one of {', '.join(sorted(known))}")
        return cls(**{"inactive_days": inactive, "deep_days": deep, **changes})
