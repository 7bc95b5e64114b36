"""Predicates: small frozen expressions over facts (L6).

A leaf compares one fact with a literal; leaves compose with `&`, `|` and `~`. Logic is two-valued, here and in every
other evaluator: a comparison with a missing value (None or NaN) or with a value of another type is false,
`is_missing` asks for missing ones, and `~` negates the two-valued answer. Text is literal and case-folded on both
sides, once, where it enters; there are no regular expressions. Instants are UTC microseconds inside.

Each predicate compiles itself to a closure when it is made, so that testing one contact costs little more than the
same test written by hand.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

from attrs import field, frozen

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


class IsPredicate(Protocol):
    """What can be taken as a predicate: a reference to a flag."""

    def as_predicate(self) -> Predicate:
        """Return the predicate that the flag is true."""
        ...


class Predicate:
    """What all predicates share: composition, testing, and the facts they read."""

    __slots__ = ()

    test: Test

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the predicate is true of these facts (a plain dict will do)."""
        return self.test(PlainFacts.of(facts) if type(facts) is dict else facts)

    @property
    def parts(self) -> tuple[Predicate, ...]:
        """The predicates directly below this one."""
        return ()

    def leaves(self) -> Iterator[Leaf]:
        """Yield every leaf, left to right."""
        for part in self.parts:
            yield from part.leaves()

    def facts(self) -> frozenset[str]:
        """Return the names of all facts read."""
        names = set()
        for leaf in self.leaves():
            names.add(leaf.fact)
            if leaf.op in RELATIVE:
                names.add("now")
        return frozenset(names)

    def __and__(self, other: Predicate | IsPredicate) -> AllOf:
        return AllOf((self, as_predicate(other)))

    def __rand__(self, other: Predicate | IsPredicate) -> AllOf:
        return AllOf((as_predicate(other), self))

    def __or__(self, other: Predicate | IsPredicate) -> AnyOf:
        return AnyOf((self, as_predicate(other)))

    def __ror__(self, other: Predicate | IsPredicate) -> AnyOf:
        return AnyOf((as_predicate(other), self))

    def __invert__(self) -> Predicate:
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError(
            "a predicate has no truth of its own: combine with & | ~ (not and, or, not), test with .holds(facts)"
        )

    def __repr__(self) -> str:
        from lifecycle_mail.policy.text import as_python

        return as_python(self)

    def __str__(self) -> str:
        from lifecycle_mail.policy.text import as_text

        return as_text(self)


def as_predicate(value: object) -> Predicate:
    """Take a predicate, or a reference to a flag such as `where.sunset`, as a predicate."""
    if isinstance(value, Predicate):
        return value
    convert = getattr(value, "as_predicate", None)
    if convert is None:
        raise InvalidInput(f"{value!r} is not a predicate: write a comparison such as where.days_inactive >= 75")
    made: Predicate = convert()
    return made


def _as_literal(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 75 and 75.0 decide alike, and must read and hash alike
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, list | tuple | set | frozenset):
        try:
            unique = {(type(item).__name__, item): item for item in map(_as_literal, value)}
            return tuple(unique[place] for place in sorted(unique))
        except TypeError:  # no literal, then: no hash, or no order
            raise InvalidInput("a list holds texts, numbers, flags and instants") from None
    return value


def _told_apart(value: Any) -> Any:
    """What literals are compared by: True equals 1 in Python, and must not here."""
    if isinstance(value, tuple):
        return tuple(map(_told_apart, value))
    return isinstance(value, bool), value


_FACT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:.+)?", re.DOTALL)
_WORDS = frozenset({"everyone", "nobody"})


def _check_fact(_instance: object, _attribute: object, name: Any) -> None:
    # F57: a name is written into text and read back, where it must not turn into anything but a name.
    found = _FACT.fullmatch(name) if isinstance(name, str) else None
    if found is None or keyword.iskeyword(found[1]) or found[1] in _WORDS or found[0].startswith("rank:rank:"):
        raise InvalidInput(f"{str(name)[:80]!r} is not the name of a fact: write days_inactive or field:plan")


