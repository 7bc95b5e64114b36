"""What goes into the HTML parser: nothing that makes much of little, or ends the process (F54).

Theory of operation. The rules of CSS are moved into the elements by a parser that builds what a browser builds, and
three things in a template of a few characters would be too much for it: elements nested by the ten thousand, each a
call in another; elements that are closed out of order, since a browser opens them again in every paragraph after; and
rules by the thousand, each written into every element that it fits. So the tags are read here first, and counted.

That is only of use if both read the same tags. What browsers read in ways of their own is therefore refused: a stray
`<`, an attribute with half its quotes, and the few elements within which tags are none (`<script>`, `<textarea>`,
`<svg>`), all of which mailboxes drop.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from lifecycle_mail.errors import InvalidTemplate

MAX_TAGS: Final = 20_000
"""Tags of one mail; a long one has a thousand."""
MAX_OPEN: Final = 100
"""Elements that are open at once."""
MAX_STYLED: Final = 20_000_000
"""Characters of rules, times tags: what could be written into the elements."""
_MAX_REOPENED: Final = 100_000

UNWRITTEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that no mail is written with."""

_ATTRIBUTE: Final = r"""\s++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+"""
_TAG: Final = re.compile(
    r"<(?:!--(?!-?>)(?P<comment>.*?)-->|!doctype\s++html(?:\s[^<>\[\]]*+)?+>|/(?P<end>[a-z][a-z0-9:-]*+)\s*+>|"
    rf"(?P<start>[a-z][a-z0-9:-]*+)(?:{_ATTRIBUTE})*+\s*+/?>)",
    re.IGNORECASE | re.DOTALL,
)
_END_OF: Final = {name: re.compile(rf"</{name}\s*+>", re.IGNORECASE) for name in ("style", "title")}
"""Elements that hold a text, with all its `<`."""

_EMPTY: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_ENDED_BY_OTHERS: Final = frozenset({"body", "dd", "dt", "head", "html", "li", "p"})
_OF_TABLES: Final = frozenset({"caption", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"})
_REOPENED: Final = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_OF_PAGES: Final = frozenset({
    "basefont", "bgsound", "frame", "frameset", "iframe", "keygen", "math", "noembed", "noframes", "noscript",
    "plaintext", "script", "select", "svg", "template", "textarea", "xmp",
})  # fmt: skip


def check_characters(text: str, *, template: str) -> None:
    """Check that a text can be written into a mail.

    Raises:
        InvalidTemplate: it has control characters, or halves of characters.
    """
    found = UNWRITTEN.search(text)
    if found is not None:
        raise InvalidTemplate(
            template=template, line=None, reason=f"it writes U+{ord(found[0]):04X}, which is no character of a text"
        )


def check_markup(html: str, *, template: str) -> None:
    """Check the HTML of a mail before it is parsed.

    Args:
        html: all of it, as the templates made it.
        template: the one to blame.

    Raises:
        InvalidTemplate: tags that cannot be told, are closed out of order, or are too many.
    """
    reader = _Reader(template)
    at = html.find("<")
    while at >= 0:
        tag = _TAG.match(html, at)
        if tag is None or "--!>" in (tag["comment"] or ""):
            reader.refuse(f"{html[at : at + 40]!r} is no tag: write &lt; for the sign, and attributes in quotes")
        at = tag.end()
        if tag["end"]:
            reader.close(tag["end"].lower())
        elif tag["start"]:
            name = tag["start"].lower()
            reader.open(name)
            if name in _END_OF:
                end = _END_OF[name].search(html, at)
                if end is None:
                    reader.refuse(f"<{name}> is not closed")
                reader.styles += end.start() - at if name == "style" else 0
                reader.close(name)
                at = end.end()
        at = html.find("<", at)
    if reader.styles * reader.tags > MAX_STYLED:
        reader.refuse(f"{reader.styles:,} characters of rules for {reader.tags:,} tags are too many")


class _Reader:
    def __init__(self, template: str) -> None:
        self.template = template
        self.tags = 0
        self.styles = 0
        self.reopened = 0
        self.opened: list[str] = []

    def refuse(self, reason: str) -> NoReturn:
        raise InvalidTemplate(template=self.template, line=None, reason=f"its HTML: {reason}")

    def open(self, name: str) -> None:
        if name in _OF_PAGES:
            self.refuse(f"mailboxes drop <{name}>: take it out")
        self.count()
        if name not in _EMPTY:
            self.opened.append(name)
            if len(self.opened) > MAX_OPEN:
                self.refuse(f"more than {MAX_OPEN} elements are open at once: close them")

    def close(self, name: str) -> None:
        self.count()
        # A cell ends what was opened in it, and not the other way round: what was opened around it would stay open.
        ended = _ENDED_BY_OTHERS | (_OF_TABLES - {"table"} if name in _OF_TABLES else frozenset())
        while self.opened and self.opened[-1] != name and self.opened[-1] in ended:
            self.opened.pop()
        if not self.opened or self.opened.pop() != name:
            self.refuse(f"</{name}> does not close what was opened last: close elements in their order")

    def count(self) -> None:
        self.tags += 1
        self.reopened += sum(name in _REOPENED for name in self.opened)
        if self.tags > MAX_TAGS or self.reopened > _MAX_REOPENED:
            self.refuse(f"more than {self.tags - 1:,} tags are too many")
