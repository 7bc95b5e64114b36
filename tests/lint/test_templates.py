"""The check of somebody's own templates (C1, C5, C6, O2, R8, S7, S8)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.lint import subjects
from lifecycle_mail.lint.findings import Finding
from lifecycle_mail.lint.templates import RULES, check_templates
from lifecycle_mail.mails.brand import Logo
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import LAYOUTS, NAMES, shipped_source
from lifecycle_mail.mails.samples import BRAND
from lifecycle_mail.mails.signing import SigningKey

ALL = {name: shipped_source(name) for name in NAMES}
MARKETING = tuple(kind for kind, row in KINDS.items() if row.marketing)


def check(own: dict[str, str], **options: Any) -> tuple[Finding, ...]:
    """The findings for somebody's own templates."""
    return check_templates(own, **{"brand": BRAND, **options})


def rules(own: dict[str, str], **options: Any) -> list[str]:
    """The rules that they break."""
    return [finding.rule for finding in check(own, **options)]


def the(rule: str, own: dict[str, str], **options: Any) -> Finding:
    """The one finding of a rule."""
    (finding,) = (one for one in check(own, **options) if one.rule == rule)
    return finding


def body(inside: str, *, kind: Kind = Kind.LAST_CHANCE, blocks: str = "") -> dict[str, str]:
    """A template of a mail with a body of its own, which begins in line 2."""
    button = "{{ part.button('Stay', url.stay) }}" if KINDS[kind].marketing else ""
    source = f'{{% extends "shipped/{kind}" %}}{{% block body %}}\n{inside}\n{button}{{% endblock %}}{blocks}'
    return {str(kind): source}


def changed(name: str, old: str, new: str) -> dict[str, str]:
    """A template that ships, with something replaced."""
    assert old in shipped_source(name)
    return {name: shipped_source(name).replace(old, new)}


class TestWhatShips:
    """The templates that ship pass their own check."""

    @pytest.mark.parametrize("locale", SHIPPED)
    def test_nothing_is_found(self, locale: str) -> None:
        """In no language, with much to say and with little."""
        assert () == check(ALL, locale=locale)

    @pytest.mark.parametrize("name", NAMES)
    def test_each_can_be_copied(self, name: str) -> None:
        """Whoever starts from one of them starts without findings."""
        assert () == check({name: ALL[name]})

    def test_other_brands_are_fine(self) -> None:
        """A logo, an address in another script, a help page: none of it is the template's."""
        brand = evolve(
            BRAND, logo=Logo(url="https://harbour.example/logo.png", alt="Harbour", width=140, height=40),
            postal_address=["Müük & Kaup <OÜ>", "Sadama 1"], locale="et",
        )  # fmt: skip
        assert () == check(ALL, brand=brand)

    def test_what_a_brand_is_called_is_not_the_template_s(self) -> None:
        """A brand may have a name that promotes, shouts and hurts; its mails are judged without it (C6)."""
        name = "HEARTBROKEN Cashback"
        brand = evolve(BRAND, name=name, signature=f"Ines, {name}", postal_address=["On sale 5"])
        assert () == check(ALL, brand=brand)

    def test_nothing_is_nothing(self) -> None:
        """Without templates there is nothing to find."""
        assert () == check({})


