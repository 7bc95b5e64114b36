"""The registry in tables: screening a million addresses against five million opt-outs, importing a million, and one
opt-out that is acknowledged; beside the least that a database could do for the same.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from lib.timing import Sample, take_turns
from lifecycle_mail_sql import SqlStore

from lifecycle_mail import Lifecycle, MailingList, Scope
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import OptOut, Subject, state_event_id
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
CHUNK = 5_000
IMPORTED = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW, source="file:made-up.csv")
PEPPERS = {"2026": "a pepper for benchmarks, no secret"}
SINGLE = MemoryEsp(capabilities=[Capability.SINGLE_MAILS])


def address(number: int) -> str:
    """Make up the address of one of many."""
    return f"person{number:08d}@example{number % 97}.com"


def fill(store: SqlStore, size: int, *, hashed: bool = False, start: int = 0) -> None:
    """File opt-outs of addresses, or of keyed hashes of them."""
    peppers = Peppers(PEPPERS)
    for begin in range(start, size, 20_000):
        entries = []
        for number in range(begin, min(size, begin + 20_000)):
            key = f"1:{address(number)}"
            subject = Subject(key=peppers.hashed(key) if hashed else MatchKey(key))
            entries.append(
                OptOut(
                    subject=subject,
                    scope=Scope.all(),
                    event_id=state_event_id(subject, None),
                    provenance=IMPORTED,
                    dated=False,
                )
            )
        store.append(entries, at=NOW)


def asked(size: int, count: int) -> list[str]:
    """Make up addresses to be screened: every second one opted out, in no order."""
    chance = random.Random(7)
    found = [address(chance.randrange(size) + (size if place % 2 else 0)) for place in range(count)]
    chance.shuffle(found)
    return found


def peak() -> float:
    """Return the highest resident memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def on_the_wall(work: Callable[[], object]) -> Callable[[], float]:
    """Return a run that does the work and returns the seconds on the wall: a disk's or a server's time counts."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


def report(title: str, found: dict[str, Sample], count: int) -> None:
    """Print the figures of one comparison, a thing done so many times."""
    print(title)
    for name, sample in found.items():
        rate = f"{count / sample.median:12,.0f}/s"
        print(f"  {name:<44} {sample.median / count * 1e6:9.2f} us {rate} (spread {sample.spread:4.0%})")


# --- screening --------------------------------------------------------------------------------------------------------


def screened(mail: Lifecycle, addresses: list[str]) -> int:
    """Screen addresses as users do, and count what is held."""
    return sum(1 for verdict in mail.screen_addresses(addresses, now=NOW) if verdict.held)


def joined(path: Path, keys: list[str]) -> int:
    """Do the least for the same tables: a bare join with `json_each`, and nothing made of the answer."""
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA cache_size=-65536")
        found = 0
        for begin in range(0, len(keys), CHUNK):
            rows = raw.execute(
                "SELECT m.name, k.mark FROM json_each(?) j JOIN match_keys m ON m.name = j.value "
                "JOIN marks k ON k.key = m.no",
                (json.dumps(keys[begin : begin + CHUNK]),),
            ).fetchall()
            found += len(rows)
    return found


def screen(folder: Path, size: int, count: int, repeats: int) -> None:
    """Screen addresses in SQLite: against plain keys, and against keyed hashes."""
    addresses = asked(size, count)
    keys = [f"1:{one}" for one in addresses]
    plain = folder / "plain.db"
    store = SqlStore(f"sqlite:///{plain}?verify=off", peppers=PEPPERS)
    fill(store, size)
    mail = Lifecycle(SINGLE, store)
    hashed_store = SqlStore(f"sqlite:///{folder}/hashed.db?verify=off", peppers=PEPPERS)
    fill(hashed_store, size, hashed=True)
    hashed = Lifecycle(SINGLE, hashed_store)
    before = peak()
    held, bare, by_hash = screened(mail, addresses), joined(plain, keys), screened(hashed, addresses)
    assert held == bare == by_hash, (held, bare, by_hash)
    found = take_turns(
        {
            "screen_addresses": on_the_wall(lambda: screened(mail, addresses)),
            "bare json_each join": on_the_wall(lambda: joined(plain, keys)),
            "screen_addresses, hashes under one pepper": on_the_wall(lambda: screened(hashed, addresses)),
        },
        repeats=repeats,
    )
    report(f"screening {count:,} addresses against {size:,} opt-outs in SQLite, {held:,} held", found, count)
    ours, bare_join, hashes = found.values()
    print(f"  speed of the bare join that is kept {bare_join.median / ours.median:.2f}x (bar 0.5x)")
    print(f"  hashed / plain {hashes.median / ours.median:.2f}x (bar 4x)")
    print(f"  peak memory {peak():.0f} MiB, {before:.0f} MiB before screening, addresses among it")
    store.close()
    hashed_store.close()


def screen_postgres(url: str, size: int, count: int, repeats: int) -> None:
    """Screen addresses in Postgres, beside one prepared look-up each."""
    import psycopg

    store = SqlStore(url, peppers=PEPPERS)
    fill(store, size)
    addresses = asked(size, count)
    mail = Lifecycle(SINGLE, store)
    raw = store.opened.engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.rollback()
    driver.autocommit = True
    driver.execute("VACUUM ANALYZE")  # as the server does by itself, sooner or later

    def one_by_one(some: list[str]) -> int:
        found = 0
        with driver.cursor() as cursor:
            for one in some:
                cursor.execute(
                    "SELECT k.mark FROM match_keys m JOIN marks k ON k.key = m.no WHERE m.name = %s",
                    (f"1:{one}",),
                    prepare=True,
                )
                found += len(cursor.fetchall())
        return found

    few = addresses[: max(1, count // 20)]
    assert screened(mail, few) == one_by_one(few)
    found = take_turns(
        {
            "screen_addresses": on_the_wall(lambda: screened(mail, addresses)),
            "a prepared look-up each (a twentieth of them)": on_the_wall(lambda: one_by_one(few)),
        },
        repeats=repeats,
    )
    ours, each = found.values()
    each = Sample([seconds * count / len(few) for seconds in each.seconds])
    report(
        f"screening {count:,} addresses against {size:,} opt-outs in Postgres",
        {"screen_addresses": ours, "a prepared look-up each": each},
        count,
    )
    print(f"  as fast as one look-up each {each.median / ours.median:.1f}x (bar 10x)")
    raw.close()
    store.close()


@contextmanager
def own_server() -> Iterator[str]:
    """Start the Postgres server that the tests use, and return the URL of a registry in it."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from adapters.sql.tests.servers import started

    with started() as server:
        yield server.url()


