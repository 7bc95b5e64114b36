"""Marks of primary calls: moved out of tags, taken out whole, in linear time (S7, F54)."""

import pytest

from lifecycle_mail.mails.calls import CALL, before_tags, without_calls


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"a\n{CALL}\nb", "a\nb"),
        (f"a\n \t{CALL} \nb", "a\nb"),
        (f"a {CALL}b", "a b"),
        ("a\n\nb", "a\n\nb"),
    ],
)
def test_a_mark_goes_with_its_line(html: str, expected: str) -> None:
    """The line that it stood alone in goes with it, and nothing else."""
    assert expected == without_calls(html)


def test_a_mark_in_a_tag_stands_before_it() -> None:
    """An attribute is no place for it."""
    assert f'{CALL}<a href="x">b</a>' == before_tags(f'<a {CALL}href="x">b</a>')


@pytest.mark.parametrize("hostile", ["\n", "\n ", "<", "<a", f"<a {CALL}", f"\n{CALL}"])
def test_marks_are_found_in_linear_time(hostile: str) -> None:
    """A template may write 300,000 characters; in quadratic time they would take minutes."""
    html = hostile * (300_000 // len(hostile)) + CALL
    assert CALL not in without_calls(before_tags(html))
