"""The configuration of a run: one TOML file with lists, segments, campaigns, fields, policy and sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidDocument, Problem, UnknownName
from lifecycle_mail.files.mapping import Source
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.policy.documents import parse_toml, structure
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.settings import Cadence


@frozen(kw_only=True)
class Config:
    """What a run goes by.

    Attributes:
        programme: lists, segments, campaigns, fields and policy.
        sources: how to read which files.
    """

    programme: Programme = field(factory=Programme)
    sources: tuple[Source, ...] = ()

    @classmethod
    def read(cls, path: Path | None, *, policy: str | None = None) -> Config:
        """Read a configuration; without a file, the defaults.

        Args:
            path: the TOML file.
            policy: a cadence or the path of a policy's own TOML file, which then counts instead of `[policy]`.

        Raises:
            InvalidDocument: with every problem.
            OSError: a file cannot be read.
        """
        made = cls() if path is None else cls._parse(_text(path), str(path))
        if policy is None:
            return made
        return evolve(made, programme=evolve(made.programme, policy=read_policy(policy)))

    @classmethod
    def _parse(cls, text: str, what: str) -> Config:
        data = parse_toml(text, what=what)
        problems: list[Problem] = []
        rows = data.pop("sources", [])
        if not isinstance(rows, list):
            problems.append(Problem("$.sources", "expected an array of tables", "write [[sources]]"))
            rows = []
        sources = [_source(row, what, f"$.sources[{place}]", problems) for place, row in enumerate(rows)]
        try:
            programme = Programme.from_dict(data, what=what)
        except InvalidDocument as error:
            problems += error.problems
        if not problems:
            problems += _undeclared(sources, programme.lists)
        if problems:
            raise InvalidDocument(what, problems)
        return cls(programme=programme, sources=tuple(source for source in sources if source is not None))


def _undeclared(sources: Sequence[Source | None], lists: Mapping[str, MailingList]) -> Iterator[Problem]:
    """Find lists that sources name and nobody declares: a no to one of them would bind nothing."""
    for place, source in enumerate(sources):
        if source is None or not lists:
            continue
        named = [("list", source.list), ("assume_list", source.assume_list)]
        named += [(f"lists.{theirs}", ours) for theirs, ours in source.lists.items()]
        for name, key in named:
            if key is not None and key not in lists:
                yield Problem(
                    f"$.sources[{place}].{name}", str(UnknownName("list", key, lists)), "declare it in [[lists]]"
                )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDocument(str(path), [Problem("$", f"not UTF-8: {error}", "save it as UTF-8")]) from None


def _source(row: Any, what: str, path: str, problems: list[Problem]) -> Source | None:
    if isinstance(row, dict) and isinstance(row.get("files"), str):
        row = {**row, "files": [row["files"]]}
    try:
        return structure(row, Source, what=what, path=path)
    except InvalidDocument as error:
        problems += error.problems
        return None


def read_policy(name: str) -> Policy:
    """Read a policy by the cadence of a preset, or from its own TOML file."""
    if name in list(Cadence):
        return Policy.for_cadence(name)
    path = Path(name)
    if not path.exists():
        problem = Problem("--policy", f"{name!r} is neither a preset nor a file", f"presets: {', '.join(Cadence)}")
        raise InvalidDocument("policy", [problem])
    data = parse_toml(_text(path), what=name)
    inner = data.get("policy")
    return Policy.from_dict(inner if isinstance(inner, dict) else data, what=name)
