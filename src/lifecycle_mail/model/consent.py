"""The state of consent, as a lattice.

A state is a set of log entries and merging two states is their union: commutative, associative, idempotent.
Whatever order entries arrive in, and however often, the state is the same (F33, F34). Everything else is read
off the set, with no regard to the order or the stamps of entries (F16, F35):

- an opt-out binds a list until a consent *for that list* cites it; a no to all marketing that is overridden for
  Offers still stands for News;
- an opt-out that only echoes another (`echoes.py`) is evidence, not a second no;
- consent counts where contact and address both match. A change of address made by the person carries consent
  over; one made by anybody else leaves it behind, and the new address must be confirmed, which no import does;
- a suppression binds until a lift that may (`SUPPRESSION_RULES`) cites it, or its date has come;
- the erasure of a contact binds them, and whoever uses an address of theirs; who used to share one and has moved is
  another person, and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from attrs import field, frozen

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.echoes import distinct, echoes_in
from lifecycle_mail.model.entries import (
    SUPPRESSION_RULES,
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Standing,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.lists import Channel, ScopeKind
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor

T = TypeVar("T", bound=Entry)


class ListStanding(StrEnum):
    """How one contact stands with one list. The order is that of precedence in explanations."""

    ACTIVE = "active"
    OUT_OF_ALL = "out-of-all"
    OUT_OF_CHANNEL = "out-of-channel"
    OUT_OF_LIST = "out-of-list"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "expired"
    NONE = "none"


_OUT = {
    ScopeKind.ALL: ListStanding.OUT_OF_ALL,
    ScopeKind.CHANNEL: ListStanding.OUT_OF_CHANNEL,
    ScopeKind.LIST: ListStanding.OUT_OF_LIST,
}


def _as_set(entries: Iterable[Entry]) -> frozenset[Entry]:
    return frozenset(entries)


@frozen
class ConsentState:
    """A set of entries and what follows from it.

    Attributes:
        entries: every distinct entry.
    """

    entries: frozenset[Entry] = field(default=frozenset(), converter=_as_set)

    def merge(self, other: ConsentState) -> ConsentState:
        """Return the union: the join of the lattice."""
        return ConsentState(self.entries | other.entries)

    __or__ = merge

    def of(self, kind: type[T]) -> Iterator[T]:
        """Yield the entries of one kind, in no particular order."""
        return (entry for entry in self.entries if isinstance(entry, kind))

    def person(self, contact_id: ContactId, key: MatchKey | None) -> Person:
        """Read the set as one contact at one address."""
        return Person.read(self.entries, contact_id, key)

    def opt_out_count(self) -> int:
        """How many times somebody said no: distinct opt-outs without those that only echo others."""
        echoes = echoes_in(self.entries)
        return len(distinct({entry.id for entry in self.of(OptOut)}, echoes))


def _first(entry: Entry) -> tuple[datetime, str]:
    """Order what was reported twice under one id; the text settles ties, so that no order of arrival does."""
    return entry.provenance.at, repr(entry)


def _longest(entry: Suppression) -> tuple[bool, float, datetime, str]:
    """Order a suppression reported twice under one id: what binds longer comes first."""
    ends = 0.0 if entry.until is None else -entry.until.timestamp()
    return entry.until is not None, ends, *_first(entry)


@frozen(kw_only=True)
class Person:
    """One contact at one address, as the consent log knows them.

    Attributes:
        contact_id: the contact.
        key: the match key of the address in use, or None.
        opt_outs: every no that binds them, cited or not, by id.
        suppressions: every suppression that binds them and that no lift has ended, pauses past their date included.
        consents: every yes that counts for this contact at this address.
        requests: every unanswered request, likewise.
        elsewhere: lists agreed to, or asked for, at an address that somebody else replaced: to be confirmed at this
            one.
        echoes: opt-outs that only echo others, with those.
        renewed_at: when they last said yes themselves, or their sunset was lifted: asking them to stay begins anew.
    """

    contact_id: ContactId
    key: MatchKey | None
    opt_outs: dict[EntryId, OptOut] = field(factory=dict)
    suppressions: dict[EntryId, Suppression] = field(factory=dict)
    consents: tuple[Consent, ...] = ()
    requests: tuple[ConsentRequest, ...] = ()
    elsewhere: frozenset[ListKey] = frozenset()
    echoes: dict[EntryId, frozenset[EntryId]] = field(factory=dict)
    renewed_at: datetime | None = None

    @classmethod
    def read(cls, entries: Iterable[Entry], contact_id: ContactId, key: MatchKey | None) -> Person:
        """Sort the entries that concern this contact; those about other people are passed over."""
        entries = list(entries)
        changes = [e for e in entries if isinstance(e, AddressChanged) and e.subject.contact_id == contact_id]
        ever = {key, *(c.old for c in changes), *(c.subject.key for c in changes)} - {None}
        agreed = _carried_over(key, changes)
        foreign = _foreign(changes)

        opt_outs: dict[EntryId, OptOut] = {}
        held: dict[EntryId, Suppression] = {}
        lifts: list[Lift] = []
        consents: list[Consent] = []
        requests: list[ConsentRequest] = []
        elsewhere: set[ListKey] = set()
        for entry in entries:
            subject = entry.subject
            mine = subject.contact_id == contact_id
            if isinstance(entry, Consent):
                disputed = entry.standing is Standing.IMPORTED and subject.key in foreign
                if mine and subject.key in agreed and not disputed:
                    consents.append(entry)
                elif mine:
                    elsewhere.add(entry.list)
            elif isinstance(entry, ConsentRequest):
                if mine and subject.key in agreed:
                    requests.append(entry)
                elif mine:
                    elsewhere.add(entry.list)
            elif isinstance(entry, OptOut):
                if mine or subject.key in ever:
                    said = opt_outs.get(entry.id)
                    opt_outs[entry.id] = entry if said is None else min(entry, said, key=_first)
            elif isinstance(entry, Suppression):
                if entry.kind is SuppressionKind.ERASURE and subject.contact_id is not None:
                    binds = mine or subject.key == key  # of another: it keeps the address out, not who moved from there
                elif SUPPRESSION_RULES[entry.kind].follows_person:
                    binds = mine or subject.key in ever
                else:  # a fact about an address: it binds whoever uses that address
                    binds = subject.key == key if subject.key is not None else mine
                if binds:
                    twin = held.get(entry.id)
                    held[entry.id] = entry if twin is None else min(entry, twin, key=_longest)
            elif isinstance(entry, Lift) and (mine or subject.key in ever):
                lifts.append(entry)
        renewals = [one.provenance.at for one in consents if one.standing is not Standing.IMPORTED]
        for lift in lifts:
            for cited in lift.cites & held.keys():
                if lift.ends(held[cited]):
                    if held[cited].kind is SuppressionKind.SUNSET:
                        renewals.append(lift.provenance.at)
                    del held[cited]
        answered = {consent.request for consent in consents}
        return cls(
            contact_id=contact_id,
            key=key,
            opt_outs=opt_outs,
            suppressions=held,
            consents=tuple(sorted(consents, key=_first)),
            requests=tuple(sorted((one for one in requests if one.id not in answered), key=_first)),
            elsewhere=frozenset(elsewhere),
            echoes=echoes_in(entries) if opt_outs else {},
            renewed_at=max(renewals, default=None),
        )

    def opt_outs_of(self, list_key: str, channel: Channel = Channel.EMAIL) -> list[OptOut]:
        """Return the opt-outs that bind this list: in scope, and cited by no consent for this very list."""
        if not self.opt_outs:
            return []
        cited: set[EntryId] = set()
        for consent in self.consents:
            if consent.list == list_key:
                cited |= consent.cites
        binding = []
        for opt_out in self.opt_outs.values():
            if not opt_out.scope.covers(list_key, channel) or opt_out.id in cited:
                continue
            if not cited.isdisjoint(self.echoes.get(opt_out.id, ())):
                continue
            binding.append(opt_out)
        return sorted(binding, key=_first)

    def standing(self, list_key: str, *, now: datetime, channel: Channel = Channel.EMAIL) -> ListStanding:
        """Tell how this contact stands with one list at `now` (an aware UTC instant)."""
        binding = self.opt_outs_of(list_key, channel)
        if binding:
            reach = {opt_out.scope.kind for opt_out in binding}
            widest = next(kind for kind in (ScopeKind.ALL, ScopeKind.CHANNEL, ScopeKind.LIST) if kind in reach)
            return _OUT[widest]
        expired = False
        asked = min((one.provenance.at for one in self.requests if one.list == list_key), default=None)
        for consent in self.consents:
            if asked is not None and consent.standing is Standing.IMPORTED and consent.provenance.at >= asked:
                continue  # an import does not answer for the person who was asked, nor does asking end what was there
            if consent.list == list_key:
                if consent.expires_at is None or now < consent.expires_at:
                    return ListStanding.ACTIVE
                expired = True
        if asked is not None or list_key in self.elsewhere:
            return ListStanding.UNCONFIRMED
        return ListStanding.EXPIRED if expired else ListStanding.NONE

    def held_by(self, *, now: datetime) -> dict[SuppressionKind, Suppression]:
        """Return the suppressions in force at `now`, one a kind (the earliest)."""
        found: dict[SuppressionKind, Suppression] = {}
        for one in self.suppressions.values():
            if one.until is not None and one.until <= now:
                continue
            other = found.get(one.kind)
            if other is None or (one.provenance.at, one.id) < (other.provenance.at, other.id):
                found[one.kind] = one
        return found

    def lists(self) -> frozenset[ListKey]:
        """Return every list they ever said yes to, or asked to join: the audience, before any gate."""
        return self.elsewhere.union((c.list for c in self.consents), (r.list for r in self.requests))

    @property
    def out_of_all(self) -> bool:
        """Whether a no to all marketing stands that no consent at all has overridden."""
        cited = {cite for consent in self.consents for cite in consent.cites}
        return any(
            o.scope.kind is ScopeKind.ALL and o.id not in cited and cited.isdisjoint(self.echoes.get(o.id, ()))
            for o in self.opt_outs.values()
        )


def _carried_over(key: MatchKey | None, changes: Iterable[AddressChanged]) -> set[MatchKey | None]:
    """Return the keys whose consent counts at `key`: itself and those the person moved here from."""
    agreed: set[MatchKey | None] = {key}
    own = [c for c in changes if c.provenance.actor is Actor.CONTACT]
    grown = True
    while grown:
        grown = False
        for change in own:
            if change.subject.key in agreed and change.old is not None and change.old not in agreed:
                agreed.add(change.old)
                grown = True
    return agreed


def _foreign(changes: Iterable[AddressChanged]) -> set[MatchKey | None]:
    """Return the addresses that somebody else moved the contact to.

    No list that is imported says that the person agreed to be mailed there. The address they began with is not among
    them, though a mistake be undone, and neither is the first one that becomes known.
    """
    moves = sorted((change for change in changes if change.old is not None), key=_first)
    if not moves:
        return set()
    by_others = {move.subject.key for move in moves if move.provenance.actor is not Actor.CONTACT}
    return by_others - {moves[0].old}
