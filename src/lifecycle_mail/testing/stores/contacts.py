"""The laws of contacts."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.lists import Frequency
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing.builders import contact, frozen_now
from lifecycle_mail.testing.stores.making import MakesStores


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

    def test_contacts_survive_a_restart(self) -> None:
        """A reopened store knows everybody, by id and by address."""
        ada = whole_contact()
        store = self.make_store()
        store.put([ada])
        again = self.reopen(store)
        try:
            assert ada.address is not None
            assert [ada] == list(again.each())
            assert [ada.id] == list(again.find(ada.address.identity))
        finally:
            again.close()
