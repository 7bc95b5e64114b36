"""Finding contacts: by a query, by addresses, by identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, Account, instant
from lifecycle_mail_sendgrid.testing.contacts import IDENTIFIERS, PLAIN, Contact, Contacts, is_address
from lifecycle_mail_sendgrid.testing.fields import Fields
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal
from lifecycle_mail_sendgrid.testing.sgql import BadQuery, compiled

MOST_FOUND: Final = 50
MOST_ASKED: Final = 100
_PATH: Final = "/v3/marketing/contacts/search"


class Finding(Part):
    """Answers who is there."""

    def __init__(self, account: Account, contacts: Contacts, fields: Fields) -> None:
        self._account = account
        self._contacts = contacts
        self._fields = fields

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"POST {_PATH}": self._search,
            f"POST {_PATH}/emails": self._by_email,
            f"POST {_PATH}/identifiers/{{identifier_type}}": self._by_identifier,
        }

    def _search(self, call: Call) -> Answer:
        custom = {one.name: one for one in self._fields}
        names = {
            *PLAIN,
            *IDENTIFIERS,
            "alternate_emails",
            "contact_id",
            "list_ids",
            "created_at",
            "updated_at",
            *custom,
        }
        try:
            matches = compiled(str(call.body.get("query", "")), names=names, now=self._account.now)
        except BadQuery as error:
            raise Refusal(400, ("query", str(error))) from None

        def row(one: Contact) -> dict[str, Any]:
            values = {name: one.custom.get(field.id) for name, field in custom.items()}
            dates = {name: instant(values[name]) for name, field in custom.items() if field.kind == "Date"}
            return {
                **{name: one.plain.get(name) or None for name in PLAIN},
                **{kind: one.identifiers.get(kind) for kind in IDENTIFIERS},
                "alternate_emails": one.alternate_emails,
                "contact_id": one.id,
                "list_ids": one.list_ids,
                "created_at": one.created_at,
                "updated_at": one.updated_at,
                **values,
                **dates,
            }

        found = [one for one in self._contacts if matches(row(one))]
        result = [self._contacts.shown(one) | {"segment_ids": None} for one in found[:MOST_FOUND]]  # as recorded
        return Answer(json={"contact_count": len(found), "result": result, "_metadata": {"self": f"{API}{_PATH}"}})

    def _by_email(self, call: Call) -> Answer:
        asked = [str(one) for one in call.body.get("emails") or [] if one]
        if not 1 <= len(asked) <= MOST_ASKED:
            raise Refusal(400, ("emails", f"between 1 and {MOST_ASKED} emails must be given"))
        if bad := [one for one in asked if not is_address(one)]:
            raise Refusal(400, *((None, f"email '{one}' is not valid") for one in bad))
        found = self._found("email", [one.lower() for one in asked])
        if found is None:
            raise Refusal(404, (None, "no contacts were found for the given emails"))
        return found

    def _by_identifier(self, call: Call) -> Answer:
        kind, asked = call["identifier_type"], call.body.get("identifiers") or []
        if not 1 <= len(asked) <= MOST_ASKED:
            message = f"between 1 and {MOST_ASKED} identifiers must be given"
            raise Refusal(400, json={"field": "identifiers", "message": message})
        if kind == "email" and (bad := [one for one in asked if not is_address(one)]):
            raise Refusal(400, json={"field": "identifiers", "message": f"email '{bad[0]}' is not valid"})
        found = self._found(kind, [one.lower() for one in asked] if kind == "email" else asked)
        if found is None:
            raise Refusal(404, json={"message": "no contacts were found for the given identifiers"})
        return found

    def _found(self, kind: str, asked: Iterable[str]) -> Answer | None:
        contacts = {one: self._contacts.named(kind, one) for one in asked}
        if not any(contacts.values()):
            return None
        return Answer(
            json={
                "result": {
                    asked: {"error": "contact not found"} if one is None else {"contact": self._contacts.shown(one)}
                    for asked, one in contacts.items()
                }
            }
        )
