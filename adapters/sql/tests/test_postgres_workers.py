"""Many workers on one Postgres: killed over and over, and eight at once (F1, F2, F7, F15, F19, F20).

They are killed by a seed at statements, commits and calls to the ESP; by the clock at any instant.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import WAYS, DiskEsp
from adapters.sql.tests.faults.killing import kill_over_and_over
from adapters.sql.tests.faults.nursery import Child, Nursery
from adapters.sql.tests.faults.seeds import seeds
from adapters.sql.tests.faults.server_jobs import opened
from adapters.sql.tests.faults.story import Ending, Step
from adapters.sql.tests.faults.telling import Telling
from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.model.names import CampaignKey, EntryId
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant

WORKERS = 8


# --- killed ----------------------------------------------------------------------------------------------------------


@define(kw_only=True)
class OnServer(Telling):
    """A story on a schema of a server.

    Attributes:
        url: of the registry.
    """

    url: str

    def start(  # type: ignore[override]  # a story of a server is told by a job of its own
        self, *, job: str = "server_jobs:play", fuse: int | None = None, gate: Path | None = None, **arguments: str
    ) -> Child:
        """Go on where the last worker stopped."""
        return super().start(job=job, fuse=fuse, gate=gate, url=self.url, **arguments)

    def check_log(self, aside: Path) -> None:
        """Check that every no that was acknowledged is in the log once, and that its numbers have no gaps."""
        del aside
        expected = dict.fromkeys(self.acknowledged, 1)
        with opened(self.url, self.folder, self.way) as mail:
            records = list(mail.store.records())
        held = Counter(record.entry.id for record in records)
        assert expected == {one: held[EntryId(one)] for one in expected}
        assert list(range(1, len(records) + 1)) == [record.seq for record in records]

    def ending(self) -> Ending:
        """Return how it ended; the registry has no problems, and nobody was mailed after a no."""
        with opened(self.url, self.folder, self.way) as mail:
            assert isinstance(mail.store, SqlStore)
            assert () == mail.store.check().problems
            assert isinstance(mail.esp, DiskEsp)
            world = mail.esp.world()
            assert not story.mailed_after_no(self.said, self.steps, world)
            return story.ending(mail, world, now=story.instant(len(self.steps), self.attempts))


def short(seed: int) -> list[Step]:
    """Return a story as far as its second campaign, and what is left to tell the ESP then."""
    steps = list(story.steps(seed))
    sends = [place for place, step in enumerate(steps) if step.kind == "send"]
    return [*steps[: sends[1] + 1], *steps[-2:]]


def kill(
    fork: Nursery, server: Server, folder: Path, way: str, seed: int, kills: int, *, by_clock: bool = False
) -> None:
    """Kill the workers of the stories of a seed on a server."""

    def new(what: str, seed: int) -> OnServer:
        place = folder / f"{seed}-{what}"
        place.mkdir()
        story.write_files(place, seed)
        return OnServer(fork, place, way, short(seed), url=server.url(new_schema()))

    kill_over_and_over(new, folder, "postgres", way, seed=seed, kills=kills, by_clock=by_clock)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_workers_killed_at_any_place_lose_nothing_and_repeat_nothing(
    fork: Nursery, postgres: Server, tmp_path: Path, way: str, seed: int
) -> None:
    """F1, F2, F7: workers killed 10 times in a stream of work: it ends as the stream that nobody killed.

    Every acknowledged no is in the log once after each kill, without gaps in its numbers; nobody gets a campaign twice,
    or after their no; and every no reaches the ESP.
    """
    kill(fork, postgres, tmp_path, way, seed, kills=10)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", seeds(10, first=1001), ids="seed{}".format)
def test_a_thousand_killed_workers_lose_nothing_and_repeat_nothing(
    fork: Nursery, postgres: Server, tmp_path: Path, way: str, seed: int
) -> None:
    """F1, F2, F7: as above, 1,000 times in all."""
    kill(fork, postgres, tmp_path, way, seed, kills=50)


@pytest.mark.parametrize("way", WAYS)
def test_workers_killed_by_the_clock_lose_nothing_and_repeat_nothing(
    fork: Nursery, postgres: Server, tmp_path: Path, way: str
) -> None:
    """F1, F2, F7: as above, at instants that fall between all places."""
    kill(fork, postgres, tmp_path, way, 1, kills=5, by_clock=True)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_workers_killed_by_the_clock_lose_nothing_and_repeat_nothing(
    fork: Nursery, postgres: Server, tmp_path: Path, way: str
) -> None:
    """F1, F2, F7: as above, 100 times in all."""
    kill(fork, postgres, tmp_path, way, 2001, kills=50, by_clock=True)


# --- eight at once (F15, F19, F20) ------------------------------------------------------------------------------------


@define
class Crowd:
    """Eight processes that all want to write the same moment.

    Attributes:
        url: of the registry.
        folder: of the ESP.
        children: the processes.
    """

    fork: Nursery
    server: Server
    url: str
    folder: Path

    def mail(self) -> Any:
        """Open the registry and the ESP."""
        return opened(self.url, self.folder, "mails")

    def at_once(self, job: str, each: list[dict[str, Any]]) -> list[list[str]]:
        """Let them all come to their first write, then let them loose; return what each said."""
        with self._held_up():
            children = [
                self.fork.start(f"server_jobs:{job}", url=self.url, folder=str(self.folder), **one) for one in each
            ]
            with self.server.beside() as run:
                while run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != len(each):
                    assert not any(child.ends_within(0) for child in children), [one.complaints() for one in children]
        return [child.finish() for child in children]

    @contextmanager
    def _held_up(self) -> Iterator[None]:
        """Have the writers' turn."""
        store = SqlStore(self.url)
        with store.transaction():
            yield
        store.close()