class TestBroken:
    """A template that no mail comes out of."""

    def test_it_names_the_line(self) -> None:
        """What does not exist is found where it is asked for."""
        finding = the("broken", body("{{ part.p('x') }}\n{{ spec.nope }}"))
        assert ("last-chance", 3) == (finding.template, finding.line)
        assert "nope" in finding.message
        assert (Kind.LAST_CHANCE,) == finding.kinds

    @pytest.mark.parametrize("name", ["mail.html", "mail.text", "parts.html", "parts.text"])
    def test_a_layout_is_named_as_it_was_given(self, name: str) -> None:
        """Once, with all the mails that it breaks."""
        (finding,) = check({name: ALL[name] + "{% if %}"})
        assert ("broken", name, len(ALL[name].splitlines()) + 1) == (finding.rule, finding.template, finding.line)
        assert tuple(Kind) == finding.kinds

    @pytest.mark.parametrize(
        "inside",
        [
            "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
            "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
            "{% for i in range(1000) %}{{ '" + "x" * 2000 + "' }}{% endfor %}",
        ],
    )
    def test_one_that_does_not_come_to_an_end(self, inside: str) -> None:
        """It is stopped, and found to be broken (F54)."""
        finding = the("broken", body(inside))
        assert ("last-chance", 2) == (finding.template, finding.line)

    def test_one_that_reaches_out(self) -> None:
        """The sandbox keeps it in, and the check says where it tried (F53)."""
        assert 2 == the("broken", body("{{ spec.__class__.__mro__ }}")).line

    def test_one_that_prints_what_need_not_be_there(self) -> None:
        """It is seen in the mail that says only what it has to, and the message says so."""
        finding = the(
            "broken", changed("plan-ending", "{% if spec.refund %}\n", "{{ money(spec.refund) }}{% if true %}")
        )
        assert finding.message.endswith(", in a mail that says only what it has to")

    def test_one_whose_values_do_not_fit(self) -> None:
        """An error of ours that a template led to has the template's line."""
        finding = the("broken", body("\n{{ day('tomorrow') }}"))
        assert ("last-chance", 3) == (finding.template, finding.line)

    def test_a_layout_that_lacks_what_others_use(self) -> None:
        """The layout is to blame for what breaks in the templates that ship."""
        (finding,) = check(changed("parts.html", "{% macro p(text) %}", "{% macro paragraph(text) %}"))
        assert ("broken", "parts.html", None) == (finding.rule, finding.template, finding.line)
        assert finding.message.endswith("where a template that ships asks for it")

    def test_a_layout_without_a_subject(self) -> None:
        """A `mail.text` of somebody's own keeps subject and preheader."""
        (finding,) = check({"mail.text": "Hello"})
        assert ("broken", "mail.text") == (finding.rule, finding.template)

    @pytest.mark.parametrize("inside", ["<script>run()</script>", "<iframe></iframe>", "<b>one</i>", "2 < 3"])
    def test_html_that_the_renderer_refuses(self, inside: str) -> None:
        """The line is found by what is quoted."""
        for own in (body(inside), html(inside)):
            ((name, source),) = own.items()
            finding = the("broken", own)
            assert (name, source.splitlines().index(inside) + 1) == (finding.template, finding.line)

    def test_css_that_cannot_be_read(self) -> None:
        """It is found before a mail is sent, and with it every other mistake."""
        own = changed("mail.html", 'class="mail"', 'class="mail" style="color: ;;x"')
        own["mail.html"] = own["mail.html"].replace("</style>", "table { width: ;;; }</style>")
        assert "its CSS cannot be read" in the("broken", own).message

    def test_it_stops_no_other(self) -> None:
        """All that is wrong is found at once, in the other part and in other templates too."""
        own = {
            **body("{{ spec.nope }}"),
            **body("{{ spec.nope }}", kind=Kind.SURVEY),
            **changed("goodbye", "Thank you for having read us.", "How could you?"),
            "parts.text": ALL["parts.text"].replace("{{ brand.privacy_url }}", "{{ brand.nope }}"),
        }
        found = {(one.rule, one.template) for one in check(own)}
        broken = {("broken", "last-chance"), ("broken", "survey")}
        assert {*broken, ("broken", "parts.text"), ("guilt", "goodbye")} == found
        del own["parts.text"]
        assert {*broken, ("guilt", "goodbye")} == {(one.rule, one.template) for one in check(own)}

    @pytest.mark.parametrize("form", ["text", "html"])
    def test_the_other_part_is_judged_by_itself(self, form: str) -> None:
        """A part that does not come about hides nothing in the other, and nothing is said of what it would have had."""
        own = {
            **changed("goodbye", "Thank you for having read us.", "How could you?"),
            f"mail.{form}": "{{ spec.nope }}",
        }
        assert {("broken", f"mail.{form}"), ("guilt", "goodbye")} == {(one.rule, one.template) for one in check(own)}

    def test_the_subject_is_judged_beside_a_broken_body(self) -> None:
        """It was said before the body broke; what was not said is not called empty."""
        own = body("{{ spec.nope }}", blocks="{% block subject %}LAST CHANCE TO STAY WITH US{% endblock %}")
        assert {"broken", "subject-shouting"} <= {one.rule for one in check(own)}
        own = body("Stay with us", blocks="{% block subject %}{{ spec.nope }}{% endblock %}")
        assert {"broken"} == {one.rule for one in check(own)} & {"broken", "subject-empty", "empty-preheader"}


