"""A browser lays out every mail: nothing is cut off, nothing is too small to read or to touch."""

from typing import Any

import pytest

from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.samples import BRAND
from tests.mails.judged.conftest import Scheme, Screen
from tests.mails.rendered import EVERY, LOGO, mail, render, specifications
from tests.mails.stretched import LINK_LIKE, WORD, stretched

PHONES = (320, 375)
DESK = 900

MEASURE = """() => {
    const seen = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility());
    const texts = seen.filter((one) => [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
    const box = (one) => one.getBoundingClientRect();
    return {
        wide: document.documentElement.scrollWidth,
        outside: seen.filter((one) => box(one).left < 0 || box(one).right > innerWidth).map((one) => one.outerHTML),
        small: texts.filter((one) => parseFloat(getComputedStyle(one).fontSize) < 14).map((one) => one.outerHTML),
        buttons: [...document.querySelectorAll('a.act')].map((one) => box(one).height),
        around: [...document.querySelectorAll('td.button')].map((one) => box(one).height),
        indents: [...document.querySelectorAll('li')].map((one) => [box(one).left, innerWidth - box(one).right]),
        names: [...document.querySelectorAll('th')].map((one) => {
            const words = document.createRange();
            words.selectNodeContents(one);
            return [words.toString(), box(words).height];
        }),
        hidden: !document.querySelector('.before').checkVisibility(),
        texts: document.body.innerText,
    };
}"""


def measured(screen: Screen, html: str, *, width: int, scheme: Scheme = "light") -> dict[str, Any]:
    """Show a mail, check what holds for each, and return what the browser measured."""
    screen.show(html, width=width, scheme=scheme)
    found: dict[str, Any] = screen.ask(MEASURE)
    assert width == found["wide"], "it has to be scrolled sideways"
    assert [] == found["outside"], "it leaves the screen"
    assert [] == found["small"], "it is too small to read"
    assert all(44 <= height for height in found["buttons"]), "it is too low for a thumb"
    # A browser gives a cell a rim of one pixel; all else of the button can be touched.
    assert [height + 2 for height in found["buttons"]] == found["around"]
    return found


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_mail_fits_a_screen(kind: Kind, language: str, screen: Screen) -> None:
    """No mail is scrolled sideways; texts have 14 pixels or more; the button is as high as a thumb needs."""
    made = mail(kind, language)
    for width in (*PHONES, DESK):
        found = measured(screen, made.html, width=width)
        assert len(found["buttons"]) == made.html.count('class="act"')
        assert made.subject in found["texts"]
        assert found["hidden"]


@pytest.mark.parametrize("kind", Kind)
def test_words_that_are_far_too_long_are_broken(kind: Kind, screen: Screen) -> None:
    """Names of 200 characters without a space, and texts like links, stay within the mail; the rows of facts too."""
    made = render(stretched(specifications("en")[kind]))
    assert kind == Kind.PREFERENCE_REQUEST or WORD in made.text or LINK_LIKE in made.text
    for width in (*PHONES, DESK):
        for name, height in measured(screen, made.html, width=width)["names"]:
            assert height <= 24 * len(name.split()), "its words are not broken into letters"


@pytest.mark.parametrize("kind", Kind)
def test_right_to_left_is_the_mirror_image(kind: Kind, screen: Screen) -> None:
    """Bullets and indents change sides with the language, and stay within the mail."""
    for width in (*PHONES, DESK):
        there = measured(screen, mail(kind).html, width=width)
        back = measured(screen, mail(kind, "he").html, width=width)
        assert there["indents"] == [[right, left] for left, right in back["indents"]]
        assert all(24 <= near for near, _ in there["indents"])


@pytest.mark.parametrize("width", PHONES)
def test_a_logo_that_is_blocked_is_read(width: int, screen: Screen) -> None:
    """The logo takes its place; where images are blocked its words stand there, in the colours of the head."""
    html = mail(Kind.GOODBYE, logo=True).html
    size = "() => [document.querySelector('img').width, document.querySelector('img').height]"
    loaded = "() => document.querySelector('img').naturalWidth"
    screen.show(html, width=width, images=True)
    assert [LOGO.width, LOGO.height] == screen.ask(size)
    assert LOGO.width == screen.ask(loaded)
    screen.show(html, width=width, scheme="dark")
    assert 0 == screen.ask(loaded)
    assert LOGO.alt == screen.ask("() => document.querySelector('img').alt")
    night = screen.ask("() => getComputedStyle(document.querySelector('img')).color")
    assert tuple(bytes.fromhex(BRAND.theme.dark.text[1:])) == tuple(map(int, night[4:-1].split(", ")))
    measured(screen, html, width=width)


def test_the_browser_finds_what_does_not_fit(screen: Screen) -> None:
    """Each measure can fail."""
    fine = mail(Kind.LAST_CHANCE).html
    for wrong, reason in (
        (fine.replace("word-break: break-word", "").replace("Harbour News", WORD), "sideways"),
        (fine.replace("font-size: 14px", "font-size: 13px"), "too small"),
        (fine.replace("padding: 14px 24px", "padding: 9px 24px"), "too low"),
    ):
        with pytest.raises(AssertionError, match=reason):
            measured(screen, wrong, width=DESK)  # where the words of the button need one line, whatever the font
