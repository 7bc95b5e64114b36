"""Predicates as text and as Python.

The text is what policies, segments and explanations are written in, and reads the same both ways::

    days_inactive >= 75 and not sunset and field("plan") in ("pro", "team")

It is a small part of Python's expression grammar, read with `ast` and never evaluated: names of facts, literals,
comparisons, `and`, `or`, `not`, and the functions `field`, `missing`, `contains`, `startswith`, `endswith`,
`in_last`, `in_next`, `older_than`, `instant`, beside facts that take an argument such as `opened_mails(10)`.
"""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from typing import Any

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.policy.operators import RELATIVE, TEXTUAL, Op
from lifecycle_mail.policy.predicates import EVERYONE, NOBODY, AllOf, AnyOf, Leaf, Not, Predicate, as_predicate

MOST_TEXT = 10_000
"""The longest predicate text that is read, in characters; Python's parser is not made for hostile depth."""
MOST_DEPTH = 50
"""How deep predicates may nest."""

_ONE_ARGUMENT = {"field", "rank"}
_COMPARISONS: dict[type[ast.cmpop], Op] = {
    ast.Eq: Op.EQ,
    ast.NotEq: Op.NE,
    ast.Lt: Op.LT,
    ast.LtE: Op.LE,
    ast.Gt: Op.GT,
    ast.GtE: Op.GE,
}
_MIRRORED = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE}


# --- writing ---------------------------------------------------------------------------------------------------------


def _fact_text(name: str) -> str:
    base, colon, argument = name.partition(":")
    if not colon:
        return base
    if base == "rank":
        return f"rank({_fact_text(argument)})"
    if base == "field":
        return f"field({_quoted(argument)})"
    return f"{base}({argument})" if _COUNT.fullmatch(argument) else f"{base}({_quoted(argument)})"


_COUNT = re.compile("0|[1-9][0-9]{0,8}")
_LONE = re.compile("[\ud800-\udfff]")


def _quoted(text: str) -> str:
    # A lone surrogate stands in no file and no hash; its escape does.
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _literal_text(value: Any) -> str:
    if isinstance(value, datetime):
        return f'instant("{value.isoformat().replace("+00:00", "Z")}")'
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal_text, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def as_text(predicate: Predicate) -> str:
    """Write a predicate so that people can read it and `parse` can read it back."""
    if isinstance(predicate, Leaf):
        return _leaf_text(predicate)
    if isinstance(predicate, Not):
        part = predicate.part
        inner = as_text(part)
        return f"not ({inner})" if part.parts and not isinstance(part, Not) else f"not {inner}"
    if not predicate.parts:
        return "everyone" if isinstance(predicate, AllOf) else "nobody"
    joiner = " and " if isinstance(predicate, AllOf) else " or "
    texts = []
    for part in predicate.parts:
        text = as_text(part)
        texts.append(f"({text})" if isinstance(part, AllOf | AnyOf) and part.parts else text)
    if len(texts) == 1:  # a group of one stays a group when it is read back
        return f"{'all_of' if isinstance(predicate, AllOf) else 'any_of'}({texts[0]})"
    return joiner.join(texts)


def _leaf_text(leaf: Leaf) -> str:
    fact, op, value = _fact_text(leaf.fact), leaf.op, leaf.value
    if op is Op.EQ and value is True:
        return fact
    if op is Op.MISSING:
        return f"missing({fact})"
    if op is Op.HAS:
        return f"{_literal_text(value)} in {fact}"
    if op in TEXTUAL:
        return f"{op}({fact}, {_literal_text(value)})"
    if op in RELATIVE:
        return f"{op}({fact}, days={value!r})"
    return f"{fact} {op} {_literal_text(value)}"


# --- reading ---------------------------------------------------------------------------------------------------------


