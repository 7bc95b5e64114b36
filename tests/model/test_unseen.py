"""Characters that are drawn as nothing (F55, F59)."""

import unicodedata

import pytest

from lifecycle_mail.model.unseen import FILLERS, JOINERS, is_blank, without_unseen


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\n\x1c", "\u00a0\u3000", JOINERS, "\u034f", "\u180b\u180d", "\u2800", "\ufe0e\ufe0f",
        "\U000e0100 \u200d",
    ],
)  # fmt: skip
def test_what_only_changes_its_neighbours_is_blank_without_them(text: str) -> None:
    """Spaces, joiners, selectors of variants, and the blank pattern of Braille."""
    assert is_blank(text)


@pytest.mark.parametrize(
    "text",
    [
        "a", "\u2764\ufe0f", "\u845b\U000e0100", "\u0645\u06cc\u200c\u0631", " . ", "\u0301", "\u2801\u2800",
        "\U0001f6d8",
    ],
)  # fmt: skip
def test_beside_something_that_is_seen_it_is_not(text: str) -> None:
    """A letter, a picture with its selector, a name with a variant, a sign, even an accent alone."""
    assert not is_blank(text)


@pytest.mark.parametrize("unseen", [*JOINERS, "\u034f", "\u180b", "\u2800", "\ufe0f", "\U000e0100"])
def test_nothing_unseen_hides_what_a_text_holds(unseen: str) -> None:
    """Wherever it stands; letters, marks and spaces stay."""
    assert "evil.com e\u0301" == without_unseen(f"{unseen}evil{unseen * 2}.com{unseen} e\u0301{unseen}")


def test_fillers_pass_for_letters() -> None:
    """That is why they are listed: their categories are those of letters and of marks, and say nothing against them."""
    assert {"Lo", "Mn"} == {unicodedata.category(char) for char in FILLERS}
    assert all("FILLER" in (name := unicodedata.name(char)) or "INHERENT" in name for char in FILLERS)
