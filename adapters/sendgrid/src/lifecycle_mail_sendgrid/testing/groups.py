"""Unsubscribe groups: who left one gets no mail of that group.

Two rules bite. What is added to a group that is not there is suppressed globally, with the same answer. Deleting a
group lets everybody in it be mailed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, field

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, epoch
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal
from lifecycle_mail_sendgrid.testing.suppressions import Suppressions, checked

MOST_GROUPS: Final = 200
MOST_SHOWN: Final = 25
"""How many groups a preference page shows."""

_PATH: Final = "/v3/asm/groups"


@define(kw_only=True)
class Group:
    """An unsubscribe group.

    Attributes:
        id: SendGrid's number.
        name, description: what the preference page shows.
        is_default: whether it is taken where none is named.
        made_at: since when it exists.
        left: since when each address is in it.
    """

    id: int
    name: str
    description: str
    is_default: bool
    made_at: datetime
    left: dict[str, datetime] = field(factory=dict)


class Groups(Part):
    """The unsubscribe groups of the account.

    Attributes:
        delay: how long a new group is not there yet for what is added to it.
    """

    def __init__(self, account: Account, suppressions: Suppressions) -> None:
        self._account = account
        self._suppressions = suppressions
        self._groups: dict[int, Group] = {}
        self._made = 0
        self.delay = timedelta(0)

    def get(self, group_id: int) -> Group | None:
        """Return a group that is there."""
        return self._groups.get(group_id)

    def add(self, name: str, description: str = "", *, is_default: bool = False) -> Group:
        """Make a group, without a request: what a test starts from."""
        self._made += 1
        if is_default:
            for other in self._groups.values():
                other.is_default = False
        group = Group(
            id=100 + self._made,
            name=name,
            description=description or name,
            is_default=is_default,
            made_at=self._account.now,
        )
        self._groups[group.id] = group
        return group

    def leave(self, group_id: int | None, email: str, at: datetime | None = None) -> bool:
        """Let an address leave a group; tell whether it left everything instead, as the group is not there."""
        group = self._groups.get(group_id or 0)
        if group is None or self._account.now - group.made_at < self.delay:
            self._suppressions.add("unsubscribes", email, at)
            return True
        group.left.setdefault(email.lower(), at or self._account.now)
        return False

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"GET {_PATH}": self._all,
            f"POST {_PATH}": self._create,
            f"GET {_PATH}/{{group_id}}": self._one,
            f"PATCH {_PATH}/{{group_id}}": self._update,
            f"DELETE {_PATH}/{{group_id}}": self._delete,
            f"POST {_PATH}/{{group_id}}/suppressions": self._add_members,
            f"GET {_PATH}/{{group_id}}/suppressions": self._members,
            f"POST {_PATH}/{{group_id}}/suppressions/search": self._search,
            f"DELETE {_PATH}/{{group_id}}/suppressions/{{email}}": self._remove,
            "GET /v3/asm/suppressions": self._everybody,
            "GET /v3/asm/suppressions/{email}": self._of_one,
        }

    def _all(self, call: Call) -> Answer:
        wanted = set(call.queries("id"))
        return Answer(json=[_shown(one) for one in self._groups.values() if not wanted or str(one.id) in wanted])

    def _create(self, call: Call) -> Answer:
        if len(self._groups) >= MOST_GROUPS:
            raise Refusal(400, (None, f"you have reached the maximum of {MOST_GROUPS} unsubscribe groups"))
        name, description = self._checked(call.body, {})
        group = self.add(name, description, is_default=call.body.get("is_default") is True)
        return Answer(status=201, json={key: value for key, value in _shown(group).items() if key != "unsubscribes"})

    def _one(self, call: Call) -> Answer:
        return Answer(json=_shown(self._found(call)))

    def _update(self, call: Call) -> Answer:
        group = self._found(call)
        group.name, group.description = self._checked(call.body, {"name": group.name, "description": group.description})
        if call.body.get("is_default") is not None:
            for other in self._groups.values():
                other.is_default = False
            group.is_default = call.body["is_default"]
        return Answer(status=201, json=_shown(group))

    def _delete(self, call: Call) -> Answer:
        del self._groups[self._found(call).id]
        return Answer(status=204)

    def _add_members(self, call: Call) -> Answer:
        emails = checked(call)
        for email in emails:
            self.leave(_number(call["group_id"]), email)
        return Answer(status=201, json={"recipient_emails": emails})

    def _members(self, call: Call) -> Answer:
        return Answer(json=list(self._found(call).left))

    def _search(self, call: Call) -> Answer:
        group = self._found(call)
        return Answer(json=[email for email in checked(call) if email.lower() in group.left])

    def _remove(self, call: Call) -> Answer:
        self._found(call).left.pop(call["email"].lower(), None)
        return Answer(status=204)

    def _everybody(self, _: Call) -> Answer:
        return Answer(
            json=[
                {"email": email, "group_id": one.id, "group_name": one.name, "created_at": epoch(at)}
                for one in self._groups.values()
                for email, at in one.left.items()
            ]
        )

    def _of_one(self, call: Call) -> Answer:
        email = call["email"].lower()
        rows = [
            {
                "description": one.description,
                "id": one.id,
                "is_default": one.is_default,
                "name": one.name,
                "suppressed": email in one.left,
            }
            for one in self._groups.values()
        ]
        return Answer(json={"suppressions": rows})

    def _found(self, call: Call) -> Group:
        group = self._groups.get(_number(call["group_id"]))
        if group is None:
            raise Refusal(404, (None, "group not found"))
        return group

    def _checked(self, body: Mapping[str, Any], known: Mapping[str, str]) -> tuple[str, str]:
        name, description = body.get("name", known.get("name")), body.get("description", known.get("description"))
        if not name or not isinstance(name, str) or len(name) > 30:
            raise Refusal(400, ("name", "name is required and has at most 30 characters"))
        if not description or not isinstance(description, str) or len(description) > 100:
            raise Refusal(400, ("description", "description is required and has at most 100 characters"))
        if name != known.get("name") and any(one.name == name for one in self._groups.values()):
            raise Refusal(400, ("name", "a group with this name already exists"))
        return name, description


def _number(written: str) -> int:
    return int(written) if written.isdecimal() else 0


def _shown(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "is_default": group.is_default,
        "unsubscribes": len(group.left),
    }
