"""What people do: each thing changes the account as it would at SendGrid, and posts its event."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from lifecycle_mail_sendgrid.testing.account import Account
from lifecycle_mail_sendgrid.testing.groups import Groups
from lifecycle_mail_sendgrid.testing.mailing import Mailing, Message, SentMail
from lifecycle_mail_sendgrid.testing.suppressions import Suppressions

BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PROXY: Final = "Mozilla/5.0"


class People:
    """Lets people do things.

    Every method takes the address, and may be told when (`at`; now, else) and which mail it is about (`mail`; the
    latest one to that address, else). Who never got a mail can still leave, bounce and complain.
    """

    def __init__(self, account: Account, mailing: Mailing, suppressions: Suppressions, groups: Groups) -> None:
        self._account = account
        self._mailing = mailing
        self._suppressions = suppressions
        self._groups = groups

    def unsubscribe(
        self, email: str, at: datetime | None = None, *, group: int | None = None, mail: SentMail | None = None
    ) -> None:
        """Leave an unsubscribe group, or everything; who leaves a group that was deleted leaves everything."""
        with self._account.lock:
            everything = group is None or self._groups.leave(group, email, at)
            if everything:
                self._suppressions.add("unsubscribes", email, at)
                self._say("unsubscribe", email, at, mail)
            else:
                self._say(
                    "group_unsubscribe", email, at, mail, asm_group_id=group, useragent=BROWSER, ip="198.51.100.7"
                )

    def resubscribe(self, email: str, group: int, at: datetime | None = None, *, mail: SentMail | None = None) -> None:
        """Come back to a group on SendGrid's own preference page."""
        with self._account.lock:
            found = self._groups.get(group)
            if found is not None:
                found.left.pop(email.lower(), None)
            self._say("group_resubscribe", email, at, mail, asm_group_id=group, useragent=BROWSER, ip="198.51.100.7")

    def complain(self, email: str, at: datetime | None = None, *, mail: SentMail | None = None) -> None:
        """Mark a mail as spam."""
        with self._account.lock:
            self._suppressions.add("spam_reports", email, at, ip="198.51.100.7")
            self._say("spamreport", email, at, mail)

    def bounce(
        self,
        email: str,
        at: datetime | None = None,
        *,
        status: str = "5.1.1",
        type: str = "bounce",  # noqa: A002 - SendGrid's word for it
        reason: str = "550 5.1.1 The email account that you tried to reach does not exist",
        mail: SentMail | None = None,
    ) -> None:
        """Bounce a mail: for good, or as `blocked`, which holds nobody back."""
        with self._account.lock:
            name = "blocks" if type == "blocked" else "bounces"
            self._suppressions.add(name, email, at, reason=reason, status=status)
            message = self._say("bounce", email, at, mail, reason=reason, status=status, type=type)
            message.status = "not_delivered"

    def defer(self, email: str, at: datetime | None = None, *, mail: SentMail | None = None) -> None:
        """Let the receiving host ask for another attempt."""
        with self._account.lock:
            self._say("deferred", email, at, mail, response="451 4.7.1 Try again later", attempt="1")

    def mistype(self, email: str, at: datetime | None = None) -> None:
        """Put an address on the list of invalid ones, as where there is no such domain; no event says so."""
        with self._account.lock:
            self._suppressions.add(
                "invalid_emails", email, at, reason="Mail domain mentioned in email address is unknown"
            )

    def open(
        self, email: str, at: datetime | None = None, *, machine: bool = False, mail: SentMail | None = None
    ) -> None:
        """Open a mail, or let a privacy proxy do it."""
        with self._account.lock:
            agent = PROXY if machine else BROWSER
            message = self._say(
                "open",
                email,
                at,
                mail,
                useragent=agent,
                ip="198.51.100.7",
                sg_machine_open=machine,
                sg_content_type="html",
            )
            message.opens += 1

    def click(self, email: str, url: str, at: datetime | None = None, *, mail: SentMail | None = None) -> None:
        """Follow a link."""
        with self._account.lock:
            offset = {"index": 0, "type": "html"}
            message = self._say(
                "click", email, at, mail, url=url, url_offset=offset, useragent=BROWSER, ip="198.51.100.7"
            )
            message.clicks += 1

    def _say(self, kind: str, email: str, at: datetime | None, mail: SentMail | None, **more: object) -> Message:
        at = at or self._account.now
        message = self._message(email, at, mail)
        self._mailing.said(self._mailing.event(kind, message, at, **more))
        return message

    def _message(self, email: str, at: datetime, mail: SentMail | None) -> Message:
        for message in reversed(self._mailing.messages):
            if message.mail is mail or (mail is None and message.mail.email.lower() == email.lower()):
                return message
        if mail is not None:
            return Message(mail=mail, status="delivered", last_event_at=at)
        message_id = self._account.short_id()
        unknown = SentMail(
            email=email,
            message_id=message_id,
            msg_id=self._mailing.msg_id(message_id),
            subject="",
            from_email="",
            at=at,
        )
        return Message(mail=unknown, status="delivered", last_event_at=at)
