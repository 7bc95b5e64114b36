"""Mails and files: specifications in JSON, a sender in TOML, templates and catalogues in folders, mails written out."""

from __future__ import annotations

import functools
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, Attribute, evolve, fields, fields_dict, has

from lifecycle_mail.errors import InvalidDocument, InvalidInput, MailRefused, Problem, UnknownName
from lifecycle_mail.files.contact_data import contact_converter
from lifecycle_mail.mails import KINDS, Brand, Card, Kind, Mail, Money, Specification, Theme
from lifecycle_mail.mails.catalogues import Catalogue
from lifecycle_mail.mails.kinds import class_of
from lifecycle_mail.mails.loading import NAMES
from lifecycle_mail.mails.specs.base import find_promotions
from lifecycle_mail.mails.texts import LANGUAGE_TAG
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.policy.documents import parse_toml, structure

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

SUFFIX = ".jinja"
"""What the name of a template's file ends with."""

_TEXTS = (Card, EmailAddress, Money)
"""Classes that are written as a text."""


@functools.cache
def mail_converter() -> Converter:
    """Return the converter of contacts, with what mails hold beyond them."""
    from cattrs.gen import make_dict_structure_fn

    made = contact_converter().copy()

    def only_tables(kind: type[Any]) -> Callable[[Any, Any], Any]:
        plain = make_dict_structure_fn(kind, made, _cattrs_forbid_extra_keys=True)
        optional = {one.name for one in fields(kind) if one.default is not NOTHING}

        def read(value: Any, as_kind: Any) -> Any:
            if not isinstance(value, Mapping):
                raise InvalidInput(f"{str(value)[:40]!r}: expected a table of {', '.join(fields_dict(kind))}")
            # A null stands where nothing is said, and nobody goes without their mail for it.
            return plain({name: one for name, one in value.items() if one is not None or name not in optional}, as_kind)

        return read

    made.register_structure_hook_factory(has, only_tables)
    made.register_structure_hook(EmailAddress, lambda value, _: parse_address(value))
    made.register_structure_hook(date, lambda value, _: _day(value))
    made.register_structure_hook(datetime, lambda value, _: _instant(value))
    made.register_structure_hook(Card, lambda value, _: Card(value))
    made.register_structure_hook(Money, lambda value, _: _money(value))
    plain = made.get_structure_hook(Theme)
    made.register_structure_hook(Theme, lambda value, kind: _theme(value) or plain(value, kind))
    return made


def _day(value: object) -> date:
    try:
        if not isinstance(value, str):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise InvalidInput(f"{str(value)[:40]!r} is not a day: write 2026-03-31") from None


