"""The laws of entries that name a keyed hash instead of an address, as an import of hashes writes them (O5)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from functools import partial

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.entries import AddressChanged, Entry, Subject
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import Peppers, is_hashed
from lifecycle_mail.ports import Marks
from lifecycle_mail.testing.builders import consent, contact, frozen_now, said, subject_of
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.log import key, opt_out
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, PEPPERS, MakesStores

ADA, BOB = contact("ada"), contact("bob")
AT_ADA, AT_BOB = key("ada@example.com"), key("bob@example.com")
HASH_OF_ADA = Peppers(PEPPERS).hashed(AT_ADA)


class HashesConformance(MakesStores, suite=True):
    """The laws of keyed hashes in `ports.ConsentLog`."""

    def test_what_names_a_hash_is_about_whoever_it_is_of(self) -> None:
        """It is found by the plain address, and given back under it; to all others it stays a hash."""
        no = opt_out(Subject(key=HASH_OF_ADA), scope=Scope.all())
        with self.opened() as store:
            store.append([no], at=frozen_now)
            about = store.about({ADA.id: [AT_ADA], BOB.id: [AT_BOB]})
            assert [AT_ADA] == [entry.subject.key for entry in about[ADA.id]]
            assert [no.id] == [entry.id for entry in about[ADA.id]]
            assert [] == list(about[BOB.id])
            assert {AT_ADA: Marks(noes=frozenset({Scope.all()}))} == dict(store.marks([AT_ADA, AT_BOB]))
            assert [no] == [record.entry for record in store.records()]
            assert [] == list(store.append([no], at=frozen_now))

    def test_who_is_known_by_a_hash_was_not_erased(self) -> None:
        """They may be a contact like any other, readable, and what the hash says binds them."""
        with self.opened() as store:
            store.append([opt_out(Subject(key=HASH_OF_ADA))], at=frozen_now)
            assert set() == set(store.erased([AT_ADA, HASH_OF_ADA]))
            store.put([ADA])
            store.append([consent(ADA), opt_out(subject_of(ADA), "e2")], at=frozen_now)
            assert subject_of(ADA) == list(store.records())[-1].entry.subject
            person = Person.read(store.about({ADA.id: [AT_ADA]})[ADA.id], ADA.id, AT_ADA)
            assert 2 == len(person.opt_outs)
            assert ListStanding.OUT_OF_LIST is person.standing("offers", now=frozen_now)

    def test_what_was_told_of_a_former_address_follows_the_person(self) -> None:
        """A no under the hash of an address they moved away from binds them at the new one, whoever moved them (O4)."""
        moved = AddressChanged(subject=Subject(contact_id=BOB.id, key=AT_BOB), old=AT_ADA, provenance=said())
        no = opt_out(Subject(key=HASH_OF_ADA), scope=Scope.all())
        logs: list[list[Entry]] = [[moved, no], [no, moved]]
        for log in logs:
            with self.opened() as store:
                store.append(log, at=frozen_now)
                about = store.about({BOB.id: [AT_BOB]})[BOB.id]
                assert {no.id} == Person.read(about, BOB.id, AT_BOB).opt_outs.keys()
                assert AT_ADA in [entry.subject.key for entry in about]

    def test_an_address_may_be_known_by_several_hashes(self) -> None:
        """What was told under any pepper that is valid binds (F63)."""
        newer = Peppers(NEWER_PEPPERS).hashed(AT_ADA)
        store = self.make_store()
        store.append([opt_out(Subject(key=HASH_OF_ADA))], at=frozen_now)
        store = self.with_peppers(store, NEWER_PEPPERS)
        try:
            assert newer != HASH_OF_ADA
            store.append([opt_out(Subject(key=newer), "e2", scope=Scope.all())], at=frozen_now)
            assert 2 == len(store.about({ADA.id: [AT_ADA]})[ADA.id])
            assert {Scope.all(), Scope.list("offers")} == store.marks([AT_ADA])[AT_ADA].noes
        finally:
            store.close()

    def test_a_hash_under_a_pepper_that_is_not_here_is_refused(self) -> None:
        """It could be matched with nobody, and would bind nobody (F63)."""
        foreign = MatchKey(HASH_OF_ADA.replace(":2025:", ":1999:"))
        of_id = Subject(contact_id=ContactId(foreign))
        assert is_hashed(foreign)
        with self.opened() as store:
            batch = [opt_out(subject_of(BOB), "ours"), opt_out(Subject(key=foreign))]
            raises(Misconfigured, partial(store.append, batch, at=frozen_now))
            assert 0 == store.position(), "of a batch that is refused nothing is written"
            assert {} == dict(store.marks([AT_BOB]))
            raises(Misconfigured, partial(store.append, [opt_out(of_id)], at=frozen_now))
            assert 0 == store.position()

    def test_an_id_may_be_known_by_a_hash(self) -> None:
        """What names it is about whoever it is of, whether an address is known or not."""
        no = opt_out(Subject(contact_id=ContactId(Peppers(PEPPERS).hashed(ADA.id))), scope=Scope.all())
        with self.opened() as store:
            store.append([no], at=frozen_now)
            about = store.about({ADA.id: [], BOB.id: [AT_BOB]})
            assert [ADA.id] == [entry.subject.contact_id for entry in about[ADA.id]]
            assert [] == list(about[BOB.id])
            assert [no] == [record.entry for record in store.records()]
