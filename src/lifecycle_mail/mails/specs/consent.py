"""Mails that answer what a person just did about their consent.

They are transactional: the person asked for them. None of them asks anybody back who left (R13), and none promotes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from attrs import field, frozen
from attrs.validators import optional

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.kinds import Kind, specification
from lifecycle_mail.mails.links import LinkPurpose
from lifecycle_mail.mails.parts import Way, as_ways
from lifecycle_mail.mails.signing import is_token
from lifecycle_mail.mails.specs.base import (
    Specification,
    are_titled,
    in_utc,
    is_instant,
    is_titled,
    refuse_promotion,
)
from lifecycle_mail.mails.texts import are, as_lists, as_members, is_day, is_flag, is_words_or_empty
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import one_of
from lifecycle_mail.model.provenance import OptOutReason


def _as_reasons(values: Iterable[OptOutReason]) -> tuple[OptOutReason, ...]:
    return as_members(OptOutReason, values, "reasons")


@frozen(kw_only=True)
class ConsentSpecification(Specification):
    """A mail about somebody's consent."""

    def __attrs_post_init__(self) -> None:
        refuse_promotion(self)


@specification(Kind.GOODBYE)
@frozen(kw_only=True)
class Goodbye(ConsentSpecification):
    """Confirms an opt-out; the last chance for a good impression (O7).

    Where one list was left, it says what they still get and what else can be chosen. Where everything was, it names
    the page on which that can be changed, and nothing more: nobody is asked back (R13).

    Attributes:
        left: the list that was left, or None for all marketing.
        left_at: when, an aware instant.
        stays: the lists that they are still on.
        channels: other channels that can be chosen instead (P6).
        reasons: why people leave, to be answered in one optional click; empty where it was said already.
    """

    past = ("left_at",)

    left: MailingList | None = field(validator=optional(is_titled))
    left_at: datetime = field(converter=in_utc, validator=is_instant)
    stays: tuple[MailingList, ...] = field(default=(), converter=as_lists, validator=are_titled())
    channels: tuple[Way, ...] = field(default=(), converter=as_ways, validator=are(Way))
    reasons: tuple[OptOutReason, ...] = field(
        default=tuple(OptOutReason), converter=_as_reasons, validator=are(OptOutReason)
    )

    def __attrs_post_init__(self) -> None:
        refuse_promotion(self)
        if self.left is None and (self.stays or self.channels):
            raise InvalidInput(
                "stays, channels: who left all marketing is on no list and is offered nothing (R13); leave them empty"
            )
        if self.left is not None and self.left.key in [one.key for one in self.stays]:
            raise InvalidInput(f"stays: {self.left.key!r} is the list that was left; leave it out")


def _is_token(_instance: object, at: Any, value: Any) -> None:
    if not is_token(value):
        raise InvalidInput(f"{at.name}: give the token of NeedsConfirmation, as `subscribe` returned it")


@specification(Kind.CONFIRM_SUBSCRIPTION)
@frozen(kw_only=True)
class ConfirmSubscription(ConsentSpecification):
    """Asks somebody who signed up whether it was they (double opt-in, O4).

    Attributes:
        listed: the list that was asked for.
        token: what `subscribe` returned with `NeedsConfirmation`.
        asked_at: when it was asked for, an aware instant.
        source: where it was asked for, for example "the form on harbour.example/offers", or empty.
    """

    past = ("asked_at",)

    listed: MailingList = field(validator=is_titled)
    token: str = field(validator=_is_token, repr=False)
    asked_at: datetime = field(converter=in_utc, validator=is_instant)
    source: str = field(default="", validator=is_words_or_empty)


@specification(Kind.CONFIRM_RESUBSCRIPTION)
@frozen(kw_only=True)
class ConfirmResubscription(ConsentSpecification):
    """Asks somebody who opted out before whether it is they who come back (O4).

    Attributes:
        listed: the list that was asked for.
        token: what `subscribe` returned with `NeedsConfirmation`.
        asked_at: when it was asked for, an aware instant.
        left_on: the day of the latest opt-out that a yes takes back.
        from_all: whether an opt-out from all marketing is among them; a yes takes it back for this list alone.
    """

    past = ("asked_at", "left_on")

    listed: MailingList = field(validator=is_titled)
    token: str = field(validator=_is_token, repr=False)
    asked_at: datetime = field(converter=in_utc, validator=is_instant)
    left_on: date = field(validator=is_day)
    from_all: bool = field(default=False, validator=is_flag)


@specification(Kind.PREFERENCE_REQUEST)
@frozen(kw_only=True)
class PreferenceRequest(ConsentSpecification):
    """Sends the link to somebody's own preferences, because they asked for it (P4).

    Attributes:
        asked_at: when, an aware instant.
    """

    past = ("asked_at",)

    asked_at: datetime = field(converter=in_utc, validator=is_instant)


def _as_purpose(value: LinkPurpose | str) -> LinkPurpose:
    return one_of(LinkPurpose, value, "purpose")


FRESH: Final = (LinkPurpose.UNSUBSCRIBE, LinkPurpose.PREFERENCES)
"""What a fresh link can be for (F47)."""


@specification(Kind.FRESH_LINK)
@frozen(kw_only=True)
class FreshLink(ConsentSpecification):
    """Sends a new link for one that is too old, or whose key was revoked (F47).

    Attributes:
        purpose: what the link is for: `unsubscribe` or `preferences`.
        asked_at: when it was asked for, an aware instant.
        listed: the list that the link leaves, or None for all marketing.
    """

    past = ("asked_at",)

    purpose: LinkPurpose = field(converter=_as_purpose)
    asked_at: datetime = field(converter=in_utc, validator=is_instant)
    listed: MailingList | None = field(default=None, validator=optional(is_titled))

    @purpose.validator
    def _leads_out(self, _attribute: object, value: LinkPurpose) -> None:
        # A fresh link to a confirmation comes from `subscribe`, which knows what it would take back.
        if value not in FRESH:
            raise InvalidInput(f"purpose: a fresh link is for {' or '.join(FRESH)}, not for {value}")
