"""What the renderer refuses, all of it at once (C1, C6, S7, O2, R8, R15)."""

from typing import Any, Final

import pytest
from attrs import evolve
from markupsafe import Markup

from lifecycle_mail.errors import InvalidInput, InvalidTemplate, MailRefused
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue
from lifecycle_mail.mails.kinds import Kind, Point
from lifecycle_mail.mails.lacks import Part
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import shipped_source
from lifecycle_mail.mails.marks import around, as_comments
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, bare, sample_reader, samples
from lifecycle_mail.mails.signing import SigningKey

LINKS = Links("https://mail.harbour.example/m", [SigningKey("2026a", b"x" * 32)])
SPECS = samples(sample_reader())
EMPTY = (
    '{% block subject %}Hello{% endblock %}{% block preheader %}Hello{% endblock %}'
    "{% block body %}{% endblock %}{% block footer %}{% endblock %}"
)  # fmt: skip


def renderer(**templates: str) -> Renderer:
    """A renderer with somebody's own templates, underscores for what a name of Python's cannot have."""
    own = {name.replace("__", ".").replace("_", "-"): source for name, source in templates.items()}
    return Renderer(BRAND, links=LINKS, templates=own)


def lacks(kind: Kind, made_by: Renderer) -> list[tuple[str, str, str]]:
    """What a draft of a kind lacks."""
    return [(one.rule, one.form, one.what) for one in made_by.draft(SPECS[kind], now=NOW).lacks]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("locale", SHIPPED)
@pytest.mark.parametrize("least", [False, True], ids=["full", "bare"])
def test_a_mail_that_ships_lacks_nothing(kind: Kind, locale: str, least: bool) -> None:
    """Each kind in each language is judged in whole here, since the renderer judges what ships by its counts alone."""
    unused = Catalogue("zz", {}, lambda _count: 0)
    spec = samples(sample_reader(locale))[kind]
    draft = Renderer(BRAND, links=LINKS, catalogues=[unused]).draft(bare(spec) if least else spec, now=NOW)
    assert ((), {}) == (draft.lacks, draft.errors)
    assert draft.mail.html == renderer().render(draft.mail.spec, now=NOW).html


def test_a_marketing_mail_that_says_nothing_lacks_everything() -> None:
    """Each lack is told apart, for each of the two parts."""
    expected = [
        (rule, form, what)
        for form in ("text", "html")
        for rule, what in [
            ("no-primary-call", "0"),
            ("missing-unsubscribe", "url.unsubscribe"),
            ("missing-preferences", "url.preferences"),
            ("missing-postal-address", "brand.postal_address"),
        ]
    ]
    assert expected == lacks(Kind.SURVEY, renderer(survey='{% extends "mail" %}' + EMPTY))


def test_a_cancellation_mail_that_says_nothing_lacks_its_points() -> None:
    """It has no list behind it, and needs no way out; it promises points (C1)."""
    found = lacks(Kind.CANCELLATION_NOTE, renderer(cancellation_note='{% extends "mail" %}' + EMPTY))
    points = ["confirmation", "feedback", "thanks"]
    assert [("missing-point", form, point) for form in ("text", "html") for point in points] == found


def test_what_one_part_lacks_is_not_found_in_the_other() -> None:
    """A footer that only the HTML has lost is missed there alone."""
    lost = renderer(mail__html=shipped_source("mail.html").replace("{{ part.footer() }}", ""))
    assert {"html"} == {form for _, form, _ in lacks(Kind.SURVEY, lost)}
    assert 3 == len(lacks(Kind.SURVEY, lost))


def test_a_half_of_the_postal_address_is_none() -> None:
    """Each of its lines has to be there (R8)."""
    half = renderer(parts__text=shipped_source("parts.text").replace("in brand.postal_address", "in ['Sadama 1']"))
    assert [("missing-postal-address", "text", "brand.postal_address")] == lacks(Kind.SURVEY, half)


def test_the_refusal_names_all_of_it() -> None:
    """Whoever mends the template reads once what is wrong with it."""
    with pytest.raises(MailRefused) as refused:
        renderer(survey='{% extends "mail" %}' + EMPTY).render(SPECS[Kind.SURVEY], now=NOW)
    message = str(refused.value)
    assert message.startswith("survey: the text has 0 primary calls to action, and exactly one is clear (S7): ")
    for form in ("text", "html"):
        assert f"the {form} has 0 primary calls to action" in message
        assert f"the {form} lacks url.unsubscribe, url.preferences, brand.postal_address, and a marketing" in message


