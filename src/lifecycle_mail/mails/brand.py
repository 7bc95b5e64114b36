"""The sender: names, addresses, colours.

A mail has to say who it is from and where they are (R8); it is looked at with images off, at night, and by people who
see little contrast. So colours are checked when a `Theme` is made, in light and in dark, against WCAG 2.2 (1.4.3), and
not when somebody complains.
"""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import field, frozen
from attrs.validators import optional

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.mails.texts import (
    are,
    as_address,
    as_reply_to,
    as_texts,
    is_a,
    is_line,
    is_line_or_empty,
    is_link,
    is_locale,
)
from lifecycle_mail.model.addresses import EmailAddress

LEAST_CONTRAST: Final = 4.5
"""Of a text against what is behind it (WCAG 2.2, 1.4.3)."""

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_FONTS: Final = re.compile(r"[A-Za-z0-9 ,'-]{1,200}")
_PLAIN_FAMILY: Final = re.compile(r"-?[A-Za-z][A-Za-z0-9-]*(?: -?[A-Za-z][A-Za-z0-9-]*)*")
_NO_REPLY: Final = re.compile(r"do[-_.]?not[-_.]?reply|noreply|(?<![a-z])no[-_.]reply", re.IGNORECASE)


def _luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast of two colours, from 1 to 21.

    Args:
        one, other: colours as `#rrggbb`, in small letters.
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _as_colour(value: str) -> str:
    return value.strip().lower() if isinstance(value, str) else value


def _is_colour(_instance: object, at: Any, value: Any) -> None:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise InvalidInput(f"{at.name}: {value!r} is not a colour: write six hexadecimal digits, such as #1a4f8b")


@frozen(kw_only=True)
class Palette:
    """The colours of a mail in one light.

    Attributes:
        page: behind the mail.
        surface: behind its text.
        text: its text.
        muted: its footer.
        link: its links.
        button: the primary call to action.
        on_button: the words on it.
    """

    page: str = field(converter=_as_colour, validator=_is_colour)
    surface: str = field(converter=_as_colour, validator=_is_colour)
    text: str = field(converter=_as_colour, validator=_is_colour)
    muted: str = field(converter=_as_colour, validator=_is_colour)
    link: str = field(converter=_as_colour, validator=_is_colour)
    button: str = field(converter=_as_colour, validator=_is_colour)
    on_button: str = field(converter=_as_colour, validator=_is_colour)

    def __attrs_post_init__(self) -> None:
        pairs = [("text", "surface"), ("link", "surface"), ("muted", "page"), ("link", "page"), ("on_button", "button")]
        faint = [
            f"{name} {getattr(self, name)} on {behind} {getattr(self, behind)} has {found:.1f}"
            for name, behind in pairs
            if (found := contrast(getattr(self, name), getattr(self, behind))) < LEAST_CONTRAST
        ]
        if faint:
            raise InvalidInput(
                f"a contrast of {LEAST_CONTRAST} is needed to read (WCAG 1.4.3): {'; '.join(faint)}; "
                f"take a darker or lighter colour"
            )


LIGHT: Final = Palette(
    page="#f4f4f1", surface="#ffffff", text="#22262b", muted="#5b6168", link="#1a4f8b", button="#1a4f8b",
    on_button="#ffffff",
)  # fmt: skip
DARK: Final = Palette(
    page="#14171a", surface="#1e2226", text="#e8e9ea", muted="#a9b0b7", link="#9cc4f2", button="#9cc4f2",
    on_button="#10202f",
)  # fmt: skip


def _as_fonts(value: str) -> str:
    """Write font families as CSS reads them, with quotes where a name needs them and nowhere else.

    The quotes are marked as HTML: escaped, their `;` would end the declaration.
    """
    from markupsafe import Markup

    if not isinstance(value, str) or not _FONTS.fullmatch(value):
        return value
    names = (one_line(name) for name in value.replace("'", "").split(","))
    # Nothing that `_FONTS` lets through is markup.
    return Markup(", ".join(name if _PLAIN_FAMILY.fullmatch(name) else f"'{name}'" for name in names if name))  # noqa: S704


