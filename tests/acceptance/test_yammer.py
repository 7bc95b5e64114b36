import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle_mail import Lifecycle
from lifecycle_mail.cli.loading import id_of
from lifecycle_mail.files import Config, Source, read, write_csv
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.service import Received
from tests.cli.running import rows_of, run_well, sendable_in, written

NOW = datetime(2014, 9, 1, tzinfo=UTC)

CONFIG = """
[policy]
cadence = "weekly"

[[lists]]
key = "digest"
title = "Weekly digest"
expect = "what happened in your groups, once a week"
frequency = "weekly"

[[campaigns]]
key = "september-digest"
to = ["digest"]

[[sources]]
name = "yammer"
files = "email_events*"
format = "events"
email_template = "user{user_id}@example.com"
assume_list = "digest"
[sources.columns]
contact_id = "user_id"
at = "occurred_at"
kind = "action"
[sources.kinds]
sent_weekly_digest = "sent"
sent_reengagement_email = "re-engagement"
email_open = "opened"
email_clickthrough = "clicked"

[[sources]]
name = "yammer"
files = "users*"
format = "contacts"
email_template = "user{user_id}@example.com"
[sources.columns]
contact_id = "user_id"
signed_up_at = "created_at"
[sources.fields]
language = {column = "language"}
"""

Row = tuple[str, str, str, str]
"""user_id, occurred_at, action, user_type."""


@pytest.fixture(scope="module")
def files(shared: Path) -> list[Path]:
    """The two files of the log."""
    folder = shared / "data/yammer_email_log"
    return [folder / "email_events.csv.gz", folder / "users.csv.gz"]


