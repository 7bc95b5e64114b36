"""Marks of points and of primary calls: they stay where they are, and go without a trace, in linear time (S7, F54)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from lifecycle_mail.mails.kinds import Point
from lifecycle_mail.mails.marks import CALL, around, as_comments, read_mark, split_points, without_marks

THANKS = around(Point.THANKS, "|").partition("|")
"""The marks of a point: where it begins, and where it ends."""


@pytest.mark.parametrize("mark", [CALL, THANKS[0], f"<!--{THANKS[2]}-->", f"&lt;!--{THANKS[2]}--&gt; {CALL}"])
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a\n|\nb", "a\nb"),
        ("a\n \t| \nb", "a\nb"),
        ("a |b", "a b"),
        ("a\n\nb", "a\n\nb"),
    ],
)
def test_a_mark_goes_with_its_line(html: str, expected: str, mark: str) -> None:
    """The line that it stood alone in goes with it, and nothing else."""
    assert expected == without_marks(html.replace("|", mark)).replace("a  b", "a b")


def test_the_mark_of_a_call_in_a_tag_stands_before_it() -> None:
    """An attribute is no place for it."""
    assert f'{CALL}<a href="x">b</a>' == as_comments(f'<a {CALL}href="x">b</a>')


@pytest.mark.parametrize("point", Point)
def test_a_point_is_marked_in_html_and_in_text(point: Point) -> None:
    """By comments in HTML, and the marks say which point it is, and where it begins."""
    said = around(point, Markup("<b>a</b>"))
    assert isinstance(said, Markup)
    begins, html, ends = as_comments(said).partition("<b>a</b>")
    marks = [one.removeprefix("<!--").removesuffix("-->") for one in (begins, ends)]
    assert (html, [(point, True), (point, False)]) == ("<b>a</b>", [read_mark(one) for one in marks])
    text = f"x{around(point, 'a')}y"
    assert [([], "x"), ([point], "a"), ([], "y")] == [(list(points), run) for points, run in split_points(text)]
    assert ("xay", "<b>a</b>") == (without_marks(text), without_marks(as_comments(said)))


def test_a_point_may_stand_in_another_or_be_forged() -> None:
    """Each is read by itself; an end without a beginning is nothing."""
    text = around(Point.THANKS, f"a{around(Point.FEEDBACK, 'b')}c") + THANKS[2] + "d"
    runs = [(sorted(points), said) for points, said in split_points(text) if said]
    thanks, both = [Point.THANKS], [Point.FEEDBACK, Point.THANKS]
    assert [(thanks, "a"), (both, "b"), (thanks, "c"), ([], "d")] == runs
    assert "abcd" == without_marks(text)


@pytest.mark.parametrize("around_it", ["<!--[if mso]>{}<![endif]-->", '<p title="{}">', "<!--{}"])
def test_in_a_comment_or_a_tag_nothing_is_marked(around_it: str) -> None:
    """A comment in a comment would end it."""
    assert around_it.format("a") == as_comments(around_it.format(around(Point.THANKS, Markup("a"))))


def test_a_mark_cannot_be_cut() -> None:
    """A template may cut what it made (`made[:9]`, `truncate`): what is left of a mark is taken out whole."""
    made = around(Point.THANKS, f"a{CALL}b")
    found = {without_marks(made[start:end]) for start in range(len(made)) for end in range(start, len(made) + 1)}
    assert {"", "a", "b", "ab"} == found


@given(st.lists(st.sampled_from([*THANKS, CALL, "a", " ", "\n", "<p>", "<!--", "-->", "&lt;!--", '<a href="', '">'])))
def test_no_mark_is_left(parts: list[str]) -> None:
    """However they stand, and whether they were made comments or not."""
    html = "".join(parts)
    for done in (without_marks(html), without_marks(as_comments(html))):
        assert not {CALL, THANKS[0], THANKS[2]} & set(done)
        assert html.count("a") == done.count("a")


@pytest.mark.parametrize(
    "hostile", ["\n", "\n ", "<", "<a", f"<a {CALL}", f"\n{CALL}", "<!--", f"<!--{THANKS[0]}", f"<a {THANKS[2]}", "-"]
)
def test_marks_are_found_in_linear_time(hostile: str) -> None:
    """A template may write 300,000 characters; in quadratic time they would take minutes."""
    html = hostile * (300_000 // len(hostile)) + CALL + THANKS[0]
    assert CALL not in without_marks(as_comments(html))
    assert 1 <= sum(1 for _ in split_points(html))
