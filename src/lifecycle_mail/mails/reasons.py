"""Why people leave, and what follows from it (C2, C4, S7).

A mail asks in one click: each reason is a signed link, and the page behind it sends the answer with a button, because
a scanner follows every link (R3). What comes next is a decision table over the answer (`NEXT_STEP`): a technical
problem is followed up, a price may be answered with a pause or a smaller plan where the application has one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import StrEnum
from string import ascii_lowercase
from types import MappingProxyType

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.parts import Way
from lifecycle_mail.mails.texts import as_seen
from lifecycle_mail.model.answers import (
    ANSWERS,
    MOST_REASONS,
    Answer,
    CancellationReason,
    DriftReason,
    Question,
    Reason,
    as_reasons,
    reasons_to,
)
from lifecycle_mail.model.instants import SECOND, as_utc, from_micros, to_micros
from lifecycle_mail.model.names import one_of
from lifecycle_mail.model.provenance import OptOutReason
from lifecycle_mail.policy.operators import FactValue
from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table
from lifecycle_mail.policy.where import where

MAX_ABOUT = 150
"""Octets of a product's name that a link carries: `Link.detail` holds 200 characters, with what else is asked."""

SURVEY_REASONS = (
    CancellationReason.NO_RESULTS,
    CancellationReason.NO_INTEGRATION,
    CancellationReason.MISSING_FEATURES,
    CancellationReason.HARD_TO_USE,
    CancellationReason.TOO_EXPENSIVE,
    CancellationReason.POOR_SUPPORT,
    CancellationReason.TEST_ACCOUNT,
    CancellationReason.ORGANISATION_CLOSED,
    CancellationReason.OTHER,
)
"""What a survey offers, of which up to three are taken (C2)."""

SINGLE_REASONS = (
    CancellationReason.TECHNICAL,
    CancellationReason.MISSING_FEATURES,
    CancellationReason.NOT_SURE_HOW,
    CancellationReason.TOO_EXPENSIVE,
    CancellationReason.SWITCHING,
    CancellationReason.ORGANISATION_CLOSED,
    CancellationReason.OTHER,
)
"""What the mail offers that asks for the one main reason (C2)."""


LABELS: Mapping[Question, Mapping[str, str]] = MappingProxyType(
    {
        Question.CANCELLATION: {
            CancellationReason.NO_RESULTS: "It did not bring the results that I needed",
            CancellationReason.NO_INTEGRATION: "It does not work with my other tools",
            CancellationReason.MISSING_FEATURES: "Something that I need is missing",
            CancellationReason.HARD_TO_USE: "It is hard to use",
            CancellationReason.TOO_EXPENSIVE: "It costs too much",
            CancellationReason.POOR_SUPPORT: "I did not get the help that I needed",
            CancellationReason.TECHNICAL: "Something did not work",
            CancellationReason.NOT_SURE_HOW: "I was not sure how to use it",
            CancellationReason.SWITCHING: "I am moving to another tool",
            CancellationReason.TEST_ACCOUNT: "It was only a test account",
            CancellationReason.ORGANISATION_CLOSED: "The organisation closed, or the project is over",
            CancellationReason.OTHER: "Another reason",
        },
        Question.DRIFT: {
            DriftReason.TOO_MANY: "Too many mails",
            DriftReason.NOT_RELEVANT: "Not about what interests me",
            DriftReason.TOO_BUSY: "I have no time to read them",
            DriftReason.ELSEWHERE: "I read about it somewhere else",
            DriftReason.OTHER: "Another reason",
        },
        Question.OPT_OUT: {
            OptOutReason.NOT_RELEVANT: "The topics do not interest me any more",
            OptOutReason.COMPETITOR: "I get it from somebody else now",
            OptOutReason.CHANGED_ROLE: "My work has changed",
            OptOutReason.TOO_MANY: "Too many mails",
            OptOutReason.NEVER_SIGNED_UP: "I never signed up",
            OptOutReason.OTHER: "Another reason",
        },
    }
)
"""What a reader reads for each reason, in English; catalogues translate it."""

_QUESTIONS: Mapping[Kind, Question] = MappingProxyType(
    {
        Kind.CANCELLATION_CONFIRMED: Question.CANCELLATION,
        Kind.CANCELLATION_NOTE: Question.CANCELLATION,
        Kind.CANCELLATION_SURVEY: Question.CANCELLATION,
        Kind.CANCELLATION_REASON: Question.CANCELLATION,
        Kind.TECHNICAL_FOLLOW_UP: Question.CANCELLATION,
        Kind.SURVEY: Question.DRIFT,
        Kind.GOODBYE: Question.OPT_OUT,
    }
)