def test_the_refusal_names_every_point() -> None:
    """A cancellation mail says which points it does not make."""
    with pytest.raises(MailRefused) as refused:
        renderer(cancellation_note='{% extends "mail" %}' + EMPTY).render(SPECS[Kind.CANCELLATION_NOTE], now=NOW)
    assert "the html does not make the point confirmation, feedback, thanks (C1)" in str(refused.value)


def test_two_calls_are_too_many_in_any_mail() -> None:
    """A transactional mail may have one primary call to action or none (S7)."""
    twice = "{{ part.button('One', brand.website) }}{{ part.button('Two', brand.website) }}"
    source = shipped_source("goodbye").replace("{% block body %}", "{% block body %}" + twice)
    assert [("two-primary-calls", form, "2") for form in ("text", "html")] == lacks(
        Kind.GOODBYE, renderer(goodbye=source)
    )
    with pytest.raises(MailRefused, match="at most one is clear"):
        renderer(goodbye=source).render(SPECS[Kind.GOODBYE], now=NOW)


def test_an_empty_subject_is_refused() -> None:
    """A subject that is left empty is found in what came out."""
    source = '{% extends "shipped/survey" %}{% block subject %} {% endblock %}'
    assert [("empty-subject", "text", "subject")] == lacks(Kind.SURVEY, renderer(survey=source))
    with pytest.raises(MailRefused, match="the subject is empty"):
        renderer(survey=source).render(SPECS[Kind.SURVEY], now=NOW)


def test_a_layout_that_keeps_no_subject_is_told_so() -> None:
    """A `mail.text` of somebody's own has to keep what the HTML is given."""
    with pytest.raises(InvalidTemplate, match="the text keeps no preheader and no subject"):
        renderer(mail__text="Hello").render(SPECS[Kind.SURVEY], now=NOW)


def test_both_parts_are_tried() -> None:
    """A mistake in the plain text hides none in the HTML."""
    draft = renderer(parts__text="{{ spec.nope }}", mail__html="{{ spec.nor_this }}").draft(SPECS[Kind.SURVEY], now=NOW)
    assert ("", "") == (draft.mail.text, draft.mail.html)
    assert {"text": "parts.text", "html": "mail.html"} == {
        form: error.template for form, error in draft.errors.items() if isinstance(error, InvalidTemplate)
    }


def test_css_that_cannot_be_read_is_a_mistake_of_the_template() -> None:
    """It is no error of the library that moves CSS."""
    broken = shipped_source("mail.html").replace('class="mail"', 'class="mail" style="color: ;;x"')
    with pytest.raises(InvalidTemplate, match=r"mail\.html: its CSS cannot be read"):
        renderer(mail__html=broken.replace("</style>", "table { width: ;;; }</style>")).render(
            SPECS[Kind.SURVEY], now=NOW
        )


ADDRESS: Final = "".join(f"<p>{line}</p>" for line in BRAND.postal_address)
WAY_OUT: Final = '<a href="{{ url.unsubscribe }}">Leave</a>'
PREFERENCES: Final = '<a href="{{ url.preferences }}">Choose</a>'


def laid_out(*, way_out: str = WAY_OUT, preferences: str = PREFERENCES, address: str = ADDRESS) -> Renderer:
    """A renderer whose HTML ends as somebody wrote it."""
    footer = f"<div>{way_out}</div><div>{preferences}</div><div>{address}</div>"
    return renderer(mail__html=f'{{% extends "shipped/mail" %}}{{% block footer %}}{footer}{{% endblock %}}')


HIDDEN: Final = [
    "<!-- {} -->",
    "<!--[if mso]>{}<![endif]-->",
    '<div style="display:none">{}</div>',
    '<div style="DISPLAY : None !important; display: block">{}</div>',
    '<div style="display:/* not */none">{}</div>',
    '<div style="display:none"><div style="display:block">{}</div></div>',
    '<div style="visibility:hidden">{}</div>',
    '<div style="visibility:collapse"><div>{}</div></div>',
    '<div style="opacity:0.0">{}</div>',
    '<div style="font-size:0">{}</div>',
    '<div style="font-size:0px"><div style="font-size:1em">{}</div></div>',
    '<div style="font:bold 0/0 Arial">{}</div>',
    '<div style="mso-hide:all">{}</div>',
    '<div style="max-height:0;overflow:hidden">{}</div>',
    '<div style="width:0px;overflow:hidden">{}</div>',
    "<div hidden>{}</div>",
    "<details><summary>More</summary>{}</details>",
    "<datalist>{}</datalist>",
    "<video>{}</video>",
    '<style>.away {{ display: none }}</style><div class="away">{}</div>',
    '<style>#away div {{ font-size: 0 }}</style><div id="away"><div>{}</div></div>',
    '<table><tr><td style="display:none">{}</td></tr></table>',
    '<div style="display:none">One<br>two <img src="cid:y" alt="three"> {}</div>',
]
SEEN: Final = [
    "<b>{}</b>",
    '<div style="font-size:0"><div style="font-size:14px">{}</div></div>',
    '<div style="font:0/0 Arial"><div style="font:400 14px/20px Arial">{}</div></div>',
    '<div style="visibility:hidden"><div style="visibility:visible">{}</div></div>',
    '<div style="opacity:0.9;line-height:0;max-width:600px;overflow:hidden">{}</div>',
    '<div style="height:0">{}</div>',
    '<p style="display:none">Before</p>{}',
    '<br style="display:none">{}',
    '<img src="cid:y" alt="" style="display:none">{}',
    "<details open>{}</details>",
    "<!--[if !mso]><!-->{}<!--<![endif]-->",
    "<style>.away {{ display: none }} .back {{ display: block !important }}</style><div class='away back'>{}</div>",
]


