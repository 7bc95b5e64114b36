"""PO files for translators: what stands in them, and that what is translated there is said."""

import re

import pytest

from lifecycle_mail.errors import InvalidInput, InvalidTemplate
from lifecycle_mail.files.translating import to_translate
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue, shipped
from lifecycle_mail.mails.extraction import PLACES, entries

OWN = {"survey": '{% extends "shipped/survey" %}\n{{ _("Own %(flavour)s", flavour=1) }}{{ _("Start again") }}'}


def sentences(text: str) -> int:
    """Count the sentences of a PO file, without its head."""
    return len(re.findall(r"^msgid ", text, re.MULTILINE)) - 1


@pytest.mark.parametrize("language", SHIPPED[1:])
def test_what_ships_is_translated(language: str) -> None:
    """A translator begins with all that there is, and changes a word."""
    found = Catalogue.read(to_translate(language), language=language)
    assert shipped()[language].texts == found.texts
    assert [shipped()[language].form(n) for n in range(100)] == [found.form(n) for n in range(100)]


@pytest.mark.parametrize("language", ["fi", "en-GB", "pl", "ar", "zh-Hant-TW", "fi-x-plain", "fi_FI"])
def test_another_language_begins_empty(language: str) -> None:
    """Every sentence is there, no translation, and the plural forms of the language."""
    text = to_translate(language)
    assert len(entries()) == sentences(text)
    assert '"Language: en_GB\\n"' in to_translate("en-GB")
    assert {} == dict(Catalogue.read(text, language=language).texts)
    assert {"pl": 3, "ar": 6, "zh-Hant-TW": 1}.get(language, 2) == int(re.findall(r"nplurals=(\d)", text)[0])


def test_a_region_begins_with_its_language() -> None:
    """What is said in Portuguese is where Brazil begins."""
    assert shipped()["pt"].texts == Catalogue.read(to_translate("pt-BR"), language="pt-BR").texts


def test_sentences_of_ones_own_come_after_those_that_ship() -> None:
    """Each once, and what both say at its first place, with both places."""
    text = to_translate("fi", OWN)
    assert len(entries()) + 1 == sentences(text)
    assert text.endswith('#: survey.jinja\n#, python-format\nmsgid "Own %(flavour)s"\nmsgstr ""\n\n')
    assert re.search(r'^#: .* survey\.jinja technical-follow-up\.jinja\nmsgid "Start again"', text, re.MULTILINE)


@pytest.mark.parametrize("again", ['n_("Start again", "Start all again", 3)', '_("One")}}{{n_("One", "Many", 2)'])
def test_a_sentence_has_one_plural(again: str) -> None:
    """A catalogue looks a sentence up by its singular, so that a second form of it would never be found."""
    with pytest.raises(InvalidTemplate, match=r"^survey:2: '(Start again|One)' has another plural than elsewhere"):
        to_translate("et", {"survey": f"\n{{{{{again}}}}}"})


def test_translators_are_told_what_is_filled_in() -> None:
    """By the name that stands in the sentence."""
    said = f"#. date: {PLACES['date']}\n#. product: {PLACES['product']}\n"
    assert f'{said}#: membership-ended.jinja\n#, python-format\nmsgid "Your membership of' in to_translate("fi")


def test_the_same_sentences_are_the_same_file() -> None:
    """There is no date in it, and no path of a machine."""
    assert to_translate("fi") == to_translate("fi")
    assert not re.search(r"Date|\d{4}-\d\d|:\d+$", to_translate("fi"), re.MULTILINE)


@pytest.mark.parametrize("language", ["", "f", "finnish", "fi.old", "../fi", "fi\n", "xx", "fi@euro", "fi" * 4_000])
def test_what_is_no_language_is_refused(language: str) -> None:
    """With what a tag looks like."""
    with pytest.raises(InvalidInput, match=r"^language '.{0,44}: give a tag, such as fi or pt-BR"):
        to_translate(language)


def test_a_template_that_nobody_can_read_is_named() -> None:
    """With its line."""
    with pytest.raises(InvalidTemplate, match=r"^survey:1: "):
        to_translate("fi", {"survey": "{% for %}"})
