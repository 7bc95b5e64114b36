"""Ids of what an erased person left (O5).

The id of an entry or an event is a plain hash of what it says, the address among it: whoever holds the database could
try addresses against it. So it is replaced by a keyed hash of itself, under the pepper that the person was erased with.
What comes again from outside comes under the plain id, and is known by every keyed form of it.
"""

from __future__ import annotations

from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.peppers import Peppers

_LENGTH = 32


def rekeyed(peppers: Peppers, entry_id: EntryId, pepper: str) -> EntryId:
    """Return the id that an entry is known by once its subject is erased under a pepper."""
    return EntryId(peppers.hashed(entry_id, pepper).rpartition(":")[2][:_LENGTH])


def forms_of(peppers: Peppers, entry_id: EntryId) -> list[EntryId]:
    """Return every id that an entry may be known by: its own, then the keyed ones."""
    return [entry_id, *(rekeyed(peppers, entry_id, pepper) for pepper in peppers.secrets)]
