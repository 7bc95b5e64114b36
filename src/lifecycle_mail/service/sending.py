"""Sending: claim, stage, screen what the log gained, unstage, read back, release.

Delivery is at most once. A claim is written before anything leaves, whoever holds a claim is the only one to send it,
and a call whose outcome is unknown leaves the claim `unknown` until `reconcile` asks the ESP. Everybody is screened
again on the way out, from the log as it stands then; where it cannot be read nothing is sent (F12).

For single mails hand-off is the claim's commit: an opt-out that arrives later is in flight. For a campaign that the
ESP sends itself it is the call of `release`.

A worker holds the campaign by a lease, which it prolongs as it goes on; once another has it, nothing more leaves
(F19). Each transaction is tried again while the store is busy (F15, F21). Where a claim was written and the answer
lost, the next try finds it, and the mail is sent: nothing has left between the two. Where all tries fail the mail is
not sent: it stays claimed, is unknown to the next call, and then reconciled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar, cast

from lifecycle_mail.errors import CampaignRefused, EspError, EspUnavailable, OutcomeUnknown, RegistryDamaged
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import AddressChanged, OptOut, Record
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.redaction import names_a_hash
from lifecycle_mail.policy.eligibility import Screened, Withheld, gates
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.planning import Plan, PlanRow, put_ranks, screen_row
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import ranks_needed
from lifecycle_mail.ports import (
    LARGEST_CHUNK,
    OPEN_STATES,
    Capability,
    ClaimState,
    Content,
    Esp,
    SendsCampaigns,
    SendsMails,
)
from lifecycle_mail.service.handoff import SendReport, leaves_whole, sent_events, spent
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import take_events
from lifecycle_mail.service.retrying import again, in_transaction

T = TypeVar("T")

READS = 6
"""How often the staged are read back before those that do not show are given up."""


class Sender:
    """Sends one plan.

    Args:
        reader: of the store.
        esp: where mails go.
        policy: the policy in force.
        now: the instant of sending, aware UTC.
        ticks: counts the seconds that it takes.
        wait: called between reads that must wait for the ESP, and between tries of a transaction while the store is
            busy, with the number of the read or try; sleeps outside tests.
    """

    def __init__(
        self, reader: Reader, esp: Esp, *, policy: Policy, now: datetime, ticks: Callable[[], float],
        wait: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.reader = reader
        self.store = reader.store
        self.esp = esp
        self.policy = policy
        self.now = now
        self.clock = Clock(now, ticks)
        self.wait = wait
        self.withheld: dict[ContactId, str] = {}
        self.refused: dict[ContactId, EspError] = {}
        self.seen = 0  # up to which record of the log the staged were screened
        self.bound: defaultdict[MatchKey | None, set[ContactId]] = defaultdict(set)
        self.keyed: set[ContactId] = set()

    def send(self, plan: Plan, *, content: Content | None) -> SendReport:
        """Send a plan; see `Lifecycle.send`."""
        self.campaign = plan.campaign
        self.table = gates(plan.campaign, cap=self.policy.cap, rest=self.policy.rest)
        self.ranks = _ranks(plan)
        can = self.esp.capabilities
        if not can & {Capability.CAMPAIGNS, Capability.SINGLE_MAILS}:
            raise CampaignRefused(f"{self.esp.name} can send neither campaigns nor single mails")
        self.lease = Lease(self.store, plan.campaign.key, clock=self.clock, wait=self.wait)
        self._require(self.lease.take())
        self.ids = [recipient.contact_id for recipient in plan.recipients]
        try:
            if leaves_whole(self.esp, plan.campaign):
                return self._send_campaign(cast(SendsCampaigns, self.esp), self.ids, content)
            return self._send_mails(cast(SendsMails, self.esp), self.ids, content)
        except EspError as error:  # it could not be asked or told who is staged: nothing has left
            return self._report(problem=error)
        finally:
            self.lease.give_back()

    def _require(self, held: bool) -> None:
        """Go on only while the campaign is ours; what is claimed and has not left is then the other's to settle."""
        if not held:
            raise CampaignRefused(
                f"campaign {self.campaign.key!r} is being sent by another worker: call again when it is done"
            )

    def _once(self, work: Callable[[], T]) -> T:
        return in_transaction(self.store, work, wait=self.wait)

    def _read(self, work: Callable[[], T]) -> T:
        return again(work, wait=self.wait)

    # -- screening again

    def _screen(self, ids: Collection[ContactId], already_sent: Collection[ContactId]) -> list[PlanRow]:
        position = self.store.position()
        rows = []
        for subject in self.reader.some_subjects(ids, now=self.now):
            facts = Facts(subject)
            facts.update(self.ranks.get(subject.contact.id, {}))
            rows.append(screen_row(facts, self.campaign, self.table, position=position, already_sent=already_sent))
        return rows

    def _passing(self, ids: Collection[ContactId], already_sent: Collection[ContactId]) -> list[Screened]:
        passing = []
        for row in self._screen(ids, already_sent):
            if row.recipient is not None:
                passing.append(row.recipient)
                self.withheld.pop(row.contact_id, None)  # in a try that came to nothing
            else:
                self.withheld[row.contact_id] = row.decision.outcome
        return passing

    # -- mails one by one

    def _send_mails(self, esp: SendsMails, ids: list[ContactId], content: Content | None) -> SendReport:
        key = self.campaign.key
        sent: set[ContactId] = set()
        unknown: set[ContactId] = set()
        problem: EspError | None = None
        self._doubt_open(key)
        already = spent(self._read(lambda: self.store.claims(key)))
        for contact_id in ids:
            self._require(self.lease.keep())
            passing, free = self._claim_one(contact_id, already)
            if not free:
                self._note_taken(passing)
                continue
            state = ClaimState.HANDED_OFF
            try:
                esp.send(passing[0], content=content)
            except OutcomeUnknown:
                state = ClaimState.UNKNOWN
                unknown.add(contact_id)
            except EspUnavailable as error:
                state, problem = ClaimState.RETURNED, error
            except EspError as error:
                state = ClaimState.REFUSED
                self.refused[contact_id] = error
            if state is ClaimState.HANDED_OFF:
                self._hand_off([contact_id])
                sent.add(contact_id)
            else:
                self._settle([contact_id], state)
            if state in (ClaimState.HANDED_OFF, ClaimState.UNKNOWN):
                self._note_in_flight({contact_id}, after=passing[0].position)
            if problem is not None:
                break
        return self._report(sent=sent, unknown=unknown, problem=problem)

    def _claim_one(
        self, contact_id: ContactId, already: Collection[ContactId]
    ) -> tuple[list[Screened], set[ContactId]]:
        tried: list[Screened] = []

        def claim() -> tuple[list[Screened], set[ContactId]]:
            passing = self._passing([contact_id], already)
            ours = bool(tried) and self._is_ours(contact_id)
            tried.extend(passing)
            if ours and passing:
                return passing, {contact_id}
            if ours:  # withheld since
                self.store.settle(self.campaign.key, [contact_id], ClaimState.RETURNED, at=self.now)
            return passing, set(self.store.claim(passing, at=self.now))

        passing, free = self._once(claim)
        if len(tried) > 1:  # the tries took their time
            self._require(self.lease.keep())
        return passing, free

    def _is_ours(self, contact_id: ContactId) -> bool:
        """Whether a try of ours whose answer was lost has claimed somebody: nothing has left for them yet."""
        claim = self.store.claims(self.campaign.key, [contact_id]).get(contact_id)
        return claim is not None and (claim.state, claim.at) == (ClaimState.CLAIMED, self.now)

    def _doubt_open(self, key: CampaignKey) -> None:
        """What an interrupted run had claimed it may have sent: it is unknown, and in flight against a later no."""

        def doubt() -> None:
            before = self.store.claims(key)
            doubted = self._open(key)
            self.store.settle(key, doubted, ClaimState.UNKNOWN, at=self.now)
            if doubted:
                self._mark_in_flight(doubted, after=min(before[one].position for one in doubted))

        self._once(doubt)

    # -- a campaign that the ESP sends itself

    def _send_campaign(self, esp: SendsCampaigns, ids: list[ContactId], content: Content | None) -> SendReport:
        key = self.campaign.key
        if esp.released(key):
            return self._finish_released(ids)
        problem = self._stage(esp, ids, content)
        if problem is not None:  # releasing a part would shut out the rest: what is staged waits for the next call
            return self._report(problem=problem)
        expected, problem = self._read_back(esp, self._delta(esp, self._read(lambda: self._open(key))))
        if not expected:
            self._settle_open(key, ClaimState.RETURNED)
            return self._report(problem=problem)
        self._settle_unsent(expected)
        try:
            esp.release(key)
        except OutcomeUnknown as error:
            self._settle(expected, ClaimState.UNKNOWN)
            self._note_in_flight(expected, after=self.seen)
            return self._report(unknown=expected, problem=error)
        except EspError as error:
            return self._report(problem=error)  # still staged: the next call goes on
        self._hand_off(expected)
        self._note_in_flight(expected, after=self.seen)
        return self._report(sent=expected)

    def _settle_unsent(self, staged: set[ContactId]) -> None:
        """Settle what an earlier call of release left unknown: whoever is not staged now was not mailed (F22)."""
        key = self.campaign.key
        claims = self._read(lambda: self.store.claims(key))
        unsent = {one for one, claim in claims.items() if claim.state is ClaimState.UNKNOWN} - staged
        if unsent:
            self._once(lambda: self.store.settle(key, unsent, ClaimState.RETURNED, at=self.now))

    def _finish_released(self, ids: list[ContactId]) -> SendReport:
        """Released, and the answer or the worker was lost: what was staged has left."""
        key = self.campaign.key
        before = self._read(lambda: self.store.claims(key))
        gone = {one for one, claim in before.items() if claim.state in OPEN_STATES}
        self._hand_off(gone)
        self._note_in_flight(gone, after=min((before[one].position for one in gone), default=0))
        rest = [one for one in ids if one not in gone]
        more = self._read(lambda: self._passing(rest, spent(self.store.claims(key))))
        if more:
            raise CampaignRefused(f"campaign {key!r} was released before: make a new campaign for {len(more)} more")
        return self._report(sent=gone)

    def _stage(self, esp: SendsCampaigns, ids: list[ContactId], content: Content | None) -> EspError | None:
        key = self.campaign.key
        left = self._read(lambda: self.store.claims(key))
        # What a run that died had claimed may be staged or not, and what the ESP shows may be the past. So it is taken
        # out, which the ESP acknowledges, and claimed anew.
        self._take_out(esp, {one for one, claim in left.items() if claim.state is ClaimState.CLAIMED})
        # What it had staged is screened again from its position.
        staged = {one: claim.position for one, claim in left.items() if claim.state is ClaimState.STAGED}
        self.seen = min([self._read(self.store.position), *staged.values()])
        passed: set[ContactId] = set()
        for chunk in chunks(ids, LARGEST_CHUNK):
            self._require(self.lease.take())
            passing, free = self._claim_chunk(chunk)
            passed.update(one.contact_id for one in passing)
            self._note_taken(one for one in passing if one.contact_id not in free and one.contact_id not in staged)
            mine = [one for one in passing if one.contact_id in free]
            if not mine:
                continue
            try:
                handled = esp.stage(key, mine, content=content)
            except OutcomeUnknown:
                continue  # staging is not hand-off: reading back tells who is in
            except EspError as error:
                self._settle(free, ClaimState.RETURNED)
                return error
            self.refused.update(handled.refused)
            self._settle(handled.refused.keys(), ClaimState.REFUSED)
            self._settle(handled.accepted, ClaimState.STAGED)
        # Staged by an earlier call, and since then out of the plan or withheld by what is in no log: a field, a cap.
        self._take_out(esp, staged.keys() - passed)
        return None

    def _claim_chunk(self, chunk: list[ContactId]) -> tuple[list[Screened], set[ContactId]]:
        tried: set[ContactId] = set()

        def claim() -> tuple[list[Screened], set[ContactId]]:
            claims = self.store.claims(self.campaign.key, chunk)
            # Written by a try whose answer was lost. Nothing of theirs was staged, and staging is no hand-off.
            mine = {one for one in tried if one in claims and claims[one].state is ClaimState.CLAIMED}
            passing = self._passing(chunk, spent(claims))
            tried.update(one.contact_id for one in passing)
            return passing, mine.union(self.store.claim(passing, at=self.now))

        return self._once(claim)

    def _take_out(self, esp: SendsCampaigns, gone: Collection[ContactId]) -> None:
        if gone:
            self._settle(gone, ClaimState.CLAIMED)  # perhaps staged, until the ESP has answered
            esp.unstage(self.campaign.key, gone)
            self._settle(gone, ClaimState.RETURNED)

    def _delta(self, esp: SendsCampaigns, staged: set[ContactId]) -> set[ContactId]:
        """Screen again whom the log has spoken of since they were screened, until it says nothing new (F17)."""
        while True:
            news = self._read(lambda: list(self.store.records(after=self.seen)))
            if not news:
                return staged
            self.seen = news[-1].seq
            gone = self._read(partial(self._gone, news, staged))
            self._take_out(esp, gone)
            staged = staged - gone

    def _gone(self, news: Sequence[Record], staged: set[ContactId]) -> set[ContactId]:
        """Return who of the staged may not be mailed any more, or not there, now that the log says more."""
        # Whose address changed is staged under the old one.
        moved = {record.entry.subject.contact_id for record in news if isinstance(record.entry, AddressChanged)}
        touched = self._touched(news, staged)
        if any(names_a_hash(record.entry) for record in news):  # who was erased is named by a hash alone
            erased = self.store.erased(staged)
            touched |= {one for one in staged if one in erased}
        passing = self._passing(touched - moved, ())
        claims = self.store.claims(self.campaign.key, [one.contact_id for one in passing])
        # Who left the list that the link in their mail names is staged with that link, whatever other list they are on.
        return touched - {one.contact_id for one in passing if claims[one.contact_id].leaves_list == one.leaves_list}

    def _touched(self, news: Iterable[Record], among: set[ContactId]) -> set[ContactId]:
        """Return whom of these contacts the news may bind: by id, or by an address they have or used to have."""
        subjects = [record.entry.subject for record in news]
        ids = {subject.contact_id for subject in subjects}
        touched = {one for one in among if one in ids}
        keys = {subject.key for subject in subjects if subject.key is not None}
        if keys:
            self._read_keys(among)
        return touched.union(*(self.bound.get(key, set()) & among for key in keys))

    def _read_keys(self, ids: Iterable[ContactId]) -> None:
        """Read once by which match keys these contacts are bound, former ones included."""
        for chunk in chunks(one for one in ids if one not in self.keyed):
            contacts = self.store.get(chunk)
            about = self.store.about({one: self.reader.keys(contact) for one, contact in contacts.items()})
            for one, entries in about.items():
                keys: set[MatchKey | None] = {self.reader.key(contacts[one])}
                for entry in entries:
                    if isinstance(entry, AddressChanged) and entry.subject.contact_id == one:
                        keys |= {entry.old, entry.subject.key}
                for key in keys:
                    self.bound[key].add(one)
            self.keyed.update(chunk)

    def _read_back(self, esp: SendsCampaigns, expected: set[ContactId]) -> tuple[set[ContactId], EspError | None]:
        """Compare whom the ESP would mail with whom we mean; then screen once more what has come since."""
        key = self.campaign.key
        found: set[ContactId] = set()
        for attempt in range(1, READS + 1):
            found = set(esp.staged(key))
            self._require(self.lease.keep())  # before the log is read for the last time: nothing comes after that
            if found == expected:
                left = self._delta(esp, expected)
                if left == expected:
                    return expected, None
                expected = left
            elif found - expected:
                esp.unstage(key, found - expected)
            if attempt < READS:
                self.wait(attempt)
        # Perhaps only late to show: taken out, so that nobody counts on them either way.
        missing = expected - found
        self._take_out(esp, missing)
        expected = expected & found
        if expected or not missing:
            found = set(esp.staged(key))
            self._require(self.lease.keep())
            if found <= expected == self._delta(esp, expected):
                return expected, None
        problem = EspUnavailable(
            esp=esp.name,
            operation="read back",
            body="it shows others as staged than were screened",
            fix="nothing was released: send again",
        )
        return set(), problem

    # -- claims and reports

    def _open(self, key: CampaignKey) -> set[ContactId]:
        return {one for one, claim in self.store.claims(key).items() if claim.state in OPEN_STATES}

    def _settle_open(self, key: CampaignKey, state: ClaimState) -> None:
        self._once(lambda: self.store.settle(key, self._open(key), state, at=self.now))

    def _states(self, ids: Collection[ContactId]) -> dict[ContactId, ClaimState]:
        key = self.campaign.key
        found = (self.store.claims(key, some) for some in chunks(ids, LARGEST_CHUNK))
        return {one: claim.state for some in found for one, claim in some.items()}

    def _settle(self, ids: Collection[ContactId], state: ClaimState) -> None:
        """Settle claims that are still open: what a faster worker has handed off meanwhile stays so (F19)."""

        def settle() -> None:
            still = {one for one, before in self._states(ids).items() if before in OPEN_STATES}
            self.store.settle(self.campaign.key, still, state, at=self.now)

        self._once(settle)

    def _hand_off(self, ids: Collection[ContactId]) -> None:
        """Settle what has left and count it as sent, once and both or neither."""

        def settle() -> None:
            states = self._states(ids)
            if len(states) < len(ids):
                raise RegistryDamaged(f"claims of {self.campaign.key} are gone: restore a backup, then sweep")
            left = {one for one, before in states.items() if before is not ClaimState.HANDED_OFF}
            self.store.settle(self.campaign.key, left, ClaimState.HANDED_OFF, at=self.now)
            take_events(self.store, sent_events(self.campaign, left, at=self.now, source=self.esp.name), now=self.now)

        self._once(settle)

    def _note_taken(self, recipients: Iterable[Screened]) -> None:
        """Account for those whom another worker claimed first (F19)."""
        self.withheld.update((one.contact_id, Withheld.ALREADY_SENT) for one in recipients)

    def _note_in_flight(self, ids: set[ContactId], *, after: int) -> None:
        """Note whose no was recorded after they were screened, too late for this mail (F18)."""
        if ids:
            self._once(lambda: self._mark_in_flight(ids, after=after))

    def _mark_in_flight(self, ids: set[ContactId], *, after: int) -> None:
        news = [record for record in self.store.records(after=after) if isinstance(record.entry, OptOut)]
        claims = self.store.claims(self.campaign.key) if news else {}
        for record in news:
            assert isinstance(record.entry, OptOut)  # noqa: S101 - filtered above
            for one in self._touched([record], ids):
                leaves = claims[one].leaves_list
                if leaves is not None and record.entry.scope.covers(leaves):
                    self.store.mark_in_flight(one, [self.campaign.key], opted_out_at=record.entry.provenance.at)

    def _report(
        self, *, sent: Collection[ContactId] = (), unknown: Collection[ContactId] = (), problem: EspError | None = None
    ) -> SendReport:
        left = {*sent, *unknown}
        withheld = {one: why for one, why in self.withheld.items() if one not in left}
        return SendReport(
            campaign=self.campaign.key, sent=len(sent), withheld=Counter(withheld.values()), refused=self.refused,
            unknown=len(unknown), returned=len(set(self.ids) - left - withheld.keys() - self.refused.keys()),
            problem=problem,
        )  # fmt: skip


def _ranks(plan: Plan) -> dict[ContactId, dict[str, object]]:
    """Return the ranks a plan rests on: who is among the top N was decided over its audience, and stays."""
    names = ranks_needed(target.where for target in plan.campaign.to)
    if not names:
        return {}
    audience = [Facts(row.subject) for row in plan.rows]
    put_ranks(audience, plan.campaign)
    return {facts.subject.contact.id: {name: facts[name] for name in names} for facts in audience}
