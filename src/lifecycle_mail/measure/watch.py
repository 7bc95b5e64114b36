"""The watch over opt-outs (O6): how many of those who got a mail left, and where that comes from.

Rates are kept for each campaign, list, segment and mailbox provider. A rate is opt-outs by mails delivered; where a
campaign's deliveries are not reported, those are the mails sent without the ones that bounced or were dropped.
Typical is 0.2 to 0.5 %. Above a threshold, and once enough mails are delivered to tell, a row is an alert. Mails that
ask the silent to stay lose more people, and have a threshold of their own; where a list or a provider got both kinds,
its threshold is that of the mix.

An alert says where it comes from, and keeps two questions apart: did the mails arrive as they should, and did they
fit whom they reached.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.measure.intervals import wilson
from lifecycle_mail.model.provenance import OptOutReason

_ROUNDING = 1e-9
"""Below this a count is not above its threshold: shares are not exact."""
_FAILED = ("hard-bounced", "soft-bounced", "dropped")
_BOUNCED = ("hard-bounced", "soft-bounced")


class Counted(Protocol):
    """How often something happened on a day, as `ports.Tally` tells it."""

    @property
    def campaign(self) -> str:
        """The campaign, or empty."""
        ...

    @property
    def provider(self) -> str:
        """The mailbox provider, or empty."""
        ...

    @property
    def mark(self) -> str:
        """What happened."""
        ...

    @property
    def count(self) -> int:
        """How often."""
        ...


class Dimension(StrEnum):
    """What a row of the watch counts by."""

    ALL = "all"
    CAMPAIGN = "campaign"
    LIST = "list"
    SEGMENT = "segment"
    PROVIDER = "provider"


def _share(_instance: object, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise InvalidInput(f"{attribute.name} {value!r}: give a share between 0 and 1, such as 0.005 for 0.5 %")


def _count(_instance: object, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{attribute.name} {value!r}: give a whole number above zero")


def _shares(_instance: object, attribute: Any, value: Mapping[str, Any]) -> None:
    for one in value.values():
        _share(None, attribute, one)


@frozen
class WatchRules:
    """When a rate is an alert.

    Attributes:
        threshold: the share of the delivered above which it is one.
        least: the fewest mails delivered that tell.
        baselines: thresholds by industry.
        industry: which of them holds; empty for `threshold`.
        re_engagement: the threshold of mails that ask the silent to stay.
        typical: the band that is usual, for the reader.
    """

    threshold: float = field(default=0.005, validator=_share)
    least: int = field(default=1_000, validator=_count)
    baselines: Mapping[str, float] = field(factory=dict, validator=_shares, hash=False)
    industry: str = field(default="")
    re_engagement: float = field(default=0.01, validator=_share)
    typical: tuple[float, float] = (0.002, 0.005)

    @industry.validator
    def _known(self, _attribute: object, value: str) -> None:
        if value and value not in self.baselines:
            raise UnknownName("baseline", value, self.baselines)

    def limit(self, *, re_engagement: bool) -> float:
        """Return the threshold of one kind of mail."""
        if re_engagement:
            return self.re_engagement
        return self.baselines[self.industry] if self.industry else self.threshold


@frozen(kw_only=True)
class Behind:
    """What is behind a campaign.

    Attributes:
        lists: which share of its mails each list is left through.
        segment: the segment it went to, or empty.
        re_engagement: whether it asks the silent to stay.
    """

    lists: Mapping[str, float] = field(factory=dict)
    segment: str = ""
    re_engagement: bool = False


NOTHING_BEHIND = Behind()


@frozen(kw_only=True)
class Voice:
    """Somebody left, or complained, with what is known of why.

    Attributes:
        campaign, list, segment, provider: where it comes from; empty where that is not known.
        reason: the reason they gave, or empty.
        complaint: whether it is a complaint and not an opt-out.
    """

    campaign: str = ""
    list: str = ""
    segment: str = ""
    provider: str = ""
    reason: str = ""
    complaint: bool = False

    def key(self, dimension: Dimension) -> str:
        """Return what it counts for in one dimension."""
        return "" if dimension is Dimension.ALL else str(getattr(self, dimension.value))


@frozen(kw_only=True)
class WatchRow:
    """The opt-outs of one campaign, list, segment or provider, or of all.

    Attributes:
        dimension, key: of what.
        delivered: how many mails were delivered.
        opt_outs: how many people left.
        threshold: the rate above which that is an alert.
        least: how many delivered mails it takes to tell.
        marks: how often else what happened.
        complaints: how many complained.
        reasons: what those who left said, where they said it.
        sources: where those who left come from, in the other dimensions.
    """

    dimension: Dimension
    key: str
    delivered: int
    opt_outs: int
    threshold: float
    least: int
    marks: Mapping[str, int] = field(factory=dict, repr=False)
    complaints: int = 0
    reasons: Mapping[str, int] = field(factory=dict, repr=False)
    sources: Mapping[Dimension, Mapping[str, int]] = field(factory=dict, repr=False)

    @property
    def rate(self) -> float | None:
        """The share of the delivered that left, or None where nothing was delivered."""
        return self.opt_outs / self.delivered if self.delivered else None

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the rate lies, nineteen times out of twenty."""
        return wilson(self.opt_outs, self.delivered)

    @property
    def is_alert(self) -> bool:
        """Whether more left than the threshold allows, of mails enough to tell."""
        above = self.opt_outs - self.threshold * self.delivered
        return self.delivered >= self.least and above > _ROUNDING

    @property
    def name(self) -> str:
        """What it is about, in words."""
        return "all mails" if self.dimension is Dimension.ALL else f"{self.dimension} {self.key}"

    @property
    def comes_from(self) -> str:
        """Where those who left come from, in words; empty where nothing more is known."""
        found = []
        for dimension, counts in self.sources.items():
            most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:2]
            found += [f"{dimension} {key} ({count:,})" for key, count in most if key]
        return ", ".join(found)

    @property
    def delivery(self) -> tuple[str, ...]:
        """What to ask about delivery: bounces, drops, complaints, machine opens."""
        return tuple(_delivery(self))

    @property
    def relevance(self) -> tuple[str, ...]:
        """What to ask about relevance: the reasons that people gave."""
        return tuple(_relevance(self))

    def __str__(self) -> str:
        if self.rate is None:
            return f"{self.name}: {self.opt_outs:,} left, nothing delivered"
        low, high = self.interval
        return (
            f"{self.name}: {self.opt_outs:,} of {self.delivered:,} left, "
            f"{_percent(self.rate)} ({_percent(low)} to {_percent(high)})"
        )


