"""Renders templates that may be hostile, each in a process of its own that may use little memory and time.

Run as a program, it takes `{"kind": ..., "templates": {...}}` as a line of JSON, answers with a line of JSON, and so on
until its input ends. It has loaded everything when it takes the first, and each is rendered in a fork of it. The limits
are there to end what no limit of the library ends; they are far from what any template needs.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MEMORY = 1_000_000_000
"""Bytes of address space; an interpreter with all libraries has a third of it."""
SECONDS = 30
"""Of processor time."""

Job = Mapping[str, Any]
Outcome = Mapping[str, Any]


class Confinement:
    """A program that renders what it is given, one after the other; see `confinement`."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def outcome(self, job: Job) -> Outcome:
        """Render in a process of its own, and return what came of it."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(job) + "\n")
        self._program.stdin.flush()
        found: Outcome = json.loads(self._program.stdout.readline())
        return found


@contextmanager
def confinement() -> Iterator[Confinement]:
    """Start the program, and end it afterwards."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mails.confined"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as program:
        yield Confinement(program)
    assert 0 == program.returncode


def _render(job: Job, *, limit: bool = True) -> Outcome:
    from lifecycle_mail.errors import InvalidTemplate
    from lifecycle_mail.mails.kinds import Kind
    from lifecycle_mail.mails.rendering import Renderer
    from lifecycle_mail.mails.samples import BRAND, NOW
    from tests.mails.rendered import LINKS, specifications

    spec = specifications("en")[Kind(job["kind"])]
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        mail = Renderer(BRAND, links=LINKS, templates=job["templates"]).render(spec, now=NOW)
    except InvalidTemplate as error:
        return {"error": "InvalidTemplate", "at": error.template, "line": error.line, "reason": error.reason}
    except BaseException as error:  # noqa: BLE001 - what comes out is the finding
        return {"error": type(error).__name__, "reason": str(error)[:500]}
    return {"error": "", "text": mail.text, "html": mail.html}


def _confined(job: Job) -> Outcome:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            out.write(json.dumps(_render(job)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        found = said.read()
    _, status = os.waitpid(child, 0)
    return json.loads(found) if found and status == 0 else {"error": f"the process ended with {status}"}


def main() -> None:
    """Render what the input gives."""
    _render({"kind": "last-chance", "templates": {}}, limit=False)  # loads all that is loaded on first use
    for line in iter(sys.stdin.readline, ""):
        sys.stdout.write(json.dumps(_confined(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
