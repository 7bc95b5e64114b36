"""Reasons, counted: by reason, plan and month, with what is flagged (C4)."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.measure.intervals import wilson
from lifecycle_mail.measure.reasons import By, ReasonGroup, ReasonReport, count_reasons
from lifecycle_mail.model.answers import Answer, CancellationReason, Question
from lifecycle_mail.model.names import ContactId

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def answer(*reasons: str, about: str = "pro", at: datetime = NOW, question: str = "cancellation") -> Answer:
    """Return somebody's answer."""
    return Answer(contact_id=ContactId("ada"), question=question, reasons=reasons, about=about, asked_at=at, at=at)


def count(answers: Sequence[Answer], **how: Any) -> ReasonReport:
    """Count what was answered to a cancellation."""
    return count_reasons(answers, question=Question.CANCELLATION, **how)


def counts(group: ReasonGroup) -> dict[str, int]:
    """Return how many answers of a group name each reason."""
    return {one.reason: one.count for one in group.shares}


ANSWERS = st.lists(
    st.builds(
        lambda reasons, about, days, question: (
            answer(*reasons, about=about, at=NOW + days * DAY / 7, question=question)
            if question == "cancellation"
            else answer("other", about=about, question=question)
        ),
        st.lists(st.sampled_from(list(CancellationReason)[:4]), max_size=3),
        st.sampled_from(["", "pro", "team"]),
        st.integers(0, 700),
        st.sampled_from(["cancellation", "cancellation", "cancellation", "drift"]),
    ),
    max_size=60,
)


# --- sums -------------------------------------------------------------------------------------------------------------