@frozen(kw_only=True)
class Watch:
    """Opt-outs by mails delivered, over a time.

    Attributes:
        since: the first day, or None for all that is known.
        until: the last day.
        total: all mails together.
        rows: by campaign, list, segment and provider, those with the highest rates first.
        typical: the band that is usual.
    """

    since: date | None
    until: date
    total: WatchRow
    rows: tuple[WatchRow, ...] = field(repr=False)
    typical: tuple[float, float] = (0.002, 0.005)

    @property
    def alerts(self) -> tuple[WatchRow, ...]:
        """The rows that are alerts, all mails together first among them."""
        return tuple(row for row in (self.total, *self.rows) if row.is_alert)

    def of(self, dimension: Dimension | str) -> tuple[WatchRow, ...]:
        """Return the rows of one dimension."""
        return tuple(row for row in self.rows if row.dimension is Dimension(dimension))

    def __str__(self) -> str:
        low, high = self.typical
        begin = "" if self.since is None else f"{self.since.isoformat()} "
        lines = [f"opt-outs {begin}to {self.until.isoformat()}; typical is {_percent(low)} to {_percent(high)}"]
        lines.append(str(self.total))
        for row in self.alerts:
            lines.append(f"alert: {row}, above {_percent(row.threshold)}")
            lines += [f"  comes from: {row.comes_from}"] if row.comes_from else []
            lines += [f"  delivery: {said}" for said in row.delivery or ("nothing unusual",)]
            lines += [f"  relevance: {said}" for said in row.relevance]
        for dimension in Dimension:
            calm = [row for row in self.of(dimension) if not row.is_alert and row.delivered]
            largest = sorted(calm, key=lambda row: -row.delivered)
            lines += [f"  {row}" for row in largest[:_SHOWN]]
            if len(calm) > _SHOWN:
                lines.append(f"  and {len(calm) - _SHOWN:,} of {dimension}s that are smaller")
        return "\n".join(lines)


_SHOWN = 5


def watch(
    counts: Iterable[Counted],
    voices: Iterable[Voice],
    *,
    behind: Mapping[str, Behind],
    since: date | None,
    until: date,
    rules: WatchRules,
) -> Watch:
    """Put together what was delivered and who left.

    Args:
        counts: what happened to mails, by campaign and provider.
        voices: who left, and who complained.
        behind: what is behind each campaign, as far as it is known.
        since, until: the days that these tell of.
        rules: when a rate is an alert.
    """
    piles: dict[tuple[Dimension, str], _Pile] = defaultdict(_Pile)
    for campaign, by_provider in _by_campaign(counts).items():
        what = behind.get(campaign, NOTHING_BEHIND)
        limit = rules.limit(re_engagement=what.re_engagement)
        reported = any(marks["delivered"] for marks in by_provider.values())
        for provider, marks in by_provider.items():
            arrived = marks["delivered"] if reported else marks["sent"] - sum(marks[mark] for mark in _FAILED)
            places = [(Dimension.ALL, "", 1.0), (Dimension.CAMPAIGN, campaign, 1.0)]
            places += [(Dimension.SEGMENT, what.segment, 1.0), (Dimension.PROVIDER, provider, 1.0)]
            places += [(Dimension.LIST, key, share) for key, share in what.lists.items()]
            for dimension, key, share in places:
                piles[dimension, key].mails(max(0, arrived) * share, marks, share, limit)
    for voice, count in Counter(voices).items():
        for dimension in Dimension:
            piles[dimension, voice.key(dimension)].hear(voice, dimension, count)
    rows = {place: pile.row(*place, rules) for place, pile in piles.items()}
    nothing = _Pile().row(Dimension.ALL, "", rules)
    return Watch(
        since=since,
        until=until,
        total=rows.get((Dimension.ALL, ""), nothing),
        rows=tuple(sorted((row for row in rows.values() if row.key), key=_highest_first)),
        typical=rules.typical,
    )


