"""A folder of Mailchimp tables, as the Fivetran connector lands them in a warehouse.

Theory of operation
===================

A contact is known by `member.id`. Recipients who are no longer in `member` become contacts without an
address: their mails count, and nothing can be sent to them. Some tables only name things that others refer
to; they are read first. Then:

| table | says |
|---|---|
| member | known, and by status: joined; joined and left; joined and held (cleaned); nothing yet (pending) |
| segment_member | a tag, where the segment is static: that is what Mailchimp's tags are |
| campaign_recipient | sent, at the campaign's send time |
| automation_recipient | known: the table does not say when the mail went out, and no instant is made up |
| ..._activity | opened, clicked, bounced |
| unsubscribe | left the list, with the campaign that led to it |

Who is subscribed now and left once is out: a state never overrides a no (O4). An open has only an IP;
Google's proxy fetches pictures when a person opens, so an address of Google's proves no machine, and the
evidence stays unknown. All instants are UTC.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import define, field

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import instants, someone, timezone_in
from lifecycle_mail.files.mailchimp import SOURCE, read_reason
from lifecycle_mail.files.reading import Convert, Note, Part, RowRefused
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import Fault
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.provenance import Actor, Provenance, Through

ACTIONS: Final[Mapping[str, EventKind]] = {"open": EventKind.OPENED, "click": EventKind.CLICKED}

_NAMING: Final = ("list", "campaign", "automation", "automation_email", "segment")
_ORDER: Final = (
    *_NAMING, "member", "segment_member", "campaign_recipient", "automation_recipient",
    "campaign_recipient_activity", "automation_recipient_activity", "unsubscribe",
)  # fmt: skip
_NO_TIME: Final = Fault(
    "the table does not say when its mails were sent: one counts from its first open or click, or not at all",
    "to count unopened ones, map the table as events with a column that holds the time",
)

Cells = Mapping[str, str]


def tables_in(folder: Path) -> dict[str, Path]:
    """The tables that a folder holds, by name, in the order in which they are read."""
    found: dict[str, Path] = {}
    for name in _ORDER:
        for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
            if path.is_file():
                found.setdefault(name, path)
    return found


def is_folder(path: Path) -> bool:
    """Whether a folder holds the tables: at least members, and something that names their lists or mails."""
    tables = tables_in(path)
    return "member" in tables and bool(tables.keys() & {"list", "campaign", "campaign_recipient"})


def list_keys(names: Mapping[str, str]) -> dict[str, str]:
    """Make slugs of the lists' names, by id. Lists of one name are kept apart by their ids."""
    slugs = {theirs: _slug(name) or _slug(theirs) for theirs, name in names.items()}
    shared = Counter(slugs.values())
    return {
        theirs: slug if shared[slug] == 1 else f"{slug[: 63 - len(theirs)]}-{_slug(theirs)}"
        for theirs, slug in slugs.items()
    }


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.casefold()).strip("-")[:64].rstrip("-")


