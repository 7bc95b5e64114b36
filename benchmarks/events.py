"""Event logs of growing size, from the file to decisions in one pass: seconds, events a second, memory, and whether
the time grows with the size and no faster.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import gc
import json
import os
import pstats
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from lib.timing import Sample, take_turns

from lifecycle_mail import Lifecycle, MailingList, Programme
from lifecycle_mail.files import Columns, Source, read

SIZES = (15_000, 30_000, 60_000, 120_000)
NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
EACH = 15
"""Events of one contact: the log grows in contacts, as lists do."""

MADE_UP = Source(
    name="made-up", files=("*.csv",), format="events", email_template="user{user}@example.com", assume_list="digest",
    columns=Columns(contact_id="user", at="at", kind="kind"),
)  # fmt: skip
YAMMER = Source(
    name="yammer", files=("email_events.csv*",), format="events", email_template="user{user_id}@example.com",
    assume_list="digest", columns=Columns(contact_id="user_id", at="occurred_at", kind="action"),
    kinds={
        "sent_weekly_digest": "sent",
        "sent_reengagement_email": "re-engagement",
        "email_open": "opened",
        "email_clickthrough": "clicked",
    },
)  # fmt: skip


def rows(count: int) -> Iterator[tuple[str, str, str]]:
    """Make up a log in order of time, as an ESP would export it."""
    chance = random.Random(count)
    found = []
    for place in range(count):
        contact, number = divmod(place, EACH)
        week, step = divmod(number, 3)
        at = NOW - timedelta(weeks=20 - week, minutes=contact % 600)
        if step:
            at += timedelta(minutes=chance.randint(step, 600 * step))
        found.append((at.isoformat(), f"{contact:07d}", ("sent", "opened", "clicked")[step]))
    found.sort()
    yield from found


def write_log(path: Path, count: int) -> None:
    """Write a made-up log."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["user", "at", "kind"])
        writer.writerows((user, at, kind) for at, user, kind in rows(count))


def from_file_to_decisions(path: Path) -> tuple[int, int]:
    """Read a log, take what it says and decide about everybody; return the counts of events and contacts."""
    digest = MailingList("digest", title="Digest", expect="the week, on Mondays")
    with Lifecycle.in_memory(programme=Programme.of(digest)) as mail:
        source = YAMMER if "email_events" in path.name else MADE_UP
        received = mail.receive(read([path], received_at=NOW, sources=[source]), now=NOW)
        return received.events, len(mail.decide(now=NOW))


def _alone(path: Path, *, collect: bool) -> dict[str, float]:
    """Measure in an interpreter of its own, so that peaks of memory do not add up."""
    command = [sys.executable, __file__, "--one", str(path), *([] if collect else ["--gc-off"])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _one(path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    events, contacts = from_file_to_decisions(path)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peaks = {"before": before.ru_maxrss / 1024, "peak": after.ru_maxrss / 1024}  # KiB on Linux
    json.dump({"events": events, "contacts": contacts, "seconds": seconds, "cpu": used, **peaks}, sys.stdout)


def _profile(path: Path, most: int) -> None:
    gc.collect()
    profile = cProfile.Profile()
    profile.runcall(from_file_to_decisions, path)
    pstats.Stats(profile).sort_stats("tottime").print_stats(most)


def _yammer() -> Path | None:
    shared = Path(os.environ.get("LIFECYCLE_MAIL_SHARED", Path(__file__).parent.parent.parent / "shared"))
    for folder in (shared / "data", shared):
        path = folder / "yammer_email_log/email_events.csv.gz"
        if path.is_file():
            return path
    return None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", type=int, metavar="N", help="print the N most expensive functions instead")
    parser.add_argument("--gc-off", action="store_true", help="measure without Python's garbage collector")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        if given.gc_off:
            gc.disable()
        _one(given.one)
        return
    with tempfile.TemporaryDirectory() as folder:
        logs = {f"made up, {size:,}": Path(folder) / f"{size}.csv" for size in SIZES}
        for size, path in zip(SIZES, logs.values(), strict=True):
            write_log(path, size)
        yammer = _yammer()
        if yammer is not None:
            logs["yammer"] = yammer
        if given.profile:
            _profile(logs[f"made up, {SIZES[2]:,}"], given.profile)
            return
        _measure(logs, given.repeats, collect=not given.gc_off)


def _measure(logs: dict[str, Path], repeats: int, *, collect: bool) -> None:
    kept: dict[str, list[dict[str, float]]] = {name: [] for name in logs}

    def run(name: str) -> float:
        kept[name].append(_alone(logs[name], collect=collect))
        return kept[name][-1]["seconds"]

    found = take_turns({name: partial(run, name) for name in logs}, repeats=repeats)
    without = "" if collect else ", garbage collector off"
    print(f"from the file to decisions, one pass, median of {repeats} (wall clock; CPU beside it){without}")
    cpu = {name: Sample([one["cpu"] for one in kept[name]]) for name in logs}
    for name, sample in found.items():
        events, contacts = kept[name][0]["events"], kept[name][0]["contacts"]
        peak = Sample([one["peak"] for one in kept[name]]).median
        base = Sample([one["before"] for one in kept[name]]).median
        print(
            f"  {name:<18} {sample.median:6.2f} s (spread {sample.spread:4.0%})  cpu {cpu[name].median:6.2f} s"
            f"  {events / sample.median:8,.0f} events/s  {contacts:6,.0f} contacts"
            f"  peak {peak:5.0f} MiB (before {base:.0f})"
        )
    names = [f"made up, {size:,}" for size in SIZES]
    for place, name in enumerate(names[1:], 1):
        wall = found[name].median / found[names[0]].median
        used = cpu[name].median / cpu[names[0]].median
        print(f"  {2**place}x the events: {wall:5.2f} times as long, {used:5.2f} times the CPU")


if __name__ == "__main__":
    main()
