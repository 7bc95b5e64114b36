"""Somebody's own: templates in whole and in part, layouts, catalogues' sentences, colours, a logo (C5)."""

import re
from collections.abc import Mapping
from typing import Final

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput, InvalidTemplate, MailRefused
from lifecycle_mail.mails.brand import Brand, Theme
from lifecycle_mail.mails.catalogues import Catalogue
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.loading import shipped_source
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader
from lifecycle_mail.mails.specs import CancellationNote
from tests.mails.reading import Page, links_of_text, plain, words
from tests.mails.rendered import LINKS, LOGO, mail, specifications

SPECS: Final = specifications("en")
PROGRAMME: Final = [kind for kind, row in KINDS.items() if row.marketing]


def rendered(kind: Kind, templates: Mapping[str, str] | None = None, *, brand: Brand = BRAND) -> Mail:
    """Render the sample of a kind with somebody's own templates, for somebody's own brand."""
    return Renderer(brand, links=LINKS, templates=templates).render(SPECS[kind], now=NOW)


class TestOwnTemplates:
    """What is replaced, and what stays."""

    def test_a_block_is_replaced(self) -> None:
        """The rest of the mail that ships stays as it is."""
        own = '{% extends "shipped/last-chance" %}{% block closing %}{{ part.signed("Mari & Jaan") }}{% endblock %}'
        made, shipped = rendered(Kind.LAST_CHANCE, {"last-chance": own}), mail(Kind.LAST_CHANCE)
        assert shipped.text.replace("Ines, Harbour", "Mari & Jaan") == made.text
        assert shipped.html.replace("Ines, Harbour", "Mari &amp; Jaan") == made.html
        assert (shipped.subject, shipped.preheader) == (made.subject, made.preheader)

    def test_a_block_keeps_what_it_replaces(self) -> None:
        """What ships is still there to be said before or after."""
        own = '{% extends "shipped/survey" %}{% block body %}{{ part.p("First.") }}{{ super() }}{% endblock %}'
        made = rendered(Kind.SURVEY, {"survey": own})
        assert "First. May we ask one question?" in plain(made.text)
        assert "First. May we ask one question?" in plain(Page(made.html).shown)

    def test_a_whole_template_is_replaced(self) -> None:
        """One source makes both parts, subject and preheader."""
        own = (
            '{% extends "mail" %}{% block subject %}Do you still read {{ spec.listed.title }}?{% endblock %}'
            "{% block preheader %}One word is enough.{% endblock %}"
            '{% block body %}{{ part.p("Yes or no, " ~ spec.to.greeting ~ "?") }}'
            '{{ part.button("Yes", url.stay) }}{{ part.link("No", url.unsubscribe) }}{% endblock %}'
        )
        made = rendered(Kind.LAST_CHANCE, {"last-chance": own})
        page = Page(made.html)
        assert "Do you still read Harbour News?" == made.subject == page.one("title").text
        assert "One word is enough." == made.preheader == page.one("div", "before").text
        assert words("Harbour") + words(made.subject) + words(made.text) == words(page.shown)
        assert "Yes or no, Ada Lovelace?" in made.text
        assert links_of_text(made) == [url for _, url in page.links]

    def test_others_stay_as_they_are(self) -> None:
        """A template of one kind is none of another's."""
        own = {"survey": '{% extends "shipped/survey" %}{% block closing %}{% endblock %}'}
        assert mail(Kind.GOODBYE).html == rendered(Kind.GOODBYE, own).html

    def test_a_layout_is_replaced_for_every_kind(self) -> None:
        """One block of the layout is enough for all mails."""
        head = '{% extends "shipped/mail" %}{% block head %}<b>The Harbour</b>{% endblock %}'
        renderer = Renderer(BRAND, links=LINKS, templates={"mail.html": head})
        for kind in Kind:
            made = renderer.render(SPECS[kind], now=NOW)
            assert "The Harbour" == Page(made.html).one("b").text
            assert mail(kind).text == made.text

    def test_a_layout_of_ones_own_is_enough(self) -> None:
        """Both parts can be laid out from nothing, with a style that has no rules for the night."""
        own = {
            "mail.html": (
                '{% import "parts" as part with context %}<html lang="{{ language }}"><head>'
                "<title>{{ subject }}</title><style>p { color: #123456; }</style></head><body><h1>{{ preheader }}</h1>"
                "{% block body required %}{% endblock %}{{ part.footer() }}</body></html>"
            ),
            "mail.text": (
                '{% import "parts" as part with context %}'
                '{% call keep("subject") %}{% block subject %}{{ subject_line() }}{% endblock %}{% endcall %}'
                '{% call keep("preheader") %}{% block preheader required %}{% endblock %}{% endcall %}'
                "{% block body required %}{% endblock %}{{ part.footer() }}"
            ),
        }
        renderer = Renderer(BRAND, links=LINKS, templates=own)
        for kind in Kind:
            made = renderer.render(SPECS[kind], now=NOW)
            page = Page(made.html)
            assert (mail(kind).subject, mail(kind).preheader) == (page.one("title").text, page.one("h1").text)
            assert {"#123456"} == {one.style["color"] for one in page.all("p")}
            assert words(made.preheader) + words(made.text) == words(page.shown)

    def test_a_part_is_replaced_for_every_kind(self) -> None:
        """A button can look different, and counts where it says that it does."""
        source = shipped_source("parts.text").replace("* {{ label }}:", "==> {{ label }}")
        made = rendered(Kind.SURVEY, {"parts.text": source})
        assert "==> Answer the question\n  https://" in made.text
        with pytest.raises(MailRefused, match="the text has 0 primary calls to action, and exactly one"):
            rendered(Kind.SURVEY, {"parts.text": source.replace("{{ primary() }}", "")})

    def test_sentences_of_ones_own_are_sentences_for_catalogues(self) -> None:
        """What no catalogue has stays as it was written."""
        own = '{% extends "shipped/survey" %}{% block preheader %}{{ _("One %(what)s", what="click") }}{% endblock %}'
        assert "One click" == rendered(Kind.SURVEY, {"survey": own}).preheader

    @pytest.mark.parametrize(
        "tried",
        [
            "{{ render(spec) }}",
            "{{ brand.renderer }}",
            "{{ url._links.url('unsubscribe', 'c-1') }}",
            "{{ self._environment }}",
            "{{ self.body() }}",
            "{{ spec.to.zone.key.join('ab') }}",
            "{{ subject_line.__globals__ }}",
            '{% include "survey" %}',
        ],
    )
    def test_a_template_renders_no_other_mail(self, tried: str) -> None:
        """Nothing within reach renders, and a template that asks for itself does not come to an end."""
        own = '{% extends "shipped/survey" %}{% block body %}{{ super() }}' + tried + "{% endblock %}"
        with pytest.raises(InvalidTemplate):
            rendered(Kind.SURVEY, {"survey": own})

    def test_what_is_filled_in_is_not_read_again(self) -> None:
        """A text of the caller's is no template, whatever goes round it (F55)."""
        spec = CancellationNote(to=sample_reader(), product="{{ brand.name }} {% raw %}", cancelled_at=NOW)
        own = '{% extends "shipped/cancellation-note" %}{% block preheader %}{{ spec.product ~ "!" }}{% endblock %}'
        made = Renderer(BRAND, links=LINKS, templates={"cancellation-note": own}).render(spec, now=NOW)
        assert "{{ brand.name }} {% raw %}!" == made.preheader

    def test_a_template_is_a_text(self) -> None:
        """What is none is refused before the first mail."""
        with pytest.raises(InvalidInput, match="survey: a NoneType is no template"):
            Renderer(BRAND, links=LINKS, templates={"survey": None})  # type: ignore[dict-item]


