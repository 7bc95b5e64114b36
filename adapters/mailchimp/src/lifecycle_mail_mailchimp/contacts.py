"""Contacts at Mailchimp: members of audiences, with merge fields, interests and tags (E2).

`status` is sent for whoever is new, and never for a member who is there: their state is theirs. Members are told 500 at
a time. A member who turns out to be there already is told again as one who is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.contacts import FieldType, FieldValue
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.provenance import Through
from lifecycle_mail.ports import Change, Handled, Kept, KeptAs, Shown
from lifecycle_mail_mailchimp.account import OWN, Account, address_of, written
from lifecycle_mail_mailchimp.errors import InCompliance, MemberExists, of_member
from lifecycle_mail_mailchimp.members_said import CONTACT_TAG
from lifecycle_mail_mailchimp.standing import compliance_statements, out_statements, state_of
from lifecycle_mail_mailchimp.tags import Tags
from lifecycle_mail_mailchimp.topics import KIND, Topic

CATEGORY: Final = "Topics"
"""The title of the category in which lists are interests."""
MOST_BYTES: Final = 255
"""How many bytes of a text Mailchimp keeps."""
READ: Final = ("email_address", "status", "merge_fields", "interests", "tags")
_NOT_IN_TAGS: Final = re.compile(r"[^A-Z0-9]+")


def tag_for(name: str, taken: Set[str]) -> str:
    """Return a merge tag for a field: at most ten characters, a letter first, and nobody else's."""
    plain = _NOT_IN_TAGS.sub("_", name.upper()).strip("_") or "FIELD"
    plain = plain if plain[0].isalpha() else f"F{plain}"
    if len(plain) <= 10 and plain not in taken:
        return plain
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest().upper()
    for length in range(4, 9):
        tag = f"{plain[: 10 - length]}{digest[:length]}"
        if tag not in taken:
            return tag
    return f"F{digest[:9]}"


