"""The tables.

*People and addresses are numbers everywhere but in two tables*, `people` and `match_keys`. So the log holds
pseudonymous numbers only, a name is written once, and an erasure replaces one row by a keyed hash (O5).

    people, match_keys      a number for each contact id and each match key, plain or `hmac:...`
    peppers                 which peppers made hashes, and a proof by which a wrong secret is told
    log                     the consent log: one row an entry, never changed but by an erasure
    evidence                words, evidence and event ids of entries: what an erasure takes away
    moments, links,         kept beside the log and made from it alone: how far the log had come when, who was seen at
    complicated, marks,     which address, for whom only a reading of the log will do, what is held against an address,
    subscriptions           who joined what
    contacts, lists         the people and lists of the application
    events, quarantine,     engagement: the door, what came from the future, counts by day, folded profiles
    daily, profiles
    answers                 what people answered to the question why; of who was erased, as nobody's
    aside                   suppressions that wait for a person's decision
    leases, claims          who works on what; who was sent what
    tasks, attempts         the outbox and its journal
    bookmarks, bindings     how far work has come; the ids of others
    chores                  what is still to be done for the database itself: to scrub it after erasures

Instants are UTC microseconds. A `crc` is the checksum of its row, verified whenever the row is read (F11).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    literal_column,
)

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"},
)

REVISION = "0003"
"""The schema that this version needs: the newest of `migrations/versions`."""

# Compared and ordered by code point on every database, so that no two texts are ever taken for one (F59).
Word = Text().with_variant(Text(collation="C"), "postgresql")
# In SQLite only a plain INTEGER becomes the number of the row itself.
Number = BigInteger().with_variant(Integer, "sqlite")


def _word(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Word, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Number, nullable=nullable, autoincrement=False)


def _named(name: str, *columns: Column[str] | Column[int]) -> Table:
    """Return a table whose first column is a number that is its primary key."""
    return Table(name, metadata, Column("no", Number, primary_key=True, autoincrement=False), *columns)


def _keyed(name: str, key: tuple[str, ...], *columns: Column[str] | Column[int]) -> Table:
    """Return a table that is stored in the order of its key, where the database can."""
    return Table(name, metadata, *columns, PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


NONE: ColumnElement[int] = literal_column("0")
"""The number of nobody; in words, so that the planner knows that an index on the others will do."""

people = _named("people", _word("name"), _number("erased"))
Index(None, people.c.name, unique=True)
match_keys = _named("match_keys", _word("name"), _number("erased"))
Index(None, match_keys.c.name, unique=True)
peppers = _keyed("peppers", ("id",), _word("id"), _word("proof"))

log = Table(
    "log",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    _number("recorded_at"),
    _word("kind"),
    _word("entry_id"),
    _number("person"),
    _number("key"),
    _number("old"),
    _word("about"),
    _number("happened_at"),
    _word("actor"),
    _word("through"),
    _word("source"),
    _word("campaign", nullable=True),
    _word("segment", nullable=True),
    _word("reason", nullable=True),
    _word("body", nullable=True),
    _number("crc"),
)
Index(None, log.c.entry_id, log.c.person, log.c.key, unique=True)
Index(None, log.c.person, log.c.seq, sqlite_where=log.c.person > NONE, postgresql_where=log.c.person > NONE)
Index(None, log.c.key, log.c.seq, sqlite_where=log.c.key > NONE, postgresql_where=log.c.key > NONE)

evidence = Table(
    "evidence",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    _word("event_id", nullable=True),
    _word("text"),
    _word("evidence"),
    _number("crc"),
)

Index(None, log.c.old, sqlite_where=log.c.old > NONE, postgresql_where=log.c.old > NONE)
moments = _keyed("moments", ("recorded_at",), _number("recorded_at"), _number("seq"))
links = _keyed("links", ("person", "key"), _number("person"), _number("key"))
Index(None, links.c.key)
complicated = _keyed("complicated", ("person",), _number("person"))
marks = _keyed("marks", ("key", "mark"), _number("key"), _word("mark"))
subscriptions = _keyed("subscriptions", ("list", "person"), _word("list"), _number("person"))

contacts = Table(
    "contacts",
    metadata,
    Column("person", Number, primary_key=True, autoincrement=False),
    _word("identity", nullable=True),
    _word("written", nullable=True),
    _word("local", nullable=True),
    _word("domain", nullable=True),
    _word("body"),
    _number("crc"),
)
Index(None, contacts.c.identity)
lists = _keyed("lists", ("key",), _word("key"), _word("body"))

events = Table(
    "events",
    metadata,
    _word("id"),
    _number("person"),
    _number("at"),
    _word("kind"),
    _word("mail"),
    _word("campaign"),
    _word("link"),
    _word("evidence"),
    _word("purpose"),
    _word("source"),
    _word("provider"),
    PrimaryKeyConstraint("id"),
)
Index(None, events.c.person, events.c.mail)
quarantine = _keyed("quarantine", ("id",), _word("id"), _number("person"), _word("body"), _number("set_aside_at"))
daily = _keyed(
    "daily",
    ("day", "campaign", "provider", "mark"),
    _word("day"), _word("campaign"), _word("provider"), _word("mark"), _number("count"),
)  # fmt: skip
profiles = Table(
    "profiles",
    metadata,
    Column("person", Number, primary_key=True, autoincrement=False),
    _word("body"),
    _number("crc"),
)

answers = Table(
    "answers",
    metadata,
    _word("id"),
    _number("person"),
    _word("question"),
    _word("about"),
    _word("campaign", nullable=True),
    _number("asked_at"),
    _number("at"),
    _word("reasons"),
    _word("text"),
    _word("tool"),
    _word("improve"),
    _number("crc"),
    PrimaryKeyConstraint("id"),
)
Index(None, answers.c.at, answers.c.id)
Index(None, answers.c.question, answers.c.at, answers.c.id)
Index(None, answers.c.person, sqlite_where=answers.c.person > NONE, postgresql_where=answers.c.person > NONE)

aside = _keyed(
    "aside",
    ("id",),
    _word("id"), _number("person"), _number("key"), _word("entry"), _word("why"), _number("at"),
)  # fmt: skip

leases = _keyed("leases", ("work",), _word("work"), _word("worker"), _number("at"), _number("until"))
claims = Table(
    "claims",
    metadata,
    _word("campaign"),
    _number("person"),
    _word("state"),
    _word("leaves_list", nullable=True),
    _number("inbox"),
    _number("position"),
    _number("at"),
    _number("opted_out_at", nullable=True),
    _number("crc"),
    PrimaryKeyConstraint("campaign", "person"),
)
Index(None, claims.c.person)
# One mail of a marketing campaign for an inbox (F19), whatever a worker believes.
_BINDING = (claims.c.leaves_list.is_not(None)) & (claims.c.state != "returned")
Index(None, claims.c.campaign, claims.c.inbox, unique=True, sqlite_where=_BINDING, postgresql_where=_BINDING)

tasks = _named(
    "tasks",
    _word("id"),
    _word("target"),
    _word("kind"),
    _number("urgency"),
    _number("person"),
    _word("entry", nullable=True),
    _word("detail"),
    _number("made_at"),
    _word("state"),
    _number("tries"),
    _number("due_at"),
    _word("worker", nullable=True),
    _number("taken_at", nullable=True),
    _number("taken_until", nullable=True),
)
Index(None, tasks.c.id, unique=True)
Index(None, tasks.c.target, tasks.c.state, tasks.c.urgency, tasks.c.no)
Index(None, tasks.c.urgency, tasks.c.no)
Index(None, tasks.c.person, sqlite_where=tasks.c.person > NONE, postgresql_where=tasks.c.person > NONE)
attempts = _named("attempts", _number("task"), _number("at"), _word("state"), _word("note"))
Index(None, attempts.c.task)

bookmarks = _keyed("bookmarks", ("name",), _word("name"), _number("place"), _number("at"), _word("note"))
chores = _keyed("chores", ("name",), _word("name"))
bindings = _keyed(
    "bindings", ("target", "kind", "ours"), _word("target"), _word("kind"), _word("ours"), _word("theirs")
)
