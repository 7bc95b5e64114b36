"""The pure floors decide from what they are given: no clock, no file, no network, no chance, no environment.

Ruff bans the same at each import; it cannot see the built-in functions, nor a call through an alias.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "lifecycle_mail"
PURE_FLOORS = ("errors", "model", "policy", "mails", "measure", "ports")
PURE_FILES = [
    path
    for floor in PURE_FLOORS
    for path in (PACKAGE / f"{floor}.py", *sorted((PACKAGE / floor).rglob("*.py")))
    if path.exists()
]

IMPURE_MODULES = {
    "asyncio", "glob", "http", "io", "os", "pathlib", "random", "secrets", "shutil", "socket", "sqlite3",
    "subprocess", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_NAMES = {
    "breakpoint", "input", "open", "print",
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow",
    "sys.argv", "sys.stderr", "sys.stdin", "sys.stdout", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip


def within(name: str, impure: set[str]) -> bool:
    """Tell whether a dotted name is one of the impure ones, or lives inside one."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in impure for length in range(1, len(parts) + 1))


def dotted(node: ast.expr, bound: dict[str, str]) -> str | None:
    """Return the full name that an expression refers to, seen through the imports of its module."""
    if isinstance(node, ast.Name):
        return bound.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value, bound)) is not None:
        return f"{owner}.{node.attr}"
    return None


def impurities(source: str) -> Iterator[str]:
    """Name what a module imports or refers to and may not, with the line."""
    tree = ast.parse(source)
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                prefix = ""
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                prefix = f"{module}."
            case _:
                continue
        for alias in aliases:
            name = prefix + alias.name
            if prefix or alias.asname:
                bound[alias.asname or alias.name] = name
            if within(name, IMPURE_MODULES):
                yield f"{node.lineno}: import of {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node, bound) in IMPURE_NAMES:
            yield f"{node.lineno}: {dotted(node, bound)}"


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_pure_floor_only_uses_what_it_is_given(path: Path) -> None:
    """No module of a pure floor reads a clock, a file, the network, chance or the environment."""
    assert [] == list(impurities(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "open('list.csv')",
        "print('done')",
        "import os\nos.environ['KEY']",
        "from os import environ",
        "import time as clock",
        "from random import choice",
        "import urllib.request",
        "from datetime import datetime as moment\nmoment.now(tz=None)",
        "import datetime\ndatetime.date.today()",
        "import datetime as dt\nread_clock = dt.datetime.utcnow",
    ],
)
def test_impure_code_is_found(source: str) -> None:
    """Each way to reach outside is found, behind an alias too."""
    assert list(impurities(source))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, time\ndatetime.fromisoformat(text)",
        "def due(now, opened):\n    return now - opened.time",
        "mail.open",
        "from urllib.parse import quote",
        "from .time import instants",
    ],
)
def test_pure_code_is_let_through(source: str) -> None:
    """Names that only resemble impure ones are let through."""
    assert [] == list(impurities(source))
