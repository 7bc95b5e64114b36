"""Mailchimp audience exports: the files `subscribed`, `unsubscribed`, `cleaned` and `nonsubscribed`.

Theory of operation
===================

An export has no column for the state of its rows: the name of the file tells it, and some columns confirm it
(`UNSUB_TIME`, `CLEAN_TIME`). Where the two disagree, or neither tells, the file is not read until somebody
says what it is: reading a file of the unsubscribed as subscribers is the one mistake that must not happen.

| file | says |
|---|---|
| subscribed | known, and joined by import |
| unsubscribed | known, joined, and left the whole audience; where the reason was spam, a complaint too |
| cleaned | known, joined, and held: the address bounced |
| nonsubscribed, archived | known, and nothing more |

Whoever left or bounced is joined as well, so that they belong to the audience and are counted as withheld.
All consent is an import, however many IPs stand in the row; those are kept as evidence (O3), and nothing in a
file brings anybody back (O4). All instants are UTC; no cell says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.files.cells import instants, someone, tags_in, timezone_in
from lifecycle_mail.files.reading import Convert, Note, Part
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.intake import Held, Joined, Known, Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through

SOURCE: Final = "mailchimp"

STATES: Final = ("subscribed", "unsubscribed", "cleaned", "nonsubscribed", "archived")
"""What an export may hold."""

REASONS: Final[Mapping[str, OptOutReason | None]] = {
    "normal_unsubscribe": None,  # "I no longer want to receive these emails" gives no reason
    "not_signed_up": OptOutReason.NEVER_SIGNED_UP,
    "spam": None,  # a complaint of its own
    "inappropriate": OptOutReason.OTHER,
    "other": OptOutReason.OTHER,
}
"""Mailchimp's reasons for leaving, in ours."""

_EMAIL: Final = "email address"
_STATE: Final = re.compile(r"nonsubscribed|unsubscribed|subscribed|cleaned|archived")

# What Mailchimp writes for every audience. These are read above or not kept: places and ids of its own.
_OWN: Final = frozenset({
    _EMAIL, "optin_time", "optin_ip", "confirm_time", "confirm_ip", "latitude", "longitude", "gmtoff",
    "dstoff", "timezone", "last_changed", "leid", "euid", "tags", "unsub_time", "unsub_campaign_title",
    "unsub_campaign_id", "unsub_reason", "unsub_reason_other", "clean_time", "clean_campaign_title",
    "clean_campaign_id",
})  # fmt: skip

_instant = instants()


def is_export(header: Sequence[str]) -> bool:
    """Whether a table is an audience export, by its columns."""
    return not missing_columns(header) and bool(
        {name.casefold() for name in header} & {"euid", "leid", "member_rating"}
    )


def missing_columns(header: Sequence[str]) -> list[str]:
    """The columns that an audience export cannot do without."""
    names = {name.casefold() for name in header}
    return [name for name in ("Email Address", "OPTIN_TIME") if name.casefold() not in names]


def state_of(path: Path, header: Sequence[str], state: str | None = None) -> str:
    """Say whose export it is: `state` if it is given, else what name and columns agree on.

    Raises:
        InvalidDocument: they disagree, or do not tell.
    """
    if state is not None:
        if state not in STATES:
            raise _unclear(path, f"{state!r} is no state of an audience export")
        return state
    names = {name.casefold() for name in header}
    by_columns = "unsubscribed" if "unsub_time" in names else "cleaned" if "clean_time" in names else None
    found = _STATE.search(path.name.casefold())
    by_name = found[0] if found is not None else None
    if by_name is None and by_columns is None:
        raise _unclear(path, "neither its name nor its columns tell whether these people are subscribed")
    if by_columns is None and by_name in ("unsubscribed", "cleaned"):
        raise _unclear(path, f"its name says {by_name}, but the column that comes with it is missing")
    if by_columns is not None and by_name not in (None, by_columns):
        raise _unclear(path, f"its name says {by_name}, its columns say {by_columns}")
    return by_columns or by_name or ""


def _unclear(path: Path, message: str) -> InvalidDocument:
    fix = f"name a source for it with format = 'mailchimp' and state = one of {', '.join(STATES)}"
    return InvalidDocument("cannot read a Mailchimp export", [Problem(str(path), message, fix)])