class TestWhatIsMissing:
    """What the law or the kind asks for."""

    def test_no_way_out(self) -> None:
        """A footer without links is found in each part, as one (O2, R8)."""
        found = check(body("", blocks="{% block footer %}{% endblock %}"))
        assert ["missing-unsubscribe", "missing-preferences", "missing-postal-address"] == [one.rule for one in found]
        assert all(one.message.startswith("the mail ") and one.template == "last-chance" for one in found)

    def test_no_way_out_in_one_part(self) -> None:
        """A layout that has lost it is to blame, for every marketing mail."""
        finding = the("missing-unsubscribe", changed("parts.text", "{{ url.unsubscribe }}\n", "{{ brand.website }}\n"))
        assert ("parts.text", "the plain text has no link that leaves the list") == (finding.template, finding.message)
        # The mail that asks for a yes or a no has that link in its body, too.
        assert set(MARKETING) - {Kind.LAST_CHANCE} == set(finding.kinds)

    def test_a_transactional_mail_needs_none(self) -> None:
        """It goes to those who left, and has nothing to leave."""
        assert [] == rules(body("", kind=Kind.GOODBYE, blocks="{% block footer %}{% endblock %}"))

    def test_a_point(self) -> None:
        """Each point that its kind promises (C1)."""
        own = changed("cancellation-note", '{% call point("thanks") %}', "{% if true %}")
        own["cancellation-note"] = own["cancellation-note"].replace(
            'it a try.")) }}\n{% endcall', 'it a try.")) }}\n{% endif'
        )
        finding = the("missing-point", own)
        assert "the mail does not make the point 'thanks'" == finding.message
        assert 'put it into {% call point("thanks") %}...{% endcall %}' == finding.fix

    def test_a_point_without_words(self) -> None:
        """Marked is not said (C1)."""
        source = ALL["cancellation-note"]
        said = source.partition('{% call point("thanks") %}')[2].partition("{% endcall %}")[0]
        finding = the("empty-point", changed("cancellation-note", said, "\n"))
        assert "the mail shows no words for the point 'thanks'" == finding.message
        assert finding.fix.startswith('write them between {% call point("thanks") %} and {% endcall %}')

    def test_a_cancellation_that_does_not_say_when(self) -> None:
        """What was cancelled and when is what the point is about (R15)."""
        own = body('{% call point("confirmation") %}{{ spec.product }}{% endcall %}', kind=Kind.CANCELLATION_NOTE)
        finding = the("unstated-cancellation", own)
        assert "the mail does not say what was cancelled and when: day(spec.cancelled_at) is missing" == finding.message

    @pytest.mark.parametrize("around", ["<!-- {} -->", '<div style="display:none">{}</div>'])
    def test_what_nobody_sees(self, around: str) -> None:
        """It is there, and counts for nothing: each of the three is told apart from what is missing (O2, R8)."""
        own = changed("mail.html", "{{ part.footer() }}", around.format("{{ part.footer() }}"))
        found = [one for one in check(own) if MARKETING[0] in one.kinds]
        assert ["hidden-unsubscribe", "hidden-preferences", "hidden-postal-address"] == [one.rule for one in found]
        assert {"mail.html"} == {one.template for one in found}
        assert "the HTML has the link that leaves the list, and nobody can see or follow it" == found[0].message

    @pytest.mark.parametrize("kind", [Kind.LAST_CHANCE, Kind.GOODBYE])
    def test_two_primary_calls(self, kind: Kind) -> None:
        """One is clear, two are not (S7)."""
        button = "{{ part.button('Look', brand.website) }}"
        finding = the("two-primary-calls", body(button if kind in MARKETING else 2 * button, kind=kind))
        assert "the mail has 2 primary calls to action" == finding.message

    def test_one_primary_call(self) -> None:
        """One button and plain links are fine."""
        assert [] == rules(body("{{ part.link('Look', brand.website) }}"))

    def test_no_primary_call(self) -> None:
        """A marketing mail asks for something; a transactional one need not."""
        assert ["no-primary-call"] == rules({"survey": '{% extends "shipped/survey" %}{% block body %}{% endblock %}'})
        assert [] == rules(body("{{ part.p('x') }}", kind=Kind.GOODBYE))

    def test_a_primary_call_without_a_link(self) -> None:
        """What cannot be followed is no call to action (S7)."""
        own = {"survey": '{% extends "shipped/survey" %}{% block body %}{{ primary() }}Please?{% endblock %}'}
        finding = the("primary-call-without-link", own)
        assert "the mail has a primary call to action without a link" == finding.message
        assert "let {{ primary() }} stand right before its link, as in part.button()" == finding.fix

    def test_an_empty_preheader(self) -> None:
        """A mailbox would show what comes next."""
        assert ["empty-preheader"] == rules(body("", blocks="{% block preheader %} {% endblock %}"))


