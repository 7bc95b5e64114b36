"""What promotes, and what only looks like it (C6)."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.promotions import WORDS, find_promotion, find_sales_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Only \u20ac5", "\u20ac5"),
        ("5 EUR a month", "5 EUR"),
        ("EUR 1.200,50 saved", "EUR 1.200,50"),
        ("4.99\u00a0\u20ac", "4.99\u00a0\u20ac"),
        ("$10 back", "$10"),
        ("por R$ 10,50", "R$ 10,50"),
        ("hanya RM20", "RM20"),
        ("RM 20 sahaja", "RM 20"),
        ("20 eur", "20 eur"),
        ("5 euros al mes", "5 euros"),
        ("5 eurot kuus", "5 eurot"),
        ("10 ringgit", "10 ringgit"),
        ("20 %", "20 %"),
        ("20% off everything", "20% off"),
        ("20\u00a0%, yours", "20\u00a0%"),
        ("-20%", "20%"),
        ("20 percent off", "20 percent off"),
        ("20 per cent for you", "20 per cent"),
        ("20 protsenti soodsamalt", "20 protsenti"),
        ("\uff12\uff10\uff05 for 7 days", "\uff12\uff10\uff05"),
        ("100% free", "100% free"),
        ("100 % tasuta", "100 % tasuta"),
        ("Half price", "Half price"),
        ("a half-price plan", "half-price"),
        ("DISCOUNT inside", "DISCOUNT"),
        ("dis\u00adcount", "dis\u00adcount"),
        ("your promo code", "promo code"),
        ("A special offer", "special offer"),
        ("A special\u200boffer", "special offer"),
        ("A special\u200e\u2063offer", "special offer"),
        ("A spe\u200bcial of\u200dfer", "spe\u200bcial of\u200dfer"),
        ("One free month", "free month"),
        ("2 months free", "2 months free"),
        ("20% de descuento", "descuento"),
        ("Nuestra oferta especial", "oferta especial"),
        ("zapatos en oferta", "en oferta"),
        ("un mes gratis", "mes gratis"),
        ("um desconto para si", "desconto"),
        ("CUPÃO", "CUPÃO"),
        ("um mês grátis", "mês grátis"),
        ("potongan harga", "potongan harga"),
        ("sebulan percuma", "sebulan percuma"),
        ("Teie sooduskoodid", "sooduskoodid"),
        ("allahindlusega", "allahindlusega"),
        ("poole hinnaga", "poole hinnaga"),
        ("Twenty percent off", "Twenty percent off"),
        ("seventy-five per cent off", "seventy-five per cent off"),
        ("a percent off", "percent off"),
        ("Two months on us", "months on us"),
        ("Buy now", "Buy now"),
        ("Order now and sail", "Order now"),
        ("Please shop  now", "shop  now"),
        ("Upgrade now!", "Upgrade now"),
        ("Save up to 20 on your plan", "Save up to 20 on"),
        ("save 20 today", "save 20 today"),
        ("Save big", "Save big"),
        ("Compra ya", "Compra ya"),
        ("dos meses por nuestra cuenta", "meses por nuestra cuenta"),
        ("Ahorra hasta 20 en tu plan", "Ahorra hasta 20 en tu"),
        ("Compre agora", "Compre agora"),
        ("Poupe até 20 no seu plano", "Poupe até 20 no seu"),
        ("Beli sekarang", "Beli sekarang"),
        ("Jimat sehingga 20 setahun", "Jimat sehingga 20 setahun"),
        ("Osta kohe", "Osta kohe"),
        ("Säästa kuni 20 täna", "Säästa kuni 20 täna"),
        ("20 protsenti odavamalt", "20 protsenti"),
        ("kakskümmend protsenti odavamalt", "protsenti odavamalt"),
    ],
)
def test_a_promotion_is_found_and_quoted(text: str, expected: str) -> None:
    """Prices, price cuts and words of sales are quoted as they are written, in every language (C5, C6)."""
    assert expected == find_promotion(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Your 3 boards stay yours", "Until 31 March 2026", "Invoice 20", "Your card ending 4242", "Order #20",
        "Q3 2026", "100 % of your data is kept", "100% de tus datos", "100% dos seus dados", "100% daripada data anda",
        "100 % teie andmetest", "Your storage is 80% full", "22 % VAT", "20% of it is yours", "Import: 40 % done",
        "What we offer", "They offer help", "An offer was made", "Ofertas", "You have left Offers",
        "Ofertas y novedades", "What stays free", "You stay on the free plan", "Feel free to write", "Your guarantee",
        "a settlement", "liquidación", "on salesforce", "discountenance", "couponing", "promo", "soodustab liikumist",
        "soodsad tuuled", "vale", "le brinde ayuda", "5 dollarydoos", "casos reais", "20 CAD files", "PHP 8", "ARM 64",
        "RMS 20", "5 pounds of apples", "see https://app.example/a%20b?coupon=1&discount=20%25",
        "www.app.example/half-price", "a great deal of work", "per cent", "%", "\u20ac", "$HOME",
        "Your order now ships", "The shop now opens at nine", "who order now and then", "each upgrade now takes a day",
        "Save 20 drafts", "You can save up to 5 charts", "Save your work", "this is on us", "a call is on us to make",
        "tu compra ahora", "Ahorra hasta 2 horas al día", "Poupe 3 horas por semana", "Jimat 2 jam", "Säästa 5 kaarti",
        "in order: now", "buy-nowhere",
    ],
)  # fmt: skip
def test_an_ordinary_text_is_let_through(text: str) -> None:
    """Numbers, days, shares, links, and words with an ordinary meaning promote nothing."""
    assert find_promotion(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Come back with 50 % off", "50 % off"),
        ("Your logbook; buy now", "buy now"),
        ("A credit of 12 EUR", None),
        ("Your unused vouchers", None),
        ("50 % opacity presets", None),
        ("Free Delivery", None),
        ("", None),
    ],
)
def test_what_somebody_keeps_may_be_worth_something(text: str, expected: str | None) -> None:
    """A credit and vouchers are theirs, and no promotion; a discount for coming back is one (C6)."""
    assert expected == find_sales_words(text)


@pytest.mark.parametrize("language", WORDS)
def test_every_word_of_the_table_is_found(language: str) -> None:
    """Each word is found by itself, in capitals, and without its accents, and not within another word."""
    for phrase in WORDS[language].written:
        text = phrase.replace("*", "").replace("#", "3")
        assert find_promotion(text) is not None
        assert find_promotion(f"\u2013 {text.upper()}!") is not None
        assert find_promotion(f"x{text}x") is None or re.search(r"[ \d]", text)


def test_every_language_of_the_mails_has_words() -> None:
    """The languages that ship (C5) are all here, and no word stands in a language twice."""
    assert ["en", "es", "pt", "ms", "et"] == list(WORDS)
    for phrases in WORDS.values():
        assert len(set(phrases.written)) == len(phrases.written)


@given(st.text())
def test_nothing_crashes_it(text: str) -> None:
    """Whatever the text, what is found is a part of it, or nothing is."""
    for found in (find_promotion(text), find_sales_words(text)):
        assert found is None or (found and found in text)


@given(st.text(), st.sampled_from(["\u20ac5", "30 %, ", "half price"]), st.text())
def test_a_promotion_is_found_in_any_text_around_it(before: str, promotion: str, after: str) -> None:
    """Whatever stands around it, a promotion is found."""
    assert find_promotion(f"{before}\n{promotion}\n{after}") is not None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1.,",
        "5 ",
        "% ",
        "\u20ac ",
        "\u0301\u0323",
        "á",
        "free ",
        "http://",
        "www.",
        "half-",
        " ",
        "20%20",
        "RM",
        "9%of ",
        "buy ",
        "save 1 ",
    ],
)
def test_takes_linear_time(piece: str) -> None:
    """A hundred thousand characters are read at once, whatever they are."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    find_promotion(text)
    assert time.perf_counter() - begun < 2
