"""Members of an audience, up to 500 in one call: each of them by itself goes well or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.changes import Changes
from lifecycle_mail_mailchimp.testing.members import shown
from lifecycle_mail_mailchimp.testing.problems import Refusal
from lifecycle_mail_mailchimp.testing.state import Audience, Member, links, member_hash


class MembersBatch(Part):
    """Takes many members in, or changes them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {"POST /lists/{list_id}": self.take}

    def take(self, call: Call) -> Answer:
        """Go through the members, in order, and say what became of each."""
        audience, body = call.audience, call.body
        created: list[Member] = []
        updated: list[Member] = []
        errors: list[dict[str, str]] = []
        seen: set[str] = set()
        for one in body["members"]:
            email = one.get("email_address", "")
            if email.lower() in seen:
                if not call.flag("skip_duplicate_check"):
                    errors.append(_error(email, f"{email} is in this request more than once"))
                continue
            seen.add(email.lower())
            member = audience.members.get(member_hash(email))
            exists = member is not None and member.status != "archived"
            if exists and not body.get("update_existing"):
                errors.append(_exists(email))
                continue
            try:
                done = self._take(call, audience, one, member)
            except Refusal as refusal:
                errors.append(_refused(email, refusal))
                continue
            if body.get("sync_tags") and "tags" in one:
                self._sync_tags(audience, done, one["tags"])
            (updated if exists else created).append(done)
        document = {
            "new_members": [shown(audience, one) for one in created],
            "updated_members": [shown(audience, one) for one in updated],
            "errors": errors,
            "total_created": len(created),
            "total_updated": len(updated),
            "error_count": len(errors),
            "_links": links(f"/lists/{audience.id}"),
        }
        return call.answer(document)

    def _take(self, call: Call, audience: Audience, one: dict[str, Any], member: Member | None) -> Member:
        skip = call.flag("skip_merge_validation")
        if member is None:
            return self._changes.create(audience, one, one.get("status"), skip_merge=skip)
        self._changes.change(audience, member, one, skip_merge=skip, revived=member.status == "archived")
        return member

    def _sync_tags(self, audience: Audience, member: Member, names: list[str]) -> None:
        kept = {self._changes.put_tag(audience, member, name).id for name in names}
        member.tags = {tag: since for tag, since in member.tags.items() if tag in kept}


def _error(email: str, error: str) -> dict[str, str]:
    return {"email_address": email, "error": error, "error_code": "ERROR_GENERIC"}


def _exists(email: str) -> dict[str, str]:
    error = (
        f"{email} is already a list member, do you want to update? please provide update_existing:true in the request "
        f"body"
    )
    return {"email_address": email, "error": error, "error_code": "ERROR_CONTACT_EXISTS"}


def _refused(email: str, refusal: Refusal) -> dict[str, str]:
    entry = _error(email, refusal.detail)
    if refusal.fields:
        field, message = refusal.fields[0]
        entry |= {"field": field, "field_message": message}
    return entry