class TestWhatMayNotBeLeftOut:
    """Nobody's own template drops what the law or the kind asks for (C1, S7, O2, R8)."""

    @pytest.mark.parametrize("kind", PROGRAMME)
    def test_a_mail_of_the_programme_without_its_footer_is_refused(self, kind: Kind) -> None:
        """All that is missing is named, for each part."""
        own = '{% extends "shipped/' + kind + '" %}{% block footer %}{% endblock %}'
        with pytest.raises(MailRefused) as refused:
            rendered(kind, {kind: own})
        # The call of one is the preferences, and the no of another the way out: these stand above the footer too.
        above = {Kind.LAST_CHANCE: (), Kind.PREFERENCE_UPDATE: ("url.unsubscribe",)}
        missing = (*above.get(kind, ("url.unsubscribe", "url.preferences")), "brand.postal_address")
        for form in ("text", "html"):
            assert f"the {form} lacks {', '.join(missing)}, and a marketing mail" in str(refused.value)

    @pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row.points])
    def test_a_mail_without_its_points_is_refused(self, kind: Kind) -> None:
        """Every point of the kind is named, for each part."""
        own = '{% extends "shipped/' + kind + '" %}{% block body %}{{ part.p("Goodbye.") }}{% endblock %}'
        with pytest.raises(MailRefused) as refused:
            rendered(kind, {kind: own})
        for form in ("text", "html"):
            assert f"the {form} does not make the point {', '.join(sorted(KINDS[kind].points))} (C1)" in str(
                refused.value
            )

    def test_a_point_that_is_marked_twice_is_one(self) -> None:
        """It may be made in two places, and a point that the kind does not have does no harm."""
        more = '{% call point("thanks") %}{{ part.p("And again.") }}{% endcall %}'
        more += '{% call point("open-door") %}{% endcall %}'
        own = '{% extends "shipped/cancellation-note" %}{% block body %}{{ super() }}' + more + "{% endblock %}"
        assert "And again." in rendered(Kind.CANCELLATION_NOTE, {"cancellation-note": own}).text

    def test_a_point_that_there_is_not_is_a_mistake(self) -> None:
        """C1 has four, and no other."""
        fifth = '{% call point("guilt") %}{% endcall %}'
        own = '{% extends "shipped/cancellation-note" %}{% block closing %}' + fifth + "{% endblock %}"
        with pytest.raises(InvalidTemplate, match="cancellation-note:1: 'guilt' is not a valid Point"):
            rendered(Kind.CANCELLATION_NOTE, {"cancellation-note": own})

    @pytest.mark.parametrize(
        "line", ["Harbour  OÜ", "10111\N{NO-BREAK SPACE}Tallinn", " Sadama 1", "Sadama 1 ", "<Harbour> & 'Sons'"]
    )
    def test_a_postal_address_is_found_however_it_is_spaced(self, line: str) -> None:
        """A mail that carries the address goes, whatever spaces stand in it (R8)."""
        made = rendered(Kind.SURVEY, brand=evolve(BRAND, postal_address=["Harbour", line]))
        assert plain(line) in plain(made.text)
        assert plain(line) in plain(Page(made.html).shown)

    def test_a_postal_address_in_one_line_is_one(self) -> None:
        """How its lines are parted is up to the template."""
        own = shipped_source("parts.text").replace("{{ one }}\n{% endfor %}", "{{ one }}, {% endfor %}\n")
        assert "Harbour OÜ, Sadama 1, 10111 Tallinn, Estonia, " in rendered(Kind.SURVEY, {"parts.text": own}).text


