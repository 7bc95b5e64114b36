"""Emoji are found whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint.emoji import find_emoji, without_emoji

ONE_EACH = [
    "\U0001f44b", "\U0001f44b\U0001f3fd", "\u2764\ufe0f", "\u2709\ufe0f", "\u2b50", "\u231b", "\u2728",
    "\U0001f1ea\U0001f1ea", "1\ufe0f\u20e3", "#\u20e3", "\u00a9\ufe0f", "\u2139\ufe0f", "\u203c\ufe0f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f469\U0001f3fe\u200d\U0001f4bb",
    "\U0001f3f3\ufe0f\u200d\U0001f308", "\u2764\ufe0f\u200d\U0001f525",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001f9d1\u200d\U0001f9d1", "\u2714",
    "\u2605",
]  # fmt: skip


@pytest.mark.parametrize("emoji", ONE_EACH)
def test_a_sequence_is_one(emoji: str) -> None:
    """Flags, keycaps, families, colours of skin and selectors belong to the emoji that they make."""
    assert ((0, len(emoji)),) == find_emoji(emoji)
    assert ((2, 2 + len(emoji)), (2 + len(emoji), 2 + 2 * len(emoji))) == find_emoji(f"a {emoji}{emoji} b")


@pytest.mark.parametrize(
    "text",
    [
        "", "Hello, Ada", "1 # *", "\u00a9 2026 \u2122", "\u2192 \u20ac5 \u2026", "\u4f60\u597d", "\u2764\ufe0e",
        "\u200d\ufe0f", "e\u0301\ufe0f", "a\ufe0f",
    ],
)  # fmt: skip
def test_text_is_none(text: str) -> None:
    """Digits, signs, arrows, other scripts, and what a selector turns into text are no emoji."""
    assert () == find_emoji(text)


def test_an_emoji_is_left_out_or_replaced() -> None:
    """Each goes, whole, or something else comes for it."""
    assert "Hi  there" == without_emoji("Hi \U0001f468\u200d\U0001f469\u200d\U0001f467 there")
    assert "-Hi-" == without_emoji("\U0001f1ea\U0001f1eaHi\u2b50", "-")


@given(st.lists(st.sampled_from([*ONE_EACH, "a", " ", "\u200d", "\ufe0f", "\U0001f3fd", "\U0001f1ea"])).map("".join))
def test_what_is_found_and_what_is_left_is_the_text(text: str) -> None:
    """Emoji do not overlap, and what is left has none, selectors and joiners apart."""
    spans = find_emoji(text)
    assert list(spans) == sorted(spans)
    assert len(text) - sum(end - start for start, end in spans) == len(without_emoji(text))
    assert () == find_emoji(without_emoji(text, "x"))
