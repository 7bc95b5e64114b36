"""What is wrong with a source: all of it at once, with its place, before a row is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from lifecycle_mail.errors import InvalidInput, Problem
from lifecycle_mail.files.mapping import (
    KINDS,
    LATEST,
    MAPPED,
    TEMPLATE,
    Format,
    Source,
    is_instant,
    template_columns,
)
from lifecycle_mail.model.names import require_slug

_NEEDS: Final[Mapping[Format, tuple[str, ...]]] = {Format.EVENTS: ("at", "kind")}


def problems(source: Source, where: str) -> Iterator[Problem]:
    """Yield everything that is wrong with a source, whatever the files are.

    Args:
        source: the source.
        where: how problems name it, for example `sources[0]`.
    """
    if not source.files:
        yield Problem(f"{where}.files", "no files are named", "give patterns such as 'email_events.csv*'")
    if not _is_zone(source.timezone):
        fix = "give an IANA name such as Europe/Tallinn"
        yield Problem(f"{where}.timezone", f"{source.timezone[:40]!r} is no time zone", fix)
    if source.delimiter is not None and len(source.delimiter) != 1:
        yield Problem(f"{where}.delimiter", "a delimiter is one character")
    yield from _list_problems(source, where)
    if source.taken_at is not None and not is_instant(source.taken_at):
        yield Problem(f"{where}.taken_at", f"{source.taken_at[:40]!r} is no instant", "write 2026-02-03T10:00:00Z")
    if source.format in MAPPED:
        yield from _mapped_problems(source, where)


def _list_problems(source: Source, where: str) -> Iterator[Problem]:
    keys = {"list": source.list, "assume_list": source.assume_list}
    keys.update({f"lists.{theirs}": ours for theirs, ours in source.lists.items()})
    for name, key in keys.items():
        if key is None:
            continue
        try:
            require_slug(None, _Named("a list key"), key)
        except InvalidInput as problem:
            yield Problem(f"{where}.{name}", str(problem))


@frozen
class _Named:
    name: str


def _mapped_problems(source: Source, where: str) -> Iterator[Problem]:
    columns = source.columns
    if not (columns.contact_id or columns.email or source.email_template):
        fix = "map contact_id, email, or both"
        yield Problem(f"{where}.columns", "nothing says whom a row is about", fix)
    for name in _NEEDS.get(source.format, ()):
        if getattr(columns, name) is None:
            yield Problem(f"{where}.columns.{name}", "it is not mapped", "name the column that holds it")
    if source.format is Format.SNAPSHOT:
        yield from _snapshot_problems(source, where)
    if columns.status is not None and source.format is Format.EVENTS:
        yield Problem(f"{where}.columns.status", "events have no status", "map it to columns.kind, or read contacts")
    elif columns.status is not None and source.list is None:
        yield Problem(f"{where}.list", "a status is about a list", "name the list that the status column speaks of")
    known = KINDS[source.format]
    for value, meaning in source.kinds.items():
        if meaning not in known:
            near = difflib.get_close_matches(meaning, known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
            yield Problem(f"{where}.kinds.{value}", f"{meaning!r} is not known", fix)
    if source.email_template is not None:
        rest = TEMPLATE.sub("", source.email_template)
        if "{" in rest or "}" in rest or "@" not in rest or not template_columns(source.email_template):
            fix = "write for example user{user_id}@example.com"
            yield Problem(f"{where}.email_template", "it is not an address with {column} in it", fix)


def _snapshot_problems(source: Source, where: str) -> Iterator[Problem]:
    columns = source.columns
    if columns.taken_at is None and source.taken_at is None:
        fix = "map columns.taken_at, or give taken_at for the whole file"
        yield Problem(f"{where}.columns.taken_at", "nothing says when it was counted", fix)
    for name in LATEST:
        if getattr(columns, name) is not None and getattr(columns, f"{name}_days") is not None:
            yield Problem(f"{where}.columns.{name}", f"it is mapped, and so is {name}_days", "map one of them")
    if columns.opened_share is not None and columns.unopened_share is not None:
        yield Problem(f"{where}.columns.opened_share", "it is mapped, and so is unopened_share", "map one of them")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def header_problems(source: Source, header: Sequence[str], where: str) -> Iterator[Problem]:
    """Yield what a source maps and a table does not have, with near misses.

    Args:
        source: the source.
        header: the names of the table's columns.
        where: how problems name the file.
    """
    said = dict(source.mapped)
    for column in template_columns(source.email_template or ""):
        said.setdefault(f"email_template {{{column}}}", column)
    if source.assume_at is not None and not is_instant(source.assume_at):
        said["assume_at"] = source.assume_at
    for name, column in said.items():
        if column in header:
            continue
        folded = {known.casefold(): known for known in header}
        near = difflib.get_close_matches(column.casefold(), folded, n=3)
        fix = (
            f"did you mean {' or '.join(repr(folded[name]) for name in near)}?"
            if near
            else "it has " + ", ".join(header)
        )
        yield Problem(where, f"no column {column!r} for {name}", fix)
