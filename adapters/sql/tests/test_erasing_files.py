"""What files hold of who was erased: nothing that is not keyed (O5, F62, F63)."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from lifecycle_mail_sql import SqlStore, keeping, opening
from sqlalchemy import Connection

from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.errors import ConsentRefused, Misconfigured
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Known, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import SetAside, Task, TaskKind
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import contact, event, said
from lifecycle_mail.testing.builders import subject_of
from lifecycle_mail.testing.stores.answers import answer
from lifecycle_mail.testing.stores.erased import ADA, THEIRS, fill
from lifecycle_mail.testing.stores.erased_hashes import told_by_hash
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.service.worlds import DAY, HOUR, MINUTE, NOW, OFFERS, PROOF, address, join, world

ALL = Scope.all()

WRITTEN = "Nadja.Quelle+Shop@Quellenhof.Example"
"""Their address, as they write it."""
MOVED = "nadja.neu@quellenhof.example"
"""The one that they have later."""
NADJA = "crm-nadja.quelle@quellenhof.example"
"""Their id: some applications make it from the address."""
WORDS = "Bitte keine Prospekte mehr, N. Quelle, Lindenstraße 9"
PROOF_OF_IT = "letter of N. Quelle, 192.0.2.77"
NEEDLES = ("nadja", "quelle", "quellenhof", "prospekte", "lindenstra", "192.0.2.77", "evt-7719")
"""Parts of all that was ever written about them, in lower case."""


def found_in(data: bytes, needles: Sequence[str] = NEEDLES) -> set[str]:
    """Return what raw bytes hold of them, in whatever case, as UTF-8 or UTF-16."""
    lower = data.lower()
    return {
        one
        for one in needles
        if any(one.encode(code) in lower for code in ("utf-8", "utf-16-le", "utf-16-be"))
    }  # fmt: skip


def beside(path: Path) -> bytes:
    """Return the raw bytes of a file of SQLite, and of all that it has beside it."""
    return b"".join(one.read_bytes() for one in sorted(path.parent.glob(f"{path.name}*")))


def live(mail: Lifecycle) -> None:
    """Let Nadja be written about everywhere, among others, with thousands of rows."""
    store = mail.store
    mail.subscribe(WRITTEN, OFFERS, proof=PROOF_OF_IT, now=NOW - DAY, contact_id=NADJA)
    mail.update(NADJA, {"street": "Lindenstraße 9"}, tags=["quelle"], now=NOW - DAY)
    mail.record(
        (
            event(NADJA, EventKind.OPENED, at=NOW - HOUR + number * MINUTE / 60, mail=f"m-nadja-{number}", link="qu")
            for number in range(1500)
        ),
        now=NOW,
    )  # fmt: skip
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.opt_out(WRITTEN, scope=ALL, now=NOW, text=WORDS, evidence=PROOF_OF_IT, event_id="evt-7719")
    mail.change_address(NADJA, MOVED, by=Actor.CONTACT, now=NOW, evidence=PROOF_OF_IT)
    mail.drain(now=NOW)
    of_nadja = subject_of(contact(NADJA, address=MOVED))
    for number in range(10):
        store.append(
            [
                OptOut(
                    subject=of_nadja, scope=Scope.list("offers"), event_id=f"evt-7719-{number}-{one}",
                    provenance=said(at=NOW, text=f"{WORDS} {one}", evidence=PROOF_OF_IT * 20),
                )
                for one in range(120)
            ],
            at=NOW,
        )  # fmt: skip
        join(mail, f"neighbour{number}")
    late = Suppression(
        subject=of_nadja, kind=SuppressionKind.COMPLAINT, event_id="evt-7719-c", provenance=said(Actor.ESP, at=NOW)
    )
    store.set_aside([SetAside(entry=late, why="too many", at=NOW)])
    store.quarantine([event(NADJA, at=NOW + 900 * DAY, mail="m-nadja-late")], at=NOW)
    store.post([Task(target="esp:x", kind=TaskKind.TAG, contact_id=ContactId(NADJA), detail="quelle", made_at=NOW)])
    store.put_answers(
        [
            answer(
                NADJA, asked_at=NOW - number * MINUTE, text=f"{WORDS} {number}", tool="Quelle", improve=PROOF_OF_IT,
                about=f"a plan for {MOVED}",
            )
            for number in range(200)
        ]
    )  # fmt: skip


def is_kept_out(mail: Lifecycle) -> None:
    """Check that no way back into the mail is left (F62)."""
    for one in (WRITTEN, MOVED, WRITTEN.swapcase()):
        with pytest.raises(ConsentRefused, match="was erased"):
            mail.subscribe(one, OFFERS, proof=PROOF, now=NOW + DAY)
        mail.receive([Known(who=Who("again", parse_address(one)), fields={})], now=NOW + DAY)
        assert not mail.opt_out(one, scope=ALL, now=NOW + DAY, text=WORDS, evidence=PROOF_OF_IT).is_new
    assert not [row for row in mail.plan("spring", now=NOW + DAY).rows if row.sendable and row.contact_id == "again"]
    assert {NADJA} == set(mail.store.erased([NADJA]))
    mail.store.put_answers([answer(NADJA, text=WORDS, tool=PROOF_OF_IT), answer(NADJA, about=MOVED)])
    assert not mail.store.answers_of([ContactId(NADJA)])
    keys = [parse_address(one).match_key() for one in (WRITTEN, MOVED)]
    assert set(keys) == set(mail.store.marks(keys))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is to be."""
    return tmp_path / "mail.db"


