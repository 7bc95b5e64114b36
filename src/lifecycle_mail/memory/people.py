"""Contacts and lists in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from lifecycle_mail.errors import Refused
from lifecycle_mail.memory.log import Log
from lifecycle_mail.model.addresses import mask
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.peppers import Peppers


class People(Log):
    """The port `Contacts`, `remove` left out."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        self._contacts: dict[ContactId, Contact] = {}
        self._by_identity: dict[str, set[ContactId]] = defaultdict(set)
        self._lists: dict[ListKey, MailingList] = {}

    def get(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        """Return those contacts that exist."""
        with self._lock:
            self._enter("get")
            return {one: self._contacts[one] for one in contact_ids if one in self._contacts}

    def put(self, contacts: Sequence[Contact]) -> None:
        """Write contacts, new or changed.

        Raises:
            Refused: one of them was erased; none is written.
        """
        with self._lock:
            self._enter("put")
            for contact in contacts:
                if self._stored(contact.id) != contact.id:
                    raise Refused(
                        f"contact {mask(contact.id)} was erased, and their id is never used again (O5): "
                        "who signs up anew gets a new id"
                    )
            for contact in contacts:
                self._replace(self._contacts.get(contact.id), contact)

    def _replace(self, old: Contact | None, new: Contact | None) -> None:
        self._on_undo(partial(self._swap, new, old))
        self._swap(old, new)

    def _swap(self, old: Contact | None, new: Contact | None) -> None:
        if old is not None:
            del self._contacts[old.id]
            if old.address is not None:
                self._by_identity[old.address.identity].discard(old.id)
        if new is not None:
            self._contacts[new.id] = new
            if new.address is not None:
                self._by_identity[new.address.identity].add(new.id)

    def find(self, identity: str) -> Sequence[ContactId]:
        """Return who has this address."""
        with self._lock:
            self._enter("find")
            return sorted(self._by_identity.get(identity, ()))

    def each(self) -> Iterator[Contact]:
        """Yield every contact, in order of id."""
        with self._lock:
            self._enter("each")
            return iter([self._contacts[one] for one in sorted(self._contacts)])

    def members(self, lists: Collection[ListKey]) -> Iterator[Contact]:
        """Yield every contact with a consent or a request for one of these lists, in order of id."""
        with self._lock:
            self._enter("members")
            records = [record for key in lists for record in self._by_list.get(key, {}).values()]
            named = {one for record in records if (one := record.entry.subject.contact_id) is not None}
            return iter([self._contacts[one] for one in sorted(named & self._contacts.keys())])

    def count(self) -> int:
        """Return how many contacts there are."""
        with self._lock:
            self._enter("count")
            return len(self._contacts)

    def put_lists(self, lists: Sequence[MailingList]) -> None:
        """Write lists, new or changed."""
        with self._lock:
            self._enter("put_lists")
            for one in lists:
                self._set(self._lists, one.key, one)

    def lists(self) -> Mapping[ListKey, MailingList]:
        """Return the lists that were written."""
        with self._lock:
            self._enter("lists")
            return dict(self._lists)
