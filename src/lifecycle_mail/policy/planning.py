"""Planning: who gets one campaign, and who is withheld and why.

`audience = sendable + the sum of the withheld, by reason`, always: each contact of the audience is one row with one
outcome, so nobody can fall between. The audience of a campaign is everybody who ever joined, or asked to join, a
list behind it; that of transactional mail is everybody it is asked for, or else those of its lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.model.addresses import mask
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import SENDABLE, Cap, Rest, Screened, Screening, Withheld, gates, screen
from lifecycle_mail.policy.facts import Facts, Subject
from lifecycle_mail.policy.segments import rank, ranks_needed
from lifecycle_mail.policy.tables import Decision, Table


@frozen(eq=False)
class PlanRow:
    """One contact of the audience.

    Attributes:
        subject: who, and when.
        screening: the gates' decision and, where none withholds, the recipient.
    """

    subject: Subject = field(repr=False)
    screening: Screening

    @property
    def contact_id(self) -> ContactId:
        """Whom it is about."""
        return self.subject.contact.id

    @property
    def email(self) -> str:
        """The address, or empty."""
        return self.subject.contact.email

    @property
    def decision(self) -> Decision:
        """The gates' decision."""
        return self.screening.decision

    @property
    def recipient(self) -> Screened | None:
        """What a send port accepts, or None where the mail is withheld."""
        return self.screening.recipient

    @property
    def sendable(self) -> bool:
        """Whether no gate withholds."""
        return self.recipient is not None

    def as_row(self) -> dict[str, str]:
        """Return the columns of `plan.csv`."""
        return {
            "contact_id": self.contact_id,
            "email": self.email,
            "outcome": SENDABLE if self.sendable else "withheld",
            "reason": self.decision.reason if self.sendable else f"{self.decision.outcome}: {self.decision.reason}",
            "rule": self.decision.rule.name,
            "leaves_list": self.screening.leaves_list or "",
        }


@frozen(eq=False)
class Plan:
    """Who gets one campaign, and who is withheld and why. Nothing is sent by making one.

    Attributes:
        campaign: the campaign.
        now: the instant it was made, aware UTC.
        position: the log's sequence number up to which opt-outs were read.
        policy_version: of the policy in force.
        rows: one for each contact of the audience, in order of contact_id.
    """

    campaign: Campaign
    now: datetime
    position: int
    policy_version: str
    rows: tuple[PlanRow, ...] = field(repr=False)

    @property
    def audience(self) -> int:
        """How many contacts there are to account for."""
        return len(self.rows)

    @property
    def recipients(self) -> tuple[Screened, ...]:
        """Those that no gate withholds."""
        return tuple(row.recipient for row in self.rows if row.recipient is not None)

    @property
    def sendable(self) -> int:
        """How many no gate withholds."""
        return sum(1 for row in self.rows if row.sendable)

    @property
    def withheld(self) -> Counter[str]:
        """How many are withheld, by reason."""
        return Counter(row.decision.outcome for row in self.rows if not row.sendable)

    def __getitem__(self, who: str) -> PlanRow:
        """Find a row by contact id or address.

        Raises:
            UnknownName: nobody of that id or address is in the audience.
        """
        found = next((row for row in self.rows if row.contact_id == who), None)
        if found is None:
            found = next((row for row in self.rows if row.email and row.email.casefold() == who.casefold()), None)
        if found is None:
            raise UnknownName("contact in the audience", mask(who))
        return found

    def __iter__(self) -> Iterator[PlanRow]:
        return iter(self.rows)

    def explain(self, who: str) -> str:
        """Write every gate for one contact, the one that decided, and what would flip it."""
        row = self[who]
        leaves = row.screening.leaves_list
        tail = f"\n  a link in the mail leaves the list {leaves!r}" if row.sendable and leaves else ""
        return row.decision.explain() + tail

    def __str__(self) -> str:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in sorted(self.withheld.items(), key=lambda r: (-r[1], r[0]))
        )
        withheld = self.audience - self.sendable
        return f"audience {self.audience} = sendable {self.sendable} + withheld {withheld}" + (
            f" ({reasons})" if reasons else ""
        )