def parse(text: str) -> Predicate:
    """Read a predicate from text.

    Raises:
        InvalidInput: the text is no predicate; the message shows the place and what to write instead.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"{type(text).__name__} is not a predicate: give a text")
    if len(text) > MOST_TEXT:
        raise InvalidInput(f"a predicate of {len(text)} characters: the longest is {MOST_TEXT}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" at column {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise InvalidInput(
            f"{_shown(text)} is not a predicate{place}: write for example days_inactive >= 75 and not sunset"
        ) from None
    return _Reader(text).predicate(tree.body, 0)


def read_predicate(value: object) -> Predicate:
    """Take a predicate, its text, or a reference to a flag such as `where.sunset`, as a predicate."""
    return parse(value) if isinstance(value, str) else as_predicate(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def refuse(self, node: ast.AST, why: str) -> InvalidInput:
        source = ast.get_source_segment(self.text.strip(), node) or self.text
        return InvalidInput(f"{_shown(source)}: {why}")

    def predicate(self, node: ast.expr, depth: int) -> Predicate:
        if depth > MOST_DEPTH:
            raise InvalidInput(f"a predicate nested deeper than {MOST_DEPTH}: split it into segments")
        if isinstance(node, ast.BoolOp):
            parts = [self.predicate(value, depth + 1) for value in node.values]
            return AllOf(parts) if isinstance(node.op, ast.And) else AnyOf(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self.predicate(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.Call):
            return self.call(node, depth)
        if isinstance(node, ast.Name):
            if node.id == "everyone":
                return EVERYONE
            if node.id == "nobody":
                return NOBODY
            return Leaf(node.id, Op.EQ, True)
        raise self.refuse(node, "expected a comparison, a flag, or and/or/not of them")

    def comparison(self, node: ast.Compare) -> Predicate:
        terms = [node.left, *node.comparators]
        leaves = [
            self.one_comparison(node, left, op, right)
            for left, op, right in zip(terms, node.ops, terms[1:], strict=False)
        ]
        return leaves[0] if len(leaves) == 1 else AllOf(leaves)

    def one_comparison(self, node: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Predicate:
        if isinstance(op, ast.In | ast.NotIn):
            if self.is_fact(left):
                inner: Predicate = self.leaf(node, self.fact(left), Op.IN, self.literal(right))
            else:
                inner = self.leaf(node, self.fact(right), Op.HAS, self.literal(left))
            return Not(inner) if isinstance(op, ast.NotIn) else inner
        asked = _COMPARISONS.get(type(op))
        if asked is None:
            raise self.refuse(node, "compare with == != < <= > >= or in")
        if self.is_fact(left) and not self.is_fact(right):
            return self.leaf(node, self.fact(left), asked, self.literal(right))
        if self.is_fact(right) and not self.is_fact(left):
            return self.leaf(node, self.fact(right), _MIRRORED[asked], self.literal(left))
        raise self.refuse(node, "compare one fact with one value")

    def leaf(self, node: ast.AST, fact: str, op: Op, value: Any) -> Leaf:
        try:
            return Leaf(fact, op, value)
        except InvalidInput as error:
            raise self.refuse(node, str(error)) from None

    def call(self, node: ast.Call, depth: int) -> Predicate:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("all_of", "any_of") and not node.keywords:
            parts = [self.predicate(argument, depth + 1) for argument in node.args]
            return AllOf(parts) if name == "all_of" else AnyOf(parts)
        if name == "missing" and len(node.args) == 1 and not node.keywords:
            return self.leaf(node, self.fact(node.args[0]), Op.MISSING, None)
        if name in {op.value for op in TEXTUAL}:
            if len(node.args) == 2 and not node.keywords:
                return self.leaf(node, self.fact(node.args[0]), Op(name), self.literal(node.args[1]))
            raise self.refuse(node, f'write {name}(fact, "text")')
        if name in {op.value for op in RELATIVE}:
            if len(node.args) == 1 and [keyword.arg for keyword in node.keywords] == ["days"]:
                return self.leaf(node, self.fact(node.args[0]), Op(name), self.literal(node.keywords[0].value))
            raise self.refuse(node, f"write {name}(fact, days=30)")
        return Leaf(self.fact(node), Op.EQ, True)

    def is_fact(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return not (isinstance(node.func, ast.Name) and node.func.id == "instant")
        return isinstance(node, ast.Name)

    def fact(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
            argument = node.args[0]
            name = node.func.id
            if name == "rank":
                return f"rank:{self.fact(argument)}"
            if (
                isinstance(argument, ast.Constant)
                and isinstance(argument.value, str | int)
                and not isinstance(argument.value, bool)
            ):
                return f"{name}:{argument.value}"
        raise self.refuse(node, 'expected a fact such as days_inactive, field("plan") or opened_mails(10)')

    def literal(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            value = self.literal(node.operand)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return -value
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return tuple(self.literal(element) for element in node.elts)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "instant"
            and len(node.args) == 1
            and not node.keywords
        ):
            value = self.literal(node.args[0])
            if isinstance(value, str):
                return parse_instant(value)
        raise self.refuse(node, 'expected a value such as 30, "pro", true or instant("2026-01-01")')


# --- Python ----------------------------------------------------------------------------------------------------------


def fact_as_python(name: str) -> str:
    """Write a fact's name as the Python that refers to it."""
    base, colon, argument = name.partition(":")
    if base == "field" and colon:
        return f"where.field({argument!r})"
    if base == "rank" and colon:
        return f"where.rank({fact_as_python(argument)})"
    if not colon:
        return f"where.{base}"
    return f"where.{base}({argument if _COUNT.fullmatch(argument) else repr(argument)})"


def as_python(predicate: Predicate) -> str:
    """Write a predicate as the Python that builds it; this is its repr."""
    if isinstance(predicate, Leaf):
        fact, op, value = fact_as_python(predicate.fact), predicate.op, predicate.value
        if op is Op.EQ and value is True:
            return f"({fact} == True)"
        if op is Op.MISSING:
            return f"{fact}.is_missing()"
        if op is Op.IN:
            return f"{fact}.is_in({list(value)!r})"
        if op is Op.HAS or op in TEXTUAL:
            return f"{fact}.{op}({value!r})"
        if op in RELATIVE:
            return f"{fact}.{op}(days={value!r})"
        return f"({fact} {op} {value!r})"
    if isinstance(predicate, Not):
        return (
            f"~{as_python(predicate.part)}"
            if not isinstance(predicate.part, Not)
            else f"Not({as_python(predicate.part)})"
        )
    if len(predicate.parts) < 2:
        return f"{type(predicate).__name__}([{', '.join(map(as_python, predicate.parts))}])"
    joiner = " & " if isinstance(predicate, AllOf) else " | "
    return "(" + joiner.join(map(as_python, predicate.parts)) + ")"
