"""How lists are used: who is on them, which campaigns went to them, and what people left (L5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.echoes import distinct
from lifecycle_mail.model.lists import Channel, MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.policy.programme import Programme


def _as_keys(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(keys)


@frozen(kw_only=True)
class ListUsage:
    """One list and what became of it.

    Attributes:
        list: the list.
        subscribers: how many are active on it.
        campaigns: the keys of the campaigns that were sent to it or are planned for it.
        opt_outs: how many times somebody left this list alone.
    """

    list: MailingList
    subscribers: int = 0
    campaigns: frozenset[str] = field(default=frozenset(), converter=_as_keys)
    opt_outs: int = 0


def _as_lists(lists: Iterable[ListUsage]) -> tuple[ListUsage, ...]:
    return tuple(lists)


def _each_once(_instance: object, _attribute: Any, value: tuple[ListUsage, ...]) -> None:
    counts = Counter(used.list.key for used in value)
    if twice := sorted(key for key, count in counts.items() if count > 1):
        raise InvalidInput(f"lists {', '.join(map(repr, twice))} are given twice: give each list once")


@frozen(kw_only=True)
class Usage:
    """All lists, as a subscriber meets them on one page.

    Attributes:
        lists: each list once.
        master_opt_outs: how many times somebody left all marketing.
        list_opt_outs: how many times somebody left one list alone.
    """

    lists: tuple[ListUsage, ...] = field(default=(), converter=_as_lists, validator=_each_once)
    master_opt_outs: int = 0
    list_opt_outs: int = 0


def usage_of(
    programme: Programme,
    persons: Iterable[Person],
    sent: Mapping[str, frozenset[str]] = {},
    *,
    now: datetime,
) -> Usage:
    """Count how the lists of a programme, and those that only the consent log knows, are used (L5).

    A list that no programme describes has no title. A no to a whole channel counts neither as one to a list
    nor as the master opt-out.

    Args:
        programme: its campaigns count as planned for the lists behind them.
        persons: every contact once.
        sent: the keys of the campaigns that were sent to each list, by the list's key.
        now: an aware UTC instant.
    """
    subscribers: Counter[str] = Counter()
    seen: set[str] = set(programme.lists)
    said: dict[EntryId, Scope] = {}
    echoes: dict[EntryId, frozenset[EntryId]] = {}
    for person in persons:
        for key in person.lists():
            seen.add(key)
            channel = programme.lists[key].channel if key in programme.lists else Channel.EMAIL
            subscribers[key] += person.standing(key, now=now, channel=channel) is ListStanding.ACTIVE
        # By id: one opt-out binds everybody who shares its address, and is still one.
        said.update((opt_out.id, opt_out.scope) for opt_out in person.opt_outs.values())
        echoes.update(person.echoes)
    counted = [said[one] for one in distinct(said, echoes)]
    left = Counter(scope.key for scope in counted if scope.kind is ScopeKind.LIST)
    campaigns: defaultdict[str, set[str]] = defaultdict(set)
    for campaign in programme.campaigns.values():
        for key in campaign.lists:
            campaigns[key].add(campaign.key)
    for name, keys in sent.items():
        campaigns[name] |= keys
    seen |= left.keys() | campaigns.keys()
    return Usage(
        lists=tuple(
            ListUsage(
                list=programme.lists.get(key) or MailingList(key),
                subscribers=subscribers[key],
                campaigns=frozenset(campaigns[key]),
                opt_outs=left[key],
            )
            for key in sorted(seen)
        ),
        master_opt_outs=sum(scope.kind is ScopeKind.ALL for scope in counted),
        list_opt_outs=left.total(),
    )
