"""Every kind of mail in every language, rendered once: what the golden files keep and the judges look at."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from attrs import evolve

from lifecycle_mail.mails.brand import Brand, Logo
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.links import Link, LinkPurpose, Links
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.mails.signing import SigningKey
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId

LANGUAGES: Final = SHIPPED
"""The languages that ship (C5)."""

EVERY: Final = tuple((kind, language) for kind in Kind for language in LANGUAGES)
"""Every kind in every language."""

LINKS: Final = Links("https://mail.harbour.example/m", [SigningKey("2026a", "a key for golden files, no secret")])
"""Made with a key that never changes: a link is the same in every run."""

LOGO: Final = Logo(url="https://harbour.example/logo.png", alt="Harbour", width=160, height=48)
"""An image at the head, for mails that are looked at with images and without."""


@cache
def _renderer(brand: Brand) -> Renderer:
    # Words from right to left, for the layout alone: its sentences stay English.
    return Renderer(brand, links=LINKS, catalogues=[Catalogue("he", {}, lambda _count: 0)])


@cache
def specifications(language: str) -> Mapping[Kind, Specification]:
    """Return a sample of every kind, to a reader of a language."""
    reader = sample_reader(language)
    asked = Link(
        purpose=LinkPurpose.CONFIRM,
        contact_id=ContactId(reader.contact_id),
        scope=Scope.list("harbour-news"),
        detail="request-1",
        signed_at=NOW,
    )
    return samples(reader, confirm=LINKS.token(asked))


def render(spec: Specification, *, brand: Brand = BRAND) -> Mail:
    """Render a mail at the instant of the samples."""
    return _renderer(brand).render(spec, now=NOW)


@cache
def mail(kind: Kind, language: str = "en", *, logo: bool = False) -> Mail:
    """Return the sample of a kind in a language; without a logo its head has the name of the brand in letters."""
    return render(specifications(language)[kind], brand=evolve(BRAND, logo=LOGO) if logo else BRAND)


def mails() -> Iterator[tuple[str, Mail]]:
    """Yield every mail with its name, `kind.language`."""
    for kind, language in EVERY:
        yield f"{kind}.{language}", mail(kind, language)
