"""A SendGrid account in memory: its state, its rules, and people who do things.

Theory of operation
===================

The `Part` that an operation belongs to answers it. Much at SendGrid is done later: jobs, exports, segments, mails,
single sends. Here "later" is when a test calls `settle()`; or, with `settle_after=n`, when something that is not done
yet was asked for n times; or at once, with `settle_after=0`. The clock is `now`, which only a test moves. Nothing
sleeps, nothing is random but the key that webhooks are signed with, and ids are the same on every run.

What is documented or was recorded is followed. Where neither says what happens, the stricter answer was taken, so that
an adapter that passes here is not surprised there; the docstring of each part says which rules bite.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from json import dumps
from typing import Any, Final

from attrs import evolve

from lifecycle_mail.testing import frozen_now
from lifecycle_mail.testing.contract import Answer, Request
from lifecycle_mail_sendgrid.testing.account import Account, epoch
from lifecycle_mail_sendgrid.testing.activity import Activity, Erasure
from lifecycle_mail_sendgrid.testing.contacts import Contacts, Imports
from lifecycle_mail_sendgrid.testing.downloads import BEYOND, Downloads
from lifecycle_mail_sendgrid.testing.exports import Exports, Packing
from lifecycle_mail_sendgrid.testing.fields import Fields
from lifecycle_mail_sendgrid.testing.finding import Finding
from lifecycle_mail_sendgrid.testing.groups import Groups
from lifecycle_mail_sendgrid.testing.hooks import HookPost, Hooks
from lifecycle_mail_sendgrid.testing.lists import Lists
from lifecycle_mail_sendgrid.testing.mailing import Mailing, SentMail
from lifecycle_mail_sendgrid.testing.people import People
from lifecycle_mail_sendgrid.testing.routing import Call, Part, Refusal, handlers
from lifecycle_mail_sendgrid.testing.segments import Segments
from lifecycle_mail_sendgrid.testing.senders import Scopes, Senders, scope_of
from lifecycle_mail_sendgrid.testing.sending import Sending
from lifecycle_mail_sendgrid.testing.singlesends import SingleSends
from lifecycle_mail_sendgrid.testing.suppressions import Suppressions

API_KEY: Final = "SG.simulator"
"""The key that the simulator knows, unless it is given another."""

LIMIT: Final = 600
"""What the rate-limit headers say where nothing is limited."""


def too_many(reset: str = "1", **headers: str) -> Answer:
    """Return a 429 for a server to be told: `server.fail("PUT /v3/marketing/contacts", too_many("30"))`.

    Args:
        reset: what `X-RateLimit-Reset` says: seconds left, an instant, or nonsense.
        headers: further headers, with underscores for hyphens.
    """
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    limits = {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return evolve(Refusal(429, (None, "too many requests")).answer, headers={**limits, **given})


class SendgridSimulator:
    """A SendGrid account.

    Attributes:
        contacts, lists, fields, segments, single_sends: what Marketing Campaigns holds.
        groups, suppressions: who gets nothing.
        mailing, sending: the mails.
        exports, hooks, activity, erasure, senders: the rest.
        person: what people do.
        scopes: what the key is allowed; take from it, and the operation answers 403.
        limits: how many calls a minute an operation takes, by its name, such as `GET /v3/messages`; 429 beyond.
        reset_as_epoch: whether `X-RateLimit-Reset` is an instant, as documented, and not the seconds left, as recorded.
    """

    def __init__(
        self,
        *,
        now: datetime = frozen_now,
        settle_after: int | None = None,
        email_activity: bool = False,
        api_key: str = API_KEY,
        limits: Mapping[str, int] | None = None,
        reset_as_epoch: bool = False,
        group_delay: timedelta = timedelta(0),
        packing: Packing = "file",
        rows_in_a_file: int | None = None,
    ) -> None:
        """Open an account with one verified sender and nothing else.

        Args:
            now: the clock.
            settle_after: see the theory of operation.
            email_activity: whether the account has bought e-mail activity.
            api_key: the key that it knows.
            limits: see the attribute.
            reset_as_epoch: see the attribute.
            group_delay: how long a new unsubscribe group is not there yet for what is added to it.
            packing: how files of exports are packed.
            rows_in_a_file: after how many contacts an export begins another file.
        """
        self._key = api_key
        self._settle_after = settle_after
        self._polls = 0
        self._calls: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.limits = dict(limits or {})
        self.reset_as_epoch = reset_as_epoch

        self._account = account = Account(now)
        self.fields = Fields()
        self.lists = Lists(account)
        self.contacts = Contacts(account, self.fields, self.lists.__contains__)
        self.lists.hold(self.contacts)
        self.suppressions = Suppressions(account)
        self.groups = Groups(account, self.suppressions)
        self.groups.delay = group_delay
        self.hooks = Hooks(account)
        self.senders = Senders(account)
        self.senders.add("news@example.com")
        self.mailing = Mailing(account, self.suppressions, self.groups, self.hooks.post)
        self.sending = Sending(account, self.mailing)
        self.activity = Activity(account, self.mailing)
        self.activity.bought = email_activity
        self.erasure = Erasure(account, self.mailing)
        self.segments = Segments(account, self.contacts, self.fields, self.activity.events, self._polled)
        members = self.segments.members
        self.exports = Exports(account, self.contacts, self.fields, self.lists, members, self._polled)
        self.exports.packing, self.exports.rows_in_a_file = packing, rows_in_a_file
        self.single_sends = SingleSends(
            account, self.contacts, self.lists, self.groups, self.senders, self.mailing, members, self._polled
        )
        self.person = People(account, self.mailing, self.suppressions, self.groups)
        scopes = Scopes()
        self.scopes = scopes.allowed
        self._parts: Sequence[Part] = (
            self.contacts, Imports(account, self._polled), Finding(account, self.contacts, self.fields), self.exports,
            self.lists, self.fields, self.groups, self.suppressions, self.sending, self.activity, self.erasure,
            self.segments, self.single_sends, self.senders, self.hooks, scopes, Downloads(account),
        )  # fmt: skip
        self._handlers = handlers(self._parts)

    # -- what a test sees and does

    @property
    def now(self) -> datetime:
        """The clock. Setting it does nothing else: call `settle()` to let happen what is due by then."""
        return self._account.now

    @now.setter
    def now(self, at: datetime) -> None:
        self._account.now = at

    @property
    def operations(self) -> Sequence[str]:
        """The names of the operations that are answered."""
        return sorted(self._handlers)

    @property
    def sent(self) -> list[SentMail]:
        """Every mail that somebody really got, in order."""
        return self.mailing.sent

    @property
    def webhooks_sent(self) -> list[HookPost]:
        """Every body that would have been posted to a webhook, in order."""
        return self.hooks.posted

    @property
    def public_key(self) -> str:
        """What the bodies are verified with, as the settings of a webhook show it."""
        return self.hooks.public_key

    def settle(self) -> None:
        """Do all that was taken on and is due: jobs first, then mails, segments and single sends."""
        with self._account.lock:
            self._polls = 0
            self._account.settle()
            for part in self._parts:
                part.settle()

    def break_jobs(self, count: int = 1) -> None:
        """Let so many jobs from here on fail as a whole: imports, deletions and exports."""
        self._account.breaks += count

    def _polled(self, waiting: bool) -> None:
        """Hear that somebody asks how far something is, which may be what lets it go on."""
        self._polls += waiting
        if waiting and self._settle_after is not None and self._polls >= self._settle_after:
            self.settle()

    # -- what the server asks

    def ask(
        self, operation: str, json: Any = None, *, query: Mapping[str, Any] | None = None, **path: object
    ) -> Answer:
        """Ask without HTTP and with the right key, as a person at SendGrid's own pages would.

        Args:
            operation: the method and the template of the path, such as `GET /v3/asm/groups/{group_id}`.
            json: the body.
            query: parameters of the query.
            path: what stands in the path.
        """
        return self.answer(
            Request(
                method=operation.partition(" ")[0],
                path=operation.partition(" ")[2].format(**path),
                query={name: [str(value)] for name, value in (query or {}).items()},
                headers={"authorization": f"Bearer {self._key}"},
                body=b"" if json is None else dumps(json).encode(),
                json=json,
                operation=operation,
                path_parameters={name: str(value) for name, value in path.items()},
            )
        )

    def answer(self, request: Request) -> Answer:
        """Answer a request; one at a time, whatever the server does."""
        with self._account.lock:
            operation, call = request.operation, Call(request)
            handler = self._handlers.get(operation)
            if handler is None:
                return Refusal(501, (None, f"{operation} is not simulated")).answer
            if operation in BEYOND:
                return handler(call)
            headers, refused = self._metered(operation)
            try:
                answer = refused or self._forbidden(request, operation) or handler(call)
            except Refusal as refusal:
                answer = refusal.answer
            if self._settle_after == 0:
                self.settle()
            return evolve(answer, headers={**headers, **answer.headers})

    def _forbidden(self, request: Request, operation: str) -> Answer | None:
        shown = request.headers.get("authorization", "")
        if not compare_digest(shown.encode(), f"Bearer {self._key}".encode()):
            message = "The provided authorization grant is invalid, expired, or revoked"
            return Refusal(401, (None, message)).answer
        scope = scope_of(operation)
        return Refusal(403, (None, "access forbidden")).answer if scope and scope not in self.scopes else None

    def _metered(self, operation: str) -> tuple[Mapping[str, str], Answer | None]:
        """Count a call, and return the headers that say how many are left, and the refusal where none is."""
        now = epoch(self.now)
        minute = (operation, now // 60)
        self._calls[minute] += 1
        limit = self.limits.get(operation)
        left = (LIMIT if limit is None else limit) - self._calls[minute]
        reset = (now // 60 + 1) * 60
        headers = {
            "X-RateLimit-Limit": str(LIMIT if limit is None else limit),
            "X-RateLimit-Remaining": str(max(left, 0)),
            "X-RateLimit-Reset": str(reset if self.reset_as_epoch else reset - now),
        }
        if limit is None or left >= 0:
            return headers, None
        return headers, evolve(too_many(), headers={})