class TestBrand:
    """Colours, fonts and a logo."""

    THEME = Theme.of("#7a1fa2", dark_accent="#ddaaff", fonts="Georgia, serif", radius=3)

    @pytest.mark.parametrize("kind", Kind)
    def test_a_theme_colours_every_mail(self, kind: Kind) -> None:
        """Its light colours stand in the elements, and its dark ones in the rules for the night."""
        made = rendered(kind, brand=evolve(BRAND, theme=self.THEME))
        page = Page(made.html)
        night = "".join(one.text for one in page.all("style"))
        assert {"#7a1fa2"} == {one.style["color"] for one in page.all("a", "link")}
        assert {("#7a1fa2", "3px")} >= {
            (one.style["background-color"], one.style["border-radius"]) for one in page.all("td", "button")
        }
        assert "color: #ddaaff !important" in night
        assert "#0a5c63" not in made.html
        assert {"Georgia, serif"} == {one.style["font-family"] for one in page.elements if "font-family" in one.style}

    @pytest.mark.parametrize(
        ("fonts", "expected"),
        [
            ("Georgia, serif", "Georgia, serif"),
            ("'Segoe UI', sans-serif", "Segoe UI, sans-serif"),
            ("Source Sans 3, 'Fira Code',sans-serif", "'Source Sans 3', Fira Code, sans-serif"),
            ("Trebuchet's, -apple-system,, serif,", "Trebuchets, -apple-system, serif"),
        ],
    )
    def test_fonts_are_written_as_css_reads_them(self, fonts: str, expected: str) -> None:
        """Quotes stand where a family needs them, and are no escapes that would end the declaration."""
        page = Page(rendered(Kind.SURVEY, brand=evolve(BRAND, theme=Theme(fonts=fonts))).html)
        styles = [one.style for one in page.elements if "font-family" in one.style]
        assert {expected} == {one["font-family"] for one in styles}
        assert all("font-size" in one and "line-height" in one for one in styles)

    @pytest.mark.parametrize("fonts", ["'", ",", " ", "' , '"])
    def test_fonts_of_no_family_are_refused(self, fonts: str) -> None:
        """A declaration without a value would be dropped."""
        with pytest.raises(InvalidInput, match=r"fonts: .*: write families with commas"):
            Theme(fonts=fonts)

    def test_a_logo_stands_at_the_head(self) -> None:
        """It has its size and its words, and stands where the name stood, in HTML alone."""
        made = rendered(Kind.GOODBYE, brand=evolve(BRAND, logo=LOGO))
        page = Page(made.html)
        expected = {"src": LOGO.url, "alt": "Harbour", "width": "160", "height": "48"}
        assert expected.items() <= page.one("img").attributes.items()
        assert "" == page.one("td", "head").text.strip()
        assert mail(Kind.GOODBYE).text == made.text
        assert [] == Page(mail(Kind.GOODBYE).html).all("img")

    def test_who_has_no_signature_signs_with_the_brand(self) -> None:
        """There is always a name below a mail."""
        made = rendered(Kind.GOODBYE, brand=evolve(BRAND, signature=""))
        assert re.search(r"^Harbour\n\n-- $", made.text, re.MULTILINE)
        assert "Harbour" == Page(made.html).all("p", "last")[0].text


