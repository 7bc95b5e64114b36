"""Gathering what the watch over opt-outs looks at (O6): counts by day, the log, and what is behind each campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time

from attrs import evolve

from lifecycle_mail.measure.watch import Behind, Voice, Watch, WatchRules, watch
from lifecycle_mail.model.addresses import MatchKey, domain_of
from lifecycle_mail.model.entries import OptOut, Record, Suppression, SuppressionKind
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import ScopeKind
from lifecycle_mail.model.names import CampaignKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.providers import provider_of
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.ports import ClaimState, Store, Tally
from lifecycle_mail.service.causes import distinct_opt_outs

_ASKING = (Purpose.RE_ENGAGEMENT, Purpose.LAST_CHANCE)


class Watcher:
    """Looks at opt-outs over a time.

    Args:
        store: what is kept.
        programme: knows what is behind a campaign.
        esp: the name of the ESP, whose ids of campaigns the store may know.
    """

    def __init__(self, store: Store, programme: Programme, *, esp: str) -> None:
        self._store = store
        self._programme = programme
        self._ours = {theirs: ours for ours, theirs in store.bound(f"esp:{esp}", "campaign").items()}

    def watch(self, *, since: datetime | None, now: datetime, rules: WatchRules) -> Watch:
        """Put together what was delivered and who left, from the UTC day of `since` on."""
        first = None if since is None else since.date()
        start = None if first is None else datetime.combine(first, time(), tzinfo=UTC)
        tallies = [
            evolve(tally, campaign=self._ours.get(tally.campaign, tally.campaign))
            for tally in self._store.tally(since=first)
            if tally.day <= now.date()
        ]
        behind, receipts = self._behind(tallies)
        return watch(
            [tally for tally in tallies if tally.campaign not in receipts],
            self._voices(behind, start=start, now=now),
            behind=behind,
            since=first,
            until=now.date(),
            rules=rules,
        )

    # -- what is behind a campaign

    def _behind(self, tallies: list[Tally]) -> tuple[dict[str, Behind], set[str]]:
        """Return what is behind each campaign, and which of them are transactional and watched by nobody."""
        marks: dict[str, Counter[str]] = {}
        for tally in tallies:
            marks.setdefault(tally.campaign, Counter())[tally.mark] += tally.count
        behind, receipts = {}, set()
        for key in [*marks, *(key for key in self._programme.campaigns if key not in marks)]:
            counts = marks.get(key, Counter())
            known = self._programme.campaigns.get(key)
            if _mostly(counts, (Purpose.TRANSACTIONAL,)) or (known is not None and not known.marketing):
                receipts.add(key)
            asking = _mostly(counts, _ASKING) or (known is not None and known.purpose in _ASKING)
            behind[key] = Behind(lists=self._lists(key, known), segment=_segment(known), re_engagement=asking)
        return behind, receipts

    def _lists(self, key: str, known: Campaign | None) -> Mapping[str, float]:
        if known is not None and len(known.lists) == 1:
            return {known.lists[0]: 1.0}
        if not key:
            return {}
        claims = self._store.claims(CampaignKey(key)).values()
        left = Counter(one.leaves_list for one in claims if one.leaves_list and one.state is not ClaimState.RETURNED)
        return {one: count / left.total() for one, count in left.items()}

    # -- who left

    def _voices(self, behind: Mapping[str, Behind], *, start: datetime | None, now: datetime) -> Iterator[Voice]:
        complaints: dict[str, Suppression] = {}

        def noted() -> Iterator[Record]:
            for record in self._store.records():
                entry = record.entry
                if isinstance(entry, Suppression) and entry.kind is SuppressionKind.COMPLAINT:
                    complaints.setdefault(entry.id, entry)
                yield record

        for said in distinct_opt_outs(noted()):
            if said.entry.dated and _within(said.entry, start, now):
                yield self._voice(said.entry, behind)
        yield from (self._voice(one, behind) for one in complaints.values() if _within(one, start, now))

    def _voice(self, entry: OptOut | Suppression, behind: Mapping[str, Behind]) -> Voice:
        said = entry.provenance
        campaign = self._ours.get(said.campaign or "", said.campaign or "")
        what = behind.get(campaign, Behind())
        sole = next(iter(what.lists)) if len(what.lists) == 1 else ""
        named = entry.scope.key if isinstance(entry, OptOut) and entry.scope.kind is ScopeKind.LIST else ""
        return Voice(
            campaign=campaign,
            list=named or sole,
            segment=said.segment or what.segment,
            provider=_provider(entry.subject.key),
            reason=said.reason or "",
            complaint=isinstance(entry, Suppression),
        )


def _within(entry: OptOut | Suppression, start: datetime | None, now: datetime) -> bool:
    at = entry.provenance.at
    return at <= now and (start is None or start <= at)


def _provider(key: MatchKey | None) -> str:
    return "" if key is None or is_hashed(key) else provider_of(domain_of(key))


def _mostly(counts: Mapping[str, int], purposes: tuple[Purpose, ...]) -> bool:
    of_these = sum(counts.get(purpose.value, 0) for purpose in purposes)
    return of_these > 0 and 2 * of_these >= counts.get("sent", 0)


def _segment(campaign: Campaign | None) -> str:
    """Return the segment that opt-outs through a campaign are counted for: the first that is no list."""
    if campaign is None:
        return ""
    lists: set[str] = set(campaign.lists)
    return next((target.key for target in campaign.to if target.key not in lists), "")