class TestWords:
    """What the template says."""

    @pytest.mark.parametrize("place", ["body", "subject", "preheader", "closing"])
    def test_guilt(self, place: str) -> None:
        """Nobody should feel bad for leaving, wherever it is said (C1)."""
        blocks = f"{{% block {place} %}}We are heartbroken that you go{{% endblock %}}"
        own = body(
            "We are heartbroken that you go" if place == "body" else "", blocks="" if place == "body" else blocks
        )
        finding = the("guilt", own)
        assert "'heartbroken' makes people feel bad for leaving" == finding.message
        assert ("last-chance", 2 if place == "body" else 3) == (finding.template, finding.line)

    @pytest.mark.parametrize(
        ("locale", "words"),
        [("es", "nos rompe el corazón"), ("pt", "coração partido"), ("ms", "patah hati"), ("et", "oleme kurvad")],
    )
    def test_guilt_in_the_language_of_the_mail(self, locale: str, words: str) -> None:
        """A mail is judged in its own language, and in no other."""
        assert ["guilt"] == rules(body(words), locale=locale)
        assert [] == rules(body(words))

    def test_guilt_in_a_translation(self) -> None:
        """A sentence that is kind in English may not be so in a catalogue."""
        own = body("{{ part.p(_('All the best')) }}")
        unkind = Catalogue(language="es", texts={"All the best": ("Nos has abandonado",)}, form=lambda _: 0)
        assert ["guilt"] == rules(own, catalogues=[unkind], locale="es")
        kind = evolve(unkind, texts={"All the best": ("Que te vaya bien",)})
        assert [] == rules(own, catalogues=[kind], locale="es")

    def test_each_is_found_once(self) -> None:
        """However it is written, and in however many parts of the mail."""
        assert ["guilt"] == rules(body("How could you?\nHOW COULD YOU!"))

    @pytest.mark.parametrize("words", ["Come back for 20 % off", "Only $5 a month", "A special offer for you"])
    def test_promotion(self, words: str) -> None:
        """Mails that reach those who opted out of marketing promote nothing (C6); others may."""
        finding = the("promotion", body(words, kind=Kind.GOODBYE))
        assert ("goodbye", 2) == (finding.template, finding.line)
        assert [] == rules(body(words))

    def test_promotion_in_one_part(self) -> None:
        """The HTML alone may promote, too; capitals make no second finding."""
        own = {"mail.html": '{% extends "shipped/mail" %}{% block head %}A special offer, SPECIAL OFFER{% endblock %}'}
        finding = the("promotion", own)
        assert ("mail.html", 1) == (finding.template, finding.line)
        assert set(Kind) - set(MARKETING) == set(finding.kinds)

    def test_promotion_in_the_subject(self) -> None:
        """The subject is found by the same rule, once."""
        subject = "{% block subject %}A special offer{% endblock %}"
        assert ["promotion"] == rules({"goodbye": '{% extends "shipped/goodbye" %}' + subject})

    def test_what_is_paid_back_is_no_promotion(self) -> None:
        """What the application says about money is the application's (C6)."""
        own = {"plan-ending": ALL["plan-ending"].replace("We are paying back %(amount)s to you.", "Here: %(amount)s")}
        assert [] == rules(own)

    @pytest.mark.parametrize(
        ("rule", "subject"),
        [
            ("subject-fake-reply", "Re: your order"),
            ("subject-too-long", "A very long line " * 5),
            ("subject-shouting", "LISTEN to us"),
            ("subject-empty", ""),
            ("subject-placeholder", "Hello *|name|*"),
        ],
    )
    def test_the_subject(self, rule: str, subject: str) -> None:
        """It is read as any subject line is (S8)."""
        blocks = f"{{% block subject %}}{subject}{{% endblock %}}"
        assert [rule] == rules({"survey": '{% extends "shipped/survey" %}' + blocks})

    def test_a_real_deadline_may_hurry(self) -> None:
        """Only a mail that has a deadline (S8)."""
        blocks = "{% block subject %}Your last chance{% endblock %}"
        assert [] == rules({"last-chance": '{% extends "shipped/last-chance" %}' + blocks})
        assert ["subject-urgency"] == rules({"survey": '{% extends "shipped/survey" %}' + blocks})


