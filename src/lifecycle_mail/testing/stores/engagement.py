"""The laws of events, their door, the counts by day, and profiles."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.events import LONGEST, EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.profiles import EngagementProfile, Snapshot, fold, resolve
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import contact, days_ago, event, frozen_now
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.making import MakesStores, long_text

ADA, BOB, CEM = ContactId("ada"), ContactId("bob"), ContactId("cem")


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
            assert [] == list(store.tally())
            assert [early] == list(store.admit([early]))

    def test_what_is_quarantined_can_be_looked_at(self) -> None:
        """Whole, each once, in order of id; letting one in leaves it there (F64)."""
        early = [event(ADA, at=days_ago(-3650), mail=f"m{number}") for number in range(4)]
        early.append(evolve(whole_event(), at=days_ago(-3650)))
        expected = sorted(early, key=lambda one: one.id)
        with self.opened() as store:
            assert [] == list(store.quarantined())
            for one in reversed(expected):
                store.quarantine([one, evolve(one, at=days_ago(-1))], at=frozen_now)
            assert expected == list(store.quarantined())
            store.admit(early[:1])
            assert expected == list(store.quarantined())

    # -- mails that nothing was heard of

    def test_a_mail_is_unseen_until_an_event_speaks_of_it(self) -> None:
        """Of each contact by itself; what is asked again is not used up."""
        with self.opened() as store:
            store.admit([event(ADA, mail="m1"), event(ADA, EventKind.SENT, mail="m2"), event(BOB, mail="m3")])
            asked = {ADA: ["m1", "m2", "m3"], BOB: {"m1", "m3", "m4"}}
            for _ in range(2):
                found = store.unseen(asked)
                assert {"m3"} == set(found[ADA])
                assert {"m1", "m4"} == set(found[BOB])
            assert set() == set(store.unseen({ADA: ["m1"]}).get(ADA, ()))
            assert {"m1"} == set(store.unseen({CEM: ["m1"]})[CEM])
            assert {} == {who: set(mails) for who, mails in store.unseen({}).items()}

    # -- who really did it

    def test_evidence_is_set_right(self) -> None:
        """The event says from then on who did it, and its contact is named once; what says so already is not (R18)."""
        opened, clicked = event(ADA), event(ADA, EventKind.CLICKED)
        human = event(BOB, evidence=Evidence.HUMAN)
        evidence = {opened.id: Evidence.MACHINE, clicked.id: Evidence.MACHINE, human.id: Evidence.HUMAN}
        with self.opened() as store:
            store.admit([opened, clicked, human])
            assert [ADA] == list(store.reclassify({**evidence, EntryId("unknown"): Evidence.MACHINE}))
            machine = {evolve(one, evidence=Evidence.MACHINE) for one in (opened, clicked)}
            assert machine == set(store.events_of(ADA))
            assert [human] == list(store.events_of(BOB))
            assert [] == list(store.reclassify(evidence))
            assert [] == list(store.reclassify({}))
            assert [] == list(store.admit([opened]))

    # -- counts by day

    def test_events_are_counted_by_day_campaign_provider_and_mark(self) -> None:
        """A day is a UTC day; the counts come in that order, and hold no name (O6)."""
        late = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
        midnight = late + timedelta(microseconds=1)
        gmail, own = contact("ada", address="ada@gmail.com"), contact("bob", address="bob@example.com")
        batch = [
            event(gmail, EventKind.SENT, at=midnight, mail="1", campaign="spring"),
            event(gmail, EventKind.SENT, at=midnight, mail="2", campaign="spring"),
            event(gmail, at=late, mail="1", campaign="spring", evidence=Evidence.MACHINE),
            event(own, EventKind.SENT, at=midnight, mail="3", campaign="spring", purpose=Purpose.LAST_CHANCE),
            event(own, EventKind.CLICKED, at=late, mail="3"),
            event(CEM, at=late, mail="4"),
        ]
        with self.opened() as store:
            assert [] == list(store.tally())
            store.put([gmail, own, contact("ghost", address=None)])
            store.admit(batch[:3])
            store.admit([*batch, *batch, event("ghost", at=late, mail="5")])
            expected = [
                (1, "", "", "opened", 2),
                (1, "", "other", "clicked", 1),
                (1, "spring", "gmail", "machine-opened", 1),
                (2, "spring", "gmail", "sent", 2),
                (2, "spring", "other", "last-chance", 1),
                (2, "spring", "other", "sent", 1),
            ]
            assert expected == _counted(store)
            assert expected[3:] == _counted(store, since=midnight.date())

    def test_a_count_keeps_the_provider_of_its_day(self) -> None:
        """Who moves to another provider, or is removed, changes no count of what was."""
        with self.opened() as store:
            store.put([contact("ada", address="ada@gmail.com")])
            store.admit([event(ADA, mail="1")])
            store.put([contact("ada", address="ada@outlook.com")])
            store.admit([event(ADA, mail="2")])
            assert {"gmail": 1, "microsoft": 1} == {one.provider: one.count for one in store.tally()}
            store.remove([ADA])
            assert {"gmail": 1, "microsoft": 1} == {one.provider: one.count for one in store.tally()}

    def test_days_are_counted_anew_with_the_evidence(self) -> None:
        """A machine's open is taken from the opens and counted among the machine's, where it was counted (R18)."""
        human, robot = event(ADA, mail="1"), event(ADA, mail="2")
        with self.opened() as store:
            store.put([contact("ada", address="ada@gmail.com")])
            store.admit([human, robot])
            store.put([contact("ada", address="ada@outlook.com")])
            store.reclassify({human.id: Evidence.HUMAN, robot.id: Evidence.MACHINE})
            assert [("gmail", "machine-opened", 1), ("gmail", "opened", 1)] == [row[2:] for row in _counted(store)]
            store.reclassify({human.id: Evidence.MACHINE})
            assert [("gmail", "machine-opened", 2)] == [row[2:] for row in _counted(store)]

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

    def test_long_texts_are_kept_whole(self) -> None:
        """Ids as long as they may be, in any letters, and a link and a source of 10,000 characters (R6, F31)."""
        letters = [long_text(LONGEST, "abcdefghijklmnopqrstuvwxyz0123456789+/")]
        letters += [long_text(LONGEST, [chr(one) for one in range(0x1F300, 0x1F5FF)])]
        letters += [letters[-1][1:] + "\0", letters[-1][1:] + "\ud800"]
        link = long_text(10_000)
        with self.opened() as store:
            # One at a time, as a store may refuse one of them.
            for number, one in enumerate(letters):
                known = event(ADA, mail=one)
                known = evolve(known, campaign=one, link=link + str(number), source=link, id=EntryId(one))
                assert [known] == list(store.admit([known]))
                assert [] == list(store.admit([known]))
                assert {ADA: set()} == {ADA: set(store.unseen({ADA: [one]})[ADA])}
                store.quarantine([known], at=frozen_now)
                assert known in store.quarantined()
                assert known in store.events_of(ADA)
            assert set(letters) == {one.campaign for one in store.tally()}

    def test_an_id_that_no_store_could_find_again_is_refused_before_it_gets_there(self) -> None:
        """A mail, campaign or id of an event of 10,000 characters: said by the model, for every store alike (F31)."""
        for name in ("mail", "campaign", "id"):
            for size in (LONGEST + 1, 10_000):
                message = str(raises(InvalidInput, partial(evolve, whole_event(), **{name: "x" * size})))
                assert f"{name} 'xxx" in message
                assert f"{size:,} characters, not {LONGEST}" in message

    def test_the_door_survives_a_restart(self) -> None:
        """Ids are kept for good: next week's export brings nothing new (E2)."""
        store = self.make_store()
        store.admit([whole_event()])
        store.save([whole_profile()])
        early = event(ADA, at=days_ago(-3650))
        store.quarantine([early], at=frozen_now)
        store.admit([event(BOB)])
        store.reclassify({event(BOB).id: Evidence.MACHINE})
        counted = _counted(store)
        with self.reopened(store) as again:
            assert [] == list(again.admit([whole_event()]))
            assert [whole_event()] == list(again.events_of(ADA))
            assert {ADA: whole_profile()} == dict(again.profiles([ADA]))
            assert [early] == list(again.quarantined())
            assert Evidence.MACHINE is again.events_of(BOB)[0].evidence
            assert counted == _counted(again) != []


def _counted(store: Store, since: date | None = None) -> list[tuple[int, str, str, str, int]]:
    """Return the counts of a store, in its order, with the day of the month."""
    return [(one.day.day, one.campaign, one.provider, one.mark, one.count) for one in store.tally(since=since)]
