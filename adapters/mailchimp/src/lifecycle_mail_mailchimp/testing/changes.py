"""What may become of a member, and what must not.

Coming back is the point: who left by themselves comes back by themselves. They may be asked to confirm, and nothing
else. Who cannot be reached stays out. Who was taken off through the API, or archived, may be set to `subscribed`
through the API; an application that does so has to know that it may.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from lifecycle_mail_mailchimp.testing.calls import instant
from lifecycle_mail_mailchimp.testing.merging import merged, missing
from lifecycle_mail_mailchimp.testing.problems import (
    forgotten,
    in_compliance,
    looks_fake,
    malformed,
    member_exists,
    not_an_address,
    too_many_signups,
    wrong_merge_fields,
)
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Member, Segment, member_hash

BY_ADMIN: Final = "N/A (Unsubscribed by admin)"
"""The reason of those whom somebody else took off."""

_ADDRESS: Final = re.compile(r"[^@\s,;<>()\[\]]+@[^@\s.]+(\.[^@\s.]+)+")
_THEMSELVES: Final = frozenset({"self", "complaint"})


class Changes:
    """Changes members through the API.

    Attributes:
        fakes: addresses and domains that look as if nobody reads them. Mailchimp refuses all of `example.com`, which
            tests are full of: so here is named what it refuses.
        throttled: addresses that have joined too many lists lately.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.fakes: set[str] = {"fake.example", "foo@example.com"}
        self.throttled: set[str] = set()

    def check_address(self, audience: Audience, email: object) -> str:
        """Return an address that may come to an audience.

        Raises:
            Refusal: it may not.
        """
        if not isinstance(email, str) or not _ADDRESS.fullmatch(email):
            raise not_an_address()
        if member_hash(email) in audience.forgotten:
            raise forgotten(email)
        if {email.lower(), email.lower().rpartition("@")[2]} & self.fakes:
            raise looks_fake(email)
        return email

    def create(self, audience: Audience, body: dict[str, Any], status: object, *, skip_merge: bool = False) -> Member:
        """Take somebody in who is not there.

        Raises:
            Refusal: they may not come, or something about them is wrong.
        """
        email = self.check_address(audience, body.get("email_address"))
        if email.lower() in self.throttled and status in ("subscribed", "pending"):
            raise too_many_signups(email)
        if not isinstance(status, str):
            raise malformed(("status", "This value should not be blank."))
        member = Member(
            email=email,
            contact_id=self._account.id(32),
            unique_email_id=self._account.id(),
            web_id=self._account.number(),
            last_changed=self._account.now,
        )
        given = {name: value for name, value in body.items() if name != "email_address"}
        self.change(audience, member, {**given, "status": status}, skip_merge=skip_merge)
        return member

    def change(
        self,
        audience: Audience,
        member: Member,
        body: dict[str, Any],
        *,
        skip_merge: bool = False,
        revived: bool = False,
    ) -> None:
        """Change somebody, in every way that the body names, or in none.

        Args:
            audience: theirs.
            member: who; it need not be in the audience yet.
            body: as the API takes it.
            skip_merge: whether required fields may be blank.
            revived: whether they come back by POST, which dates their opt-in anew.

        Raises:
            Refusal: something may not be. Nothing is changed then.
        """
        values, wrong = merged(audience.fields, body.get("merge_fields") or {})
        is_new = member.id not in audience.members
        if not skip_merge:
            named = audience.fields if is_new else {tag: audience.fields[tag] for tag in values}
            wrong += missing(named, {**member.merge, **values})
        if wrong:
            raise wrong_merge_fields(*wrong)
        interests = body.get("interests") or {}
        if unknown := sorted(set(interests) - set(audience.interests())):
            raise malformed(*(("interests", f"Invalid interest ID: '{one}'.") for one in unknown))
        email = body.get("email_address") or member.email
        if member_hash(email) != member.id:
            self.check_address(audience, email)
            if member_hash(email) in audience.members:
                raise member_exists(email)
        status = body.get("status") or member.status
        self._check_status(member, status)
        before = _told(member)
        old_email, old_status = member.email, member.status
        if member_hash(email) != member.id:
            audience.members.pop(member.id, None)
        member.email = email
        audience.members[member.id] = member
        member.merge.update(values)
        member.interests |= {one for one, wanted in interests.items() if wanted}
        member.interests -= {one for one, wanted in interests.items() if not wanted}
        for name in ("email_type", "language", "vip", "ip_signup", "ip_opt", "location"):
            if name in body:
                setattr(member, name, body[name])
        for name in ("timestamp_signup", "timestamp_opt"):
            if body.get(name):
                setattr(member, name, instant(body[name]))
        self._set_status(audience, member, status, dated="timestamp_opt" in body, revived=revived)
        for name in body.get("tags") or ():
            self.put_tag(audience, member, name)
        if is_new or _told(member) != before:
            member.last_changed = self._account.now
            self._tell(audience, member, old_email, old_status, before)

    def put_tag(self, audience: Audience, member: Member, name: str) -> Segment:
        """Put a tag on somebody, making it if there is none of that name."""
        tag = audience.tag(name)
        if tag is None:
            now = self._account.now
            tag = Segment(id=self._account.number(), name=name, created_at=now, updated_at=now)
            audience.segments[tag.id] = tag
        member.tags.setdefault(tag.id, self._account.now)
        return tag

    def archive(self, audience: Audience, member: Member) -> None:
        """Put somebody aside. What they said is remembered."""
        member.status = "archived"
        member.last_changed = self._account.now
        audience.last_unsub = self._account.now

    def _check_status(self, member: Member, status: str) -> None:
        if status == member.status or status in ("unsubscribed", "cleaned"):
            return
        asked = status == "pending" and member.left == "self"
        if member.left in (*_THEMSELVES, "bounce") and not asked:
            raise in_compliance(member.email)

    def _set_status(self, audience: Audience, member: Member, status: str, *, dated: bool, revived: bool) -> None:
        if status == member.status or member.status == "cleaned":
            return  # what is cleaned stays cleaned
        now, before = self._account.now, member.status
        member.status = status
        if status == "subscribed":
            member.left = member.reason = ""
            if not dated and (member.timestamp_opt is None or revived):
                member.timestamp_opt = now
            audience.last_sub = now
        elif status == "pending":
            member.timestamp_signup = member.timestamp_signup or now
            self._account.confirmations.append((audience.id, member.email))
        elif status == "unsubscribed":
            if member.left not in _THEMSELVES:
                member.left, member.reason = "api", BY_ADMIN
            audience.last_unsub = now
            if before in ("subscribed", "pending"):
                self._account.happened("unsub", member, None, now, reason=BY_ADMIN, by_admin=True)
        elif status == "cleaned":
            member.left = "bounce"

    def _tell(
        self, audience: Audience, member: Member, old_email: str, old_status: str, before: tuple[object, ...]
    ) -> None:
        """Let the webhooks know. A write that changes nothing sends nothing."""
        tell = self._account.on_change
        if member.email != old_email:
            more = {"new_id": member.unique_email_id, "new_email": member.email, "old_email": old_email}
            tell(audience, "upemail", member, more, "api")
        if member.status != old_status:
            if member.status == "subscribed":
                tell(audience, "subscribe", member, {}, "api")
            elif member.status == "unsubscribed" and old_status == "subscribed":
                tell(audience, "unsubscribe", member, {"action": "unsub", "reason": "manual"}, "api")
            elif member.status == "cleaned":
                tell(audience, "cleaned", member, {"reason": "hard"}, "api")
        elif _profile(member) != before[-2:]:
            tell(audience, "profile", member, {}, "api")


def revoke(member: Member, left: str, reason: str, at: datetime) -> None:
    """Take somebody off who wants or has to be off."""
    member.status = "cleaned" if left == "bounce" else "unsubscribed"
    member.left, member.reason, member.last_changed = left, reason, at


def _profile(member: Member) -> tuple[object, object]:
    return dict(member.merge), frozenset(member.interests)


def _told(member: Member) -> tuple[object, ...]:
    """Return all that the API shows and changes of somebody."""
    return (
        member.email, member.status, member.email_type, member.language, member.vip, member.ip_signup, member.ip_opt,
        member.timestamp_signup, member.timestamp_opt, frozenset(member.tags), dict(member.location), *_profile(member),
    )  # fmt: skip
