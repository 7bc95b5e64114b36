"""What the service needs to mail nobody twice, however many workers there are: leases and claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.policy.eligibility import Screened

LARGEST_CHUNK = 5_000
"""How many recipients one claim transaction covers at most."""

INBOX_TAKEN = "a claim was returned, and its inbox is another contact's since: claim it again first (F19)"
"""What is said where a claim that was returned is settled, and cannot be taken up."""

CLOCKS_APART = timedelta(hours=1)
"""How far the clocks of two workers may lie apart: a lease taken later than this after now is no lease (F64)."""


class Leases(Protocol):
    """Work that one worker does at a time: a campaign, a sweep, the draining of an outbox (F20).

    A lease only spares workers from doing the same; that nobody is mailed twice rests on claims, not on leases.
    """

    def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
        """Take work for one worker until an instant, or prolong it; False where another has it.

        What another took is free once it has run out, and where it was taken more than `CLOCKS_APART` after `at`: by
        a clock that was ahead, which must not hold the work for years (F64).
        """
        ...

    def holds(self, work: str, worker: str) -> bool:
        """Whether this worker has the work and nobody else took it since; whether or not it has run out."""
        ...

    def finish(self, work: str, worker: str) -> None:
        """Give the work back."""
        ...


class ClaimState(StrEnum):
    """How far a mail of a campaign to one contact has come."""

    CLAIMED = "claimed"
    STAGED = "staged"
    RETURNED = "returned"
    REFUSED = "refused"
    HANDED_OFF = "handed-off"
    UNKNOWN = "unknown"


OPEN_STATES = frozenset({ClaimState.CLAIMED, ClaimState.STAGED})
"""States of a send that is under way or was interrupted."""
SPENT_STATES = frozenset({ClaimState.HANDED_OFF, ClaimState.UNKNOWN, ClaimState.REFUSED})
"""States after which nobody sends that campaign to that contact again."""


@frozen(kw_only=True)
class Claim:
    """One campaign's mail to one contact, which exists at most once.

    Attributes:
        campaign, contact_id: what it is.
        state: how far it has come.
        leaves_list: the list that the unsubscribe link in it leaves.
        address: whose inbox it goes to (`EmailAddress.identity`): one campaign goes there once, whoever it names.
            After an erasure a keyed hash of it, unless another contact uses it.
        position: the log's sequence number up to which opt-outs were read for it.
        at: when it came to that state.
        opted_out_at: when the person said no after hand-off: the mail was in flight (F18).
    """

    campaign: CampaignKey
    contact_id: ContactId
    state: ClaimState
    leaves_list: ListKey | None
    address: str
    position: int
    at: datetime
    opted_out_at: datetime | None = None


class Claims(Protocol):
    """Who was sent what (F19).

    At most one mail for each campaign and contact, and of marketing at most one for each campaign and address.
    """

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        """Claim a chunk in one transaction and return those that were free: never claimed, or returned.

        Of marketing, which leaves a list, nobody is free whose address another contact's claim of that campaign holds,
        or that comes twice in the chunk.
        """
        ...

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        """Move claims to a state: all of them, or none where one of them is not there.

        Raises:
            KeyError: there is no claim of somebody.
            CampaignRefused: one of marketing was returned, and another contact has claimed its inbox since.
        """
        ...

    def claims(self, campaign: CampaignKey, of: Collection[ContactId] | None = None) -> Mapping[ContactId, Claim]:
        """Return every claim of a campaign, or those of some contacts: a campaign may have millions (F68)."""
        ...

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        """Return every claim of a contact, oldest first."""
        ...

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        """Note that the person said no after hand-off; the earliest no stays."""
        ...
