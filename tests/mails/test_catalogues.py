"""Translations: what is read, what is asked in which order, and that no sentence is missing (C5)."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields, has
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from lifecycle_mail.errors import InvalidDocument, InvalidInput, InvalidTemplate
from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.budget import BUDGET, MAX_CHARACTERS, Budget
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue, Translator, chain, placeholders, shipped
from lifecycle_mail.mails.extraction import PLACES, entries
from lifecycle_mail.mails.formats import Formats, locale_of
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.loading import NAMES, shipped_source
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.parts import Money
from lifecycle_mail.mails.rendering import FIXED, Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from tests.mails.rendered import LINKS, mail, specifications

ROOT = Path(__file__).parents[2]
TRANSLATED = [language for language in SHIPPED if language != "en"]


def po(*entries: str, plural: str = "nplurals=2; plural=(n != 1);", language: str = "xx") -> str:
    """A PO file with a header and some entries."""
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: {plural}\\n"\n'
    return head + '"Content-Type: text/plain; charset=utf-8\\n"\n\n' + "\n\n".join(entries) + "\n"


class TestReading:
    """PO files, as gettext tools write them."""

    def test_a_sentence_is_read(self) -> None:
        """With what it fills in, over several lines, in any script, and with its plurals."""
        found = Catalogue.read(
            po(
                'msgid "Hello %(name)s,"\nmsgstr "Tere, %(name)s!"',
                'msgid ""\n"Two "\n"lines"\nmsgstr ""\n"Kaks "\n"rida"',
                'msgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] "%(count)s p\u00e4ev"\n'
                'msgstr[1] "%(count)s p\u00e4eva"',
            ),
            language="et",
        )
        assert "et" == found.language
        assert {
            "Hello %(name)s,": ("Tere, %(name)s!",),
            "Two lines": ("Kaks rida",),
            "%(count)s day": ("%(count)s p\u00e4ev", "%(count)s p\u00e4eva"),
        } == dict(found.texts)
        assert [1, 0, 1, 1] == [found.form(number) for number in (0, 1, 2, 11)]

    @pytest.mark.parametrize(
        "entry",
        [
            'msgid "A"\nmsgstr ""',
            '#, fuzzy\nmsgid "A"\nmsgstr "B"',
            '#~ msgid "A"\n#~ msgstr "B"',
            'msgctxt "month"\nmsgid "A"\nmsgstr "B"',
            'msgid "A"\nmsgid_plural "As"\nmsgstr[0] "B"\nmsgstr[1] ""',
            'msgid "A"\nmsgid_plural "As"\nmsgstr[0] "B"',
            'msgid "A"\nmsgstr "  "',
            'msgid "A"\nmsgid_plural "As"\nmsgstr[0] "B"\nmsgstr[1] "\u00a0"',
        ],
        ids=["empty", "fuzzy", "obsolete", "of a context", "half a plural", "a form short", "blank", "a blank form"],
    )
    def test_what_is_not_translated_is_left_out(self, entry: str) -> None:
        """A guess, a rest, or half of a plural is no translation: the next language is asked."""
        assert {} == dict(Catalogue.read(po(entry), language="xx").texts)

    @pytest.mark.parametrize(
        "text",
        [
            "nonsense",
            'msgid "A',
            "\0\x01",
            'msgid "A"\nmsgstr[x] "B"',
            po("nonsense"),
        ],
    )
    def test_what_is_no_po_file_is_refused(self, text: str) -> None:
        """The file is named, and what to write."""
        with pytest.raises(InvalidDocument, match=r"own\.po"):
            Catalogue.read(text, language="xx", name="own.po")

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("nonsense", 1),
            (po("nonsense", 'msgid "A"\nmsgstr "B"'), 7),
            (po('msgid "A"\nmsgstr "B"', "nonsense"), 10),
            (po('msgid "A"\nmsgid_plural "As"\nmsgstr[0] "B"\nmsgstr[1] "C"\nmsgstr[2] "D"'), 7),
            (po('msgid "A"\nmsgstr "B"', "nonsense").replace("\n", "\r\n"), 10),
        ],
    )
    def test_the_line_that_cannot_be_read_is_named(self, text: str, line: int) -> None:
        """Counted from one, as an editor does."""
        with pytest.raises(InvalidDocument) as refused:
            Catalogue.read(text, language="xx", name="own.po")
        assert [f"own.po:{line}"] == [problem.path for problem in refused.value.problems]
        assert " on " not in str(refused.value)

    @pytest.mark.parametrize("text", ["", "\ufeff", "# nothing yet\n", po()], ids=["none", "mark", "note", "header"])
    def test_a_file_without_sentences_has_none(self, text: str) -> None:
        """A translator may begin with nothing."""
        assert {} == dict(Catalogue.read(text, language="xx").texts)

    def test_a_file_of_windows_is_read(self) -> None:
        """Its line ends, and the mark that its editor puts first, are no part of any sentence."""
        text = po('msgid ""\n"Two "\n"lines"\nmsgstr "Kaks rida"', 'msgid "A\\nB"\nmsgstr "C\\nD"')
        for written in ("\ufeff" + text, text.replace("\n", "\r\n"), "\ufeff# xx\r\n" + text.replace("\n", "\r\n")):
            found = Catalogue.read(written, language="xx")
            assert {"Two lines": ("Kaks rida",), "A\nB": ("C\nD",)} == dict(found.texts)

    @pytest.mark.parametrize(
        "plural",
        [
            "nplurals=2; plural=(n !",
            "nplurals=2; plural=10/n;",
            "nplurals=2; plural=n%0;",
            "nplurals=2; plural=n;",
            "nplurals=2; plural=n-1;",
            "nplurals=2; plural=" + "(" * 500 + "n" + ")" * 500 + ";",
            "nplurals=2; plural=__import__('os');",
            "nplurals=x; plural=n;",
        ],
        ids=lambda plural: plural[:40],
    )
    def test_a_rule_for_plurals_that_is_none_is_refused(self, plural: str) -> None:
        """It is tried when it is read, and not when a number comes for which it has no form."""
        with pytest.raises(InvalidDocument, match=r"own\.po"):
            Catalogue.read(po('msgid "A"\nmsgstr "B"', plural=plural), language="xx", name="own.po")

    def test_strange_placeholders_are_named_with_their_lines(self) -> None:
        """All of them at once: what would be missing, and what would be shown as it is written."""
        text = po(
            'msgid "Hello %(name)s,"\nmsgstr "Tere %(nimi)s,"',
            'msgid "Fine"\nmsgstr "%(x)s %(y)s"',
            'msgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] "%(count)s p"\nmsgstr[1] "%(conut)s p"',
            'msgid "Good until %(date)s."\nmsgstr "Kuni %(date)d."',
            'msgid "Leave %(list)s"\nmsgstr "Lahku: %(list)"',
        )
        with pytest.raises(InvalidDocument) as refused:
            Catalogue.read(text, language="et", name="own.po")
        lines = [text[: text.index(msgid)].count("\n") + 1 for msgid in re.findall(r'msgid "[^"]+"', text)]
        assert [f"own.po:{line}" for line in lines] == [problem.path for problem in refused.value.problems]
        said = str(refused.value)
        for name in ("nimi", "x, y", "conut", "the sentence has name", "nothing to fill in", "does not end in s"):
            assert name in said

    @pytest.mark.parametrize("text", ["100 %", "50 % off", "%d", "%s", "%%", "a % (b)"])
    def test_a_percent_sign_alone_is_one(self, text: str) -> None:
        """Only what has a name is filled in."""
        found = Catalogue.read(po(f'msgid "A"\nmsgstr "{text}"'), language="xx")
        assert text.replace("%%", "%") == Translator([found], html=False).text("A")

    @pytest.mark.parametrize("text", ["korttia %s", "%d %(n)s", "a\u2028b"])
    def test_what_was_to_be_filled_in_is_not_lost(self, text: str) -> None:
        """A translator's tool may take a name away, or write a sign that no mail can have."""
        with pytest.raises(InvalidDocument, match=r"without a name|U\+2028"):
            Catalogue.read(po(f'msgid "%(n)s cards"\nmsgstr "{text}"'), language="xx")

    def test_a_placeholder_may_be_left_out(self) -> None:
        """A language may say "one day" without the number."""
        entry = 'msgid "%(n)s day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "one"\nmsgstr[1] "%(n)s"'
        translator = Translator([Catalogue.read(po(entry), language="xx")], html=False)
        assert ["one", "7"] == [translator.plural("%(n)s day", "%(n)s days", n, n=n) for n in (1, 7)]

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        """Nothing but `InvalidDocument` comes out."""
        for source in (text, po(text), po(f'msgid "A"\nmsgstr "{text}"'), po(plural=text)):
            with suppress(InvalidDocument):
                assert "xx" == Catalogue.read(source, language="xx").language