@given(ANSWERS, st.sampled_from([UTC, ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Kuala_Lumpur")]))
def test_parts_add_up_to_the_whole(answers: list[Answer], zone: Any) -> None:
    """Over months, over plans, and over the cells of both: answers, and each reason; as a count by hand says."""
    found = count(answers, zone=zone)
    mine = [one for one in answers if one.question is Question.CANCELLATION]
    assert len(mine) == found.total.answers
    assert Counter(str(reason) for one in mine for reason in one.reasons or ("",)) == counts(found.total)
    for groups in (found.plans, found.months, tuple(found.cells.values())):
        assert found.total.answers == sum(one.answers for one in groups)
        assert counts(found.total) == sum((Counter(counts(one)) for one in groups), Counter[str]())
        assert all(one.answers for one in groups)
    for (plan, month), cell in found.cells.items():
        by_hand = [
            one for one in mine if (one.about, f"{one.at.astimezone(zone):%Y-%m}") == (plan, month)
        ]  # fmt: skip
        assert len(by_hand) == cell.answers
    for axis, groups in ((0, found.plans), (1, found.months)):
        for group in groups:
            cells = [cell for key, cell in found.cells.items() if key[axis] == group.key]
            assert counts(group) == sum((Counter(counts(one)) for one in cells), Counter[str]())


@given(ANSWERS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(answers: list[Answer], chance: Any) -> None:
    """The same answers in any order are the same report, to the letter."""
    shuffled = list(answers)
    chance.shuffle(shuffled)
    assert count(answers) == count(shuffled)
    assert str(count(answers)) == str(count(shuffled))


@given(ANSWERS)
def test_a_share_is_of_answers(answers: list[Answer]) -> None:
    """Never more than all of them, however many reasons each names; within its interval."""
    for group in (count(answers).total, *count(answers).plans):
        for one in group.shares:
            assert 0 < one.share <= 1
            assert one.of == group.answers
            low, high = one.interval
            assert low <= one.share <= high
            assert (low, high) == wilson(one.count, group.answers)


def test_they_are_read_once_as_a_stream() -> None:
    """An iterator will do, and no more is kept than counts."""

    def stream() -> Iterator[Answer]:
        for number in range(1000):
            yield answer(list(CancellationReason)[number % 2], at=NOW + number * DAY / 1000)

    found = count_reasons(stream(), question=Question.CANCELLATION)
    assert {"no-results": 500, "no-integration": 500} == counts(found.total)


def test_an_answer_counts_each_of_its_reasons_once() -> None:
    """Shares add up to more than one where several are named; who only wrote is an answer that chose none."""
    found = count([answer("other", "technical"), answer("other"), answer(), answer("other", "other")])
    assert {"other": 3, "technical": 1, "": 1} == counts(found.total)
    assert [("other", 0.75), ("", 0.25), ("technical", 0.25)] == [(one.reason, one.share) for one in found.total.shares]
    assert (3, 0) == (found.total.count("other"), found.total.count("switching"))


# --- months -----------------------------------------------------------------------------------------------------------


def test_a_month_is_that_of_the_zone() -> None:
    """What is said on the last evening of a month in Los Angeles is said in that month there (F65)."""
    answers = [answer("other", at=datetime(2026, 3, 1, 7, 59, tzinfo=UTC)), answer("other", at=NOW)]
    assert ["2026-03"] == [one.key for one in count(answers).months]
    there = count(answers, zone=ZoneInfo("America/Los_Angeles"))
    assert [("2026-02", 1), ("2026-03", 1)] == [(one.key, one.answers) for one in there.months]


def test_groups_come_in_order() -> None:
    """Months as they follow, plans by how many answered, then by name; reasons the same way."""
    answers = [answer("other", about=plan, at=NOW - 40 * turn * DAY) for turn, plan in enumerate(["b", "a", "c", "c"])]
    found = count([*answers, answer("technical", about="c")])
    assert ["2025-11", "2025-12", "2026-01", "2026-03"] == [one.key for one in found.months]
    assert ["c", "a", "b"] == [one.key for one in found.plans]
    assert ["other", "technical"] == [one.reason for one in found.total.shares]
    assert [(found.total,), found.plans, found.months] == [found.groups(by) for by in By]


# --- what is flagged --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "of", "flagged"),
    [(1, 1, False), (19, 19, False), (20, 20, True), (10, 20, False), (11, 20, True), (500, 1000, False),
     (501, 1000, True)],
)  # fmt: skip
def test_above_half_of_answers_enough_is_flagged(named: int, of: int, flagged: bool) -> None:
    """More than half, of at least twenty: one of one is no majority, and half is not above it (C4)."""
    found = count([answer("technical")] * named + [answer()] * (of - named))
    assert flagged == bool(found.total.flagged)
    expected = [(By.REASON, ""), (By.PLAN, "pro"), (By.MONTH, "2026-03")] if flagged else []
    assert expected == [(by, group.key) for by, group, _ in found.flagged]
    assert {"technical"} >= {share.reason for _, _, share in found.flagged}


def test_a_plan_and_a_month_are_flagged_by_themselves() -> None:
    """A majority of one plan is lost among all; and those who chose nothing are no reason."""
    found = count(
        [answer("technical", about="team")] * 20
        + [answer("other", at=NOW + 40 * DAY)] * 30
        + [answer(at=NOW + 80 * DAY)] * 70
    )
    assert () == found.total.flagged
    assert [("plan", "team", "technical"), ("month", "2026-03", "technical"), ("month", "2026-04", "other")] == [
        (by.value, group.key, share.reason) for by, group, share in found.flagged
    ]
    assert not any(share.flagged for cell in found.cells.values() for share in cell.shares)


@pytest.mark.parametrize(("share", "named", "flagged"), [(0.29, 29, False), (0.29, 30, True), (0.7, 70, False)])
def test_the_share_that_flags_can_be_set(share: float, named: int, flagged: bool) -> None:
    """As exactly as it is written."""
    found = count([answer("other")] * named + [answer()] * (100 - named), flag_above=share)
    assert flagged == bool(found.flagged)


@pytest.mark.parametrize("wrong", [0, 1, -0.5, 50, True, "half", None, float("nan")])
def test_a_share_that_is_none_is_refused(wrong: Any) -> None:
    """It is given as 0.5, not as 50."""
    with pytest.raises(InvalidInput, match=r"flag_above .*such as 0\.5"):
        count([], flag_above=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, None])
def test_a_least_number_that_is_none_is_refused(wrong: Any) -> None:
    """It is a whole number above zero."""
    with pytest.raises(InvalidInput, match="least"):
        count([], least=wrong)


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_it_reads_as_a_table() -> None:
    """The whole with its intervals, then each plan and month with its most frequent reasons."""
    said = [answer("too-expensive", "other")] * 30 + [answer("technical", about="", at=NOW + 30 * DAY)] * 9 + [answer()]
    assert (
        "cancellation: 40 answers\n"
        "  other              30   75.0 %  ( 59.8 % to  85.8 %), above 50.0 %\n"
        "  too-expensive      30   75.0 %  ( 59.8 % to  85.8 %), above 50.0 %\n"
        "  technical           9   22.5 %  ( 12.3 % to  37.5 %)\n"
        "  (none chosen)       1    2.5 %  (  0.4 % to  12.9 %)\n"
        "by plan:\n"
        "  pro              31  other 96.8 % (!), too-expensive 96.8 % (!), (none chosen) 3.2 %\n"
        "  (not named)       9  technical 100.0 %\n"
        "by month:\n"
        "  2026-03      31  other 96.8 % (!), too-expensive 96.8 % (!), (none chosen) 3.2 %\n"
        "  2026-04       9  technical 100.0 %"
    ) == str(count(said))


def test_nobody_answered() -> None:
    """There is nothing to count, and nothing to divide by."""
    found = count([answer("other", question="drift")])
    assert "cancellation: 0 answers" == str(found)
    assert ((), (), (), {}) == (found.flagged, found.plans, found.months, dict(found.cells))
    assert [] == found.to_dict()["reasons"]


def test_lists_are_called_lists() -> None:
    """Of those who left or drifted off it is a list, and who named none left all marketing."""
    left = count_reasons(
        [answer("competitor", about="", question="opt-out"), answer("other", about="news", question="opt-out")],
        question=Question.OPT_OUT,
    )
    assert ["by list:", "  (all marketing)       1  competitor 100.0 %"] == str(left).splitlines()[3:5]
    assert "(not named)" == count_reasons([], question=Question.DRIFT).nameless


def test_it_is_plain_data_too() -> None:
    """Whatever it counts can be written as JSON, the cross table of plans and months with it."""
    found = count([answer("other", "technical"), answer("other", about="team", at=NOW + 40 * DAY)], least=2)
    data = json.loads(json.dumps(found.to_dict()))
    low, high = wilson(2, 2)
    assert ("cancellation", 2, 0.5, 2) == (data["question"], data["answers"], data["flag_above"], data["least"])
    first = {"reason": "other", "count": 2, "share": 1.0, "low": low, "high": high, "flagged": True}
    assert first == data["reasons"][0]
    assert [("pro", 1), ("team", 1)] == [(one["plan"], one["answers"]) for one in data["plans"]]
    assert ["2026-03", "2026-04"] == [one["month"] for one in data["months"]]
    assert [
        {"plan": "pro", "month": "2026-03", "answers": 1, "reasons": {"other": 1, "technical": 1}},
        {"plan": "team", "month": "2026-04", "answers": 1, "reasons": {"other": 1}},
    ] == data["cells"]
