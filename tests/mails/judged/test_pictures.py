"""Pictures of every mail, and sheets of them, so that a person sees all at a glance.

They are put into the folder that LIFECYCLE_MAIL_PICTURES names. Sheets are called `sheet-...`; look at these first.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.samples import BRAND
from tests.mails.judged.conftest import Scheme, Screen, as_image
from tests.mails.rendered import mail, render, specifications
from tests.mails.stretched import stretched

PHONE, DESK = 375, 900
COLOURS = "() => ['body', '.body', '.foot'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)"
SHOWN = (Kind.CANCELLATION_CONFIRMED, Kind.INCENTIVE, Kind.GOODBYE)
"""Kinds that between them have all that a mail is made of."""

SPECIAL: Mapping[str, tuple[str, bool]] = {
    "logo": ("a logo", True), "blocked": ("a logo that is blocked", False), "he": ("from right to left", False),
    "et": ("in Estonian", False), "ms": ("in Malay", False), "long": ("words far too long", False),
}  # fmt: skip
"""Forms that a mail can take, with what they are called on the sheet, and whether images are shown."""


def page_of(kind: Kind, form: str) -> str:
    """Return a mail in one of its forms."""
    if form in ("logo", "blocked"):
        return mail(kind, logo=True).html
    if form == "long":
        return render(stretched(specifications("en")[kind])).html
    return mail(kind, form).html


def sheet(screen: Screen, name: Path, taken: Iterable[tuple[str, Path]], *, across: int, width: int) -> None:
    """Put pictures side by side into one."""
    image = "<img alt='' style='width: 100%' src='{}'>"
    cells = "".join(f"<div>{title}<br>{image.format(as_image(path.read_bytes()))}</div>" for title, path in taken)
    grid = f"display: grid; grid-template-columns: repeat({across}, 1fr); gap: 12px; background: #ccc; font: 16px arial"
    screen.show(f"<!DOCTYPE html><body style='{grid}'>{cells}", width=width, images=False)
    screen.ask("() => Promise.all([...document.images].map((one) => one.decode()))")
    name.write_bytes(screen.picture())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "width"), [("phone", PHONE), ("desk", DESK)])
def test_every_kind_has_its_picture(device: str, width: int, scheme: Scheme, screen: Screen, pictures: Path) -> None:
    """Each kind is pictured as wide as the screen, in the colours of day and night, and all are put on sheets."""
    palette = BRAND.theme.light if scheme == "light" else BRAND.theme.dark

    def taken() -> Iterator[tuple[str, Path]]:
        for kind in Kind:
            screen.show(mail(kind).html, width=width, scheme=scheme)
            shown = [tuple(map(int, one.strip("rgba()").split(", "))) for one in screen.ask(COLOURS)]
            assert [tuple(bytes.fromhex(one[1:])) for one in (palette.page, palette.surface)] == shown[:2]
            assert (0, 0, 0, 0) == shown[2], "the footer is seen through"
            path = pictures / f"{kind}-{device}-{scheme}.png"
            path.write_bytes(screen.picture())
            assert width == int.from_bytes(path.read_bytes()[16:20], "big")
            yield kind, path

    pairs = list(taken())
    across, each = (7, 7) if device == "phone" else (4, 8)
    for start in range(0, len(pairs), each):
        name = pictures / f"sheet-{device}-{scheme}-{start // each + 1}.png"
        sheet(screen, name, pairs[start : start + each], across=across, width=1800)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_form_has_its_picture(scheme: Scheme, screen: Screen, pictures: Path) -> None:
    """A logo, blocked images, another direction, other languages and words far too long are pictured as well."""
    for kind in SHOWN:
        pairs = []
        for form, (title, images) in SPECIAL.items():
            screen.show(page_of(kind, form), width=PHONE, scheme=scheme, images=images)
            path = pictures / f"{kind}-{form}-{scheme}.png"
            path.write_bytes(screen.picture())
            assert PHONE == int.from_bytes(path.read_bytes()[16:20], "big")
            pairs.append((title, path))
        sheet(screen, pictures / f"sheet-forms-{scheme}-{kind}.png", pairs, across=6, width=1800)