class TestFilling:
    """What is filled in is filled in once (F55)."""

    HOSTILE = ("%(name)s", "%(other)s", "%%", "{{ 7 * 7 }}", "<script>", "&amp;", "\\1", "\\g<0>", "%s", "%")

    @pytest.mark.parametrize("value", HOSTILE)
    @pytest.mark.parametrize("html", [True, False])
    def test_a_value_is_not_read_again(self, value: str, html: bool) -> None:
        """A name of `%(name)s` stays what it is, and HTML in it is escaped."""
        said = Translator([], html=html).text("%(name)s: %(other)s %%", name=value, other="x")
        if html:
            assert isinstance(said, Markup)
            said = said.unescape()
        assert f"{value}: x %" == said

    def test_a_sentence_is_escaped_once(self) -> None:
        """The sentence of a catalogue is text too, and what is escaped already stays so."""
        found = Catalogue.read(po('msgid "A %(x)s"\nmsgstr "<b>&%(x)s</b>"'), language="xx")
        assert "&lt;b&gt;&amp;&lt;i&gt;&lt;/b&gt;" == Translator([found], html=True).text("A %(x)s", x="<i>")
        assert "&lt;b&gt;&amp;<i>&lt;/b&gt;" == Translator([found], html=True).text("A %(x)s", x=Markup("<i>"))
        assert "<b>&<i></b>" == Translator([found], html=False).text("A %(x)s", x="<i>")

    @pytest.mark.parametrize(
        ("source", "value", "expected"),
        [
            ("With %(x)s.", "Harbour Inc.", "With Harbour Inc."), ("With %(x)s. Was it?", "a.", "With a. Was it?"),
            ("%(x)s. %(x)s.", "a.", "a. a."), ("At %(x)s.", "a...", "At a..."), ("At %(x)s...", "a.", "At a..."),
            ("With %(x)s.", "a", "With a."), ("With %(x)s.", "", "With ."), ("With %(x)s, b", "a.", "With a., b"),
            ("%(x)s%(x)s.", "a.", "a.a."),
        ],
    )  # fmt: skip
    def test_two_full_stops_are_one(self, source: str, value: str, expected: str) -> None:
        """A brand, a product or what somebody wrote may end with one, and so does the sentence."""
        for html in (False, True):
            assert expected == Translator([], html=html).text(source, x=value)
        assert expected == re.sub("[\u2068\u2069]", "", Translator([], html=False, isolate=True).text(source, x=value))

    @pytest.mark.parametrize("value", [None, 1.5, True, ["x"], b"x", object], ids=repr)
    def test_texts_and_whole_numbers_are_filled_in(self, value: Any) -> None:
        """Anything else is a mistake, which says what was to be filled in."""
        with pytest.raises(InvalidInput, match="name is a"):
            Translator([], html=True).text("%(name)s", name=value)

    def test_a_value_that_is_missing_is_named(self) -> None:
        """With the sentence."""
        with pytest.raises(InvalidInput, match=r"Hello %\(name\)s.*no value for name"):
            Translator([], html=False).text("Hello %(name)s", nmae="x")

    @pytest.mark.parametrize("count", [None, 1.0, True, "1"], ids=repr)
    def test_a_plural_takes_a_whole_number(self, count: Any) -> None:
        """The number decides the form."""
        with pytest.raises(InvalidInput, match="the number decides the form"):
            Translator([], html=False).plural("one", "many", count)

    @given(st.text(), st.dictionaries(st.sampled_from(["a", "b", "name"]), st.text()))
    def test_any_sentence_with_any_values(self, source: str, values: dict[str, str]) -> None:
        """What is said is the sentence with its values, in HTML as in plain text."""
        if placeholders(source) <= values.keys():
            plain = Translator([], html=False).text(source, **values)
            html = Translator([], html=True).text(source, **values)
            assert plain == unescape(html)
            assert not set("<>\"'") & set(html)


