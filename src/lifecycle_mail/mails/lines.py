"""Texts as they are read, in whichever lines they stand."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a text with each run of spaces and line ends as one space, and none around it."""
    return " ".join(text.split())


def has_words(text: str) -> bool:
    """Whether a text has a letter or a digit, of any script."""
    return any(map(str.isalnum, text))
