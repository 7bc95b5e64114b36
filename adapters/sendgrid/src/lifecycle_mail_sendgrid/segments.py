"""Segments at SendGrid that were computed here: contact lists."""

from __future__ import annotations

from collections.abc import Iterable

from lifecycle_mail.errors import EspRefused
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.names import SegmentKey
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Handled
from lifecycle_mail_sendgrid.account import NAME, OWN, Account, written
from lifecycle_mail_sendgrid.contacts import Contacts


class Segments:
    """The port `HoldsSegments`."""

    def __init__(self, account: Account, contacts: Contacts) -> None:
        self._account = account
        self._contacts = contacts

    def fill_segment(self, segment: Segment, members: Iterable[Contact]) -> Handled:
        """Let just these be in it; whom SendGrid does not hold is refused."""
        list_id = self._made(segment.key)
        wanted = {written(one.address): one for one in members if one.address is not None}
        held = {str(row["email"]).lower() for row in self._contacts.found(list(wanted))}
        there = {
            str(row["email"]).lower(): str(row["contact_id"])
            for row in self._account.exported("fill_segment", [list_id])
        }
        new = {key: {"email": key} for key in wanted if key in held and key not in there}
        refused = self._contacts.put("fill_segment", new, [list_id])
        gone = [contact_id for key, contact_id in there.items() if key not in wanted]
        self._account.take_off("fill_segment", list_id, gone)
        nobody = EspRefused(esp=NAME, operation="fill_segment", status=404, body="no contact there", fix="sync first")
        return Handled(
            accepted={one.id for key, one in wanted.items() if key in held and key not in refused},
            refused={
                one.id: refused.get(key, nobody) for key, one in wanted.items() if key not in held or key in refused
            },
        )

    def segment_count(self, segment: Segment) -> int | None:
        """Count who is in it."""
        list_id = self._account.bound("segment").get(segment.key)
        if list_id is None:
            return 0
        count = self._account.client.marketing.lists._(list_id).contacts.count
        return int(self._account.ask("segment_count", count.get)["contact_count"])

    def _made(self, segment: SegmentKey) -> str:
        known = self._account.bound("segment").get(segment)
        if known is None:
            known = self._account.contact_list("fill_segment", f"{OWN} segment {segment}")
            self._account.bind("segment", segment, known)
        return known
