"""The configuration of a run: one TOML file with lists, segments, campaigns, fields, policy, sources and the ESP."""

from __future__ import annotations

import re
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

_FROM_ENVIRONMENT = "_env"
_SECRET = re.compile(r"(?i).*(key|secret|token|password)s?")


@frozen(kw_only=True)
class EspConfig:
    """Which ESP a run talks to: `[esp]`, with a name and whatever its adapter takes.

    Secrets stay out of the file: `api_key_env = "MAILCHIMP_API_KEY"` says where the value of `api_key` is found.

    Attributes:
        name: of the installed adapter.
        options: what it takes, by name.
        environment: options that are read from the environment, each with the name of its variable.
    """

    name: str
    options: Mapping[str, Any] = field(factory=dict)
    environment: Mapping[str, str] = field(factory=dict)

    @classmethod
    def read(cls, data: object, problems: list[Problem]) -> EspConfig | None:
        """Read `[esp]`; what is wrong is added to the problems."""
        if not isinstance(data, dict):
            problems.append(Problem("$.esp", "expected a table", "write [esp] and below it name = "))
            return None
        rest = dict(data)
        name = rest.pop("name", None)
        if not isinstance(name, str) or not name:
            problems.append(Problem("$.esp.name", "no adapter is named", 'write name = "mailchimp"'))
        options: dict[str, Any] = {}
        environment: dict[str, str] = {}
        for option, value in rest.items():
            if option.endswith(_FROM_ENVIRONMENT):
                if isinstance(value, str) and value:
                    environment[option.removesuffix(_FROM_ENVIRONMENT)] = value
                else:
                    problems.append(Problem(f"$.esp.{option}", "no variable is named", f'{option} = "SOME_VARIABLE"'))
            elif _SECRET.fullmatch(option):
                fix = f'name a variable of the environment: {option}_env = "SOME_VARIABLE"'
                problems.append(Problem(f"$.esp.{option}", "a secret does not belong into this file", fix))
            else:
                options[option] = value
        return cls(name=str(name), options=options, environment=environment)


@frozen(kw_only=True)
class Config:
    """What a run goes by.

    Attributes:
        programme: lists, segments, campaigns, fields and policy.
        sources: how to read which files.
        esp: which ESP to talk to, or None.
    """

    programme: Programme = field(factory=Programme)
    sources: tuple[Source, ...] = ()
    esp: EspConfig | None = None

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
        esp = EspConfig.read(data.pop("esp"), problems) if "esp" in data else None
        try:
            programme = Programme.from_dict(data, what=what)
        except InvalidDocument as error:
            problems += error.problems
        if not problems:
            problems += _undeclared(sources, programme.lists)
        if problems:
            raise InvalidDocument(what, problems)
        return cls(programme=programme, sources=tuple(source for source in sources if source is not None), esp=esp)


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
