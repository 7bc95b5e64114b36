"""Reads the pages: the files they show, and the commands with what comes out of them.

A file is a code block with its name as the caption, or what `$ cat NAME` shows before there is such a file; a command
follows a `$` in a block of the language `console`. All are taken as they stand, so that a page that shows something
else than what happens is a failing test.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

DOCS = Path(__file__).parent
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]

_FILE = re.compile(r"^```\{code-block\} \S+\n:caption: (?P<name>\S+)\n\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(r"^```console\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@frozen
class Command:
    """A command that a page shows.

    Attributes:
        line: where it stands in the page.
        command: what is typed.
        output: what the page says comes out; `...` stands for anything.
    """

    line: int
    command: str
    output: str


def files_in(page: Path) -> dict[str, str]:
    """Return the files that a page shows, by name."""
    return {found["name"]: found["text"] for found in _FILE.finditer(page.read_text(encoding="utf-8"))}


def commands_in(page: Path) -> Iterator[Command]:
    """Yield the commands that a page shows, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _CONSOLE.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        for chunk in re.split(r"^(?=\$ )", found["text"], flags=re.MULTILINE):
            if chunk.startswith("$ "):
                command, _, output = chunk[2:].partition("\n")
                yield Command(line, command, output)
            line += chunk.count("\n")


def write_files(page: Path, folder: Path) -> None:
    """Write the files of a page into a folder."""
    for name, text in files_in(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def shown_file(command: Command, folder: Path) -> bool:
    """Write the file that a `cat` shows for the first time; False for any other command."""
    program, *names = shlex.split(command.command)
    if program != "cat" or len(names) != 1 or (folder / names[0]).exists():
        return False
    (folder / names[0]).write_text(command.output, encoding="utf-8")
    return True


def run(command: str, folder: Path) -> str:
    """Run one command of ours in a folder, and return what it prints on both streams, without trailing spaces."""
    program, *words = shlex.split(command)
    if program == "cat":
        return "".join((folder / word).read_text(encoding="utf-8") for word in words)
    if program != "lifecycle-mail":
        raise ValueError(f"{command!r}: pages show lifecycle-mail and cat, and nothing else")
    arguments: list[str] = []
    for word in words:
        arguments += sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word]
    done = subprocess.run(
        [sys.executable, "-c", "from lifecycle_mail.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
