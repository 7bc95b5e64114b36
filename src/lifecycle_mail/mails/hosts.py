"""Hosts that links lead to: whatever makes a link for a mail holds its host to the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_HOST: Final = 253
"""Characters of a host name (RFC 1035, without the dot of the root)."""
MAX_LABEL: Final = 63
"""Characters between two of its dots."""
MAX_PORT: Final = 65_535

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a browser reads whatever ends in one as an address
_IDNA: Final = "xn--"

OURSELVES: Final = frozenset({"localhost", "127.0.0.1"})
"""The machine on which somebody tries it."""


def is_host(text: str) -> bool:
    """Whether a text names a host: a name with a dot, an IPv4 address, or this machine.

    One word alone is none: it is a slip of the pen far more often than a name in a network of one's own.
    """
    host = text.lower()
    if not text.isascii() or len(host) > MAX_HOST:
        return False
    if host in OURSELVES or _ADDRESS.fullmatch(host):
        return True
    labels = host.split(".")
    return len(labels) > 1 and not _NUMBER.fullmatch(labels[-1]) and all(map(_is_label, labels))


def _is_label(label: str) -> bool:
    return _LABEL.fullmatch(label) is not None and (not label.startswith(_IDNA) or _is_idna(label))


def _is_idna(label: str) -> bool:
    """Whether a label is the ASCII form of another one, as IDNA makes it."""
    ascii_form = label.removeprefix(_IDNA)
    try:
        name = ascii_form.encode().decode("punycode")
        again = name.encode("punycode").decode()
    except (UnicodeError, OverflowError):
        return False
    is_normal = name == unicodedata.normalize("NFC", name.lower()) and name.isprintable()
    return is_normal and not name.isascii() and again == ascii_form
