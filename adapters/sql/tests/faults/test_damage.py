"""Truncated and bit-flipped files: refused, or read as they were; nobody is mailed for a flipped bit (F11, F12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from attrs import frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.faults.jobs import open_store
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from adapters.sql.tests.faults.story import CAMPAIGNS, OFFERS, address
from lifecycle_mail.errors import LifecycleMailError, Misconfigured, RegistryUnavailable
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.intake import Joined, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant
from lifecycle_mail.testing import lifecycle
from lifecycle_mail.testing.stores.making import PEPPERS

WAYS: Mapping[str, frozenset[Capability]] = {
    "mails": frozenset({Capability.SINGLE_MAILS}),
    "campaigns": frozenset({Capability.CAMPAIGNS}),
}
DAY = timedelta(days=1)
ACTIVE = [f"in{number}" for number in range(8)]
OUT = [f"out{number}" for number in range(6)]
OUT_BY_ADDRESS = [f"listed{number}" for number in range(4)]
"""Whose no names their address alone: it was said before anybody knew them."""


def damaged_registry(path: Path) -> bytes:
    """Make a small registry that holds a little of everything, and return its bytes."""
    store = open_store(str(path))
    mail = _mail(store, MemoryEsp(capabilities=WAYS["mails"]))
    for name in [*ACTIVE, *OUT, "erased"]:
        mail.subscribe(address(name), OFFERS, proof="form 7", now=NOW - 5 * DAY, contact_id=name)
    mail.send(mail.plan(CAMPAIGNS[0], now=NOW - 4 * DAY), now=NOW - 4 * DAY)
    for number, name in enumerate(OUT):
        mail.opt_out(name, scope=(Scope.all(), Scope.list(OFFERS.key))[number % 2], now=NOW - 3 * DAY)
    for name in OUT_BY_ADDRESS:
        mail.opt_out(address(name), scope=Scope.all(), now=NOW - 3 * DAY)
    mail.erase("erased", by=Actor.CONTACT, now=NOW - 2 * DAY)
    said = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW - DAY)
    joined = [(name, parse_address(address(name))) for name in [*OUT_BY_ADDRESS, *OUT]]
    mail.receive(
        [Joined(who=Who(name, where), list=OFFERS.key, provenance=said) for name, where in joined], now=NOW - DAY
    )
    store.close()
    return path.read_bytes()


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
        self._store = open_store(str(path), verify=verify)

    def close(self) -> None:
        """Let go of it."""
        self._store.close()

    def send(self, content: bytes, way: str) -> Outcome:
        """Put these bytes in the file, open it as at a start, and send a campaign. Any raw error gets through."""
        self._store.close()
        self._path.write_bytes(content)
        self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
        esp = MemoryEsp(capabilities=WAYS[way])
        error: LifecycleMailError | None = None
        try:
            self._store.make_ready()
            mail = _mail(self._store, esp)
            mail.send(mail.plan(CAMPAIGNS[1], now=NOW), now=NOW)
        except LifecycleMailError as raised:
            error = raised
        return Outcome(error, tuple(sorted(sent.recipient.contact_id for sent in esp.outbox)))

    def flipped(self, chance: Random) -> bytes:
        """Return the bytes with one bit flipped."""
        place = chance.choice(self.used)
        content = bytearray(self.whole)
        content[place] ^= 1 << chance.randrange(8)
        return bytes(content)

    def cut(self, chance: Random) -> bytes:
        """Return a part of the bytes, from the beginning; a file of none would be a new registry."""
        return self.whole[: chance.randrange(1, len(self.whole))]

    def spoilt(self, chance: Random) -> bytes:
        """Return the bytes with a sector overwritten by another one, or by chance."""
        sector = 512
        there, other = (chance.randrange(len(self.whole) // sector) * sector for _ in range(2))
        put = chance.choice([self.whole[other : other + sector], chance.randbytes(sector)])
        return self.whole[:there] + put + self.whole[there + sector :]


def opened(folder: Path, verify: str) -> Iterator[Opened]:
    """Give a registry that is opened again and again."""
    path = folder / "mail.db"
    damaged_registry(path)
    found = Opened(path, verify)
    try:
        expected = tuple(ACTIVE)
        assert {Outcome(None, expected)} == {found.send(found.whole, way) for way in WAYS}
        yield found
    finally:
        found.close()


@pytest.fixture
def full(folder: Path) -> Iterator[Opened]:
    """Return a registry that is verified in full when it is opened, as is the default."""
    yield from opened(folder, "full")


@pytest.fixture(params=["quick", "off"])
def unverified(request: pytest.FixtureRequest, folder: Path) -> Iterator[Opened]:
    """Return a registry that is not, or hardly, verified when it is opened."""
    yield from opened(folder, request.param)


DAMAGES: Mapping[str, Callable[[Opened, Random], bytes]] = {
    "flipped": Opened.flipped,
    "cut": Opened.cut,
    "spoilt": Opened.spoilt,
}


def check_full(found: Opened, damage: str, seed: int, count: int) -> None:
    """Damage a file so often; it is refused, or the mails are those of the whole one."""
    chance = dice("damage", damage, seed)
    refused = 0
    for number in range(count):
        way = tuple(WAYS)[number % 2]
        outcome = found.send(DAMAGES[damage](found, chance), way)
        where = f"{damage} number {number}, {way}: {outcome}; {replay(seed)}"
        if outcome.error is None:
            assert tuple(ACTIVE) == outcome.mailed, where
            continue
        refused += 1
        assert isinstance(outcome.error, RegistryUnavailable | Misconfigured), where
        assert set(outcome.mailed) <= set(ACTIVE), where
        assert len(outcome.mailed) == len(set(outcome.mailed)), where
    assert refused > count / 2


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
@pytest.mark.parametrize(("damage", "count"), [("flipped", 300), ("cut", 60), ("spoilt", 60)])
def test_a_damaged_file_is_refused_or_gives_the_mails_of_the_whole_one(
    full: Opened, damage: str, count: int, seed: int
) -> None:
    """F11, F12: verified in full, as is the default, a damaged file is refused by an error that says so, or does no
    harm: never is anybody mailed who would not be, nobody twice, and nothing raw is raised.

    Nearly all damage is found before anything leaves. What is found only when a mail is recorded, such as a column
    with another name, is found after the right mails have left, and no others.
    """
    check_full(full, damage, seed, count)


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(10, first=101), ids="seed{}".format)
@pytest.mark.parametrize(("damage", "count"), [("flipped", 2_000), ("cut", 400), ("spoilt", 400)])
def test_a_file_damaged_20000_times_is_refused_or_gives_the_mails_of_the_whole_one(
    full: Opened, damage: str, count: int, seed: int
) -> None:
    """F11, F12: as above, 20,000 flips in all."""
    check_full(full, damage, seed, count)


def check_unverified(found: Opened, seed: int, count: int) -> list[str]:
    """Flip a bit so often; nobody is mailed whose no names them, and return who else was mailed and should not be."""
    chance = dice("unverified", seed)
    missed = []
    for number in range(count):
        outcome = found.send(found.flipped(chance), tuple(WAYS)[number % 2])
        where = f"number {number}: {outcome}; {replay(seed)}"
        assert set(outcome.mailed) <= {*ACTIVE, *OUT_BY_ADDRESS}, where
        assert len(outcome.mailed) == len(set(outcome.mailed)), where
        missed += [one for one in outcome.mailed if one in OUT_BY_ADDRESS]
    return missed


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_checksums_alone_keep_those_out_whose_no_names_them(unverified: Opened, seed: int) -> None:
    """F11: with `verify=off` or `quick` a flipped bit lets nobody be mailed whose no names their id, and nothing raw.

    What they can promise: every row of the log, of contacts, profiles and claims carries a checksum that is verified
    whenever the row is read, so no row says another thing than was written. A no that names a contact and their
    address is found by either, and one flipped bit spoils one of the two ways.

    What they cannot promise: that a row is found. A bit in an index, or in the name that an address goes by, hides
    the rows behind it, and no checksum is ever read. Then a no that names an address alone, said before anybody knew
    the contact, may be missed, and somebody who is in may not be mailed. Only `verify=full` compares every index with
    its table when the file is opened, up to 64 MB; for larger files `lifecycle-mail db check` does it.
    """
    check_unverified(unverified, seed, 150)


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(2, first=201), ids="seed{}".format)
def test_checksums_alone_miss_noes_that_name_an_address_alone(unverified: Opened, seed: int) -> None:
    """F11: as above, 10,000 times; what `verify=full` is for shows: now and then a no by address alone is missed."""
    assert check_unverified(unverified, seed, 10_000)


def test_an_empty_or_foreign_file_is_no_registry_in_which_nobody_is_out(folder: Path) -> None:
    """F11, F12: what is no database, or somebody else's, is refused and left as it is."""
    path = folder / "mail.db"
    for content in (b"x", b"not a database " * 100, b"SQLite format 3\x00", bytes(4096)):
        path.write_bytes(content)
        with pytest.raises(RegistryUnavailable):
            open_store(str(path))
        assert content == path.read_bytes()