@frozen
class _Export:
    """One file; `place` finds a cell by the folded name of its column."""

    name: str
    state: str
    audience: ListKey
    received_at: datetime
    place: Mapping[str, int]
    fields: Sequence[tuple[str, int]]
    contact_id: int | None

    def convert(self, line: int, row: list[str], note: Note) -> list[Statement]:
        def cell(name: str) -> str:
            index = self.place.get(name)
            return row[index].strip() if index is not None else ""

        def when(name: str) -> datetime | None:
            text = cell(name)
            try:
                return _instant(text) if text else None
            except InvalidInput as problem:
                note(f"{name.upper()}: {problem}", "correct the cell")
                return None

        def provenance(
            actor: Actor, at: datetime | None, *, through: Through = Through.IMPORT, evidence: str = "",
            campaign: str = "", reason: OptOutReason | None = None, text: str = "",
        ) -> Provenance:  # fmt: skip
            return Provenance(
                actor=actor, through=through, at=at or self.received_at, source=SOURCE,
                campaign=campaign or None, reason=reason, text=text, evidence=f"{self.name}:{line}{evidence}",
            )  # fmt: skip

        who = someone(row[self.contact_id] if self.contact_id is not None else "", cell(_EMAIL), note)
        opted_in, confirmed = when("optin_time"), when("confirm_time")
        said: list[Statement] = [
            Known(
                who=who,
                fields={name: text for name, index in self.fields if (text := row[index].strip())},
                tags=tags_in(cell("tags")),
                signed_up_at=opted_in,
                timezone=timezone_in(cell("timezone"), note),
            )
        ]
        if self.state in ("nonsubscribed", "archived"):
            return said
        told = (("opted in", "optin"), ("confirmed", "confirm"))
        evidence = "".join(
            f"; {word} {cell(f'{prefix}_time')} UTC" + (f" from {ip}" if (ip := cell(f"{prefix}_ip")) else "")
            for word, prefix in told
            if cell(f"{prefix}_time")
        )
        joined = provenance(Actor.OPERATOR, confirmed or opted_in, evidence=evidence)
        said.append(Joined(who=who, list=self.audience, provenance=joined))
        if self.state == "cleaned":
            at = when("clean_time")
            campaign = cell("clean_campaign_id") or cell("clean_campaign_title")
            bounced = provenance(Actor.ESP, at, through=Through.BOUNCE, campaign=campaign)
            said.append(Held(who=who, kind=SuppressionKind.BOUNCE, provenance=bounced, dated=at is not None))
        if self.state == "unsubscribed":
            at = when("unsub_time")
            campaign = cell("unsub_campaign_id") or cell("unsub_campaign_title")
            word = cell("unsub_reason").casefold()
            reason, text = read_reason(word, cell("unsub_reason_other"))
            left = provenance(Actor.CONTACT, at, campaign=campaign, reason=reason, text=text)
            said.append(Left(who=who, scope=Scope.list(self.audience), provenance=left, dated=at is not None))
            if word == "spam":
                spam = provenance(Actor.CONTACT, at, through=Through.COMPLAINT, campaign=campaign, text=text)
                said.append(Held(who=who, kind=SuppressionKind.COMPLAINT, provenance=spam, dated=at is not None))
        return said


def read_reason(word: str, other: str = "") -> tuple[OptOutReason | None, str]:
    """Read one of Mailchimp's reasons for leaving; what it is not known to write is kept as text."""
    folded = word.strip().casefold().replace(" ", "_")
    if not folded:
        return None, other
    if folded not in REASONS:
        return OptOutReason.OTHER, other or word
    return REASONS[folded], other or ("" if folded in ("normal_unsubscribe", "not_signed_up", "other") else folded)


def export_part(
    path: Path,
    header: Sequence[str],
    *,
    audience: str,
    received_at: datetime,
    state: str | None = None,
    contact_id: str | None = None,
    fallback: str | None = None,
) -> Part[list[str]]:
    """One file of an audience export.

    Args:
        path: where it lies.
        header: its columns; names that occur twice kept apart.
        audience: the key of the list that the audience is.
        received_at: when it was read; the instant of what has none.
        state: what it holds, where name and columns do not tell.
        contact_id: the column that holds the application's id, where there is one.
        fallback: the encoding of a file that is not UTF-8.

    Raises:
        InvalidDocument: nothing tells whether these people are subscribed.
    """
    place = {name.casefold(): index for index, name in reversed(list(enumerate(header)))}
    export = _Export(
        name=path.name,
        state=state_of(path, header, state),
        audience=ListKey(audience),
        received_at=received_at,
        place=place,
        fields=[
            (name, index) for index, name in enumerate(header) if name.casefold() not in _OWN and name != contact_id
        ],
        contact_id=header.index(contact_id) if contact_id is not None else None,
    )

    def start() -> Convert[list[str]]:
        return export.convert

    return Part(path=path, format="mailchimp", open=lambda: open_table(path, fallback=fallback), start=start)
