import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import frozen

from lifecycle_mail.mails import (
    SHIPPED,
    Cancellation,
    CancellationReason,
    Kind,
    Links,
    Money,
    Recipient,
    Renderer,
    Step,
    choose_notice,
    next_step,
    write_notice,
)
from lifecycle_mail.mails.samples import BRAND
from lifecycle_mail.measure.reasons import count_reasons
from lifecycle_mail.model.answers import Answer, Question
from lifecycle_mail.model.names import ContactId

RENDERER = Renderer(BRAND, links=Links("https://mail.example.com/m", ["a secret of 32 random bytes"]))

CODES: Mapping[str, CancellationReason | None] = {
    "pricing": CancellationReason.TOO_EXPENSIVE,
    "budget": CancellationReason.TOO_EXPENSIVE,
    "competitor": CancellationReason.SWITCHING,
    "features": CancellationReason.MISSING_FEATURES,
    "support": CancellationReason.POOR_SUPPORT,
    "unknown": None,
}
WORDS = {
    "too expensive": CancellationReason.TOO_EXPENSIVE,
    "switched to competitor": CancellationReason.SWITCHING,
    "missing features": CancellationReason.MISSING_FEATURES,
}


@frozen
class Churn:
    """One row of the table of churn events, beside its account."""

    row: Mapping[str, str]
    account: Mapping[str, str]

    @property
    def at(self) -> datetime:
        """When they left: a day, at noon."""
        return datetime.strptime(self.row["churn_date"], "%d-%m-%Y").replace(hour=12, tzinfo=UTC)

    @property
    def reason(self) -> CancellationReason | None:
        """The code, or where it is unknown what their own words say."""
        return CODES[self.row["reason_code"]] or WORDS.get(self.row["feedback_text"])

    @property
    def refund(self) -> Money | None:
        """What was paid back, where anything was."""
        amount = Decimal(self.row["refund_amount_usd"])
        return Money(amount, "USD") if amount else None

    def cancellation(self, locale: str) -> Cancellation:
        """Return the same as an application would tell it."""
        return Cancellation(
            to=Recipient(
                contact_id=ContactId(self.row["account_id"]), address=f"{self.row['account_id'].lower()}@example.com",
                name=self.account["account_name"], locale=locale,
            ),
            product=f"RavenStack {self.account['plan_tier']}",
            cancelled_at=self.at,
            reason=self.reason,
            trial=self.account["is_trial"] == "TRUE",
            refund=self.refund,
            resume_url="https://ravenstack.example/start",
            help_url="https://ravenstack.example/help",
        )  # fmt: skip


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a packed table."""
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def churned(shared: Path) -> list[Churn]:
    """Return every churn event with its account."""
    folder = shared / "data" / "ravenstack_saas"
    accounts = {row["account_id"]: row for row in rows(folder / "accounts.csv.gz")}
    return [Churn(row, accounts[row["account_id"]]) for row in rows(folder / "churn_events.csv.gz")]


def expected(churn: Churn) -> Kind:
    """Say in plain Python what the table decides."""
    if churn.refund is not None:
        return Kind.CANCELLATION_CONFIRMED
    if churn.account["is_trial"] == "TRUE":
        return Kind.CANCELLATION_NOTE
    return Kind.CANCELLATION_REASON if churn.reason is None else Kind.CANCELLATION_CONFIRMED


def test_each_event_gets_the_right_notice_and_nothing_missing_breaks_it(churned: list[Churn]) -> None:
    """The kind follows from reason, refund and trial; each of the 600 is rendered and states what it must (R15)."""
    assert 600 == len(churned)
    kinds: Counter[str] = Counter()
    for number, churn in enumerate(churned):
        known = churn.cancellation(SHIPPED[number % len(SHIPPED)])
        decision = choose_notice(known, now=churn.at)
        mail = RENDERER.render(write_notice(known, now=churn.at), now=churn.at)
        assert expected(churn) == decision.outcome == mail.kind
        assert known.product in mail.text
        assert str(churn.at.year) in mail.text
        if churn.refund is not None:
            digits = [char for char in f"{churn.refund.amount:.2f}" if char.isdigit()]
            assert "".join(digits) in "".join(char for char in mail.text if char.isdigit())
        assert mail.to_message().as_bytes()
        kinds[mail.kind] += 1
    assert {Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_NOTE, Kind.CANCELLATION_REASON} == set(kinds)


def test_each_answer_is_counted_and_followed_up(churned: list[Churn]) -> None:
    """Reasons are counted by reason, plan and month, as a count by hand says; the next step follows from the reason."""
    answers = [
        Answer(
            contact_id=ContactId(f"{churn.row['account_id']}-{churn.row['churn_event_id']}"),
            question=Question.CANCELLATION,
            reasons=[churn.reason or CancellationReason.OTHER],
            about=churn.account["plan_tier"],
            text=churn.row["feedback_text"],
            asked_at=churn.at,
            at=churn.at,
        )
        for churn in churned
    ]
    report = count_reasons(answers, question=Question.CANCELLATION)
    by_hand = Counter(str(answer.reasons[0]) for answer in answers)
    assert dict(by_hand) == {share.reason: share.count for share in report.total.shares}
    plans = Counter(answer.about for answer in answers)
    assert dict(plans) == {plan.key: plan.answers for plan in report.plans}
    months = Counter(f"{answer.at:%Y-%m}" for answer in answers)
    assert dict(sorted(months.items())) == {month.key: month.answers for month in report.months}
    steps = Counter(next_step(answer).step for answer in answers)
    assert (by_hand["missing-features"], 600) == (steps[Step.REMEMBER], steps.total())
    assert steps[Step.PERSON] >= by_hand["poor-support"]
