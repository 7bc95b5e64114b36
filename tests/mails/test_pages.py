"""What is read off the HTML of a mail."""

from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.marks import CALL
from lifecycle_mail.mails.pages import Anchor, Image, Page


def test_words_are_read_block_by_block() -> None:
    """A sentence ends with its paragraph or cell, and not with a bold word in it; what is not shown is not read."""
    page = Page.read(
        "<html><head><title>Title</title><style>p { color: red }</style></head><body><h1>Hello</h1>"
        "<p>One <b>b</b>old&nbsp;word</p><ul><li>First</li><li>Second<br>line</li></ul><!-- said to nobody -->"
        "<script>run()</script></body></html>"
    )
    assert ("Hello", "One bold word", "First", "Second", "line") == page.blocks
    assert 1 == page.headings


def test_rows_and_labels_are_read_as_one() -> None:
    """Lines of a paragraph and cells of a row go on; what stands beside the words is read too."""
    page = Page.read(
        '<p>One<br>two</p><table><tr><th>A</th><td>b</td></tr><tr><td>c</td></tr></table><img alt="Bees" title="Zum">'
    )
    assert ("One two", "A b", "c") == page.rows
    assert ("Bees", "Zum") == page.labels


def test_a_link_is_read_by_its_text_label_and_images() -> None:
    """What a screen reader would say of it."""
    page = Page.read(
        '<a href="https://a.example">A <i>link</i></a><a href="https://b.example"><img src="b.png" alt="Bees"></a>'
        '<a href="https://c.example" aria-label="Sea"> </a><a>Nowhere</a><a name="place"></a>'
    )
    expected = (
        Anchor(target="https://a.example", words="A link", seen="A link", pictured=False),
        Anchor(target="https://b.example", words="Bees", seen="Bees", pictured=True),
        Anchor(target="https://c.example", words="Sea", seen="", pictured=False),
        Anchor(target=None, words="Nowhere", seen="Nowhere", pictured=False),
    )
    assert expected == page.anchors


@pytest.mark.parametrize(
    ("seen", "html"),
    [
        (("One", "four"), '<p>One</p><div style="display: none"><p>two</p><br><img src="x">three</div><p>four</p>'),
        (("One",), '<p>One</p><p style="display:none">two'),
        (("One", "two"), "<p>One<b hidden> and</b></p><p>two</b></i></p>"),
        (("One",), "<p>One</p><details><summary>two</summary>three</details>"),
        (("One", "two"), "<p>One</p><dialog open>two</dialog>"),
        (("One",), '<p style="visibility: hidden">two<b style="visibility: visible">One</b></p>'),
        (
            ("One",),
            '<p style="font-size: 0.0px">two<b style="font-size: inherit">too</b><b style="font: 9px a">One</b></p>',
        ),
        (("One",), '<p style="color: red; display: none; display: block">One</p>'),
        ((), '<p style="display: none !important; display: block">One</p>'),
        ((), '<div style="content-visibility: hidden"><p>One</p></div>'),
        (("One", "two"), '<span style="display: table-cell">One</span>two'),
        (("Onetwo",), '<span style="display: inline-block">One</span>two'),
        ((), "<title>One</title><style>two</style>"),
    ],
)
def test_what_is_seen_is_told_from_what_is_hidden(seen: tuple[str, ...], html: str) -> None:
    """An element hides what is in it up to its end, and elements without an end hide nothing."""
    assert seen == Page.read(html).seen


@pytest.mark.parametrize("size", ['width="1"', 'style="height: 1px"', 'style="max-width: 0"', 'width="0" height="20"'])
def test_a_speck_is_no_image_that_is_seen(size: str) -> None:
    """A link of nothing else has no words, however its size is written."""
    page = Page.read(f'<a href="https://a.example"><img {size} src="x" alt="One"></a>')
    assert [("One", "")] == [(one.words, one.seen) for one in page.anchors]


def test_what_stands_in_a_field_is_read() -> None:
    """It is shown, though no element holds it."""
    page = Page.read('<input value="One" placeholder="two"><option label="three">')
    assert ("One", "two", "three") == page.labels


def test_hidden_words_of_a_link_are_read_and_not_seen() -> None:
    """A filter reads them, and nobody who would follow the link does."""
    page = Page.read('<a href="x">One<b style="opacity: 0">two</b><img alt="three"><img alt="four" hidden></a>')
    assert ["One two three four"] == [one.words for one in page.anchors]
    assert ["One three"] == [one.seen for one in page.anchors]


