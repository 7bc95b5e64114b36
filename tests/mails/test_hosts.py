"""Hosts that a link of a mail may lead to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.mails.hosts import MAX_HOST, MAX_LABEL, is_host
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.texts import check_url

LONG = ".".join(["a" * MAX_LABEL] * 3)

GOOD = [
    "harbour.example", "Mail.Harbour.Example", "a.b", "a-b.example", "a--b.example", "3com.example", "x1.example",
    "1.2.3.example", "192.0.2.7", "10.0.0.1", "255.255.255.255", "localhost", "127.0.0.1", "xn--knig-5qa.example",
    "XN--KNIG-5QA.example", "xn--80ak6aa92e.xn--p1ai", "xn--strae-oqa.example", f"{'a' * MAX_LABEL}.example",
    f"{LONG}.{'a' * (MAX_HOST - len(LONG) - 1)}",
]  # fmt: skip
BAD = [
    "", ".", "x..example", "-x.example", "x-.example", "x.-example", "x.example-", "x.example.", ".x.example",
    "intranet", "www", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.x4.5", "127.1", "0x7f.0.0.1.2",
    "x_y.example", "x y.example", "x%2eexample", "[::1]", "::1", "[v1.x]", "xn--.example",
    "xn--a.example", "xn--abc-.example", "xn--\u00e4.example", "xn--99999999.example", "xn--KNIG-.example",
    "xn--0ca.x.xn--", "x.0x7f", "x.0x", "k\u00f6nig.example",
    "\uff58.example", f"{'a' * (MAX_LABEL + 1)}.example", f"{LONG}.{'a' * (MAX_HOST - len(LONG))}", "x.example\n",
    "x\u2024example", "\u0661.\u0662.\u0663.\u0664",
]  # fmt: skip


@pytest.mark.parametrize("host", GOOD)
def test_a_host_is_one(host: str) -> None:
    """A name with a dot, as long as names may be, in IDNA where it is not ASCII; four numbers; this machine."""
    assert is_host(host)
    check_url("url", f"https://{host}/x")
    assert Links(f"https://{host}/m", ["k" * 16]).base_url == f"https://{host}/m"


@pytest.mark.parametrize("host", BAD)
def test_what_is_no_host_is_no_link_and_no_base(host: str) -> None:
    """Whatever makes links holds it to the same: the place and the fix are said, and the URL is not."""
    assert not is_host(host)
    with pytest.raises(InvalidInput, match=r"^website: .*(write https://|IDNA)") as link:
        check_url("website", f"https://{host}/hunter2")
    with pytest.raises(Misconfigured, match=r"^base_url .* give one like https://mail\.example\.com/m$") as base:
        Links(f"https://{host}/hunter2", ["k" * 16])
    assert "hunter2" not in f"{link.value}{base.value}"


@pytest.mark.parametrize("port", ["", "0", "65536", "08443", "x", "80:80"])
def test_a_port_is_a_number(port: str) -> None:
    """From 1 to 65535, and written as one."""
    with pytest.raises(InvalidInput, match="url"):
        check_url("url", f"https://harbour.example:{port}/x")


@given(st.lists(st.text(alphabet="aZ09-", min_size=0, max_size=70), max_size=6))
def test_labels_are_all_that_counts(labels: list[str]) -> None:
    """Of letters, digits and inner hyphens, up to 63, two of them at least, and no number at the end."""
    host = ".".join(labels)
    fine = [0 < len(one) <= MAX_LABEL and one.strip("-") == one for one in labels]
    named = len(labels) > 1 and all(fine) and not labels[-1].isdigit() and len(host) <= MAX_HOST
    numbers = len(labels) == 4 and all(one.isdigit() and str(int(one)) == one and int(one) < 256 for one in labels)
    assert is_host(host) is (named or numbers)


@given(st.text(max_size=20))
def test_any_text_is_one_or_none(text: str) -> None:
    """Nothing breaks it, in the part that IDNA makes either."""
    found: Any = is_host(f"xn--{text}.example")
    assert found in (True, False)
    assert not is_host(text) or text.isascii()
