"""Entries of the consent log as rows, and back.

What everybody asks for has a column of its own; the rest of an entry is JSON in `body`. People and addresses are
numbers. Words, evidence and event ids stand in the evidence table, so that an erasure can take them away; the event id
of a state that was reported without one is made again from the key, and not stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define

from lifecycle_mail.errors import RegistryDamaged
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
    state_event_id,
)
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.model.redaction import with_id
from lifecycle_mail_sql.texts import checksum, optional, plain, reads, stored, verified

KIND_OF: Mapping[type, str] = {
    OptOut: "opt-out",
    Suppression: "suppression",
    Lift: "lift",
    ConsentRequest: "request",
    Consent: "consent",
    AddressChanged: "address",
    Pushed: "pushed",
}

COLUMNS = (
    "seq", "recorded_at", "kind", "entry_id", "person", "key", "old", "about", "happened_at", "actor", "through",
    "source", "campaign", "segment", "reason", "body",
)  # fmt: skip
"""Of the log, in the order of the checksum, which follows them."""

AGAINST = (KIND_OF[OptOut], KIND_OF[Suppression])
"""What is held against somebody: each has an event id in the evidence table, or stands for a state."""
_CHANGED = "changed"
_STATES = (("observed", "observed:"), (_CHANGED, "state:"))
"""How the event ids of states begin that were reported without one (`state_event_id`)."""

EVIDENCE = ("event_id", "text", "evidence")
"""Of the evidence table, likewise."""


@define
class Told:
    """What is stored of an entry beside its place in the log, and its evidence."""

    about: str
    body: str | None
    old: MatchKey | None
    evidence: tuple[str | None, str, str] | None


def tell(entry: Entry) -> Told:
    """Turn what is particular to an entry into columns."""
    said = entry.provenance
    body: dict[str, Any] = {}
    event_id: str | None = None
    old: MatchKey | None = None
    if isinstance(entry, OptOut):
        about = str(entry.scope)
        if not entry.dated:
            body["dated"] = False
        event_id = _event_id(entry, body)
    elif isinstance(entry, Suppression):
        about = entry.kind.value
        if entry.until is not None:
            body["until"] = to_micros(entry.until)
        event_id = _event_id(entry, body)
    elif isinstance(entry, Consent):
        about = entry.list
        body["standing"] = entry.standing.value
        if entry.cites:
            body["cites"] = sorted(entry.cites)
        if entry.request is not None:
            body["request"] = entry.request
        if entry.expires_at is not None:
            body["expires_at"] = to_micros(entry.expires_at)
    elif isinstance(entry, ConsentRequest):
        about = entry.list
        if entry.asks:
            body["asks"] = sorted(entry.asks)
    elif isinstance(entry, Lift):
        about = ""
        body["cites"] = sorted(entry.cites)
    elif isinstance(entry, AddressChanged):
        about = ""
        old = entry.old
    else:
        about = str(entry.scope)
        body["opt_out"] = entry.opt_out
        if entry.done:
            body["done"] = True
    evidence = None
    if event_id is not None or said.text or said.evidence:
        evidence = (optional(event_id), stored(said.text), stored(said.evidence))
    return Told(about, _text(body) if body else None, old, evidence)


def _text(body: dict[str, Any]) -> str:
    for state, text in _STATE_BODIES:
        if body == state:
            return text
    return json.dumps(body)


_STATE_BODIES = tuple((body, json.dumps(body)) for body in ({"dated": False, "event": "observed"}, {"event": _CHANGED}))
"""Of every row of a suppression list, without a date and with one."""


def _event_id(entry: OptOut | Suppression, body: dict[str, Any]) -> str | None:
    """Return the event id to be stored, or note in the body which state it stands for."""
    for name, begin in _STATES:
        if entry.event_id.startswith(begin):
            at = entry.provenance.at if name == _CHANGED else None
            if entry.event_id == state_event_id(entry.subject, at):
                body["event"] = name
                return None
    return entry.event_id


def said_by(said: Provenance) -> tuple[int | str | None, ...]:
    """Return the columns of a row of the log that say who said it, when and why."""
    return (
        to_micros(said.at), said.actor.value, said.through.value, stored(said.source), optional(said.campaign),
        optional(said.segment), None if said.reason is None else said.reason.value,
    )  # fmt: skip


def row_of(
    entry: Entry, *, seq: int, recorded_at: int, person: int, key: int, old: int, told: Told,
    said: tuple[int | str | None, ...],
) -> tuple[int | str | None, ...]:  # fmt: skip
    """Return an entry's row of the log, its checksum last; `said` is what `said_by` makes of its provenance."""
    row = (
        seq, recorded_at, KIND_OF[type(entry)], entry.id, person, key, old, told.about, *said, told.body,
    )  # fmt: skip
    return (*row, checksum(row))


