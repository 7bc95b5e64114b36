"""What the parts of the adapter share: the client, the bindings, the topics, and pages of whatever Mailchimp lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from lifecycle_mail_http.bindings import OwnBindings

from lifecycle_mail.errors import InvalidAddress
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Bindings
from lifecycle_mail_mailchimp.client import CONNECTIONS, MailchimpClient
from lifecycle_mail_mailchimp.topics import Topic, Topics

NAME: Final = "mailchimp"
TARGET: Final = f"esp:{NAME}"
PAGE: Final = 1000
"""How much Mailchimp lists at once."""
AT_ONCE: Final = 500
"""How many members it takes in one call."""
OWN: Final = "lifecycle_mail"
"""How the names begin of what we make there, so that it is found again."""


class Account:
    """A Mailchimp account as one adapter uses it.

    Attributes:
        client: the package, over our transport.
        audience: the id of the audience in which lists are interests.
        given: what lists are, as the application says; it outranks what the registry keeps.
        bindings: where ids are kept that stand for our keys.
        clock: tells the instant, aware UTC.
    """

    def __init__(
        self, client: MailchimpClient, *, audience: str, given: Mapping[ListKey, Topic], clock: Callable[[], datetime]
    ) -> None:
        self.client = client
        self.audience = audience
        self.given = given
        self.bindings: Bindings = OwnBindings()
        self.clock = clock

    @property
    def topics(self) -> Topics:
        """What each list is, as it stands."""
        return Topics.read(self.bindings, TARGET, self.given)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every audience that is used, the one of the interests first."""
        return tuple(dict.fromkeys([self.audience, *self.topics.audiences]))

    def bind(self, kind: str, ours: str, theirs: str) -> None:
        """Keep an id."""
        self.bindings.bind(TARGET, kind, ours, theirs)

    def bound(self, kind: str) -> Mapping[str, str]:
        """Return the ids of a kind that are kept."""
        return self.bindings.bound(TARGET, kind)

    def pages(
        self, operation: str, call: Callable[..., Mapping[str, Any]], *arguments: str, key: str,
        fields: Sequence[str] = (), **query: Any,
    ) -> Iterator[Sequence[Mapping[str, Any]]]:  # fmt: skip
        """Yield what Mailchimp lists, a page at a time, several asked for at once and few of them held.

        Args:
            operation: what it is asked for.
            call: the method of the package.
            arguments: whose.
            key: where the rows stand in the answer.
            fields: which fields of the rows are needed; all of them if left out.
            query: what else to ask for.
        """
        if fields:  # a list: the package takes a text apart into letters
            query["fields"] = ["total_items", *(f"{key}.{name}" for name in fields)]

        def page(offset: int) -> Mapping[str, Any]:
            with self.client.transport.operation(operation):
                return call(*arguments, count=PAGE, offset=offset, **query)

        first = page(0)
        yield first[key]
        offsets = iter(range(PAGE, int(first.get("total_items", 0)), PAGE))
        asked: deque[Future[Mapping[str, Any]]] = deque()
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mailchimp-pages") as threads:
            try:
                for offset in offsets:
                    asked.append(threads.submit(page, offset))
                    if len(asked) >= 2 * CONNECTIONS:
                        yield asked.popleft().result()[key]
                while asked:
                    yield asked.popleft().result()[key]
            finally:
                for one in asked:
                    one.cancel()


def address_of(row: Mapping[str, Any]) -> EmailAddress | None:
    """Return the address of a member; None where it is one that nobody could write to."""
    try:
        return parse_address(str(row.get("email_address", "")))
    except InvalidAddress:
        return None


def written(address: EmailAddress) -> str:
    """Return an address as Mailchimp is told it."""
    return address.deliverable


def chunked(items: Sequence[Any], size: int = AT_ONCE) -> Iterator[Sequence[Any]]:
    """Cut what goes into calls."""
    return (items[at : at + size] for at in range(0, len(items), size))
