"""Reading tables of opt-outs: our own exports, lists of addresses, lists of keyed hashes.

Theory of operation
===================

A file is read in batches, and a batch becomes entries of the log; whoever calls decides where one ends. The columns
tell what it is:

- *our own export* has `what`, `scope_or_kind` and `entry_id`. Each row becomes the entry that it was. Rows that are
  overridden or lifted say nothing: that no is over, and nobody is brought back by leaving it out (O4).
- *a list* has a column of addresses or of hashes, perhaps scopes, reasons, dates and campaigns. Each row is a no of
  the address alone. A list of one column needs no header.

A hash is `hmac:PEPPER:HEX`, made of a match key with a pepper that is given. It may stand wherever an address may.
Where the registry matches addresses by rules of its own, a row with a hash says so in `match_rules`: one that was made
by others would be found by nobody (F61).

Every row is taken or refused, and nothing is dropped in silence. A row that says who is out is taken for that alone
where the rest of it is wrong, and that is noted: a no is worth more than its date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import evolve

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.files.cells import instants
from lifecycle_mail.files.importing_exports import OWN, ExportedRows
from lifecycle_mail.files.importing_rows import KEPT, Given, ReadsBatches, Row, RowReader, Tell
from lifecycle_mail.files.reading import RowRefused
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import TextFile
from lifecycle_mail.model.addresses import MatchKey, match_keys, parse_address
from lifecycle_mail.model.entries import OptOut, Subject, Suppression, state_event_id
from lifecycle_mail.model.lists import Scope, ScopeKind
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import OptOutReason, Provenance

ADDRESS: Final = (
    "email", "emails", "emailaddress", "emailaddresses", "address", "addresses", "mail", "recipient", "recipientemail",
)  # fmt: skip
"""What a column of addresses is called, in small letters and without what stands between words; the first counts."""

_HASH: Final = ("hash", "hashes", "addresshash", "emailhash")
_BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "scope": ("scope",),
    "reason": ("reason",),
    "date": ("date", "happenedat", "optedoutat", "unsubscribedat", "created", "createdat", "at"),
    "campaign": ("campaign",),
    "match_rules": ("matchrules",),
}
_REASONS: Final = frozenset(OptOutReason)
_NOT_WORD: Final = re.compile(r"[\W_]+")


def plain_name(column: str) -> str:
    """Return the name of a column in small letters, without what stands between words."""
    return _NOT_WORD.sub("", column.casefold())


@contextmanager
def open_opt_outs(path: Path, given: Given) -> Iterator[tuple[Iterator[Row], ReadsBatches]]:
    """Open a file of opt-outs: its rows, and what reads them.

    Raises:
        OSError: it cannot be opened.
        InvalidDocument: it is empty, or no column says who is out.
    """
    with open_table(path, fallback=given.fallback) as rows:
        header = [name.strip() for name in rows.header]
        if set(header) >= OWN:
            yield iter(rows), ExportedRows(path, header, given)
            return
        listed = _Listed(path, header, given)
        if listed.headless:
            yield _and_first(path, given.fallback, header, iter(rows)), listed
        else:
            yield iter(rows), listed


def _and_first(path: Path, fallback: str | None, header: list[str], rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the first line of a table as a row like the others."""
    text = TextFile(path, fallback=fallback)
    try:
        yield next(at for at, line in enumerate(text.lines(), start=1) if line.strip()), header
    finally:
        text.close()
    yield from rows


