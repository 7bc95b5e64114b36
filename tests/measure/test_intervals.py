"""How sure a share is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.measure.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
        (30, 29, 0.8830, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_golden_intervals(hits: int, of: int, low: float, high: float) -> None:
    """The bounds are those that were published (Newcombe, 1998), to four digits."""
    assert pytest.approx((low, high), abs=1e-4) == wilson(hits, of)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_an_interval_holds_its_share(hits: int, of: int) -> None:
    """It lies within 0 and 1, holds the share, and is mirrored when what is counted is the others."""
    hits = min(hits, of)
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of + 1e-12
    assert hits / of - 1e-12 <= high <= 1
    assert pytest.approx((1 - high, 1 - low)) == wilson(of - hits, of)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_more_evidence_is_narrower(hits: int, of: int) -> None:
    """Ten times the same makes the share surer."""
    hits = min(hits, of)
    few, many = wilson(hits, of), wilson(10 * hits, 10 * of)
    assert many[1] - many[0] < few[1] - few[0]
