"""Where in a sequence the open rate falls off (S3), so that one can mend that mail.

A step's rate is the share of those who got its mail and showed interest in it. The fall from one step to the next
counts only where it is larger than chance explains: two shares are compared with the usual z test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import frozen

from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.names import ContactId

SIGNIFICANT = 1.96
"""The z value that chance passes once in twenty times."""


@frozen(kw_only=True)
class Step:
    """One mail of a sequence.

    Attributes:
        campaign: the key of its campaign.
        sent: to how many contacts it went.
        engaged: how many of them opened, clicked or answered it, machines apart.
    """

    campaign: str
    sent: int
    engaged: int

    @property
    def rate(self) -> float | None:
        """The share that showed interest, or None where nobody got it."""
        return self.engaged / self.sent if self.sent else None


@frozen(kw_only=True)
class FallOff:
    """The mail before which most interest was lost.

    Attributes:
        before, at: the step with the higher rate and the one it fell to.
        place: the place of `at` in the sequence, from 1.
        z: how far beyond chance the fall is, in standard errors.
    """

    before: Step
    at: Step
    place: int
    z: float

    def __str__(self) -> str:
        return (
            f"mail {self.place} ({self.at.campaign}): {self.at.rate:.0%} of {self.at.sent} engaged, "
            f"after {self.before.rate:.0%} of {self.before.sent} with the mail before"
        )


def steps(events: Iterable[EngagementEvent], sequence: Sequence[str]) -> tuple[Step, ...]:
    """Count each mail of a sequence.

    Args:
        events: engagement events, in any order, that name campaigns.
        sequence: the campaigns' keys, first to last.
    """
    sent: dict[str, set[ContactId]] = {key: set() for key in sequence}
    engaged: dict[str, set[ContactId]] = {key: set() for key in sequence}
    for event in events:
        if event.campaign in sent:
            if event.kind in (EventKind.SENT, EventKind.DELIVERED):
                sent[event.campaign].add(event.contact_id)
            elif event.engaging:
                engaged[event.campaign].add(event.contact_id)
    return tuple(Step(campaign=key, sent=len(sent[key]), engaged=len(engaged[key] & sent[key])) for key in sequence)


def find_fall_off(counted: Sequence[Step]) -> FallOff | None:
    """Return the steepest fall between neighbouring mails that chance does not explain, or None."""
    found: FallOff | None = None
    for place, (before, at) in enumerate(pairwise(counted), 2):
        z = _fall(before, at)
        if z >= SIGNIFICANT and (found is None or z > found.z):
            found = FallOff(before=before, at=at, place=place, z=z)
    return found


def _fall(before: Step, at: Step) -> float:
    if before.rate is None or at.rate is None:
        return 0.0
    pooled = (before.engaged + at.engaged) / (before.sent + at.sent)
    error = math.sqrt(pooled * (1 - pooled) * (1 / before.sent + 1 / at.sent))
    return (before.rate - at.rate) / error if error else 0.0
