"""The specifications of a vendor, loaded and corrected once for all servers of a process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from attrs import define, field, frozen

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.testing.contract.overlay import Correction, Limit, Overlay
from lifecycle_mail.testing.contract.schemas import Json, NoSuchPlace, Places, limited, loosen, merged, resolved

_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_PARAMETER: Final = re.compile(r"\{([^}]+)\}")


@define(eq=False)
class Operation:
    """Something that a vendor can be asked for.

    Attributes:
        name: the method and the template of the path.
        method: in capitals.
        template: of the path.
        document: the specification that it stands in, corrected; None where it stands in none.
        queries: the parameters of its query, by name.
        takes_body: whether a body is specified.
        most_bytes: how long the body may be.
    """

    name: str
    method: str
    template: str
    document: Json | None = field(default=None, repr=False)
    queries: Mapping[str, Json] = field(factory=dict, repr=False)
    takes_body: bool = True
    most_bytes: int | None = None
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        parts = _PARAMETER.split(self.template)
        # A name may be no identifier, or stand there twice, so that groups go by their number.
        self._pattern = re.compile("([^/]+)".join(re.escape(part) for part in parts[::2]))

    @property
    def parameters(self) -> Sequence[str]:
        """The names of what stands in the path."""
        return _PARAMETER.findall(self.template)

    def match(self, path: str) -> dict[str, str] | None:
        """Return what stands in a path, decoded; None where it is another path."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        return dict(zip(self.parameters, map(unquote, found.groups()), strict=True))


@frozen
class Specs:
    """Every operation of a vendor.

    Attributes:
        operations: those with the fewest parameters in their path first: what is written out outranks a parameter.
    """

    operations: Sequence[Operation]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation that a request asks for, and what stands in its path."""
        for operation in self.operations:
            if operation.method == method:
                parameters = operation.match(path)
                if parameters is not None:
                    return operation, parameters
        return None

    def methods(self, path: str) -> list[str]:
        """Return which methods a path takes."""
        return sorted({one.method for one in self.operations if one.match(path) is not None})

    def named(self, pattern: str) -> list[Operation]:
        """Return the operations that a name or a pattern means."""
        return [one for one in self.operations if fnmatchcase(one.name, pattern)]


def load(paths: Sequence[Path], overlay: Overlay) -> Specs:
    """Return what these files specify, with an overlay on it. The same is loaded once in a process.

    Raises:
        Misconfigured: a correction or a limit is about something that the files do not have.
    """
    return _loaded(tuple(path.resolve() for path in paths), overlay)


@lru_cache(maxsize=16)
def _loaded(paths: tuple[Path, ...], overlay: Overlay) -> Specs:
    raws = [(path, _raw(path)) for path in paths]
    wrong: list[str] = []
    for correction in overlay.corrections:
        wrong += _applied(raws, correction)
    for _, raw in raws:
        loosen(raw)
    operations = [operation for _, raw in raws for operation in _operations(raw)]
    for name in overlay.beyond:
        method, template = name.split(" ", 1)
        operations.append(Operation(name, method, template))
    for limit in overlay.limits:
        wrong += _limited(raws, operations, limit)
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise Misconfigured(f"the overlay does not fit {', '.join(path.name for path in paths)}:\n{lines}")
    return Specs(sorted(operations, key=lambda one: len(one.parameters)))


def _raw(path: Path) -> Json:
    document: Json = json.loads(path.read_bytes())
    for item in document["paths"].values():
        shared = item.pop("parameters", [])
        for method in _METHODS:
            if method in item:
                own = item[method].setdefault("parameters", [])
                taken = {_key(document, one) for one in own}
                own += [deepcopy(one) for one in shared if _key(document, one) not in taken]
    return document


def _key(document: Json, parameter: Json) -> tuple[str, str]:
    parameter = resolved(document, parameter)
    return parameter["in"], parameter["name"]


def _raws(raw: Json) -> Iterator[tuple[str, str, str, Json]]:
    for template, item in raw["paths"].items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {template}", method.upper(), template, item[method]


def _operations(raw: Json) -> Iterator[Operation]:
    for name, method, template, operation in _raws(raw):
        parameters = [resolved(raw, one) for one in operation.get("parameters", [])]
        yield Operation(
            name=name,
            method=method,
            template=template,
            document=raw,
            queries={one["name"]: one for one in parameters if one["in"] == "query"},
            takes_body="requestBody" in operation,
        )


def _places(raws: Sequence[tuple[Path, Json]], pattern: str) -> list[tuple[str, Places]]:
    return [
        (name, Places(raw, operation))
        for _, raw in raws
        for name, _, _, operation in _raws(raw)
        if fnmatchcase(name, pattern)
    ]


def _applied(raws: Sequence[tuple[Path, Json]], correction: Correction) -> list[str]:
    def apply(places: Places) -> None:
        if correction.place == "operation":
            changed = merged(places.operation, correction.merge)
            places.operation.clear()
            places.operation.update(changed)
            return
        if correction.new:
            places.add(correction.place, merged({}, correction.merge))
            return
        for slot in places.slots(correction.place):
            schema: Any = deepcopy(places.slots(correction.take)[0].schema) if correction.take else slot.schema
            slot.holder[slot.key] = merged(schema, correction.merge)

    return _tried(_places(raws, correction.operation), correction, apply)


def _limited(raws: Sequence[tuple[Path, Json]], operations: Sequence[Operation], limit: Limit) -> list[str]:
    if limit.place == "bytes":
        fitting = [one for one in operations if fnmatchcase(one.name, limit.operation)]
        for one in fitting:
            one.most_bytes = limit.most
        return [] if fitting else [f"{limit.operation}: no such operation"]

    def apply(places: Places) -> None:
        for slot in places.slots(limit.place):
            slot.holder[slot.key] = limited(slot.schema, limit.most, limit.place)

    return _tried(_places(raws, limit.operation), limit, apply)


def _tried(found: Sequence[tuple[str, Places]], what: Correction | Limit, apply: Any) -> list[str]:
    """Apply something to each operation, and return what is wrong. Of a pattern, it must fit one of them."""
    if not found:
        return [f"{what.operation}: no such operation"]
    failed: list[str] = []
    for name, places in found:
        try:
            apply(places)
        except NoSuchPlace as error:
            failed.append(f"{name}: {error}")
    return failed if "*" not in what.operation or len(failed) == len(found) else []
