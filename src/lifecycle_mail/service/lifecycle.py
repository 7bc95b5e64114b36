"""`Lifecycle`: the one place that calls ports.

It holds an ESP, a store and a programme, and every method that depends on time takes `now`. Reading never writes:
`plan`, `decide` and `explain` can be called as often as one likes.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

from attrs import evolve

from lifecycle_mail.errors import CampaignRefused, InvalidInput, Misconfigured, UnknownName
from lifecycle_mail.model.addresses import EmailAddress, MatchRules
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact, FieldValue, read_field
from lifecycle_mail.model.entries import Lift, Standing, Suppression, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.plugins import load_esp, load_store
from lifecycle_mail.policy import deciding, planning
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.deciding import ContactDecision, Decisions, decide_one
from lifecycle_mail.policy.eligibility import gates
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.planning import Plan, screen_row
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.tables import Decision
from lifecycle_mail.ports import (
    Capability,
    Content,
    Esp,
    Reports,
    Store,
    TakesOptOuts,
)
from lifecycle_mail.service import applying
from lifecycle_mail.service.applying import Applied
from lifecycle_mail.service.causes import OptOutCauses, opt_out_causes
from lifecycle_mail.service.consenting import Consents, NeedsConfirmation, OptedOut, Subscribed
from lifecycle_mail.service.handoff import SendReport, reconcile, spent
from lifecycle_mail.service.past import AsOf
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import Received, Receiver, take_events
from lifecycle_mail.service.sending import Sender
from lifecycle_mail.service.tokens import Tokens


def _random_id(_address: EmailAddress) -> ContactId:
    return ContactId(uuid.uuid4().hex)


def _sleep(attempt: int) -> None:
    time.sleep(min(30.0, 0.5 * 2**attempt))


class Lifecycle:
    """Decides, explains and enforces who may be e-mailed.

    Args:
        esp: an ESP, or the name of an installed one (`memory`, `mailchimp`, ...).
        store: a store, or the URL of one (`memory:`, `sqlite:///mail.db`, ...).
        programme: lists, segments, campaigns, fields and policy; what calls name is added to it.
        signing_keys: secrets for the tokens of confirmation links, newest last. Needed as soon as a token is made;
            keep them outside the database, and keep old ones as long as their links should work.
        match: how addresses are matched for suppression.
        new_id: makes the id of a contact that the application has not named.
        wait: called with the number of the attempt where an ESP needs time to show what it was told.

    Every instant is an aware datetime; naive ones raise `InvalidInput`.
    """

    def __init__(
        self,
        esp: Esp | str,
        store: Store | str,
        *,
        programme: Programme | None = None,
        signing_keys: Sequence[str | bytes] = (),
        match: MatchRules | None = None,
        new_id: Callable[[EmailAddress], ContactId] = _random_id,
        wait: Callable[[int], None] = _sleep,
    ) -> None:
        self.esp: Esp = load_esp(esp) if isinstance(esp, str) else esp
        self.store: Store = load_store(store) if isinstance(store, str) else store
        self.programme = programme or Programme()
        self._wait = wait
        self._new_id = new_id
        self._reader = Reader(self.store, match or MatchRules())
        self._consents = Consents(self._reader, tokens=Tokens(signing_keys), new_id=new_id)

    @classmethod
    def in_memory(cls, *, programme: Programme | None = None, **options: Any) -> Self:
        """Return one on the in-memory ESP and store: for tests, notebooks and first steps."""
        options.setdefault("signing_keys", [secrets.token_bytes(32)])
        return cls(options.pop("esp", "memory"), options.pop("store", "memory:"), programme=programme, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    # -- people

    def contact(self, who: str) -> Contact:
        """Find a contact by id or address.

        Raises:
            UnknownName: nobody goes by it.
            AmbiguousAddress: several contacts have the address.
        """
        return self._reader.require(who)

    def standing(self, who: str, to: MailingList | str, *, now: datetime) -> ListStanding:
        """Tell how a contact stands with a list."""
        listed = self._list(to)
        return self._reader.person(self.contact(who)).standing(listed.key, now=as_utc(now), channel=listed.channel)

    def update(
        self, who: str, fields: Mapping[str, FieldValue | None], *, now: datetime, frequency: Frequency | None = None,
        tags: Iterable[str] | None = None,
    ) -> Contact:  # fmt: skip
        """Set fields of a contact (None removes one), the frequency they chose (P2), or their tags.

        Raises:
            UnknownName: nobody goes by it.
            InvalidInput: a value is not of the declared type of its field.
        """
        as_utc(now)
        declared = self.programme.fields
        typed = {
            name: read_field(name, value, declared[name]) if name in declared and value is not None else value
            for name, value in fields.items()
        }
        with self.store.transaction():
            changed = self.contact(who).updated(typed, tags=tags)
            if frequency is not None:
                changed = evolve(changed, frequency=Frequency(frequency))
            self.store.put([changed])
        return changed

    def change_address(self, who: str, to: str, *, by: Actor, now: datetime, evidence: str = "") -> Contact:
        """Record a new address. Opt-outs follow the person and stay on the old address.

        Consent follows only where the person made the change; else the new address needs confirmation.
        """
        provenance = Provenance(actor=by, through=Through.APPLICATION, at=now, evidence=evidence)
        return self._consents.change_address(self.contact(who), to, provenance, now=as_utc(now))

    # -- consent

    def subscribe(
        self, who: str, to: MailingList | str, *, proof: str, now: datetime, contact_id: str | None = None,
        source: str | None = None, standing: Standing = Standing.EXPRESS, expires_at: datetime | None = None,
    ) -> Subscribed | NeedsConfirmation:  # fmt: skip
        """Record that a person signed up for a list, by their own act.

        Args:
            who: their address, or the id of a known contact.
            to: the list.
            proof: which form, from where: what shows the consent later (R12).
            now: when.
            contact_id: the application's id, for a new contact.
            source: how they came (organic, contest ...), for a new contact.
            standing: `EXPRESS`, or `IMPLIED` where the law knows that (R10).
            expires_at: when implied consent ends.

        Returns:
            `Subscribed`, or `NeedsConfirmation` where a no stands, the list asks for double opt-in, or the address
            was changed by somebody else (O4).

        Raises:
            InvalidAddress, AmbiguousAddress, InvalidInput.
        """
        return self._consents.subscribe(
            who, self._list(to), proof=proof, now=as_utc(now), contact_id=contact_id, source=source,
            standing=standing, expires_at=expires_at,
        )  # fmt: skip

    def confirm(self, token: str, *, now: datetime, evidence: str = "") -> Subscribed:
        """Record that the person confirmed, with the token of `NeedsConfirmation`.

        Only this overrides opt-outs, those that stood when the token was made, for the one list (O4).

        Raises:
            ConsentRefused: the token is not whole, not ours, or of another purpose; always alike (F44).
        """
        return self._consents.confirm(token, now=as_utc(now), evidence=evidence, lists=self.programme.lists)

    def opt_out(
        self, who: str, *, now: datetime, scope: Scope | None = None, campaign: Campaign | str | None = None,
        through: Through | str = Through.PREFERENCE_PAGE, actor: Actor = Actor.CONTACT,
        reason: OptOutReason | str | None = None, text: str = "", evidence: str = "", event_id: str | None = None,
        source: str = "app",
    ) -> OptedOut:  # fmt: skip
        """Record the person's no. It holds at once, and only they can reverse it (O1-O4).

        Args:
            who: a contact's id or address; an unknown address is remembered too.
            now: when.
            scope: one list, one channel, or all marketing; left out, it is the list that the campaign's link leaves.
            campaign: the campaign that led to it.
            through, actor: how and who (O3).
            reason, text: why, where they said.
            evidence: what proves it.
            event_id: the source's own id of the event, by which a repeated report is known for one.
            source: the system that says so.

        Returns:
            The entry, and the mails that were handed off before and can no longer be held back (F18).
        """
        found = None if campaign is None else self._campaign_left(campaign)
        return self._consents.opt_out(
            who, scope=scope, campaign=found, through=Through(through), actor=actor, now=as_utc(now),
            reason=None if reason is None else OptOutReason(reason), text=text, evidence=evidence,
            event_id=event_id, source=source, declared=self.programme.lists,
        )  # fmt: skip

    def pause(self, who: str, *, until: datetime, now: datetime) -> Suppression:
        """Stop marketing for a while, as the person asked; it resumes by itself (P3)."""
        provenance = Provenance(actor=Actor.CONTACT, through=Through.PREFERENCE_PAGE, at=now)
        return self.suppress(who, SuppressionKind.PAUSE, provenance=provenance, until=until, now=now)

    def suppress(
        self,
        who: str,
        kind: SuppressionKind | str,
        *,
        provenance: Provenance,
        now: datetime,
        until: datetime | None = None,
    ) -> Suppression:
        """Record a reason not to mail that is not the person's no."""
        kind = SuppressionKind(kind)
        return self._consents.suppress(self.contact(who), kind, provenance, now=as_utc(now), until=until)

    def lift(
        self, who: str, kind: SuppressionKind | str, *, by: Actor, now: datetime, text: str = "", evidence: str = ""
    ) -> Lift:
        """End the suppressions of one kind. `SUPPRESSION_RULES` says who may; nobody lifts an opt-out.

        Raises:
            LiftRefused: this actor may not, or the reason is missing.
            UnknownName: none of that kind is in force.
        """
        provenance = Provenance(actor=by, through=Through.APPLICATION, at=now, text=text, evidence=evidence)
        return self._consents.lift(self.contact(who), SuppressionKind(kind), provenance, now=as_utc(now))

    # -- what others say

    def receive(self, statements: Iterable[Statement], *, now: datetime) -> Received:
        """Take what files, webhooks and ESPs say. Nothing in it can bring anybody back (O4), nothing counts twice."""
        receiver = Receiver(
            self._reader, fields=self.programme.fields, lists=self.programme.lists, new_id=self._new_id, now=as_utc(now)
        )
        return receiver.take(statements)

    def record(self, events: Iterable[EngagementEvent], *, now: datetime) -> int:
        """Take engagement events, also of contacts that are not known yet; return how many were new.

        Those stamped more than 24 h after `now` are kept in quarantine and count for nothing.
        """
        with self.store.transaction():
            return take_events(self.store, events, now=as_utc(now)).new

    def fetch(self, *, now: datetime) -> Received:
        """Fetch what the ESP has to say and take it; what could not be stored is fetched again."""
        if not isinstance(self.esp, Reports):
            raise Misconfigured(f"{self.esp.name} has no reports to fetch: feed its webhooks to receive()")
        news = self.esp.reports(now=as_utc(now))
        received = self.receive(news, now=now)
        self.esp.acknowledge(news)
        return received

    def push_opt_outs(self, *, now: datetime) -> int:
        """Tell the ESP of the opt-outs it has not taken yet; return how many. May be repeated after an error."""
        if Capability.OPT_OUTS not in self.esp.capabilities:
            raise Misconfigured(f"{self.esp.name} keeps no opt-outs of ours")
        return self._consents.push(cast(TakesOptOuts, self.esp), now=as_utc(now))

    # -- deciding and planning

    def decide(self, *, now: datetime | None = None, each_at: Callable[[Contact], datetime] | None = None) -> Decisions:
        """Give tier and next step for every contact.

        Args:
            now: the instant of deciding.
            each_at: instead of `now`, the instant for each contact: for snapshots taken at different times.
        """
        if (now is None) == (each_at is None):
            raise InvalidInput("decide at one instant (now=) or at one for each contact (each_at=)")
        if now is not None:
            return deciding.decide(self._reader.all_subjects(now=as_utc(now)), self.programme.policy)
        assert each_at is not None  # noqa: S101 - one of the two is given
        subjects = (self._reader.subjects([contact], now=as_utc(each_at(contact)))[0] for contact in self.store.each())
        return deciding.decide(subjects, self.programme.policy)

    def apply(self, decisions: Iterable[ContactDecision], *, now: datetime) -> Applied:
        """Write what decisions ask for (S10-S12).

        Suppresses whom the policy sunsets, ends the sunset of those who came back by their own act, and tags the
        unresponsive, here and at an ESP that has tags. The policy's version is kept with each entry. A second call
        with the same decisions changes nothing.
        """
        return applying.apply(decisions, self._reader, self.esp, now=as_utc(now))

    def opt_out_causes(self, *, until: datetime | None = None) -> OptOutCauses:
        """Count opt-outs by the campaign, segment and reason that led to them (O3), now or as of a past instant."""
        position = None if until is None else self.store.position_at(as_utc(until))
        return opt_out_causes(self.store.records(until=position))

    def plan(self, campaign: Campaign | str, *, now: datetime, to: Iterable[str] | None = None) -> Plan:
        """Account for everybody in a campaign's audience. Nothing is sent.

        Args:
            campaign: the campaign, or its key in the programme.
            now: the instant of planning.
            to: for transactional mail, the contacts (ids or addresses) that it is for.

        Raises:
            CampaignRefused: a marketing campaign with no list behind it (L3), or `to` given for one.
            RegistryUnavailable: the log cannot be read.
        """
        now = as_utc(now)
        found = self.programme.campaign(campaign)
        self.programme = self.programme.with_(found)
        if found.marketing and to is not None:
            raise CampaignRefused("a marketing campaign goes to its lists and segments: leave out to=")
        if not found.marketing and to is None and not found.to:
            raise CampaignRefused(f"transactional campaign {found.key!r}: say whom it is for with to=")
        self._require_email(found)
        position = self.store.position()
        if to is None:
            subjects = self._reader.all_subjects(now=now)
        else:
            subjects = self._reader.some_subjects(dict.fromkeys(self.contact(one).id for one in to), now=now)
        policy = self.programme.policy
        return planning.plan(
            subjects, found, now=now, position=position, cap=policy.cap, rest=policy.rest, everybody=to is not None,
            policy_version=policy.version, already_sent=spent(self.store.claims(found.key)),
        )  # fmt: skip

    def why(self, who: str, *, now: datetime, campaign: Campaign | str | None = None) -> tuple[Decision, ...]:
        """Decide about one contact: tier and next step, or with a campaign whether they get it.

        Each decision holds the facts it rests on, the trace of every rule, and what would flip it.
        """
        now = as_utc(now)
        contact = self.contact(who)
        subject = self._reader.subjects([contact], now=now)[0]
        if campaign is None:
            row = decide_one(subject, self.programme.policy)
            return (row.tier, row.action)
        found = self.programme.campaign(campaign)
        plan = self.plan(found, now=now, to=None if found.marketing or found.to else [contact.id])
        try:
            return (plan[contact.id].decision,)
        except UnknownName:  # outside the audience: the gates still have an answer
            table = gates(found, cap=self.programme.policy.cap, rest=self.programme.policy.rest)
            return (screen_row(Facts(subject), found, table, position=plan.position, already_sent=()).decision,)

    def explain(self, who: str, *, now: datetime, campaign: Campaign | str | None = None) -> str:
        """Write what is decided about a contact and why: see `why`."""
        return "\n".join(decision.explain() for decision in self.why(who, now=now, campaign=campaign))

    def people(self) -> Iterator[Person]:
        """Yield how the consent log knows every contact, in order of id."""
        for chunk in chunks(self.store.each()):
            yield from self._reader.people(chunk)

    # -- sending

    def send(self, plan: Plan, *, now: datetime, content: Content | None = None) -> SendReport:
        """Hand a plan over to the ESP. Everybody is screened again from the log as it is now.

        May be called again after an interruption: nobody gets the campaign twice.

        Args:
            plan: what `plan` returned.
            now: the instant of sending.
            content: what the mail says, where the ESP does not hold it.

        Raises:
            RegistryUnavailable: the log cannot be read; nothing that it had not been read for was sent (F12).
            CampaignRefused: another worker is sending it, or it was released before.
        """
        sender = Sender(
            self._reader,
            self.esp,
            policy=self.programme.policy,
            now=as_utc(now),
            worker=uuid.uuid4().hex,
            wait=self._wait,
        )
        return sender.send(plan, content=content)

    def reconcile(self, campaign: Campaign | str, *, now: datetime) -> dict[str, int]:
        """Ask the ESP about mails whose outcome is unknown; what it cannot tell stays unknown (F22)."""
        return reconcile(self.store, self.esp, self.programme.campaign(campaign), now=as_utc(now))

    # -- the past

    def as_of(self, instant: datetime) -> AsOf:
        """Read the registry as it stood at a past instant (O10)."""
        instant = as_utc(instant)
        return AsOf(self._reader, self.store.position_at(instant), instant, lists=self.programme.lists)

    # -- inside

    def _require_email(self, campaign: Campaign) -> None:
        lists = [self.programme.lists[key] for key in campaign.lists if key in self.programme.lists]
        other = [f"{one.key} ({one.channel})" for one in lists if one.channel is not Channel.EMAIL]
        if other:
            raise CampaignRefused(f"campaign {campaign.key!r} is e-mail, and these lists are not: {', '.join(other)}")

    def _campaign_left(self, campaign: Campaign | str) -> Campaign:
        # Links live for 60 days (R9), longer than many a campaign stays in the programme: its claims know the list.
        if isinstance(campaign, str) and campaign not in self.programme.campaigns:
            return Campaign(campaign)
        return self.programme.campaign(campaign)

    def _list(self, to: MailingList | str) -> MailingList:
        if isinstance(to, MailingList):
            self.programme = self.programme.with_(to)
            return to
        if to not in self.programme.lists:
            raise UnknownName("list", to, self.programme.lists)
        return self.programme.lists[to]
