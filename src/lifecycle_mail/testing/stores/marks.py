"""The laws of marks: what is held against many addresses, told without reading the log."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.ports import AskedMarks, Marks
from lifecycle_mail.testing.builders import consent, contact, frozen_now, key_of, said, subject_of
from lifecycle_mail.testing.stores.log import key, opt_out
from lifecycle_mail.testing.stores.making import MakesStores

HOUR = timedelta(hours=1)
ADA, BOB = contact("ada"), contact("bob")
AT_ADA, AT_BOB = key("ada@example.com"), key("bob@example.com")
OFFERS = ListKey("offers")
SCOPES = (Scope.all(), Scope.list("offers"), Scope.list("news"), Scope.channel(Channel.EMAIL))
PEOPLE = [ContactId(name) for name in ("ada", "bob", "cem")]
KEYS = [key(f"{name}@example.com") for name in "abcd"]
MANY = 20_000


def held(subject: Subject, kind: SuppressionKind = SuppressionKind.COMPLAINT, event_id: str = "s1") -> Suppression:
    """Return a suppression."""
    return Suppression(subject=subject, kind=kind, event_id=event_id, provenance=said(Actor.ESP))


def moved(who: ContactId, old: MatchKey | None, new: MatchKey | None) -> AddressChanged:
    """Return a change of address."""
    return AddressChanged(subject=Subject(contact_id=who, key=new), old=old, provenance=said(Actor.OPERATOR))


def drawn_entries(random: Random, length: int) -> list[Entry]:
    """Return entries of every kind in a small world, some of which cite others."""
    entries: list[Entry] = []
    for number in range(length):
        who = random.choice([*PEOPLE, None])
        where: MatchKey | None = random.choice(KEYS)
        if who is not None:  # so that some have one address only, and some are named without one
            where = random.choice([KEYS[PEOPLE.index(who)], KEYS[PEOPLE.index(who)], where, None])
        subject = Subject(contact_id=who, key=where)
        cited = random.sample([entry.id for entry in entries], k=min(len(entries), random.randrange(3)))
        at = said(at=frozen_now + number * HOUR, through=Through.CONFIRMATION, evidence="a form")
        scope = random.choice(SCOPES)
        kind = random.choice(["no"] * 4 + ["held"] * 4 + ["yes"] * 3 + ["back", "lift", "asked", "pushed", "moved"])
        if kind == "no":
            entries.append(OptOut(subject=subject, scope=scope, event_id=f"e{number % 7}", provenance=said()))
        elif kind == "held":
            reason = random.choice([*SuppressionKind, SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT])
            entries.append(held(subject, reason, f"e{number % 7}"))
        elif kind in ("yes", "back"):
            cites = cited if kind == "back" else ()
            entries.append(
                Consent(subject=subject, list=OFFERS, standing=Standing.CONFIRMED, provenance=at, cites=cites)
            )
        elif kind == "lift":
            entries.append(Lift(subject=subject, cites=cited, provenance=at))
        elif kind == "asked":
            entries.append(ConsentRequest(subject=subject, list=OFFERS, provenance=at, asks=cited))
        elif kind == "pushed":
            entries.append(Pushed(subject=subject, opt_out=EntryId(f"{number:032x}"), scope=scope, provenance=at))
        else:
            entries.append(AddressChanged(subject=subject, old=random.choice([*KEYS, None]), provenance=at))
    return entries


def keys_at(log: Sequence[Entry], who: ContactId) -> set[MatchKey]:
    """Return the keys that a log links to a contact."""
    own = [entry for entry in log if entry.subject.contact_id == who]
    old = {entry.old for entry in own if isinstance(entry, AddressChanged)}
    return {one for one in {entry.subject.key for entry in own} | old if one is not None}


def needs_reading(log: Sequence[Entry], who: ContactId) -> bool:
    """Whether somebody came back, was lifted, paused, moved, has two addresses, or was named without one."""
    for entry in log:
        if entry.subject.contact_id != who:
            continue
        if isinstance(entry, Lift) or (isinstance(entry, Consent) and entry.cites):
            return True
        if isinstance(entry, Suppression) and entry.kind is SuppressionKind.PAUSE:
            return True
        if isinstance(entry, AddressChanged) and entry.old is not None:
            return True
        if isinstance(entry, OptOut | Suppression) and entry.subject.key is None:
            return True
    return len(keys_at(log, who)) >= 2


def plainly_marked(log: Sequence[Entry], keys: Sequence[MatchKey]) -> dict[MatchKey, Marks]:
    """Read a log as the port says, without any index."""
    people = {entry.subject.contact_id for entry in log} - {None}
    answer = {}
    for one in keys:
        named = [entry for entry in log if entry.subject.key == one]
        paused = any(isinstance(entry, Suppression) and entry.kind is SuppressionKind.PAUSE for entry in named)
        lifted = any(isinstance(entry, Lift) for entry in named)
        linked = [who for who in people if who is not None and one in keys_at(log, who)]
        marks = Marks(
            noes=frozenset(entry.scope for entry in named if isinstance(entry, OptOut)),
            suppressions=frozenset(
                entry.kind
                for entry in named
                if isinstance(entry, Suppression) and entry.kind is not SuppressionKind.PAUSE
            ),
            read=paused or lifted or any(needs_reading(log, who) for who in linked),
        )
        if marks != Marks():
            answer[one] = marks
    return answer


class MarksConformance(MakesStores, suite=True):
    """The laws of `ports.ConsentLog.marks`."""

    def test_an_address_with_nothing_against_it_is_left_out(self) -> None:
        """Nothing is known, somebody said yes there, or asked to join; asking for nobody is answered with nobody."""
        asked = ConsentRequest(subject=subject_of(BOB), list=OFFERS, provenance=said())
        with self.opened() as store:
            assert {} == dict(store.marks([AT_ADA]))
            entries: list[Entry] = [consent(ADA), asked, moved(BOB.id, None, AT_BOB)]
            store.append(entries, at=frozen_now)
            assert {} == dict(store.marks([AT_ADA, AT_BOB]))
            store.append([opt_out(subject_of(ADA))], at=frozen_now)
            assert {} == dict(store.marks([]))
            assert {AT_ADA} == set(store.marks([AT_BOB, AT_ADA, AT_ADA]))

    def test_noes_and_suppressions_add_up(self) -> None:
        """Each scope and each kind that names the address, by whomever, once (F33)."""
        entries: list[Entry] = [
            opt_out(Subject(key=AT_ADA), "e1", scope=Scope.all()),
            opt_out(subject_of(ADA), "e2", scope=Scope.list("offers")),
            opt_out(subject_of(ADA), "e3", scope=Scope.list("offers")),
            held(Subject(key=AT_ADA), SuppressionKind.BOUNCE),
            held(subject_of(ADA), SuppressionKind.ERASURE),
            held(subject_of(BOB), SuppressionKind.SUNSET),
        ]
        expected = Marks(
            noes=frozenset({Scope.all(), Scope.list("offers")}),
            suppressions=frozenset({SuppressionKind.BOUNCE, SuppressionKind.ERASURE}),
        )
        with self.opened() as store:
            store.append(entries, at=frozen_now)
            found = store.marks([AT_ADA, AT_BOB])
            assert {AT_ADA: expected, AT_BOB: Marks(suppressions=frozenset({SuppressionKind.SUNSET}))} == dict(found)

    def test_who_came_back_or_has_two_addresses_must_be_read(self) -> None:
        """A lift, a pause, a return, a move, a second address, a no to the contact alone: each by itself is enough."""
        no = opt_out(subject_of(ADA), "e0")
        back = Consent(
            subject=subject_of(ADA), list=OFFERS, standing=Standing.CONFIRMED, cites={no.id},
            provenance=said(through=Through.CONFIRMATION, evidence="a form"),
        )  # fmt: skip
        causes: list[Entry] = [
            Lift(subject=Subject(key=AT_ADA), cites=set(), provenance=said()),
            Lift(subject=Subject(contact_id=ADA.id), cites=set(), provenance=said()),
            held(Subject(key=AT_ADA), SuppressionKind.PAUSE),
            held(Subject(contact_id=ADA.id), SuppressionKind.PAUSE),
            back,
            moved(ADA.id, AT_BOB, None),
            opt_out(Subject(contact_id=ADA.id, key=AT_BOB)),
            opt_out(Subject(contact_id=ADA.id)),
            held(Subject(contact_id=ADA.id)),
        ]
        for cause in causes:
            with self.opened() as store:
                store.append([no], at=frozen_now)
                assert not store.marks([AT_ADA])[AT_ADA].read
                store.append([cause], at=frozen_now)
                assert store.marks([AT_ADA])[AT_ADA].read, cause

    def test_a_former_address_must_be_read(self) -> None:
        """Of who moved, both addresses; who first got an address did not move (O4)."""
        with self.opened() as store:
            store.append([moved(ADA.id, AT_ADA, AT_BOB)], at=frozen_now)
            assert {AT_ADA: Marks(read=True), AT_BOB: Marks(read=True)} == dict(store.marks([AT_ADA, AT_BOB]))

    def test_marks_agree_with_a_plain_reading_of_the_log(self) -> None:
        """Over many logs, at every step and in any order of the entries: they depend on what is in the log alone."""
        random = Random(20260302)  # noqa: S311 - test data, the same on every run
        for _ in range(40):
            entries = drawn_entries(random, random.randrange(1, 12))
            with self.opened() as store, self.opened() as shuffled:
                for entry in entries:
                    store.append([entry], at=frozen_now)
                    log = [record.entry for record in store.records()]
                    assert plainly_marked(log, KEYS) == dict(store.marks(KEYS))
                shuffled.append(random.sample(entries, k=len(entries)), at=frozen_now)
                assert plainly_marked(entries, KEYS) == dict(shuffled.marks(KEYS))

    def test_marks_that_need_no_reading_say_what_a_reading_says(self) -> None:
        """Of each contact there, and of nobody: the same noes, none of them overridden, and the same suppressions."""
        random = Random(20260303)  # noqa: S311 - test data, the same on every run
        told = 0
        for _ in range(100):
            entries = drawn_entries(random, random.randrange(1, 12))
            with self.opened() as store:
                store.append(entries, at=frozen_now)
                log = [record.entry for record in store.records()]
                for one in KEYS:
                    marks = store.marks([one]).get(one, Marks())
                    linked = [who for who in PEOPLE if one in keys_at(log, who)]
                    for who in [] if marks.read else [*linked, ContactId("nobody")]:
                        person = Person.read(store.about({who: [one]})[who], who, one)
                        standing = {no.scope for no in person.opt_outs.values()}
                        assert standing == marks.noes
                        assert {no.id for no in person.opt_outs_of("offers")} == {
                            no.id for no in person.opt_outs.values() if no.scope.covers("offers")
                        }
                        assert {one.kind for one in person.suppressions.values()} == marks.suppressions
                        told += bool(standing or marks.suppressions)
        assert told > 50, "the drawn logs say too little: the test is wrong"

    def test_many_addresses_are_told_at_once(self) -> None:
        """As many as a list has, in one answer, those that are held among those that are not."""
        out = [Subject(key=key(f"c{number}@example.com")) for number in range(0, MANY, 100)]
        with self.opened() as store:
            store.append([opt_out(one, f"e{number}") for number, one in enumerate(out)], at=frozen_now)
            found = store.marks([key(f"c{number}@example.com") for number in range(MANY)])
            assert {one.key for one in out} == set(found)
            assert {Marks(noes=frozenset({Scope.list("offers")}))} == set(found.values())

    def test_marks_that_were_asked_for_ahead_are_those_of_now(self) -> None:
        """Where they are told at all: what this store wrote since counts, in a transaction that is open, too."""
        out = {AT_ADA: Marks(noes=frozenset({Scope.list("offers")}))}
        asked: list[AskedMarks] = []

        def told(of: Sequence[MatchKey]) -> Mapping[MatchKey, Marks] | None:
            return answered(store.ask_marks(of))

        def answered(one: AskedMarks | None) -> Mapping[MatchKey, Marks] | None:
            asked.extend([one] if one else [])
            return one.answer() if one else None

        with self.opened() as store:
            assert told([AT_ADA, AT_BOB, AT_BOB]) in ({}, None)
            assert told([]) in ({}, None)
            early, later, unanswered = (store.ask_marks([AT_ADA, AT_BOB]) for _ in range(3))
            with suppress(ZeroDivisionError), store.transaction():
                store.append([opt_out(subject_of(ADA))], at=frozen_now)
                assert answered(early) in (out, None)
                assert told([AT_ADA, AT_BOB]) in (out, None)
                raise ZeroDivisionError
            assert answered(later) in ({}, None)
            later = store.ask_marks([AT_ADA, AT_BOB])
            store.append([opt_out(subject_of(ADA))], at=frozen_now)
            assert answered(later) in (out, None)
            assert told([AT_BOB, AT_ADA, AT_ADA]) in (out, None)
            for one in asked:  # once
                assert one.answer() is None
                one.close()
            if unanswered is not None:
                unanswered.close()
                assert unanswered.answer() is None

    def test_marks_of_another_way_of_matching_are_their_own(self) -> None:
        """A key is compared as it is written: rules that cut tags off make other keys (F61)."""
        with self.opened() as store:
            store.append([opt_out(subject_of(ADA))], at=frozen_now)
            assert {} == dict(store.marks([MatchKey(f"1+tags:{(key_of(ADA) or '').partition(':')[2]}")]))
