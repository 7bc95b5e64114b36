"""What people answer when a mail asks them why (C2, C4, S7, O3).

A question is answered once: who clicks another reason, or writes a text after the click, changes their answer and is
not counted twice (F48). However often it is asked, it is one question: a mail that is rendered again, or a survey that
follows the confirmation of the same cancellation, asks nothing new. The id says so: it is a hash of the contact, the
question, what it is about, and the campaign that asked, which is one send; where none did, of when what is asked about
happened. Of two answers with one id the later one holds, and of two at one instant the same one wherever they meet
(`Answer.outranks`).

Of who was erased (O5) stays that somebody chose these reasons on that day, about that plan or list. Unlike a no it
binds nobody, so there is no keyed hash of them with it: it is nobody's, has no id, and what is nobody's is written by
an erasure alone (`without_person`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.cards import without_cards
from lifecycle_mail.model.instants import as_utc, to_micros
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId, entry_id, one_of
from lifecycle_mail.model.peppers import PREFIX, is_hashed
from lifecycle_mail.model.provenance import OptOutReason
from lifecycle_mail.model.unseen import FILLERS, JOINERS, is_blank


class CancellationReason(StrEnum):
    """Why somebody cancels a plan (C2). New ones come last: links name a reason by its place."""

    NO_RESULTS = "no-results"
    NO_INTEGRATION = "no-integration"
    MISSING_FEATURES = "missing-features"
    HARD_TO_USE = "hard-to-use"
    TOO_EXPENSIVE = "too-expensive"
    POOR_SUPPORT = "poor-support"
    TECHNICAL = "technical"
    NOT_SURE_HOW = "not-sure-how"
    SWITCHING = "switching"
    TEST_ACCOUNT = "test-account"
    ORGANISATION_CLOSED = "organisation-closed"
    OTHER = "other"


class DriftReason(StrEnum):
    """Why somebody has not been reading (S7). New ones come last: links name a reason by its place."""

    TOO_MANY = "too-many"
    NOT_RELEVANT = "not-relevant"
    TOO_BUSY = "too-busy"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


Reason = CancellationReason | DriftReason | OptOutReason
"""Any reason that a mail offers."""


class Question(StrEnum):
    """What is asked."""

    CANCELLATION = "cancellation"
    DRIFT = "drift"
    OPT_OUT = "opt-out"


ANSWERS: Mapping[Question, type[CancellationReason] | type[DriftReason] | type[OptOutReason]] = MappingProxyType(
    {
        Question.CANCELLATION: CancellationReason,
        Question.DRIFT: DriftReason,
        Question.OPT_OUT: OptOutReason,
    }
)
"""What can be answered to each question."""

MOST_REASONS: Mapping[Question, int] = MappingProxyType(
    {Question.CANCELLATION: 3, Question.DRIFT: 1, Question.OPT_OUT: 1}
)
"""How many reasons an answer to each question has at most (C2)."""

_READ = 4
MAX_TEXT = 2_000
"""Characters of what somebody writes in their own words."""


def _as_question(value: Question | str) -> Question:
    return one_of(Question, value, "question")


def as_reasons(values: Iterable[str]) -> tuple[str, ...]:
    """Keep reasons as they are named, as an attrs converter; which of them there are takes the question to say.

    Raises:
        InvalidInput: it is one text, or no list.
    """
    if isinstance(values, str):
        raise InvalidInput(f"reasons {values[:40]!r}: give a list, not one text")
    if not isinstance(values, Iterable):
        raise InvalidInput(f"reasons: a {type(values).__name__} is no list")
    return tuple(values)


def reasons_to(question: Question, values: Iterable[str]) -> tuple[Reason, ...]:
    """Return the reasons that are named, each once.

    Raises:
        InvalidInput: one is none of this question.
    """
    known = ANSWERS[question]
    return tuple(dict.fromkeys(one_of(known, value, "reason") for value in values))


def _clean(char: str) -> str:
    if char in FILLERS:
        return ""
    if char == "\n" or char in JOINERS or char.isprintable():
        return char
    return " " if char.isspace() else ""  # a tab, or a space that does not break


def _cut(value: str) -> str:
    # Typed into a page by anybody: what cannot be stored or shown is left out, and nothing is refused for it.
    value = value[: _READ * MAX_TEXT]  # anybody may send ten million characters
    clean = "".join(map(_clean, value.replace("\r\n", "\n").replace("\r", "\n")))
    if is_blank(clean):
        return ""
    return without_cards(clean).strip()[:MAX_TEXT].rstrip()  # what was cut before is not cut again


def _require_plain(_instance: object, _attribute: object, value: Any) -> None:
    if is_hashed(value):
        raise InvalidInput(f"contact id {value[:40]!r} of an answer: {PREFIX!r} begins keyed hashes of who was erased")


@frozen(kw_only=True)
class Answer:
    """What somebody answered to one question.

    Attributes:
        contact_id: who; empty where they were erased since.
        question: what was asked.
        reasons: what they chose, without repeats: up to three of a cancellation, one of anything else; none where they
            only wrote.
        about: the product or plan; of a drift or an opt-out the key of the list, and empty for all marketing.
        campaign: the campaign that asked, or None.
        text: their own words, or empty; cut to 2,000 characters. Of a card's number the last four digits are kept.
        tool: which tool they use now, or empty.
        improve: what should be better, or empty.
        asked_at: when what is asked about happened, as far as the mail says; else when the mail was written. An aware
            UTC instant.
        at: when they answered, an aware UTC instant.

    Raises:
        InvalidInput: a reason that the question does not have, or too many; a contact id that begins like a keyed hash.
    """

    contact_id: ContactId = field(validator=_require_plain)
    question: Question = field(converter=_as_question)
    reasons: tuple[Reason, ...] = field(converter=as_reasons)
    about: str = ""
    campaign: CampaignKey | None = None
    text: str = field(default="", converter=_cut)
    tool: str = field(default="", converter=_cut)
    improve: str = field(default="", converter=_cut)
    asked_at: datetime = field(converter=as_utc)
    at: datetime = field(converter=as_utc)

    def __attrs_post_init__(self) -> None:
        chosen, most = reasons_to(self.question, self.reasons), MOST_REASONS[self.question]
        if len(chosen) > most:
            raise InvalidInput(f"reasons: {len(chosen)} chosen, and {self.question} takes {most}")
        object.__setattr__(self, "reasons", chosen)

    @property
    def id(self) -> EntryId:
        """The same for every answer of this person to what is asked; empty where it is nobody's.

        A campaign is one send, so what it asks is one question, whenever its mails were written.
        """
        if not self.contact_id:
            return EntryId("")
        instant = to_micros(self.asked_at) if self.campaign is None else None
        return entry_id("answer", self.contact_id, self.question, self.about, self.campaign, instant)

    def outranks(self, other: Answer) -> bool:
        """Whether this one holds, of two with one id: the later; at one instant the one that says more."""
        return self._rank() > other._rank()

    def _rank(self) -> tuple[Any, ...]:
        return (self.at, len(self.reasons), self.reasons, self.text, self.tool, self.improve, self.asked_at)


def those_that_hold(answers: Iterable[Answer]) -> dict[EntryId, Answer]:
    """Return of each id the answer that holds, in whatever order they come.

    Raises:
        InvalidInput: one of them is nobody's: without an id nobody could tell whether it is there already.
    """
    found: dict[EntryId, Answer] = {}
    for answer in answers:
        if not answer.id:
            raise InvalidInput("contact id of an answer: it is empty, which only an erasure leaves; say whose it is")
        before = found.get(answer.id)
        if before is None or answer.outranks(before):
            found[answer.id] = answer
    return found


def without_person(answer: Answer) -> Answer:
    """Return what stays of the answer of somebody who was erased (O5): what was chosen, of what, and on which day.

    The day is the UTC day, and its instant noon, which is the same day in nearly every zone. What is taken for the
    name of a product stays, unless it holds an address.
    """
    day = answer.at.replace(hour=12, minute=0, second=0, microsecond=0)
    return evolve(
        answer, contact_id=ContactId(""), about="" if "@" in answer.about else answer.about, text="", tool="",
        improve="", asked_at=day, at=day,
    )  # fmt: skip
