"""Erasing people, and what waits for a person's decision, in tables.

An erasure is the one thing that changes the log. It replaces the names of the person by keyed hashes in the two
tables that hold names, takes words, evidence and event ids away, gives their entries and events keyed ids, and deletes
the rest. What an import wrote under a hash of the same name goes the same way, and every hash of the name that can be
made is kept from then on, so that what an import brings under it later is redacted at the door.

Free space may still hold what was erased: in SQLite, which overwrites what it frees (`secure_delete`), what a page
keeps in its gaps after rows moved to other pages; in Postgres the old rows. Both go when the tables are written anew
(`scrub`). What backups and the write-ahead log of Postgres keep stands in `docs/storage.md`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, bindparam, delete, or_, select, union

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import Entry, Suppression, SuppressionKind
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed, require_whole
from lifecycle_mail.model.redaction import cited_by, mended, redacted
from lifecycle_mail.ports import SetAside
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.answers import AnswersPart
from lifecycle_mail_sql.engagement import EngagementPart
from lifecycle_mail_sql.entries import entry_of, evidence_row, row_of, said_by, tell
from lifecycle_mail_sql.log import EVIDENCE_ROW, LOG_ROW, READ, LogPart
from lifecycle_mail_sql.names import Numbers
from lifecycle_mail_sql.parts import SCRUB
from lifecycle_mail_sql.people import PeoplePart
from lifecycle_mail_sql.rekeying import rekeyed
from lifecycle_mail_sql.texts import plain, reads, stored, twin


class ForgettingPart(LogPart, PeoplePart, EngagementPart, AnswersPart):
    """`ports.Erasure` and `ports.Aside`."""

    def _prepare(self) -> None:
        super()._prepare()
        log, among = schema.log.c, self.dialect.among
        # By union, because no database uses three indexes for one `or` of lists.
        theirs = union(
            *(
                select(log.seq).where(among(column, names), column > schema.NONE)
                for column, names in ((log.person, "people"), (log.key, "keys"), (log.old, "keys"))
            )
        )
        self.__theirs = READ.where(log.seq.in_(theirs)).order_by(log.seq)
        # Whoever cites an entry names its address, or used to have it.
        linked = select(schema.links.c.person).where(among(schema.links.c.key, "keys"))
        near = union(
            select(log.seq).where(among(log.key, "keys"), log.key > schema.NONE),
            select(log.seq).where(log.person.in_(linked), log.person > schema.NONE),
        )
        self.__near = READ.where(log.kind.in_(("consent", "request", "lift", "pushed")), log.seq.in_(near))
        self.__ids_there = select(log.entry_id).where(among(log.entry_id, "ids"))
        self.__unwrite = [delete(table).where(among(table.c.seq, "seqs")) for table in (schema.log, schema.evidence)]
        named = (schema.people, schema.match_keys)
        self.__rename = {
            table: table.update().where(table.c.no == bindparam("number")).values(name=bindparam("form"), erased=1)
            for table in named
        }
        self.__there = {table: select(table.c.name).where(among(table.c.name, "names")) for table in named}
        self.__hide = {table: table.update().where(among(table.c.name, "names")).values(erased=1) for table in named}
        self.__hidden = {
            table: select(table.c.no).where(among(table.c.no, "numbers"), table.c.erased == 1) for table in named
        }
        identity = schema.contacts.c.identity
        person = schema.contacts.c.person
        self.__identities = select(identity).where(among(person, "people"), identity.is_not(None))
        inbox = select(schema.match_keys.c.name).join(schema.claims, schema.claims.c.inbox == schema.match_keys.c.no)
        self.__inboxes = inbox.where(among(schema.claims.c.person, "people")).distinct()
        self.__others = select(identity).where(among(identity, "keys"), ~among(person, "people"))
        # Those of an archived contact among them, who has no events any more.
        self.__event_ids = select(schema.events.c.id).where(among(schema.events.c.person, "people"))
        self.__rekey_event = (
            schema.events.update().where(schema.events.c.id == bindparam("was")).values(id=bindparam("is"))
        )
        tasks = schema.tasks.c
        self.__their_tasks = select(tasks.no).where(or_(among(tasks.person, "people"), among(tasks.entry, "entries")))
        self.__drop_tasks = [
            delete(schema.attempts).where(among(schema.attempts.c.task, "tasks")),
            delete(schema.tasks).where(among(tasks.no, "tasks")),
        ]
        self.__due = self.dialect.new(schema.chores)
        held = schema.aside.c
        self.__drop_aside = delete(schema.aside).where(or_(among(held.person, "people"), among(held.key, "keys")))
        whole = select(schema.people.c.name, schema.match_keys.c.name, held.entry, held.why, held.at).select_from(
            schema.aside.outerjoin(schema.people, schema.people.c.no == held.person).outerjoin(
                schema.match_keys, schema.match_keys.c.no == held.key
            )
        )
        self.__aside = whole.order_by(held.at, held.id)
        self.__some_aside = self.__aside.where(among(held.id, "ids"))
        self.__end_aside = delete(schema.aside).where(among(held.id, "ids"))
        self.__keep_aside = self.dialect.new(schema.aside)

    # -- erasing

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        """Remove everything that was written about a contact or under these keys."""
        with self.db.writing() as tx:
            pepper = self.names.use(tx)
            for name in (contact_id, *keys):
                require_whole(name)
            known = self.names.find(tx, [contact_id])
            people = list(known.people.get(contact_id, ()))
            every = {*keys, *self._own_addresses(tx, people)}
            numbers = self.names.find(tx, [contact_id], every)
            fresh = {
                name: name if is_hashed(name) else str(self.names.peppers.hashed(name, pepper))
                for own, name in ((numbers.own[0], contact_id), *((numbers.own[1], key) for key in sorted(every)))
                if name not in numbers.erased or (name in own and not is_hashed(name))
            }
            # What an import brought under a newer hash since is theirs as well.
            theirs = [no for no in numbers.people.get(contact_id, ()) if no not in numbers.hidden[0]]
            places = [no for name in every for no in numbers.keys.get(name, ()) if no not in numbers.hidden[1]]
            if fresh or theirs or places:
                self._erase(tx, theirs, places, fresh, pepper)
                self._hide(tx, schema.people, {contact_id}, numbers, fresh)
                self._hide(tx, schema.match_keys, every, numbers, fresh)
                tx.execute(self.__due, {"name": f"{SCRUB}:{uuid4().hex}"})
            self.db.afterwards(self.scrub_if_due)

    def _own_addresses(self, tx: Connection, people: Sequence[int]) -> set[str]:
        """Return where the contact is and was mailed, leaving out what another contact uses now."""
        asked = {"people": self.dialect.many(people)}
        found = {
            *tx.execute(self.__identities, asked).scalars(),
            *map(plain, tx.execute(self.__inboxes, asked).scalars().all()),
        }
        others = tx.execute(self.__others, {**asked, "keys": self.dialect.many(found)}).scalars()
        return found - set(others)

    def _erase(
        self, tx: Connection, people: Sequence[int], keys: Sequence[int], fresh: Mapping[str, str], pepper: str
    ) -> None:
        many = self.dialect.many
        asked = {"people": many(people), "keys": many(keys)}
        rows = tx.execute(self.__theirs, asked).all()
        entries = self._redact(tx, rows, fresh, pepper)
        held = tx.execute(self.__event_ids, asked).scalars().all()
        if held:
            forms = {one: self.names.peppers.hashed(plain(one), pepper) for one in held}
            tx.execute(self.__rekey_event, [{"was": one, "is": form} for one, form in forms.items()])
        doomed = tx.execute(self.__their_tasks, {**asked, "entries": many(entries)}).scalars().all()
        for statement in self.__drop_tasks:
            tx.execute(statement, {"tasks": many(doomed)})
        tx.execute(self.__drop_aside, asked)
        self._erase_answers(tx, people)
        self._remove(tx, people)

    def _hide(
        self, tx: Connection, table: Table, names: Collection[str], numbers: Numbers, fresh: Mapping[str, str]
    ) -> None:
        """Rename plain names to their keyed hashes, and keep every hash of a name that can be made as erased."""
        of_keys = table is schema.match_keys
        own, found = numbers.own[of_keys], numbers.keys if of_keys else numbers.people
        forms = dict.fromkeys(self.names.forms(names, self.names.used(tx)))
        forms.update(dict.fromkeys(name for name in names if is_hashed(name)))
        there = set(tx.execute(self.__there[table], {"names": self.dialect.many(forms)}).scalars())
        renamed = []
        for name in sorted(names):
            if name in fresh and name in own and not is_hashed(name):
                form = fresh[name]
                renamed.append({"number": found[name][0], "form": twin(form) if form in there else form})
                there.add(form)
        if renamed:
            tx.execute(self.__rename[table], renamed)
        tx.execute(self.__hide[table], {"names": self.dialect.many(there)})
        missing = sorted(forms.keys() - there)
        if missing:
            last = tx.execute(self.names.ends).one()[of_keys]
            rows = [{"no": last + place, "name": form, "erased": 1} for place, form in enumerate(missing, 1)]
            tx.execute(table.insert(), rows)

    def _redact(self, tx: Connection, rows: Sequence[Any], fresh: Mapping[str, str], pepper: str) -> list[str]:
        """Write anew what stays of these records, mend what cites them, and return the ids that are gone."""
        # What names somebody who was erased before was redacted then.
        hidden = [
            set(tx.execute(self.__hidden[table], {"numbers": self.dialect.many(numbers)}).scalars())
            for table, numbers in (
                (schema.people, {row[4] for row in rows}),
                (schema.match_keys, {no for row in rows for no in row[5:7]}),
            )
        ]
        entries = {row[0]: entry_of(row) for row in rows}
        mine = {
            row[0]: entries[row[0]]
            for row in rows
            if row[4] not in hidden[0] and hidden[1].isdisjoint(row[5:7])
        }  # fmt: skip
        ids = {entry.id: rekeyed(self.names.peppers, entry.id, pepper) for entry in mine.values()}
        cited = {one for entry in mine.values() for one in cited_by(entry)} - ids.keys()
        there = self._ids_there(tx, cited)

        def new_id(one: EntryId) -> EntryId:
            # The id of another's entry stays. One that is in no log could be made by trying addresses, and goes.
            return ids.get(one) or (one if one in there else rekeyed(self.names.peppers, one, pepper))

        self._write_anew(tx, {seq: redacted(entry, fresh, new_id) for seq, entry in mine.items()}, rows)
        left = self._ids_there(tx, ids)
        gone = {one: new for one, new in ids.items() if one not in left}
        near = tx.execute(self.__near, {"keys": self.dialect.many({row[5] for row in rows} - {0})}).all()
        citing = {row[0]: entry_of(row) for row in near}
        citing = {seq: mended(one, gone) for seq, one in citing.items() if not gone.keys().isdisjoint(cited_by(one))}
        self._write_anew(tx, citing, near)
        return list(gone)

    def _ids_there(self, tx: Connection, ids: Collection[EntryId]) -> set[str]:
        return set(tx.execute(self.__ids_there, {"ids": self.dialect.many(ids)}).scalars())

    def _write_anew(self, tx: Connection, entries: Mapping[int, Entry], rows: Sequence[Any]) -> None:
        """Put other entries in the places of records that were read."""
        if not entries:
            return
        kept, proofs = [], []
        for row in rows:
            seq, recorded_at, _, _, person, key, old = row[:7]
            if seq not in entries:
                continue
            entry, told = entries[seq], tell(entries[seq])
            said = said_by(entry.provenance)
            kept.append(
                row_of(entry, seq=seq, recorded_at=recorded_at, person=person, key=key, old=old, told=told, said=said)
            )
            proof = evidence_row(seq, told)
            if proof is not None:
                proofs.append(proof)
        for statement in self.__unwrite:
            tx.execute(statement, {"seqs": self.dialect.many(entries)})
        self.dialect.insert_many(tx, schema.log, LOG_ROW, kept)
        if proofs:
            self.dialect.insert_many(tx, schema.evidence, EVIDENCE_ROW, proofs)

    def erased(self, names: Collection[str]) -> Collection[str]:
        """Return which of these contact ids and match keys were erased."""
        if not names:
            return set()
        with self.db.reading() as tx:
            return set(self.names.find(tx, names, names).erased)

    # -- what waits for a decision

    def set_aside(self, entries: Sequence[SetAside]) -> None:
        """Keep suppressions out of the log until a person decides."""
        if not entries:
            return
        with self.db.writing() as tx:
            subjects = [one.entry.subject for one in entries]
            people = {subject.contact_id for subject in subjects if subject.contact_id is not None}
            numbers = self.names.number(tx, people, {subject.key for subject in subjects if subject.key is not None})
            rows = []
            for one, subject in zip(entries, subjects, strict=True):
                if subject.contact_id in numbers.erased or subject.key in numbers.erased:
                    continue
                rows.append(
                    {
                        "id": one.entry.id,
                        "person": 0 if subject.contact_id is None else numbers.people[subject.contact_id][0],
                        "key": 0 if subject.key is None else numbers.keys[subject.key][0],
                        "entry": json.dumps(_suppression_body(one.entry)),
                        "why": stored(one.why),
                        "at": to_micros(one.at),
                    }
                )
            if rows:
                tx.execute(self.__keep_aside, rows)

    def aside(self) -> Sequence[SetAside]:
        """Return all that wait."""
        with self.db.reading() as tx:
            return [_set_aside(row) for row in tx.execute(self.__aside).all()]

    def take_back(self, entry_ids: Collection[EntryId]) -> Sequence[SetAside]:
        """Stop keeping these, and return them."""
        with self.db.writing() as tx:
            asked = {"ids": self.dialect.many(entry_ids)}
            found = [_set_aside(row) for row in tx.execute(self.__some_aside, asked).all()]
            tx.execute(self.__end_aside, asked)
        return found


def _suppression_body(entry: Suppression) -> dict[str, Any]:
    said = entry.provenance
    return {
        "kind": entry.kind,
        "event_id": entry.event_id,
        "until": None if entry.until is None else to_micros(entry.until),
        "at": to_micros(said.at),
        "said": {
            name: getattr(said, name)
            for name in ("actor", "through", "source", "campaign", "segment", "reason", "text", "evidence")
        },
    }


@reads("what is set aside")
def _set_aside(row: Any) -> SetAside:
    from lifecycle_mail.model.entries import Subject
    from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through

    person, key, text, why, at = row
    body = json.loads(text)
    said = body["said"]
    provenance = Provenance(
        at=from_micros(body["at"]),
        actor=Actor(said.pop("actor")),
        through=Through(said.pop("through")),
        reason=None if said["reason"] is None else OptOutReason(said["reason"]),
        **{name: value for name, value in said.items() if name != "reason"},
    )
    entry = Suppression(
        subject=Subject(
            contact_id=None if person is None else ContactId(plain(person)),
            key=None if key is None else MatchKey(plain(key)),
        ),
        kind=SuppressionKind(body["kind"]),
        event_id=body["event_id"],
        provenance=provenance,
        until=None if body["until"] is None else from_micros(body["until"]),
    )
    return SetAside(entry=entry, why=plain(why), at=from_micros(at))
