"""What an export of the registry looks like: the columns of its tables, and the cells of a row.

Opt-outs
    One row for each opt-out or suppression of the log, in the order of the log, with everything that the entry says.
    Read back, it is the same entry under the same id. The column `standing` says what became of it, and
    `overridden_for` for which lists the person came back.

Subscriptions
    One row for each contact and each list that they ever agreed to, or asked for.

A text that no cell holds, because it is too long for a spreadsheet or has a NUL in it, is cut in its row. The rows
before that say the whole of it, as pieces of JSON (`TEXT`), so that nothing is lost on the way back.

As hashes, a table names people by keyed hashes alone (O5): ids, texts, evidence and the event ids of sources are what
an erasure would leave of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.model.addresses import MatchRules
from lifecycle_mail.model.contacts import FieldValue
from lifecycle_mail.model.entries import STATE, OptOut, Record, Suppression
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.peppers import Peppers, is_hashed
from lifecycle_mail.model.redaction import ERASED, redacted, renamed

OPT_OUT: Final = "opt-out"
SUPPRESSION: Final = "suppression"

OPT_OUT_COLUMNS: Final = (
    "seq", "recorded_at", "what", "scope_or_kind", "address", "contact_id", "happened_at", "actor", "through",
    "source", "campaign", "segment", "reason", "text", "evidence", "event_id", "dated", "until", "entry_id",
    "standing", "overridden_for", "match_rules",
)  # fmt: skip
"""The columns of exported opt-outs; `match_rules` is the version of the rules that the address was folded by (F61)."""

SUBSCRIPTION_COLUMNS: Final = (
    "contact_id", "address", "list", "standing", "since", "expires_at", "consent", "actor", "through", "source",
    "evidence",
)  # fmt: skip
"""The columns of exported subscriptions."""

LONGEST: Final = 32_000
"""The most characters of a cell: a spreadsheet takes no more, and a reader of tables not many more."""

TEXT: Final = "text"
"""What a row is that says a piece of a text of the row after it: in `what`, or in `standing` of subscriptions."""

LONGEST_WHOLE: Final = 1 << 26
"""The most characters of a text that is told in pieces."""

_HALF: Final = re.compile("[\ud800-\udfff]")
_PIECE: Final = 5_000
"""How many characters a piece says: as JSON each may take six."""

_TEXTS: Final = ("source", "campaign", "segment", "text", "evidence")
_AT: Final = {name: place for place, name in enumerate(OPT_OUT_COLUMNS)}

Hashing = Callable[[OptOut | Suppression], OptOut | Suppression]
"""Turns an entry into what may be shown of it."""


def require_pepper(peppers: Peppers, pepper: str) -> None:
    """Check that a pepper is here.

    Raises:
        UnknownName: it is not.
    """
    if pepper not in peppers.secrets:
        raise UnknownName("pepper", pepper, peppers.secrets)


def hashed_id(peppers: Peppers, pepper: str, entry_id: EntryId) -> EntryId:
    """Return the id by which an entry is known in an export as hashes."""
    return EntryId(peppers.hashed(entry_id, pepper).rpartition(":")[2][:32])


def is_without_words(entry: OptOut | Suppression) -> bool:
    """Whether an entry is what an erasure left of one, or an export as hashes: its id is that of no parts of it."""
    return entry.event_id.removeprefix(STATE).startswith(ERASED)


def hashing(peppers: Peppers, pepper: str) -> Hashing:
    """Return what turns an entry into what an erasure would leave of it.

    Raises:
        UnknownName: that pepper is not here.
    """
    require_pepper(peppers, pepper)

    def hidden(entry: OptOut | Suppression) -> OptOut | Suppression:
        named = (entry.subject.contact_id, entry.subject.key)
        plain = [str(one) for one in named if one is not None and not is_hashed(one)]
        names = {one: peppers.hashed(one, pepper) for one in plain}
        if is_without_words(entry):  # an erasure was here first
            return renamed(entry, names)
        return redacted(entry, names, partial(hashed_id, peppers, pepper))

    return hidden


def address_of(key: str | None) -> str:
    """Return the address of a match key as a cell, or its keyed hash; empty where there is none."""
    if key is None or is_hashed(key):
        return key or ""
    return key.partition(":")[2]


def _version(key: str | None, rules: MatchRules) -> str:
    return rules.version if key is None or is_hashed(key) else key.partition(":")[0]


def opt_out_rows(
    record: Record, entry: OptOut | Suppression, *, standing: str, overridden_for: Sequence[str], rules: MatchRules
) -> Iterator[Sequence[FieldValue | None]]:
    """Yield the cells of an opt-out or a suppression, after those of its texts that no cell holds.

    Args:
        record: the record of the log.
        entry: its entry, or what may be shown of that.
        standing: what became of it.
        overridden_for: the lists for which it is overridden.
        rules: how the registry matches addresses.
    """
    said, subject = entry.provenance, entry.subject
    for name, text in (*((one, getattr(said, one)) for one in _TEXTS), ("event_id", entry.event_id)):
        for piece in pieces(text):
            row: list[FieldValue | None] = [None] * len(OPT_OUT_COLUMNS)
            row[_AT["what"]], row[_AT["scope_or_kind"]] = TEXT, name
            row[_AT["entry_id"]], row[_AT["text"]] = entry.id, piece
            yield row
    if isinstance(entry, OptOut):
        what, which, dated, until = OPT_OUT, str(entry.scope), entry.dated, None
    else:
        what, which, dated, until = SUPPRESSION, entry.kind.value, None, entry.until
    yield (
        record.seq, record.recorded_at, what, which, address_of(subject.key), subject.contact_id, said.at, said.actor,
        said.through, shortened(said.source), shortened(said.campaign), shortened(said.segment), said.reason,
        shortened(said.text), shortened(said.evidence), shortened(entry.event_id), dated, until, entry.id, standing,
        " ".join(overridden_for), _version(subject.key, rules),
    )  # fmt: skip


def pieces(text: str | None) -> Iterator[str]:
    """Yield the pieces of a text that no cell holds; of any other, none."""
    if text is not None and not _fits(text):
        for at in range(0, len(text), _PIECE):
            yield json.dumps(text[at : at + _PIECE])


def shortened(text: str | None) -> str | None:
    """Return a text as a cell can hold it: without NUL, which no table may contain, and not too long."""
    if text is None or _fits(text):
        return text
    plain = text.replace("\0", "\\0")
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _fits(text: str) -> bool:
    return len(text) <= LONGEST and "\0" not in text and (text.isascii() or not _HALF.search(text))


class Pieces:
    """Puts texts together again that are told in pieces, for one row at a time: the one that follows them."""

    def __init__(self) -> None:
        self._of: Hashable = None
        self._found: dict[str, str] = {}

    def add(self, of: Hashable, name: str, piece: str) -> None:
        """Take a piece.

        Args:
            of: what the row is known by that it belongs to.
            name: of the cell.
            piece: what it says.

        Raises:
            InvalidInput: it is none.
        """
        try:
            said = json.loads(piece)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, str):
            raise InvalidInput(f"{piece[:40]!r} is no piece of a text: export the registry again")
        if of != self._of:
            self._of, self._found = of, {}
        if sum(map(len, self._found.values())) + len(said) > LONGEST_WHOLE:
            raise InvalidInput(f"a text has more than {LONGEST_WHOLE:,} characters")
        self._found[name] = self._found.get(name, "") + said

    def take(self, of: Hashable) -> Mapping[str, str]:
        """Return the texts of a row, by the names of the cells."""
        found = self._found if of == self._of else {}
        self._of, self._found = None, {}
        return found
