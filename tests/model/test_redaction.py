"""Redaction: what an erasure has been over is known for it, and stays as the first one left it (O5)."""

import pytest

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import AddressChanged, Entry, OptOut, Subject
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.model.redaction import names_a_hash, redacted
from tests.strategies import CONTACTS, KEYS, START

PEPPERS = Peppers({"2025": "a pepper for tests, known to everybody"})
ANN, HERE, HOME = CONTACTS[0], KEYS[0], KEYS[1]
ANN_HASH, HERE_HASH = ContactId(PEPPERS.hashed(ANN)), PEPPERS.hashed(HERE)
FROM_FILE = Provenance(actor=Actor.ESP, through=Through.IMPORT, at=START, source="file:ann@example.com.csv")


def moved(contact_id: ContactId, key: MatchKey | None, old: MatchKey | None) -> AddressChanged:
    """Return a change of address."""
    return AddressChanged(subject=Subject(contact_id=contact_id, key=key), old=old, provenance=FROM_FILE)


def left(subject: Subject) -> OptOut:
    """Return a no."""
    return OptOut(subject=subject, scope=Scope.all(), event_id="e1", provenance=FROM_FILE)


@pytest.mark.parametrize(
    ("expected", "entry"),
    [
        (True, left(Subject(contact_id=ANN_HASH, key=HOME))),
        (True, left(Subject(contact_id=ANN, key=HERE_HASH))),
        (True, left(Subject(key=HERE_HASH))),
        (True, moved(ANN, HOME, HERE_HASH)),
        (False, left(Subject(contact_id=ANN, key=HERE))),
        (False, left(Subject(contact_id=ANN))),
        (False, moved(ANN, HOME, HERE)),
        (False, moved(ANN, HOME, None)),
    ],
    ids=["id", "key", "key alone", "former key", "nobody hidden", "id alone", "plain move", "first address"],
)
def test_one_hash_tells(expected: bool, entry: Entry) -> None:
    """A keyed hash in place of the id, the address or the former address; the rest may be somebody else's."""
    assert expected is names_a_hash(entry)


def test_what_was_redacted_is_redacted_no_further() -> None:
    """Its file keeps the name that the first erasure gave it, so that it goes on being one file."""

    def new_id(one: EntryId) -> EntryId:
        return EntryId(PEPPERS.hashed(one)[-32:])

    once = redacted(left(Subject(contact_id=ANN, key=HERE)), {ANN: ANN_HASH}, new_id)
    twice = redacted(once, {HERE: HERE_HASH}, new_id)
    assert once.provenance == twice.provenance
    assert "ann@" not in repr(once.provenance)
