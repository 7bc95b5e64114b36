"""Truncated and bit-flipped files: refused, or read as they were; nobody is mailed for a flipped bit (F11, F12)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from lifecycle_mail_sql import schema

from adapters.sql.tests.faults.damage import (
    ACTIVE,
    OUT_BY_ADDRESS,
    WAYS,
    Opened,
    opened_again_and_again,
    small_registry,
)
from adapters.sql.tests.faults.jobs import open_store
from adapters.sql.tests.faults.seeds import dice, replay, seeds
from lifecycle_mail.errors import Misconfigured, RegistryUnavailable
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Bookmark
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant

# Each is one registry for all tests: they put whole or damaged bytes into its file before they look at it.


@pytest.fixture(scope="module")
def full(kept_folder: Path) -> Iterator[Opened]:
    """Return a registry that is verified in full when it is opened, as is the default."""
    with opened_again_and_again(Path(mkdtemp(dir=kept_folder)), "full") as found:
        yield found


@pytest.fixture(scope="module", params=["quick", "off"])
def unverified(request: pytest.FixtureRequest, kept_folder: Path) -> Iterator[Opened]:
    """Return a registry that is not, or hardly, verified when it is opened."""
    with opened_again_and_again(Path(mkdtemp(dir=kept_folder)), request.param) as found:
        yield found


DAMAGES: Mapping[str, Callable[[Opened, Random], bytes]] = {
    "flipped": lambda found, chance: found.flipped(chance),
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
        where = f"{damage}, number {number}, {way}: {outcome}; {replay(seed)}"
        if outcome.error is None:
            assert tuple(ACTIVE) == outcome.mailed, where
            continue
        refused += 1
        assert isinstance(outcome.error, RegistryUnavailable | Misconfigured), where
        assert set(outcome.mailed) <= set(ACTIVE), where
        assert len(outcome.mailed) == len(set(outcome.mailed)), where
    assert refused > count / 10


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
    check_unverified(unverified, seed, 100)


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(2, first=201), ids="seed{}".format)
def test_checksums_alone_miss_noes_that_name_an_address_alone(unverified: Opened, seed: int) -> None:
    """F11: as above, 10,000 times; what `verify=full` is for shows: now and then a no by address alone is missed."""
    assert check_unverified(unverified, seed, 10_000)


def check_reads(found: Opened, seed: int, count: int) -> set[str]:
    """Flip a bit so often, and read all there is; return what was refused at least once. A raw error gets through."""
    chance = dice("reads", seed)
    return {name for _ in range(count) for name in found.read(found.flipped(chance))}


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_whatever_is_read_of_a_damaged_file_nothing_raw_is_raised(unverified: Opened, seed: int) -> None:
    """F11: with `verify=off` or `quick` each way to read gives an answer, or an error of ours."""
    assert "records" in check_reads(unverified, seed, 60)


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds(2, first=301), ids="seed{}".format)
def test_whatever_is_read_of_a_file_damaged_5000_times_nothing_raw_is_raised(unverified: Opened, seed: int) -> None:
    """F11: as above."""
    assert {"records", "claims", "get"} <= check_reads(unverified, seed, 5_000)


def test_an_empty_or_foreign_file_is_no_registry_in_which_nobody_is_out(folder: Path) -> None:
    """F11, F12: what is no database is refused and left as it is; a file of at most a byte is SQLite's own new one."""
    path = folder / "mail.db"
    for content in (b"xx", b"not a database " * 100, b"SQLite format 3\x00", bytes(4096)):
        path.write_bytes(content)
        with pytest.raises(RegistryUnavailable):
            open_store(str(path))
        assert content == path.read_bytes()


def test_an_error_that_is_kept_keeps_nobody_from_writing(folder: Path) -> None:
    """F11, R6: whoever keeps the error about a damaged row does not keep a lock with it: opt-outs go on."""
    path = folder / "mail.db"
    small_registry(path)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE claims SET at = at + 1")
        raw.execute("UPDATE events SET kind = 7")
        raw.execute("UPDATE bookmarks SET note = x'00'")
    store, other = open_store(str(path), verify="off"), open_store(str(path), verify="off", timeout="0.01")
    reads: Sequence[Callable[[], object]] = (
        lambda: store.claims(CampaignKey("round-0")),
        lambda: store.claims_of(ContactId("in0")),
        lambda: store.events_of(ContactId("in0")),
        store.bookmarks,
    )
    kept = []
    for number, read in enumerate(reads):
        with pytest.raises(RegistryUnavailable) as kept_error:
            read()
        kept.append(kept_error)
        other.mark(Bookmark(name="n", place=number, at=NOW))
    other.close()
    store.close()


COLUMNS = [f"{table.name}.{column.name}" for table in schema.metadata.sorted_tables for column in table.c]


@pytest.mark.parametrize("unverified", ["off"], indirect=True)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_value_of_another_type_raises_nothing_raw(unverified: Opened, column: str) -> None:
    """F11: SQLite keeps the type with each value. Whatever is read or sent: an answer, or an error of ours."""
    damaged = unverified.as_bytes(*column.split("."))
    unverified.read(damaged)
    for way in WAYS:
        outcome = unverified.send(damaged, way)
        assert outcome.error is None or isinstance(outcome.error, RegistryUnavailable | Misconfigured), outcome
        assert set(outcome.mailed) <= {*ACTIVE, *OUT_BY_ADDRESS}, outcome
        assert len(outcome.mailed) == len(set(outcome.mailed)), outcome


@pytest.mark.parametrize("seed", seeds(1), ids="seed{}".format)
def test_a_damaged_order_ends_in_an_error(unverified: Opened, seed: int) -> None:
    """F11: where an index is out of order, nothing is read for ever, and nobody comes twice."""
    chance = dice("order", seed)
    refused = 0
    for _ in range(100):
        ids: list[str] = []
        try:
            unverified.put(unverified.flipped(chance, index="ix_people_name"))
            ids += [contact.id for contact in islice(unverified.store.each(), 1_000)]
        except RegistryUnavailable:
            refused += 1
        assert len(ids) == len(set(ids)) < 1_000
    assert 0 < refused < 100
