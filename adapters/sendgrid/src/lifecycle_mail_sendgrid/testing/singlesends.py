"""Single sends: a draft, scheduled once, sent to whoever is on its lists by then and is not held back."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any, Final

from attrs import define, field

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, instant, iso
from lifecycle_mail_sendgrid.testing.contacts import Contact, Contacts
from lifecycle_mail_sendgrid.testing.groups import Groups
from lifecycle_mail_sendgrid.testing.lists import Lists
from lifecycle_mail_sendgrid.testing.mailing import Mailing, SentMail
from lifecycle_mail_sendgrid.testing.pages import page
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal
from lifecycle_mail_sendgrid.testing.senders import Senders

_PATH: Final = "/v3/marketing/singlesends"
_TAG: Final = re.compile(r"<[^>]*>")


@define(kw_only=True, eq=False)
class SingleSend:
    """A single send.

    Attributes:
        id: SendGrid's.
        name: not unique.
        status: `draft`, `scheduled` or `triggered`.
        send_at: when it goes, or went.
        to: `list_ids`, `segment_ids` and `all`.
        email: what it says and how, as `email_config` has it.
        categories: its labels.
        made_at, changed_at: when it was made, and changed last.
    """

    id: str
    name: str
    made_at: datetime
    changed_at: datetime
    status: str = "draft"
    send_at: datetime | None = None
    to: dict[str, Any] = field(factory=dict)
    email: dict[str, Any] = field(factory=dict)
    categories: list[str] = field(factory=list)


class SingleSends(Part):
    """The single sends of the account."""

    def __init__(
        self,
        account: Account,
        contacts: Contacts,
        lists: Lists,
        groups: Groups,
        senders: Senders,
        mailing: Mailing,
        members: Callable[[str], Collection[str] | None],
        polled: Callable[[bool], None],
    ) -> None:
        self._account = account
        self._contacts = contacts
        self._lists = lists
        self._groups = groups
        self._senders = senders
        self._mailing = mailing
        self._members = members
        self._polled = polled
        self._sends: dict[str, SingleSend] = {}

    def __iter__(self) -> Iterator[SingleSend]:
        return iter(self._sends.values())

    def settle(self) -> None:
        """Send what is scheduled and due."""
        for one in self:
            if one.status == "scheduled" and one.send_at is not None and one.send_at <= self._account.now:
                one.status = "triggered"
                self._mailing.send(list(self._mails(one)))

    def _mails(self, one: SingleSend) -> Iterator[SentMail]:
        message_id = self._account.short_id()
        sender = self._senders.get(one.email.get("sender_id"))
        for contact in self._recipients(one):
            yield SentMail(
                email=contact.email,
                message_id=message_id,
                msg_id=self._mailing.msg_id(message_id),
                subject=one.email["subject"],
                text=one.email.get("plain_content", ""),
                html=one.email.get("html_content", ""),
                from_email=sender["from"]["email"] if sender else "",
                at=self._account.now,
                categories=tuple(one.categories),
                group_id=one.email.get("suppression_group_id"),
                single_send=one.id,
                single_send_name=one.name,
                contact_id=contact.id,
            )

    def _recipients(self, one: SingleSend) -> Iterator[Contact]:
        """Yield whom it is for, once each, whatever lists they are on."""
        ids = {contact_id for segment in one.to["segment_ids"] for contact_id in self._members(segment) or ()}
        ids |= {contact.id for contact in self._contacts.on(one.to["list_ids"])}
        return (contact for contact in self._contacts if contact.email and (one.to["all"] or contact.id in ids))

    # -- operations

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"POST {_PATH}": self._create,
            f"GET {_PATH}": self._all,
            f"DELETE {_PATH}": self._delete_many,
            f"GET {_PATH}/categories": self._categories,
            f"POST {_PATH}/search": self._search,
            f"GET {_PATH}/{{id}}": self._one,
            f"POST {_PATH}/{{id}}": self._duplicate,
            f"PATCH {_PATH}/{{id}}": self._update,
            f"DELETE {_PATH}/{{id}}": self._delete,
            f"PUT {_PATH}/{{id}}/schedule": self._schedule,
            f"DELETE {_PATH}/{{id}}/schedule": self._unschedule,
        }

    def _create(self, call: Call) -> Answer:
        now = self._account.now
        made = SingleSend(id=self._account.new_id(), name="", made_at=now, changed_at=now)
        self._write(made, call.body)
        self._sends[made.id] = made
        return Answer(status=201, json=_shown(made))

    def _all(self, call: Call) -> Answer:
        return page(call, self._latest_first(), path=_PATH, show=_shown_short, size=10, longest=100, counted=True)

    def _latest_first(self) -> list[SingleSend]:
        return sorted(self, key=lambda one: one.changed_at, reverse=True)

    def _search(self, call: Call) -> Answer:
        name, status = call.body.get("name", "").lower(), call.body.get("status") or ()
        categories = set(call.body.get("categories") or ())
        found = [
            one
            for one in self._latest_first()
            if name in one.name.lower()
            and (not status or one.status in status)
            and (not categories or not categories.isdisjoint(one.categories))
        ]
        return page(call, found, path=f"{_PATH}/search", show=_shown_short, size=10, longest=100, counted=True)

    def _categories(self, _: Call) -> Answer:
        return Answer(json={"categories": sorted({category for one in self for category in one.categories})[:1000]})

    def _one(self, call: Call) -> Answer:
        one = self._found(call)
        self._polled(one.status == "scheduled" and one.send_at is not None and one.send_at <= self._account.now)
        return Answer(json=_shown(one))

    def _duplicate(self, call: Call) -> Answer:
        one = self._found(call)
        now = self._account.now
        name = call.body.get("name") or f"Copy of {one.name}"[:100]
        made = SingleSend(id=self._account.new_id(), name=name, made_at=now, changed_at=now)
        made.to, made.email, made.categories = dict(one.to), dict(one.email), list(one.categories)
        self._sends[made.id] = made
        return Answer(status=201, json=_shown(made))

    def _update(self, call: Call) -> Answer:
        one = self._found(call)
        if one.status != "draft":
            raise Refusal(400, ("status", f"a single send that is {one.status} cannot be changed"))
        self._write(one, call.body)
        one.changed_at = self._account.now
        return Answer(status=202, json=_shown(one))

    def _delete(self, call: Call) -> Answer:
        del self._sends[self._found(call).id]
        return Answer(status=204)

    def _delete_many(self, call: Call) -> Answer:
        for send_id in call.queries("ids"):
            self._sends.pop(send_id, None)
        return Answer(status=204)

    def _schedule(self, call: Call) -> Answer:
        one = self._found(call)
        written, now = call.body.get("send_at"), self._account.now
        if one.status != "draft":
            raise Refusal(400, ("status", f"a single send that is {one.status} cannot be scheduled again"))
        at = now if written == "now" else instant(written)
        if at is None or at < now:
            raise Refusal(400, ("send_at", "send_at must be in the future, or now"))
        if problems := list(self._lacking(one)):
            raise Refusal(400, *problems)
        one.status, one.send_at, one.changed_at = "scheduled", at, now
        return Answer(status=201, json={"send_at": iso(at), "status": one.status})

    def _unschedule(self, call: Call) -> Answer:
        one = self._found(call)
        if one.status != "scheduled" or one.send_at is None:
            raise Refusal(400, ("status", f"a single send that is {one.status} cannot be unscheduled"))
        one.status, one.changed_at = "draft", self._account.now
        return Answer(json={"send_at": iso(one.send_at), "status": one.status})

    def _found(self, call: Call) -> SingleSend:
        one = self._sends.get(call["id"])
        if one is None:
            raise Refusal(404, ("id", "single send was not found"))
        return one

    def _lacking(self, one: SingleSend) -> Iterator[tuple[str, str]]:
        """Yield what a single send must have before it is scheduled."""
        email = one.email
        if not email.get("subject"):
            yield "email_config.subject", "subject is required"
        if not email.get("html_content") and not email.get("plain_content"):
            yield "email_config.html_content", "html_content or plain_content is required"
        sender = self._senders.get(email.get("sender_id"))
        if sender is None or not sender["verified"]:
            yield "email_config.sender_id", "sender_id must name a verified sender"
        if not email.get("suppression_group_id") and not email.get("custom_unsubscribe_url"):
            yield "email_config.suppression_group_id", "suppression_group_id or custom_unsubscribe_url is required"
        if not one.to["all"] and not one.to["list_ids"] and not one.to["segment_ids"]:
            yield "send_to", "list_ids, segment_ids or all is required"

    def _write(self, one: SingleSend, body: Mapping[str, Any]) -> None:
        """Write what is named onto a single send, once all of it is right."""
        name = body.get("name", one.name)
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise Refusal(400, ("name", "name must have 1 to 100 characters"))
        to = {"list_ids": [], "segment_ids": [], "all": False, **one.to, **(body.get("send_to") or {})}
        email = {"generate_plain_content": True, "editor": "code", **one.email, **(body.get("email_config") or {})}
        send_at = one.send_at
        if body.get("send_at") is not None:
            send_at = instant(body["send_at"])
            if send_at is None:
                raise Refusal(400, ("send_at", "send_at must be a date-time"))
        if problems := list(self._unknown(to, email)):
            raise Refusal(400, *problems)
        if email["generate_plain_content"] and "html_content" in email:
            email["plain_content"] = unescape(_TAG.sub(" ", email["html_content"])).strip()  # whatever was given
        one.name, one.to, one.email, one.send_at = name, to, email, send_at
        one.categories = list(body.get("categories", one.categories))

    def _unknown(self, to: Mapping[str, Any], email: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if missing := [one for one in to["list_ids"] if one not in self._lists]:
            yield "send_to.list_ids", f"list id {missing[0]!r} does not exist"
        if missing := [one for one in to["segment_ids"] if self._members(one) is None]:
            yield "send_to.segment_ids", f"segment id {missing[0]!r} does not exist"
        group = email.get("suppression_group_id")
        if group is not None and self._groups.get(group) is None:
            yield "email_config.suppression_group_id", f"suppression group {group} does not exist"
        sender = email.get("sender_id")
        if sender is not None and self._senders.get(sender) is None:
            yield "email_config.sender_id", f"sender {sender} does not exist"


def _shown(one: SingleSend) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "categories": list(one.categories),
        "send_to": dict(one.to),
        "updated_at": iso(one.changed_at),
        "created_at": iso(one.made_at),
        "email_config": {key: value for key, value in one.email.items() if value is not None},
    }
    return shown if one.send_at is None else shown | {"send_at": iso(one.send_at)}


def _shown_short(one: SingleSend) -> dict[str, Any]:
    kept = {key: value for key, value in _shown(one).items() if key not in ("send_to", "email_config")}
    return kept | {"abtest": None, "is_abtest": False}
