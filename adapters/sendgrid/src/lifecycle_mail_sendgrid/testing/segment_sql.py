"""The SQL of segments, done by SQLite: the same subset, the same answer to NULL, the same case.

What SQLite does otherwise is put right: an array is written `['a','b']`, LIKE minds the case, and instants compare as
instants. What is not in the documented subset is refused: other columns than `contact_id` and `updated_at`, other
tables, other statements, other functions.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from lifecycle_mail_sendgrid.testing.account import instant, iso
from lifecycle_mail_sendgrid.testing.contacts import IDENTIFIERS, PLAIN, Contact
from lifecycle_mail_sendgrid.testing.fields import CustomField

EVENT_COLUMNS: Final = ("contact_id", "event_source", "event_type", "event_timestamp", "singlesend_id")
_PIECE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[(?:[^'\]]|'(?:[^']|'')*')*\]|--|/\*|;|[^'\"\[;]")
_ITEM: Final = re.compile(r"'((?:[^']|'')*)'")
_ARRAY: Final = re.compile(r"\[\s*(?:'(?:[^']|'')*'\s*(?:,\s*'(?:[^']|'')*'\s*)*)?\]")
_HEAD: Final = re.compile(
    r"\s*SELECT\s+(?:DISTINCT\s+)?(?:(\w+)\.)?contact_id\s*,\s*(?:\w+\.)?updated_at"
    r"(?:\s*,\s*MAX\s*\([^)]*\)(?:\s+AS)?\s+\w+)?\s+FROM\s",
    re.IGNORECASE,
)
_FUNCTIONS: Final = frozenset({"array_contains", "lower", "upper", "length", "concat", "max", "now", "like"})
_ALLOWED: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})


class BadSql(Exception):
    """A query that SendGrid would find invalid."""


@frozen
class Tables:
    """What segments are computed from.

    Attributes:
        contacts: whom the account holds.
        fields: its custom fields; each is a column of its name.
        events: rows of `EVENT_COLUMNS`.
        now: the clock.
    """

    contacts: Sequence[Contact]
    fields: Sequence[CustomField]
    now: datetime
    events: Iterable[Sequence[Any]] = field(factory=list)


def selected(query: str, tables: Tables) -> set[str]:
    """Return the ids of the contacts that a query selects.

    Raises:
        BadSql: it is not in the subset.
    """
    if _HEAD.match(query) is None:
        raise BadSql("the query must select contact_id and updated_at, and nothing else")
    written = _for_sqlite(query)
    connection = sqlite3.connect(":memory:")
    try:
        _fill(connection, tables)
        connection.set_authorizer(_authorised)
        try:
            return {row[0] for row in connection.execute(written)}
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise BadSql(str(error)) from None
    finally:
        connection.close()


def _for_sqlite(query: str) -> str:
    """Return a query with its arrays as JSON; strings stay as they are."""

    def piece(match: re.Match[str]) -> str:
        text = match[0]
        if text in ("--", "/*", ";"):
            raise BadSql(f"unexpected {text!r}")
        return _array(text) if text[0] == "[" else text

    return _PIECE.sub(piece, query)


def _array(text: str) -> str:
    if _ARRAY.fullmatch(text) is None:
        raise BadSql(f"an array holds strings: {text}")
    values = [item.replace("''", "'") for item in _ITEM.findall(text)]
    return "'" + json.dumps(values).replace("'", "''") + "'"


def _authorised(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let a query read the two tables and call the known functions, and nothing else."""
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if (second or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and first not in ("contact_data", "event_data"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _fill(connection: sqlite3.Connection, tables: Tables) -> None:
    connection.create_collation("instant", _compare_instants)
    connection.create_function("array_contains", 2, _array_contains, deterministic=True)
    connection.create_function("concat", -1, _concat, deterministic=True)
    connection.create_function("now", 0, lambda: iso(tables.now))
    connection.execute("PRAGMA case_sensitive_like = ON")
    texts = [*PLAIN, *IDENTIFIERS]
    columns = ["contact_id TEXT", "list_ids TEXT", "alternate_emails TEXT"]
    columns += [f"{name} TEXT" for name in texts]
    columns += [f"{name} TEXT COLLATE instant" for name in ("created_at", "updated_at")]
    columns += [f'"{one.name}" {_TYPES[one.kind]}' for one in tables.fields]
    connection.execute(f"CREATE TABLE contact_data ({', '.join(columns)})")
    connection.executemany(
        f"INSERT INTO contact_data VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - question marks
        (_row(one, tables.fields) for one in tables.contacts),
    )
    connection.execute(
        "CREATE TABLE event_data (contact_id TEXT, event_source TEXT, event_type TEXT, "
        "event_timestamp TEXT COLLATE instant, singlesend_id TEXT)"
    )
    connection.executemany("INSERT INTO event_data VALUES (?, ?, ?, ?, ?)", tables.events)


_TYPES: Final[Mapping[str, str]] = {"Text": "TEXT", "Number": "NUMERIC", "Date": "TEXT COLLATE instant"}


def _row(one: Contact, fields: Sequence[CustomField]) -> list[Any]:
    """Return a contact as a row: what is not set, or empty, is NULL."""
    return [
        one.id,
        json.dumps(sorted(one.list_ids)),
        json.dumps(one.alternate_emails),
        *(one.plain.get(name) or None for name in PLAIN),
        *(one.identifiers.get(kind) for kind in IDENTIFIERS),
        iso(one.created_at),
        iso(one.updated_at),
        *(one.custom.get(field.id) for field in fields),
    ]


def _compare_instants(left: str, right: str) -> int:
    first, second = instant(left), instant(right)
    if first is None or second is None:
        return (left > right) - (left < right)
    return (first > second) - (first < second)


def _array_contains(array: str | None, wanted: str | None) -> bool | None:
    """Tell whether an array holds a value, or any of several."""
    if array is None or wanted is None:
        return None
    values = json.loads(wanted) if wanted.startswith("[") else [wanted]
    return not set(values).isdisjoint(json.loads(array))


def _concat(*parts: Any) -> str | None:
    return None if None in parts else "".join(map(str, parts))