class TestWhatNobodySees:
    """What stands in the HTML and is not seen is not there (O2, R8)."""

    @pytest.mark.parametrize("around", HIDDEN)
    def test_what_is_hidden(self, around: str) -> None:
        """Each is told apart from what is missing, and no mail goes without it."""
        made_by = laid_out(
            way_out=around.format(WAY_OUT), preferences=around.format(PREFERENCES), address=around.format(ADDRESS)
        )
        expected = [
            ("hidden-unsubscribe", "html", "url.unsubscribe"),
            ("hidden-preferences", "html", "url.preferences"),
            ("hidden-postal-address", "html", "brand.postal_address"),
        ]
        assert expected == lacks(Kind.SURVEY, made_by)
        with pytest.raises(
            MailRefused, match=r"the html has url\.unsubscribe, url\.preferences, brand\.postal_address w"
        ):
            made_by.render(SPECS[Kind.SURVEY], now=NOW)

    @pytest.mark.parametrize("around", SEEN)
    def test_what_is_seen(self, around: str) -> None:
        """Whatever stands round it, and however small or hidden that is."""
        made_by = laid_out(
            way_out=around.format(WAY_OUT), preferences=around.format(PREFERENCES), address=around.format(ADDRESS)
        )
        assert [] == lacks(Kind.SURVEY, made_by)

    @pytest.mark.parametrize(
        ("rule", "way_out"),
        [
            ("hidden-unsubscribe", "{{ url.unsubscribe }}"),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}"></a>'),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}"> &nbsp;. </a>'),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}" aria-label="Leave" title="Leave"></a>'),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}"><span style="display:none">Leave</span></a>'),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}"><img src="cid:y" alt=""></a>'),
            ("hidden-unsubscribe", '<a href="{{ url.unsubscribe }}"><img src="cid:y" alt="Leave" width="1"></a>'),
            ("hidden-unsubscribe", '<a href="https://x.example/?{{ url.unsubscribe }}">Leave</a>'),
            ("hidden-unsubscribe", '<img src="{{ url.unsubscribe }}" alt="Leave">'),
            ("missing-unsubscribe", '<a href="{{ brand.website }}">Leave</a>'),
        ],
    )
    def test_a_link_that_cannot_be_followed(self, rule: str, way_out: str) -> None:
        """A way out is a link with words, and not its address somewhere."""
        assert [(rule, "html", "url.unsubscribe")] == lacks(Kind.SURVEY, laid_out(way_out=way_out))

    @pytest.mark.parametrize(
        "way_out",
        [
            '<a href="{{ url.unsubscribe }}"><b>L</b>eave</a>',
            '<a href=" {{ url.unsubscribe }} ">lahku</a>',
            '<a href="{{ url.unsubscribe }}">א</a>',
            '<p style="font-size:0"><a href="{{ url.unsubscribe }}"><img src="cid:y" alt="Leave"></a></p>',
        ],
    )
    def test_a_link_that_can_be_followed(self, way_out: str) -> None:
        """Words in any script, and the alternative of an image, are words."""
        assert [] == lacks(Kind.SURVEY, laid_out(way_out=way_out))

    @pytest.mark.parametrize(
        "address",
        [
            "Harbour OÜ<br>Sadama<br>1<br>10111<br>Tallinn, Estonia",
            "<table><tr><td>Harbour OÜ<td>Sadama<br>1</tr><tr><td>10111 Tallinn<td>Estonia</td></tr></table>",
            "HARBOUR&nbsp;OÜ &middot; SADAMA 1 &middot; 10111 <b>Tall</b>inn &middot; estonia",
            'Harbour OÜ<span style="display:block">Sadama</span>1 <i>10111\nTallinn</i> (Estonia)',
        ],
    )
    def test_a_postal_address_in_any_form(self, address: str) -> None:
        """It may be split in any way and written in capitals: it is the words that count."""
        assert [] == lacks(Kind.SURVEY, laid_out(address=address))

    @pytest.mark.parametrize(
        ("rule", "address"),
        [
            ("missing-postal-address", "Harbour OÜ, Sadama 1, Estonia"),
            (
                "hidden-postal-address",
                '<img src="cid:y" alt="{{ brand.postal_address[0] }}">' + ADDRESS[17:],
            ),
            ("hidden-postal-address", "<div hidden>Harbour OÜ</div> Sadama 1, 10111 Tallinn, Estonia"),
        ],
    )
    def test_a_part_of_the_postal_address(self, rule: str, address: str) -> None:
        """Each of its lines has to be seen, in letters."""
        assert [(rule, "html", "brand.postal_address")] == lacks(Kind.SURVEY, laid_out(address=address))

    def test_a_title_is_not_seen(self) -> None:
        """What stands in the title of the page is read by nobody who reads the mail."""
        source = shipped_source("mail.html").replace("<title>", "<title>{{ url.unsubscribe }} ")
        lost = renderer(mail__html=source.replace("{{ part.footer() }}", PREFERENCES + ADDRESS))
        assert [("hidden-unsubscribe", "html", "url.unsubscribe")] == lacks(Kind.SURVEY, lost)

    @pytest.mark.parametrize(
        ("written", "stands"),
        [
            ("Leave: {{ url.unsubscribe }}", True),
            ("(leave: <{{ url.unsubscribe }}>).", True),
            ("Leave:{{ url.unsubscribe }}, or not.", True),
            ("{{ url.unsubscribe }}x", False),
            ("{{ url.unsubscribe }}/more", False),
            ("{{ url.unsubscribe }}?utm_source=mail", False),
            ("https://x.example/?to={{ url.unsubscribe }}", False),
            ("x{{ url.unsubscribe }}", False),
        ],
    )
    def test_a_link_of_the_plain_text_stands_whole(self, written: str, stands: bool) -> None:
        """As the beginning of a longer one it leads elsewhere."""
        rest = "{{ url.preferences }}\n{{ brand.postal_address[0] }} {{ brand.postal_address[1] }}\n"
        rest += "{{ brand.postal_address[2] }} {{ brand.postal_address[3] }}"
        own = f'{{% extends "shipped/mail" %}}{{% block footer %}}{written}\n{rest}{{% endblock %}}'
        expected = [] if stands else [("missing-unsubscribe", "text", "url.unsubscribe")]
        assert expected == lacks(Kind.SURVEY, renderer(mail__text=own))


