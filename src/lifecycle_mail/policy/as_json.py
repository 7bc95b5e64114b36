"""Predicates as JSON data, both ways.

    {"fact": "days_inactive", "op": ">=", "value": 75}
    {"all": [...]}    {"any": [...]}    {"not": ...}

Where a predicate is read, its text is taken too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import AllOf, AnyOf, Leaf, Not, Predicate
from lifecycle_mail.policy.text import MOST_DEPTH, parse


def to_json(predicate: Predicate) -> dict[str, Any]:
    """Turn a predicate into plain JSON data."""
    if isinstance(predicate, Leaf):
        found: dict[str, Any] = {"fact": predicate.fact, "op": predicate.op.value}
        if predicate.op is Op.IN:
            found["value"] = [_json_literal(item) for item in predicate.value]
        elif predicate.op is not Op.MISSING:
            found["value"] = _json_literal(predicate.value)
        return found
    if isinstance(predicate, Not):
        return {"not": to_json(predicate.part)}
    return {"all" if isinstance(predicate, AllOf) else "any": [to_json(part) for part in predicate.parts]}


def _json_literal(value: Any) -> Any:
    return {"instant": value.isoformat()} if isinstance(value, datetime) else value


def from_json(data: object, *, path: str = "$") -> Predicate:
    """Read a predicate from what `to_json` gives; text is taken as `parse` takes it.

    Raises:
        InvalidDocument: with every problem and the path of each.
    """
    problems: list[Problem] = []
    found = _from_json(data, path, 0, problems)
    if problems or found is None:
        raise InvalidDocument("predicate", problems)
    return found


def _from_json(data: object, path: str, depth: int, problems: list[Problem]) -> Predicate | None:
    if depth > MOST_DEPTH:
        problems.append(Problem(path, f"nested deeper than {MOST_DEPTH}", "split it into segments"))
        return None
    if isinstance(data, str):
        try:
            return parse(data)
        except InvalidInput as error:
            problems.append(Problem(path, str(error)))
            return None
    if isinstance(data, Mapping):
        keys = set(data)
        for name, kind in (("all", AllOf), ("any", AnyOf)):
            if keys == {name} and isinstance(data[name], list | tuple):
                parts = [
                    _from_json(part, f"{path}.{name}[{place}]", depth + 1, problems)
                    for place, part in enumerate(data[name])
                ]
                return kind([part for part in parts if part is not None])
        if keys == {"not"}:
            part = _from_json(data["not"], f"{path}.not", depth + 1, problems)
            return None if part is None else Not(part)
        if {"fact", "op"} <= keys <= {"fact", "op", "value"}:
            return _leaf_from_json(data, path, problems)
    problems.append(
        Problem(
            path,
            "not a predicate",
            'give {"fact", "op", "value"}, {"all": [...]}, {"any": [...]}, {"not": ...} or a text',
        )
    )
    return None


def _leaf_from_json(data: Mapping[str, Any], path: str, problems: list[Problem]) -> Predicate | None:
    try:
        op = Op(data["op"])
    except ValueError:
        problems.append(Problem(f"{path}.op", f"{data['op']!r} is not an operator", "one of " + " ".join(Op)))
        return None
    value = data.get("value")
    try:
        Leaf(data["fact"], Op.MISSING)
    except InvalidInput as error:
        problems.append(Problem(f"{path}.fact", str(error)))
        return None
    try:
        literal = [_literal_from_json(item) for item in value] if isinstance(value, list) else _literal_from_json(value)
        return Leaf(data["fact"], op, literal)
    except (InvalidInput, TypeError, ValueError, OverflowError) as error:
        problems.append(Problem(f"{path}.value", str(error)))
        return None


def _literal_from_json(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"instant"}:
        return as_utc(datetime.fromisoformat(str(value["instant"])))
    return value