@pytest.fixture(scope="module")
def events(files: list[Path]) -> list[Row]:
    """Read the events with nothing of ours."""
    with gzip.open(files[0], "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        assert ["user_id", "occurred_at", "action", "user_type"] == next(rows)
        return [(a, b, c, d) for a, b, c, d in rows]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mapping, lists and campaign."""
    return written(tmp_path_factory.mktemp("config") / "yammer.toml", CONFIG)


@pytest.fixture(scope="module")
def outputs(files: list[Path], config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the decisions and the plan that every other order and division must give again."""
    folder = tmp_path_factory.mktemp("all-at-once")
    for command in (["decide"], ["plan", "september-digest"]):
        run_well(*command, *files, "-c", config, "--now", "2014-09-01", "--out", folder)
    return folder


def _write(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["user_id", "occurred_at", "action", "user_type"])
        writer.writerows(rows)
    return path


class Folded:
    """A service that takes files in as many calls as a test likes."""

    def __init__(self, config: Path) -> None:
        read_config = Config.read(config)
        self.sources: tuple[Source, ...] = read_config.sources
        self.mail = Lifecycle.in_memory(programme=read_config.programme, new_id=id_of)

    def statements(self, *paths: Path) -> list[Statement]:
        """Read files."""
        reading = read(paths, received_at=NOW, sources=self.sources)
        statements = list(reading)
        assert [] == reading.rejects
        return statements

    def take(self, *paths: Path) -> Received:
        """Take what files say, in one call."""
        return self.mail.receive(self.statements(*paths), now=NOW)

    @property
    def profiles(self) -> Mapping[ContactId, EngagementProfile]:
        """Every profile, by contact."""
        return dict(self.mail.store.profiles([contact.id for contact in self.mail.store.each()]))

    def write(self, folder: Path) -> tuple[bytes, bytes]:
        """Write decisions and plan; return their bytes."""
        tables = {
            "decisions.csv": [row.as_row() for row in self.mail.decide(now=NOW)],
            "plan.csv": [row.as_row() for row in self.mail.plan("september-digest", now=NOW)],
        }
        for name, plain in tables.items():
            write_csv(folder / name, list(plain[0]), (list(row.values()) for row in plain))
        return (folder / "decisions.csv").read_bytes(), (folder / "plan.csv").read_bytes()


@pytest.fixture(scope="module")
def at_once(files: list[Path], config: Path) -> Folded:
    """Fold everything in one call. Tests only look at it."""
    folded = Folded(config)
    folded.take(*files)
    return folded


def _bytes(folder: Path) -> tuple[bytes, bytes]:
    return (folder / "decisions.csv").read_bytes(), (folder / "plan.csv").read_bytes()


def test_the_plan_accounts_for_everybody(outputs: Path, events: list[Row]) -> None:
    """The audience is exactly those who got the digest; it is the sum of the sendable and the withheld (L3)."""
    plan = rows_of(outputs / "plan.csv")
    assert {row[0] for row in events} == {row["contact_id"] for row in plan}
    assert 4_112 == len(plan)
    withheld = [row for row in plan if row["outcome"] == "withheld"]
    sendable = sendable_in(outputs / "plan.csv")
    assert len(plan) == len(sendable) + len(withheld)
    assert sendable
    assert all(row["leaves_list"] == "digest" for row in plan if row["outcome"] == "sendable")
    assert all(row["email"] == f"user{row['contact_id']}@example.com" for row in plan)


def test_everybody_is_decided_about(outputs: Path, files: list[Path]) -> None:
    """Every user of both files has one tier, one next step and a reason, users without mail included (S2)."""
    with gzip.open(files[1], "rt", encoding="utf-8", newline="") as file:
        users = {row["user_id"] for row in csv.DictReader(file)}
    decisions = rows_of(outputs / "decisions.csv")
    assert sorted(users) == [row["contact_id"] for row in decisions]
    assert all(row["tier"] and row["action"] and row["reason"] for row in decisions)


def test_profiles_hold_what_the_log_says(at_once: Folded, events: list[Row]) -> None:
    """First and last of each mark, and how often it occurred, are those of the raw rows, for every contact."""
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    marks = {
        "sent_weekly_digest": ("sent",), "sent_reengagement_email": ("sent", "re-engagement"),
        "email_open": ("opened",), "email_clickthrough": ("clicked",),
    }  # fmt: skip
    for user, at, action, _ in events:
        for mark in marks[action]:
            said[user][mark].append(at)

    def micros(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000

    profiles = at_once.profiles
    assert said.keys() == profiles.keys()
    for user, by_mark in said.items():
        profile = profiles[ContactId(user)]
        assert {mark: micros(min(ats)) for mark, ats in by_mark.items()} == profile.first
        assert {mark: micros(max(ats)) for mark, ats in by_mark.items()} == profile.last
        assert {mark: len(ats) for mark, ats in by_mark.items()} == {mark: profile.count(mark) for mark in by_mark}


@pytest.mark.parametrize(
    ("command", "seed"),
    [
        ("decide", 1),
        ("plan", 2),
        *(
            pytest.param(command, seed, marks=pytest.mark.long)
            for seed in range(3, 9)
            for command in ("decide", "plan")
        ),
    ],
)
def test_the_order_of_rows_and_files_does_not_matter(
    command: str, seed: int, outputs: Path, events: list[Row], files: list[Path], config: Path, tmp_path: Path
) -> None:
    """The command line writes byte-identical decisions and plans from shuffled rows and files (F16)."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    shuffled = [*events]
    chance.shuffle(shuffled)
    paths = [_write(tmp_path / "email_events.csv", shuffled), files[1]]
    chance.shuffle(paths)
    more = ["september-digest"] if command == "plan" else []
    run_well(command, *more, *paths, "-c", config, "--now", "2014-09-01", "--out", tmp_path)
    name = "plan.csv" if command == "plan" else "decisions.csv"
    assert (outputs / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_second_run_changes_nothing(files: list[Path], config: Path, outputs: Path, tmp_path: Path) -> None:
    """Running again over what a run has written writes the same bytes again (S12)."""
    path = tmp_path / "decisions.csv"
    path.write_bytes((outputs / "decisions.csv").read_bytes())
    run_well("decide", *files, "-c", config, "--now", "2014-09-01", "--out", tmp_path)
    assert (outputs / "decisions.csv").read_bytes() == path.read_bytes()
    assert {"decisions.csv", "rejects.csv"} == {one.name for one in tmp_path.iterdir()}


def _by_month(rows: Sequence[Row]) -> list[list[Row]]:
    return [[row for row in rows if row[1] < "2014-07"], [row for row in rows if row[1] >= "2014-07"]]


def _by_chance(seed: int, parts: int) -> Callable[[Sequence[Row]], list[list[Row]]]:
    def divide(rows: Sequence[Row]) -> list[list[Row]]:
        chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        divided: list[list[Row]] = [[] for _ in range(parts)]
        for row in rows:
            divided[chance.randrange(parts)].append(row)
        return divided

    return divide


@pytest.mark.parametrize(
    "divide",
    [
        pytest.param(_by_month, id="may-june-then-july-august"),
        pytest.param(lambda rows: _by_month(rows)[::-1], id="july-august-then-may-june"),
        pytest.param(_by_chance(1, 3), id="three-parts-by-chance", marks=pytest.mark.long),
        pytest.param(_by_chance(2, 40), id="forty-parts-by-chance", marks=pytest.mark.long),
    ],
)
def test_folding_in_parts_is_folding_at_once(
    divide: Callable[[Sequence[Row]], list[list[Row]]],
    at_once: Folded, outputs: Path, events: list[Row], files: list[Path], config: Path, tmp_path: Path,
) -> None:  # fmt: skip
    """Received in several calls, in or out of order, the log gives the same profiles and bytes as in one call."""
    folded = Folded(config)
    folded.take(files[1])
    new = 0
    for number, part in enumerate(divide(events)):
        path = _write(tmp_path / f"email_events{number}.csv", part)
        received = folded.take(path)
        assert 0 == received.duplicates
        new += received.events
    assert len(events) == new
    assert at_once.profiles == folded.profiles
    assert _bytes(outputs) == folded.write(tmp_path)


def test_the_same_files_again_change_nothing(
    at_once: Folded, outputs: Path, events: list[Row], files: list[Path], config: Path, tmp_path: Path
) -> None:
    """Fed twice, the files leave contacts, log, profiles and outputs as they were; the door counts duplicates."""
    folded = Folded(config)
    folded.take(*files)
    position, contacts, profiles = folded.mail.store.position(), list(folded.mail.store.each()), folded.profiles
    again = folded.take(*files)
    assert (0, 0, 0) == (again.events, again.entries, again.contacts)
    assert len(events) == again.duplicates
    assert position == folded.mail.store.position()
    assert contacts == list(folded.mail.store.each())
    assert profiles == folded.profiles == at_once.profiles
    assert _bytes(outputs) == folded.write(tmp_path)


@pytest.mark.long
def test_statements_twice_in_one_call_count_once(at_once: Folded, files: list[Path], config: Path) -> None:
    """A log that holds every row twice gives the profiles of the log that holds it once."""
    folded = Folded(config)
    statements = folded.statements(*files)
    received = folded.mail.receive(statements + statements[::-1], now=NOW)
    assert 60_121 == received.events == received.duplicates
    assert at_once.mail.store.position() == folded.mail.store.position()
    assert at_once.profiles == folded.profiles
