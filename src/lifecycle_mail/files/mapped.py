"""Tables and JSON lines read by a mapping: events, snapshots, contacts.

Each row is checked as a whole: a cell that makes the row untrue (no instant, an unknown kind, a share above
one) refuses it, while a cell beside the point (a time zone that is none) is set aside and the row taken.

An assumed subscription is recorded as what it is: an import, with the mapping that declares it as evidence
(O3). Like any other import it brings nobody back (O4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import instants, number_in, share_in, someone, tags_in, text_of, timezone_in, whole_in
from lifecycle_mail.files.json_rows import open_json
from lifecycle_mail.files.mapping import (
    BOUNCED,
    COMPLAINED,
    EVENT_KINDS,
    IGNORE,
    KINDS,
    LATEST,
    SUBSCRIBED,
    TEMPLATE,
    UNSUBSCRIBED,
    Format,
    Source,
)
from lifecycle_mail.files.reading import Convert, Note, Part, RowRefused
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import Fault, Rows
from lifecycle_mail.model.contacts import FieldValue, read_field
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence, Purpose
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.profiles import Snapshot
from lifecycle_mail.model.provenance import Actor, Provenance, Through

_STOPS: Final[Mapping[str | tuple[EventKind, Purpose], str]] = {
    UNSUBSCRIBED: UNSUBSCRIBED,
    COMPLAINED: COMPLAINED,
    BOUNCED: BOUNCED,
    EVENT_KINDS[EventKind.HARD_BOUNCED]: BOUNCED,
}
"""What takes somebody off the active lists."""

_ACTORS: Final = {UNSUBSCRIBED: Actor.CONTACT, COMPLAINED: Actor.CONTACT, BOUNCED: Actor.ESP}
_ROADS: Final = {COMPLAINED: Through.COMPLAINT, BOUNCED: Through.BOUNCE}
_AHEAD: Final = timedelta(hours=24)
_MOST_KNOWN: Final = 50_000
"""How many people are remembered at once, so that an address in a log is parsed once and memory stays bounded."""
_MEANINGS: Final[Mapping[str, str | tuple[EventKind, Purpose]]] = {
    **EVENT_KINDS,
    **{word: word for word in (*KINDS[Format.CONTACTS], COMPLAINED)},
}


def mapped_table(
    path: Path, source: Source, header: Sequence[str], *, received_at: datetime, fallback: str | None = None
) -> Part[list[str]]:
    """A table of cells, read by a mapping whose columns it has."""

    def start() -> Convert[list[str]]:
        return _Converter(path, source, header, received_at).convert

    def opened() -> Rows[list[str]]:
        return open_table(path, delimiter=source.delimiter, fallback=fallback)

    return Part(path=path, format=source.format, open=opened, start=start)


def mapped_json(
    path: Path, source: Source, *, sample: Sequence[object], received_at: datetime, fallback: str | None = None
) -> Part[object]:
    """JSON lines, read by a mapping. A column is a key, or a path of keys such as `user.id`.

    Objects may leave keys out, so a key that no object of the sample has is no error, and remarked upon.
    """
    names = source.needed

    def start() -> Convert[object]:
        convert = _Converter(path, source, names, received_at).convert

        def read(line: int, row: object, note: Note) -> Sequence[Statement]:
            if not isinstance(row, dict):
                raise RowRefused("it is not an object", "write one {...} a line")
            return convert(line, [text_of(_lookup(row, name)) for name in names], note)

        return read

    objects = [row for row in sample if isinstance(row, dict)]
    never = [name for name in names if all(_lookup(row, name) is None for row in objects)]
    remark = None
    if objects and never:
        looked = f"the first {len(objects)} object{'s have' if len(objects) > 1 else ' has'}"
        remark = Fault(f"{looked} nothing for {', '.join(map(repr, never))}", "correct the mapping, or ignore this")
    return Part(
        path=path,
        format=source.format,
        open=lambda: open_json(path, fallback=fallback),
        start=start,
        remark=remark,
    )


def _lookup(row: Mapping[str, Any], name: str) -> object:
    if name in row:
        return row[name]
    found: Any = row
    for key in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


class _Converter:
    """Converts the rows of one file; remembers who was assumed to be subscribed, and nothing else."""

    def __init__(self, path: Path, source: Source, header: Sequence[str], received_at: datetime) -> None:
        self._file = path.name
        self._source = source
        # Not the name of the file: next week's export under another name tells the same things again.
        self._says = f"file:{source.name or source.files[0]}"
        self._received_at = received_at
        self._instant = instants(ZoneInfo(source.timezone))
        place = {name: index for index, name in reversed(list(enumerate(header)))}
        self._at = {said: place[column] for said, column in source.mapped.items()}
        self._contact_id = self._at.get("contact_id")
        self._email = self._at.get("email")
        self._fields = [(name, self._at[f"fields.{name}"], spec.type) for name, spec in source.fields.items()]
        self._template = source.email_template
        self._place = place
        self._describes = bool(
            self._fields or self._at.keys() & {"source", "signed_up_at", "timezone", "locale", "tags"}
        )
        self._kinds = _meanings(source)
        self._known_kinds = ", ".join(sorted(repr(kind) for kind in source.kinds or KINDS[source.format]))
        self._row = _ROWS[source.format]
        self._assumed: set[str] = set()
        self._assume_at_cell = place.get(source.assume_at) if source.assume_at is not None else None
        self._assume_at = (
            self._instant(source.assume_at) if source.assume_at is not None and self._assume_at_cell is None else None
        )
        self._taken_at = self._instant(source.taken_at) if source.taken_at is not None else None
        self._known_people: dict[tuple[str, str], Who] = {}
        self._leaves = Scope.list(source.list) if source.list is not None else Scope.all()
        self._cells = [self._at.get(name) for name in _EVENT_CELLS]

    def convert(self, line: int, row: list[str], note: Note) -> Sequence[Statement]:
        """Say what a row says."""
        who = self._who(row, note)
        status = self._status(who, row, line) if "status" in self._at else []
        noes = [*status, *self._noes(who, row, line)]
        try:
            said = self._row(self, who, row, line, note)
            if said is None:
                return ()
            if self._describes or self._source.format is Format.CONTACTS:
                said.insert(0, self._known(who, row, note))
            assumed = self._assume(who, row, self._source.assume_list) if self._source.assume_list is not None else []
        except InvalidInput as problem:
            if not any(isinstance(one, Left | Held) for one in noes):
                raise
            note(f"only the no was taken: {problem}", "correct the cell to have the rest read")  # a no is a no
            return noes
        return [*said, *noes, *assumed]

    def _who(self, row: list[str], note: Note) -> Who:
        contact_id = row[self._contact_id] if self._contact_id is not None else ""
        email = row[self._email] if self._email is not None else ""
        if self._template is not None and not email.strip():
            email = TEMPLATE.sub(lambda mark: self._in_template(row, mark[1]), self._template)
        known = self._known_people.get((contact_id, email))
        if known is not None:
            return known
        who = someone(contact_id, email, note)
        if who.address is not None or not email.strip():  # a bad address is reported on each of its rows
            if len(self._known_people) >= _MOST_KNOWN:
                self._known_people.clear()
            self._known_people[contact_id, email] = who
        return who

    def _in_template(self, row: list[str], column: str) -> str:
        text = row[self._place[column]].strip()
        if not text:
            raise RowRefused(f"the column {column!r} of the address template is empty")
        return text

    def _cell(self, row: list[str], name: str) -> str:
        index = self._at.get(name)
        return row[index].strip() if index is not None else ""

    def _when(self, row: list[str], name: str) -> datetime | None:
        text = self._cell(row, name)
        try:
            return self._instant(text) if text else None
        except InvalidInput as problem:
            raise RowRefused(f"{name}: {problem}") from None

    def _provenance(
        self,
        actor: Actor,
        line: int,
        at: datetime | None,
        *,
        through: Through = Through.IMPORT,
        campaign: str = "",
    ) -> Provenance:
        return Provenance(
            actor=actor, through=through, at=at or self._received_at, source=self._says,
            campaign=campaign or None, evidence=f"{self._file}:{line}",
        )  # fmt: skip

    def _known(self, who: Who, row: list[str], note: Note) -> Known:
        fields: dict[str, FieldValue] = {}
        for name, index, kind in self._fields:
            if not row[index].strip():
                continue  # an empty cell says nothing
            try:
                fields[name] = read_field(name, row[index].strip(), kind)
            except InvalidInput as problem:
                note(f"{problem}; the field is left as it was", "correct the cell, or declare another type")
        return Known(
            who=who,
            fields=fields,
            tags=tags_in(self._cell(row, "tags")),
            source=self._cell(row, "source") or None,
            signed_up_at=self._when(row, "signed_up_at"),
            timezone=timezone_in(self._cell(row, "timezone"), note),
            locale=self._cell(row, "locale") or None,
        )

    def _assume(self, who: Who, row: list[str], key: str) -> list[Statement]:
        whom = who.contact_id or (who.address.identity if who.address is not None else "")
        if whom in self._assumed:
            return []
        at = self._assume_at
        if self._assume_at_cell is not None and (text := row[self._assume_at_cell].strip()):
            at = self._instant(text)
        at = at or self._when(row, "signed_up_at") or self._received_at
        self._assumed.add(whom)
        evidence = f"assumed by the mapping {self._source.name or self._file!r} of {self._file}"
        provenance = Provenance(
            actor=Actor.OPERATOR, through=Through.IMPORT, at=at, source=self._says, evidence=evidence
        )
        return [Joined(who=who, list=ListKey(key), provenance=provenance)]

    def _meaning(self, row: list[str], name: str) -> str | tuple[EventKind, Purpose]:
        value = self._cell(row, name)
        meaning = self._kinds.get(value.casefold())
        if meaning is None:
            raise RowRefused(
                f"{name} {value[:60]!r} is not known",
                f"map it; known are {self._known_kinds}; or map it to 'ignore'",
            )
        return meaning

    def _status(self, who: Who, row: list[str], line: int) -> list[Statement]:
        meaning = self._meaning(row, "status")
        key = ListKey(self._source.list or "")
        try:
            since = self._when(row, "signed_up_at")
        except InvalidInput:
            if meaning == SUBSCRIBED:
                raise
            since = None
        joined = Joined(who=who, list=key, provenance=self._provenance(Actor.OPERATOR, line, since))
        if meaning == SUBSCRIBED:
            return [joined]
        if meaning == IGNORE:
            return []
        # Whoever left is in the audience all the same, and counted there as withheld.
        stops = _STOPS[meaning]
        provenance = self._provenance(_ACTORS[stops], line, None, through=_ROADS.get(stops, Through.IMPORT))
        return [joined, _stopped(stops, who, provenance, Scope.list(key), dated=False)]

    def _noes(self, who: Who, row: list[str], line: int) -> list[Statement]:
        """Say that somebody is out, of an event that says so, whatever else is wrong with its row."""
        if self._source.format is not Format.EVENTS:
            return []
        meaning = self._kinds.get(self._cell(row, "kind").casefold())
        stops = None if meaning is None else _STOPS.get(meaning)
        if stops is None:
            return []
        at, _ = self._event_at(self._cell(row, "at"))
        provenance = self._provenance(
            _ACTORS[stops], line, at, through=_ROADS.get(stops, Through.IMPORT), campaign=self._cell(row, "campaign")
        )
        event_id = self._cell(row, "event_id") or None
        return [_stopped(stops, who, provenance, self._leaves, event_id=event_id, dated=at is not None)]

    def _event(self, who: Who, row: list[str], _line: int, note: Note) -> list[Statement] | None:
        meaning = self._meaning(row, "kind")
        if meaning == IGNORE:
            return None
        at_text, mail, campaign, link, event_id, evidence = (
            row[index].strip() if index is not None else "" for index in self._cells
        )
        at, why = self._event_at(at_text)
        stops = _STOPS.get(meaning)
        if at is None and stops is None:
            raise RowRefused(why)
        said: list[Statement] = []
        if at is not None and not isinstance(meaning, str):
            happened = Happened(
                who=who, kind=meaning[0], at=at, mail=mail, campaign=campaign, link=link,
                evidence=_evidence(evidence), purpose=meaning[1], source=self._says, event_id=event_id or None,
            )  # fmt: skip
            said.append(happened)
        if at is None:  # a no without a time is a no all the same
            note(f"{why}; what it says about consent is taken as observed now", "correct the cell")
        return said

    def _event_at(self, text: str) -> tuple[datetime | None, str]:
        if not text:
            return None, "it has no instant: an event without one cannot be placed"
        try:
            return self._instant(text), ""
        except InvalidInput as problem:
            return None, str(problem)

    def _contact(self, _who: Who, _row: list[str], _line: int, _note: Note) -> list[Statement] | None:
        return []  # what it says about the contact is said by `convert`

    def _counted(self, who: Who, row: list[str], _line: int, _note: Note) -> list[Statement] | None:
        taken_at = self._when(row, "taken_at") or self._taken_at
        if taken_at is None:
            raise RowRefused("it does not say when it was counted")
        if taken_at > self._received_at + _AHEAD:
            raise RowRefused(f"it was counted in the future, at {taken_at.isoformat()}", "check the time zone")
        marks = {name: self._mark(row, name, taken_at) for name in (*LATEST, "first_sent")}
        return [
            Counted(
                who=who,
                snapshot=Snapshot(
                    taken_at=taken_at,
                    **marks,
                    mails=whole_in("mails", self._cell(row, "mails")),
                    mails_30d=whole_in("mails_30d", self._cell(row, "mails_30d")),
                    unopened_streak=whole_in("unopened_streak", self._cell(row, "unopened_streak")),
                    opened_share=share_in(self._cell(row, "opened_share"), self._cell(row, "unopened_share")),
                ),
            )
        ]

    def _mark(self, row: list[str], name: str, taken_at: datetime) -> datetime | None:
        at = self._when(row, name)
        days = number_in(f"{name}_days", self._cell(row, f"{name}_days"))
        if days is not None:
            if days < 0:
                raise RowRefused(f"{name}_days is {days:g}: days ago cannot be negative")
            try:
                at = taken_at - timedelta(days=days)
            except OverflowError:
                raise RowRefused(f"{name}_days is {days:g}: that is before time began") from None
        if at is not None and at > taken_at:
            raise RowRefused(f"{name} is {at.isoformat()}, after the counting at {taken_at.isoformat()}")
        return at


_EVENT_CELLS: Final = ("at", "mail", "campaign", "link", "event_id", "evidence")

_ROWS: Final[Mapping[Format, Callable[[_Converter, Who, list[str], int, Note], list[Statement] | None]]] = {
    Format.EVENTS: _Converter._event,
    Format.CONTACTS: _Converter._contact,
    Format.SNAPSHOT: _Converter._counted,
}


def _meanings(source: Source) -> dict[str, str | tuple[EventKind, Purpose]]:
    words = source.kinds or {kind: kind for kind in KINDS[source.format]}
    return {value.casefold(): _MEANINGS[word] for value, word in words.items()}


def _evidence(text: str) -> Evidence:
    if not text:
        return Evidence.UNKNOWN
    try:
        return Evidence(text.casefold())
    except ValueError:
        raise RowRefused(f"evidence {text[:40]!r} is not known", "write human, machine, or nothing") from None


def _stopped(
    stops: str, who: Who, provenance: Provenance, scope: Scope, *, event_id: str | None = None, dated: bool
) -> Statement:
    if stops == UNSUBSCRIBED:
        return Left(who=who, scope=scope, provenance=provenance, event_id=event_id, dated=dated)
    kind = SuppressionKind.COMPLAINT if stops == COMPLAINED else SuppressionKind.BOUNCE
    return Held(who=who, kind=kind, provenance=provenance, event_id=event_id, dated=dated)
