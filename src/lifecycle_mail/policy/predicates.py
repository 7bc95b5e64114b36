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
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, Self

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.policy.operators import (
    RELATIVE,
    FactValue,
    Op,
    PlainFacts,
    Test,
    as_literal,
    check_literal,
    compile_leaf,
    told_apart,
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
    value: Any = field(default=None, converter=as_literal, eq=told_apart)
    test: Test = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check_literal(self.op, self.value)
        object.__setattr__(self, "test", compile_leaf(self.fact, self.op, self.value))

    def leaves(self) -> Iterator[Leaf]:
        """Yield itself."""
        yield self


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
