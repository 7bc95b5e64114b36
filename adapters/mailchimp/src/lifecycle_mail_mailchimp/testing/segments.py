"""Segments of an audience: static ones, which are also tags, and saved ones, which conditions select."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.changes import Changes
from lifecycle_mail_mailchimp.testing.conditions import Segmenting
from lifecycle_mail_mailchimp.testing.members import shown
from lifecycle_mail_mailchimp.testing.problems import bad_request, malformed, not_found
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Member, Segment, iso, links, member_hash


class Segments(Part):
    """Segments, and the tags that some of them are."""

    def __init__(self, account: Account, changes: Changes) -> None:
        self._account = account
        self._changes = changes

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        one = "/lists/{list_id}/segments/{segment_id}"
        tags = "/lists/{list_id}/members/{subscriber_hash}/tags"
        return {
            "GET /lists/{list_id}/segments": self.list_all,
            "POST /lists/{list_id}/segments": self.add,
            f"GET {one}": lambda call: call.answer(self._shown(call, call.audience, self._segment(call))),
            f"PATCH {one}": self.patch,
            f"DELETE {one}": self.delete,
            f"POST {one}": self.change_members,
            f"GET {one}/members": self.list_members,
            f"POST {one}/members": self.add_member,
            f"DELETE {one}/members/{{subscriber_hash}}": self.remove_member,
            f"GET {tags}": self.list_tags,
            f"POST {tags}": self.change_tags,
            "GET /lists/{list_id}/tag-search": self.search_tags,
        }

    # segments

    def list_all(self, call: Call) -> Answer:
        """Return the segments."""
        audience, kind = call.audience, call.text("type")
        rows = [
            one
            for one in audience.segments.values()
            if kind in ("", _kind(one))
            and call.within("since_created_at", "before_created_at", one.created_at)
            and call.within("since_updated_at", "before_updated_at", one.updated_at)
        ]
        return call.page("segments", rows, lambda one: self._shown(call, audience, one), list_id=audience.id)

    def add(self, call: Call) -> Answer:
        """Make a segment: a static one of these addresses, or one that conditions select."""
        audience, body, now = call.audience, call.body, self._account.now
        if ("static_segment" in body) is ("options" in body):
            raise malformed(("options", "Give either options or static_segment."))
        if "static_segment" in body and audience.tag(body["name"]) is not None:
            raise bad_request("Sorry, that tag already exists.")
        segment = Segment(id=self._account.number(), name=body["name"], created_at=now, updated_at=now)
        self._set(audience, segment, body)
        audience.segments[segment.id] = segment
        return call.answer(self._shown(call, audience, segment))

    def patch(self, call: Call) -> Answer:
        """Change a segment's name, and who is in it."""
        audience, body, segment = call.audience, call.body, self._segment(call)
        if ("options" in body and segment.is_static) or ("static_segment" in body and not segment.is_static):
            raise bad_request("The type of a segment cannot be changed.")
        named = audience.tag(body["name"])
        if segment.is_static and named not in (None, segment):
            raise bad_request("Sorry, that tag already exists.")
        self._set(audience, segment, body)
        segment.name, segment.updated_at = body["name"], self._account.now
        return call.answer(self._shown(call, audience, segment))

    def _set(self, audience: Audience, segment: Segment, body: dict[str, Any]) -> None:
        if "options" in body:
            Segmenting(self._account, audience).matching(body["options"])
            segment.options = body["options"]
        if "static_segment" in body:
            wanted = {member_hash(email) for email in body["static_segment"]}
            for member in audience.members.values():
                if member.id in wanted:
                    member.tags.setdefault(segment.id, self._account.now)
                else:
                    member.tags.pop(segment.id, None)

    def delete(self, call: Call) -> Answer:
        """Delete a segment; of a static one, nobody has the tag any more."""
        segment = self._segment(call)
        del call.audience.segments[segment.id]
        for member in call.audience.members.values():
            member.tags.pop(segment.id, None)
        return Answer(status=204)

    def _segment(self, call: Call) -> Segment:
        segment = call.audience.segments.get(int(call["segment_id"]) if call["segment_id"].isdecimal() else -1)
        if segment is None:
            raise not_found()
        return segment

    def _shown(self, call: Call, audience: Audience, segment: Segment) -> dict[str, Any]:
        return {
            "id": segment.id,
            "name": segment.name,
            "member_count": len(self._members(call, audience, segment)),
            "type": _kind(segment),
            "created_at": iso(segment.created_at),
            "updated_at": iso(segment.updated_at),
            "options": segment.options or {"match": "any", "conditions": []},
            "list_id": audience.id,
            "_links": links(f"/lists/{audience.id}/segments/{segment.id}"),
        }

    # who is in them

    def _members(self, call: Call, audience: Audience, segment: Segment) -> list[Member]:
        """Return who is in a segment: those who are subscribed, unless the call asks for more."""
        test = Segmenting(self._account, audience).segment(segment.id)
        more = ("unsubscribed", "cleaned", "transactional")
        statuses = {"subscribed", *(status for status in more if call.flag(f"include_{status}"))}
        return [one for one in audience.members.values() if one.status in statuses and test(one)]

    def list_members(self, call: Call) -> Answer:
        """Return a page of who is in a segment."""
        audience = call.audience
        rows = self._members(call, audience, self._segment(call))
        return call.page("members", rows, lambda one: shown(audience, one))

    def change_members(self, call: Call) -> Answer:
        """Put members into a static segment, and take others out."""
        audience, body, segment = call.audience, call.body, self._static(call)
        added, strangers = _found(audience, body.get("members_to_add") or ())
        removed, unknown = _found(audience, body.get("members_to_remove") or ())
        outside = [member.email for member in added if member.status != "subscribed"]
        errors = [
            {"email_addresses": emails, "error": error}
            for emails, error in (
                (strangers, "Email addresses are not on the list"),
                (outside, "Email addresses are not subscribed to the list"),
                (unknown, "Email addresses are not on the list"),
            )
            if emails
        ]
        fresh = [one for one in added if one.status == "subscribed" and segment.id not in one.tags]
        gone = [member for member in removed if segment.id in member.tags]
        for member in fresh:
            member.tags[segment.id] = self._account.now
        for member in gone:
            del member.tags[segment.id]
        segment.updated_at = self._account.now
        document = {
            "members_added": [shown(audience, one) for one in fresh],
            "members_removed": [shown(audience, one) for one in gone],
            "errors": errors,
            "total_added": len(fresh),
            "total_removed": len(gone),
            "error_count": len(errors),
            "_links": links(call.request.path),
        }
        return call.answer(document)

    def add_member(self, call: Call) -> Answer:
        """Put one member into a static segment."""
        audience, segment = call.audience, self._static(call)
        member = audience.member(call.body["email_address"])
        if member.status != "subscribed":
            raise bad_request(f"{member.email} is not subscribed to the list.")
        member.tags.setdefault(segment.id, self._account.now)
        return call.answer(shown(audience, member))

    def remove_member(self, call: Call) -> Answer:
        """Take one member out of a static segment."""
        segment, member = self._static(call), call.member
        if member.tags.pop(segment.id, None) is None:
            raise not_found()
        return Answer(status=204)

    def _static(self, call: Call) -> Segment:
        segment = self._segment(call)
        if not segment.is_static:
            raise bad_request("Members can only be added to or removed from static segments.")
        return segment

    # tags

    def list_tags(self, call: Call) -> Answer:
        """Return the tags of a member."""
        audience, member = call.audience, call.member
        tags = [
            {"id": tag, "name": audience.segments[tag].name, "date_added": iso(since)}
            for tag, since in member.tags.items()
        ]
        return call.page("tags", tags, dict)

    def change_tags(self, call: Call) -> Answer:
        """Put tags on a member, and take others off. A tag that there is not yet is made."""
        audience, member = call.audience, call.member
        for one in call.body["tags"]:
            if one["status"] == "active":
                self._changes.put_tag(audience, member, one["name"])
            elif tag := audience.tag(one["name"]):
                member.tags.pop(tag.id, None)
        if call.body["tags"]:
            member.last_changed = self._account.now
        return Answer(status=204)

    def search_tags(self, call: Call) -> Answer:
        """Return the tags whose names begin so."""
        wanted = call.text("name").casefold()
        tags = [
            {"id": one.id, "name": one.name}
            for one in call.audience.segments.values()
            if one.is_static and one.name.casefold().startswith(wanted)
        ]
        return call.answer({"tags": tags, "total_items": len(tags)})


def _kind(segment: Segment) -> str:
    return "static" if segment.is_static else "saved"


def _found(audience: Audience, emails: Iterable[str]) -> tuple[list[Member], list[str]]:
    """Return the members of these addresses, each once, and the addresses of nobody."""
    members: dict[str, Member] = {}
    strangers: list[str] = []
    for email in emails:
        member = audience.members.get(member_hash(email))
        if member is None or member.status == "archived":
            strangers.append(email)
        else:
            members[member.id] = member
    return list(members.values()), strangers