@pytest.mark.parametrize(
    ("calls", "html"),
    [
        (1, "|<a href='https://a.example'>One</a>"),
        (1, "|<p><a href='https://a.example'>One</a></p><p>two</p><p><a href='https://a.example'>three</a></p>"),
        (2, "|<a href='https://a.example'>One</a>|<a href='https://a.example'>two</a>"),
        (1, "||<a href='https://a.example'>One</a>"),
        (1, "|One<br>two <a href='https://a.example'>three</a>"),
        (0, "|<p>One</p><a href='https://a.example'>two</a>"),
        (0, "<a href='https://a.example'>One</a>|"),
        (0, "|<a href='https://a.example'><b hidden>One</b></a>"),
        (0, "|<a href='javascript:x()'>One</a>"),
        (0, "<p hidden>|</p><a href='https://a.example'>One</a>"),
    ],
)
def test_a_call_is_a_link_right_behind_its_mark(calls: int, html: str) -> None:
    """Nothing but words of the same paragraph may stand between the two, and the marks are no words."""
    page = Page.read(html.replace("|", CALL))
    assert calls == page.calls
    assert all(CALL not in block for block in page.blocks)


def test_an_image_is_alone_where_its_link_holds_nothing_else() -> None:
    """An image beside the words of a link is decoration; one outside of a link may be."""
    page = Page.read('<img src="1"><a href="x"><img src="2" alt=""></a><a href="x"><img src="3" alt=""> Words</a>')
    expected = (
        Image(source="1", alt=None, alone=False),
        Image(source="2", alt="", alone=True),
        Image(source="3", alt="", alone=False),
    )
    assert expected == page.images


@pytest.mark.parametrize(
    ("bare", "html"),
    [
        (1, "<table><tr><td>1</td></tr></table>"),
        (0, '<table role="presentation"><tr><td>1</td></tr></table>'),
        (0, '<table role="none"><tr><td>1</td></tr></table>'),
        (0, "<table><tr><th>Name</th><td>1</td></tr></table>"),
        (1, '<table role="presentation"><tr><td><table><tr><td>1</td></tr></table></td></tr></table>'),
        (1, "<table><tr><td><table><tr><th>Inner</th></tr></table></td></tr></table>"),
    ],
)
def test_a_table_says_what_it_is(bare: int, html: str) -> None:
    """By a role or by header cells of its own; those of a table inside it say nothing about it."""
    assert bare == Page.read(html).bare_tables


def test_what_acts_is_found_once() -> None:
    """Elements and attributes, each named as somebody would look for it."""
    page = Page.read('<form><input><input></form><p onclick="x()" class="only">x</p><iframe></iframe>')
    assert ("<form>", "<input>", "onclick", "<iframe>") == page.active


@pytest.mark.parametrize(
    ("remote", "html"),
    [
        (("url(https://a.example/b.png",), '<p style="background: url(https://a.example/b.png)">x</p>'),
        (("url('//a.example",), "<style>p { background: url('//a.example') }</style>"),
        (('@import "a.css"',), '<style>@import "a.css";</style>'),
        ((), '<p style="background: url(data:image/png;base64,AA)">x</p>'),
        ((), "<style>p { fill: url(#shape) }</style>"),
        ((), "<p>url(https://a.example) @import</p>"),
    ],
)
def test_what_styles_would_load(remote: tuple[str, ...], html: str) -> None:
    """What comes with the mail, and what is only written in it, is left in peace."""
    assert remote == Page.read(html).remote


def test_the_language_is_that_of_the_page() -> None:
    """Of the whole, and not of a word in it."""
    assert "et" == Page.read('<html lang="et"><body><p lang="en">x</p></body></html>').language
    assert "" == Page.read('<html><body><p lang="en">x</p></body></html>').language


HOSTILE = {
    "images": lambda many: '<a href="x">' + "w " * 100 * many + "<img>" * 10 * many + "</a>",
    "links": lambda many: "<!--[if mso]>" + "a" * 400 * many + "<![endif]-->"
    + '<a href="aab" style="mso-hide:all">x</a>' * 10 * many,
}  # fmt: skip


@pytest.mark.parametrize("written", HOSTILE.values(), ids=HOSTILE)
def test_a_page_is_read_in_linear_time(written: Callable[[int], str]) -> None:
    """Eight times as much takes eight times as long, and not sixty: a template may write a lot (F54)."""

    def seconds(many: int) -> float:
        html, begin = written(many), process_time()
        Page.read(html)
        return process_time() - begin

    few, more = (min(seconds(many) for _ in range(3)) for many in (60, 480))
    assert more < 25 * few


PIECES = st.sampled_from([
    "<a href=x>", "</a>", "<img>", "<table>", "</table>", "<th>", "<style>", "</style>", "<script>", "words", "<", "&#",
    "<!--", "-->", "<![CDATA[", "url(", "@import", "\n", '"', "<p on", CALL, "<p hidden>", "</p>", "<b style='font:0'>",
    "<a style='mso-hide:all' href=x>", "<!--[if mso]>",
])  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_can_be_read(html: str) -> None:
    """However broken it is: the renderer mends HTML before, and this does not rely on it."""
    page = Page.read(html)
    assert all(block == " ".join(block.split()) for block in page.blocks)
    assert len(" ".join(page.seen)) <= len(" ".join(page.blocks))
