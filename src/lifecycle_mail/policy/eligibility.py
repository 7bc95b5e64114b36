"""May this person get this mail? The gates, as a table, and the screen that applies them.

Each gate says what withholds a mail and whether transactional mail must pass it too: O2 lets receipts, security
notices and cancellation notices go on in every case except a dead or erased address. The order of the gates is the
order in which reasons are given: first what is true of the address, then what the person said, then what we decided.
The table is built for one campaign, whose segments' own predicates stand in it, so that an explanation names the
field that keeps somebody out.

`Screened` is what a send port accepts. Only `screen` makes one, so nothing reaches an ESP unscreened.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from lifecycle_mail.errors import Unscreened
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import EVERYONE, NOBODY, AllOf, AnyOf, Leaf, Predicate, as_predicate
from lifecycle_mail.policy.settings import kept_mails, whole
from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table
from lifecycle_mail.policy.where import where

SENDABLE = "sendable"
"""The outcome of the gates where none withholds."""


class Withheld(StrEnum):
    """Why a mail is withheld."""

    NO_ADDRESS = "no-address"
    ERASED = "erased"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OUT_OF_ALL = "out-of-all"
    OUT_OF_CHANNEL = "out-of-channel"
    OUT_OF_LIST = "out-of-list"
    NOT_SUBSCRIBED = "not-subscribed"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "consent-expired"
    PAUSED = "paused"
    ARCHIVED = "archived"
    SUNSET = "sunset"
    FREQUENCY = "frequency"
    NOT_IN_SEGMENT = "not-in-segment"
    ALREADY_SENT = "already-sent"
    SAME_ADDRESS = "same-address"
    RESTING = "resting"


@frozen
class Gate:
    """One reason to withhold.

    Attributes:
        withheld: the reason.
        when: what must be true of the contact.
        because: why, in words.
        transactional: whether it withholds transactional mail too.
    """

    withheld: Withheld
    when: Predicate = field(converter=as_predicate)
    because: str
    transactional: bool = False


def _standing(standing: ListStanding) -> Predicate:
    return Leaf("list_standing", Op.EQ, standing.value)


GATES: tuple[Gate, ...] = (
    Gate(Withheld.NO_ADDRESS, ~where.has_address, "no e-mail address is known", transactional=True),
    Gate(Withheld.ERASED, where.erased, "their data was erased (O5)", transactional=True),
    Gate(Withheld.BOUNCED, where.bounced, "the address bounced for good", transactional=True),
    Gate(Withheld.COMPLAINED, where.complained, "they reported a mail as spam (R23)"),
    Gate(Withheld.OUT_OF_ALL, _standing(ListStanding.OUT_OF_ALL), "they said no to all marketing (O2)"),
    Gate(Withheld.OUT_OF_CHANNEL, _standing(ListStanding.OUT_OF_CHANNEL), "they said no to marketing by e-mail (O2)"),
    Gate(Withheld.OUT_OF_LIST, _standing(ListStanding.OUT_OF_LIST), "they left the list (O2)"),
    Gate(Withheld.NOT_SUBSCRIBED, _standing(ListStanding.NONE), "they never joined a list behind the campaign (L3)"),
    Gate(Withheld.UNCONFIRMED, _standing(ListStanding.UNCONFIRMED), "they have not confirmed (O4)"),
    Gate(Withheld.EXPIRED, _standing(ListStanding.EXPIRED), "their implied consent has run out (R10)"),
    Gate(Withheld.PAUSED, where.paused, "they asked for a pause (P3)"),
    Gate(Withheld.ARCHIVED, where.archived, "they are out of the active records (O5)"),
    Gate(Withheld.SUNSET, where.sunset, "the sunset policy stopped marketing to them (S11)"),
    Gate(Withheld.NOT_IN_SEGMENT, NOBODY, "they are in no segment that the campaign goes to", transactional=True),
    Gate(Withheld.ALREADY_SENT, where.already_sent, "they were sent this campaign before", transactional=True),
    Gate(Withheld.SAME_ADDRESS, where.same_address, "another contact there gets it"),
    Gate(Withheld.FREQUENCY, where.too_soon, "they chose to hear from us less often (P2)"),
)
"""Every gate, in order of precedence; drawn in the docs. That of the segment is filled in for each campaign."""


_days = whole(1, 3660)


@frozen(kw_only=True)
class Cap:
    """At most so many marketing mails in so many days."""

    mails: int = field(validator=kept_mails)
    days: int = field(validator=_days)


@frozen(kw_only=True)
class Rest:
    """After so many mails in a row without a sign of interest, a contact rests and is then tried again (S3).

    A try is one mail: unanswered, it is followed by another rest.
    """

    mails: int = field(default=5, validator=kept_mails)
    days: int = field(default=30, validator=_days)


def gates(campaign: Campaign, *, cap: Cap | None = None, rest: Rest | None = None) -> Table:
    """Build the table of gates for a campaign; transactional mail passes only the gates it must.

    Args:
        campaign: the campaign.
        cap: the policy's own limit, for marketing.
        rest: when to let contacts rest, for regular marketing: mails that try to win them back go on.
    """
    outside = _outside(campaign)
    rules = []
    for gate in GATES:
        when = outside if gate.withheld is Withheld.NOT_IN_SEGMENT else gate.when
        if (campaign.marketing or gate.transactional) and when != NOBODY:
            rules.append(Rule(name=gate.withheld, when=when, then=gate.withheld, because=gate.because))
    if campaign.marketing and cap is not None:
        rules.append(
            Rule(
                name="cap",
                when=where.mails_in_days(cap.days) >= cap.mails,
                then=Withheld.FREQUENCY,
                because=f"{{mails_in_days:{cap.days}}} mails in {cap.days} days, of {cap.mails} at most",
            )
        )
    if campaign.marketing and rest is not None and campaign.purpose is Purpose.REGULAR:
        rules.append(
            Rule(
                name=Withheld.RESTING,
                when=(where.mails_since_engagement >= rest.mails) & (where.days_since_sent < rest.days),
                then=Withheld.RESTING,
                because=f"{{mails_since_engagement}} mails without a sign of interest: rests for {rest.days} days (S3)",
            )
        )
    return Table(
        name=f"may they get {campaign.key}",
        rules=rules,
        otherwise=Otherwise(then=SENDABLE, because="no gate withholds it"),
    )


def _outside(campaign: Campaign) -> Predicate:
    """Return who is in none of the segments. Of marketing, the gates before ask whether they are on a list at all."""
    sole = campaign.marketing and len(campaign.lists) < 2
    if any(target.where == EVERYONE and (sole or not target.of) for target in campaign.to):
        return NOBODY
    joined = where.lists if campaign.marketing else where.ever_lists
    targets = []
    for target in campaign.to:
        asks_list = bool(target.of) and (not campaign.marketing or len(campaign.to) > 1)
        on_list = AnyOf([joined.has(key) for key in target.of])
        targets.append(AllOf([on_list, target.where]) if asks_list else target.where)
    return ~(targets[0] if len(targets) == 1 else AnyOf(targets)) if targets else NOBODY


_SEAL = object()


def _sealed(_instance: object, _attribute: object, value: object) -> None:
    if value is not _SEAL:
        raise Unscreened("only the screen makes a Screened: plan a campaign and send the plan")


@frozen(kw_only=True)
class Screened:
    """A recipient that passed every gate at a position of the log.

    Attributes:
        contact_id: who.
        address: where to.
        campaign: for what.
        leaves_list: the list that their unsubscribe link leaves; None for transactional mail.
        position: the log's sequence number up to which opt-outs were read.
    """

    contact_id: ContactId
    address: EmailAddress
    campaign: CampaignKey
    leaves_list: ListKey | None
    position: int
    _seal: object = field(validator=_sealed, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Shown once: `attrs.evolve` would hand it on to a recipient that was never screened.
        object.__setattr__(self, "_seal", None)


@frozen(eq=False)
class Screening:
    """What the screen found for one contact and one campaign.

    Attributes:
        decision: the gates' decision.
        leaves_list: the list that a link in the mail would leave, or None.
        recipient: what a send port accepts, where no gate withholds.
    """

    decision: Decision
    leaves_list: ListKey | None
    recipient: Screened | None


def screen(facts: Facts, campaign: Campaign, table: Table, *, position: int, already_sent: bool = False) -> Screening:
    """Apply the gates to one contact.

    Args:
        facts: about the contact; ranks that segments need are already set.
        campaign: the campaign.
        table: what `gates` built for its kind.
        position: the log's sequence number up to which the facts are true.
        already_sent: whether this campaign was handed off to them, or may have been.
    """
    leaves_list = _put_campaign_facts(facts, campaign)
    facts["already_sent"] = already_sent
    decision = table.decide(facts)
    address = facts.subject.contact.address
    if decision.outcome != SENDABLE or address is None:
        return Screening(decision, leaves_list, None)
    recipient = Screened(
        contact_id=facts.subject.contact.id,
        address=address,
        campaign=campaign.key,
        leaves_list=leaves_list,
        position=position,
        seal=_SEAL,
    )
    return Screening(decision, leaves_list, recipient)


_PRECEDENCE = {standing: place for place, standing in enumerate(ListStanding)}


def _put_campaign_facts(facts: Facts, campaign: Campaign) -> ListKey | None:
    person, now = facts.subject.person, facts.subject.now
    standings = {key: person.standing(key, now=now) for key in campaign.lists}
    best = min(standings.values(), key=_PRECEDENCE.__getitem__, default=ListStanding.NONE)
    facts["list_standing"] = best.value
    if not campaign.marketing:
        return None
    for target in campaign.to:
        reached = [key for key in target.of if standings[key] is ListStanding.ACTIVE]
        if reached and target.where.test(facts):
            return reached[0]
    return None