def evidence_row(seq: int, told: Told) -> tuple[int | str | None, ...] | None:
    """Return an entry's row of the evidence table, its checksum last, or None where there is nothing to keep."""
    if told.evidence is None:
        return None
    row = (seq, *told.evidence)
    return (*row, checksum(row))


def check_row(row: Any) -> None:
    """Check a row of the log, and its evidence where there is any, against their checksums, and that it names somebody.

    Raises:
        RegistryDamaged: it is not what was written (F11).
    """
    verified(row[:16], row[16], f"record {row[0]} of the log")
    if row[17] is not None:
        verified((row[0], *row[18:21]), row[17], f"the evidence of record {row[0]}")
    if row[2] in AGAINST and row[18] is None and '"event"' not in (row[15] or ""):
        raise RegistryDamaged(f"the event id of record {row[0]} is not there: restore a backup, then sweep")
    if any(number and name is None for number, name in zip(row[4:7], row[21:24], strict=True)):
        raise RegistryDamaged(f"whom record {row[0]} of the log names is not there: restore a backup, then sweep")


@reads("a record of the log")
def entry_of(row: Any) -> Entry:
    """Make the entry of a row: the log's columns and `crc`, `crc` and columns of its evidence, names of its numbers.

    Args:
        row: as `log.READ` selects it.

    Raises:
        RegistryDamaged: the row is not what was written (F11).
    """
    check_row(row)
    kind, entry_id, _, _, _, about, happened_at, actor, through, source = row[2:12]
    campaign, segment, reason, body = row[12:16]
    event_id, text, evidence, person, key, old = row[18:24]
    subject = Subject(
        contact_id=None if person is None else ContactId(plain(person)),
        key=None if key is None else MatchKey(plain(key)),
    )
    said = Provenance(
        actor=Actor(actor),
        through=Through(through),
        at=from_micros(happened_at),
        source=plain(source),
        campaign=None if campaign is None else plain(campaign),
        segment=None if segment is None else plain(segment),
        reason=None if reason is None else OptOutReason(reason),
        text=plain(text or ""),
        evidence=plain(evidence or ""),
    )
    more: dict[str, Any] = {} if body is None else json.loads(body)
    made: Entry
    if kind == "opt-out":
        made = OptOut(
            subject=subject, scope=Scope.parse(about), event_id=_event(more, event_id, subject, said), provenance=said,
            dated=more.get("dated", True),
        )  # fmt: skip
    elif kind == "suppression":
        made = Suppression(
            subject=subject, kind=SuppressionKind(about), event_id=_event(more, event_id, subject, said),
            provenance=said, until=_instant(more, "until"),
        )  # fmt: skip
    elif kind == "consent":
        made = Consent(
            subject=subject, list=ListKey(about), standing=Standing(more["standing"]), provenance=said,
            cites=more.get("cites", ()), request=more.get("request"), expires_at=_instant(more, "expires_at"),
        )  # fmt: skip
    elif kind == "request":
        made = ConsentRequest(subject=subject, list=ListKey(about), provenance=said, asks=more.get("asks", ()))
    elif kind == "lift":
        made = Lift(subject=subject, cites=more["cites"], provenance=said)
    elif kind == "address":
        made = AddressChanged(subject=subject, old=None if old is None else MatchKey(plain(old)), provenance=said)
    else:
        made = Pushed(
            subject=subject, opt_out=EntryId(more["opt_out"]), scope=Scope.parse(about), provenance=said,
            done=more.get("done", False),
        )  # fmt: skip
    return made if made.id == entry_id else with_id(made, EntryId(entry_id))


def _event(body: Mapping[str, Any], event_id: str | None, subject: Subject, said: Provenance) -> str:
    state = body.get("event")
    if state is None:
        return plain(event_id or "")
    return state_event_id(subject, said.at if state == _CHANGED else None)


def _instant(body: Mapping[str, Any], name: str) -> Any:
    found = body.get(name)
    return None if found is None else from_micros(found)