def plan(
    subjects: Iterable[Subject],
    campaign: Campaign,
    *,
    now: datetime,
    position: int = 0,
    cap: Cap | None = None,
    rest: Rest | None = None,
    everybody: bool = False,
    policy_version: str = "",
    already_sent: Collection[ContactId] = frozenset(),
) -> Plan:
    """Account for every contact of a campaign's audience.

    Args:
        subjects: contacts at `now`; of those, the audience is taken.
        campaign: the campaign.
        now: the instant of planning, aware UTC.
        position: the log's sequence number up to which the subjects are true.
        cap: at most so many marketing mails in so many days.
        rest: when to let contacts rest (S3).
        everybody: whether all subjects are to be accounted for, as those whom transactional mail is asked for.
        policy_version: of the policy in force.
        already_sent: contacts this campaign was handed off to, or may have been.

    Raises:
        CampaignRefused: a marketing campaign with no list behind it (L3).
    """
    campaign.require_list()
    table = gates(campaign, cap=cap, rest=rest)
    audience = [Facts(subject) for subject in subjects if everybody or in_audience(subject, campaign)]
    put_ranks(audience, campaign)
    rows = [screen_row(facts, campaign, table, position=position, already_sent=already_sent) for facts in audience]
    rows.sort(key=lambda row: row.contact_id)
    twice = sorted({one.contact_id for one, other in pairwise(rows) if one.contact_id == other.contact_id})
    if twice:
        raise InvalidInput(f"given twice: {', '.join(twice[:3])}; a contact is accounted for, and mailed, once")
    if campaign.marketing:  # a receipt is for whoever bought, whoever else reads their mail
        rows = list(_one_for_each_address(rows, campaign, table, position=position))
    return Plan(campaign=campaign, now=now, position=position, policy_version=policy_version, rows=tuple(rows))


def _one_for_each_address(
    rows: Iterable[PlanRow], campaign: Campaign, table: Table, *, position: int
) -> Iterator[PlanRow]:
    """Let one of several contacts with one address get the campaign: the first in order of contact_id."""
    rows = list(rows)
    sent = [row.subject.contact.address for row in rows if row.decision.outcome == Withheld.ALREADY_SENT]
    served = {address.identity for address in sent if address is not None}
    for row in rows:
        if row.recipient is None:
            yield row
        elif row.recipient.address.identity in served:
            facts = Facts(row.subject)
            facts.update(row.decision.facts)
            facts["same_address"] = True
            yield screen_row(facts, campaign, table, position=position, already_sent=())
        else:
            served.add(row.recipient.address.identity)
            yield row


def screen_row(
    facts: Facts, campaign: Campaign, table: Table, *, position: int, already_sent: Collection[ContactId]
) -> PlanRow:
    """Screen one contact of the audience."""
    subject = facts.subject
    known = subject.contact.id in already_sent
    return PlanRow(subject, screen(facts, campaign, table, position=position, already_sent=known))


def in_audience(subject: Subject, campaign: Campaign) -> bool:
    """Whether a contact must be accounted for: they ever joined, or asked to join, a list behind the campaign."""
    if not campaign.marketing:  # consent is not asked for, but a list still says who is meant
        return not campaign.to or any(not t.of or not subject.person.lists().isdisjoint(t.of) for t in campaign.to)
    return not subject.person.lists().isdisjoint(campaign.lists)


def put_ranks(audience: Iterable[Facts], campaign: Campaign) -> None:
    """Fill in the ranks that the campaign's segments read, over the audience of the segments that read them."""
    audience = list(audience)
    for name in ranks_needed(target.where for target in campaign.to):
        by = name.partition(":")[2]
        read_by = [target for target in campaign.to if name in target.where.facts()]
        lists = {key for target in read_by for key in target.of} if all(target.of for target in read_by) else None
        ranked = [f for f in audience if lists is None or not f.subject.person.lists().isdisjoint(lists)]
        places = rank([(facts.subject.contact.id, facts[by]) for facts in ranked])
        for facts in audience:
            facts[name] = places.get(facts.subject.contact.id)
