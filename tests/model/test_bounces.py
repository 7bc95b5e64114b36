"""What a bounce says of an address (R17)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.model.bounces import spares_address


@pytest.mark.parametrize(
    ("texts", "spares"),
    [
        (("5.1.1",), False),
        (("5.0.0",), False),
        (("5.7.1",), True),
        (("5.7.515",), True),
        (("4.2.2",), True),
        (("550 5.7.515 Access denied, the sending domain does not meet the required level.",), True),
        (("550-5.1.1 The account does not exist",), False),
        (("421 4.7.0 try later",), True),
        (("450",), True),
        (("550",), False),
        ((" 451 busy",), True),
        (("550", "550 5.7.1 message refused"), True),
        (("5.1.1", "550 5.7.1 message refused"), False),
        (("550", "421 try later"), False),
        (("", "452 too busy"), True),
        (("host 10.5.7.1 said: 550 5.1.1 no such user",), False),
        (("host 10.4.7.1 said: no such user",), False),
        (("sent with version 5.7.10.2",), False),
        (("refused (5.7.1).",), True),
        (("the 450 mails you sent",), False),
        (("",), False),
        ((), False),
    ],
)
def test_whose_fault_it_is(texts: tuple[str, ...], spares: bool) -> None:
    """For now (4.x) and about the sender (5.7.x) spare the address; an enhanced status is believed first (R17)."""
    assert spares is spares_address(*texts)


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from(["{}", "550 {} no", "smtp;{} x", "({})", "{}."]))
def test_every_5_7_spares_and_no_other_5(subject: int, detail: int, frame: str) -> None:
    """Whatever stands around it, the subject 7 of class 5 alone is about the sender (R17, F66)."""
    assert (subject == 7) is spares_address(frame.format(f"5.{subject}.{detail}"))
    assert spares_address(frame.format(f"4.{subject}.{detail}"))