@frozen(kw_only=True)
class Theme:
    """How a mail looks.

    Attributes:
        light, dark: its colours.
        fonts: font families, the first that the reader has is taken.
        radius: of the button's corners, in pixels.
    """

    light: Palette = field(default=LIGHT, validator=is_a(Palette))
    dark: Palette = field(default=DARK, validator=is_a(Palette))
    fonts: str = field(default="Helvetica Neue, Helvetica, Arial, sans-serif", converter=_as_fonts)
    radius: int = field(default=6)

    @fonts.validator
    def _are_fonts(self, at: Any, value: Any) -> None:
        if not isinstance(value, str) or not _FONTS.fullmatch(value):
            raise InvalidInput(f"{at.name}: {str(value)!r}: write families with commas, such as Georgia, serif")

    @radius.validator
    def _is_small(self, at: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 40:
            raise InvalidInput(f"{at.name}: {value!r}: give pixels, 0 to 40")

    @classmethod
    def of(cls, accent: str, *, dark_accent: str | None = None, **options: Any) -> Theme:
        """Return a theme in one colour of the brand.

        Args:
            accent: for links and the button on white.
            dark_accent: for the same on dark grey; a lighter shade of `accent` where it is left out.
            options: `fonts` and `radius`.

        Raises:
            InvalidInput: the colour is none, or cannot be read on white.
        """
        from attrs import evolve

        light = evolve(LIGHT, link=accent, button=accent, on_button=_readable_on(_as_colour(accent)))
        bright = _as_colour(dark_accent) if dark_accent else _lighter(light.link, on=DARK.surface)
        dark = evolve(DARK, link=bright, button=bright, on_button=_readable_on(bright))
        return cls(light=light, dark=dark, **options)


def _readable_on(colour: str) -> str:
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        return "#ffffff"  # the colour itself is refused, with its name
    return max(("#ffffff", "#101418"), key=lambda words: contrast(words, colour))


def _lighter(colour: str, *, on: str) -> str:
    """Mix in white until a text in the colour can be read on another one."""
    parts = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    for white in range(0, 101, 5):
        mixed = "#" + "".join(f"{part + (255 - part) * white // 100:02x}" for part in parts)
        if contrast(mixed, on) >= LEAST_CONTRAST + 2:
            return mixed
    return "#ffffff"


@frozen(kw_only=True)
class Logo:
    """An image at the head of a mail, which must read well without it.

    Attributes:
        url: where the image is.
        alt: what is read where it is not shown; the brand's name as a rule.
        width, height: its size in pixels, at most 280 by 120.
    """

    url: str = field(validator=is_link)
    alt: str = field(validator=is_line)
    width: int = field()
    height: int = field()

    @width.validator
    @height.validator
    def _fits(self, at: Any, value: Any) -> None:
        most = 280 if at.name == "width" else 120
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise InvalidInput(f"{at.name}: {value!r}: give pixels, 1 to {most}")


@frozen(kw_only=True)
class Brand:
    """Who sends.

    Attributes:
        name: as readers know it.
        address: the From address.
        postal_address: lines of a postal address; marketing mails carry it by law (R8).
        website: its home page.
        privacy_url: its privacy policy (P5).
        sender: the From name; the brand's name where it is left out.
        reply_to: where replies go, and are read; the From address where it is left out.
        signature: who signs, such as "Ines, customer care"; the brand's name where it is left out.
        help_url: where help is found, or None.
        logo: an image, or None for the name in letters.
        theme: colours and fonts.
        locale: the language for readers whose own there are no texts for.
    """

    name: str = field(validator=is_line)
    address: EmailAddress = field(converter=as_address)
    postal_address: tuple[str, ...] = field(converter=as_texts, validator=are(least=1, most=6))
    website: str = field(validator=is_link)
    privacy_url: str = field(validator=is_link)
    sender: str = field(default="", validator=is_line_or_empty)
    reply_to: EmailAddress | None = field(default=None, converter=as_reply_to)
    signature: str = field(default="", validator=is_line_or_empty)
    help_url: str | None = field(default=None, validator=optional(is_link))
    logo: Logo | None = field(default=None, validator=optional(is_a(Logo)))
    theme: Theme = field(factory=Theme, validator=is_a(Theme))
    locale: str = field(default="en", validator=is_locale)

    def __attrs_post_init__(self) -> None:
        if _NO_REPLY.search(self.replies.local):
            raise InvalidInput(
                f"replies would go to {self.replies}: mails here ask people to reply; give reply_to, an address "
                f"that somebody reads"
            )

    @property
    def replies(self) -> EmailAddress:
        """Where replies go."""
        return self.reply_to or self.address

    @property
    def from_name(self) -> str:
        """The name that a mailbox shows."""
        return self.sender or self.name
