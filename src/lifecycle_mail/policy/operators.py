"""Operators: what a leaf may ask of a fact, and the closures that ask it.

One closure is made for each leaf, when the leaf is. The numeric ones are written out one by one, because a shared
comparison function would double the cost of the commonest leaves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.instants import DAY, as_utc, to_micros

FactValue = bool | int | float | str | frozenset[str] | None
"""What a fact may be; None is missing. Instants are int UTC microseconds, text is case-folded."""

Literal = bool | int | float | str | datetime
"""What a leaf may compare with."""

Test = Callable[[Mapping[str, Any]], bool]


class Op(StrEnum):
    """What a leaf asks of its fact."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    HAS = "has"
    CONTAINS = "contains"
    STARTS = "startswith"
    ENDS = "endswith"
    IN_LAST = "in_last"
    IN_NEXT = "in_next"
    OLDER = "older_than"
    MISSING = "missing"


ORDERING = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
TEXTUAL = frozenset({Op.CONTAINS, Op.STARTS, Op.ENDS})
RELATIVE = frozenset({Op.IN_LAST, Op.IN_NEXT, Op.OLDER})


class PlainFacts(dict[str, Any]):
    """A mapping of facts as a person writes it, made fit for predicates: absent is missing, text is folded."""

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> PlainFacts:
        """Fold text, turn datetimes into microseconds and NaN into missing, once."""
        return cls((name, as_fact(value)) for name, value in facts.items())

    def __missing__(self, name: str) -> None:
        return None


def as_fact(value: object) -> FactValue:
    """Turn a value of the application into a fact: the one place where case is folded."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, set | frozenset | list | tuple):
        return frozenset(str(item).casefold() for item in value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise InvalidInput(
        f"{type(value).__name__} is not a fact: use text, a number, a flag, an aware datetime or a set of texts"
    )


def as_literal(value: Any) -> Any:
    """Bring a literal into the one form in which it is kept: text folded, whole numbers as ints, sets as tuples."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 75 and 75.0 decide alike, and must read and hash alike
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, list | tuple | set | frozenset):
        try:
            unique = {(type(item).__name__, item): item for item in map(as_literal, value)}
            return tuple(unique[place] for place in sorted(unique))
        except TypeError:  # no literal, then: no hash, or no order
            raise InvalidInput("a list holds texts, numbers, flags and instants") from None
    return value


def told_apart(value: Any) -> Any:
    """What literals are compared by: True equals 1 in Python, and must not here."""
    if isinstance(value, tuple):
        return tuple(map(told_apart, value))
    return isinstance(value, bool), value


def check_literal(op: Op, value: object) -> None:
    """Refuse a literal that does not go with its operator.

    Raises:
        InvalidInput: the message says what to give instead.
    """

    def refuse(expected: str) -> InvalidInput:
        return InvalidInput(f"{value!r} does not go with {op.value!r}: give {expected}")

    if isinstance(value, float) and not math.isfinite(value):
        raise refuse("a finite number; ask for missing values with is_missing()")
    if op is Op.MISSING:
        if value is not None:
            raise refuse("nothing")
    elif op is Op.IN:
        if not isinstance(value, tuple) or not all(
            isinstance(item, bool | int | float | str | datetime) for item in value
        ):
            raise refuse("a list of values")
        for item in value:
            check_literal(Op.EQ, item)
    elif op in RELATIVE:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise refuse("a number of days, zero or more")
    elif op in TEXTUAL or op is Op.HAS:
        if not isinstance(value, str) or not value:
            raise refuse("a text")
    elif op in ORDERING:
        if isinstance(value, bool) or not isinstance(value, int | float | datetime | str):
            raise refuse("a number, a text or an instant")
    elif not isinstance(value, bool | int | float | str | datetime):
        raise refuse("a number, a text, a flag or an instant; ask for missing values with is_missing()")


def _constant(value: object) -> Any:
    return to_micros(value) if isinstance(value, datetime) else value


def compile_leaf(name: str, op: Op, value: Any) -> Test:
    """Return the closure that tests one fact."""
    c = _constant(value)
    if isinstance(value, bool):
        if op is Op.EQ:
            return lambda facts: facts[name] is c
        return lambda facts: facts[name] is (not c)
    if op is Op.MISSING:

        def missing(facts: Mapping[str, Any]) -> bool:
            v = facts[name]
            return v is None or v != v

        return missing
    if op is Op.IN:
        return _compile_in(name, value)
    if op is Op.HAS:

        def has(facts: Mapping[str, Any]) -> bool:
            v = facts[name]
            return v.__class__ is frozenset and c in v

        return has
    if op in TEXTUAL:
        match = {Op.CONTAINS: str.__contains__, Op.STARTS: str.startswith, Op.ENDS: str.endswith}[op]

        def matches(facts: Mapping[str, Any]) -> bool:
            v = facts[name]
            return v.__class__ is str and match(v, c)

        return matches
    if op in RELATIVE:
        return _compile_relative(name, op, round(value * DAY))
    if isinstance(c, str):
        return _compile_text(name, op, c)
    return _compile_number(name, op, c)


def _compile_in(name: str, value: tuple[Any, ...]) -> Test:
    flags = frozenset(item for item in value if isinstance(item, bool))
    others = frozenset(_constant(item) for item in value if not isinstance(item, bool))

    def within(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        if v.__class__ is bool:  # True equals 1 in Python, and must not here
            return v in flags
        return v is not None and v.__class__ is not frozenset and v in others

    return within


def _compile_relative(name: str, op: Op, span: int) -> Test:
    def in_last(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        now = facts["now"]
        return v.__class__ is int and now is not None and now - span < v <= now

    def in_next(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        now = facts["now"]
        return v.__class__ is int and now is not None and now <= v < now + span

    def older(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        now = facts["now"]
        return v.__class__ is int and now is not None and v <= now - span

    return {Op.IN_LAST: in_last, Op.IN_NEXT: in_next, Op.OLDER: older}[op]


def _compile_text(name: str, op: Op, c: str) -> Test:
    def compile_with(compare: Callable[[str, str], bool]) -> Test:
        def test(facts: Mapping[str, Any]) -> bool:
            v = facts[name]
            return v.__class__ is str and compare(v, c)

        return test

    return compile_with(
        {
            Op.EQ: str.__eq__,
            Op.NE: str.__ne__,
            Op.LT: str.__lt__,
            Op.LE: str.__le__,
            Op.GT: str.__gt__,
            Op.GE: str.__ge__,
        }[op]
    )


def _compile_number(name: str, op: Op, c: float) -> Test:
    def eq(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v == c

    def ne(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v == v and v != c

    def lt(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v < c

    def le(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v <= c

    def gt(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v > c

    def ge(facts: Mapping[str, Any]) -> bool:
        v = facts[name]
        return (v.__class__ is float or v.__class__ is int) and v >= c

    return {Op.EQ: eq, Op.NE: ne, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}[op]
