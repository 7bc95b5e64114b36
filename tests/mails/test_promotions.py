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
        ("The first month is free of charge", "first month is free of charge"),
        ("Disfruta 30 días sin coste", "30 días sin coste"),
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


LANGUAGES = ("en", "es", "pt", "ms", "et")
MEANINGS = {
    "some days free": (
        "Come back now and get 30 days free", "Vuelve y tienes 30 días gratis", "Volte e ganhe 30 dias grátis",
        "Kembali dan nikmati 30 hari percuma", "Tule tagasi: 30 päeva tasuta",
    ),
    "some days free of charge": (
        "You get 30 days free of charge", "Tienes 30 días sin coste", "Você tem 30 dias sem custo",
        "Anda dapat 30 hari tanpa bayaran", "Saad 30 päeva täiesti tasuta",
    ),
    "so many free days": (
        "14 free days", "14 días gratuitos", "14 dias gratuitos", "14 hari lagi percuma", "14 tasuta päeva",
    ),
    "some weeks free": (
        "two weeks free", "dos semanas gratis", "duas semanas grátis", "dua minggu percuma", "kaks nädalat tasuta",
    ),
    "a week free": (
        "Another week free", "Otra semana gratis", "Mais uma semana grátis", "Seminggu percuma", "Nädal aega tasuta",
    ),
    "a free week": ("A free week", "Una semana gratuita", "Uma semana gratuita", "Satu minggu percuma", "Tasuta nädal"),
    "some months free": (
        "Six months free", "Seis meses gratis", "Seis meses grátis", "Enam bulan percuma", "Kuus kuud tasuta",
    ),
    "a month free": ("A month free", "Un mes de regalo", "Um mês de graça", "Sebulan percuma", "Kuu aega tasuta"),
    "a year free": ("One year free", "Un año gratis", "Um ano grátis", "Setahun percuma", "Terve aasta tasuta"),
    "free for some days": (
        "It is free for 30 days", "Es gratis durante 30 días", "É grátis por 30 dias", "Percuma selama 30 hari",
        "Tasuta 30 päeva",
    ),
    "free for so many days in words": (
        "free for thirty days", "gratis por treinta días", "grátis durante trinta dias",
        "percuma selama tiga puluh hari", "tasuta kolmkümmend päeva",
    ),
    "free some days, in short": (
        "Try Plus free for 30 days.", "Prueba Plus gratis 30 días.", "Experimente o Plus grátis 30 dias.",
        "Cuba Plus percuma 30 hari.", "Proovi Plussi tasuta 30 päevaks.",
    ),
    "free for some weeks": (
        "free for two weeks", "gratis durante dos semanas", "gratuito durante duas semanas",
        "percuma untuk dua minggu", "tasuta kaheks nädalaks",
    ),
    "free for a month": (
        "free for a month", "gratis durante un mes", "de graça por um mês", "percuma selama sebulan",
        "tasuta kuuks ajaks",
    ),
    "the first month free": (
        "first month free", "primer mes gratis", "primeiro mês grátis", "Bulan pertama percuma jika anda kembali",
        "esimene kuu tasuta",
    ),
    "the first month is free": (
        "Your first month is free", "El primer mes es gratis", "O primeiro mês é grátis",
        "Bulan pertama anda adalah percuma", "Esimene kuu on tasuta",
    ),
    "the first days are free": (
        "The first 30 days are free", "Los primeros 30 días son gratis", "Os primeiros 30 dias são gratuitos",
        "30 hari pertama adalah percuma", "Esimesed 30 päeva on tasuta",
    ),
    "free for the first months": (
        "free for the first three months", "gratis los tres primeros meses", "grátis nos primeiros três meses",
        "percuma untuk tiga bulan pertama", "tasuta esimesed kolm kuud",
    ),
    "free for the first month": (
        "free for your first month", "gratis durante el primer mes", "grátis no primeiro mês",
        "percuma pada bulan pertama", "tasuta esimesel kuul",
    ),
    "a lower price": (
        "Come back at a lower price", "Vuelve a un precio más bajo", "Volte por um preço mais baixo",
        "Kembali dengan harga yang lebih rendah", "Tule tagasi madalama hinnaga",
    ),
    "lower prices": (
        "Our lower prices", "Nuestros precios más bajos", "Nossos preços mais baixos", "Harga kami lebih rendah",
        "Meie madalamad hinnad",
    ),
    "the price is lower": (
        "The price is now lower", "El precio ahora es más bajo", "O preço agora é mais baixo",
        "Harganya kini lebih rendah", "Hind on nüüd madalam",
    ),
    "the lesser price": (
        "at a lowered price", "a menor precio", "pelo menor preço", "dengan harga yang dikurangkan",
        "alandatud hinnaga",
    ),
    "a better price": (
        "at a better price", "a mejor precio", "por um preço melhor", "dengan harga lebih baik", "parema hinnaga",
    ),
    "cheaper": ("cheaper than before", "más barato", "mais barato", "lebih murah", "odavam"),
    "cheaper ones": ("the cheapest plan", "más baratas", "mais baratos", "paling murah", "odavamad paketid"),
    "half as much": (
        "half the price", "la mitad de precio", "por metade do preço", "separuh harga", "hind poole odavam",
    ),
    "it costs less": (
        "It costs less now", "Ahora cuesta menos", "Agora custa menos", "Kini kosnya lebih rendah",
        "Nüüd maksab vähem",
    ),
    "to pay less": ("Pay less", "Paga menos", "Pague menos", "Bayar lebih sedikit", "Maksa vähem"),
    "less expensive": ("less expensive", "más económico", "sai mais em conta", "kurang mahal", "soodsamalt"),
    "prices went down": (
        "We lowered our prices", "Hemos bajado los precios", "Baixamos os preços", "Kami turunkan harga",
        "Langetasime hindu",
    ),
    "a price reduction": (
        "a price reduction", "una bajada de precio", "uma redução de preço", "penurunan harga", "hinnalangus",
    ),
}  # fmt: skip
"""What promotes whatever the language, said in each of `LANGUAGES`."""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=f"{meaning}-{language}")
        for meaning, said in MEANINGS.items()
        for language, text in zip(LANGUAGES, said, strict=True)
    ],
)
def test_what_promotes_does_so_in_every_language(text: str) -> None:
    """A meaning that is refused in one language is refused in the others, also amid a sentence and in capitals (C6)."""
    assert find_promotion(text) is not None
    assert find_promotion(f"Hei, {text.upper()}!") is not None


