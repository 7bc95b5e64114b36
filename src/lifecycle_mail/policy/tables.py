"""Decision tables: ordered rules `(when, then, because)` with an `otherwise`.

A policy *is* a table. The first rule whose predicate holds decides; where none does, `otherwise` does. So every
contact gets exactly one outcome, the rule that gave it, and a reason; the trace of all other rules and *what would
flip it* can be asked of any decision afterwards, because a decision keeps the facts it was made from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Problem
from lifecycle_mail.model.instants import from_micros
from lifecycle_mail.policy.facts import CATALOGUE, FactType, check, fact_named
from lifecycle_mail.policy.operators import FactValue, Op, PlainFacts
from lifecycle_mail.policy.predicates import AnyOf, Leaf, Predicate, Trace
from lifecycle_mail.policy.text import read_predicate

MOST_FLIPS = 8
"""How many changes an explanation prints; `find_flips` returns all."""

_PLACE = re.compile(r"\{([^{}]*)\}")


def _known_places(_instance: object, _attribute: object, text: str) -> None:
    for name in _PLACE.findall(text):
        fact_named(name)


@frozen(kw_only=True)
class Rule:
    """One row of a table.

    Attributes:
        name: a short stable name, written into exports and logs.
        when: the predicate.
        then: the outcome.
        because: the reason in words; `{fact}` is replaced by the fact's value.
    """

    name: str
    when: Predicate = field(converter=read_predicate)
    then: str
    because: str = field(default="", validator=_known_places)


@frozen(kw_only=True)
class Otherwise:
    """What holds where no rule does."""

    then: str
    because: str = field(default="", validator=_known_places)
    name: str = "otherwise"


def _as_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rules)


def _unique_names(_instance: object, _attribute: object, rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen or rule.name == "otherwise":
            raise InvalidInput(f"two rules named {rule.name!r}: a rule's name is how a decision refers to it")
        seen.add(rule.name)


def _another_name(instance: Table, _attribute: object, otherwise: Otherwise) -> None:
    if any(rule.name == otherwise.name for rule in instance.rules):
        raise InvalidInput(f"a rule and `otherwise` are both named {otherwise.name!r}: rename one")


@frozen(kw_only=True)
class Table:
    """Ordered rules; the first that holds decides.

    Attributes:
        name: what it decides.
        rules: in order of precedence.
        otherwise: what holds where no rule does.
    """

    name: str
    rules: tuple[Rule, ...] = field(converter=_as_rules, validator=_unique_names)
    otherwise: Otherwise = field(validator=_another_name)
    _tests: tuple[tuple[Callable[[Mapping[str, Any]], bool], Rule], ...] = field(init=False, eq=False, repr=False)

    @_tests.default
    def _compile(self) -> tuple[tuple[Callable[[Mapping[str, Any]], bool], Rule], ...]:
        return tuple((rule.when.test, rule) for rule in self.rules)

    def decide(self, facts: Mapping[str, Any]) -> Decision:
        """Find the first rule that holds of these facts."""
        if type(facts) is dict:
            facts = PlainFacts.of(facts)
        for test, rule in self._tests:
            if test(facts):
                return Decision(self, rule, facts)
        return Decision(self, self.otherwise, facts)

    def facts(self) -> frozenset[str]:
        """Return the names of all facts that any rule reads."""
        return AnyOf([rule.when for rule in self.rules]).facts()

    def outcomes(self) -> tuple[str, ...]:
        """Return every outcome there is, in order of first appearance."""
        return tuple(dict.fromkeys([*(rule.then for rule in self.rules), self.otherwise.then]))

    def check(self, path: str, **known: Any) -> Iterator[Problem]:
        """Find predicates that can never match; see `facts.check` for the arguments."""
        for place, rule in enumerate(self.rules):
            yield from check(rule.when, path=f"{path}[{place}] ({rule.name})", **known)

    def to_markdown(self) -> str:
        """Draw the table for the docs."""
        lines = ["| # | rule | when | then | because |", "|--:|---|---|---|---|"]
        for number, rule in enumerate(self.rules, 1):
            lines.append(
                f"| {number} | {_cell(rule.name)} | `{_cell(str(rule.when))}` | **{_cell(rule.then)}** "
                f"| {_cell(rule.because)} |"
            )
        last = self.otherwise
        lines.append(f"| | {_cell(last.name)} | | **{_cell(last.then)}** | {_cell(last.because)} |")
        return "\n".join(lines)

    def __str__(self) -> str:
        width = max((len(rule.name) for rule in self.rules), default=0)
        rows = [f"  {rule.name:<{width}}  {rule.then:<16} when {rule.when}" for rule in self.rules]
        return "\n".join([f"{self.name}:", *rows, f"  {'otherwise':<{width}}  {self.otherwise.then}"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def show(name: str, value: FactValue) -> str:
    """Write a fact's value for people: instants as dates, days to one place, shares in percent, sets in order."""
    if value is None or value != value:
        return "missing"
    if isinstance(value, frozenset):
        return "{" + ", ".join(one if one.isprintable() else repr(one) for one in sorted(value)) + "}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return repr(value)
    known = CATALOGUE.get(name)
    if isinstance(value, int) and known is not None and known.type is FactType.INSTANT:
        with suppress(OverflowError):
            return from_micros(value).strftime("%Y-%m-%d %H:%M UTC")
    if not isinstance(value, float):
        return str(value)
    if name.partition(":")[0] in ("opened_share", "machine_share"):
        return f"{value:.0%}"
    return f"{value:.1f}".removesuffix(".0")


