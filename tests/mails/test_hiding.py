"""What the style of an element hides, as a browser reads it (O2, R8, F54)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.hiding import cuts_off, declared, is_nothing
from lifecycle_mail.mails.pages import Page


@pytest.mark.parametrize(
    "style",
    [
        "display: none", "DISPLAY:NONE", "display:none;display:bogus", "display:block;display:none",
        "display:none!important;display:block", "display/* x */:none", "display:none/*", "d\\69splay:none",
        "display:n\\6fne", "display:var(--x)", "visibility:hidden", "visibility:hidden;visibility:shown",
        "visibility:collapse", "opacity:0", "opacity:0.0", "opacity:-1", "opacity:0e0", "opacity:0%", "opacity:calc(0)",
        "font-size:0", "font-size:0px;font-size:huge", "font-size:calc(0px)", "font:0/1 a",
        "font-size:" + "0" * 60 + "px", "mso-hide:all", "overflow:hidden;height:0",
        "overflow-y:hidden;overflow-x:hidden;height:0", "overflow:hidden hidden;height:0",
        "overflow:auto;max-height:0px",
        "overflow:clip;width:0", "overflow:hidden;height:calc(0px)", "overflow:hidden;height:0;height:tall",
        "overflow:hidden;height:0;height:10", "overflow:hidden;height:0;overflow:bogus", "overflow:hidden;block-size:0",
        "opacity:var(--x1)", "opacity:0;opacity:5px", "font-size:0;font-size:10", "font-size:0;font-size:14e",
        "font-size:14px;font:0/0 a", "font:calc(0px) a", "font:var(--x)", "font:0/0 a;font:14px",
        "font-family:'/*';display:none", "font-family:';/*';display:none", "display:none;x:(;display:block;)",
        "display:none;x:';display:block", "x:'y\n;display:none",
    ],
)  # fmt: skip
def test_what_hides_is_found(style: str) -> None:
    """Whatever way it is written in: a declaration that a browser does not understand takes nothing back."""
    assert () == Page.read(f'<p style="{style}">Hello</p>').seen


@pytest.mark.parametrize(
    "style",
    [
        "", "color:red", "display:block", "display:none;display:block", "display:bogus", "visibility:visible",
        "/* display:none */", "opacity:1", "opacity:.5", "opacity:50%", "opacity:calc(1)", "font-size:14px",
        "font-size:0;font-size:14px", "font-size:clamp(14px,2vw,20px)", "font-size:large", "height:0",
        "overflow:hidden", "overflow:hidden;height:20px", "overflow:hidden;max-width:calc(100% - 20px)",
        "overflow:visible;height:0", "font-family:'A\\42'", "width:0", "visibility:initial",
        "overflow:hidden;overflow-x:visible;overflow-y:visible;height:0", "font-size:0;font:14px/1 Arial",
        "font:bold 14px 'A B',serif", "background:url(a;display:none)", "x:';display:none'",
    ],
)  # fmt: skip
def test_what_shows_is_left(style: str) -> None:
    """Styles that people write hide nothing by mistake."""
    assert ("Hello",) == Page.read(f'<p style="{style}">Hello</p>').seen


@pytest.mark.parametrize(
    "html",
    [
        "<progress>Hello</progress>", "<meter>Hello</meter>", "<ruby><rp>Hello</rp></ruby>", "<div popover>Hello</div>",
        '<a href="https://a.example"><img src="a.png" alt="Hello" style="width:0;height:0"></a>',
    ],
)  # fmt: skip
def test_elements_that_show_nothing(html: str) -> None:
    """What stands in them is for clients that do not know them, or is shown on demand; an image may have no size."""
    page = Page.read(html)
    assert () == page.seen
    assert all(not anchor.seen for anchor in page.anchors)


HOSTILE = {
    "comments": "/*x" * 100_000, "closed": "/**/" * 80_000, "zeros": "opacity:" + "0" * 300_000,
    "points": "opacity:" + "." * 300_000, "names": "a:b;" * 80_000, "marks": "!" * 300_000,
    "spaces": "display: " + " " * 300_000 + "x",
    "quotes": "'" * 300_000, "lines": "'\n" * 150_000, "stars": "/*" + "*" * 300_000,
    "brackets": "url(" * 80_000, "imports": "@import " * 40_000, "fonts": "font:" + "9 " * 150_000,
}  # fmt: skip


@pytest.mark.parametrize("style", HOSTILE.values(), ids=HOSTILE)
def test_a_style_is_read_in_linear_time(style: str) -> None:
    """A template may write as many characters; read in quadratic time, some of these take minutes (F54)."""
    assert len(Page.read(f'<p style="{style}">Hello</p>').blocks) == 1


@given(st.text(st.sampled_from("dis:play;none/*!\\()0.9-em% \n"), max_size=60))
def test_any_style_can_be_read(style: str) -> None:
    """Whatever it says, something comes of it, and no number is too odd."""
    read = declared(style)
    assert isinstance(cuts_off(read), bool)
    assert all(isinstance(is_nothing(value), bool) for value in read.values())
