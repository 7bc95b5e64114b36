"""The laws of erasing whom an import of hashes told of as well, and of what may be left where no port looks (O5)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from functools import partial

from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import Consent, Entry, OptOut, Standing, Subject, Suppression, SuppressionKind
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import PREFIX, Peppers
from lifecycle_mail.ports import ClaimState, Store
from lifecycle_mail.testing.builders import event, frozen_now, screened
from lifecycle_mail.testing.conformance import does_not_apply, raises
from lifecycle_mail.testing.stores.erased import (
    ADA,
    AT_ADA,
    AT_BOB,
    AT_FORMER,
    BOB,
    BY_ESP,
    BY_HERSELF,
    EVE,
    NEWS,
    SPRING,
    THEIRS,
    WORDS,
    about_ada,
    about_bob,
    clicked,
    fill,
    of_bob,
    read,
    readable,
    tasks_of,
)
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, MakesStores

OLDER, NEWER = NEWER_PEPPERS
GIVEN = Peppers(NEWER_PEPPERS)


def told_by_hash(pepper: str, contact_id: ContactId = ADA.id, key: MatchKey = AT_ADA) -> list[Entry]:
    """Return what an import of hashes tells of somebody, with words in it: by the address, the id, and both."""
    of_id, of_key = ContactId(GIVEN.hashed(contact_id, pepper)), GIVEN.hashed(key, pepper)
    said = evolve(BY_HERSELF, text="I am Ada Lovelace", source=f"partner-{pepper}")
    both = Subject(contact_id=of_id, key=of_key)
    return [
        OptOut(subject=Subject(key=of_key), scope=Scope.all(), event_id="evt-4711-h", provenance=said),
        OptOut(subject=both, scope=Scope.all(), event_id="evt-4711-h", provenance=said),
        Suppression(
            subject=Subject(contact_id=of_id), kind=SuppressionKind.COMPLAINT, event_id="evt-4711-h", provenance=said
        ),
        Consent(subject=both, list=NEWS, standing=Standing.IMPORTED, provenance=said),
    ]


TOLD: Mapping[str, Collection[str]] = {"own": [NEWER], "older": [OLDER], "both": [OLDER, NEWER]}
"""By hashes under which peppers somebody is told of, where the newest pepper erases."""


class ErasedHashesConformance(MakesStores, suite=True):
    """The laws of `ports.Erasure` where entries name keyed hashes, and of what is stored."""

    def _newer(self) -> Store:
        """Return an empty store that has two peppers."""
        return self.with_peppers(self.make_store(), NEWER_PEPPERS)

    # -- hashes first

    def test_who_is_known_by_hashes_alone_can_be_erased(self) -> None:
        """By the address, the id, or both, whichever pepper made the hashes; what binds goes on binding (O5)."""
        for peppers in TOLD.values():
            with closing(self._newer()) as store:
                told = [entry for pepper in peppers for entry in told_by_hash(pepper)]
                store.append(told, at=frozen_now)
                before = read(store)
                assert Scope.all() in store.marks([AT_ADA])[AT_ADA].noes
                store.erase(ADA.id, THEIRS)
                assert {ADA.id, *THEIRS} == set(store.erased([ADA.id, *THEIRS]))
                assert before == read(store)
                assert [] == list(store.append(told, at=frozen_now))
                self._nothing_is_left(store)

    def test_a_contact_who_is_known_by_hashes_too_can_be_erased(self) -> None:
        """Their plain names and the hashes are one person's: all of it goes, and what binds goes on binding (O5)."""
        for peppers in TOLD.values():
            with closing(self._newer()) as store:
                told = [entry for pepper in peppers for entry in told_by_hash(pepper)]
                store.append(told[::2], at=frozen_now)
                fill(store)
                store.append(told[1::2], at=frozen_now)
                before, his = read(store), of_bob(store)
                claimed = store.claims_of(ADA.id)
                store.erase(ADA.id, THEIRS)
                assert before == read(store)
                assert his == of_bob(store)
                assert [] == list(store.append([*told, *about_ada()], at=frozen_now))
                assert set() == set(store.claim([screened(EVE)], at=frozen_now))
                form = GIVEN.hashed(AT_ADA, NEWER)  # all that an import of hashes has
                assert SuppressionKind.ERASURE in store.marks([form])[form].suppressions
                (hashed,) = {one.contact_id for one in store.claims(claimed[0].campaign).values()} - {BOB.id}
                assert [one.at for one in claimed] == [one.at for one in store.claims_of(hashed)]
                store.erase(ADA.id, THEIRS)
                assert before == read(store)
                self._nothing_is_left(store)

    def test_an_address_that_is_known_by_a_hash_too_can_be_erased(self) -> None:
        """It is named in place of a contact; the rest of the person stays as it was (F62)."""
        with closing(self._newer()) as store:
            by_hash, _, of_id, joined = told_by_hash(NEWER, ContactId("else"))
            plain = OptOut(subject=Subject(key=AT_ADA), scope=Scope.all(), event_id="e", provenance=BY_ESP)
            store.append([by_hash, plain, joined], at=frozen_now)
            store.erase(ContactId(AT_ADA), [AT_ADA])
            assert {AT_ADA} == set(store.erased([AT_ADA, AT_FORMER]))
            self._nothing_is_left(store)
            store.append([of_id], at=frozen_now)
            assert of_id == list(store.records())[-1].entry

    def test_a_hash_under_a_pepper_that_came_later_is_erased_too(self) -> None:
        """Under it somebody is told of who was erased under an older one, and is then erased again (F63)."""
        store = self.make_store()
        store.append(told_by_hash(OLDER), at=frozen_now)
        fill(store)
        before = read(store)
        store.erase(ADA.id, THEIRS)
        with closing(self.with_peppers(store, NEWER_PEPPERS)) as newer:
            assert before == read(newer)
            newer.append(told_by_hash(NEWER), at=frozen_now)
            binding = read(newer)
            newer.erase(ADA.id, THEIRS)
            assert binding == read(newer)
            self._nothing_is_left(newer)

    def test_who_is_known_by_a_hash_can_be_erased_by_it(self) -> None:
        """Where nobody knows the address: the words go, and the hash stays."""
        of_key = GIVEN.hashed(AT_ADA, OLDER)
        with self.opened() as store:
            store.append(told_by_hash(OLDER)[:1], at=frozen_now)
            before = read(store)
            store.erase(ContactId(of_key), [of_key])
            assert {of_key, AT_ADA} == set(store.erased([of_key, AT_ADA]))
            assert before == read(store)
            self._nothing_is_left(store)

    def test_an_inbox_that_is_known_by_an_older_hash_gets_one_mail(self) -> None:
        """Whoever is mailed there after an erasure under a newer pepper gets that campaign no second time (F19)."""
        with closing(self._newer()) as store:
            store.append(told_by_hash(OLDER), at=frozen_now)
            store.claim([screened(ADA)], at=frozen_now)
            store.settle(SPRING, [ADA.id], ClaimState.HANDED_OFF, at=frozen_now)
            store.erase(ADA.id, THEIRS)
            assert set() == set(store.claim([screened(EVE)], at=frozen_now))
            store.settle(SPRING, [ADA.id], ClaimState.RETURNED, at=frozen_now)
            assert {ADA.id} == set(store.claim([screened(ADA)], at=frozen_now))
            assert 1 == len(store.claims(SPRING))

    # -- hashes later

    def test_what_a_hash_brings_later_cannot_be_read(self) -> None:
        """Of who was erased, under whichever pepper made hashes then: it binds, and says no word (F62)."""
        with closing(self._newer()) as store:
            store.append([evolve(told_by_hash(OLDER)[0], subject=Subject(key=GIVEN.hashed(AT_BOB, OLDER)))],
                         at=frozen_now)  # fmt: skip
            store.erase(ADA.id, THEIRS)
            for pepper in (OLDER, NEWER):
                assert {GIVEN.hashed(AT_ADA, pepper)} == set(store.erased([GIVEN.hashed(AT_ADA, pepper)]))
                told = told_by_hash(pepper)
                assert len(told) == len(store.append(told, at=frozen_now))
                assert [] == list(store.append(told, at=frozen_now))
            assert Scope.all() in store.marks([AT_ADA])[AT_ADA].noes
            assert len(told) * 2 == len(store.about({ADA.id: [AT_ADA]})[ADA.id])
            said = {record.entry.provenance.text for record in store.records()}
            assert {"I am Ada Lovelace", "[erased]"} == said, "Bob's alone is as it was written"

    # -- what only looks like a hash

    def test_what_only_looks_like_a_hash_is_not_erased_in_silence(self) -> None:
        """Under it somebody would stay readable while they are told that they are not."""
        for name in (f"{PREFIX}2025:zz", PREFIX, f"{PREFIX}ada"):
            with self.opened() as store:
                raises(InvalidInput, partial(store.erase, ContactId(name), [AT_ADA]))
                raises(InvalidInput, partial(store.erase, ADA.id, [AT_ADA, MatchKey(name)]))
                assert set() == set(store.erased([ADA.id, AT_ADA]))

    # -- what no port tells

    def test_nothing_that_is_stored_tells_of_who_was_erased(self) -> None:
        """Not even where no call looks: neither their names and words, nor ids that could be made from these (O5)."""
        with self.opened() as store:
            fill(store)
            before = self.raw(store).casefold()
            if not before:
                does_not_apply(f"nobody says how to read all that {type(store).__name__} holds")
            assert {*WORDS} == {word for word in WORDS if word in before}, "the test is wrong: something is not stored"
            store.erase(ADA.id, THEIRS)
            self._nothing_is_left(store)

    def test_who_was_archived_can_be_erased(self) -> None:
        """Ids of the events that they had are hashed as well, and stay seen (O5, E2)."""
        with self.opened() as store:
            fill(store)
            store.admit([event(ADA, mail="evt-4711-late", id=clicked(ADA).id)])
            store.remove([ADA.id])
            store.erase(ADA.id, THEIRS)
            self._nothing_is_left(store)
            assert [] == list(store.admit([clicked(ADA), evolve(clicked(ADA), contact_id=BOB.id), event(ADA)]))
            assert [] == readable(store)

    def _nothing_is_left(self, store: Store) -> None:
        assert [] == readable(store)
        shared = {entry.id for entry in about_bob()}
        ids = {one.id for one in [*about_ada(), clicked(ADA), event(ADA), *tasks_of(ADA, about_ada())]} - shared
        stored = self.raw(store).casefold()
        assert [] == [word for word in (*WORDS, *ids) if word in stored]

    def test_an_address_whose_hash_was_erased_with_another_is_hidden_too(self) -> None:
        """Erasing somebody under the hash of another's address leaves that readable; erasing its holder does not."""
        with closing(self._newer()) as store:
            store.append(about_bob(), at=frozen_now)
            store.append(told_by_hash(NEWER, key=AT_BOB), at=frozen_now)
            store.erase(ADA.id, [GIVEN.hashed(AT_BOB, NEWER)])
            store.erase(BOB.id, [AT_BOB])
            assert AT_BOB not in self.raw(store)
