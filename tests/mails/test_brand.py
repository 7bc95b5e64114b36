"""The sender: what it says of itself, and colours that can be read (R8, C5, WCAG 1.4.3)."""

import re
from typing import Any

import pytest
from attrs import evolve, fields
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidAddress, InvalidInput
from lifecycle_mail.mails.brand import DARK, LEAST_CONTRAST, LIGHT, Brand, Logo, Palette, Theme, contrast
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.samples import BRAND
from tests.mails.rendered import LOGO, mail, render, specifications

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def changed(said: Any, **changes: Any) -> Any:
    """A copy of something, with changes that may be wrong."""
    return evolve(said, **changes)


class TestBrand:
    """Who sends."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"name": ""}, "name"),
            ({"name": "a\r\nBcc: x"}, "name"),
            ({"name": None}, "name"),
            ({"sender": "a\nb"}, "sender"),
            ({"signature": "\u202e"}, "signature"),
            ({"postal_address": []}, "postal_address"),
            ({"postal_address": "Sadama 1"}, "postal_address"),
            ({"postal_address": ["a"] * 2}, "postal_address"),
            ({"postal_address": list("abcdefg")}, "postal_address"),
            ({"postal_address": ["a", ""]}, r"postal_address\[1\]"),
            ({"postal_address": ["a\nb"]}, r"postal_address\[0\]"),
            ({"website": "http://harbour.example"}, "website"),
            ({"privacy_url": "javascript:alert(1)"}, "privacy_url"),
            ({"privacy_url": None}, "privacy_url"),
            ({"help_url": ""}, "help_url"),
            ({"logo": "https://harbour.example/logo.png"}, "logo"),
            ({"theme": "#0a5c63"}, "theme"),
            ({"locale": "Estonian language"}, "locale"),
            ({"address": 5}, "address"),
            ({"reply_to": 5}, "address"),
        ],
        ids=repr,
    )
    def test_what_it_says_is_checked(self, changes: dict[str, Any], expected: str) -> None:
        """When it is made, by name, and not at the first mail."""
        with pytest.raises(InvalidInput, match=expected):
            changed(BRAND, **changes)

    @pytest.mark.parametrize("left_out", ["name", "address", "postal_address", "website", "privacy_url"])
    def test_what_the_law_asks_for_cannot_be_left_out(self, left_out: str) -> None:
        """A name, an address, a postal address, where they are and how data is used (R8, P5)."""
        values: dict[str, Any] = {
            "name": "Harbour",
            "address": "ines@harbour.example",
            "postal_address": ["Sadama 1"],
            "website": "https://harbour.example",
            "privacy_url": "https://harbour.example/privacy",
        }
        assert Brand(**values).theme == Theme()
        del values[left_out]
        with pytest.raises(TypeError, match=left_out):
            Brand(**values)

    @pytest.mark.parametrize(
        "address", ["no-reply@h.example", "noreply@h.example", "NO_REPLY@h.example", "do-not-reply@h.example",
                    "donotreply+x@h.example", "news.noreply@h.example"]
    )  # fmt: skip
    def test_replies_are_read(self, address: str) -> None:
        """Mails here ask people to reply, so nobody may send from nowhere, unless replies go somewhere else."""
        with pytest.raises(InvalidInput, match="reply_to"):
            changed(BRAND, address=address)
        with pytest.raises(InvalidInput, match="reply_to"):
            changed(BRAND, reply_to=address)
        assert "help@harbour.example" == str(changed(BRAND, address=address, reply_to="help@harbour.example").replies)

    def test_what_is_left_out_has_a_meaning(self) -> None:
        """Replies go to the address, and the name is that of the brand."""
        plain = changed(BRAND, sender="", reply_to=None)
        assert (plain.address, "Harbour") == (plain.replies, plain.from_name)
        assert "Ines from Harbour" == BRAND.from_name

    def test_an_address_is_one(self) -> None:
        """As everywhere."""
        with pytest.raises(InvalidAddress):
            changed(BRAND, address="ines@harbour.example\r\nBcc: eve@evil.example")


class TestLogo:
    """An image at the head."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"url": "http://harbour.example/logo.png"}, "url"),
            ({"url": "data:image/png;base64,AA=="}, "url"),
            ({"alt": ""}, "alt"),
            ({"alt": 'x" onerror="y\n'}, "alt"),
            ({"width": 0}, "width"),
            ({"width": 281}, "width"),
            ({"width": 160.0}, "width"),
            ({"width": True}, "width"),
            ({"width": "160"}, "width"),
            ({"height": 121}, "height"),
            ({"height": -1}, "height"),
        ],
        ids=repr,
    )
    def test_it_is_checked(self, changes: dict[str, Any], expected: str) -> None:
        """A link, words for those who do not see it, and a size that fits a phone."""
        values: dict[str, Any] = {"url": "https://h.example/l.png", "alt": "Harbour", "width": 160, "height": 48}
        Logo(**values)
        with pytest.raises(InvalidInput, match=expected):
            Logo(**{**values, **changes})


