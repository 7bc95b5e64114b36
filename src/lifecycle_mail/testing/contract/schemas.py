"""Finding a place in an operation, and correcting what the specification says there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from attrs import frozen

Json = dict[str, Any]

_STEPS: Final = re.compile(r"\.([^.\[\]{}]+)|(\[\])|(\{\})")
_BRANCHES: Final = ("oneOf", "anyOf", "allOf")
_LENGTHS: Final = {"array": "maxItems", "string": "maxLength", "integer": "maximum", "number": "maximum"}


class NoSuchPlace(LookupError):
    """A place that an operation does not have."""


@frozen
class Slot:
    """Where a schema hangs: what holds it, and under which key."""

    holder: Any
    key: str | int

    @property
    def schema(self) -> Json:
        """What hangs there."""
        found: Json = self.holder[self.key]
        return found


def resolved(document: Json, node: Any) -> Any:
    """Follow the references of a node within its document."""
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def loosen(node: Any) -> None:
    """Let a whole document be used as it is meant: done once it is corrected.

    A discriminator beside `oneOf` names no mapping, so that nothing resolves by it. An object of which no key is named
    is free: only where keys are named is another one unknown.
    """
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if any(branch in one for branch in _BRANCHES):
                one.pop("discriminator", None)
            elif one.get("type") == "object" and "properties" not in one:
                one.setdefault("additionalProperties", True)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def merged(schema: Any, patch: Mapping[str, Any]) -> Json:
    """Return a schema with a JSON merge patch in it (RFC 7396)."""
    result = dict(schema) if isinstance(schema, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(result.get(key), value)
        else:
            result[key] = value
    return result


def limited(schema: Json, most: int, place: str) -> Json:
    """Return the schema of a place, taking no more than so much."""
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind in _LENGTHS:
            return {**schema, _LENGTHS[kind]: most}
    raise NoSuchPlace(f"{place}: nothing to count: its type is {kinds!r}")


class Places:
    """The places of one operation.

    Attributes:
        document: the specification that it stands in.
        operation: what the specification says of it. Parts that it shares with others become its own on the way.
    """

    def __init__(self, document: Json, operation: Json) -> None:
        self.document = document
        self.operation = operation

    def slots(self, place: str) -> list[Slot]:
        """Return where the schemas of a place hang: several where there are alternatives.

        Raises:
            NoSuchPlace: it does not exist.
        """
        head, steps = self._read(place)
        slots = list(self._heads(head))
        for step in steps:
            slots = [below for slot in slots for below in self._below(slot, step)]
        if not slots:
            raise NoSuchPlace(f"{place}: not in the specification")
        return slots

    def add(self, place: str, schema: Json) -> None:
        """Put a schema where there is none yet: a parameter of the query, or a key of an object.

        Raises:
            NoSuchPlace: there is one, or nothing that it could hang on.
        """
        try:
            self.slots(place)
        except NoSuchPlace:
            pass
        else:
            raise NoSuchPlace(f"{place}: it is in the specification already")
        head, _, name = place.rpartition(".")
        if head == "query":
            self.operation.setdefault("parameters", []).append({"name": name, "in": "query", "schema": schema})
            return
        for slot in self.slots(head):
            slot.schema.setdefault("properties", {})[name] = schema

    def _read(self, place: str) -> tuple[str, list[str]]:
        head = re.split(r"[.\[{]", place, maxsplit=1)[0]
        rest = place[len(head) :]
        steps = [match.group(0) for match in _STEPS.finditer(rest)]
        if "".join(steps) != rest:
            raise NoSuchPlace(f"{place}: write it as `body.members[].status`, `query.count` or `answer 200.total`")
        if head == "query" and steps:
            return f"query{steps[0]}", steps[1:]
        return head, steps

    def _heads(self, head: str) -> Iterator[Slot]:
        kind, _, name = head.partition("." if head.startswith("query") else " ")
        if kind == "body":
            yield from self._contents(self._own(Slot(self.operation, "requestBody")))
        elif kind == "answer":
            yield from self._contents(self._own(Slot(self.operation.get("responses", {}), name)))
        elif kind == "query":
            yield from self._parameters(name)

    def _own(self, slot: Slot) -> Slot | None:
        """Make what hangs in a slot the operation's own: a correction here must not reach others."""
        try:
            node = slot.holder[slot.key]
        except (KeyError, IndexError):
            return None
        if isinstance(node, dict) and "$ref" in node:
            slot.holder[slot.key] = deepcopy(resolved(self.document, node))
        return slot

    def _contents(self, slot: Slot | None) -> Iterator[Slot]:
        for media in (slot.schema.get("content", {}) if slot is not None else {}).values():
            found = self._own(Slot(media, "schema"))
            if found is not None:
                yield found

    def _parameters(self, name: str) -> Iterator[Slot]:
        parameters = self.operation.get("parameters", [])
        for index in range(len(parameters)):
            own = self._own(Slot(parameters, index))
            if own is not None and own.schema.get("in") == "query" and own.schema.get("name") == name:
                yield Slot(own.schema, "schema")

    def _below(self, slot: Slot, step: str) -> Iterator[Slot]:
        schema = slot.schema
        if step == "[]":
            below: Slot | None = self._own(Slot(schema, "items"))
        elif step == "{}":
            below = self._own(Slot(schema, "additionalProperties"))
        else:
            below = self._own(Slot(schema.get("properties", {}), step[1:]))
        if below is not None:
            yield below
        for branch in _BRANCHES:
            for index in range(len(schema.get(branch, []))):
                own = self._own(Slot(schema[branch], index))
                if own is not None:
                    yield from self._below(own, step)
