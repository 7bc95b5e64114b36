"""What becomes of a hand-off: the report, the events that record it, and asking again where nobody knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import cast

from attrs import field, frozen

from lifecycle_mail.errors import CampaignRefused, EspError, LifecycleMailError
from lifecycle_mail.mails import PersonalReply
from lifecycle_mail.model.events import EngagementEvent, EventKind, Purpose
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import SPENT_STATES, Capability, Claim, ClaimState, Esp, SendsCampaigns, SendsMails, Store
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.reading import chunks
from lifecycle_mail.service.receiving import take_events
from lifecycle_mail.service.retrying import again, in_transaction


@frozen(kw_only=True)
class SendReport:
    """What a send did.

    Attributes:
        campaign: which.
        sent: how many mails were handed off by this call.
        withheld: who was sendable when planned and is not any more, by reason.
        refused: whom the ESP refused for good, with its error.
        unknown: whose outcome is unknown: `reconcile` asks again.
        returned: how many were not handed off; unless the campaign was released, another call may send them.
        others: of how many beside the plan this call found out that an interrupted one had handed them off.
        unwritten: for whom no mail could be written, with the error; they are among the returned.
        replies: whom a person answers instead (C3), with the task; they are among the returned.
        problem: why the send stopped early, or None.

    Everybody that the plan calls sendable is in one of `sent`, `withheld`, `refused`, `unknown` and `returned`.
    """

    campaign: CampaignKey
    sent: int = 0
    withheld: Counter[str] = field(factory=Counter)
    refused: Mapping[ContactId, EspError] = field(factory=dict)
    unknown: int = 0
    returned: int = 0
    others: int = 0
    unwritten: Mapping[ContactId, LifecycleMailError] = field(factory=dict)
    replies: Mapping[ContactId, PersonalReply] = field(factory=dict)
    problem: EspError | None = None

    def __str__(self) -> str:
        parts = [f"sent {self.sent}"]
        parts += [f"withheld since the plan {count} {reason}" for reason, count in sorted(self.withheld.items())]
        parts += [
            f"{name} {count}" for name, count in (("refused", len(self.refused)), ("unknown", self.unknown)) if count
        ]
        parts += [f"not handed off {self.returned}"] if self.returned else []
        parts += [f"of them without a mail {len(self.unwritten)}"] if self.unwritten else []
        parts += [f"of them for a person to answer {len(self.replies)}"] if self.replies else []
        parts += [f"beside the plan {self.others} handed off before"] if self.others else []
        return f"{self.campaign}: " + ", ".join(parts) + (f"; stopped: {self.problem}" if self.problem else "")


def spent(claims: Mapping[ContactId, Claim]) -> set[ContactId]:
    """Return to whom a campaign was handed off, or may have been."""
    return {one for one, claim in claims.items() if claim.state in SPENT_STATES}


def mail_of(campaign: CampaignKey, contact_id: ContactId) -> str:
    """Return the id of a campaign's mail to a contact, by which events speak of it."""
    return f"{campaign}:{contact_id}"


def sent_events(campaign: Campaign, ids: Iterable[ContactId], *, at: datetime, source: str) -> list[EngagementEvent]:
    """Return the events that record a hand-off; of who was erased meanwhile nothing is counted (O5)."""
    return [
        EngagementEvent(
            contact_id=one, kind=EventKind.SENT, at=at, mail=mail_of(campaign.key, one), campaign=campaign.key,
            purpose=campaign.purpose if campaign.marketing else Purpose.TRANSACTIONAL, source=source,
        )
        for one in sorted(ids)
        if not is_hashed(one)
    ]  # fmt: skip


def leaves_whole(esp: Esp, campaign: Campaign) -> bool:
    """Whether the ESP sends it itself, once and for all; transactional mails leave one by one, as they come."""
    if Capability.SINGLE_MAILS in esp.capabilities and not campaign.marketing:
        return False
    return Capability.CAMPAIGNS in esp.capabilities


ASKED = 500
"""How many answers of an ESP are written at once."""


def reconcile(
    store: Store, esp: Esp, campaign: Campaign, *, clock: Clock, wait: Callable[[int], None]
) -> dict[str, int]:
    """Settle claims whose outcome is unknown by what the ESP says of them; see `Lifecycle.reconcile`."""
    lease = Lease(store, campaign.key, clock=clock, wait=wait)
    if not lease.take():
        raise CampaignRefused(f"campaign {campaign.key!r} is being sent: call again when it is done")
    try:
        return _reconciled(store, esp, campaign, lease, now=clock(), wait=wait)
    finally:
        lease.give_back()


def _reconciled(
    store: Store, esp: Esp, campaign: Campaign, lease: Lease, *, now: datetime, wait: Callable[[int], None]
) -> dict[str, int]:
    claims = again(lambda: store.claims(campaign.key), wait=wait)
    unknown = {one: claim for one, claim in sorted(claims.items()) if claim.state is ClaimState.UNKNOWN}
    whole = leaves_whole(esp, campaign)
    released = cast(SendsCampaigns, esp).released(campaign.key) if whole and unknown else None
    answers: Counter[str] = Counter()
    for chunk in chunks(unknown, ASKED):
        # Of who was erased we know a hash, which the ESP has never heard of: its no would mean nothing.
        left = {
            one: released if whole else None if is_hashed(one) else cast(SendsMails, esp).was_sent(campaign.key, one)
            for one in chunk
        }

        def settle(left: Mapping[ContactId, bool | None] = left) -> Counter[str]:
            if not lease.prolong():
                raise CampaignRefused(f"campaign {campaign.key!r} was taken over by another worker: call again")
            return _settle_told(store, esp, campaign, unknown, left, now)

        answers += in_transaction(store, settle, wait=wait)
    return {name: answers[name] for name in ("handed-off", "returned", "unknown")}


def _settle_told(
    store: Store, esp: Esp, campaign: Campaign, unknown: Mapping[ContactId, Claim],
    left: Mapping[ContactId, bool | None], now: datetime,
) -> Counter[str]:  # fmt: skip
    """Settle what is unknown as it was when it was asked about: what came of it since is another doubt.

    Of a campaign that was not released nobody has got anything, but all of them may be staged: `claimed` says so, and
    the next send takes them out before it does anything else.
    """
    before = store.claims(campaign.key, left)
    still = {one: told for one, told in left.items() if is_same(before.get(one), unknown[one])}
    gone = [one for one, told in still.items() if told]
    here = [one for one, told in still.items() if told is False]
    back = ClaimState.CLAIMED if leaves_whole(esp, campaign) else ClaimState.RETURNED
    store.settle(campaign.key, gone, ClaimState.HANDED_OFF, at=now)
    store.settle(campaign.key, here, back, at=now)
    take_events(store, sent_events(campaign, gone, at=now, source=esp.name), now=now)
    return Counter({"handed-off": len(gone), "returned": len(here), "unknown": len(still) - len(gone) - len(here)})


def is_same(claim: Claim | None, other: Claim) -> bool:
    """Whether a claim is what it was: not settled since, nor claimed anew."""
    return claim is not None and (claim.state, claim.at, claim.position) == (other.state, other.at, other.position)
