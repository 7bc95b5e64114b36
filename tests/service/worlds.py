"""Small worlds for the tests of the service: two lists, a few people, and ways to upset things."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Left, Statement, Who
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.ports import Capability, Content, Handled
from lifecycle_mail.service import Lifecycle, NeedsConfirmation, SendReport, Subscribed
from lifecycle_mail.testing import frozen_now, lifecycle

NOW = frozen_now
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
NEWS = MailingList("news", title="News", expect="what is new, once a month")
SPRING = Campaign("spring", to=[OFFERS])
PROOF = "form 7, 192.0.2.1"

CAMPAIGNS_ONLY = frozenset({Capability.CAMPAIGNS})
MAILS_ONLY = frozenset({Capability.SINGLE_MAILS})
BOTH_WAYS = (MAILS_ONLY, CAMPAIGNS_ONLY)
"""An ESP that sends mails one by one, and one that sends campaigns."""


def world(*names: str, lists: Iterable[MailingList] = (OFFERS,), **options: Any) -> Lifecycle:
    """Return a `Lifecycle` in which these people, each an id, are subscribed to these lists since yesterday."""
    mail = lifecycle(OFFERS, NEWS, SPRING, **options)
    for name in names:
        for to in lists:
            join(mail, name, to)
    return mail


def join(mail: Lifecycle, name: str, to: MailingList = OFFERS) -> None:
    """Subscribe somebody, yesterday."""
    done = mail.subscribe(address(name), to, proof=PROOF, now=NOW - DAY, contact_id=name)
    assert isinstance(done, Subscribed)


def address(name: str) -> str:
    """Return somebody's address."""
    return f"{name}@example.com"


def needs_confirmation(answer: Subscribed | NeedsConfirmation) -> NeedsConfirmation:
    """Take an answer for the one that asks to confirm."""
    assert isinstance(answer, NeedsConfirmation)
    return answer


def fake(mail: Lifecycle) -> MemoryEsp:
    """Return the in-memory ESP."""
    assert isinstance(mail.esp, MemoryEsp)
    return mail.esp


def shelf(mail: Lifecycle) -> MemoryStore:
    """Return the in-memory store, which a test scripts; with another one there is nothing to script."""
    if not isinstance(mail.store, MemoryStore):
        pytest.skip("it scripts the in-memory store")
    return mail.store


def mailed(mail: Lifecycle, campaign: str = "spring") -> list[str]:
    """Return whom mails of a campaign have left for, in order of id, one entry a mail."""
    return sorted(sent.recipient.contact_id for sent in fake(mail).outbox if sent.recipient.campaign == campaign)


def states(mail: Lifecycle, campaign: str = "spring") -> dict[str, str]:
    """Return the state of every claim of a campaign."""
    return {one: claim.state.value for one, claim in sorted(mail.store.claims(CampaignKey(campaign)).items())}


def entries(mail: Lifecycle, kind: type) -> list[Any]:
    """Return the entries of one kind in the log, in order."""
    return [record.entry for record in mail.store.records() if isinstance(record.entry, kind)]


def accounted(plan: Plan, report: SendReport) -> bool:
    """Tell whether everybody that the plan calls sendable has exactly one fate in the report."""
    withheld = sum(report.withheld.values())
    return plan.sendable == report.sent + withheld + len(report.refused) + report.unknown + report.returned


def sent_counts(mail: Lifecycle, names: Iterable[str]) -> dict[str, int]:
    """Return how many mails each profile has counted as sent."""
    ids = [ContactId(name) for name in names]
    profiles = mail.store.profiles(ids)
    return {one: profiles[one].count("sent") if one in profiles else 0 for one in ids}


def left(
    name: str,
    scope: Scope,
    *,
    at: Any = NOW,
    source: str = "memory",
    event_id: str | None = None,
    dated: bool = True,
    with_id: bool = False,
) -> Left:
    """Return an ESP's statement that somebody is out."""
    provenance = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=at, source=source)
    who = Who(name if with_id else None, parse_address(address(name)))
    return Left(who=who, scope=scope, provenance=provenance, event_id=event_id, dated=dated)


class Meddling(MemoryEsp):
    """An ESP in whose calls something happens: before or after the work, the first time only or every time.

    Attributes:
        before, after: by operation, what happens.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}

    def _meddle(self, when: dict[str, Callable[[], object]], operation: str) -> None:
        action = when.pop(operation, None)
        if action is not None:
            action()

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Send, and meddle."""
        self._meddle(self.before, "send")
        super().send(recipient, content=content)
        self._meddle(self.after, "send")

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Stage, and meddle."""
        self._meddle(self.before, "stage")
        handled = super().stage(campaign, recipients, content=content)
        self._meddle(self.after, "stage")
        return handled

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take out, and meddle."""
        self._meddle(self.before, "unstage")
        super().unstage(campaign, contact_ids)
        self._meddle(self.after, "unstage")

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back, and meddle."""
        self._meddle(self.before, "staged")
        found = super().staged(campaign)
        self._meddle(self.after, "staged")
        return found

    def release(self, campaign: CampaignKey) -> None:
        """Release, and meddle."""
        self._meddle(self.before, "release")
        super().release(campaign)
        self._meddle(self.after, "release")

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Take a no, and meddle."""
        self._meddle(self.before, "suppress")
        super().suppress(opt_out, contact, at=at)
        self._meddle(self.after, "suppress")

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Tag, and meddle."""
        self._meddle(self.before, "tag")
        super().tag(contacts, tag, present=present)
        self._meddle(self.after, "tag")

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Tell who is out, and meddle."""
        self._meddle(self.before, "opt_outs")
        found = super().opt_outs(since=since, now=now)
        self._meddle(self.after, "opt_outs")
        return found


class Crashed(Exception):
    """The process died; nothing it was about to do happens."""


class Countdown:
    """Lets a process die at its Nth call of a port: before the work is done, or after it and before the answer.

    Attributes:
        calls: how many calls there were.
        names: their names, in order.
    """

    def __init__(self, dies_at: int | None = None, *, after: bool = False) -> None:
        self.dies_at = dies_at
        self.after = after
        self.calls = 0
        self.names: Counter[str] = Counter()

    @property
    def dead(self) -> bool:
        """Whether the process is dead."""
        return self.dies_at is not None and self.calls >= self.dies_at

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Make one call, or die."""
        if self.dead:
            raise Crashed(name)
        self.calls += 1
        self.names[name] += 1
        if self.dead and not self.after:
            raise Crashed(name)
        answer = call()
        if self.dead:
            raise Crashed(name)
        return answer


class Mortal:
    """A port as a process sees it that may die in any call."""

    def __init__(self, port: object, countdown: Countdown) -> None:
        self._port = port
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value) or name == "transaction":
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            return self._countdown.around(name, lambda: value(*arguments, **named))

        return call