def shown_value(value: FieldValue) -> str:
    """Return a value as Mailchimp would show it: text, cut to what it keeps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return as_utc(value).isoformat()
    if isinstance(value, int | float):
        return repr(float(value))
    return value.encode()[:MOST_BYTES].decode(errors="ignore").strip()


class Contacts:
    """The port `KeepsContacts`."""

    def __init__(self, account: Account, tags: Tags) -> None:
        self._account = account
        self._tags = tags
        self._kinds: Mapping[str, FieldType] = {}
        self._would_have: dict[ListKey, str] = {}
        self._identified: set[str] = set()

    # -- what must be there first

    def prepare(
        self, fields: Mapping[str, FieldType], lists: Mapping[str, MailingList], *, dry_run: bool
    ) -> Sequence[str]:
        """Make merge fields and interests that are missing."""
        self._kinds = dict(fields)
        made: dict[str, None] = {}
        for audience in self._audiences_of(lists):
            made.update(dict.fromkeys(self._merge_fields(audience, fields, dry_run=dry_run)))
        self._would_have = {}
        made.update(dict.fromkeys(self._interests(lists, dry_run=dry_run)))
        return list(made)

    def _audiences_of(self, lists: Mapping[str, MailingList]) -> Sequence[str]:
        topics = self._account.topics
        used = [topics.by_list[ListKey(key)].audience for key in lists if ListKey(key) in topics.by_list]
        return list(dict.fromkeys([*self._account.audiences, *used]))

    def _merge_fields(self, audience: str, fields: Mapping[str, FieldType], *, dry_run: bool) -> Iterator[str]:
        lists = self._account.client.lists
        rows = [
            row
            for page in self._account.pages(
                "prepare", lists.get_list_merge_fields, audience, key="merge_fields",
                fields=("tag", "name"),
            )
            for row in page
        ]  # fmt: skip
        by_name = {str(row["name"]): str(row["tag"]) for row in rows}
        taken = {str(row["tag"]) for row in rows} | {"EMAIL"}
        bound = self._account.bound(f"field/{audience}")
        wanted = [(f"{OWN} contact", CONTACT_TAG, FieldType.TEXT)] if CONTACT_TAG not in taken else []
        for name, kind in fields.items():
            tag = bound.get(name)
            if tag in taken:
                continue
            if name in by_name:
                if not dry_run:
                    self._account.bind(f"field/{audience}", name, by_name[name])
                continue
            tag = tag_for(name, taken)
            taken.add(tag)
            wanted.append((name, tag, kind))
        for name, tag, kind in wanted:
            yield f"the field {name}"
            if dry_run:
                continue
            typed = "number" if kind is FieldType.NUMBER else "text"
            body = {"name": name, "tag": tag, "type": typed, "public": False, "required": False}
            with self._account.client.transport.operation("prepare"):
                lists.add_list_merge_field(audience, body)
            if tag != CONTACT_TAG:
                self._account.bind(f"field/{audience}", name, tag)

    def require_contact_field(self, audience: str) -> None:
        """Make the merge field for our ids of contacts where an audience lacks it; it is looked for once."""
        if audience not in self._identified:
            list(self._merge_fields(audience, {}, dry_run=False))
            self._identified.add(audience)

    def _interests(self, lists: Mapping[str, MailingList], *, dry_run: bool) -> Iterator[str]:
        account = self._account
        missing = [key for key in map(ListKey, lists) if key not in account.topics.by_list]
        if not missing:
            return
        category = self._category(dry_run=dry_run)
        there = {} if category is None else self._interests_in(category)
        for key in missing:
            title = lists[key].title or key
            if title not in there:
                yield f"the topic {key}"
            if dry_run:
                self._would_have[key] = account.audience
                continue
            if title not in there:
                with account.client.transport.operation("prepare"):
                    row = account.client.lists.create_interest_category_interest(
                        account.audience, category, {"name": title}
                    )
                there[title] = str(row["id"])
            account.bind(KIND, key, str(Topic(account.audience, there[title])))

    def _category(self, *, dry_run: bool) -> str | None:
        account, lists = self._account, self._account.client.lists
        pages = account.pages("prepare", lists.get_list_interest_categories, account.audience, key="categories")
        for row in (row for page in pages for row in page):
            if row["title"] == CATEGORY:
                return str(row["id"])
        if dry_run:
            return None
        with account.client.transport.operation("prepare"):
            made = lists.create_list_interest_category(account.audience, {"title": CATEGORY, "type": "hidden"})
        return str(made["id"])

    def _interests_in(self, category: str) -> dict[str, str]:
        account, lists = self._account, self._account.client.lists
        pages = account.pages(
            "prepare", lists.list_interest_category_interests, account.audience, category, key="interests"
        )
        return {str(row["name"]): str(row["id"]) for page in pages for row in page}

    # -- what is there

    @property
    def places(self) -> Mapping[str, Set[ListKey]]:
        """Every audience, with the lists that are in it."""
        topics = self._account.topics
        found = {audience: set(topics.lists(audience)) for audience in self._account.audiences}
        for key, audience in self._would_have.items():
            found[audience].add(key)
        return found

    def kept(self) -> Iterator[Sequence[Kept]]:
        """Yield every member, those who were archived among them: they are not made anew."""
        lists = self._account.client.lists
        for audience in self._account.audiences:
            for query in ({}, {"status": "archived"}):
                for page in self._account.pages(
                    "kept", lists.get_list_members_info, audience, key="members", fields=READ, **query
                ):
                    yield [one for row in page if (one := self._kept(row, audience)) is not None]

    def _kept(self, row: Mapping[str, Any], audience: str) -> Kept | None:
        address = address_of(row)
        if address is None:
            return None
        topics = self._account.topics
        by_interest = topics.by_interest(audience)
        on = {by_interest[one] for one, is_on in (row.get("interests") or {}).items() if is_on and one in by_interest}
        state = state_of(row)
        merge = row.get("merge_fields") or {}
        own = str(merge.get(CONTACT_TAG) or "")
        values = {tag: _as_shown(merge.get(tag), kind) for tag, kind in self._tagged(audience).items()}
        tags = {str(tag["name"]) for tag in row.get("tags") or ()} & set(self._tags.bound(audience))
        return Kept(
            place=audience, address=address, contact_id=ContactId(own) if own else None, state=state,
            lists=on | set(topics.whole(audience)) if state is KeptAs.SUBSCRIBED else frozenset(),
            digest=_digest(own, values, on, tags),
        )  # fmt: skip

    def digest(self, shown: Shown, place: str) -> int:
        """Return the hash of a member who looks just like this."""
        values = {tag: shown_value(value) for tag, value in self._values(shown, place).items()}
        on = shown.lists & set(self._account.topics.by_interest(place).values())
        return _digest(shown.contact.id, values, on, shown.contact.tags)

    def _tagged(self, audience: str) -> dict[str, FieldType]:
        bound = self._account.bound(f"field/{audience}")
        return {tag: self._kinds[name] for name, tag in bound.items() if name in self._kinds}

    def _values(self, shown: Shown, audience: str) -> dict[str, FieldValue]:
        bound = self._account.bound(f"field/{audience}")
        fields = shown.contact.fields
        return {tag: fields[name] for name, tag in bound.items() if name in self._kinds and name in fields}

    # -- telling

    def lane(self, change: Change) -> Hashable:
        """New members, and those who are there, in each audience."""
        return change.place, change.known is None

    def show(self, changes: Sequence[Change]) -> Handled:
        """Tell of members of one audience."""
        audience = changes[0].place
        by_address = {written(one.shown.address).lower(): one for one in changes}
        rows = {key: self._row(one.shown, audience) for key, one in by_address.items()}
        new = [key for key, one in by_address.items() if one.known is None]
        told = self.tell(audience, rows, new=new)
        accepted = [by_address[key] for key in told.taken]
        self._tags.settle(audience, [one.shown for one in accepted])
        return Handled(
            accepted={one.shown.contact.id for one in accepted},
            refused={by_address[key].shown.contact.id: error for key, error in told.refused.items()},
            heard=tuple(told.heard),
        )

    def _row(self, shown: Shown, audience: str) -> dict[str, Any]:
        values = self._values(shown, audience)
        merge: dict[str, Any] = dict.fromkeys(self._tagged(audience), "")
        for tag, value in values.items():
            merge[tag] = value if type(value) in (int, float) else shown_value(value)
        interests = self._account.topics.by_interest(audience)
        return {
            "email_address": written(shown.address),
            "merge_fields": {**merge, CONTACT_TAG: shown.contact.id},
            **({"interests": {one: key in shown.lists for one, key in interests.items()}} if interests else {}),
        }

    def tell(self, audience: str, rows: Mapping[str, Mapping[str, Any]], *, new: Sequence[str]) -> Told:
        """Tell of members by their addresses in lower case: first those who may be new, then all who are there."""
        told = Told()
        there = [key for key in rows if key not in set(new)]
        if new:
            body = {
                "members": [{**rows[key], "status": "subscribed"} for key in new],
                "update_existing": False,
            }
            there += self._take(audience, body, told)
        if there:
            body = {"members": [rows[key] for key in there], "update_existing": True}
            self._take(audience, body, told)
        return told

    def _take(self, audience: str, body: Mapping[str, Any], told: Told) -> list[str]:
        """Make one call; return who was there already."""
        account = self._account
        with account.client.transport.operation("show", repeatable=True):
            answer = account.client.lists.batch_list_members(audience, body)
        there: list[str] = []
        for row in (*answer["new_members"], *answer["updated_members"]):
            told.taken[str(row["email_address"]).lower()] = row
            if state_of(row) in (KeptAs.OUT, KeptAs.BOUNCED):
                told.heard += out_statements(
                    row, audience, account.topics, now=account.clock(), through=Through.WEBHOOK
                )
        for entry in answer["errors"]:
            key = str(entry["email_address"]).lower()
            error = of_member(entry, operation="show")
            if isinstance(error, MemberExists) and not body["update_existing"]:
                there.append(key)
                continue
            told.refused[key] = error
            if isinstance(error, InCompliance):
                address = address_of(entry)
                if address is not None:
                    told.heard += compliance_statements(address, audience, account.topics, now=account.clock())
        return there


class Told:
    """What became of members that Mailchimp was told of, by their addresses in lower case.

    Attributes:
        taken: the member as Mailchimp shows them afterwards.
        refused: the error of each.
        heard: what it says of people.
    """

    def __init__(self) -> None:
        self.taken: dict[str, Mapping[str, Any]] = {}
        self.refused: dict[str, EspError] = {}
        self.heard: list[Statement] = []


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
    kept = sorted((tag, value) for tag, value in values.items() if value)
    text = json.dumps([contact_id, kept, sorted(lists), sorted(tags)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
