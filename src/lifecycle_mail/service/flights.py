"""Mails in flight: handed off before the person said no, and past holding back (F18)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from lifecycle_mail.model.lists import Scope
from lifecycle_mail.ports import Claim, ClaimState, Store

IN_FLIGHT = timedelta(hours=72)
"""How long after hand-off a mail may still arrive: the longest scheduling that an ESP offers."""

_LEFT = frozenset({ClaimState.HANDED_OFF, ClaimState.UNKNOWN})


def mark_in_flight(store: Store, claims: Iterable[Claim], scope: Scope, *, now: datetime) -> tuple[Claim, ...]:
    """Note on the mails that a no covers, and that may still arrive, when it was said; return them."""
    flying = [
        claim
        for claim in claims
        if claim.state in _LEFT
        and now - claim.at <= IN_FLIGHT
        and claim.leaves_list is not None
        and scope.covers(claim.leaves_list)
    ]
    for claim in flying:
        store.mark_in_flight(claim.contact_id, [claim.campaign], opted_out_at=now)
    return tuple(evolve(claim, opted_out_at=claim.opted_out_at or now) for claim in flying)
