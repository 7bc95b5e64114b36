"""Reports: what recipients did with a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.problems import not_found
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Campaign, Happening, Member, iso, links

_ACTIVE = frozenset({"open", "click", "bounce"})


def summary(campaign: Campaign) -> dict[str, Any]:
    """Return what a campaign says of its own report."""
    opens, clicks = _of(campaign, "open"), _of(campaign, "click")
    sent = len(campaign.recipients) or 1
    return {
        "opens": len(opens),
        "unique_opens": len(_who(opens)),
        "open_rate": len(_who(opens)) / sent,
        "clicks": len(clicks),
        "subscriber_clicks": len(_who(clicks)),
        "click_rate": len(_who(clicks)) / sent,
        "ecommerce": {"total_orders": 0, "total_spent": 0, "total_revenue": 0},
    }


class Reports(Part):
    """Reports of campaigns that have left, and complaints."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        one = "/reports/{campaign_id}"
        return {
            "GET /reports": self.list_all,
            f"GET {one}": lambda call: call.answer(_report(self._campaign(call))),
            f"GET {one}/email-activity": self.activity,
            f"GET {one}/email-activity/{{subscriber_hash}}": self.activity_of,
            f"GET {one}/sent-to": self.sent_to,
            f"GET {one}/unsubscribed": self.unsubscribed,
            "GET /lists/{list_id}/abuse-reports": self.complaints,
        }

    def list_all(self, call: Call) -> Answer:
        """Return the reports of all campaigns."""
        rows = [
            one
            for one in self._account.campaigns.values()
            if one.recipients
            and call.text("type") in ("", one.type)
            and call.within("since_send_time", "before_send_time", one.send_time)
        ]
        return call.page("reports", rows, _report)

    def activity(self, call: Call) -> Answer:
        """Return what each recipient did; since an instant, only of those who did something since then."""
        campaign, since = self._campaign(call), call.instant("since")
        found = [(member, _done(campaign, member, since)) for member in campaign.recipients]
        rows = [one for one in found if one[1] or since is None]
        return call.page("emails", rows, lambda one: _activity(campaign, *one), campaign_id=campaign.id)

    def activity_of(self, call: Call) -> Answer:
        """Return what one recipient did."""
        campaign = self._campaign(call)
        for member in campaign.recipients:
            if member.id == call["subscriber_hash"].lower():
                return call.answer(_activity(campaign, member, _done(campaign, member, call.instant("since"))))
        raise not_found()

    def sent_to(self, call: Call) -> Answer:
        """Return the recipients."""
        campaign = self._campaign(call)
        bounced = {one.member: one for one in _of(campaign, "bounce")}

        def show(member: Member) -> dict[str, Any]:
            opens = [one.at for one in _of(campaign, "open") if one.member is member]
            bounce = bounced.get(member)
            return {
                **_named(campaign.audience, member),
                "status": "sent" if bounce is None else "hard" if bounce.hard else "soft",
                "open_count": len(opens),
                "last_open": iso(max(opens, default=None)),
                "gmt_offset": 0,
                "campaign_id": campaign.id,
            }

        return call.page("sent_to", campaign.recipients, show, campaign_id=campaign.id)

    def unsubscribed(self, call: Call) -> Answer:
        """Return who left by this campaign."""
        campaign = self._campaign(call)
        rows = [one for one in campaign.happenings if one.kind in ("unsub", "abuse")]

        def show(one: Happening) -> dict[str, Any]:
            named = _named(campaign.audience, one.member)
            return {**named, "timestamp": iso(one.at), "reason": one.reason, "campaign_id": campaign.id}

        return call.page("unsubscribes", rows, show, campaign_id=campaign.id)

    def complaints(self, call: Call) -> Answer:
        """Return who complained, in an audience."""
        audience = call.audience
        rows = [
            (number, one)
            for number, one in enumerate(
                (one for member in audience.members.values() for one in member.happenings if one.kind == "abuse"), 1
            )
        ]

        def show(row: tuple[int, Happening]) -> dict[str, Any]:
            number, one = row
            campaign = {} if one.campaign is None else {"campaign_id": one.campaign.id}
            named = {key: value for key, value in _named(audience, one.member).items() if key != "list_is_active"}
            return {"id": number, **named, **campaign, "date": iso(one.at)}

        return call.page("abuse_reports", rows, show, list_id=audience.id)

    def _campaign(self, call: Call) -> Campaign:
        if not call.campaign.recipients:
            raise not_found()
        return call.campaign