@frozen(repr=False)
class Leaf(Predicate):
    """One fact against one literal.

    Attributes:
        fact: the fact's name, for example `days_inactive` or `field:2020_spend`.
        op: what is asked.
        value: the literal; a tuple for `in`, a number of days for the relative ones, None for `missing`.
    """

    fact: str = field(validator=_check_fact)
    op: Op = field(converter=Op)
    value: Any = field(default=None, converter=_as_literal, eq=_told_apart)
    test: Test = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _check_literal(self.op, self.value)
        object.__setattr__(self, "test", _compile_leaf(self.fact, self.op, self.value))

    def leaves(self) -> Iterator[Leaf]:
        """Yield itself."""
        yield self


def _check_literal(op: Op, value: object) -> None:
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
            _check_literal(Op.EQ, item)
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


def _compile_leaf(name: str, op: Op, value: Any) -> Test:
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
    # Written out one by one: a shared comparison function would double the cost of the commonest leaves.
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


def _flatten(parts: Iterable[object], kind: type[Predicate]) -> tuple[Predicate, ...]:
    flat: list[Predicate] = []
    for part in map(as_predicate, parts):
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)


def _flat_all(parts: Iterable[object]) -> tuple[Predicate, ...]:
    return _flatten(parts, AllOf)


def _flat_any(parts: Iterable[object]) -> tuple[Predicate, ...]:
    return _flatten(parts, AnyOf)


@frozen(repr=False)
class AllOf(Predicate):
    """True where every part is; of no parts, true of everyone."""

    parts: tuple[Predicate, ...] = field(default=(), converter=_flat_all)
    test: Test = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        tests = tuple(part.test for part in self.parts)

        def every(facts: Mapping[str, Any]) -> bool:
            for test in tests:  # noqa: SIM110 - all() over a generator costs twice as much
                if not test(facts):
                    return False
            return True

        object.__setattr__(self, "test", every)


@frozen(repr=False)
class AnyOf(Predicate):
    """True where some part is; of no parts, true of nobody."""

    parts: tuple[Predicate, ...] = field(default=(), converter=_flat_any)
    test: Test = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        tests = tuple(part.test for part in self.parts)

        def some(facts: Mapping[str, Any]) -> bool:
            for test in tests:  # noqa: SIM110 - any() over a generator costs twice as much
                if test(facts):
                    return True
            return False

        object.__setattr__(self, "test", some)


@frozen(repr=False)
class Not(Predicate):
    """True where its part is not."""

    part: Predicate = field(converter=as_predicate)
    test: Test = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        inner = self.part.test
        object.__setattr__(self, "test", lambda facts: not inner(facts))

    @property
    def parts(self) -> tuple[Predicate, ...]:
        """The negated predicate."""
        return (self.part,)

    def __invert__(self) -> Predicate:
        return self.part


EVERYONE = AllOf()
"""True of every contact."""
NOBODY = AnyOf()
"""True of no contact."""


@frozen
class Trace:
    """How a predicate came out: a tree that mirrors it.

    Attributes:
        predicate: what was tested.
        holds: how it came out.
        value: for a leaf, the fact's value.
        parts: for the others, the traces below; none is left out by short-circuiting.
    """

    predicate: Predicate
    holds: bool
    value: FactValue = None
    parts: tuple[Trace, ...] = ()

    @classmethod
    def of(cls, predicate: Predicate, facts: Mapping[str, Any]) -> Self:
        """Test every part of a predicate and keep each answer."""
        if isinstance(predicate, Leaf):
            return cls(predicate, predicate.test(facts), facts[predicate.fact])
        if isinstance(predicate, Not):
            below = cls.of(predicate.part, facts)
            return cls(predicate, not below.holds, None, (below,))
        parts = tuple([cls.of(part, facts) for part in predicate.parts])
        outcomes = [part.holds for part in parts]
        return cls(predicate, all(outcomes) if isinstance(predicate, AllOf) else any(outcomes), None, parts)

    def leaves(self) -> Iterator[Trace]:
        """Yield the traces of the leaves, left to right."""
        if isinstance(self.predicate, Leaf):
            yield self
        for part in self.parts:
            yield from part.leaves()
