"""Contacts and lists in tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select

from lifecycle_mail.errors import Refused, RegistryDamaged
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact, FieldValue
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.lists import Channel, Frequency, MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.parts import PAGE, Part
from lifecycle_mail_sql.texts import checksum, follows, plain, reads, stored, verified

_COLUMNS = ("person", "identity", "written", "local", "domain", "body")
_SAID = ("kind", "mail", "campaign", "link", "evidence", "purpose", "source", "provider")
_WHO = [schema.people.c.name, *(schema.contacts.c[name] for name in (*_COLUMNS, "crc"))]


class PeoplePart(Part):
    """`ports.Contacts`."""

    def _prepare(self) -> None:
        super()._prepare()
        people, contacts, among = schema.people.c, schema.contacts.c, self.dialect.among
        known = select(*_WHO).join(schema.contacts, contacts.person == people.no)
        self.__get = known.where(among(people.name, "names"))
        self.__each = known.where(people.name > bindparam("after")).order_by(people.name).limit(PAGE)
        joined = select(schema.subscriptions.c.person).where(among(schema.subscriptions.c.list, "lists"))
        self.__members = self.__each.where(contacts.person.in_(joined))
        self.__find = (
            select(people.name)
            .join(schema.contacts, contacts.person == people.no)
            .where(contacts.identity == bindparam("identity"))
        )
        self.__put = self.dialect.replace(schema.contacts)
        self.__count = select(func.count()).select_from(schema.contacts)
        self.__put_list = self.dialect.replace(schema.lists)
        self.__lists = select(schema.lists.c.body).order_by(schema.lists.c.key)
        self.__numbers = select(people.no).where(among(people.name, "names"))
        self.__drop = [
            delete(table).where(among(table.c.person, "people"))
            for table in (schema.contacts, schema.profiles, schema.quarantine)
        ]
        # The ids stay, so that the door knows the events for good, and whose they are, so that an erasure finds them;
        # what they say goes. An event that says nothing has no kind.
        self.__forget_events = (
            schema.events.update()
            .where(among(schema.events.c.person, "people"))
            .values(at=0, **dict.fromkeys(_SAID, ""))
        )

    def get(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        """Return those contacts that exist."""
        if not contact_ids:
            return {}
        with self.db.reading() as tx:
            rows = tx.execute(self.__get, {"names": self.dialect.many(map(stored, contact_ids))}).all()
        found = {contact.id: contact for contact in map(_contact, rows)}
        return {one: found[one] for one in contact_ids if one in found}

    def put(self, contacts: Sequence[Contact]) -> None:
        """Write contacts, new or changed."""
        if not contacts:
            return
        latest = {contact.id: contact for contact in contacts}
        with self.db.writing() as tx:
            numbers = self.names.number(tx, latest)
            gone = sorted(one for one in latest if one in numbers.erased)
            if gone:
                raise Refused(f"{len(gone)} of these contacts were erased, and an id is not used again (O5)")
            rows = [_row(contact, numbers.people[one][0]) for one, contact in latest.items()]
            tx.execute(self.__put, rows)

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        """Take contacts out of the active records."""
        with self.db.writing() as tx:
            names = self.dialect.many(map(stored, contact_ids))
            self._remove(tx, tx.execute(self.__numbers, {"names": names}).scalars().all())

    def _remove(self, tx: Connection, people: Sequence[int]) -> None:
        for statement in (*self.__drop, self.__forget_events):
            tx.execute(statement, {"people": self.dialect.many(people)})

    def find(self, identity: str) -> Sequence[ContactId]:
        """Return who has this address."""
        with self.db.reading() as tx:
            names = tx.execute(self.__find, {"identity": stored(identity)}).scalars().all()
        return sorted(ContactId(plain(name)) for name in names)

    def each(self) -> Iterator[Contact]:
        """Yield every contact, in order of id."""
        return self._pages(self.__each, {})

    def members(self, lists: Collection[ListKey]) -> Iterator[Contact]:
        """Yield every contact who ever said yes to one of these lists, or asked to join it, in order of id."""
        return self._pages(self.__members, {"lists": self.dialect.many(lists)})

    def _pages(self, page: Select[Any], parameters: dict[str, Any]) -> Iterator[Contact]:
        after = ""
        while True:
            with self.db.reading() as tx:
                rows = tx.execute(page, {**parameters, "after": after}).all()
            if not rows:
                return
            for row in rows:
                if not follows(row[0], after):  # or it would begin again and again
                    raise RegistryDamaged("the names of contacts are out of order: restore a backup, then sweep")
                after = row[0]
                yield _contact(row)

    def count(self) -> int:
        """Return how many contacts there are."""
        with self.db.reading() as tx:
            return int(tx.execute(self.__count).scalar_one())

    def put_lists(self, lists: Sequence[MailingList]) -> None:
        """Write the lists that the application has."""
        latest = {one.key: one for one in lists}
        if latest:
            with self.db.writing() as tx:
                tx.execute(self.__put_list, [{"key": key, "body": _list_body(one)} for key, one in latest.items()])

    def lists(self) -> Mapping[ListKey, MailingList]:
        """Return the lists that were written."""
        with self.db.reading() as tx:
            found = [_list(body) for body in tx.execute(self.__lists).scalars().all()]
        return {one.key: one for one in found}


# --- contacts as rows, and back ---------------------------------------------------------------------------------------


def _field(value: FieldValue) -> Any:
    return ["instant", to_micros(value)] if isinstance(value, datetime) else value


def _row(contact: Contact, person: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if contact.fields:
        body["fields"] = {name: _field(value) for name, value in contact.fields.items()}
    if contact.tags:
        body["tags"] = sorted(contact.tags)
    if contact.signed_up_at is not None:
        body["signed_up_at"] = to_micros(contact.signed_up_at)
    for name in ("source", "timezone", "locale", "frequency"):
        if getattr(contact, name) is not None:
            body[name] = getattr(contact, name)
    address = contact.address
    written: tuple[str | None, ...] = (None, None, None, None)
    if address is not None:
        written = (address.identity, stored(address.written), address.local, address.domain)
    row = (person, *written, json.dumps(body))
    return dict(zip((*_COLUMNS, "crc"), (*row, checksum(row)), strict=True))


@reads("a contact")
def _contact(row: Any) -> Contact:
    name, *values, crc = row
    verified(values, crc, f"contact {plain(name)}")
    _, identity, written, local, domain, text = values
    body = json.loads(text)
    fields = {
        field: from_micros(value[1]) if isinstance(value, list) else value
        for field, value in body.pop("fields", {}).items()
    }
    if "signed_up_at" in body:
        body["signed_up_at"] = from_micros(body["signed_up_at"])
    if "frequency" in body:
        body["frequency"] = Frequency(body["frequency"])
    return Contact(
        id=ContactId(plain(name)),
        address=None if identity is None else EmailAddress(written=plain(written), local=local, domain=domain),
        fields=fields,
        tags=frozenset(body.pop("tags", ())),
        **body,
    )


def _list_body(one: MailingList) -> str:
    return json.dumps(
        {
            "key": one.key,
            "title": one.title,
            "expect": one.expect,
            "frequency": one.frequency,
            "double_opt_in": one.double_opt_in,
            "channel": one.channel,
        }
    )


@reads("a list")
def _list(body: str) -> MailingList:
    found = json.loads(body)
    frequency = found.pop("frequency")
    return MailingList(
        found.pop("key"),
        frequency=None if frequency is None else Frequency(frequency),
        channel=Channel(found.pop("channel")),
        **found,
    )
