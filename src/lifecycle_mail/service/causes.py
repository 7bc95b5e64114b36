"""Which campaigns, segments and reasons drive opt-outs (O3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from attrs import field, frozen

from lifecycle_mail.model.echoes import distinct, echoes_in
from lifecycle_mail.model.entries import Consent, Entry, OptOut, Pushed, Record


@frozen(kw_only=True)
class OptOutCauses:
    """Distinct opt-outs, counted by what led to them; a no that came back as an echo counts once.

    Attributes:
        total: how many there were.
        campaigns, segments, reasons, through, scopes: how many by each; what is not known is counted under "".
    """

    total: int
    campaigns: Counter[str] = field(factory=Counter)
    segments: Counter[str] = field(factory=Counter)
    reasons: Counter[str] = field(factory=Counter)
    through: Counter[str] = field(factory=Counter)
    scopes: Counter[str] = field(factory=Counter)


def opt_out_causes(records: Iterable[Record]) -> OptOutCauses:
    """Count the opt-outs in a log, or in a part of it."""
    by_subject: dict[object, list[Entry]] = defaultdict(list)
    for record in records:
        entry = record.entry
        if isinstance(entry, OptOut | Pushed | Consent):  # an echo is told by these three about one subject
            by_subject[entry.subject.key or entry.subject.contact_id].append(entry)
    found: dict[str, OptOut] = {}
    for entries in by_subject.values():
        echoes = echoes_in(entries)
        counted = distinct({entry.id for entry in entries if isinstance(entry, OptOut)}, echoes)
        for entry in entries:
            if isinstance(entry, OptOut) and entry.id in counted:
                found.setdefault(entry.id, entry)
    said = [opt_out.provenance for opt_out in found.values()]
    return OptOutCauses(
        total=len(found),
        campaigns=Counter(one.campaign or "" for one in said),
        segments=Counter(one.segment or "" for one in said),
        reasons=Counter(str(one.reason or "") for one in said),
        through=Counter(str(one.through) for one in said),
        scopes=Counter(str(opt_out.scope) for opt_out in found.values()),
    )