def _instant(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:  # nobody knows whose noon it was, and a mail would state one (R15)
        raise InvalidInput(f"{str(value)[:40]!r} is not an instant with its zone: write 2026-03-31T12:00:00+02:00")
    return found


def _theme(value: object) -> Theme | None:
    """Read the short form of a theme: one colour of the brand, and what else differs."""
    if not isinstance(value, Mapping) or "accent" not in value:
        return None
    known = ("accent", "dark_accent", "fonts", "radius")
    strange = sorted(set(value) - set(known))
    if strange:
        raise InvalidInput(f"theme: unknown {', '.join(strange)}; with accent go {', '.join(known[1:])}")
    return Theme.of(**value)


def _money(value: object) -> Money:
    amount, _, currency = str(value).rpartition(" ")
    if not isinstance(value, str) or not amount:
        raise InvalidInput(f"{str(value)[:40]!r} is not a sum: write '4.03 EUR'")
    return Money(amount, currency)


def read_specification(
    kind: Kind, data: object, *, what: str, locale: str | None = None, now: datetime | None = None
) -> Specification:
    """Read what a mail says from JSON data.

    Args:
        kind: of the mail.
        data: the fields of its specification; `to` holds the recipient's.
        what: the name of the document, for errors.
        locale: a language that counts instead of the recipient's own, or None.
        now: the instant at which the mail is written, which its days and instants have to fit (S8); None where nobody
            knows it yet.

    Raises:
        InvalidDocument: with every problem, each with its path; that a transactional mail would promote something is
            one of them (C6), and that a mail of that instant could not say a day.
    """
    if isinstance(data, Mapping) and locale is not None and isinstance(data.get("to"), Mapping):
        data = {**data, "to": {**data["to"], "locale": locale}}
    of = class_of(kind)
    try:
        made: Specification = _structured(data, of, what=what)
        if now is not None:
            made.require_timely(now)
    except InvalidDocument as error:
        right = _right(of, data)
        found = [] if KINDS[kind].marketing else [*find_promotions(right)]
        found += [] if now is None else [*of.find_untimely(right, now)]
        told = {one.path for one in error.problems}
        further = [evolve(one, path=f"$.{one.path}") for one in found]
        raise InvalidDocument(what, [*error.problems, *(one for one in further if one.path not in told)]) from None
    except MailRefused as error:
        problems = [evolve(one, path=f"$.{one.path}") for one in error.problems] or [Problem("$", str(error))]
        raise InvalidDocument(what, problems) from None
    return made


def _structured(data: object, kind: type[T], *, what: str, path: str = "$") -> T:
    """Make a class of data.

    Raises:
        InvalidDocument: with every problem, each with its path.
    """
    try:
        return structure(data, kind, what=what, path=path, using=mail_converter())
    except InvalidDocument as error:
        found = {problem.path: problem for problem in _hidden(kind, data, path)}
        # Where a class as a whole was refused for one of its values, that value has the longer path.
        told = [one for one in error.problems if not any(_is_below(at, one) for at in found.values())]
        told += [one for at, one in found.items() if at not in {problem.path for problem in told}]
        raise InvalidDocument(what, told) from None


def _is_below(found: Problem, problem: Problem) -> bool:
    return found.message == problem.message and found.path.startswith((f"{problem.path}.", f"{problem.path}["))


def _hidden(kind: type[Any], data: object, path: str) -> Iterator[Problem]:
    """Find what other problems hide: a class is made, and its values checked, only once all of them could be read."""
    if not isinstance(data, Mapping):
        return
    types = get_type_hints(kind)
    for name, one in fields_dict(kind).items():
        if name not in data:
            continue
        at = f"{path}.{name}"
        for inner, value, place in _inside(types[name], data[name], at):
            yield from _hidden(inner, value, place)
        try:
            _value(one, types[name], data[name], at)
        except InvalidDocument:
            continue  # told, for the class that it is in
        except InvalidInput as error:
            yield Problem(at, str(error))


def _right(kind: type[Any], data: object) -> dict[str, Any]:
    """Make of data the values that are right by themselves, by the names of their fields."""
    found: dict[str, Any] = {}
    if not isinstance(data, Mapping):
        return found
    types = get_type_hints(kind)
    for name, one in fields_dict(kind).items():
        if name in data:
            with suppress(InvalidInput):
                found[name] = _value(one, types[name], data[name], name)
    return found


def _value(one: Attribute[Any], kind: Any, data: object, path: str) -> Any:
    """Make the value of a field, and check it as its class would.

    Raises:
        InvalidDocument: it cannot be read.
        InvalidInput: it can, and is wrong.
    """
    value = structure(data, kind, what=path, using=mail_converter())
    value = one.converter(value) if callable(one.converter) else value
    if one.validator is not None:
        one.validator(None, one, value)
    return value


def _inside(kind: Any, data: object, path: str) -> Iterator[tuple[type[Any], object, str]]:
    """Find the tables in a value that classes are made of, each with its path."""
    if get_origin(kind) is tuple and isinstance(data, list | tuple):
        for place, one in enumerate(data):
            yield from _inside(get_args(kind)[0], one, f"{path}[{place}]")
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _inside(one, data, path)
    elif has(kind) and kind not in _TEXTS:
        yield kind, data, path


def as_data(value: Any) -> Any:
    """Return a specification, or what it is made of, as the JSON data that reads back as it."""
    if isinstance(value, Card):
        return value.last_four
    if isinstance(value, Money):
        return f"{value.amount} {value.currency}"
    if isinstance(value, EmailAddress):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [as_data(one) for one in value]
    if has(type(value)):
        pairs = ((one, getattr(value, one.name)) for one in fields(type(value)) if one.init)
        return {one.name: as_data(held) for one, held in pairs if held != one.default}
    return value


def read_brand(path: Path) -> Brand:
    """Read a sender from TOML, at its top or under `[brand]`.

    Raises:
        InvalidDocument: with every problem, each with its path.
        OSError: the file cannot be read.
    """
    data = parse_toml(_text(path), what=str(path))
    inner = data.get("brand", data)
    return _structured(inner, Brand, what=str(path), path="$.brand" if "brand" in data else "$")


def read_templates(folder: Path) -> dict[str, str]:
    """Read somebody's own templates: each `NAME.jinja` of a folder takes the place of the one that ships.

    Raises:
        InvalidDocument: names that no template has, all of them, each with near misses.
        OSError: the folder or a file cannot be read.
    """
    found: dict[str, str] = {}
    problems = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        if name in NAMES:
            found[name] = _text(path)
        else:
            problems.append(Problem(str(path), str(UnknownName("template", name, NAMES)), "rename the file"))
    if problems:
        raise InvalidDocument(str(folder), problems)
    if not found:
        problem = Problem(str(folder), f"no template ends with {SUFFIX}", "see: lifecycle-mail templates show NAME")
        raise InvalidDocument(str(folder), [problem])
    return found


def read_catalogues(folder: Path) -> tuple[Catalogue, ...]:
    """Read somebody's own translations: each `LANGUAGE.po` of a folder.

    Raises:
        InvalidDocument: with every problem of every file.
        OSError: the folder or a file cannot be read.
    """
    found: list[Catalogue] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.po")):
        if not LANGUAGE_TAG.fullmatch(path.stem):  # nobody reads in it, so that it would never be looked into
            problems.append(
                Problem(str(path), f"{path.stem[:40]!r} is no language", "name it after one: fi.po, pt-BR.po")
            )
        try:
            found.append(Catalogue.read(_text(path), language=path.stem, name=str(path)))
        except InvalidDocument as error:
            problems += error.problems
    if problems:
        raise InvalidDocument(str(folder), problems)
    return tuple(found)


def read_data(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield what a file of JSON, or of JSON lines, holds: each object with its place.

    Raises:
        InvalidDocument: it is not JSON, not UTF-8, or an object has a key twice. Lines are left to `read_object`.
        OSError: the file cannot be read.
    """
    if path.suffix != ".jsonl":
        yield str(path), _json(_text(path), str(path))
        return
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = raw.removeprefix(BOM_UTF8) if number == 1 else raw
            if line.strip():
                yield f"{path}:{number}", line


def read_object(place: str, data: Any) -> Any:
    """Return an object of `read_data`, read where it is a line.

    Raises:
        InvalidDocument: it is not JSON, or not UTF-8, or an object has a key twice.
    """
    return _json(_decoded(data, place), place) if isinstance(data, bytes) else data


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, as it is written."""


def _json(text: str, what: str) -> Any:
    doubled: dict[str, Problem] = {}
    try:
        data = _plain_json(json.loads(text, object_pairs_hook=_Pairs), "$", doubled)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(what, [Problem("$", f"not JSON: {error}")]) from None
    if doubled:
        raise InvalidDocument(what, tuple(doubled.values()))
    return data


def _plain_json(value: Any, path: str, doubled: dict[str, Problem]) -> Any:
    """Return what was read as plain data, and note keys that are there twice: all but the last would be lost."""
    if isinstance(value, _Pairs):
        found: dict[str, Any] = {}
        for name, one in value:
            at = f"{path}.{name}"
            if name in found:
                doubled[at] = Problem(at, f"the key {name!r} is there twice", "keep the one that counts")
            found[name] = _plain_json(one, at, doubled)
        return found
    if isinstance(value, list):
        return [_plain_json(one, f"{path}[{place}]", doubled) for place, one in enumerate(value)]
    return value


def _text(path: Path) -> str:
    return _decoded(path.read_bytes(), str(path))


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8-sig")  # Windows begins files with a mark
    except UnicodeDecodeError as error:
        raise InvalidDocument(what, [Problem("$", f"not UTF-8: {error}", "save it as UTF-8")]) from None


def write_mail(mail: Mail, folder: Path, name: str) -> tuple[Path, ...]:
    """Write a mail as `NAME.html`, `NAME.txt` and `NAME.eml`, the message as it goes out.

    Raises:
        LifecycleMailError: its headers cannot be written.
        OSError: a file cannot be written.
    """
    message = mail.to_message().as_bytes()
    written = []
    for suffix, content in (("html", mail.html.encode()), ("txt", _plain(mail).encode()), ("eml", message)):
        path = folder / f"{name}.{suffix}"
        path.write_bytes(content)
        written.append(path)
    return tuple(written)


def _plain(mail: Mail) -> str:
    headers = {"Subject": mail.subject, "Preheader": mail.preheader, **mail.headers}
    return "\n".join(f"{name}: {value}" for name, value in headers.items()) + "\n\n" + mail.text
