"""What a title tells someone outside."""

import pytest
from hypothesis import given

from lifecycle_mail.lint.titles import EXPECT, SIGNS, UNNAMED, Mark, read_title, says_what_to_expect, topic_of
from lifecycle_mail.lint.titles import why_unreadable as why
from lifecycle_mail.model.lists import MailingList
from tests.lint.samples import LISTS, TITLES


def unreadable(title: str, key: str = "a-key") -> str:
    """Why this title tells nothing, in one line."""
    return "; ".join(why(MailingList(key, title=title)))


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "no title"),
        ("  ", "no title"),
        ("--- !", "no title"),
        (UNNAMED, "yet to be written"),
        ("a-key", "is its key"),
        ("Special_offers", "underscores"),
        ("Offers Q3", "'Q3' in its title is a code"),
        ("Offers FY24", "'FY24' in its title is a code"),
        ("Offers v2", "'v2' in its title is a code"),
        ("Offers 007", "'007' in its title is a code"),
        ("Offers 12345", "'12345' in its title is a code"),
        ("Offers 9f8a2c1d", "'9f8a2c1d' in its title is a code"),
        ("EMEA2", "'2' in its title is a code"),
        ("SKU7 offers", "'7' in its title is a code"),
        ("Offers 2024", "'2024' in its title is a date"),
        ("Offers 1999", "'1999' in its title is a date"),
        ("Offers 202405", "'202405' in its title is a date"),
        ("Offers 20240512", "'20240512' in its title is a date"),
        ("Offers 12.5.24", "'12.5.24' in its title is a date"),
        ("Offers2024", "'2024' in its title is a date"),
        ("Offers '24 June", "'June' in its title is a date"),
        ("Offers sept", "'sept' in its title is a date"),
        ("Offers May", "'May' in its title is a date"),
        ("May 3 offers", "'May' in its title is a date"),
        ("3 may offers", "'may' in its title is a date"),
        ("nwslttr", "no vowels"),
        ("N W S", "no vowels"),
        ("365", "only a number"),
        *(
            (f"Offers {word}", f"'{word}' in its title is a word of the workshop")
            for word in (
                "import", "EXPORT", "Batch", "upload", "final", "test", "tmp", "copy", "segment", "master", "new2",
            )
        ),
        ("Offers copy3", "'copy' in its title is a word of the workshop"),
    ],
)  # fmt: skip
def test_a_title_of_the_workshop_is_found(title: str, reason: str) -> None:
    """Every sign that a title was written for the work is named (L5)."""
    assert reason in unreadable(title)


@pytest.mark.parametrize(
    "title",
    [
        "Offers", "A-key", "News and events", "Top 10 tips", "Over 50", "What you may like", "The 1st of its kind",
        "B2B offers", "TV", "3D printing", "Rhythm", "Support 24/7", "Recipes in 30min", "5 minutes of calm",
        "1000 recipes", "Latest news", "Women's health", "Masterclasses", "Finals week",
        "\u4f18\u60e0", "\u041c\u0421\u0422", "\u00d8rst",
    ],
)  # fmt: skip
def test_a_title_for_readers_is_let_through(title: str) -> None:
    """Numbers, words that resemble workshop words, and other scripts are no signs (L1)."""
    assert "" == unreadable(title)


def test_each_word_is_named_once() -> None:
    """A word that stands there twice is one reason, and digits are not blamed for having no vowels."""
    assert "'test' in its title is a word of the workshop" == unreadable("test tips test")
    assert "'2024' in its title is a date" == unreadable("2024")


@pytest.mark.parametrize(("expect", "said"), [("one deal a week", True), ("", False), (" ", False), (EXPECT, False)])
def test_what_to_expect_is_asked_for(expect: str, said: bool) -> None:
    """Nothing, and what a proposal leaves to be said, say nothing about what to expect (L1)."""
    assert says_what_to_expect(MailingList("offers", title="Offers", expect=expect)) is said


@pytest.mark.parametrize(
    ("title", "topic", "taken"),
    [
        ("offers_2024_05", "offers", "2024 05"),
        ("Offers June", "Offers", "June"),
        ("OFFERS-Q3-final", "OFFERS", "Q3 final"),
        ("Offers for June 2024", "Offers", "June 2024"),
        ("the 2024 offers", "offers", "2024"),
        ("Tips and tricks", "Tips and tricks", ""),
        ("The way to hope for", "way to hope", ""),
        ("For", "For", ""),
        ("May", "May", ""),
        ("Offers FOR 2024", "Offers", "2024"),
        ("For 2024", "", "2024"),
        ("Import7 news", "news", "Import 7"),
        ("Over 50", "Over", "50"),
        ("24 May 2024", "", "24 May 2024"),
        ("2024offers", "offers", "2024"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 2024", "\u0939\u093f\u0928\u094d\u0926\u0940", "2024"),
        ("\uff2f\uff46\uff46\uff45\uff52\uff53 \uff12\uff10\uff12\uff14", "Offers", "2024"),
    ],
)
def test_the_topic_is_what_is_left(title: str, topic: str, taken: str) -> None:
    """Dates, numbers, codes and workshop words are taken away, and what joined them goes with them (L5)."""
    assert (tuple(topic.split()), tuple(taken.split())) == topic_of(title)


def test_every_mark_but_two_is_a_sign() -> None:
    """Only words and plain numbers speak to readers."""
    assert set(Mark) - SIGNS.keys() == {Mark.WORD, Mark.NUMBER}


@given(TITLES)
def test_every_word_is_kept_or_taken(title: str) -> None:
    """Whatever is written is read, and no word is both in the topic and taken away."""
    words = read_title(title)
    left, taken = topic_of(title)
    assert [word.text for word in words if word.mark is not Mark.WORD] == list(taken)
    assert set(left) <= {word.text for word in words if word.mark is Mark.WORD}
    assert all(word.text.strip() == word.text != "" for word in words)


@given(LISTS)
def test_any_list_is_judged(mailing_list: MailingList) -> None:
    """No title and no key is too strange to be judged, and each reason is in words (L5)."""
    assert all(why(mailing_list) or [True])
