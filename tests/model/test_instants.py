"""Instants: aware at the edges, microseconds inside."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.instants import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    as_utc,
    from_micros,
    optional_utc,
    parse_instant,
    to_micros,
)

TALLINN = ZoneInfo("Europe/Tallinn")
NEW_YORK = ZoneInfo("America/New_York")
ZONES: list[tzinfo] = [UTC, TALLINN, NEW_YORK, timezone(timedelta(hours=5, minutes=45))]
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(ZONES),
)
NAIVE = datetime(2026, 2, 3, 10)  # noqa: DTZ001 - this is what is refused


class TestMicros:
    """The number inside and the datetime outside are one instant."""

    @given(INSTANTS)
    def test_there_and_back(self, instant: datetime) -> None:
        """No microsecond is lost, and what comes back is in UTC."""
        back = from_micros(to_micros(instant))
        assert back == instant.astimezone(UTC)
        assert back.tzinfo is UTC

    @given(st.integers(-(10**16), 10**16))
    def test_back_and_there(self, micros: int) -> None:
        """Every number of microseconds is the one of its instant."""
        assert to_micros(from_micros(micros)) == micros

    @given(INSTANTS, INSTANTS)
    def test_keeps_the_order(self, one: datetime, other: datetime) -> None:
        """Numbers compare as their instants do, across zones and clock changes."""
        assert (to_micros(one) < to_micros(other)) == (one.astimezone(UTC) < other.astimezone(UTC))

    def test_the_epoch(self) -> None:
        """Zero is the first instant of 1970, and a day has 86,400 seconds."""
        assert from_micros(0) == datetime(1970, 1, 1, tzinfo=UTC)
        assert to_micros(datetime(1970, 1, 2, tzinfo=UTC)) == DAY == 24 * HOUR == 1440 * MINUTE == 86_400 * SECOND

    @pytest.mark.parametrize("convert", [to_micros, as_utc, optional_utc])
    def test_naive_is_refused(self, convert: object) -> None:
        """A datetime without a zone is no instant; the error says what to give."""
        assert callable(convert)
        with pytest.raises(InvalidInput, match="2026-02-03T10:00:00 has no time zone: give an aware datetime"):
            convert(NAIVE)

    @given(INSTANTS)
    def test_as_utc_is_the_same_instant(self, instant: datetime) -> None:
        """Whatever the zone, the instant stays and the zone becomes UTC."""
        assert as_utc(instant) == instant.astimezone(UTC)
        assert as_utc(instant).tzinfo is UTC
        assert optional_utc(instant) == as_utc(instant)
        assert optional_utc(None) is None


class TestParsing:
    """Dates as people and ESPs write them."""

    @given(INSTANTS, st.sampled_from(("T", " ")))
    def test_reads_what_python_writes(self, instant: datetime, separator: str) -> None:
        """ISO 8601 with an offset is read back, however the date and the time are joined."""
        assert parse_instant(f"  {instant.isoformat(separator)} ") == instant.astimezone(UTC)

    @given(st.integers(10**8, 4 * 10**9), st.integers(0, 999_999))
    def test_reads_seconds_since_1970(self, seconds: int, micros: int) -> None:
        """Seconds since 1970 are read to the microsecond."""
        expected = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
        assert parse_instant(f"{seconds}.{micros:06d}") == expected
        assert parse_instant(str(seconds)) == datetime.fromtimestamp(seconds, UTC)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-02-03T10:00:00Z", datetime(2026, 2, 3, 10, tzinfo=UTC)),
            ("2026-02-03T10:00:00+02:00", datetime(2026, 2, 3, 8, tzinfo=UTC)),
            ("2026-02-03 10:00:00", datetime(2026, 2, 3, 10, tzinfo=UTC)),
            ("2026-02-03", datetime(2026, 2, 3, tzinfo=UTC)),
            ("20260203", datetime(2026, 2, 3, tzinfo=UTC)),
            ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
            ("1513299569", datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)),
        ],
    )
    def test_golden(self, text: str, expected: datetime) -> None:
        """The forms that exports use are read as they are meant."""
        assert parse_instant(text) == expected

    @pytest.mark.parametrize(
        ("text", "zone", "expected"),
        [
            ("2026-07-01 12:00:00", TALLINN, "2026-07-01T09:00:00Z"),
            ("2026-01-01 12:00:00", TALLINN, "2026-01-01T10:00:00Z"),
            ("2026-03-29 03:30:00", TALLINN, "2026-03-29T01:30:00Z"),  # skipped: read with the offset before
            ("2026-10-25 03:30:00", TALLINN, "2026-10-25T00:30:00Z"),  # twice: the first
            ("2026-11-01 01:30:00", NEW_YORK, "2026-11-01T05:30:00Z"),
            ("2026-10-25T03:30:00+02:00", TALLINN, "2026-10-25T01:30:00Z"),  # its own offset says which
            ("1513299569", TALLINN, "2017-12-15T00:59:29Z"),
        ],
    )
    def test_civil_time(self, text: str, zone: ZoneInfo, expected: str) -> None:
        """A text without a zone is read in the one given, through gaps and folds; one with a zone keeps it (F65)."""
        assert parse_instant(text, zone) == parse_instant(expected)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "yesterday",
            "03/02/2026",
            "2026-02-30",
            "2025-02-29",
            "12",
            "-1513299569",
            "1.2.3",
            "99999999999999999",
            "10:00",
        ],
    )
    def test_refuses_the_rest(self, text: str) -> None:
        """What is no date is refused, and quoted beside the ways to write one."""
        with pytest.raises(
            InvalidInput, match=r"is not a date: write ISO 8601 such as 2026-02-03T10:00:00Z"
        ) as refused:
            parse_instant(text)
        assert repr(text) in str(refused.value)

    @given(st.text(max_size=30) | st.text("0123456789-:.TZ+ ", max_size=25))
    def test_nothing_else_is_raised(self, text: str) -> None:
        """Any text is an instant in UTC or an `InvalidInput`."""
        try:
            found = parse_instant(text)
        except InvalidInput:
            return
        assert found.tzinfo is UTC

    def test_a_long_text_is_cut(self) -> None:
        """The error quotes at most 40 characters."""
        with pytest.raises(InvalidInput) as refused:
            parse_instant("9" * 1_000_000)
        assert len(str(refused.value)) < 200
