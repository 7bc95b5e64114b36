"""Languages: what a mail falls back to, plurals, right to left, and days and sums as a reader writes them (C5)."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import evolve

from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue, shipped
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.parts import Money
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW
from lifecycle_mail.mails.specs import Specification
from tests.mails.reading import Page, plain
from tests.mails.rendered import LINKS, mail, specifications

SPECS: Final = specifications("en")
THANKS: Final = "Thank you for having read us."
DONE: Final = "It is done, and there is nothing left for you to do."


def a_catalogue(language: str, **texts: str) -> Catalogue:
    """Made-up translations of two sentences of a goodbye."""
    known = {"thanks": THANKS, "done": DONE}
    return Catalogue(language, {known[name]: (text,) for name, text in texts.items()}, lambda _count: 0)


def rendered(
    kind: Kind, locale: str, *catalogues: Catalogue, brand_locale: str = "en", **changes: Any
) -> Mail:  # fmt: skip
    """Render the sample of a kind, changed, for a reader of a language."""
    spec: Specification = evolve(SPECS[kind], **changes)
    spec = evolve(spec, to=evolve(spec.to, locale=locale))
    renderer = Renderer(evolve(BRAND, locale=brand_locale), links=LINKS, catalogues=catalogues)
    return renderer.render(spec, now=NOW)


class TestFallingBack:
    """The reader's language with its region, without, the brand's language, English."""

    @pytest.mark.parametrize(
        ("locale", "brand_locale", "sentences", "language"),
        [
            ("et", "en", "et", "et"),
            ("et-EE", "en", "et", "et-EE"),
            ("et_EE", "en", "et", "et-EE"),
            ("ET-ee", "en", "et", "ET-ee"),
            ("fi", "et", "et", "et"),
            ("fi-FI", "et-EE", "et", "et"),
            ("fi", "fi", "en", "en"),
            ("en-GB", "et", "en", "en-GB"),
            ("xx", "en", "en", "en"),
            ("zh-Hant-TW", "ms", "ms", "ms"),
            ("pt-BR", "es", "pt", "pt-BR"),
            ("ms-Arab", "en", "ms", "ms"),  # what ships is written in Latin letters
            ("ms_Arab_MY", "en", "ms", "ms"),
            ("en-Shaw", "et", "en", "en"),
        ],
    )
    def test_the_first_language_that_is_known_is_taken(
        self, locale: str, brand_locale: str, sentences: str, language: str
    ) -> None:
        """The mail says in which it is written, with the reader's region where the language is theirs."""
        made = rendered(Kind.GOODBYE, locale, brand_locale=brand_locale)
        expected = THANKS if sentences == "en" else shipped()[sentences].texts[THANKS][0]
        assert expected in plain(made.text)
        assert language == made.language
        assert language.lower() == Page(made.html).one("html").attributes["lang"].lower()

    def test_the_language_is_said_in_the_message(self) -> None:
        """A tag is written with a hyphen, however it was given."""
        assert "pt-BR" == rendered(Kind.GOODBYE, "pt_BR").to_message()["Content-Language"]

    def test_a_catalogue_with_half_of_the_sentences_gives_half_of_them(self) -> None:
        """What it lacks is said in the brand's language, and what that lacks in English."""
        half = a_catalogue("fi", thanks="Kiitos.")
        made = rendered(Kind.GOODBYE, "fi", half, brand_locale="et")
        assert "Kiitos." in made.text
        assert shipped()["et"].texts[DONE][0] == made.preheader
        assert DONE == rendered(Kind.GOODBYE, "fi", half).preheader
        assert "fi" == made.language

    def test_an_own_catalogue_comes_before_the_one_that_ships(self) -> None:
        """Only for what it has."""
        made = rendered(Kind.GOODBYE, "et", a_catalogue("et", thanks="Oleme tänulikud."))
        assert "Oleme tänulikud." in made.text
        assert shipped()["et"].texts[THANKS][0] not in plain(made.text)
        assert shipped()["et"].texts[DONE][0] == made.preheader

    def test_a_region_comes_before_its_language(self) -> None:
        """Whatever the order in which they were given."""
        brazil, all_of_it = a_catalogue("pt-BR", thanks="Valeu."), a_catalogue("pt", thanks="Gratos.", done="Feito.")
        made = rendered(Kind.GOODBYE, "pt-BR", all_of_it, brazil)
        assert "Valeu." in made.text
        assert "Feito." == made.preheader
        assert "Gratos." in rendered(Kind.GOODBYE, "pt-PT", all_of_it, brazil).text

    def test_of_two_catalogues_the_first_is_asked_first(self) -> None:
        """The second fills what the first lacks."""
        first, second = a_catalogue("et", thanks="Üks."), a_catalogue("et", thanks="Kaks.", done="Valmis.")
        made = rendered(Kind.GOODBYE, "et", first, second)
        assert "Üks." in made.text
        assert "Valmis." == made.preheader

    @pytest.mark.parametrize("language", ["pt_BR", "pt-br", "PT-BR", "pt-BR"])
    def test_a_catalogue_is_found_however_its_language_is_written(self, language: str) -> None:
        """Files are named with an underscore as often as not."""
        assert "Valeu." in rendered(Kind.GOODBYE, "pt-BR", a_catalogue(language, thanks="Valeu.")).text

    def test_english_can_be_said_in_other_words(self) -> None:
        """A catalogue of English comes before what stands in the templates."""
        assert "Ta." in rendered(Kind.GOODBYE, "en-GB", a_catalogue("en", thanks="Ta.")).text

    def test_a_language_that_nobody_has_rules_for_is_named_all_the_same(self) -> None:
        """Its days are written as in English, and a screen reader is not told that it is English."""
        made = rendered(Kind.GOODBYE, "tlh", a_catalogue("tlh", thanks="Qapla'."))
        assert "Qapla'." in made.text
        assert "tlh" == made.language == Page(made.html).one("html").attributes["lang"]
        assert "March 3, 2026" in made.text

    def test_catalogues_may_come_one_by_one(self) -> None:
        """They are read once."""
        renderer = Renderer(BRAND, links=LINKS, catalogues=(one for one in [a_catalogue("fi", thanks="Kiitos.")]))
        spec = evolve(SPECS[Kind.GOODBYE], to=evolve(SPECS[Kind.GOODBYE].to, locale="fi"))
        assert ["Kiitos." in renderer.render(spec, now=NOW).text for _ in range(2)] == [True, True]

    def test_a_translation_is_escaped(self) -> None:
        """A catalogue holds words and no HTML."""
        made = rendered(Kind.GOODBYE, "fi", a_catalogue("fi", thanks='<b>"Kiitos"</b> & {{ spec }}'))
        assert '<b>"Kiitos"</b> & {{ spec }}' in made.text
        assert '<b>"Kiitos"</b> & {{ spec }}' in Page(made.html).shown