@define
class _Tables:
    """What the naming tables say, and who is in `unsubscribe`."""

    received_at: datetime
    lists: dict[str, str]
    sent_at: dict[str, str] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    leavers: set[tuple[str, str]] = field(factory=set)  # (member, list)
    addresses: dict[str, str] = field(factory=dict)  # of leavers
    instant: Callable[[str], datetime] = field(factory=instants)

    def list_key(self, theirs: str) -> ListKey:
        if not theirs:
            raise RowRefused("it names no list")
        return ListKey(self.lists.get(theirs) or _slug(theirs) or "list")

    def at(self, row: Cells, name: str, note: Note) -> datetime | None:
        text = row.get(name, "")
        try:
            return self.instant(text) if text else None
        except InvalidInput as problem:
            note(f"{name}: {problem}", "correct the cell")
            return None

    def provenance(self, at: datetime | None, place: str, actor: Actor, **more: str) -> Provenance:
        through = Through(more.get("through", Through.IMPORT))
        reason, text = read_reason(more.get("reason", ""))
        return Provenance(
            actor=actor, through=through, at=at or self.received_at, source=SOURCE, reason=reason, text=text,
            campaign=more.get("campaign") or None, evidence=place + more.get("evidence", ""),
        )  # fmt: skip

    def member(self, row: Cells, place: str, note: Note) -> list[Statement]:
        who = someone(_required(row, "id"), row.get("email_address", ""), note)
        opted_in, changed = self.at(row, "timestamp_opt", note), self.at(row, "last_changed", note)
        known = Known(
            who=who,
            fields={_field_name(name): text for name, text in row.items() if text and _is_field(name)},
            signed_up_at=self.at(row, "timestamp_signup", note) or opted_in,
            timezone=timezone_in(row.get("timezone", ""), note),
            locale=row.get("language") or None,
        )
        status = row.get("status", "")
        if status not in ("subscribed", "unsubscribed", "cleaned"):
            if status == "pending":
                note("it is pending: never confirmed, so not subscribed", "let the person confirm")
            elif status not in ("transactional", "archived"):
                note(f"the status {status[:40]!r} is not known: not subscribed", "")
            return [known]
        key = self.list_key(row.get("list_id", ""))
        opt_in = f"; opted in {row.get('timestamp_opt', '')} UTC" if opted_in is not None else ""
        ip = f" from {row['ip_opt']}" if opt_in and row.get("ip_opt") else ""
        joined = self.provenance(opted_in, place, Actor.OPERATOR, evidence=opt_in + ip)
        said: list[Statement] = [known, Joined(who=who, list=key, provenance=joined)]
        dated = changed is not None
        if status == "cleaned":
            bounced = self.provenance(changed, place, Actor.ESP, through=Through.BOUNCE)
            said.append(Held(who=who, kind=SuppressionKind.BOUNCE, provenance=bounced, dated=dated))
        elif status == "unsubscribed":
            if (row["id"], row.get("list_id", "")) in self.leavers:
                self.addresses[row["id"]] = row.get("email_address", "")  # `unsubscribe` says it, with the campaign
            else:
                left = self.provenance(changed, place, Actor.CONTACT)
                said.append(Left(who=who, scope=Scope.list(key), provenance=left, dated=dated))
        return said

    def segment_member(self, row: Cells, _place: str, _note: Note) -> list[Statement]:
        tag = self.tags.get(row.get("segment_id", ""))
        if tag is None or row.get("_fivetran_deleted") == "true":
            return []
        return [Known(who=Who(_required(row, "member_id")), tags=frozenset({tag}))]

    def campaign_recipient(self, row: Cells, _place: str, _note: Note) -> list[Statement]:
        who, mail = Who(_required(row, "member_id")), _required(row, "campaign_id")
        sent_at = self.sent_at.get(mail)
        if not sent_at:
            raise RowRefused(f"the campaign {mail[:40]!r} has no send time", "add it to the table campaign")
        return [
            Happened(
                who=who,
                kind=EventKind.SENT,
                at=self.instant(sent_at),
                mail=mail,
                campaign=mail,
                source=SOURCE,
            )
        ]

    def automation_recipient(self, row: Cells, _place: str, _note: Note) -> list[Statement]:
        return [Known(who=Who(_required(row, "member_id")))]

    def activity(self, row: Cells, place: str, note: Note) -> list[Statement]:
        who = Who(_required(row, "member_id"))
        mail = row.get("campaign_id") or _required(row, "automation_email_id")
        at = self.instant(_required(row, "timestamp"))
        action = row.get("action", "")
        kind = ACTIONS.get(action)
        if action == "bounce":
            kind = EventKind.SOFT_BOUNCED if row.get("bounce_type") == "soft" else EventKind.HARD_BOUNCED
        if kind is None:
            note(f"the action {action[:40]!r} is not known and was set aside", "")  # F42
            return []
        link = row.get("url", "") if kind is EventKind.CLICKED else ""
        said: list[Statement] = [
            Happened(who=who, kind=kind, at=at, mail=mail, campaign=mail, link=link, source=SOURCE)
        ]
        if kind is EventKind.HARD_BOUNCED:
            bounced = self.provenance(at, place, Actor.ESP, through=Through.BOUNCE, campaign=mail)
            said.append(Held(who=who, kind=SuppressionKind.BOUNCE, provenance=bounced))
        return said

    def unsubscribe(self, row: Cells, place: str, note: Note) -> list[Statement]:
        member = _required(row, "member_id")
        at = self.at(row, "timestamp", note)
        left = self.provenance(
            at, place, Actor.CONTACT, campaign=row.get("campaign_id", ""), reason=row.get("reason", "")
        )
        who = someone(member, self.addresses.get(member, ""), note)
        scope = Scope.list(self.list_key(row.get("list_id", "")))
        return [Left(who=who, scope=scope, provenance=left, dated=at is not None)]


