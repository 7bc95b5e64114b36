"""How a request finds what answers it, and in which words a refusal is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from lifecycle_mail.testing.contract import Answer, Request


class Refusal(Exception):
    """What SendGrid would say no with.

    Attributes:
        answer: the status and the body.
    """

    def __init__(self, status: int, *problems: tuple[str | None, str], json: Any = None, **more: str) -> None:
        """Say what is wrong.

        Args:
            status: the status code.
            problems: the field, if one is to blame, and what is wrong with it.
            json: the whole body, where it is not the usual one.
            more: further keys of each error, such as `error_id`.
        """
        body = {"errors": [_problem(field, message, more) for field, message in problems]} if json is None else json
        self.answer = Answer(status=status, json=body)
        super().__init__(f"{status}: {body}")


def _problem(field: str | None, message: str, more: Mapping[str, str]) -> dict[str, str]:
    return {**({} if field is None else {"field": field}), "message": message, **more}


@frozen
class Call:
    """A request that has found its operation; `call["id"]` is what stood in its path.

    Attributes:
        request: as it came.
    """

    request: Request

    @property
    def body(self) -> dict[str, Any]:
        """The body, which is an object wherever there is one."""
        return self.request.json if isinstance(self.request.json, dict) else {}

    @property
    def origin(self) -> str:
        """Where the caller reached us: links in answers lead back there."""
        return f"http://{self.request.headers.get('host', '127.0.0.1')}"

    def __getitem__(self, name: str) -> str:
        return self.request.path_parameters[name]

    def query(self, name: str, default: str = "") -> str:
        """Return a query parameter, or the default."""
        values = self.request.query.get(name) or ()
        return values[-1] if values else default

    def queries(self, name: str) -> Sequence[str]:
        """Return the values of a parameter that may come several times, or as one with commas."""
        return [part for value in self.request.query.get(name) or () for part in value.split(",") if part]

    def number(self, name: str, default: int) -> int:
        """Return a query parameter that is a whole number.

        Raises:
            Refusal: it is something else.
        """
        written = self.query(name)
        try:
            return int(written) if written else default
        except ValueError:
            raise Refusal(400, (name, f"{name} must be a number")) from None


Handler = Callable[[Call], Answer]


class Part:
    """A part of the account: it answers some operations, and does some of what comes later."""

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation, such as `GET /v3/marketing/lists/{id}`."""
        return {}

    def settle(self) -> None:
        """Do what is due."""


def handlers(parts: Iterable[Part]) -> Mapping[str, Handler]:
    """Return who answers which operation, of all parts together."""
    return {operation: handler for part in parts for operation, handler in part.routes().items()}
