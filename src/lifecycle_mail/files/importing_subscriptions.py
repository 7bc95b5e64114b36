"""Reading tables of subscriptions: our own exports, and lists of addresses.

Each row says that somebody is subscribed to a list, and that is all that a file can say: an import overrides no no,
whatever stands in it (O4). Rows of our own export that are neither active nor expired say less: who never confirmed
was asked to, and of who is out only that they exist, for the no comes with the opt-outs.

A list with a column that tells how each row stands is not read. To take a file of people who left for a file of
subscribers is the one mistake that must not happen; such a file is a source, with a mapping (`files.read`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem, UnknownName
from lifecycle_mail.files.cells import address_in, contact_id_in, instants
from lifecycle_mail.files.exporting import SUBSCRIPTION_COLUMNS, TEXT, Pieces
from lifecycle_mail.files.importing import ADDRESS, plain_name
from lifecycle_mail.files.importing_rows import Row, Tell
from lifecycle_mail.files.reading import Reject, RowRefused, fault_of, row_as_text
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import Fault
from lifecycle_mail.files.writing import raw_cell
from lifecycle_mail.model.intake import Who
from lifecycle_mail.model.names import ListKey, check_slug
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, Provenance, Through

_OWN: Final = frozenset(SUBSCRIPTION_COLUMNS)
_SAYS_YES: Final = frozenset({"active", "expired"})
_SAYS_ASKED: Final = "unconfirmed"
_SAYS_LITTLE: Final = frozenset({"out-of-all", "out-of-channel", "out-of-list", "none"})
_STATES: Final = frozenset(
    {
        "status", "state", "memberstatus", "standing", "subscribed", "unsubscribed", "unsubscribedat", "unsubtime",
        "optout", "optedout", "optedoutat", "cleaned", "cleantime",
    }
)  # fmt: skip
_BESIDE: Final = {
    "contact_id": ("contactid",),
    "list": ("list", "listkey"),
    "since": ("since", "subscribedat", "signedupat", "date"),
    "expires_at": ("expiresat", "expires"),
    "source": ("source",),
    "evidence": ("evidence", "proof"),
}


@frozen(kw_only=True)
class Subscription:
    """What a row says.

    Attributes:
        who: about whom.
        list: the list they are said to be subscribed to; None where the row only says that they exist.
        asked: whether they were only asked, and never confirmed.
        provenance: where it comes from.
        expires_at: when the consent ends, or None.
    """

    who: Who
    list: ListKey | None
    asked: bool = False
    provenance: Provenance
    expires_at: datetime | None = None


@frozen(kw_only=True)
class Taking:
    """What holds for all rows of a file of subscriptions.

    Attributes:
        now: the instant of rows that have none.
        source: the source of rows that have none.
        evidence: what proves rows that say nothing of it: the file.
        to: the list of rows that name none.
        lists: the lists that are declared; with none, any goes.
        fallback: see `files.text.TextFile`.
    """

    now: datetime
    source: str
    evidence: str = ""
    to: ListKey | None = None
    lists: Collection[str] = ()
    fallback: str | None = None


ReadsSubscriptions = Callable[[Sequence[Row], Tell], list[tuple[int, Subscription]]]
"""Returns what the rows that are taken say, each with its place among them."""


@contextmanager
def open_subscriptions(path: Path, taking: Taking) -> Iterator[tuple[Iterator[Row], ReadsSubscriptions]]:
    """Open a file of subscriptions: its rows, and what reads them.

    Raises:
        OSError: it cannot be opened.
        InvalidDocument: no column says who it is about, or to what list they are subscribed, or one says that some of
            them may be out.
    """
    with open_table(path, fallback=taking.fallback) as rows:
        header = [name.strip() for name in rows.header]
        yield iter(rows), _Reader(path, header, taking).read


class _Reader:
    def __init__(self, path: Path, header: Sequence[str], taking: Taking) -> None:
        self._file = str(path)
        self._taking = taking
        self._instant = instants()
        self._own = set(header) >= _OWN
        self._pieces = Pieces()
        names = list(header) if self._own else [plain_name(name) for name in header]
        if self._own:
            self._at = {name: place for place, name in enumerate(names)}
            return
        self._at = {
            what: names.index(name)
            for what, known in (("address", ADDRESS), *_BESIDE.items())
            if (name := next((one for one in known if one in names), None)) is not None
        }
        problem = self._problem(path, header, names)
        if problem is not None:
            raise InvalidDocument("cannot read", [problem])

    def _problem(self, path: Path, header: Sequence[str], names: Sequence[str]) -> Problem | None:
        where = str(path)
        if not header:
            return Problem(where, "it is empty")
        if not self._at.keys() & {"address", "contact_id"}:
            shown = ", ".join(header)[:200]
            return Problem(where, f"no column says who is subscribed: it has {shown}", "name that of addresses 'email'")
        state = next((column for column, name in zip(header, names, strict=True) if name in _STATES), None)
        if state is not None:
            fix = "read it as a source, with a mapping, or leave out who is out and take the column away"
            return Problem(where, f"its column {state!r} says that some may be out", fix)
        if "list" not in self._at and self._taking.to is None:
            return Problem(where, "nothing says to what list they are subscribed", "say to=, or add a column 'list'")
        return None

    def read(self, rows: Sequence[Row], tell: Tell) -> list[tuple[int, Subscription]]:
        taken = []
        for place, (line, row) in enumerate(rows):
            if isinstance(row, Fault):
                tell(Reject(file=self._file, line=line, reason=row.reason, fix=row.fix, row=row.row))
                continue
            try:
                said = self._subscription(row)
                if said is not None:
                    taken.append((place, said))
            except InvalidInput as problem:
                fault = fault_of(problem)
                tell(Reject(file=self._file, line=line, reason=fault.reason, fix=fault.fix, row=row_as_text(row)))
        return taken

    def _subscription(self, row: list[str]) -> Subscription | None:
        """Return what a row says; None for a piece of a text of the row after it."""
        cells = {name: raw_cell(row[at]) if self._own else row[at].strip() for name, at in self._at.items()}
        if self._own:
            of = cells["contact_id"], cells["address"], cells["list"]
            if cells["standing"] == TEXT:
                self._pieces.add(of, cells["source"], cells["evidence"])
                return None
            cells.update(self._pieces.take(of))
        who = self._who(cells.get("contact_id", ""), cells.get("address", ""))
        standing = self._standing(cells["standing"]) if self._own else "active"
        asked = standing == _SAYS_ASKED and cells["since"] != ""
        if standing not in _SAYS_YES and not asked:
            return Subscription(who=who, list=None, provenance=self._imported(cells))
        expires = cells.get("expires_at", "")
        return Subscription(
            who=who,
            list=self._list(cells.get("list", "")),
            asked=asked,
            provenance=self._said(cells) if self._own else self._imported(cells),
            expires_at=self._instant(expires) if expires else None,
        )

    @staticmethod
    def _standing(cell: str) -> str:
        known = _SAYS_YES | _SAYS_LITTLE | {_SAYS_ASKED}
        if cell not in known:
            raise RowRefused(f"{cell[:40]!r} is no standing", f"write one of {', '.join(sorted(known))}")
        return cell

    @staticmethod
    def _who(contact_id: str, email: str) -> Who:
        if is_hashed(contact_id) or is_hashed(email):
            raise RowRefused("nobody can be mailed at a hash", "import the export that names addresses")
        if not contact_id and not email:
            raise RowRefused("it names nobody: the cells of the contact id and the address are empty")
        return Who(contact_id_in(contact_id) or None, address_in(email) if email else None)

    def _list(self, cell: str) -> ListKey:
        key = cell or self._taking.to
        if not key:
            raise RowRefused("it names no list", "say to=, or fill the cell")
        check_slug("list", key)
        if self._taking.lists and key not in self._taking.lists:
            raise RowRefused(str(UnknownName("list", key, self._taking.lists)), "declare it, or correct the row")
        return ListKey(key)

    def _imported(self, cells: dict[str, str]) -> Provenance:
        """Say that an operator's import tells so."""
        since = "" if self._own else cells.get("since", "")
        return Provenance(
            actor=Actor.OPERATOR, through=Through.IMPORT, at=self._instant(since) if since else self._taking.now,
            source=cells.get("source") or self._taking.source, evidence=cells.get("evidence") or self._taking.evidence,
        )  # fmt: skip

    def _said(self, cells: dict[str, str]) -> Provenance:
        """Say what the exporting registry knew."""
        try:
            return Provenance(
                actor=Actor(cells["actor"]), through=Through(cells["through"]), at=self._instant(cells["since"]),
                source=cells["source"], evidence=cells["evidence"],
            )  # fmt: skip
        except InvalidInput:
            raise
        except ValueError as problem:  # an enumeration does not have it
            raise RowRefused(str(problem)) from None