class TestIsolating:
    """Where words run from right to left, what is filled in keeps its own order and moves nothing around it."""

    SOURCE = "%(product)s: %(count)s %%, %(product)s"

    def test_each_value_is_isolated(self) -> None:
        """By what plain text has for it, and by an element in HTML; each time that it is filled in."""
        values = {"product": "Harbour <Pro>", "count": 3}
        said = Translator([], html=False, isolate=True).text(self.SOURCE, **values)
        assert "\u2068Harbour <Pro>\u2069: \u20683\u2069 %, \u2068Harbour <Pro>\u2069" == said
        html = Translator([], html=True, isolate=True).text(self.SOURCE, **values)
        product = "<bdi>Harbour &lt;Pro&gt;</bdi>"
        assert f"{product}: <bdi>3</bdi> %, {product}" == html
        assert isinstance(html, Markup)

    @pytest.mark.parametrize("html", [True, False])
    def test_from_left_to_right_nothing_is(self, html: bool) -> None:
        """Nor is what is not there."""
        assert "a 3" == Translator([], html=html).text("%(x)s %(n)s", x="a", n=3)
        assert "( )" == Translator([], html=html, isolate=True).text("(%(x)s %(x)s)", x="")

    def test_plurals_are_as_other_sentences(self) -> None:
        """In each form."""
        translator = Translator([], html=False, isolate=True)
        for count, said in ((1, "\u20681\u2069 day"), (2, "\u20682\u2069 days")):
            assert said == translator.plural("%(count)s day", "%(count)s days", count, count=count)

    def test_a_sentence_in_a_sentence_is_isolated_as_one(self) -> None:
        """It is escaped once."""
        translator = Translator([], html=True, isolate=True)
        said = translator.text("(%(x)s)", x=translator.text("%(y)s & Co", y="<A>"))
        assert "(<bdi><bdi>&lt;A&gt;</bdi> &amp; Co</bdi>)" == said

    @given(st.text(), st.dictionaries(st.sampled_from(["a", "b", "name"]), st.text()))
    def test_nothing_else_is_changed(self, source: str, values: dict[str, str]) -> None:
        """Without the marks it is what is said from left to right."""
        marks = re.compile("</?bdi>|[\u2068\u2069]")
        if placeholders(source) <= values.keys() and not any(map(marks.search, [source, *values.values()])):
            for html in (False, True):
                said = Translator([], html=html, isolate=True).text(source, **values)
                assert Translator([], html=html).text(source, **values) == marks.sub("", said)

    @pytest.mark.parametrize(("html", "marks"), [(False, 2), (True, 11)])
    def test_what_isolates_is_charged_for(self, html: bool, marks: int) -> None:
        """A template that fills in one letter a thousand times makes a dozen thousand characters (F54)."""
        spent = []
        for isolate in (False, True):
            token = BUDGET.set(budget := Budget())
            Translator([], html=html, isolate=isolate).text("%(x)s" * 1000, x="a")
            BUDGET.reset(token)
            spent.append(MAX_CHARACTERS - budget.characters)
        assert [1000, 1000 * (1 + marks)] == spent

    def test_a_subject_line_with_isolates_is_a_header(self) -> None:
        """It is one line, and a mailbox reads it as it was said."""
        subject = Translator([], html=False, isolate=True).text("What was missing in %(product)s?", product="Harbour")
        made = evolve(mail(Kind.CANCELLATION_NOTE), subject=subject)
        message = message_from_bytes(made.to_message().as_bytes(), policy=policy.SMTP)
        assert subject == message["Subject"]


