"""Reading our own exports of opt-outs: each row becomes the entry that it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import contact_id_in
from lifecycle_mail.files.exporting import OPT_OUT, OPT_OUT_COLUMNS, SUPPRESSION, TEXT, Pieces, is_without_words
from lifecycle_mail.files.importing_rows import Given, Row, RowReader, Tell
from lifecycle_mail.files.reading import RowRefused
from lifecycle_mail.files.writing import raw_cell
from lifecycle_mail.model.addresses import MatchKey, match_keys
from lifecycle_mail.model.entries import OptOut, Subject, Suppression, SuppressionKind, state_event_id
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.model.redaction import with_id

OWN: Final = frozenset({"what", "scope_or_kind", "entry_id"})
"""The columns by which our own export is told."""

_SAID: Final = ("happened_at", "actor", "through", "source", "campaign", "segment", "reason", "text", "evidence")
_OVER: Final = frozenset({"overridden", "lifted"})
_KINDS: Final = {kind.value: kind for kind in SuppressionKind}
_ACTORS: Final = {actor.value: actor for actor in Actor}
_ROADS: Final = {road.value: road for road in Through}
_REASONS: Final = {reason.value: reason for reason in OptOutReason}
_ENTRY_ID: Final = re.compile(r"[0-9a-f]{32}")


class ExportedRows(RowReader):
    """Reads the rows of our own export.

    Args:
        path: the file.
        header: its columns.
        given: what holds for all rows.
    """

    def __init__(self, path: Path, header: Sequence[str], given: Given) -> None:
        super().__init__(path, given)
        # A column that somebody took out is the empty cell that is put after each row.
        at = {name: header.index(name) if name in header else -1 for name in OPT_OUT_COLUMNS}
        self._what, self._which, self._address, self._contact = (
            at["what"], at["scope_or_kind"], at["address"], at["contact_id"],
        )  # fmt: skip
        self._event, self._dated, self._until = at["event_id"], at["dated"], at["until"]
        self._entry_id, self._standing = at["entry_id"], at["standing"]
        self._match_rules = at["match_rules"]
        self._at = at
        self._pieces = Pieces()
        self._saying = [at[name] for name in _SAID]
        self._before: tuple[list[str], Provenance] = ([], self._said)

    def read(self, rows: Sequence[Row], tell: Tell) -> list[OptOut | Suppression | None]:
        """Return the entry of each row that is taken, None where it is over."""
        whole = [
            (line, row, [*(map(raw_cell, row) if "'" in "".join(row) else row), ""])
            for line, row in self._whole(rows, tell)
        ]
        keys = match_keys([cells[self._address].strip() for _, _, cells in whole], self._given.rules)
        taken: list[OptOut | Suppression | None] = []
        for (line, row, cells), key in zip(whole, keys, strict=True):
            try:
                taken.append(self._entry(line, row, cells, key, tell))
            except InvalidInput as problem:
                self._refuse(line, row, problem, tell)
        return taken

    def _entry(
        self, line: int, row: list[str], cells: list[str], key: MatchKey | None, tell: Tell
    ) -> OptOut | Suppression | None:
        what = cells[self._what]
        if what == TEXT:
            self._piece(cells)
            return None
        for name, text in self._pieces.take(cells[self._entry_id]).items():
            cells[self._at[name]] = text
        if what not in (OPT_OUT, SUPPRESSION):
            raise RowRefused(f"{what[:40]!r} is nothing that is exported", f"write {OPT_OUT} or {SUPPRESSION}")
        address, contact_id = cells[self._address].strip(), cells[self._contact]
        named = self._contact_id(contact_id) if contact_id else None
        key = (key or self._key(address)) if address else None
        kind = None if what == OPT_OUT else _kind(cells[self._which])
        if cells[self._standing] in _OVER:
            return None
        if key is not None and (unlike := self._unlike(key, cells[self._match_rules])) is not None:
            if not is_hashed(key):
                self._note(line, row, unlike, tell, what="it is taken for this spelling alone")
            elif named is None:
                raise unlike
            else:
                self._note(line, row, unlike, tell)
                key = None
        subject = Subject(contact_id=named, key=key)
        try:
            said = self._provenance([cells[place] for place in self._saying])
        except InvalidInput as problem:
            self._note(line, row, problem, tell)
            said = self._said if kind is None else evolve(self._said, actor=Actor.OPERATOR)
        dated = cells[self._dated] != "false"
        event_id = cells[self._event] or state_event_id(subject, said.at if dated else None)
        entry: OptOut | Suppression
        if kind is None:
            scope = self._or_all(line, row, cells[self._which], tell)
            entry = OptOut(subject=subject, scope=scope, event_id=event_id, provenance=said, dated=dated)
        else:
            until = self._or_none(line, row, cells[self._until], tell) if kind is SuppressionKind.PAUSE else None
            entry = Suppression(subject=subject, kind=kind, event_id=event_id, provenance=said, until=until)
        entry_id = cells[self._entry_id]
        if entry_id != entry.id and is_without_words(entry) and _ENTRY_ID.fullmatch(entry_id):
            return with_id(entry, EntryId(entry_id))  # an erasure replaced the id, and no parts make it again
        return entry

    def _piece(self, cells: list[str]) -> None:
        name, place = cells[self._which], self._at["text"]
        if self._at.get(name, -1) < 0:
            raise RowRefused(f"{name[:40]!r} is no column of this table", "export the registry again")
        self._pieces.add(cells[self._entry_id], name, cells[place])

    def _contact_id(self, cell: str) -> ContactId:
        return ContactId(self._hash(cell) if is_hashed(cell) else contact_id_in(cell))

    def _or_all(self, line: int, row: list[str], cell: str, tell: Tell) -> Scope:
        try:
            return self._scope(cell)
        except InvalidInput as problem:
            self._note(line, row, problem, tell)
            return Scope.all()

    def _or_none(self, line: int, row: list[str], cell: str, tell: Tell) -> datetime | None:
        try:
            return parse_instant(cell) if cell else None
        except InvalidInput as problem:
            self._note(line, row, problem, tell)
            return None

    def _provenance(self, cells: list[str]) -> Provenance:
        before, found = self._before
        if cells != before:  # rows of one import follow each other, and say the same
            found = _provenance(*cells)
            self._before = cells, found
        return found


def _provenance(
    at: str, actor: str, through: str, source: str, campaign: str, segment: str, reason: str, text: str, evidence: str
) -> Provenance:
    try:
        return Provenance(
            actor=_ACTORS[actor], through=_ROADS[through], at=parse_instant(at), source=source,
            campaign=campaign or None, segment=segment or None, reason=_REASONS[reason] if reason else None,
            text=text, evidence=evidence,
        )  # fmt: skip
    except KeyError as problem:
        raise RowRefused(f"{problem.args[0][:40]!r} is no actor, no road or no reason that is exported") from None


def _kind(cell: str) -> SuppressionKind:
    if cell not in _KINDS:
        raise RowRefused(f"{cell[:40]!r} is no kind of suppression", f"write one of {', '.join(_KINDS)}")
    return _KINDS[cell]
