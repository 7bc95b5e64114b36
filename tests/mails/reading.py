"""Reads the HTML of a mail as a mailbox would, for tests that ask what it says and where it leads."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Final

from attrs import define

from lifecycle_mail.mails.messages import Mail

_VOID: Final = frozenset({"br", "hr", "img", "link", "meta"})
_BESIDE_EACH_OTHER: Final = frozenset({"a", "b", "em", "i", "span", "strong"})
_URL: Final = re.compile(r"https://\S+")

Structure = list[tuple[str, tuple[tuple[str, str], ...]]]
"""Elements, each with its attributes."""


@define
class Element:
    """An element.

    Attributes:
        tag: its name.
        attributes: what it carries.
        text: all that stands in it, a `br` as the end of a line.
    """

    tag: str
    attributes: Mapping[str, str]
    text: str = ""

    def has_class(self, name: str) -> bool:
        """Whether it is of a class."""
        return name in self.attributes.get("class", "").split()

    @property
    def style(self) -> dict[str, str]:
        """What its style says, by property."""
        rows = (one.partition(":") for one in self.attributes.get("style", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in rows if name.strip()}


class Page(HTMLParser):
    """The HTML of a mail, read.

    Attributes:
        elements: all of them, in the order in which they begin.
        shown: the words that a reader sees: the body without what is hidden, and without comments.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.shown = ""
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        made = Element(tag, {name: value or "" for name, value in attrs})
        assert len(attrs) == len(made.attributes), f"an attribute twice: {attrs}"
        self.elements.append(made)
        if tag == "br":
            self.handle_data("\n")
        elif tag not in _BESIDE_EACH_OTHER:
            self.shown += "\n"
        if tag not in _VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        made = self._open.pop()
        assert made.tag == tag, f"{tag} closes {made.tag}"
        self.shown += "" if tag in _BESIDE_EACH_OTHER else "\n"

    def handle_data(self, data: str) -> None:
        """Keep a text in each element that it stands in."""
        for one in self._open:
            one.text += data
        hidden = any(one.tag == "head" or one.style.get("display") == "none" for one in self._open)
        self.shown += "" if hidden else data

    def all(self, tag: str, of_class: str = "") -> list[Element]:
        """Return the elements of a name, and of a class."""
        return [one for one in self.elements if one.tag == tag and (not of_class or one.has_class(of_class))]

    def one(self, tag: str, of_class: str = "") -> Element:
        """Return the one element of a name, and of a class."""
        (found,) = self.all(tag, of_class)
        return found

    @property
    def links(self) -> list[tuple[str, str]]:
        """Where it leads: the words and the address of each link."""
        return [(one.text, one.attributes["href"]) for one in self.all("a")]

    @property
    def structure(self) -> Structure:
        """Every element with its attributes, without its texts: neither those in it nor those of its attributes."""
        return [(one.tag, tuple(_without_texts(one.attributes))) for one in self.elements]


def _without_texts(attributes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in attributes.items():
        yield name, "" if name in ("alt", "href", "src") else value


def plain(text: str) -> str:
    """Return a text with each run of spaces and line ends as one space."""
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, without links."""
    return re.findall(r"\w+", _URL.sub("", text))


def links_of_text(mail: Mail) -> list[str]:
    """Return where the plain text of a mail leads."""
    return _URL.findall(mail.text)
