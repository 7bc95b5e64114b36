"""Reads the HTML of a mail for what a check of it asks: words, links, images, tables, and what does not belong there.

It is given what the renderer made, which is well-formed; so a parser that forgives nothing is enough.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from attrs import define, frozen

ACTIVE: Final = frozenset({
    "applet", "audio", "button", "embed", "form", "frame", "frameset", "iframe", "input", "object", "script", "select",
    "textarea", "video",
})  # fmt: skip
"""Elements that mailboxes take out, or that make them distrust the mail."""

_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "q", "s", "small", "span", "strong",
    "sub", "sup", "u", "wbr",
})  # fmt: skip
"""Elements that stand within a sentence; all others end it."""
_UNREAD: Final = frozenset({"script", "style", "template", "title"})
_REMOTE: Final = re.compile(r"@import\b[^;{}]{0,120}|url\(\s*['\"]?(?!data:|#)[^)'\"\s]{0,120}", re.IGNORECASE)


@frozen(kw_only=True)
class Anchor:
    """A link.

    Attributes:
        target: where it leads, or None where it does not say.
        words: what is read of it: its text, the alternatives of its images, its label.
        pictured: whether it holds an image.
    """

    target: str | None
    words: str
    pictured: bool


@frozen(kw_only=True)
class Image:
    """An image.

    Attributes:
        source: where it is.
        alt: what is read instead, or None where nothing is said.
        alone: whether it is all that a link holds.
    """

    source: str
    alt: str | None
    alone: bool


@frozen(kw_only=True)
class Page:
    """What there is on a page.

    Attributes:
        language: of the page, or empty.
        headings: how many first headings it has.
        blocks: what is read, each paragraph, cell or entry by itself.
        anchors: its links.
        images: its images.
        bare_tables: how many tables are neither marked as layout nor have header cells.
        active: what acts: elements such as `<script>`, attributes such as `onclick`.
        remote: what its styles would load.
    """

    language: str
    headings: int
    blocks: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    images: tuple[Image, ...]
    bare_tables: int
    active: tuple[str, ...]
    remote: tuple[str, ...]

    @classmethod
    def read(cls, html: str) -> Page:
        """Read a page."""
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return cls(
            language=reader.language,
            headings=reader.headings,
            blocks=tuple(text for block in reader.blocks if (text := " ".join("".join(block).split()))),
            anchors=tuple(
                Anchor(target=one.target, words=one.said(), pictured=bool(one.alts)) for one in reader.anchors
            ),
            images=tuple(
                Image(source=one.source, alt=one.alt, alone=one.within is not None and not one.within.text())
                for one in reader.images
            ),
            bare_tables=reader.bare_tables,
            active=tuple(dict.fromkeys(reader.active)),
            remote=tuple(dict.fromkeys(reader.remote)),
        )


@define
class _Anchor:
    target: str | None
    label: str
    parts: list[str]
    alts: list[str]

    def text(self) -> str:
        return " ".join(" ".join((self.label, *self.parts)).split())

    def said(self) -> str:
        return " ".join(" ".join((self.label, *self.parts, *self.alts)).split())


@define
class _Image:
    source: str
    alt: str | None
    within: _Anchor | None


class _Reader(HTMLParser):
    """Goes through a page once."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self.headings = 0
        self.blocks: list[list[str]] = [[]]
        self.anchors: list[_Anchor] = []
        self.images: list[_Image] = []
        self.bare_tables = 0
        self.active: list[str] = []
        self.remote: list[str] = []
        self._within: _Anchor | None = None
        self._tables: list[bool] = []  # whether each open table says what it is
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag not in _INLINE:
            self.blocks.append([])
        if tag in ACTIVE:
            self.active.append(f"<{tag}>")
        self.active += [name for name in said if name.startswith("on")]
        self._look_at_style(said.get("style", ""))
        if tag in _UNREAD:
            self._unread.append(tag)
        elif tag == "html":
            self.language = said.get("lang", "").strip()
        elif tag == "h1":
            self.headings += 1
        elif tag == "a" and ("href" in said or not said.keys() & {"name", "id"}):  # the others are places, not links
            self._within = _Anchor(said.get("href"), said.get("aria-label", ""), [], [])
            self.anchors.append(self._within)
        elif tag == "img":
            self.images.append(_Image(said.get("src", ""), said.get("alt"), self._within))
            if self._within is not None:
                self._within.alts.append(said.get("alt", ""))
        elif tag == "table":
            self._tables.append(said.get("role", "") in ("presentation", "none"))
        elif tag == "th" and self._tables:
            self._tables[-1] = True

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.blocks.append([])
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()
        elif tag == "a":
            self._within = None
        elif tag == "table" and self._tables and not self._tables.pop():
            self.bare_tables += 1

    def handle_data(self, data: str) -> None:
        if self._unread:
            if self._unread[-1] == "style":
                self._look_at_style(data)
            return
        self.blocks[-1].append(data)
        if self._within is not None:
            self._within.parts.append(data)

    def _look_at_style(self, style: str) -> None:
        self.remote += [found[0].strip() for found in _REMOTE.finditer(style)]
