"""Mails one by one, through Mail Send. 202 says that SendGrid has taken one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifecycle_mail.errors import EspRefused, Unscreened
from lifecycle_mail.files.sendgrid import CAMPAIGN_ARG, CONTACT_ARG, MAIL_ARG
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Content
from lifecycle_mail_sendgrid.account import NAME, Account


class Mails:
    """The port `SendsMails`.

    Args:
        account: the account.
        sender: `email`, and `name` if there is one.
        templates: the id of the dynamic template of campaigns that SendGrid has the text of.
        email_activity: whether the account has the Email Activity add-on.
    """

    def __init__(
        self, account: Account, *, sender: Mapping[str, str], templates: Mapping[str, str], email_activity: bool
    ) -> None:
        self._account = account
        self._sender = sender
        self._templates = templates
        self._email_activity = email_activity

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over."""
        if not isinstance(recipient, Screened):
            raise Unscreened("a send port takes only what the screen made: plan a campaign and send the plan")
        body = self._body(recipient, content)
        self._account.ask("send", self._account.client.mail.send.post, request_body=body)

    def _body(self, to: Screened, content: Content | None) -> dict[str, Any]:
        args = {
            CONTACT_ARG: to.contact_id,
            CAMPAIGN_ARG: to.campaign,
            MAIL_ARG: f"{to.campaign}:{to.contact_id}",
        }
        body: dict[str, Any] = {
            "personalizations": [{"to": [{"email": to.address.deliverable}], "custom_args": args}],
            "from": dict(self._sender),
            "categories": [str(to.campaign)],
        }
        if content is not None:
            parts = [("text/plain", content.text), ("text/html", content.html)]
            body["subject"] = content.subject
            body["content"] = [{"type": kind, "value": text} for kind, text in parts if text]
            if content.headers:
                body["headers"] = dict(content.headers)
        elif to.campaign in self._templates:
            body["template_id"] = self._templates[to.campaign]
        else:
            raise EspRefused(
                esp=NAME, operation="send", status=400, body=f"campaign {to.campaign!r} has no text",
                fix="give content, or name its template",
            )  # fmt: skip
        own_way_out = content is not None and any(name.lower() == "list-unsubscribe" for name in content.headers)
        if to.leaves_list is not None and not own_way_out:
            body["asm"] = {"group_id": self._account.topics.of(to.leaves_list).group}
        if to.leaves_list is None:
            # What must reach somebody reaches who left marketing and who complained of it; no dead address (O2).
            body["mail_settings"] = {
                "bypass_unsubscribe_management": {"enable": True},
                "bypass_spam_management": {"enable": True},
            }
        return body

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Ask Email Activity, where there is one. It lags, so that what it does not show is no promise."""
        if not self._email_activity:
            return None
        query = f"unique_args['{MAIL_ARG}']=\"{campaign}:{contact_id}\""
        found = self._account.ask(
            "was_sent", self._account.client.messages.get, query_params={"query": query, "limit": 1}
        )
        return True if found.get("messages") else None
