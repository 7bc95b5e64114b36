"""Contacts at SendGrid: custom fields, and a contact list for each list and each tag of ours (E2).

Contacts are told 30,000 or 6 MB in one call, all of them on the same lists; a job takes them in. Who must leave a list
is taken off it afterwards. Being on a contact list says nothing of consent there: unsubscribe groups do.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final

from lifecycle_mail.errors import EspError, EspRefused, InvalidAddress
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import FieldType, FieldValue
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.ports import Change, Handled, Kept, KeptAs, Shown
from lifecycle_mail_sendgrid.account import CONTACT_FIELD, NAME, OWN, Account, written
from lifecycle_mail_sendgrid.suppressed import Suppressed
from lifecycle_mail_sendgrid.topics import GROUP, LIST

AT_ONCE: Final = 30_000
MOST_BYTES: Final = 6_000_000
PAGE: Final = 1_000
_ENVELOPE: Final = 4_000
_INDEX: Final = re.compile(r"contacts\[(\d+)\]")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_]+")


def field_name(name: str) -> str:
    """Return what a field of the application is called there: letters, digits and underscores, a letter first."""
    plain = _NOT_IN_NAMES.sub("_", name)
    beside = "" if plain == name else f"_{hashlib.blake2b(name.encode(), digest_size=3).hexdigest()}"
    return f"lm_{plain[:80]}{beside}"


def shown_value(value: FieldValue) -> str:
    """Return a value as text, by which what is there is compared with what is here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return as_utc(value).isoformat()
    if isinstance(value, int | float):
        return repr(float(value))
    return value.strip()