@pytest.fixture
def crowd(fork: Nursery, postgres: Server, tmp_path: Path) -> Crowd:
    """Return eight workers on a registry in which everybody of the story is subscribed."""
    made = Crowd(fork, postgres, postgres.url(new_schema()), tmp_path)
    with made.mail() as mail:
        for name in story.PEOPLE:
            mail.subscribe(story.address(name), story.OFFERS, proof="form 7", now=NOW, contact_id=name)
    return made


def test_eight_processes_lose_no_opt_out(crowd: Crowd) -> None:
    """F15: ten noes each, all at once: none lost, none refused, and the numbers of the log have no gaps."""
    said = crowd.at_once("leave", [{"who": [f"{n}-{m}" for m in range(10)]} for n in range(WORKERS)])
    acknowledged = [line.split()[1] for lines in said for line in lines]
    assert 10 * WORKERS == len(acknowledged)
    with crowd.mail() as mail:
        records = list(mail.store.records())
        assert list(range(1, len(records) + 1)) == [record.seq for record in records]
        assert sorted(acknowledged) == sorted(record.entry.id for record in records[len(story.PEOPLE) :])
        assert () == mail.store.check().problems


def test_eight_processes_that_claim_a_campaign_share_it(crowd: Crowd) -> None:
    """F19: everybody is free for exactly one of them."""
    said = crowd.at_once("claim", [{"number": "0"}] * WORKERS)
    assert sorted(f"FREE {name}" for name in story.PEOPLE) == sorted(line for lines in said for line in lines)


@pytest.mark.parametrize("way", WAYS)
def test_eight_processes_that_send_a_campaign_send_one_mail_each(crowd: Crowd, way: str) -> None:
    """F19: one sends, the others are refused or find nothing to do; everybody gets one mail."""
    said = [lines[-1] for lines in crowd.at_once("send", [{"number": "0", "way": way}] * WORKERS)]
    assert {f"SENT {len(story.PEOPLE)}"} == set(said) - {"REFUSED", "SENT 0"}
    with opened(crowd.url, crowd.folder, way) as mail:
        assert isinstance(mail.esp, DiskEsp)
        assert dict.fromkeys(story.PEOPLE, 1) == Counter(one.contact for one in mail.esp.world().mails)
        states = {claim.state for claim in mail.store.claims(CampaignKey(story.CAMPAIGNS[0].key)).values()}
    assert {"handed-off"} == states


def test_of_eight_sweeps_at_once_one_runs(crowd: Crowd, tmp_path: Path) -> None:
    """F20: the others are told that another sweeps, while it does."""
    pipe = tmp_path / "sent-away"
    os.mkfifo(pipe)
    held_open = os.open(pipe, os.O_RDWR)
    said = crowd.at_once("sweep", [{"others": str(pipe), "count": WORKERS - 1}] * WORKERS)
    os.close(held_open)
    assert sorted([["REFUSED"]] * (WORKERS - 1) + [["SWEPT"]]) == sorted(said)


def test_of_eight_that_take_the_same_work_one_gets_it(crowd: Crowd) -> None:
    """F20: a lease is one worker's."""
    said = crowd.at_once("begin", [{}] * WORKERS)
    assert sorted([["MINE"]] + [["TAKEN"]] * (WORKERS - 1)) == sorted(said)
