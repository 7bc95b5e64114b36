"""Taking somebody out of the campaigns that they are staged for, before they are erased (O5, F17).

Afterwards their claims name them by a keyed hash, and no ESP could be asked for them any more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from lifecycle_mail.errors import CampaignRefused, Misconfigured
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import OPEN_STATES, Capability, Claim, ClaimState, Esp, SendsCampaigns, Store
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.retrying import in_transaction


def staged_in(store: Store, esp: Esp, contact_id: ContactId) -> frozenset[CampaignKey]:
    """Return the campaigns that an ESP sends itself and may have somebody staged for, this one or another."""
    return frozenset(claim.campaign for claim in store.claims_of(contact_id) if _may_be_staged(claim, esp))


def _may_be_staged(claim: Claim, esp: Esp) -> bool:
    if Capability.SINGLE_MAILS in esp.capabilities:
        if Capability.CAMPAIGNS not in esp.capabilities:
            return claim.state is ClaimState.STAGED  # by another ESP: here mails go one by one
        if claim.leaves_list is None:
            return False
    return claim.state in OPEN_STATES | {ClaimState.UNKNOWN}


def withdraw(
    store: Store, esp: Esp, contact_id: ContactId, campaign: CampaignKey, *, clock: Clock, wait: Callable[[int], None]
) -> bool:
    """Take somebody out of a campaign; False where their claim stays open: it was released, or nobody can tell.

    Raises:
        CampaignRefused: a worker is at it, and may be about to stage them.
        EspError: the ESP did not do it.
        Misconfigured: this ESP sends no campaigns.
    """
    if Capability.CAMPAIGNS not in esp.capabilities:
        raise Misconfigured(
            f"they may be staged for campaign {campaign!r} at an ESP, and {esp.name} is not the one: "
            f"erase them with that ESP given (on the command line: --esp NAME)"
        )
    can = cast(SendsCampaigns, esp)
    if can.released(campaign):
        return False
    lease = Lease(store, campaign, clock=clock, wait=wait)
    _require(lease.take(), campaign)
    try:
        released = can.released(campaign)  # by a worker that was faster, perhaps
        if released:
            return False
        is_open = _settle(store, campaign, contact_id, ClaimState.CLAIMED, at=clock(), wait=wait)
        can.unstage(campaign, [contact_id])
        _require(lease.still(), campaign)
        if released is None or not is_open:
            return False
        return _settle(store, campaign, contact_id, ClaimState.RETURNED, at=clock(), wait=wait)
    finally:
        lease.give_back()


def _settle(
    store: Store, campaign: CampaignKey, contact_id: ContactId, state: ClaimState, *, at: datetime,
    wait: Callable[[int], None],
) -> bool:  # fmt: skip
    """Settle a claim that is open, and tell whether it was."""

    def settle() -> bool:
        is_open = store.claims(campaign, [contact_id])[contact_id].state in OPEN_STATES
        if is_open:
            store.settle(campaign, [contact_id], state, at=at)
        return is_open

    return in_transaction(store, settle, wait=wait)


def _require(held: bool, campaign: CampaignKey) -> None:
    if not held:
        raise CampaignRefused(
            f"campaign {campaign!r} is being sent, and they may be among those who get it: call again when it is done"
        )