class Contacts:
    """The port `KeepsContacts`, and tags, which are contact lists."""

    def __init__(self, account: Account, suppressed: Suppressed) -> None:
        self._account = account
        self._suppressed = suppressed
        self._kinds: Mapping[str, FieldType] = {}
        self._would_have: set[ListKey] = set()

    # -- what must be there first

    def prepare(
        self, fields: Mapping[str, FieldType], lists: Mapping[str, MailingList], *, dry_run: bool
    ) -> Sequence[str]:
        """Make custom fields, unsubscribe groups and contact lists that are missing."""
        self._kinds = dict(fields)
        made = list(self._fields(fields, dry_run=dry_run))
        self._would_have = set()
        for key, listed in lists.items():
            if ListKey(key) in self._account.topics.by_list:
                continue
            if dry_run:
                self._would_have.add(ListKey(key))
            made += self._topic(key, listed, dry_run=dry_run)
        return made

    def require_contact_field(self) -> str:
        """Return the id of the custom field for our ids of contacts, which is made if there is none."""
        if CONTACT_FIELD not in self._account.bound("field"):
            list(self._fields({}, dry_run=False))
        return self._account.bound("field")[CONTACT_FIELD]

    def _fields(self, fields: Mapping[str, FieldType], *, dry_run: bool) -> Iterator[str]:
        definitions = self._account.client.marketing.field_definitions
        there = {
            str(row["name"]): str(row["id"])
            for row in self._account.ask("prepare", definitions.get).get("custom_fields") or ()
        }
        wanted = {CONTACT_FIELD: (CONTACT_FIELD, FieldType.TEXT)}
        wanted |= {name: (field_name(name), kind) for name, kind in fields.items()}
        for name, (theirs, kind) in wanted.items():
            if theirs not in there:
                yield f"the field {name}"
                if dry_run:
                    continue
                typed = "Number" if kind is FieldType.NUMBER else "Text"
                body = {"name": theirs, "field_type": typed}
                there[theirs] = str(self._account.ask("prepare", definitions.post, request_body=body)["id"])
            if not dry_run:
                self._account.bind("field", name, there[theirs])

    def _topic(self, key: str, listed: MailingList, *, dry_run: bool) -> Iterator[str]:
        title = listed.title or key
        groups = self._account.ask("prepare", self._account.client.asm.groups.get)
        found = next((int(row["id"]) for row in groups if row["name"] == title), None)
        if found is None:
            yield f"the topic {key}"
        if dry_run:
            return
        if found is None:
            body = {"name": title, "description": listed.expect or title}
            made = self._account.ask("prepare", self._account.client.asm.groups.post, request_body=body)
            found = int(made["id"])
        self._account.bind(GROUP, key, str(found))
        self._account.bind(LIST, key, self._account.contact_list("prepare", title))

    # -- what is there

    @property
    def places(self) -> Mapping[str, Set[ListKey]]:
        """One place, with every list."""
        return {"": set(self._account.topics.by_list) | self._would_have}

    def kept(self) -> Iterator[Sequence[Kept]]:
        """Yield every contact, with the lists and tags that they are on."""
        topics = self._account.topics.by_contact_list
        tags = {theirs: tag for tag, theirs in self._account.bound("tag").items()}
        on: defaultdict[str, set[str]] = defaultdict(set)
        for list_id in (*topics, *tags):
            for row in self._account.exported("kept", [list_id]):
                on[str(row["contact_id"])].add(list_id)
        out = self._suppressed.read(now=self._account.clock())
        page: list[Kept] = []
        for row in self._account.exported("kept"):
            one = self._kept(row, on.get(str(row["contact_id"]), set()), topics, tags, out)
            if one is not None:
                page.append(one)
            if len(page) == PAGE:
                yield page
                page = []
        yield page

    def _kept(
        self, row: Mapping[str, Any], on: Set[str], topics: Mapping[str, ListKey], tags: Mapping[str, str],
        out: Mapping[str, Set[str]],
    ) -> Kept | None:  # fmt: skip
        try:
            address = parse_address(str(row.get("email") or ""))
        except InvalidAddress:
            return None
        lists = {topics[one] for one in on if one in topics}
        left = out.get(written(address), frozenset())
        state = KeptAs.OUT if "all" in left else KeptAs.BOUNCED if "bounced" in left else KeptAs.SUBSCRIBED
        own = str(row.get(CONTACT_FIELD) or "")
        values = {name: _as_shown(row.get(field_name(name)), kind) for name, kind in self._kinds.items()}
        return Kept(
            place="", address=address, contact_id=ContactId(own) if own else None, state=state,
            lists=lists - {ListKey(one) for one in left} if state is KeptAs.SUBSCRIBED else frozenset(),
            digest=_digest(own, values, lists, {tags[one] for one in on if one in tags}),
        )  # fmt: skip

    def digest(self, shown: Shown, place: str) -> int:  # noqa: ARG002 - there is one place
        """Return the hash of a contact who looks just like this."""
        values = {name: shown_value(shown.contact.fields[name]) for name in self._kinds if name in shown.contact.fields}
        return _digest(shown.contact.id, values, shown.lists, shown.contact.tags)

    # -- telling

    def lane(self, change: Change) -> Hashable:
        """Contacts that are on the same lists and carry the same tags, new ones apart."""
        return change.known is None, change.shown.lists, change.shown.contact.tags

    def show(self, changes: Sequence[Change]) -> Handled:
        """Tell of contacts who are all on the same lists."""
        shown = changes[0].shown
        topics = self._account.topics
        wanted = [topics.of(key).contact_list for key in sorted(shown.lists)]
        wanted += [self._tag(tag) for tag in sorted(shown.contact.tags)]
        rows = {written(one.shown.address): self._row(one.shown) for one in changes}
        told = self.put("show", rows, [one for one in wanted if one])
        by_address = {written(one.shown.address): one for one in changes}
        known = [key for key, one in by_address.items() if one.known is not None and key not in told]
        if known:
            self._take_off_others(known, set(wanted))
        return Handled(
            accepted={one.shown.contact.id for key, one in by_address.items() if key not in told},
            refused={by_address[key].shown.contact.id: error for key, error in told.items()},
        )

    def _row(self, shown: Shown) -> dict[str, Any]:
        bound = self._account.bound("field")
        custom: dict[str, Any] = {bound[CONTACT_FIELD]: shown.contact.id}
        for name in self._kinds:
            value = shown.contact.fields.get(name)
            told = value if value is None or type(value) in (int, float) else shown_value(value)
            custom[bound[name]] = told
        return {"email": written(shown.address), "custom_fields": custom}

    def put(
        self, operation: str, rows: Mapping[str, Mapping[str, Any]], list_ids: Sequence[str]
    ) -> dict[str, EspError]:
        """Tell of contacts by address, and wait until they are taken in; return whom SendGrid refused."""
        refused: dict[str, EspError] = {}
        for some in _batches(rows):
            left = dict(some)
            while left:
                try:
                    refused |= self._put(operation, left, list_ids)
                    break
                except EspRefused as error:
                    named = {int(one) for one in _INDEX.findall(error.body)}
                    keys = list(left)
                    wrong = [keys[one] for one in named if one < len(keys)]
                    if not wrong:
                        raise
                    for key in wrong:  # the whole batch is refused for their sake (F26)
                        refused[key] = error
                        del left[key]
        return refused

    def _put(
        self, operation: str, rows: Mapping[str, Mapping[str, Any]], list_ids: Sequence[str]
    ) -> dict[str, EspError]:
        body = {"contacts": list(rows.values()), **({"list_ids": list(list_ids)} if list_ids else {})}
        job = self._account.ask(operation, self._account.client.marketing.contacts.put, request_body=body)
        done = self._account.finished(operation, str(job["job_id"]))
        url = done["results"].get("errors_url")
        if not url:
            return {}
        file = io.BytesIO()
        self._account.client.transport.fetch(url, file, name=operation)
        found: dict[str, EspError] = {}
        for row in csv.DictReader(io.StringIO(file.getvalue().decode("utf-8", "replace"))):
            cells = {str(name).lower(): value for name, value in row.items()}
            key = str(cells.get("email") or "").lower()
            if key in rows:
                found[key] = EspRefused(
                    esp=NAME, operation=operation, status=400, body=str(cells.get("error") or row)[:500],
                    fix="mend what is named",
                )  # fmt: skip
        return found

    def _take_off_others(self, addresses: Sequence[str], wanted: Set[str]) -> None:
        ours = {*self._account.topics.by_contact_list, *self._account.bound("tag").values()} - wanted
        gone: defaultdict[str, list[str]] = defaultdict(list)
        for row in self.found(addresses):
            for list_id in ours & set(row.get("list_ids") or ()):
                gone[list_id].append(str(row["id"]))
        for list_id, contact_ids in sorted(gone.items()):
            self._account.take_off("show", list_id, contact_ids)

    def found(self, addresses: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Yield the contacts whom SendGrid has by these addresses."""
        search = self._account.client.marketing.contacts.search.emails
        for at in range(0, len(addresses), 100):
            try:
                answer = self._account.ask(
                    "find contacts", search.post, repeatable=True,
                    request_body={"emails": list(addresses[at : at + 100])},
                )  # fmt: skip
            except EspRefused as error:
                if error.status == 404:  # none of them
                    continue
                raise
            for one in answer["result"].values():
                if one.get("contact"):
                    yield one["contact"]

    # -- tags

    def tag(self, addresses: Sequence[str], tag: str, *, present: bool) -> None:
        """Put a tag on contacts who are there, or take it off."""
        rows = list(self.found(addresses))
        list_id = self._tag(tag)
        if present and rows:
            self.put("tag", {row["email"]: {"email": row["email"]} for row in rows}, [list_id])
        if not present:
            self._account.take_off("tag", list_id, [str(row["id"]) for row in rows if list_id in row["list_ids"]])

    def _tag(self, tag: str) -> str:
        known = self._account.bound("tag").get(tag)
        if known is None:
            known = self._account.contact_list("tag", f"{OWN} tag {tag}")
            self._account.bind("tag", tag, known)
        return known


def _batches(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Cut contacts into calls by number and by size."""
    batch: dict[str, Mapping[str, Any]] = {}
    size = _ENVELOPE
    for key, row in rows.items():
        weight = len(json.dumps(row, separators=(",", ":")).encode()) + 1
        if batch and (len(batch) == AT_ONCE or size + weight > MOST_BYTES):
            yield batch
            batch, size = {}, _ENVELOPE
        batch[key] = row
        size += weight
    if batch:
        yield batch


def _as_shown(value: object, kind: FieldType) -> str:
    if value is None or value == "":
        return ""
    if kind is FieldType.NUMBER:
        try:
            return repr(float(str(value)))
        except ValueError:
            return str(value)
    return str(value)


def _digest(contact_id: str, values: Mapping[str, str], lists: Set[str], tags: Set[str]) -> int:
    kept = sorted((name, value) for name, value in values.items() if value)
    text = json.dumps([contact_id, kept, sorted(lists), sorted(tags)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
