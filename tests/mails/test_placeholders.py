"""What a template may read and call (C5), and the samples with little to say."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
from attrs import fields, has
from jinja2 import nodes

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.catalogues import Translator
from lifecycle_mail.mails.formats import Formats, locale_of
from lifecycle_mail.mails.kinds import KINDS, Kind, Point, class_of
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import LAYOUTS, Templates, shipped_source
from lifecycle_mail.mails.placeholders import placeholders, to_markdown
from lifecycle_mail.mails.rendering import Renderer, _Recorded, _Voice
from lifecycle_mail.mails.samples import BRAND, NOW, bare, sample_reader, samples
from lifecycle_mail.mails.sandbox import Function, MailEnvironment
from lifecycle_mail.mails.signing import SigningKey
from lifecycle_mail.mails.specs import LastChance, Specification
from lifecycle_mail.mails.urls import Urls
from lifecycle_mail.mails.vocabulary import (
    BLOCKS,
    FILTERS,
    FUNCTIONS,
    MACROS,
    POINTS,
    SETTINGS,
    TESTS,
    URLS,
    Group,
    Placeholder,
)

EVERY_KIND = pytest.mark.parametrize("kind", Kind)
LINKS = Links("https://mail.harbour.example/m", [SigningKey("2026a", b"x" * 32)])
SPECS = samples(sample_reader())
ENVIRONMENT = MailEnvironment(Templates({}, form="html"), html=True, filters={"wrap": str})


def urls_of(spec: Specification) -> Urls:
    """The links of a mail."""
    return Urls(spec, LINKS, Translator([], html=False), NOW)


def context_of(spec: Specification) -> dict[str, Any]:
    """What the renderer gives to a template."""
    locale = locale_of("en")
    assert locale is not None
    voice = _Voice(spec, BRAND, Formats(locale, spec.to.zone), NOW, language="en")
    return voice.context(Translator([], html=False), urls_of(spec), _Recorded())


def parsed(name: str) -> nodes.Template:
    """A template that ships, as Jinja2 reads it."""
    return ENVIRONMENT.parse(shipped_source(name), name)


def by_name(kind: Kind) -> dict[str, Placeholder]:
    """The placeholders of a kind by how they are written, without arguments."""
    return {one.name.partition("(")[0]: one for one in placeholders(kind) if one.group is not Group.POINT}


def value_at(path: str, root: Any) -> Any:
    """What a path such as `spec.to.greeting` leads to; None where something on the way is not there."""
    return reduce(lambda at, name: None if at is None else getattr(at, name), path.split(".")[1:], root)


class TestTheVocabulary:
    """Each table has what there really is, with a description, and nothing else."""

    def test_functions(self) -> None:
        """A function that the renderer gives to templates, and that nobody described, fails here."""
        found = {name for name, one in context_of(SPECS[Kind.SURVEY]).items() if isinstance(one, Function)}
        assert found | ENVIRONMENT.globals.keys() == set(FUNCTIONS)

    def test_settings(self) -> None:
        """So does a value."""
        context = context_of(SPECS[Kind.SURVEY])
        found = {name for name, one in context.items() if not isinstance(one, Function)} - {"spec", "brand", "url"}
        assert found | {"subject", "preheader"} == set(SETTINGS)

    @pytest.mark.parametrize("layout", ["parts.html", "parts.text"])
    def test_macros(self, layout: str) -> None:
        """HTML and plain text have the same macros, with the same arguments."""
        found = {
            f"part.{one.name}({', '.join(argument.name for argument in one.args)})"
            for one in parsed(layout).find_all(nodes.Macro)
        }
        assert found == {one.name for one in MACROS.values()}

    def test_blocks(self) -> None:
        """The layouts have these blocks."""
        found = {one.name for layout in ("mail.html", "mail.text") for one in parsed(layout).find_all(nodes.Block)}
        assert found == set(BLOCKS)

    def test_filters(self) -> None:
        """The sandbox lets these filters through, for plain text and for HTML."""
        renderer = Renderer(BRAND, links=LINKS)
        for environment in renderer._environments.values():
            assert {name for name in environment.filters if " " not in name} == set(FILTERS)

    def test_tests(self) -> None:
        """And these tests."""
        assert set(ENVIRONMENT.tests) == set(TESTS)

    def test_points(self) -> None:
        """Each point of C1 is described."""
        assert set(Point) == set(POINTS)

    def test_links(self) -> None:
        """Each link that a template can ask for is described."""
        assert {name for name in vars(Urls) if not name.startswith("_")} == set(URLS)

    @EVERY_KIND
    def test_links_of_a_kind(self, kind: Kind) -> None:
        """A kind lists those links that it has, and no other."""
        urls, found = urls_of(SPECS[kind]), []
        for name in URLS:
            try:
                if getattr(urls, name):
                    found.append(f"url.{name}")
            except InvalidTemplate:
                continue
        assert found == [one.name for one in placeholders(kind) if one.group is Group.URL]


class TestThePlaceholdersOfAKind:
    """What one kind lists."""

    @EVERY_KIND
    def test_each_is_there_once_and_says_what_it_is(self, kind: Kind) -> None:
        """No name comes twice, and none without a sentence."""
        found = placeholders(kind)
        assert len(found) == len({one.name for one in found})
        assert [] == [one.name for one in found if not one.doc.strip().endswith((".", ").", "`."))]

    @EVERY_KIND
    def test_every_field_is_listed(self, kind: Kind) -> None:
        """Whatever a specification or the brand holds, with what is inside it."""

        def within(value: Any, prefix: str) -> Iterator[str]:
            for one in fields(type(value)):
                yield f"{prefix}.{one.name}"
                inside = getattr(value, one.name)
                if has(type(inside)) and one.name not in ("address", "reply_to"):
                    yield from within(inside, f"{prefix}.{one.name}")

        expected = {*within(SPECS[kind], "spec"), *within(BRAND, "brand")}
        assert set() == expected - by_name(kind).keys()

    @EVERY_KIND
    def test_each_can_be_read(self, kind: Kind) -> None:
        """Each name leads somewhere, in the sample with much to say."""
        roots = {"spec": SPECS[kind], "brand": BRAND, "url": urls_of(SPECS[kind])}
        for name in by_name(kind):
            root = name.partition(".")[0]
            if root in roots:
                value_at(name, roots[root])

    @EVERY_KIND
    def test_what_is_always_there(self, kind: Kind) -> None:
        """What is required is there in a mail that says only what it has to, and the rest is not."""
        lean = bare(SPECS[kind])
        for name, one in by_name(kind).items():
            owner = value_at(name.rpartition(".")[0], lean) if name.startswith("spec.") else None
            if owner is not None:
                value = getattr(owner, name.rpartition(".")[2])
                assert one.required == (bool(value) or isinstance(value, bool)), name

    @EVERY_KIND
    def test_everything_that_its_template_uses_is_listed(self, kind: Kind) -> None:
        """The template that ships, and the layouts, read and call nothing else."""
        known = by_name(kind) if KINDS[kind].marketing else {**by_name(kind), "subject_line": None}
        # The layouts are for all kinds, so they ask whether the mail is marketing first.
        layouts = known.keys() | {"url.unsubscribe", "spec.listed", "spec.listed.title", "primary", "subject_line"}
        for name in (kind, *LAYOUTS):
            used = set(used_in(parsed(name)))
            assert set() == used - (layouts if name in LAYOUTS else known.keys()), name

    def test_the_right_points_are_listed(self) -> None:
        """A kind lists the points that it has to make, with the fields that carry them (C1)."""
        found = [one for one in placeholders(Kind.PLAN_ENDING) if one.group is Group.POINT]
        assert [f'{{% call point("{point}") %}}' for point in ("thanks", "confirmation", "open-door")] == [
            one.name for one in found
        ]
        assert "`spec.ends_on`" in found[1].doc
        assert not [one for one in placeholders(Kind.SURVEY) if one.group is Group.POINT]

    def test_what_is_for_some_kinds_only(self) -> None:
        """Only the programme has a table of subject lines, and only cancellations have points."""
        assert "subject_line" in by_name(Kind.SURVEY)
        assert "subject_line" not in by_name(Kind.GOODBYE)
        assert "point" in by_name(Kind.CANCELLATION_NOTE)
        assert "point" not in by_name(Kind.SURVEY)

    def test_the_subject_is_needed_where_nothing_else_gives_one(self) -> None:
        """Mails of the programme have a subject without the block, others do not."""
        assert not by_name(Kind.SURVEY)["{% block subject %}"].required
        assert by_name(Kind.GOODBYE)["{% block subject %}"].required

    def test_what_is_inside_is_listed(self) -> None:
        """Items, ways and lists are listed as a loop meets them, and a card by its last digits."""
        assert {"item.title", "item.url", "item.summary"} <= by_name(Kind.VALUE_PROPOSITION).keys()
        assert {"topic.title", "topic.expect", "way.title", "way.url"} <= by_name(Kind.GOODBYE).keys()
        assert "spec.card.last_four" in by_name(Kind.PAYMENT_FAILED)
        assert "spec.to.greeting" in by_name(Kind.SURVEY)

    @pytest.mark.parametrize(
        ("kind", "name", "words"),
        [
            (Kind.LAST_CHANCE, "spec.deadline", "day, written by `day()`"),
            (Kind.GOODBYE, "spec.left", "list; or None"),
            (Kind.GOODBYE, "spec.stays", "several lists"),
            (Kind.PLAN_ENDING, "spec.keeps", "several texts"),
            (Kind.PLAN_ENDING, "spec.refund", "sum of money, written by `money()`; or None"),
            (Kind.PLAN_ENDING, "spec.resume_url", "link"),
            (Kind.SURVEY, "spec.to.contact_id", "text"),
            (Kind.SURVEY, "spec.emoji", "yes or no"),
            (
                Kind.SURVEY, "spec.reasons",
                "several of `too-many`, `not-relevant`, `too-busy`, `elsewhere`, `other`",
            ),
        ],
    )  # fmt: skip
    def test_types_are_said_in_words(self, kind: Kind, name: str, words: str) -> None:
        """Who writes templates reads no Python."""
        assert words == by_name(kind)[name].type

    def test_a_description_comes_from_the_class_that_has_the_field(self) -> None:
        """Also from a base class, with its lines joined."""
        found = by_name(Kind.LAST_CHANCE)
        doc = found["spec.deadline"].doc
        assert doc.startswith("The last day for an answer, seven days away or more; a promise, so the run that stops")


def used_in(tree: nodes.Template) -> Iterator[str]:
    """What a template reads of `spec`, `brand`, `url` and `part`, and which functions it calls."""
    own = {one.name for one in tree.find_all(nodes.Macro)}
    for at in tree.find_all(nodes.Getattr):
        names, node = [at.attr], at.node
        while isinstance(node, nodes.Getattr):
            names.append(node.attr)
            node = node.node
        if isinstance(node, nodes.Name) and node.name in ("spec", "brand", "url", "part"):
            yield ".".join([node.name, *reversed(names)])
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name not in own | {"caller", "super"}:
            yield call.node.name


class TestMarkdown:
    """The same as a page."""

    @EVERY_KIND
    def test_it_has_all_of_them(self, kind: Kind) -> None:
        """Each placeholder is a row, and each row of a table has as many cells as its head."""
        text = to_markdown(kind)
        for one in placeholders(kind):
            assert f"| `{one.name}` |" in text
        for table in text.split("\n\n"):
            if table.startswith("|"):
                assert 1 == len({line.count("|") for line in table.splitlines()})

    def test_it_reads_well(self) -> None:
        """A heading for the kind, one for each group, and a table."""
        text = to_markdown(Kind.PREFERENCE_REQUEST, groups=[Group.URL, Group.BLOCK], level=3)
        assert text.startswith(
            "### preference-request\n\n"
            "Sends the link to somebody's own preferences, because they asked.\n\n"
            "#### Its links\n\n"
            "| Name | Type | What it is |\n"
            "| --- | --- | --- |\n"
            "| `url.unsubscribe` | link | Leaves the list that the mail names, or all marketing where "
        )
        assert "| `{% block subject %}` | yes | The subject: a text of one line. |\n" in text
        assert "`spec.to`" not in text


class TestBare:
    """A sample that says only what it has to."""

    @EVERY_KIND
    def test_it_leaves_out_all_that_it_can(self, kind: Kind) -> None:
        """Nothing else could be left out, and what is left is a mail of the same kind to the same reader."""
        lean = bare(SPECS[kind])
        assert kind == lean.kind
        assert "" == lean.to.name
        assert SPECS[kind].to.address == lean.to.address
        assert lean == bare(lean)

    @EVERY_KIND
    def test_it_can_be_rendered(self, kind: Kind) -> None:
        """The templates that ship do with it."""
        mail = Renderer(bare(BRAND), links=LINKS).render(bare(SPECS[kind]), now=NOW)
        assert mail.text.startswith("Hello,\n")

    def test_lists_are_as_short_as_they_may_be(self) -> None:
        """Empty where that is allowed, and otherwise one entry or two, themselves without what can be left out."""
        assert () == bare(SPECS[Kind.WE_MISS_YOU]).news  # type: ignore[attr-defined]
        assert () == bare(SPECS[Kind.GOODBYE]).reasons  # type: ignore[attr-defined]
        assert [""] == [item.summary for item in bare(SPECS[Kind.VALUE_PROPOSITION]).items]  # type: ignore[attr-defined]
        assert 2 == len(bare(SPECS[Kind.SURVEY]).reasons)  # type: ignore[attr-defined]

    def test_what_depends_on_something_else_goes_too(self) -> None:
        """Nobody can stay on a list who left everything; so the list that was left goes after those that are kept."""
        assert bare(SPECS[Kind.GOODBYE]).left is None  # type: ignore[attr-defined]

    @EVERY_KIND
    def test_the_samples_have_what_it_takes_away(self, kind: Kind) -> None:
        """Every field of a kind's own that may be None is filled in, so that a template is seen with it, too."""
        for one in fields(class_of(kind)):
            if not one.inherited:
                assert getattr(SPECS[kind], one.name) is not None, one.name

    def test_a_part_keeps_what_it_needs(self) -> None:
        """A list keeps its title, and a reader their language and zone."""
        spec = SPECS[Kind.LAST_CHANCE]
        assert isinstance(spec, LastChance)
        assert ("Harbour News", "") == (bare(spec.listed).title, bare(spec.listed).expect)
        assert "Europe/Tallinn" == bare(spec).to.timezone
        assert "et" == bare(sample_reader("et")).locale
