"""What both ways of sending share: the lease, the screen on the way out, claims, and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar, TypeVar

from lifecycle_mail.errors import CampaignRefused, EspError, LifecycleMailError, RegistryDamaged
from lifecycle_mail.mails import PersonalReply
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened, Withheld, gates
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.planning import Plan, PlanRow, put_ranks, screen_row
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import ranks_needed
from lifecycle_mail.ports import LARGEST_CHUNK, OPEN_STATES, Claim, ClaimState, Content, Esp
from lifecycle_mail.service.handoff import SendReport, sent_events
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import take_events
from lifecycle_mail.service.retrying import again, in_transaction
from lifecycle_mail.service.sending.news import News
from lifecycle_mail.service.sending.writing import Writer

T = TypeVar("T")


class Worker:
    """Sends one plan.

    Args:
        plan: what is sent.
        reader: of the store.
        esp: where mails go.
        policy: the policy in force.
        now: the instant of sending, aware UTC.
        ticks: counts the seconds that it takes.
        wait: called between reads that must wait for the ESP, and between tries of a transaction while the store is
            busy, with the number of the read or try; sleeps outside tests.
        receive: takes what the ESP says of people when it refuses them (F27).
    """

    chunk: ClassVar[int] = LARGEST_CHUNK

    def __init__(
        self, plan: Plan, *, reader: Reader, esp: Esp, policy: Policy, now: datetime, ticks: Callable[[], float],
        wait: Callable[[int], None], receive: Callable[[Sequence[Statement]], object],
    ) -> None:  # fmt: skip
        self.campaign = plan.campaign
        self.ids = [recipient.contact_id for recipient in plan.recipients]
        self.doubted = [row.contact_id for row in plan.rows if row.decision.outcome == Withheld.ALREADY_SENT]
        self.table = gates(plan.campaign, cap=policy.cap, rest=policy.rest)
        self.ranks = _ranks(plan)
        self.reader = reader
        self.store = reader.store
        self.esp = esp
        self.now = now
        self.wait = wait
        self.receive = receive
        self.lease = Lease(self.store, plan.campaign.key, clock=Clock(now, ticks), wait=wait)
        self.news = News(reader)
        self.withheld: dict[ContactId, str] = {}
        self.refused: dict[ContactId, EspError] = {}
        self.unwritten: dict[ContactId, LifecycleMailError] = {}
        self.replies: dict[ContactId, PersonalReply] = {}

    @property
    def key(self) -> CampaignKey:
        """The campaign's key."""
        return self.campaign.key

    def send(self, content: Content | Writer | None) -> SendReport:
        """Send the plan while the campaign is ours."""
        self.require(self.lease.take())
        try:
            return self.hand_over(content)
        except EspError as error:  # it could not be asked or told who is staged: nothing has left
            return self.report(problem=error)
        finally:
            self.lease.give_back()

    def hand_over(self, content: Content | Writer | None) -> SendReport:
        """Hand the mails over, in the way of the ESP."""
        raise NotImplementedError

    def require(self, held: bool) -> None:
        """Go on only while the campaign is ours; what is claimed and has not left is then the other's to settle."""
        if not held:
            raise CampaignRefused(f"campaign {self.key!r} is being sent by another worker: call again when it is done")

    def once(self, work: Callable[[], T]) -> T:
        """Do something in one transaction."""
        return in_transaction(self.store, work, wait=self.wait)

    def read(self, work: Callable[[], T]) -> T:
        """Read something from the store."""
        return again(work, wait=self.wait)

    # -- screening again

    def screen(self, ids: Collection[ContactId], already_sent: Collection[ContactId]) -> list[PlanRow]:
        """Screen people from the log as it is."""
        position = self.store.position()
        rows = []
        for subject in self.reader.some_subjects(ids, now=self.now):
            facts = Facts(subject)
            facts.update(self.ranks.get(subject.contact.id, {}))
            rows.append(screen_row(facts, self.campaign, self.table, position=position, already_sent=already_sent))
        return rows

    def passing(self, ids: Collection[ContactId], already_sent: Collection[ContactId]) -> list[Screened]:
        """Return who may still be mailed, and note of the others why not."""
        passing = []
        for row in self.screen(ids, already_sent):
            if row.recipient is not None:
                passing.append(row.recipient)
                self.withheld.pop(row.contact_id, None)  # in a try that came to nothing
            else:
                self.withheld[row.contact_id] = row.decision.outcome
        return passing

    # -- claims

    def claims(self, ids: Collection[ContactId]) -> dict[ContactId, Claim]:
        """Return the claims of these contacts."""
        return {
            one: claim
            for some in chunks(ids, LARGEST_CHUNK)
            for one, claim in self.store.claims(self.key, some).items()
        }

    def settle(self, ids: Collection[ContactId], state: ClaimState) -> None:
        """Settle claims that are still open: what a faster worker has handed off meanwhile stays so (F19)."""

        def settle() -> None:
            still = {one for one, claim in self.claims(ids).items() if claim.state in OPEN_STATES}
            self.store.settle(self.key, still, state, at=self.now)

        self.once(settle)

    def left(self, ids: Collection[ContactId], state: ClaimState, *, after: int | None) -> None:
        """Settle what has left, or may have, as handed off or unknown, with what follows from it, a chunk at a time.

        A hand-off is counted as sent. Whose no was recorded after they were screened was too late for this mail, which
        is noted in the same transaction: a worker that dies afterwards owes nothing (F18). Who is left over where one
        dies in between is open, of a campaign that was released or a mail that may have left: the next call goes on.

        Args:
            ids: whose mails.
            state: `HANDED_OFF` or `UNKNOWN`.
            after: the position of the log up to which they were screened; None where each claim says so.
        """
        for some in chunks(ids, LARGEST_CHUNK):
            self.once(partial(self._left, some, state, after))

    def _left(self, ids: Collection[ContactId], state: ClaimState, after: int | None) -> None:
        claims = self.claims(ids)
        if len(claims) < len(ids):
            raise RegistryDamaged(f"claims of {self.key} are gone: restore a backup, then sweep")
        if state is ClaimState.HANDED_OFF:
            mine = {one for one, claim in claims.items() if claim.state is not ClaimState.HANDED_OFF}
            sent = sent_events(self.campaign, mine, at=self.now, source=self.esp.name)
            take_events(self.store, sent, now=self.now)
        else:
            mine = {one for one, claim in claims.items() if claim.state in OPEN_STATES}
        self.store.settle(self.key, mine, state, at=self.now)
        self.mark_in_flight(claims, after=after)

    def mark_in_flight(self, claims: Mapping[ContactId, Claim], *, after: int | None) -> None:
        """Note whose no was recorded after they were screened, too late for this mail (F18)."""
        since = min(claim.position for claim in claims.values()) if after is None else after
        noes = [record for record in self.store.records(after=since) if isinstance(record.entry, OptOut)]
        about = self.news.about(noes, claims.keys())
        for record in noes:
            assert isinstance(record.entry, OptOut)  # noqa: S101 - filtered above
            for one in sorted(about[record.seq]):
                leaves, screened = claims[one].leaves_list, claims[one].position if after is None else after
                if leaves is not None and record.seq > screened and record.entry.scope.covers(leaves):
                    self.store.mark_in_flight(one, [self.key], opted_out_at=record.entry.provenance.at)

    # -- the report

    def note_taken(self, recipients: Iterable[Screened]) -> None:
        """Account for those whom another worker claimed first (F19)."""
        self.withheld.update((one.contact_id, Withheld.ALREADY_SENT) for one in recipients)

    def report(
        self, *, sent: Collection[ContactId] = (), unknown: Collection[ContactId] = (), problem: EspError | None = None
    ) -> SendReport:
        """Account for everybody in the plan."""
        planned = set(self.ids)
        left = {*sent, *unknown}
        withheld = {one: why for one, why in self.withheld.items() if one not in left}
        return SendReport(
            campaign=self.key, sent=len(planned & set(sent)), withheld=Counter(withheld.values()),
            refused=self.refused, unknown=len(planned & set(unknown)), others=len(left - planned),
            returned=len(planned - left - withheld.keys() - self.refused.keys()), unwritten=self.unwritten,
            replies=self.replies, problem=problem,
        )  # fmt: skip


def _ranks(plan: Plan) -> dict[ContactId, dict[str, object]]:
    """Return the ranks a plan rests on: who is among the top N was decided over its audience, and stays."""
    names = ranks_needed(target.where for target in plan.campaign.to)
    if not names:
        return {}
    audience = [Facts(row.subject) for row in plan.rows]
    put_ranks(audience, plan.campaign)
    return {facts.subject.contact.id: {name: facts[name] for name in names} for facts in audience}