IMAGE = "https://harbour.example/sail.png"


def html(inside: str) -> dict[str, str]:
    """A template with something in line 2 that the HTML alone has, above the mail."""
    return {"goodbye": f'{{% extends "shipped/goodbye" %}}{{% block head %}}\n{inside}\n{{% endblock %}}'}


class TestHtml:
    """What the HTML holds."""

    def test_an_image_without_a_text(self) -> None:
        """Most see no image at first, and some never do."""
        finding = the("image-without-alt", html(f'<img src="{IMAGE}" width="10">'))
        assert ("goodbye", 2, (Kind.GOODBYE,)) == (finding.template, finding.line, finding.kinds)

    def test_an_image_of_a_layout(self) -> None:
        """It is found once for all the mails that have it, in the line that writes it."""
        image = ' alt="{{ brand.logo.alt }}"'
        brand = evolve(BRAND, logo=Logo(url=IMAGE, alt="Harbour", width=140, height=40))
        own = changed("mail.html", image, "")
        finding = the("image-without-alt", own, brand=brand)
        line = own["mail.html"][: own["mail.html"].index("<img")].count("\n") + 1
        assert ("mail.html", line, tuple(Kind)) == (finding.template, finding.line, finding.kinds)

    @pytest.mark.parametrize(
        "inside",
        [
            f'<img src="{IMAGE}" alt="A sail">',
            f'<img src="{IMAGE}" alt="">',
            f'<a href="{{{{ brand.website }}}}"><img src="{IMAGE}" alt="Harbour"></a>',
            f'<a href="{{{{ brand.website }}}}"><img src="{IMAGE}" alt=""> Harbour</a>',
        ],
    )
    def test_an_image_with_a_text(self, inside: str) -> None:
        """Decoration says nothing, and says that it does."""
        assert [] == rules(html(inside))

    def test_an_image_that_is_a_link(self) -> None:
        """Where it leads has to be said; the image is to blame, and not the link too."""
        assert ["image-without-alt"] == rules(html(f'<a href="{{{{ brand.website }}}}"><img src="{IMAGE}" alt=""></a>'))

    def test_a_link_without_a_text(self) -> None:
        """Nobody can follow what has no name."""
        assert ["link-without-text"] == rules(html('<a href="{{ brand.website }}"> </a>'))
        assert [] == rules(html('<a href="{{ brand.website }}" aria-label="Home"> </a>'))

    @pytest.mark.parametrize(
        "inside",
        [
            '<a href="http://harbour.example/news">News</a>',
            '<img src="http://harbour.example/sail.png" alt="">',
        ],
    )
    def test_what_is_not_https(self, inside: str) -> None:
        """Links and images, with their line."""
        finding = the("insecure-link", html(inside))
        assert ("goodbye", 2) == (finding.template, finding.line)

    def test_this_machine_needs_no_https(self) -> None:
        """Whoever develops has links to localhost."""
        links = Links("http://localhost:8000/m", [SigningKey("dev", b"x" * 32)])
        assert [] == rules({"survey": ALL["survey"]}, links=links)

    @pytest.mark.parametrize(
        "inside",
        ['<a href="/news">News</a>', '<a href="#top">Up</a>', '<a href="javascript:x()">Run</a>', "<a>News</a>"],
    )
    def test_a_link_to_nowhere(self, inside: str) -> None:
        """A mail is no page of a site."""
        assert "dead-link" in rules(html(inside))

    def test_a_link_that_the_plain_text_lacks(self) -> None:
        """Who reads the plain text gets the same mail; only the home page may be missing."""
        finding = the("missing-in-text", html('<a href="https://harbour.example/news">News</a>'))
        assert "the link 'News' is in the HTML alone" == finding.message
        assert [] == rules(html('<a href="{{ brand.website }}">Harbour</a>'))

    def test_an_address_that_the_plain_text_says(self) -> None:
        """A link that writes a mail is there where the address is."""
        link = '<a href="mailto:care@harbour.example?subject=Hello">Write</a>'
        said = "{% block closing %}care@harbour.example{% endblock %}"
        assert ["missing-in-text"] == rules(html(link))
        assert [] == rules({"goodbye": html(link)["goodbye"] + said})

    @pytest.mark.parametrize("inside", ["<p>One</p>", "one&nbsp;two", '<a href="https://harbour.example">Home</a>'])
    def test_html_in_the_plain_text(self, inside: str) -> None:
        """A kind's template makes both parts; what it writes out is in both."""
        finding = the("markup-in-text", body(inside))
        assert ("last-chance", 2) == (finding.template, finding.line)
        assert [] == rules(body("4 > 1 & 3 > 2"))

    def test_what_gmail_clips(self) -> None:
        """Everything beyond 102 kB is cut off, and the way out with it; it is measured in bytes."""
        assert ["too-big"] == rules(body("x" * 103_000))
        assert ["too-big"] == rules(body("ö" * 52_000))
        assert [] == rules(body("x" * 90_000))

    def test_no_language(self) -> None:
        """A screen reader has to know how to read it out."""
        finding = the("missing-language", changed("mail.html", ' lang="{{ language }}"', ""))
        assert ("mail.html", 5) == (finding.template, finding.line)

    def test_no_heading(self) -> None:
        """Who listens finds their way by headings."""
        own = changed("mail.html", '<h1 class="title">{{ subject }}</h1>', "<p>{{ subject }}</p>")
        assert ["missing-heading"] == rules(own)

    def test_a_table_that_does_not_say_what_it_is(self) -> None:
        """Layout is marked as such, and what is a table has headings."""
        finding = the("unmarked-table", html("<table><tr><td>1</td></tr></table>"))
        assert ("goodbye", 2) == (finding.template, finding.line)
        assert ["unmarked-table"] == rules(changed("parts.html", '<table role="presentation"', "<table"))
        assert [] == rules(html("<table><tr><th>1</th></tr></table>"))

    @pytest.mark.parametrize(
        ("what", "inside"),
        [
            ("<form>", "<form></form>"),
            ("<input>", "<input>"),
            ("<object>", "<object></object>"),
            ("<video>", "<video></video>"),
            ("onclick", '<b onclick="run()">x</b>'),
        ],
    )
    def test_what_acts(self, what: str, inside: str) -> None:
        """Mailboxes take it out, or distrust the mail."""
        finding = the("active-content", html(inside))
        assert finding.message.startswith(f"{what} ")
        assert ("goodbye", 2) == (finding.template, finding.line)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("<style>", '<style>\n@import url("https://harbour.example/mail.css");'),
            (".around { ", ".around { background: url(https://harbour.example/sea.png); "),
            ('class="around"', 'class="around" style="background: url(https://harbour.example/sea.png)"'),
        ],
    )
    def test_what_styles_load(self, old: str, new: str) -> None:
        """Nothing is loaded when a mail is read, but the images that are seen."""
        own = changed("mail.html", old, new)
        finding = the("remote-style", own)
        assert finding.line is not None
        assert "harbour.example" in own["mail.html"].splitlines()[finding.line - 1]


