"""Taking somebody out of the campaigns that they are staged for, before they are erased (O5, F17).

Afterwards their claims name them by a keyed hash, and no ESP could be asked for them any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import OPEN_STATES, Capability, ClaimState, Esp, SendsCampaigns, Store
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.retrying import again, in_transaction


def staged_in(store: Store, esp: Esp, contact_id: ContactId) -> frozenset[CampaignKey]:
    """Return the campaigns that the ESP sends itself and may have somebody staged for."""
    if Capability.CAMPAIGNS not in esp.capabilities:
        return frozenset()
    alone = Capability.SINGLE_MAILS in esp.capabilities  # then mails that leave no list go one by one
    return frozenset(
        claim.campaign
        for claim in store.claims_of(contact_id)
        if claim.state in OPEN_STATES | {ClaimState.UNKNOWN} and not (alone and claim.leaves_list is None)
    )


def withdraw(
    store: Store, esp: Esp, contact_id: ContactId, campaign: CampaignKey, *, clock: Clock, wait: Callable[[int], None]
) -> bool:
    """Take somebody out of a campaign; False where their claim stays open: it was released, or nobody can tell.

    Raises:
        CampaignRefused: a worker is at it, and may be about to stage them.
        EspError: the ESP did not do it.
    """
    can = cast(SendsCampaigns, esp)
    released = can.released(campaign)
    if released:
        return False
    lease = Lease(store, campaign, clock=clock, wait=wait)
    _require(lease.take(), campaign)
    try:
        can.unstage(campaign, [contact_id])
        _require(lease.still(), campaign)
        claim = again(lambda: store.claims(campaign, [contact_id]), wait=wait)[contact_id]
        if released is None or claim.state not in OPEN_STATES:
            return False
        in_transaction(store, lambda: store.settle(campaign, [contact_id], ClaimState.RETURNED, at=clock()), wait=wait)
        return True
    finally:
        lease.give_back()


def _require(held: bool, campaign: CampaignKey) -> None:
    if not held:
        raise CampaignRefused(
            f"campaign {campaign!r} is being sent, and they may be among those who get it: call again when it is done"
        )
