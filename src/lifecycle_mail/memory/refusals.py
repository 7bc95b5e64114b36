"""What real ESPs say when they refuse, for the fake to say it too (E4).

Each is a status and a body in the vendor's own shape, with `{address}` where it names somebody. A test holds them
against answers that were recorded. Scripted by name::

    esp.refuse("ada@example.com", like="mailchimp/member-in-compliance-state")
    esp.fail("stage", like="sendgrid/too-many-requests")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, UnknownName


@frozen(kw_only=True)
class Refusal:
    """One way in which a vendor refuses.

    Attributes:
        status: the status code.
        body: the body; text in it may hold `{address}`.
        when: what brings it about.
    """

    status: int
    body: Any
    when: str

    @property
    def error(self) -> type[EspError]:
        """What it is in our tree: busy servers may be asked again, the rest is final."""
        return EspUnavailable if self.status in (429, 500, 503) else EspRefused

    def text(self, address: str = "someone@example.com") -> str:
        """Return the body as it is sent, about somebody."""
        if self.body is None:
            return ""
        return json.dumps(self.body, ensure_ascii=False).replace("{address}", json.dumps(address)[1:-1])


def _problem(title: str, status: int, detail: str, **more: Any) -> Mapping[str, Any]:
    """Mailchimp's problem document."""
    return {"title": title, "status": status, "detail": detail, **more}


def _field(field: str, message: str) -> Mapping[str, str]:
    return {"field": field, "message": message}


def _errors(message: str, **more: Any) -> Mapping[str, Any]:
    """SendGrid's list of errors."""
    return {"errors": [{**more, "message": message}]}


_COMPLIANCE = (
    "{address} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
)
_FORGOTTEN = (  # fmt: skip
    "{address} was permanently deleted and cannot be re-imported. "
    "The contact must re-subscribe to get back on the list."
)

REFUSALS: Final[Mapping[str, Refusal]] = {
    # -- Mailchimp
    "mailchimp/member-in-compliance-state": Refusal(
        status=400,
        body=_problem("Member In Compliance State", 400, _COMPLIANCE),
        when="somebody who left, bounced or is under review is set to subscribed",
    ),
    "mailchimp/forgotten-email": Refusal(
        status=400,
        body=_problem("Forgotten Email Not Subscribed", 400, _FORGOTTEN),
        when="somebody who was deleted for good is added again, even as pending",
    ),
    "mailchimp/looks-fake": Refusal(
        status=400,
        body=_problem("Invalid Resource", 400, "{address} looks fake or invalid, please enter a real email address."),
        when="an address of a role, of an example domain, or of a kind that it has seen too often",
    ),
    "mailchimp/no-address": Refusal(
        status=400,
        body=_problem("Invalid Resource", 400, "Please provide a valid email address."),
        when="it is no address",
    ),
    "mailchimp/member-exists": Refusal(
        status=400,
        body=_problem(
            "Member Exists", 400, "{address} is already a list member. Use PUT to insert or update list members."
        ),
        when="a member is added who is there already, also under another spelling",
    ),
    "mailchimp/merge-field-invalid": Refusal(
        status=400,
        body=_problem(
            "Invalid Resource", 400, "Your merge fields were invalid.", errors=[_field("LTV", "Please enter a number")]
        ),
        when="a value does not fit the type of its merge field",
    ),
    "mailchimp/merge-field-required": Refusal(
        status=400,
        body=_problem(
            "Invalid Resource", 400, "Your merge fields were invalid.", errors=[_field("RADIO", "Please enter a value")]
        ),
        when="a merge field that the audience requires is missing",
    ),
    "mailchimp/segment-invalid": Refusal(
        status=400,
        body=_problem(
            "Invalid Resource",
            400,
            "segment conditions failed validation",
            errors=[
                _field(
                    "definition",
                    "op must be one of is | not | contains | notcontain | starts | ends | greater "
                    "| less | blank | blank_not",
                )
            ],
        ),
        when="a segment has a condition that it does not know",
    ),
    "mailchimp/not-found": Refusal(
        status=404,
        body=_problem("Resource Not Found", 404, "The requested resource could not be found."),
        when="a member, audience, segment or campaign is not there, or not any more",
    ),
    "mailchimp/cannot-be-removed": Refusal(
        status=405,
        body={
            "title": "Method Not Allowed",
            "status": 405,
            "detail": "This list member cannot be removed. "
            "Can not archive a contact that is bounced, pending or archived",
        },
        when="a member who bounced, is pending or archived is archived",
    ),
    "mailchimp/too-many-connections": Refusal(
        status=429,
        body=None,
        when="an eleventh call at the same time; it comes without a body and a content type",
    ),
    # -- SendGrid
    "sendgrid/address-invalid": Refusal(
        status=400,
        body=_errors("email '{address}' is not valid", field="contacts[0].email"),
        when="one address of a batch of contacts is none: the whole batch is refused",
    ),
    "sendgrid/authorization-required": Refusal(
        status=401,
        body=_errors("authorization required", field=None),
        when="the key is missing, wrong, or lacks a scope",
    ),
    "sendgrid/id-invalid": Refusal(status=404, body=_errors("Invalid id provided."), when="a webhook is not there"),
    "sendgrid/segment-missing": Refusal(
        status=404, body={"error": "Segment does not exist."}, when="a segment is not there, or not any more"
    ),
    "sendgrid/webhook-url-invalid": Refusal(
        status=400, body=_errors("'https://example.com' is not a valid url"), when="a webhook's URL cannot be reached"
    ),
    "sendgrid/webhook-exists": Refusal(
        status=400,
        body=_errors(
            "Webhook at 'https://example.com' already exists. Please provide a unique URL.",
            id="123abc456def890ghi",
            url="https://example.com",
        ),
        when="a URL has a webhook already",
    ),
    "sendgrid/webhooks-at-limit": Refusal(
        status=400,
        body=_errors("You have reached the maximum number of webhooks per your current billing plan."),
        when="the plan allows no further webhook",
    ),
    "sendgrid/webhook-not-in-plan": Refusal(
        status=400,
        body=_errors("This webhook cannot be modified based on your current billing plan."),
        when="the plan does not allow the change",
    ),
    "sendgrid/sort-invalid": Refusal(
        status=400,
        body=_errors("invalid sort value", field="sort_by"),
        when="a parameter has a value that it cannot have",
    ),
    "sendgrid/server-error": Refusal(
        status=500,
        body={
            "error": "Please check [our status page](https://status.sendgrid.com/) for updates or [contact support]"
            "(https://support.sendgrid.com/) if the issue is not listed."
        },
        when="it is in trouble itself",
    ),
    "sendgrid/too-many-requests": Refusal(
        status=429,
        body=_errors("too many requests", field=None),
        when="more calls in a minute than it allows; X-RateLimit-Reset says when it goes on",
    ),
}
"""Every documented refusal of both vendors that was recorded or is in their own examples, by name."""


def refusal_named(name: str) -> Refusal:
    """Find a refusal.

    Raises:
        UnknownName: no such one; near misses are listed.
    """
    if name not in REFUSALS:
        raise UnknownName("refusal", name, REFUSALS)
    return REFUSALS[name]
