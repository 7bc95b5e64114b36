"""Segments at Mailchimp that were computed here: static segments, one in each audience."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.names import ContactId, SegmentKey
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Handled
from lifecycle_mail_mailchimp.account import NAME, OWN, Account, written
from lifecycle_mail_mailchimp.errors import NotFound
from lifecycle_mail_mailchimp.tags import Tags

_READ: Final = ("email_address",)


class Segments:
    """The port `HoldsSegments`."""

    def __init__(self, account: Account, tags: Tags) -> None:
        self._account = account
        self._tags = tags

    def fill_segment(self, segment: Segment, members: Iterable[Contact]) -> Handled:
        """Let just these be in it; who is in no audience, or could not be mailed there, is refused."""
        wanted = {written(one.address).lower(): one for one in members if one.address is not None}
        missing: dict[str, EspError] = {}
        inside: set[str] = set()
        for audience in self._audiences(segment):
            theirs = self._made(segment.key, audience)
            there = {str(row["email_address"]).lower() for row in self._tags.members(audience, theirs, fields=_READ)}
            refused = self._tags.change(
                audience,
                theirs,
                add=[written(one.address) for key, one in wanted.items() if key not in there and one.address],
                remove=sorted(there - wanted.keys()),
            )
            inside |= wanted.keys() - refused.keys()
            missing |= refused
        nobody = NotFound(esp=NAME, operation="fill_segment", status=404, body="no member there", fix="sync first")
        return Handled(
            accepted={wanted[key].id for key in inside},
            refused={ContactId(one.id): missing.get(key, nobody) for key, one in wanted.items() if key not in inside},
        )

    def segment_count(self, segment: Segment) -> int | None:
        """Count who is in it and could be mailed."""
        bound = self._account.bound("segment")
        total = 0
        for audience in self._audiences(segment):
            theirs = bound.get(f"{segment.key}/{audience}")
            if theirs is not None:
                with self._account.client.transport.operation("segment_count"):
                    row = self._account.client.lists.get_segment(audience, theirs, fields=["id", "member_count"])
                total += int(row["member_count"])
        return total

    def _audiences(self, segment: Segment) -> Iterable[str]:
        """The audiences of its lists; that of the interests for a segment of all contacts."""
        topics = self._account.topics
        return dict.fromkeys(topics.of(key).audience for key in segment.of) or [self._account.audience]

    def _made(self, segment: SegmentKey, audience: str) -> str:
        known = self._account.bound("segment").get(f"{segment}/{audience}")
        if known is not None:
            return known
        theirs = self._tags.static(audience, f"{OWN} segment {segment}")
        self._account.bind("segment", f"{segment}/{audience}", theirs)
        return theirs
