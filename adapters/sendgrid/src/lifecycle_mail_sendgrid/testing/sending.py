"""Mail Send: taking mails, keeping them until they are due, and batches to stop them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from attrs import define, evolve

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account
from lifecycle_mail_sendgrid.testing.mail_rules import MOST_BYTES, problems
from lifecycle_mail_sendgrid.testing.mailing import Mailing, SentMail
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

_SCHEDULED: Final = "/v3/user/scheduled_sends"
_UNVERIFIED: Final = (
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved."
)
_BYPASSES: Final = {
    "bypass_list_management": "list",
    "bypass_unsubscribe_management": "unsubscribe",
    "bypass_bounce_management": "bounce",
    "bypass_spam_management": "spam",
}


@define
class _Queued:
    due: datetime
    mails: Sequence[SentMail]
    bypass: frozenset[str]


class Sending(Part):
    """Takes mails one request at a time.

    Attributes:
        verified: from which addresses, or domains written with an `@` before them, mail may be sent; None: from any.
        queue: how many requests wait to be worked on.
    """

    def __init__(self, account: Account, mailing: Mailing) -> None:
        self._account = account
        self._mailing = mailing
        self._queue: list[_Queued] = []
        self._batches: dict[str, str] = {}
        self.verified: frozenset[str] | None = None

    @property
    def queue(self) -> int:
        """How many requests were taken whose mails did not go yet."""
        return len(self._queue)

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            "POST /v3/mail/send": self._take,
            "POST /v3/mail/batch": self._new_batch,
            "GET /v3/mail/batch/{batch_id}": self._batch,
            f"GET {_SCHEDULED}": self._stopped,
            f"POST {_SCHEDULED}": self._stop,
            f"GET {_SCHEDULED}/{{batch_id}}": self._stopped_one,
            f"PATCH {_SCHEDULED}/{{batch_id}}": self._stop_otherwise,
            f"DELETE {_SCHEDULED}/{{batch_id}}": self._go_on,
        }

    def settle(self) -> None:
        """Send what is due and was not stopped."""
        waiting, self._queue = self._queue, []
        for one in waiting:
            status = self._batches.get(one.mails[0].batch_id, "") if one.mails else ""
            if one.due > self._account.now or status == "pause":
                self._queue.append(one)
            elif status != "cancel":
                self._mailing.send([evolve(mail, at=self._account.now) for mail in one.mails], bypass=one.bypass)

    # -- mails

    def _take(self, call: Call) -> Answer:
        if len(call.request.body) > MOST_BYTES:
            raise Refusal(413, (None, "The message is larger than 30 MB."))
        body = call.body
        found = list(problems(body, now=self._account.now, knows_batch=self._batches.__contains__))
        if found:
            raise Refusal(400, *found)
        if not self._is_verified(body["from"]["email"]):
            raise Refusal(403, ("from", _UNVERIFIED))
        settings = body.get("mail_settings") or {}
        if (settings.get("sandbox_mode") or {}).get("enable"):
            return Answer(status=200)
        message_id = self._account.short_id()
        bypass = frozenset(word for name, word in _BYPASSES.items() if (settings.get(name) or {}).get("enable"))
        for due, mails in self._mails(body, message_id):
            self._queue.append(_Queued(due, mails, bypass))
        return Answer(status=202, headers={"X-Message-Id": message_id})

    def _is_verified(self, email: str) -> bool:
        address = email.lower()
        return self.verified is None or not self.verified.isdisjoint({address, "@" + address.partition("@")[2]})

    def _mails(self, body: Mapping[str, Any], message_id: str) -> Iterator[tuple[datetime, list[SentMail]]]:
        contents = {one["type"]: one["value"] for one in body.get("content") or ()}
        for one in body["personalizations"]:
            send_at = one.get("send_at", body.get("send_at"))
            due = self._account.now if send_at is None else datetime.fromtimestamp(send_at, UTC)
            mail = SentMail(
                email="",
                message_id=message_id,
                msg_id="",
                subject=one.get("subject") or body.get("subject") or "",
                text=contents.get("text/plain", ""),
                html=contents.get("text/html", ""),
                from_email=(one.get("from") or body["from"])["email"],
                at=due,
                custom_args=dict(one.get("custom_args") or {}),
                categories=tuple(body.get("categories") or ()),
                headers={**(body.get("headers") or {}), **(one.get("headers") or {})},
                substitutions=one.get("substitutions") or one.get("dynamic_template_data") or {},
                template_id=body.get("template_id") or "",
                group_id=(body.get("asm") or {}).get("group_id"),
                batch_id=body.get("batch_id") or "",
            )
            to = [given["email"] for kind in ("to", "cc", "bcc") for given in one.get(kind) or ()]
            yield due, [evolve(mail, email=email, msg_id=self._mailing.msg_id(message_id)) for email in to]

    # -- batches

    def _new_batch(self, _: Call) -> Answer:
        batch_id = self._account.short_id()
        self._batches[batch_id] = ""
        return Answer(status=201, json={"batch_id": batch_id})

    def _batch(self, call: Call) -> Answer:
        if call["batch_id"] not in self._batches:
            raise Refusal(400, ("batch_id", "invalid batch id"))
        return Answer(json={"batch_id": call["batch_id"]})

    def _stopped(self, _: Call) -> Answer:
        return Answer(json=[{"batch_id": key, "status": status} for key, status in self._batches.items() if status])

    def _stopped_one(self, call: Call) -> Answer:
        status = self._batches.get(call["batch_id"], "")
        return Answer(json=[{"batch_id": call["batch_id"], "status": status}] if status else [])

    def _stop(self, call: Call) -> Answer:
        batch_id, status = call.body["batch_id"], call.body["status"]
        if batch_id not in self._batches:
            raise Refusal(400, ("batch_id", "invalid batch id"))
        if self._batches[batch_id]:
            raise Refusal(400, (None, "a status for this batch id exists, try PATCH to update the status"))
        self._batches[batch_id] = status
        return Answer(status=201, json={"batch_id": batch_id, "status": status})

    def _stop_otherwise(self, call: Call) -> Answer:
        if not self._batches.get(call["batch_id"]):
            raise Refusal(404, ("batch_id", "batch id not found"))
        self._batches[call["batch_id"]] = call.body["status"]
        return Answer(status=204)

    def _go_on(self, call: Call) -> Answer:
        if not self._batches.get(call["batch_id"]):
            raise Refusal(404, ("batch_id", "batch id not found"))
        self._batches[call["batch_id"]] = ""
        return Answer(status=204)
