"""The laws of what an ESP keeps of contacts."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from typing import cast

from lifecycle_mail.errors import EspUnavailable
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.ports import (
    Capability,
    SendsCampaigns,
    TagsContacts,
)
from lifecycle_mail.ports.esps import Forgets
from lifecycle_mail.testing.builders import contact, frozen_now
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.esps.making import MINUTE, OFFERS, SPRING, MakesEsps, opt_outs_in


class ContactsConformance(MakesEsps, suite=True):
    """The laws of `ports.TagsContacts` and `ports.Forgets`."""

    def test_tags_can_be_put_on_and_taken_off_again(self) -> None:
        """Repeating either changes nothing and is no error (S12)."""
        esp = self.make_esp()
        self._need(esp, Capability.TAGS)
        people = [contact("ada"), contact("bob")]
        for present in (True, True, False, False):
            cast(TagsContacts, esp).tag(people, "unresponsive", present=present)

    # -- forgetting

    def test_who_was_forgotten_is_told_of_no_more(self) -> None:
        """The provider's news says nothing of them any longer, and goes on about others (O5)."""
        esp = self._forgetting()
        ada, bob = contact("ada"), contact("bob")
        self._need(esp, Capability.REPORTS)
        for someone in (ada, bob):
            self.unsubscribe(esp, cast(EmailAddress, someone.address), Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        esp.forget(ada)
        self.settled(esp)
        told = self._fetched(esp, now=frozen_now + 10 * MINUTE)
        assert [] == [one for one in told if one.who.contact_id == ada.id or one.who.address == ada.address]
        assert opt_outs_in(told, bob)

    def test_who_was_forgotten_is_mailed_nothing(self) -> None:
        """What was staged for them is gone, and the rest is sent (O5)."""
        esp = self._forgetting()
        self._need(esp, Capability.CAMPAIGNS)
        sending = cast(SendsCampaigns, esp)
        self._stage(sending, "ada", "bob")
        esp.forget(contact("ada"))
        self.settled(sending)
        assert {"bob"} == self._staged(sending)
        sending.release(SPRING.key)
        self.settled(sending)
        assert ["bob"] == list(self.left(sending, SPRING.key))

    def test_forgetting_again_or_somebody_unknown_changes_nothing(self) -> None:
        """An erasure that was interrupted forgets again, and whoever has no address is nobody there."""
        esp = self._forgetting()
        for _ in range(2):
            esp.forget(contact("ada"))
        esp.forget(contact("ghost", address=None))

    def test_a_rate_limit_while_forgetting_can_be_waited_out(self) -> None:
        """429 is "not done, come again" (F24)."""
        esp = self._forgetting()
        self.limit(esp, "forget")
        raises(EspUnavailable, lambda: esp.forget(contact("ada")))
        esp.forget(contact("ada"))

    def _forgetting(self) -> Forgets:
        esp = self.make_esp()
        self._need(esp, Capability.ERASURE)
        return cast(Forgets, esp)