def _by_campaign(counts: Iterable[Counted]) -> dict[str, dict[str, Counter[str]]]:
    found: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for one in counts:
        found[one.campaign][one.provider][one.mark] += one.count
    return found


def _highest_first(row: WatchRow) -> tuple[float, int, str, str]:
    return -(row.rate or 0.0), -row.delivered, row.dimension, row.key


class _Pile:
    """What is counted for one row."""

    def __init__(self) -> None:
        self.delivered = 0.0
        self.allowed = 0.0
        self.opt_outs = 0
        self.complaints = 0
        self.marks: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.sources: dict[Dimension, Counter[str]] = {}

    def mails(self, delivered: float, marks: Mapping[str, int], share: float, limit: float) -> None:
        self.delivered += delivered
        self.allowed += delivered * limit
        for mark, count in marks.items():
            self.marks[mark] += count * share  # type: ignore[assignment]

    def hear(self, voice: Voice, mine: Dimension, count: int) -> None:
        if voice.complaint:
            self.complaints += count
            return
        self.opt_outs += count
        if voice.reason:
            self.reasons[voice.reason] += count
        for dimension in Dimension:
            if dimension not in (mine, Dimension.ALL):
                self.sources.setdefault(dimension, Counter())[voice.key(dimension)] += count

    def row(self, dimension: Dimension, key: str, rules: WatchRules) -> WatchRow:
        limit = self.allowed / self.delivered if self.delivered else rules.limit(re_engagement=False)
        return WatchRow(
            dimension=dimension,
            key=key,
            delivered=round(self.delivered),
            opt_outs=self.opt_outs,
            threshold=limit,
            least=rules.least,
            marks=MappingProxyType({mark: round(count) for mark, count in sorted(self.marks.items())}),
            complaints=self.complaints,
            reasons=MappingProxyType(dict(self.reasons.most_common())),
            sources=MappingProxyType(self.sources),
        )


# --- the two questions ------------------------------------------------------------------------------------------------

_BOUNCES, _DROPS, _COMPLAINTS, _MACHINES = 0.02, 0.01, 0.001, 0.5
"""Shares that are worth a question; complaints have their alarm at 0.1 % (R7)."""


def _delivery(row: WatchRow) -> Iterable[str]:
    marks = row.marks
    tried = max(marks.get("sent", 0), row.delivered + sum(marks.get(mark, 0) for mark in _FAILED))
    bounced = sum(marks.get(mark, 0) for mark in _BOUNCED)
    if bounced > _BOUNCES * tried:
        yield f"{bounced:,} of {tried:,} mails bounced ({_percent(bounced / tried)}): how old are the addresses?"
    dropped = marks.get("dropped", 0)
    if dropped > _DROPS * tried:
        yield f"{dropped:,} of {tried:,} mails were dropped before they left: what does the provider hold against them?"
    if row.complaints and row.complaints >= _COMPLAINTS * row.delivered:
        share = f" ({_percent(row.complaints / row.delivered)}, and the alarm is at 0.1 %)" if row.delivered else ""
        yield f"{row.complaints:,} complained{share}: is the way out easy to find?"
    machine, human = marks.get("machine-opened", 0), marks.get("opened", 0)
    if machine > _MACHINES * (machine + human):
        yield f"machines made {machine:,} of {machine + human:,} opens: who read these mails is hardly known"


_ASK = {
    OptOutReason.TOO_MANY: "said too many: offer fewer mails, or a pause",
    OptOutReason.NOT_RELEVANT: "said not relevant: look at whom the segment picks, and at what the list promised",
    OptOutReason.NEVER_SIGNED_UP: "said that they never signed up: look at how they came onto the list",
    OptOutReason.COMPETITOR: "went to a competitor",
    OptOutReason.CHANGED_ROLE: "changed their role: it is nobody's fault",
    OptOutReason.OTHER: "said something else: read it",
}


def _relevance(row: WatchRow) -> Iterable[str]:
    for reason, count in row.reasons.items():
        yield f"{count:,} of {row.opt_outs:,} {_ASK.get(OptOutReason(reason), reason)}"
    if row.opt_outs and not row.reasons:
        yield "nobody said why: ask for the reason on the goodbye page"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
