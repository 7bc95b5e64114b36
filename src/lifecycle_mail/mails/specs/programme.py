"""Mails of the programme: do they still want to hear from us? The seven kinds of S7.

They are marketing. A list is behind each, the mail names it, and leaving takes one click. Each has exactly one primary
call to action; a no and the preferences are plain links beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from attrs import field, frozen
from attrs.validators import optional

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.kinds import Kind, specification
from lifecycle_mail.mails.parts import Item, as_items
from lifecycle_mail.mails.specs.base import Specification, are_titled, in_utc, is_instant, is_titled
from lifecycle_mail.mails.subjects import Style, subject_named
from lifecycle_mail.mails.texts import (
    are,
    as_lists,
    as_members,
    is_day,
    is_flag,
    is_line,
    is_line_or_empty,
    is_link,
    is_words_or_empty,
)
from lifecycle_mail.model.answers import DriftReason
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import one_of, require_slug


def _as_reasons(values: Iterable[DriftReason]) -> tuple[DriftReason, ...]:
    return as_members(DriftReason, values, "reasons")


def _as_style(value: Style | str | None) -> Style | None:
    return None if value is None else one_of(Style, value, "style")


def _is_subject(_instance: object, at: Any, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidInput(f"{at.name}: a {type(value).__name__} is not the key of a subject line")
    if value:
        subject_named(value)


@frozen(kw_only=True)
class ProgrammeSpecification(Specification):
    """A mail that asks whether somebody still wants a list.

    Attributes:
        listed: the list that is left by the links of this mail; the mail names it.
        campaign: the key of the campaign that it is part of; links carry it.
        visit_url: where the reader lands who follows the mail.
        joined_on: the day they signed up, or None.
        source: how they signed up, as a noun that fits into "you came to us through ...": the boat show; or empty.
        interest: what they came for, or bought, or empty.
        place: where they are, or empty.
        style: the style of the subject line (S8), or None for the default of the kind; whoever has no name gets that
            too where each line of the style names them.
        subject: the key of one subject line, or empty: the style decides.
        emoji: whether the subject line begins with its emoji, where it has one.
    """

    past = ("joined_on",)

    listed: MailingList = field(validator=is_titled)
    campaign: str = field(validator=require_slug)
    visit_url: str = field(validator=is_link)
    joined_on: date | None = field(default=None, validator=optional(is_day))
    source: str = field(default="", validator=is_words_or_empty)
    interest: str = field(default="", validator=is_words_or_empty)
    place: str = field(default="", validator=is_words_or_empty)
    style: Style | None = field(default=None, converter=_as_style)
    subject: str = field(default="", validator=_is_subject)
    emoji: bool = field(default=False, validator=is_flag)


@specification(Kind.WE_MISS_YOU)
@frozen(kw_only=True)
class WeMissYou(ProgrammeSpecification):
    """Acknowledges the absence, sincerely (S7).

    Attributes:
        news: a few things that are new since.
    """

    news: tuple[Item, ...] = field(default=(), converter=as_items, validator=are(Item, most=5))


@specification(Kind.VALUE_PROPOSITION)
@frozen(kw_only=True)
class ValueProposition(ProgrammeSpecification):
    """Shows what they missed: content, improvements, stories (S7).

    Attributes:
        items: what to show, the best first.
        published: how much there was since they signed up ("47 guides"), or None.
    """

    items: tuple[Item, ...] = field(converter=as_items, validator=are(Item, least=1, most=5))
    published: int | None = field(default=None)

    @published.validator
    def _is_a_count(self, _attribute: object, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
            raise InvalidInput(
                "published: give a number of things, up to a thousand million; leave it out where nobody counted"
            )


class IncentiveKind(StrEnum):
    """What may be given (S9)."""

    DISCOUNT = "discount"
    FREE_SHIPPING = "free-shipping"
    EXCLUSIVE_CONTENT = "exclusive-content"
    EARLY_ACCESS = "early-access"
    CONSULTATION = "consultation"
    GIFT = "gift"


def _as_incentive(value: IncentiveKind | str) -> IncentiveKind:
    return one_of(IncentiveKind, value, "incentive")


@specification(Kind.INCENTIVE)
@frozen(kw_only=True)
class Incentive(ProgrammeSpecification):
    """Offers something of real value, with a day on which it ends (S9).

    Attributes:
        incentive: what kind of thing it is.
        what: what it is, as it fits into a subject line: "20 % off your next order".
        expires_on: the last day on which it is good.
        code: the code to enter, or empty.
        terms_url: the conditions, or None.
    """

    deadline_field = "expires_on"

    incentive: IncentiveKind = field(converter=_as_incentive)
    what: str = field(validator=is_line)
    expires_on: date = field(validator=is_day)
    code: str = field(default="", validator=is_line_or_empty)
    terms_url: str | None = field(default=None, validator=optional(is_link))


@specification(Kind.PREFERENCE_UPDATE)
@frozen(kw_only=True)
class PreferenceUpdate(ProgrammeSpecification):
    """Asks which topics, and how often (S7, P2).

    Attributes:
        topics: the lists that can be chosen, each with a title.
    """

    topics: tuple[MailingList, ...] = field(converter=as_lists, validator=are_titled(least=1))


@specification(Kind.SURVEY)
@frozen(kw_only=True)
class Survey(ProgrammeSpecification):
    """Asks one question: why they have not been reading (S7).

    Attributes:
        reasons: what can be chosen.
    """

    reasons: tuple[DriftReason, ...] = field(converter=_as_reasons, validator=are(DriftReason, least=2))


@specification(Kind.LAST_CHANCE)
@frozen(kw_only=True)
class LastChance(ProgrammeSpecification):
    """Asks for a yes or a no by a day (S7).

    Attributes:
        deadline: the last day for an answer, seven days away or more; a promise, so the run that stops the mails has
            to keep it.
    """

    deadline_field = "deadline"
    notice = timedelta(days=7)

    deadline: date = field(validator=is_day)


@specification(Kind.FINAL_NOTICE)
@frozen(kw_only=True)
class FinalNotice(ProgrammeSpecification):
    """Says that the mails stop, and when (S7).

    Attributes:
        stops_at: when they stop, an aware instant, 48 hours away or more; the mail states it in the recipient's zone.
        subscribe_url: where one can always subscribe again.
    """

    deadline_field = "stops_at"
    notice = timedelta(hours=48)

    stops_at: datetime = field(converter=in_utc, validator=is_instant)
    subscribe_url: str = field(validator=is_link)
