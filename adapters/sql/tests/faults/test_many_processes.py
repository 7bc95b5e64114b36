"""Eight processes on one file (F15, F16, F18-F20, F48)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults import story
from adapters.sql.tests.faults.disk_esp import WAYS, DiskEsp
from adapters.sql.tests.faults.jobs import SHARED, TORN, WORKERS, opened, own_people
from adapters.sql.tests.faults.nursery import Nursery
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant

CAMPAIGN = CampaignKey(story.CAMPAIGNS[0].key)


@frozen
class Acknowledged:
    """A no that a worker acknowledged."""

    tick: int
    who: str
    entry: EntryId
    new: bool


def at_once(fork: Nursery, job: str, **arguments: Any) -> list[Acknowledged]:
    """Let eight processes do a job at once; none of them may raise anything."""
    children = [fork.start(job, number=number, **arguments) for number in range(WORKERS)]
    said = [line for child in children for line in child.finish()]
    assert WORKERS == said.count("END")
    lines = [line.split() for line in said if line.startswith("ACK")]
    return [Acknowledged(int(tick), who, EntryId(entry), new == "1") for _, tick, who, entry, new in lines]


def test_eight_processes_lose_no_opt_out(fork: Nursery, folder: Path) -> None:
    """F15: each of eight processes makes opt-outs as fast as it can: none is lost, and nobody hears of a lock."""
    count = 20
    with opened(folder, "mails"):
        pass  # so that the tables are there
    acknowledged = at_once(fork, "jobs:leave_at_once", folder=str(folder), way="mails", count=count)
    with opened(folder, "mails") as mail:
        records = list(mail.store.records())
    assert WORKERS * count == len(acknowledged) == len(records)
    assert [*range(1, WORKERS * count + 1)] == [record.seq for record in records]
    assert {one.entry for one in acknowledged} == {record.entry.id for record in records}


def test_eight_processes_make_one_registry(fork: Nursery, folder: Path) -> None:
    """F5, F15: eight processes that open a file that is not there yet make its tables once, and lose nothing."""
    acknowledged = at_once(fork, "jobs:leave_at_once", folder=str(folder), way="mails", count=2)
    with opened(folder, "mails") as mail:
        assert isinstance(mail.store, SqlStore)
        assert () == mail.store.check().problems
        assert {one.entry for one in acknowledged} == {record.entry.id for record in mail.store.records()}


@pytest.mark.parametrize("way", WAYS)
def test_eight_processes_do_everything_at_once(fork: Nursery, folder: Path, way: str) -> None:
    """F15, F16, F18-F20, F48: sign-ups, noes, double clicks, one campaign, drains and sweeps in eight processes.

    No no is lost, of the same no said by all one is new, who was signed up while they left is out, everybody is mailed
    once at most and not after their no, unless the mail is marked as in flight, and every no reaches the ESP.
    """
    with opened(folder, way) as mail:
        for name in [*SHARED, *TORN]:
            mail.subscribe(story.address(name), story.OFFERS, proof="form 7", now=NOW, contact_id=name)
    acknowledged = at_once(fork, "jobs:work_at_once", folder=str(folder), way=way, rounds=2)
    with opened(folder, way) as mail:
        mail.drain(now=NOW)
        assert isinstance(mail.store, SqlStore)
        assert () == mail.store.check().problems
        held = Counter(record.entry.id for record in mail.store.records())
        assert {one.entry: 1 for one in acknowledged} == {one.entry: held[one.entry] for one in acknowledged}

        new = Counter(one.who for one in acknowledged if one.new)
        assert dict.fromkeys(SHARED, 1) == {name: new[name] for name in SHARED}
        out = {ListStanding.OUT_OF_ALL, ListStanding.OUT_OF_LIST}
        assert {mail.standing(one.who, story.OFFERS, now=NOW) for one in acknowledged} <= out

        assert isinstance(mail.esp, DiskEsp)
        world = mail.esp.world()
        mails = Counter(one.contact for one in world.mails)
        assert {1} == set(mails.values())
        said = {one.who: one.tick for one in reversed(acknowledged)}
        late = {one.contact for one in world.mails if one.contact in said and said[one.contact] < one.at}
        claims = mail.store.claims(CAMPAIGN)
        assert [] == [one for one in late if claims[ContactId(one)].opted_out_at is None]
        told = {address for address, _ in world.told}
        assert {story.address(one.who) for one in acknowledged} == told
        assert {name for number in range(WORKERS) for name in own_people(number)} <= {
            *(str(one.id) for one in mail.store.each())
        }
