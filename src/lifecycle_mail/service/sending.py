"""Sending: claim, stage, screen what the log gained, unstage, read back, release.

Delivery is at most once. A claim is written before anything leaves, whoever holds a claim is the only one to send it,
and a call whose outcome is unknown leaves the claim `unknown` until `reconcile` asks the ESP. Everybody is screened
again on the way out, from the log as it stands then; where it cannot be read nothing is sent (F12).

For single mails hand-off is the claim's commit: an opt-out that arrives later is in flight. For a campaign that the
ESP sends itself it is the call of `release`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import cast

from attrs import field, frozen

from lifecycle_mail.errors import CampaignRefused, EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.entries import Record
from lifecycle_mail.model.events import EngagementEvent, EventKind, Purpose
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Cap, Screened, Withheld, gates
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.planning import Plan, PlanRow, put_ranks, screen_row
from lifecycle_mail.policy.segments import ranks_needed
from lifecycle_mail.ports import (
    LARGEST_CHUNK,
    OPEN_STATES,
    SPENT_STATES,
    Capability,
    ClaimState,
    Content,
    Esp,
    SendsCampaigns,
    SendsMails,
)
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import take_events

LEASE = timedelta(minutes=15)
"""How long a worker that died keeps a campaign from the others."""
READS = 6
"""How often the staged are read back before those that do not show are given up."""


@frozen(kw_only=True)
class SendReport:
    """What a send did.

    Attributes:
        campaign: which.
        sent: how many mails were handed off by this call.
        withheld: who was sendable when planned and is not any more, by reason.
        refused: whom the ESP refused for good, with its error.
        unknown: whose outcome is unknown: `reconcile` asks again.
        returned: how many were not handed off and may be sent by another call.
        problem: why the send stopped early, or None.
    """

    campaign: CampaignKey
    sent: int = 0
    withheld: Counter[str] = field(factory=Counter)
    refused: Mapping[ContactId, EspError] = field(factory=dict)
    unknown: int = 0
    returned: int = 0
    problem: EspError | None = None

    def __str__(self) -> str:
        parts = [f"sent {self.sent}"]
        parts += [f"withheld since the plan {count} {reason}" for reason, count in sorted(self.withheld.items())]
        parts += [
            f"{name} {count}" for name, count in (("refused", len(self.refused)), ("unknown", self.unknown)) if count
        ]
        parts += [f"not handed off {self.returned}"] if self.returned else []
        return f"{self.campaign}: " + ", ".join(parts) + (f"; stopped: {self.problem}" if self.problem else "")


def spent(claims: Mapping[ContactId, object]) -> set[ContactId]:
    """Return to whom a campaign was handed off, or may have been."""
    return {one for one, claim in claims.items() if getattr(claim, "state", None) in SPENT_STATES}


class Sender:
    """Sends one plan.

    Args:
        reader: of the store.
        esp: where mails go.
        cap: the policy's cap.
        now: the instant of sending, aware UTC.
        worker: a name that no other worker has.
        wait: called between reads that must wait for the ESP, with the number of the read; sleeps outside tests.
    """

    def __init__(
        self, reader: Reader, esp: Esp, *, cap: Cap | None, now: datetime, worker: str, wait: Callable[[int], None]
    ) -> None:
        self.reader = reader
        self.store = reader.store
        self.esp = esp
        self.cap = cap
        self.now = now
        self.worker = worker
        self.wait = wait
        self.withheld: Counter[str] = Counter()
        self.refused: dict[ContactId, EspError] = {}

    def send(self, plan: Plan, *, content: Content | None) -> SendReport:
        """Send a plan; see `Lifecycle.send`."""
        self.campaign = plan.campaign
        self.table = gates(plan.campaign, cap=self.cap)
        self.ranks = _ranks(plan)
        can = self.esp.capabilities
        if not can & {Capability.CAMPAIGNS, Capability.SINGLE_MAILS}:
            raise CampaignRefused(f"{self.esp.name} can send neither campaigns nor single mails")
        if not self.store.begin(plan.campaign.key, self.worker, at=self.now, until=self.now + LEASE):
            raise CampaignRefused(
                f"campaign {plan.campaign.key!r} is being sent by another worker: call again when it is done"
            )
        try:
            ids = [recipient.contact_id for recipient in plan.recipients]
            if Capability.CAMPAIGNS in can:
                return self._send_campaign(cast(SendsCampaigns, self.esp), ids, content)
            return self._send_mails(cast(SendsMails, self.esp), ids, content)
        finally:
            self.store.finish(plan.campaign.key, self.worker)

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
            else:
                self.withheld[row.decision.outcome] += 1
        return passing

    # -- mails one by one

    def _send_mails(self, esp: SendsMails, ids: list[ContactId], content: Content | None) -> SendReport:
        key = self.campaign.key
        sent: list[ContactId] = []
        unknown = 0
        problem: EspError | None = None
        self._settle_open(key, ClaimState.UNKNOWN)  # an interrupted run may have sent them
        already = spent(self.store.claims(key))
        for contact_id in ids:
            with self.store.transaction():
                passing = self._passing([contact_id], already)
                free = self.store.claim(passing, at=self.now)
            if not free:
                self.withheld[Withheld.ALREADY_SENT] += len(passing)  # another worker was faster (F19)
                continue
            state = ClaimState.HANDED_OFF
            try:
                esp.send(passing[0], content=content)
            except OutcomeUnknown:
                state, unknown = ClaimState.UNKNOWN, unknown + 1
            except EspUnavailable as error:
                state, problem = ClaimState.RETURNED, error
            except EspError as error:
                state = ClaimState.REFUSED
                self.refused[contact_id] = error
            self.store.settle(key, [contact_id], state, at=self.now)
            if state is ClaimState.HANDED_OFF:
                sent.append(contact_id)
                self._record_sent([contact_id])
            if problem is not None:
                break
        return self._report(sent=len(sent), unknown=unknown, returned=1 if problem else 0, problem=problem)

    # -- a campaign that the ESP sends itself

    def _send_campaign(self, esp: SendsCampaigns, ids: list[ContactId], content: Content | None) -> SendReport:
        key = self.campaign.key
        if esp.released(key):
            # Released, and the answer or the worker was lost: what was staged has left.
            gone = self._settle_open(key, ClaimState.HANDED_OFF)
            self._record_sent(gone)
            fresh = set(ids) - set(self.store.claims(key))
            if fresh:
                raise CampaignRefused(
                    f"campaign {key!r} was released before: make a new campaign for {len(fresh)} more"
                )
            return self._report(sent=len(gone))
        problem, position = self._stage(esp, ids, content)
        expected = self._delta(esp, self._open(key), position)
        expected, mismatch = self._read_back(esp, expected)
        problem = problem or mismatch
        if not expected:
            return self._report(returned=self._return_open(key), problem=problem)
        try:
            esp.release(key)
        except OutcomeUnknown as error:
            self.store.settle(key, expected, ClaimState.UNKNOWN, at=self.now)
            return self._report(unknown=len(expected), problem=error)
        except EspError as error:
            return self._report(returned=len(expected), problem=error)  # still staged: the next call goes on
        self.store.settle(key, expected, ClaimState.HANDED_OFF, at=self.now)
        self._record_sent(expected)
        return self._report(sent=len(expected), returned=self._return_open(key), problem=problem)

    def _stage(self, esp: SendsCampaigns, ids: list[ContactId], content: Content | None) -> tuple[EspError | None, int]:
        key = self.campaign.key
        # What a run that died had claimed is claimed anew; what it had staged is screened again from its position.
        left = self.store.claims(key)
        self.store.settle(
            key, {o for o, c in left.items() if c.state is ClaimState.CLAIMED}, ClaimState.RETURNED, at=self.now
        )
        first = min([self.store.position(), *(c.position for c in left.values() if c.state is ClaimState.STAGED)])
        for chunk in chunks(ids, LARGEST_CHUNK):
            with self.store.transaction():
                passing = self._passing(chunk, spent(self.store.claims(key)))
                free = self.store.claim(passing, at=self.now)
            mine = [one for one in passing if one.contact_id in free]
            if not mine:
                continue
            try:
                handled = esp.stage(key, mine, content=content)
            except OutcomeUnknown:
                continue  # staging is not hand-off: reading back tells who is in
            except EspError as error:
                self.store.settle(key, free, ClaimState.RETURNED, at=self.now)
                return error, first
            self.refused.update(handled.refused)
            self.store.settle(key, handled.refused.keys(), ClaimState.REFUSED, at=self.now)
            self.store.settle(key, handled.accepted, ClaimState.STAGED, at=self.now)
        return None, first

    def _delta(self, esp: SendsCampaigns, staged: set[ContactId], position: int) -> set[ContactId]:
        """Screen again whom the log has spoken of since `position`, until it says nothing new (F17)."""
        key = self.campaign.key
        while True:
            news = list(self.store.records(after=position))
            if not news:
                return staged
            position = news[-1].seq
            touched = self._touched(news, staged)
            kept = {one.contact_id for one in self._passing(touched, ())}
            gone = touched - kept
            if gone:
                esp.unstage(key, gone)
                self.store.settle(key, gone, ClaimState.RETURNED, at=self.now)
                staged = staged - gone

    def _touched(self, news: Iterable[Record], staged: set[ContactId]) -> set[ContactId]:
        subjects = [record.entry.subject for record in news]
        ids = {subject.contact_id for subject in subjects}
        keys = {subject.key for subject in subjects if subject.key is not None}
        contacts = self.store.get(staged) if keys else {}
        return {one for one in staged if one in ids or (one in contacts and self.reader.key(contacts[one]) in keys)}

    def _read_back(self, esp: SendsCampaigns, expected: set[ContactId]) -> tuple[set[ContactId], EspError | None]:
        """Compare whom the ESP would mail with whom we mean; then screen once more what has come since."""
        key = self.campaign.key
        for attempt in range(1, READS + 1):
            position = self.store.position()
            found = set(esp.staged(key))
            if found == expected:
                left = self._delta(esp, expected, position)
                if left == expected:
                    return expected, None
                expected = left
            elif found - expected:
                esp.unstage(key, found - expected)
            if attempt < READS:
                self.wait(attempt)
        missing = expected - found
        if missing:  # perhaps only late to show: taken out, so that nobody counts on them either way
            esp.unstage(key, missing)
            self.store.settle(key, missing, ClaimState.RETURNED, at=self.now)
        if set(esp.staged(key)) - (expected - missing):
            problem = EspUnavailable(
                esp=esp.name,
                operation="read back",
                body="others are staged than were screened",
                fix="nothing was released: send again",
            )
            return set(), problem
        return self._delta(esp, expected - missing, position), None

    # -- claims and reports

    def _open(self, key: CampaignKey) -> set[ContactId]:
        return {one for one, claim in self.store.claims(key).items() if claim.state in OPEN_STATES}

    def _settle_open(self, key: CampaignKey, state: ClaimState) -> set[ContactId]:
        found = self._open(key)
        self.store.settle(key, found, state, at=self.now)
        return found

    def _return_open(self, key: CampaignKey) -> int:
        return len(self._settle_open(key, ClaimState.RETURNED))

    def _record_sent(self, ids: Collection[ContactId]) -> None:
        take_events(self.store, sent_events(self.campaign, ids, at=self.now, source=self.esp.name))

    def _report(
        self, *, sent: int = 0, unknown: int = 0, returned: int = 0, problem: EspError | None = None
    ) -> SendReport:
        return SendReport(
            campaign=self.campaign.key, sent=sent, withheld=self.withheld, refused=self.refused,
            unknown=unknown, returned=returned, problem=problem,
        )  # fmt: skip


def _ranks(plan: Plan) -> dict[ContactId, dict[str, object]]:
    """Return the ranks a plan rests on: who is among the top N was decided over its audience, and stays."""
    names = ranks_needed(target.where for target in plan.campaign.to)
    if not names:
        return {}
    audience = [Facts(row.subject) for row in plan.rows]
    put_ranks(audience, plan.campaign)
    return {facts.subject.contact.id: {name: facts[name] for name in names} for facts in audience}


def sent_events(campaign: Campaign, ids: Iterable[ContactId], *, at: datetime, source: str) -> list[EngagementEvent]:
    """Return the events that record a hand-off."""
    return [
        EngagementEvent(
            contact_id=one, kind=EventKind.SENT, at=at, mail=f"{campaign.key}:{one}", campaign=campaign.key,
            purpose=campaign.purpose if campaign.marketing else Purpose.TRANSACTIONAL, source=source,
        )
        for one in sorted(ids)
    ]  # fmt: skip
