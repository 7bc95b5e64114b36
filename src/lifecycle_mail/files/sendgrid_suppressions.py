"""What SendGrid holds back: the answers of its suppression calls, and the tables that its pages export.

Theory of operation
===================

The rows of each list look nearly alike, and a file seldom says which list it is. It is told, in this order,
by a `group_id` in the row, by the caller, by the file's name, by the cells of the row: a status makes a
bounce, a reason alone an invalid address, an IP a complaint, nothing at all an unsubscribe.

`bounces` and `blocks` differ in nothing but what stands in them, so that both are read by status (R17): what
is temporary, or about the sender, suppresses nobody. A group that nobody mapped to a list is taken for all
marketing. The time of a row is the ESP's own time of change; a row without one is a state that was seen, and
no new event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import someone, text_of
from lifecycle_mail.files.json_rows import open_json
from lifecycle_mail.files.reading import Convert, Note, Part, RowRefused
from lifecycle_mail.files.sendgrid import SOURCE, at_of, group_scope, is_soft
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import Rows
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Held, Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through

SUPPRESSIONS: Final = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes", "group")
"""The kinds of suppression lists, as SendGrid calls them; `group` holds those of unsubscribe groups."""


def suppression_statements(
    row: object,
    *,
    kind: str | None = None,
    lists: Mapping[str, str],
    list_key: str | None = None,
    received_at: datetime,
    note: Note,
    evidence: str = "",
) -> list[Statement]:
    """Say what one row of a suppression answer says.

    Args:
        row: an object with an address, or a bare address.
        kind: one of `SUPPRESSIONS`; without it, told from the row where that is possible.
        lists: our list keys by the ids of SendGrid's unsubscribe groups.
        list_key: the list behind a group whose rows do not name it.
        received_at: when the answer was read; the instant of rows that have none.
        note: told of what is set aside.
        evidence: where it was found.

    Raises:
        InvalidInput: it names nobody.
    """
    if isinstance(row, str):
        row = {"email": row}
    if not isinstance(row, dict):
        raise RowRefused("it is neither an address nor an object")
    if isinstance(row.get("recipient_emails"), list):
        statements: list[Statement] = []
        for address in row["recipient_emails"]:
            try:
                statements += suppression_statements(
                    text_of(address), kind=kind, lists=lists, list_key=list_key, received_at=received_at,
                    note=note, evidence=evidence,
                )  # fmt: skip
            except InvalidInput as problem:
                note(f"one of the addresses was set aside: {problem}", "")
        return statements
    email = text_of(row.get("email") or row.get("recipient_email"))
    if not email and not row:
        return []  # the answer for an address that is not suppressed is {}
    who = someone("", email, note)
    at = at_of(row, "created", note) or at_of(row, "created_at", note)
    status, reason = text_of(row.get("status")), text_of(row.get("reason"))
    found = "group" if "group_id" in row else kind or _told_by(row)

    def provenance(actor: Actor, through: Through = Through.IMPORT) -> Provenance:
        return Provenance(
            actor=actor,
            through=through,
            at=at or received_at,
            source=SOURCE,
            text=reason[:500],
            evidence=evidence,
        )

    dated = at is not None
    if found == "blocks" or (found == "bounces" and is_soft(status, reason)):
        # R17: no suppression. Kept as an event, where it has an instant.
        if at is None:
            note("a block without an instant says nothing that could be kept", "")
            return []
        return [Happened(who=who, kind=EventKind.SOFT_BOUNCED, at=at, source=SOURCE)]
    if found in ("bounces", "invalid_emails"):
        said = provenance(Actor.ESP, Through.BOUNCE)
        return [Held(who=who, kind=SuppressionKind.BOUNCE, provenance=said, dated=dated, status=status)]
    if found == "spam_reports":
        said = provenance(Actor.CONTACT, Through.COMPLAINT)
        return [Held(who=who, kind=SuppressionKind.COMPLAINT, provenance=said, dated=dated)]
    if found == "group" and list_key is not None and "group_id" not in row:
        scope = Scope.list(list_key)
    else:
        scope = group_scope(row.get("group_id"), lists, note) if found == "group" else Scope.all()
    return [Left(who=who, scope=scope, provenance=provenance(Actor.CONTACT), dated=dated)]


def _told_by(row: Mapping[str, object]) -> str:
    """The kind of list that a row comes from. A bounce and a block differ in nothing but the status (R17)."""
    if row.get("status"):
        return "bounces"
    if row.get("reason"):
        return "invalid_emails"
    if "ip" in row:
        return "spam_reports"
    return "unsubscribes"


def is_suppression(value: object) -> bool:
    """Whether a value looks like a row of a suppression answer; a bare address could be anything."""
    if not isinstance(value, dict) or "event" in value:
        return False
    return ("email" in value and bool(value.keys() & {"created", "created_at"})) or "recipient_email" in value


def kind_in_name(name: str) -> str | None:
    """The kind of suppression list that a file name tells, or None."""
    # Whole words only: a `blocklist` is not what SendGrid calls `blocks`.
    plain = f"_{re.sub('[^a-z]+', '_', name.casefold())}_"
    hits = [kind for kind in SUPPRESSIONS if f"_{kind}_" in plain]
    return "group" if "group" in hits else hits[0] if len(hits) == 1 else None


def suppressions_part(
    path: Path,
    *,
    kind: str | None,
    lists: Mapping[str, str],
    list_key: str | None,
    received_at: datetime,
    table: bool = False,
    fallback: str | None = None,
) -> Part[Any]:
    """A file of suppressions: an answer of the API, or with `table` the CSV of SendGrid's own pages."""

    def open_rows() -> Rows[Any]:
        return open_table(path, fallback=fallback) if table else open_json(path, fallback=fallback)

    def start() -> Convert[Any]:
        header = _header(path, fallback) if table else ()

        def convert(line: int, row: Any, note: Note) -> Sequence[Statement]:
            if table:
                row = dict(zip(header, row, strict=True))
            return suppression_statements(
                row, kind=kind, lists=lists, list_key=list_key, received_at=received_at, note=note,
                evidence=f"{path.name}:{line}",
            )  # fmt: skip

        return convert

    return Part(path=path, format="sendgrid-suppressions", open=open_rows, start=start)


def _header(path: Path, fallback: str | None) -> tuple[str, ...]:
    with open_table(path, fallback=fallback) as rows:
        return rows.header
