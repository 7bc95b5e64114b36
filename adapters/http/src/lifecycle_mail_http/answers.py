"""What a provider answered: its status, its headers, and what its body holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen
from requests.structures import CaseInsensitiveDict

from lifecycle_mail.model.addresses import mask
from lifecycle_mail_http.calls import Promise

_MOST_SHOWN: Final = 20_000
# Generous: whatever could be an address, also quoted for a URL. What stands before the at sign may be anything that no
# text, list or JSON puts between two addresses. Bounded, so that it takes no longer than the text is long.
_ADDRESS: Final = re.compile(
    r"""[^\s"<>@,;:()\[\]{}]{1,64}(?:@|%40)[^\s"'<>@,;:()\[\]{}\\%/?#&=]{1,253}""", re.IGNORECASE
)


def masked(text: str) -> str:
    """Return a text for logs and errors, with every address in it masked."""
    return _ADDRESS.sub(lambda found: mask(found[0].replace("%40", "@")), text)


class Unfit(Exception):
    """An answer that is no success, though its status says so; the message says why (F25)."""


def _any_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    return CaseInsensitiveDict(headers)


@frozen(eq=False)
class Answer:
    """An answer.

    Attributes:
        status: the status code.
        headers: the headers, found in upper and lower case.
        body: the body as it came, unpacked.
    """

    status: int
    headers: Mapping[str, str] = field(converter=_any_case, factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status says that it was done."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The beginning of the body as text, with addresses masked: for errors and logs."""
        shown = self.body[: 4 * _MOST_SHOWN].decode("utf-8", "replace")
        return masked(shown[:_MOST_SHOWN])[:_MOST_SHOWN]

    @property
    def said_type(self) -> str:
        """The media type without its parameters, in lower case; empty where the answer has none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self, promise: Promise = Promise.PERHAPS) -> Any:
        """Return what the body holds, None for an empty one.

        Raises:
            Unfit: it is not JSON, or less than was promised.
        """
        if promise is Promise.ANYTHING:
            raise Unfit("nothing was promised of its body: read `body`")
        if not self.body.strip():
            if promise is Promise.PERHAPS:
                return None
            raise Unfit(f"it is empty, and {promise} was promised")
        said = self.said_type
        # An answer that does not say what it is may be what we take it for; one that says HTML is not.
        if said and said != "application/json" and not said.endswith("+json"):
            raise Unfit(f"its content type is {said[:80]!r} and not JSON")
        content = self._parsed()
        if promise is Promise.OBJECT and not (isinstance(content, dict) and content):
            raise Unfit(f"it is no {promise}")
        if promise is Promise.CONTENT and not (isinstance(content, dict | list) and content):
            raise Unfit(f"it is no {promise}")
        if not isinstance(content, dict | list):
            raise Unfit("it is neither an object nor an array")
        return content

    def problem(self) -> Any:
        """Return what the body of an error holds, whatever its type is said to be; None where that is no JSON."""
        try:
            return self._parsed()
        except Unfit:
            return None

    def _parsed(self) -> Any:
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):  # ValueError: also what is no Unicode, and numbers without end
            raise Unfit("it is not whole JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)
