"""The laws of an ESP's opt-outs and news."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import timedelta
from typing import cast

from lifecycle_mail.errors import EspUnavailable
from lifecycle_mail.model.consent import ConsentState, Person
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import (
    Capability,
    TakesOptOuts,
)
from lifecycle_mail.ports.esps import ListsOptOuts
from lifecycle_mail.testing.builders import contact, frozen_now, key_of
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.esps.making import (
    MINUTE,
    OFFERS,
    MakesEsps,
    no_of,
    opt_outs_in,
    pushed,
)


class OptOutsConformance(MakesEsps, suite=True):
    """The laws of `ports.TakesOptOuts`, `ports.ListsOptOuts` and `ports.Reports`."""

    def test_an_opt_out_can_be_pushed_twice(self) -> None:
        """A push whose answer was lost is pushed again, and that is no error (F4)."""
        esp = self._opt_outs()
        ada = contact("ada")
        for scope in (Scope.all(), Scope.list(OFFERS.key)):
            esp.suppress(no_of(ada, scope), ada, at=self.pushed_at(esp))
            self.settled(esp)
            esp.suppress(no_of(ada, scope), ada, at=self.pushed_at(esp) + MINUTE)

    def test_an_echo_is_recognised(self) -> None:
        """What the provider reports because we told it is evidence, not a second no (F33)."""
        esp = self._opt_outs()
        ada, at = contact("ada"), self.pushed_at(esp)
        no = no_of(ada, Scope.all(), at=at - timedelta(hours=3))
        esp.suppress(no, ada, at=at)
        self.settled(esp)
        reported = opt_outs_in(self._fetched(esp, now=at + 10 * MINUTE), ada)
        assert 1 == ConsentState([no, pushed(no, esp.name, at), *reported]).opt_out_count()

    def test_a_no_at_the_provider_is_reported(self) -> None:
        """Who leaves through the provider's own link is out here as well (F31)."""
        esp, ada = self._reporting(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        reported = opt_outs_in(self._fetched(esp, now=frozen_now + 10 * MINUTE), ada)
        assert reported
        assert {Actor.ESP} == {one.provenance.actor for one in reported}
        assert {esp.name} == {one.provenance.source for one in reported}
        assert Person.read(reported, ada.id, key_of(ada)).opt_outs_of(OFFERS.key)

    def test_a_no_that_is_reported_twice_is_one(self) -> None:
        """However often the same news is fetched, its ids are the same (F33)."""
        esp, ada = self._reporting(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        reported = [
            one
            for minutes in (10, 20)
            for one in opt_outs_in(self._fetched(esp, now=frozen_now + minutes * MINUTE), ada)
        ]
        assert 1 == ConsentState(reported).opt_out_count()

    def test_nothing_happened_nothing_is_reported(self) -> None:
        """A provider without news has none."""
        assert [] == list(self._fetched(self._reporting(), now=frozen_now))

    # -- the list of those who are out

    def test_who_left_at_the_provider_is_on_its_list(self) -> None:
        """With all that is needed to bind them here, though no report ever came (F31)."""
        esp, ada = self._listing(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        for since in (None, frozen_now - MINUTE):
            listed = opt_outs_in(list(esp.opt_outs(since=since, now=frozen_now + 10 * MINUTE)), ada)
            assert {esp.name} == {one.provenance.source for one in listed}
            assert Person.read(listed, ada.id, key_of(ada)).opt_outs_of(OFFERS.key)

    def test_a_no_that_is_reported_and_listed_is_one(self) -> None:
        """However it is told of, and however often, a click is one no (F33)."""
        esp, ada = self._listing(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        told = [*self._fetched(esp, now=frozen_now + 10 * MINUTE)]
        for minutes in (10, 20):
            told += esp.opt_outs(since=None, now=frozen_now + minutes * MINUTE)
        found = opt_outs_in(told, ada)
        assert len(found) > 1
        assert 1 == ConsentState(found).opt_out_count()

    def test_who_was_pushed_is_listed_as_an_echo(self) -> None:
        """What stands on the list because we told the provider is no second no (F33)."""
        esp = self._listing()
        self._need(esp, Capability.OPT_OUTS)
        taking, ada = cast(TakesOptOuts, esp), contact("ada")
        at = self.pushed_at(taking)
        no = no_of(ada, Scope.all(), at=at - timedelta(hours=3))
        taking.suppress(no, ada, at=at)
        self.settled(taking)
        listed = opt_outs_in(list(esp.opt_outs(since=None, now=at + 10 * MINUTE)), ada)
        assert listed, "who was pushed is out there as well"
        assert 1 == ConsentState([no, pushed(no, taking.name, at), *listed]).opt_out_count()

    def test_nobody_left_nobody_is_listed(self) -> None:
        """An empty list is empty, and asking for it is no error."""
        esp = self._listing()
        for since in (None, frozen_now - MINUTE):
            assert [] == list(esp.opt_outs(since=since, now=frozen_now))

    def test_a_rate_limit_while_listing_can_be_waited_out(self) -> None:
        """429 is raised at the call or while reading, and asking again yields the list (F24)."""
        esp, ada = self._listing(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.all(), at=frozen_now)
        self.settled(esp)
        self.limit(esp, "opt_outs")
        raises(EspUnavailable, lambda: list(esp.opt_outs(since=None, now=frozen_now + MINUTE)))
        assert opt_outs_in(list(esp.opt_outs(since=None, now=frozen_now + MINUTE)), ada)

    def _listing(self) -> ListsOptOuts:
        esp = self.make_esp()
        self._need(esp, Capability.OPT_OUT_LIST)
        return cast(ListsOptOuts, esp)