@pytest.fixture
def mail(path: Path) -> Iterator[Lifecycle]:
    """Return a registry in a file, in which a lot was written about Nadja."""
    with closing(world("ada", "bob", store=SqlStore(f"sqlite:///{path}", peppers=PEPPERS), esp=MemoryEsp())) as made:
        live(made)
        yield made


# --- what is due ------------------------------------------------------------------------------------------------------


def _scrubs_beside_an_erasure(store: SqlStore, other: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erase one person, and another just before the scrubbing of the first is noted."""
    for one in (store, other):
        monkeypatch.setattr(one, "scrub_if_due", lambda: None)
    store.put([contact("ada"), contact("bob")])
    store.erase(ContactId("ada"), [])
    assert store.scrub_due()
    noted = store.db.writing

    def late() -> AbstractContextManager[Connection]:
        other.erase(ContactId("bob"), [])
        monkeypatch.setattr(store.db, "writing", noted)
        return noted()

    monkeypatch.setattr(store.db, "writing", late)
    store.scrub()
    assert other.scrub_due(), "nobody scrubs what the second erasure left"
    store.scrub()
    assert not store.scrub_due()


def test_an_erasure_beside_a_scrub_is_scrubbed_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """O5: what is due is noted for each erasure, and a scrub takes off only what it began with."""
    with (
        closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store,
        closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as other,
    ):
        _scrubs_beside_an_erasure(store, other, monkeypatch)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_a_file_holds_nothing_of_who_was_erased(mail: Lifecycle, path: Path) -> None:
    """O5: not in the file, not in its journal, whatever they had been written into, and however often."""
    assert set(NEEDLES) == found_in(beside(path))
    erased = mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR, text=WORDS)
    assert erased.is_new
    assert set() == found_in(beside(path))
    assert isinstance(mail.store, SqlStore)
    assert () == mail.store.check().problems
    assert 200 == mail.reasons().total.answers == mail.reasons().total.count("too-expensive")
    is_kept_out(mail)
    assert set() == found_in(beside(path)) - {"nadja", "quelle", "quellenhof"}  # said again by those who told us


def test_who_is_known_by_hashes_too_is_erased_soundly(path: Path) -> None:
    """O5: a name whose hash has a row already takes a second form of it; what is kept beside the log is right."""
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
        store.append(told_by_hash("2025"), at=NOW)
        fill(store)
        before = store.marks(THEIRS)
        store.erase(ADA.id, THEIRS)
        for _ in range(2):
            assert () == store.check().problems
            assert before == store.marks(THEIRS)
            store.rebuild()
    with closing(sqlite3.connect(path)) as bare:
        names = {name for (name,) in bare.execute("SELECT name FROM match_keys")}
    assert "\\json:" in {name[:6] for name in names}, "the test is wrong: the hash had no row"


def test_an_erasure_that_is_undone_is_done_by_the_next(mail: Lifecycle, path: Path) -> None:
    """O5, F1: until the commit everything is there, as it must be; after it nothing is."""
    store = mail.store

    class Crashed(Exception):
        pass

    def crash() -> None:
        with store.transaction():
            mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
            raise Crashed

    with pytest.raises(Crashed):
        crash()
    assert set(NEEDLES) == found_in(beside(path))
    assert MOVED == mail.contact(NADJA).email
    with store.transaction():
        mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
    assert set() == found_in(beside(path))


def test_a_journal_that_a_kill_left_is_rolled_back_and_emptied(mail: Lifecycle, path: Path, tmp_path: Path) -> None:
    """O5, F1: killed in the commit: the journal holds what was there before; the next erasure leaves nothing of it."""
    left = tmp_path / "left" / "mail.db"
    left.parent.mkdir()
    store = mail.store
    assert isinstance(store, SqlStore)
    with store.db.writing() as tx:
        store.erase(ContactId(NADJA), [parse_address(MOVED).match_key()])
        tx.exec_driver_sql("PRAGMA cache_size=1")  # so that pages are written before the commit, and the journal is hot
        tx.exec_driver_sql("UPDATE log SET crc = crc")
        for one in path.parent.glob("mail.db*"):
            (left.parent / one.name).write_bytes(one.read_bytes())
    assert Path(f"{left}-journal").stat().st_size > 0
    with closing(world(store=SqlStore(f"sqlite:///{left}", peppers=PEPPERS))) as again:
        assert MOVED == again.contact(NADJA).email
        again.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
        assert set() == found_in(beside(left))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_stays_where_pages_were_split(path: Path, seed: int) -> None:
    """O5: rows that moved to other pages leave copies in the gaps of those where they were; these go, too."""
    chance = random.Random(seed)  # noqa: S311 - drawn again, not secret
    names = [f"{chance.randbytes(6).hex()}person{number}" for number in range(1500)]
    with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
        for start in range(0, len(names), 100):
            some = [contact(name) for name in names[start : start + 100]]
            with store.transaction():
                store.put(some)
                store.append([_no_of(one.id) for one in some], at=NOW)
        gone = chance.sample(names, 150)
        with store.transaction():
            for name in gone:
                store.erase(ContactId(name), [contact(name).address.match_key()])  # type: ignore[union-attr]
        raw = beside(path)
        assert [] == [name for name in gone if found_in(raw, [name])]
        kept = next(name for name in names if name not in gone)
        assert found_in(raw, [kept])


def _no_of(name: str) -> OptOut:
    provenance = said(at=NOW, text=f"words of {name}", evidence=f"a letter of {name}")
    return OptOut(subject=subject_of(contact(name)), scope=ALL, event_id=f"e-{name}", provenance=provenance)


def test_a_large_file_says_that_it_is_to_be_scrubbed(
    mail: Lifecycle, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O5: writing it anew takes long: it is due, which `stats` says, until somebody has it done."""
    monkeypatch.setattr(keeping, "_QUICK", 0)
    store = mail.store
    assert isinstance(store, SqlStore)
    assert "no" == store.stats()["scrub due"]
    mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
    assert "yes" == store.stats()["scrub due"]
    store.scrub()
    assert "no" == store.stats()["scrub due"]
    assert set() == found_in(beside(path))
    assert () == store.check().problems


def test_a_file_that_others_read_is_scrubbed_later(
    mail: Lifecycle, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O5, F15: the erasure does not fail for it; it stays due, and the next one does it."""
    with closing(SqlStore(f"sqlite:///{path}?timeout=0", peppers=PEPPERS)) as store, closing(_raw(path)) as reader:
        scrub = store.scrub

        def disturbed() -> None:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM log").fetchall()
            scrub()

        monkeypatch.setattr(store, "scrub", disturbed)
        world(store=store).erase("bob", by=Actor.CONTACT, now=NOW + HOUR)
        assert "yes" == store.stats()["scrub due"]
        reader.execute("COMMIT")
        monkeypatch.setattr(store, "scrub", scrub)
        mail.erase("ada", by=Actor.CONTACT, now=NOW + HOUR)
        assert "no" == store.stats()["scrub due"]
    assert set() == found_in(beside(path), ["bob@example.com", "ada@example.com"])


def _raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_write_ahead_log_holds_nothing_of_who_was_erased(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """O5, F14: where it may be used, what it held is put into the file and cut off, also while others have it open."""
    monkeypatch.setattr(opening, "wal_is_safe", lambda _: True)
    url = f"sqlite:///{path}?journal=wal"
    with (
        closing(world("ada", store=SqlStore(url, peppers=PEPPERS))) as mail,
        closing(SqlStore(url, peppers=PEPPERS)) as other,
    ):
        live(mail)
        assert other.position() == mail.store.position()
        assert set(NEEDLES) == found_in(beside(path))
        mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
        assert set() == found_in(beside(path))


def test_without_a_pepper_nothing_is_erased(tmp_path: Path) -> None:
    """F63: nobody could be kept out afterwards, so it is refused, and everything stays."""
    path = tmp_path / "mail.db"
    with closing(world("ada", store=SqlStore(f"sqlite:///{path}"))) as mail:
        with pytest.raises(Misconfigured, match="erasing needs a pepper"):
            mail.erase("ada", by=Actor.CONTACT, now=NOW)
        assert address("ada") == mail.contact("ada").email


# --- Postgres ---------------------------------------------------------------------------------------------------------


def heap(server: Server) -> bytes:
    """Return the raw bytes of every table and index of the database, those of the server's own among them."""
    server.sql("CHECKPOINT")
    folder = server.folder / "data" / server.sql("SELECT pg_relation_filepath('pg_class')").strip()
    return b"".join(one.read_bytes() for one in sorted(folder.parent.iterdir()))


def log_of_writes(server: Server) -> bytes:
    """Return the raw bytes of the write-ahead log."""
    return b"".join(one.read_bytes() for one in sorted((server.folder / "data/pg_wal").iterdir()) if one.is_file())


def test_a_server_holds_nothing_of_who_was_erased_once_it_is_scrubbed(own_postgres: Server) -> None:
    """O5: not in any table or index, nor in what the server knows of their contents, nor in a dump.

    The write-ahead log holds it, until its files are recycled; so do backups and replicas. That is documented, and
    seen here.
    """
    server, schema = own_postgres, new_schema()
    with closing(world("ada", store=SqlStore(server.url(schema), peppers=PEPPERS), esp=MemoryEsp())) as mail:
        live(mail)
        server.sql("ANALYZE")
        assert set(NEEDLES) == found_in(heap(server))
        assert set(NEEDLES) == found_in(server.dump(schema).encode())
        mail.erase(NADJA, by=Actor.CONTACT, now=NOW + HOUR)
        assert set() == found_in(server.dump(schema).encode())
        store = mail.store
        assert isinstance(store, SqlStore)
        assert "yes" == store.stats()["scrub due"]
        store.scrub()
        assert "no" == store.stats()["scrub due"]
        assert set() == found_in(heap(server))
        assert found_in(log_of_writes(server))
        assert () == store.check().problems
        is_kept_out(mail)


def test_an_erasure_beside_a_scrub_of_a_server_is_scrubbed_next(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O5: as in a file."""
    url = postgres.url(new_schema())
    with closing(SqlStore(url, peppers=PEPPERS)) as store, closing(SqlStore(url, peppers=PEPPERS)) as other:
        _scrubs_beside_an_erasure(store, other, monkeypatch)
