"""What is wrong with one mail, as it came out of its templates.

Words are judged as the reader sees them, without what the caller filled in. Links, images, tables and styles are looked
for in the HTML after its CSS was moved into the elements, which is what is sent. What the renderer itself refuses is
found by it (`lifecycle_mail.mails.lacks`), and told here by rule.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen
from babel import Locale

from lifecycle_mail.lint.subjects import check_subject
from lifecycle_mail.lint.words import GUILT, find_words
from lifecycle_mail.mails.filled import filled_in, paragraphs, without
from lifecycle_mail.mails.formats import Formats, locale_of
from lifecycle_mail.mails.hosts import OURSELVES
from lifecycle_mail.mails.lacks import Lack
from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.pages import SCHEMES, Page

MOST_BYTES: Final = 102_000
"""Bytes of HTML; Gmail clips what is longer, and the way out at its end with it."""

_SHOWN: Final = 60
_MARKUP: Final = re.compile(
    r"</?(?:a|b|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|span|strong|style|table|td|th|tr|u|ul)\b[^<>]{0,200}>"
    r"|&(?:[a-z]{2,8}|#\d{1,6});",
    re.IGNORECASE,
)
_BESIDE_THE_WEB: Final = SCHEMES - {"https", "http"}


@frozen(kw_only=True)
class Problem:
    """Something wrong with a mail.

    Attributes:
        rule: one of the rules of `lifecycle_mail.lint.templates`.
        message: what was found.
        fix: what to do about it.
        form: the part that it is about, `text` or `html`; empty for both.
        clue: a text that stands where the fault is, if the template writes it out, or empty.
        tag: one that stands there too, and perhaps elsewhere.
        place: the template and line that are to blame, where that is known.
    """

    rule: str
    message: str
    fix: str
    form: str = field(default="", eq=False)
    clue: str = ""
    tag: str = ""
    place: tuple[str, int | None] | None = None


def problems_of(mail: Mail, *, broken: Collection[str] = ()) -> Iterator[Problem]:
    """Find what is wrong with a mail, beside what it lacks.

    Args:
        mail: the mail, as far as it got.
        broken: the parts that it did not get to, `text` or `html`; nothing is found in them.
    """
    page = Page.read(mail.html)
    if "text" not in broken or mail.subject:
        yield from _in_subject(mail)
    yield from _in_words(mail, page)
    if "text" not in broken:
        yield from _in_preheader(mail)
        yield from _in_text(mail, page)
    if "html" not in broken:
        yield from _in_links(page)
        yield from _in_html(mail, page)


_TO_BE_SEEN: Final = (
    "write it as <a href> with words in it, outside of comments and of elements whose style or `hidden` keeps them "
    "from being seen"
)
_LACKS: Final[Mapping[str, tuple[str, str]]] = {
    "missing-point": (
        "{where} does not make the point {what!r}", 'put it into {{% call point("{what}") %}}...{{% endcall %}}',
    ),
    "empty-point": (
        "{where} shows no words for the point {what!r}",
        'write them between {{% call point("{what}") %}} and {{% endcall %}}, where they are seen',
    ),
    "unstated-cancellation": (
        "{where} does not say what was cancelled and when: {what} is missing",
        'print it between {{% call point("confirmation") %}} and {{% endcall %}}, where it is seen',
    ),
    "two-primary-calls": (
        "{where} has {what} primary calls to action",
        "keep part.button() for the one thing that matters, and take part.link() for the rest",
    ),
    "no-primary-call": (
        "{where} has no primary call to action", "say with part.button() what the reader is asked to do",
    ),
    "primary-call-without-link": (
        "{where} has a primary call to action without a link",
        "let {{{{ {what} }}}} stand right before its link, as in part.button()",
    ),
    "missing-unsubscribe": (
        "{where} has no link that leaves the list", "call part.footer() in the block `footer`, or print {what}",
    ),
    "hidden-unsubscribe": ("{where} has the link that leaves the list, and nobody can see or follow it", _TO_BE_SEEN),
    "missing-preferences": (
        "{where} has no link to the preferences", "call part.footer() in the block `footer`, or print {what}",
    ),
    "hidden-preferences": ("{where} has the link to the preferences, and nobody can see or follow it", _TO_BE_SEEN),
    "missing-postal-address": (
        "{where} does not say where the sender is",
        "call part.footer() in the block `footer`, or print each line of {what}",
    ),
    "hidden-postal-address": (
        "{where} says where the sender is, and nobody can see it",
        "take it out of comments and of elements whose style or `hidden` keeps them from being seen",
    ),
    "misplaced-mark": (
        "{where} has the mark of a point or of a primary call where it changes what is read",
        "let {{{{ {what} }}}} and points stand where text stands, and not in tags, styles or single words",
    ),
    "promotion": (
        "{what!r} promotes, in a mail that reaches those who opted out of marketing",
        "leave prices, discounts and offers to mails of a list",
    ),
}  # fmt: skip
_WHERE: Final = {"": "the mail", "text": "the plain text", "html": "the HTML"}


def problems_of_lacks(lacks: Iterable[Lack]) -> Iterator[Problem]:
    """Say what a mail lacks, once where both parts lack it. An empty subject is left to the check of subjects."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for lack in lacks:
        found.setdefault((lack.rule, lack.what.casefold()), {}).setdefault(lack.form, lack.what)
    for (rule, _), forms in found.items():
        if rule in _LACKS:
            form, what = next(iter(forms.items()))
            form = form if len(forms) == 1 else ""
            message, fix = (text.format(where=_WHERE[form], what=what) for text in _LACKS[rule])
            yield Problem(rule=rule, message=message, fix=fix, form=form, clue=what if rule == "promotion" else "")


