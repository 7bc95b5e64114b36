"""Reads the HTML of a mail for what is asked of it: words, links, images, tables, and what does not belong there.

It is given what the renderer made, which is well-formed and has its CSS in the elements; so a parser that forgives
nothing is enough. A mail is judged by what is *seen*: neither what stands in a comment, in the head or in an element
that is not shown, nor what its style hides in any of the usual ways (`display: none`, `visibility: hidden`,
`content-visibility: hidden`, `opacity: 0`, `font-size: 0`, a box of no size that cuts off what is in it,
`mso-hide: all`, the attribute `hidden`).

Not found is what hides in some places alone, or by what stands around it: a rule in `@media` or `@supports`, a
`<style>` that is marked to be left alone, words in the colour behind them, clipped, transformed, smaller than a pixel,
moved out of the page or covered.

A template writes the HTML, so whatever reads it here takes linear time (F54).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import Final

from attrs import define, field, frozen

from lifecycle_mail.mails.hiding import OF_BLOCKS, SIZES, cuts_off, declared, is_hidden, is_nothing, is_tiny
from lifecycle_mail.mails.kinds import Point
from lifecycle_mail.mails.lines import has_words, one_line
from lifecycle_mail.mails.marks import CALL, read_mark

ACTIVE: Final = frozenset({
    "applet", "audio", "button", "embed", "form", "frame", "frameset", "iframe", "input", "object", "script", "select",
    "textarea", "video",
})  # fmt: skip
"""Elements that mailboxes take out, or that make them distrust the mail."""

SCHEMES: Final = frozenset({"https", "http", "mailto", "tel", "sms"})
"""What a link of a mail begins with."""

_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "q", "s", "small", "span", "strong",
    "sub", "sup", "u", "wbr",
})  # fmt: skip
"""Elements that stand within a sentence; all others end it."""
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_UNREAD: Final = frozenset({"script", "style", "template", "title"})
_NOT_SHOWN: Final = frozenset({
    "audio", "canvas", "datalist", "meter", "noembed", "noframes", "object", "progress", "rp", "video",
})  # fmt: skip
_SHOWS_NOTHING: Final = frozenset({"none", "table-column", "table-column-group"})
_NOT_SHOWN_YET: Final = frozenset({"details", "dialog"})
_REMOTE: Final = re.compile(r"@import\b[^;{}]{0,120}|url\(\s*['\"]?(?!data:|#)[^)'\"\s]{0,120}", re.IGNORECASE)
_BESIDE: Final = ("alt", "title", "aria-label", "value", "placeholder", "label")
_IN_A_ROW: Final = frozenset({"br", "td", "th"})
_HREF: Final = re.compile(r"""\shref\s*+=\s*+["']([^"']++)["']""", re.IGNORECASE)
_SPECK: Final = re.compile(r"0{0,3}[01](?:px)?")


def leads_somewhere(target: str | None) -> bool:
    """Whether a link has an address that a mailbox can follow."""
    scheme, colon, rest = (target or "").strip().partition(":")
    return bool(colon and rest) and scheme.casefold() in SCHEMES


@frozen(kw_only=True)
class Anchor:
    """A link.

    Attributes:
        target: where it leads, or None where it does not say.
        words: what is read of it: its text, the alternatives of its images, its label.
        seen: what of it is seen: its text and the alternatives of its images, unless they are hidden.
        pictured: whether it holds an image.
    """

    target: str | None
    words: str
    seen: str
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
        blocks: what is read, each paragraph, cell or entry by itself; hidden or not.
        rows: the same, but for lines of a paragraph and cells of a row, which are read as one.
        labels: what is read beside it, or instead of an image: alternatives, titles, labels.
        seen: the blocks without what is hidden.
        points: what is seen between the marks of each point that is marked.
        anchors: its links.
        images: its images.
        marks: how many marks stand where text does, or a comment.
        calls: how many primary calls to action have a link that is seen, with nothing between the two.
        bare_tables: how many tables are neither marked as layout nor have header cells.
        active: what acts: elements such as `<script>`, attributes such as `onclick`.
        remote: what its styles would load.
    """

    language: str
    headings: int
    blocks: tuple[str, ...]
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    seen: tuple[str, ...]
    points: Mapping[Point, str]
    anchors: tuple[Anchor, ...]
    images: tuple[Image, ...]
    marks: int
    calls: int
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
            blocks=_texts(reader.blocks),
            rows=_texts(reader.rows),
            labels=_texts([one] for one in reader.labels),
            seen=_texts(reader.seen),
            points={point: one_line("".join(said)) for point, said in reader.points.items()},
            anchors=tuple(
                Anchor(target=one.target, words=one.said(), seen=one.shown(), pictured=bool(one.alts))
                for one in reader.anchors
            ),
            images=tuple(
                Image(source=one.source, alt=one.alt, alone=one.within is not None and not one.within.speaks)
                for one in reader.images
            ),
            marks=reader.marks,
            calls=reader.calls,
            bare_tables=reader.bare_tables,
            active=tuple(dict.fromkeys(reader.active)),
            remote=tuple(dict.fromkeys(reader.remote)),
        )


