"""Mails: from being taken to being sent or dropped, and the events on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import define, field, frozen

from lifecycle_mail_sendgrid.testing.account import Account, epoch
from lifecycle_mail_sendgrid.testing.groups import Groups
from lifecycle_mail_sendgrid.testing.suppressions import Suppressions

_HELD_BACK: Final = (
    ("unsubscribes", "unsubscribe", "Unsubscribed Address"),
    ("bounces", "bounce", "Bounced Address"),
    ("spam_reports", "spam", "Spam Reporting Address"),
    ("invalid_emails", "bounce", "Invalid"),
)
"""The lists that hold a mail back, what lets it pass all the same, and what is said of it."""

_DELIVERY: Final = frozenset({"processed", "dropped", "deferred", "delivered", "bounce"})
_HOST: Final = "recvd-5d6f7b8c9-sim01"


@frozen(kw_only=True)
class SentMail:
    """A mail to one address.

    Attributes:
        email: to whom, as it was written.
        message_id: what the answer to Mail Send names, or the same for a mail of a single send.
        msg_id: what events and e-mail activity name; it begins with `message_id`.
        subject, text, html: what it says; of a template there is only its id.
        from_email: from whom.
        at: when it went.
        custom_args: ours, by name.
        categories: its labels.
        headers: further headers.
        substitutions: what is put into the text for this address.
        template_id: the template, if there is one.
        group_id: the unsubscribe group, if there is one.
        batch_id: the batch, if there is one.
        single_send, single_send_name: which single send it is of, if it is.
        contact_id: SendGrid's id of the contact, where it is of a single send.
    """

    email: str
    message_id: str
    msg_id: str
    subject: str
    text: str = ""
    html: str = ""
    from_email: str
    at: datetime
    custom_args: Mapping[str, str] = field(factory=dict)
    categories: Sequence[str] = ()
    headers: Mapping[str, str] = field(factory=dict)
    substitutions: Mapping[str, Any] = field(factory=dict)
    template_id: str = ""
    group_id: int | None = None
    batch_id: str = ""
    single_send: str = ""
    single_send_name: str = ""
    contact_id: str = ""


@define(kw_only=True, eq=False)
class Message:
    """What e-mail activity knows of a mail.

    Attributes:
        mail: the mail.
        status: `processed`, `delivered` or `not_delivered`.
        reason: why it was dropped; empty where it was not.
        opens, clicks: how often.
        last_event_at: when something happened last.
        events: what happened when, as segments see it.
    """

    mail: SentMail
    status: str
    last_event_at: datetime
    reason: str = ""
    opens: int = 0
    clicks: int = 0
    events: list[tuple[str, datetime]] = field(factory=list)


class Mailing:
    """Sends mails, drops those that it must, and says what happened.

    Attributes:
        sent: every mail that somebody got, in order.
        messages: every mail, dropped ones too, as e-mail activity knows them.
    """

    def __init__(
        self,
        account: Account,
        suppressions: Suppressions,
        groups: Groups,
        post: Callable[[Sequence[Mapping[str, Any]]], None],
    ) -> None:
        self._account = account
        self._suppressions = suppressions
        self._groups = groups
        self._post = post
        self._numbers = 0
        self.sent: list[SentMail] = []
        self.messages: list[Message] = []

    def msg_id(self, message_id: str) -> str:
        """Return a fresh id of one mail of a message."""
        self._numbers += 1
        return f"{message_id}.{_HOST}-1-{epoch(self._account.now):X}-{self._numbers:X}.0"

    def held_back(self, mail: SentMail, bypass: frozenset[str]) -> str:
        """Return why an address gets nothing; empty where it does."""
        if "list" in bypass:
            return ""
        email = mail.email.lower()
        for name, passing, reason in _HELD_BACK:
            if passing not in bypass and email in self._suppressions(name):
                return reason
        group = None if mail.group_id is None else self._groups.get(mail.group_id)
        return "Unsubscribed Address" if group is not None and email in group.left else ""

    def send(self, mails: Sequence[SentMail], *, bypass: frozenset[str] = frozenset()) -> None:
        """Send mails, or drop those to addresses that are held back.

        Args:
            mails: the mails.
            bypass: which lists are looked past: `list` for all, or `unsubscribe`, `bounce`, `spam`.
        """
        self._post([event for mail in mails for event in self._handled(mail, bypass)])

    def _handled(self, mail: SentMail, bypass: frozenset[str]) -> Iterator[Mapping[str, Any]]:
        now = self._account.now
        reason = self.held_back(mail, bypass)
        message = Message(
            mail=mail, status="not_delivered" if reason else "delivered", reason=reason, last_event_at=now
        )
        self.messages.append(message)
        if reason:
            yield self.event("dropped", message, now, reason=reason, status="5.0.0")
            return
        self.sent.append(mail)
        yield self.event("processed", message, now)
        yield self.event("delivered", message, now, response="250 2.0.0 OK", ip="167.89.0.1", tls=1)

    def said(self, event: Mapping[str, Any]) -> None:
        """Post one event."""
        self._post([event])

    def event(self, kind: str, message: Message, at: datetime, **more: Any) -> Mapping[str, Any]:
        """Return an event about a mail: our own arguments first, so that SendGrid's keys outrank them."""
        mail = message.mail
        message.last_event_at = max(message.last_event_at, at)
        message.events.append((kind, at))
        single_send = {
            "mc_stats": "singlesend",
            "phase_id": "send",
            "send_at": str(epoch(mail.at)),
            "singlesend_id": mail.single_send,
            "singlesend_name": mail.single_send_name,
        }
        return {
            **mail.custom_args,
            **(single_send if mail.single_send else {}),
            "email": mail.email,
            "timestamp": epoch(at),
            **({"smtp-id": f"<{mail.message_id}@geopod-ismtpd-1>"} if kind in _DELIVERY else {}),
            "event": kind,
            **({"category": list(mail.categories)} if mail.categories or mail.single_send else {}),
            "sg_event_id": self._account.short_id(),
            "sg_message_id": mail.msg_id,
            **({} if mail.group_id is None else {"asm_group_id": mail.group_id}),
            **more,
        }
