"""Campaigns: made, changed, checked, sent now or at a time, and cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part, instant
from lifecycle_mail_mailchimp.testing.conditions import Segmenting
from lifecycle_mail_mailchimp.testing.problems import Refusal, bad_request, malformed, not_ready
from lifecycle_mail_mailchimp.testing.reports import summary
from lifecycle_mail_mailchimp.testing.state import Account, Campaign, Member, iso, links

_EDITABLE: Final = frozenset({"save", "paused"})
_SETTINGS: Final[Mapping[str, Any]] = {
    "subject_line": "", "preview_text": "", "title": "", "from_name": "", "reply_to": "", "use_conversation": False,
    "to_name": "", "folder_id": "", "authenticate": True, "auto_footer": False, "inline_css": False,
    "auto_tweet": False, "fb_comments": True, "timewarp": False, "template_id": 0, "drag_and_drop": False,
}  # fmt: skip
_TRACKING: Final[Mapping[str, Any]] = {
    "opens": True, "html_clicks": True, "text_clicks": False, "goal_tracking": False, "ecomm360": False,
    "google_analytics": "", "clicktale": "",
}  # fmt: skip


class Campaigns(Part):
    """Campaigns.

    Attributes:
        takes: how long a campaign is `sending` before it is `sent`.
        counts_after: how long after it was made Mailchimp knows how many recipients a campaign has, and lets it go.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.takes = timedelta(minutes=1)
        self.counts_after = timedelta()

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        one = "/campaigns/{campaign_id}"
        return {
            "GET /campaigns": self.list_all,
            "POST /campaigns": self.add,
            f"GET {one}": lambda call: call.answer(self._shown(call.campaign)),
            f"PATCH {one}": self.patch,
            f"DELETE {one}": self.delete,
            f"GET {one}/content": lambda call: call.answer(_content(call.campaign)),
            f"PUT {one}/content": self.put_content,
            f"GET {one}/send-checklist": self.checklist,
            f"POST {one}/actions/send": self.send,
            f"POST {one}/actions/schedule": self.schedule,
            f"POST {one}/actions/unschedule": self.unschedule,
            f"POST {one}/actions/cancel-send": self.cancel,
        }

    def settle(self) -> None:
        """Send what is due, and end what was being sent."""
        for campaign in self._account.campaigns.values():
            at = campaign.send_time
            if at is None or at > self._account.now:
                continue
            if campaign.status == "schedule":
                if self._obstacles(campaign):
                    campaign.status, campaign.send_time = "paused", None
                else:
                    self._release(campaign)
            if campaign.status == "sending" and self._account.now >= at + self.takes:
                campaign.status = "sent"
                self._account.on_sent(campaign)

    # made and changed

    def list_all(self, call: Call) -> Answer:
        """Return campaigns."""
        rows = [
            one
            for one in self._account.campaigns.values()
            if call.text("status") in ("", one.status)
            and call.text("type") in ("", one.type)
            and call.text("list_id") in ("", one.audience.id)
            and call.text("folder_id") in ("", one.settings.get("folder_id", ""))
            and call.within("since_create_time", "before_create_time", one.created_at)
            and call.within("since_send_time", "before_send_time", one.send_time)
            and (not call.text("member_id") or any(to.id == call.text("member_id") for to in one.recipients))
        ]
        if order := call.text("sort_field"):
            key = {"create_time": "created_at"}.get(order, order)
            rows.sort(key=lambda one: iso(getattr(one, key)), reverse=call.text("sort_dir").upper() == "DESC")
        return call.page("campaigns", rows, self._shown)

    def add(self, call: Call) -> Answer:
        """Make a campaign."""
        recipients = call.body.get("recipients") or {}
        audience = self._account.audiences.get(recipients.get("list_id", ""))
        if audience is None:
            raise malformed(("recipients.list_id", "This list does not exist."))
        campaign = Campaign(
            id=self._account.id(),
            web_id=self._account.number(),
            type=call.body["type"],
            audience=audience,
            created_at=self._account.now,
        )
        self._set(campaign, call.body)
        self._account.campaigns[campaign.id] = campaign
        return call.answer(self._shown(campaign))

    def patch(self, call: Call) -> Answer:
        """Change a campaign that is not on its way."""
        campaign = self._editable(call)
        self._set(campaign, call.body)
        return call.answer(self._shown(campaign))

    def _set(self, campaign: Campaign, body: dict[str, Any]) -> None:
        recipients = body.get("recipients")
        if recipients is not None:
            audience = self._account.audiences.get(recipients["list_id"])
            if audience is None:
                raise malformed(("recipients.list_id", "This list does not exist."))
            segment = recipients.get("segment_opts") or {}
            Segmenting(self._account, audience).select(segment)
            campaign.audience, campaign.segment = audience, segment
        campaign.settings |= body.get("settings") or {}
        campaign.tracking |= body.get("tracking") or {}

    def put_content(self, call: Call) -> Answer:
        """Say what a campaign says."""
        campaign, body = self._editable(call), call.body
        if not body.keys() & {"html", "plain_text"}:
            raise NotImplementedError("the simulator keeps html and plain_text, and no other content")
        campaign.html = body.get("html", campaign.html)
        campaign.plain = body.get("plain_text") or (_as_text(campaign.html) if "html" in body else campaign.plain)
        return call.answer(_content(campaign))

    def delete(self, call: Call) -> Answer:
        """Delete a campaign, with its report."""
        campaign = call.campaign
        if campaign.status == "sending":
            raise bad_request("This campaign is sending and cannot be deleted.")
        del self._account.campaigns[campaign.id]
        return Answer(status=204)

    def _editable(self, call: Call) -> Campaign:
        if call.campaign.status not in _EDITABLE:
            raise bad_request("This campaign is not editable.")
        return call.campaign

    # sent

    def checklist(self, call: Call) -> Answer:
        """Say what a campaign lacks."""
        campaign = call.campaign
        obstacles = list(self._obstacles(campaign))
        items = [
            {"type": "error", "id": 500 + index, "heading": heading, "details": details}
            for index, (heading, details) in enumerate(obstacles)
        ]
        audience = f"You will send to {campaign.audience.name}"
        items.append({"type": "success", "id": 400, "heading": "Audience", "details": audience})
        return call.answer({"is_ready": not obstacles, "items": items, "_links": links(call.request.path)})

    def _obstacles(self, campaign: Campaign) -> list[tuple[str, str]]:
        wanted = {
            "subject line": campaign.settings.get("subject_line"),
            "from name": campaign.settings.get("from_name"),
            "address(es)": campaign.settings.get("reply_to"),
            "content": campaign.html or campaign.plain,
        }
        obstacles = [(name, "It is missing.") for name, value in wanted.items() if not value]
        if self._account.now < campaign.created_at + self.counts_after:
            obstacles.append(("recipients not ready", "They are being counted."))
        elif not self._recipients(campaign):
            obstacles.append(("recipients", "Nobody is in this segment."))
        return obstacles

    def _recipients(self, campaign: Campaign) -> list[Member]:
        """Return who would get it now: who is subscribed, and in the segment."""
        try:
            test = Segmenting(self._account, campaign.audience).select(campaign.segment)
        except Refusal:
            return []  # the segment was deleted meanwhile
        return [one for one in campaign.audience.members.values() if one.status == "subscribed" and test(one)]

    def send(self, call: Call) -> Answer:
        """Let a campaign go, to everybody who is subscribed and in its segment at this moment."""
        campaign = self._ready(call)
        campaign.send_time = self._account.now
        self._release(campaign)
        return Answer(status=204)

    def schedule(self, call: Call) -> Answer:
        """Let a campaign go at a quarter of an hour."""
        campaign, at = self._ready(call), instant(call.body["schedule_time"])
        if at is None or at <= self._account.now:
            raise bad_request("This campaign cannot be scheduled: the time is past.")
        if at.minute % 15 or at.second or at.microsecond:
            raise bad_request("Campaigns may only be scheduled to send on the quarter-hour (:00, :15, :30, :45).")
        campaign.status, campaign.send_time = "schedule", at
        return Answer(status=204)

    def unschedule(self, call: Call) -> Answer:
        """Take the time back."""
        campaign = call.campaign
        if campaign.status != "schedule":
            raise bad_request("This campaign is not scheduled.")
        campaign.status, campaign.send_time = "save", None
        return Answer(status=204)

    def cancel(self, call: Call) -> Answer:
        """Stop a campaign that is on its way. What has left has left."""
        campaign = call.campaign
        if campaign.status != "sending":
            raise bad_request("This campaign cannot be canceled.")
        campaign.status = "canceled"
        self._account.on_sent(campaign)
        return Answer(status=204)

    def _ready(self, call: Call) -> Campaign:
        campaign = call.campaign
        if campaign.status not in _EDITABLE:
            raise bad_request("This campaign has already been sent or scheduled.")
        if obstacles := self._obstacles(campaign):
            raise not_ready(", ".join(heading for heading, _ in obstacles))
        return campaign

    def _release(self, campaign: Campaign) -> None:
        campaign.status = "sending"
        campaign.recipients = self._recipients(campaign)
        for member in campaign.recipients:
            self._account.sent.append((campaign.id, member.email))
            self._account.happened("sent", member, campaign, self._account.now)

    # shown

    def _shown(self, campaign: Campaign) -> dict[str, Any]:
        released = bool(campaign.recipients)
        count = len(campaign.recipients) if released else len(self._recipients(campaign))
        url = f"https://us6.campaign-archive.com/?u=0&id={campaign.id}"
        return {
            "id": campaign.id,
            "web_id": campaign.web_id,
            "type": campaign.type,
            "create_time": iso(campaign.created_at),
            "archive_url": url,
            "long_archive_url": url,
            "status": campaign.status,
            "emails_sent": len(campaign.recipients),
            "send_time": iso(campaign.send_time),
            "content_type": "html" if campaign.html else "template",
            "needs_block_refresh": False,
            "resendable": False,
            "recipients": {
                "list_id": campaign.audience.id,
                "list_is_active": True,
                "list_name": campaign.audience.name,
                "segment_text": "",
                "recipient_count": count,
                **({"segment_opts": {"match": "any", **campaign.segment}} if campaign.segment else {}),
            },
            "settings": {**_SETTINGS, **campaign.settings},
            "tracking": {**_TRACKING, **campaign.tracking},
            **({"report_summary": summary(campaign)} if released else {}),
            "delivery_status": {"enabled": False},
            "_links": links(f"/campaigns/{campaign.id}"),
        }


def _content(campaign: Campaign) -> dict[str, Any]:
    html = {"html": campaign.html, "archive_html": campaign.html} if campaign.html else {}
    return {"plain_text": campaign.plain, **html, "_links": links(f"/campaigns/{campaign.id}/content")}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data.strip())


def _as_text(html: str) -> str:
    """Return the plain text that Mailchimp makes where none is given."""
    reader = _Text()
    reader.feed(html)
    return "\n".join(part for part in reader.parts if part)
