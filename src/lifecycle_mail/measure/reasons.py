"""Why people leave, counted: by reason, by plan or list, and by month (C4).

An answer may name several reasons, and counts for each of them once; shares are of answers, so they may add up to more
than one. Who only wrote chose none, and is an answer like any.

A reason that more than half of the answers name is flagged, overall, for a plan and for a month, each only where there
are answers enough to tell: one of one is no majority. Months are civil months of one zone.

The answers are read once, as a stream; what is kept is one count for each plan, month and reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.measure.intervals import wilson
from lifecycle_mail.model.answers import Answer, Question

FLAG_ABOVE: Final = 0.5
"""The share of the answers above which a reason is flagged (C4)."""
LEAST: Final = 20
"""The fewest answers that tell."""
NONE_CHOSEN: Final = "(none chosen)"
"""What is shown for those who chose no reason."""

_ROUNDING: Final = 1e-9
"""Below this a count is not above its threshold: shares are not exact."""
_SHOWN: Final = 3
"""How many reasons of a plan or a month are shown in its line."""


class By(StrEnum):
    """What answers are grouped by."""

    REASON = "reason"
    PLAN = "plan"
    MONTH = "month"


@frozen(kw_only=True)
class ReasonShare:
    """How many of some answers name a reason.

    Attributes:
        reason: which; empty for those who chose none.
        count: how many name it.
        of: how many answers there are.
        flagged: whether that is more than the threshold, of answers enough to tell.
    """

    reason: str
    count: int
    of: int
    flagged: bool = False

    @property
    def share(self) -> float:
        """The share of the answers."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares it lies, nineteen times out of twenty."""
        return wilson(self.count, self.of)

    @property
    def name(self) -> str:
        """The reason, as it is shown."""
        return self.reason or NONE_CHOSEN

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        low, high = self.interval
        return {
            "reason": self.reason, "count": self.count, "share": self.share, "low": low, "high": high,
            "flagged": self.flagged,
        }  # fmt: skip


@frozen(kw_only=True)
class ReasonGroup:
    """The answers about one plan or list, of one month, or all.

    Attributes:
        key: the plan, the key of the list, or the month (`2026-02`); empty for all answers, and for what no plan is
            named for.
        answers: how many there are.
        shares: how many of them name each reason, the most frequent first.
    """

    key: str
    answers: int
    shares: tuple[ReasonShare, ...] = field(repr=False)

    @property
    def flagged(self) -> tuple[ReasonShare, ...]:
        """The reasons that are flagged."""
        return tuple(one for one in self.shares if one.flagged)

    def count(self, reason: str) -> int:
        """How many answers name a reason; the empty one for those who chose none."""
        return next((one.count for one in self.shares if one.reason == reason), 0)


