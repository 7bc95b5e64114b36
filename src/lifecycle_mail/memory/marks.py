"""What the log holds against many addresses at once, read off the shelves."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lifecycle_mail.memory.log import Log
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    Lift,
    OptOut,
    Record,
    Suppression,
    SuppressionKind,
    old_key,
)
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.ports import AskedMarks, Marks


def _ends_something(record: Record) -> bool:
    """Whether an entry lifts, or ends by itself: with it, what stands no longer adds up."""
    entry = record.entry
    return isinstance(entry, Lift) or (isinstance(entry, Suppression) and entry.kind is SuppressionKind.PAUSE)


class Marking(Log):
    """`ConsentLog.marks`."""

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        """Return what is held against each of these addresses."""
        with self._lock:
            self._enter("marks")
            intricate: dict[ContactId, bool] = {}
            found = {key: self._marks(self._forms(key), intricate) for key in keys}
            return {key: marks for key, marks in found.items() if marks != Marks()}

    def ask_marks(self, keys: Collection[MatchKey]) -> AskedMarks | None:  # noqa: ARG002 - as the port calls it
        """Ask ahead: there is nobody who would work on it meanwhile."""
        return None

    def _marks(self, forms: Collection[str], intricate: dict[ContactId, bool]) -> Marks:
        keys = [MatchKey(form) for form in forms]
        named = [record for key in keys for record in self._by_key.get(key, {}).values()]
        moved = [record for key in keys for record in self._by_old_key.get(key, {}).values()]
        linked = {record.entry.subject.contact_id for record in [*named, *moved]}
        read = any(map(_ends_something, named))
        for contact_id in linked:
            if contact_id is not None and not read:
                if contact_id not in intricate:
                    intricate[contact_id] = self._is_intricate(contact_id)
                read = intricate[contact_id]
        entries = [record.entry for record in named]
        kinds = {entry.kind for entry in entries if isinstance(entry, Suppression)} - {SuppressionKind.PAUSE}
        noes = frozenset(entry.scope for entry in entries if isinstance(entry, OptOut))
        return Marks(noes=noes, suppressions=frozenset(kinds), read=read)

    def _is_intricate(self, contact_id: ContactId) -> bool:
        """Whether only a reading of the log tells what binds a contact."""
        keys = set()
        for record in self._by_contact[contact_id].values():
            entry = record.entry
            keys |= {entry.subject.key, old_key(entry)} - {None}
            if (
                _ends_something(record)
                or (isinstance(entry, Consent) and entry.cites)
                or (isinstance(entry, AddressChanged) and entry.old is not None)
                or (isinstance(entry, OptOut | Suppression) and entry.subject.key is None)
            ):
                return True
        return len(keys) > 1