@frozen
class RuleTrace:
    """How one rule came out.

    Attributes:
        rule: the rule.
        trace: every part of its predicate with its answer.
        decided: whether this is the rule that decided.
    """

    rule: Rule
    trace: Trace
    decided: bool

    @property
    def holds(self) -> bool:
        """Whether its predicate is true."""
        return self.trace.holds

    def values(self) -> dict[str, FactValue]:
        """Return the facts that its predicate reads, with their values."""
        return {leaf.predicate.fact: leaf.value for leaf in self.trace.leaves() if isinstance(leaf.predicate, Leaf)}


@frozen(eq=False)
class Decision:
    """An outcome, the rule that gave it, and the facts it rests on.

    Attributes:
        table: the table that decided.
        rule: the rule, or the table's `otherwise`.
        facts: what it was decided from.
    """

    table: Table
    rule: Rule | Otherwise
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def outcome(self) -> str:
        """What was decided."""
        return self.rule.then

    @property
    def reason(self) -> str:
        """Why, in words, with the values of the facts it names."""
        because = self.rule.because
        if "{" not in because:
            return because
        return _PLACE.sub(lambda place: show(place[1], self.facts[place[1]]), because)

    def trace(self) -> tuple[RuleTrace, ...]:
        """Test every rule, those after the deciding one included."""
        return tuple(RuleTrace(rule, Trace.of(rule.when, self.facts), rule is self.rule) for rule in self.table.rules)

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data: every rule with the facts it read, and what would flip it."""
        from lifecycle_mail.policy.flips import find_flips

        return {
            "table": self.table.name,
            "outcome": self.outcome,
            "rule": self.rule.name,
            "reason": self.reason,
            "rules": [
                {
                    "rule": row.rule.name,
                    "when": str(row.rule.when),
                    "holds": row.holds,
                    "decided": row.decided,
                    "facts": {name: show(name, value) for name, value in row.values().items()},
                }
                for row in self.trace()
            ],
            "flips": [str(flip) for flip in find_flips(self.table, self.facts)],
        }

    def explain(self, *, flips: bool = True) -> str:
        """Write the decision, every rule with the facts it read, and what would flip it."""
        lines = [f"{self.table.name}: {self.outcome} ({self.rule.name})"]
        if self.reason:
            lines.append(f"  because {self.reason}")
        width = max((len(rule.name) for rule in self.table.rules), default=9)
        lines.extend(_line(row, width) for row in self.trace())
        if isinstance(self.rule, Otherwise):
            lines.append(f"  => yes  {self.rule.name:<{width}}  no rule above holds")
        if flips:
            lines.extend(self._flip_lines())
        return "\n".join(lines)

    def _flip_lines(self) -> list[str]:
        from lifecycle_mail.policy.flips import find_flips

        found = find_flips(self.table, self.facts)
        shown = [f"    {flip}" for flip in found[:MOST_FLIPS]]
        more = [f"    ... and {len(found) - MOST_FLIPS} more"] if len(found) > MOST_FLIPS else []
        return ["  what would flip it:", *shown, *more] if found else []


def _line(row: RuleTrace, width: int) -> str:
    when = row.rule.when
    values = [f"{name} = {show(name, value)}" for name, value in row.values().items()]
    flag = isinstance(when, Leaf) and when.op is Op.EQ and when.value is True
    said = "" if flag else f"{when}   "
    mark, answer = "=>" if row.decided else "  ", "yes" if row.holds else "no"
    return f"  {mark} {answer:<3}  {row.rule.name:<{width}}  {said}[{', '.join(values)}]"
