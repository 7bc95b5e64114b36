"""Hostile texts: whatever a name, a product or a problem says, it is shown, and nothing comes of it (F55)."""

from functools import cache
from typing import Any, Final

import pytest
from attrs import evolve, fields
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.brand import Brand, Logo
from lifecycle_mail.mails.catalogues import Catalogue
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.lures import has_lure
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.parts import Item, Way
from lifecycle_mail.mails.promotions import find_promotion
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.mails.texts import check_text
from lifecycle_mail.model.lists import MailingList
from tests.mails.reading import Page, Structure, plain
from tests.mails.rendered import LINKS, render, specifications

SPECS: Final = specifications("en")

HOSTILE: Final = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "apostrophe": "' onmouseover='x",
    "template": "{{7*7}}",
    "statement": "{% raw %}",
    "comment": "{# gone #}",
    "placeholder": "%(name)s",
    "format": "%s %d %%",
    "braces": "{0.__class__}",
    "entity": "&amp; &lt;b&gt; &#39;",
    "quotes": 'O\'Hara "Bo" `x`',
    "end": "</title></style></td></table></body></html>",
    "html-comment": "--> <!-- <![endif]--> ]]>",
    "style": "</style>\N{NO-BREAK SPACE}<style>*{display:none}",
    "right-to-left": "שלום (1) <b>",
    "arabic": "مرحبا، %d & <i>",
    "emoji": "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} \U0001fae8",
    "long": "<" * 100 + "&" * 100,
    "words": "a " * 99 + "b",
    "spaces": "  a  b\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}c ",
    "encoded-word": "=?utf-8?q?=0D=0ABcc:_eve@x.example?=",
    "merge-tag": "*|FNAME|* [[x]] ${x} <%= x %>",
    "signature": "-- ",
    "wide": "\N{KATAKANA LETTER PU}" * 200,
    "accents": "e" + "\N{COMBINING ACUTE ACCENT}" * 199,
    "dots": "\N{HORIZONTAL ELLIPSIS} \N{RIGHT SINGLE QUOTATION MARK} \\n \\",
}
"""Texts that might be taken for something else."""

_FROM_PEOPLE: Final = frozenset({"source", "interest", "place"})
_TEXTS: Final = frozenset({"product", "problem", "ticket", "source", "interest", "place", "what", "code"})


def several(value: Any, text: str, at: int) -> Any:
    """Return an entry of a list with a text of somebody's; no two entries are alike."""
    text = f"{text[:190]}{'x' * (at + 1)}"  # no number: behind a sign of money it would be a price
    match value:
        case Item():
            return evolve(value, title=text, summary=text)
        case Way():
            return evolve(value, title=text)
        case MailingList():
            return evolve(value, title=text, expect=text)
    return text


def poisoned(spec: Specification, text: str) -> Specification:
    """Return a specification that says a text wherever it takes one."""
    changes: dict[str, Any] = {"to": evolve(spec.to, name=text)}
    for one in fields(type(spec)):
        value = getattr(spec, one.name)
        if one.name in _FROM_PEOPLE and has_lure(text):
            continue  # refused before; see test_specs
        if one.name in _TEXTS:
            changes[one.name] = text
        elif isinstance(value, MailingList):
            changes[one.name] = evolve(value, title=text, expect=text)
        elif isinstance(value, tuple) and (
            one.name in ("keeps", "benefits") or all(isinstance(entry, Item | Way | MailingList) for entry in value)
        ):
            changes[one.name] = tuple(several(entry, text, at) for at, entry in enumerate(value))
    return evolve(spec, **changes)


def a_brand(text: str) -> Brand:
    """Return a sender that is called by a text, and lives there."""
    logo = Logo(url="https://harbour.example/logo.png", alt=text, width=1, height=1)
    return evolve(BRAND, name=text, sender=text, signature=text, postal_address=[text, f"{text[:190]}2"], logo=logo)


def said_of(spec: Specification) -> list[str]:
    """Return what a specification says in somebody's words: the texts that its mail has to show."""
    found: list[str] = []
    for one in fields(type(spec)):
        value = getattr(spec, one.name)
        if one.name in _TEXTS:
            found.append(value)
        for entry in value if isinstance(value, tuple) else (value,):
            match entry:
                case Item():
                    found += [entry.title, entry.summary]
                case Way():
                    found.append(entry.title)
                case MailingList() if one.name != "listed" or KINDS[spec.kind].marketing:
                    found.append(entry.title)
        if one.name in ("keeps", "benefits"):
            found += value
    return found


@cache
def structure(kind: Kind, *, branded: bool = False) -> Structure:
    """Return the elements of a mail of a kind that says what does no harm."""
    made = render(SPECS[kind], brand=a_brand("x")) if branded else render(poisoned(SPECS[kind], "x"))
    return Page(made.html).structure


