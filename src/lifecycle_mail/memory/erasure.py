"""Forgetting people in memory (O5): every part drops or redacts what it keeps of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from functools import partial
from typing import Any

from lifecycle_mail.memory.claims import Claiming
from lifecycle_mail.memory.engagement import Engaging
from lifecycle_mail.memory.log import Shelf
from lifecycle_mail.memory.outbox import Posting
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.redaction import is_redacted, mended, redacted, renamed


class Erasing(Engaging, Claiming, Posting):
    """The port `Erasure`."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        """Remove everything that was written about a contact or under these keys.

        Raises:
            Misconfigured: there is no pepper.
        """
        with self._lock, self.transaction():
            self._enter("erase")
            names = {name: self._forget_name(name) for name in (contact_id, *keys)}
            gone = self._erase_records(names)
            self._remove(contact_id)
            self._erase_events(contact_id, ContactId(names[contact_id]))
            self._erase_claims(contact_id, names)
            self._erase_tasks(contact_id, gone)
            self._erase_aside(names)
            self._clear_places()

    def erased(self, names: Collection[str]) -> Collection[str]:
        """Return which of these contact ids and match keys were erased."""
        with self._lock:
            self._enter("erased")
            return {name for name in names if self._stored(name) != name}

    def _forget_name(self, name: str) -> str:
        """Return the keyed hash of a name, from now on the only form in which it is kept."""
        stored = self._stored(name)
        if is_hashed(stored):
            return stored
        hashed = self._peppers.hashed(name)
        self._erased.add(hashed)
        self._on_undo(partial(self._erased.discard, hashed))
        return hashed

    def _clear_places(self) -> None:
        """Take away the shelves that stand empty: what they are called by is a plain name, or made from one."""
        shelves: tuple[dict[Any, Any], ...] = (
            self._by_entry, self._by_contact, self._by_key, self._by_old_key, self._by_cited, self._by_identity,
            self._inboxes,
        )  # fmt: skip
        for places in shelves:
            for place in [one for one, shelf in places.items() if not shelf]:
                self._drop(places, place)

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        """Redact the records that name somebody, and mend what cites them; return the ids that are gone."""
        found: Shelf = {}
        for name in names:
            found |= self._by_contact.get(ContactId(name), {})
            found |= self._by_key.get(MatchKey(name), {})
            found |= self._by_old_key.get(MatchKey(name), {})
        # What an earlier erasure redacted, because it named somebody else too, has its new id already.
        fresh = {seq for seq, record in found.items() if not is_redacted(record.entry)}
        ids = {one: self._new_id(one) for one in {found[seq].entry.id for seq in fresh}}

        def new_id(one: EntryId) -> EntryId:
            # The id of another's entry stays. One that is in no log could be made by trying addresses, and goes.
            return ids.get(one) or (one if self._by_entry.get(one) else self._new_id(one))

        changed = {
            seq: redacted(record.entry, names, new_id) if seq in fresh else renamed(record.entry, names)
            for seq, record in sorted(found.items())
        }
        for seq, entry in changed.items():
            self._replace_entry(found[seq], entry)
        gone = {one: new for one, new in ids.items() if not self._by_entry.get(one)}
        citing: Shelf = {}
        for one in gone:
            citing |= self._by_cited.get(one, {})
        for _, record in sorted(citing.items()):
            self._replace_entry(record, mended(record.entry, gone))
        return gone.keys()
