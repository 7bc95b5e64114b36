"""Noes at Mailchimp, both ways, and forgetting.

Who leaves a list here loses its interest there. Who leaves a list that is a whole audience, or everything, is
unsubscribed. What Mailchimp says of who is out there goes for every list bound to the audience (L4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import ScopeKind
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.provenance import Through
from lifecycle_mail_mailchimp.account import Account, written
from lifecycle_mail_mailchimp.client import member_id
from lifecycle_mail_mailchimp.errors import NotFound
from lifecycle_mail_mailchimp.standing import out_statements

_READ: Final = ("email_address", "status", "last_changed", "unsubscribe_reason")


class OptOuts:
    """The ports `TakesOptOuts`, `ListsOptOuts` and `Forgets`."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:  # noqa: ARG002 - as the port calls it
        """Tell Mailchimp of a no."""
        if contact.address is None:
            return
        lists, member = self._account.client.lists, member_id(contact.address)
        topics, scope = self._account.topics, opt_out.scope
        if scope.kind is ScopeKind.LIST:
            topic = topics.by_list.get(ListKey(scope.key))
            if topic is None:
                return  # a list that Mailchimp knows nothing of
            if topic.interest:
                with suppress(NotFound), self._account.client.transport.operation("suppress", repeatable=True):
                    lists.update_list_member(topic.audience, member, {"interests": {topic.interest: False}})
                return
            audiences: Iterable[str] = [topic.audience]
        else:
            audiences = self._account.audiences
        body = {
            "email_address": written(contact.address),
            "status_if_new": "unsubscribed",
            "status": "unsubscribed",
        }
        for audience in audiences:
            with self._account.client.transport.operation("suppress", repeatable=True):
                lists.set_list_member(audience, member, body)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterator[Statement]:
        """Yield who is out: unsubscribed or cleaned, those who changed since an instant, or all."""
        topics = self._account.topics
        query = {} if since is None else {"since_last_changed": (since - timedelta(seconds=1)).isoformat()}
        for audience in self._account.audiences:
            for status in ("unsubscribed", "cleaned"):
                for page in self._account.pages(
                    "opt_outs", self._account.client.lists.get_list_members_info, audience, key="members",
                    status=status, fields=_READ, **query,
                ):  # fmt: skip
                    for row in page:
                        yield from out_statements(row, audience, topics, now=now, through=Through.IMPORT)

    def forget(self, contact: Contact) -> None:
        """Delete somebody for good, in every audience; nobody but they can come back there."""
        if contact.address is None:
            return
        for audience in self._account.audiences:
            with suppress(NotFound), self._account.client.transport.operation("forget", repeatable=True):
                self._account.client.lists.delete_list_member_permanent(audience, member_id(contact.address))
