"""Mails about a plan that ends: the nine kinds of C2.

They are transactional. Each states what was cancelled and when, where it is the notice of it (R15), names a card by
its last four digits alone, and promotes nothing (C6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from attrs import field, frozen
from attrs.validators import optional

from lifecycle_mail.errors import InvalidInput, Problem
from lifecycle_mail.mails.kinds import Kind, specification
from lifecycle_mail.mails.parts import Card, Money, Way, as_sum, as_ways
from lifecycle_mail.mails.reasons import SINGLE_REASONS, SURVEY_REASONS
from lifecycle_mail.mails.specs.base import Specification, in_utc, is_instant, refuse_promotion
from lifecycle_mail.mails.texts import (
    MAX_PARAGRAPH,
    are,
    as_members,
    as_seen,
    as_seen_lines,
    as_texts,
    is_a,
    is_day,
    is_line,
    is_line_or_empty,
    is_link,
    is_paragraph_or_empty,
)
from lifecycle_mail.model.answers import CancellationReason
from lifecycle_mail.model.cards import without_cards
from lifecycle_mail.model.names import one_of


def _as_problem(value: str) -> str:
    """Keep of what somebody wrote what is seen, and no number of a card: the mail shows it again."""
    seen = as_seen_lines(value)
    return without_cards(seen) if isinstance(seen, str) and len(seen) <= MAX_PARAGRAPH else seen


def _as_told(value: CancellationReason | None) -> CancellationReason | None:
    """Keep a reason that can be thanked for: "another reason" says nothing yet."""
    told = None if value is None else one_of(CancellationReason, value, "reason")
    return None if told is CancellationReason.OTHER else told


def _as_reasons(values: Iterable[CancellationReason]) -> tuple[CancellationReason, ...]:
    return as_members(CancellationReason, values, "reasons")


@frozen(kw_only=True)
class CancellationSpecification(Specification):
    """A mail about a plan that ends."""

    def __attrs_post_init__(self) -> None:
        refuse_promotion(self)


@frozen(kw_only=True)
class CancellationNotice(CancellationSpecification):
    """Tells somebody that something of theirs was cancelled, and what follows from it (R15).

    Attributes:
        product: what was cancelled, as the customer knows it.
        card: the card that is charged no longer, or None where none was.
        refund: what is paid back, or None; a sum of zero is None.
        keeps: what stays accessible; empty where nothing does.
        resume_url: where they can start again, or None.
    """

    past: ClassVar[tuple[str, ...]] = ("cancelled_at",)

    product: str = field(converter=as_seen, validator=is_line)
    card: Card | None = field(default=None, validator=optional(is_a(Card)))
    refund: Money | None = field(default=None, converter=as_sum, validator=optional(is_a(Money)))
    keeps: tuple[str, ...] = field(default=(), converter=as_texts, validator=are())
    resume_url: str | None = field(default=None, validator=optional(is_link))


@specification(Kind.CANCELLATION_CONFIRMED)
@frozen(kw_only=True)
class CancellationConfirmed(CancellationNotice):
    """Confirms a cancellation that somebody asked for (C2, R15).

    Attributes:
        cancelled_at: when, an aware instant; the mail states it in the recipient's zone.
        card: the card that is charged no longer, or None where none was.
        keeps: what stays accessible; empty where nothing does.
        reasons: what the survey asks to choose from, of `SURVEY_REASONS`.
        resume_url: where they can start again.
        access_until: the last day of access that is paid for, or None where access ended at once.
        reason: why, where they said so already: the mail thanks for it, and asks only for what else there is to say.
            `CancellationReason.OTHER` says nothing, and counts as None.
    """

    up_to = ("access_until",)

    cancelled_at: datetime = field(converter=in_utc, validator=is_instant)
    card: Card | None = field(validator=optional(is_a(Card)))
    keeps: tuple[str, ...] = field(converter=as_texts, validator=are())
    reasons: tuple[CancellationReason, ...] = field(
        converter=_as_reasons, validator=are(CancellationReason, least=2, among=SURVEY_REASONS)
    )
    resume_url: str = field(validator=is_link)
    access_until: date | None = field(default=None, validator=optional(is_day))
    reason: CancellationReason | None = field(default=None, converter=_as_told)


@specification(Kind.CANCELLATION_NOTE)
@frozen(kw_only=True)
class CancellationNote(CancellationNotice):
    """A few lines to somebody who cancelled, asking what was missing; the answer is a reply, or a text on a page (C2).

    Attributes:
        cancelled_at: when, an aware instant; the mail states it in the recipient's zone.
        access_until: the last day of access that is paid for, or None where access ended at once.
        reason: why, where they said so already: the mail thanks for it, and asks what it was that was missing.
    """

    up_to = ("access_until",)

    cancelled_at: datetime = field(converter=in_utc, validator=is_instant)
    access_until: date | None = field(default=None, validator=optional(is_day))
    reason: CancellationReason | None = field(default=None, converter=_as_told)


@specification(Kind.CANCELLATION_SURVEY)
@frozen(kw_only=True)
class CancellationSurvey(CancellationSpecification):
    """Asks for up to three reasons, the tool that is used now, and what to improve (C2).

    Attributes:
        product: what was cancelled.
        reasons: what can be chosen, of `SURVEY_REASONS`.
        cancelled_at: when, an aware instant; or None. Where it is said, who has answered to the notice of the same
            cancellation changes that answer, and is not counted twice.
    """

    past = ("cancelled_at",)

    product: str = field(converter=as_seen, validator=is_line)
    reasons: tuple[CancellationReason, ...] = field(
        converter=_as_reasons, validator=are(CancellationReason, least=2, among=SURVEY_REASONS)
    )
    cancelled_at: datetime | None = field(default=None, converter=in_utc, validator=optional(is_instant))


@specification(Kind.CANCELLATION_REASON)
@frozen(kw_only=True)
class CancellationReasonRequest(CancellationNotice):
    """Confirms a cancellation that somebody asked for, and asks for the one main reason (C2).

    Attributes:
        cancelled_at: when, an aware instant; the mail states it in the recipient's zone.
        reasons: what can be chosen, of `SINGLE_REASONS`.
        access_until: the last day of access that is paid for, or None where access ended at once.
    """

    up_to = ("access_until",)

    cancelled_at: datetime = field(converter=in_utc, validator=is_instant)
    reasons: tuple[CancellationReason, ...] = field(
        converter=_as_reasons, validator=are(CancellationReason, least=2, among=SINGLE_REASONS)
    )
    access_until: date | None = field(default=None, validator=optional(is_day))


@specification(Kind.TECHNICAL_FOLLOW_UP)
@frozen(kw_only=True)
class TechnicalFollowUp(CancellationSpecification):
    """Follows up on somebody who left because something did not work (C2).

    Attributes:
        product: what was cancelled.
        problem: what they told us, in their words; empty where they gave no details. Of a card's number the last four
            digits are kept.
        resume_url: where they can start again.
        ticket: the number under which it is looked into, or empty.
        refund: what is paid back, or None; a sum of zero is None.
        cancelled_at: when it was cancelled, an aware instant; or None.
    """

    past = ("cancelled_at",)

    product: str = field(converter=as_seen, validator=is_line)
    problem: str = field(converter=_as_problem, validator=is_paragraph_or_empty)
    resume_url: str = field(validator=is_link)
    ticket: str = field(default="", validator=is_line_or_empty)
    refund: Money | None = field(default=None, converter=as_sum, validator=optional(is_a(Money)))
    cancelled_at: datetime | None = field(default=None, converter=in_utc, validator=optional(is_instant))


@specification(Kind.PLAN_ENDING)
@frozen(kw_only=True)
class PlanEnding(CancellationNotice):
    """Says on which day a paid plan ends (C2).

    Attributes:
        cancelled_at: when, an aware instant; the mail states it in the recipient's zone.
        ends_on: the last day on which it works.
        keeps: what stays free afterwards; empty where nothing does.
        resume_url: where they can keep it.
    """

    up_to = ("ends_on",)

    cancelled_at: datetime = field(converter=in_utc, validator=is_instant)
    ends_on: date = field(validator=is_day)
    keeps: tuple[str, ...] = field(converter=as_texts, validator=are())
    resume_url: str = field(validator=is_link)


@specification(Kind.MEMBERSHIP_ENDED)
@frozen(kw_only=True)
class MembershipEnded(CancellationNotice):
    """Says that a membership has ended (C2).

    Attributes:
        cancelled_at: when it was cancelled, an aware instant; None where it ran out by itself.
        ended_on: its last day.
        benefits: what it gave, and gives again to whoever comes back; no prices (C6).
        resume_url: the way back if it was a mistake.
        help_url: the help centre.
    """

    past = ("cancelled_at", "ended_on")

    cancelled_at: datetime | None = field(default=None, converter=in_utc, validator=optional(is_instant))
    ended_on: date = field(validator=is_day)
    benefits: tuple[str, ...] = field(converter=as_texts, validator=are())
    resume_url: str = field(validator=is_link)
    help_url: str = field(validator=is_link)


@specification(Kind.INACTIVITY_NOTICE)
@frozen(kw_only=True)
class InactivityNotice(CancellationSpecification):
    """Warns that an unused account will be closed (C2).

    Attributes:
        product: the account.
        inactive_since: the day it was last used; the mail counts the days from there.
        closes_on: the day it will be closed; the mail counts the days until then.
        keep_url: where signing in keeps it.
        export_url: where their data can be taken along, or None.
        help_url: where somebody helps to keep it, or None.
    """

    deadline_field = "closes_on"

    product: str = field(converter=as_seen, validator=is_line)
    inactive_since: date = field(validator=is_day)
    closes_on: date = field(validator=is_day)
    keep_url: str = field(validator=is_link)
    export_url: str | None = field(default=None, validator=optional(is_link))
    help_url: str | None = field(default=None, validator=optional(is_link))

    def __attrs_post_init__(self) -> None:
        refuse_promotion(self)
        if self.closes_on <= self.inactive_since:
            raise InvalidInput(f"closes_on: {self.closes_on} is not after {self.inactive_since}, when it was last used")

    @classmethod
    def find_untimely(cls, values: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
        """Find what a mail of an instant could not say: the days until one that is over, or since one that is not.

        Args:
            values: as for any specification.
            now: the instant.
        """
        yield from super().find_untimely(values, now)
        used, to = values.get("inactive_since"), values.get("to")
        if used is not None and to is not None and used >= now.astimezone(to.zone).date():
            yield Problem(
                "inactive_since",
                f"is {used}, which is not a day ago in the mail of {now}: do not write to whoever uses it",
            )


@specification(Kind.PAYMENT_FAILED)
@frozen(kw_only=True)
class PaymentFailed(CancellationNotice):
    """Says that a payment failed and the plan had to be cancelled (C2).

    Attributes:
        cancelled_at: when, an aware instant; the mail states it in the recipient's zone.
        card: the card that could not be charged, or None where it was paid otherwise, or nobody knows.
        resume_url: where they can reactivate it.
        amount: what could not be charged, or None; a sum of zero is None.
        access_until: the last day of access that is paid for, or None where access ended at once.
        other_ways: other ways to go on, such as paying by invoice.
    """

    up_to = ("access_until",)

    cancelled_at: datetime = field(converter=in_utc, validator=is_instant)
    card: Card | None = field(validator=optional(is_a(Card)))
    resume_url: str = field(validator=is_link)
    amount: Money | None = field(default=None, converter=as_sum, validator=optional(is_a(Money)))
    access_until: date | None = field(default=None, validator=optional(is_day))
    other_ways: tuple[Way, ...] = field(default=(), converter=as_ways, validator=are(Way))
