"""Days, instants, sums and numbers as the reader writes them (C5), by Babel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.instants import as_utc

if TYPE_CHECKING:
    from lifecycle_mail.mails.parts import Money


MAX_NUMBER: Final = 10**15


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale | None:
    """Return Babel's locale of a language tag, or the nearest that it knows: of `et-EE-x-old` that of `et`."""
    parts = tag.replace("-", "_").split("_")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:length]))
        except (UnknownLocaleError, ValueError):
            continue
    return None


def is_from_right(language: str) -> bool:
    """Whether a language is written from right to left; of one that nobody has rules for it is not known."""
    locale = locale_of(language)
    return locale is not None and bool(locale.text_direction == "rtl")


@lru_cache(maxsize=4096)
def _day(value: date, locale: Locale) -> str:
    return format_date(value, format="long", locale=locale)


class Formats:
    """How one reader writes days, instants, sums and numbers.

    Args:
        locale: of the language that the mail is written in, with the reader's region.
        zone: where the reader reads instants.
    """

    def __init__(self, locale: Locale, zone: ZoneInfo) -> None:
        self.locale = locale
        self.zone = zone

    def day(self, value: date) -> str:
        """Write a day, such as 31 March 2026; of an instant the day that it is on in the reader's zone."""
        if isinstance(value, datetime):
            value = as_utc(value).astimezone(self.zone).date()
        if not isinstance(value, date):
            raise InvalidInput(f"day(): a {type(value).__name__} is not a day")
        return _day(value, self.locale)

    def moment(self, value: datetime) -> str:
        """Write an instant with its zone, such as 3 March 2026, 14:05 GMT+02:00."""
        if not isinstance(value, datetime):
            raise InvalidInput(f"moment(): a {type(value).__name__} is not an instant")
        at = as_utc(value).astimezone(self.zone)
        clock = format_time(at, format="short", tzinfo=self.zone, locale=self.locale)
        return f"{_day(at.date(), self.locale)}, {clock} {self._offset(at)}"

    def _offset(self, at: datetime) -> str:
        # Babel rounds the hours down: -03:30 would be written as -04:30.
        minutes = (at.utcoffset() or timedelta(0)) // timedelta(minutes=1)
        hours, rest = divmod(abs(minutes), 60)
        written: str = self.locale.zone_formats["gmt"] % f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
        return written

    def money(self, value: Money) -> str:
        """Write a sum with its currency, exactly: what is paid back is not rounded here."""
        return format_currency(value.amount, value.currency, locale=self.locale, decimal_quantization=False)

    def number(self, value: int) -> str:
        """Write a number with its groups of digits."""
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_NUMBER:
            raise InvalidInput(f"number(): a {type(value).__name__} that is not a whole number up to {MAX_NUMBER:,}")
        return format_decimal(value, locale=self.locale)
