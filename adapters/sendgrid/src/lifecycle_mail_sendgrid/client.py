"""The official package `sendgrid`, over the transport of `lifecycle_mail_http`.

A call is written as the package has it, `client.marketing.contacts.put(request_body=...)`, and returns the package's
`Response`. What the package does itself is hidden:

- it has no timeout, never tries again and connects anew for every call: the transport does better;
- some failures are its own errors, others `HTTPError`, others what the network raised: here all are of our tree;
- all clients derived from one share one set of headers, so that those of one call stay for the next: here they do not;
- parts of a path are unquoted, so that `a/b@example.com` asks for something else: here every part is quoted, and
  `client._("a/b")` is one part;
- its debug log holds the API key and the bodies: here it logs nothing, and only the transport has the key.

SendGrid leaves no way around an address in the path of `suppression/{kind}/{email}`, `asm/suppressions/{email}` and
`asm/groups/{id}/suppressions/{email}`, nor in the query of `suppression/*?email=`: what logs urllib3 at debug level, or
the paths that leave, logs these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final, Self
from urllib.parse import quote

import sendgrid
from lifecycle_mail_http import Answer, Key, Promise, Transport, checked_host, checked_key
from python_http_client.client import Client, Response

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail_sendgrid.errors import ESP, explain

GLOBAL: Final = "https://api.sendgrid.com"
"""The API of accounts that are not bound to a region."""
EU: Final = "https://api.eu.sendgrid.com"
"""The API of accounts in the European Union."""


class SendgridClient:
    """SendGrid's API, version 3: `client.marketing.lists.get()`, and so on as with the package's own client.

    A call takes `request_body`, `query_params` and `request_headers`, the last for this call alone, for example
    `{"on-behalf-of": "subuser"}`. It returns the package's `Response`: `status_code`, `headers`, and `to_dict`, which
    is what the body holds, or None.

    Attributes:
        transport: what carries the calls.
        package: the package's own client, for `package.send(mail)`; the API key is not in it.
    """

    def __init__(
        self,
        api_key: str,
        *,
        transport: Transport | None = None,
        host: str = GLOBAL,
        on_behalf_of: str | None = None,
    ) -> None:
        """Make a client. No call is made.

        Args:
            api_key: the key.
            transport: a transport to share; by default one of its own, which `close` closes.
            host: the API's address: `GLOBAL`, `EU`, or one for tests.
            on_behalf_of: the subuser for whom every call is made.

        Raises:
            Misconfigured: the key is missing or no key, or the host would get it unencrypted.
        """
        key = checked_key(api_key, "the API key of SendGrid")
        self._host = checked_host(host)
        self._owned = transport is None
        self.transport = transport or Transport(ESP)
        self.package = sendgrid.SendGridAPIClient(api_key="held by the transport", host=self._host)
        headers = {"Accept": "application/json", "User-Agent": self.package.useragent}
        if on_behalf_of is not None:
            headers["on-behalf-of"] = checked_key(on_behalf_of, "the subuser of SendGrid")
        self.package.client = _Path(_Caller(self.transport, self._host, key=Key.bearer(key)), headers)

    def __getattr__(self, name: str) -> Any:
        # The first part of a path: marketing, asm, ...
        if name.startswith("_"):
            raise AttributeError(f"SendgridClient has no {name!r}; a part of a path is written client._({name!r})")
        return getattr(self.__dict__["package"].client, name)

    def _(self, part: object) -> Any:
        """Return the path that begins with this part, whatever characters are in it."""
        return self.package.client._(part)

    def __repr__(self) -> str:
        return f"SendgridClient({self._host!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the transport, unless it was given."""
        if self._owned:
            self.transport.close()


class _Path(Client):  # type: ignore[misc] # the package has no types
    """A path of the API, to which attributes add parts, as the package does it."""

    def __init__(
        self, caller: _Caller, headers: Mapping[str, str], parts: tuple[str, ...] = (), version: int = 3
    ) -> None:
        super().__init__(host=caller.host, request_headers=dict(headers), version=version, url_path=list(parts))
        self._caller = caller

    def _build_client(self, name: object = None) -> _Path:
        parts = tuple(self._url_path) if name is None else (*self._url_path, str(name))
        return _Path(self._caller, self.request_headers, parts, self._version)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # nobody's path: copy and pickle ask for such
            raise AttributeError(name)
        if name == "version":
            return partial(_Path, self._caller, self.request_headers, tuple(self._url_path))
        if name in self.methods:
            return partial(self._caller.call, name.upper(), self)
        return self._build_client(name)

    @property
    def path(self) -> str:
        """The path with every part quoted."""
        return "".join(f"/{quote(part, safe='@')}" for part in (f"v{self._version}", *self._url_path))


class _Caller:
    """Makes the calls of all paths."""

    def __init__(self, transport: Transport, host: str, *, key: Key) -> None:
        self.host = host
        self._transport = transport
        self._key = key

    def call(
        self,
        method: str,
        path: _Path,
        request_body: object = None,
        query_params: Mapping[str, object] | None = None,
        request_headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> Response:
        """Make a call; the arguments are those of the package's own methods."""
        headers = {**path.request_headers, **(request_headers or {})}
        if request_body is not None:
            headers.setdefault("Content-Type", "application/json")
        answer = self._transport.send(
            method,
            self.host + path.path,
            headers=headers,
            query=_pairs(query_params or {}),
            body=None if request_body is None else _written(request_body, headers),
            auth=self._key,
            promise=Promise.JSON if method == "GET" else Promise.PERHAPS,
            explain=explain,
        )
        return Response(_Read(answer))


class _Read:
    """An answer as the package reads one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def getcode(self) -> int:
        """Return the status code."""
        return self._answer.status

    def read(self) -> bytes:
        """Return the body."""
        return self._answer.body

    def info(self) -> Mapping[str, str]:
        """Return the headers."""
        return self._answer.headers


def _pairs(query: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, _in_query(one))
        for name, value in sorted(query.items())
        for one in (value if isinstance(value, list | tuple) else [value])
        if one is not None
    ]


def _in_query(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _instant(value) if isinstance(value, date) else str(value)


def _written(body: object, headers: Mapping[str, str]) -> bytes:
    if isinstance(body, bytes):
        return body
    said = next(value for name, value in headers.items() if name.lower() == "content-type")
    if isinstance(body, str) and said.partition(";")[0].strip().lower() != "application/json":
        return body.encode()
    try:
        return json.dumps(body, default=_instant, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise InvalidInput(f"a body for SendGrid cannot be written as JSON: {error}") from None


def _instant(value: object) -> str:
    """Write an instant as ISO 8601 in UTC, which SendGrid reads where a field is a date."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInput(f"{value} has no time zone: give an instant that has one")
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise InvalidInput(f"a {type(value).__name__} cannot be written as JSON: give text, a number or an instant")
