"""What an export of the registry looks like: the columns of its tables, and the cells of a row.

Opt-outs
    One row for each opt-out or suppression of the log, in the order of the log, with everything that the entry says.
    Read back, it is the same entry under the same id. The column `standing` says what became of it, and
    `overridden_for` for which lists the person came back.

Subscriptions
    One row for each contact and each list that they ever agreed to, or asked for.

As hashes, a table names people by keyed hashes alone (O5): ids, texts, evidence and the event ids of sources are what
an erasure would leave of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.model.contacts import FieldValue
from lifecycle_mail.model.entries import OptOut, Record, Suppression
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.peppers import Peppers, is_hashed
from lifecycle_mail.model.redaction import ERASED, redacted, renamed

OPT_OUT: Final = "opt-out"
SUPPRESSION: Final = "suppression"

OPT_OUT_COLUMNS: Final = (
    "seq", "recorded_at", "what", "scope_or_kind", "address", "contact_id", "happened_at", "actor", "through",
    "source", "campaign", "segment", "reason", "text", "evidence", "event_id", "dated", "until", "entry_id",
    "standing", "overridden_for",
)  # fmt: skip
"""The columns of exported opt-outs."""

SUBSCRIPTION_COLUMNS: Final = (
    "contact_id", "address", "list", "standing", "since", "expires_at", "consent", "actor", "through", "source",
    "evidence",
)  # fmt: skip
"""The columns of exported subscriptions."""

LONGEST: Final = 32_000
"""The most characters of a cell: a spreadsheet takes no more, and a reader of tables not many more."""

Hashing = Callable[[OptOut | Suppression], OptOut | Suppression]
"""Turns an entry into what may be shown of it."""


def require_pepper(peppers: Peppers, pepper: str) -> None:
    """Check that a pepper is here.

    Raises:
        UnknownName: it is not.
    """
    if pepper not in peppers.secrets:
        raise UnknownName("pepper", pepper, peppers.secrets)


def hashing(peppers: Peppers, pepper: str) -> Hashing:
    """Return what turns an entry into what an erasure would leave of it.

    Raises:
        UnknownName: that pepper is not here.
    """
    require_pepper(peppers, pepper)

    def new_id(one: EntryId) -> EntryId:
        return EntryId(peppers.hashed(one, pepper).rpartition(":")[2][:32])

    def hidden(entry: OptOut | Suppression) -> OptOut | Suppression:
        named = (entry.subject.contact_id, entry.subject.key)
        plain = [str(one) for one in named if one is not None and not is_hashed(one)]
        names = {one: peppers.hashed(one, pepper) for one in plain}
        if entry.event_id.startswith(ERASED):  # an erasure was here first
            return renamed(entry, names)
        return redacted(entry, names, new_id)

    return hidden


def address_of(key: str | None) -> str:
    """Return the address of a match key as a cell, or its keyed hash; empty where there is none."""
    if key is None or is_hashed(key):
        return key or ""
    return key.partition(":")[2]


def opt_out_row(
    record: Record, entry: OptOut | Suppression, *, standing: str, overridden_for: Sequence[str]
) -> Sequence[FieldValue | None]:
    """Return the cells of an opt-out or a suppression.

    Args:
        record: the record of the log.
        entry: its entry, or what may be shown of that.
        standing: what became of it.
        overridden_for: the lists for which it is overridden.
    """
    said, subject = entry.provenance, entry.subject
    if isinstance(entry, OptOut):
        what, which, dated, until = OPT_OUT, str(entry.scope), entry.dated, None
    else:
        what, which, dated, until = SUPPRESSION, entry.kind.value, None, entry.until
    return (
        record.seq, record.recorded_at, what, which, address_of(subject.key), subject.contact_id, said.at, said.actor,
        said.through, kept(said.source), kept(said.campaign), kept(said.segment), said.reason, kept(said.text),
        kept(said.evidence), kept(entry.event_id), dated, until, entry.id, standing, " ".join(overridden_for),
    )  # fmt: skip


def kept(text: str | None) -> str | None:
    """Return a text as a cell can hold it: without NUL, which no table may contain, and not too long."""
    if text is None or (len(text) <= LONGEST and "\0" not in text):
        return text
    plain = text.replace("\0", "\\0")
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
