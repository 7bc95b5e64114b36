"""What is known of mails afterwards, and erasing it.

E-mail activity must be bought. Segments see the events of single sends, half an hour late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, Job, iso
from lifecycle_mail_sendgrid.testing.mailing import Mailing, Message
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal
from lifecycle_mail_sendgrid.testing.sgql import BadQuery, compiled

ENGAGEMENT_LAG: Final = timedelta(minutes=30)
MOST_ERASED: Final = 5000
MOST_ERASED_BYTES: Final = 256_000
_SEEN_AS: Final = {"delivered": "delivered", "open": "opened", "click": "clicked", "bounce": "bounced"}
_NAMES: Final = frozenset({
    "msg_id", "from_email", "to_email", "subject", "status", "template_id", "unsubscribe_group_id", "categories",
    "unique_args", "last_event_time", "clicks", "opens", "campaign_id", "campaign_name",
})  # fmt: skip


class Activity(Part):
    """Answers what became of mails.

    Attributes:
        bought: whether the account has e-mail activity.
    """

    def __init__(self, account: Account, mailing: Mailing) -> None:
        self._account = account
        self._mailing = mailing
        self.bought = False

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {"GET /v3/messages": self._find}

    def _find(self, call: Call) -> Answer:
        if not self.bought:
            raise Refusal(403, (None, "access forbidden"))
        limit = call.number("limit", 10)
        if not 1 <= limit <= 1000:
            raise Refusal(400, (None, "limit must be between 1 and 1000"))
        try:
            matches = compiled(call.query("query"), names=_NAMES, now=self._account.now)
        except BadQuery as error:
            raise Refusal(400, (None, str(error))) from None
        latest = sorted(self._mailing.messages, key=lambda one: one.last_event_at, reverse=True)
        return Answer(json={"messages": [_shown(one) for one in latest if matches(_row(one))][:limit]})

    def events(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield the events of single sends, as the table `event_data` of segments has them, half an hour late."""
        for message in self._mailing.messages:
            for kind, at in message.events if message.mail.contact_id else ():
                if kind in _SEEN_AS and at <= self._account.now - ENGAGEMENT_LAG:
                    mail = message.mail
                    yield mail.contact_id, "mail", _SEEN_AS[kind], iso(at), mail.single_send


class Erasure(Part):
    """Erases what is known of an address: of its mails, not the contact, and not that it is held back.

    Attributes:
        erased: the addresses, lower case, in the order in which they were erased.
    """

    def __init__(self, account: Account, mailing: Mailing) -> None:
        self._account = account
        self._mailing = mailing
        self.erased: list[str] = []

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {"POST /v3/recipients/erasejob": self._erase}

    def _erase(self, call: Call) -> Answer:
        emails = call.body.get("email_addresses")
        if not isinstance(emails, list) or not 1 <= len(emails) <= MOST_ERASED:
            message = f"between 1 and {MOST_ERASED} email addresses must be given"
            raise Refusal(400, ("email_addresses", message))
        if len(call.request.body) > MOST_ERASED_BYTES:
            raise Refusal(400, ("email_addresses", "the payload is larger than 256 KB"))
        if len(set(emails)) < len(emails):
            raise Refusal(400, ("email_addresses", "email addresses must be unique"))
        wanted = {one.lower() for one in emails}

        def work(_: Job) -> None:
            self.erased += sorted(wanted)
            kept = self._mailing.messages
            kept[:] = [one for one in kept if one.mail.email.lower() not in wanted]

        return Answer(status=202, json={"job_id": self._account.start("erase", work, requested=len(emails)).id})


def _row(message: Message) -> dict[str, Any]:
    mail = message.mail
    return {
        "msg_id": mail.msg_id,
        "from_email": mail.from_email,
        "to_email": mail.email,
        "subject": mail.subject,
        "status": message.status,
        "template_id": mail.template_id or None,
        "unsubscribe_group_id": None if mail.group_id is None else str(mail.group_id),
        "categories": list(mail.categories),
        "unique_args": dict(mail.custom_args),
        "last_event_time": message.last_event_at,
        "clicks": float(message.clicks),
        "opens": float(message.opens),
        "campaign_id": mail.single_send or None,
        "campaign_name": mail.single_send_name or None,
    }


def _shown(message: Message) -> dict[str, Any]:
    mail = message.mail
    return {
        "from_email": mail.from_email,
        "msg_id": mail.msg_id,
        "subject": mail.subject,
        "to_email": mail.email,
        "status": message.status,
        "opens_count": message.opens,
        "clicks_count": message.clicks,
        "last_event_time": iso(message.last_event_at),
    }
