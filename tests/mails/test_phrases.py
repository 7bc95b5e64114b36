"""Phrases are found however a text spells them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.phrases import Folded, Phrases

PHRASES = Phrases(("última oportunidad", "don't go", "coupon*", "# days left", "half price", "free!!"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("última oportunidad", "última oportunidad"),
        ("Tu ULTIMA  Oportunidad, Ada", "ULTIMA  Oportunidad"),
        ("u\u0301ltima\u00a0oportunidad", "u\u0301ltima\u00a0oportunidad"),
        ("please don\u2019t go", "don\u2019t go"),
        ("coupons here", "coupons"),
        ("cou\u00adpon", "cou\u00adpon"),
        ("\uff43\uff4f\uff55\uff50\uff4f\uff4e", "\uff43\uff4f\uff55\uff50\uff4f\uff4e"),
        ("only 12 days left", "12 days left"),
        ("half\u2011price", "half\u2011price"),
        ("free!!!", "free!!"),
    ],
)
def test_a_phrase_is_found_as_it_is_written(text: str, expected: str) -> None:
    """Case, accents, spaces, dashes and characters that are not seen make no difference; what is found is quoted."""
    assert expected == PHRASES.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oportunidad última",
        "xcoupon",
        "some days left",
        "12 days",
        "halfprice",
        "feel free!",
        "don't you go",
        "12 days lefty",
    ],
)
def test_a_word_is_not_found_in_another(text: str) -> None:
    """A phrase begins and ends where words do, and all of it has to be there."""
    assert PHRASES.find(text) is None
    assert () == PHRASES.find_all(text)


def test_each_is_found_once_in_the_order_of_the_text() -> None:
    """Spellings that differ are shown as they are; the same spelling is shown once."""
    assert ("half price", "coupon", "Coupon") == PHRASES.find_all("half price coupon, half price Coupon coupon")


def test_the_longer_of_two_is_quoted() -> None:
    """A phrase that another one begins with does not hide it."""
    assert "free month" == Phrases(("free", "free month")).find("a free month")


def test_no_phrases_are_found_nowhere() -> None:
    """An empty table finds nothing, not everything."""
    assert Phrases(()).find("anything") is None


@given(st.text())
def test_every_place_of_a_folded_text_is_one_of_the_written(text: str) -> None:
    """Nothing raises; places rise and lie in the text; folding what is folded changes nothing more."""
    folded = Folded.of(text)
    assert len(folded.text) == len(folded.places)
    assert sorted(folded.places) == list(folded.places)
    assert set(folded.places) <= set(range(len(text)))
    assert folded.text == Folded.of(folded.text).text


@given(st.text(), st.text())
def test_a_phrase_is_found_in_any_text_around_it(before: str, after: str) -> None:
    """Whatever stands around it, apart from it, a phrase is found."""
    found = PHRASES.find_all(f"{before} half price {after}")
    assert any("halfprice" == Folded.of(one).text.replace(" ", "").replace("-", "") for one in found)


@pytest.mark.parametrize("piece", ["a\u0301\u0323", "\u0301\u0323", "free ", "- ", "1", "\U0001f44b", "\u200d"])
def test_takes_linear_time(piece: str) -> None:
    """A hundred thousand characters are searched at once, piled-up accents too, which are slow to put into order."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    PHRASES.find_all(text)
    assert time.perf_counter() - begun < 2
