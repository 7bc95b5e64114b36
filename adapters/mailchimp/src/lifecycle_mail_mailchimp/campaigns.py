"""Campaigns at Mailchimp: recipients are staged in a static segment, and the campaign goes to that and to nobody else.

Whoever is staged is a member, is subscribed there, and carries our id, by which they are read back. A member without it
is somebody that others put into the segment: they come back under a name of their own, and can be taken out by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, Unscreened
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Content, Handled, KeptAs
from lifecycle_mail_mailchimp.account import NAME, OWN, Account, chunked, written
from lifecycle_mail_mailchimp.contacts import Contacts, Told
from lifecycle_mail_mailchimp.errors import InCompliance, NotFound
from lifecycle_mail_mailchimp.members_said import CONTACT_TAG
from lifecycle_mail_mailchimp.standing import state_of
from lifecycle_mail_mailchimp.tags import Tags

IN_DOUBT: Final = timedelta(seconds=150)
"""How long a release whose answer was lost may still be carried out: Mailchimp works at a call for 120 seconds."""

_STAGED: Final = ("email_address", "merge_fields", "id")
_NOT_RELEASED: Final = frozenset({"save", "paused"})


class Campaigns:
    """The port `SendsCampaigns`.

    Args:
        account: the account.
        contacts: who tells of members.
        tags: who keeps static segments.
        from_name, reply_to: the sender of every campaign.
        templates: the id of the template of campaigns that Mailchimp has the text of.
    """

    def __init__(
        self, account: Account, contacts: Contacts, tags: Tags, *, from_name: str, reply_to: str,
        templates: Mapping[str, int],
    ) -> None:  # fmt: skip
        self._account = account
        self._contacts = contacts
        self._tags = tags
        self._from_name = from_name
        self._reply_to = reply_to
        self._templates = templates

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to the segment of a campaign that is not released."""
        for one in recipients:
            if not isinstance(one, Screened):
                raise Unscreened("a send port takes only what the screen made: plan a campaign and send the plan")
            if one.campaign != campaign:
                raise Unscreened(f"screened for campaign {one.campaign!r}, not for {campaign!r}")
        if self._status(campaign) not in (None, *_NOT_RELEASED):
            raise self._refused("stage", "the campaign was released before", "make a new campaign")
        audience = self._audience_of(campaign, recipients)
        self._contacts.require_contact_field(audience)
        segment = self._segment(campaign, audience)
        self._write(campaign, audience, segment, content)
        accepted: set[ContactId] = set()
        refused: dict[ContactId, EspError] = {}
        heard: list[Any] = []
        for some in chunked(recipients):
            told, errors = self._staged_some(audience, segment, some)
            refused.update(errors)
            accepted.update(one.contact_id for one in some if one.contact_id not in errors)
            heard += told.heard
        return Handled(accepted=accepted, refused=refused, heard=tuple(heard))

    def _staged_some(
        self, audience: str, segment: str, some: Sequence[Screened]
    ) -> tuple[Told, dict[ContactId, EspError]]:
        by_address = {written(one.address).lower(): one for one in some}
        interests = self._account.topics.by_interest(audience)
        rows = {
            key: {
                "email_address": written(one.address),
                "merge_fields": {CONTACT_TAG: one.contact_id},
                **({"interests": {i: True for i, listed in interests.items() if listed == one.leaves_list}}
                   if one.leaves_list in interests.values() else {}),
            }
            for key, one in by_address.items()
        }  # fmt: skip
        told = self._contacts.tell(audience, rows, new=list(rows))
        errors = dict(told.refused)
        for key, member in told.taken.items():
            if state_of(member) is not KeptAs.SUBSCRIBED:
                state = str(member.get("status"))
                errors[key] = InCompliance(
                    esp=NAME, operation="stage", status=400, body=f"they are {state} there",
                    fix="they are out here, too, from now on; only they can come back",
                )  # fmt: skip
        errors |= self._tags.change(
            audience, segment, add=[written(one.address) for key, one in by_address.items() if key not in errors]
        )
        return told, {by_address[key].contact_id: error for key, error in errors.items() if key in by_address}

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        place = self._place(campaign)
        if place is None or not contact_ids:
            return
        gone = set(contact_ids)
        rows = self._tags.members(*place, fields=_STAGED)
        self._tags.change(*place, remove=[str(row["email_address"]) for row in rows if _whose(row) in gone])

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is in the segment and could be mailed."""
        place = self._place(campaign)
        return set() if place is None else {_whose(row) for row in self._tags.members(*place, fields=_STAGED)}

    def release(self, campaign: CampaignKey) -> None:
        """Let Mailchimp send the campaign."""
        status = self._status(campaign)
        if status is None:
            raise self._refused("release", "there is no such campaign", "stage it with content, or name its template")
        if status not in _NOT_RELEASED:
            raise self._refused("release", "the campaign was released before", "make a new campaign")
        campaigns, theirs = self._account.client.campaigns, self._account.bound("campaign")[campaign]
        with self._account.client.transport.operation("release"):
            ready = campaigns.get_send_checklist(theirs)
        if not ready["is_ready"]:
            lacks = "; ".join(
                f"{one.get('heading')}: {one.get('details')}" for one in ready["items"] if one["type"] == "error"
            )
            raise self._refused("release", f"it is not ready: {lacks}", "mend what is named, and send again")
        self._account.bind("releasing", campaign, self._account.clock().isoformat())
        try:
            with self._account.client.transport.operation("release", repeatable=False):
                campaigns.send(theirs)
        except (EspRefused, EspUnavailable):  # not done, and no doubt about it
            self._account.bind("releasing", campaign, "")
            raise

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell by its status; a while after a release without an answer nobody can tell."""
        status = self._status(campaign)
        if status is not None and status not in _NOT_RELEASED:
            return True
        tried = self._account.bound("releasing").get(campaign)
        if tried and self._account.clock() < datetime.fromisoformat(tried) + IN_DOUBT:
            return None
        return False

    # -- what there is at Mailchimp

    def _status(self, campaign: CampaignKey) -> str | None:
        theirs = self._account.bound("campaign").get(campaign)
        if theirs is None:
            return None
        try:
            with self._account.client.transport.operation("read a campaign"):
                return str(self._account.client.campaigns.get(theirs, fields=["id", "status"])["status"])
        except NotFound:
            return None

    def _audience_of(self, campaign: CampaignKey, recipients: Sequence[Screened]) -> str:
        topics = self._account.topics
        lists = {one.leaves_list for one in recipients}
        found = {self._account.audience if one is None else topics.of(one).audience for one in lists}
        place = self._place(campaign)
        if place is not None:
            found.add(place[0])
        if len(found) > 1:
            raise self._refused(
                "stage", "its lists are in several audiences, and a campaign of Mailchimp goes to one",
                "make a campaign for each list that has an audience of its own",
            )  # fmt: skip
        return found.pop() if found else self._account.audience

    def _place(self, campaign: CampaignKey) -> tuple[str, str] | None:
        kept = self._account.bound("staging").get(campaign)
        if kept is None:
            return None
        audience, _, segment = kept.partition("/")
        return audience, segment

    def _segment(self, campaign: CampaignKey, audience: str) -> str:
        place = self._place(campaign)
        if place is not None:
            return place[1]
        segment = self._tags.static(audience, f"{OWN} {campaign}")
        self._account.bind("staging", campaign, f"{audience}/{segment}")
        return segment

    def _write(self, campaign: CampaignKey, audience: str, segment: str, content: Content | None) -> None:
        """Make the campaign, or bring it up to date; without a text or a template there is none yet."""
        template = self._templates.get(campaign)
        if content is None and template is None:
            return
        settings: dict[str, Any] = {
            "title": f"{OWN} {campaign}",
            "subject_line": content.subject if content is not None else str(campaign),
            "from_name": self._from_name,
            "reply_to": self._reply_to,
        }
        if template is not None:
            settings["template_id"] = template
        body = {
            "type": "regular",
            "recipients": {"list_id": audience, "segment_opts": {"saved_segment_id": int(segment)}},
            "settings": settings,
        }
        campaigns, transport = self._account.client.campaigns, self._account.client.transport
        theirs = self._account.bound("campaign").get(campaign) or self._named(str(settings["title"]))
        if theirs is None:
            with transport.operation("make a campaign"):
                theirs = str(campaigns.create(body)["id"])
        self._account.bind("campaign", campaign, theirs)
        if content is not None:
            with transport.operation("write a campaign"):
                campaigns.update(theirs, {"recipients": body["recipients"], "settings": settings})
                html = content.html or f"<pre>{_escaped(content.text)}</pre>"
                campaigns.set_content(theirs, {"html": html, "plain_text": content.text})

    def _named(self, title: str) -> str | None:
        """Find a campaign whose id was lost with the answer that told it."""
        pages = self._account.pages(
            "find a campaign", self._account.client.campaigns.list, key="campaigns", status="save",
            fields=("id", "settings.title"),
        )  # fmt: skip
        return next((str(row["id"]) for page in pages for row in page if row["settings"].get("title") == title), None)

    @staticmethod
    def _refused(operation: str, body: str, fix: str) -> EspRefused:
        return EspRefused(esp=NAME, operation=operation, status=400, body=body, fix=fix)


def _whose(row: Mapping[str, Any]) -> ContactId:
    own = str((row.get("merge_fields") or {}).get(CONTACT_TAG) or "")
    return ContactId(own or f"{NAME}:{row.get('id') or ''}")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
