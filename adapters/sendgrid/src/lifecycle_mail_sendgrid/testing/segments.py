"""Segments 2.0: a query in SQL, checked and counted later.

A segment is counted at the first `settle` after it was made or changed, or after a refresh was asked for, and otherwise
once an hour has gone by: until then its count is old. Who gets a single send is computed anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import define, field

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, Account, iso
from lifecycle_mail_sendgrid.testing.contacts import Contacts
from lifecycle_mail_sendgrid.testing.fields import Fields
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal
from lifecycle_mail_sendgrid.testing.segment_sql import BadSql, Tables, selected

COUNTED_EVERY: Final = timedelta(hours=1)
MOST_REFRESHES: Final = 2
MOST_REFRESHES_OF_ALL: Final = 10
_PATH: Final = "/v3/marketing/segments/2.0"


@define(kw_only=True, eq=False)
class Segment:
    """A segment.

    Attributes:
        id: SendGrid's.
        name: unique in the account.
        query: in SQL.
        parent_list_ids: the list whose contacts it selects from; all contacts where there is none.
        made_at, changed_at, counted_at, refreshed_at: when what was done.
        state: `PENDING`, `VALID` or `INVALID`.
        error: why it is invalid.
        count: of contacts, when it was counted.
        due: whether it is counted at the next occasion.
        refreshes: when refreshes were asked for.
    """

    id: str
    name: str
    query: str
    parent_list_ids: Sequence[str]
    made_at: datetime
    changed_at: datetime
    counted_at: datetime
    refreshed_at: datetime | None = None
    state: str = "PENDING"
    error: str = ""
    count: int = 0
    due: bool = True
    refreshes: list[datetime] = field(factory=list)


class Segments(Part):
    """The segments of the account."""

    def __init__(
        self,
        account: Account,
        contacts: Contacts,
        fields: Fields,
        events: Callable[[], Iterable[Sequence[Any]]],
        polled: Callable[[bool], None],
    ) -> None:
        self._account = account
        self._contacts = contacts
        self._fields = fields
        self._events = events
        self._polled = polled
        self._segments: dict[str, Segment] = {}

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def members(self, segment_id: str) -> Collection[str] | None:
        """Return the ids of the contacts in a segment now; none of an invalid one, None of an unknown one."""
        segment = self._segments.get(segment_id)
        if segment is None:
            return None
        try:
            return self._selected(segment)
        except BadSql:
            return frozenset()

    def _selected(self, segment: Segment) -> set[str]:
        tables = Tables(list(self._contacts), list(self._fields), self._account.now, self._events())
        ids = selected(segment.query, tables)
        if segment.parent_list_ids:
            ids &= {one.id for one in self._contacts.on(segment.parent_list_ids)}
        return ids

    def settle(self) -> None:
        """Check and count what is due."""
        now = self._account.now
        for segment in self:
            if not segment.due and now - segment.counted_at < COUNTED_EVERY:
                continue
            try:
                segment.count, segment.state, segment.error = len(self._selected(segment)), "VALID", ""
            except BadSql as error:
                segment.count, segment.state, segment.error = 0, "INVALID", str(error)
            segment.due, segment.counted_at = False, now
            if segment.refreshes:
                segment.refreshed_at = segment.refreshes[-1]

    # -- operations

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"POST {_PATH}": self._create,
            f"GET {_PATH}": self._all,
            f"GET {_PATH}/{{segment_id}}": self._one,
            f"PATCH {_PATH}/{{segment_id}}": self._update,
            f"DELETE {_PATH}/{{segment_id}}": self._delete,
            f"POST {_PATH}/refresh/{{segment_id}}": self._refresh,
        }

    def _create(self, call: Call) -> Answer:
        now = self._account.now
        parents = call.body.get("parent_list_ids") or []
        if len(parents) > 1:
            raise Refusal(400, ("parent_list_ids", "only one parent list id is allowed"))
        segment = Segment(
            id=self._account.new_id(),
            name=self._name(call.body),
            query=self._query(call.body),
            parent_list_ids=parents,
            made_at=now,
            changed_at=now,
            counted_at=now,
        )
        self._segments[segment.id] = segment
        return Answer(status=201, json=self._shown(segment))

    def _all(self, call: Call) -> Answer:
        ids, parents = call.queries("ids"), set(call.queries("parent_list_ids"))
        orphans = call.query("no_parent_list_id") == "true"

        def wanted(one: Segment) -> bool:
            if ids:
                return one.id in ids
            if not parents and not orphans:
                return True
            return bool(parents & set(one.parent_list_ids)) or (orphans and not one.parent_list_ids)

        dropped = {"query_dsl", "contacts_sample", "refreshes_used", "max_refreshes", "last_refreshed_at"}
        rows = [
            {key: value for key, value in self._shown(one).items() if key not in dropped}
            | {"_metadata": {"self": f"{API}{_PATH}/{one.id}"}}
            for one in self
            if wanted(one)
        ]
        return Answer(json={"results": rows})

    def _one(self, call: Call) -> Answer:
        segment = self._found(call)
        self._polled(segment.due)
        return Answer(json=self._shown(segment))

    def _update(self, call: Call) -> Answer:
        segment = self._found(call)
        if "name" in call.body:
            segment.name = self._name(call.body, but=segment.id)
        if "query_dsl" in call.body:
            segment.query = self._query(call.body)
            segment.due, segment.state, segment.error = True, "PENDING", ""
        segment.changed_at = self._account.now
        return Answer(json=self._shown(segment))

    def _delete(self, call: Call) -> Answer:
        del self._segments[self._found(call).id]
        return Answer(status=202)

    def _refresh(self, call: Call) -> Answer:
        segment = self._segments.get(call["segment_id"])
        if segment is None:
            raise Refusal(404, json={"error": "Segment does not exist."})
        try:
            zone = ZoneInfo(str(call.body.get("user_time_zone", "")))
        except (ZoneInfoNotFoundError, ValueError):
            raise Refusal(400, ("user_time_zone", "user_time_zone must be an IANA time zone")) from None
        now = self._account.now
        used = self._refreshed_today(segment, zone)
        of_all = sum(self._refreshed_today(one, zone) for one in self)
        lately = bool(segment.refreshes) and now - segment.refreshes[-1] < timedelta(hours=1)
        if used >= MOST_REFRESHES or of_all >= MOST_REFRESHES_OF_ALL or lately:
            return Answer(status=429)
        segment.refreshes.append(now)
        segment.due = True
        return Answer(status=202, json={"job_id": self._account.new_id()})

    def _refreshed_today(self, segment: Segment, zone: ZoneInfo) -> int:
        today = self._account.now.astimezone(zone).date()
        return sum(at.astimezone(zone).date() == today for at in segment.refreshes)

    def _found(self, call: Call) -> Segment:
        segment = self._segments.get(call["segment_id"])
        if segment is None:
            raise Refusal(404, ("segment_id", "segment was not found"))
        return segment

    def _name(self, body: Mapping[str, Any], *, but: str = "") -> str:
        name = body.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise Refusal(400, ("name", "name must have 1 to 100 characters"))
        if any(one.name == name and one.id != but for one in self):
            raise Refusal(400, ("name", "a segment with this name already exists"))
        return name

    @staticmethod
    def _query(body: Mapping[str, Any]) -> str:
        query = body.get("query_dsl")
        if not isinstance(query, str) or not query.strip():
            raise Refusal(400, ("query_dsl", "query_dsl is required"))
        return query

    def _shown(self, segment: Segment) -> dict[str, Any]:
        status = {"query_validation": segment.state}
        if segment.error:
            status["error_message"] = segment.error
        refreshed = {} if segment.refreshed_at is None else {"last_refreshed_at": iso(segment.refreshed_at)}
        return {
            "id": segment.id,
            "name": segment.name,
            "query_dsl": segment.query,
            "contacts_count": segment.count,
            "contacts_sample": [],  # a sample is drawn up to a day later; nobody may count on one
            "created_at": iso(segment.made_at),
            "updated_at": iso(segment.changed_at),
            "sample_updated_at": iso(segment.counted_at),
            "next_sample_update": iso(segment.counted_at + COUNTED_EVERY),
            "parent_list_ids": list(segment.parent_list_ids),
            "query_version": "2",
            "status": status,
            "refreshes_used": self._refreshed_today(segment, ZoneInfo("UTC")),
            "max_refreshes": MOST_REFRESHES,
            **refreshed,
        }
