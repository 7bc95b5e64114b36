"""Renders templates that may be hostile, each in a process of its own that may use little memory and time.

Run as a program: a JSON list of `{"kind": ..., "templates": {...}}` on its input, one JSON object a line on its output.
The limits are there to end what no limit of the library ends; they are far from what any template needs.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MEMORY = 1_000_000_000
"""Bytes of address space; an interpreter with all libraries has a third of it."""
SECONDS = 30
"""Of processor time."""

Job = Mapping[str, Any]
Outcome = Mapping[str, Any]


def outcomes(jobs: Sequence[Job]) -> list[Outcome]:
    """Render each in a process of its own, and return what came of it, in the same order."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mails.confined"],
        cwd=ROOT,
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(jobs) == len(found), done.stderr
    return found


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
    """Render what the input lists."""
    jobs = json.load(sys.stdin)
    for kind in {job["kind"] for job in jobs}:
        _render({"kind": kind, "templates": {}}, limit=False)  # all that is loaded on first use, before the first fork
    for job in jobs:
        sys.stdout.write(json.dumps(_confined(job)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
