"""Campaigns: one send to one or more segments and lists (L3).

Leaving through a campaign's link leaves the list behind the segment. With several lists behind it, that is the first
in `to` that reached the recipient, and the mail names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import field, frozen

from lifecycle_mail.errors import CampaignRefused, InvalidInput
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import CampaignKey, ListKey, require_slug
from lifecycle_mail.policy.predicates import EVERYONE
from lifecycle_mail.policy.segments import Segment


class CampaignKind(StrEnum):
    """What the law and O2 ask about a mail."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


def _targets(value: Segment | MailingList | Iterable[Segment | MailingList]) -> tuple[Segment, ...]:
    if isinstance(value, Segment | MailingList):
        value = (value,)
    targets = []
    for target in value:
        if isinstance(target, MailingList):
            targets.append(Segment(target.key, of=target, where=EVERYONE, title=target.title))
        elif isinstance(target, Segment):
            targets.append(target)
        else:
            raise InvalidInput(
                f"a campaign goes to lists and segments, not to {target!r}: give MailingList or Segment objects"
            )
    return tuple(targets)


def _campaign_key(value: str) -> CampaignKey:
    return CampaignKey(value)


@frozen
class Campaign:
    """One send.

    Attributes:
        key: our slug for it.
        to: the segments and lists, in order; a list is kept as the segment of all its subscribers.
        kind: marketing or transactional.
        purpose: what it is for, as far as the sunset policy cares.
        title: for people.
    """

    key: CampaignKey = field(converter=_campaign_key, validator=require_slug)
    to: tuple[Segment, ...] = field(kw_only=True, default=(), converter=_targets)
    kind: CampaignKind = field(kw_only=True, default=CampaignKind.MARKETING, converter=CampaignKind)
    purpose: Purpose = field(kw_only=True, default=Purpose.REGULAR, converter=Purpose)
    title: str = field(kw_only=True, default="")

    @property
    def lists(self) -> tuple[ListKey, ...]:
        """The lists behind it, in order."""
        return tuple(dict.fromkeys(key for target in self.to for key in target.of))

    @property
    def marketing(self) -> bool:
        """Whether consent is asked for."""
        return self.kind is CampaignKind.MARKETING

    def require_list(self) -> None:
        """Refuse a marketing campaign that nobody could leave.

        Raises:
            CampaignRefused: no list is behind one of its targets.
        """
        if not self.marketing:
            return
        if not self.to:
            raise CampaignRefused(f"campaign {self.key!r} goes to nobody: name a list or a segment of one in `to`")
        bare = [target.key for target in self.to if not target.of]
        if bare:
            raise CampaignRefused(
                f"campaign {self.key!r}: no list is behind {', '.join(map(repr, bare))}, so nobody could leave: "
                f"say which list with Segment(..., of=the_list), or send it as transactional mail if it is"
            )
