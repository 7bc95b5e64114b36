"""The query language of the simulator: what each operator says of a row."""

from datetime import UTC, datetime
from typing import Any

import pytest
from lifecycle_mail_sendgrid.testing.sgql import BadQuery, compiled

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROW: dict[str, Any] = {
    "email": "ada@example.com",
    "name": "O'Hara \\ 50%",
    "age": 36.0,
    "gone": None,
    "lists": {"a", "b"},
    "args": {"mail": "spring:ada"},
    "at": datetime(2026, 3, 1, tzinfo=UTC),
    "2nd": "x",
}


def holds(query: str) -> bool:
    """Tell whether the row matches."""
    return compiled(query, names=ROW, now=NOW)(ROW)


@pytest.mark.parametrize(
    "query",
    [
        "email = 'ada@example.com'",
        'EMAIL="ada@example.com"',
        "name = 'O\\'Hara \\\\ 50%'",
        "name LIKE 'O%50%%'",
        "email NOT LIKE '%@example.org'",
        "LOWER('ADA') = 'ada' AND UPPER('a') = 'A' AND LENGTH(email) = 15 AND CONCAT('a', 'b') = 'ab'",
        "age > 35 AND age >= 36 AND age < 37 AND age <= 36 AND age != 1 AND age <> 1 AND age > -1",
        "age IN (1, 36)",
        "age NOT IN (1, 2)",
        "age BETWEEN 36 AND 40 AND age NOT BETWEEN 1 AND 2",
        "gone IS NULL AND age IS NOT NULL",
        "CONTAINS(lists, 'a') AND NOT CONTAINS(lists, 'c')",
        "args['mail'] = 'spring:ada'",
        'at > TIMESTAMP "2026-02-28T00:00:00Z" AND at < NOW()',
        "at BETWEEN TIMESTAMP '2026-03-01T00:00:00Z' AND TIMESTAMP '2026-03-02T00:00:00Z'",
        "`2nd` = 'x'",
        "age = 1 OR (age = 36 AND NOT (age = 2))",
        "gone = 1 OR age = 36",
    ],
)
def test_what_holds(query: str) -> None:
    """Either quotes, escapes, wildcards, functions, comparisons, NULL, collections, maps and instants."""
    assert holds(query)


@pytest.mark.parametrize(
    "query",
    [
        "email = 'ADA@example.com'",
        "gone = 1",
        "gone != 1",
        "NOT gone = 1",
        "NOT (gone = 1 AND age = 36)",
        "gone IN (1)",
        "gone LIKE '%'",
        "LOWER(gone) = 'x'",
        "age = '36'",
        "age > 'x'",
        "args['other'] = 'x'",
        "at = 'yesterday'",
        "name LIKE 'O%50'",
        "age = 36 AND age = 1",
    ],
)
def test_what_does_not_hold(query: str) -> None:
    """Text minds its case, and what compares with NULL is neither true nor false."""
    assert not holds(query)


@pytest.mark.parametrize(
    "query",
    ["", "email = ", "= 'a'", "email = 'a' 'b'", "shoe = 1", "email = 'a", "CONTAINS(lists)", "(age = 1", "age IS 1"],
)
def test_what_cannot_be_read(query: str) -> None:
    """It is refused with a reason."""
    with pytest.raises(BadQuery):
        holds(query)
