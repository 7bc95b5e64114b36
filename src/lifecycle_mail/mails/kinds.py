"""Kinds of mail, and what each must say.

Theory of operation
===================

A kind is one row of `KINDS`. The row says to which family it belongs, whether it is marketing, and which of C1's four
points it makes: thank the customer, confirm that the cancellation is processed, ask for feedback, say that the door
stays open. For each point it names the fields of the specification that carry it.

The row is held twice. A specification whose class lacks such a field, or lets it be left out, is refused when the
class is made (`specification`); a mail whose template leaves a point out is refused when it is rendered. So neither a
caller nor somebody's own template can drop one.

Cancelling a paid plan, leaving a list and being sunset are three different things (C7), and so are the families:
*cancellation* mails are about a plan and are transactional, they reach those who opted out of marketing and carry no
promotion (C6); *programme* mails ask whether somebody still wants a list, and are marketing; *consent* mails answer
what a person just did about their consent, and are transactional too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import NOTHING, field, fields_dict, frozen

from lifecycle_mail.errors import Misconfigured

C = TypeVar("C", bound=type[Any])


class Family(StrEnum):
    """What a mail is about (C7)."""

    CANCELLATION = "cancellation"
    PROGRAMME = "programme"
    CONSENT = "consent"


class Point(StrEnum):
    """What a cancellation mail may say, and nothing more (C1)."""

    THANKS = "thanks"
    CONFIRMATION = "confirmation"
    FEEDBACK = "feedback"
    OPEN_DOOR = "open-door"


class Kind(StrEnum):
    """Every mail that is written here."""

    CANCELLATION_CONFIRMED = "cancellation-confirmed"
    CANCELLATION_NOTE = "cancellation-note"
    CANCELLATION_SURVEY = "cancellation-survey"
    CANCELLATION_REASON = "cancellation-reason"
    TECHNICAL_FOLLOW_UP = "technical-follow-up"
    PLAN_ENDING = "plan-ending"
    MEMBERSHIP_ENDED = "membership-ended"
    INACTIVITY_NOTICE = "inactivity-notice"
    PAYMENT_FAILED = "payment-failed"

    WE_MISS_YOU = "we-miss-you"
    VALUE_PROPOSITION = "value-proposition"
    INCENTIVE = "incentive"
    PREFERENCE_UPDATE = "preference-update"
    SURVEY = "survey"
    LAST_CHANCE = "last-chance"
    FINAL_NOTICE = "final-notice"

    GOODBYE = "goodbye"
    CONFIRM_SUBSCRIPTION = "confirm-subscription"
    PREFERENCE_REQUEST = "preference-request"
    CONFIRM_RESUBSCRIPTION = "confirm-resubscription"
    FRESH_LINK = "fresh-link"


def _points(points: Mapping[Point, tuple[str, ...]]) -> Mapping[Point, tuple[str, ...]]:
    return MappingProxyType(dict(points))


@frozen(kw_only=True)
class KindRow:
    """What holds for a kind.

    Attributes:
        family: what it is about.
        points: the points of C1 that it makes, each with the fields of its specification that carry it. A point
            without fields is made by the words alone.
        doc: what it is for, in one sentence.
        source: the requirement it comes from.
    """

    family: Family
    points: Mapping[Point, tuple[str, ...]] = field(converter=_points, factory=dict)
    doc: str
    source: str

    @property
    def marketing(self) -> bool:
        """Whether a list has to be behind it, and a way to leave that list in it (O2)."""
        return self.family is Family.PROGRAMME


def _cancellation(
    doc: str,
    *,
    thanks: tuple[str, ...] | None = None,
    confirmation: tuple[str, ...] | None = None,
    feedback: tuple[str, ...] | None = None,
    open_door: tuple[str, ...] | None = None,
) -> KindRow:
    said = {
        Point.THANKS: thanks,
        Point.CONFIRMATION: confirmation,
        Point.FEEDBACK: feedback,
        Point.OPEN_DOOR: open_door,
    }
    points = {point: names for point, names in said.items() if names is not None}
    return KindRow(family=Family.CANCELLATION, points=points, doc=doc, source="C2")


def _programme(doc: str) -> KindRow:
    return KindRow(family=Family.PROGRAMME, doc=doc, source="S7")


def _consent(doc: str, source: str) -> KindRow:
    return KindRow(family=Family.CONSENT, doc=doc, source=source)


KINDS: Mapping[Kind, KindRow] = MappingProxyType(
    {
        Kind.CANCELLATION_CONFIRMED: _cancellation(
            "Confirms a cancellation: what was cancelled and when, that the card is charged no longer, what stays.",
            thanks=(), confirmation=("product", "cancelled_at", "card", "keeps"), feedback=("reasons",),
            open_door=("resume_url",),
        ),
        Kind.CANCELLATION_NOTE: _cancellation(
            "A few lines to somebody who cancelled, asking what was missing.",
            thanks=(), confirmation=("product", "cancelled_at"), feedback=(),
        ),
        Kind.CANCELLATION_SURVEY: _cancellation(
            "Asks for up to three reasons, which tool is used now, and what to improve.",
            thanks=(), feedback=("reasons",),
        ),
        Kind.CANCELLATION_REASON: _cancellation(
            "Confirms a cancellation and asks for the one main reason, in one click.",
            thanks=(), confirmation=("product", "cancelled_at"), feedback=("reasons",),
        ),
        Kind.TECHNICAL_FOLLOW_UP: _cancellation(
            "Follows up on somebody who left because something did not work.",
            thanks=(), feedback=("problem",), open_door=("resume_url",),
        ),
        Kind.PLAN_ENDING: _cancellation(
            "Says on which day a paid plan ends, that it works until then, and what stays free afterwards.",
            thanks=(), confirmation=("product", "cancelled_at", "ends_on", "keeps"), open_door=("resume_url",),
        ),
        Kind.MEMBERSHIP_ENDED: _cancellation(
            "Says that a membership has ended, what it gave, and the way back if that was a mistake.",
            thanks=(), confirmation=("product", "ended_on"), open_door=("benefits", "resume_url", "help_url"),
        ),
        Kind.INACTIVITY_NOTICE: _cancellation(
            "Warns that an unused account will be closed on a day, and helps to keep it.",
            open_door=("inactive_since", "closes_on", "keep_url"),
        ),
        Kind.PAYMENT_FAILED: _cancellation(
            "Says that a payment failed, that the plan had to be cancelled, and how to reactivate it.",
            thanks=(), confirmation=("product", "cancelled_at", "card"), open_door=("resume_url",),
        ),
        Kind.WE_MISS_YOU: _programme("Acknowledges the absence and says why they once signed up."),
        Kind.VALUE_PROPOSITION: _programme("Shows what they missed."),
        Kind.INCENTIVE: _programme("Offers something of real value, with a day on which it ends."),
        Kind.PREFERENCE_UPDATE: _programme("Asks which topics, and how often."),
        Kind.SURVEY: _programme("Asks one question: why they have not been reading."),
        Kind.LAST_CHANCE: _programme("Asks for a yes or a no by a day, one click to stay."),
        Kind.FINAL_NOTICE: _programme("Says that the mails stop in 48 hours, and how to subscribe again."),
        Kind.GOODBYE: _consent("Confirms an opt-out, and says what else can be chosen.", "O7"),
        Kind.CONFIRM_SUBSCRIPTION: _consent("Asks somebody who signed up whether it was they (double opt-in).", "O4"),
        Kind.PREFERENCE_REQUEST: _consent("Sends the link to somebody's own preferences, because they asked.", "P4"),
        Kind.CONFIRM_RESUBSCRIPTION: _consent("Asks somebody who opted out whether it is they who come back.", "O4"),
        Kind.FRESH_LINK: _consent("Sends a new link for one that is too old or whose key was revoked.", "F47"),
    }
)  # fmt: skip
"""The table of kinds, in the order of the docs."""

_CLASSES: dict[Kind, type[Any]] = {}


def specification(kind: Kind) -> Callable[[C], C]:
    """Make a class the specification of a kind, as a decorator above `@frozen`.

    Raises:
        Misconfigured: a field that carries a point of the kind (C1) is missing, or may be left out.
    """

    def decorate(cls: C) -> C:
        known = fields_dict(cls)
        for point, names in KINDS[kind].points.items():
            for name in names:
                if name not in known or known[name].default is not NOTHING or not known[name].init:
                    raise Misconfigured(
                        f"{cls.__name__}: {kind} makes the point '{point}', so the field {name!r} is required"
                    )
        cls.kind = kind
        _CLASSES[kind] = cls
        return cls

    return decorate


def class_of(kind: Kind) -> type[Any]:
    """Return the class of specifications of a kind."""
    from lifecycle_mail.mails import specs  # noqa: F401 - importing it fills the table

    return _CLASSES[kind]
