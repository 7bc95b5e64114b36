"""Contact lists: who may be mailed what. Leaving one says nothing about a no; unsubscribe groups do that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import define

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, Account, Job
from lifecycle_mail_sendgrid.testing.contacts import Contacts
from lifecycle_mail_sendgrid.testing.pages import page
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

_PATH: Final = "/v3/marketing/lists"
_LONGEST_PAGE: Final = 1000


@define(kw_only=True)
class ContactList:
    """A list.

    Attributes:
        id: SendGrid's.
        name: unique in the account.
    """

    id: str
    name: str


class Lists(Part):
    """The lists of the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lists: dict[str, ContactList] = {}
        self._contacts: Contacts

    def hold(self, contacts: Contacts) -> None:
        """Say who is on the lists; called once, since each knows the other."""
        self._contacts = contacts

    def __contains__(self, list_id: str) -> bool:
        return list_id in self._lists

    def __iter__(self) -> Iterator[ContactList]:
        return iter(self._lists.values())

    def add(self, name: str, *, list_id: str = "") -> ContactList:
        """Make a list, without a request: what a test starts from."""
        made = ContactList(id=list_id or self._account.new_id(), name=name)
        self._lists[made.id] = made
        return made

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"GET {_PATH}": self._all,
            f"POST {_PATH}": self._create,
            f"GET {_PATH}/{{id}}": self._one,
            f"PATCH {_PATH}/{{id}}": self._rename,
            f"DELETE {_PATH}/{{id}}": self._delete,
            f"DELETE {_PATH}/{{id}}/contacts": self._take_off,
            f"GET {_PATH}/{{id}}/contacts/count": self._count,
        }

    def _all(self, call: Call) -> Answer:
        lists = sorted(self, key=lambda one: one.id)
        return page(call, lists, path=_PATH, show=self._shown, size=100, longest=_LONGEST_PAGE)

    def _create(self, call: Call) -> Answer:
        return Answer(status=201, json=self._shown(self.add(self._checked(call.body.get("name")))))

    def _one(self, call: Call) -> Answer:
        kept = self._found(call)
        shown = self._shown(kept)
        if call.query("contact_sample") == "true":
            latest = max(self._contacts.on([kept.id]), key=lambda one: one.updated_at, default=None)
            if latest is not None:
                shown["contact_sample"] = self._contacts.shown(latest)
        return Answer(json=shown)

    def _rename(self, call: Call) -> Answer:
        kept = self._found(call, json={})
        if "name" in call.body:
            kept.name = self._checked(call.body["name"], but=kept.id)
        return Answer(json=self._shown(kept))

    def _delete(self, call: Call) -> Answer:
        kept = self._found(call, json={"errors": [{"message": "list was not found"}]})
        members = [one.id for one in self._contacts.on([kept.id])]
        self._contacts.take_off(kept.id, members)
        del self._lists[kept.id]
        if call.query("delete_contacts") != "true":
            return Answer(status=204)

        def work(job: Job) -> None:
            job.deleted += self._contacts.delete(members)

        return Answer(json={"job_id": self._account.start("delete", work, requested=len(members)).id})

    def _take_off(self, call: Call) -> Answer:
        kept = self._found(call)
        ids = call.queries("contact_ids")
        if not ids:
            raise Refusal(400, json={"field": "contact_ids", "message": "contact_ids must be given"})

        def work(job: Job) -> None:
            job.deleted += self._contacts.take_off(kept.id, ids)

        return Answer(status=202, json={"job_id": self._account.start("delete", work, requested=len(ids)).id})

    def _count(self, call: Call) -> Answer:
        kept = self._found(call, json={})
        count = self._size(kept)
        return Answer(json={"contact_count": count, "billable_count": count})

    def _found(self, call: Call, *, json: Any = None) -> ContactList:
        kept = self._lists.get(call["id"])
        if kept is None:
            raise Refusal(404, json=[{"field": "id", "message": "list was not found"}] if json is None else json)
        return kept

    def _checked(self, name: Any, *, but: str = "") -> str:
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise Refusal(400, ("name", "name must have 1 to 100 characters"))
        if any(one.name == name and one.id != but for one in self):
            raise Refusal(400, ("name", "a list with this name already exists"))
        return name

    def _size(self, kept: ContactList) -> int:
        return sum(1 for _ in self._contacts.on([kept.id]))

    def _shown(self, kept: ContactList) -> dict[str, Any]:
        metadata = {"self": f"{API}{_PATH}/{kept.id}"}
        return {"name": kept.name, "id": kept.id, "contact_count": self._size(kept), "_metadata": metadata}
