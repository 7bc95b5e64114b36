"""The laws of events, their door, and profiles."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.profiles import EngagementProfile, Snapshot, fold, resolve
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import days_ago, event, frozen_now
from lifecycle_mail.testing.stores.making import MakesStores

ADA, BOB = ContactId("ada"), ContactId("bob")


def whole_event() -> EngagementEvent:
    """Return an event with everything that one can hold, and the source's own id."""
    return EngagementEvent(
        contact_id=ADA,
        kind=EventKind.CLICKED,
        at=frozen_now + timedelta(microseconds=1),
        mail="m\N{SNOWMAN}",
        campaign="spring",
        link="https://example.com/?a=1&b='",
        evidence=Evidence.MACHINE,
        purpose=Purpose.LAST_CHANCE,
        source="mailchimp",
        id=EntryId("sg_event_id-1"),
    )


def whole_profile() -> EngagementProfile:
    """Return a profile folded from a year of mails, on top of what somebody else had counted."""
    events = [
        happened
        for week in range(52)
        for happened in (
            event(ADA, EventKind.SENT, at=days_ago(364 - 7 * week), mail=f"m{week}"),
            event(
                ADA, EventKind.OPENED, at=days_ago(363 - 7 * week), mail=f"m{week}", evidence=list(Evidence)[week % 3]
            ),
        )
    ]
    counted = Snapshot(taken_at=days_ago(400), last_open=days_ago(401), mails=12, opened_share=0.1)
    return fold(ADA, resolve(events), baseline=counted)


class EngagementConformance(MakesStores, suite=True):
    """The laws of `ports.Engagement`."""

    def test_the_door_lets_each_event_in_once(self) -> None:
        """One event 46 times is one event, within a batch and over many (F33)."""
        opened, clicked = event(ADA), event(ADA, EventKind.CLICKED)
        with self.opened() as store:
            assert [opened] == list(store.admit([opened] * 46))
            assert [clicked] == list(store.admit([opened, clicked, clicked, opened]))
            assert [] == list(store.admit([clicked]))
            assert [] == list(store.admit([]))
            assert [] == list(store.admit([opened, clicked]))
            assert {opened, clicked} == set(store.events_of(ADA))
            assert 2 == len(store.events_of(ADA))

    def test_the_door_goes_by_the_id(self) -> None:
        """An id that was seen stays seen, whatever a later report says under it."""
        first = whole_event()
        with self.opened() as store:
            store.admit([first])
            assert [] == list(store.admit([evolve(first, contact_id=BOB), evolve(first, at=days_ago(1))]))
            assert [first] == list(store.events_of(ADA))
            assert [] == list(store.events_of(BOB))

    def test_an_event_comes_back_whole(self) -> None:
        """Every attribute is kept, to the microsecond."""
        with self.opened() as store:
            assert [whole_event()] == list(store.admit([whole_event()]))
            assert [whole_event()] == list(store.events_of(ADA))

    def test_events_are_kept_by_contact(self) -> None:
        """Everybody has their own, and strangers have none."""
        with self.opened() as store:
            store.admit([event(ADA), event(BOB)])
            assert [event(ADA)] == list(store.events_of(ADA))
            assert [] == list(store.events_of(ContactId("nobody")))

    def test_a_profile_comes_back_whole(self) -> None:
        """Mails, instants, monthly counts and the baseline are kept, so that folding can go on where it stopped."""
        profile = whole_profile()
        with self.opened() as store:
            store.save([profile])
            found = store.profiles([ADA, BOB])
            assert [ADA] == list(found)
            assert profile == found[ADA]
            assert profile.mails == found[ADA].mails

    def test_save_replaces(self) -> None:
        """The latest profile of a contact is the profile."""
        with self.opened() as store:
            store.save([whole_profile()])
            empty = EngagementProfile(contact_id=ADA)
            store.save([empty])
            assert {ADA: empty} == dict(store.profiles([ADA]))
            assert {} == dict(store.profiles([]))

    def test_quarantine_keeps_events_out(self) -> None:
        """An event from the future counts for nothing, and its id is not used up: it may come again in time (F64)."""
        early = event(ADA, at=days_ago(-3650))
        with self.opened() as store:
            store.quarantine([early, early], at=frozen_now)
            store.quarantine([early], at=frozen_now)
            assert [] == list(store.events_of(ADA))
            assert [early] == list(store.admit([early]))

    def test_workers_at_once_admit_an_event_once(self) -> None:
        """Eight webhooks with the same batch: each event is new to exactly one of them (F33)."""
        batch = [event(ADA, mail=f"m{n}") for n in range(40)]
        new: list[EngagementEvent] = []

        def worker(turn: int) -> Callable[[Store], None]:
            def admit(store: Store) -> None:
                mine = batch[turn * 5 :] + batch[: turn * 5]
                for start in range(0, len(mine), 10):
                    new.extend(store.admit(mine[start : start + 10]))

            return admit

        with self.opened() as store:
            self.at_once(store, *map(worker, range(8)))
            assert sorted(one.id for one in batch) == sorted(one.id for one in new)
            assert 40 == len(store.events_of(ADA))

    def test_the_door_survives_a_restart(self) -> None:
        """Ids are kept for good: next week's export brings nothing new (E2)."""
        store = self.make_store()
        store.admit([whole_event()])
        store.save([whole_profile()])
        again = self.reopen(store)
        try:
            assert [] == list(again.admit([whole_event()]))
            assert [whole_event()] == list(again.events_of(ADA))
            assert {ADA: whole_profile()} == dict(again.profiles([ADA]))
        finally:
            again.close()