@pytest.mark.parametrize(
    "text",
    [
        "Free exports", "30 days of history", "A free account", "Your data stays for 30 days", "Price alerts",
        "30 days to change your mind", "A refund within 14 days", "Cancel free of charge", "Free for everybody",
        "Cancel within 14 days free of charge", "Return it in 30 days at no cost", "Your first year was free",
        "Smoke-free for 30 days", "Your 30-day free trial is over", "30 days free of sugar",
        "100 days free from tobacco", "Keep a day free for us", "10 exports free a month", "Your next free day",
        "A free account, 30 days of history", "Lower the volume", "The price stays as it is", "It costs too much",
        "A lower heart rate", "free choice of seven days", "free to go", "Exportaciones gratis", "30 días de historial",
        "cuenta gratis", "Cuenta gratis 30 días de historial", "Tus datos se quedan 30 días",
        "30 días para cambiar de opinión", "reembolso en 14 días", "alertas de precio", "Cancela gratis",
        "Cancela en 14 días sin coste", "5 exportaciones gratis al mes", "El primer mes fue gratis",
        "más bajo de volumen", "El precio es demasiado alto", "más o menos", "Devoluciones gratis en 30 días",
        "Exportações grátis", "30 dias de histórico", "conta grátis", "Conta grátis 30 dias de histórico",
        "Seus dados ficam por 30 dias", "30 dias para mudar de ideia", "reembolso em 14 dias", "alertas de preço",
        "Cancele grátis", "Cancele em 14 dias sem custo", "O primeiro mês foi grátis", "O preço é alto demais",
        "Eksport percuma", "Sejarah 30 hari", "akaun percuma", "Akaun percuma 30 hari sejarah", "amaran harga",
        "Data anda disimpan selama 30 hari", "30 hari untuk menukar fikiran", "bayaran balik dalam 14 hari",
        "Batalkan secara percuma", "Batalkan dalam 14 hari tanpa bayaran", "Eksport percuma setiap bulan",
        "Eksport percuma sebulan sekali", "lebih rendah", "Harganya terlalu tinggi", "setiap hari percuma",
        "Tasuta eksport", "30 päeva ajalugu", "tasuta konto", "Sinu andmed säilivad 30 päeva", "hinnateavitused",
        "30 päeva, et meelt muuta", "raha tagasi 14 päeva jooksul", "Tühista tasuta", "Iga päev tasuta",
        "Tühista 14 päeva jooksul tasuta", "5 eksporti kuus tasuta", "Hind on liiga kõrge", "madalam hinnang",
        "soodsamad tuuled", "Esimene aasta oli tasuta", "tasuta 30 päeva ajalugu", "odav", "vähem kirju",
        "menos cartas", "levar mais em conta o que importa", "A lower cost of living", "free the next week",
    ],
)  # fmt: skip
def test_what_somebody_has_or_may_do_is_let_through(text: str) -> None:
    """What was free, stays free or can be done at no cost promotes nothing, nor does a number of days."""
    assert find_promotion(text) is None


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
        "30 days ",
        "free for ",
        "gratis los ",
        "primeros 30 ",
        "percuma 1 ",
        "tasuta kuus ",
    ],
)
def test_takes_linear_time(piece: str) -> None:
    """A hundred thousand characters are read at once, whatever they are."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    find_promotion(text)
    assert time.perf_counter() - begun < 2
