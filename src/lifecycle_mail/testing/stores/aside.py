"""The laws of suppressions that are set aside."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Suppression, SuppressionKind
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import SetAside
from lifecycle_mail.testing.builders import contact, frozen_now, subject_of
from lifecycle_mail.testing.stores.making import MakesStores

MINUTE = timedelta(minutes=1)


def set_aside(
    someone: Contact, kind: SuppressionKind = SuppressionKind.BOUNCE, *, at: datetime = frozen_now, why: str = "F66"
) -> SetAside:
    """Return a bounce, or what is given, that waits for a decision."""
    bounced = Provenance(
        actor=Actor.ESP,
        through=Through.WEBHOOK,
        at=frozen_now + timedelta(microseconds=1),
        source="mailchimp",
        campaign="spring",
        text="550 5.1.1 \N{SNOWMAN}",
        evidence="message 'x'",
    )
    entry = Suppression(subject=subject_of(someone), kind=kind, event_id=f"of-{someone.id}", provenance=bounced)
    return SetAside(entry=entry, why=why, at=at)


ADA, BOB = contact("ada"), contact("bob")


class AsideConformance(MakesStores, suite=True):
    """The laws of `ports.Aside`."""

    def test_what_is_set_aside_waits_and_is_in_no_log(self) -> None:
        """It comes back whole, and binds nobody (F66)."""
        pause = evolve(set_aside(BOB, SuppressionKind.PAUSE).entry, until=frozen_now + MINUTE)
        waiting = [set_aside(ADA), SetAside(entry=pause, why="", at=frozen_now + MINUTE)]
        with self.opened() as store:
            assert [] == list(store.aside())
            store.set_aside(waiting)
            assert waiting == list(store.aside())
            assert 0 == store.position()
            assert store.record(waiting[0].entry.id) is None

    def test_each_is_kept_once(self) -> None:
        """By the id of its entry; what came first stays."""
        with self.opened() as store:
            store.set_aside([set_aside(ADA), set_aside(ADA, why="again")])
            store.set_aside([set_aside(ADA, at=frozen_now - MINUTE)])
            store.set_aside([])
            assert [set_aside(ADA)] == list(store.aside())

    def test_they_come_in_order_of_the_instant_then_of_the_id(self) -> None:
        """Whatever order they were set aside in."""
        people = [contact(f"c{number}") for number in range(6)]
        waiting = [set_aside(one, at=frozen_now + number % 3 * MINUTE) for number, one in enumerate(people)]
        expected = sorted(waiting, key=lambda one: (one.at, one.entry.id))
        with self.opened() as store:
            for one in waiting:
                store.set_aside([one])
            assert expected == list(store.aside())

    def test_what_is_taken_back_waits_no_longer(self) -> None:
        """It is returned, whole; what does not wait is passed over, and the same may be set aside again."""
        with self.opened() as store:
            store.set_aside([set_aside(ADA), set_aside(BOB)])
            assert [] == list(store.take_back([]))
            asked = [set_aside(ADA).entry.id, set_aside(ADA).entry.id, EntryId("none")]
            assert [set_aside(ADA)] == list(store.take_back(asked))
            assert [set_aside(BOB)] == list(store.aside())
            assert [] == list(store.take_back(asked))
            store.set_aside([set_aside(ADA)])
            assert 2 == len(store.aside())

    def test_what_is_set_aside_survives_a_restart(self) -> None:
        """It waits for a person, however long."""
        store = self.make_store()
        store.set_aside([set_aside(ADA)])
        with self.reopened(store) as again:
            assert [set_aside(ADA)] == list(again.aside())
