"""What goes into the HTML parser is counted first (F54)."""

import re
from contextlib import suppress

import css_inline
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.markup import MAX_OPEN, MAX_STYLED, MAX_TAGS, check_characters, check_markup
from tests.mails.rendered import EVERY, mail


@pytest.mark.parametrize(
    "html",
    [
        "",
        "no tags, 1 &lt; 2",
        "<!DOCTYPE html><html><head><title>a < b</title></head><body><p>x</p></body></html>",
        "<!-- a < b -- > c --><p>x</p>",
        "<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->",
        "<!--[if !mso]><!--><p>x</p><!--<![endif]-->",
        "<style>a > b { color: red } /* <i> */</style>",
        "<STYLE>a</sTyLe ><P>x</p >",
        "<ul><li>a<li>b</ul><p>a<p>b",
        "<table><tr><td>a<td>b<tr><td>c</table>",
        "<br><br/><hr /><img src=x alt=''><meta charset=\"utf-8\">",
        "<a href='https://x.example/?a=1&amp;b=2' class=link data-x>x</a>",
        "<a href=https://x.example/y>x</a>",
        "<td\n  bgcolor=\"#ffffff\"\n  valign = top\n>x</td>",
        "<b>" * MAX_OPEN + "</b>" * MAX_OPEN,
        "<br>" * MAX_TAGS,
        "<style>" + "a" * (MAX_STYLED // 4 - 10) + "</style><p></p>",
    ],
)  # fmt: skip
def test_what_mails_are_made_of_is_let_through(html: str) -> None:
    """Conditional comments, attributes in all ways of writing, and elements that end without a tag are fine."""
    check_markup(html, template="survey")


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("1 < 2", "is no tag"),
        ("<", "is no tag"),
        ("<p", "is no tag"),
        ("<p a='>", "is no tag"),
        ("<p a=x'y'>", "is no tag"),
        ("<p a=\"b\"c>", "is no tag"),
        ("<p =x>", "is no tag"),
        ("</p x>", "is no tag"),
        ("</>", "is no tag"),
        ("<!-->x-->", "is no tag"),
        ("<!--->x-->", "is no tag"),
        ("<!-- x", "is no tag"),
        ("<!-- x --!> <b> -->", "is no tag"),
        ("<![CDATA[x]]>", "is no tag"),
        ("<?php x ?>", "is no tag"),
        ("<!ENTITY x>", "is no tag"),
        ("<style>x", "<style> is not closed"),
        ("<title>x</titles>", "<title> is not closed"),
        ("<b><i>x</b></i>", "</b> does not close"),
        ("<b><td>x</b>", "</b> does not close"),
        ("x</p>", "</p> does not close"),
        ("</br>", "</br> does not close"),
        ("<p><b>x</p>", "</p> does not close"),
        ("<script>x</script>", "mailboxes drop <script>"),
        ("<SVG><p>", "mailboxes drop <svg>"),
        ("<textarea><!--</textarea>", "mailboxes drop <textarea>"),
        ("<b>" * (MAX_OPEN + 1), f"more than {MAX_OPEN} elements are open"),
        ("<br>" * (MAX_TAGS + 1), "more than 20,000 tags"),
        ("<b>" * 50 + "<br>" * 2_100, "tags are too many"),
        ("<style>" + "a" * (MAX_STYLED // 4 + 1) + "</style><p></p>", "characters of rules for 4 tags"),
        ("<style>aaaa</style>" * 4_000, "characters of rules"),
    ],
)  # fmt: skip
def test_what_browsers_read_in_ways_of_their_own_is_refused(html: str, reason: str) -> None:
    """What could hide a tag from the count, or be opened again, is refused, and so is what is too much."""
    with pytest.raises(InvalidTemplate, match=re.escape(reason)) as refused:
        check_markup(html, template="survey")
    assert ("survey", None) == (refused.value.template, refused.value.line)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_all_that_ships_would_pass(kind: Kind, language: str) -> None:
    """The mails that ship are held to the same as somebody's own."""
    made = mail(kind, language)
    check_markup(made.html, template=str(kind))
    check_characters(made.html + made.text + made.subject, template=str(kind))


PIECES = ["<", ">", "</", "/>", "<!--", "-->", "--!>", "<b", "<p>", "</p>", "<style>", "</style", "<title>", "=", "'"]
PIECES += ['"', " ", "a", "\n", "&lt;", "<br>", "`", "/", "!", "<a href=", "<b a='x'>", "</b>", "<i>", "</i>", "x"]
PIECES += ["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<li>", "</li>", "<ul>", "</ul>", "<div>", "</div>"]
PIECES += [
    "<object>",
    "</object>",
    "<caption>",
    "</caption>",
    "<a>",
    "</a>",
    "<nobr>",
    "</nobr>",
    "<button>",
    "</button>",
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), st.lists(st.sampled_from(PIECES), max_size=9))
@example("<tr><b a=1><td></b></td></tr>", ["<table>"])
@example("<b a=1><table><td></b></table>", [])
def test_what_is_let_through_does_not_grow(piece: str, before: list[str]) -> None:
    """Any text is let through or refused; and of what is let through the parser makes little more than there was."""
    many = "".join(piece.replace("a=1", f"a={n}").replace("'x'", f"'{n}'") for n in range(60))
    html = "".join(before) + many + "<p>x" * 200
    with suppress(InvalidTemplate):
        check_markup(html, template="survey")
        assert 30 * len(html) + 500 > len(css_inline.inline(html))


@pytest.mark.parametrize(
    "tail", ["<p " + "a " * 50_000, "<p a='" + "<" * 100_000, "<!--" * 30_000, "<p" + " " * 100_000]
)
def test_a_tag_without_an_end_is_read_once(tail: str) -> None:
    """A hundred thousand characters that are no tag after all are not read again from each of them."""
    with pytest.raises(InvalidTemplate, match="is no tag"):
        check_markup(tail, template="survey")


@pytest.mark.parametrize("char", ["\0", "\x1b", "\x7f", "\x85", "\r", "\u2028", "\ud800", "\uffff"])
def test_characters_that_are_none_are_refused(char: str) -> None:
    """Control characters and halves of characters are named."""
    with pytest.raises(InvalidTemplate, match=re.escape(f"U+{ord(char):04X}")):
        check_characters(f"a{char}", template="survey")


def test_all_other_characters_are_written() -> None:
    """Every script, emoji, signs of direction and joiners are characters of a text."""
    check_characters("a\tb\n\u200f\u200d\u05d0\u0e01\U0001f44b", template="survey")
