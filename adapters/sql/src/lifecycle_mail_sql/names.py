"""Numbers for people and addresses, and how what was erased is found again.

Whoever is looked up is looked up by the plain name first and then, once anything was ever erased, by its keyed hash
under every pepper. A pepper that made hashes and is not given, or not the same secret, stops everything: without it,
who was erased would be found by nobody, and mailed again (F63).

Somebody may have several numbers: that of the plain name, and that of each hash that an import brought. An erasure
renames the first; where its hash has a row already, to the `twin` of that hash, so that no number changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.peppers import PREFIX, Peppers, is_hashed, pepper_of
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.schema import Word
from lifecycle_mail_sql.texts import plain, stored, twin


class Dialect:
    """What SQLite and Postgres say differently.

    Attributes:
        name: `sqlite` or `postgresql`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_sqlite = name == "sqlite"

    def among(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Return the condition that a column is one of many values, given at once under this parameter."""
        if self.is_sqlite:
            each: Any = func.json_each(bindparam(parameter)).table_valued("value").c.value
        else:
            # Not an array, of which the planner knows the length: for thousands it reads a table from end to end.
            told = cast(bindparam(parameter, type_=Text), JSONB)
            each = cast(func.jsonb_array_elements_text(told).column_valued(), column.type)
        return column.in_(select(each))

    def each(self, parameter: str) -> tuple[Any, ColumnElement[int]]:
        """Return many texts, given at once under this parameter, as a table; its `value`, and the place from zero."""
        if self.is_sqlite:
            each = func.json_each(bindparam(parameter)).table_valued("key", "value")
            return each, each.c.key
        told = cast(bindparam(parameter, type_=Text), JSONB)
        each = func.jsonb_array_elements_text(told).table_valued("value", with_ordinality="place").render_derived()
        return each, each.c.place - literal_column("1")

    def many(self, values: Iterable[str] | Iterable[int]) -> str:
        """Return many values as the parameter of `among`."""
        return json.dumps(list(values))

    def insert(self, table: Table) -> Any:
        """Return an insert that knows what to do on a conflict."""
        if self.is_sqlite:
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            return sqlite_insert(table)
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)

    def insert_many(
        self, tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert rows given as tuples in the order of these columns, past SQLAlchemy: imports have millions."""
        marks = ", ".join(["?" if self.is_sqlite else "%s"] * len(columns))
        names = ", ".join(f'"{name}"' for name in columns)
        tx.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(rows))  # noqa: S608 - ours

    def replace(self, table: Table) -> Any:
        """Return an insert that replaces the row with the same primary key."""
        made = self.insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {c.name: made.excluded[c.name] for c in table.c if c.name not in keys}
        return made.on_conflict_do_update(index_elements=keys, set_=changed)

    def new(self, table: Table) -> Any:
        """Return an insert that passes over rows that are there."""
        return self.insert(table).on_conflict_do_nothing()


@define
class Numbers:
    """The numbers of some people and keys.

    Attributes:
        people, keys: from each name that was asked for, to every number it has: of its own, and of its hashes.
        erased: from each name that was erased, to the keyed hash that it is known by; a hash, to itself.
        own: of people, and of keys, the names that have a number of their own, which then is the first.
        hidden: of people, and of keys, the numbers that were erased.
        hashes: whether the registry holds any keyed hashes.
    """

    people: dict[str, tuple[int, ...]] = field(factory=dict)
    keys: dict[str, tuple[int, ...]] = field(factory=dict)
    erased: dict[str, str] = field(factory=dict)
    own: tuple[set[str], set[str]] = field(factory=lambda: (set(), set()))
    hidden: tuple[set[int], set[int]] = field(factory=lambda: (set(), set()))
    hashes: bool = False


