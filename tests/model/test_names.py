"""Hashes that make a thing the same thing however often it arrives, and keys that are slugs."""

from itertools import product

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.names import entry_id, require_slug

PARTS = st.lists(st.none() | st.text("a-:0123\x00\x1f", max_size=4), max_size=4).map(tuple)


class TestEntryId:
    """Two things share an id only if they are the same."""

    @given(PARTS, PARTS)
    def test_tells_all_apart(self, one: tuple[str | None, ...], other: tuple[str | None, ...]) -> None:
        """No two tuples share an id, whatever separators stand in their texts."""
        assert (one == other) == (entry_id(*one) == entry_id(*other))

    def test_every_small_tuple_is_apart(self) -> None:
        """None, the empty text, separators, digits: all tuples of up to three such parts have ids of their own."""
        letters = [None, "", "\x1f", "\x1f\x1f", "\x00", "-", ":", "0:", "1:a", "a", "1", "a\x1f"]
        tuples = [parts for length in range(4) for parts in product(letters, repeat=length)]
        assert len({entry_id(*parts) for parts in tuples}) == len(tuples)

    def test_is_the_same_for_ever(self) -> None:
        """Ids are stored: this one must never change, or every event of the past comes in once more (F33)."""
        assert entry_id("opt-out", "app", None, "") == "ed0b6a4d53ed04ff346c65ab0d2d93c1"

    @given(st.text(st.characters(), max_size=3), st.text(st.characters(), max_size=3))
    def test_takes_any_text(self, one: str, other: str) -> None:
        """Surrogates and all else that sources send are hashed, each as itself."""
        assert (one == other) == (entry_id(one) == entry_id(other))

    def test_takes_half_a_surrogate_pair(self) -> None:
        """Broken text from a file has an id too."""
        assert len(entry_id("\ud83d")) == 32


@frozen
class Keyed:
    """Something with a key."""

    key: str = field(validator=require_slug)


class TestSlugs:
    """Keys of ours go anywhere."""

    @given(st.text(st.characters(codec="utf-8"), max_size=5))
    def test_a_slug_or_an_error(self, text: str) -> None:
        """Every text is either a slug of plain lower-case letters, digits, hyphens and underscores, or refused."""
        plain = set("abcdefghijklmnopqrstuvwxyz0123456789")
        if text and text[0] in plain and set(text) <= plain | {"-", "_"}:
            assert Keyed(text).key == text
        else:
            with pytest.raises(InvalidInput, match="key "):
                Keyed(text)

    @pytest.mark.parametrize("length", [1, 64])
    def test_lengths(self, length: int) -> None:
        """From one character to 64."""
        assert Keyed("a" * length).key == "a" * length
        with pytest.raises(InvalidInput):
            Keyed("a" * 65)

    def test_a_long_text_is_cut(self) -> None:
        """The error quotes at most 70 characters."""
        with pytest.raises(InvalidInput) as refused:
            Keyed("A" * 1_000_000)
        assert len(str(refused.value)) < 250
