"""`Lifecycle`, the part that decides, plans and explains. Only `apply` writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime

from lifecycle_mail.errors import CampaignRefused, InvalidInput, UnknownName
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.lists import Channel
from lifecycle_mail.policy import deciding, planning
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.deciding import ContactDecision, Decisions, decide_one
from lifecycle_mail.policy.eligibility import gates
from lifecycle_mail.policy.facts import Facts, Subject
from lifecycle_mail.policy.planning import Plan, screen_row
from lifecycle_mail.policy.tables import Decision
from lifecycle_mail.service import applying
from lifecycle_mail.service.applying import Applied
from lifecycle_mail.service.breaker import require_plausible
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.handoff import spent
from lifecycle_mail.service.reading import chunks


class Deciding(Base):
    """Decides, plans and explains."""

    def decide(self, *, now: datetime | None = None, each_at: Callable[[Contact], datetime] | None = None) -> Decisions:
        """Give tier and next step for every contact.

        Args:
            now: the instant of deciding.
            each_at: instead of `now`, the instant for each contact: for snapshots taken at different times.
        """
        if (now is None) == (each_at is None):
            raise InvalidInput("decide at one instant (now=) or at one for each contact (each_at=)")
        if now is not None:
            at = as_utc(now)
            return self._again(lambda: deciding.decide(self._reader.all_subjects(now=at), self.programme.policy))
        assert each_at is not None  # noqa: S101 - one of the two is given
        return self._again(lambda: deciding.decide(self._each_at(each_at), self.programme.policy))

    def _each_at(self, at: Callable[[Contact], datetime]) -> Iterator[Subject]:
        for contact in self.store.each():
            yield from self._reader.subjects([contact], now=as_utc(at(contact)))

    def apply(self, decisions: Iterable[ContactDecision], *, now: datetime, confirm: int | None = None) -> Applied:
        """Write what decisions ask for (S10-S12).

        Suppresses whom the policy sunsets, ends the sunset of those who came back by their own act, and tags the
        unresponsive; an ESP that has tags and the CRM hear of it with the next `drain`. The policy's version is kept
        with each entry. A second call with the same decisions changes nothing.

        Args:
            decisions: what `decide` returned; what comes from a stream is gathered first, because it is counted.
            now: when.
            confirm: how many may be sunset although that is more than the breaker lets pass.

        Raises:
            BreakerOpen: it would newly sunset more than that; nothing was written (F64, F67).
        """
        now, rows = as_utc(now), list(decisions)
        self._again(lambda: require_plausible(rows, self.breaker, self._reader, now=now, confirm=confirm))
        return applying.apply(rows, self._reader, self.esp, self.crm, now=now, wait=self._wait)

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
        named = None if to is None else list(to)
        return self._again(lambda: self._plan(found, named, now=now))

    def _plan(self, campaign: Campaign, named: Collection[str] | None, *, now: datetime) -> Plan:
        position = self.store.position()
        if named is None:
            subjects = self._audience(campaign, now)
        else:
            ids = dict.fromkeys(self._reader.require(one).id for one in named)
            subjects = self._reader.some_subjects(ids, now=now)
        policy = self.programme.policy
        return planning.plan(
            subjects, campaign, now=now, position=position, cap=policy.cap, rest=policy.rest,
            everybody=named is not None, policy_version=policy.version,
            already_sent=spent(self.store.claims(campaign.key)),
        )  # fmt: skip

    def why(self, who: str, *, now: datetime, campaign: Campaign | str | None = None) -> tuple[Decision, ...]:
        """Decide about one contact: tier and next step, or with a campaign whether they get it.

        Each decision holds the facts it rests on, the trace of every rule, and what would flip it.
        """
        now = as_utc(now)
        contact = self.contact(who)
        subject = self._again(lambda: self._reader.subjects([contact], now=now)[0])
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

    def _audience(self, campaign: Campaign, now: datetime) -> Iterator[Subject]:
        """Yield at least everybody whom a plan must account for: those of the lists, where lists say who is meant."""
        if not campaign.to or not all(target.of for target in campaign.to):
            yield from self._reader.all_subjects(now=now)
            return
        for chunk in chunks(self.store.members(campaign.lists)):
            yield from self._reader.subjects(chunk, now=now)

    def _require_email(self, campaign: Campaign) -> None:
        lists = [self.programme.lists[key] for key in campaign.lists if key in self.programme.lists]
        other = [f"{one.key} ({one.channel})" for one in lists if one.channel is not Channel.EMAIL]
        if other:
            raise CampaignRefused(f"campaign {campaign.key!r} is e-mail, and these lists are not: {', '.join(other)}")