class Names:
    """Finds and makes numbers. Numbers are made by writers only, who take turns.

    Args:
        dialect: of the database.
        given: the peppers.
    """

    def __init__(self, dialect: Dialect, given: Peppers) -> None:
        self.dialect = dialect
        self.peppers = given
        people, keys, peppers = schema.people, schema.match_keys, schema.peppers
        self._look = union_all(
            select(literal("p", Word).label("what"), people.c.no, people.c.name, people.c.erased).where(
                dialect.among(people.c.name, "people")
            ),
            select(literal("k", Word), keys.c.no, keys.c.name, keys.c.erased).where(dialect.among(keys.c.name, "keys")),
            select(literal(":", Word), literal(0), peppers.c.id + ":" + peppers.c.proof, literal(0)),
        )
        self.ends = select(
            select(func.coalesce(func.max(people.c.no), 0)).scalar_subquery(),
            select(func.coalesce(func.max(keys.c.no), 0)).scalar_subquery(),
        )
        first, last = twin(PREFIX)[:-1], twin(PREFIX)[:-2] + ";"
        self._any_twin = select(keys.c.no).where(keys.c.name > first, keys.c.name < last).limit(1)
        self._used = select(peppers.c.id, peppers.c.proof)

    # -- finding

    def find(self, tx: Connection, people: Collection[str] = (), keys: Collection[str] = ()) -> Numbers:
        """Find the numbers of contact ids and match keys.

        Raises:
            Misconfigured: a pepper is missing, or is another secret than it was (F63).
        """
        found, used = self._find(tx, people, keys)
        if not used:
            return found
        found.hashes = True
        rank = {pepper: place for place, pepper in enumerate(self.peppers.secrets)}
        forms = (self.forms(people, used), self.forms(keys, used))
        more, _ = self._find(tx, *forms)
        for there, mine, here in ((more.people, forms[0], found.people), (more.keys, forms[1], found.keys)):
            # What was erased is written under its own number, and not under one that an import of hashes made since.
            for form in sorted(there, key=lambda form: (form not in more.erased, -rank[pepper_of(form)])):
                here[mine[form]] = (*here.get(mine[form], ()), *there[form])
                if form in more.erased:
                    found.erased.setdefault(mine[form], form)
        found.hidden[0].update(more.hidden[0])
        found.hidden[1].update(more.hidden[1])
        if found.erased or more.erased:
            self._find_twins(tx, found, more.erased, forms)
        return found

    def _find_twins(
        self, tx: Connection, found: Numbers, erased: Collection[str], forms: tuple[dict[str, str], dict[str, str]]
    ) -> None:
        """Add the numbers that share an erased hash with another."""
        own = {name for name in found.erased if is_hashed(name)}
        many = self.dialect.many
        asked = {twin(form): form for form in own.union(erased)}
        for what, number, name, _ in tx.execute(self._look, {"people": many(asked), "keys": many(asked)}).all():
            if what == ":":
                continue
            here, mine = (found.keys, forms[1]) if what == "k" else (found.people, forms[0])
            form = asked[name]
            whose = mine.get(form, form)
            if whose in here:
                here[whose] = (*here[whose], number)
                found.hidden[what == "k"].add(number)

    def _find(self, tx: Connection, people: Collection[str], keys: Collection[str]) -> tuple[Numbers, list[str]]:
        many = self.dialect.many
        found = Numbers()
        used = {}
        rows = tx.execute(self._look, {"people": many(map(stored, people)), "keys": many(map(stored, keys))}).all()
        for what, number, name, erased in rows:
            if what == ":":
                pepper, _, proof = name.rpartition(":")
                used[pepper] = proof
                continue
            (found.keys if what == "k" else found.people)[plain(name)] = (number,)
            found.own[what == "k"].add(plain(name))
            if erased:
                found.erased[plain(name)] = plain(name)
                found.hidden[what == "k"].add(number)
        self._require(used)
        return found, list(used)

    def _require(self, used: Mapping[str, str]) -> None:
        self.peppers.require(map(plain, used))
        wrong = [pepper for pepper, proof in used.items() if not self.peppers.proves(pepper, plain(proof))]
        if wrong:
            raise Misconfigured(
                f"pepper {', '.join(sorted(wrong))} is another secret than the registry was made with: give the one "
                f"that it had; without it nothing is read and nothing is sent (F63)"
            )

    def used(self, tx: Connection) -> list[str]:
        """Return the peppers that made hashes here.

        Raises:
            Misconfigured: one is missing, or is another secret than it was (F63).
        """
        found = {row[0]: row[1] for row in tx.execute(self._used)}
        self._require(found)
        return list(found)

    def forms(self, names: Collection[str], used: Collection[str]) -> dict[str, str]:
        """Return the keyed hashes of names under these peppers, each with the name it is of."""
        return {
            self.peppers.hashed(name, pepper): name for name in names if not is_hashed(name) for pepper in used
        }  # fmt: skip

    def twins(self, tx: Connection, forms: Mapping[str, str]) -> dict[str, str]:
        """Return the other way in which keyed hashes of keys may be stored, as `forms`; nothing where none is."""
        if tx.execute(self._any_twin).first() is None:
            return {}
        return {twin(form): name for form, name in forms.items()}

    def use(self, tx: Connection, pepper: str | None = None) -> str:
        """Note that a pepper, or the newest, makes hashes, and return its id.

        Raises:
            Misconfigured: it is not here, or is another secret than it was.
        """
        found = pepper_of(self.peppers.hashed("", pepper))
        self.used(tx)
        tx.execute(self.dialect.new(schema.peppers), {"id": found, "proof": self.peppers.proof(found)})
        return found

    # -- making

    def number(self, tx: Connection, people: Collection[str] = (), keys: Collection[str] = ()) -> Numbers:
        """Find the numbers of contact ids and match keys, and make those that are missing.

        The first number of each is the one to write under. A name that is known by a hash alone gets a number of its
        own, unless it was erased: that is never made readable again.
        """
        for pepper in {pepper_of(one) for names in (people, keys) for one in names if is_hashed(one)}:
            self.use(tx, pepper)
        found = self.find(tx, people, keys)
        last: Any = None
        asked = ((schema.people, people, found.people), (schema.match_keys, keys, found.keys))
        for place, (table, names, known) in enumerate(asked):
            own = found.own[place]
            missing = [name for name in dict.fromkeys(names) if name not in own and name not in found.erased]
            if not missing:
                continue
            last = last or tx.execute(self.ends).one()
            # Sorted: of names in no order each would touch another page of the index.
            numbered = list(enumerate(sorted(missing), last[place] + 1))
            self.dialect.insert_many(
                tx, table, ("no", "name", "erased"), [(no, stored(name), 0) for no, name in numbered]
            )
            for no, name in numbered:
                known[name] = (no, *known[name]) if name in known else (no,)
            own.update(missing)
        return found
