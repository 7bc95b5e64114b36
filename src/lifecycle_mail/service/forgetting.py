"""Erasing people for good (O5, F62, F63).

Order matters. First it is made sure that erasing works at all: without a pepper nobody else is told anything. Then they
are taken out of campaigns that they are staged for, under the name that the ESP knows. Then the ESP and the CRM forget,
and an ESP that cannot is told of every no that it does not know of: afterwards nobody could tell it whose they were.
What they refuse is raised, nothing is erased here, and the same may be called again, because what they were told is
still known. At last one transaction writes that the person and every address of theirs was
erased, and lets the store remove the rest.

An address that another contact uses as well is that contact's, too: it stays readable, and is reported. One that
another contact has moved from is erased: it is never mailed again, whoever is there, and who has moved goes on at the
new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import cast

from attrs import evolve, frozen

from lifecycle_mail.errors import AmbiguousAddress, InvalidAddress, UnknownName
from lifecycle_mail.model.addresses import EmailAddress, MatchKey, mask, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Subject, Suppression, SuppressionKind, old_key
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Provenance
from lifecycle_mail.ports import Capability, Crm, Esp
from lifecycle_mail.ports.esps import Forgets
from lifecycle_mail.service.leasing import Clock
from lifecycle_mail.service.reading import Reader, last_key
from lifecycle_mail.service.retrying import again, in_transaction
from lifecycle_mail.service.telling_esp import EspTeller
from lifecycle_mail.service.withdrawing import staged_in, withdraw

_NOBODY = ContactId("\n")
"""An id that no contact can have."""


@frozen(kw_only=True)
class Erased:
    """What an erasure did.

    Attributes:
        addresses: how many addresses were erased, former ones among them.
        shared: addresses, masked, that another contact uses and that stay for that reason.
        told: who was told to forget them, by name. An ESP without `Capability.ERASURE` is not among them: what it
            holds is to be removed there.
        is_new: False where they had been erased before.
    """

    addresses: int = 0
    shared: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    is_new: bool = True


@frozen(kw_only=True)
class _Found:
    """Whom an erasure is about.

    Attributes:
        contact_id: the contact, archived perhaps; None where an address alone is known.
        address: the address in use, or the one that was named.
        keys: what entries about them are filed under, and what claims know their inboxes by.
        shared: those of another contact, too.
        staged: campaigns that they may be staged for.
    """

    contact_id: ContactId | None
    address: EmailAddress | None
    keys: frozenset[MatchKey]
    shared: frozenset[MatchKey]
    staged: frozenset[CampaignKey] = frozenset()


class _Rehearsed(Exception):
    """Ends a transaction in which nothing is to stay."""


class Forgetter:
    """Erases people.

    Args:
        reader: of the store.
        esp, crm: who else is told.
        teller: tells an ESP that cannot erase what is due of somebody; None for other ESPs.
        new_id: the id that an address would get, where nobody has it.
        clock: tells the time.
        wait: see `retrying.again`.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        esp: Esp,
        crm: Crm | None,
        teller: EspTeller | None,
        new_id: Callable[[EmailAddress], ContactId],
        clock: Clock,
        wait: Callable[[int], None],
    ) -> None:
        self._reader = reader
        self._store = reader.store
        self._esp = esp
        self._crm = crm
        self._teller = teller
        self._new_id = new_id
        self._clock = clock
        self._wait = wait

    def erase(self, who: str, said: Provenance, *, now: datetime) -> Erased:
        """Erase somebody; see `Lifecycle.erase`."""
        again(self._rehearse, wait=self._wait)
        found = again(lambda: self._find(who), wait=self._wait)
        told: set[str] = set()
        tried: list[_Found] = []
        while found is not None:
            found = self._withdrawn(found)
            told.update(self._tell(found))
            known = in_transaction(self._store, partial(self._write, who, found, said, now, tried), wait=self._wait)
            if known == found:
                shared = tuple(sorted(map(_masked, found.shared)))
                return Erased(addresses=len(found.keys), shared=shared, told=tuple(sorted(told)))
            found = known  # an address was added meanwhile, or they were staged: the others must be told of it, too
        return Erased(told=tuple(sorted(told)), is_new=False)

    def _rehearse(self) -> None:
        """Make sure that there is a pepper.

        Raises:
            Misconfigured: there is none.
        """
        try:
            with self._store.transaction():
                self._store.erase(_NOBODY, ())
                raise _Rehearsed
        except _Rehearsed:
            return

    # -- finding

    def _find(self, who: str) -> _Found | None:
        """Find who is meant, in the active records or in the log; None where they were erased already.

        Raises:
            UnknownName: nobody goes by it, and it is no address.
            AmbiguousAddress: several contacts have the address, or had it when they were archived.
        """
        contact = self._reader.find(who)
        if contact is not None:
            gone = [] if contact.id == who or contact.address is None else self._gone_from(contact.address)
            if gone:
                raise AmbiguousAddress(mask(who), [contact.id, *gone])
            return self._of(contact.id, contact.address)
        gone_or_unmade = ContactId(who)  # archived, or known by events or answers alone
        if (
            self._store.about({gone_or_unmade: ()})[gone_or_unmade]
            or self._store.events_of(gone_or_unmade)
            or self._store.answers_of([gone_or_unmade])
        ):
            return None if self._store.erased([who]) else self._of(gone_or_unmade, None)
        try:
            address = parse_address(who)
        except InvalidAddress:
            raise UnknownName("contact", mask(who)) from None
        return self._of_address(address)

    def _of_address(self, address: EmailAddress) -> _Found | None:
        key = address.match_key(self._reader.rules)
        if self._store.erased([key]):
            return None
        gone = self._gone_from(address)
        if len(gone) > 1:
            raise AmbiguousAddress(address.masked, gone)
        return self._of(gone[0], address) if gone else self._parted(None, address, {key, MatchKey(address.identity)})

    def _gone_from(self, address: EmailAddress) -> list[ContactId]:
        """Return who had an address when they left the active records."""
        key = address.match_key(self._reader.rules)
        named = {one for one in self._named_under(key) if not is_hashed(one)}
        gone = named - set(self._store.get(named))
        about = self._store.about(dict.fromkeys(gone, ()))
        return sorted(one for one in gone if last_key(about[one], one) == key)

    def _of(self, contact_id: ContactId, address: EmailAddress | None) -> _Found:
        keys = {MatchKey(claim.address) for claim in self._store.claims_of(contact_id)}
        for entry in self._store.about({contact_id: ()})[contact_id]:
            if entry.subject.contact_id == contact_id:
                keys |= {key for key in (entry.subject.key, old_key(entry)) if key is not None}
        if address is not None:
            keys |= {address.match_key(self._reader.rules), MatchKey(address.identity)}
        return self._parted(contact_id, address, keys)

    def _parted(self, contact_id: ContactId | None, address: EmailAddress | None, keys: Iterable[MatchKey]) -> _Found:
        plain = {key for key in keys if not is_hashed(key)}  # somebody else was erased at a former address
        shared = {key for key in plain if self._is_shared(key, contact_id)}
        return _Found(
            contact_id=contact_id, address=address, keys=frozenset(plain - shared), shared=frozenset(shared),
            staged=frozenset() if contact_id is None else staged_in(self._store, self._esp, contact_id),
        )  # fmt: skip

    def _is_shared(self, key: MatchKey, contact_id: ContactId | None) -> bool:
        """Whether another contact uses an address, as the store finds it or as the log names it."""
        others = {*self._store.find(key), *self._named_under(key)}
        others.discard(contact_id or _NOBODY)
        known = self._store.get(others)
        return any(
            one.address is not None and key in (self._reader.key(one), one.address.identity) for one in known.values()
        )

    def _named_under(self, key: MatchKey) -> set[ContactId]:
        named = self._store.about({_NOBODY: [key]})[_NOBODY]
        return {entry.subject.contact_id for entry in named if entry.subject.contact_id is not None}

    # -- telling the others

    def _withdrawn(self, found: _Found) -> _Found:
        """Take them out of campaigns; what is left of these was released, or nobody can tell."""
        if found.contact_id is None:
            return found
        take_out = partial(withdraw, self._store, self._esp, found.contact_id, clock=self._clock, wait=self._wait)
        return evolve(found, staged=frozenset(one for one in sorted(found.staged) if not take_out(one)))

    def _tell(self, found: _Found) -> list[str]:
        told = []
        if Capability.ERASURE in self._esp.capabilities:
            for contact in self._known_elsewhere(found):
                cast(Forgets, self._esp).forget(contact)
            told.append(self._esp.name)
        elif self._teller is not None:
            self._teller.tell_before_erasure(found.contact_id, found.keys)
        if self._crm is not None and found.contact_id is not None:
            self._crm.forget(found.contact_id)
            told.append(self._crm.name)
        return told

    def _known_elsewhere(self, found: _Found) -> list[Contact]:
        """Return the contact at each address by which an ESP may know them, those of others left out."""
        addresses = {address.identity: address for address in map(_address_in, sorted(found.keys))}
        if found.address is not None and not found.shared & {found.address.identity}:
            addresses[found.address.identity] = found.address  # as it is written, for an ESP that minds
        named = [Contact(id=found.contact_id or self._new_id(one), address=one) for one in addresses.values()]
        if not named and found.contact_id is not None:
            return [Contact(id=found.contact_id)]
        return named

    # -- writing

    def _write(self, who: str, told: _Found, said: Provenance, now: datetime, tried: list[_Found]) -> _Found | None:
        """Erase them, unless what is known of them is no longer what the others were told; return what is known.

        `tried` holds whom earlier tries erased: where the answer to one was lost, they are gone by this very call.
        """
        found = self._find(who)
        if found is None and told in tried:
            return told
        if found != told:
            return found
        tried.append(found)
        keys = sorted(found.keys)
        whom = found.contact_id or ContactId(keys[0])  # of an address alone, no id but the key itself
        entries = [_erasure(found.contact_id, key, said) for key in keys]
        if found.contact_id is not None:
            entries.append(_erasure(found.contact_id, None, said))
        self._store.append(entries, at=now)
        self._store.erase(whom, keys)
        return found


def _erasure(contact_id: ContactId | None, key: MatchKey | None, said: Provenance) -> Suppression:
    event_id = f"{contact_id}:{key}:{said.at.isoformat()}"  # goes with the rest
    subject = Subject(contact_id=contact_id, key=key)
    return Suppression(subject=subject, kind=SuppressionKind.ERASURE, event_id=event_id, provenance=said)


def _address_in(key: MatchKey) -> EmailAddress:
    return parse_address(key.partition(":")[2])


def _masked(key: MatchKey) -> str:
    return mask(key.partition(":")[2])