FOOT = '{{% extends "shipped/mail.html" %}}{{% block footer %}}{}{{{{ part.footer() }}}}</div>{{% endblock %}}'


@pytest.mark.parametrize(
    "opens",
    [
        '<div style="display:no&#xfdd3;ne">',
        '<div style="display:no&#64978;ne">',
        '<div style="display:no{{ primary() }}ne">',
        '<style>.zz{display:no\ufdd3ne}</style><div class="zz">',
        '{% set mark %}{% call point("thanks") %}{% endcall %}{% endset %}<div style="display:no{{ mark[:1] }}ne">',
        '<div style="display:none;display:block!x">',
        '<div style="display:none;dis/**/play:block">',
        '<div style="display:none;display:run-in">',
        '<div hidden style="display:revert">',
        '<div style="display: table-column">',
        "<div inert>",
        '<div style="zoom: 0">',
    ],
)
def test_what_is_judged_is_what_is_sent(opens: str) -> None:
    """No forged mark, and no style that a browser reads in another way, hides the way out (O2, F53)."""
    own = Renderer(BRAND, links=LINKS, templates={"mail.html": FOOT.format(opens)})
    with pytest.raises((MailRefused, InvalidTemplate)):
        own.render(specifications("en")[Kind.LAST_CHANCE], now=NOW)


@pytest.mark.parametrize("said", ["dis&#xfdd3;count", "dis&#8;count", "dis&#x7f;count"])
def test_what_a_reference_stands_for_is_judged(said: str) -> None:
    """A parser writes it out, and a promotion is one then (C6)."""
    source = (
        '{% extends "shipped/cancellation-confirmed" %}{% block closing %}'
        '{% if "<" in part.p("x") %}<p>Come back with a ' + said + '</p>{% endif %}{{ part.signed("I") }}{% endblock %}'
    )
    own = Renderer(BRAND, links=LINKS, templates={"cancellation-confirmed": source})
    with pytest.raises((MailRefused, InvalidTemplate)):
        own.render(specifications("en")[Kind.CANCELLATION_CONFIRMED], now=NOW)