POLISH = po(
    'msgid "%(count)s new thing since you signed up"\nmsgid_plural "%(count)s new things since you signed up"\n'
    'msgstr[0] "%(count)s nowo\u015b\u0107"\nmsgstr[1] "%(count)s nowo\u015bci"\n'
    'msgstr[2] "%(count)s nowo\u015bci (wiele)"',
    'msgid "Hello %(name)s,"\nmsgstr "Dzie\u0144 dobry, %(name)s!"',
    plural="nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
    language="pl",
)


class TestAsking:
    """Which language is asked, and when the next one."""

    @pytest.mark.parametrize(
        ("tags", "expected"),
        [
            (("et-EE", "pt"), ("et-ee", "et", "pt", "en")),
            (("pt_BR", "pt"), ("pt-br", "pt", "en")),
            (("zh-Hant-TW",), ("zh-hant-tw", "zh-hant", "zh", "en")),
            (("en",), ("en",)),
            (("EN-gb", "de"), ("en-gb", "en", "de")),
        ],
    )
    def test_a_chain_goes_from_the_region_to_english(self, tags: tuple[str, ...], expected: tuple[str, ...]) -> None:
        """Each tag, its shorter forms, then the brand's, then English; each once."""
        assert expected == chain(*tags)

    def test_three_forms_of_a_plural(self) -> None:
        """A language with three forms gets the one that the number takes, in a subject too."""
        renderer = Renderer(BRAND, links=LINKS, catalogues=[Catalogue.read(POLISH, language="pl")])
        spec: Any = samples(sample_reader("pl"))[Kind.VALUE_PROPOSITION]
        said = {}
        for count in (1, 2, 4, 5, 12, 22, 1_005):
            mail = renderer.render(evolve(spec, published=count, subject="value-count"), now=NOW)
            said[count] = mail.subject
            assert mail.text.startswith("Dzie\u0144 dobry, Ada Lovelace!")
        assert {
            1: "1 nowo\u015b\u0107",
            2: "2 nowo\u015bci",
            4: "4 nowo\u015bci",
            5: "5 nowo\u015bci (wiele)",
            12: "12 nowo\u015bci (wiele)",
            22: "22 nowo\u015bci",
            1_005: "1 005 nowo\u015bci (wiele)",
        } == said

    def said(self, locale: str, *, brand: Brand = BRAND, catalogues: tuple[Catalogue, ...] = ()) -> Mail:
        """The mail of a last chance to a reader of a language."""
        renderer = Renderer(brand, links=LINKS, catalogues=catalogues)
        return renderer.render(samples(sample_reader(locale))[Kind.LAST_CHANCE], now=NOW)

    def test_a_region_falls_back_to_its_language(self) -> None:
        """The sentences are those of the language, the tag and the days those of the region."""
        region, language = self.said("pt-BR"), self.said("pt")
        assert region.subject == language.subject
        assert ("pt-BR", "pt") == (region.language, language.language)
        assert 'lang="pt-BR"' in region.html

    def test_an_unknown_language_falls_back_to_that_of_the_brand(self) -> None:
        """And only then to English; the mail says in which language it is."""
        assert "et" == self.said("fi", brand=evolve(BRAND, locale="et")).language
        assert self.said("et").text == self.said("fi", brand=evolve(BRAND, locale="et-EE")).text
        assert "en" == self.said("fi").language
        assert self.said("en").text == self.said("tlh-Latn").text

    def test_half_a_catalogue_loses_sentences_and_no_mail(self) -> None:
        """What it does not have is said in the brand's language, and what that does not have in English."""
        half = Catalogue.read(po('msgid "No, please stop"\nmsgstr "Ei, kiitos"'), language="fi")
        mail = self.said("fi-FI", brand=evolve(BRAND, locale="et"), catalogues=(half,))
        assert "Ei, kiitos" in mail.text
        assert "Ei, kiitos" in mail.html
        assert shipped()["et"].texts["Yes, keep writing to me"][0] in mail.text
        assert "fi-FI" == mail.language
        own = Catalogue.read(po('msgid "No, please stop"\nmsgstr "Enam mitte"'), language="et-EE")
        assert "Enam mitte" in self.said("et-EE", catalogues=(own,)).text
        assert "Enam mitte" not in self.said("et", catalogues=(own,)).text

    @pytest.mark.parametrize("tag", ["et", "ET", "et_EE", "et-ee"])
    def test_an_own_sentence_comes_before_one_that_ships(self, tag: str) -> None:
        """However its tag is written."""
        own = Catalogue.read(po('msgid "No, please stop"\nmsgstr "Enam mitte"'), language=tag)
        mail = self.said("et-EE", catalogues=(own,))
        assert "Enam mitte" in mail.text
        assert shipped()["et"].texts["Yes, keep writing to me"][0] in mail.text

    def test_the_first_of_two_catalogues_of_a_language_is_asked_first(self) -> None:
        """And the second where the first has nothing."""
        first = Catalogue.read(po('msgid "No, please stop"\nmsgstr "1"'), language="fi")
        second = Catalogue.read(
            po('msgid "No, please stop"\nmsgstr "2"', 'msgid "Yes, keep writing to me"\nmsgstr "3"'), language="fi"
        )
        text = self.said("fi", catalogues=(first, second)).text
        assert "\n1:\n" in text
        assert "* 3:\n" in text

    def test_english_can_be_said_otherwise(self) -> None:
        """A brand's own words for English are asked before those of the templates."""
        own = Catalogue.read(po('msgid "No, please stop"\nmsgstr "No thanks"'), language="en")
        assert "No thanks" in self.said("en-GB", catalogues=(own,)).text

    def test_right_to_left(self) -> None:
        """A language that is read from the right turns the page round, and no words."""
        hebrew = Catalogue.read(po('msgid "No, please stop"\nmsgstr "\u05dc\u05d0"'), language="he")
        mail = self.said("he", catalogues=(hebrew,))
        assert 'lang="he" dir="rtl"' in mail.html
        assert "text-align: right" in mail.html
        assert "text-align: left" not in mail.html
        assert "\u05dc\u05d0:\n" in mail.text


