"""Which mail answers a cancellation: a decision table over what the application knows of it (C2).

Every cancellation gets a notice, and each kind that a notice can be of states what was cancelled and when (R15). What
is not known is left out of the mail, and a kind that needs it is not chosen: nothing that is missing keeps somebody
from their notice. What follows the notice is decided by the answer (`lifecycle_mail.mails.reasons.next_step`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve, field, frozen
from attrs.validators import optional

from lifecycle_mail.errors import InvalidInput, MailRefused
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.parts import Card, Money, Recipient, as_sum
from lifecycle_mail.mails.reasons import SINGLE_REASONS, SURVEY_REASONS
from lifecycle_mail.mails.specs import (
    CancellationConfirmed,
    CancellationNote,
    CancellationReasonRequest,
    MembershipEnded,
    PaymentFailed,
    PlanEnding,
    Specification,
)
from lifecycle_mail.mails.specs.base import as_instant, in_utc, is_instant
from lifecycle_mail.mails.texts import are, as_seen, as_texts, is_a, is_day, is_flag, is_line, is_link
from lifecycle_mail.model.answers import CancellationReason
from lifecycle_mail.model.names import one_of
from lifecycle_mail.policy.operators import FactValue
from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table
from lifecycle_mail.policy.where import where


class Cause(StrEnum):
    """What ended the plan."""

    ASKED = "asked"
    PAYMENT = "payment"
    MEMBERSHIP = "membership"


def _as_cause(value: Cause | str) -> Cause:
    return one_of(Cause, value, "cause")


def _as_reason(value: CancellationReason | str | None) -> CancellationReason | None:
    return None if value is None else one_of(CancellationReason, value, "reason")


@frozen(kw_only=True)
class Cancellation:
    """One cancellation, as far as the application knows.

    Attributes:
        to: who cancelled.
        product: what was cancelled.
        cancelled_at: when, an aware instant; None where nobody cancelled, and a membership ran out by itself.
        resume_url: where they can start again.
        help_url: the help centre, which the notice of an ended membership names (C2).
        cause: whether they asked for it, a payment failed, or a membership ended.
        reason: why, where they said so already; or None. A notice that would ask why thanks for it instead.
        trial: whether they were trying it out.
        refund: what is paid back, or None; a sum of zero is None.
        amount: what could not be charged, or None; a sum of zero is None. Only the notice of a failed payment names it.
        card: the card that paid, or None.
        access_until: the last day that is paid for, or None. Of a membership that ran out by itself it is needed.
        keeps: what stays accessible.
        benefits: what a membership gave, for the notice that it ended (C2).

    Raises:
        InvalidInput: a value that is none; or it is not known when it ended.
    """

    to: Recipient = field(validator=is_a(Recipient))
    product: str = field(converter=as_seen, validator=is_line)
    cancelled_at: datetime | None = field(converter=in_utc, validator=optional(is_instant))
    resume_url: str = field(validator=is_link)
    help_url: str = field(validator=is_link)
    cause: Cause = field(default=Cause.ASKED, converter=_as_cause)
    reason: CancellationReason | None = field(default=None, converter=_as_reason)
    trial: bool = field(default=False, validator=is_flag)
    refund: Money | None = field(default=None, converter=as_sum, validator=optional(is_a(Money)))
    amount: Money | None = field(default=None, converter=as_sum, validator=optional(is_a(Money)))
    card: Card | None = field(default=None, validator=optional(is_a(Card)))
    access_until: date | None = field(default=None, validator=optional(is_day))
    keeps: tuple[str, ...] = field(default=(), converter=as_texts, validator=are())
    benefits: tuple[str, ...] = field(default=(), converter=as_texts, validator=are())

    def __attrs_post_init__(self) -> None:
        if self.cancelled_at is None and (self.cause is not Cause.MEMBERSHIP or self.access_until is None):
            raise InvalidInput(
                "cancelled_at: None is for a membership that ran out by itself: say when it was cancelled, or give "
                "cause 'membership' and access_until, its last day"
            )

    def days_left(self, now: datetime) -> int | None:
        """Days until the last one that is paid for, from today in the recipient's zone; below 0 where it is over."""
        today = as_instant(now).astimezone(self.to.zone).date()
        return None if self.access_until is None else (self.access_until - today).days

    def facts(self, *, now: datetime) -> dict[str, FactValue]:
        """Return what the table reads."""
        return {
            "field:cause": self.cause,
            "field:reason": self.reason,
            "field:trial": self.trial,
            "field:refund": None if self.refund is None else float(self.refund.amount),
            "field:days_left": self.days_left(now),
        }


