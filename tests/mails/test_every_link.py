"""Every link of every mail works: what a template links to, the pages behind it can read (R11)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from lifecycle_mail.mails import PURPOSES, SHIPPED, Kind, Link, LinkPurpose, Links, Mail, Renderer, SigningKey
from lifecycle_mail.mails.reasons import Answering, question_of
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId

BASE = "https://mail.example.com/m/"
OLD, NEW = SigningKey("2025", b"o" * 32), SigningKey("2026", b"n" * 32)
LINKS = Links(BASE, [OLD])
RENDERER = Renderer(BRAND, links=LINKS)
PATHS = {rule.path: purpose for purpose, rule in PURPOSES.items()}
REQUEST = Link(purpose=LinkPurpose.CONFIRM, contact_id=ContactId("c-17"), detail="request-1", signed_at=NOW)


class Anchors(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        found = dict(attrs).get("href")
        if tag == "a" and found is not None:
            self.urls.append(found)


def rendered(kind: Kind, locale: str) -> Mail:
    """Return a made-up mail."""
    return RENDERER.render(samples(sample_reader(locale), confirm=LINKS.token(REQUEST))[kind], now=NOW)


def signed(mail: Mail) -> Iterator[tuple[LinkPurpose, str]]:
    """Yield every link of ours in the HTML of a mail: its purpose and its token."""
    for url in Anchors(mail.html).urls:
        if url.startswith(BASE):
            path, _, token = url.removeprefix(BASE).partition("/")
            yield PATHS[path], token


@pytest.mark.parametrize("locale", SHIPPED)
@pytest.mark.parametrize("kind", Kind)
def test_every_link_reads_as_what_its_path_says(kind: Kind, locale: str) -> None:
    """Each link is of its person, its campaign and its list, and an answer is one that the question knows."""
    mail = rendered(kind, locale)
    for purpose, token in signed(mail):
        link = LINKS.read(token, purpose=purpose, now=NOW + timedelta(days=59))
        assert "c-17" == link.contact_id
        if purpose is LinkPurpose.ANSWER:
            answering = Answering.of_detail(link.detail)
            assert question_of(kind) is answering.question
            told = getattr(mail.spec, "reason", None)  # who said why is asked for words alone
            assert answering.offers == (() if told else getattr(mail.spec, "reasons", ()))
            assert answering.reason == told or answering.reason in answering.offers
        if mail.marketing:
            assert "win-back" == link.campaign
        if purpose is LinkPurpose.UNSUBSCRIBE:
            assert Scope.list("harbour-news") == link.scope


@pytest.mark.parametrize("kind", Kind)
def test_both_parts_lead_to_the_same_places(kind: Kind) -> None:
    """Whoever reads plain text can do what whoever reads HTML can."""
    mail = rendered(kind, "en")
    in_text = set(re.findall(r"https://\S+", mail.text))
    assert set(Anchors(mail.html).urls) == in_text


@pytest.mark.parametrize("kind", Kind)
def test_every_other_link_is_one_that_the_caller_gave(kind: Kind) -> None:
    """Nothing leads anywhere but to our pages and to the sender's."""
    hosts = {urlsplit(url).hostname for url in Anchors(rendered(kind, "en").html).urls}
    assert hosts <= {"mail.example.com", "harbour.example"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if rendered(kind, "en").marketing])
def test_the_ways_out_outlive_two_rotations_of_the_key(kind: Kind) -> None:
    """The header and both links of a marketing mail work for as long as their key is given (R9, F46)."""
    mail = rendered(kind, "en")
    later = Links(BASE, [OLD, NEW, SigningKey("2027", b"p" * 32)])
    header = re.fullmatch(r"<(https://\S+)>", mail.headers["List-Unsubscribe"])
    assert header is not None
    for url in (header[1], *(one for one in Anchors(mail.html).urls if one.startswith(BASE))):
        path, _, token = url.removeprefix(BASE).partition("/")
        assert "c-17" == later.read(token, purpose=PATHS[path], now=NOW + timedelta(days=60)).contact_id