def noted(body: str) -> Renderer:
    """A renderer with a note of somebody's own after a cancellation."""
    return renderer(
        cancellation_note='{% extends "shipped/cancellation-note" %}{% block body %}' + body + "{% endblock %}"
    )


def point(name: str, said: str = "{{ part.p('Said.') }}") -> str:
    """A point as a template makes it."""
    return f'{{% call point("{name}") %}}{said}{{% endcall %}}'


CONFIRMED: Final = "{{ part.p(spec.product ~ ' was cancelled on ' ~ day(spec.cancelled_at)) }}"
POINTS: Final = point("confirmation", CONFIRMED) + point("feedback")


class TestPoints:
    """A point is made by words that are seen (C1, R15)."""

    @pytest.mark.parametrize(
        "said",
        [
            "",
            " \n ",
            "{{ part.p('') }}",
            "{{ part.p(' . ! ') }}",
            "{# Thank you #}",
            "{% if false %}Thank you{% endif %}",
            "{% set thanks %}{{ part.p('Thank you') }}{% endset %}",
        ],
    )
    def test_a_point_without_words(self, said: str) -> None:
        """It is told apart from one that is not marked, for each part."""
        made_by = noted(POINTS + point("thanks", said))
        assert [("empty-point", form, "thanks") for form in ("text", "html")] == lacks(Kind.CANCELLATION_NOTE, made_by)
        with pytest.raises(MailRefused, match=r"the html shows no words for the point thanks \(C1\): write them"):
            made_by.render(SPECS[Kind.CANCELLATION_NOTE], now=NOW)

    @pytest.mark.parametrize("around", HIDDEN)
    def test_a_point_that_is_hidden(self, around: str) -> None:
        """Whether its words are hidden in it, or all of it is."""
        inside = point("thanks", around.format("<p>Much obliged</p>"))
        outside = around.format(point("thanks", "<p>Much obliged</p>"))
        for said in (inside, outside):
            found = lacks(Kind.CANCELLATION_NOTE, noted(POINTS + said))
            assert [("empty-point", "html", "thanks")] == found

    @pytest.mark.parametrize("around", SEEN)
    def test_a_point_that_is_seen(self, around: str) -> None:
        """Whatever stands round it."""
        inside = point("thanks", around.format("<p>Much obliged</p>"))
        outside = around.format(point("thanks", "<p>Much obliged</p>"))
        for said in (inside, outside):
            assert [] == lacks(Kind.CANCELLATION_NOTE, noted(POINTS + said))

    @pytest.mark.parametrize("rule", ["display: block", "display: inline-block", "color: red"])
    def test_a_word_with_a_rule_of_its_own(self, rule: str) -> None:
        """A class may make a block of one word of a sentence: the sentence is seen all the same."""
        body = point("thanks") + point("feedback") + point(
            "confirmation",
            '<p>You cancelled <b class="big">{{ spec.product }}</b>, on {{ moment(spec.cancelled_at) }}.</p>',
        )  # fmt: skip
        own = Renderer(BRAND, links=LINKS, templates={
            "cancellation-note": '{% extends "shipped/cancellation-note" %}{% block body %}' + body + "{% endblock %}",
            "mail.html": shipped_source("mail.html").replace("<style>", f"<style>.big {{ {rule}; }}"),
        })  # fmt: skip
        assert [] == [one for one in lacks(Kind.CANCELLATION_NOTE, own) if one[1] == "html"]

    def test_a_word_that_a_rule_hides(self) -> None:
        """What was cancelled is not said where its name is hidden by a class (R15)."""
        body = point("thanks") + point("feedback") + point(
            "confirmation",
            '<p>You cancelled <b class="big">{{ spec.product }}</b>, on {{ moment(spec.cancelled_at) }}.</p>',
        )  # fmt: skip
        own = Renderer(BRAND, links=LINKS, templates={
            "cancellation-note": '{% extends "shipped/cancellation-note" %}{% block subject %}Done{% endblock %}'
            "{% block footer %}{% endblock %}{% block body %}" + body + "{% endblock %}",
            "mail.html": shipped_source("mail.html").replace("<style>", "<style>.big { display: none; }"),
        })  # fmt: skip
        found = lacks(Kind.CANCELLATION_NOTE, own)
        assert [("unstated-cancellation", "html", "spec.product")] == [one for one in found if one[1] == "html"]

    def test_a_point_in_a_table(self) -> None:
        """Rows of a table may be a point, where a parser lets no text stand."""
        rows = "<table><tr><th>Cancelled</th></tr>" + point("thanks", "<tr><td>Thank you</td></tr>") + "</table>"
        assert [] == lacks(Kind.CANCELLATION_NOTE, noted(POINTS + rows))

    def test_a_point_that_is_made_and_not_printed(self) -> None:
        """What a template keeps to itself is said to nobody."""
        kept = "{% set kept %}" + point("thanks", "{{ part.p('Thank you') }}") + "{% endset %}"
        expected = [("empty-point", form, "thanks") for form in ("text", "html")]
        assert expected == lacks(Kind.CANCELLATION_NOTE, noted(POINTS + kept))
        assert [] == lacks(Kind.CANCELLATION_NOTE, noted(POINTS + kept + "{{ kept }}"))

    @pytest.mark.parametrize(("form", "end"), [("text", "\n\n"), ("html", "<br>")])
    def test_a_point_of_many_words_is_read_in_linear_time(self, form: str, end: str) -> None:
        """Looked for in the whole mail it would take a quarter of a minute (F54)."""
        said = "".join(f"ab {number}{end}" for number in range(40_000))
        made = "ab ab ab " * 20_000 + around(Point.THANKS, Markup(said) if form == "html" else said)  # noqa: S704
        part = Part.read(form, as_comments(made) if form == "html" else made)
        assert " ".join(f"ab {number}" for number in range(40_000)) == part.points[Point.THANKS]

    @pytest.mark.parametrize("hides", ["display: none", "font-size: 0", "visibility: hidden"])
    def test_what_is_hidden_in_a_point_is_not_said_elsewhere(self, hides: str) -> None:
        """The footer of a cancellation names the product too; a reader has to find it where it is cancelled (R15)."""
        body = (
            point("thanks")
            + point("feedback")
            + point(
                "confirmation",
                '<p>You cancelled <span class="big">{{ spec.product }}</span> on {{ moment(spec.cancelled_at) }}.</p>',
            )
        )
        own = Renderer(BRAND, links=LINKS, templates={
            "cancellation-note": '{% extends "shipped/cancellation-note" %}{% block body %}' + body + "{% endblock %}",
            "mail.html": shipped_source("mail.html").replace("<style>", f"<style>.big {{ {hides}; }}"),
        })  # fmt: skip
        found = [one for one in lacks(Kind.CANCELLATION_NOTE, own) if one[1] == "html"]
        assert [("unstated-cancellation", "html", "spec.product")] == found

    def test_a_link_alone_makes_no_point(self) -> None:
        """In the plain text an address says nothing; in the HTML its link has words."""
        link = point("thanks", "{{ part.link('', brand.website) }}")
        expected = [("empty-point", form, "thanks") for form in ("text", "html")]
        assert expected == lacks(Kind.CANCELLATION_NOTE, noted(POINTS + link))

    @pytest.mark.parametrize(
        ("missing", "said"),
        [
            (["spec.product"], "{{ part.p(day(spec.cancelled_at)) }}"),
            (["day(spec.cancelled_at)"], "{{ part.p(spec.product) }}"),
            (["spec.product", "day(spec.cancelled_at)"], "{{ part.p('It is done.') }}"),
            ([], "{{ part.p(moment(spec.cancelled_at)) }}{{ part.p(spec.product | upper) }}"),
            ([], "{{ part.facts([('What', spec.product), ('When', day(spec.cancelled_at))]) }}"),
        ],
    )
    def test_a_notice_says_what_was_cancelled_and_when(self, missing: list[str], said: str) -> None:
        """That the footer names the product is not enough (R15)."""
        made_by = noted(point("confirmation", said) + point("thanks") + point("feedback"))
        expected = [("unstated-cancellation", form, what) for form in ("text", "html") for what in missing]
        assert expected == lacks(Kind.CANCELLATION_NOTE, made_by)
        if missing:
            with pytest.raises(MailRefused, match="does not say what was cancelled and when"):
                made_by.render(SPECS[Kind.CANCELLATION_NOTE], now=NOW)

    def test_a_long_product_is_found_in_any_lines(self) -> None:
        """The plain text breaks it at its spaces, and a parser joins them."""
        spec: Any = evolve(SPECS[Kind.CANCELLATION_NOTE], product="Harbour  - the <big> one & " * 7)  # type: ignore[call-arg]
        made_by = noted(POINTS + point("thanks"))
        assert () == made_by.draft(spec, now=NOW).lacks


