"""Exports of contacts: taken on, made later, fetched from links.

The columns of the CSV are those of files that SendGrid has written, with the identifiers and custom fields behind them;
a line of JSON names the same in lower case. Neither says which lists a contact is on: who wants to know exports a list.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from attrs import define

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, Account, Job, iso
from lifecycle_mail_sendgrid.testing.contacts import Contact, Contacts
from lifecycle_mail_sendgrid.testing.fields import Fields
from lifecycle_mail_sendgrid.testing.lists import Lists
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

Packing = Literal["file", "encoding", "plain"]
"""Whether what is fetched is a gzip file, is gzip by its Content-Encoding, or is not packed."""

LIVES: Final = timedelta(days=3)
_PATH: Final = "/v3/marketing/contacts/exports"
_COLUMNS: Final = (
    "email", "first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region",
    "postal_code", "country", "alternate_emails", "phone_number", "whatsapp", "line", "facebook", "unique_name",
    "created_at", "updated_at", "contact_id", "phone_number_id", "external_id", "anonymous_id",
)  # fmt: skip


@define(kw_only=True, eq=False)
class Export:
    """An export.

    Attributes:
        job: what makes it.
        list_ids, segment_ids: of whom; of everybody where there is neither.
        csv: whether it is CSV, and not lines of JSON.
        most_bytes: after how many bytes another file is begun.
        links: the paths to its files, once it is made.
        count: how many contacts are in it.
    """

    job: Job
    list_ids: Sequence[str]
    segment_ids: Sequence[str]
    csv: bool
    most_bytes: int
    links: list[str]
    count: int = 0


class Exports(Part):
    """The exports of the account.

    Attributes:
        packing: how files are packed.
        rows_in_a_file: after how many contacts another file is begun, so that a test sees several links.
    """

    def __init__(
        self,
        account: Account,
        contacts: Contacts,
        fields: Fields,
        lists: Lists,
        members: Callable[[str], Collection[str] | None],
        polled: Callable[[bool], None],
    ) -> None:
        self._account = account
        self._contacts = contacts
        self._fields = fields
        self._lists = lists
        self._members = members
        self._polled = polled
        self._exports: dict[str, Export] = {}
        self.packing: Packing = "file"
        self.rows_in_a_file: int | None = None

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {f"POST {_PATH}": self._create, f"GET {_PATH}": self._all, f"GET {_PATH}/{{id}}": self._one}

    def _create(self, call: Call) -> Answer:
        list_ids, segment_ids = call.body.get("list_ids") or [], call.body.get("segment_ids") or []
        if unknown := [one for one in list_ids if one not in self._lists]:
            raise Refusal(400, ("list_ids", f"list id {unknown[0]!r} does not exist"))
        if unknown := [one for one in segment_ids if self._members(one) is None]:
            raise Refusal(400, ("segment_ids", f"segment id {unknown[0]!r} does not exist"))
        export_id = self._account.start("export", lambda _: self._make(export), requested=1)
        export = Export(
            job=export_id,
            list_ids=list_ids,
            segment_ids=segment_ids,
            csv=call.body.get("file_type", "csv") == "csv",
            most_bytes=call.body.get("max_file_size", 5000) * 1_000_000,
            links=[],
        )
        self._exports[export.job.id] = export
        return Answer(status=202, json={"_metadata": {"self": f"{API}{_PATH}/{export.job.id}"}, "id": export.job.id})

    def _all(self, call: Call) -> Answer:
        result = [
            {
                "id": one.job.id,
                "status": self._status(one),
                "created_at": iso(one.job.started_at),
                **({} if one.job.finished_at is None else {"completed_at": iso(one.job.finished_at)}),
                "expires_at": iso(one.job.started_at + LIVES),
                "urls": [f"{call.origin}{link}" for link in one.links],
                "user_id": "1",
                "export_type": "list_export"
                if one.list_ids
                else "segment_export"
                if one.segment_ids
                else "contacts_export",
                "segments": [{"ID": segment_id} for segment_id in one.segment_ids],
                "lists": [{"ID": kept.id, "Name": kept.name} for kept in self._lists if kept.id in one.list_ids],
                "_metadata": {"self": f"{API}{_PATH}/{one.job.id}"},
            }
            for one in self._exports.values()
        ]
        return Answer(json={"result": result, "_metadata": {"self": f"{API}{_PATH}"}})

    def _one(self, call: Call) -> Answer:
        export = self._exports.get(call["id"])
        if export is None:
            raise Refusal(404, ("id", "export was not found"))
        job = export.job
        self._polled(job.finished_at is None)
        shown: dict[str, Any] = {
            "id": job.id,
            "status": self._status(export),
            "created_at": iso(job.started_at),
            "updated_at": iso(job.finished_at or job.started_at),
            "expires_at": iso(job.started_at + LIVES),
            "_metadata": {"self": f"{API}{_PATH}/{job.id}"},
        }
        if job.failed:
            shown["message"] = "the export could not be made"
        elif job.finished_at is not None:
            urls = [f"{call.origin}{link}" for link in export.links]
            shown |= {"completed_at": iso(job.finished_at), "urls": urls, "contact_count": export.count}
        return Answer(json=shown)

    @staticmethod
    def _status(export: Export) -> str:
        if export.job.finished_at is None:
            return "pending"
        return "failure" if export.job.failed else "ready"

    # -- making the files

    def _make(self, export: Export) -> None:
        rows = [self._row(one) for one in self._wanted(export)]
        export.count = len(rows)
        names = [*_COLUMNS, *(one.name for one in self._fields)]
        kind = "csv" if export.csv else "json"
        header = _csv_line([name.upper() for name in names]) if export.csv else ""
        lines = [_csv_line(list(row.values())) if export.csv else json.dumps(row) + "\n" for row in rows]
        for number, content in enumerate(self._cut(lines, export.most_bytes), start=1):
            body = (header + content).encode()
            name = f"{export.job.id}-{number}.{kind}" + ("" if self.packing == "plain" else ".gzip")
            headers = {"Content_Type": "text/csv" if export.csv else "application/json"}
            if self.packing == "file":
                headers = {"Content_Type": "application/octet-stream"}
            elif self.packing == "encoding":
                headers["Content_Encoding"] = "gzip"
            packed = body if self.packing == "plain" else gzip.compress(body, mtime=0)
            export.links.append(self._account.publish(name, packed, lives=LIVES, **headers))

    def _wanted(self, export: Export) -> Iterator[Contact]:
        if not export.list_ids and not export.segment_ids:
            return iter(self._contacts)
        ids = {contact_id for one in export.segment_ids for contact_id in self._members(one) or ()}
        ids |= {one.id for one in self._contacts.on(export.list_ids)}
        return (one for one in self._contacts if one.id in ids)

    def _row(self, one: Contact) -> dict[str, Any]:
        values: dict[str, Any] = {
            **one.plain,
            **one.identifiers,
            "alternate_emails": list(one.alternate_emails),
            "created_at": iso(one.created_at),
            "updated_at": iso(one.updated_at),
            "contact_id": one.id,
        }
        row = {name: values.get(name) or None for name in _COLUMNS}
        return row | {field.name: one.custom.get(field.id) for field in self._fields}

    def _cut(self, lines: Sequence[str], most_bytes: int) -> Iterator[str]:
        file: list[str] = []
        size = 0
        for line in lines:
            if file and (size + len(line.encode()) > most_bytes or len(file) == self.rows_in_a_file):
                yield "".join(file)
                file, size = [], 0
            file.append(line)
            size += len(line.encode())
        yield "".join(file)


def _csv_line(values: Sequence[Any]) -> str:
    """Write a line as SendGrid does: every value in quotes, and nothing at all where there is none."""
    written = (json.dumps(value) if isinstance(value, list) else value for value in values)
    return ",".join("" if value is None else '"' + str(value).replace('"', '""') + '"' for value in written) + "\n"
