"""A small registry that holds a little of everything, and ways to damage its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

from attrs import frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults.jobs import open_store
from adapters.sql.tests.faults.story import CAMPAIGNS, OFFERS, address
from lifecycle_mail.errors import LifecycleMailError, Misconfigured, RegistryUnavailable
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.answers import Question
from lifecycle_mail.model.entries import Subject, Suppression, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.intake import Joined, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability, SetAside
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant
from lifecycle_mail.testing import lifecycle
from lifecycle_mail.testing.stores.answers import answer
from lifecycle_mail.testing.stores.making import PEPPERS

WAYS: Mapping[str, frozenset[Capability]] = {
    "mails": frozenset({Capability.SINGLE_MAILS, Capability.OPT_OUTS}),
    "campaigns": frozenset({Capability.CAMPAIGNS, Capability.OPT_OUTS}),
}
DAY = timedelta(days=1)
ACTIVE = [f"in{number}" for number in range(8)]
OUT = [f"out{number}" for number in range(6)]
OUT_BY_ADDRESS = [f"listed{number}" for number in range(4)]
"""Whose no names their address alone: it was said before anybody knew them."""


def small_registry(path: Path) -> bytes:
    """Make a small registry that holds a little of everything, and return its bytes."""
    store = open_store(str(path))
    mail = _mail(store, MemoryEsp(capabilities=WAYS["mails"]))
    for name in [*ACTIVE, *OUT, "erased"]:
        mail.subscribe(address(name), OFFERS, proof="form 7", now=NOW - 5 * DAY, contact_id=name)
    mail.send(mail.plan(CAMPAIGNS[0], now=NOW - 4 * DAY), now=NOW - 4 * DAY)
    for number, name in enumerate(OUT):
        mail.opt_out(name, scope=(Scope.all(), Scope.list(OFFERS.key))[number % 2], now=NOW - 3 * DAY)
    mail.subscribe(OUT[0], OFFERS, proof="form 7", now=NOW - 3 * DAY)
    for name in OUT_BY_ADDRESS:
        mail.opt_out(address(name), scope=Scope.all(), now=NOW - 3 * DAY)
    store.put_answers([answer(name, text="too dear") for name in (ACTIVE[0], "erased")])
    mail.erase("erased", by=Actor.CONTACT, now=NOW - 2 * DAY)
    said = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW - DAY)
    joined = [(name, parse_address(address(name))) for name in [*OUT_BY_ADDRESS, *OUT]]
    mail.receive(
        [Joined(who=Who(name, where), list=OFFERS.key, provenance=said) for name, where in joined], now=NOW - DAY
    )
    _fill_the_rest(mail, said)
    store.close()
    return path.read_bytes()


def _fill_the_rest(mail: Lifecycle, said: Provenance) -> None:
    """Put something into every other table."""
    store, whose = mail.store, ContactId(ACTIVE[0])
    mail.record(
        [EngagementEvent(contact_id=whose, kind=EventKind.OPENED, at=NOW + day * DAY, mail="m") for day in (-1, 9)],
        now=NOW,
    )
    mail.drain(now=NOW)
    bounce = Suppression(subject=Subject(contact_id=whose), kind=SuppressionKind.BOUNCE, event_id="e", provenance=said)
    store.set_aside([SetAside(entry=bounce, why="too many", at=NOW)])
    store.put_lists([OFFERS])
    store.bind("esp:memory", "list", OFFERS.key, "17")
    store.begin("work", "worker", at=NOW, until=NOW + DAY)
    assert isinstance(store, SqlStore)
    held = store.stats()
    assert [] == [name for name, count in held.items() if count == 0 and name not in ("chores", "log: lift")]


def _mail(store: SqlStore, esp: MemoryEsp) -> Lifecycle:
    return lifecycle(OFFERS, *CAMPAIGNS, store=store, esp=esp, peppers=PEPPERS)


@frozen
class Outcome:
    """What came of sending a campaign.

    Attributes:
        error: what was raised, or None.
        mailed: whom mails have left for, one entry a mail.
    """

    error: LifecycleMailError | None
    mailed: tuple[str, ...]


class Opened:
    """One file that is opened again and again, each time with other bytes in it; statements are made once.

    Args:
        path: the file, which holds a registry that is whole.
        verify: how thoroughly it is verified when it is opened.
    """

    def __init__(self, path: Path, verify: str) -> None:
        self.whole = path.read_bytes()
        # Where nothing is but zeros a flip hits free space, mostly, and proves little.
        self.used = [place for place in range(len(self.whole)) if any(self.whole[max(0, place - 2) : place + 3])]
        self._path = path
        self.store = open_store(str(path), verify=verify)
        with self.store.db.reading() as tx:
            (size,) = tx.exec_driver_sql("PRAGMA page_size").one()
            roots = tx.exec_driver_sql("SELECT name, rootpage FROM sqlite_master").all()
        # All of an index, where it is as small as here.
        self._places = {name: [place for place in self.used if place // size + 1 == page] for name, page in roots}

    def close(self) -> None:
        """Let go of it."""
        self.store.close()

    def put(self, content: bytes) -> None:
        """Put these bytes in the file, and open it as at a start."""
        self.store.close()
        self._path.write_bytes(content)
        self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
        self.store.make_ready()

    def send(self, content: bytes, way: str) -> Outcome:
        """Send a campaign from a file of these bytes; a raw error gets through."""
        esp = MemoryEsp(capabilities=WAYS[way])
        error: LifecycleMailError | None = None
        try:
            self.put(content)
            mail = _mail(self.store, esp)
            mail.send(mail.plan(CAMPAIGNS[1], now=NOW), now=NOW)
        except LifecycleMailError as raised:
            error = raised
        return Outcome(error, tuple(sorted(sent.recipient.contact_id for sent in esp.outbox)))

    def read(self, content: bytes) -> list[str]:
        """Read all there is in a file of these bytes; return what is refused. A raw error gets through."""
        try:
            self.put(content)
        except LifecycleMailError:
            return ["all"]
        refused = []
        for name, read in reads(self.store).items():
            try:
                read()
            except (RegistryUnavailable, Misconfigured):
                refused.append(name)
        return refused

    def flipped(self, chance: Random, *, index: str | None = None) -> bytes:
        """Return the bytes with one bit flipped, anywhere or in one index."""
        place = chance.choice(self.used if index is None else self._places[index])
        content = bytearray(self.whole)
        content[place] ^= 1 << chance.randrange(8)
        return bytes(content)

    def as_bytes(self, table: str, column: str) -> bytes:
        """Return the bytes with every value of a column, but the number of a row itself, told to be of type BLOB."""
        self.put(self.whole)
        with closing(sqlite3.connect(self._path)) as raw, raw, suppress(sqlite3.IntegrityError):
            raw.execute(f'UPDATE "{table}" SET "{column}" = CAST("{column}" AS BLOB)')  # noqa: S608 - ours
        return self._path.read_bytes()

    def cut(self, chance: Random) -> bytes:
        """Return a part of the bytes, from the beginning; a file of one byte is a new one for SQLite."""
        return self.whole[: chance.randrange(2, len(self.whole))]

    def spoilt(self, chance: Random) -> bytes:
        """Return the bytes with a sector overwritten by another one, or by chance."""
        sector = 512
        there, other = (chance.randrange(len(self.whole) // sector) * sector for _ in range(2))
        put = chance.choice([self.whole[other : other + sector], chance.randbytes(sector)])
        return self.whole[:there] + put + self.whole[there + sector :]


@contextmanager
def opened_again_and_again(folder: Path, verify: str) -> Iterator[Opened]:
    """Give a registry that is opened again and again."""
    path = folder / "mail.db"
    small_registry(path)
    found = Opened(path, verify)
    try:
        assert {Outcome(None, tuple(ACTIVE))} == {found.send(found.whole, way) for way in WAYS}
        yield found
    finally:
        found.close()


def reads(store: SqlStore) -> Mapping[str, Callable[[], object]]:
    """Return every way to read a registry, by name."""
    campaign, someone = CampaignKey(CAMPAIGNS[0].key), ContactId(ACTIVE[0])
    whom = {ContactId(name): [parse_address(address(name)).identity] for name in [*ACTIVE, *OUT, *OUT_BY_ADDRESS]}
    keys = [key for keys in whom.values() for key in keys]
    return {
        "records": lambda: list(store.records()),
        "position": store.position,
        "position_at": lambda: store.position_at(NOW),
        "about": lambda: store.about(whom),  # type: ignore[arg-type]
        "marks": lambda: store.marks(keys),  # type: ignore[arg-type]
        "get": lambda: store.get(list(whom)),
        "each": lambda: list(store.each()),
        "members": lambda: list(store.members([OFFERS.key])),
        "find": lambda: [store.find(key) for key in keys],
        "count": store.count,
        "lists": store.lists,
        "profiles": lambda: store.profiles(list(whom)),
        "events_of": lambda: [store.events_of(one) for one in whom],
        "unseen": lambda: store.unseen({someone: ["m"]}),
        "tally": lambda: list(store.tally()),
        "quarantined": store.quarantined,
        "answers": lambda: [list(store.answers(question=question)) for question in (None, Question.CANCELLATION)],
        "answers_of": lambda: store.answers_of(list(whom)),
        "aside": store.aside,
        "erased": lambda: store.erased(keys),
        "claims": lambda: store.claims(campaign),
        "claims_of": lambda: [store.claims_of(one) for one in whom],
        "tasks": lambda: [store.attempts(posted.task.id) for posted in store.tasks()],
        "waiting": store.waiting,
        "bookmarks": store.bookmarks,
        "bound": lambda: store.bound("esp:memory", "list"),
        "check": store.check,
        "stats": store.stats,
    }
