"""Whom SendGrid mails nothing: bounces, blocks, invalid addresses, spam reports, and who left everything.

A block is listed and holds nobody back; all the others do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, epoch
from lifecycle_mail_sendgrid.testing.contacts import is_address
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

LONGEST_PAGE: Final = 500
LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "bounces": ("reason", "status"),
    "blocks": ("reason", "status"),
    "invalid_emails": ("reason",),
    "spam_reports": ("ip",),
    "unsubscribes": (),
}
"""The lists, and what each says beside the address and the instant."""

_GLOBAL: Final = "/v3/asm/suppressions/global"


@frozen
class Entry:
    """An address on a list.

    Attributes:
        email: lower case.
        at: since when.
        said: what else the list says, by key.
    """

    email: str
    at: datetime
    said: Mapping[str, str]


class Suppressions(Part):
    """The lists of addresses that are held back."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lists: dict[str, dict[str, Entry]] = {name: {} for name in LISTS}

    def __call__(self, name: str) -> Mapping[str, Entry]:
        """Return one of the lists, by address."""
        return self._lists[name]

    def add(self, name: str, email: str, at: datetime | None = None, **said: str) -> None:
        """Put an address on a list; who is on it stays as they are."""
        entry = Entry(email.lower(), at or self._account.now, {key: said.get(key, "") for key in LISTS[name]})
        self._lists[name].setdefault(entry.email, entry)

    def remove(self, name: str, email: str) -> bool:
        """Take an address off a list; tell whether it was on it."""
        return self._lists[name].pop(email.lower(), None) is not None

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        routes: dict[str, Handler] = {
            f"POST {_GLOBAL}": self._leave_everything,
            f"GET {_GLOBAL}/{{email}}": self._left_everything,
            f"DELETE {_GLOBAL}/{{email}}": self._back_to_everything,
            "GET /v3/suppression/unsubscribes": lambda call: self._all("unsubscribes", call),
        }
        for name in LISTS:
            if name != "unsubscribes":
                routes |= self._routes_of(name)
        return routes

    def _routes_of(self, name: str) -> Mapping[str, Handler]:
        path = f"/v3/suppression/{name}"
        return {
            f"GET {path}": lambda call: self._all(name, call),
            f"DELETE {path}": lambda call: self._delete_many(name, call),
            f"GET {path}/{{email}}": lambda call: self._one(name, call),
            f"DELETE {path}/{{email}}": lambda call: self._delete(name, call),
        }

    # -- the lists

    def _all(self, name: str, call: Call) -> Answer:
        limit, offset = call.number("limit", LONGEST_PAGE), call.number("offset", 0)
        if not 1 <= limit <= LONGEST_PAGE:
            raise Refusal(400, ("limit", f"limit must be between 1 and {LONGEST_PAGE}"))
        if offset < 0:
            raise Refusal(400, ("offset", "offset must not be negative"))
        rows = list(self._between(name, call))
        return Answer(json=[_shown(one) for one in rows[offset : offset + limit]])

    def _between(self, name: str, call: Call) -> Iterator[Entry]:
        start, end = call.number("start_time", 0), call.number("end_time", 0)
        email = call.query("email").lower()
        for entry in sorted(self._lists[name].values(), key=lambda entry: (-epoch(entry.at), entry.email)):
            at = epoch(entry.at)
            if start <= at and (not end or at <= end) and (not email or entry.email == email):
                yield entry

    def _one(self, name: str, call: Call) -> Answer:
        entry = self._lists[name].get(call["email"].lower())
        return Answer(json=[] if entry is None else [_shown(entry)])

    def _delete(self, name: str, call: Call) -> Answer:
        if not self.remove(name, call["email"]):
            raise Refusal(404, (None, "resource not found"))
        return Answer(status=204)

    def _delete_many(self, name: str, call: Call) -> Answer:
        everybody, emails = call.body.get("delete_all") is True, call.body.get("emails")
        if everybody == (emails is not None):
            raise Refusal(400, (None, "either delete_all or emails must be given, and not both"))
        for email in list(self._lists[name]) if everybody else emails or ():
            self.remove(name, email)
        return Answer(status=204)

    # -- leaving everything

    def _leave_everything(self, call: Call) -> Answer:
        emails = checked(call)
        for email in emails:
            self.add("unsubscribes", email)
        return Answer(status=201, json={"recipient_emails": emails})

    def _left_everything(self, call: Call) -> Answer:
        entry = self._lists["unsubscribes"].get(call["email"].lower())
        return Answer(json={} if entry is None else {"recipient_email": entry.email})

    def _back_to_everything(self, call: Call) -> Answer:
        self.remove("unsubscribes", call["email"])
        return Answer(status=204)


def checked(call: Call) -> list[str]:
    """Return the addresses that a call names.

    Raises:
        Refusal: there are none, or one is none.
    """
    emails = call.body.get("recipient_emails")
    if not isinstance(emails, list) or not emails:
        raise Refusal(400, ("recipient_emails", "recipient_emails must hold at least one address"))
    if bad := [one for one in emails if not is_address(one)]:
        raise Refusal(400, *(("recipient_emails", f"'{one}' is not a valid email address") for one in bad))
    return emails


def _shown(entry: Entry) -> dict[str, Any]:
    return {"created": epoch(entry.at), "email": entry.email, **entry.said}