class _Listed(RowReader):
    """A list of addresses or hashes."""

    def __init__(self, path: Path, header: Sequence[str], given: Given) -> None:
        super().__init__(path, given)
        names = [plain_name(name) for name in header]

        def place(known: Sequence[str]) -> int | None:
            return next((names.index(name) for name in known if name in names), None)

        self._address, self._hashed = place(ADDRESS), place(_HASH)
        self._beside = {what: found for what, known in _BESIDE.items() if (found := place(known)) is not None}
        self._instant = instants()
        self.headless = False
        if self._address is None and self._hashed is None:
            self.headless = len(header) == 1 and ("@" in header[0] or is_hashed(header[0]))
            if not self.headless:
                raise InvalidDocument("cannot read", [_nobody(path, header)])
            self._address = 0
        self._provenances: dict[tuple[str, str, datetime | None], Provenance] = {}

    def read(self, rows: Sequence[Row], tell: Tell) -> list[OptOut | Suppression | None]:
        """Return a no for each row that is taken."""
        whole = self._whole(rows, tell)
        cells = [self._who(row) for _, row in whole]
        plain = not self._beside and self._given.who_has is None
        scope, said = self._given.scope, self._said
        taken: list[OptOut | Suppression | None] = []
        for (line, row), cell, known in zip(whole, cells, match_keys(cells, self._given.rules), strict=True):
            try:
                key = known or self._key(cell)
                if is_hashed(key) and (unlike := self._unlike(key, self._cell(row, "match_rules"))) is not None:
                    raise unlike
            except InvalidInput as problem:
                self._refuse(line, row, problem, tell)
                continue
            if plain:
                subject = Subject(key=key)
                taken.append(
                    OptOut(
                        subject=subject,
                        scope=scope,
                        event_id=state_event_id(subject, None),
                        provenance=said,
                        dated=False,
                    )
                )
            else:
                taken.append(self._said_beside(line, row, self._subject(cell, key), tell))
        return taken

    def _who(self, row: list[str]) -> str:
        cell = row[self._address].strip() if self._address is not None else ""
        if cell or self._hashed is None:
            return cell
        return row[self._hashed].strip().lower()

    def _subject(self, cell: str, key: MatchKey) -> Subject:
        who_has = self._given.who_has
        if who_has is None or is_hashed(key):
            return Subject(key=key)
        return Subject(contact_id=who_has(parse_address(cell).identity), key=key)

    def _said_beside(self, line: int, row: list[str], subject: Subject, tell: Tell) -> OptOut:
        scope, at = self._given.scope, None
        text = self._cell(row, "scope")
        if text:
            try:
                scope = self._reach(text)
            except InvalidInput as problem:
                scope = Scope.all()
                self._note(line, row, problem, tell)
        text = self._cell(row, "date")
        if text:
            try:
                at = self._instant(text)
            except InvalidInput as problem:
                self._note(line, row, problem, tell)
        return OptOut(
            subject=subject,
            scope=scope,
            event_id=state_event_id(subject, at),
            provenance=self._provenance(self._cell(row, "campaign"), self._cell(row, "reason"), at),
            dated=at is not None,
        )

    def _cell(self, row: list[str], what: str) -> str:
        place = self._beside.get(what)
        return "" if place is None else row[place].strip()

    def _reach(self, cell: str) -> Scope:
        """Read a scope; a no to a list that nobody knows would bind nothing, so it is one to all marketing."""
        lists = self._given.lists
        scope = Scope.list(cell) if cell in lists else self._scope(cell)
        if scope.kind is ScopeKind.LIST and scope.key not in lists:
            raise RowRefused(f"no list {scope.key!r} is declared: the no is taken for one to all", "declare the list")
        return scope

    def _provenance(self, campaign: str, reason: str, at: datetime | None) -> Provenance:
        said = campaign, reason, at
        found = self._provenances.get(said)
        if found is None:
            if len(self._provenances) >= KEPT:
                self._provenances.clear()
            found = self._provenances[said] = evolve(
                self._said,
                at=at or self._given.now,
                campaign=campaign or None,
                reason=OptOutReason(reason) if reason in _REASONS else None,
                text="" if reason in _REASONS else reason,
            )
        return found


def _nobody(path: Path, header: Sequence[str]) -> Problem:
    if not header:
        return Problem(str(path), "it is empty", "is it the right file? A registry without opt-outs exports a header")
    fix = "name the column of addresses 'email', or that of keyed hashes 'hash'"
    return Problem(str(path), f"no column says who is out: it has {', '.join(header)[:200]}", fix)
