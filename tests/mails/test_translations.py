"""How the languages that ship say it: each sentence is whole, and as plain as the English one (C1, C5, S8)."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

import pytest
from attrs import evolve

from lifecycle_mail.lint.subjects import MOST, check_subject
from lifecycle_mail.mails.catalogues import SHIPPED, Translator, placeholders, shipped
from lifecycle_mail.mails.extraction import entries
from lifecycle_mail.mails.formats import Formats, locale_of
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.samples import BRAND, sample_reader
from lifecycle_mail.mails.subjects import SUBJECTS, TYPICAL, SubjectLine
from tests.mails.rendered import mail, render, specifications

TRANSLATED: Final = tuple(language for language in SHIPPED if language != "en")


OF_GREETINGS: Final = {"Hello %(name)s,", "Hello,"}
"""A comma, a colon or nothing: each language ends them in its own way."""

OFFERS: Final = {"en": "20 % off your next order", "es": "20 % en tu próximo pedido", "pt": "20 % na próxima compra"}
PLACE: Final = re.compile(r"%\(\w+\)s")


def sentences(language: str) -> Iterator[tuple[str, str, str]]:
    """Yield each translation, with the English sentences of its singular and of its plural."""
    for entry in entries():
        one, many = (entry.message,) * 2 if isinstance(entry.message, str) else entry.message
        for text in shipped()[language].texts.get(one, ()):
            yield one, many, text


def end(sentence: str) -> str:
    """Return how a sentence ends: with its mark, or with none."""
    return sentence[-1] if sentence[-1] in ".?!:,;" else ""


@pytest.mark.parametrize("language", TRANSLATED)
class TestSentences:
    """Each translation by itself."""

    def test_it_differs_from_the_english(self, language: str) -> None:
        """Only words that are spelt alike are left as they are."""
        assert set() == {text for one, many, text in sentences(language) if text in (one, many)}

    def test_it_fills_in_the_same(self, language: str) -> None:
        """Nothing is lost and nothing is made up, in no form of a plural."""
        differing = [
            text
            for one, many, text in sentences(language)
            if placeholders(text) not in (placeholders(one), placeholders(many))
        ]
        assert [] == differing

    def test_it_fills_in_each_as_often(self, language: str) -> None:
        """A name that is said twice sounds like a form letter."""
        twice = [text for _, _, text in sentences(language) if len(PLACE.findall(text)) != len(placeholders(text))]
        assert [] == twice

    def test_it_does_not_shout(self, language: str) -> None:
        """No exclamation marks (C1)."""
        assert [] == [text for _, _, text in sentences(language) if set("!¡") & set(text)]

    def test_it_has_single_spaces(self, language: str) -> None:
        """None at its ends, none before a mark, and no two in a row."""
        strange = re.compile(r"^\s|\s$|\s\s|\s[.,;:?!]")
        assert [] == [text for _, _, text in sentences(language) if strange.search(text)]

    def test_it_ends_as_the_english_does(self, language: str) -> None:
        """A sentence with its mark, a label with none, and what introduces a list with a colon."""
        differing = [text for one, _, text in sentences(language) if one not in OF_GREETINGS and end(one) != end(text)]
        assert [] == differing

    def test_it_begins_as_a_sentence_does(self, language: str) -> None:
        """With a capital, unless with what is filled in or with an opening mark."""
        begins = re.compile(r"[¿¡]?(?:%\(|[A-ZÁÉÍÓÚÀÂÊÔÃÕÇÄÖÜÕŠŽ])")
        assert [] == [text for _, _, text in sentences(language) if not begins.match(text)]

    def test_its_quotes_and_brackets_are_closed(self, language: str) -> None:
        """What is opened is closed."""
        for _, _, text in sentences(language):
            plain = PLACE.sub("", text)
            for opened, closed in ("()", "«»", "„“" if "„" in plain else "“”", "¿?"):
                if opened in plain:
                    assert plain.count(opened) == plain.count(closed), text
            assert plain.count('"') % 2 == 0, text

    def test_a_percent_sign_stands_for_something(self, language: str) -> None:
        """What was meant to be filled in is written as it has to be."""
        assert [] == [text for _, _, text in sentences(language) if "%" in PLACE.sub("", text)]


def filled_in(line: SubjectLine, language: str, count: int = 47) -> str:
    """Return a subject line in a language, with values of usual length."""
    locale = locale_of(language)
    assert locale is not None
    formats = Formats(locale, sample_reader().zone)
    values = {**TYPICAL, "deadline": formats.day(date(2026, 3, 31)), "count": formats.number(count)}
    values["incentive"] = OFFERS.get(language, OFFERS["en"])
    translator = Translator([shipped()[language]] if language in shipped() else [], html=False)
    if line.plural:
        return translator.plural(line.text, line.plural, count, **values)
    return translator.text(line.text, **values)


class TestSubjects:
    """Subject lines, as readers see them."""

    @pytest.mark.parametrize("language", SHIPPED)
    @pytest.mark.parametrize("line", SUBJECTS, ids=lambda line: line.key)
    def test_a_line_can_stand_above_a_mail(self, line: SubjectLine, language: str) -> None:
        """Nothing is wrong with it, with its emoji and without, and no phone cuts it (S8)."""
        for count in (1, 2, 47, 1_000):
            said = filled_in(line, language, count)
            assert len(said) <= MOST
            for subject in (said, line.with_emoji(said)):
                for kind in line.kinds:
                    found = check_subject(subject, kind=kind, locale=language, deadline="deadline" in line.needs)
                    assert () == found, subject

    @pytest.mark.parametrize("language", SHIPPED)
    @pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if not row.marketing])
    def test_a_subject_of_a_template_can_too(self, kind: Kind, language: str) -> None:
        """It promotes nothing, hurries nobody and blames nobody (C1, C6)."""
        subject = mail(kind, language).subject
        dated = kind in (Kind.INACTIVITY_NOTICE, Kind.PLAN_ENDING)
        assert () == check_subject(subject, kind=kind, locale=language, deadline=dated)
        assert len(subject) <= MOST

    @pytest.mark.parametrize("language", TRANSLATED)
    def test_no_two_lines_are_the_same(self, language: str) -> None:
        """What is tested against one another differs in every language."""
        said = [filled_in(line, language) for line in SUBJECTS]
        assert len(said) == len(set(said))

    @pytest.mark.parametrize("language", SHIPPED)
    @pytest.mark.parametrize("kind", Kind)
    def test_a_preheader_goes_on_where_the_subject_ends(self, kind: Kind, language: str) -> None:
        """It says something else, in one or two sentences that a mailbox shows whole, and promotes as little."""
        made = mail(kind, language)
        assert made.preheader != made.subject
        assert 10 <= len(made.preheader) <= 100
        assert end(made.preheader) in (".", "?")


@pytest.mark.parametrize("language", SHIPPED)
def test_a_whole_mail_is_of_one_language(language: str) -> None:
    """No English sentence of the templates is left in a mail of another language, and none of any in another."""
    others = [one for one in TRANSLATED if one != language]
    own = {text for _, _, text in sentences(language)} if language in TRANSLATED else set()
    strange = {text for one in others for _, _, text in sentences(one) if not PLACE.search(text) and " " in text} - own
    if language in TRANSLATED:
        strange |= {one for one, _, _ in sentences(language) if not PLACE.search(one) and " " in one}
    for kind in Kind:
        made = render(specifications(language)[kind], brand=evolve(BRAND, signature="Ines"))
        text = " ".join(f"{made.subject} {made.preheader} {made.text}".split())
        assert [] == [one for one in strange if one in text]