_TRIAL = where.field("trial") == True  # noqa: E712 - a predicate, and no test

_UNSAID = where.field("reason").is_missing()
_LACKING = where.field("reason").is_in([CancellationReason.MISSING_FEATURES, CancellationReason.NO_INTEGRATION])

NOTICE: Final = Table(
    name="notice of a cancellation",
    rules=[
        Rule(name="payment-failed", when=where.field("cause") == Cause.PAYMENT,
             then=Kind.PAYMENT_FAILED, because="a payment failed"),
        Rule(name="membership-ended",
             when=(where.field("cause") == Cause.MEMBERSHIP) & ~(where.field("days_left") >= 0),
             then=Kind.MEMBERSHIP_ENDED, because="a membership ended"),
        Rule(name="paid-for",
             when=(where.field("days_left") >= 0) & (~_TRIAL | (where.field("cause") == Cause.MEMBERSHIP)),
             then=Kind.PLAN_ENDING, because="it is paid for, days left: {field:days_left}"),
        Rule(name="refund", when=where.field("refund") > 0,
             then=Kind.CANCELLATION_CONFIRMED, because="money is paid back, which the notice has to say"),
        Rule(name="trial", when=_TRIAL & (_UNSAID | _LACKING),
             then=Kind.CANCELLATION_NOTE, because="it was a trial: nothing was paid, and what was missing matters"),
        Rule(name="no-reason-yet", when=_UNSAID,
             then=Kind.CANCELLATION_REASON, because="nobody knows why yet: the notice asks"),
    ],
    otherwise=Otherwise(then=Kind.CANCELLATION_CONFIRMED, because="they said why: {field:reason}"),
)  # fmt: skip
"""Which kind of notice a cancellation gets. The first row that holds decides."""


def choose_notice(cancellation: Cancellation, *, now: datetime, table: Table = NOTICE) -> Decision:
    """Decide which kind of notice a cancellation gets; `Decision.explain` says why.

    Args:
        cancellation: what is known of it.
        now: an aware instant; days that are left are counted from it, in the recipient's zone.
        table: the application's own, over the same facts (`Cancellation.facts`).
    """
    return table.decide(cancellation.facts(now=now))


def write_notice(cancellation: Cancellation, *, now: datetime, table: Table = NOTICE) -> Specification:
    """Return the notice of a cancellation, of the kind that the table chooses.

    Each field of the cancellation that this kind of notice speaks of stands in it. A kind that would say what is not
    so gives way to one that does not: "as you asked" where nobody asked, a last day that is over or that there is not;
    and so does one that asks why where they have said so.

    Raises:
        InvalidInput: a table of the application's own chose a kind that is no notice.
        MailRefused: what the application says promotes something (C6); or nobody cancelled, and it has not run out yet.
    """
    decision = choose_notice(cancellation, now=now, table=table)
    notice = one_of(_Notice, decision.outcome, f"{table.name}: kind")
    left = cancellation.days_left(now)
    is_asked_again = notice is _Notice.CANCELLATION_REASON and cancellation.reason is not None
    if is_asked_again or not _is_so(notice, cancellation.cause, left):
        notice = _OF_CAUSE[cancellation.cause]
    if not _is_so(notice, cancellation.cause, left):  # a membership that has not ended yet
        notice = _Notice.PLAN_ENDING
    if cancellation.cancelled_at is None and notice is _Notice.PLAN_ENDING:
        raise MailRefused(
            f"cancelled_at: nobody cancelled it, and its last day is {cancellation.access_until}: write its notice the "
            f"day after"
        )
    if left is not None and left < 0 and notice is not _Notice.MEMBERSHIP_ENDED:
        cancellation = evolve(cancellation, access_until=None)
    return _WRITERS[notice](cancellation)


