"""The words that mails do without (C1, S8)."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint.words import GUILT, SPAM, URGENCY, find_words
from lifecycle_mail.mails.phrases import Phrases

TABLES = pytest.mark.parametrize("words", [URGENCY, SPAM, GUILT], ids=["urgency", "spam", "guilt"])


@TABLES
def test_every_language_of_the_mails_has_a_list(words: Mapping[str, Phrases]) -> None:
    """The languages that ship are all there (C5), each with a list worth the name, and no phrase twice."""
    assert ["en", "es", "pt", "ms", "et"] == list(words)
    for phrases in words.values():
        assert 20 <= len(phrases.written) == len(set(phrases.written))


@TABLES
def test_every_phrase_is_found(words: Mapping[str, Phrases]) -> None:
    """Each phrase is found amid others, in capitals, and only in its own language."""
    for language, phrases in words.items():
        for phrase in phrases.written:
            text = phrase.replace("#", "24")
            assert (text,) == find_words(words, text, language)
            assert (text.upper(),) == find_words(words, f"\u2013 {text.upper()}, ...", f"{language}-XX")
            assert () == find_words(words, text, "fi")


@pytest.mark.parametrize("locale", ["pt", "pt-BR", "pt_PT", "PT-br"])
def test_the_language_of_a_tag_decides(locale: str) -> None:
    """Regions have the words of their language."""
    assert ("clique aqui",) == find_words(SPAM, "e clique aqui", locale)


@pytest.mark.parametrize("locale", ["", "fi", "fi-FI", "e", "english"])
def test_an_unknown_language_is_not_judged(locale: str) -> None:
    """Nothing is found in a language without a list."""
    assert () == find_words(SPAM, "click here", locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Your final invoice"), ("en", "No hurry, take your time"), ("en", "The last days of summer"),
        ("en", "The best of last chapter"), ("en", "Finalists"), ("es", "Tu factura final"), ("es", "No te des prisa"),
        ("es", "El último día del verano"), ("pt", "A última fatura"), ("ms", "Invois terakhir anda"),
        ("et", "Sinu viimane arve"), ("et", "Ei ole vaja kiirustada"),
    ],
)  # fmt: skip
def test_what_is_last_is_not_always_urgent(locale: str, text: str) -> None:
    """An ordinary word does not hurry."""
    assert () == find_words(URGENCY, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Feel free to write"), ("en", "Free as in speech"), ("en", "Dinner ideas"), ("en", "Clicks and here"),
        ("en", "Cashews"), ("es", "Gratis para siempre"), ("pt", "O plano grátis"), ("ms", "Pelan percuma"),
        ("et", "Tasuta pakett"),
    ],
)  # fmt: skip
def test_an_honest_word_is_no_spam(locale: str, text: str) -> None:
    """What is free may be called free, and words within words are none."""
    assert () == find_words(SPAM, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Sorry to see you go"), ("en", "We will miss you"), ("en", "Sorry that the import disappointed you"),
        ("en", "Without you we would not be here"), ("en", "Don't go hungry"), ("en", "The cart that you abandoned"),
        ("es", "Sentimos que te vayas"), ("es", "Gracias por todo"), ("pt", "Como pode ver, a porta fica aberta"),
        ("pt", "Veja como você pode voltar"), ("ms", "Terima kasih atas segalanya"), ("et", "Kahju, et lahkud"),
        ("et", "Aitäh, et olid meiega"), ("en", "We are sorry that it did not work"), ("en", "Why did you leave?"),
        ("en", "You abandoned your cart"), ("en", "Sorry that you are leaving us"), ("en", "Sad songs for Sundays"),
        ("en", "You left us a note"), ("en", "We are sorry to have lost your parcel"), ("en", "Lost without a map?"),
        ("es", "Sentimos que no haya funcionado"), ("es", "El carrito que abandonaste"),
        ("es", "Sentimos que nos dejes"), ("es", "¿Por qué te vas?"), ("es", "Sin ti no somos nada: gracias"),
        ("en", "We were sad to hear that it broke"), ("en", "You owe us nothing"), ("en", "The wind abandoned us"),
        ("pt", "Lamentamos que não tenha funcionado"),
        ("pt", "O carrinho que você abandonou"), ("pt", "Você nos deixou uma mensagem"), ("pt", "Por que você saiu?"),
        ("ms", "Maaf kerana ia tidak berfungsi"), ("ms", "Apa yang anda tinggalkan kami simpan"),
        ("ms", "Mengapa anda berhenti?"), ("ms", "Jangan lupa kami buka pada hari Ahad"),
        ("et", "Meil on kahju, et see ei toiminud"), ("et", "Miks sa lahkud?"), ("et", "Ostukorv, mille maha jätsid"),
    ],
)  # fmt: skip
def test_courtesy_is_no_guilt(locale: str, text: str) -> None:
    """Regret, thanks and an apology blame nobody (C1)."""
    assert () == find_words(GUILT, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "We will be sad without you"), ("en", "Why did you abandon us?"), ("en", "Don't you like us any more?"),
        ("en", "We\u2019ll be so sad to see you leave"), ("en", "Our hearts are broken"), ("en", "You have hurt us"),
        ("en", "Please don't give up on us"), ("en", "What have we done to you?"), ("en", "You'll be sorry"),
        ("es", "Estaremos tristes sin ti"), ("es", "¿Por qué nos abandonaste?"), ("es", "¿Ya no nos quieres?"),
        ("es", "Nos has partido el corazón"), ("es", "No nos des la espalda"), ("pt", "Ficaremos tristes sem você"),
        ("pt", "Por que você nos abandonou?"), ("pt", "Por que nos abandonaste?"), ("pt", "Já não gosta de nós?"),
        ("pt", "Não desista de nós"), ("ms", "Kami akan sedih tanpa anda"), ("ms", "Mengapa anda meninggalkan kami?"),
        ("ms", "Kenapa anda tinggalkan kami?"), ("ms", "Jangan lupakan kami"), ("et", "Oleme sinuta kurvad"),
        ("et", "Meil on nii kurb ilma sinuta"), ("et", "Miks sa meid hülgasid?"),
        ("et", "Miks te meid maha jätsite?"), ("et", "Palun ära unusta meid"), ("et", "Tegid meile haiget"),
    ],
)  # fmt: skip
def test_grief_and_reproach_are_guilt(locale: str, text: str) -> None:
    """Who leaves abandons nobody, hurts nobody, and owes nobody anything (C1)."""
    assert find_words(GUILT, text, locale)


@given(st.text(), st.sampled_from(["en", "es", "pt", "ms", "et", "xx", ""]))
def test_nothing_crashes_it(text: str, locale: str) -> None:
    """Whatever the text, what is found is part of it."""
    for words in (URGENCY, SPAM, GUILT):
        assert all(found in text for found in find_words(words, text, locale))


@TABLES
@pytest.mark.parametrize("piece", ["a", "we are ", "don't ", "1 ", "última ", "a\u0301\u0323"])
def test_takes_linear_time(words: Mapping[str, Phrases], piece: str) -> None:
    """A body of a hundred thousand characters is read at once, in every language."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    for language in words:
        find_words(words, text, language)
    assert time.perf_counter() - begun < 5