class TestWhoIsToBlame:
    """The template that is named."""

    def test_a_block_that_stands_over_nothing(self) -> None:
        """A misspelt block is never shown: it is found with its line, and near misses are named."""
        finding = the("unknown-block", body("Hello", blocks="\n{% block closng %}We are heartbroken{% endblock %}"))
        assert ("last-chance", 4) == (finding.template, finding.line)
        assert "did you mean closing?" in finding.message

    def test_a_block_of_ones_own(self) -> None:
        """Blocks within blocks, and those that a layout of one's own has, are shown."""
        inside = "{% block aside %}Hello{% endblock %}"
        assert [] == rules(body(inside, blocks="{% block closing %}Bye{% endblock %}"))
        layout = changed("mail.html", "{% block closing %}", "{% block extra %}{% endblock %}{% block closing %}")
        assert [] == rules({**layout, **body("Hello", blocks="{% block extra %}More{% endblock %}")})

    def test_a_name_that_nothing_goes_by(self) -> None:
        """It is found, near misses are named, and the rest is looked at."""
        found = check({"goodby": "x", **body("We are heartbroken")})
        assert [("unknown-name", "goodby"), ("guilt", "last-chance")] == [(one.rule, one.template) for one in found]
        assert "did you mean goodbye?" in found[0].message
        assert () == found[0].kinds

    def test_the_mail_s_own_template(self) -> None:
        """What is there with the layouts that ship is no layout's fault."""
        own = {**body("", blocks="{% block footer %}{% endblock %}"), "parts.html": ALL["parts.html"]}
        assert {"last-chance"} == {one.template for one in check(own)}

    def test_a_layout(self) -> None:
        """What is only there with somebody's own layouts is theirs, in mails of their own too."""
        own = {"last-chance": ALL["last-chance"], **changed("mail.html", "{{ part.footer() }}", "")}
        assert {"mail.html"} == {one.template for one in check(own)}
        assert set(MARKETING) == {kind for one in check(own) for kind in one.kinds}

    def test_the_layout_of_the_part(self) -> None:
        """What is wrong with the HTML is no fault of the plain text's."""
        own = {
            "mail.text": ALL["mail.text"],
            "parts.text": ALL["parts.text"],
            **changed("parts.html", "{{ url.preferences }}", "{{ brand.website }}"),
        }
        finding = the("missing-preferences", own)
        assert "parts.html" == finding.template

    def test_only_what_was_replaced_is_looked_at(self) -> None:
        """One mail for a template of a kind, all of them for a layout."""
        german = Catalogue(language="de", texts={}, form=lambda _: 0)
        assert {"survey", "de.po"} == {one.template for one in check({"survey": ALL["survey"]}, catalogues=[german])}
        kinds = [the("missing-heading", changed(name, "h1", "h2")).kinds for name in LAYOUTS if "h1" in ALL[name]]
        assert [tuple(Kind)] == kinds


