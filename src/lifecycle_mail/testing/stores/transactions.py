"""The laws of transactions: all of the writes inside one, or none."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.ports import ClaimState, Store
from lifecycle_mail.testing.builders import consent, contact, event, frozen_now
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.claims import recipient
from lifecycle_mail.testing.stores.making import PATIENCE, MakesStores

SPRING = CampaignKey("spring")
ADA, BOB = contact("ada"), contact("bob")


class Interrupted(Exception):
    """What a test throws; no store knows it."""


def fill(store: Store) -> None:
    """Write something of every kind, to be kept."""
    store.append([consent(ADA)], at=frozen_now)
    store.put([ADA])
    store.admit([event(ADA)])
    store.save([EngagementProfile(contact_id=ADA.id)])
    store.claim([recipient("ada")], at=frozen_now)
    store.settle(SPRING, [ADA.id], ClaimState.HANDED_OFF, at=frozen_now)


WRITES: dict[str, Callable[[Store], Any]] = {
    "append": lambda store: store.append([consent(ADA, "news"), consent(BOB)], at=frozen_now),
    "put a new contact": lambda store: store.put([BOB]),
    "put a changed contact": lambda store: store.put([contact("ada", address="new@example.com", tags={"x"})]),
    "admit": lambda store: store.admit([event(ADA, EventKind.CLICKED), event(BOB)]),
    "save": lambda store: store.save(
        [
            EngagementProfile(contact_id=ADA.id, first={"opened": to_micros(frozen_now)}),
            EngagementProfile(contact_id=BOB.id),
        ]
    ),
    "claim": lambda store: store.claim([recipient("bob"), recipient("ada", "autumn")], at=frozen_now),
    "settle": lambda store: store.settle(SPRING, [ADA.id], ClaimState.RETURNED, at=frozen_now),
    "mark in flight": lambda store: store.mark_in_flight(ADA.id, [SPRING], opted_out_at=frozen_now),
}
"""A write of every kind, on top of `fill`."""


def everything(store: Store) -> dict[str, object]:
    """Read all that these writes can change."""
    people = [ADA.id, BOB.id]
    addresses = [ADA.address, BOB.address, contact("ada", address="new@example.com").address]
    return {
        "log": list(store.records()),
        "position": store.position(),
        "about": {who: list(found) for who, found in store.about({one: [] for one in people}).items()},
        "contacts": list(store.each()),
        "found": [list(store.find(address.identity)) for address in addresses if address is not None],
        "events": [sorted(one.id for one in store.events_of(who)) for who in people],
        "profiles": dict(store.profiles(people)),
        "claims": [dict(store.claims(CampaignKey(key))) for key in ("spring", "autumn")],
    }


class TransactionConformance(MakesStores, suite=True):
    """The laws of `ports.Store.transaction`."""

    def test_every_kind_of_write_is_undone_together(self) -> None:
        """Whatever is written in a transaction that fails was never written, and the store goes on working (F10)."""
        for name, write in WRITES.items():
            with self.opened() as store:
                fill(store)
                before = everything(store)
                raises(Interrupted, partial(_in_transaction, store, write, Interrupted()))
                assert before == everything(store), name
                write(store)
                assert before != everything(store), f"{name} writes nothing: the test is wrong"

    def test_all_writes_of_one_transaction_are_undone(self) -> None:
        """A transaction of many writes is undone as a whole; what is written next is numbered on without a gap."""
        with self.opened() as store:
            fill(store)
            before = everything(store)

            def write_all(store: Store) -> None:
                for _ in range(2):
                    for write in WRITES.values():
                        write(store)

            raises(Interrupted, lambda: _in_transaction(store, write_all, Interrupted()))
            assert before == everything(store)
            assert [store.position() + 1] == [r.seq for r in store.append([consent(BOB)], at=frozen_now)]
            assert [event(BOB)] == list(store.admit([event(BOB)]))
            assert {BOB.id} == set(store.claim([recipient("bob")], at=frozen_now))

    def test_a_transaction_that_ends_well_is_kept(self) -> None:
        """Leaving the block keeps every write, and within it each write can be read."""
        with self.opened() as store:
            with store.transaction():
                fill(store)
                for write in WRITES.values():
                    write(store)
                inside = everything(store)
            assert inside == everything(store)
            assert 3 == store.position()

    def test_the_exception_passes_through(self) -> None:
        """The very exception comes out, of whatever kind, one that is no `Exception` among them."""
        for error in (Interrupted("x"), KeyError("x"), KeyboardInterrupt(), GeneratorExit()):
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
