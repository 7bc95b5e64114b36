"""TOML and JSON documents: structured through cattrs, all problems at once, each with its path."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from attrs import NOTHING, fields_dict, has

from lifecycle_mail.errors import InvalidDocument, InvalidInput, MailRefused, Problem
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
        made.register_structure_hook_factory(_is_several)(_several)
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


def _is_several(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,)


def _several(kind: Any, using: Converter) -> Callable[[Any, Any], Any]:
    entries: Any = GenericAlias(list, get_args(kind)[:1])
    read_entries = using.get_structure_hook(entries)

    def read(value: Any, _kind: Any) -> Any:
        if not isinstance(value, list | tuple):  # taken apart, the text "Maps" would be four entries of a letter each
            raise InvalidInput(f"{str(value)[:40]!r}: expected a list, in brackets")
        return tuple(read_entries(value, entries))

    return read


def check_values(data: Mapping[str, Any], kind: type, *, path: str) -> list[Problem]:
    """Check each value for a flat attrs class by itself, so that the first wrong one does not hide the others."""
    known = fields_dict(kind)
    found = [_unknown(name, known, path) for name in sorted(set(data) - set(known))]
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
        raise InvalidDocument(what, tuple(_problems(error, path))) from None
    except InvalidDocument as error:
        raise InvalidDocument(what, [Problem(path, p.message, p.fix) for p in error.problems]) from None
    except (InvalidInput, TypeError, ValueError) as error:
        raise InvalidDocument(what, [Problem(path, str(error))]) from None


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    from cattrs import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
    from cattrs.errors import IterableValidationNote

    if isinstance(error, ClassValidationError | IterableValidationError):
        placed, others = error.group_exceptions()
        for inner, note in placed:
            step = f"[{note.index!r}]" if isinstance(note, IterableValidationNote) else f".{note.name}"
            yield from _problems(inner, path + step)
        for inner in others:
            yield from _problems(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        yield from (_unknown(name, fields_dict(error.cl), path) for name in sorted(error.extra_fields))
    elif isinstance(error, MailRefused) and error.problems:
        yield from (Problem(f"{path}.{one.path}", one.message, one.fix) for one in error.problems)
    elif isinstance(error, InvalidDocument):
        yield Problem(path, "; ".join(one.message + (f" ({one.fix})" if one.fix else "") for one in error.problems))
    elif isinstance(error, KeyError) and not isinstance(error, InvalidInput):
        yield Problem(path, "required, and missing")
    else:
        yield Problem(path, str(error))


def _unknown(name: str, known: Iterable[str], path: str) -> Problem:
    near = get_close_matches(name, known := [*known], n=3)
    fix = f"did you mean {' or '.join(map(repr, near))}?" if near else f"one of {', '.join(known)}"
    return Problem(f"{path}.{name}", f"unknown field {name!r}", fix)


def require_table(data: object, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    """Return a TOML table, or note that something else stands in its place."""
    if isinstance(data, Mapping):
        return data
    problems.append(Problem(path, f"expected a table, found {type(data).__name__}"))
    return {}
