"""Leases and claims in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from attrs import evolve, frozen

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.memory.base import Base
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import CLOCKS_APART, INBOX_TAKEN, LARGEST_CHUNK, Claim, ClaimState


@frozen
class Hold:
    """Who has something, since when and until when."""

    worker: str
    at: datetime
    until: datetime

    def keeps_out(self, worker: str, at: datetime) -> bool:
        """Whether another worker has to wait; not for one whose clock was ahead (F64)."""
        return self.worker != worker and self.until > at and self.at <= at + CLOCKS_APART


class Claiming(Base):
    """The ports `Leases` and `Claims`."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        self._leases: dict[str, Hold] = {}
        self._claims: dict[CampaignKey, dict[ContactId, Claim]] = defaultdict(dict)
        # Who ever claimed at an address; their claims say whether they still do, so nothing added here is undone.
        self._inboxes: dict[tuple[CampaignKey, str], set[ContactId]] = defaultdict(set)

    def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
        """Take work for one worker."""
        with self._lock:
            self._enter("begin")
            held = self._leases.get(work)
            if held is not None and held.keeps_out(worker, at):
                return False
            self._set(self._leases, work, Hold(worker, at, until))
            return True

    def holds(self, work: str, worker: str) -> bool:
        """Whether this worker has the work still."""
        with self._lock:
            self._enter("holds")
            held = self._leases.get(work)
            return held is not None and held.worker == worker

    def finish(self, work: str, worker: str) -> None:
        """Give the work back."""
        with self._lock:
            self._enter("finish")
            held = self._leases.get(work)
            if held is not None and held.worker == worker:
                self._drop(self._leases, work)

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        """Claim a chunk and return those that were free."""
        with self._lock:
            self._enter("claim")
            if len(recipients) > LARGEST_CHUNK:
                raise CampaignRefused(f"{len(recipients)} recipients in one claim: at most {LARGEST_CHUNK}")
            free = set()
            for one in recipients:
                contact_id, claims = self._stored(one.contact_id), self._claims[one.campaign]
                before = claims.get(contact_id)
                if before is not None and before.state is not ClaimState.RETURNED:
                    continue
                inboxes = self._forms(one.address.identity)
                if one.leaves_list is not None and self._holders(one.campaign, inboxes):  # marketing: one mail an inbox
                    continue
                address = self._stored(one.address.identity)
                self._inboxes[one.campaign, address].add(contact_id)
                claim = Claim(
                    campaign=one.campaign, contact_id=contact_id, state=ClaimState.CLAIMED,
                    leaves_list=one.leaves_list, address=address, position=one.position, at=at,
                )  # fmt: skip
                self._set(claims, contact_id, claim)
                free.add(one.contact_id)
            return free

    def _holders(self, campaign: CampaignKey, addresses: Collection[str]) -> list[Claim]:
        """Return the claims of a campaign that hold one of these addresses."""
        named = {other for address in addresses for other in self._inboxes.get((campaign, address), ())}
        claims = [claim for other in named if (claim := self._claims[campaign].get(other)) is not None]
        return [one for one in claims if one.state is not ClaimState.RETURNED and one.address in addresses]

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        """Move claims to a state."""
        with self._lock, self.transaction():
            self._enter("settle")
            claims = self._claims[campaign]
            for one in map(self._stored, contact_ids):
                claim = claims[one]
                back = claim.state is ClaimState.RETURNED and state is not ClaimState.RETURNED
                if back and claim.leaves_list is not None and self._holders(campaign, [claim.address]):
                    raise CampaignRefused(INBOX_TAKEN)
                self._set(claims, one, evolve(claim, state=state, at=at))

    def claims(self, campaign: CampaignKey, of: Collection[ContactId] | None = None) -> Mapping[ContactId, Claim]:
        """Return every claim of a campaign, or those of some contacts."""
        with self._lock:
            self._enter("claims")
            every = self._claims.get(campaign, {})
            if of is None:
                return dict(every)
            return {one: every[stored] for one in of if (stored := self._stored(one)) in every}

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        """Return every claim of a contact, oldest first."""
        with self._lock:
            self._enter("claims_of")
            found = [claims[contact_id] for claims in self._claims.values() if contact_id in claims]
            return sorted(found, key=lambda claim: (claim.at, claim.campaign))

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        """Note that the person said no after hand-off."""
        with self._lock, self.transaction():
            self._enter("mark_in_flight")
            whose = self._stored(contact_id)
            for campaign in campaigns:
                before = self._claims[campaign][whose]
                if before.opted_out_at is None or opted_out_at < before.opted_out_at:
                    self._set(self._claims[campaign], whose, evolve(before, opted_out_at=opted_out_at))

    def _erase_claims(self, contact_id: ContactId, names: Mapping[str, str]) -> None:
        """Leave keyed hashes of who got which campaign, and where."""
        for campaign, claims in self._claims.items():
            named = [one for one in claims.values() if one.contact_id == contact_id or one.address in names]
            for claim in named:
                whose = ContactId(names.get(claim.contact_id, claim.contact_id))
                # An address of theirs that was not given is theirs all the same.
                address = names.get(claim.address) or self._peppers.hashed(claim.address)
                self._drop(claims, claim.contact_id)
                self._set(claims, whose, evolve(claim, contact_id=whose, address=address))
                inbox = self._inboxes[campaign, claim.address]
                inbox.discard(claim.contact_id)
                self._on_undo(partial(inbox.add, claim.contact_id))
                self._inboxes[campaign, address].add(whose)
