"""`read`: find out what each file is, and read them all.

A source that names a file speaks for it. Other files are recognised by their contents, or not read at all: of
an unknown table nobody can say whom it takes off a list, so the error offers a mapping to complete and use.

The extensions of names decide nothing, except which files of a folder are data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.files import mailchimp, mailchimp_tables, sendgrid
from lifecycle_mail.files import sendgrid_suppressions as suppressions
from lifecycle_mail.files.checks import header_problems, problems
from lifecycle_mail.files.json_rows import looks_like_json, open_json
from lifecycle_mail.files.mapped import mapped_json, mapped_table
from lifecycle_mail.files.mapping import MAPPED, Format, Source
from lifecycle_mail.files.reading import OnProgress, Part, Reading
from lifecycle_mail.files.snippets import snippet
from lifecycle_mail.files.tables import open_table
from lifecycle_mail.files.text import BROKEN, Fault, Rows, TextFile
from lifecycle_mail.files.writing import OWN
from lifecycle_mail.model.instants import as_utc

DATA: Final = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson"})
"""The files of a folder that are read."""

_SAMPLE: Final = 2000


def read(
    paths: Iterable[Path | str],
    *,
    received_at: datetime,
    sources: Sequence[Source] = (),
    audience: str = "audience",
    lists: Mapping[str, str] | None = None,
    encoding: str | None = None,
    on_progress: OnProgress | None = None,
) -> Reading:
    """Read files as statements.

    Every file is opened once before any is read, so that whatever is wrong with mappings and headers is said
    at once.

    Args:
        paths: files, or folders: of a folder that holds no Mailchimp tables, its data files by name.
        received_at: when they were received, an aware instant: the time of what carries none of its own.
        sources: how to read which files; the first that claims a file reads it.
        audience: the list key of Mailchimp audiences, where no source says otherwise.
        lists: our list keys by the ids of Mailchimp lists and SendGrid groups, where no source says
            otherwise.
        encoding: the encoding, such as `cp1252`, of files that are not UTF-8, where no source says otherwise.
        on_progress: called with path, bytes done and bytes in all.

    Returns:
        The statements, to iterate; rejects and counts are kept while that is done.

    Raises:
        InvalidDocument: sources, headers or unknown files, with all their problems.
        OSError: a file cannot be opened.
    """
    received_at = as_utc(received_at)
    given = Source(files=("*",), format=Format.IGNORE, list=audience, lists=dict(lists or {}))
    found = [
        *problems(given, "read"),
        *(problem for n, source in enumerate(sources) for problem in problems(source, _where(source, n))),
    ]
    if found:
        raise InvalidDocument("the mapping cannot be used", found)
    opening = _Opening(
        received_at=received_at,
        sources=sources,
        audience=audience,
        lists=dict(lists or {}),
        encoding=encoding,
    )
    parts: list[Part[Any]] = []
    for path in _files(paths, opening):
        try:
            parts += opening.parts(path)
        except InvalidDocument as wrong:
            found += wrong.problems
    if found:
        raise InvalidDocument("these files cannot be read", found)
    return Reading(parts, on_progress=on_progress)


def _where(source: Source, place: int) -> str:
    return f"sources[{place}]" + (f" {source.name!r}" if source.name else "")


def _files(paths: Iterable[Path | str], opening: _Opening) -> Iterator[Path]:
    seen: set[Path] = set()
    for given in paths:
        path = Path(given)
        if path.is_dir() and not opening.is_tables(path):
            inside = sorted(p for p in path.iterdir() if p.is_file() and DATA & set(p.suffixes))
            if not inside:
                raise InvalidInput(f"{path}: the folder holds no data files ({', '.join(sorted(DATA))})")
        else:
            inside = [path]
        for each in inside:
            if each.resolve() not in seen:  # a file given twice is read once
                seen.add(each.resolve())
                yield each


@frozen(kw_only=True)
class _Opening:
    received_at: datetime
    sources: Sequence[Source]
    audience: str
    lists: Mapping[str, str]
    encoding: str | None

    def claimed(self, path: Path) -> Source | None:
        return next((source for source in self.sources if source.claims(path)), None)

    def is_tables(self, folder: Path) -> bool:
        source = self.claimed(folder)
        if source is None:
            return mailchimp_tables.is_folder(folder)
        return source.format in (Format.MAILCHIMP_TABLES, Format.IGNORE)

    def _is_one_table(self, path: Path, source: Source | None) -> bool:
        if source is not None:
            return source.format is Format.MAILCHIMP_TABLES
        return mailchimp_tables.is_folder(path.parent) and path in mailchimp_tables.tables_in(path.parent).values()

    def parts(self, path: Path) -> list[Part[Any]]:
        source = self.claimed(path)
        chosen = source or Source(list=self.audience)
        lists = {**self.lists, **chosen.lists}
        if source is not None and source.format is Format.IGNORE:
            return []
        if path.is_dir():
            if not mailchimp_tables.is_folder(path):
                raise _unread(path, "it holds no Mailchimp tables", "they are named member.csv, list.csv ...")
            return [*mailchimp_tables.tables_parts(path, lists=lists, received_at=self.received_at)]
        if self._is_one_table(path, source):
            fix = f"give the folder {path.parent}"
            raise _unread(path, "it is one of Mailchimp's tables, which only make sense together", fix)
        fallback = chosen.encoding or self.encoding
        first = _first_line(path, fallback)
        if first is None:
            return [_empty(path)]
        if looks_like_json(first):
            return [self._json(path, source, lists, fallback)]
        return [self._table(path, source, lists, fallback)]

    def _json(self, path: Path, source: Source | None, lists: Mapping[str, str], fallback: str | None) -> Part[Any]:
        format_ = source.format if source is not None else None
        sample: object = None
        if format_ is None:
            sample = next(iter(_first_values(path, fallback)), None)
            if sendgrid.is_event(sample):
                format_ = Format.SENDGRID_EVENTS
            elif suppressions.is_suppression(sample):
                format_ = Format.SENDGRID_SUPPRESSIONS
            elif isinstance(sample, dict) and tuple(sample) in OWN:
                return _passed_over(path, lambda: open_json(path, fallback=fallback))
        if format_ is Format.SENDGRID_EVENTS:
            return sendgrid.events_part(path, lists=lists, received_at=self.received_at, fallback=fallback)
        if format_ is Format.SENDGRID_SUPPRESSIONS:
            return self._suppressions(path, source, lists, fallback, table=False)
        if source is not None and format_ in MAPPED:
            return mapped_json(
                path,
                source,
                sample=_first_values(path, fallback),
                received_at=self.received_at,
                fallback=fallback,
            )
        if source is not None:
            raise _unread(path, f"it is JSON, and {source.format.value!r} is not", "correct the format")
        keys = [str(key) for key in sample] if isinstance(sample, dict) else []
        raise _unread(path, "its contents are not recognised", snippet(path, keys, []))

    def _table(self, path: Path, source: Source | None, lists: Mapping[str, str], fallback: str | None) -> Part[Any]:
        with open_table(path, delimiter=source.delimiter if source else None, fallback=fallback) as rows:
            header = rows.header
            sample = [row for _, (_, row) in zip(range(_SAMPLE), rows, strict=False) if not isinstance(row, Fault)]
        if source is not None and source.format in MAPPED:
            wrong = list(header_problems(source, header, str(path)))
            if wrong:
                raise InvalidDocument("the mapping does not fit", wrong)
            return mapped_table(path, source, header, received_at=self.received_at, fallback=fallback)
        if source is None and tuple(header) in OWN:
            return _passed_over(path, lambda: open_table(path, fallback=fallback))
        format_ = source.format if source is not None else None
        if format_ is Format.MAILCHIMP or (format_ is None and mailchimp.is_export(header)):
            return self._export(path, source, header, fallback)
        if format_ is Format.SENDGRID_SUPPRESSIONS or (format_ is None and _is_suppression_table(header)):
            return self._suppressions(path, source, lists, fallback, table=True)
        if source is not None:
            raise _unread(path, f"it is a table, and {source.format.value!r} is not", "correct the format")
        raise _unread(path, "its columns are not recognised", snippet(path, header, sample))

    def _export(self, path: Path, source: Source | None, header: Sequence[str], fallback: str | None) -> Part[Any]:
        column = source.columns.contact_id if source is not None else None
        missing = mailchimp.missing_columns(header)
        if column is not None and column not in header:
            missing.append(column)
        if missing:
            raise _unread(
                path, f"an audience export without the column {' and '.join(missing)}", "check file and format"
            )
        return mailchimp.export_part(
            path,
            header,
            audience=(source.list if source is not None else None) or self.audience,
            received_at=self.received_at,
            state=source.state if source is not None else None,
            contact_id=column,
            fallback=fallback,
        )

    def _suppressions(
        self,
        path: Path,
        source: Source | None,
        lists: Mapping[str, str],
        fallback: str | None,
        *,
        table: bool,
    ) -> Part[Any]:
        kind = (source.state if source is not None else None) or suppressions.kind_in_name(path.name)
        if kind is None and source is not None and source.list is not None:
            kind = "group" if not table else None
        if kind is not None and kind not in suppressions.SUPPRESSIONS:
            raise _unread(
                path, f"{kind!r} is no kind of suppressions", f"one of {', '.join(suppressions.SUPPRESSIONS)}"
            )
        return suppressions.suppressions_part(
            path,
            kind=kind,
            lists=lists,
            list_key=source.list if source is not None else None,
            received_at=self.received_at,
            table=table,
            fallback=fallback,
        )


def _is_suppression_table(header: Sequence[str]) -> bool:
    names = set(header)
    return {"email", "created"} <= names and names <= {"email", "created", "status", "reason", "ip"}


def _unread(path: Path, message: str, fix: str) -> InvalidDocument:
    return InvalidDocument("cannot be read", [Problem(str(path), message, fix)])


def _first_line(path: Path, fallback: str | None) -> str | None:
    """The first line that is not blank, or None for a file without one."""
    text = TextFile(path, fallback=fallback)
    try:
        return next((line for line in text.lines() if line.strip(" \t\r\n\ufeff")), None)
    except BROKEN as error:
        raise _unread(path, f"it is damaged from the start: {error}", "fetch the file again") from error
    finally:
        text.close()


def _first_values(path: Path, fallback: str | None) -> list[object]:
    with open_json(path, fallback=fallback) as rows:
        return [row for _, (_, row) in zip(range(_SAMPLE), rows, strict=False) if not isinstance(row, Fault)]


def _empty(path: Path) -> Part[Any]:
    remark = Fault("the file is empty", "was it written to the end?")
    return Part(path=path, format="empty", open=lambda: open_table(path), start=lambda: _never, remark=remark)


def _passed_over(path: Path, opened: Callable[[], Rows[Any]]) -> Part[Any]:
    return Part(path=path, format="our own output", open=opened, start=lambda: _never)


def _never(_line: int, _row: object, _note: object) -> tuple[()]:
    return ()
