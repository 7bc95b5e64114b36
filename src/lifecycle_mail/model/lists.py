"""Mailing lists, channels, and the scope of a no.

A *list* is a topic seen from the subscriber's side (L1): a title they would recognise, what to expect, how often.
People join and leave lists; that is consent. Nobody joins a segment (L2).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.names import ListKey, check_slug, require_slug


class Channel(StrEnum):
    """How a message travels; this library sends e-mail and knows of the others (P6, S15)."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    POST = "post"
    COMMUNITY = "community"
    SOCIAL = "social"


_CHANNELS = frozenset(channel.value for channel in Channel)


class Frequency(StrEnum):
    """How often a person chose to hear from us (P2), or a list says it writes."""

    EVERY = "every"
    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


def _as_list_key(value: str) -> ListKey:
    return ListKey(value)


@frozen
class MailingList:
    """A topic people join and leave.

    Attributes:
        key: our slug for it; stable, never shown.
        title: what the subscriber reads.
        expect: what they will get, in their words ("one deal a week").
        frequency: how often it writes, or None where it varies.
        double_opt_in: whether joining needs a click in a confirmation mail.
        channel: how it travels.
    """

    key: ListKey = field(converter=_as_list_key, validator=require_slug)
    title: str = field(kw_only=True, default="")
    expect: str = field(kw_only=True, default="")
    frequency: Frequency | None = field(kw_only=True, default=None)
    double_opt_in: bool = field(kw_only=True, default=False)
    channel: Channel = field(kw_only=True, default=Channel.EMAIL)


class ScopeKind(StrEnum):
    """How far a no reaches (O2)."""

    LIST = "list"
    CHANNEL = "channel"
    ALL = "all"


@frozen(order=True)
class Scope:
    """What an opt-out covers: one list, one channel, or all marketing (O2). Transactional mail is never covered.

    Attributes:
        kind: list, channel or all.
        key: the list's key or the channel's name; empty for all.
    """

    kind: ScopeKind
    key: str = ""

    def __attrs_post_init__(self) -> None:
        if (self.kind is ScopeKind.ALL) != (not self.key):
            raise InvalidInput(f"scope {self.kind}: a list or channel is named, all marketing is not")
        # A no to what does not exist would bind nothing, and nobody would notice.
        if self.kind is ScopeKind.LIST:
            check_slug("list", self.key)
        if self.kind is ScopeKind.CHANNEL and self.key not in _CHANNELS:
            raise InvalidInput(f"channel {self.key[:70]!r}: write one of {', '.join(sorted(_CHANNELS))}")

    @classmethod
    def all(cls) -> Self:
        """All marketing: the master opt-out."""
        return cls(ScopeKind.ALL)

    @classmethod
    def list(cls, key: str) -> Self:
        """One list."""
        return cls(ScopeKind.LIST, key)

    @classmethod
    def channel(cls, channel: Channel) -> Self:
        """One channel."""
        return cls(ScopeKind.CHANNEL, channel.value)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `all`, `list:offers` or `channel:email`."""
        kind, _, key = text.partition(":")
        try:
            return cls(ScopeKind(kind), key)
        except ValueError:
            raise InvalidInput(f"scope {text[:70]!r}: write 'all', 'list:KEY' or 'channel:NAME'") from None

    def covers(self, list_key: str, channel: Channel = Channel.EMAIL) -> bool:
        """Whether a marketing mail for this list over this channel falls under the scope."""
        if self.kind is ScopeKind.ALL:
            return True
        return self.key == (list_key if self.kind is ScopeKind.LIST else channel.value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else str(self.kind)
