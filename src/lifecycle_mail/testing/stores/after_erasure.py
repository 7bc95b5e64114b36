"""The laws of what is written after an erasure, and of the peppers that it needs (O5)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial

from attrs import evolve

from lifecycle_mail.errors import Misconfigured, Refused
from lifecycle_mail.model.consent import ConsentState, ListStanding, Person
from lifecycle_mail.model.contacts import Contact
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
    state_event_id,
)
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import campaign, contact, days_ago, event, frozen_now, screened, subject_of
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.aside import set_aside
from lifecycle_mail.testing.stores.erased import (
    ADA,
    AT_ADA,
    AT_BOB,
    AT_FORMER,
    BOB,
    BY_ESP,
    BY_FILE,
    BY_HERSELF,
    DAY,
    EVE,
    NEWS,
    OFFERS,
    THEIRS,
    WORDS,
    about_ada,
    about_bob,
    answered,
    clicked,
    fill,
    kept,
    read,
    readable,
    tasks_of,
)
from lifecycle_mail.testing.stores.everything import Asked, everything
from lifecycle_mail.testing.stores.log import key, opt_out
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, PEPPERS, MakesStores
from lifecycle_mail.testing.stores.outbox import MAILCHIMP


class AfterErasureConformance(MakesStores, suite=True):
    """The laws of `ports.Erasure`: what comes later."""

    # -- what is written later

    def test_what_the_log_held_is_not_written_again(self) -> None:
        """Next week's export of the same noes brings nothing new, and makes nobody readable (F33, F62)."""
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            before = list(store.records())
            assert [] == list(store.append(about_ada(), at=frozen_now))
            assert before == list(store.records())

    def test_what_is_written_later_is_kept_under_the_hash(self) -> None:
        """It binds, is found by the plain name, counts once, and cannot be read (F62)."""
        alone, former = Subject(contact_id=ADA.id), Subject(key=AT_FORMER)
        later: list[Entry] = [
            OptOut(subject=former, scope=Scope.list("else"), event_id=f"state:{AT_FORMER}", provenance=BY_FILE),
            OptOut(subject=subject_of(EVE), scope=Scope.list("else"), event_id="evt-4711-9", provenance=BY_HERSELF),
            Suppression(subject=alone, kind=SuppressionKind.ARCHIVE, event_id="ada-4711", provenance=BY_HERSELF),
            AddressChanged(subject=subject_of(BOB), old=AT_ADA, provenance=BY_HERSELF),
        ]
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            position = store.position()
            written = store.append([*later, *later], at=frozen_now)
            assert [position + 1 + turn for turn in range(len(later))] == [record.seq for record in written]
            assert list(written) == list(store.records(after=position))
            assert [] == list(store.append(later, at=frozen_now))
            assert [] == readable(store)
            assert [] == [word for word in WORDS if word in repr(written).casefold()]
            found = store.about({ADA.id: THEIRS, BOB.id: [AT_BOB]})
            assert [kept(one) for one in later[:3]] == [kept(one) for one in found[ADA.id]][-3:]
            assert SuppressionKind.ARCHIVE in Person.read(found[ADA.id], ADA.id, AT_ADA).held_by(now=frozen_now)
            assert Scope.list("else") in store.marks([AT_FORMER])[AT_FORMER].noes
            assert Scope.all() in {one.scope for one in found[BOB.id] if isinstance(one, OptOut)}, "moved from there"

    def test_what_an_erasure_left_can_be_cited(self) -> None:
        """Somebody else at that address comes back by their own confirmation, which cites the noes as they are read."""
        back = evolve(BY_HERSELF, at=frozen_now + DAY)
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            person = Person.read(store.about({EVE.id: [AT_ADA]})[EVE.id], EVE.id, AT_ADA)
            assert ListStanding.OUT_OF_ALL is person.standing("offers", now=frozen_now)
            yes = Consent(
                subject=subject_of(EVE),
                list=OFFERS,
                standing=Standing.CONFIRMED,
                provenance=back,
                cites=person.opt_outs.keys(),
            )
            store.append([yes], at=frozen_now)
            person = Person.read(store.about({EVE.id: [AT_ADA]})[EVE.id], EVE.id, AT_ADA)
            assert ListStanding.ACTIVE is person.standing("offers", now=frozen_now + 2 * DAY)

    def test_others_who_cite_what_was_erased_still_do(self) -> None:
        """Whoever came back after a no that another had said at their address has come back for good (O4)."""
        no = OptOut(subject=Subject(contact_id=ADA.id, key=AT_BOB), scope=Scope.all(), event_id="x", provenance=BY_ESP)
        back = evolve(BY_HERSELF, evidence="a form")
        yes = Consent(subject=subject_of(BOB), list=OFFERS, standing=Standing.CONFIRMED, provenance=back, cites={no.id})
        for keys in ([AT_ADA], [AT_ADA, AT_BOB]):
            with self.opened() as store:
                store.append([no, yes], at=frozen_now)
                before = read(store, BOB.id, [AT_BOB])
                store.erase(ADA.id, keys)
                assert before == read(store, BOB.id, [AT_BOB])
                assert store.record(no.id) is None

    def test_whatever_of_others_cites_what_was_erased_still_does(self) -> None:
        """A lift, a request, a push, a consent, also at a later address, cite what they did, by ids of the log (O4)."""
        hers, his = Subject(contact_id=ADA.id, key=AT_BOB), subject_of(BOB)
        moved = Subject(contact_id=BOB.id, key=key("bob.new@example.org"))
        no = OptOut(subject=hers, scope=Scope.all(), event_id="x", provenance=BY_ESP)
        sunset = Suppression(subject=hers, kind=SuppressionKind.SUNSET, event_id="x", provenance=BY_ESP)
        asked = ConsentRequest(subject=hers, list=OFFERS, provenance=BY_HERSELF)
        back = evolve(BY_HERSELF, evidence="a form")
        yes = Consent(subject=his, list=OFFERS, standing=Standing.CONFIRMED, provenance=back, request=asked.id)
        citing: list[Entry] = [
            Lift(subject=his, cites={sunset.id}, provenance=back),
            ConsentRequest(subject=his, list=OFFERS, provenance=back, asks={no.id}),
            yes,
            evolve(yes, list=NEWS, cites={no.id}),
            Pushed(subject=his, opt_out=no.id, scope=no.scope, provenance=BY_ESP, done=True),
            AddressChanged(subject=moved, old=AT_BOB, provenance=back),
            evolve(yes, subject=moved, cites={no.id}),
        ]
        for keys in ([AT_ADA], [AT_ADA, AT_BOB]):
            with self.opened() as store:
                store.append([no, sunset, asked, *citing], at=frozen_now)
                before = read(store, BOB.id, [AT_BOB])
                store.erase(ADA.id, keys)
                assert before == read(store, BOB.id, [AT_BOB])
                new = [record.entry.id for record in store.records()]
                assert set() == {no.id, sunset.id, asked.id}.intersection(new)
                cited = [_cited(record.entry) for record in store.records(after=3)]
                assert [{new[1]}, {new[0]}, {new[2]}, {new[0], new[2]}, {new[0]}, set(), {new[0], new[2]}] == cited

    def test_what_was_said_without_words_gets_none(self) -> None:
        """A lift for which nobody gave a reason ended nothing, and ends nothing once its words are gone (S11)."""
        sunset = Suppression(subject=subject_of(ADA), kind=SuppressionKind.SUNSET, event_id="x", provenance=BY_ESP)
        silent = evolve(BY_HERSELF, actor=Actor.OPERATOR, text="", evidence="")
        with self.opened() as store:
            store.append([sunset, Lift(subject=subject_of(ADA), cites={sunset.id}, provenance=silent)], at=frozen_now)
            assert {SuppressionKind.SUNSET} == read(store)["held by"], "the test is wrong: the lift ended it"
            store.erase(ADA.id, THEIRS)
            assert {SuppressionKind.SUNSET} == read(store)["held by"]
            assert [""] * 2 == [record.entry.provenance.evidence for record in store.records()]

    def test_one_click_that_was_told_twice_is_one_no_still(self) -> None:
        """An ESP's event and its state are one click, two of either are two, though all ids are new (F33)."""
        who, later = subject_of(ADA), BY_ESP.at + timedelta(seconds=9)

        def told(event_id: str, *, dated: bool = True) -> OptOut:
            return OptOut(subject=who, scope=Scope.all(), event_id=event_id, provenance=BY_ESP, dated=dated)

        state = told(state_event_id(who, BY_ESP.at))
        stories: list[tuple[int, list[Entry]]] = [
            (1, [told("evt-4711"), state]),
            (1, [told("evt-4711"), told(state_event_id(who, None), dated=False)]),
            (2, [told("evt-4711"), told("evt-4712")]),
            (2, [state, told(state_event_id(who, later))]),
        ]
        for clicks, entries in stories:
            with self.opened() as store:
                store.append(entries, at=frozen_now)
                assert clicks == ConsentState(store.about({ADA.id: THEIRS})[ADA.id]).opt_out_count()
                store.erase(ADA.id, THEIRS)
                assert clicks == ConsentState(store.about({ADA.id: THEIRS})[ADA.id]).opt_out_count()

    def test_whoever_has_no_address_can_be_erased(self) -> None:
        """The contact goes, and its id is hidden; nobody else is touched."""
        nowhere = Contact(id=ContactId("ada-4711"), fields={"likes": "engines"})
        with self.opened() as store:
            store.put([nowhere, BOB])
            store.erase(nowhere.id, [])
            assert [BOB] == list(store.each())
            assert {nowhere.id} == set(store.erased([nowhere.id, BOB.id, AT_BOB]))

    def test_an_erased_id_is_never_used_again(self) -> None:
        """Nobody of that batch is written; who signs up anew at the address has a new id."""
        assert EVE.address is not None
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            raises(Refused, lambda: store.put([contact("cem"), ADA]))
            assert [BOB] == list(store.each())
            store.put([EVE])
            assert [EVE.id] == list(store.find(EVE.address.identity))

    def test_nothing_else_that_is_written_later_can_be_read(self) -> None:
        """Events, profiles, tasks and what is set aside are passed over, refused, or kept under the hash."""
        writes: list[Callable[[Store], object]] = [
            lambda store: store.admit([clicked(ADA), event(ADA, mail="another")]),
            lambda store: store.save([EngagementProfile(contact_id=ADA.id)]),
            lambda store: store.quarantine([event(ADA, at=days_ago(-9))], at=frozen_now),
            lambda store: store.post(tasks_of(ADA, about_ada())[:1]),
            lambda store: store.set_aside([set_aside(ADA)]),
            lambda store: store.put_answers([answered(ADA), evolve(answered(ADA), about="another")]),
            lambda store: store.claim([screened(ADA, campaign("autumn"))], at=frozen_now),
        ]
        with self.opened() as store:
            fill(store)
            store.erase(ADA.id, THEIRS)
            for write in writes:
                with suppress(Refused):
                    write(store)
                assert [] == readable(store)
                assert {} == dict(store.profiles([ADA.id]))
                assert [] == list(store.events_of(ADA.id))
            assert "4711" not in repr(store.claims(CampaignKey("autumn")))

    def test_what_is_set_aside_under_either_name_cannot_be_read(self) -> None:
        """It may name the id alone, an address alone, or one of theirs with somebody else's (F66)."""
        waiting = set_aside(ADA)
        subjects = [
            Subject(contact_id=ADA.id), Subject(key=AT_FORMER),
            Subject(contact_id=ADA.id, key=AT_BOB), Subject(contact_id=BOB.id, key=AT_ADA),
        ]  # fmt: skip
        for subject in subjects:
            with self.opened() as store:
                store.erase(ADA.id, THEIRS)
                store.set_aside([evolve(waiting, entry=evolve(waiting.entry, subject=subject))])
                assert [] == readable(store)

    def test_ids_of_events_stay_seen(self) -> None:
        """As keyed hashes: the same event brings nothing, whoever it is told of, and counts no second time (E2)."""
        with self.opened() as store:
            fill(store)
            counted = list(store.tally())
            store.erase(ADA.id, THEIRS)
            assert [] == list(store.admit([clicked(ADA), evolve(clicked(ADA), contact_id=BOB.id), event(ADA)]))
            assert counted == list(store.tally()) != []

    # -- peppers

    def test_an_erasure_needs_a_pepper(self) -> None:
        """Without one nobody is erased, and nothing changes (F63)."""
        store = self.make_store()
        fill(store)
        asked = Asked(people=[ADA.id, BOB.id], keys=[*THEIRS, AT_BOB], campaigns=["spring"], targets=[MAILCHIMP])
        with closing(self.with_peppers(store, {})) as bare:
            before = everything(bare, asked)
            raises(Misconfigured, lambda: bare.erase(ADA.id, THEIRS))
            assert before == everything(bare, asked)

    def test_several_peppers_are_valid_at_once(self) -> None:
        """What one pepper hid is found after a newer one came, and so is what the newer one hides (O5)."""
        store = self.make_store()
        fill(store)
        ada, bob = read(store), read(store, BOB.id, [AT_BOB])
        store.erase(ADA.id, THEIRS)
        with closing(self.with_peppers(store, NEWER_PEPPERS)) as newer:
            assert ada == read(newer)
            assert {ADA.id, *THEIRS} == set(newer.erased([ADA.id, *THEIRS, BOB.id]))
            assert [] == list(newer.append(about_ada(), at=frozen_now))
            assert [] == list(newer.admit([evolve(clicked(ADA), contact_id=EVE.id)]))
            assert set() == set(newer.claim([screened(EVE)], at=frozen_now))
            newer.erase(BOB.id, [AT_BOB])
            newer.erase(ADA.id, THEIRS)
            assert (ada, bob) == (read(newer), read(newer, BOB.id, [AT_BOB]))
            assert {f"hmac:{name}:" for name in NEWER_PEPPERS} <= {
                str(record.entry.subject.key or record.entry.subject.contact_id)[:10] for record in newer.records()
            }
            assert [] == list(newer.append([*about_ada(), *about_bob()], at=frozen_now))
            assert [] == readable(newer)
            raises(Refused, lambda: newer.put([ADA]))
            raises(Refused, lambda: newer.put([BOB]))

    def test_a_hash_under_the_pepper_that_hid_others_brings_no_word(self) -> None:
        """A list made with an older pepper names whom a newer one hid: it binds, and is not kept in words (F62)."""
        store = self.make_store()
        store.erase(BOB.id, [AT_BOB])
        with closing(self.with_peppers(store, NEWER_PEPPERS)) as newer:
            newer.erase(ADA.id, THEIRS)
            for pepper in NEWER_PEPPERS:
                hashed = Peppers(NEWER_PEPPERS).hashed(AT_ADA, pepper)
                said = OptOut(subject=Subject(key=hashed), scope=Scope.all(), event_id=pepper, provenance=BY_HERSELF)
                newer.append([said], at=frozen_now)
            assert [] == readable(newer)
            assert {Scope.all()} == newer.marks([AT_ADA])[AT_ADA].noes

    def test_after_a_restart_nothing_is_read_without_the_right_pepper(self) -> None:
        """A missing pepper, or another secret under its name, fails closed: who was erased could be mailed (F63)."""
        store = self.make_store()
        fill(store)
        store.erase(ADA.id, THEIRS)
        with closing(self.reopen(store)) as again:
            wrong: list[Mapping[str, str]] = [
                {}, {"2026": NEWER_PEPPERS["2026"]}, dict.fromkeys(PEPPERS, "not the secret that it was"),
            ]  # fmt: skip
            for peppers in wrong:
                for call in (
                    lambda bad: bad.marks([AT_ADA]),
                    lambda bad: bad.about({ADA.id: THEIRS}),
                    lambda bad: bad.put([ADA]),
                    lambda bad: bad.append([opt_out(subject_of(ADA), "new")], at=frozen_now),
                ):
                    raises(Misconfigured, partial(self._try, again, peppers, call))
            with closing(self.with_peppers(again, PEPPERS)) as right:
                assert {ADA.id} == set(right.erased([ADA.id]))

    def _try(self, store: Store, peppers: Mapping[str, str], call: Callable[[Store], object]) -> None:
        with closing(self.with_peppers(store, peppers)) as bad:
            call(bad)


def _cited(entry: Entry) -> set[EntryId | None]:
    """Return all that an entry refers to."""
    if isinstance(entry, Consent):
        return {*entry.cites, entry.request}
    if isinstance(entry, Lift | ConsentRequest):
        return {*(entry.cites if isinstance(entry, Lift) else entry.asks)}
    return {entry.opt_out} if isinstance(entry, Pushed) else set()
