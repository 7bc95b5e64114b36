"""A request that has found its operation: its parameters as values, and its answer as the caller wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import frozen

from lifecycle_mail.testing.contract import Answer, Request
from lifecycle_mail_mailchimp.testing.problems import malformed
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Campaign, Member, links

T = TypeVar("T")

_DEFAULT_COUNT: Final = 10
_Tree = dict[str, "_Tree"]


def instant(written: object) -> datetime | None:
    """Read a date or a date-time; None where it is none. Without a zone it is UTC."""
    if not isinstance(written, str):
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


@frozen
class Call:
    """A request to one operation of an account."""

    request: Request
    account: Account

    def __getitem__(self, name: str) -> str:
        return self.request.path_parameters[name]

    @property
    def body(self) -> dict[str, Any]:
        """The body, which is an object wherever there is one."""
        return self.request.json if isinstance(self.request.json, dict) else {}

    @property
    def audience(self) -> Audience:
        """The audience that the path names."""
        return self.account.audience(self["list_id"])

    @property
    def member(self) -> Member:
        """The member that the path names."""
        return self.audience.member(self["subscriber_hash"])

    @property
    def campaign(self) -> Campaign:
        """The campaign that the path names."""
        return self.account.campaign(self["campaign_id"])

    @property
    def origin(self) -> str:
        """Where the caller reached us: links to results lead back there."""
        return f"http://{self.request.headers.get('host', '127.0.0.1')}"

    def text(self, name: str) -> str:
        """Return a parameter of the query; empty where there is none."""
        values = self.request.query.get(name) or ()
        return values[-1] if values else ""

    def texts(self, name: str) -> list[str]:
        """Return the values of a parameter that may come several times, or as one with commas."""
        return [part for value in self.request.query.get(name) or () for part in value.split(",") if part]

    def number(self, name: str, default: int) -> int:
        """Return a parameter that is a whole number."""
        return int(self.text(name) or default)

    def flag(self, name: str) -> bool:
        """Return a parameter that is true or false."""
        return self.text(name).lower() in ("true", "1")

    def instant(self, name: str) -> datetime | None:
        """Return a parameter that is an instant.

        Raises:
            Refusal: it is none.
        """
        written = self.text(name)
        read = instant(written)
        if written and read is None:
            raise malformed((name, "This value is not a valid datetime."))
        return read

    def within(self, since: str, before: str, at: datetime | None) -> bool:
        """Tell whether an instant lies after one parameter and before another, both exclusive."""
        start, end = self.instant(since), self.instant(before)
        if start is None and end is None:
            return True
        return at is not None and (start is None or at > start) and (end is None or at < end)

    def page(self, name: str, rows: Sequence[T], show: Callable[[T], Any], **more: Any) -> Answer:
        """Return the rows that the call asks for, with how many there are in all."""
        start, size = self.number("offset", 0), self.number("count", _DEFAULT_COUNT)
        shown = [show(row) for row in rows[start : start + size]]
        return self.answer({name: shown, **more, "total_items": len(rows), "_links": links(self.request.path)})

    def answer(self, document: dict[str, Any], status: int = 200) -> Answer:
        """Return a document, with the fields that the call asks for."""
        wanted, unwanted = self.texts("fields"), self.texts("exclude_fields")
        if wanted:
            document = _kept(document, _tree(wanted))
        if unwanted:
            document = _dropped(document, _tree(unwanted))
        return Answer(status=status, json=document)


Handler = Callable[[Call], Answer]


class Part:
    """A part of the account: it answers some operations, and does some of what comes later."""

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation, such as `GET /lists/{list_id}`."""
        return {}

    def settle(self) -> None:
        """Do what is due by now."""


def _tree(paths: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for path in paths:
        below = tree
        for step in path.split("."):
            below = below.setdefault(step, {})
    return tree


def _kept(document: Any, tree: _Tree) -> Any:
    if not tree:
        return document
    if isinstance(document, list):
        return [_kept(one, tree) for one in document]
    if isinstance(document, dict):
        return {key: _kept(document[key], below) for key, below in tree.items() if key in document}
    return document


def _dropped(document: Any, tree: _Tree) -> Any:
    if isinstance(document, list):
        return [_dropped(one, tree) for one in document]
    if isinstance(document, dict):
        return {
            key: _dropped(value, tree[key]) if key in tree else value
            for key, value in document.items()
            if tree.get(key) != {}
        }
    return document
