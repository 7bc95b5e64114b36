"""A Mailchimp account that stands in for a real one."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer, ContractServer, Request
from lifecycle_mail_mailchimp.testing.audiences import Audiences
from lifecycle_mail_mailchimp.testing.batches import Batches
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.campaigns import Campaigns
from lifecycle_mail_mailchimp.testing.changes import Changes
from lifecycle_mail_mailchimp.testing.hooks import EVENTS, Hooks, Posted
from lifecycle_mail_mailchimp.testing.members import Members
from lifecycle_mail_mailchimp.testing.members_batch import MembersBatch
from lifecycle_mail_mailchimp.testing.overlay import OVERLAY
from lifecycle_mail_mailchimp.testing.people import People
from lifecycle_mail_mailchimp.testing.problems import Refusal, forbidden, wrong_key
from lifecycle_mail_mailchimp.testing.reports import Reports
from lifecycle_mail_mailchimp.testing.segments import Segments
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Webhook

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When it is, until a test says otherwise."""


class Ping(Part):
    """Whether there is anybody, and what only other plans have."""

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {"GET /ping": lambda call: call.answer({"health_status": "Everything's Chimpy!"}), "POST /segments": _no}


def _no(_call: Call) -> Answer:
    raise forbidden("Advanced segments are not available on your plan.")


class MailchimpSimulator:
    """The state of a Mailchimp account, and the rules for changing it. It is put behind a `mailchimp_server`.

    Time stands still until a test sets `now`; what is due by then is done: scheduled campaigns leave, those that are
    being sent are sent, batches are carried out.

    Attributes:
        account: what it keeps.
        person: what people do without the API.
        changes: whom it refuses: `fakes` and `throttled` addresses.
        audiences: its audiences, and how many merge fields each may have.
        campaigns: its campaigns, and how long they take.
        batches: its batches, and how long they take.
        hooks: its webhooks, what is posted to them, and how addresses are probed.

    Args:
        now: the instant to begin with.
        api_key: the key that is taken; None takes any.
        signing_secret: what is signed with what audiences without a webhook would post; None signs nothing.
    """

    def __init__(self, now: datetime = START, *, api_key: str | None = None, signing_secret: str | None = None) -> None:
        self.account = Account(now)
        self.changes = Changes(self.account)
        self.audiences = Audiences(self.account)
        self.campaigns = Campaigns(self.account)
        self.batches = Batches(self.account)
        self.hooks = Hooks(self.account)
        self.hooks.signing_secret = signing_secret
        self.person = People(self.account)
        self._api_key = api_key
        self._settling = False
        self._parts: tuple[Part, ...] = (
            Ping(),
            self.audiences,
            Members(self.account, self.changes),
            MembersBatch(self.changes),
            Segments(self.account, self.changes),
            self.campaigns,
            Reports(self.account),
            self.hooks,
            self.batches,
        )
        self._routes = {operation: handler for part in self._parts for operation, handler in part.routes().items()}

    @property
    def now(self) -> datetime:
        """The clock."""
        return self.account.now

    @now.setter
    def now(self, now: datetime) -> None:
        self.account.now = now
        self.settle()

    def wait(self, **time: float) -> None:
        """Let time go by: `wait(minutes=5)`."""
        self.now += timedelta(**time)

    def settle(self) -> None:
        """Do what is due by now. Operations of a batch come back here, and find nothing more to do."""
        if self._settling:
            return
        self._settling = True
        try:
            for part in self._parts:
                part.settle()
        finally:
            self._settling = False

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The campaign and the address of every mail that went out, in order."""
        return self.account.sent

    @property
    def webhooks_sent(self) -> list[Posted]:
        """What was posted to webhooks, in order."""
        return self.hooks.posted

    def audience(self, name: str = "Customers", list_id: str | None = None) -> Audience:
        """Make an audience."""
        return self.audiences.make(name, list_id)

    def webhook(self, list_id: str, url: str = "https://app.example/mailchimp") -> Webhook:
        """Give an audience a webhook that posts every event that a person or an administrator causes."""
        sources = {"user": True, "admin": True}
        events = dict.fromkeys(EVENTS, True)
        return self.hooks.make(self.account.audience(list_id), url, events=events, sources=sources)

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for."""
        handler = self._routes.get(request.operation)
        if handler is None:
            raise NotImplementedError(f"the simulator does not do {request.operation}")
        try:
            self._check_key(request)
            self.settle()
            return handler(Call(request, self.account))
        except Refusal as refusal:
            return refusal.answer

    def _check_key(self, request: Request) -> None:
        if self._api_key is None or request.operation.startswith("GET /batch-results/"):
            return
        try:
            shown = b64decode(request.headers.get("authorization", "").partition(" ")[2]).partition(b":")[2]
        except Error:
            shown = b""
        if not hmac.compare_digest(shown, self._api_key.encode()):
            raise wrong_key()


def mailchimp_server(spec: Path, simulator: MailchimpSimulator | None = None, **options: Any) -> ContractServer:
    """Return a server that stands in for Mailchimp, and holds every request and answer against the specification.

    Args:
        spec: the specification of the Marketing API, as OpenAPI in JSON.
        simulator: the account; by default one of its own.
        options: those of `ContractServer`.
    """
    simulator = simulator or MailchimpSimulator()
    server = ContractServer([spec], simulator, **{"overlay": OVERLAY, "prefix": "/3.0", **options})
    simulator.batches.inner = server.inside
    return server