BUTTON: Final = '<a href="{{ url.survey }}">Answer</a>'


def asked(body: str) -> Renderer:
    """A renderer with a survey of somebody's own in HTML, whose plain text has its call."""
    calls = "{% if side is defined %}" + body + "{% endif %}"
    return renderer(survey='{% extends "shipped/survey" %}{% block body %}' + calls + "{% endblock %}")


class TestPrimaryCalls:
    """A primary call to action is a link that can be followed (S7)."""

    @pytest.mark.parametrize(
        "call",
        [
            f"{{{{ primary() }}}}{BUTTON}",
            f"{{{{ primary() }}}}\n<table><tr><td>{BUTTON}</td></tr></table>",
            f"<table>{{{{ primary() }}}}<tr><td>{BUTTON}</td></tr></table>",
            f"<p>Ready? {{{{ primary() }}}} Then: {BUTTON}</p>",
            '<a href="{{ url.survey }}">{{ primary() }}Answer</a>',
            '<a href="{{ url.survey }}">Answer{{ primary() }}</a>',
            '<a {{ primary() }} href="{{ url.survey }}">Answer</a>',
            '<a class="act{{ primary() }}" href="{{ url.survey }}">Answer</a>',
            '{{ primary() }}<!--[if mso]><v:rect href="{{ url.survey }}">Answer</v:rect><![endif]-->'
            + BUTTON.replace("<a", '<a style="mso-hide:all"'),
            '{{ primary() }}<a href="mailto:ines@harbour.example">Answer</a>',
        ],
    )
    def test_a_call_with_a_link(self, call: str) -> None:
        """The link follows it, or holds it; nothing of the mark is left, nor does it change anything."""
        made_by = asked(call)
        found = [one for one in made_by.draft(SPECS[Kind.SURVEY], now=NOW).lacks if one.form == "html"]
        assert [] == found
        draft = made_by.draft(SPECS[Kind.SURVEY], now=NOW)
        plain = asked(call.replace("{{ primary() }}", "")).draft(SPECS[Kind.SURVEY], now=NOW)
        assert plain.mail.text == draft.mail.text
        assert "".join(plain.mail.html.split()) == "".join(draft.mail.html.split())

    @pytest.mark.parametrize(
        "call",
        [
            "{{ primary() }}",
            "{{ primary() }}<p>Answer</p>",
            f"{{{{ primary() }}}}<p>We have a question.</p><p>{BUTTON}</p>",
            '{{ primary() }}<p><a href="{{ url.survey }}"></a></p><p>Answer</p>',
            '{{ primary() }}<p><a href="">Answer</a> or not</p>',
            '{{ primary() }}<p><a href="#top">Answer</a> or not</p>',
            '{{ primary() }}<p style="display:none"><a href="{{ url.survey }}">Answer</a></p>',
            f'<div style="display:none">{{{{ primary() }}}}{BUTTON}</div>',
            f"<!-- {{{{ primary() }}}} -->{BUTTON}",
            f"{{% set kept = primary() %}}{BUTTON}",
        ],
    )
    def test_a_call_without_a_link(self, call: str) -> None:
        """It is counted, and it is none."""
        found = lacks(Kind.SURVEY, asked(f"{call}<p>Thank you.</p>"))
        assert ("primary-call-without-link", "html", "primary()") in found
        with pytest.raises(MailRefused, match=r"the html has a primary call to action without a link \(S7\)"):
            asked(f"{call}<p>Thank you.</p>").render(SPECS[Kind.SURVEY], now=NOW)

    @pytest.mark.parametrize(
        ("call", "fine"),
        [
            ("{{ primary() }}\n* Answer:\n  {{ url.survey }}", True),
            ("{{ primary() }}\n\n\nAnswer: <{{ url.survey }}>", True),
            ("{{ primary() }}mailto:ines@harbour.example", True),
            ("{{ primary() }}\n* Answer\n", False),
            ("{{ primary() }}\n* Answer\n\n{{ url.survey }}", False),
            ("{{ url.survey }} {{ primary() }}", False),
        ],
    )
    def test_a_call_of_the_plain_text(self, call: str, fine: bool) -> None:
        """Its address stands in the paragraph that follows."""
        own = shipped_source("parts.text") + "{% macro button(label, url) %}" + call + "\n\n{% endmacro %}"
        own = own.replace("{{ url.survey }}", "{{ url }}").replace(
            "{% macro button(label, url) %}", "{% macro old(label, url) %}", 1
        )
        found = lacks(Kind.SURVEY, renderer(parts__text=own))
        assert ([] if fine else [("primary-call-without-link", "text", "primary()")]) == found

    def test_nothing_of_a_mark_is_left(self) -> None:
        """Not in a subject either, and no empty line where it stood."""
        own = '{% extends "shipped/goodbye" %}{% block subject %}Bye{{ primary() }}{% endblock %}'
        draft = renderer(goodbye=own).draft(SPECS[Kind.GOODBYE], now=NOW)
        assert "Bye" == draft.mail.subject
        assert [("primary-call-without-link", "text", "primary()")] == [
            (one.rule, one.form, one.what) for one in draft.lacks if one.form == "text"
        ]
        shipped = Renderer(BRAND, links=LINKS).render(SPECS[Kind.SURVEY], now=NOW)
        made = renderer(goodbye=own).render(SPECS[Kind.SURVEY], now=NOW)
        assert (shipped.text, shipped.html) == (made.text, made.html)


