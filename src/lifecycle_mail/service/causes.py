"""Which campaigns, segments and reasons drive opt-outs (O3).

A reason is counted here that came with the no itself, and stands in the log. What somebody answers later, to the link
in a goodbye, is another thing: it can be changed, is no part of the log as it stood at an instant, and is nobody's once
they were erased, while their no stays. `Lifecycle.reasons(question="opt-out")` counts those answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import field, frozen

from lifecycle_mail.model.echoes import distinct, echoes_in
from lifecycle_mail.model.entries import Consent, Entry, OptOut, Pushed, Record


@frozen(kw_only=True)
class OptOutCauses:
    """Distinct opt-outs, counted by what led to them; a no that came back as an echo counts once.

    Attributes:
        total: how many there were.
        campaigns, segments, reasons, through, scopes: how many by each; what is not known is counted under "". A reason
            is what was said with the no, and not what was answered to a goodbye.
    """

    total: int
    campaigns: Counter[str] = field(factory=Counter)
    segments: Counter[str] = field(factory=Counter)
    reasons: Counter[str] = field(factory=Counter)
    through: Counter[str] = field(factory=Counter)
    scopes: Counter[str] = field(factory=Counter)


def opt_out_causes(records: Iterable[Record], *, since: datetime | None = None) -> OptOutCauses:
    """Count the opt-outs in a log, or those recorded from an instant on.

    Args:
        records: the log from its beginning: what echoes an older no is told by that one. Read once.
        since: the instant, aware UTC.
    """
    found = [one.entry for one in distinct_opt_outs(records) if since is None or one.recorded_at >= since]
    said = [opt_out.provenance for opt_out in found]
    return OptOutCauses(
        total=len(found),
        campaigns=Counter(one.campaign or "" for one in said),
        segments=Counter(one.segment or "" for one in said),
        reasons=Counter(str(one.reason or "") for one in said),
        through=Counter(str(one.through) for one in said),
        scopes=Counter(str(opt_out.scope) for opt_out in found),
    )


@frozen
class Said:
    """A no, and when the log took it."""

    entry: OptOut
    recorded_at: datetime


def distinct_opt_outs(records: Iterable[Record]) -> Iterator[Said]:
    """Yield every no of a log once, as it was recorded first, without the reports that only echo another."""
    by_subject: dict[object, list[Entry]] = defaultdict(list)
    first: dict[str, datetime] = {}
    for record in records:
        entry = record.entry
        if isinstance(entry, OptOut | Pushed | Consent):  # an echo is told by these three about one subject
            by_subject[entry.subject.key or entry.subject.contact_id].append(entry)
        if isinstance(entry, OptOut):
            first.setdefault(entry.id, record.recorded_at)
    seen: set[str] = set()
    for entries in by_subject.values():
        noes = [entry for entry in entries if isinstance(entry, OptOut)]
        counted = distinct({one.id for one in noes}, echoes_in(entries)) if noes else ()
        for one in noes:
            if one.id in counted and one.id not in seen:
                seen.add(one.id)
                yield Said(one, first[one.id])
