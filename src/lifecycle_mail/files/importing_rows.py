"""What all readers of opt-outs have in common: who is named, and what becomes of rows that cannot be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.reading import Reject, RowRefused, fault_of, row_as_text
from lifecycle_mail.files.text import Fault
from lifecycle_mail.model.addresses import DEFAULT, MatchKey, MatchRules, parse_address
from lifecycle_mail.model.entries import OptOut, Suppression
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import Peppers, is_hashed, pepper_of
from lifecycle_mail.model.provenance import Actor, Provenance, Through

Row = tuple[int, list[str] | Fault]
"""A row of a table, with the line on which it begins."""

Tell = Callable[[Reject], object]
"""Called with each row that is refused, and with each cell that is set aside."""

KEPT: Final = 4096
"""How much of what rows have in common is remembered, so that memory stays bounded."""

_HASHED: Final = re.compile(r"hmac:[a-z0-9][a-z0-9_.-]{0,31}:[0-9a-f]{64}")


@frozen(kw_only=True)
class Given:
    """What holds for all rows of a file.

    Attributes:
        rules: how addresses are matched.
        peppers: whose hashes may stand in it.
        now: the instant of rows that have none.
        source: the source of rows that have none.
        evidence: what proves rows that say nothing of it: the file.
        scope: how far the noes of a list reach that does not say.
        lists: the lists that are declared.
        who_has: finds the one contact with an address (`EmailAddress.identity`), where the noes of a list shall name
            the contact too.
        fallback: see `files.text.TextFile`.
    """

    rules: MatchRules
    peppers: Peppers
    now: datetime
    source: str
    evidence: str = ""
    scope: Scope = field(factory=Scope.all)
    lists: Collection[str] = ()
    who_has: Callable[[str], ContactId | None] | None = None
    fallback: str | None = None

    @property
    def said(self) -> Provenance:
        """Where rows come from that do not say."""
        return Provenance(
            actor=Actor.CONTACT, through=Through.IMPORT, at=self.now, source=self.source, evidence=self.evidence
        )


class ReadsBatches(Protocol):
    """Turns rows of one file into entries."""

    def read(self, rows: Sequence[Row], tell: Tell) -> list[OptOut | Suppression | None]:
        """Return what the rows that are taken say, None for one that says nothing."""
        ...


class RowReader:
    """What the readers of exports and of lists have in common.

    Args:
        path: the file that rejects name.
        given: what holds for all rows.
    """

    def __init__(self, path: Path, given: Given) -> None:
        self._file = str(path)
        self._given = given
        self._said = given.said
        self._scopes: dict[str, Scope] = {}

    def _whole(self, rows: Sequence[Row], tell: Tell) -> list[tuple[int, list[str]]]:
        """Return the rows that could be taken apart."""
        whole = []
        for line, row in rows:
            if isinstance(row, Fault):
                tell(Reject(file=self._file, line=line, reason=row.reason, fix=row.fix, row=row.row))
            else:
                whole.append((line, row))
        return whole

    def _refuse(self, line: int, row: list[str], problem: InvalidInput, tell: Tell) -> None:
        fault = fault_of(problem)
        tell(Reject(file=self._file, line=line, reason=fault.reason, fix=fault.fix, row=row_as_text(row)))

    def _note(
        self, line: int, row: list[str], problem: InvalidInput, tell: Tell, *, what: str = "the row is taken without it"
    ) -> None:
        fault = fault_of(problem)
        reason = f"{fault.reason}: {what}"
        tell(Reject(file=self._file, line=line, reason=reason, fix=fault.fix, row=row_as_text(row), whole=False))

    def _key(self, cell: str) -> MatchKey:
        """Read an address that no batch could read, or a hash, or say what is wrong with it."""
        return MatchKey(self._hash(cell)) if is_hashed(cell) else parse_address(cell).match_key(self._given.rules)

    def _unlike(self, key: MatchKey, version: str) -> RowRefused | None:
        """Say why a key does not match here as it did where it was made (F61).

        Args:
            key: as this registry makes it, or a hash.
            version: of the rules by which it was folded there; empty where the row does not say: then an address is
                as it was written, and a hash of a key of the default rules.
        """
        ours = self._given.rules
        unsaid = DEFAULT.version if is_hashed(key) else ours.version
        if (version or unsaid) == ours.version:
            return None
        if is_hashed(key):
            return RowRefused(
                f"its hash is not made of a key by the match rules {ours.version!r} of this registry",
                f"hash parse_address(...).match_key(mail.match), and write {ours.version} in a column match_rules",
            )
        try:
            theirs = MatchRules.of_version(version)
        except InvalidInput:
            return RowRefused(
                f"{version[:40]!r} are no match rules", "write 1, 1d, 1p or 1dp in the column match_rules"
            )
        if ours.cover(theirs):
            return None
        return RowRefused(
            f"where it comes from a no folds {theirs.folds}, and in this registry {ours.folds}",
            "import it into a registry of the same rules: lifecycle-mail db init --match",
        )

    def _hash(self, cell: str) -> str:
        if not _HASHED.fullmatch(cell):
            raise RowRefused(f"{cell[:40]!r} is no keyed hash", "write hmac:PEPPER:HEX, with 64 digits from 0 to f")
        if pepper_of(cell) not in self._given.peppers.secrets:
            raise RowRefused(
                f"its hash was made with pepper {pepper_of(cell)!r}, which is not given",
                "open the registry with that pepper, and import the file again",
            )
        return cell

    def _scope(self, cell: str) -> Scope:
        if cell not in self._scopes:
            if len(self._scopes) >= KEPT:
                self._scopes.clear()
            self._scopes[cell] = Scope.parse(cell)
        return self._scopes[cell]