class TestPromotion:
    """Nobody's own words promote in a mail to those who opted out of marketing (C6)."""

    @pytest.mark.parametrize("block", ["subject", "preheader", "body", "closing", "footer"])
    def test_a_template_that_promotes(self, block: str) -> None:
        """Wherever it says it, it is quoted, and no mail goes."""
        inside = "A special offer.\n" + ("{{ super() }}" if block != "subject" else "")
        own = f'{{% extends "shipped/goodbye" %}}{{% block {block} %}}{inside}{{% endblock %}}'
        assert {("promotion", "text", "special offer")} <= set(lacks(Kind.GOODBYE, renderer(goodbye=own)))
        with pytest.raises(MailRefused, match=r"goodbye: the text says 'special offer', and a transactional mail prom"):
            renderer(goodbye=own).render(SPECS[Kind.GOODBYE], now=NOW)

    def test_a_layout_that_promotes(self) -> None:
        """In the HTML alone, and in transactional mails alone."""
        own = renderer(mail__html='{% extends "shipped/mail" %}{% block head %}Get 20 % off{% endblock %}')
        assert [("promotion", "html", "20 % off")] == lacks(Kind.PLAN_ENDING, own)
        assert [] == lacks(Kind.SURVEY, own)

    @pytest.mark.parametrize(
        "said",
        [
            '<img src="https://h.example/a.png" alt="A special offer" width="50" height="20">',
            '<p title="A special offer">Hello</p>',
            '<a href="https://h.example" aria-label="A special offer">Hello</a>',
            "<p>A special<br>offer</p>", '<table role="presentation"><tr><td>A special</td><td>offer</td></tr></table>',
            "<p>A special&#8203;offer</p>", '<input value="50 % off">', "Free <div>shipping</div>",
            "<h2>Black</h2>\n<p><b> Friday</b></p>",
        ],
    )  # fmt: skip
    def test_a_promotion_in_pieces(self, said: str) -> None:
        """Beside an image, in a title, over two lines or two cells: readers put it together."""
        own = renderer(mail__html=f'{{% extends "shipped/mail" %}}{{% block head %}}{said}{{% endblock %}}')
        assert {("promotion", "html")} == {(rule, form) for rule, form, _ in lacks(Kind.PLAN_ENDING, own)}

    @pytest.mark.parametrize(
        "said",
        [
            "<p>Your first year was free</p><h2>Shipping</h2>", "<h2>Free</h2><p>Shipping takes two days</p>",
            "<table><tr><th>Plan</th><td>Free</td></tr><tr><th>Month</th><td>May</td></tr></table>",
        ],
    )  # fmt: skip
    def test_pieces_that_nobody_puts_together(self, said: str) -> None:
        """The end of a paragraph and the head of the next one are no phrase, nor are two rows of facts."""
        own = renderer(mail__html=f'{{% extends "shipped/mail" %}}{{% block head %}}{said}{{% endblock %}}')
        assert [] == lacks(Kind.PLAN_ENDING, own)

    @pytest.mark.parametrize(("said", "promotes"), [("Free\n\nshipping", True), ("It is free\n\nShipping", False)])
    def test_a_promotion_in_pieces_of_plain_text(self, said: str, promotes: bool) -> None:
        """A word that stands in a paragraph of its own is read on in the next one."""
        own = renderer(mail__text=f'{{% extends "shipped/mail" %}}{{% block closing %}}{said}\n\n{{% endblock %}}')
        assert promotes == (("promotion", "text", "Free shipping") in lacks(Kind.PLAN_ENDING, own))

    def test_who_reads_a_mail_excuses_nothing(self) -> None:
        """What nobody sees is no word that was filled in: whether a mail promotes does not hang on an id."""
        spec: Any = SPECS[Kind.GOODBYE]
        spec = evolve(spec, to=evolve(spec.to, contact_id="20"))
        own = renderer(goodbye='{% extends "shipped/goodbye" %}{% block closing %}Get 20 % off{% endblock %}')
        assert {"promotion"} == {one.rule for one in own.draft(spec, now=NOW).lacks}

    def test_a_translation_that_promotes(self) -> None:
        """Sentences of somebody's own count in any language."""
        own = Catalogue("fi", {"Thank you for having read us.": ("Vain 5 €!",)}, lambda _count: 0)
        spec = samples(sample_reader("fi"))[Kind.GOODBYE]
        found = Renderer(BRAND, links=LINKS, catalogues=[own]).draft(spec, now=NOW).lacks
        assert {("text", "5 €"), ("html", "5 €")} == {(one.form, one.what) for one in found}

    @pytest.mark.parametrize("product", ["Basic - 10 EUR", "Coupon", "A wide boat at 5 € - and a long day " * 3, "9%"])
    def test_what_was_filled_in_is_not_the_template_s(self, product: str) -> None:
        """A product is called what it is called, however the plain text breaks its lines; a sum is paid back."""
        spec: Any = evolve(SPECS[Kind.PLAN_ENDING], product=product)  # type: ignore[call-arg]
        own = shipped_source("plan-ending")
        assert () == renderer(plan_ending=own).draft(spec, now=NOW).lacks

    @pytest.mark.parametrize("signature", ["Ines - 20 % off this week", "Your special offers team", "Only 5 EUR"])
    def test_a_signature_that_promotes(self, signature: str) -> None:
        """It stands below every mail, so it is refused before the first."""
        with pytest.raises(InvalidInput, match=r"signature: .* promotes, and it stands below mails .*sign with a name"):
            Renderer(evolve(BRAND, signature=signature), links=LINKS)

    def test_a_signature_with_a_name(self) -> None:
        """A name is a name."""
        brand = evolve(
            BRAND, name="Bargain & Cashback", sender="The Coupon", signature="Ines, Bargain & Cashback (The Coupon)"
        )
        made = Renderer(brand, links=LINKS, templates={"goodbye": shipped_source("goodbye")})
        assert () == made.draft(SPECS[Kind.GOODBYE], now=NOW).lacks
