"""Events, profiles, and counts by day in tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from attrs import evolve
from sqlalchemy import Connection, bindparam, select

from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.profiles import EngagementProfile, Mail, Snapshot, marks_of
from lifecycle_mail.model.providers import provider_of
from lifecycle_mail.ports import Tally
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.parts import Part
from lifecycle_mail_sql.texts import checksum, plain, reads, stored, verified

_EVENT = ("id", "person", "at", "kind", "mail", "campaign", "link", "evidence", "purpose", "source", "provider")
_DAY = ("day", "campaign", "provider", "mark")


class EngagementPart(Part):
    """`ports.Engagement`."""

    def _prepare(self) -> None:
        super()._prepare()
        events, people, profiles, daily = schema.events.c, schema.people.c, schema.profiles.c, schema.daily.c
        among = self.dialect.among
        whole = [people.name, *(events[name] for name in _EVENT)]
        self.__seen = select(events.id).where(among(events.id, "ids"))
        # Without those of who was removed, of which the id alone is left.
        told = select(*whole).join(schema.people, people.no == events.person).where(events.kind != "")
        self.__events_of = told.where(people.name == bindparam("name"))
        self.__events_by_id = told.where(among(events.id, "ids"))
        self.__judge = (
            schema.events.update().where(events.id == bindparam("event")).values(evidence=bindparam("judged"))
        )
        self.__domains = select(schema.contacts.c.person, schema.contacts.c.domain).where(
            among(schema.contacts.c.person, "people")
        )
        counted = self.dialect.insert(schema.daily)
        self.__counted = counted.on_conflict_do_update(
            index_elements=list(_DAY), set_={"count": daily.count + counted.excluded["count"]}
        )
        self.__mails = (
            select(people.name, events.mail)
            .distinct()
            .join(schema.people, people.no == events.person)
            .where(among(people.name, "names"), among(events.mail, "mails"), events.kind != "")
        )
        self.__tally = (
            select(*(daily[name] for name in _DAY), daily.count)
            .where(daily.day >= bindparam("since"), daily.count != 0)
            .order_by(*(daily[name] for name in _DAY))
        )
        self.__profiles = (
            select(people.name, profiles.person, profiles.body, profiles.crc)
            .join(schema.profiles, profiles.person == people.no)
            .where(among(people.name, "names"))
        )
        self.__save = self.dialect.replace(schema.profiles)
        self.__quarantine = self.dialect.new(schema.quarantine)
        self.__quarantined = (
            select(people.name, schema.quarantine.c.body)
            .join(schema.people, people.no == schema.quarantine.c.person)
            .order_by(schema.quarantine.c.id)
        )

    # -- the door

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        """Keep the events whose ids were never seen, and count them by day."""
        if not events:
            return []
        with self.db.writing() as tx:
            new = {stored(event.id): event for event in reversed(events)}
            new = {key: new[key] for key in dict.fromkeys(stored(event.id) for event in events)}
            for key in self._known(tx, new):
                new.pop(key, None)
            numbers = self.names.number(tx, dict.fromkeys(event.contact_id for event in new.values()))
            new = {key: event for key, event in new.items() if event.contact_id not in numbers.erased}
            if not new:
                return []
            people = {event.contact_id: numbers.people[event.contact_id][0] for event in new.values()}
            domains = {
                row[0]: row[1] for row in tx.execute(self.__domains, {"people": self.dialect.many(people.values())})
            }
            rows = []
            for key, event in new.items():
                person = people[event.contact_id]
                rows.append(_event_row(key, event, person, provider_of(domains.get(person) or "")))
            tx.execute(schema.events.insert(), rows)
            self._count_days(tx, [(event, row["provider"], 1) for event, row in zip(new.values(), rows, strict=True)])
        return list(new.values())

    def _known(self, tx: Connection, ids: Collection[str]) -> set[str]:
        """Return those ids that were seen, also where an erasure left only a hash of them."""
        known = set(tx.execute(self.__seen, {"ids": self.dialect.many(ids)}).scalars())
        used = self.names.used(tx)
        if used:
            forms = self.names.forms(ids, used)
            known.update(forms[one] for one in tx.execute(self.__seen, {"ids": self.dialect.many(forms)}).scalars())
        return known

    def _count_days(self, tx: Connection, counted: Sequence[tuple[EngagementEvent, str, int]]) -> None:
        days: Counter[tuple[str, str, str, str]] = Counter()
        for event, provider, times in counted:
            for mark in marks_of(event):
                days[event.at.date().isoformat(), stored(event.campaign), provider, mark] += times
        rows = [
            dict(zip((*_DAY, "count"), (*place, times), strict=True)) for place, times in sorted(days.items()) if times
        ]
        if rows:
            tx.execute(self.__counted, rows)

    def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
        """Return all events of a contact."""
        with self.db.reading() as tx:
            return [_event(row) for row in tx.execute(self.__events_of, {"name": stored(contact_id)}).all()]

    def unseen(self, mails: Mapping[ContactId, Collection[str]]) -> Mapping[ContactId, Collection[str]]:
        """Return which of these mails no event speaks of."""
        every = {stored(mail) for theirs in mails.values() for mail in theirs}
        with self.db.reading() as tx:
            parameters = {"names": self.dialect.many(map(stored, mails)), "mails": self.dialect.many(every)}
            seen = {(plain(name), plain(mail)) for name, mail in tx.execute(self.__mails, parameters).all()}
        return {one: {mail for mail in theirs if (one, mail) not in seen} for one, theirs in mails.items()}

    def reclassify(self, evidence: Mapping[EntryId, Evidence]) -> Collection[ContactId]:
        """Note who really did what these events tell; return whose must be recounted."""
        judged = {stored(one): found for one, found in evidence.items()}
        with self.db.writing() as tx:
            rows = tx.execute(self.__events_by_id, {"ids": self.dialect.many(judged)}).all()
            changed = [(row, _event(row)) for row in rows if row[8] != judged[row[1]].value]
            if not changed:
                return set()
            counted: list[tuple[EngagementEvent, str, int]] = []
            for row, event in changed:
                after = evolve(event, evidence=judged[row[1]])
                counted += [(event, row[11], -1), (after, row[11], 1)]
            tx.execute(self.__judge, [{"event": row[1], "judged": judged[row[1]].value} for row, _ in changed])
            self._count_days(tx, counted)
        return {event.contact_id for _, event in changed}

    def tally(self, *, since: date | None = None) -> Iterator[Tally]:
        """Yield the counts by day, campaign, provider and mark."""
        with self.db.reading() as tx:
            rows = tx.execute(self.__tally, {"since": "" if since is None else since.isoformat()}).all()
        return iter(sorted(map(_tally, rows), key=lambda one: (one.day, one.campaign, one.provider, one.mark)))

    # -- profiles

    def profiles(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, EngagementProfile]:
        """Return the profiles that exist."""
        if not contact_ids:
            return {}
        with self.db.reading() as tx:
            rows = tx.execute(self.__profiles, {"names": self.dialect.many(map(stored, contact_ids))}).all()
        return {ContactId(plain(row[0])): _profile(*row) for row in rows}

    def save(self, profiles: Sequence[EngagementProfile]) -> None:
        """Write profiles, new or changed."""
        latest = {profile.contact_id: profile for profile in profiles}
        if not latest:
            return
        with self.db.writing() as tx:
            numbers = self.names.number(tx, latest)
            rows = []
            for one, profile in latest.items():
                if one not in numbers.erased:
                    row = (numbers.people[one][0], _profile_body(profile))
                    rows.append({"person": row[0], "body": row[1], "crc": checksum(row)})
            if rows:
                tx.execute(self.__save, rows)

    # -- the future

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        """Set aside events from the future."""
        if not events:
            return
        with self.db.writing() as tx:
            numbers = self.names.number(tx, dict.fromkeys(event.contact_id for event in events))
            rows = [
                {
                    "id": stored(event.id),
                    "person": numbers.people[event.contact_id][0],
                    "body": json.dumps(_event_row(event.id, event, 0, "")),
                    "set_aside_at": to_micros(at),
                }
                for event in events
                if event.contact_id not in numbers.erased
            ]
            if rows:
                tx.execute(self.__quarantine, rows)

    def quarantined(self) -> Sequence[EngagementEvent]:
        """Return the events that were set aside."""
        with self.db.reading() as tx:
            rows = tx.execute(self.__quarantined).all()
        return [_quarantined(name, body) for name, body in rows]


# --- events and profiles as rows, and back ----------------------------------------------------------------------------


def _event_row(key: str, event: EngagementEvent, person: int, provider: str) -> dict[str, Any]:
    values = (
        key, person, to_micros(event.at), event.kind.value, stored(event.mail), stored(event.campaign),
        stored(event.link), event.evidence.value, event.purpose.value, stored(event.source), provider,
    )  # fmt: skip
    return dict(zip(_EVENT, values, strict=True))


@reads("an event")
def _event(row: Any) -> EngagementEvent:
    name, key, _, at, kind, mail, campaign, link, evidence, purpose, source, _ = row
    return EngagementEvent(
        contact_id=ContactId(plain(name)), kind=EventKind(kind), at=from_micros(at), mail=plain(mail),
        campaign=plain(campaign), link=plain(link), evidence=Evidence(evidence), purpose=Purpose(purpose),
        source=plain(source), id=EntryId(plain(key)),
    )  # fmt: skip


@reads("an event in quarantine")
def _quarantined(name: str, body: str) -> EngagementEvent:
    found = json.loads(body)
    return _event((name, *(found[column] for column in _EVENT)))


@reads("a count by day")
def _tally(row: Any) -> Tally:
    day, campaign, provider, mark, count = row
    return Tally(day=date.fromisoformat(day), campaign=plain(campaign), provider=provider, mark=mark, count=count)


_INSTANTS = ("taken_at", "last_open", "last_click", "last_sent", "first_sent")
_NUMBERS = ("mails", "mails_30d", "unopened_streak", "opened_share")


def _profile_body(profile: EngagementProfile) -> str:
    body: dict[str, Any] = {
        "window": profile.window,
        "until": profile.folded_until,
        "first": dict(profile.first),
        "last": dict(profile.last),
        "months": {month: dict(counts) for month, counts in profile.months.items()},
        "mails": [[m.at, m.id, m.purpose, m.opened, m.clicked, m.machine, m.failed] for m in profile.mails],
    }
    counted = profile.baseline
    if counted is not None:
        instants = {name: getattr(counted, name) for name in _INSTANTS}
        numbers = {name: getattr(counted, name) for name in _NUMBERS}
        body["baseline"] = {
            **{name: to_micros(at) for name, at in instants.items() if at is not None},
            **{name: number for name, number in numbers.items() if number is not None},
        }
    return json.dumps(body)


@reads("a profile")
def _profile(name: str, person: int, text: str, crc: int) -> EngagementProfile:
    verified((person, text), crc, f"the profile of contact {plain(name)}")
    body = json.loads(text)
    counted = body.get("baseline")
    return EngagementProfile(
        contact_id=ContactId(plain(name)),
        window=body["window"],
        mails=tuple(Mail(m[0], m[1], Purpose(m[2]), *m[3:]) for m in body["mails"]),
        first=body["first"],
        last=body["last"],
        months=body["months"],
        folded_until=body["until"],
        baseline=None if counted is None else _snapshot(counted),
    )


def _snapshot(counted: Mapping[str, Any]) -> Snapshot:
    values = {name: counted[name] for name in _NUMBERS if name in counted}
    values.update((name, from_micros(counted[name])) for name in _INSTANTS if name in counted)
    return Snapshot(**values)