DAYS: Final = {
    "en": ("1 day", "2 days"),
    "es": ("1 día", "2 días"),
    "pt": ("1 dia", "2 dias"),
    "ms": ("1 hari", "2 hari"),
    "et": ("1 päeva", "2 päeva"),  # after a day, and after two: the case is the same
}

POLISH: Final = """
msgid ""
msgstr ""
"Language: pl\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "Your %(product)s account closes in %(count)s day"
msgid_plural "Your %(product)s account closes in %(count)s days"
msgstr[0] "%(product)s: za %(count)s dzień"
msgstr[1] "%(product)s: za %(count)s dni (kilka)"
msgstr[2] "%(product)s: za %(count)s dni (wiele)"
"""


class TestPlurals:
    """The form that a number takes."""

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            (1, "Harbour: za 1 dzień"),
            (2, "Harbour: za 2 dni (kilka)"),
            (5, "Harbour: za 5 dni (wiele)"),
            (12, "Harbour: za 12 dni (wiele)"),
            (22, "Harbour: za 22 dni (kilka)"),
        ],
    )
    def test_a_language_may_have_three(self, days: int, expected: str) -> None:
        """Which one, its catalogue says."""
        polish = Catalogue.read(POLISH, language="pl")
        closes = NOW.date() + timedelta(days=days)
        assert expected == rendered(Kind.INACTIVITY_NOTICE, "pl", polish, closes_on=closes).subject

    def test_all_that_ship_are_counted_in(self) -> None:
        """No language is left out of the next test."""
        assert set(SHIPPED) == set(DAYS)

    @pytest.mark.parametrize("language", SHIPPED)
    def test_each_language_that_ships_counts(self, language: str) -> None:
        """One day is not said as several, in the subject nor below."""
        for days, expected in enumerate(DAYS[language], start=1):
            closes, since = NOW.date() + timedelta(days=days), NOW.date() - timedelta(days=days)
            made = rendered(Kind.INACTIVITY_NOTICE, language, closes_on=closes, inactive_since=since)
            assert re.search(rf"\b{expected}\b", made.subject)
            assert re.search(rf"\b{expected}\b", plain(made.text))


