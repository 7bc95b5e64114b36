"""Renaming and redacting entries of the log, for an erasure (O5).

An erased person's entries stay in the log as what they are: a no to offers, on that day, through that campaign. Who
it was is only a keyed hash (`model.peppers`), and words, evidence, names of files and the event ids that sources gave
are gone. What an application calls a source itself stays, unless it holds an address. Ids of
entries are hashes that anybody could try addresses against, so these are replaced as well, and with them what cites
them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from attrs import evolve

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    STATE,
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Subject,
    Suppression,
    named_in,
)
from lifecycle_mail.model.names import ContactId, EntryId, entry_id
from lifecycle_mail.model.peppers import is_hashed

ERASED = "[erased]"
"""What stands where words stood. That some stood there still counts: a lift without them would end nothing."""

FILE = "file:"
"""How the source of an import begins that goes by the name of its file."""

T = TypeVar("T", bound=Entry)


def with_id(entry: T, entry_id: EntryId) -> T:
    """Return a copy of an entry under the id that the log knows it by, whatever its parts would make now."""
    copy = evolve(entry)
    object.__setattr__(copy, "id", entry_id)  # the class is frozen and makes its id itself
    return copy


def renamed(entry: T, names: Mapping[str, str]) -> T:
    """Return an entry that names contacts and match keys by other names, under the same id."""
    subject = entry.subject
    contact_id, key = subject.contact_id, subject.key
    if names.keys().isdisjoint(named_in(entry)):
        return entry
    changes: dict[str, Any] = {
        "subject": Subject(
            contact_id=None if contact_id is None else ContactId(names.get(contact_id, contact_id)),
            key=None if key is None else MatchKey(names.get(key, key)),
        )
    }
    if isinstance(entry, AddressChanged) and entry.old is not None:
        changes["old"] = MatchKey(names.get(entry.old, entry.old))
    return with_id(evolve(entry, **changes), entry.id)


def redacted(entry: T, names: Mapping[str, str], new_id: Callable[[EntryId], EntryId]) -> T:
    """Return what stays of an erased person's entry.

    Args:
        entry: an entry that names them.
        names: their id and their keys -> the keyed hashes of those.
        new_id: makes the id that an entry of theirs is known by from now on.
    """
    plain = renamed(entry, names)
    said = entry.provenance
    changes: dict[str, Any] = {
        "provenance": evolve(
            said,
            source=_redacted_source(said.source, new_id),
            text=ERASED if said.text else "",
            evidence=ERASED if said.evidence else "",
        )
    }
    if isinstance(plain, OptOut | Suppression):
        # That it was told as a state still counts: what else was told of the same click is an echo of it.
        state = STATE if plain.event_id.startswith(STATE) else ""
        changes["event_id"] = f"{state}{ERASED}{new_id(entry.id)}"
    if isinstance(plain, Lift | Consent):
        changes["cites"] = {new_id(one) for one in plain.cites}
    if isinstance(plain, Consent) and plain.request is not None:
        changes["request"] = new_id(plain.request)
    if isinstance(plain, ConsentRequest):
        changes["asks"] = {new_id(one) for one in plain.asks}
    if isinstance(plain, Pushed):
        changes["opt_out"] = new_id(plain.opt_out)
    return with_id(evolve(plain, **changes), new_id(entry.id))


def cited_by(entry: Entry) -> Collection[EntryId]:
    """Return the ids of the entries that an entry refers to."""
    if isinstance(entry, Lift):
        return entry.cites
    if isinstance(entry, Consent):
        return entry.cites if entry.request is None else {*entry.cites, entry.request}
    if isinstance(entry, ConsentRequest):
        return entry.asks
    return {entry.opt_out} if isinstance(entry, Pushed) else frozenset()


def mended(entry: T, ids: Mapping[EntryId, EntryId]) -> T:
    """Return an entry that refers to others by their new ids, under its own."""

    def all_of(cited: Collection[EntryId]) -> frozenset[EntryId]:
        return frozenset(ids.get(one, one) for one in cited)

    changes: dict[str, Any] = {}
    if isinstance(entry, Lift | Consent):
        changes["cites"] = all_of(entry.cites)
    if isinstance(entry, Consent) and entry.request is not None:
        changes["request"] = ids.get(entry.request, entry.request)
    if isinstance(entry, ConsentRequest):
        changes["asks"] = all_of(entry.asks)
    if isinstance(entry, Pushed):
        changes["opt_out"] = ids.get(entry.opt_out, entry.opt_out)
    return with_id(evolve(entry, **changes), entry.id)


def names_a_hash(entry: Entry) -> bool:
    """Whether an entry names somebody by a keyed hash alone: as an erasure leaves it, or as an import of hashes."""
    return any(is_hashed(name) for name in named_in(entry))


def _redacted_source(source: str, new_id: Callable[[EntryId], EntryId]) -> str:
    """Return what stays of a source: the names of systems. A file may be named for whom it is about."""
    if source.startswith(FILE) and not source.startswith(FILE + ERASED):
        return f"{FILE}{ERASED}{new_id(entry_id('source', source))}"  # two files are still two
    return ERASED if "@" in source else source
