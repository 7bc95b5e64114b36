"""The laws of erasure: nothing that was written about somebody can be read, and what binds them still does (O5)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from attrs import evolve

from lifecycle_mail.errors import Refused
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    OptOut,
    Subject,
)
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.ports import ClaimState, Store
from lifecycle_mail.testing.builders import campaign, event, frozen_now, screened, subject_of
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.erased import (
    ADA,
    AT_ADA,
    AT_BOB,
    AT_FORMER,
    BOB,
    BY_HERSELF,
    EVE,
    HOUR,
    MINUTE,
    NEWS,
    OFFERS,
    SPRING,
    THEIRS,
    WORDS,
    about_ada,
    about_bob,
    fill,
    kept,
    of_bob,
    read,
    readable,
    tasks_of,
)
from lifecycle_mail.testing.stores.everything import Asked, everything
from lifecycle_mail.testing.stores.log import opt_out
from lifecycle_mail.testing.stores.making import MakesStores
from lifecycle_mail.testing.stores.outbox import MAILCHIMP


class ErasureConformance(MakesStores, suite=True):
    """The laws of `ports.Erasure`: what is gone, and what stays."""

    # -- what is gone

    def test_nothing_can_be_read_of_who_was_erased(self) -> None:
        """No port tells their id, address, words, proof or events, nor an id that could be made from these (O5)."""
        with self.opened() as store:
            fill(store)
            assert len(WORDS) < len(readable(store)), "the test is wrong: there was little to be erased"
            store.erase(ADA.id, THEIRS)
            assert [] == readable(store)

    def test_who_was_erased_is_nobody(self) -> None:
        """By their plain id they have no contact, profile, events or claims, and are at no address."""
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            told = [store.get([ADA.id]), store.profiles([ADA.id]), store.find(AT_ADA), store.events_of(ADA.id)]
            assert [0] * 6 == [len(one) for one in (*told, store.claims_of(ADA.id), store.answers_of([ADA.id]))]
            assert [BOB] == list(store.each()) == list(store.members([OFFERS, NEWS]))
            assert 1 == store.count()
            assert {BOB.id} == {one.contact_id for one in store.quarantined()}
            assert {BOB.id} == {one.entry.subject.contact_id for one in store.aside()}
            assert tasks_of(BOB, about_bob()) == [posted.task for posted in store.tasks()][::-1]

    def test_other_people_keep_all_that_is_theirs(self) -> None:
        """Not a letter of it changes, nor a number, nor an instant of the log, nor a count by day (O10)."""
        with self.opened() as store:
            fill(store)
            before = of_bob(store)
            store.erase(ADA.id, THEIRS)
            assert before == of_bob(store)

    def test_an_address_that_nobody_has_can_be_erased(self) -> None:
        """It is named in place of a contact as well; from then on nothing makes it readable (F62)."""
        with self.opened() as store:
            store.erase(ContactId(AT_ADA), [AT_ADA])
            assert {AT_ADA} == set(store.erased([AT_ADA]))
            no = opt_out(Subject(key=AT_ADA))
            store.append([no], at=frozen_now)
            assert [] == [word for word in WORDS if word in repr(list(store.records())).casefold()]
            assert 1 == len(store.about({EVE.id: [AT_ADA]})[EVE.id])

    def test_who_is_erased_twice_is_erased(self) -> None:
        """The second time changes nothing, in whatever order the keys are given."""
        asked = Asked(people=[ADA.id, BOB.id], keys=[*THEIRS, AT_BOB], campaigns=["spring"], targets=[MAILCHIMP])
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            before = everything(store, asked)
            store.erase(ADA.id, THEIRS[::-1])
            store.erase(ADA.id, [])
            assert before == everything(store, asked)

    def test_an_address_that_turns_up_later_can_be_erased_too(self) -> None:
        """What it has in common with the first erasure goes on being one: what was cited is cited."""
        with self.opened() as store:
            fill(store)
            before = read(store)
            store.erase(ADA.id, [AT_ADA])
            assert before == read(store)
            store.erase(ADA.id, [AT_FORMER])
            assert before == read(store)
            assert [] == readable(store)
            assert [] == list(store.append(about_ada(), at=frozen_now))

    # -- what stays

    def test_what_binds_them_still_does(self) -> None:
        """Asked of by plain id and key, the log says what it said: noes, suppressions, lists, and at every step."""
        with self.opened() as store:
            fill(store)
            before = read(store)
            steps = [list(store.about({ADA.id: THEIRS}, until=n)[ADA.id]) for n in range(store.position() + 1)]
            store.erase(ADA.id, THEIRS)
            assert before == read(store)
            for until, step in enumerate(steps):
                found = list(store.about({ADA.id: THEIRS}, until=until)[ADA.id])
                assert [(type(one), one.subject) for one in step] == [(type(one), one.subject) for one in found]
                assert [kept(one) for one in step] == [kept(one) for one in found]

    def test_each_name_is_found_by_itself(self) -> None:
        """By the id alone, by an address alone, and by one that they used to have, in plain."""
        with self.opened() as store:
            fill(store)
            whom: list[Mapping[ContactId, Sequence[MatchKey]]] = [
                {ADA.id: []}, {ContactId("x"): [AT_ADA]}, {ContactId("x"): [AT_FORMER]}, {EVE.id: THEIRS},
            ]  # fmt: skip
            before = [[kept(one) for found in store.about(one).values() for one in found] for one in whom]
            marks = [dict(store.marks([one])) for one in THEIRS]
            store.erase(ADA.id, THEIRS)
            assert before == [[kept(one) for found in store.about(one).values() for one in found] for one in whom]
            assert marks == [dict(store.marks([one])) for one in THEIRS]
            assert set() == {AT_FORMER, AT_ADA}.intersection(
                one.subject.key for one in store.about({ADA.id: []})[ADA.id]
            ), "a name that was not asked for is told"

    def test_a_store_knows_whom_it_erased(self) -> None:
        """By their names in plain; nobody else is among them, and a failed erasure erased nobody."""
        names = [ADA.id, *THEIRS, BOB.id, AT_BOB, "nobody"]
        with self.opened() as store:
            fill(store)
            assert set() == set(store.erased(names))
            store.erase(ADA.id, THEIRS)
            assert {ADA.id, *THEIRS} == set(store.erased(names))
            assert set() == set(store.erased([]))

    def test_somebody_who_was_never_heard_of_can_be_erased(self) -> None:
        """Whatever is written of them later is written under their hashes from the start."""
        with self.opened() as store:
            store.erase(ADA.id, THEIRS)
            assert {ADA.id, AT_ADA} == set(store.erased([ADA.id, AT_ADA]))
            store.append(about_ada(), at=frozen_now)
            assert [] == readable(store)
            assert read(store)["opt-outs"]

    # -- claims

    def test_the_campaign_goes_to_that_inbox_no_second_time(self) -> None:
        """Their claims stay, under hashes of the id and the address, with all else that they say (F19)."""
        with self.opened() as store:
            fill(store)
            before = store.claims_of(ADA.id)[0]
            store.erase(ADA.id, [AT_FORMER])  # the address of the claim is theirs, given or not
            assert set() == set(store.claim([screened(EVE)], at=frozen_now))
            (hashed,) = set(store.claims(SPRING)) - {BOB.id}
            (claim,) = store.claims_of(hashed)
            assert store.claims(SPRING)[hashed] == claim
            assert evolve(before, contact_id=hashed, address=claim.address) == claim
            assert [] == [word for word in WORDS if word in repr(claim)]
            assert {EVE.id} == set(store.claim([screened(EVE, campaign("autumn"))], at=frozen_now))

    def test_a_send_that_an_erasure_overtakes_is_settled(self) -> None:
        """Whoever claimed them by their plain id settles by it, for them and for all others."""
        with self.opened() as store:
            store.claim([screened(ADA), screened(BOB)], at=frozen_now)
            store.erase(ADA.id, THEIRS)
            store.settle(SPRING, [ADA.id, BOB.id], ClaimState.HANDED_OFF, at=frozen_now + MINUTE)
            store.mark_in_flight(ADA.id, [SPRING], opted_out_at=frozen_now + HOUR)
            found = sorted(
                (claim.state, claim.at, claim.opted_out_at is None) for claim in store.claims(SPRING).values()
            )
            at = frozen_now + MINUTE
            assert [(ClaimState.HANDED_OFF, at, False), (ClaimState.HANDED_OFF, at, True)] == found
            assert "4711" not in repr(store.claims(SPRING))

    # -- restarts and many workers

    def test_an_erasure_survives_a_restart(self) -> None:
        """Who was erased is erased in the next process, and bound by what bound them."""
        store = self.make_store()
        fill(store)
        before = read(store)
        store.erase(ADA.id, THEIRS)
        with self.reopened(store) as again:
            assert before == read(again)
            assert [] == readable(again)
            assert [] == list(again.append(about_ada(), at=frozen_now))
            raises(Refused, lambda: again.put([ADA]))

    def test_what_is_written_during_an_erasure_cannot_be_read(self) -> None:
        """Seven workers write about somebody while one erases them: whichever comes first, nothing stays (F15)."""

        def writer(worker: int) -> Callable[[Store], None]:
            def write(store: Store) -> None:
                for turn in range(5):
                    no = OptOut(
                        subject=[Subject(key=AT_ADA), subject_of(ADA)][turn % 2],
                        scope=Scope.all(),
                        event_id=f"evt-4711-{worker}-{turn}",
                        provenance=BY_HERSELF,
                    )
                    store.append([no], at=frozen_now)
                    with suppress(Refused):
                        store.put([ADA])
                    store.admit([event(ADA, mail=f"evt-4711-{worker}-{turn}")])

            return write

        with self.opened() as store:
            self.at_once(store, *map(writer, range(7)), lambda store: store.erase(ADA.id, THEIRS))
            assert [] == readable(store)
            assert [] == list(store.each())
            assert [] == list(store.events_of(ADA.id))
            assert 35 == store.position()
            assert 35 == len(store.about({ADA.id: [AT_ADA]})[ADA.id])