def _in_preheader(mail: Mail) -> Iterator[Problem]:
    if not mail.preheader:
        yield Problem(
            rule="empty-preheader", message="the preheader is empty",
            fix="say in the block `preheader` what the mail is about", form="text",
        )  # fmt: skip


def _in_subject(mail: Mail) -> Iterator[Problem]:
    ahead = mail.spec.deadline_day(mail.to.zone) is not None
    plain = without(_values(mail), mail.subject)  # capitals and the like of a name are not the template's
    counts = {one.rule for one in check_subject(plain, kind=mail.kind, locale=mail.language, deadline=ahead)}
    for one in check_subject(mail.subject, kind=mail.kind, locale=mail.language, deadline=ahead):
        if one.rule in counts - {"guilt", "promotion"}:  # those are looked for in the whole mail
            message = f"the subject {mail.subject!r}: {one.message}"
            yield Problem(rule=f"subject-{one.rule}", message=message, fix=one.fix, form="text")


def _in_words(mail: Mail, page: Page) -> Iterator[Problem]:
    values = _values(mail)
    texts = (mail.subject, mail.preheader, mail.text, *page.blocks, *page.rows, *page.labels)
    blocks = dict.fromkeys(paragraphs(without(values, "\n\n".join(texts))))
    for words in _each_once(word for block in blocks for word in find_words(GUILT, block, mail.language)):
        yield Problem(
            rule="guilt", message=f"{words!r} makes people feel bad for leaving",
            fix="thank them, and say what they can do", clue=words,
        )  # fmt: skip


def _in_text(mail: Mail, page: Page) -> Iterator[Problem]:
    found = _MARKUP.search(mail.text)
    if found and _MARKUP.search(without(_values(mail), mail.text)):
        yield Problem(
            rule="markup-in-text", message=f"the plain text shows {found[0][:_SHOWN]!r}",
            fix="put HTML into a macro of parts.html, and its words into the same macro of parts.text",
            form="text", clue=found[0],
        )  # fmt: skip
    text = one_line(mail.text)
    home = mail.brand.website.rstrip("/")
    for anchor in page.anchors:
        target = anchor.target or ""
        scheme = _scheme(target)
        said = target.partition(":")[2].partition("?")[0] if scheme in _BESIDE_THE_WEB else target
        if scheme and said not in text and target.rstrip("/") != home:
            yield Problem(
                rule="missing-in-text", message=f"the link {_short(anchor.words or target)} is in the HTML alone",
                fix="write it in mail.text or parts.text too, for those who read the plain text", form="html",
                clue=target,
            )  # fmt: skip