class TestTheFindings:
    """All of them together."""

    def test_the_mistakes_that_people_make(self) -> None:
        """No way out, two calls to action, guilt, images without a text, more than Gmail shows: all found at once."""
        own = body(
            "{{ part.button('Look', brand.website) }}\nWe are heartbroken.\n"
            f'<img src="{IMAGE}">\n' + "x" * 103_000,
            blocks="{% block footer %}{% endblock %}",
        )
        expected = {
            "two-primary-calls", "missing-unsubscribe", "missing-preferences", "missing-postal-address", "guilt",
            "image-without-alt", "too-big", "markup-in-text",
        }  # fmt: skip
        assert expected == set(rules(own))

    def test_they_come_in_the_order_of_the_rules(self) -> None:
        """Then by template and line, whatever the order of the templates."""
        own = {
            **body("We are heartbroken\nHow could you", kind=Kind.SURVEY),
            **body("We are heartbroken", kind=Kind.GOODBYE),
            "confirm-subscription": html("<form></form>")["goodbye"].replace("goodbye", "confirm-subscription"),
        }
        found = check(own)
        assert found == check(dict(reversed(own.items())))
        assert [
            ("guilt", "goodbye", 2), ("guilt", "survey", 2), ("guilt", "survey", 3),
        ] == [(one.rule, one.template, one.line) for one in found[:3]]  # fmt: skip
        places = [list(RULES).index(one.rule) for one in found]
        assert sorted(places) == places

    def test_every_rule_says_why_it_counts(self) -> None:
        """In a sentence that goes on where the rule ends."""
        assert [] == [why for why in RULES.values() if not why or (why[0].isupper() and not why.startswith("Gmail"))]
        assert {f"subject-{rule}" for rule in subjects.RULES} - {"subject-guilt", "subject-promotion"} < RULES.keys()

    def test_a_locale_that_is_none(self) -> None:
        """A mistake of the caller's is an error, and no finding."""
        with pytest.raises(InvalidInput, match="locale"):
            check({"survey": ALL["survey"]}, locale="not a language")

    def test_the_instant_makes_no_difference(self) -> None:
        """Deadlines of the samples lie after it, whenever it is."""
        assert () == check(ALL, now=datetime(2031, 12, 31, 23, 59, tzinfo=UTC))

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(0, len(ALL["goodbye"])), st.integers(0, 40),
        st.sampled_from(["", "<", "{{ spec }}", "{{ url }}", "{% block x %}", "</p>", "{{ keep('subject') }}", "\x00"]),
    )  # fmt: skip
    def test_whatever_is_wrong_is_a_finding(self, start: int, length: int, instead: str) -> None:
        """No template makes the check fail, and whatever it finds is in that template."""
        source = ALL["goodbye"][:start] + instead + ALL["goodbye"][start + length :]
        assert {"goodbye"} >= {one.template for one in check({"goodbye": source})}
