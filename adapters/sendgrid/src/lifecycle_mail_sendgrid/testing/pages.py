"""Pages of what Marketing Campaigns lists: a size, and a token that leads to the next page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API
from lifecycle_mail_sendgrid.testing.routing import Call, Refusal

T = TypeVar("T")


def page(
    call: Call,
    rows: Sequence[T],
    *,
    path: str,
    show: Callable[[T], Any],
    size: int,
    longest: int,
    counted: bool = False,
) -> Answer:
    """Return the page that a call asks for.

    Args:
        call: with `page_size` and `page_token`.
        rows: everything, in order.
        path: what is listed.
        show: how a row is shown.
        size: of a page, where the call does not say.
        longest: the largest size that may be asked for.
        counted: whether the answer says how many rows there are.

    Raises:
        Refusal: the size or the token is wrong.
    """
    size = call.number("page_size", size)
    if not 1 <= size <= longest:
        raise Refusal(400, ("page_size", f"page_size must be between 1 and {longest}"))
    token = call.query("page_token")
    start = _start(token)

    def link(token: str) -> str:
        return f"{API}{path}?page_size={size}&page_token={token}"

    metadata: dict[str, Any] = {"self": link(token)}
    if start > 0:
        metadata["prev"] = link(_token(max(0, start - size)))
    if start + size < len(rows):
        metadata["next"] = link(_token(start + size))
    if counted:
        metadata["count"] = len(rows)
    return Answer(json={"result": [show(row) for row in rows[start : start + size]], "_metadata": metadata})


def _token(start: int) -> str:
    return urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=") if start else ""


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        word, _, number = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        if word == "from":
            return int(number)
    except (Error, ValueError):
        pass
    raise Refusal(400, ("page_token", "page_token is not valid"))
