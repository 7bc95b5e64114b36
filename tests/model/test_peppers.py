"""Peppers: what is taken for one, and that no secret is ever printed."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.peppers import Peppers, is_hashed, pepper_of

SECRET = "a-secret-of-more-than-32-characters-kept-elsewhere"  # noqa: S105 - made up
REFUSED: dict[str, tuple[Any, str]] = {
    "swapped": ({SECRET: "2026"}, "the id of pepper 1 is none: 1 to 32 characters .* with the id first"),
    "swapped, and short": ({"2025": SECRET, SECRET.upper()[:20]: "2026"}, "the id of pepper 2 is none"),
    "no text": ({2026: SECRET}, "the id of pepper 1 is none"),
    "short": ({"2026": SECRET[:15]}, "pepper '2026' is shorter than 16 bytes: make one of 32 random bytes"),
    "number": ({"2026": 123}, "pepper '2026' is int: give a secret as text or bytes"),
    "nothing": ({"2026": None}, "pepper '2026' is NoneType: give a secret as text or bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_pepper_is_refused_without_repeating_it(case: str) -> None:
    """O5: it is said which one it is and what to write; of the secret no part is printed."""
    given, said = REFUSED[case]
    with pytest.raises(Misconfigured, match=said) as raised:
        Peppers(given)
    for part in (SECRET[:12], SECRET[-12:], SECRET.upper()[:12]):
        assert part not in str(raised.value)


def test_peppers_print_their_ids_only() -> None:
    """O5: they say who was erased."""
    assert "Peppers(secrets=['2025', '2026'])" == repr(Peppers({"2026": SECRET, "2025": SECRET.encode()}))


def test_the_newest_pepper_makes_hashes_and_each_is_tried() -> None:
    """O5: the last one given is the newest; a text is looked up under all of them."""
    peppers = Peppers({"2025": SECRET, "2026": SECRET + "!"})
    hashed = peppers.hashed("1:ada@example.com")
    assert is_hashed(hashed)
    assert "2026" == pepper_of(hashed)
    assert ["2025", "2026"] == [pepper_of(one) for one in peppers.forms("1:ada@example.com")]
    assert hashed in peppers.forms("1:ada@example.com")
    assert hashed not in peppers.forms("1:bob@example.com")


def test_a_secret_of_16_bytes_is_long_enough() -> None:
    """What is refused is shorter than that."""
    assert Peppers({"2026": SECRET[:16]})
    assert not Peppers({})


def test_a_proof_is_the_same_in_every_release() -> None:
    """Registries keep it: one that is made in another way would lock them (F63)."""
    peppers = Peppers({"2026": SECRET})
    assert "5ddd0fb72fd99970" == peppers.proof("2026")
    assert peppers.proves("2026", peppers.proof("2026"))
    assert not peppers.proves("2026", "another")
    assert not peppers.proves("2026", "another ü, of a damaged registry \ud800")
    assert not peppers.proves("2025", peppers.proof("2026"))


def test_every_missing_pepper_is_named() -> None:
    """In order of id; a proof under one of them cannot be made."""
    peppers = Peppers({"2026": SECRET})
    peppers.require(["2026"])
    with pytest.raises(Misconfigured, match="pepper 2023, 2024, 2025, which is not given"):
        peppers.require(["2025", "2023", "2026", "2024"])
    with pytest.raises(Misconfigured, match="pepper 2025, which is not given"):
        peppers.proof("2025")
