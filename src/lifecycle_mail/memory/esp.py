"""The in-memory ESP, which a test scripts (E4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count

from attrs import frozen

from lifecycle_mail.errors import EspError, EspRefused, Unscreened
from lifecycle_mail.memory.audience import Audience
from lifecycle_mail.memory.refusals import refusal_named
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.events import EventKind, Purpose
from lifecycle_mail.model.intake import Happened, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capabilities, Capability, Content, Handled

ALL_OF_IT = frozenset(Capability) - {Capability.WEBHOOKS}
"""What the fake can do."""


@frozen
class Sent:
    """A mail that left the fake ESP."""

    recipient: Screened
    content: Content | None


class MemoryEsp(Audience):
    """An ESP that sends nothing and remembers everything.

    Attributes:
        outbox: every mail that left, in order.
        suppressed: every opt-out it was told of or took itself: (address, scope).
        tags: who carries which tag.
        forgotten: whom it was told to forget, in order.
        calls: the operations asked of it, in order.
    """

    CAPABILITIES = Capabilities.of(ALL_OF_IT)

    def __init__(self, *, name: str = "memory", capabilities: Collection[Capability] = ALL_OF_IT) -> None:
        super().__init__(name)
        self._capabilities = Capabilities.of(capabilities, otherwise="the test left it out")
        self._staged: dict[CampaignKey, dict[ContactId, Sent]] = defaultdict(dict)
        self._released: set[CampaignKey] = set()
        self._refusals: dict[str, tuple[int, str]] = {}
        self._lag = 0
        self._doubts = 0
        self._past: dict[CampaignKey, frozenset[ContactId]] = {}
        self._delay = timedelta(0)
        self._news: list[tuple[datetime, Statement]] = []
        self._out: list[tuple[datetime, Left]] = []
        self._ids = count(1)
        self.outbox: list[Sent] = []
        self.suppressed: list[tuple[EmailAddress, Scope]] = []
        self.tags: dict[str, set[ContactId]] = defaultdict(set)
        self.forgotten: list[ContactId] = []

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; a test may leave some out."""
        return self._capabilities

    # -- what a test scripts, E4

    def refuse(self, address: str, *, status: int = 400, body: str = "refused", like: str = "") -> None:
        """Refuse one recipient for good; `like` names how a real one does it, such as `mailchimp/forgotten-email`."""
        if like:
            known = refusal_named(like)
            status, body = known.status, known.text(address)
        self._refusals[address.casefold()] = (status, body)

    def lag(self, reads: int) -> None:
        """Let the next reads of who is staged show what was true before the latest change."""
        self._lag = reads

    def doubt(self, answers: int) -> None:
        """Let the next answers to whether something was sent or released be that nobody can tell yet."""
        self._doubts = answers

    def delay(self, by: timedelta) -> None:
        """Let reports arrive this much later than they happen."""
        self._delay = by

    def unsubscribe(self, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Act as a person who uses the ESP's own unsubscribe link."""
        self._put_out(address, scope, at)

    # -- the ports

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over."""
        with self._lock, self._operation("send"):
            self._require_screened(recipient, None)
            self._take_address(recipient.address)
            self.outbox.append(Sent(recipient, content))

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell whether a mail left after all."""
        with self._lock, self._operation("was_sent"):
            if self._in_doubt():
                return None
            return any(s.recipient.campaign == campaign and s.recipient.contact_id == contact_id for s in self.outbox)

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released."""
        with self._lock, self._operation("stage"):
            if campaign in self._released:
                raise EspRefused(esp=self.name, operation="stage", status=400, body="campaign was sent")
            for recipient in recipients:
                self._require_screened(recipient, campaign)
            self._remember(campaign)
            accepted, refused = set(), {}
            for recipient in recipients:
                try:
                    self._take_address(recipient.address)
                except EspError as error:
                    refused[recipient.contact_id] = error
                else:
                    self._staged[campaign][recipient.contact_id] = Sent(recipient, content)
                    accepted.add(recipient.contact_id)
            return Handled(accepted=accepted, refused=refused)

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        with self._lock, self._operation("unstage"):
            self._remember(campaign)
            for contact_id in contact_ids:
                self._staged[campaign].pop(contact_id, None)

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        with self._lock, self._operation("staged"):
            if self._lag > 0:
                self._lag -= 1
                return self._past.get(campaign, frozenset())
            return frozenset(self._staged[campaign])

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        with self._lock, self._operation("release"):
            if campaign in self._released:
                raise EspRefused(esp=self.name, operation="release", status=400, body="campaign was sent")
            self._released.add(campaign)
            self.outbox.extend(self._staged[campaign].values())

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell whether a campaign was released."""
        with self._lock, self._operation("released"):
            return None if self._in_doubt() else campaign in self._released

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Take an opt-out, and report it back as real ones do."""
        with self._lock, self._operation("suppress"):
            if contact.address is not None:
                self._put_out(contact.address, opt_out.scope, at)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Say who is out, in the words of its reports; a change shows as late as its report."""
        with self._lock, self._operation("opt_outs"):
            return [left for at, left in self._out if at <= now and (since is None or since <= at)]

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off."""
        with self._lock, self._operation("tag"):
            ids = {contact.id for contact in contacts}
            self.tags[tag] = self.tags[tag] | ids if present else self.tags[tag] - ids

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return the news that has arrived by now."""
        with self._lock, self._operation("reports"):
            return [statement for at, statement in self._news if at <= now]

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Forget news that was stored."""
        with self._lock, self._operation("acknowledge"):
            stored = set(map(id, statements))
            self._news = [(at, statement) for at, statement in self._news if id(statement) not in stored]

    def forget(self, contact: Contact) -> None:
        """Drop the tags, the news and the staged mails of a contact; that their address is out stays."""
        with self._lock, self._operation("forget"):
            for tagged in self.tags.values():
                tagged.discard(contact.id)
            for staged in self._staged.values():
                staged.pop(contact.id, None)
            self._past = {campaign: staged - {contact.id} for campaign, staged in self._past.items()}
            self._news = [(at, statement) for at, statement in self._news if not _names(statement, contact)]
            if contact.address is not None:
                self.members.pop(contact.address.identity, None)
            self.forgotten.append(contact.id)

    # -- what a test lets happen

    def happen(
        self, kind: EventKind, sent: Sent, *, at: datetime, link: str = "", purpose: Purpose = Purpose.REGULAR
    ) -> None:
        """Let something happen to a mail that left, to be fetched with `reports`."""
        recipient = sent.recipient
        self._report(
            at,
            Happened(
                who=Who(recipient.contact_id, recipient.address), kind=kind, at=at, link=link, purpose=purpose,
                mail=f"{recipient.campaign}:{recipient.contact_id}", campaign=recipient.campaign, source=self.name,
                event_id=f"{self.name}-{next(self._ids)}",
            ),
        )  # fmt: skip

    def _report(self, at: datetime, statement: Statement) -> None:
        self._news.append((at + self._delay, statement))

    def _put_out(self, address: EmailAddress, scope: Scope, at: datetime) -> None:
        provenance = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=at, source=self.name)
        event_id = f"{self.name}-{next(self._ids)}"
        left = Left(who=Who(None, address), scope=scope, provenance=provenance, event_id=event_id)
        self.suppressed.append((address, scope))
        self._leave(address, scope)
        self._out.append((at + self._delay, left))
        self._report(at, left)

    @staticmethod
    def _require_screened(recipient: Screened, campaign: CampaignKey | None) -> None:
        if not isinstance(recipient, Screened):
            raise Unscreened("a send port takes only what the screen made: plan a campaign and send the plan")
        if campaign is not None and recipient.campaign != campaign:
            raise Unscreened(f"screened for campaign {recipient.campaign!r}, not for {campaign!r}")

    def _take_address(self, address: EmailAddress) -> None:
        refusal = self._refusals.get(str(address).casefold())
        if refusal is not None:
            raise EspRefused(esp=self.name, operation="take a recipient", status=refusal[0], body=refusal[1])

    def _in_doubt(self) -> bool:
        if self._doubts == 0:
            return False
        self._doubts -= 1
        return True

    def _remember(self, campaign: CampaignKey) -> None:
        self._past[campaign] = frozenset(self._staged[campaign])


def _names(statement: Statement, contact: Contact) -> bool:
    who = statement.who
    if who.address is not None and contact.address is not None and who.address.identity == contact.address.identity:
        return True
    return who.contact_id == contact.id
