"""`where`: facts as Python names, so that predicates read like sentences.

    where.days_inactive >= 75
    where.field("2020_spend") > 100
    where.lists.has("offers") & ~where.sunset
    where.opened_mails(10) == 0
    where.top(100, by=where.field("2020_spend"))

A name that the catalogue does not know raises `UnknownName` with near misses, at once and not on the first contact.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES, fact_named
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import AllOf, AnyOf, IsPredicate, Leaf, Not, Predicate
from lifecycle_mail.policy.text import fact_as_python

_Value = bool | int | float | str | datetime


class FactRef:
    """A fact by name: compare it to get a predicate."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, argument: int | str) -> FactRef:
        """Give the argument of a fact that takes one: `where.opened_mails(10)`."""
        return FactRef(fact_named(f"{self._name}:{argument}").name)

    def __eq__(self, value: _Value) -> Leaf:  # type: ignore[override]
        return Leaf(self._name, Op.EQ, value)

    def __ne__(self, value: _Value) -> Leaf:  # type: ignore[override]
        return Leaf(self._name, Op.NE, value)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, value: float | str | datetime) -> Leaf:
        return Leaf(self._name, Op.LT, value)

    def __le__(self, value: float | str | datetime) -> Leaf:
        return Leaf(self._name, Op.LE, value)

    def __gt__(self, value: float | str | datetime) -> Leaf:
        return Leaf(self._name, Op.GT, value)

    def __ge__(self, value: float | str | datetime) -> Leaf:
        return Leaf(self._name, Op.GE, value)

    def between(self, low: float | datetime, high: float | datetime) -> AllOf:
        """At least `low` and below `high`: half-open, so that neighbouring bands share nobody (S4)."""
        return AllOf([self >= low, self < high])

    def is_in(self, values: Iterable[_Value]) -> Leaf:
        """One of these values."""
        if isinstance(values, str):
            raise InvalidInput(f"is_in({values!r}): give a list of values, or compare with ==")
        return Leaf(self._name, Op.IN, list(values))

    def has(self, member: str) -> Leaf:
        """A set fact (lists, tags) holds this member."""
        return Leaf(self._name, Op.HAS, member)

    def contains(self, text: str) -> Leaf:
        """A text fact holds this text, whatever its case."""
        return Leaf(self._name, Op.CONTAINS, text)

    def startswith(self, text: str) -> Leaf:
        """A text fact starts with this text, whatever its case."""
        return Leaf(self._name, Op.STARTS, text)

    def endswith(self, text: str) -> Leaf:
        """A text fact ends with this text, whatever its case."""
        return Leaf(self._name, Op.ENDS, text)

    def is_missing(self) -> Leaf:
        """Nothing is known of it."""
        return Leaf(self._name, Op.MISSING)

    def in_last(self, *, days: float) -> Leaf:
        """An instant in the last N days: after `now - N days`, not after `now`."""
        return Leaf(self._name, Op.IN_LAST, days)

    def in_next(self, *, days: float) -> Leaf:
        """An instant in the next N days: not before `now`, before `now + N days`."""
        return Leaf(self._name, Op.IN_NEXT, days)

    def older_than(self, *, days: float) -> Leaf:
        """An instant N days ago or more."""
        return Leaf(self._name, Op.OLDER, days)

    def as_predicate(self) -> Leaf:
        """Take a flag as the predicate that it is true."""
        return Leaf(self._name, Op.EQ, True)

    def __and__(self, other: Predicate | IsPredicate) -> AllOf:
        return self.as_predicate() & other

    def __or__(self, other: Predicate | IsPredicate) -> AnyOf:
        return self.as_predicate() | other

    def __invert__(self) -> Not:
        return Not(self.as_predicate())

    def __bool__(self) -> bool:
        raise TypeError("a fact has no truth of its own: combine with & | ~ (not and, or, not)")

    def __repr__(self) -> str:
        return fact_as_python(self._name)

    @property
    def fact_name(self) -> str:
        """The name in the catalogue, for example `field:2020_spend`."""
        return self._name


class Where:
    """The catalogue as attributes; `where` is its only instance."""

    def __getattr__(self, name: str) -> FactRef:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in FAMILIES:
            fact_named(name)
        return FactRef(name)

    def __dir__(self) -> Iterable[str]:
        return sorted([*CATALOGUE, *FAMILIES, "top"])

    def field(self, name: str) -> FactRef:
        """A custom field of the application; its name may start with a digit (L4)."""
        if not name:
            raise InvalidInput("a field has a name")
        return FactRef(f"field:{name}")

    def rank(self, by: FactRef) -> FactRef:
        """The place in the audience when it is put in order by a number, highest first, from 1; see `top`."""
        return FactRef(fact_named(f"rank:{by.fact_name}").name)

    def top(self, count: int, *, by: FactRef) -> Leaf:
        """The first `count` of the audience by a number, highest first; equals are put in order of contact_id.

        Who lacks the number has no rank and is not among them. The audience is the one the segment is read over:
        all contacts of the lists behind it.
        """
        if isinstance(count, bool) or count < 1:
            raise InvalidInput("top takes a count of 1 or more")
        return self.rank(by) <= count

    def __repr__(self) -> str:
        return "where"


where = Where()
"""Facts as attributes: the beginning of every predicate written in Python."""
