"""Numbers of cards in what people write: hidden however they are grouped, and nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.model.answers import Answer, Question
from lifecycle_mail.model.cards import without_cards
from lifecycle_mail.model.names import ContactId
from tests.service.worlds import NOW


def with_check(digits: str) -> str:
    """Add the digit that makes a card's number of it."""
    doubled = "".join(str(int(digit) * (1 + (place % 2 == 0))) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-sum(map(int, doubled)) % 10}"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("4111111111111111", "•••• 1111"),
        ("my card 4111 1111 1111 1111 was charged", "my card •••• 1111 was charged"),
        ("4111-1111-1111-1111, 12/27, 123", "•••• 1111, 12/27, 123"),
        ("4111 1111 1111 1111 123", "•••• 1111 123"),
        ("on 3.3. 5500 0000 0000 0004 and 340000000000009.", "on 3.3. •••• 0004 and •••• 0009."),
        ("\u0664\u0661\u0661\u0661 " + "\u0661" * 4 + " 1111 1111", "•••• 1111"),
        ("4111\u200d1111\u200d1111\u200d1111", "•••• 1111"),
        ("4111\n1111\n1111\n1111", "•••• 1111"),
        ("4111_1111    1111 -- 1111", "•••• 1111"),
        ("4111111111111111123", "•••• 1111 123"),
        ("4111 1111 1111 1111123", "•••• 1111 123"),
        ("4 0 4 5 0 9 7 5 9 0 8 5 6 0 9 7", "•••• 6097"),
        ("4102 8686 8490 3346 4809 4388 8231", "•••• 3346 4809 4388 8231"),
        ("4111111111111111 5500000000000004", "•••• 1111 •••• 0004"),
    ],
)
def test_of_a_card_the_last_four_digits_stay(said: str, kept: str) -> None:
    """In one run, in groups, beside other numbers, in other digits, with joiners between them."""
    assert kept == without_cards(said)


@pytest.mark.parametrize(
    "said",
    [
        "", "It costs too much", "12 EUR", "call 555 0100", "order 4111111111111112", "1234567890123456",
        "9111111111111111", "04111111111111111", "4111 1111 1111", "on 2026-03-03 at 12:05:33", "4111\n1111",
    ],
)  # fmt: skip
def test_what_is_no_card_stays(said: str) -> None:
    """Sums, days, numbers of orders whose last digit does not check, and numbers that are too long or too short."""
    assert said == without_cards(said)


@given(st.from_regex(r"[2-6][0-9]{11,17}", fullmatch=True), st.sampled_from(["", " ", "-", ". "]), st.integers(1, 6))
def test_no_card_is_kept(digits: str, gap: str, width: int) -> None:
    """However many digits it has and however they are grouped: the number is not in what is left, and hides once."""
    number = with_check(digits)
    written = gap.join(number[at : at + width] for at in range(0, len(number), width))
    found = without_cards(f"I paid with {written} in May")
    assert number not in "".join(char for char in found if char.isdigit())
    assert found.startswith("I paid with ")
    assert found.endswith(" in May")
    assert found == without_cards(found)


@given(st.text(st.sampled_from("0123456789 -\n_•a4"), max_size=80))
def test_what_was_hidden_is_hidden_once(said: str) -> None:
    """An answer is made anew with each change, and keeps the other words that it has."""
    assert without_cards(said) == without_cards(without_cards(said))


@given(st.text())
def test_a_text_without_digits_is_the_same(said: str) -> None:
    """Nothing but numbers is looked at."""
    plain = "".join(char for char in said if not char.isdecimal())
    assert plain == without_cards(plain)


def test_an_answer_keeps_no_card() -> None:
    """Neither in the words, nor in what is used now or should be better; a number that is cut off was whole before."""
    card = "4111 1111 1111 1111"
    answer = Answer(
        contact_id=ContactId("ada"), question=Question.CANCELLATION, reasons=[], text=f"{'x' * 1990} {card}",
        tool=card, improve=card, asked_at=NOW, at=NOW,
    )  # fmt: skip
    assert "4111" not in answer.text + answer.tool + answer.improve
    assert "•••• 1111" == answer.tool == answer.improve
