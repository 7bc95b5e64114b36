"""Webhooks of an audience, and what is posted to them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from attrs import field, frozen

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.problems import invalid, malformed, not_found
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Campaign, Member, Webhook, links

EVENTS: Final = ("subscribe", "unsubscribe", "profile", "upemail", "cleaned", "campaign")
SOURCES: Final = ("user", "admin", "api")


@frozen
class Posted:
    """What Mailchimp posts to a webhook.

    Attributes:
        list_id: the audience that it is about.
        kind: the type of event.
        url: the address; empty where the audience has no webhook.
        headers: by name.
        body: a form, in bytes.
    """

    list_id: str
    kind: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Hooks(Part):
    """Webhooks.

    Attributes:
        posted: what was posted, in order. Nothing really is: a test hands it to whom it likes.
        probe: asks an address by GET, and returns the status; only one that answers 200 is taken.
        signing_secret: what is signed with what an audience without any webhook would post; None signs nothing.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.posted: list[Posted] = []
        self.probe: Callable[[str], int] = lambda _url: 200
        self.signing_secret: str | None = None
        account.on_change = self.fire
        account.on_sent = self.fire_campaign

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        every = "/lists/{list_id}/webhooks"
        return {
            f"GET {every}": self.list_all,
            f"POST {every}": self.add,
            f"GET {every}/{{webhook_id}}": lambda call: call.answer(_shown(call.audience, self._webhook(call))),
            f"PATCH {every}/{{webhook_id}}": self.patch,
            f"DELETE {every}/{{webhook_id}}": self.delete,
        }

    def make(self, audience: Audience, url: str, *, events: Mapping[str, bool], sources: Mapping[str, bool]) -> Webhook:
        """Give an audience a webhook. It is signed, as every new one is."""
        webhook = Webhook(
            id=self._account.id(),
            url=url,
            events={name: bool(events.get(name)) for name in EVENTS},
            sources={name: bool(sources.get(name)) for name in SOURCES},
            secret=self._account.id(64),
        )
        audience.webhooks[webhook.id] = webhook
        return webhook

    # over the API

    def list_all(self, call: Call) -> Answer:
        """Return the webhooks, without their secrets."""
        audience = call.audience
        hooks = [_shown(audience, one) for one in audience.webhooks.values()]
        more = {"list_id": audience.id, "total_items": len(hooks), "_links": links(call.request.path)}
        return call.answer({"webhooks": hooks, **more})

    def add(self, call: Call) -> Answer:
        """Make a webhook, and show its secret, this once."""
        url = self._checked(call.body.get("url"))
        if any(one.url == url for one in call.audience.webhooks.values()):
            raise invalid("Sorry, you can't set up multiple WebHooks for one URL")
        webhook = self.make(
            call.audience, url, events=call.body.get("events") or {}, sources=call.body.get("sources") or {}
        )
        return call.answer({**_shown(call.audience, webhook), "signing_secret": webhook.secret})

    def patch(self, call: Call) -> Answer:
        """Change a webhook."""
        webhook, body = self._webhook(call), call.body
        if "url" in body:
            webhook.url = self._checked(body["url"])
        webhook.events |= body.get("events") or {}
        webhook.sources |= body.get("sources") or {}
        return call.answer(_shown(call.audience, webhook))

    def delete(self, call: Call) -> Answer:
        """Delete a webhook."""
        del call.audience.webhooks[self._webhook(call).id]
        return Answer(status=204)

    def _checked(self, url: object) -> str:
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise malformed(("url", "Please enter a valid URL."))
        if self.probe(url) != 200:
            raise malformed(("url", "We were unable to validate the URL: it must answer 200 to a GET."))
        return url

    def _webhook(self, call: Call) -> Webhook:
        if call["webhook_id"] not in call.audience.webhooks:
            raise not_found()
        return call.audience.webhooks[call["webhook_id"]]

    # posted

    def fire(self, audience: Audience, kind: str, member: Member, more: dict[str, str], source: str) -> None:
        """Post an event to every webhook of an audience that wants it.

        An audience without any posts what people do all the same, to nowhere, so that a test need not make one.
        """
        body = urlencode(self._form(audience, kind, member, more)).encode()
        if not audience.webhooks and source == "user":
            self._post(audience, kind, "", self.signing_secret, body)
        for webhook in audience.webhooks.values():
            if webhook.events.get(kind) and webhook.sources.get(source):
                self._post(audience, kind, webhook.url, webhook.secret, body)

    def fire_campaign(self, campaign: Campaign) -> None:
        """Post to the webhooks that want it what became of a campaign."""
        told = {
            "type": "campaign",
            "fired_at": f"{self._account.now:%Y-%m-%d %H:%M:%S}",
            "data[id]": campaign.id,
            "data[subject]": str(campaign.settings.get("subject_line", "")),
            "data[status]": campaign.status,
            "data[reason]": "",
            "data[list_id]": campaign.audience.id,
        }
        for webhook in campaign.audience.webhooks.values():
            if webhook.events.get("campaign"):
                self._post(campaign.audience, "campaign", webhook.url, webhook.secret, urlencode(told).encode())

    def _post(self, audience: Audience, kind: str, url: str, secret: str | None, body: bytes) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "MailChimp"}
        if secret is not None:
            at = int(self._account.now.timestamp())
            signature = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
            headers["X-Mailchimp-Signature"] = f"t={at},v1={signature}"
        self.posted.append(Posted(audience.id, kind, url, headers, body))

    def _form(self, audience: Audience, kind: str, member: Member, more: dict[str, str]) -> list[tuple[str, str]]:
        at = more.pop("at", "") or f"{self._account.now:%Y-%m-%d %H:%M:%S}"
        data: dict[str, str] = {"list_id": audience.id}
        if kind in ("subscribe", "unsubscribe", "profile"):
            data |= {
                "id": member.unique_email_id,
                "email": member.email,
                "email_type": member.email_type,
                "ip_opt": member.ip_opt,
                "web_id": str(member.web_id),
                **({"ip_signup": member.ip_signup} if kind == "subscribe" else {}),
            }
        elif kind == "cleaned":
            data["email"] = member.email
        form = [("type", kind), ("fired_at", at)]
        form += [(f"data[{name}]", value) for name, value in {**data, **more}.items()]
        if "id" in data:
            form += [(f"data[merges]{name}", value) for name, value in _merges(audience, member)]
        return form


def _merges(audience: Audience, member: Member) -> list[tuple[str, str]]:
    merges = [("[EMAIL]", member.email)]
    merges += [(f"[{tag}]", str(member.merge.get(tag, ""))) for tag in audience.fields]
    names: list[str] = []
    groupings: list[tuple[str, str]] = []
    for index, category in enumerate(audience.categories.values()):
        has = [one.name.replace(",", "\\,") for one in category.interests.values() if one.id in member.interests]
        names += has
        told = {"id": str(index + 1), "unique_id": category.id, "name": category.title, "groups": ", ".join(has)}
        groupings += [(f"[GROUPINGS][{index}][{key}]", value) for key, value in told.items()]
    return [*merges, ("[INTERESTS]", ", ".join(names)), *groupings]


def _shown(audience: Audience, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.events,
        "sources": webhook.sources,
        "list_id": audience.id,
        "signing_enabled": True,
        "_links": links(f"/lists/{audience.id}/webhooks/{webhook.id}"),
    }
