"""Where templates come from: names, what ships, and somebody's own over it (C5)."""

from importlib import resources
from typing import Any, Final

import pytest
from jinja2 import Environment, TemplateNotFound

from lifecycle_mail.errors import InvalidInput, InvalidTemplate, UnknownName
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.loading import LAYOUTS, NAMES, Templates, shipped_source
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW
from tests.mails.rendered import LINKS, mail, specifications

SPEC: Final = specifications("en")[Kind.SURVEY]
ENVIRONMENT: Final = Environment(autoescape=True)
"""A loader is handed one, and does not look at it."""


def source(loader: Templates, name: str) -> str:
    """Return what a loader finds under a name."""
    return loader.get_source(ENVIRONMENT, name)[0]


def text(**templates: str) -> str:
    """Return the plain text of a survey with somebody's own templates; `_` stands for `.` in a name."""
    own = {name.replace("_", "."): one for name, one in templates.items()}
    return Renderer(BRAND, links=LINKS, templates=own).render(SPEC, now=NOW).text


class TestNames:
    """What can be replaced."""

    def test_every_kind_and_every_layout_has_a_name(self) -> None:
        """Nothing else has."""
        assert {*Kind, "mail.html", "mail.text", "parts.html", "parts.text"} == set(NAMES)
        assert len(NAMES) == len(set(NAMES))
        assert set(LAYOUTS) < set(NAMES)

    def test_every_template_that_ships_has_a_name(self) -> None:
        """No file is there that nobody could use, and none is missing."""
        folder = resources.files("lifecycle_mail.mails") / "templates"
        assert {f"{name}.jinja" for name in NAMES} == {path.name for path in folder.iterdir()}
        assert all(shipped_source(name).endswith("\n") for name in NAMES)

    @pytest.mark.parametrize("name", ["", "mail", "parts", "shipped/survey", "survey.jinja", "../survey", "Survey"])
    def test_what_does_not_ship_is_unknown(self, name: str) -> None:
        """No path leads out of the folder."""
        with pytest.raises(UnknownName, match="no template named"):
            shipped_source(name)

    @pytest.mark.parametrize("name", ["last_chance", "mail", "shipped/survey", "survey.jinja", ""])
    @pytest.mark.parametrize("form", ["html", "text"])
    def test_a_name_that_no_template_has_is_refused(self, name: str, form: str) -> None:
        """It would never be used, and nobody would notice."""
        with pytest.raises(UnknownName):
            Templates({name: "Hello"}, form=form)

    def test_a_name_that_is_nearly_one_is_mended(self) -> None:
        """The message has the near misses, and a renderer says it before the first mail."""
        with pytest.raises(UnknownName, match="no template named 'last_chance'; did you mean last-chance"):
            Renderer(BRAND, links=LINKS, templates={"last_chance": "Hello"})

    @pytest.mark.parametrize("one", [None, 5, b"Hello", ["Hello"]], ids=repr)
    def test_what_is_no_text_is_refused(self, one: Any) -> None:
        """With the name that it was given under."""
        with pytest.raises(InvalidInput, match=f"survey: a {type(one).__name__} is no template"):
            Templates({"survey": one}, form="html")


