"""TOML and JSON documents: structured through cattrs, all problems at once, each with its path."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.policy.predicates import Predicate
from lifecycle_mail.policy.text import as_text, from_json

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
        made.register_unstructure_hook_func(lambda cls: isinstance(cls, type) and issubclass(cls, Predicate), as_text)
        _converters.append(made)
    return _converters[0]


def parse_toml(text: str, *, what: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        InvalidDocument: it is not TOML; the problem names line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDocument(what, [Problem("$", f"not TOML: {error}")]) from None


def structure(data: object, kind: type[T], *, what: str, path: str = "$") -> T:
    """Turn plain data into an attrs class.

    Raises:
        InvalidDocument: with every problem; unknown keys are problems too.
    """
    from cattrs import BaseValidationError

    try:
        return converter().structure(data, kind)
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
