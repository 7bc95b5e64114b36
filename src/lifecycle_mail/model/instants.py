"""Instants and durations.

An instant is an aware `datetime` at the edges and an int of UTC microseconds inside, so that pure Python and
columns compare the same numbers. Durations are fixed (a day is 86,400 s); rules about civil time take a zone
explicitly and live elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType
from zoneinfo import ZoneInfo

from lifecycle_mail.errors import InvalidInput

Micros = NewType("Micros", int)
"""UTC microseconds since 1970-01-01T00:00:00Z."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> Micros:
    """Turn an aware datetime into UTC microseconds; a naive one raises `InvalidInput`."""
    if instant.tzinfo is None:
        raise InvalidInput(f"{instant.isoformat()} has no time zone: give an aware datetime, for example in UTC")
    return Micros((instant - _EPOCH) // _MICROSECOND)


def from_micros(micros: int) -> datetime:
    """Turn UTC microseconds into an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def as_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC; a naive datetime raises `InvalidInput`."""
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise InvalidInput(f"{instant.isoformat()} has no time zone: give an aware datetime, for example in UTC")
    return instant.astimezone(UTC)


def optional_utc(instant: datetime | None) -> datetime | None:
    """`as_utc` for an instant that may be missing."""
    return None if instant is None else as_utc(instant)


def parse_instant(text: str, zone: ZoneInfo | None = None) -> datetime:
    """Read ISO 8601, or seconds since 1970 as ESPs write them.

    Args:
        text: for example `2026-02-03T10:00:00Z`, `2026-02-03 10:00:00`, `2026-02-03` or `1513299569`.
        zone: the zone of a text that names none; UTC where it is left out. In the hour that a clock change
            repeats, the first reading is taken; one that it skips is read with the offset before the change.

    Raises:
        InvalidInput: the text is neither; the message quotes it.
    """
    stripped = text.strip()
    try:
        if stripped.replace(".", "", 1).isdecimal() and len(stripped.partition(".")[0]) >= 9:
            return from_micros(round(float(stripped) * SECOND))
        parsed = datetime.fromisoformat(stripped)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone or UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        shown = stripped if len(stripped) <= 40 else stripped[:37] + "..."
        raise InvalidInput(
            f"{shown!r} is not a date: write ISO 8601 such as 2026-02-03T10:00:00Z, or seconds since 1970"
        ) from None
