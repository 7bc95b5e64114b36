"""Texts as they are read, in whichever lines they stand."""

import pytest

from lifecycle_mail.mails.lines import has_words, one_line


@pytest.mark.parametrize("text", ["a b", " a\n b ", "a\t \u2003b\r\n", "\na\xa0b"])
def test_all_spaces_are_one(text: str) -> None:
    """Of any kind, and none is left around a text."""
    assert "a b" == one_line(text)


@pytest.mark.parametrize(
    ("text", "has"), [("a", True), ("- 1 -", True), ("\u4f60", True), ("- \u2026 !", False), ("", False)]
)
def test_words_have_letters_or_digits(text: str, has: bool) -> None:
    """Of any script; signs alone are no words."""
    assert has == has_words(text)
