"""Keys for what is proposed."""

from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint.keys import free_key, slug
from lifecycle_mail.model.lists import MailingList
from tests.lint.samples import SLUGS


def test_a_key_reads_like_its_text() -> None:
    """Letters lose their accents, and what stands between words becomes a dash."""
    assert "cafe-bar-no-1" == slug(" Caf\u00e9 & Bar, No. 1!")
    assert "" == slug("\u4f18\u60e0 -_-")


def test_a_key_in_use_is_numbered() -> None:
    """The first free number is taken, and is taken from then on."""
    taken = {"offers"}
    assert ["offers-2", "offers-3", "news"] == [free_key(key, taken) for key in ("offers", "offers", "news")]
    assert {"offers", "offers-2", "offers-3", "news"} == taken


@given(st.text(max_size=100), st.sets(SLUGS))
def test_every_key_is_one(text: str, taken: set[str]) -> None:
    """However long the text, and however often it comes back, what is made of it is a key that was free."""
    wanted = slug(text * 3) or "a" * 64
    before = set(taken)
    for _ in range(12):
        key = MailingList(free_key(wanted, taken)).key
        assert key not in before
        before.add(key)
