"""Who may send: sender identities, and what the key is allowed to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, epoch
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

_PATH: Final = "/v3/marketing/senders"


class Senders(Part):
    """The sender identities of the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._senders: dict[int, dict[str, Any]] = {}

    def get(self, sender_id: int | None) -> dict[str, Any] | None:
        """Return a sender."""
        return None if sender_id is None else self._senders.get(sender_id)

    def add(self, email: str, name: str = "News", *, verified: bool = True) -> int:
        """Make a sender, without a request, and return its id."""
        sender_id = 1 + len(self._senders)
        at = epoch(self._account.now)
        self._senders[sender_id] = {
            "id": sender_id,
            "nickname": name,
            "from": {"email": email, "name": name},
            "reply_to": {"email": email, "name": name},
            "address": "1 Example Street",
            "city": "Springfield",
            "country": "United States",
            "verified": verified,
            "locked": False,
            "updated_at": at,
            "created_at": at,
        }
        return sender_id

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"GET {_PATH}": self._all,
            f"GET {_PATH}/{{id}}": self._one,
            "GET /v3/verified_senders": self._verified,
        }

    def _all(self, _: Call) -> Answer:
        return Answer(json={"results": list(self._senders.values())})

    def _one(self, call: Call) -> Answer:
        sender = self._senders.get(int(call["id"]) if call["id"].isdecimal() else 0)
        if sender is None:
            raise Refusal(404, (None, "sender was not found"))
        return Answer(json=sender)

    def _verified(self, call: Call) -> Answer:
        wanted, after = call.number("id", 0), call.number("lastSeenID", 0)
        rows = [
            {
                **{key: one[key] for key in ("id", "nickname", "address", "city", "country", "verified", "locked")},
                "from_email": one["from"]["email"],
                "from_name": one["from"]["name"],
                "reply_to": one["reply_to"]["email"],
                "reply_to_name": one["reply_to"]["name"],
            }
            for one in self._senders.values()
            if (not wanted or one["id"] == wanted) and one["id"] > after
        ]
        return Answer(json={"results": rows[: call.number("limit", len(rows) or 1)]})


_CRUD: Final = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
_SCOPES: Final = (
    ("/v3/mail/send", "mail"),
    ("/v3/mail/batch", "mail.batch"),
    ("/v3/marketing", "marketing"),
    ("/v3/asm/groups/{group_id}/suppressions", "asm.groups.suppressions"),
    ("/v3/asm/groups", "asm.groups"),
    ("/v3/asm/suppressions/global", "asm.suppressions.global"),
    ("/v3/asm/suppressions", "asm.suppressions"),
    ("/v3/suppression/bounces", "suppression.bounces"),
    ("/v3/suppression/blocks", "suppression.blocks"),
    ("/v3/suppression/invalid_emails", "suppression.invalid_emails"),
    ("/v3/suppression/spam_reports", "suppression.spam_reports"),
    ("/v3/suppression/unsubscribes", "suppression.unsubscribes"),
    ("/v3/messages", "messages"),
    ("/v3/recipients/erasejob", "recipients.erasejob"),
    ("/v3/user/scheduled_sends", "user.scheduled_sends"),
    ("/v3/user/webhooks/event/settings", "user.webhooks.event.settings"),
    ("/v3/verified_senders", "verified_senders"),
)


def scope_of(operation: str) -> str:
    """Return what a key must be allowed, for an operation; empty where any key may."""
    method, _, path = operation.partition(" ")
    name = next((name for start, name in _SCOPES if path.startswith(start)), "")
    if not name:
        return ""
    if name == "mail":
        return "mail.send"
    return f"{name}.{'read' if '/search' in path else _CRUD[method]}"


ALL_SCOPES: Final = frozenset({"mail.send", *(f"{name}.{verb}" for _, name in _SCOPES[1:] for verb in _CRUD.values())})
"""Everything that a key can be allowed here."""


class Scopes(Part):
    """What the key is allowed.

    Attributes:
        allowed: for a test to take from.
    """

    def __init__(self) -> None:
        self.allowed = set(ALL_SCOPES)

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {"GET /v3/scopes": lambda _: Answer(json={"scopes": sorted(self.allowed)})}