def names_of(message: Any) -> tuple[str, ...]:
    """The sentences of an entry."""
    return (message,) if isinstance(message, str) else message


class TestSentences:
    """Every sentence is found, and every one is translated."""

    def test_extraction_finds_what_templates_call(self) -> None:
        """Read without a parser: each sentence that stands behind `_(` or `n_(` in a template that ships."""
        known = {entry.message for entry in entries()}
        literal = r'"((?:[^"\\]|\\.)*)"'
        for name in NAMES:
            source = shipped_source(name)
            single = re.findall(rf"(?<!n)\b_\({literal}", source)
            plural = re.findall(rf"\bn_\({literal}, {literal}", source)
            assert source.count("_(") == len(single) + len(plural)
            assert {*single, *plural} <= known

    def test_extraction_finds_all_that_mails_say(self) -> None:
        """In a language in which each sentence stands between marks, nothing of ours stands outside them."""
        texts = {
            names_of(one.message)[0]: tuple(f"\u27e6{text}\u27e7" for text in names_of(one.message))
            for one in entries()
        }
        form: Callable[[int], int] = lambda count: int(count != 1)  # noqa: E731 - as gettext's rules are
        renderer = Renderer(BRAND, links=LINKS, catalogues=[Catalogue("eo", texts, form)])
        for kind, spec in samples(sample_reader("eo"), confirm=str(_token())).items():
            mail = renderer.render(spec, now=NOW)
            rest = re.sub(r"https?://\S+", "", " ".join(mail.text.split()))
            for _ in range(2):  # a reason stands in a sentence
                rest = re.sub(r"\u27e6[^\u27e6\u27e7]*\u27e7", " ", rest)
            for own in sorted(_texts_of(spec, BRAND), key=len, reverse=True):
                rest = re.sub(rf"(?<!\w){re.escape(' '.join(own.split()))}(?!\w)", " ", rest)
            assert not re.search(r"\w", rest), (kind, rest)
            assert mail.subject.startswith("\u27e6")
            assert mail.preheader.startswith("\u27e6")

    def test_no_sentence_is_both_one_and_the_singular_of_another(self) -> None:
        """Catalogues know a plural by its singular."""
        singles = {entry.message for entry in entries() if isinstance(entry.message, str)}
        assert not singles & {names_of(entry.message)[0] for entry in entries() if not isinstance(entry.message, str)}

    def test_every_place_is_explained_to_translators(self) -> None:
        """What is filled in has a description, and no description is left over."""
        names = {name for entry in entries() for text in names_of(entry.message) for name in placeholders(text)}
        assert names == set(PLACES)

    def test_each_entry_says_where_it_stands(self) -> None:
        """As template and line, or the table that holds it; the sentences of the renderer are among them."""
        places = {place for entry in entries() for place, _ in entry.places}
        assert {"subjects.py", "reasons.py", "rendering.py"} <= places
        assert places <= {f"{name}.jinja" for name in NAMES} | {"subjects.py", "reasons.py", "rendering.py"}
        assert set(FIXED) <= {entry.message for entry in entries()}
        for entry in entries():
            for place, line in entry.places:
                if place.endswith(".jinja"):
                    source = shipped_source(place.removesuffix(".jinja")).splitlines()[line - 1]
                    assert names_of(entry.message)[0] in source

    def test_somebodys_own_sentences_are_found(self) -> None:
        """In blocks, conditions, arguments and macros; each once, with all its places."""
        source = '{% if _("a") %}{{ f(x=_("b")) }}{% endif %}\n{{ [_("a"), n_("c", "d", 2)] }}'
        source += '{% macro m(y=_("e")) %}{% endmacro %}'
        found = {entry.message: entry.places for entry in entries({"survey": source})}
        assert {
            "a": (("survey.jinja", 1), ("survey.jinja", 2)),
            "b": (("survey.jinja", 1),),
            ("c", "d"): (("survey.jinja", 2),),
            "e": (("survey.jinja", 2),),
        } == found

    @pytest.mark.parametrize(
        ("source", "line"),
        [
            ("\n{{ _(x) }}", 2),
            ("{{ _('a' ~ 'b') }}", 1),
            ("{{ n_('a', b, 1) }}", 1),
            ("{{ _() }}", 1),
            ("{{ _(5) }}", 1),
            ("\n\n{{ _('a' }}", 3),
            ("{% set t = _ %}", 1),
        ],
    )
    def test_a_sentence_that_is_not_written_out_is_a_mistake(self, source: str, line: int) -> None:
        """No catalogue could have it."""
        with pytest.raises(InvalidTemplate) as refused:
            entries({"survey": source})
        assert ("survey", line) == (refused.value.template, refused.value.line)

    @pytest.mark.parametrize("language", TRANSLATED)
    def test_every_sentence_is_translated(self, language: str) -> None:
        """None is missing in a language that ships, in none of its forms, and none is left over (C5)."""
        catalogue = shipped()[language]
        wanted = {names_of(entry.message)[0]: entry for entry in entries()}
        missing = [source for source in wanted if source not in catalogue.texts]
        stale = [source for source in catalogue.texts if source not in wanted]
        assert ([], []) == (missing, stale), f"{language}: missing {missing}; left over {stale}"
        for source, entry in wanted.items():
            forms = catalogue.texts[source]
            if isinstance(entry.message, str):
                assert 1 == len(forms)
            else:
                assert {catalogue.form(number) for number in range(1_000)} == set(range(len(forms)))

    @pytest.mark.parametrize("language", TRANSLATED)
    def test_no_translation_loses_what_is_filled_in(self, language: str) -> None:
        """A product, a day or a sum that English names is named in each language; a number may be a word (R15)."""
        lost = []
        for entry in entries():
            sources = names_of(entry.message)
            for text in shipped()[language].texts.get(sources[0], ()):
                gone = placeholders(sources[-1]) - placeholders(text) - {"count"}
                if gone:
                    lost.append(f"{text!r} does not say {', '.join(sorted(gone))}")
        assert [] == lost

    @pytest.mark.parametrize("language", TRANSLATED)
    def test_no_translation_is_the_english_sentence(self, language: str) -> None:
        """What reads the same in both is a word or two, never a sentence that was forgotten."""
        same = [
            source for source, forms in shipped()[language].texts.items() if source in forms and source.count(" ") > 2
        ]
        assert [] == same

    @pytest.mark.parametrize("language", TRANSLATED)
    def test_no_translation_holds_what_cannot_be_seen(self, language: str) -> None:
        """No markup, no control characters, no spaces at its ends."""
        for forms in shipped()[language].texts.values():
            for text in forms:
                assert text == text.strip()
                assert text.replace("\u00a0", " ").isprintable()
                assert not set("<>{}") & set(text)

    def test_the_files_are_up_to_date(self) -> None:
        """The script that brings them up to date has nothing to do; it says which file is not."""
        program = [sys.executable, str(ROOT / "docs" / "messages.py"), "--check"]
        done = subprocess.run(program, capture_output=True, text=True, check=False)  # noqa: S603 - a program of ours
        assert (0, "") == (done.returncode, done.stdout), done.stdout + done.stderr


def _token() -> str:
    from lifecycle_mail.mails.specs import ConfirmSubscription

    spec = specifications("en")[Kind.CONFIRM_SUBSCRIPTION]
    assert isinstance(spec, ConfirmSubscription)
    return spec.token


def _texts_of(*said: Any) -> Iterator[str]:
    """All texts, days, instants, sums and numbers of specifications and parts, as the reader sees them."""
    locale = locale_of("eo")
    assert locale is not None
    formats = Formats(locale, sample_reader().zone)
    for one in said:
        if isinstance(one, str):
            yield from one.splitlines()
        elif isinstance(one, tuple):
            yield from _texts_of(*one)
        elif isinstance(one, Money):
            yield formats.money(one)
        elif has(type(one)):
            yield from _texts_of(*(getattr(one, each.name) for each in fields(type(one))))
        elif hasattr(one, "hour"):
            yield from (formats.moment(one), formats.day(one))
        elif hasattr(one, "year"):
            yield formats.day(one)
