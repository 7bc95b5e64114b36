"""Keys of an account that travel with every call and are seen nowhere else."""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen
from requests import PreparedRequest
from requests.auth import AuthBase

from lifecycle_mail.errors import Misconfigured

_LOOPBACK: Final = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
_MIN_SECRET: Final = 8


def checked_key(key: str, what: str) -> str:
    """Return a key that can stand in a header.

    Raises:
        Misconfigured: it is empty, or holds white space or what is not ASCII. The message does not hold the key.
    """
    if not isinstance(key, str) or not key:
        raise Misconfigured(f"{what} is missing: take it from a secret store or the environment")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Misconfigured(f"{what} holds white space or other characters that no key has: strip it where it is read")
    return key


def checked_host(host: str) -> str:
    """Return the address of an API, without a slash at its end.

    Raises:
        Misconfigured: the key would travel unencrypted, or the address has parts that it should not have.
    """
    parts = urlsplit(host)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(f"host {host!r} is no address of an API: write one such as https://api.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise Misconfigured("a host has no user, query or fragment: write one such as https://api.example.com")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname):
        raise Misconfigured(f"host {host!r} would get the API key unencrypted: use https")
    return host.rstrip("/")


@frozen(repr=False, eq=False)
class Key(AuthBase):
    """What authorises a call, as a header. Its representation does not show it.

    Attributes:
        header: the value of the header `Authorization`.
        secret: what must not be seen anywhere.
    """

    header: str
    secret: str = field()

    @classmethod
    def bearer(cls, secret: str) -> Key:
        """Return a key that is sent as it is."""
        return cls(f"Bearer {secret}", secret)

    @classmethod
    def basic(cls, user: str, secret: str) -> Key:
        """Return a key that is sent as a password."""
        return cls("Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode(), secret)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Authorise a request, as requests asks for."""
        r.headers["Authorization"] = self.header
        return r

    def __repr__(self) -> str:
        return "Key(***)"

    def hidden(self, text: str) -> str:
        """Return a text without the key, should a provider ever quote it."""
        return text.replace(self.secret, "***") if len(self.secret) >= _MIN_SECRET else text
