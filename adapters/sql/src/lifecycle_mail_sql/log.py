"""The consent log in tables.

Writers take turns, so the next number of the log is one more than the latest, without gaps, in the order of commits:
who has read up to a position misses nothing by reading on from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal, select, union_all

from lifecycle_mail.errors import RegistryDamaged
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import Entry, Record, old_key
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import pepper_of
from lifecycle_mail.model.redaction import cited_by, redacted, renamed
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.beside import Beside
from lifecycle_mail_sql.entries import COLUMNS, check_row, entry_of, evidence_row, row_of, said_by, tell
from lifecycle_mail_sql.marks import MarksPart
from lifecycle_mail_sql.names import Numbers
from lifecycle_mail_sql.parts import PAGE
from lifecycle_mail_sql.rekeying import forms_of, rekeyed
from lifecycle_mail_sql.schema import Word
from lifecycle_mail_sql.texts import plain, stored

_LOG = [schema.log.c[name] for name in COLUMNS]
_OLD = schema.match_keys.alias("old_keys")
READ = select(
    *_LOG, schema.log.c.crc, schema.evidence.c.crc, schema.evidence.c.event_id, schema.evidence.c.text,
    schema.evidence.c.evidence, schema.people.c.name, schema.match_keys.c.name, _OLD.c.name,
).select_from(
    schema.log.outerjoin(schema.evidence, schema.evidence.c.seq == schema.log.c.seq)
    .outerjoin(schema.people, schema.people.c.no == schema.log.c.person)
    .outerjoin(schema.match_keys, schema.match_keys.c.no == schema.log.c.key)
    .outerjoin(_OLD, _OLD.c.no == schema.log.c.old)
)  # fmt: skip
"""Rows as `entry_of` takes them."""
LOG_ROW = (*COLUMNS, "crc")
EVIDENCE_ROW = ("seq", "event_id", "text", "evidence", "crc")


class LogPart(MarksPart):
    """`ports.ConsentLog`."""

    def _prepare(self) -> None:
        super()._prepare()
        log, among = schema.log.c, self.dialect.among
        self.__beside = Beside(self.dialect)
        self.__last = select(func.coalesce(func.max(log.seq), 0))
        moments = schema.moments.c
        self.__last_at = select(func.coalesce(func.max(moments.seq), 0)).where(moments.recorded_at <= bindparam("at"))
        self.__held = select(log.entry_id, log.person, log.key).where(among(log.entry_id, "ids"))
        last_too = select(literal("", Word), func.coalesce(func.max(log.seq), 0), literal(0))
        self.__held_and_last = union_all(self.__held, last_too)
        self.__page = (
            READ.where(log.seq > bindparam("after"), log.seq <= bindparam("until")).order_by(log.seq).limit(PAGE)
        )
        self.__by_entry = READ.where(log.entry_id == bindparam("id")).order_by(log.seq).limit(1)
        self.__of_people = READ.where(among(log.person, "people"), log.person > schema.NONE)
        self.__of_keys = READ.where(among(log.key, "keys"), log.key > schema.NONE)

    # -- writing

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        """Write what the log does not hold yet."""
        if not entries:
            return []
        with self.db.writing() as tx:
            return self._append(tx, entries, at)

    def _append(self, tx: Connection, entries: Sequence[Entry], at: datetime) -> list[Record]:
        people, keys = _names_in(entries)
        numbers = self.names.number(tx, people, keys)

        def numbered(entry: Entry) -> tuple[str, int, int]:
            subject = entry.subject
            person = 0 if subject.contact_id is None else numbers.people[subject.contact_id][0]
            return entry.id, person, 0 if subject.key is None else numbers.keys[subject.key][0]

        new: dict[tuple[str, int, int], Entry] = {}
        for entry in self._readied(tx, entries, numbers) if numbers.erased else entries:
            new.setdefault(numbered(entry), entry)
        last = 0
        for entry_id, number, key in tx.execute(
            self.__held_and_last, {"ids": self.dialect.many({one[0] for one in new})}
        ):
            if entry_id:
                new.pop((entry_id, number, key), None)
            else:
                last = number
        if not new:
            return []
        recorded = to_micros(at)
        recorded_at = from_micros(recorded)
        rows, proofs, records = [], [], []
        said: dict[int, tuple[int | str | None, ...]] = {}  # of a list nearly all rows share a few
        for seq, ((_, person, key), entry) in enumerate(new.items(), last + 1):
            told, by = tell(entry), id(entry.provenance)
            if by not in said:
                said[by] = said_by(entry.provenance)
            old = 0 if told.old is None else numbers.keys[told.old][0]
            rows.append(
                row_of(entry, seq=seq, recorded_at=recorded, person=person, key=key, old=old, told=told, said=said[by])
            )
            proof = evidence_row(seq, told)
            if proof is not None:
                proofs.append(proof)
            records.append(Record(seq, recorded_at, entry))
        self.dialect.insert_many(tx, schema.log, LOG_ROW, rows)
        if proofs:
            self.dialect.insert_many(tx, schema.evidence, EVIDENCE_ROW, proofs)
        self.__beside.grow(tx, after=last, kinds={str(row[2]) for row in rows}, people=any(row[4] for row in rows))
        return records

    def _readied(self, tx: Connection, entries: Sequence[Entry], numbers: Numbers) -> Iterator[Entry]:
        """Yield entries as they may be kept, where some of them name people who were erased.

        Those are redacted, and passed over where they were in the log before the erasure. What they cite is cited
        under the id that it now has.
        """
        for known in (numbers.people, numbers.keys):
            known.update({form: known[name] for name, form in numbers.erased.items() if name in known})
        peppers = self.names.peppers
        ids = {one for entry in entries for cited in (entry.id, *cited_by(entry)) for one in forms_of(peppers, cited)}
        held: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for row in tx.execute(self.__held, {"ids": self.dialect.many(ids)}):
            held[row[0]].add((row[1], row[2]))
        for entry in entries:
            named = {entry.subject.contact_id, entry.subject.key, old_key(entry)} - {None}
            names: dict[str, str] = {str(name): numbers.erased[name] for name in named if name in numbers.erased}
            if not names:
                yield entry
                continue
            subject = entry.subject
            people = (0,) if subject.contact_id is None else numbers.people[subject.contact_id]
            places = set(product(people, (0,) if subject.key is None else numbers.keys[subject.key]))
            if all(places.isdisjoint(held[form]) for form in forms_of(peppers, entry.id)):
                yield redacted(entry, names, self._new_ids(entry, pepper_of(min(names.values())), held))

    def _new_ids(self, entry: Entry, pepper: str, held: Mapping[str, object]) -> Callable[[EntryId], EntryId]:
        peppers = self.names.peppers

        def new_id(one: EntryId) -> EntryId:
            keyed = rekeyed(peppers, one, pepper)
            if one == entry.id:
                return keyed
            return next((form for form in forms_of(peppers, one) if held.get(form)), keyed)

        return new_id

    # -- reading

    def position(self) -> int:
        """Return the sequence number of the latest record."""
        with self.db.reading() as tx:
            return int(tx.execute(self.__last).scalar_one())

    def position_at(self, instant: datetime) -> int:
        """Return the last record recorded at or before an instant."""
        with self.db.reading() as tx:
            return int(tx.execute(self.__last_at, {"at": to_micros(instant)}).scalar_one())

    def records(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield records in order, a page at a time."""
        until = self.position() if until is None else until
        while after < until:
            with self.db.reading() as tx:
                rows = tx.execute(self.__page, {"after": after, "until": until}).all()
                made = list(map(_record, rows))
            if not made:
                return
            for record in made:
                if record.seq != after + 1:
                    raise RegistryDamaged(f"record {after + 1} of the log is missing: restore a backup, then sweep")
                after = record.seq
                yield record

    def record(self, entry_id: EntryId) -> Record | None:
        """Find a record by the id of its entry."""
        with self.db.reading() as tx:
            row = tx.execute(self.__by_entry, {"id": stored(entry_id)}).one_or_none()
        return None if row is None else _record(row)

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        """Return every entry about each contact, former addresses included."""
        if not whom:
            return {}
        with self.db.reading() as tx:
            return self._about(tx, whom, until)

    def _about(
        self, tx: Connection, whom: Mapping[ContactId, Collection[MatchKey]], until: int | None
    ) -> dict[ContactId, list[Entry]]:
        asked = {key for keys in whom.values() for key in keys}
        numbers = self.names.find(tx, whom, asked)
        many = self.dialect.many
        rows: dict[int, Any] = {}
        of_person: dict[int, list[int]] = defaultdict(list)
        people = [no for found in numbers.people.values() for no in found]
        if people:
            for row in tx.execute(self.__of_people, {"people": many(people)}):
                rows[row[0]] = row
                of_person[row[4]].append(row[0])
        moves, former = self._moves(rows.values())
        if numbers.hashes and former:  # what was told of a former address under its hash follows the person as well
            found_former = self.names.find(tx, (), set().union(*former.values())).keys
            for no, names in former.items():
                moves[no].update(one for name in names for one in found_former.get(name, ()))
        keys = {no for found in numbers.keys.values() for no in found}.union(*moves.values())
        of_key: dict[int, list[int]] = defaultdict(list)
        if keys:
            for row in tx.execute(self.__of_keys, {"keys": many(keys)}):
                rows[row[0]] = row
                of_key[row[5]].append(row[0])
        entries: dict[int, Entry] = {}
        answer: dict[ContactId, list[Entry]] = {}
        last = float("inf") if until is None else until
        for contact_id, theirs in whom.items():
            own = numbers.people.get(contact_id, ())
            named = {no for key in theirs for no in numbers.keys.get(key, ())}
            found = {seq for no in own for seq in of_person.get(no, ())}
            for no in named.union(*(moves.get(one, set()) for one in own)):
                found.update(of_key.get(no, ()))
            mine = []
            for seq in sorted(found):
                if seq > last:
                    break
                if seq not in entries:
                    entries[seq] = entry_of(rows[seq])
                mine.append(entries[seq])
            if numbers.hashes:
                mine = self._as_asked(mine, contact_id, {*theirs, *(key for no in own for key in former.get(no, ()))})
            answer[contact_id] = mine
        return answer

    @staticmethod
    def _moves(rows: Collection[Any]) -> tuple[dict[int, set[int]], dict[int, set[str]]]:
        """Return the keys that each person moved from or to: their numbers, and the names of those."""
        found: dict[int, set[int]] = defaultdict(set)
        names: dict[int, set[str]] = defaultdict(set)
        for row in rows:
            if row[2] == "address":
                check_row(row)
                found[row[4]] |= {*row[5:7]} - {0}
                names[row[4]].update(plain(name) for name in row[22:24] if name is not None)
        return found, names

    def _as_asked(self, entries: list[Entry], contact_id: ContactId, keys: Collection[str]) -> list[Entry]:
        """Return entries that were found by a hash under the name that was asked for."""
        names: dict[str, str] = {form: name for name in (contact_id, *keys) for form in self.names.peppers.forms(name)}
        if not names:
            return entries
        return [
            renamed(entry, names)
            if entry.subject.contact_id in names or entry.subject.key in names
            or old_key(entry) in names
            else entry
            for entry in entries
        ]  # fmt: skip


def _record(row: Any) -> Record:
    entry = entry_of(row)  # which checks the row first
    return Record(row[0], from_micros(row[1]), entry)


def _names_in(entries: Sequence[Entry]) -> tuple[dict[str, None], dict[str, None]]:
    """Return the contact ids and match keys that entries name, in order."""
    people: dict[str, None] = {}
    keys: dict[str, None] = {}
    for entry in entries:
        subject = entry.subject
        if subject.contact_id is not None:
            people[subject.contact_id] = None
        if subject.key is not None:
            keys[subject.key] = None
        old = old_key(entry)
        if old is not None:
            keys[old] = None
    return people, keys
