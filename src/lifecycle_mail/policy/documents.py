"""TOML and JSON documents: structured through cattrs, all problems at once, each with its path."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import NOTHING, fields_dict, has

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.model.names import one_of
from lifecycle_mail.policy.as_json import from_json
from lifecycle_mail.policy.predicates import Predicate
from lifecycle_mail.policy.text import as_text

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_converters: list[Converter] = []


def converter() -> Converter:
    """Return the converter of this library; made on first use, because cattrs is slow to import."""
    if not _converters:
        from cattrs import Converter

        made = Converter(forbid_extra_keys=True, omit_if_default=False)
        made.register_structure_hook(Predicate, lambda data, _: from_json(data))
        for kind, words in ((str, "a text"), (bool, "true or false"), (int, "a whole number")):
            made.register_structure_hook(kind, _exactly(kind, words))
        made.register_structure_hook(float, _number)
        made.register_unstructure_hook_func(lambda cls: isinstance(cls, type) and issubclass(cls, Predicate), as_text)
        _converters.append(made)
    return _converters[0]


# cattrs would guess: bool("no") is True, int(5.5) is 5, str(5) is "5".
def _exactly(kind: type, words: str) -> Callable[[Any, Any], Any]:
    def read(value: Any, cls: Any) -> Any:
        if isinstance(cls, type) and issubclass(cls, StrEnum):
            return one_of(cls, value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InvalidInput(f"{value!r}: expected {words}")
        return value

    return read


def _number(value: Any, _kind: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{value!r}: expected a number")
    return value


def check_values(data: Mapping[str, Any], kind: type, *, path: str) -> list[Problem]:
    """Check each value for a flat attrs class by itself, so that the first wrong one does not hide the others."""
    known = fields_dict(kind)
    found = []
    for name in sorted(set(data) - set(known)):
        near = ", ".join(get_close_matches(name, known, n=3)) or ", ".join(known)
        found.append(Problem(f"{path}.{name}", "unknown", f"one of {near}"))
    for name, one in known.items():
        if name not in data:
            if one.default is NOTHING:
                found.append(Problem(f"{path}.{name}", "required, and missing"))
        elif one.validator is not None:
            try:
                one.validator(None, one, data[name])
            except InvalidInput as error:
                found.append(Problem(f"{path}.{name}", str(error)))
    return found


def parse_toml(text: str, *, what: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        InvalidDocument: it is not TOML; the problem names line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDocument(what, [Problem("$", f"not TOML: {error}")]) from None


def structure(data: object, kind: type[T], *, what: str, path: str = "$", using: Converter | None = None) -> T:
    """Turn plain data into an attrs class, with the converter of this library or one made from it.

    Raises:
        InvalidDocument: with every problem; unknown keys are problems too.
    """
    from cattrs import BaseValidationError

    if has(kind) and not isinstance(data, Mapping):
        raise InvalidDocument(what, [Problem(path, f"expected a table, found {type(data).__name__}")])
    try:
        return (using or converter()).structure(data, kind)
    except BaseValidationError as error:
        raise InvalidDocument(what, _problems(error, path)) from None
    except InvalidDocument as error:
        raise InvalidDocument(what, [Problem(path, p.message, p.fix) for p in error.problems]) from None
    except (InvalidInput, TypeError, ValueError) as error:
        raise InvalidDocument(what, [Problem(path, str(error))]) from None


def _problems(error: BaseException, path: str) -> list[Problem]:
    from cattrs import ForbiddenExtraKeysError, transform_error

    def describe(inner: BaseException, _type: object) -> str:
        if isinstance(inner, InvalidDocument):
            return "; ".join(
                f"{problem.message}" + (f" ({problem.fix})" if problem.fix else "") for problem in inner.problems
            )
        if isinstance(inner, ForbiddenExtraKeysError):
            return "unknown: " + ", ".join(sorted(inner.extra_fields))
        if isinstance(inner, KeyError) and not isinstance(inner, InvalidInput):
            return "required, and missing"
        return str(inner)

    found = []
    for line in transform_error(error, path=path, format_exception=describe):
        message, _, place = line.rpartition(" @ ")
        found.append(Problem(place or path, message or line))
    return found


def require_table(data: object, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    """Return a TOML table, or note that something else stands in its place."""
    if isinstance(data, Mapping):
        return data
    problems.append(Problem(path, f"expected a table, found {type(data).__name__}"))
    return {}