def _of(campaign: Campaign, kind: str) -> list[Happening]:
    return [one for one in campaign.happenings if one.kind == kind]


def _who(happenings: list[Happening]) -> set[Member]:
    return {one.member for one in happenings}


def _done(campaign: Campaign, member: Member, since: datetime | None) -> list[Happening]:
    return [
        one
        for one in member.happenings
        if one.campaign is campaign and one.kind in _ACTIVE and (since is None or one.at > since)
    ]


def _named(audience: Audience, member: Member) -> dict[str, Any]:
    return {
        "email_id": member.id,
        "email_address": member.email,
        "merge_fields": {tag: member.merge.get(tag, "") for tag in audience.fields},
        "vip": member.vip,
        "list_id": audience.id,
        "list_is_active": True,
        "_links": [],
    }


def _activity(campaign: Campaign, member: Member, done: list[Happening]) -> dict[str, Any]:
    def show(one: Happening) -> dict[str, Any]:
        more = {"click": {"url": one.url}, "bounce": {"type": "hard" if one.hard else "soft"}}
        return {"action": one.kind, "timestamp": iso(one.at), "ip": "192.0.2.1", **more.get(one.kind, {})}

    named = {
        key: value for key, value in _named(campaign.audience, member).items() if key not in ("merge_fields", "vip")
    }
    return {"campaign_id": campaign.id, **named, "activity": [show(one) for one in done]}


def _report(campaign: Campaign) -> dict[str, Any]:
    told = summary(campaign)
    opens, clicks, bounces = (_of(campaign, kind) for kind in ("open", "click", "bounce"))
    return {
        "id": campaign.id,
        "campaign_title": campaign.title,
        "type": campaign.type,
        "list_id": campaign.audience.id,
        "list_is_active": True,
        "list_name": campaign.audience.name,
        "subject_line": campaign.settings.get("subject_line", ""),
        "preview_text": campaign.settings.get("preview_text", ""),
        "emails_sent": len(campaign.recipients),
        "abuse_reports": len(_of(campaign, "abuse")),
        "unsubscribed": len(_of(campaign, "unsub")),
        "send_time": iso(campaign.send_time),
        "bounces": {
            "hard_bounces": sum(one.hard for one in bounces),
            "soft_bounces": sum(not one.hard for one in bounces),
            "syntax_errors": 0,
        },
        "forwards": {"forwards_count": 0, "forwards_opens": 0},
        "opens": {
            "opens_total": told["opens"],
            "unique_opens": told["unique_opens"],
            "open_rate": told["open_rate"],
            "last_open": iso(max((one.at for one in opens), default=None)),
        },
        "clicks": {
            "clicks_total": told["clicks"],
            "unique_clicks": len({(one.member, one.url) for one in clicks}),
            "unique_subscriber_clicks": told["subscriber_clicks"],
            "click_rate": told["click_rate"],
            "last_click": iso(max((one.at for one in clicks), default=None)),
        },
        "facebook_likes": {"recipient_likes": 0, "unique_likes": 0, "facebook_likes": 0},
        "list_stats": {"sub_rate": 0, "unsub_rate": 0, "open_rate": 0, "click_rate": 0},
        "ecommerce": {"total_orders": 0, "total_spent": 0, "total_revenue": 0},
        "delivery_status": {"enabled": False},
        "_links": links(f"/reports/{campaign.id}"),
    }
