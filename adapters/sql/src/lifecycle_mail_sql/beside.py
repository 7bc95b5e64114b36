"""What is kept beside the log, and made from it alone.

Each table is a select over the log. The same select fills a table anew (`rebuild`), adds what a few new records bring
(`grow`), and is compared with what stands there (`differences`): so state is a merge that only grows, and there is one
definition of it.

    moments         how far the log had come at each instant that anything was recorded
    links           who was seen at which address
    complicated     people of whom only a reading of the log tells what stands: who came back, was lifted, paused or
                    moved, has two addresses, or was named without one
    marks           what is held against an address: scopes of noes, kinds of suppressions; `read` where somebody
                    complicated is at it
    subscriptions   who ever said yes to a list, or asked to join it
"""

from __future__ import annotations

from collections.abc import Set
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.ports import Marks
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.entries import AGAINST
from lifecycle_mail_sql.names import Dialect
from lifecycle_mail_sql.schema import Word
from lifecycle_mail_sql.texts import reads

READ = "read"
"""The mark of an address of which only a reading of the log tells."""

_TABLES = (schema.moments, schema.links, schema.complicated, schema.marks, schema.subscriptions)
_PAUSE = SuppressionKind.PAUSE.value
_KINDS = frozenset(kind.value for kind in SuppressionKind)


@cache
@reads("a mark")
def marks_of(*held: str) -> Marks:
    """Turn the marks of an address into what they say; of millions of addresses nearly all have the same few."""
    return Marks(
        noes=frozenset(Scope.parse(mark) for mark in held if mark not in _KINDS and mark != READ),
        suppressions=frozenset(SuppressionKind(mark) for mark in held if mark in _KINDS),
        read=READ in held,
    )


class _Ready:
    """A statement as the driver takes it: five run with each no, and SQLAlchemy's way costs more than theirs."""

    def __init__(self, statement: Any, dialect: Any) -> None:
        made = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._sql = str(made)
        self._given: dict[str, Any] = dict(made.params)
        self._order: list[str] | None = made.positiontup if made.positional else None

    def run(self, tx: Connection, after: int) -> None:
        """Run it for what is new after a position of the log."""
        given = {**self._given, "after": after}
        tx.exec_driver_sql(self._sql, given if self._order is None else tuple(given[name] for name in self._order))


class Beside:
    """Keeps the tables beside the log.

    Args:
        dialect: of the database.
    """

    def __init__(self, dialect: Dialect) -> None:
        log = schema.log.c
        self._dialect = dialect
        self._new = log.seq > bindparam("after", 0)  # a value, because `_Ready` compiles it ahead
        spoken_of = select(log.person).where(self._new, log.person != 0)
        self._makers: tuple[tuple[Table, Select[tuple[int, ...]] | CompoundSelect[tuple[int, ...]]], ...] = (
            (schema.moments, self._moments()),
            (schema.links, self._links()),
            (schema.complicated, union_all(self._complicated(), self._at_two_addresses(spoken_of))),
            (schema.marks, self._against()),
            (schema.marks, self._at(spoken_of)),
            (schema.subscriptions, self._subscribed()),
        )
        self._ready: list[_Ready] = []

    def _growing(self, table: Table, made: Any) -> Any:
        statement = self._dialect.insert(table).from_select([c.name for c in table.c], made)
        if table is schema.moments:
            return statement.on_conflict_do_update(index_elements=["recorded_at"], set_={"seq": statement.excluded.seq})
        return statement.on_conflict_do_nothing()

    # -- what each holds

    def _moments(self) -> Select[tuple[int, ...]]:
        log = schema.log.c
        return select(log.recorded_at, func.max(log.seq)).where(self._new).group_by(log.recorded_at)

    # `!= 0`, and not `> 0` as the indexes of the log have it: the new records are read by their numbers.

    def _links(self) -> CompoundSelect[tuple[int, ...]]:
        log = schema.log.c
        return union_all(
            select(log.person, log.key).where(self._new, log.person != 0, log.key != 0),
            select(log.person, log.old).where(self._new, log.person != 0, log.old != 0),
        )

    def _complicated(self) -> Select[tuple[int, ...]]:
        log = schema.log.c
        reasons: ColumnElement[bool] = or_(
            log.kind == "lift",
            and_(log.kind == "consent", log.body.like(literal_column("'%\"cites\"%'"))),
            and_(log.kind == "suppression", log.about == _PAUSE),
            log.old != 0,
            and_(log.kind.in_(AGAINST), log.key == 0),
        )
        return select(log.person).where(self._new, log.person != 0, reasons)

    def _at_two_addresses(self, spoken_of: Select[tuple[int]]) -> Select[tuple[int, ...]]:
        links = schema.links.c
        return (
            select(links.person).where(links.person.in_(spoken_of)).group_by(links.person).having(func.count() > 1)
        )  # fmt: skip

    def _against(self) -> CompoundSelect[tuple[int, ...]]:
        log = schema.log.c
        paused = and_(log.kind == "suppression", log.about == _PAUSE)
        return union_all(
            select(log.key, log.about).where(self._new, log.key != 0, log.kind.in_(AGAINST), log.about != _PAUSE),
            select(log.key, literal(READ, Word)).where(self._new, log.key != 0, or_(log.kind == "lift", paused)),
        )

    def _at(self, spoken_of: Select[tuple[int]]) -> Select[tuple[int, ...]]:
        links = schema.links.c
        return (
            select(links.key, literal(READ, Word))
            .join(schema.complicated, schema.complicated.c.person == links.person)
            .where(links.person.in_(spoken_of))
        )

    def _subscribed(self) -> Select[tuple[int, ...]]:
        log = schema.log.c
        return select(log.about, log.person).where(self._new, log.person != 0, log.kind.in_(("consent", "request")))

    # -- keeping them

    def grow(self, tx: Connection, *, after: int, kinds: Set[str], people: bool) -> None:
        """Add what the records after a position bring.

        Args:
            tx: the transaction that wrote them.
            after: the position before them.
            kinds: what kinds of entries they are.
            people: whether any of them names a contact; a suppression list names addresses alone.
        """
        for (table, _), statement in zip(self._makers, self._statements(tx), strict=True):
            if table is schema.subscriptions and kinds.isdisjoint({"consent", "request"}):
                continue
            if people or table in (schema.moments, schema.marks):
                statement.run(tx, after)

    def _statements(self, tx: Connection) -> list[_Ready]:
        if not self._ready:
            self._ready = [_Ready(self._growing(table, made), tx.dialect) for table, made in self._makers]
        return self._ready

    def rebuild(self, tx: Connection) -> None:
        """Make them anew from the whole log."""
        for table in _TABLES:
            tx.execute(delete(table))
        for statement in self._statements(tx):
            statement.run(tx, 0)

    def differences(self, tx: Connection) -> dict[str, int]:
        """Count, for each table, the rows that the log does not account for, and those that are not there."""
        found = {}
        for table in _TABLES:
            due = union_all(*(select(made.subquery()) for other, made in self._makers if other is table)).subquery()
            surplus, missing = select(table).except_(select(due)), select(due).except_(select(table))
            counts = [select(func.count()).select_from(one.subquery()) for one in (surplus, missing)]
            found[table.name] = sum(tx.execute(count, {"after": 0}).scalar_one() for count in counts)
        return found
