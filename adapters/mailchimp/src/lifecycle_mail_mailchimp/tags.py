"""Tags at Mailchimp, which are static segments: told 500 members at a time, and only our own are touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.ports import Shown
from lifecycle_mail_mailchimp.account import Account, chunked, written
from lifecycle_mail_mailchimp.errors import NotFound, of_member


class Tags:
    """The port `TagsContacts`, and static segments for whoever needs one."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def bound(self, audience: str) -> Mapping[str, str]:
        """Return the tags that are ours in an audience, with their ids."""
        return self._account.bound(f"tag/{audience}")

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off; whoever is no member there has none."""
        addresses = [written(one.address) for one in contacts if one.address is not None]
        for audience in self._account.audiences:
            segment = self._made(audience, tag)
            self.change(audience, segment, **{"add" if present else "remove": addresses})

    def settle(self, audience: str, people: Sequence[Shown]) -> None:
        """Let each of these members carry the tags of theirs, and none of our others."""
        wanted = {tag for one in people for tag in one.contact.tags}
        for tag in sorted(wanted | set(self.bound(audience))):
            segment = self._made(audience, tag)
            has = [written(one.address) for one in people if tag in one.contact.tags]
            lacks = [written(one.address) for one in people if tag not in one.contact.tags]
            self.change(audience, segment, add=has, remove=lacks)

    def _made(self, audience: str, tag: str) -> str:
        known = self.bound(audience).get(tag)
        if known is not None:
            return known
        segment = self.static(audience, tag)
        self._account.bind(f"tag/{audience}", tag, segment)
        return segment

    # -- static segments

    def static(self, audience: str, name: str) -> str:
        """Return the id of the static segment of a name, which is made if there is none."""
        found = self.find(audience, name)
        if found is not None:
            return found
        with self._account.client.transport.operation("make a static segment"):
            made = self._account.client.lists.create_segment(audience, {"name": name, "static_segment": []})
        return str(made["id"])

    def find(self, audience: str, name: str) -> str | None:
        """Return the id of the static segment of a name, or None."""
        pages = self._account.pages(
            "find a static segment", self._account.client.lists.list_segments, audience, key="segments",
            type="static", fields=("id", "name"),
        )  # fmt: skip
        return next((str(row["id"]) for page in pages for row in page if row["name"] == name), None)

    def change(
        self, audience: str, segment: str, *, add: Collection[str] = (), remove: Collection[str] = ()
    ) -> dict[str, EspError]:
        """Add members to a static segment and take others out; return why somebody was not added, by lower case."""
        refused: dict[str, EspError] = {}
        for name, addresses in (("members_to_add", list(add)), ("members_to_remove", list(remove))):
            for some in chunked(addresses):
                with self._account.client.transport.operation("change a static segment", repeatable=True):
                    answer = self._account.client.lists.batch_segment_members({name: list(some)}, audience, segment)
                if name == "members_to_add":
                    for entry in answer.get("errors") or ():
                        for one in entry.get("email_addresses") or ():
                            refused[str(one).lower()] = of_member(entry, operation="change a static segment")
        return refused

    def members(self, audience: str, segment: str, *, fields: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return who is in a static segment and could be mailed; nobody where it is gone."""
        try:
            pages = self._account.pages(
                "read a static segment", self._account.client.lists.get_segment_members_list, audience, segment,
                key="members", fields=fields,
            )  # fmt: skip
            return [row for page in pages for row in page]
        except NotFound:
            return []
