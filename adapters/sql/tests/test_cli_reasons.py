"""The command line on answers: why people leave, counted, and shown with a person."""

import csv
import io
import json
from datetime import timedelta

import pytest

from adapters.sql.tests.registries import Registry
from lifecycle_mail.model.answers import Answer, CancellationReason
from lifecycle_mail.testing import contact, frozen_now
from lifecycle_mail.testing.stores.answers import answer
from tests.cli.running import run_well

DAY = timedelta(days=1)
DEAR, BROKEN = CancellationReason.TOO_EXPENSIVE, CancellationReason.TECHNICAL


def said() -> list[Answer]:
    """Return 25 answers of March and ten of April, about two plans, and one about a list."""
    of_march = [answer(f"m{number}", DEAR, BROKEN, at=frozen_now) for number in range(15)]
    of_march += [answer(f"n{number}", BROKEN, about="team", at=frozen_now) for number in range(10)]
    of_april = [answer(f"a{number}", DEAR, about="=team()", at=frozen_now + 35 * DAY) for number in range(9)]
    of_april.append(answer("silent", reasons=[], text="I just leave", about="", at=frozen_now + 35 * DAY))
    return [*of_march, *of_april, answer("drifted", question="drift", reasons=["too-busy"], about="news")]


@pytest.fixture
def db(fresh_url: str) -> Registry:
    """A registry with these answers, on either database."""
    run_well("db", "init", "--db", fresh_url)
    found = Registry(fresh_url)
    with found.open() as mail:
        mail.store.put_answers(said())
    return found


def test_reasons_are_counted(db: Registry) -> None:
    """With shares and their intervals, the most frequent first; what is above half exits with 1 (C4)."""
    ran = db.run("reasons")
    assert 1 == ran.code
    assert "cancellation: 35 answers; a reason is flagged above 50 %" in ran.out
    lines = [line for line in ran.out.splitlines() if "too-expensive" in line or "technical" in line]
    assert ["technical", "25", "71.4 %", "54.9-83.7 %", "yes"] == _cells(lines[0])[:5]
    assert ["too-expensive", "24", "68.6 %"] == _cells(lines[1])[:3]
    assert "(none chosen)" in ran.out
    assert "█" in ran.out


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("│").split("│")]


def test_programs_get_numbers(db: Registry) -> None:
    """As JSON and as CSV; a plan that begins as a formula begins no cell as one (F56)."""
    rows = json.loads(db.run("reasons", "--format", "json").out)
    assert [("technical", 25, True), ("too-expensive", 24, True), ("", 1, False)] == [
        (row["reason"], row["count"], row["flagged"]) for row in rows
    ]
    assert [25 / 35] == [row["share"] for row in rows[:1]]
    assert all(row["low"] < row["share"] < row["high"] and row["answers"] == 35 for row in rows)
    text = db.run("reasons", "--by", "plan", "--format", "csv").out
    by_plan = list(csv.DictReader(io.StringIO(text)))
    assert ["plan", "reason", "count", "answers", "share", "low", "high", "flagged"] == list(by_plan[0])
    assert {"pro": "15", "team": "10", "'=team()": "9", "": "1"} == {row["plan"]: row["answers"] for row in by_plan}


def test_reasons_are_counted_by_plan_and_month(db: Registry) -> None:
    """Each with its own shares; a plan of fifteen answers is too small to be flagged, a month of 25 is not."""
    plans = json.loads(db.run("reasons", "--by", "plan", "--format", "json").out)
    assert [("pro", "technical", 15, False), ("pro", "too-expensive", 15, False), ("team", "technical", 10, False)] == [
        (row["plan"], row["reason"], row["count"], row["flagged"]) for row in plans[:3]
    ]
    months = json.loads(db.run("reasons", "--by", "month", "--format", "json").out)
    assert [("2026-03", 25, True), ("2026-03", 15, True), ("2026-04", 9, False), ("2026-04", 1, False)] == [
        (row["month"], row["count"], row["flagged"]) for row in months
    ]
    assert "(not named)" in db.run("reasons", "--by", "plan").out
    assert 0 == db.run("reasons", "--least", "36").code
    assert [1, 0] == [db.run("reasons", "--flag-above", "0.8", "--least", least).code for least in ("25", "26")]


def test_reasons_are_counted_over_a_time(db: Registry) -> None:
    """From an instant on and before another, by the months of a zone, and of one question (C7)."""
    march = db.rows("reasons", "--before", "2026-04-01", "--least", "99")
    assert [25, 15] == [row["count"] for row in march]
    april = db.rows("reasons", "--since", "2026-04-01", "--by", "month", "--zone", "Asia/Kuala_Lumpur")
    assert {"2026-04"} == {row["month"] for row in april}
    (drifted,) = db.rows("reasons", "--question", "drift", "--by", "plan")
    assert ("news", "too-busy", 1) == (drifted["list"], drifted["reason"], drifted["count"])
    assert [] == db.rows("reasons", "--question", "opt-out")
    assert "opt-out: 0 answers" in db.well("reasons", "--question", "opt-out").out


@pytest.mark.parametrize(
    "arguments",
    [("--question", "why"), ("--by", "year"), ("--zone", "Mars/Olympus"), ("--zone", "../x"), ("--since", "soon")],
)
def test_wrong_usage_is_said(db: Registry, arguments: tuple[str, str]) -> None:
    """With the option, and what it takes."""
    ran = db.run("reasons", *arguments)
    assert 2 == ran.code
    assert arguments[0] in ran.err


def test_a_share_that_is_none_is_said(db: Registry) -> None:
    """50 is no share."""
    ran = db.run("reasons", "--flag-above", "50")
    assert (3, True) == (ran.code, "such as 0.5 for 50 %" in ran.err)


def test_a_picture_shows_what_somebody_answered(db: Registry) -> None:
    """As text and as JSON: when, to what, and in their own words (O9)."""
    with db.open() as mail:
        mail.store.put([contact("m0"), contact("silent")])
        mail.store.put_answers([answer("m0", DEAR, at=frozen_now + DAY, text="so dear", tool="a rowboat")])
    text = db.well("picture", "m0").out
    assert "answered 2026-03-03T09:00:00Z, cancellation of pro: too-expensive, text: so dear, tool: a rowboat" in text
    assert "answered 2026-04-06T09:00:00Z, cancellation: -, text: I just leave" in db.well("picture", "silent").out
    (shown,) = json.loads(db.well("picture", "m0", "--format", "json").out)["answers"]
    assert {
        "at": "2026-03-03T09:00:00Z", "question": "cancellation", "about": "pro", "reasons": ["too-expensive"],
        "campaign": None, "text": "so dear", "tool": "a rowboat", "improve": "",
    } == shown  # fmt: skip
