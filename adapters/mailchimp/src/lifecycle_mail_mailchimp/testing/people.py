"""What people do, without the API: they join, leave, complain, open and click, and their mailboxes bounce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lifecycle_mail_mailchimp.testing.changes import revoke
from lifecycle_mail_mailchimp.testing.merging import merged
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Campaign, Member, member_hash

UNSUBSCRIBED = "normal_unsubscribe"
"""The reason of those who give none."""


class People:
    """Everybody who is not the application. Each thing that they do is posted to webhooks too.

    An instant that is not given is now.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def join(
        self,
        list_id: str,
        email: str,
        *,
        interests: Iterable[str] = (),
        merge: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Member:
        """Let somebody sign up by Mailchimp's own form and confirm. It brings everybody back, whatever was before.

        Args:
            list_id: the audience.
            email: the address.
            interests: the ids of what they ticked.
            merge: what they filled in, by tag.
            at: when.
        """
        audience, at = self._account.audience(list_id), at or self._account.now
        audience.forgotten.discard(member_hash(email))
        member = audience.members.get(member_hash(email))
        if member is None:
            account = self._account
            member = Member(
                email=email,
                contact_id=account.id(32),
                unique_email_id=account.id(),
                web_id=account.number(),
                last_changed=at,
                source="Hosted Signup Form",
            )
            audience.members[member.id] = member
        member.status, member.left, member.reason = "subscribed", "", ""
        member.interests |= set(interests)
        member.merge |= merged(audience.fields, merge or {})[0]
        member.timestamp_signup = member.timestamp_signup or at
        member.timestamp_opt = member.last_changed = audience.last_sub = at
        self._tell(audience, "subscribe", member, at)
        return member

    def confirm(self, list_id: str, email: str, at: datetime | None = None) -> None:
        """Let somebody confirm who was asked to."""
        member = self._account.audience(list_id).member(email)
        if member.status != "pending":
            raise ValueError(f"{email} was not asked to confirm: the status is {member.status!r}")
        self.join(list_id, email, at=at)

    def unsubscribe(
        self,
        list_id: str,
        email: str,
        at: datetime | None = None,
        campaign_id: str | None = None,
        reason: str = UNSUBSCRIBED,
    ) -> None:
        """Let somebody leave the audience, by the link in a mail."""
        self._leave(list_id, email, at, campaign_id, left="self", reason=reason)

    def complain(self, list_id: str, email: str, at: datetime | None = None, campaign_id: str | None = None) -> None:
        """Let somebody call a mail spam."""
        self._leave(list_id, email, at, campaign_id, left="complaint", reason="spam")

    def _leave(
        self, list_id: str, email: str, at: datetime | None, campaign_id: str | None, *, left: str, reason: str
    ) -> None:
        audience, member, campaign, at = self._found(list_id, email, campaign_id, at)
        revoke(member, left, reason, at)
        audience.last_unsub = at
        kind, told = ("abuse", "abuse") if left == "complaint" else ("unsub", "manual")
        self._account.happened(kind, member, campaign, at, reason=reason)
        more = {"action": "unsub", "reason": told, **({} if campaign is None else {"campaign_id": campaign.id})}
        self._tell(audience, "unsubscribe", member, at, **more)

    def bounce(
        self, list_id: str, email: str, at: datetime | None = None, campaign_id: str | None = None, *, hard: bool = True
    ) -> None:
        """Let a mail come back; for good, the member is cleaned."""
        audience, member, campaign, at = self._found(list_id, email, campaign_id, at)
        self._account.happened("bounce", member, campaign, at, hard=hard)
        if hard:
            revoke(member, "bounce", "", at)
            more = {"reason": "hard", **({} if campaign is None else {"campaign_id": campaign.id})}
            self._tell(audience, "cleaned", member, at, **more)

    def open(self, campaign_id: str, email: str, at: datetime | None = None) -> None:
        """Let a recipient open a campaign."""
        campaign = self._account.campaign(campaign_id)
        self._account.happened("open", self._recipient(campaign, email), campaign, at or self._account.now)

    def click(self, campaign_id: str, email: str, url: str, at: datetime | None = None) -> None:
        """Let a recipient click a link."""
        campaign = self._account.campaign(campaign_id)
        self._account.happened("click", self._recipient(campaign, email), campaign, at or self._account.now, url=url)

    def update_profile(
        self,
        list_id: str,
        email: str,
        *,
        merge: Mapping[str, Any] | None = None,
        interests: Mapping[str, bool] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Let somebody change what the audience keeps of them."""
        audience, member, _, at = self._found(list_id, email, None, at)
        member.merge |= merged(audience.fields, merge or {})[0]
        for interest, wanted in (interests or {}).items():
            (member.interests.add if wanted else member.interests.discard)(interest)
        member.last_changed = at
        self._tell(audience, "profile", member, at)

    def change_email(self, list_id: str, old: str, new: str, at: datetime | None = None) -> None:
        """Let somebody change their address."""
        audience, member, _, at = self._found(list_id, old, None, at)
        if member_hash(new) in audience.members:
            raise ValueError(f"{new} is in the audience already")
        del audience.members[member.id]
        member.email, member.last_changed = new, at
        audience.members[member.id] = member
        more = {"new_id": member.unique_email_id, "new_email": new, "old_email": old}
        self._tell(audience, "upemail", member, at, **more)

    def _found(
        self, list_id: str, email: str, campaign_id: str | None, at: datetime | None
    ) -> tuple[Audience, Member, Campaign | None, datetime]:
        audience = self._account.audience(list_id)
        campaign = None if campaign_id is None else self._account.campaign(campaign_id)
        return audience, audience.member(email), campaign, at or self._account.now

    def _recipient(self, campaign: Campaign, email: str) -> Member:
        for member in campaign.recipients:
            if member.email.lower() == email.lower():
                return member
        raise ValueError(f"{email} did not get the campaign {campaign.id}")

    def _tell(self, audience: Audience, kind: str, member: Member, at: datetime, **more: str) -> None:
        self._account.on_change(audience, kind, member, {**more, "at": f"{at:%Y-%m-%d %H:%M:%S}"}, "user")