@frozen(kw_only=True)
class ReasonReport:
    """What people answered to one question.

    Attributes:
        question: which.
        total: all answers.
        plans: those about each plan, or list; the most answers first.
        months: those of each month in which there are any, in order.
        cells: those about each plan in each month, by both; nothing is flagged there.
        flag_above, least: when a reason is flagged.
    """

    question: Question
    total: ReasonGroup
    plans: tuple[ReasonGroup, ...] = field(repr=False)
    months: tuple[ReasonGroup, ...] = field(repr=False)
    cells: Mapping[tuple[str, str], ReasonGroup] = field(repr=False)
    flag_above: float = FLAG_ABOVE
    least: int = LEAST

    @property
    def flagged(self) -> tuple[tuple[By, ReasonGroup, ReasonShare], ...]:
        """Everything that is flagged: of all answers first, then by plan and by month."""
        groups = [(By.REASON, self.total), *((By.PLAN, one) for one in self.plans)]
        groups += [(By.MONTH, one) for one in self.months]
        return tuple((by, group, share) for by, group in groups for share in group.flagged)

    def groups(self, by: By | str) -> tuple[ReasonGroup, ...]:
        """Return the answers grouped by plan or by month; by reason they are one group."""
        return {By.REASON: (self.total,), By.PLAN: self.plans, By.MONTH: self.months}[By(by)]

    @property
    def nameless(self) -> str:
        """What is shown where no plan or list is named; who leaves and names none leaves all marketing."""
        return "(all marketing)" if self.question is Question.OPT_OUT else "(not named)"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, the cross table of plans and months too."""
        return {
            "question": self.question.value,
            "flag_above": self.flag_above,
            "least": self.least,
            "answers": self.total.answers,
            "reasons": [share.to_dict() for share in self.total.shares],
            "plans": [_as_dict("plan", one) for one in self.plans],
            "months": [_as_dict("month", one) for one in self.months],
            "cells": [
                {"plan": plan, "month": month, "answers": one.answers,
                 "reasons": {share.reason: share.count for share in one.shares}}
                for (plan, month), one in self.cells.items()
            ],
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.question}: {_counted(self.total.answers)}"
        width = max((len(share.name) for share in self.total.shares), default=0)
        for share in self.total.shares:
            low, high = share.interval
            sure = f"({_percent(low)} to {_percent(high)})"
            mark = f", above {_percent(self.flag_above).lstrip()}" if share.flagged else ""
            yield f"  {share.name:<{width}}  {share.count:>6,}  {_percent(share.share)}  {sure}{mark}"
        for by, groups in (("plan", self.plans), ("month", self.months)):
            if groups and (by == "month" or self.question is Question.CANCELLATION):
                yield f"by {by}:"
            elif groups:
                yield "by list:"
            width = max((len(one.key or self.nameless) for one in groups), default=0)
            for one in groups:
                most = ", ".join(
                    f"{share.name} {_percent(share.share).lstrip()}{' (!)' * share.flagged}"
                    for share in one.shares[:_SHOWN]
                )
                yield f"  {one.key or self.nameless:<{width}}  {one.answers:>6,}  {most}"


def count_reasons(
    answers: Iterable[Answer],
    *,
    question: Question,
    flag_above: float = FLAG_ABOVE,
    least: int = LEAST,
    zone: tzinfo = UTC,
) -> ReasonReport:
    """Count what people answered to a question.

    Args:
        answers: in any order, each once; those to another question are passed over.
        question: which one.
        flag_above: the share of the answers above which a reason is flagged, between 0 and 1.
        least: the fewest answers that tell.
        zone: whose civil months they are counted by.

    Raises:
        InvalidInput: a threshold that is no share, or a least number below one.
    """
    if isinstance(flag_above, bool) or not isinstance(flag_above, int | float) or not 0 < flag_above < 1:
        raise InvalidInput(f"flag_above {flag_above!r}: give a share between 0 and 1, such as 0.5 for 50 %")
    if isinstance(least, bool) or not isinstance(least, int) or least < 1:
        raise InvalidInput(f"least {least!r}: give a whole number above zero")
    total, plans, months, cells = _Pile(), *(defaultdict[Any, _Pile](_Pile) for _ in range(3))
    for answer in answers:
        if answer.question != question:
            continue
        there = answer.at.astimezone(zone)
        month = f"{there.year:04d}-{there.month:02d}"
        for pile in (total, plans[answer.about], months[month], cells[answer.about, month]):
            pile.add(answer)
    return ReasonReport(
        question=question,
        total=total.group("", flag_above, least),
        plans=tuple(
            pile.group(key, flag_above, least) for key, pile in sorted(plans.items(), key=lambda one: _most_first(*one))
        ),
        months=tuple(pile.group(key, flag_above, least) for key, pile in sorted(months.items())),
        cells=MappingProxyType({key: pile.group(key[0], None, least) for key, pile in sorted(cells.items())}),
        flag_above=flag_above,
        least=least,
    )


class _Pile:
    """What is counted for one group."""

    def __init__(self) -> None:
        self.answers = 0
        self.reasons: Counter[str] = Counter()

    def add(self, answer: Answer) -> None:
        self.answers += 1
        self.reasons.update(map(str, answer.reasons or ("",)))

    def group(self, key: str, flag_above: float | None, least: int) -> ReasonGroup:
        tells = flag_above is not None and self.answers >= least
        limit = (flag_above or 0) * self.answers + _ROUNDING
        shares = [
            ReasonShare(reason=reason, count=count, of=self.answers, flagged=bool(tells and reason and count > limit))
            for reason, count in self.reasons.items()
        ]
        return ReasonGroup(
            key=key, answers=self.answers, shares=tuple(sorted(shares, key=lambda one: (-one.count, one.reason)))
        )


def _most_first(key: str, pile: _Pile) -> tuple[int, str]:
    return -pile.answers, key


def _as_dict(by: str, group: ReasonGroup) -> dict[str, Any]:
    return {by: group.key, "answers": group.answers, "reasons": [share.to_dict() for share in group.shares]}


def _counted(answers: int) -> str:
    return f"{answers:,} answer" + ("" if answers == 1 else "s")


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"
