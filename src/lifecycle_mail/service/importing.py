"""What an import writes: opt-outs, subscriptions, or contacts with their profiles.

None of them brings anybody back (O4). Opt-outs and suppressions only ever add to what holds people back; a consent is
an imported one, which cites nothing; and who was erased stays so (O5, F62).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path

from attrs import field, frozen

from lifecycle_mail.errors import AmbiguousAddress, InvalidInput
from lifecycle_mail.files.importing import open_opt_outs
from lifecycle_mail.files.importing_rows import Given, Row, Tell
from lifecycle_mail.files.importing_subscriptions import Subscription, Taking, open_subscriptions
from lifecycle_mail.files.json_rows import open_json
from lifecycle_mail.files.profile_lines import ContactLine, from_json
from lifecycle_mail.files.reading import Reject, fault_of, row_as_text
from lifecycle_mail.files.text import Fault
from lifecycle_mail.model.addresses import MatchKey, MatchRules
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import (
    AddressChanged,
    ConsentRequest,
    Entry,
    OptOut,
    Record,
    Subject,
    Suppression,
    old_key,
)
from lifecycle_mail.model.intake import Joined, Known, Statement
from lifecycle_mail.model.names import ContactId, entry_id
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.service.flights import mark_in_flight
from lifecycle_mail.service.moving import Written
from lifecycle_mail.service.own_ids import OwnIds
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import Received

# Kept in the bookmark until the import ends, and so without a name of anybody's.
_ERASED = "this person was erased: an import brings nothing of them back (O5)"
_SHARED = "several contacts have this address: name the contact by its id"
_REFUSED = "the registry refuses what it says"


class _Ours(Enum):
    """A row of an export as hashes that is an entry of ours."""

    OURS = "ours"


_OURS = _Ours.OURS


def _way(what: str, *said: object) -> str:
    """Name what is imported and how, so that another way is another import."""
    return f"{what}:{entry_id(*said)[:8]}"


@frozen(kw_only=True)
class OptOuts:
    """The import of opt-outs and suppressions.

    Attributes:
        reader: of the store.
        path: the file.
        given: what holds for all rows.
    """

    reader: Reader
    path: Path
    given: Given
    _own: OwnIds = field(init=False)

    @_own.default
    def _make_own(self) -> OwnIds:
        return OwnIds(self.reader.store, self.given.peppers)

    @property
    def what(self) -> str:
        """What is imported, and in what way."""
        given = self.given
        return _way(
            "opt-outs", given.source, given.scope, given.rules.version, given.who_has is not None, given.fallback
        )

    @contextmanager
    def open(self) -> Iterator[tuple[Iterator[Row], Callable[[Sequence[Row], Tell], Sequence[object]]]]:
        """Open the file."""
        with open_opt_outs(self.path, self.given) as (rows, reads), closing(self._own) as own:

            def read(batch: Sequence[Row], tell: Tell) -> Sequence[object]:
                """Return what rows say, and nothing twice: not what we said ourselves, under its hash."""
                said = reads.read(batch, tell)
                own.learn(said)
                ours = own.among(said)
                return [entry if entry is None or entry.id not in ours else _OURS for entry in said]

            yield rows, read

    def write(self, values: Sequence[OptOut | Suppression | _Ours | None]) -> Written:
        """Append what the log does not hold yet."""
        entries = _near([entry for entry in values if isinstance(entry, OptOut | Suppression)])
        position = self.reader.store.position()
        records = self.reader.store.append(entries, at=self.given.now)
        self._mark_in_flight(records, until=position)
        return Written(new=len(records), passed=sum(entry is None for entry in values))

    def _mark_in_flight(self, records: Sequence[Record], *, until: int) -> None:
        """Note on mails that were handed off before that their person said no (F18).

        Args:
            records: what is new in the log.
            until: the position of the log before that.
        """
        store = self.reader.store
        if next(iter(store.each()), None) is None:  # a list of millions, and nobody whom a mail was sent to
            return
        for chunk in chunks([record.entry for record in records if isinstance(record.entry, OptOut)]):
            whose = self._whose(chunk, until=until)
            known = store.get({one for some in whose for one in some})
            for no, holders in zip(chunk, whose, strict=True):
                for one in sorted(holders & known.keys()):
                    mark_in_flight(store, store.claims_of(one), no.scope, now=self.given.now)

    def _whose(self, noes: Sequence[OptOut], *, until: int) -> list[set[ContactId]]:
        """Return for each no whom it names: of an address alone, or of a keyed hash, everybody who ever had it."""
        keys = {no.subject.key for no in noes if no.subject.contact_id is None and no.subject.key is not None}
        nobody = ContactId("")
        at: dict[MatchKey | None, set[ContactId]] = defaultdict(set)
        for entry in self.reader.store.about({nobody: keys}, until=until)[nobody]:
            if entry.subject.contact_id is not None:
                for key in (entry.subject.key, old_key(entry)):
                    at[key].add(entry.subject.contact_id)
        hashed = self._own.whom(
            name for no in noes for name in (no.subject.contact_id, no.subject.key) if name is not None
        )
        return [
            (at[no.subject.key] if no.subject.contact_id is None else {no.subject.contact_id})
            | hashed.get(no.subject.contact_id or "", set())
            | hashed.get(no.subject.key or "", set())
            for no in noes
        ]


def _near(entries: list[OptOut | Suppression]) -> list[OptOut | Suppression]:
    """Put a list of addresses in the order of an index of entry ids: in no order, each would touch another page of it.

    What is said of one address stays in the order of the file, and so does everything where people are named.
    """
    if any(entry.subject.contact_id is not None for entry in entries):
        return entries
    first: dict[str | None, str] = {}
    for entry in entries:
        first.setdefault(entry.subject.key, entry.id)
    return sorted(entries, key=lambda entry: first[entry.subject.key])


@frozen(kw_only=True)
class Subscriptions:
    """The import of subscriptions.

    Attributes:
        reader: of the store.
        path: the file.
        taking: what holds for all rows.
        receive: takes statements.
    """

    reader: Reader
    path: Path
    taking: Taking
    receive: Callable[[Sequence[Statement]], Received]

    @property
    def what(self) -> str:
        """What is imported, and in what way."""
        taking = self.taking
        return _way("subscriptions", taking.source, taking.to, self.reader.rules.version, taking.fallback)

    def open(self) -> AbstractContextManager[tuple[Iterator[Row], Callable[[Sequence[Row], Tell], Sequence[object]]]]:
        """Open the file."""
        return open_subscriptions(self.path, self.taking)

    def write(self, values: Sequence[tuple[int, Subscription]]) -> Written:
        """Receive who is subscribed, and who there is."""
        store, rules = self.reader.store, self.reader.rules
        ids = {ContactId(row.who.contact_id) for _, row in values if row.who.contact_id is not None}
        keys = {row.who.address.match_key(rules) for _, row in values if row.who.address is not None}
        erased, known = store.erased(ids | keys), store.get(ids)
        refused: dict[int, str] = {}
        said: dict[int, Statement] = {}
        passed = 0
        for place, row in values:
            who = row.who
            if who.contact_id in erased or (who.address is not None and who.address.match_key(rules) in erased):
                refused[place] = _ERASED
            elif row.list is not None and not row.asked:
                said[place] = Joined(who=who, list=row.list, provenance=row.provenance, expires_at=row.expires_at)
            else:
                passed += row.list is None
                if who.contact_id not in known:  # of somebody who is known, a file does not know the address better
                    said[place] = Known(who=who)
        places = {id(statement): place for place, statement in said.items()}
        received = self.receive(list(said.values()))
        for statement, problem in (*received.ambiguous, *received.refused):
            place = places[id(statement)]
            refused[place] = _SHARED if isinstance(problem, AmbiguousAddress) else _REFUSED
            passed -= isinstance(statement, Known)
        asked = [_request(row, rules) for place, row in values if row.asked and place not in refused]
        new = received.entries + len(store.append(asked, at=self.taking.now))
        return Written(new=new, passed=passed, refused=refused)


def _request(row: Subscription, rules: MatchRules) -> ConsentRequest:
    """Return the request of somebody who was asked to confirm: no import answers for them."""
    assert row.list is not None  # noqa: S101 - they were asked about one
    address, contact_id = row.who.address, row.who.contact_id
    subject = Subject(
        contact_id=None if contact_id is None else ContactId(contact_id),
        key=None if address is None else address.match_key(rules),
    )
    return ConsentRequest(subject=subject, list=row.list, provenance=row.provenance)


@frozen(kw_only=True)
class Profiles:
    """The import of contacts with their profiles.

    Attributes:
        reader: of the store.
        path: the file.
        replace: whether a contact or profile that is there is written over.
        now: the instant of the import.
        changed: called with whom a chunk has changed, in its transaction.
    """

    reader: Reader
    path: Path
    replace: bool
    now: datetime
    changed: Callable[[Collection[ContactId]], object]

    @property
    def what(self) -> str:
        """What is imported, and in what way."""
        return _way("profiles", self.replace)

    @contextmanager
    def open(self) -> Iterator[tuple[Iterator[tuple[int, object]], Callable[..., Sequence[object]]]]:
        """Open the file."""
        with open_json(self.path) as rows:
            yield iter(rows), self._read

    def _read(self, rows: Sequence[tuple[int, object]], tell: Tell) -> list[tuple[int, ContactLine]]:
        taken = []
        for place, (line, row) in enumerate(rows):
            if isinstance(row, Fault):
                tell(Reject(file=str(self.path), line=line, reason=row.reason, fix=row.fix, row=row.row))
                continue
            try:
                taken.append((place, from_json(row)))
            except InvalidInput as problem:
                fault = fault_of(problem)
                shown = row_as_text(row)
                tell(Reject(file=str(self.path), line=line, reason=fault.reason, fix=fault.fix, row=shown))
        return taken

    def write(self, values: Sequence[tuple[int, ContactLine]]) -> Written:
        """Write the contacts and profiles that are not there, or all of them."""
        store = self.reader.store
        ids = [line.contact.id for _, line in values]
        erased = store.erased({*ids, *(key for _, line in values for key in self.reader.keys(line.contact))})
        contacts, profiles = dict(store.get(ids)), dict(store.profiles(ids))
        put: dict[ContactId, Contact] = {}
        save: dict[ContactId, EngagementProfile] = {}
        entries: list[Entry] = []
        refused: dict[int, str] = {}
        new = 0
        for place, line in values:
            contact, profile = line.contact, line.profile
            there = contacts.get(contact.id)
            if any(name in erased for name in (contact.id, *self.reader.keys(contact))):
                refused[place] = _ERASED
                continue
            changed = False
            if there is None or (self.replace and there != contact):
                entries += line.changes() if there is None else self._moved(there, contact)
                contacts[contact.id] = put[contact.id] = contact
                changed = True
            before = profiles.get(contact.id)
            if profile is not None and (before is None or (self.replace and before != profile)):
                profiles[contact.id] = save[contact.id] = profile
                changed = True
            new += changed
        store.put(list(put.values()))
        store.save(list(save.values()))
        store.append(entries, at=self.now)
        self.changed(put.keys() | save.keys())
        return Written(new=new, refused=refused)

    def _moved(self, there: Contact, contact: Contact) -> list[Entry]:
        """Say that an import moved somebody, who must then confirm at the new address."""
        old, key = self.reader.key(there), self.reader.key(contact)
        if old == key:
            return []
        said = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=self.now, source="import")
        return [AddressChanged(subject=Subject(contact_id=contact.id, key=key), old=old, provenance=said)]
