"""What an ESP can do, as data (E1): asked before anything is sent, and printed into the docs as one table.

There are four answers. *Full*: it does it. *Versioned*: it does it on some plans or with an add-on; whether this
account has it is said when the adapter is made. *Unsupported*: the ESP cannot. *Not implemented*: the ESP could, the
adapter does not. Every answer but the first gives its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured


class Capability(StrEnum):
    """What an ESP may be asked for; each stands for a port.

    Attributes:
        says: what that is, in a sentence.
    """

    says: str

    def __new__(cls, value: str, says: str) -> Self:
        """Keep the sentence beside the name."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.says = says
        return made

    CAMPAIGNS = "campaigns", "It sends a campaign itself, to those staged before (`SendsCampaigns`)."
    SINGLE_MAILS = "single-mails", "It sends mails one by one (`SendsMails`)."
    OUTCOMES = "outcomes", "Of a single mail whose answer was lost it tells whether it left (`SendsMails.was_sent`)."
    OPT_OUTS = "opt-outs", "It takes noes of ours (`TakesOptOuts`)."
    OPT_OUT_LIST = "opt-out-list", "It can be asked who is out (`ListsOptOuts`)."
    REPORTS = "reports", "Its news can be fetched: opens, clicks, bounces (`Reports`)."
    WEBHOOKS = "webhooks", "Its webhooks are understood (`HearsWebhooks`)."
    CONTACTS = "contacts", "It holds contacts with their fields and topics (`KeepsContacts`)."
    SEGMENTS = "segments", "It computes a segment itself, where it can express it (`CompilesSegments`)."
    MEMBERS = "segment-members", "It holds a segment that we have computed (`HoldsSegments`)."
    TAGS = "tags", "Its contacts carry tags (`TagsContacts`)."
    ERASURE = "erasure", "It removes somebody's data for good (`Forgets`)."


class Support(StrEnum):
    """How far an ESP supports something."""

    FULL = "full"
    VERSIONED = "versioned"
    UNSUPPORTED = "unsupported"
    NOT_IMPLEMENTED = "not implemented"


@frozen
class Ability:
    """One answer.

    Attributes:
        support: how far.
        reason: why not, or what it takes; empty for what is simply there.
        enabled: whether this account has it, where that depends on the plan.
    """

    support: Support = field(converter=Support)
    reason: str = ""
    enabled: bool = True

    def __attrs_post_init__(self) -> None:
        if self.support is not Support.FULL and not self.reason:
            raise InvalidInput(f"{self.support}: say why")

    @property
    def usable(self) -> bool:
        """Whether it may be asked for."""
        return self.enabled and self.support in (Support.FULL, Support.VERSIONED)

    def __str__(self) -> str:
        return f"{self.support}: {self.reason}" if self.reason else str(self.support)


FULL = Ability(Support.FULL)
"""It is simply there."""


def versioned(needs: str, *, enabled: bool) -> Ability:
    """Return the answer for what takes a plan or an add-on, which this account has or not."""
    return Ability(Support.VERSIONED, needs, enabled)


def unsupported(reason: str) -> Ability:
    """Return the answer for what the ESP cannot do."""
    return Ability(Support.UNSUPPORTED, reason)


def not_implemented(reason: str) -> Ability:
    """Return the answer for what the ESP could do, and its adapter does not."""
    return Ability(Support.NOT_IMPLEMENTED, reason)


def _every(abilities: Mapping[Capability, Ability]) -> Mapping[Capability, Ability]:
    missing = [capability for capability in Capability if capability not in abilities]
    if missing:
        raise InvalidInput(f"nothing is said about {', '.join(missing)}: every capability has an answer")
    return MappingProxyType({capability: abilities[capability] for capability in Capability})


@frozen(eq=False)
class Capabilities(Set[Capability]):
    """What an ESP can do: a set of what may be asked of it, with the answer for everything.

    Attributes:
        abilities: the answer for each capability.
    """

    abilities: Mapping[Capability, Ability] = field(converter=_every)

    @classmethod
    def of(cls, usable: Iterable[Capability], *, otherwise: str = "it was left out") -> Self:
        """Return these in full, and all others as not implemented, for this reason."""
        if isinstance(usable, cls):
            return usable
        usable = frozenset(usable)
        return cls({one: FULL if one in usable else not_implemented(otherwise) for one in Capability})

    @classmethod
    def _from_iterable(cls, it: Iterable[Capability]) -> frozenset[Capability]:  # type: ignore[override]
        return frozenset(it)

    def __contains__(self, capability: object) -> bool:
        ability = self.abilities.get(capability)  # type: ignore[call-overload]
        return isinstance(ability, Ability) and ability.usable

    def __iter__(self) -> Iterator[Capability]:
        return (capability for capability, ability in self.abilities.items() if ability.usable)

    def __len__(self) -> int:
        return sum(ability.usable for ability in self.abilities.values())

    def require(self, capability: Capability, esp: str) -> None:
        """Ask before anything is done (E1).

        Raises:
            Misconfigured: it cannot; the message says why, or what it takes.
        """
        ability = self.abilities[capability]
        if not ability.usable:
            raise Misconfigured(f"{esp} does not do {capability}: {ability}")