# --- a large registry -------------------------------------------------------------------------------------------------


def large(folder: Path, size: int) -> None:
    """Ask a registry of ten million, beside one of ten thousand: an index answers both in about the same time."""
    found = {}
    for many in (size // 1_000, size):
        store = SqlStore(f"sqlite:///{folder}/large-{many}.db?verify=off")
        fill(store, many)
        asked = [[MatchKey(f"1:{address(one)}")] for one in random.Random(3).choices(range(many), k=2_000)]
        work = partial(_look_up, store, asked)
        found[f"one address of {many:,}"] = take_turns({"": on_the_wall(work)}, repeats=3)[""]
        store.close()
    report("what is held against one address, in SQLite", found, 2_000)
    small, big = found.values()
    print(f"  large / small {big.median / small.median:.2f}x")


def _look_up(store: SqlStore, asked: list[list[MatchKey]]) -> None:
    for keys in asked:
        assert store.marks(keys)


# --- importing --------------------------------------------------------------------------------------------------------


def made_up_rows(count: int) -> Iterator[str]:
    """Make up a suppression list, in no order."""
    chance = random.Random(11)
    yield "email,date\n"
    for number in range(count):
        day = NOW - timedelta(days=chance.randrange(900))
        yield f"{chance.getrandbits(48):x}.user{number}@example{number % 997}.com,{day:%Y-%m-%d}\n"


def import_once(folder: Path, count: int) -> None:
    """Import a suppression list, and print what it took; in a process of its own, for its memory."""
    listed = folder / f"list-{count}.csv"
    with listed.open("w", encoding="utf-8") as out:
        out.writelines(made_up_rows(count))
    before = peak()
    with Lifecycle(SINGLE, f"sqlite:///{folder}/import-{count}.db") as mail:
        start = time.perf_counter()
        done = mail.import_opt_outs(listed, now=NOW)
        seconds = time.perf_counter() - start
    assert done.new == count, done
    print(json.dumps({"rows": count, "seconds": seconds, "before": before, "peak": peak()}))


def importing(folder: Path, count: int) -> None:
    """Import lists of growing size: rows a second, and whether memory stays where it is."""
    print(f"importing suppression lists into SQLite, up to {count:,} rows")
    for size in (count // 4, count // 2, count):
        command = [sys.executable, __file__, "--import-once", str(size), "--folder", str(folder)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rate = found["rows"] / found["seconds"]
        print(f"  {size:>9,} rows {rate:10,.0f} rows/s (bar 25,000), peak {found['peak']:.0f} MiB")


# --- one opt-out ------------------------------------------------------------------------------------------------------


def one_opt_out(folder: Path, repeats: int) -> None:
    """One opt-out of a subscriber, acknowledged, beside a bare insert of SQLite with the same settings."""
    offers = MailingList("offers")
    mail = Lifecycle(SINGLE, f"sqlite:///{folder}/one.db")
    for number in range(repeats + 1):
        mail.subscribe(address(number), offers, proof="a form", now=NOW)
    raw = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode=TRUNCATE", "synchronous=FULL", "secure_delete=ON"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("CREATE TABLE opt_outs (seq INTEGER PRIMARY KEY, who TEXT, said TEXT)")
    turn = iter(range(10 * repeats))

    def ours() -> None:
        number = next(turn)
        mail.opt_out(address(number), scope=Scope.list("offers"), through="one-click", now=NOW)

    def bare() -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO opt_outs (who, said) VALUES (?, ?)", (address(1), "list:offers one-click"))
        raw.execute("COMMIT")

    ours()
    found = take_turns({"opt_out": on_the_wall(ours), "bare insert": on_the_wall(bare)}, repeats=repeats)
    report("one acknowledged opt-out in SQLite", found, 1)
    mine, least = found.values()
    print(f"  opt_out / bare insert {mine.median / least.median:.2f}x (bar 3x)")
    mail.close()
    raw.close()


EVERY = ["one", "import", "screen", "large", "postgres"]


def main() -> None:
    """Run the comparisons that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("what", nargs="*", default=EVERY, help=f"which of {', '.join(EVERY)}")
    parser.add_argument("--opt-outs", type=int, default=5_000_000, help="how many the registry holds")
    parser.add_argument("--addresses", type=int, default=1_000_000, help="how many are screened, or imported")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--postgres", help="URL of an empty registry; a server is started if it is left out")
    parser.add_argument("--folder", type=Path, help="where files go; one that is removed afterwards if left out")
    parser.add_argument("--import-once", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.what) - set(EVERY):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(EVERY)}")
    with tempfile.TemporaryDirectory(prefix="lifecycle-mail-") as made:
        folder = given.folder or Path(made)
        if given.import_once:
            import_once(folder, given.import_once)
            return
        if "one" in given.what:
            one_opt_out(folder, 300)
        if "import" in given.what:
            importing(folder, given.addresses)
        if "screen" in given.what:
            screen(folder, given.opt_outs, given.addresses, given.repeats)
        if "large" in given.what:
            large(folder, 2 * given.opt_outs)
        if "postgres" in given.what:
            with nullcontext(given.postgres) if given.postgres else own_server() as url:
                screen_postgres(url, given.opt_outs, given.addresses, given.repeats)


if __name__ == "__main__":
    main()
