"""Taking somebody out of the campaigns that they are staged for, before they are erased (O5, F17).

Afterwards their claims name them by a keyed hash, and no ESP could be asked for them any more: a claim that is open
then keeps its campaign from being released.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
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
    if Capability.CAMPAIGNS not in esp.capabilities:
        return claim.state is ClaimState.STAGED  # at another ESP; what is claimed or unknown may be a single mail
    alone = Capability.SINGLE_MAILS in esp.capabilities and claim.leaves_list is None
    return claim.state in OPEN_STATES | {ClaimState.UNKNOWN} and not alone


def withdraw(
    store: Store, esp: Esp, contact_id: ContactId, campaign: CampaignKey, *, clock: Clock, wait: Callable[[int], None]
) -> bool:
    """Take somebody out of a campaign; False where it was released, and their claim stays as it is.

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
        if can.released(campaign):  # by a worker that was faster
            return False
        settle = partial(_settle, store, campaign, contact_id, lease, at=clock(), wait=wait)
        settle(ClaimState.CLAIMED)  # in doubt, until the ESP has answered
        can.unstage(campaign, [contact_id])
        settle(ClaimState.RETURNED)
        return True
    finally:
        lease.give_back()


def _settle(
    store: Store, campaign: CampaignKey, contact_id: ContactId, lease: Lease, state: ClaimState, *, at: datetime,
    wait: Callable[[int], None],
) -> None:  # fmt: skip
    def settle() -> None:
        _require(lease.prolong(), campaign)
        if store.claims(campaign, [contact_id])[contact_id].state in OPEN_STATES | {ClaimState.UNKNOWN}:
            store.settle(campaign, [contact_id], state, at=at)

    in_transaction(store, settle, wait=wait)


def _require(held: bool, campaign: CampaignKey) -> None:
    if not held:
        raise CampaignRefused(
            f"campaign {campaign!r} is being sent, and they may be among those who get it: call again when it is done"
        )