class _Notice(StrEnum):
    CANCELLATION_CONFIRMED = Kind.CANCELLATION_CONFIRMED
    CANCELLATION_NOTE = Kind.CANCELLATION_NOTE
    CANCELLATION_REASON = Kind.CANCELLATION_REASON
    PLAN_ENDING = Kind.PLAN_ENDING
    MEMBERSHIP_ENDED = Kind.MEMBERSHIP_ENDED
    PAYMENT_FAILED = Kind.PAYMENT_FAILED


_TELLS: Final[Mapping[_Notice, Cause]] = MappingProxyType(
    {
        _Notice.CANCELLATION_CONFIRMED: Cause.ASKED,
        _Notice.CANCELLATION_NOTE: Cause.ASKED,
        _Notice.CANCELLATION_REASON: Cause.ASKED,
        _Notice.PAYMENT_FAILED: Cause.PAYMENT,
    }
)
"""Kinds whose words say what ended the plan; the other two speak of its last day."""

_OF_CAUSE: Final[Mapping[Cause, _Notice]] = MappingProxyType(
    {
        Cause.ASKED: _Notice.CANCELLATION_CONFIRMED,
        Cause.PAYMENT: _Notice.PAYMENT_FAILED,
        Cause.MEMBERSHIP: _Notice.MEMBERSHIP_ENDED,
    }
)
"""What is true of a cause, whatever else is known."""


def _is_so(notice: _Notice, cause: Cause, left: int | None) -> bool:
    """Whether a cancellation is as the words of a kind have it."""
    if notice is _Notice.PLAN_ENDING:
        return left is not None and left >= 0
    if notice is _Notice.MEMBERSHIP_ENDED:
        return left is None or left < 0  # the last day is whole
    return _TELLS[notice] is cause


def _known(one: Cancellation) -> dict[str, Any]:
    """What every notice states."""
    return {
        "to": one.to,
        "product": one.product,
        "cancelled_at": one.cancelled_at,
        "card": one.card,
        "refund": one.refund,
        "keeps": one.keeps,
        "resume_url": one.resume_url,
    }


def _confirmed(one: Cancellation) -> Specification:
    return CancellationConfirmed(
        **_known(one), access_until=one.access_until, reasons=SURVEY_REASONS, reason=one.reason
    )  # fmt: skip


def _note(one: Cancellation) -> Specification:
    return CancellationNote(**_known(one), access_until=one.access_until, reason=one.reason)


def _reason(one: Cancellation) -> Specification:
    return CancellationReasonRequest(**_known(one), access_until=one.access_until, reasons=SINGLE_REASONS)


def _ending(one: Cancellation) -> Specification:
    return PlanEnding(**_known(one) | {"ends_on": one.access_until})


def _membership(one: Cancellation) -> Specification:
    ended = one.access_until
    if ended is None and one.cancelled_at is not None:
        ended = one.cancelled_at.astimezone(one.to.zone).date()
    return MembershipEnded(**_known(one) | {"ended_on": ended}, benefits=one.benefits, help_url=one.help_url)


def _payment(one: Cancellation) -> Specification:
    return PaymentFailed(**_known(one), access_until=one.access_until, amount=one.amount)


_WRITERS: Mapping[_Notice, Callable[[Cancellation], Specification]] = MappingProxyType(
    {
        _Notice.CANCELLATION_CONFIRMED: _confirmed,
        _Notice.CANCELLATION_NOTE: _note,
        _Notice.CANCELLATION_REASON: _reason,
        _Notice.PLAN_ENDING: _ending,
        _Notice.MEMBERSHIP_ENDED: _membership,
        _Notice.PAYMENT_FAILED: _payment,
    }
)