def _in_links(page: Page) -> Iterator[Problem]:
    for anchor in page.anchors:
        if not anchor.words and not anchor.pictured:  # else the image is to blame
            yield Problem(
                rule="link-without-text", message=f"the link to {_short(anchor.target)} has no text",
                fix="write into it what is found there", form="html", clue=anchor.target or "", tag="<a",
            )  # fmt: skip
        yield from _leading_nowhere("link", anchor.target or "", "<a", _BESIDE_THE_WEB)
    for image in page.images:
        if image.alt is None or (image.alone and not image.alt.strip()):
            held = ", and is all that a link holds" if image.alone else ""
            yield Problem(
                rule="image-without-alt", message=f"the image {_short(image.source)} has no alternative text{held}",
                fix="say in `alt` what it shows, or where its link leads; leave it empty for mere decoration",
                form="html", clue=image.source, tag="<img",
            )  # fmt: skip
        yield from _leading_nowhere("image", image.source, "<img", frozenset({"cid"}))


def _leading_nowhere(what: str, target: str, tag: str, schemes: frozenset[str]) -> Iterator[Problem]:
    scheme = _scheme(target)
    if scheme == "http" and not _is_ourselves(target):
        yield Problem(
            rule="insecure-link", message=f"the {what} {_short(target)} is not https", fix="write https://",
            form="html", clue=target, tag=tag,
        )  # fmt: skip
    elif scheme not in ("https", "http") and scheme not in schemes:
        yield Problem(
            rule="dead-link", form="html", clue=target, tag=tag,
            message=f"the {what} {_short(target)} is nowhere" if target else f"the {what} has no address",
            fix="write out all of it, with https:// and the host",
        )  # fmt: skip


def _in_html(mail: Mail, page: Page) -> Iterator[Problem]:
    if len(mail.html.encode()) > MOST_BYTES:
        message = f"the HTML has more than {MOST_BYTES // 1000} kB"
        yield Problem(rule="too-big", message=message, fix="say less, or link to the rest", form="html")
    if not page.language:
        fix = 'write <html lang="{{ language }}">'
        yield Problem(
            rule="missing-language", message="the HTML does not say its language", fix=fix, form="html", tag="<html"
        )
    if not page.headings:
        fix = "write <h1>{{ subject }}</h1> above the body"
        yield Problem(rule="missing-heading", message="the HTML has no <h1>", fix=fix, form="html")
    if page.bare_tables:
        message = "a table is neither marked as layout nor has it cells that are headings"
        fix = 'write role="presentation" where it is layout, and <th> where it is a table'
        yield Problem(rule="unmarked-table", message=message, fix=fix, form="html", tag="<table")
    for one in page.active:
        message = f"{one} is taken out by mailboxes, or makes them distrust the mail"
        tag = one.rstrip(">")
        yield Problem(rule="active-content", message=message, fix="link to a page of yours", form="html", tag=tag)
    for one in page.remote:
        message = f"{_short(one)} is loaded from somewhere else when the mail is read"
        fix = "write styles out, and images as <img>"
        yield Problem(rule="remote-style", message=message, fix=fix, form="html", clue=one)


def _values(mail: Mail) -> tuple[str, ...]:
    formats = Formats(locale_of(mail.language) or Locale("en"), mail.to.zone)
    return filled_in(mail.spec, mail.brand, formats)


def _each_once(words: Iterable[str]) -> Iterator[str]:
    """Leave out what differs in capitals only."""
    found: dict[str, str] = {}
    for one in words:
        found.setdefault(one.casefold(), one)
    return iter(found.values())


def _short(text: str | None) -> str:
    return "nowhere" if not text else repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _scheme(target: str) -> str:
    scheme, colon, _ = target.strip().partition(":")
    return scheme.casefold() if colon else ""


def _is_ourselves(target: str) -> bool:
    try:
        return urlsplit(target).hostname in OURSELVES
    except ValueError:
        return False
