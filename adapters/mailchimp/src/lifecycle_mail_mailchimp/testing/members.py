"""Members of an audience: read, changed one by one, archived, and deleted for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.changes import Changes
from lifecycle_mail_mailchimp.testing.problems import cannot_archive, malformed, member_exists, not_found
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Happening, Member, iso, links, member_hash

_NOWHERE: Final = {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": ""}
_FEED: Final = frozenset({"sent", "open", "click", "bounce", "unsub"})


def shown(audience: Audience, member: Member) -> dict[str, Any]:
    """Return a member as the API shows them."""
    interests = audience.interests()
    tags = [{"id": tag_id, "name": audience.segments[tag_id].name} for tag_id in member.tags]
    names = (str(member.merge.get(tag, "")) for tag in ("FNAME", "LNAME"))
    sent = sum(one.kind == "sent" for one in member.happenings)
    rates = {
        f"avg_{kind}_rate": len({one.campaign for one in member.happenings if one.kind == kind}) / sent if sent else 0
        for kind in ("open", "click")
    }
    out = member.status in ("unsubscribed", "cleaned") and member.reason
    return {
        "id": member.id,
        "email_address": member.email,
        "unique_email_id": member.unique_email_id,
        "contact_id": member.contact_id,
        "full_name": " ".join(name for name in names if name),
        "web_id": member.web_id,
        "email_type": member.email_type,
        "status": member.status,
        **({"unsubscribe_reason": member.reason} if out else {}),
        "consents_to_one_to_one_messaging": True,
        "merge_fields": {tag: member.merge.get(tag, "") for tag in audience.fields},
        **({"interests": {one: one in member.interests for one in interests}} if interests else {}),
        "stats": rates,
        "ip_signup": member.ip_signup,
        "timestamp_signup": iso(member.timestamp_signup),
        "ip_opt": member.ip_opt,
        "timestamp_opt": iso(member.timestamp_opt),
        "member_rating": 2,
        "last_changed": iso(member.last_changed),
        "language": member.language,
        "vip": member.vip,
        "email_client": "",
        "location": {**_NOWHERE, **member.location},
        "source": member.source,
        "tags_count": len(tags),
        "tags": tags,
        "list_id": audience.id,
        "_links": links(f"/lists/{audience.id}/members/{member.id}"),
    }


class Members(Part):
    """Members, one by one."""

    def __init__(self, account: Account, changes: Changes) -> None:
        self._account = account
        self._changes = changes

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        one = "/lists/{list_id}/members/{subscriber_hash}"
        return {
            "GET /lists/{list_id}/members": self.list_all,
            "POST /lists/{list_id}/members": self.add,
            f"GET {one}": lambda call: call.answer(shown(call.audience, call.member)),
            f"PUT {one}": self.put,
            f"PATCH {one}": self.patch,
            f"DELETE {one}": self.archive,
            f"POST {one}/actions/delete-permanent": self.forget,
            f"GET {one}/activity-feed": self.feed,
            "GET /search-members": self.search,
        }

    def list_all(self, call: Call) -> Answer:
        """Return a page of members. Those who were archived are not among them unless they are asked for."""
        audience = call.audience
        if call.text("unsubscribed_since") and call.text("status") not in ("", "unsubscribed"):
            raise malformed(("status", "The status must be 'unsubscribed' when 'unsubscribed_since' is given."))
        rows = [one for one in audience.members.values() if self._wanted(call, audience, one)]
        if order := call.text("sort_field"):
            rows.sort(key=lambda one: iso(getattr(one, order)), reverse=call.text("sort_dir").upper() == "DESC")
        return call.page("members", rows, lambda one: shown(audience, one), list_id=audience.id)

    def _wanted(self, call: Call, audience: Audience, member: Member) -> bool:
        wanted = call.text("status")
        if member.status != wanted if wanted else member.status == "archived":
            return False
        since = call.instant("unsubscribed_since")
        if since is not None and (member.status != "unsubscribed" or member.last_changed <= since):
            return False
        if ids := call.texts("interest_ids"):
            category = audience.categories.get(call.text("interest_category_id"))
            has = [one in member.interests for one in ids if category is not None and one in category.interests]
            if not {"all": all(has), "none": not any(has)}.get(call.text("interest_match"), any(has)):
                return False
        return (
            call.within("since_last_changed", "before_last_changed", member.last_changed)
            and call.within("since_timestamp_opt", "before_timestamp_opt", member.timestamp_opt)
            and call.text("email_type") in ("", member.email_type)
            and call.text("unique_email_id") in ("", member.unique_email_id)
            and (member.vip or not call.flag("vip_only"))
        )

    def add(self, call: Call) -> Answer:
        """Take somebody in who is not there, or was archived."""
        audience, body = call.audience, call.body
        email = self._changes.check_address(audience, body.get("email_address"))
        member = audience.members.get(member_hash(email))
        if member is None:
            member = self._changes.create(audience, body, body["status"], skip_merge=call.flag("skip_merge_validation"))
        elif member.status == "archived":
            self._changes.change(audience, member, body, skip_merge=call.flag("skip_merge_validation"), revived=True)
        else:
            raise member_exists(email)
        return call.answer(shown(audience, member))

    def put(self, call: Call) -> Answer:
        """Change somebody, or take them in."""
        audience, body, skip = call.audience, call.body, call.flag("skip_merge_validation")
        member = audience.members.get(call["subscriber_hash"].lower())
        if member is not None:
            self._changes.change(audience, member, _without(body, "status_if_new"), skip_merge=skip)
        elif "email_address" not in body:
            raise not_found()
        else:
            existing = audience.members.get(member_hash(str(body["email_address"])))
            if existing is not None:
                raise member_exists(existing.email)
            status = body.get("status_if_new") or body.get("status")
            member = self._changes.create(audience, _without(body, "status_if_new"), status, skip_merge=skip)
        return call.answer(shown(audience, member))

    def patch(self, call: Call) -> Answer:
        """Change somebody who is there."""
        member = call.member
        self._changes.change(call.audience, member, call.body, skip_merge=call.flag("skip_merge_validation"))
        return call.answer(shown(call.audience, member))

    def archive(self, call: Call) -> Answer:
        """Put somebody aside."""
        member = call.member
        if member.status in ("cleaned", "pending", "archived"):
            raise cannot_archive()
        told = member.status == "subscribed"
        self._changes.archive(call.audience, member)
        if told:
            more = {"action": "archive", "reason": "manual"}
            self._account.on_change(call.audience, "unsubscribe", member, more, "api")
        return Answer(status=204)

    def forget(self, call: Call) -> Answer:
        """Delete somebody for good: nobody but they bring them back."""
        member = call.member
        if member.status == "subscribed":
            more = {"action": "delete", "reason": "manual"}
            self._account.on_change(call.audience, "unsubscribe", member, more, "api")
        del call.audience.members[member.id]
        call.audience.forgotten.add(member.id)
        return Answer(status=204)

    def feed(self, call: Call) -> Answer:
        """Return what happened to somebody, the latest first."""
        member, kinds = call.member, set(call.texts("activity_filters")) or _FEED
        rows = [one for one in reversed(member.happenings) if one.kind in _FEED & kinds]
        start, size = call.number("offset", 0), call.number("count", 10)
        document = {
            "activity": [_activity(one) for one in rows[start : start + size]],
            "email_id": member.id,
            "list_id": call.audience.id,
            "_links": links(call.request.path),
        }
        return call.answer(document)

    def search(self, call: Call) -> Answer:
        """Return members whose address is the query, and those who have it somewhere."""
        wanted = call.text("query").casefold()
        found = [
            (audience, member)
            for audience in self._account.audiences.values()
            if call.text("list_id") in ("", audience.id)
            for member in audience.members.values()
            if wanted in member.email.casefold()
        ]
        exact = [shown(audience, member) for audience, member in found if member.email.casefold() == wanted]
        full = [shown(audience, member) for audience, member in found]
        document = {
            name: {"members": members, "total_items": len(members)}
            for name, members in (("exact_matches", exact), ("full_search", full))
        }
        return call.answer({**document, "_links": links("/search-members")})


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def _activity(happening: Happening) -> dict[str, Any]:
    campaign = happening.campaign
    more: dict[str, dict[str, Any]] = {
        "click": {"link_clicked": happening.url},
        "bounce": {"bounce_type": "hard" if happening.hard else "soft", "bounce_has_open_activity": False},
        "unsub": {"unsubscribe_reason": happening.reason, "is_admin_unsubscribed": happening.by_admin},
    }
    return {
        "activity_type": happening.kind,
        "created_at_timestamp": iso(happening.at),
        **({"campaign_id": campaign.id, "campaign_title": campaign.title} if campaign is not None else {}),
        **more.get(happening.kind, {}),
    }
