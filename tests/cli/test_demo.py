import re
import subprocess
import sys
import time
from importlib.metadata import EntryPoints
from pathlib import Path

import pytest

from lifecycle_mail import plugins
from tests.cli.running import run, run_well, sendable_in, written

PLAN = re.compile(r"audience (\d+) = sendable (\d+) \+ withheld (\d+) \(([^)]*)\)")


def _plans(text: str) -> list[tuple[int, int, int]]:
    found = []
    for audience, sendable, withheld, reasons in PLAN.findall(text):
        assert int(audience) == int(sendable) + int(withheld)
        assert int(withheld) == sum(int(part.split()[0]) for part in reasons.split(", "))
        found.append((int(audience), int(sendable), int(withheld)))
    return found


def test_the_demo_shows_the_whole_job_in_seconds(tmp_path: Path) -> None:
    """In a process of its own the demo ends within seconds, with plans that account for everybody (L4)."""
    start = time.monotonic()
    command = [sys.executable, "-c", "from lifecycle_mail.cli import main; main()", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60)  # noqa: S603 - our own interpreter
    assert 15 > time.monotonic() - start  # under a second on an idle machine
    first, before, after = _plans(done.stdout)
    assert (10, 3, 7) == first
    assert (before[0], before[1] - 1, before[2] + 1) == after
    assert [] == list(tmp_path.iterdir())  # nothing is left behind


def test_after_her_opt_out_ada_is_not_in_the_second_plan() -> None:
    """Ada gets the first campaign and leaves through it; she is off the list and comes back by her own act (L4, O4)."""
    text = run_well("demo").out
    assert re.search(r"ada@example\.com +sendable", text)
    assert "thank-you-offer: sent 3" in text
    assert "ada@example.com left list:offers; nothing else changed for her" in text
    now = text[text.index("now:") :]
    assert "2 out-of-list" in now
    assert "needs confirmation, still off the list" in text
    assert "confirmed: on the list" in text
    assert "subscribed_members.csv:10" in text  # the bad address, with its line


def test_the_kept_files_do_what_the_demo_did(tmp_path: Path) -> None:
    """The commands that the demo shows give the same plan on the files that it keeps."""
    folder = tmp_path / "demo"
    run_well("demo", "--keep", folder)
    files = [*sorted(folder.glob("*_members.csv")), folder / "spend.csv", folder / "events.jsonl"]
    out = tmp_path / "out"
    config = folder / "lifecycle.toml"
    ran = run_well("plan", "thank-you-offer", *files, "-c", config, "--now", "2026-02-03T10:00:00Z", "--out", out)
    assert [(10, 3, 7)] == _plans(ran.out)
    assert {"ada@example.com", "cleo@example.com", "eve@example.com"} == sendable_in(out / "plan.csv")


def test_without_a_database_the_demo_runs_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lifecycle-mail-sql is not installed a line says so, and the story is the same; with `--db` it is 3."""
    points = plugins._points
    with_sqlite = ("sqlite", "postgresql")
    monkeypatch.setattr(
        plugins, "_points", lambda group: EntryPoints(one for one in points(group) if one.name not in with_sqlite)
    )
    ran = run_well("demo")
    assert "pip install lifecycle-mail-sql" in ran.err
    assert "thank-you-offer: sent 3" in ran.out
    assert "a mail left for ada@example.com" in ran.out
    kept = run("demo", "--db", tmp_path / "demo.db")
    assert 3 == kept.code
    assert "pip install lifecycle-mail-sql" in kept.err


def test_a_file_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    """Whatever lies at `--db` without the demo's mails beside it is somebody else's: 3, and nothing is made."""
    other = written(tmp_path / "mail.db", "somebody else's")
    ran = run("demo", "--db", other)
    assert 3 == ran.code
    assert "give a new --db" in ran.err
    assert [other] == list(tmp_path.iterdir())
    assert "somebody else's" == other.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "."])
def test_a_database_has_a_name(name: str) -> None:
    """A path that names no file is wrong usage."""
    assert 2 == run("demo", "--db", name).code
