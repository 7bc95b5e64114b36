"""What is held against many addresses at once, from what is kept beside the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Text, case, cast, exists, func, literal_column, select
from sqlalchemy.dialects import postgresql

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.ports import Marks
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.ahead import Ahead
from lifecycle_mail_sql.beside import marks_of
from lifecycle_mail_sql.parts import Part
from lifecycle_mail_sql.schema import Word

_MOST_AHEAD = 50_000
"""Of more addresses the answer might not fit on the way, and keep a statement open until somebody reads it."""
_HASHES = "hashes"


class MarksPart(Part):
    """`ports.ConsentLog`, the part that is asked about bare addresses."""

    def _prepare(self) -> None:
        super()._prepare()
        asked, place = self.dialect.each("keys")
        self.__marks = (
            select(place, schema.marks.c.mark)
            .select_from(asked)
            .join(schema.match_keys, schema.match_keys.c.name == cast(asked.c.value, Word))
            .join(schema.marks, schema.marks.c.key == schema.match_keys.c.no)
        )
        self.__works_ahead = not self.dialect.is_sqlite
        if self.__works_ahead:
            marked = self.__marks.subquery()
            every = select(cast(func.json_agg(func.json_build_array(*marked.c)), Text)).scalar_subquery()
            told = func.coalesce(every, literal_column("'[]'"))
            ahead = select(case((exists(schema.peppers.select()), literal_column(f"'{_HASHES}'")), else_=told))
            dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
            self.__marks_ahead = str(ahead.compile(dialect=dialect))

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        """Return what is held against each of many addresses."""
        with self.db.reading() as tx:
            used = self.names.used(tx)
            rows = self._marked(tx, keys)
            if used:
                forms = self.names.forms(keys, used)
                rows += [(forms[name], mark) for name, mark in self._marked(tx, forms)]
                twins = self.names.twins(tx, {**forms, **{key: key for key in keys if is_hashed(key)}})
                rows += [(twins[name], mark) for name, mark in self._marked(tx, twins)]
        return _added_up(rows)

    def ask_marks(self, keys: Collection[MatchKey]) -> _AskedMarks | None:
        """Ask ahead, where there is a server, and nobody is known by a hash: that takes more than one question."""
        if not self.__works_ahead or not 0 < len(keys) <= _MOST_AHEAD:
            return None
        asked, writes = sorted(set(keys)), self.db.writes
        begun = self.db.ahead(self.__marks_ahead, self.dialect.many(asked))
        if begun is None:
            return None
        return _AskedMarks(begun, partial(self._has_not_written, writes), partial(self._told_ahead, asked))

    def _has_not_written(self, writes: int) -> bool:
        """Whether nothing was written since, by this process and its open transactions."""
        return not self.db.in_transaction and self.db.writes == writes

    def _told_ahead(self, asked: Sequence[MatchKey], told: str) -> Mapping[MatchKey, Marks] | None:
        if told == _HASHES:
            self.__works_ahead = False
            return None
        return _added_up((asked[place], mark) for place, mark in json.loads(told))

    def _marked(self, tx: Connection, keys: Collection[str]) -> list[tuple[Any, str]]:
        if not keys:
            return []
        # In the order of the index, whose pages then are touched one after the other.
        asked = sorted(set(keys))
        # The driver's own rows: of a million addresses, wrapping each would take a third of the time.
        with tx.execute(self.__marks, {"keys": self.dialect.many(asked)}) as result:
            return [(asked[place], mark) for place, mark in result.cursor.fetchall()]


class _AskedMarks:
    """`ports.AskedMarks`.

    Args:
        begun: the question.
        holds: whether an answer of then would be the answer now.
        read: turns what the server told into the answer.
    """

    def __init__(
        self, begun: Ahead, holds: Callable[[], bool], read: Callable[[str], Mapping[MatchKey, Marks] | None]
    ) -> None:
        self._begun = begun
        self._holds = holds
        self._read = read

    def answer(self) -> Mapping[MatchKey, Marks] | None:
        """Wait for it."""
        if not self._holds():
            self.close()
            return None
        told = self._begun.answer()
        return None if told is None else self._read(told)

    def close(self) -> None:
        """Give it up."""
        self._begun.close()


def _added_up(rows: Iterable[tuple[Any, str]]) -> dict[MatchKey, Marks]:
    """Return what marks of addresses say together."""
    found: dict[MatchKey, Marks] = {}
    several: dict[MatchKey, list[str]] = {}
    for key, mark in rows:
        if key in found:
            several.setdefault(key, []).append(mark)
        else:
            found[key] = marks_of(mark)
    for key, more in several.items():
        found[key] = _merged(found[key], marks_of(*sorted(more)))
    return found


def _merged(one: Marks, other: Marks) -> Marks:
    return Marks(
        noes=one.noes | other.noes, suppressions=one.suppressions | other.suppressions, read=one.read or other.read
    )
