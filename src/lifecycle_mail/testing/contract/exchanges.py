"""What goes over the wire, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen


@frozen(kw_only=True)
class Request:
    """A request as the server took it.

    Attributes:
        method: in capitals.
        path: as it was sent, without the prefix and the query.
        query: each parameter with its values, decoded.
        headers: by name, in lower case.
        body: its bytes.
        json: what the body says; None where it is no JSON.
        operation: what the vendor calls it: the method and the template of the path, such as `GET /lists/{list_id}`.
        path_parameters: what stood in the path, decoded.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    json: Any = field(default=None, repr=False)
    operation: str = ""
    path_parameters: Mapping[str, str] = field(factory=dict)


@frozen
class Answer:
    """What is sent back.

    Attributes:
        status: the status code.
        json: what the body says; None sends no body.
        headers: beside those of the transport. JSON is sent as `application/json; charset=utf-8` unless they say
            otherwise; a header whose value is empty is not sent.
        body: the bytes of the body, where it is no JSON.
    """

    status: int = 200
    json: Any = None
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = None


class Simulator(Protocol):
    """What stands in for a vendor: state and rules, and nothing of HTTP. It is asked one request at a time."""

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for, and say what came of it."""
        ...


@frozen
class Violation:
    """A request or an answer that is not what the vendor's specification and the overlay say.

    Attributes:
        request: the method and the path.
        where: the place in it, such as `body.members[3].status` or `answer 200.total_items`.
        message: what is wrong.
    """

    request: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.request}: {self.where}: {self.message}"
