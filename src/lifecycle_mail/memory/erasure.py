"""Forgetting people in memory (O5): every part drops or redacts what it keeps of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import Any

from lifecycle_mail.memory.answers import Answering
from lifecycle_mail.memory.claims import Claiming
from lifecycle_mail.memory.engagement import Engaging
from lifecycle_mail.memory.log import Shelf
from lifecycle_mail.memory.outbox import Posting
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import named_in
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed, pepper_of, require_whole
from lifecycle_mail.model.redaction import mended, redacted, renamed


class Erasing(Engaging, Answering, Claiming, Posting):
    """The port `Erasure`."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        """Remove everything that was written about a contact or under these keys.

        Raises:
            Misconfigured: there is no pepper.
            InvalidInput: a name begins like a keyed hash and is none.
        """
        with self._lock, self.transaction():
            self._enter("erase")
            for name in (contact_id, *keys):
                require_whole(name)
            names = {name: self._hash_of(name) for name in (contact_id, *keys)}
            gone = self._erase_records(names)
            self._remove(contact_id)
            self._erase_events(contact_id, ContactId(names[contact_id]))
            self._erase_answers(contact_id)
            self._erase_claims(contact_id, names)
            self._erase_tasks(contact_id, gone)
            self._erase_aside(names)
            self._hide(names)
            self._clear_places()

    def erased(self, names: Collection[str]) -> Collection[str]:
        """Return which of these contact ids and match keys were erased."""
        with self._lock:
            self._enter("erased")
            return {name for name in names if self._is_hidden(name)}

    def _hash_of(self, name: str) -> str:
        """Return the keyed hash of a name, which is soon the only form in which it is kept."""
        stored = self._stored(name)
        return stored if is_hashed(stored) else self._peppers.hashed(name)

    def _hide(self, names: Mapping[str, str]) -> None:
        """Know these names by their hashes alone: by the one they have, and by each that an import may bring."""
        used = self._told_by_hash.union(map(pepper_of, (*self._erased, *names.values())))
        for name, hashed in names.items():
            forms = {self._peppers.hashed(name, pepper) for pepper in used} if not is_hashed(name) else set()
            for form in (forms | {hashed}) - self._erased.keys():
                self._set(self._erased, form, hashed)

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
        for form in {form for name in names for form in self._forms(name)}:
            found |= self._by_contact.get(ContactId(form), {})
            found |= self._by_key.get(MatchKey(form), {})
            found |= self._by_old_key.get(MatchKey(form), {})
        # What an earlier erasure redacted, because it named somebody else too, has its new id already.
        fresh = {seq for seq, record in found.items() if self._erased.keys().isdisjoint(named_in(record.entry))}
        ids = {one: self._new_id(one) for one in {found[seq].entry.id for seq in fresh}}

        def new_id(one: EntryId) -> EntryId:
            # The id of another's entry stays. One that is in no log could be made by trying addresses, and goes.
            return ids.get(one) or (one if self._by_entry.get(one) else self._new_id(one))

        changed = {
            seq: redacted(record.entry, names, new_id) if seq in fresh else renamed(record.entry, names)
            for seq, record in found.items()
        }
        for seq, entry in changed.items():
            self._replace_entry(found[seq], entry)
        gone = {one: new for one, new in ids.items() if not self._by_entry.get(one)}
        citing: Shelf = {}
        for one in gone:
            citing |= self._by_cited.get(one, {})
        for record in citing.values():
            self._replace_entry(record, mended(record.entry, gone))
        return gone.keys()
