"""What was filled in, told from what a template says round it (C6)."""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.filled import filled_in, paragraphs, without
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.parts import Money
from lifecycle_mail.mails.samples import BRAND, sample_reader, samples

FORMATS: Final = Formats(Locale("et"), ZoneInfo("Europe/Tallinn"))
SPECS: Final = samples(sample_reader("et"))


def test_it_is_what_the_mail_shows() -> None:
    """Texts, the entries of lists and their parts, sums as the reader writes them; the longest first."""
    spec = evolve(SPECS[Kind.PLAN_ENDING], product="Pro  boat", refund=Money(Decimal("4.03"), "EUR"))  # type: ignore[call-arg]
    found = filled_in(spec, BRAND, FORMATS)
    assert {"Pro boat", "Your logbook", FORMATS.money(Money("4.03", "EUR")).replace("\xa0", " "), "Sadama 1"} <= {
        *found
    }
    assert sorted(map(len, found), reverse=True) == list(map(len, found))


def test_a_text_of_several_lines_counts_line_by_line_too() -> None:
    """A quote begins each of its lines with a sign."""
    spec = evolve(SPECS[Kind.TECHNICAL_FOLLOW_UP], problem="It costs\n5 EUR")  # type: ignore[call-arg]
    assert {"It costs 5 EUR", "It costs", "5 EUR"} <= {*filled_in(spec, BRAND, FORMATS)}


def test_what_nobody_sees_was_not_filled_in() -> None:
    """An id, a zone, a language, a font, a link: no word of a template is excused by them."""
    found = {*filled_in(SPECS[Kind.WE_MISS_YOU], BRAND, FORMATS)}
    assert not found & {
        "c-17",
        "Europe/Tallinn",
        "win-back",
        "harbour-news",
        "https://harbour.example/new",
        BRAND.website,
    }


@pytest.mark.parametrize(
    ("values", "text", "expected"),
    [
        (["Pro boat"], "Your Pro  boat.", "Your xxxxxxxx."),
        (["Pro boat", "Pro"], "Your Pro\nboat\nPro", "Your xxxxxxxx\nxxx"),
        (["A - 5 EUR"], "You had A\n- 5 EUR\n- more", "You had xxxxxxxxx\n- more"),
        (["5\N{EURO SIGN}"], "5\N{EURO SIGN}, 15\N{EURO SIGN}", "xx, 15\N{EURO SIGN}"),
        (["0"], "0 %, 20 %", "x %, 20 %"),
        (["Basic 10 EUR"], "BASIC 10 EUR and basic 10 eur", "xxxxxxxxxxxx and xxxxxxxxxxxx"),
        ([], "One\n\ntwo", "One\n\ntwo"),
    ],
)
def test_letters_stand_where_it_stood(values: list[str], text: str, expected: str) -> None:
    """However the lines are broken; what is short has to stand alone."""
    assert expected == without(values, text)


def test_a_letter_or_two_are_not_taken_out() -> None:
    """The language `en` is no reason to overlook what is "en oferta"."""
    spec = evolve(SPECS[Kind.PLAN_ENDING], to=sample_reader("en"))
    assert "en oferta" == without(filled_in(spec, BRAND, FORMATS), "en oferta")


@given(st.lists(st.text(min_size=1, max_size=4)), st.text())
def test_lines_stay_as_many_or_fewer(values: list[str], text: str) -> None:
    """Nothing is added, and no paragraph runs into another one."""
    found = without([" ".join(one.split()) for one in values if one.strip()], text)
    assert len(found) <= len(text)
    assert len(paragraphs(found)) <= len(paragraphs(text))


def test_a_plain_text_is_split_into_paragraphs_and_entries() -> None:
    """A line that a paragraph is broken into is no end of it."""
    assert ("One two", "- three four", "* five", "> six") == paragraphs(
        "One\ntwo\n\n\n- three\n  four\n* five\n> six\n"
    )
