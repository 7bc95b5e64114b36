"""The laws of transactions: all of the writes inside one, or none."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.ports import ClaimState, Store, TaskKind, TaskState
from lifecycle_mail.testing.builders import consent, contact, days_ago, event, frozen_now, subject_of
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.aside import set_aside
from lifecycle_mail.testing.stores.bookmarks import bookmark
from lifecycle_mail.testing.stores.claims import recipient
from lifecycle_mail.testing.stores.everything import Asked, everything
from lifecycle_mail.testing.stores.log import key, opt_out
from lifecycle_mail.testing.stores.making import PATIENCE, MakesStores
from lifecycle_mail.testing.stores.outbox import MAILCHIMP, task, tried

SPRING = CampaignKey("spring")
ADA, BOB, CEM = contact("ada"), contact("bob"), contact("cem")
EARLY = event(ADA, at=days_ago(-99))
MINUTE = timedelta(minutes=1)


class Interrupted(Exception):
    """What a test throws; no store knows it."""


def fill(store: Store) -> None:
    """Write something of every kind, to be kept."""
    store.append([consent(ADA), consent(CEM), opt_out(subject_of(CEM))], at=frozen_now)
    store.put([ADA, CEM])
    store.put_lists([MailingList("offers")])
    store.admit([event(ADA), event(CEM)])
    store.save([EngagementProfile(contact_id=one.id) for one in (ADA, CEM)])
    store.quarantine([EARLY], at=frozen_now)
    store.set_aside([set_aside(ADA), set_aside(CEM)])
    store.begin("autumn", "one", at=frozen_now, until=frozen_now + MINUTE)
    store.claim([recipient("ada"), recipient("cem")], at=frozen_now)
    store.settle(SPRING, [ADA.id], ClaimState.HANDED_OFF, at=frozen_now)
    store.post([task("ada"), task("bob"), task("cem")])
    store.note([tried(task("bob"), TaskState.REFUSED), tried(task("cem"), TaskState.DUE)])
    store.mark(bookmark("sweep", 1))
    store.bind(MAILCHIMP, "list", "offers", "old")


WRITES: dict[str, Callable[[Store], Any]] = {
    "append": lambda store: store.append([consent(ADA, "news"), consent(BOB)], at=frozen_now),
    "put a new contact": lambda store: store.put([BOB]),
    "put a changed contact": lambda store: store.put([contact("ada", address="new@example.com", tags={"x"})]),
    "put a new list": lambda store: store.put_lists([MailingList("news")]),
    "put a changed list": lambda store: store.put_lists([MailingList("offers", title="Deals")]),
    "admit": lambda store: store.admit([event(ADA, EventKind.CLICKED), event(BOB)]),
    "reclassify": lambda store: store.reclassify({event(ADA).id: Evidence.MACHINE}),
    "save": lambda store: store.save(
        [
            EngagementProfile(contact_id=ADA.id, first={"opened": to_micros(frozen_now)}),
            EngagementProfile(contact_id=BOB.id),
        ]
    ),
    "quarantine": lambda store: store.quarantine([EARLY, event(BOB, at=days_ago(-99))], at=frozen_now),
    "set aside": lambda store: store.set_aside([set_aside(BOB)]),
    "take back": lambda store: store.take_back([set_aside(ADA).entry.id]),
    "begin": lambda store: store.begin("spring", "one", at=frozen_now, until=frozen_now + MINUTE),
    "finish": lambda store: store.finish("autumn", "one"),
    "claim": lambda store: store.claim([recipient("bob"), recipient("ada", "autumn")], at=frozen_now),
    "settle": lambda store: store.settle(SPRING, [ADA.id], ClaimState.RETURNED, at=frozen_now),
    "mark in flight": lambda store: store.mark_in_flight(ADA.id, [SPRING], opted_out_at=frozen_now),
    "post": lambda store: store.post([task("dan"), task("ada", TaskKind.OPT_OUT)]),
    "take": lambda store: store.take(MAILCHIMP, "one", most=1, at=frozen_now, until=frozen_now + MINUTE),
    "note": lambda store: store.note([tried(task("ada"), TaskState.DONE, 0, "took it")]),
    "note for later": lambda store: store.note(
        [tried(task("cem"), TaskState.DUE, 0, "503")], due_at=frozen_now + MINUTE
    ),
    "revive": lambda store: store.revive([task("bob").id], at=frozen_now),
    "mark": lambda store: store.mark(bookmark("sweep", 2)),
    "mark anew": lambda store: store.mark(bookmark("import", 1)),
    "bind": lambda store: store.bind(MAILCHIMP, "list", "offers", "new"),
    "bind anew": lambda store: store.bind(MAILCHIMP, "list", "news", "new"),
    "remove": lambda store: store.remove([ADA.id]),
    "erase": lambda store: store.erase(CEM.id, [key("cem@example.com")]),
}
"""A write of every kind, on top of `fill`."""

ASKED = Asked(
    people=[ADA.id, BOB.id, CEM.id],
    keys=[key(f"{name}@example.com") for name in ("ada", "bob", "cem", "new")],
    campaigns=["spring", "autumn"],
    targets=[MAILCHIMP],
)
"""By what these writes can be read."""


class TransactionConformance(MakesStores, suite=True):
    """The laws of `ports.Store.transaction`."""

    def test_every_kind_of_write_is_undone_together(self) -> None:
        """Whatever is written in a transaction that fails was never written, and the store goes on working (F10)."""
        for name, write in WRITES.items():
            with self.opened() as store:
                fill(store)
                before = everything(store, ASKED)
                raises(Interrupted, partial(_in_transaction, store, write, Interrupted()))
                assert before == everything(store, ASKED), name
                write(store)
                assert before != everything(store, ASKED), f"{name} writes nothing: the test is wrong"

    def test_all_writes_of_one_transaction_are_undone(self) -> None:
        """A transaction of many writes is undone as a whole; what is written next is numbered on without a gap."""
        with self.opened() as store:
            fill(store)
            before = everything(store, ASKED)

            def write_all(store: Store) -> None:
                for _ in range(2):
                    for write in WRITES.values():
                        write(store)

            raises(Interrupted, lambda: _in_transaction(store, write_all, Interrupted()))
            assert before == everything(store, ASKED)
            assert [store.position() + 1] == [r.seq for r in store.append([consent(BOB)], at=frozen_now)]
            assert [event(BOB)] == list(store.admit([event(BOB)]))
            assert {BOB.id} == set(store.claim([recipient("bob")], at=frozen_now))
            assert 1 == store.post([task("dan")])
            assert [task("ada")] == list(store.take(MAILCHIMP, "two", most=1, at=frozen_now, until=frozen_now))

    def test_a_transaction_that_ends_well_is_kept(self) -> None:
        """Leaving the block keeps every write, and within it each write can be read."""
        with self.opened() as store:
            with store.transaction():
                fill(store)
                for write in WRITES.values():
                    write(store)
                inside = everything(store, ASKED)
            assert inside == everything(store, ASKED)
            assert 5 == store.position()

    def test_the_exception_passes_through(self) -> None:
        """The very exception comes out, of whatever kind, one that is no `Exception` among them.

        What the application's own database says inside is nothing that the registry said.
        """
        busy = sqlite3.OperationalError("the application's database is locked")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
        theirs = (busy, sqlite3.IntegrityError("a table of the application"))
        for error in (Interrupted("x"), KeyError("x"), KeyboardInterrupt(), GeneratorExit(), *theirs):
            with self.opened() as store:
                found = raises(type(error), partial(_in_transaction, store, fill, error))
                assert error is found
                assert 0 == store.position()
                assert [] == list(store.each())

    def test_a_transaction_within_a_transaction_belongs_to_it(self) -> None:
        """What an inner one wrote is undone when the outer one fails, even after the inner one ended well."""
        with self.opened() as store:

            def nested(store: Store) -> None:
                store.put([ADA])
                with store.transaction():
                    store.put([BOB])
                    store.append([consent(BOB)], at=frozen_now)
                assert {ADA.id, BOB.id} == {one.id for one in store.each()}

            raises(Interrupted, lambda: _in_transaction(store, nested, Interrupted()))
            assert [] == list(store.each())
            assert 0 == store.position()
            with store.transaction():
                nested(store)
            assert [ADA, BOB] == list(store.each())

    def test_a_failure_inside_undoes_the_outer_transaction(self) -> None:
        """An exception that leaves both blocks undoes the writes of both."""
        with self.opened() as store:

            def inner_fails(store: Store) -> None:
                store.put([ADA])
                _in_transaction(store, lambda inner: inner.put([BOB]), Interrupted())

            raises(Interrupted, lambda: _in_transaction(store, inner_fails, KeyError("never reached")))
            assert [] == list(store.each())

    def test_nobody_sees_what_is_undone(self) -> None:
        """Another worker reads what was before or waits; it never reads a write that is taken back."""
        seen: list[tuple[int, list[ContactId]]] = []
        with self.opened() as store:

            def read() -> None:
                mine = self.another(store)
                seen.append((mine.position(), [one.id for one in mine.each()]))
                if mine is not store:
                    mine.close()

            reader = Thread(target=read, daemon=True)

            def write(store: Store) -> None:
                fill(store)
                reader.start()

            raises(Interrupted, lambda: _in_transaction(store, write, Interrupted()))
            reader.join(PATIENCE)
            assert [(0, [])] == seen


def _in_transaction(store: Store, work: Callable[[Store], Any], error: BaseException) -> None:
    with store.transaction():
        work(store)
        raise error
