"""Days, instants, sums and numbers, as the reader writes them (C5, F65)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.formats import MAX_NUMBER, Formats, is_from_right, locale_of
from lifecycle_mail.mails.parts import Money

TALLINN = "Europe/Tallinn"
TAGS = ("en", "es", "pt", "ms", "et", "pt-PT", "es-MX", "en-GB")
NARROW, NO_BREAK = "\u202f", "\u00a0"


def formats(tag: str = "en", zone: str = TALLINN) -> Formats:
    """How a reader of a language writes, in a zone."""
    found = locale_of(tag)
    assert found is not None
    return Formats(found, ZoneInfo(zone))


def plain(text: str) -> str:
    """A text with plain spaces: which kind of space stands in a sum changes between releases of Babel."""
    return text.replace(NARROW, " ").replace(NO_BREAK, " ")


class TestDays:
    """Days."""

    @pytest.mark.parametrize(
        ("tag", "expected"),
        [
            ("en", "March 31, 2026"), ("en-GB", "31 March 2026"), ("es", "31 de marzo de 2026"),
            ("es-MX", "31 de marzo de 2026"), ("pt", "31 de mar\u00e7o de 2026"), ("pt-PT", "31 de mar\u00e7o de 2026"),
            ("ms", "31 Mac 2026"), ("et", "31. m\u00e4rts 2026"),
        ],
    )  # fmt: skip
    def test_a_day_is_written_out(self, tag: str, expected: str) -> None:
        """In words, so that nobody takes the third of April for the fourth of March."""
        assert expected == formats(tag).day(date(2026, 3, 31))

    @pytest.mark.parametrize(
        ("zone", "summer", "winter"),
        [
            ("UTC", "12:00 PM GMT+00:00", "12:00 PM GMT+00:00"),
            ("Asia/Kathmandu", "5:45 PM GMT+05:45", "5:45 PM GMT+05:45"),
            ("America/St_Johns", "9:30 AM GMT-02:30", "8:30 AM GMT-03:30"),
            ("Pacific/Marquesas", "2:30 AM GMT-09:30", "2:30 AM GMT-09:30"),
            ("America/New_York", "8:00 AM GMT-04:00", "7:00 AM GMT-05:00"),
            ("Pacific/Kiritimati", "2:00 AM GMT+14:00", "2:00 AM GMT+14:00"),
        ],
    )
    def test_any_offset_is_written(self, zone: str, summer: str, winter: str) -> None:
        """With its minutes, and its sign."""
        assert plain(formats(zone=zone).moment(datetime(2026, 7, 1, 12, tzinfo=UTC))).endswith(summer)
        assert plain(formats(zone=zone).moment(datetime(2026, 1, 1, 12, tzinfo=UTC))).endswith(winter)

    @pytest.mark.parametrize("zone", sorted(available_timezones()))
    def test_the_clock_and_its_offset_say_the_instant(self, zone: str) -> None:
        """In every zone there is: the two together are read back as the instant that was written (R15)."""
        for month in (1, 7):
            at = datetime(2026, month, 1, 12, tzinfo=UTC)
            said = plain(formats("en-GB", zone=zone).moment(at)).replace(" at", ",")
            day, clock, offset = re.fullmatch(r"(.*), (\d\d:\d\d) GMT([+-]\d\d:\d\d)", said).groups()  # type: ignore[union-attr]
            assert at == datetime.strptime(f"{day} {clock} {offset}", "%d %B %Y %H:%M %z")

    def test_the_zone_that_an_instant_came_in_does_not_matter(self) -> None:
        """It is one instant."""
        there = datetime(2026, 3, 3, 7, 5, tzinfo=timezone(timedelta(hours=-5)))
        assert formats().moment(there) == formats().moment(there.astimezone(UTC))

    @pytest.mark.parametrize("value", [date(2026, 3, 3), "2026-03-03", None, datetime(2026, 3, 3, 12)])  # noqa: DTZ001
    def test_what_is_no_instant_is_refused(self, value: Any) -> None:
        """A day has no time, and a time without a zone is read by each machine in its own."""
        with pytest.raises(InvalidInput, match=r"not an instant|no time zone"):
            formats().moment(value)


class TestSums:
    """Money."""

    @pytest.mark.parametrize(
        ("tag", "expected"),
        [
            ("en", "\u20ac1,234.50"), ("en-GB", "\u20ac1,234.50"), ("es", "1.234,50 \u20ac"),
            ("es-MX", "EUR1,234.50"), ("pt", "\u20ac 1.234,50"), ("pt-PT", "1 234,50 \u20ac"),
            ("ms", "\u20ac1,234.50"), ("et", "1 234,50 \u20ac"),
        ],
    )  # fmt: skip
    def test_a_sum_is_written_as_the_reader_does(self, tag: str, expected: str) -> None:
        """Signs of groups and of decimals, and where the currency stands."""
        assert expected == plain(formats(tag).money(Money("1234.5", "EUR")))

    @pytest.mark.parametrize(
        ("sum_", "expected"),
        [
            (Money("4.03", "USD"), "$4.03"), (Money("0", "EUR"), "\u20ac0.00"), (Money("0E-10", "EUR"), "\u20ac0.00"),
            (Money("4.0300000000", "USD"), "$4.03"), (Money("1e3", "USD"), "$1,000.00"),
            (Money(500, "JPY"), "\u00a5500"), (Money("0.005", "USD"), "$0.005"), (Money("4.5", "JPY"), "\u00a54.5"),
            (Money("1.234567", "EUR"), "\u20ac1.234567"),
            (Money("999999999999.999999", "EUR"), "\u20ac999,999,999,999.999999"), (Money("4.03", "XYZ"), "XYZ4.03"),
        ],
    )  # fmt: skip
    def test_a_sum_is_written_exactly(self, sum_: Money, expected: str) -> None:
        """Nothing is rounded that is paid back, and nothing is added (C2)."""
        assert expected == plain(formats().money(sum_))

    @given(st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False), st.sampled_from(TAGS))
    def test_no_digit_of_a_sum_is_lost(self, amount: Decimal, tag: str) -> None:
        """Whatever the language, its digits are those of the sum."""
        written = formats(tag).money(Money(amount, "EUR"))
        assert f"{amount:.2f}".replace(".", "") == "".join(filter(str.isdigit, written))


class TestNumbers:
    """Counts."""

    @pytest.mark.parametrize(
        ("tag", "expected"),
        [
            ("en", "1,234,567"), ("en-GB", "1,234,567"), ("es", "1.234.567"), ("es-MX", "1,234,567"),
            ("pt", "1.234.567"), ("pt-PT", "1 234 567"), ("ms", "1,234,567"), ("et", "1 234 567"), ("hi", "12,34,567"),
        ],
    )  # fmt: skip
    def test_a_number_is_written_in_groups(self, tag: str, expected: str) -> None:
        """As each language has them."""
        assert expected == plain(formats(tag).number(1_234_567))

    def test_small_and_large_numbers_are_written(self) -> None:
        """A sign stays, and the largest number that a template may write is written whole."""
        assert ("0", "-1", "47") == tuple(map(formats().number, (0, -1, 47)))
        assert "1,000,000,000,000,000" == formats().number(MAX_NUMBER)

    @pytest.mark.parametrize("value", [True, 1.5, "47", None, MAX_NUMBER + 1, -MAX_NUMBER - 1, 10**400])
    def test_what_is_no_count_is_refused(self, value: Any) -> None:
        """A template may call it with anything; a number without end takes time without end (F54)."""
        with pytest.raises(InvalidInput, match="number"):
            formats().number(value)


class TestLocales:
    """The languages of readers."""

    @pytest.mark.parametrize(
        ("tag", "expected"),
        [
            ("et", "et"), ("et-EE", "et_EE"), ("et_EE", "et_EE"), ("ET-ee", "et_EE"), ("et-EE-x-old", "et_EE"),
            ("et-XX", "et"), ("pt-PT", "pt_PT"), ("es-419", "es_419"), ("zh-TW", "zh_Hant_TW"), ("sr-Latn", "sr_Latn"),
            ("en-US-u-ca-gregory", "en_US"), ("de-CH-1996", "de_CH"),
        ],
    )  # fmt: skip
    def test_the_nearest_that_is_known_is_taken(self, tag: str, expected: str) -> None:
        """Extensions and regions that nobody knows are left out."""
        found = locale_of(tag)
        assert found is not None
        assert expected == str(found).removesuffix("_1996")

    @pytest.mark.parametrize("tag", ["xx", "qaa", "xx-EE", "tlh"])
    def test_an_unknown_language_is_none(self, tag: str) -> None:
        """The mail is then written as the sender's language is."""
        assert locale_of(tag) is None

    @given(st.from_regex(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,7}", fullmatch=True).filter(str.isascii))
    def test_any_tag_is_a_locale_or_none(self, tag: str) -> None:
        """Nothing that a reader's locale may be stops a mail (C5)."""
        found = locale_of(tag)
        assert found is None or isinstance(found, Locale)
        if found is not None:
            written = Formats(found, ZoneInfo(TALLINN))
            assert written.day(date(2026, 3, 31))
            assert written.moment(datetime(2026, 3, 3, 12, 5, tzinfo=UTC))
            assert written.money(Money("4.03", "EUR"))
            assert written.number(47)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("he", True), ("ar-EG", True), ("fa_IR", True), ("ur", True), ("en", False), ("et-EE", False), ("tlh", False)],
)
def test_some_languages_run_from_right_to_left(language: str, expected: bool) -> None:
    """Arabic, Hebrew and those that are written like them; of a language that nobody knows it is not said."""
    assert expected is is_from_right(language)
