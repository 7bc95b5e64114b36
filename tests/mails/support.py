"""A judge of our own: which features of HTML and CSS a mail uses, and which clients do not know them.

The data is Can I email's, a list of features with a verdict for each client: `y` it knows it, `n` it does not, `a` in
part. A feature is told by its slug and its title, so that each gets a detector without being named here, but for those
whose title says too little. `Undetected` is raised for a feature that no rule covers: new data cannot slip by.

A mail counts as using what stands in it anywhere, in the rules of a `<style>` that match nothing too; what stands in a
conditional comment is read by Outlook for Windows alone, which is who it is written for, and is not looked at.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final

from attrs import field, frozen

Feature = Mapping[str, Any]
Finding = tuple[str, str, str]
"""The title of a feature, the client, and its verdict: `n` or `a`."""


class Undetected(Exception):
    """No rule here can tell whether a mail uses a feature."""


@frozen
class Used:
    """What stands in a mail.

    Attributes:
        elements: name and attributes of each.
        declarations: property and value, of rules and of style attributes.
        selectors: of rules.
        at_rules: name and prelude, such as `@media (prefers-color-scheme: dark)`.
        doctype: the document's type, in small letters.
        comments: whether there are comments, of `html` and of `css`.
    """

    elements: list[tuple[str, dict[str, str]]] = field(factory=list)
    declarations: set[tuple[str, str]] = field(factory=set)
    selectors: set[str] = field(factory=set)
    at_rules: set[str] = field(factory=set)
    doctype: list[str] = field(factory=list)
    comments: set[str] = field(factory=set)


# --- reading --------------------------------------------------------------------------------------------------------

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_PIECE: Final = re.compile(r""" "[^"]*" | '[^']*' | \([^()]*\) | [{};] | [^{};"'(]+ | . """, re.VERBOSE | re.DOTALL)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.used = Used()
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.used.elements.append((tag, said))
        self._style = tag == "style"
        _declare(self.used, said.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._style = self._style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            if _COMMENT.search(data):
                self.used.comments.add("css")
            _rules(self.used, iter(_PIECE.findall(_COMMENT.sub(" ", data))))

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the reader of the standard library calls it
        self.used.comments.add("html")

    def handle_decl(self, decl: str) -> None:
        self.used.doctype.append(decl.lower())


def _rules(used: Used, pieces: Iterator[str], selector: str = "") -> None:
    """Read rules until the block that they stand in ends; `selector` is that of a block of declarations."""
    said = ""
    for piece in pieces:
        if piece == "{":
            head = " ".join(said.split())
            if head.startswith("@"):
                used.at_rules.add(head.lower())
                _rules(used, pieces, "&" if head.startswith("@font-face") else "")
            else:
                used.selectors.update(f"{'& ' if selector else ''}{one.strip()}" for one in head.split(","))
                if "," in head:
                    used.selectors.add(head)
                _rules(used, pieces, head)
            said = ""
        elif piece in "};":
            if said.strip().startswith("@"):
                used.at_rules.add(" ".join(said.lower().split()))
            else:
                _declare(used, said)
            if piece == "}":
                return
            said = ""
        else:
            said += piece


def _declare(used: Used, text: str) -> None:
    parts = "".join("\0" if piece == ";" else piece for piece in _PIECE.findall(text)).split("\0")
    for one in parts:
        name, colon, value = one.partition(":")
        if colon:
            used.declarations.add((name.strip().lower(), " ".join(value.lower().split())))


def read(html: str) -> Used:
    """Read a mail."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.used


# --- telling --------------------------------------------------------------------------------------------------------

Detector = Callable[[Used], bool]


def _any_property(pattern: str) -> Detector:
    return lambda used: any(re.fullmatch(pattern, name) for name, _ in used.declarations)


def _any_value(pattern: str, names: str = ".*") -> Detector:
    return lambda used: any(
        re.search(pattern, value) and re.fullmatch(names, name) for name, value in used.declarations
    )


def _any_selector(pattern: str) -> Detector:
    return lambda used: any(re.search(pattern, selector) for selector in used.selectors)


def _any_at_rule(pattern: str) -> Detector:
    return lambda used: any(re.match(pattern, rule) for rule in used.at_rules)


def _any_element(names: str, attribute: str = "", value: str = ".*") -> Detector:
    return lambda used: any(
        re.fullmatch(names, tag) and (not attribute or (attribute in said and re.match(value, said[attribute])))
        for tag, said in used.elements
    )


def _any_image(pattern: str) -> Detector:
    named, styled = _any_element("img|source|video", "src", pattern), _any_value(rf"url\(\s*[\"']?{pattern}")
    return lambda used: named(used) or styled(used)


def _either(*detectors: Detector) -> Detector:
    return lambda used: any(one(used) for one in detectors)


_SIDES: Final = "(-(top|right|bottom|left))?"

SPECIAL: Final[Mapping[str, Detector]] = {
    "amp": _any_element("html", "amp4email"),
    "bimi": lambda _used: False,  # a record of the sender's domain, nothing that stands in a mail
    "css-animation": _any_property("animation(-.+)?"),
    "css-border": _any_property(f"border{_SIDES}(-(width|style|color))?"),
    "css-border-image": _any_property("border-image(-.+)?"),
    "css-border-inline-block": _any_property("border-(inline|block)"),
    "css-border-inline-block-individual": _any_property("border-(inline|block)-(start|end)(-.+)?"),
    "css-border-inline-block-longhand": _any_property("border-(inline|block)-(width|style|color)"),
    "css-border-radius": _any_property("border(-(top|bottom)-(left|right))?-radius"),
    "css-border-radius-logical": _any_property("border-(start|end)-(start|end)-radius"),
    "css-column-layout-properties": _any_property("columns|column-(fill|rule.*|span|width)"),
    "css-comments": lambda used: "css" in used.comments,
    "css-important": _any_value("! *important"),
    "css-inert-attribute": _any_element(".*", "inert"),
    "css-intrinsic-size": _any_value(r"\b(fit|min|max)-content\b"),
    "css-list-style": _any_property("list-style"),
    "css-margin": _any_property(f"margin{_SIDES}"),
    "css-mask-image": _any_property("mask(-image)?"),
    "css-nesting": _any_selector("&"),
    "css-outline": _any_property("outline(-(width|style|color))?"),
    "css-overflow": _any_property("overflow(-[xy])?"),
    "css-padding": _any_property(f"padding{_SIDES}"),
    "css-scroll-snap": _any_property("scroll-(snap|margin|padding).*"),
    "css-selector-adjacent-sibling": _any_selector(r"\+"),
    "css-selector-attribute": _any_selector(r"\["),
    "css-selector-chaining": _any_selector(r"\.[\w-]+\.[\w-]+"),
    "css-selector-child": _any_selector(">"),
    "css-selector-class": _any_selector(r"\."),
    "css-selector-descendant": _any_selector(r"[\w)\]*&] +[\w.#\[:*]"),
    "css-selector-general-sibling": _any_selector("~"),
    "css-selector-grouping": _any_selector(","),
    "css-selector-id": _any_selector("#"),
    "css-selector-type": _any_selector(r"(^|[ >+~,])[a-z][\w-]*"),
    "css-selector-universal": _any_selector(r"\*"),
    "css-sytem-ui": _any_value(r"\b(system-ui|ui-[a-z-]+)"),
    "css-text-emphasis": _any_property("text-emphasis(-(color|style))?"),
    "css-transition": _any_property("transition(-.+)?"),
    "css-unit-initial": _any_value(r"\binitial\b"),
    "css-variables": _either(_any_property("--.+"), _any_value(r"\bvar\(")),
    "html-address": _any_element("address"),
    "html-anchor-links": _any_element("a", "href", "#."),
    "html-comments": lambda used: "html" in used.comments,
    "html-doctype": lambda used: "doctype html" in used.doctype,
    "html-h1-h6": _any_element("h[1-6]"),
    "html-image-maps": _any_element("map|area"),
    "html-lists": _any_element("ul|ol|dl"),
    "html-mailto-links": _any_element("a", "href", "mailto:"),
    "html-meta-color-scheme": _any_element("meta", "name", "color-scheme$"),
    "html-semantics": _any_element(
        "article|aside|details|figcaption|figure|footer|header|main|mark|nav|section|summary|time"
    ),
    "html-srcset": _either(_any_element(".*", "srcset"), _any_element(".*", "sizes")),
    "html-svg": _any_element("svg"),
    "image-base64": _any_image("data:image/"),
    "image-jpg": _any_image(r"[^?#]*\.jpe?g"),
    "image-tiff": _any_image(r"[^?#]*\.tiff?"),
    "image-heif": _any_image(r"[^?#]*\.hei[cf]"),
}
"""Features whose titles do not say how to find them, by slug."""


def detector(feature: Feature) -> Detector:
    """Return what tells whether a mail uses a feature.

    Raises:
        Undetected: nothing here can.
    """
    slug, title = str(feature["slug"]), str(feature["title"]).strip()
    if slug in SPECIAL:
        return SPECIAL[slug]
    if feature["category"] == "image":
        return _any_image(rf"[^?#]*\.{slug.removeprefix('image-')}\b")
    if found := re.fullmatch(r"(@media)? ?(@[\w-]+|\(.+\).*)", title):
        names = re.findall(r"\(([\w-]+)\)", title)
        return _any_at_rule(rf"@media.*({'|'.join(names)})" if names else rf"{found[2]}\b")
    if found := re.fullmatch(r"([a-z-]+): ?([a-z]+)", title):
        return _any_value(rf"^{found[2]}\b", found[1])
    if slug.startswith("css-pseudo-"):
        return _any_selector(rf"::?{slug.split('-', 3)[3]}(?![\w-])")
    if names := re.findall(r"([a-z-]+)\(\)", title):
        return _any_value(rf"(?<![\w-])({'|'.join(names)})\(")
    if slug.startswith("css-unit-"):
        return _any_value(rf"\d{title.split()[0]}(?![\w%])")
    if found := re.fullmatch(r'<(\w+)(?: (\w+)="(\w+)")?>(?: element)?', title):
        return _any_element(found[1], found[2] or "", f"{found[3]}$")
    if found := re.fullmatch(r"([a-z-]+) attribute", title):
        return _any_element(".*", found[1])
    names = re.split(r", | & ", re.sub(r" (shorthand|property|CSS property)$", "", title))
    if feature["category"] == "css" and all(re.fullmatch(r"[a-z-]+", name) for name in names):
        return _any_property("|".join(names))
    raise Undetected(f"{slug}: {title!r} is a new feature; say in SPECIAL how a mail that uses it is told")


def verdict(feature: Feature, client: str) -> str:
    """Return whether the newest version of a client knows a feature: y, n, a, or u where nobody knows.

    Args:
        feature: one of the data's.
        client: family and platform, such as `outlook.windows`.
    """
    family, platform = client.split(".")
    versions = feature["stats"].get(family, {}).get(platform, {})
    if not versions:
        return "u"
    # As written the newest comes last, but for some that are dated; those that have numbers are not sorted as texts.
    dated = all(re.fullmatch(r"\d{4}-\d\d", version) for version in versions)
    newest = max(versions) if dated else list(versions)[-1]
    return str(versions[newest]).split(maxsplit=1)[0]


def findings(html: str, features: Iterable[Feature], clients: Iterable[str]) -> set[Finding]:
    """Return what a mail uses that clients do not know, or in part alone."""
    used, asked = read(html), tuple(clients)
    return {
        (str(feature["title"]).strip(), client, said)
        for feature in features
        if detector(feature)(used)
        for client in asked
        if (said := verdict(feature, client)) in ("n", "a")
    }
