"""Bodies of webhooks: their limits, and what can be read of them.

Theory of operation
===================

Who may write to a webhook's address is not known before its signature is checked, and the signature covers the raw
bytes. So the order is: limits, signature, contents.

- `open_body` looks at sizes and headers alone. A body that is too large is refused, and so is one that unpacks to
  more than that: unpacking stops there, however much it would come to (F43).
- Whoever verifies signatures does so now, over `Delivery.body`. A damaged body is reported afterwards, so that one
  that was changed on its way is refused for its signature (F38).
- `Body.text`, `read_array` and `read_form` then read strictly: what JSON forbids or leaves open is refused (F40). Of
  an array each element stands for itself: a bad one is a `Fault`, and the others are read (F41). A body of which
  nothing can be read is refused as a whole.

Memory and time grow with the limit and with nothing else.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl

from attrs import field, frozen

from lifecycle_mail.errors import InvalidAddress, InvalidInput, WebhookRefused
from lifecycle_mail.files.json_rows import StrictJson
from lifecycle_mail.files.text import Fault
from lifecycle_mail.ports import Delivery

MOST_BYTES: Final = 5_000_000
"""The most bytes of a body, packed or unpacked. What ESPs send is far smaller."""
MOST_FIELDS: Final = 1_000
"""The most fields of a form."""
MOST_ELEMENTS: Final = 50_000
"""The most elements of an array: more than events of the smallest size fit into the largest body."""
MOST_FAULTS: Final = 1_000
"""The most elements of an array that may be bad before the rest is not looked at: each costs a look at what is before
it."""

_GZIP: Final = zlib.MAX_WBITS | 16
_SPACE: Final = " \t\r\n"
_NOT_SPACE: Final = re.compile(r"[^ \t\r\n]|\Z")
_MOST_SAID: Final = 500
_BEFORE_AT: Final = re.compile(r"[^\s@'\"<>]+@")


@frozen
class Body:
    """A body within its limits.

    Attributes:
        contents: what is in it, unpacked; None where it cannot be unpacked.
    """

    contents: bytes | None = field(repr=False)

    def text(self) -> str:
        """Return it as text.

        Raises:
            WebhookRefused: it cannot be unpacked, or is not UTF-8.
        """
        if self.contents is None:
            raise WebhookRefused("the body is said to be gzip and is not, or is cut off", status=400)
        try:
            return self.contents.decode()
        except UnicodeDecodeError as error:
            raise WebhookRefused(f"the body is not UTF-8: see byte {error.start}", status=400) from None


def open_body(delivery: Delivery, *, media_type: str, most: int = MOST_BYTES) -> Body:
    """Hold a delivery against its limits, before anything else looks at it.

    Args:
        delivery: what came.
        media_type: what the body must be, where its header says anything.
        most: how many bytes it may have, packed or unpacked.

    Raises:
        WebhookRefused: it is too large (413), of another type, or packed in another way than gzip (415).
    """
    body = delivery.body
    if len(body) > most:
        raise _too_large(most)
    said = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said not in ("", media_type):
        raise WebhookRefused(f"the body is {said[:60]!r}, not {media_type}", status=415)
    packed = delivery.headers.get("content-encoding", "").strip().lower()
    if packed in ("", "identity"):
        return Body(body)
    if packed not in ("gzip", "x-gzip"):
        raise WebhookRefused(f"the body is packed as {packed[:60]!r}: gzip alone is unpacked", status=415)
    return Body(_unpacked(body, most))


def _unpacked(packed: bytes, most: int) -> bytes | None:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        contents = unpacking.decompress(packed, most + 1)
    except zlib.error:
        return None
    if len(contents) > most:
        raise _too_large(most)
    return contents if unpacking.eof and not unpacking.unused_data else None


def _too_large(most: int) -> WebhookRefused:
    return WebhookRefused(f"the body has more than {most:,} bytes", status=413)


def read_array(text: str) -> Sequence[object | Fault]:
    """Return the elements of an array of JSON; one that is bad is a fault.

    Raises:
        WebhookRefused: it is no whole array, has too many elements, or none of them can be read, or too many cannot.
    """
    strict = StrictJson()
    begin = _next(text, 0)
    if text[begin : begin + 1] != "[":
        raise WebhookRefused("the body is no array of JSON", status=400)
    whole, end = strict.decode(text, begin)  # in one go, since nearly all are good
    if isinstance(whole, list):
        _require_end(text, end)
        if len(whole) > MOST_ELEMENTS:
            raise _too_many()
        return whole
    elements, faults = [], []
    for element, _ in _elements(text, begin, strict):
        elements.append(element)
        if len(elements) > MOST_ELEMENTS:
            raise _too_many()
        if isinstance(element, Fault):
            faults.append(element)
            if len(faults) > MOST_FAULTS:
                raise WebhookRefused(f"more than {MOST_FAULTS:,} events of the body cannot be read", status=400)
    if faults and len(faults) == len(elements):
        raise WebhookRefused(f"nothing of the body can be read: {faults[0].reason}", status=400)
    return elements


def _too_many() -> WebhookRefused:
    return WebhookRefused(f"the body has more than {MOST_ELEMENTS:,} events", status=413)


def raw_elements(text: str) -> Sequence[str]:
    """Return the elements of an array that `read_array` has read, as they came."""
    return [raw for _, raw in _elements(text, _next(text, 0), StrictJson())]


def _elements(text: str, begin: int, strict: StrictJson) -> Iterator[tuple[object | Fault, str]]:
    at = _next(text, begin + 1)
    if text[at : at + 1] == "]":
        _require_end(text, at + 1)
        return
    while True:
        element, end = strict.decode(text, at)
        yield element, text[at:end]
        at = _next(text, end)
        mark = text[at : at + 1]
        if mark == "]":
            _require_end(text, at + 1)
            return
        if mark != ",":
            raise WebhookRefused("the array is not whole: it is cut off, or a comma is missing", status=400)
        at = _next(text, at + 1)


def _next(text: str, at: int) -> int:
    found = _NOT_SPACE.search(text, at)
    return found.start() if found is not None else len(text)


def _require_end(text: str, at: int) -> None:
    if _next(text, at) < len(text):
        raise WebhookRefused("something follows the array", status=400)


def read_form(text: str, *, most: int = MOST_FIELDS) -> dict[str, str]:
    """Return the fields of a form, decoded, by their names: `data[merges][FNAME]`.

    Raises:
        WebhookRefused: it is no form, has too many fields, or one of them twice.
    """
    try:
        pairs = parse_qsl(
            text.strip(_SPACE), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=most
        )
    except ValueError:
        raise WebhookRefused(f"the body is no form of UTF-8 with {most:,} fields at most", status=400) from None
    if not pairs:
        raise WebhookRefused("the body is empty", status=400)
    form = dict(pairs)
    if len(form) != len(pairs):
        raise WebhookRefused("a field of the form is given twice", status=400)
    return form


def why(problem: InvalidInput | Fault | str, fix: str = "") -> str:
    """Say what is wrong with an event, for a misfit: advice included, addresses masked."""
    if isinstance(problem, InvalidAddress):
        text = f"no address that mail can be sent to: {problem.reason}"
    elif isinstance(problem, Fault):
        text = problem.reason
    else:
        text = str(problem)
    told = f"{text} ({fix})" if fix else text
    return _BEFORE_AT.sub(lambda found: f"{found[0][0]}***@", told[:_MOST_SAID])