class TestFinding:
    """What a name leads to."""

    @pytest.mark.parametrize("form", ["html", "text"])
    @pytest.mark.parametrize("layout", ["mail", "parts"])
    def test_a_layout_is_that_of_the_form(self, layout: str, form: str) -> None:
        """One template of a kind is laid out twice."""
        loader = Templates({}, form=form)
        expected = shipped_source(f"{layout}.{form}")
        assert expected == source(loader, layout) == source(loader, f"shipped/{layout}")
        assert expected == source(loader, f"{layout}.{form}") == source(loader, f"shipped/{layout}.{form}")

    def test_ones_own_comes_first_and_what_ships_stays_within_reach(self) -> None:
        """Under its own name the one, as `shipped/NAME` the other."""
        loader = Templates({"survey": "own", "mail.html": "layout"}, form="html")
        assert ("own", shipped_source("survey")) == (source(loader, "survey"), source(loader, "shipped/survey"))
        assert ("layout", shipped_source("mail.html")) == (source(loader, "mail"), source(loader, "shipped/mail"))
        assert shipped_source("goodbye") == source(loader, "goodbye")

    def test_a_layout_of_the_other_form_is_not_taken(self) -> None:
        """Whoever replaces the HTML leaves the plain text as it is."""
        loader = Templates({"mail.html": "layout"}, form="text")
        assert shipped_source("mail.text") == source(loader, "mail")

    def test_a_line_of_ones_own_is_told_from_one_that_ships(self) -> None:
        """Errors name the template as it was given."""
        loader = Templates({"survey": "own"}, form="text")
        named = [loader.get_source(ENVIRONMENT, name)[1] for name in ("survey", "shipped/survey", "mail", "parts.html")]
        assert ["mail:survey", "mail:shipped/survey", "mail:shipped/mail.text", "mail:shipped/parts.html"] == named

    @pytest.mark.parametrize(
        "name",
        ["", "nope", "shipped/", "shipped/nope", "shipped/shipped/survey", "../mail.html", "/etc/passwd", "mail.pdf"],
    )
    def test_what_is_not_there_is_not_found(self, name: str) -> None:
        """As Jinja2 says it."""
        with pytest.raises(TemplateNotFound):
            Templates({}, form="html").get_source(ENVIRONMENT, name)

    def test_a_mark_at_the_head_of_a_file_is_no_part_of_it(self) -> None:
        """Windows begins files with one; before a layout it would stand before the doctype."""
        templates = Templates({"mail.html": "\ufeff<!DOCTYPE html>"}, form="html")
        assert "<!DOCTYPE html>" == source(templates, "mail")

    def test_later_changes_do_no_harm(self) -> None:
        """What was given is what is used, whatever becomes of the mapping."""
        own = {"survey": "own"}
        loader = Templates(own, form="html")
        own["survey"] = "changed"
        assert "own" == source(loader, "survey")


class TestChains:
    """Templates over templates."""

    def test_a_template_over_a_template_over_a_layout(self) -> None:
        """Each adds to what it stands over."""
        made = text(
            survey='{% extends "shipped/survey" %}{% block closing %}{{ super() }}{{ part.p("kind") }}{% endblock %}',
            mail_text='{% extends "shipped/mail" %}{% block closing %}{{ super() }}{{ part.p("all") }}{% endblock %}',
        )
        assert "Ines, Harbour\n\nall\n\nkind\n\n-- \n" in made

    def test_what_ships_stands_over_ones_own_layout(self) -> None:
        """A kind that nobody replaced is laid out anew all the same."""
        own = '{% extends "shipped/mail" %}{% block closing %}{{ part.signed("Mari") }}{% endblock %}'
        assert mail(Kind.SURVEY).text.replace("Ines, Harbour", "Mari") == text(mail_text=own)

    def test_one_kind_may_stand_over_another(self) -> None:
        """A block that two kinds share is written once."""
        own = '{% extends "shipped/last-chance" %}{% block preheader %}One question.{% endblock %}'
        own += '{% block body %}{{ part.links(url.answers) }}{{ part.button("A", url.survey) }}{% endblock %}'
        assert "Too many mails" in text(survey=own)

    def test_a_part_is_replaced_below_all_that_calls_it(self) -> None:
        """Templates that ship call somebody's own parts."""
        own = shipped_source("parts.text").replace("{{ why() | wrap }}", "Because.")
        assert "-- \nBecause.\n" in text(parts_text=own)

    def test_parts_that_ship_can_be_called_beside_ones_own(self) -> None:
        """As `shipped/parts`."""
        old = '{% import "shipped/parts" as old with context %}{{ old.signed("Mari") }}'
        own = '{% extends "shipped/survey" %}{% block closing %}' + old + "{% endblock %}"
        assert "\nMari\n" in text(survey=own)

    @pytest.mark.parametrize(
        ("templates", "reason"),
        [
            ({"survey": '{% extends "survey" %}'}, "survey:1: it calls itself without end"),
            ({"mail_text": '{% extends "mail" %}'}, "mail.text:1: it calls itself without end"),
            (
                {"survey": '{% extends "goodbye" %}', "goodbye": '{% extends "survey" %}'},
                ":1: it calls itself without end",
            ),
            ({"survey": '\n{% extends "nope" %}'}, "survey:2: there is no template 'nope'"),
            ({"survey": '\n{% extends "shipped/nope" %}'}, "survey:2: there is no template 'shipped/nope'"),
            ({"survey": "{% extends spec.kind %}"}, "survey:1: the name of another template is written out"),
            ({"survey": '{% extends "mail" %}'}, "Required block 'preheader' not found"),
        ],
    )
    def test_a_chain_that_leads_nowhere_is_a_mistake(self, templates: dict[str, str], reason: str) -> None:
        """It comes to an end, and names the template."""
        with pytest.raises(InvalidTemplate) as refused:
            text(**templates)
        assert reason in str(refused.value)
