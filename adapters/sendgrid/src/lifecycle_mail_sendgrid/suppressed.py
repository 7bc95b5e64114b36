"""Who is out at SendGrid: everybody on one of its suppression lists, and noes of ours told to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from typing import Any, Final

from lifecycle_mail.errors import EspRefused, InvalidInput, Misconfigured
from lifecycle_mail.files.sendgrid_suppressions import suppression_statements
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Held, Left, Statement
from lifecycle_mail.model.lists import ScopeKind
from lifecycle_mail.model.names import ListKey
from lifecycle_mail_sendgrid.account import Account, written

PAGE: Final = 500
KINDS: Final = ("unsubscribes", "bounces", "spam_reports", "invalid_emails")


def _unnoted(_problem: str, _fix: str) -> None:
    """Let go of what a row lacks: the row counts all the same."""


class Suppressed:
    """The ports `TakesOptOuts` and `ListsOptOuts`."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:  # noqa: ARG002 - as the port calls it
        """Tell SendGrid of a no.

        Raises:
            Misconfigured: the unsubscribe group is gone: adding to it would suppress them for everything.
        """
        if contact.address is None:
            return
        asm, body = self._account.client.asm, {"recipient_emails": [written(contact.address)]}
        if opt_out.scope.kind is not ScopeKind.LIST:
            self._account.ask("suppress", asm.suppressions._("global").post, repeatable=True, request_body=body)
            return
        topic = self._account.topics.by_list.get(ListKey(opt_out.scope.key))
        if topic is None:
            return  # a list that SendGrid knows nothing of
        try:
            self._account.ask("suppress", asm.groups._(topic.group).get)
        except EspRefused as error:
            if error.status != 404:
                raise
            raise Misconfigured(
                f"unsubscribe group {topic.group} of list {opt_out.scope.key!r} is gone at SendGrid: make another, and "
                f"bind it"
            ) from None
        groups = asm.groups._(topic.group)
        self._account.ask("suppress", groups.suppressions.post, repeatable=True, request_body=body)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterator[Statement]:
        """Yield who is out, of everything or of a group: since an instant where SendGrid can tell, or all."""
        lists = self._account.topics.by_group
        for kind, row in self._rows(since):
            try:
                yield from suppression_statements(
                    row, kind=kind, lists=lists, list_key=None, received_at=now, note=_unnoted,
                )  # fmt: skip
            except InvalidInput:
                continue  # a row without an address that could be mailed

    def _rows(self, since: datetime | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        query = {} if since is None else {"start_time": int(since.timestamp())}
        for kind in KINDS:
            offset = 0
            while True:
                call = self._account.client.suppression._(kind).get
                page = self._account.ask("opt_outs", call, query_params={"limit": PAGE, "offset": offset, **query})
                yield from ((kind, row) for row in page)
                offset += PAGE
                if len(page) < PAGE:
                    break
        for row in self._account.ask("opt_outs", self._account.client.asm.suppressions.get):
            yield "group", row

    def read(self, *, now: datetime) -> Mapping[str, Set[str]]:
        """Return what each address left: lists by key, `all`, and `bounced` where it cannot be reached."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.opt_outs(since=None, now=now):
            if one.who.address is None:
                continue
            key = written(one.who.address)
            if isinstance(one, Left):
                found[key].add(one.scope.key or "all")
            elif isinstance(one, Held):
                found[key].add("bounced")
        return found