def _texts(blocks: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(text for block in blocks if (text := one_line("".join(block))))


@define
class _Anchor:
    target: str | None
    label: str
    parts: list[str] = field(factory=list)
    alts: list[str] = field(factory=list)
    seen: list[str] = field(factory=list)
    speaks: bool = False  # by more than its images

    def said(self) -> str:
        return one_line(" ".join((self.label, *self.parts, *self.alts)))

    def shown(self) -> str:
        return one_line(" ".join(self.seen))


@define
class _Image:
    source: str
    alt: str | None
    within: _Anchor | None


@frozen
class _Element:
    """An element that is open, and why what stands in it is not seen."""

    tag: str = ""
    is_block: bool = False
    gone: bool = False  # with all that is in it
    hidden: bool = False  # but for what is in it and says that it is visible
    tiny: bool = False  # its words, but for those that say how large they are; its images are seen

    @property
    def shows_images(self) -> bool:
        return not (self.gone or self.hidden)

    @property
    def shows_words(self) -> bool:
        return self.shows_images and not self.tiny


class _Reader(HTMLParser):
    """Goes through a page once."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self.headings = 0
        self.blocks: list[list[str]] = [[]]
        self.rows: list[list[str]] = [[]]
        self.labels: list[str] = []
        self.seen: list[list[str]] = [[]]
        self.points: dict[Point, list[str]] = {}
        self.anchors: list[_Anchor] = []
        self.images: list[_Image] = []
        self.marks = 0
        self.calls = 0
        self.bare_tables = 0
        self.active: list[str] = []
        self.remote: list[str] = []
        self._within: _Anchor | None = None
        self._making: Counter[Point] = Counter()  # points that have begun, and not ended
        self._tables: list[bool] = []  # whether each open table says what it is
        self._unread: list[str] = []
        self._open: list[_Element] = [_Element()]
        self._for_outlook: set[str] = set()
        self._calling = False  # a primary call to action was counted, and its link is still to come
        self._said_since = False  # in the same block

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        here = self._opened(tag, said)
        if tag not in _VOID:
            self._open.append(here)
        if here.is_block:
            self._end_block(tag)
        if tag in ACTIVE:
            self.active.append(f"<{tag}>")
        self.active += [name for name in said if name.startswith("on")]
        self.labels += [said[name] for name in _BESIDE if name in said]
        self._look_at_style(said.get("style", ""))
        if tag in _UNREAD:
            self._unread.append(tag)
        elif tag == "html":
            self.language = said.get("lang", "").strip()
        elif tag == "h1":
            self.headings += 1
        elif tag == "a" and ("href" in said or not said.keys() & {"name", "id"}):  # the others are places, not links
            label = said.get("aria-label", "")
            self._within = _Anchor(said.get("href"), label, speaks=bool(label.strip()))
            self.anchors.append(self._within)
        elif tag == "img":
            self.images.append(_Image(said.get("src", ""), said.get("alt"), self._within))
            if self._within is not None:
                self._within.alts.append(said.get("alt", ""))
                if here.shows_images:
                    self._within.seen.append(said.get("alt", ""))
        elif tag == "table":
            self._tables.append(said.get("role", "") in ("presentation", "none"))
        elif tag == "th" and self._tables:
            self._tables[-1] = True

    def handle_endtag(self, tag: str) -> None:
        if self._closed(tag):
            self._end_block(tag)
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()
        elif tag == "a":
            self._end_anchor()
        elif tag == "table" and self._tables and not self._tables.pop():
            self.bare_tables += 1

    def handle_data(self, data: str) -> None:
        if self._unread:
            if self._unread[-1] == "style":
                self._look_at_style(data)
            return
        text, *called = data.split(CALL)
        self.marks += len(called)
        self._take(text)
        for text in called:
            if self._open[-1].shows_words:
                self._calling, self._said_since = True, False
            self._take(text)

    def handle_comment(self, data: str) -> None:
        mark = read_mark(data)
        if mark is not None:
            point, begins = mark
            self.marks += 1
            self._making[point] = max(0, self._making[point] + (1 if begins else -1))
        if "mso" in data.partition("]")[0]:
            self._for_outlook.update(map(unescape, _HREF.findall(data)))

    def _take(self, text: str) -> None:
        self.blocks[-1].append(text)
        self.rows[-1].append(text)
        if self._within is not None:
            self._within.parts.append(text)
            self._within.speaks |= bool(text.strip())
        if self._open[-1].shows_words:
            self.seen[-1].append(text)
            self._take_for_points(text)
            if self._within is not None:
                self._within.seen.append(text)
            elif self._calling and has_words(text):
                self._said_since = True

    def _take_for_points(self, text: str) -> None:
        for point, begun in self._making.items():  # four at most
            if begun > 0:
                self.points.setdefault(point, []).append(text)

    def _end_block(self, tag: str) -> None:
        self._take_for_points(" ")
        self.blocks.append([])
        self.seen.append([])
        if tag in _IN_A_ROW:
            self.rows[-1].append(" ")
        else:
            self.rows.append([])
        if self._said_since and tag != "br":
            self._calling = self._said_since = False

    def _end_anchor(self) -> None:
        anchor, self._within = self._within, None
        if self._calling and anchor is not None and has_words(anchor.shown()) and leads_somewhere(anchor.target):
            self.calls += 1
            self._calling = self._said_since = False

    def _opened(self, tag: str, said: Mapping[str, str]) -> _Element:
        outer = self._open[-1]
        style = _declared(said["style"]) if "style" in said else {}
        return _Element(
            tag=tag,
            is_block=tag not in _INLINE or style.get("display") in OF_BLOCKS,
            gone=outer.gone or self._is_gone(tag, said, style),
            hidden=is_hidden(style.get("visibility"), outer.hidden),
            tiny=is_tiny(style, outer.tiny),
        )

    def _is_gone(self, tag: str, said: Mapping[str, str], style: Mapping[str, str]) -> bool:
        if tag in _NOT_SHOWN or (tag in _NOT_SHOWN_YET and "open" not in said):
            return True
        if "hidden" in said and style.get("display", "revert") in ("revert", "unset", "revert-layer"):
            return True
        if "popover" in said or "inert" in said:
            return True
        if tag == "img" and (
            any(_is_speck(said.get(name)) for name in ("width", "height"))
            or any(is_nothing(style.get(name)) or _is_speck(style.get(name)) for name in SIZES)
        ):
            return True
        if style.get("mso-hide") == "all" and said.get("href") not in self._for_outlook:
            return True  # a button that is drawn for Outlook in a comment is hidden from it where it stands for others
        if style.get("display") in _SHOWS_NOTHING or style.get("content-visibility") == "hidden":
            return True
        return is_nothing(style.get("opacity")) or is_nothing(style.get("zoom")) or cuts_off(style)

    def _closed(self, tag: str) -> bool:
        """Close what is open of a tag, and whether it was a block."""
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                was_block = self._open[place].is_block
                del self._open[place:]
                return was_block
        return tag not in _INLINE

    def _look_at_style(self, style: str) -> None:
        self.remote += [found[0].strip() for found in _REMOTE.finditer(style)]


def _declared(style: str) -> Mapping[str, str]:
    return _known_style(style) if len(style) <= _SHORT else declared(style)


_SHORT: Final = 500
_known_style = lru_cache(maxsize=1_024)(declared)
"""Most elements of a mail have one of few styles."""


def _is_speck(value: str | None) -> bool:
    """Whether a size of an image is none, or so small that it can only be there to count who opens a mail."""
    return value is not None and _SPECK.fullmatch(value.strip()) is not None
