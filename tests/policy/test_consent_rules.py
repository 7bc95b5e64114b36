"""How long implied consent lasts, and who must confirm (R10, R12)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument, InvalidInput, UnknownName
from lifecycle_mail.policy.consent_rules import MONTHS, ConsentRules, months_after
from lifecycle_mail.policy.programme import Programme


def day(text: str) -> datetime:
    """Return nine in the morning of a day, in UTC."""
    return datetime.fromisoformat(f"{text}T09:00:00+00:00")


def from_seconds(seconds: int) -> datetime:
    """Return an instant in the centuries after 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("basis", "from_", "until"),
    [
        ("purchase", "2024-02-03", "2026-02-03"),
        ("purchase", "2024-02-29", "2026-02-28"),
        ("purchase", "2026-12-31", "2028-12-31"),
        ("inquiry", "2026-02-03", "2026-08-03"),
        ("inquiry", "2023-08-31", "2024-02-29"),
        ("inquiry", "2024-08-31", "2025-02-28"),
        ("inquiry", "2024-08-29", "2025-02-28"),
        ("inquiry", "2026-07-15", "2027-01-15"),
        ("inquiry", "2026-06-30", "2026-12-30"),
    ],
)
def test_golden_dates(basis: str, from_: str, until: str) -> None:
    """A purchase counts for two years and an inquiry for six months, to the same time of day (R10, F65)."""
    assert day(until) == ConsentRules().expires_at(basis, day(from_))


@given(st.integers(-5000, 50_000), st.sampled_from([None, "purchase", "inquiry"]))
def test_an_end_that_is_given_never_stretches_the_rule(days: int, basis: str | None) -> None:
    """It may come before: consent that follows from a purchase lasts two years at most, whoever says more (R10)."""
    at = day("2026-02-03")
    given_end = at + timedelta(days=days)
    longest = ConsentRules().expires_at(basis or "purchase", at)
    assert min(longest, given_end) == ConsentRules().ends_at(basis, given_end, at)
    assert ConsentRules().ends_at("inquiry", None, at) == day("2026-08-03")
    assert ConsentRules().ends_at(None, None, at) is None
    assert given_end == ConsentRules(implied={}).ends_at(None, given_end, at)


def test_instants_are_read_in_utc() -> None:
    """The day that counts is the one in UTC, whatever zone the instant was written in."""
    tallinn = timezone(timedelta(hours=2))
    late = datetime(2024, 3, 1, 1, tzinfo=tallinn)  # 29 February in UTC
    assert datetime(2026, 2, 28, 23, tzinfo=UTC) == ConsentRules().expires_at("purchase", late)
    with pytest.raises(InvalidInput, match="no time zone"):
        ConsentRules().expires_at("purchase", late.replace(tzinfo=None))


@given(
    st.integers(0, 29_000_000_000).map(from_seconds),
    st.integers(1, 120),
)
def test_months_are_calendar_months(instant: datetime, months: int) -> None:
    """So many months later is in that month, on the same day or on the month's last, and never later than that."""
    later = months_after(instant, months)
    assert (later.year - instant.year) * 12 + later.month - instant.month == months
    assert instant.timetz() == later.timetz()
    assert later.day == instant.day or (later.day < instant.day and (later + timedelta(days=1)).month != later.month)


def test_an_unknown_basis_is_near_missed() -> None:
    """What implies consent must be one of the rules."""
    with pytest.raises(UnknownName, match="did you mean purchase"):
        ConsentRules().expires_at("purchas", day("2026-02-03"))
    with pytest.raises(UnknownName):
        ConsentRules(implied={"quote": 3}).expires_at("purchase", day("2026-02-03"))


@pytest.mark.parametrize(
    "implied", [{"purchase": 0}, {"purchase": 121}, {"purchase": 1.5}, {"purchase": True}, {"A purchase": 6}, [], 24]
)
def test_rules_that_make_no_sense_are_refused(implied: Any) -> None:
    """Months are whole and from 1 to 120, a basis is a slug."""
    with pytest.raises(InvalidInput):
        ConsentRules(implied=implied)


def test_rules_do_not_change_under_us() -> None:
    """What was given is kept, however the caller goes on with it."""
    mine = {"purchase": 12}
    rules = ConsentRules(implied=mine)
    mine["purchase"] = 1
    assert {"purchase": 12} == dict(rules.implied)
    assert dict(MONTHS) == {"purchase": 24, "inquiry": 6} == dict(ConsentRules().implied)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ConsentRules()),
        ("[consent]\ndouble_opt_in = true", ConsentRules(double_opt_in=True)),
        ("[consent.implied]\nquote = 3", ConsentRules(implied={"quote": 3})),
    ],
)
def test_a_programme_holds_them(text: str, rules: ConsentRules) -> None:
    """`[consent]` is read; left out, the defaults hold."""
    assert rules == Programme.from_toml(text).consent
    assert rules == Programme.of(consent=rules).consent


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"consent": 3}, ["$.consent"]),
        ({"consent": {"implied": 3}}, ["$.consent.implied"]),
        (
            {"consent": {"double": True, "double_opt_in": "no", "implied": {"purchase": 0, "Inquiry": 6}}},
            ["$.consent.double", "$.consent.double_opt_in", "$.consent.implied.purchase", "$.consent.implied.Inquiry"],
        ),
        (
            {"lists": [{"key": "Offers"}], "consent": {"implied": {"purchase": "x"}}},
            ["$.lists[0]", "$.consent.implied.purchase"],
        ),
    ],
)
def test_all_problems_are_listed(data: Mapping[str, Any], paths: list[str]) -> None:
    """Every problem of a document comes with its path, those of other parts among them."""
    with pytest.raises(InvalidDocument) as caught:
        Programme.from_dict(data)
    assert paths == [problem.path for problem in caught.value.problems]
