"""The laws of contacts and lists."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import ConsentRequest, OptOut, Subject, Suppression, SuppressionKind
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.testing.builders import (
    consent,
    contact,
    days_ago,
    event,
    frozen_now,
    key_of,
    said,
    screened,
    subject_of,
)
from lifecycle_mail.testing.stores.making import MakesStores

OFFERS, NEWS = ListKey("offers"), ListKey("news")


def whole_contact() -> Contact:
    """Return a contact with everything that one can hold."""
    return Contact(
        id=ContactId("Ünï-🎉/ada"),
        address=parse_address("Ada.Lovelace@Example.com"),
        fields={
            "2020_spend": 100.5,
            "orders": 3,
            "vip": True,
            "note": "';-- \N{SNOWMAN}",
            "empty": "",
            "since": datetime(2020, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
        },
        tags=frozenset({"a", "B", "with, comma"}),
        source="organic",
        signed_up_at=frozen_now,
        timezone="Europe/Tallinn",
        locale="et",
        frequency=Frequency.MONTHLY,
    )


class ContactsConformance(MakesStores, suite=True):
    """The laws of `ports.Contacts`."""

    def test_a_contact_comes_back_whole(self) -> None:
        """Every attribute keeps its type, a field named with a digit and the address as written among them (L4)."""
        ada = whole_contact()
        with self.opened() as store:
            store.put([ada])
            found = store.get([ada.id])[ada.id]
            assert ada == found
            assert ada.address is not None
            assert found.address is not None
            assert ada.address.written == found.address.written
            assert dict(ada.fields) == dict(found.fields)
            assert {n: type(v) for n, v in ada.fields.items()} == {n: type(v) for n, v in found.fields.items()}

    def test_get_passes_over_who_does_not_exist(self) -> None:
        """Only those that exist are in the answer; asking for one twice is asking once."""
        ada = contact("ada")
        with self.opened() as store:
            assert {} == dict(store.get([ContactId("nobody")]))
            store.put([ada])
            assert {ada.id: ada} == dict(store.get([ada.id, ContactId("nobody"), ada.id]))
            assert {} == dict(store.get([]))

    def test_put_replaces(self) -> None:
        """The latest version of a contact is the contact, within one batch too."""
        ada = contact("ada", fields={"spend": 1})
        with self.opened() as store:
            store.put([ada])
            store.put([ada.updated({"spend": 2}), ada.updated({"spend": None, "plan": "free"})])
            assert {"plan": "free"} == dict(store.get([ada.id])[ada.id].fields)
            assert 1 == len(list(store.each()))

    def test_find_knows_people_by_the_identity_of_their_address(self) -> None:
        """However the domain and ASCII letters are written, it is one address; a tag makes another one (F61)."""
        ada = contact("ada", address="Ada@Example.com")
        with self.opened() as store:
            store.put([ada, contact("bob"), contact("ghost", address=None)])
            assert [ada.id] == list(store.find(parse_address("aDA@eXAMPLE.COM").identity))
            assert [] == list(store.find(parse_address("ada+tag@example.com").identity))
            assert [] == list(store.find(""))

    def test_find_returns_all_who_share_an_address_in_order(self) -> None:
        """Several contacts may have one address; the answer names them all, sorted."""
        with self.opened() as store:
            store.put([contact(name, address="home@example.com") for name in ("c", "a", "B")])
            assert ["B", "a", "c"] == list(store.find(parse_address("home@example.com").identity))

    def test_find_forgets_an_address_that_was_given_up(self) -> None:
        """After a move a contact is found at the new address only, and one without an address nowhere."""
        ada = contact("ada", address="old@example.com")
        old, new = (parse_address(f"{name}@example.com") for name in ("old", "new"))
        with self.opened() as store:
            store.put([ada])
            store.put([evolve(ada, address=new)])
            assert [] == list(store.find(old.identity))
            assert [ada.id] == list(store.find(new.identity))
            store.put([evolve(ada, address=None)])
            assert [] == list(store.find(new.identity))

    def test_each_yields_everybody_once_in_order_of_id(self) -> None:
        """The order is that of code points, so that it is the same in every store."""
        ids = ["b", "a", "B", "10", "9", "é", "z", "_", "\U0001f389", "\uffee"]
        with self.opened() as store:
            store.put([contact(name, address=None) for name in ids])
            assert sorted(ids) == [one.id for one in store.each()]

    def test_each_is_not_upset_by_writes(self) -> None:
        """Contacts may be written while they are read one by one, as an import after a plan does."""
        with self.opened() as store:
            store.put([contact(name) for name in ("a", "b", "c")])
            seen = []
            for one in store.each():
                seen.append(one.id)
                store.put([one.updated({"seen": True})])
            assert ["a", "b", "c"] == seen
            assert [True] * 3 == [one.fields["seen"] for one in store.each()]

    def test_everybody_is_counted(self) -> None:
        """As many as there are: a contact that changes is one, and one that is removed is none."""
        with self.opened() as store:
            assert 0 == store.count()
            store.put([contact("ada"), contact("bob"), contact("ada", tags={"x"})])
            store.put([contact("bob", address=None)])
            assert 2 == store.count()
            store.remove([ContactId("bob")])
            assert 1 == store.count()

    def test_who_is_removed_is_gone_and_the_log_stays(self) -> None:
        """Contact, profile and events go; what they said, and the mails they got, stay (O5)."""
        ada, bob = contact("ada"), contact("bob")
        assert ada.address is not None
        with self.opened() as store:
            store.put([ada, bob])
            store.append([consent(ada), consent(bob)], at=frozen_now)
            store.admit([event(ada), event(bob)])
            store.quarantine([event(one, at=days_ago(-99)) for one in (ada, bob)], at=frozen_now)
            store.save([EngagementProfile(contact_id=one.id) for one in (ada, bob)])
            store.claim([screened(ada)], at=frozen_now)
            log, claims = list(store.records()), list(store.claims_of(ada.id))
            store.remove([ada.id, ContactId("nobody"), ada.id])
            store.remove([])
            assert [bob] == list(store.each())
            assert [] == list(store.find(ada.address.identity))
            assert {bob.id} == set(store.get([ada.id, bob.id])) == set(store.profiles([ada.id, bob.id]))
            assert [[], [event(bob)]] == [list(store.events_of(one.id)) for one in (ada, bob)]
            assert [bob.id] == [one.contact_id for one in store.quarantined()]
            assert (log, claims) == (list(store.records()), list(store.claims_of(ada.id)))
            assert set() == set(store.erased([ada.id]))

    def test_who_was_removed_may_come_back(self) -> None:
        """With the events that come then, and without those that were removed: their ids stay seen (F33)."""
        ada = contact("ada")
        with self.opened() as store:
            store.put([ada])
            store.admit([event(ada)])
            store.remove([ada.id])
            store.put([ada])
            assert [] == list(store.admit([event(ada)]))
            assert [event(ada, mail="m2")] == list(store.admit([event(ada), event(ada, mail="m2")]))
            assert [event(ada, mail="m2")] == list(store.events_of(ada.id))
            assert [ada] == list(store.each())

    # -- the audience of a list

    def test_members_ever_said_yes_or_asked(self) -> None:
        """Whoever has a consent or a request for one of the lists in the log, each once, in order of id (L1)."""
        out, asked, joined, stranger, gone = (contact(name) for name in ("b-out", "asked", "c", "d", "gone"))
        request = ConsentRequest(subject=subject_of(asked), list=NEWS, provenance=said())
        left = OptOut(subject=subject_of(out), scope=Scope.all(), event_id="1", provenance=said())
        with self.opened() as store:
            store.put([joined, out, asked, stranger])
            nobody = evolve(consent(joined), subject=Subject(key=key_of(stranger)))
            store.append([consent(out), left, consent(joined), consent(joined, "news"), nobody], at=frozen_now)
            store.append([request, consent(gone), consent(gone, "news")], at=frozen_now)
            assert [out, joined] == list(store.members([OFFERS]))
            assert [asked, joined] == list(store.members([NEWS]))
            assert [asked, out, joined] == list(store.members([OFFERS, NEWS, OFFERS]))
            assert [] == list(store.members([ListKey("empty")]))
            assert [] == list(store.members([]))
            store.put([gone])
            store.remove([joined.id])
            assert [out, gone] == list(store.members([OFFERS]))

    def test_whoever_asks_is_a_member_at_once(self) -> None:
        """Though nothing but requests is written with it (L1)."""
        asked = contact("asked")
        request = ConsentRequest(subject=subject_of(asked), list=NEWS, provenance=said())
        with self.opened() as store:
            store.put([asked])
            store.append([request], at=frozen_now)
            assert [asked] == list(store.members([NEWS]))

    def test_nothing_but_a_yes_or_a_request_makes_a_member(self) -> None:
        """Not even of a list that is called as a reason not to mail is."""
        who = contact("ada")
        held = [
            Suppression(subject=subject_of(who), kind=kind, event_id="1", provenance=said()) for kind in SuppressionKind
        ]
        left = OptOut(subject=subject_of(who), scope=Scope.all(), event_id="1", provenance=said())
        with self.opened() as store:
            store.put([who])
            store.append([left, *held], at=frozen_now)
            assert [] == list(store.members([ListKey("all"), *(ListKey(kind) for kind in SuppressionKind)]))

    def test_reading_members_is_not_upset_by_writes(self) -> None:
        """Members may be written and join other lists while they are read one by one."""
        people = [contact(name) for name in "abc"]
        with self.opened() as store:
            store.put(people)
            store.append([consent(one) for one in people], at=frozen_now)
            seen = []
            for one in store.members([OFFERS]):
                seen.append(one.id)
                store.put([one.updated({"seen": True})])
                store.append([consent(one, "news")], at=frozen_now)
            assert list("abc") == seen
            assert [True] * 3 == [one.fields["seen"] for one in store.members([NEWS])]

    # -- lists

    def test_a_list_comes_back_whole(self) -> None:
        """With its title, what to expect and how it travels; a later version replaces it (L1)."""
        offers = MailingList(
            "offers",
            title="Offers ☃",
            expect="one deal a week, 'really'",
            frequency=Frequency.WEEKLY,
            double_opt_in=True,
            channel=Channel.SMS,
        )
        news = MailingList("news")
        with self.opened() as store:
            assert {} == dict(store.lists())
            store.put_lists([offers, news])
            assert {"offers": offers, "news": news} == dict(store.lists())
            store.put_lists([evolve(offers, title="Deals", frequency=None, double_opt_in=False)])
            store.put_lists([])
            found = store.lists()
            assert ("Deals", None, False) == (found[OFFERS].title, found[OFFERS].frequency, found[OFFERS].double_opt_in)
            assert news == found[NEWS]

    def test_contacts_survive_a_restart(self) -> None:
        """A reopened store knows everybody, by id, by address and by list."""
        ada = whole_contact()
        store = self.make_store()
        store.put([ada, contact("bob")])
        store.append([consent(ada)], at=frozen_now)
        store.put_lists([MailingList("offers", title="Offers")])
        store.remove([ContactId("bob")])
        with self.reopened(store) as again:
            assert ada.address is not None
            assert [ada] == list(again.each()) == list(again.members([OFFERS]))
            assert [ada.id] == list(again.find(ada.address.identity))
            assert 1 == again.count()
            assert {"offers": MailingList("offers", title="Offers")} == dict(again.lists())