def question_of(kind: Kind) -> Question | None:
    """Return what a kind of mail asks, or None."""
    return _QUESTIONS.get(kind)


def most_of(kind: Kind) -> int:
    """Return how many reasons a kind of mail asks for at most; 0 where it asks nothing."""
    question = question_of(kind)
    if question is None:
        return 0
    return 1 if kind is Kind.CANCELLATION_REASON else MOST_REASONS[question]


# An instant in the first year or in the last is one that some zone cannot write.
_FIRST, _END = datetime(MINYEAR + 1, 1, 1, tzinfo=UTC), datetime(MAXYEAR, 1, 1, tzinfo=UTC)


def _as_about(value: str) -> str:
    """Keep of a product's name what a link can carry: no kinds of spaces, no joiners, not what is too long.

    All links of a mail are about one thing, and so are their answers (F48), and those that the application took itself.
    """
    about = "".join(char if char.isprintable() else " " if char.isspace() else "" for char in as_seen(value))
    return about.encode()[:MAX_ABOUT].decode(errors="ignore")


def _as_occasion(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is not None and not _FIRST <= value < _END:
        raise InvalidInput(f"occasion {value}: nothing is asked about in such a year")
    return as_utc(value).replace(microsecond=0)


_DETAIL = re.compile(
    r"(?P<question>[a-z-]+):(?P<reason>[a-z]?):(?P<most>[0-9])(?P<offers>[a-z]*):(?P<occasion>-?[0-9a-f]{1,10})?:"
    r"(?P<about>.*)"
)


@frozen(kw_only=True)
class Answering:
    """What the link of a reason says, in the `detail` of a `Link`.

    Attributes:
        question: what was asked.
        reason: what was clicked, or None where the page asks. Where nothing is offered it is what they said before.
        offers: the reasons that the mail offers, in its order, each once; none where it asks for words alone.
        most: how many of them can be chosen; 0 where none is offered.
        about: the product or plan that it is about, or empty; of a long name 150 octets.
        occasion: when what is asked about happened, or None where the mail does not say. An aware UTC instant, to the
            second: many databases keep no more, and a mail that is rendered again is about the same.

    Raises:
        InvalidInput: a reason that the question does not have, or a number that cannot be chosen.
    """

    question: Question
    reason: Reason | None = None
    offers: tuple[Reason, ...] = field(default=(), converter=as_reasons)
    most: int = 0
    about: str = field(default="", converter=_as_about)
    occasion: datetime | None = field(default=None, converter=_as_occasion)

    def __attrs_post_init__(self) -> None:
        offers = reasons_to(self.question, self.offers)
        object.__setattr__(self, "offers", offers)
        if self.reason is not None:
            object.__setattr__(self, "reason", one_of(ANSWERS[self.question], self.reason, "reason"))
        limit = min(MOST_REASONS[self.question], len(offers))
        if not min(1, limit) <= self.most <= limit:
            raise InvalidInput(
                f"most {self.most}: of {len(offers)} that are offered {min(1, limit)} to {limit} are chosen"
            )

    def as_detail(self) -> str:
        """Write it: reasons by their places, and the occasion in seconds since 1970, so that a link stays short."""
        letters = dict(zip(ANSWERS[self.question], ascii_lowercase, strict=False))
        reason = "" if self.reason is None else letters[self.reason]
        offers = "".join(letters[one] for one in self.offers)
        occasion = "" if self.occasion is None else f"{to_micros(self.occasion) // SECOND:x}"
        return f"{self.question}:{reason}:{self.most}{offers}:{occasion}:{self.about}"

    @classmethod
    def of_detail(cls, detail: str) -> Answering:
        """Read what `as_detail` wrote.

        Raises:
            InvalidInput: it is none.
        """
        found = _DETAIL.fullmatch(detail)
        if found is None:
            raise InvalidInput(f"detail {detail[:40]!r}: this asks nothing")
        question = one_of(Question, found["question"], "question")
        reasons: dict[str, Reason] = dict(zip(ascii_lowercase, ANSWERS[question], strict=False))
        try:
            return cls(
                question=question,
                reason=reasons[found["reason"]] if found["reason"] else None,
                offers=tuple(reasons[letter] for letter in found["offers"]),
                most=int(found["most"]),
                about=found["about"],
                occasion=from_micros(int(found["occasion"], 16) * SECOND) if found["occasion"] else None,
            )
        except (KeyError, OverflowError):
            raise InvalidInput(f"detail {detail[:40]!r}: no such reason, or no such instant") from None


# --- what comes next --------------------------------------------------------------------------------------------------


class Step(StrEnum):
    """What follows an answer."""

    FOLLOW_UP = "follow-up"
    OFFER_PAUSE = "offer-pause"
    OFFER_DOWNGRADE = "offer-downgrade"
    HELP = "help"
    PERSON = "person"
    REMEMBER = "remember"
    THANK = "thank"


_CHOSEN = where.field("reasons")

_UNSURE = _CHOSEN.has(CancellationReason.NOT_SURE_HOW) | _CHOSEN.has(CancellationReason.HARD_TO_USE)
_LACKING = _CHOSEN.has(CancellationReason.MISSING_FEATURES) | _CHOSEN.has(CancellationReason.NO_INTEGRATION)
_EXPENSIVE = _CHOSEN.has(CancellationReason.TOO_EXPENSIVE)

NEXT_STEP = Table(
    name="after an answer",
    rules=[
        Rule(name="technical", when=_CHOSEN.has(CancellationReason.TECHNICAL), then=Step.FOLLOW_UP,
             because="something did not work: ask what, and look into it"),
        Rule(name="pause", when=_EXPENSIVE & where.field("pause"), then=Step.OFFER_PAUSE,
             because="it costs too much, and it can be paused"),
        Rule(name="downgrade", when=_EXPENSIVE & where.field("downgrade"), then=Step.OFFER_DOWNGRADE,
             because="it costs too much, and there is a smaller plan"),
        Rule(name="help", when=_UNSURE, then=Step.HELP, because="somebody can show how it is used"),
        Rule(name="support", when=_CHOSEN.has(CancellationReason.POOR_SUPPORT), then=Step.PERSON,
             because="nobody helped them; now somebody does"),
        Rule(name="missing", when=_LACKING, then=Step.REMEMBER, because="tell them once it is there"),
        Rule(name="never-signed-up", when=_CHOSEN.has(OptOutReason.NEVER_SIGNED_UP), then=Step.PERSON,
             because="they say that they never signed up: look at how they came onto the list"),
        Rule(name="in-their-words", when=where.field("wrote"), then=Step.PERSON,
             because="they wrote to us, and a person reads it"),
    ],
    otherwise=Otherwise(then=Step.THANK, because="there is nothing to do but to thank them"),
)  # fmt: skip
"""What follows an answer to why somebody left (C4, O3). The first row that holds decides."""

_WAYS = {Step.OFFER_PAUSE: "pause", Step.OFFER_DOWNGRADE: "downgrade", Step.HELP: "help"}


def _check_ways(ways: Mapping[str, Way]) -> None:
    known = tuple(_WAYS.values())
    for name, way in ways.items():
        if name not in known:  # it would never be offered
            raise UnknownName("way", name, known)
        if not isinstance(way, Way):
            raise InvalidInput(f"ways[{name!r}]: a {type(way).__name__} is not a Way")


@frozen(kw_only=True)
class NextStep:
    """What follows an answer.

    Attributes:
        step: what to do.
        kind: the mail that does it, or None.
        way: what the page may offer, as the application defined it, or None. It is for the page, which the person
            opened; a transactional mail carries no offers (C6).
        to_read: whether they wrote something. The mails say that a person reads every answer, whatever else follows.
        decision: why.
    """

    step: Step
    kind: Kind | None
    way: Way | None
    to_read: bool
    decision: Decision = field(repr=False)


def next_step(answer: Answer, *, ways: Mapping[str, Way] | None = None, table: Table = NEXT_STEP) -> NextStep:
    """Decide what follows an answer.

    Args:
        answer: what they said.
        ways: what the application offers: `pause`, `downgrade`, `help`; what it does not define is not offered.
        table: the application's own, over the same facts: the fields `reasons` (a set), `wrote`, and one flag for
            each way.

    Raises:
        UnknownName: a way that there is not.
        InvalidInput: a way that is none, or a table that chose no step.
    """
    ways = ways or {}
    _check_ways(ways)
    wrote = bool(answer.text or answer.improve)
    facts: dict[str, FactValue] = {
        "field:reasons": frozenset(map(str, answer.reasons)),
        "field:wrote": wrote,
        **{f"field:{name}": name in ways for name in _WAYS.values()},
    }
    decision = table.decide(facts)
    step = one_of(Step, decision.outcome, table.name)
    return NextStep(
        step=step,
        kind=Kind.TECHNICAL_FOLLOW_UP if step is Step.FOLLOW_UP else None,
        way=ways.get(_WAYS.get(step, "")),
        to_read=wrote,
        decision=decision,
    )