def test_an_ordinary_doctype_is_one() -> None:
    """Designers begin with the one of XHTML."""
    html = shipped_source("mail.html")
    public = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">'
    )
    assert "<!doctype html>" in html.lower()
    own = Renderer(BRAND, links=LINKS, templates={"mail.html": re.sub("(?i)<!doctype html>", public, html)})
    assert own.render(specifications("en")[Kind.LAST_CHANCE], now=NOW).html


class TestBareWords:
    """What stands in a block or a point without a part round it."""

    def test_they_do_not_run_into_what_stands_below(self) -> None:
        """Under a closing on one line the footer begins as it does elsewhere, so that drafts go without it (C3)."""
        own = '{% extends "shipped/cancellation-note" %}{% block closing %}Ines, who reads every reply{% endblock %}'
        text = rendered(Kind.CANCELLATION_NOTE, {"cancellation-note": own}).text
        assert "\n\nInes, who reads every reply\n\n-- \n" in text

    def test_they_do_not_run_into_the_next_point(self) -> None:
        """Each point ends a line."""
        own = (
            '{% extends "shipped/cancellation-note" %}{% block body %}'
            '{% call point("confirmation") %}{{ spec.product }}, {{ moment(spec.cancelled_at) }}.{% endcall %}'
            '{% call point("thanks") %}Thank you.{% endcall %}'
            '{% call point("feedback") %}What was missing?{% endcall %}'
            '{% call point("open-door") %}Come back.{% endcall %}{% endblock %}'
        )
        made = rendered(Kind.CANCELLATION_NOTE, {"cancellation-note": own})
        for said in (made.text, made.html):
            assert ".\nThank you.\nWhat was missing?\nCome back.\n" in said


class TestWhoIsJudged:
    """A mail that something of one's own can stand in, and no other: what ships is judged by a test."""

    PROMOTING: Final = Catalogue.read(
        'msgid "Start again"\nmsgstr "50 % de descuento"\n\nmsgid "Hello %(name)s,"\nmsgstr "Hola, %(name)s:"\n',
        language="es",
    )

    @pytest.mark.parametrize(("locale", "brand"), [("es", "en"), ("es-MX", "en"), ("xx", "es"), ("eu", "es-AR")])
    def test_a_catalogue_is_for_whoever_reads_it(self, locale: str, brand: str) -> None:
        """By their own language, without its region, or by that of the brand; their mail may not promote (C6)."""
        renderer = Renderer(evolve(BRAND, locale=brand), links=LINKS, catalogues=[self.PROMOTING])
        with pytest.raises(MailRefused, match="promotes nothing"):
            renderer.render(evolve(SPECS[Kind.CANCELLATION_NOTE], to=sample_reader(locale)), now=NOW)

    @pytest.mark.parametrize(("locale", "brand"), [("en", "es"), ("et", "en"), ("pt", "es"), ("en-GB", "et")])
    def test_others_get_what_ships(self, locale: str, brand: str) -> None:
        """What is wrong with words that they do not get costs them no mail."""
        renderer = Renderer(evolve(BRAND, locale=brand), links=LINKS, catalogues=[self.PROMOTING])
        made = renderer.render(evolve(SPECS[Kind.CANCELLATION_NOTE], to=sample_reader(locale)), now=NOW)
        assert "50 %" not in made.text + made.html

    @pytest.mark.parametrize("name", ["mail.html", "parts.html", "mail.text", "parts.text"])
    def test_a_layout_is_in_every_mail(self, name: str) -> None:
        """One without a footer is refused, whichever mail it lays out (O2)."""
        source, empty = shipped_source(name), "{% macro footer() %}{% endmacro %}"
        own = source + empty if name.startswith("parts") else source.replace("{{ part.footer() }}", "")
        for kind in PROGRAMME:
            with pytest.raises(MailRefused, match=r"brand\.postal_address"):
                rendered(kind, {name: own})

    def test_the_template_of_a_kind_is_in_that_kind(self) -> None:
        """The others are as they ship, whatever is wrong with it."""
        own = {"survey": '{% extends "shipped/survey" %}{% block footer %}{% endblock %}'}
        for kind in PROGRAMME:
            if kind == Kind.SURVEY:
                with pytest.raises(MailRefused, match=r"brand\.postal_address"):
                    rendered(kind, own)
            else:
                assert mail(kind).html == rendered(kind, own).html
