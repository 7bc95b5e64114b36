"""The demo on a file: killed anywhere and started again, it goes on, and mails nobody twice."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from attrs import frozen
from lifecycle_mail_sql import SqlStore

from lifecycle_mail.cli.demo_esp import FileEsp
from lifecycle_mail.cli.demo_files import NOW
from lifecycle_mail.service.leasing import LEASE
from tests.cli.running import run, run_well

MAILED = {"ada@example.com", "cleo@example.com", "eve@example.com"}
KILLS = 12
SEED = 20260203
PATIENCE = 120.0
MARKS = ("1. Made-up lists", "subscribed_members.csv: ")
"""What the demo prints before it opens the registry, and once the lists are in it."""
LAST = "the registry was verified"
"""What it prints last."""


def _started(db: Path, mark: str = MARKS[0]) -> subprocess.Popen[str]:
    """Start the demo in a process of its own, and wait until it has come to a mark, or to its end."""
    command = [sys.executable, "-u", "-m", "lifecycle_mail.cli", "demo", "--db", str(db)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    _until(process, mark)
    return process


def _until(process: subprocess.Popen[str], mark: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if mark in line:
            break
    return lines


def _ended(process: subprocess.Popen[str]) -> str:
    story, err = process.communicate(timeout=PATIENCE)
    assert 0 == process.returncode, err
    return story


@frozen
class Undisturbed:
    """A demo that nobody killed.

    Attributes:
        takes: how many seconds it took from each mark to its last line.
        story: what it printed after the last mark.
    """

    takes: dict[str, float]
    story: str


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Run the demo to its end."""
    takes = {}
    for mark in MARKS:
        process = _started(tmp_path_factory.mktemp("undisturbed") / "demo.db", mark)
        began = time.monotonic()
        rest = _until(process, LAST)
        takes[mark] = time.monotonic() - began
        _ended(process)
    return Undisturbed(takes, "".join(rest))


def _ending(story: str) -> str:
    return story.partition("8. What there is now")[2]


def _mailed(db: Path) -> Counter[str]:
    lines = map(json.loads, db.with_name(f"{db.name}.mails.jsonl").read_text(encoding="utf-8").splitlines())
    return Counter(mail["to"] for did in lines if did["did"] == "release" for mail in did["mails"])


@pytest.mark.parametrize(
    "number",
    [pytest.param(one, marks=() if one % 3 == 0 or one == 1 else pytest.mark.long) for one in range(KILLS)],
)
def test_a_demo_that_is_killed_goes_on_and_mails_nobody_twice(
    number: int, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Killed at an instant of its run, and again while it goes on, it ends as if nothing had been (F3, F19)."""
    chance = random.Random(f"{SEED} {number}")  # noqa: S311 - the same instants each time
    db = tmp_path / "demo.db"
    mark, other = MARKS if number % 3 == 0 else reversed(MARKS)
    for begun, share in ((mark, (number + chance.random()) / KILLS), (other, chance.random())):
        process = _started(db, begun)
        try:
            process.wait(timeout=share * undisturbed.takes[begun])
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate(timeout=PATIENCE)
    process = _started(db)
    story = _ended(process)
    assert Counter(dict.fromkeys(MAILED, 1)) == _mailed(db)
    assert _ending(undisturbed.story) == _ending(story)
    assert "no problems" in run_well("db", "check", "--db", db).out
    (offers,) = json.loads(run_well("optouts", "list", "--db", db, "--list", "offers", "--format", "json").out)[1:]
    assert ("ada@example.com", "overridden") == (offers["who"], offers["standing"])


def test_a_demo_is_told_again_without_harm(tmp_path: Path) -> None:
    """On its own file it finds everything done, says so, and changes nothing in the log (E2)."""
    db = tmp_path / "demo.db"
    first = run_well("demo", "--db", db).out
    before = json.loads(run_well("db", "stats", "--db", db, "--format", "json").out)
    mails = db.with_name("demo.db.mails.jsonl").read_bytes()
    again = run_well("demo", "--db", db).out
    assert "sent 3" in first
    assert f"already sent to {', '.join(sorted(MAILED))}: nobody gets it twice" in again
    assert "ada@example.com had already left list:offers" in again
    assert "confirmed before: on the list" in again
    assert _ending(first) == _ending(again)
    assert before == json.loads(run_well("db", "stats", "--db", db, "--format", "json").out)
    assert mails == db.with_name("demo.db.mails.jsonl").read_bytes()


def test_a_campaign_that_a_dead_worker_holds_is_sent_later(tmp_path: Path) -> None:
    """A demo that was killed while it sent still holds the campaign; the next one lets that time pass (F20)."""
    db = tmp_path / "demo.db"
    with FileEsp(db.with_name("demo.db.mails.jsonl")):
        store = SqlStore(f"sqlite:///{db}")
        assert store.begin("thank-you-offer", "a worker that died", at=NOW, until=NOW + LEASE)
        store.close()
    assert "thank-you-offer: sent 3" in run_well("demo", "--db", db).out
    assert Counter(dict.fromkeys(MAILED, 1)) == _mailed(db)


def test_a_demo_whose_database_is_gone_says_what_to_delete(tmp_path: Path) -> None:
    """Its mails alone would make it send twice, or nothing: 3, and how to begin anew."""
    db = tmp_path / "demo.db"
    run_well("demo", "--db", db)
    mails = db.with_name("demo.db.mails.jsonl")
    db.unlink()
    ran = run("demo", "--db", db)
    assert (3, True) == (ran.code, f"{mails}: mails of a demo whose database is gone: delete it too" in ran.err)
    assert not db.exists()
    mails.unlink()
    run_well("demo", "--db", db)


def test_the_demo_leaves_other_registries_alone(tmp_path: Path) -> None:
    """Made-up people have no place among real ones: a registry that it did not make is refused, with 3."""
    db = tmp_path / "mail.db"
    run_well("db", "init", "--db", db)
    before = db.read_bytes()
    ran = run("demo", "--db", db)
    assert 3 == ran.code
    assert "the demo did not make it" in ran.err
    assert before == db.read_bytes()


def test_the_demo_takes_no_registry_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LIFECYCLE_MAIL_DB` names the real registry, and the demo keeps to a folder that goes with it."""
    monkeypatch.setenv("LIFECYCLE_MAIL_DB", str(tmp_path / "mail.db"))
    assert "the registry was verified: 0 problems" in run_well("demo").out
    assert [] == list(tmp_path.iterdir())
