"""Echoes: the same no, told again.

One click comes back several times, and must not count twice, while a second, genuine no must. Equal ids take care of
most of it: a report that is delivered again, next week's export of the same state. Two kinds are left, both told by an
ESP, and both read off the set of entries, so that no order of arrival matters:

- *our own push*: we told the ESP of an opt-out (`Pushed`), and it reports the one it then made, or one for each list
  that ours covers;
- *its own word again*: the ESP told of one click under two ids, as an event with its own id and as a state with the
  time of its change. Two events with ids of their own are two noes, however near.

A report is an echo while its time lies within `ECHO` of our push, or less than `SAME_CLICK` from the ESP's other word
(a state that has no time of its own: at any time after it), and nobody came back in between. So a no that follows a
return always counts. An echo is evidence: it binds as long as the no that it echoes, and is cited with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from lifecycle_mail.model.entries import Consent, Entry, OptOut, Pushed, Subject
from lifecycle_mail.model.lists import Channel, Scope, ScopeKind
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.provenance import Actor, Through

ECHO = (timedelta(minutes=-1), timedelta(minutes=15))
"""How far the time of an echo may lie from our push: ESPs cut seconds off, and queue."""

SAME_CLICK = timedelta(minutes=1)
"""An ESP's two words for one click lie less than this apart: it knows the time of both, but cuts seconds."""


_WIDER = {
    ScopeKind.LIST: (Scope.channel(Channel.EMAIL), Scope.all()),
    ScopeKind.CHANNEL: (Scope.all(),),
    ScopeKind.ALL: (),
}
"""The scopes that cover more than one of a kind; ESPs send e-mail."""


@frozen
class _Cause:
    """A no that an ESP knows of since `at`: one that we pushed, or one that it told of itself."""

    opt_out: EntryId
    subject: Subject
    scope: Scope
    source: str
    at: datetime
    pushed: bool
    state: bool = False


def echoes_in(entries: Iterable[Entry]) -> dict[EntryId, frozenset[EntryId]]:
    """Return the opt-outs that only echo others, each with those it may echo.

    Where one opt-out is reported with different times, it is an echo only if every report of it is one.
    """
    entries = list(entries)
    reports = [entry for entry in entries if isinstance(entry, OptOut) and _is_report(entry)]
    causes = [_pushed(entry) for entry in entries if isinstance(entry, Pushed)]
    causes += [_told(report) for report in reports if report.dated]
    if len(causes) + len(reports) < 2 or not reports:
        return {}
    returns = [entry for entry in entries if isinstance(entry, Consent) and entry.cites]
    known: dict[tuple[str, Scope], list[_Cause]] = defaultdict(list)  # what an ESP tells echoes what it knows
    for cause in causes:
        known[cause.source, cause.scope].append(cause)
    found: dict[EntryId, frozenset[EntryId]] = {}
    for entry in entries:
        if isinstance(entry, OptOut):
            near = _causes(known, entry) if _is_report(entry) else ()
            echoed = frozenset(cause.opt_out for cause in near if _echoes(entry, cause, returns))
            found[entry.id] = echoed & found.get(entry.id, echoed)
    return {echo: echoed for echo, echoed in found.items() if echoed}


def _causes(known: Mapping[tuple[str, Scope], Sequence[_Cause]], report: OptOut) -> Iterator[_Cause]:
    """Yield what a report may echo: what its ESP knows of the same scope, and what we told it of a wider one.

    An ESP that only knows lists reports each of them when it is told that somebody left them all.
    """
    source, scope = report.provenance.source, report.scope
    yield from known.get((source, scope), ())
    for wider in _WIDER[scope.kind]:
        yield from (cause for cause in known.get((source, wider), ()) if cause.pushed)


def _pushed(push: Pushed) -> _Cause:
    said = push.provenance
    return _Cause(push.opt_out, push.subject, push.scope, said.source, said.at, pushed=True)


def _told(report: OptOut) -> _Cause:
    said = report.provenance
    return _Cause(report.id, report.subject, report.scope, said.source, said.at, pushed=False, state=report.is_state)


def _is_report(entry: OptOut) -> bool:
    """Whether a system told us, whoever it says has acted; what a person tells us ourselves echoes nothing."""
    return entry.provenance.actor is Actor.ESP or entry.provenance.through in (Through.WEBHOOK, Through.IMPORT)


def _echoes(report: OptOut, cause: _Cause, returns: Iterable[Consent]) -> bool:
    """Whether a report echoes what the same ESP knows."""
    said = report.provenance
    if report.id == cause.opt_out or not _same(report.subject, cause.subject):
        return False
    distance = said.at - cause.at
    if cause.pushed:
        near = ECHO[0] <= distance and (distance <= ECHO[1] or not report.dated)
    elif report.is_state == cause.state:
        return False  # two events are two noes, and so are two states; an event and its state are one
    else:
        near = (abs(distance) < SAME_CLICK) if report.dated else distance >= timedelta(0)
    first, last = min(cause.at, said.at), max(cause.at, said.at)
    return near and not any(
        first <= back.provenance.at < last and _same(back.subject, report.subject) for back in returns
    )


def distinct(opt_outs: Iterable[EntryId], echoes: Mapping[EntryId, frozenset[EntryId]]) -> set[EntryId]:
    """Return the opt-outs that are no echo of another; of two that echo each other, one."""
    return {one for one in opt_outs if not any(cause not in echoes or cause < one for cause in echoes.get(one, ()))}


def _same(one: Subject, other: Subject) -> bool:
    """Whether two entries are about one contact, or about one address."""
    if one.key is not None and one.key == other.key:
        return True
    return one.contact_id is not None and one.contact_id == other.contact_id
