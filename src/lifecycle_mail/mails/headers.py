"""How header lines are written (R5).

Theory of operation. The standard library writes headers well as long as they are short. In the releases that this
library runs on it takes the quotes off a long name that holds a comma, so that one sender reads as several; it loses
spaces between encoded words, and makes some of 77 characters where 75 are allowed (RFC 2047, 2); it encodes a link of
more than a line; and it leaves a name alone that itself looks encoded. So the headers that say something of ours are
written here, by header classes: whoever writes the message out, and by whatever policy, gets the same lines.

A name or a subject is plain where it is ASCII and cannot be taken for anything else; otherwise it is made of encoded
words, one a line. Links and ids stay one line, whatever their length.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email.headerregistry import BaseHeader, HeaderRegistry, UniqueSingleAddressHeader, UnstructuredHeader
from email.policy import Policy
from typing import Any, Final

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.lines import one_line

COLUMNS: Final = 76
"""Of a line with an encoded word (RFC 2047, 2), and of one of quoted-printable (RFC 2045, 6.7)."""
_WORD: Final = 75
_LONG: Final = 900  # far enough below the 998 octets of a line

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SEEN: Final = re.compile(r"[ -~]+")
_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def _as_q(text: str) -> str:
    """Q encoding, as it may stand in a name (RFC 2047, 5.3)."""
    return "".join("_" if one == 32 else chr(one) if one in _SAFE else f"={one:02X}" for one in text.encode())


def _as_b(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def encoded_words(text: str, *, first: int) -> Iterator[str]:
    """Write a text as encoded words.

    Args:
        text: what to write; no character of it is split.
        first: columns that are left on the first line.
    """
    # As a whole by what is shorter: Q reads well for a name with an umlaut, B is half as long for another script.
    letter, write = min((("q", _as_q), ("b", _as_b)), key=lambda one: len(one[1](text)))
    room, part = min(first, _WORD), ""
    for char in text:
        if len(f"=?utf-8?{letter}?{write(part + char)}?=") > room and (part or room < _WORD):
            if part:
                yield f"=?utf-8?{letter}?{write(part)}?="
            room, part = _WORD, char
        else:
            part += char
    yield f"=?utf-8?{letter}?{write(part)}?="


def _folded(name: str, parts: Iterator[str] | list[str], linesep: str) -> str:
    """Put parts on lines of at most 76 columns, each whole; a space is between them."""
    lines = [f"{name}:"]
    for part in parts:
        if len(lines[-1]) + 1 + len(part) > COLUMNS and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {part}"
    return linesep.join(lines) + linesep


def _is_plain(text: str) -> bool:
    return bool(_SEEN.fullmatch(text)) and "=?" not in text and text == one_line(text)


class _Written(UnstructuredHeader, BaseHeader):
    """A text as it is given, and not as what it may look like."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Take it."""
        super().parse("", kwds)
        kwds["decoded"] = value


class _Verbatim(_Written):
    """A link or an id: one line, as it is."""

    max_count = 1

    def fold(self, *, policy: Policy) -> str:
        """Write it."""
        return f"{self.name}: {self}{policy.linesep}"


class _Subject(_Written):
    """A text of one line."""

    max_count = 1

    def fold(self, *, policy: Policy) -> str:
        """Write it."""
        words = str(self).split(" ")
        if _is_plain(str(self)) and max(map(len, words)) < _LONG:
            return _folded(self.name, words, policy.linesep)
        first = COLUMNS - len(self.name) - 2
        return _folded(self.name, encoded_words(str(self), first=first), policy.linesep)


class _Addressed(UniqueSingleAddressHeader):
    """A name and an address."""

    name: str  # of the class that the registry makes of this one

    def fold(self, *, policy: Policy) -> str:
        """Write it.

        Raises:
            InvalidInput: its address is not ASCII, and the policy is for transports without SMTPUTF8 (R21).
        """
        display, address = self.address.display_name, self.address.addr_spec
        if not address.isascii() and not getattr(policy, "utf8", False):
            raise InvalidInput(
                f"{self.name}: this address needs a transport with SMTPUTF8, and a policy with utf8=True"
            )
        parts = [f"<{address}>"] if display else [address]
        return _folded(self.name, [*self._name_parts(display), *parts], policy.linesep)

    def _name_parts(self, display: str) -> list[str]:
        first = COLUMNS - len(self.name) - 2
        if not display:
            return []
        if _is_plain(display) and _ATOMS.fullmatch(display) and len(display) < _LONG:
            return display.split(" ")
        quoted = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if _is_plain(display) and len(quoted) <= first:
            return [quoted]
        return list(encoded_words(display, first=first))


def _registry() -> Any:
    found: Any = HeaderRegistry()
    for name in ("from", "to", "reply-to"):
        found.map_to_type(name, _Addressed)
    for name in ("list-id", "list-unsubscribe", "list-unsubscribe-post", "message-id"):
        found.map_to_type(name, _Verbatim)
    found.map_to_type("subject", _Subject)
    return found


HEADERS: Final = _registry()
"""Makes headers of messages; the `header_factory` of a policy."""
