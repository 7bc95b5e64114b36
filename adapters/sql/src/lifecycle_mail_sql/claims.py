"""Leases and claims in tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import CLOCKS_APART, INBOX_TAKEN, LARGEST_CHUNK, Claim, ClaimState
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.parts import Part
from lifecycle_mail_sql.texts import checksum, plain, reads, stored, twin, verified

_COLUMNS = ("campaign", "person", "state", "leaves_list", "inbox", "position", "at", "opted_out_at")
_ROW = [schema.claims.c[name] for name in (*_COLUMNS, "crc")]


class ClaimsPart(Part):
    """`ports.Leases` and `ports.Claims`."""

    def _prepare(self) -> None:
        super()._prepare()
        claims, people, keys, among = schema.claims.c, schema.people.c, schema.match_keys.c, self.dialect.among
        self.__lease = select(schema.leases).where(schema.leases.c.work == bindparam("work"))
        self.__take_lease = self.dialect.replace(schema.leases)
        self.__end_lease = delete(schema.leases).where(
            schema.leases.c.work == bindparam("work"), schema.leases.c.worker == bindparam("worker")
        )
        named = (
            select(people.name, keys.name, *_ROW)
            .select_from(schema.claims)
            .join(schema.people, people.no == claims.person)
            .join(schema.match_keys, keys.no == claims.inbox)
        )
        self.__of_campaign = named.where(claims.campaign == bindparam("campaign"))
        self.__of_contact = named.where(among(people.name, "names"))
        self.__of_some = self.__of_campaign.where(among(claims.person, "people"))
        self.__at_inboxes = select(*_ROW).where(
            claims.campaign == bindparam("campaign"), among(claims.inbox, "inboxes")
        )
        self.__write = self.dialect.replace(schema.claims)

    # -- leases

    def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
        """Take work for one worker."""
        now, work, worker = to_micros(at), stored(work), stored(worker)
        with self.db.writing() as tx:
            held = tx.execute(self.__lease, {"work": work}).one_or_none()
            # One that was taken by a clock that was ahead is none (F64).
            stands = held is not None and held.until > now and held.at <= to_micros(at + CLOCKS_APART)
            if held is not None and stands and held.worker != worker:
                return False
            tx.execute(self.__take_lease, {"work": work, "worker": worker, "at": now, "until": to_micros(until)})
        return True

    def holds(self, work: str, worker: str) -> bool:
        """Whether this worker has the work still."""
        with self.db.reading() as tx:
            held = tx.execute(self.__lease, {"work": stored(work)}).one_or_none()
        return held is not None and held.worker == stored(worker)

    def finish(self, work: str, worker: str) -> None:
        """Give the work back."""
        with self.db.writing() as tx:
            tx.execute(self.__end_lease, {"work": stored(work), "worker": stored(worker)})

    # -- claims

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        """Claim a chunk and return those that were free."""
        if len(recipients) > LARGEST_CHUNK:
            raise CampaignRefused(f"{len(recipients)} recipients in one claim: at most {LARGEST_CHUNK}")
        free: set[ContactId] = set()
        with self.db.writing() as tx:
            for campaign in dict.fromkeys(one.campaign for one in recipients):
                mine = [one for one in recipients if one.campaign == campaign]
                free |= self._claim(tx, campaign, mine, to_micros(at))
        return free

    def _claim(self, tx: Connection, campaign: CampaignKey, recipients: Sequence[Screened], at: int) -> set[ContactId]:
        people = [one.contact_id for one in recipients]
        numbers = self.names.number(tx, people, [one.address.identity for one in recipients])
        many = self.dialect.many
        held: dict[int, str] = {}
        taken: dict[int, set[int]] = {}
        # Whoever is known by hashes as well has a number for each of them.
        mine = {no for one in people for no in numbers.people[one]}
        found: Sequence[Any] = tx.execute(self.__of_some, {"campaign": campaign, "people": many(mine)}).all()
        every = [no for inboxes in numbers.keys.values() for no in inboxes]
        rows = [row[2:] for row in found]
        rows += tx.execute(self.__at_inboxes, {"campaign": campaign, "inboxes": many(every)}).all()
        for row in rows:
            _check(row)
            held[row[1]] = row[2]
            if row[2] != ClaimState.RETURNED:
                taken.setdefault(row[4], set()).add(row[1])
        free: dict[ContactId, dict[str, Any]] = {}
        for one in recipients:
            theirs, inboxes = numbers.people[one.contact_id], numbers.keys[one.address.identity]
            person, inbox = next((no for no in theirs if no in held), theirs[0]), inboxes[0]
            if one.contact_id in free or any(held.get(no, ClaimState.RETURNED) != ClaimState.RETURNED for no in theirs):
                continue
            there = {other for no in inboxes for other in taken.get(no, ())}
            if one.leaves_list is not None and there.difference(theirs):  # marketing: one mail an inbox
                continue
            taken.setdefault(inbox, set()).add(person)
            free[one.contact_id] = _row(
                (campaign, person, ClaimState.CLAIMED.value, one.leaves_list, inbox, one.position, at, None)
            )
        if free:
            tx.execute(self.__write, list(free.values()))
        return set(free)

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        """Move claims to a state."""
        if not contact_ids:
            return
        with self.db.writing() as tx:
            rows = self._rows(tx, campaign, contact_ids)
            if state is not ClaimState.RETURNED:
                self._require_free(tx, campaign, [row[2:] for row in rows])
            changed = [(*row[2:4], state.value, *row[5:8], to_micros(at), row[9]) for row in rows]
            tx.execute(self.__write, [_row(values) for values in changed])

    def _require_free(self, tx: Connection, campaign: CampaignKey, rows: Sequence[Any]) -> None:
        """Refuse to take up claims that were returned, where the inbox of one is another's meanwhile (F19)."""
        back = [row for row in rows if row[2] == ClaimState.RETURNED and row[3] is not None]
        if not back:
            return
        asked = {"campaign": campaign, "inboxes": self.dialect.many({row[4] for row in back})}
        there = tx.execute(self.__at_inboxes, asked).all()
        taken = [row[4] for row in there if row[2] != ClaimState.RETURNED and row[3] is not None]
        taken += [row[4] for row in back]
        if len(taken) != len(set(taken)):
            raise CampaignRefused(INBOX_TAKEN)

    def claims(self, campaign: CampaignKey, of: Collection[ContactId] | None = None) -> Mapping[ContactId, Claim]:
        """Return every claim of a campaign, or those of some contacts."""
        with self.db.reading() as tx:
            if of is None:
                found = map(_claim, tx.execute(self.__of_campaign, {"campaign": campaign}).all())
                return {claim.contact_id: claim for claim in found}
            whose = {no: one for one, theirs in self.names.find(tx, of).people.items() for no in theirs}
            asked = {"campaign": campaign, "people": self.dialect.many(whose)}
            return {ContactId(whose[row[3]]): _claim(row) for row in tx.execute(self.__of_some, asked).all()}

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        """Return every claim of a contact, oldest first."""
        with self.db.reading() as tx:
            # Of who was erased, the claims may stand under either form of the hash.
            names = {stored(contact_id), twin(contact_id)} if is_hashed(contact_id) else {stored(contact_id)}
            rows = tx.execute(self.__of_contact, {"names": self.dialect.many(names)}).all()
        found = list(map(_claim, rows))
        return sorted(found, key=lambda claim: (claim.at, claim.campaign))

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        """Note that the person said no after hand-off."""
        said = to_micros(opted_out_at)
        with self.db.writing() as tx:
            for campaign in campaigns:
                (row,) = self._rows(tx, campaign, [contact_id])
                if row[9] is None or said < row[9]:
                    tx.execute(self.__write, _row((*row[2:9], said)))

    def _rows(self, tx: Connection, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> Sequence[Any]:
        """Read the claims of these contacts, who may have been erased since they were claimed.

        Raises:
            KeyError: there is no claim of somebody.
        """
        people = self.names.find(tx, contact_ids).people
        numbers = {no for found in people.values() for no in found}
        rows = tx.execute(self.__of_some, {"campaign": campaign, "people": self.dialect.many(numbers)}).all()
        for row in rows:
            _check(row[2:])
        there = {row[3] for row in rows}
        for one in contact_ids:
            if there.isdisjoint(people.get(one, ())):
                raise KeyError(one)
        return rows


def _row(values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip((*_COLUMNS, "crc"), (*values, checksum(values)), strict=True))


def _check(row: Any) -> None:
    verified(row[:8], row[8], f"a claim of campaign {row[0]}")


@reads("a claim")
def _claim(row: Any) -> Claim:
    name, inbox, *values = row
    _check(tuple(values))
    campaign, _, state, leaves_list, _, position, at, opted_out_at, _ = values
    return Claim(
        campaign=CampaignKey(campaign),
        contact_id=ContactId(plain(name)),
        state=ClaimState(state),
        leaves_list=None if leaves_list is None else ListKey(leaves_list),
        address=plain(inbox),
        position=position,
        at=from_micros(at),
        opted_out_at=None if opted_out_at is None else from_micros(opted_out_at),
    )
