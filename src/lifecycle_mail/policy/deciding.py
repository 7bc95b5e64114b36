"""Deciding: tier and sunset action for every contact.

Pure and deterministic: the same subjects give the same rows in the same order, each with the rule that decided and
the version of the policy (S12).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import field, frozen

from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.facts import Facts, Subject
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.tables import Decision


@frozen(eq=False)
class ContactDecision:
    """What the policy says of one contact.

    Attributes:
        subject: who, and when.
        tier: the tier and why.
        action: the next step and why.
        policy_version: of the policy that decided.
    """

    subject: Subject = field(repr=False)
    tier: Decision
    action: Decision
    policy_version: str

    @property
    def contact_id(self) -> ContactId:
        """Whom it is about."""
        return self.subject.contact.id

    @property
    def email(self) -> str:
        """The address, or empty."""
        return self.subject.contact.email

    @property
    def reason(self) -> str:
        """Why they are in that tier, and why that is the next step."""
        parts = [self.tier.reason, self.action.reason]
        return "; ".join(part for part in parts if part)

    @property
    def rule(self) -> str:
        """The rules that decided, of both tables."""
        return f"{self.tier.rule.name}/{self.action.rule.name}"

    def explain(self) -> str:
        """Write both decisions, every rule, and what would flip them."""
        return f"{self.tier.explain()}\n{self.action.explain()}"

    def as_row(self) -> dict[str, str]:
        """Return the columns of `decisions.csv`."""
        return {
            "contact_id": self.contact_id,
            "email": self.email,
            "tier": self.tier.outcome,
            "action": self.action.outcome,
            "reason": self.reason,
            "rule": self.rule,
            "policy_version": self.policy_version,
        }


def decide_one(subject: Subject, policy: Policy) -> ContactDecision:
    """Decide for one contact."""
    facts = Facts(subject)
    tier = policy.tiers.decide(facts)
    facts["tier"] = tier.outcome.casefold()
    return ContactDecision(subject, tier, policy.sunset.decide(facts), policy.version)


@frozen(eq=False)
class Decisions:
    """The decisions about every contact, in order of contact_id.

    Attributes:
        rows: one for each contact.
        policy: what decided.
    """

    rows: tuple[ContactDecision, ...] = field(repr=False)
    policy: Policy

    def by_tier(self) -> Counter[str]:
        """Count contacts by tier."""
        return Counter(row.tier.outcome for row in self.rows)

    def by_action(self) -> Counter[str]:
        """Count contacts by next step."""
        return Counter(row.action.outcome for row in self.rows)

    def __iter__(self) -> Iterator[ContactDecision]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        def counts(of: Counter[str]) -> str:
            return ", ".join(
                f"{name} {count}" for name, count in sorted(of.items(), key=lambda item: (-item[1], item[0]))
            )

        return f"{len(self.rows)} contacts: {counts(self.by_tier())}\nnext: {counts(self.by_action())}"


def decide(subjects: Iterable[Subject], policy: Policy) -> Decisions:
    """Decide for every contact."""
    rows = sorted((decide_one(subject, policy) for subject in subjects), key=lambda row: row.contact_id)
    return Decisions(tuple(rows), policy)
