"""Contacts: telling SendGrid of them, which it does later, and asking for them by id.

A contact has up to four identifiers. Who is told of with none of them known is new; who is known must be named by all
the identifiers that they have, and may be given further ones. Only what is named changes; an empty text or null clears.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, field

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, Account, Job, iso
from lifecycle_mail_sendgrid.testing.fields import Fields
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

MOST_CONTACTS: Final = 30_000
MOST_BYTES: Final = 6_000_000
MOST_IDS: Final = 100
IDENTIFIERS: Final = ("email", "phone_number_id", "external_id", "anonymous_id")
PLAIN: Final = (
    "address_line_1", "address_line_2", "city", "country", "first_name", "last_name", "postal_code",
    "state_province_region", "phone_number", "whatsapp", "line", "facebook", "unique_name",
)  # fmt: skip
"""The texts that every contact has, empty until they are set."""

_PATH: Final = "/v3/marketing/contacts"
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}"
)


def is_address(written: object) -> bool:
    """Whether SendGrid takes this for an address."""
    return isinstance(written, str) and len(written) <= 254 and _ADDRESS.fullmatch(written) is not None


@define(kw_only=True, eq=False)
class Contact:
    """Somebody whom the account holds.

    Attributes:
        id: SendGrid's id for them.
        identifiers: what they are named by, by the kind of identifier.
        alternate_emails: further addresses.
        plain: the reserved fields, by name.
        custom: the values of custom fields, by the id of the field.
        list_ids: the lists that they are on.
        created_at, updated_at: when they were told of first and last.
    """

    id: str
    identifiers: dict[str, str]
    created_at: datetime
    updated_at: datetime
    alternate_emails: list[str] = field(factory=list)
    plain: dict[str, str] = field(factory=dict)
    custom: dict[str, Any] = field(factory=dict)
    list_ids: set[str] = field(factory=set)

    @property
    def email(self) -> str:
        """Their address, lower case; empty where they have none."""
        return self.identifiers.get("email", "")


class Contacts(Part):
    """Whom the account holds.

    Attributes:
        refused: addresses that a job cannot take, with what it says of them: for a test to fill.
    """

    def __init__(self, account: Account, fields: Fields, knows_list: Callable[[str], bool]) -> None:
        self._account = account
        self._fields = fields
        self._knows_list = knows_list
        self._by_id: dict[str, Contact] = {}
        self._by_identifier: dict[tuple[str, str], Contact] = {}
        self._by_alternate: dict[str, Contact] = {}
        self.refused: dict[str, str] = {}

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, contact_id: str) -> Contact | None:
        """Return a contact by SendGrid's id."""
        return self._by_id.get(contact_id)

    def named(self, kind: str, value: str) -> Contact | None:
        """Return a contact by an identifier; an address may be an alternate one."""
        if kind != "email":
            return self._by_identifier.get((kind, value))
        address = value.lower()
        return self._by_identifier.get(("email", address)) or self._by_alternate.get(address)

    def on(self, list_ids: Collection[str]) -> Iterator[Contact]:
        """Yield who is on one of these lists."""
        wanted = set(list_ids)
        return (one for one in self if not wanted.isdisjoint(one.list_ids))

    def add(self, *, list_ids: Iterable[str] = (), **written: Any) -> Contact:
        """Hold a contact at once, without a request: what a test starts from."""
        contact, _ = self._upsert(written, set(list_ids))
        return contact

    def take_off(self, list_id: str, contact_ids: Iterable[str]) -> int:
        """Take contacts off a list, and return how many were on it."""
        found = [one for one in map(self._by_id.get, contact_ids) if one is not None and list_id in one.list_ids]
        for one in found:
            one.list_ids.discard(list_id)
            one.updated_at = self._account.now
        return len(found)

    def delete(self, contact_ids: Iterable[str]) -> int:
        """Delete contacts, and return how many there were."""
        found = [one for one in (self._by_id.pop(contact_id, None) for contact_id in contact_ids) if one is not None]
        for one in found:
            self._give_alternates(one, [])
            for named in one.identifiers.items():
                del self._by_identifier[named]
        return len(found)

    def _give_alternates(self, one: Contact, addresses: Iterable[str]) -> None:
        for address in one.alternate_emails:
            self._by_alternate.pop(address, None)
        one.alternate_emails = [address.lower() for address in addresses]
        self._by_alternate.update((address, one) for address in one.alternate_emails)

    def shown(self, one: Contact) -> dict[str, Any]:
        """Return a contact as answers show it: custom fields by their names."""
        custom = {named.name: one.custom[named.id] for named in self._fields if named.id in one.custom}
        return {
            **{name: one.plain.get(name, "") for name in PLAIN},
            "alternate_emails": list(one.alternate_emails),
            "email": one.email,
            **{kind: value for kind, value in one.identifiers.items() if kind != "email"},
            "id": one.id,
            "list_ids": sorted(one.list_ids),
            "segment_ids": [],
            "custom_fields": custom,
            "created_at": iso(one.created_at),
            "updated_at": iso(one.updated_at),
            "_metadata": {"self": f"{API}{_PATH}/{one.id}"},
        }

    # -- operations

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"PUT {_PATH}": self._put,
            f"DELETE {_PATH}": self._delete,
            f"GET {_PATH}": self._sample,
            f"GET {_PATH}/count": self._count,
            f"GET {_PATH}/{{id}}": self._one,
            f"POST {_PATH}/batch": self._batch,
            f"DELETE {_PATH}/{{contact_id}}/identifiers": self._delete_identifier,
        }

    def _put(self, call: Call) -> Answer:
        if len(call.request.body) > MOST_BYTES:
            raise Refusal(413, (None, "the request body is larger than 6 MB"))
        told = call.body.get("contacts")
        if not isinstance(told, list) or not 1 <= len(told) <= MOST_CONTACTS:
            raise Refusal(400, ("contacts", f"between 1 and {MOST_CONTACTS} contacts must be given"))
        list_ids = call.body.get("list_ids") or []
        if unknown := [one for one in list_ids if not self._knows_list(one)]:
            raise Refusal(404, ("list_ids", f"list id {unknown[0]!r} does not exist"))
        if problems := [problem for index, one in enumerate(told) for problem in self._problems(index, one)]:
            raise Refusal(400, *problems)
        job = self._account.start("upsert", lambda job: self._work(job, told, list_ids), requested=len(told))
        return Answer(status=202, json={"job_id": job.id})

    def _problems(self, index: int, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong at once; what a value is worth is seen only when the job is done."""
        if not any(told.get(kind) for kind in IDENTIFIERS):
            yield f"contacts[{index}]", f"at least one of {', '.join(IDENTIFIERS)} is required"
        if (email := told.get("email")) and not is_address(email):
            yield f"contacts[{index}].email", f"email '{email}' is not valid"
        for field_id in told.get("custom_fields") or {}:
            if self._fields.get(field_id) is None:
                yield f"contacts[{index}].custom_fields", f"custom field '{field_id}' does not exist"

    def _work(self, job: Job, told: Sequence[Mapping[str, Any]], list_ids: Sequence[str]) -> None:
        known = {list_id for list_id in list_ids if self._knows_list(list_id)}
        for written in told:
            try:
                _, created = self._upsert(written, known)
            except ValueError as error:
                named = {kind: written[kind] for kind in IDENTIFIERS if written.get(kind)}
                job.errors.append({**named, "error": str(error)})
            else:
                job.created += created
                job.updated += not created

    def _upsert(self, written: Mapping[str, Any], list_ids: Collection[str]) -> tuple[Contact, bool]:
        given = {kind: str(written[kind]) for kind in IDENTIFIERS if written.get(kind)}
        if "email" in given:
            given["email"] = given["email"].lower()
        if (refused := self.refused.get(given.get("email", ""))) is not None:
            raise ValueError(refused)
        found = {one.id: one for named in given.items() if (one := self._by_identifier.get(named)) is not None}
        if len(found) > 1:
            raise ValueError("the identifiers belong to more than one contact")
        contact = next(iter(found.values()), None)
        for kind, value in contact.identifiers.items() if contact else ():
            if given.get(kind) != value:
                raise ValueError(f"the contact has an identifier {kind} that is missing or differs")
        custom = self._custom(written)  # nothing changes where anything is wrong
        now = self._account.now
        created = contact is None
        if contact is None:
            contact = Contact(id=self._account.new_id(), identifiers={}, created_at=now, updated_at=now)
            self._by_id[contact.id] = contact
        contact.identifiers.update(given)
        self._by_identifier.update((named, contact) for named in given.items())
        contact.plain.update({name: str(written[name] or "") for name in PLAIN if name in written})
        if "alternate_emails" in written:
            self._give_alternates(contact, written["alternate_emails"] or ())
        for field_id, value in custom.items():
            if value is None:
                contact.custom.pop(field_id, None)
            else:
                contact.custom[field_id] = value
        contact.list_ids.update(list_ids)
        contact.updated_at = now
        return contact, created

    def _custom(self, written: Mapping[str, Any]) -> dict[str, Any]:
        kept = {}
        for field_id, value in (written.get("custom_fields") or {}).items():
            named = self._fields.get(field_id)
            if named is None:
                raise ValueError(f"custom field '{field_id}' does not exist")
            kept[field_id] = None if value in (None, "") else named.keep(value)
        return kept

    def _delete(self, call: Call) -> Answer:
        ids, everybody = call.queries("ids"), call.query("delete_all_contacts") == "true"
        if not ids and not everybody:
            raise Refusal(400, ("ids", "ids or delete_all_contacts must be given"))

        def work(job: Job) -> None:
            job.deleted += self.delete(list(self._by_id) if everybody else ids)

        job = self._account.start("delete", work, requested=len(self) if everybody else len(ids))
        return Answer(status=202, json={"job_id": job.id})

    def _delete_identifier(self, call: Call) -> Answer:
        contact = self._by_id.get(call["contact_id"])
        kind = {"EMAIL": "email", "PHONENUMBERID": "phone_number_id", "EXTERNALID": "external_id"}.get(
            call.body["identifier_type"], "anonymous_id"
        )
        value = str(call.body["identifier_value"])
        if contact is None:
            raise Refusal(404, ("contact_id", "contact was not found"))

        def work(job: Job) -> None:
            if contact.identifiers.get(kind) != value or len(contact.identifiers) == 1:
                job.errors.append({"contact_id": contact.id, "error": "the contact would have no identifier left"})
                return
            del contact.identifiers[kind], self._by_identifier[(kind, value)]
            contact.updated_at = self._account.now
            job.deleted += 1

        return Answer(status=202, json={"job_id": self._account.start("delete", work, requested=1).id})

    def _sample(self, _: Call) -> Answer:
        latest = sorted(self, key=lambda one: one.updated_at, reverse=True)[:50]
        result = [self.shown(one) for one in sorted(latest, key=lambda one: one.email)]
        return Answer(json={"result": result, "contact_count": len(self), "_metadata": {"self": f"{API}{_PATH}"}})

    def _count(self, _: Call) -> Answer:
        return Answer(json={"contact_count": len(self), "billable_count": len(self)})

    def _one(self, call: Call) -> Answer:
        contact = self._by_id.get(call["id"])
        if contact is None:
            raise Refusal(404, ("id", "contact was not found"))
        return Answer(json=self.shown(contact))

    def _batch(self, call: Call) -> Answer:
        ids = call.body.get("ids") or []
        if len(ids) > MOST_IDS:
            raise Refusal(400, ("ids", f"at most {MOST_IDS} ids may be given"))
        return Answer(json={"result": [self.shown(one) for one in map(self._by_id.get, ids) if one is not None]})


class Imports(Part):
    """What became of jobs."""

    def __init__(self, account: Account, polled: Callable[[bool], None]) -> None:
        self._account = account
        self._polled = polled

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {f"GET {_PATH}/imports/{{id}}": self._one}

    def _one(self, call: Call) -> Answer:
        job = self._account.jobs.get(call["id"])
        if job is None or job.kind not in ("upsert", "delete"):
            raise Refusal(404, ("id", "job was not found"))
        self._polled(job.finished_at is None)
        results: dict[str, Any] = {
            "requested_count": job.requested,
            "created_count": job.created,
            "updated_count": job.updated,
            "deleted_count": job.deleted,
            "errored_count": job.requested if job.failed else len(job.errors),
        }
        if job.errors:
            results["errors_url"] = f"{call.origin}{self._errors(job)}"
        finished = {} if job.finished_at is None else {"finished_at": iso(job.finished_at)}
        shown = {"id": job.id, "status": job.status, "job_type": job.kind, "results": results}
        return Answer(json={**shown, "started_at": iso(job.started_at), **finished})

    def _errors(self, job: Job) -> str:
        written = io.StringIO()
        names = list(dict.fromkeys(name for error in job.errors for name in error))
        rows = csv.DictWriter(written, names)
        rows.writeheader()
        rows.writerows(job.errors)
        name = f"{job.id}-errors.csv"
        return self._account.publish(
            name, written.getvalue().encode(), lives=timedelta(days=1), Content_Type="text/csv"
        )
