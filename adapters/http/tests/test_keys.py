"""Keys that travel and are not seen, and hosts that may get them."""

import pytest
from lifecycle_mail_http import Key, checked_host, checked_key
from requests import Request

from lifecycle_mail.errors import Misconfigured

SECRET = "SG.0123456789abcdef"  # noqa: S105 # made up


class TestKey:
    """What authorises a call."""

    @pytest.mark.parametrize(
        ("key", "header"),
        [
            (Key.bearer(SECRET), f"Bearer {SECRET}"),
            (Key.basic("user", SECRET), "Basic dXNlcjpTRy4wMTIzNDU2Nzg5YWJjZGVm"),
        ],
    )
    def test_it_is_sent_and_not_shown(self, key: Key, header: str) -> None:
        """The header holds the key, and the representation does not."""
        request = Request("GET", "https://api.example.com", auth=key).prepare()
        assert request.headers["Authorization"] == header
        for shown in (repr(key), str(key), f"{key}", repr([key]), repr({"auth": key})):
            assert SECRET not in shown
            assert "dXNlcjpTRy" not in shown

    def test_it_is_taken_out_of_texts(self) -> None:
        """A provider that quotes the key does not bring it into an error."""
        assert Key.bearer(SECRET).hidden(f"the key {SECRET} is wrong") == "the key *** is wrong"


@pytest.mark.parametrize("key", ["", " ", f"{SECRET}\n", f" {SECRET}", f"a{SECRET} b", "schlüssel", "a\x00b", None])
def test_what_is_no_key_is_refused_without_being_quoted(key: str) -> None:
    """A key that is empty, or has white space around it, is refused, and the message does not hold it."""
    with pytest.raises(Misconfigured) as raised:
        checked_key(key, "the API key of SendGrid")
    assert SECRET not in str(raised.value)
    assert "the API key of SendGrid" in str(raised.value)


def test_a_key_passes() -> None:
    """A key comes back as it is."""
    assert checked_key(SECRET, "the API key") == SECRET


@pytest.mark.parametrize(
    "host", ["https://api.example.com", "http://127.0.0.1:8080/3.0", "http://localhost:1", "http://[::1]:1"]
)
def test_a_host_may_get_the_key(host: str) -> None:
    """Encrypted, or on this machine."""
    assert checked_host(host) == host
    assert checked_host(f"{host}/") == host


@pytest.mark.parametrize(
    "host",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://user:word@api.example.com",
        "https://api.example.com/?a=b",
        "https://api.example.com/#x",
        "",
    ],
)
def test_a_host_may_not_get_the_key(host: str) -> None:
    """The key does not travel unencrypted, nor to what is no address of an API."""
    with pytest.raises(Misconfigured):
        checked_host(host)