def _required(row: Cells, name: str) -> str:
    text = row.get(name, "")
    if not text:
        raise RowRefused(f"{name} is empty")
    return text


def _is_field(name: str) -> bool:
    return name.startswith("merge_") or name in ("member_rating", "country_code", "vip")


def _field_name(name: str) -> str:
    return name.removeprefix("merge_").upper()


def _nothing(_row: Cells, _place: str, _note: Note) -> list[Statement]:
    return []


def _rows(path: Path | None) -> Iterator[Cells]:
    """The good rows of a naming table; its bad ones are reported when it is read as a part."""
    if path is None:
        return
    with open_table(path) as rows:
        for _, row in rows:
            if not isinstance(row, Fault):
                yield dict(zip(rows.header, row, strict=True))


def tables_parts(folder: Path, *, lists: Mapping[str, str], received_at: datetime) -> list[Part[list[str]]]:
    """The tables of a folder, in the order in which they make sense.

    Args:
        folder: where they lie.
        lists: our list keys by Mailchimp's list ids; others get a slug of their name.
        received_at: when they were read; the instant of what has none.

    Raises:
        OSError: a table cannot be opened.
        InvalidDocument: a table's header cannot be read.
    """
    paths = tables_in(folder)
    names = {row.get("id", ""): row.get("name", "") for row in _rows(paths.get("list"))}
    tables = _Tables(received_at=received_at, lists={**list_keys(names), **lists})
    tables.sent_at = {row.get("id", ""): row.get("send_time", "") for row in _rows(paths.get("campaign"))}
    tables.tags = {
        row.get("id", ""): row.get("name", "") for row in _rows(paths.get("segment")) if row.get("type") == "static"
    }
    tables.leavers = {(row.get("member_id", ""), row.get("list_id", "")) for row in _rows(paths.get("unsubscribe"))}
    read: dict[str, Callable[[Cells, str, Note], list[Statement]]] = {
        "member": tables.member,
        "segment_member": tables.segment_member,
        "campaign_recipient": tables.campaign_recipient,
        "automation_recipient": tables.automation_recipient,
        "campaign_recipient_activity": tables.activity,
        "automation_recipient_activity": tables.activity,
        "unsubscribe": tables.unsubscribe,
    }
    return [_part(name, path, read.get(name, _nothing)) for name, path in paths.items()]


def _part(name: str, path: Path, read: Callable[[Cells, str, Note], list[Statement]]) -> Part[list[str]]:
    with open_table(path) as rows:
        header = rows.header

    def start() -> Convert[list[str]]:
        def convert(line: int, row: list[str], note: Note) -> list[Statement]:
            cells = {column: cell.strip() for column, cell in zip(header, row, strict=True)}
            return read(cells, f"{path.name}:{line}", note)

        return convert

    return Part(
        path=path,
        format="mailchimp-tables",
        open=lambda: open_table(path),
        start=start,
        remark=_NO_TIME if name == "automation_recipient" else None,
    )
