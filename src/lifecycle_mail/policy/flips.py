"""What would flip a decision: the smallest changes of facts that alter its outcome.

Only the boundaries of the literals in the table matter, so for each fact a handful of values stands for all: on,
just below and just above each literal, with and without each member, missing. Each is put in place of the fact and
the table is asked again. Single changes come first; then pairs, for the outcomes that no single change reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import combinations
from typing import Any

from attrs import frozen

from lifecycle_mail.model.instants import DAY, to_micros
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES, FactType
from lifecycle_mail.policy.operators import RELATIVE, TEXTUAL, FactValue, Op
from lifecycle_mail.policy.predicates import Leaf
from lifecycle_mail.policy.tables import Table, show

MOST_FACTS_IN_PAIRS = 24
"""Tables that read more facts than this get single changes only: pairs grow with the square."""


@frozen
class Change:
    """One fact put otherwise.

    Attributes:
        fact: which.
        before: its value.
        after: a value beyond the boundary.
        words: the boundary in words.
    """

    fact: str
    before: FactValue
    after: FactValue
    words: str

    @property
    def distance(self) -> float:
        """How far the change goes; to and from missing is farthest."""
        one, other = self.before, self.after
        if one is None or other is None:
            return math.inf
        if isinstance(one, int | float) and isinstance(other, int | float):
            try:
                return abs(float(one) - float(other))
            except OverflowError:
                return math.inf
        return 1.0


@frozen
class Flip:
    """A change of one fact, or of two, that gives another outcome.

    Attributes:
        changes: what would have to be otherwise.
        outcome: what would then be decided.
        rule: by which rule.
    """

    changes: tuple[Change, ...]
    outcome: str
    rule: str

    def __str__(self) -> str:
        conditions = " and ".join(
            f"{change.fact} {change.words} (is {show(change.fact, change.before)})" for change in self.changes
        )
        return f"{self.outcome} ({self.rule}) if {conditions}"


class _Changed(dict[str, Any]):
    """Facts with some put otherwise; the rest is read through."""

    def __init__(self, facts: Mapping[str, Any], changes: tuple[Change, ...]) -> None:
        super().__init__((change.fact, change.after) for change in changes)
        self._facts = facts

    def __missing__(self, name: str) -> Any:
        return self._facts[name]


def find_flips(table: Table, facts: Mapping[str, Any], *, pairs: bool = True) -> tuple[Flip, ...]:
    """Find the changes that alter the outcome: for each fact and outcome the nearest single one, then pairs.

    Args:
        table: the table.
        facts: what was decided from.
        pairs: whether to look for pairs where no single change reaches an outcome.
    """
    decided = table.decide(facts)
    facts, outcome = decided.facts, decided.outcome
    by_fact = {name: tuple(changes) for name, changes in _changes(table, facts).items()}
    singles: dict[tuple[str, str], Flip] = {}
    for name, changes in by_fact.items():
        for change in sorted(changes, key=lambda c: c.distance):
            decision = table.decide(_Changed(facts, (change,)))
            if decision.outcome != outcome:
                singles.setdefault((name, decision.outcome), Flip((change,), decision.outcome, decision.rule.name))
    places = {rule.name: place for place, rule in enumerate(table.rules)}
    held_at = places.get(decided.rule.name, len(places))
    # What lifts the deciding rule comes before what an earlier rule would add.
    found = sorted(singles.values(), key=lambda flip: (places.get(flip.rule, len(places)) < held_at, _order(flip)))
    if pairs and len(by_fact) <= MOST_FACTS_IN_PAIRS:
        reached = {outcome, *(flip.outcome for flip in found)}
        found.extend(_pairs(table, facts, by_fact, reached))
    return tuple(found)


def _order(flip: Flip) -> tuple[object, ...]:
    return (len(flip.changes), [change.fact for change in flip.changes], flip.outcome)


def _pairs(
    table: Table, facts: Mapping[str, Any], by_fact: Mapping[str, tuple[Change, ...]], reached: set[str]
) -> list[Flip]:
    found: dict[str, Flip] = {}
    wanted = set(table.outcomes()) - reached
    for one, other in combinations(sorted(by_fact), 2):
        if not wanted:
            break
        for first in by_fact[one]:
            for second in by_fact[other]:
                decision = table.decide(_Changed(facts, (first, second)))
                if decision.outcome in wanted:
                    wanted.discard(decision.outcome)
                    found[decision.outcome] = Flip((first, second), decision.outcome, decision.rule.name)
    return sorted(found.values(), key=_order)


def _changes(table: Table, facts: Mapping[str, Any]) -> dict[str, list[Change]]:
    found: dict[str, dict[tuple[type, FactValue], Change]] = {}
    for rule in table.rules:
        for leaf in rule.when.leaves():
            before = facts[leaf.fact]
            values = found.setdefault(leaf.fact, {})
            for after, words in _boundaries(leaf, before, facts):
                if after != before or type(after) is not type(before):
                    values.setdefault((type(after), after), Change(leaf.fact, before, after, words))
    return {name: list(changes.values()) for name, changes in found.items() if name != "now"}


def _boundaries(leaf: Leaf, before: FactValue, facts: Mapping[str, Any]) -> Iterator[tuple[FactValue, str]]:
    op, value = leaf.op, leaf.value
    if op is Op.HAS:
        members = before if isinstance(before, frozenset) else frozenset()
        yield members | {value}, f"with {value!r}"
        yield members - {value}, f"without {value!r}"
    elif op in RELATIVE:
        if facts["now"] is None:
            return
        now, span = facts["now"], round(value * DAY)
        edge = now + span if op is Op.IN_NEXT else now - span
        for at in (edge - 1, edge, edge + 1):
            yield at, f"in {_shown(value)} days" if op is Op.IN_NEXT else f"{_shown(value)} days ago"
        if op is not Op.OLDER:  # their other end
            yield now, "now"
            yield (now + 1, "after now") if op is Op.IN_LAST else (now - 1, "before now")
    elif op in TEXTUAL:
        yield value, f"{'containing' if op is Op.CONTAINS else op} {value!r}"
        yield "", f"without {value!r}"
    elif op is Op.IN:
        for item in value:
            yield from _around(item, before, ordered=False)
    elif op is Op.MISSING:
        yield _stand_in(leaf.fact, facts), "known"
    else:
        yield from _around(value, before, ordered=op not in (Op.EQ, Op.NE))
    if before is not None and (op is Op.MISSING or not isinstance(before, bool | frozenset)):
        yield None, "missing"


def _stand_in(name: str, facts: Mapping[str, Any]) -> FactValue:
    """Return some value for a fact of which a table asks whether there is one."""
    known = CATALOGUE.get(name) or FAMILIES.get(name.partition(":")[0])
    kind = known.type if known is not None else FactType.TEXT
    stand_ins: dict[FactType, FactValue] = {
        FactType.FLAG: False,
        FactType.NUMBER: 0,
        FactType.TEXT: "",
        FactType.INSTANT: facts["now"] or 0,
        FactType.SET: frozenset(),
    }
    return stand_ins[kind]


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _around(value: Any, before: FactValue, *, ordered: bool) -> Iterator[tuple[FactValue, str]]:
    if isinstance(value, bool):
        yield True, "= yes"
        yield False, "= no"
        return
    if isinstance(value, str):
        yield value, f"= {value!r}"
        other = f"other than {value!r}" if before == value else "anything else"
        yield value + "\x00", f"above {value!r}" if ordered else other
        if ordered:
            yield "", f"below {value!r}"
        return
    number = isinstance(value, int | float)
    at = value if number else to_micros(value)
    shown = _shown(value) if number else str(value)
    below, above = at - 1, at + 1
    if number:
        with suppress(OverflowError):  # of an int beyond all floats, the neighbours will do
            below, above = math.nextafter(at, -math.inf), math.nextafter(at, math.inf)
    yield at, f"= {shown}"
    yield below, f"below {shown}" if ordered else f"other than {shown}"
    yield above, f"above {shown}" if ordered else f"other than {shown}"
