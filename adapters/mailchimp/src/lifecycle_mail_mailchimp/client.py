"""The official package `mailchimp_marketing`, over the transport of `lifecycle_mail_http`.

Every method of the package works as it is documented, and goes through one pooled transport. What the package does
itself is hidden:

- it connects anew for every call, waits 120 s and never tries again: the transport does better;
- it returns a raw `Response` where it makes nothing of an answer (429 and 500 without a content type, 204, `{}`, `[]`,
  broken JSON) and an `ApiClientError` without status or headers elsewhere: here a call returns parsed JSON, None where
  the API promises no content, or raises an error of our tree;
- it puts the data centre into the whole address, so that a path with the word "server" breaks, and leaves slashes in
  parts of a path unquoted: here the data centre is part of the host alone, and parts are quoted;
- a datetime in a body raises, and a boolean in a query is written `True`: here both are written as Mailchimp reads
  them. A call without a body sends none, where the package sends `null`.

Members are addressed by `member_id`, a hash, so that no address stands in a path. `search_members.search` is the
exception: its query holds what is searched for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Self
from urllib.parse import quote

import mailchimp_marketing
from lifecycle_mail_http import Key, Promise, Transport, checked_host, checked_key
from mailchimp_marketing.api_client import ApiClient

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail_mailchimp.errors import ESP, explain

CONNECTIONS: Final = 10
"""As many calls may be under way at once for one user; more are answered with 429."""

_DATA_CENTRE: Final = re.compile(r"[a-z]{2,4}[0-9]{1,4}", re.ASCII)
# What the package says of an operation that answers 204.
_NO_CONTENT: Final = (None, "object")


def member_id(address: EmailAddress) -> str:
    """Return what Mailchimp calls a member by: the MD5 of the address in lower case."""
    return hashlib.md5(address.deliverable.lower().encode(), usedforsecurity=False).hexdigest()


class MailchimpClient:
    """Mailchimp's API: `client.lists.get_list("a36b032126")`, and so on as in `mailchimp_marketing.Client`.

    Attributes:
        transport: what carries the calls.
        package: the package's own client.
    """

    def __init__(
        self, api_key: str, *, transport: Transport | None = None, server: str | None = None, host: str | None = None
    ) -> None:
        """Make a client. No call is made.

        Args:
            api_key: the key, which ends in the data centre: `...-us6`.
            transport: a transport to share; by default one of its own, which `close` closes.
            server: the data centre, for a key that does not name it.
            host: the address of the API, for tests: `http://127.0.0.1:8080/3.0`.

        Raises:
            Misconfigured: the key is missing or no key, or the data centre is not known.
        """
        key = checked_key(api_key, "the API key of Mailchimp")
        self._host = checked_host(host or f"https://{_data_centre(key, server)}.api.mailchimp.com/3.0")
        self._owned = transport is None
        self.transport = transport or Transport(ESP, connections=CONNECTIONS)
        self.package = mailchimp_marketing.Client()
        calls = _Calls(self.transport, self._host, Key.basic("lifecycle_mail", key))
        self.package.api_client = calls
        for group in vars(self.package).values():
            if hasattr(group, "api_client"):
                group.api_client = calls

    def __getattr__(self, name: str) -> Any:
        # A group of the package's methods: lists, campaigns, ...
        if name.startswith("_") or name not in vars(self.__dict__.get("package", object)):
            raise AttributeError(f"the package mailchimp_marketing has no group of methods named {name!r}")
        return getattr(self.package, name)

    def __repr__(self) -> str:
        return f"MailchimpClient({self._host!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the transport, unless it was given."""
        if self._owned:
            self.transport.close()


class _Calls(ApiClient):  # type: ignore[misc] # the package has no types
    """What every method of the package calls."""

    def __init__(self, transport: Transport, host: str, key: Key) -> None:
        super().__init__()
        self.host = host
        self.transport = transport
        self.key = key

    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: Mapping[str, object] | None = None,
        query_params: Any = None,
        header_params: Any = None,  # noqa: ARG002 # says what every call says
        body: object = None,
        collection_formats: Mapping[str, str] | None = None,
        response_type: str | None = None,
        **_: object,
    ) -> Any:
        """Make a call and return what its answer holds."""
        path = resource_path
        for name, value in (path_params or {}).items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        query = self.parameters_to_tuples(self.sanitize_for_serialization(query_params or []), collection_formats)
        headers = {
            "Accept": "application/json, application/problem+json",
            "User-Agent": self.default_headers["User-Agent"],
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self.transport.send(
            method,
            self.host + path,
            name=f"{method} {resource_path}",
            headers=headers,
            query=[(name, _in_query(value)) for name, value in query if value is not None],
            body=None if body is None else _written(body),
            auth=self.key,
            promise=Promise.PERHAPS if response_type in _NO_CONTENT else Promise.CONTENT,
            explain=explain,
        )
        return answer.json()

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Write instants as Mailchimp reads them; all else is the package's."""
        if isinstance(obj, datetime | date):
            return _instant(obj)
        return super().sanitize_for_serialization(obj)


def _data_centre(key: str, server: str | None) -> str:
    centre = key.rpartition("-")[2] if server is None else server
    if not _DATA_CENTRE.fullmatch(centre) or (server is None and "-" not in key):
        where = "the API key names no data centre" if server is None else f"{server!r} is no data centre"
        raise Misconfigured(f"{where}: a key ends in one, as in ...-us6; copy the whole key, or give server='us6'")
    return centre


def _written(body: object) -> bytes:
    try:
        return json.dumps(body, default=_instant, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise InvalidInput(f"a body for Mailchimp cannot be written as JSON: {error}") from None


def _in_query(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _instant(value: object) -> str:
    """Write an instant as ISO 8601 in UTC, to the second, which is all that Mailchimp keeps."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInput(f"{value} has no time zone: give an instant that has one")
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    raise InvalidInput(f"a {type(value).__name__} cannot be written as JSON: give text, a number or an instant")