class TestFromRightToLeft:
    """A language that is written from right to left."""

    @pytest.mark.parametrize("kind", Kind)
    def test_all_of_a_mail_is_turned(self, kind: Kind) -> None:
        """The page says so, and nothing that has a side stays on the left."""
        made = rendered(kind, "he-IL", Catalogue("he", {THANKS: ("תודה שקראת אותנו.",)}, lambda _count: 0))
        page = Page(made.html)
        assert {"lang": "he-IL", "dir": "rtl"} == page.one("html").attributes
        aligned = [one.style["text-align"] for one in page.elements if "text-align" in one.style]
        assert {"right"} == set(aligned)
        for name in page.all("th", "name"):
            assert "4px 0 4px 16px" == name.style["padding"]
        assert kind is not Kind.GOODBYE or "תודה שקראת אותנו." in made.text

    def test_the_others_stay(self) -> None:
        """From left to right, the side is the left."""
        page = Page(mail(Kind.PLAN_ENDING).html)
        assert {"left"} == {one.style["text-align"] for one in page.elements if "text-align" in one.style}
        assert {"4px 16px 4px 0"} == {one.style["padding"] for one in page.all("th", "name")}


class TestFigures:
    """Days, instants, sums and numbers as the reader writes them."""

    @pytest.mark.parametrize(
        ("locale", "day", "moment", "sum_"),
        [
            ("en", "March 31, 2026", "March 3, 2026, 12:05 PM GMT+02:00", "€12,345.50"),
            ("en-GB", "31 March 2026", "3 March 2026, 12:05 GMT+02:00", "€12,345.50"),
            ("es", "31 de marzo de 2026", "3 de marzo de 2026, 12:05 GMT+02:00", "12.345,50 €"),
            ("pt", "31 de março de 2026", "3 de março de 2026, 12:05 GMT+02:00", "€ 12.345,50"),
            ("pt-PT", "31 de março de 2026", "3 de março de 2026, 12:05 GMT+02:00", "12 345,50 €"),
            ("ms", "31 Mac 2026", "3 Mac 2026, 12:05 PTG GMT+02:00", "€12,345.50"),
            ("et", "31. märts 2026", "3. märts 2026, 12:05 GMT +02:00", "12 345,50 €"),
        ],
    )
    def test_figures_are_the_readers(self, locale: str, day: str, moment: str, sum_: str) -> None:
        """Both parts have them, each as the region of the reader writes them."""
        made = rendered(Kind.CANCELLATION_CONFIRMED, locale, refund=Money("12345.50", "EUR"))
        for part in (plain(made.text), plain(Page(made.html).shown)):
            assert [] == [one for one in (day, moment, sum_) if one not in part]

    def test_who_reads_another_language_reads_its_figures(self) -> None:
        """Where sentences fall back, days do too: no sentence is of two languages."""
        made = rendered(Kind.CANCELLATION_CONFIRMED, "fi-FI", brand_locale="et")
        assert "31. märts 2026" in plain(made.text)

    def test_a_count_has_its_groups(self) -> None:
        """A number of things is written as the reader writes it."""
        assert "12.345" in rendered(Kind.VALUE_PROPOSITION, "pt", published=12_345).text
        assert "12 345" in plain(rendered(Kind.VALUE_PROPOSITION, "et", published=12_345).text)