class TestColours:
    """What is read is seen."""

    def test_contrast_is_that_of_wcag(self) -> None:
        """From 1 to 21, whichever is in front; known pairs have known figures."""
        assert 21 == pytest.approx(contrast("#000000", "#ffffff"))
        assert 1 == pytest.approx(contrast("#123456", "#123456"))
        assert 4.54 == pytest.approx(contrast("#767676", "#ffffff"), abs=0.01)
        assert 4.48 == pytest.approx(contrast("#777777", "#ffffff"), abs=0.01)

    @given(COLOURS, COLOURS)
    def test_contrast_has_no_side(self, one: str, other: str) -> None:
        """And is at least that of a colour with itself."""
        assert contrast(one, other) == contrast(other, one) >= 1

    @pytest.mark.parametrize("palette", [LIGHT, DARK])
    def test_what_ships_can_be_read(self, palette: Palette) -> None:
        """By day and by night, with some room."""
        for name, behind in (("text", "surface"), ("link", "surface"), ("muted", "page"), ("link", "page")):
            assert LEAST_CONTRAST < contrast(getattr(palette, name), getattr(palette, behind))
        assert LEAST_CONTRAST < contrast(palette.on_button, palette.button)

    @pytest.mark.parametrize(
        ("name", "colour"),
        [
            ("text", "#999999"),
            ("muted", "#cccccc"),
            ("link", "#ffff00"),
            ("on_button", "#1a4f8b"),
            ("button", "#ffffff"),
            ("surface", "#22262b"),
            ("page", "#5b6168"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, name: str, colour: str) -> None:
        """Each colour, with what it stands before or behind, and the figure that is needed."""
        with pytest.raises(InvalidInput, match=r"contrast of 4\.5 .*" + name):
            changed(LIGHT, **{name: colour})

    @pytest.mark.parametrize(
        "colour", ["red", "#fff", "#12345", "#1234567", "123456", "#12345g", "#123456;}", "", None, 5, "#12345\n6"],
        ids=repr,
    )  # fmt: skip
    def test_what_is_no_colour_is_refused(self, colour: Any) -> None:
        """Nothing gets into CSS but six digits."""
        with pytest.raises(InvalidInput, match="text"):
            changed(LIGHT, text=colour)
        with pytest.raises(InvalidInput, match="link"):
            Theme.of(colour)

    def test_a_colour_is_tidied(self) -> None:
        """Capitals and spaces around it do no harm."""
        assert "#1a4f8b" == changed(LIGHT, link=" #1A4F8B ").link

    @given(COLOURS)
    def test_any_accent_makes_a_theme_or_is_refused(self, accent: str) -> None:
        """In light it is the accent itself; in dark a shade of it that can be read. What cannot be read is refused."""
        readable = LEAST_CONTRAST <= min(contrast(accent, LIGHT.surface), contrast(accent, LIGHT.page))
        try:
            theme = Theme.of(accent)
        except InvalidInput:
            assert not readable
        else:
            assert readable
            assert accent == theme.light.link == theme.light.button
            assert LEAST_CONTRAST <= contrast(theme.dark.link, DARK.surface)

    def test_an_accent_for_the_night(self) -> None:
        """Where it is given it is taken, and checked."""
        assert "#ffd166" == Theme.of("#0a5c63", dark_accent="#ffd166").dark.link
        with pytest.raises(InvalidInput, match="contrast"):
            Theme.of("#0a5c63", dark_accent="#0a5c63")

    @pytest.mark.parametrize(
        "fonts",
        ["", "a" * 201, "Georgia; color: red", "Georgia}", "url(x)", "Geo\nrgia", "</style>", None, 5],
        ids=repr,
    )
    def test_fonts_are_families(self, fonts: Any) -> None:
        """Nothing else gets into CSS."""
        with pytest.raises(InvalidInput, match="fonts"):
            Theme(fonts=fonts)

    @pytest.mark.parametrize("radius", [-1, 41, 1.5, "6", True, None], ids=repr)
    def test_corners_are_pixels(self, radius: Any) -> None:
        """From none to forty."""
        with pytest.raises(InvalidInput, match="radius"):
            Theme(radius=radius)
        assert 0 == Theme.of("#0a5c63", radius=0).radius


PAIRS = [("text", "surface"), ("link", "surface"), ("muted", "page"), ("link", "page"), ("on_button", "button")]
"""What is read, and what is behind it."""


def least_contrast(palette: Palette) -> float:
    """The contrast of what is read worst."""
    return min(contrast(getattr(palette, name), getattr(palette, behind)) for name, behind in PAIRS)


class TestAccents:
    """A theme in one colour of the brand: it can be read, or is refused with what to do."""

    @pytest.mark.parametrize(
        ("one", "other", "expected"),
        [
            ("#ff0000", "#ffffff", 3.998), ("#00ff00", "#ffffff", 1.372), ("#0000ff", "#ffffff", 8.592),
            ("#ffff00", "#ffffff", 1.074), ("#808080", "#000000", 5.317), ("#ffff00", "#0000ff", 8.001),
            ("#595959", "#ffffff", 7.004), ("#0a0a0a", "#000000", 1.061),  # on the straight part of the curve
        ],
    )  # fmt: skip
    def test_contrast_is_what_every_checker_gives(self, one: str, other: str, expected: float) -> None:
        """Of primary colours, of greys, and near black (WCAG 2.2, 1.4.3)."""
        assert expected == pytest.approx(contrast(one, other), abs=0.001)

    @given(COLOURS)
    def test_every_word_of_a_theme_can_be_read(self, accent: str) -> None:
        """Words on the button, too, in light and in dark; a refusal names the colour and the fix."""
        try:
            theme = Theme.of(accent)
        except InvalidInput as refused:
            said = str(refused)
        else:
            assert LEAST_CONTRAST <= min(least_contrast(theme.light), least_contrast(theme.dark))
            return
        assert accent in said
        assert "take a darker or lighter colour" in said

    @pytest.mark.parametrize("accent", ["#ffff00", "#ffffff", "#ff0000", "#00ff00", "#ffa500", "#777777"])
    def test_a_light_accent_is_refused(self, accent: str) -> None:
        """Yellow, white, pure red, and a grey that misses by a hair."""
        with pytest.raises(InvalidInput, match=f"link {accent} on surface #ffffff has .*take a darker"):
            Theme.of(accent)

    @pytest.mark.parametrize(
        ("accent", "dark"),
        [("#000000", "#b2b2b2"), ("#0000ff", "#a5a5ff"), ("#0a5c63", None), ("#6b6b6b", None), ("#8b0000", None)],
    )
    def test_a_dark_accent_is_made_lighter_for_the_dark(self, accent: str, dark: str | None) -> None:
        """White words on it in light, dark words on a lighter shade of it in dark."""
        theme = Theme.of(accent)
        assert "#ffffff" == theme.light.on_button
        assert dark in (None, theme.dark.link)
        assert theme.dark.link == theme.dark.button
        assert contrast(theme.dark.link, "#000000") > contrast(accent, "#000000")
        assert "#101418" == theme.dark.on_button
        assert LEAST_CONTRAST + 2 <= contrast(theme.dark.link, DARK.surface)

    def test_yellow_is_an_accent_for_the_dark(self) -> None:
        """There it can be read, and black words on it; the rest of the theme is as it is given."""
        theme = Theme.of("#000000", dark_accent="#FFFF00", fonts="Georgia, serif", radius=0)
        assert ("#ffff00", "#101418") == (theme.dark.button, theme.dark.on_button)
        assert ("Georgia, serif", 0) == (theme.fonts, theme.radius)

    @pytest.mark.parametrize("accent", ["yellow", "#fff", 5, "#12345g"])
    def test_an_accent_for_the_dark_that_is_no_colour_is_refused(self, accent: Any) -> None:
        """As the other is."""
        with pytest.raises(InvalidInput, match="six hexadecimal digits"):
            Theme.of("#000000", dark_accent=accent)

    def test_all_that_cannot_be_read_is_said_at_once(self) -> None:
        """Whoever mends it mends it once."""
        with pytest.raises(InvalidInput) as refused:
            evolve(LIGHT, text="#eeeeee", muted="#eeeeee", on_button=LIGHT.button)
        assert 3 == str(refused.value).count(" has ")
        assert "text #eeeeee on surface #ffffff has 1.2" in str(refused.value)
        assert "4.5 is needed to read (WCAG 1.4.3)" in str(refused.value)

    @pytest.mark.parametrize("name", [one.name for one in fields(Palette)])
    def test_a_colour_that_is_none_is_refused_by_its_field(self, name: str) -> None:
        """Each of the seven."""
        with pytest.raises(InvalidInput, match=rf"^{name}: 'yellow' is not a colour"):
            changed(LIGHT, **{name: "yellow"})

    @pytest.mark.parametrize("name", ["light", "dark"])
    def test_a_light_is_a_palette(self, name: str) -> None:
        """By the name of the field."""
        with pytest.raises(InvalidInput, match=rf"^{name}: a str is not a Palette"):
            changed(Theme(), **{name: "#ffffff"})


class TestReplies:
    """Where replies go."""

    @pytest.mark.parametrize(
        "name", ["nora", "replies", "norman.reply", "casino-reply", "piano.reply", "nino_reply", "notes"]
    )
    def test_an_address_that_only_looks_like_it_is_taken(self, name: str) -> None:
        """People and places are called so: the no is a word of its own."""
        assert f"{name}@harbour.example" == str(evolve(BRAND, address=f"{name}@harbour.example").replies)

    @pytest.mark.parametrize("name", ["no.reply", "NoReply", "harbournoreply", "news-no-reply", "do_not_reply"])
    def test_an_address_that_takes_none_is_refused(self, name: str) -> None:
        """However it is spelt, and whatever stands before it; the message says what to give."""
        with pytest.raises(InvalidInput, match=r"replies would go to .*give reply_to, an address that somebody reads"):
            evolve(BRAND, address=f"{name}@harbour.example")

    def test_what_is_no_address_is_refused_by_its_field(self) -> None:
        """Two fields hold one."""
        for name in ("address", "reply_to"):
            with pytest.raises(InvalidInput, match=rf"^{name}: a int is not an address"):
                changed(BRAND, **{name: 5})


class TestLooks:
    """What a mail shows of it."""

    def test_the_colours_of_a_theme_are_in_the_mail(self) -> None:
        """In light in the elements, in dark in the rule for it."""
        theme = Theme.of("#7a0c2e", dark_accent="#ffb3c8")
        html = render(specifications("en")[Kind.WE_MISS_YOU], brand=evolve(BRAND, theme=theme)).html
        assert "#7a0c2e" in html
        assert "#ffb3c8" in html.partition("prefers-color-scheme: dark")[2]

    def test_a_logo_has_its_words_and_its_size(self) -> None:
        """Without the words nobody knows who writes where images are off, and without a size the text jumps."""
        html = mail(Kind.GOODBYE, logo=True).html
        for said in ('alt="Harbour"', 'width="160"', 'height="48"'):
            assert said in html
        said_all = {one.name: getattr(LOGO, one.name) for one in fields(Logo)}
        for name in said_all:
            with pytest.raises(TypeError, match=f"'{name}'"):
                Logo(**{key: value for key, value in said_all.items() if key != name})

    def test_a_logo_is_never_wider_than_its_mail(self) -> None:
        """On a phone of 320 pixels, with what is around it, 280 do not fit; Outlook reads the attributes alone."""
        wide = evolve(BRAND, logo=evolve(LOGO, width=280, height=120))
        (image,) = re.findall("<img [^>]*>", render(specifications("en")[Kind.GOODBYE], brand=wide).html)
        for said in ('width="280"', 'height="120"', "max-width: 100%", "height: auto"):
            assert said in image

    def test_the_largest_logo_is_280_by_120(self) -> None:
        """It fits a phone."""
        assert (280, 120) == ((largest := evolve(LOGO, width=280, height=120)).width, largest.height)

    def test_a_brand_is_a_frozen_value(self) -> None:
        """It can be hashed, and is equal to one that says the same."""
        assert BRAND == evolve(BRAND, postal_address=list(BRAND.postal_address))
        assert hash(BRAND) == hash(evolve(BRAND))
        for value in (BRAND, BRAND.theme, LIGHT, LOGO):
            with pytest.raises(FrozenInstanceError):
                setattr(value, fields(type(value))[0].name, None)
