"""The laws of the consent log."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from attrs import evolve

from lifecycle_mail.model.addresses import MatchKey, parse_address
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Record,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import contact, frozen_now, key_of, said, subject_of
from lifecycle_mail.testing.stores.making import MakesStores, long_text

ADA, BOB = contact("ada"), contact("bob")
OFFERS, NEWS = ListKey("offers"), ListKey("news")
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)


def key(written: str) -> MatchKey:
    """Return the match key of an address."""
    return parse_address(written).match_key()


def opt_out(subject: Subject, event_id: str = "e1", *, scope: Scope | None = None) -> OptOut:
    """Return a no to one list, or to what is given."""
    return OptOut(
        subject=subject,
        scope=scope or Scope.list(OFFERS),
        event_id=event_id,
        provenance=said(through=Through.ONE_CLICK),
    )


def one_of_each() -> list[Entry]:
    """Return an entry of every kind, each with everything that it can hold."""
    full = Provenance(
        actor=Actor.CONTACT,
        through=Through.CONFIRMATION,
        at=frozen_now + timedelta(microseconds=1),
        source="app",
        campaign="spring",
        segment="spenders",
        reason=OptOutReason.OTHER,
        text="ei soovi enam \N{SNOWMAN}\n'); --",
        evidence="form 7\tfrom 192.0.2.1",
    )
    who = subject_of(ADA)
    no = OptOut(subject=who, scope=Scope.all(), event_id="e1", provenance=full, dated=False)
    mute = OptOut(subject=Subject(key=key_of(ADA)), scope=Scope.channel(Channel.SMS), event_id="", provenance=said())
    held = Suppression(
        subject=Subject(contact_id=ADA.id),
        kind=SuppressionKind.PAUSE,
        event_id="p1",
        provenance=full,
        until=frozen_now + DAY,
    )
    asked = ConsentRequest(subject=who, list=OFFERS, provenance=full, asks={no.id, mute.id})
    return [
        no,
        mute,
        held,
        evolve(held, kind=SuppressionKind.BOUNCE, until=None),
        Lift(subject=who, cites={held.id}, provenance=full),
        asked,
        Consent(
            subject=who, list=OFFERS, standing=Standing.CONFIRMED, provenance=full, cites={no.id}, request=asked.id
        ),
        Consent(subject=who, list=NEWS, standing=Standing.IMPLIED, provenance=said(), expires_at=frozen_now + YEAR),
        AddressChanged(subject=who, old=None, provenance=full),
        AddressChanged(subject=Subject(contact_id=ADA.id), old=key("old@example.com"), provenance=full),
        Pushed(subject=who, opt_out=no.id, scope=no.scope, provenance=full, done=True),
    ]


def drawn_log(random: Random, length: int) -> list[Entry]:
    """Return a log of a small world, in which entries often share a contact or an address."""
    contacts = [ContactId(name) for name in ("ada", "bob", "cem")]
    keys = [key(f"{name}@example.com") for name in ("a", "b", "c", "d")]
    log: list[Entry] = []
    for number in range(length):
        who, where = random.choice([*contacts, None]), random.choice([*keys, None])
        if who is None and where is None:
            who = contacts[0]
        if random.random() < 0.3:
            moved = Subject(contact_id=who or contacts[1], key=where)
            change = said(Actor.OPERATOR, at=frozen_now + number * HOUR)
            log.append(AddressChanged(subject=moved, old=random.choice([*keys, None]), provenance=change))
        else:
            log.append(opt_out(Subject(contact_id=who, key=where), f"e{number}"))
    return log


def plainly_about(log: Sequence[Entry], whom: ContactId, keys: Iterable[MatchKey], upto: int) -> list[Entry]:
    """Read a log as the port says, without any index: what names the contact, a key of theirs, or a former one."""
    moves = [e for e in log[:upto] if isinstance(e, AddressChanged) and e.subject.contact_id == whom]
    ever = {*keys, *(e.old for e in moves), *(e.subject.key for e in moves)} - {None}
    return [e for e in log[:upto] if e.subject.contact_id == whom or e.subject.key in ever]


class ConsentLogConformance(MakesStores, suite=True):
    """The laws of `ports.ConsentLog`."""

    def test_an_empty_log_is_at_position_0(self) -> None:
        """An empty log holds nothing, at any instant."""
        with self.opened() as store:
            assert 0 == store.position()
            assert 0 == store.position_at(frozen_now)
            assert [] == list(store.records())
            assert store.record(EntryId("none")) is None

    def test_append_numbers_records_from_1_without_gaps(self) -> None:
        """Records come back in the order written, numbered on, with the instant of writing."""
        entries = one_of_each()
        with self.opened() as store:
            first = store.append(entries[:3], at=frozen_now)
            second = store.append(entries[3:], at=frozen_now + HOUR)
            expected = [Record(n, frozen_now + HOUR * (n > 3), entry) for n, entry in enumerate(entries, 1)]
            assert expected == [*first, *second]
            assert expected == list(store.records())
            assert len(entries) == store.position()

    def test_every_kind_of_entry_comes_back_whole(self) -> None:
        """What was written is what is read, to the microsecond and the last character, sets and None included."""
        entries = one_of_each()
        with self.opened() as store:
            store.append(entries, at=frozen_now)
            assert entries == [record.entry for record in store.records()]
            for entry in entries:
                found = store.record(entry.id)
                assert found is not None
                assert entry == found.entry

    def test_long_texts_come_back_whole(self) -> None:
        """10,000 characters in every text that a source may fill: no no is lost for what was said with it (O1, R6)."""
        texts: dict[str, Any] = {
            name: long_text(10_000) + name
            for name in ("source", "campaign", "segment", "text", "evidence", "event_id")
        }  # fmt: skip
        said_by = {name: text for name, text in texts.items() if name != "event_id"}
        plain = opt_out(subject_of(ADA), texts["event_id"])
        no = evolve(plain, provenance=evolve(plain.provenance, **said_by))
        with self.opened() as store:
            assert [no] == [record.entry for record in store.append([no], at=frozen_now)]
            assert [] == list(store.append([no], at=frozen_now))
            assert [no] == [record.entry for record in store.records()]
            assert [no] == list(store.about({ADA.id: ()})[ADA.id])

    def test_append_skips_what_the_log_holds(self) -> None:
        """The same entry is written once, whether it comes again later or twice in one batch (F33)."""
        no, other = opt_out(subject_of(ADA)), opt_out(subject_of(BOB), "e2")
        with self.opened() as store:
            assert 1 == len(store.append([no, no], at=frozen_now))
            written = store.append([no, other, no], at=frozen_now + HOUR)
            assert [Record(2, frozen_now + HOUR, other)] == list(written)
            assert [] == list(store.append([other, no], at=frozen_now + DAY))
            assert 2 == store.position()

    def test_an_id_that_names_another_subject_is_another_entry(self) -> None:
        """A source that uses one event id for two people binds both: no opt-out gets lost in deduplication."""
        one, other = opt_out(subject_of(ADA)), opt_out(subject_of(BOB))
        assert one.id == other.id
        for batches in ([[one, other]], [[one], [other]], [[one], [other, one]]):
            with self.opened() as store:
                assert 2 == sum(len(store.append(batch, at=frozen_now)) for batch in batches)
                about = store.about({ADA.id: [], BOB.id: []})
                assert {ADA.id: [one], BOB.id: [other]} == {who: list(found) for who, found in about.items()}

    def test_an_id_of_several_finds_the_first(self) -> None:
        """The record that came first, where one id names several subjects."""
        first, second = opt_out(subject_of(ADA)), opt_out(subject_of(BOB))
        with self.opened() as store:
            store.append([first, second], at=frozen_now)
            found = store.record(second.id)
            assert found is not None
            assert first == found.entry

    def test_append_of_nothing_writes_nothing(self) -> None:
        """An empty batch is no record."""
        with self.opened() as store:
            assert [] == list(store.append([], at=frozen_now))
            assert 0 == store.position()

    def test_records_lie_after_one_position_and_up_to_another(self) -> None:
        """`records` cuts the log at both ends: after < seq <= until."""
        with self.opened() as store:
            store.append([opt_out(subject_of(ADA), f"e{n}") for n in range(5)], at=frozen_now)
            for after in range(7):
                for until in (None, *range(7)):
                    last = 5 if until is None else min(until, 5)
                    found = [record.seq for record in store.records(after=after, until=until)]
                    assert list(range(after + 1, last + 1)) == found

    def test_position_at_follows_the_record_even_where_the_clock_did_not(self) -> None:
        """A clock set ahead or back changes what an instant means, never the order of the log (O10, F64)."""
        clock = [frozen_now, frozen_now + 10 * YEAR, frozen_now + HOUR, frozen_now - DAY, frozen_now + 2 * HOUR]
        with self.opened() as store:
            for number, at in enumerate(clock):
                store.append([opt_out(subject_of(ADA), f"e{number}")], at=at)
            moments = {at + step for at in clock for step in (-timedelta(microseconds=1), timedelta(0), HOUR)}
            for moment in moments:
                expected = max((seq for seq, at in enumerate(clock, 1) if at <= moment), default=0)
                assert expected == store.position_at(moment), moment

    def test_about_finds_entries_by_contact_and_by_address(self) -> None:
        """Either is enough: an opt-out of an address binds who has it, whenever they came (O4)."""
        by_id = opt_out(Subject(contact_id=ADA.id), "e1")
        by_key = opt_out(Subject(key=key_of(ADA)), "e2")
        others = [opt_out(subject_of(BOB), "e3"), opt_out(Subject(key=key("ada@example.org")), "e4")]
        with self.opened() as store:
            store.append([by_id, *others, by_key], at=frozen_now)
            keys = [key_of(ADA) or key("")]
            assert [by_id, by_key] == list(store.about({ADA.id: keys})[ADA.id])
            assert [by_id] == list(store.about({ADA.id: []})[ADA.id])

    def test_about_answers_for_everybody_asked_of(self) -> None:
        """Who is not in the log has an empty answer, not a missing one."""
        with self.opened() as store:
            assert {ADA.id: [], BOB.id: []} == {w: list(e) for w, e in store.about({ADA.id: [], BOB.id: []}).items()}
            assert {} == dict(store.about({}))

    def test_about_follows_every_former_address(self) -> None:
        """What was said of an address a contact used to have still concerns them, however many moves ago (O4)."""
        first, second, third = (key(f"{name}@example.com") for name in ("first", "second", "third"))
        on_first, on_second = opt_out(Subject(key=first), "e1"), opt_out(Subject(key=second), "e2")
        moves = [
            AddressChanged(
                subject=Subject(contact_id=ADA.id, key=new), old=old, provenance=said(at=frozen_now + n * DAY)
            )
            for n, (old, new) in enumerate(((first, second), (second, third)))
        ]
        with self.opened() as store:
            store.append([on_first, *moves, on_second], at=frozen_now)
            assert [on_first, *moves, on_second] == list(store.about({ADA.id: [third]})[ADA.id])

    def test_about_stops_at_a_position(self) -> None:
        """The log as it stood then, and not one entry more (O10)."""
        entries = [opt_out(subject_of(ADA), f"e{n}") for n in range(4)]
        with self.opened() as store:
            store.append(entries, at=frozen_now)
            for until in range(6):
                assert entries[:until] == list(store.about({ADA.id: []}, until=until)[ADA.id])

    def test_about_agrees_with_a_plain_reading_of_the_log(self) -> None:
        """Over many logs: each entry that the port names, in the order of the log, and nothing about strangers."""
        random = Random(20260302)  # noqa: S311 - test data, the same on every run
        for _ in range(40):
            log = drawn_log(random, random.randrange(1, 14))
            whom = {ContactId(name): [key(f"{name[0]}@example.com")] for name in ("ada", "bob", "cem")}
            with self.opened() as store:
                store.append(log, at=frozen_now)
                held = [record.entry for record in store.records()]
                for until in (None, random.randrange(len(held) + 1)):
                    upto = len(held) if until is None else until
                    for who, found in store.about(whom, until=until).items():
                        least = plainly_about(held, who, whom[who], upto)
                        # A move after `until` may add what concerns a later address; a reader sorts that out.
                        most = [e for e in plainly_about(held, who, whom[who], len(held)) if e in held[:upto]]
                        assert set(least) <= set(found) <= set(most)
                        assert sorted(found, key=held.index) == list(found)

    def test_records_survive_a_restart(self) -> None:
        """A reopened log holds every record, and goes on counting where it stopped."""
        entries = one_of_each()
        store = self.make_store()
        store.append(entries, at=frozen_now)
        marks = dict(store.marks([key_of(ADA) or key("")]))
        with self.reopened(store) as again:
            assert entries == [record.entry for record in again.records()]
            assert len(entries) + 1 == again.append([opt_out(subject_of(BOB), "new")], at=frozen_now)[0].seq
            assert [] == list(again.append(entries, at=frozen_now))
            assert marks == dict(again.marks([key_of(ADA) or key("")])) != {}

    def test_writers_at_once_lose_nothing(self) -> None:
        """Eight writers: every opt-out is in the log once, and the numbers have no gaps (F15)."""

        def writer(worker: int) -> Callable[[Store], None]:
            def write(store: Store) -> None:
                for number in range(10):
                    store.append([opt_out(subject_of(ADA), f"{worker}-{number}")], at=frozen_now)

            return write

        with self.opened() as store:
            self.at_once(store, *map(writer, range(8)))
            records = list(store.records())
            assert list(range(1, 81)) == [record.seq for record in records]
            assert 80 == len({record.entry.id for record in records})