def check_shown(made: Mail, expected: Structure) -> None:
    """Check that a mail shows what it was given, and has these elements and attributes and no other."""
    page = Page(made.html)
    assert expected == page.structure
    shown, text = plain(page.shown), plain(made.text)
    for one in said_of(made.spec):
        assert plain(one) in shown
        assert plain(one.replace("\n", "\n> ")) in text
    assert made.subject == page.one("title").text == page.one("h1").text
    assert all(url.startswith("https://") for _, url in page.links)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_shown_and_nothing_more(kind: Kind, text: str) -> None:
    """Wherever a specification takes a text, each part shows it letter by letter."""
    check_shown(render(poisoned(SPECS[kind], text)), structure(kind))


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.SURVEY, Kind.GOODBYE])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_brand_is_shown_and_nothing_more(kind: Kind, text: str) -> None:
    """A sender may be called by anything, in the words that stand for a logo too."""
    made = render(SPECS[kind], brand=a_brand(text))
    check_shown(made, structure(kind, branded=True))
    page = Page(made.html)
    assert text == page.one("img").attributes["alt"]
    assert page.one("td", "foot").text.count(text) >= 2
    assert plain(made.text).count(plain(text)) >= 3


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_subject_stays_in_its_line(text: str) -> None:
    """A subject says the product, its title says the same, and no header is added to the message."""
    made = render(poisoned(SPECS[Kind.PLAN_ENDING], text))
    assert f"Your subscription to {plain(text)} ends on March 31, 2026" == made.subject
    message = made.to_message()
    assert message.keys() == render(SPECS[Kind.PLAN_ENDING]).to_message().keys()
    assert made.subject == message["Subject"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_greeted_or_left_out(text: str) -> None:
    """What is too long for a name, or reads like a link, is no name; all else is greeted as it is written."""
    spec = poisoned(SPECS[Kind.WE_MISS_YOU], text)
    made = render(evolve(spec, listed=SPECS[Kind.SURVEY].listed))  # type: ignore[attr-defined,call-arg]
    expected = f"Hello {spec.to.greeting}," if spec.to.greeting else "Hello,"
    assert expected == made.text.splitlines()[0] == Page(made.html).all("p")[0].text
    assert spec.to.greeting in ("", plain(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\r\nBcc: eve@x.example", "CARRIAGE RETURN|U\\+000D"),
        ("a\nb", "U\\+000A|LINE FEED"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "RIGHT-TO-LEFT OVERRIDE"),
        ("a\N{LINE SEPARATOR}b", "LINE SEPARATOR"),
        ("a\0b", "U\\+0000"),
        ("a\N{ZERO WIDTH SPACE}b", "ZERO WIDTH SPACE"),
        ("a\ud800b", "U\\+D800"),
    ],
)
def test_what_cannot_be_seen_is_refused_before(text: str, reason: str) -> None:
    """A line break, a character that turns round how others are read: none of them reaches a template."""
    with pytest.raises(InvalidInput, match=reason):
        poisoned(SPECS[Kind.CANCELLATION_NOTE], text)


def is_taken(text: str) -> bool:
    """Whether a mail takes a text of one line."""
    try:
        check_text("text", text)
    except InvalidInput:
        return False
    return True


LETTERS: Final = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
PIECES: Final = st.sampled_from([
    "<", ">", "&", '"', "'", "{{", "}}", "{%", "%(name)s", "%", "<b>", "&lt;", " ", "\\", "]]>",
    "\N{ZERO WIDTH JOINER}", "\N{NO-BREAK SPACE}", "\U0001fae9",
])  # fmt: skip
LINES: Final = st.lists(st.one_of(LETTERS, PIECES), min_size=1, max_size=60).map("".join).filter(is_taken)


@given(name=LINES, product=LINES, problem=st.lists(LINES, min_size=1, max_size=4).map("\n".join), ticket=LINES)
@example(name="<b>Ada", product="&lt;", problem="{{ spec }}\n  \n<br>", ticket="\N{COMBINING ACUTE ACCENT}")
def test_any_text_comes_back_from_the_html(name: str, product: str, problem: str, ticket: str) -> None:
    """Parsing the HTML gives back exactly what was filled in and no new element; the plain text holds it too."""
    assume(all(find_promotion(one) is None for one in (problem, ticket)))
    reader = evolve(SPECS[Kind.TECHNICAL_FOLLOW_UP].to, name=name)
    spec = evolve(  # type: ignore[call-arg]
        SPECS[Kind.TECHNICAL_FOLLOW_UP], to=reader, product=product, problem=problem, ticket=ticket
    )
    harmless = evolve(spec, product="x", ticket="x", problem="\n".join("x" * len(problem.split("\n"))))  # type: ignore[call-arg]
    made = render(spec)
    page = Page(made.html)
    assert Page(render(harmless).html).structure == page.structure
    assert problem == page.one("p", "quote").text
    paragraphs = [one.text for one in page.all("p")]
    greeting = spec.to.greeting
    assert (f"Hello {greeting}," if greeting else "Hello,") == paragraphs[0]
    assert f"Thank you for telling us that something did not work in {product}. " in paragraphs[1]
    assert f"The number of your case is {ticket}." in paragraphs[4]
    assert "".join(f"> {line}\n" for line in problem.split("\n")) in made.text
    for one in (greeting, product, ticket):
        assert plain(one) in plain(made.text)
    assert f"About the problem you had with {plain(product)}" == made.subject == page.one("title").text


@given(text=LINES, kind=st.sampled_from(Kind))
def test_any_text_is_shown_in_any_kind(text: str, kind: Kind) -> None:
    """Whatever the kind, and whatever it is told."""
    assume(KINDS[kind].marketing or find_promotion(text) is None)
    check_shown(render(poisoned(SPECS[kind], text)), structure(kind))


STRANGE: Final = Renderer(
    BRAND, links=LINKS,
    catalogues=[Catalogue("fi", {"What was missing in %(product)s?": ("%% %(product)s %s {{ x }}",)}, int)],
)  # fmt: skip
"""Translates a subject as nobody would."""


@given(text=LINES)
def test_any_translation_shows_any_text(text: str) -> None:
    """What a catalogue fills in is filled in once, whatever stands round it."""
    assume(find_promotion(text) is None)
    spec = poisoned(SPECS[Kind.CANCELLATION_NOTE], text)
    made = STRANGE.render(evolve(spec, to=evolve(spec.to, locale="fi")), now=NOW)
    assert f"% {plain(text)} %s {{{{ x }}}}" == made.subject == Page(made.html).one("title").text
