"""The laws of an ESP that sends campaigns itself."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from typing import Any, cast

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown, Unscreened
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing.builders import contact, screened
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.esps.making import AUTUMN, SPRING, MakesEsps, calling


class CampaignsConformance(MakesEsps, suite=True):
    """The laws of `ports.SendsCampaigns`."""

    def test_a_campaign_that_nobody_staged_is_empty_and_not_released(self) -> None:
        """Asking about an unknown campaign is no error: a send that was interrupted early asks."""
        esp = self._campaigns()
        assert set() == set(esp.staged(SPRING.key))
        assert esp.released(SPRING.key) is False
        esp.unstage(SPRING.key, [ContactId("ada")])

    def test_the_staged_read_back(self) -> None:
        """Whom it accepted is whom it would mail, over several chunks; other campaigns are not touched."""
        esp = self._campaigns()
        handled = self._stage(esp, "ada", "bob")
        assert {"ada", "bob"} == set(handled.accepted)
        assert {} == dict(handled.refused)
        self._stage(esp, "cem")
        assert {"ada", "bob", "cem"} == self._staged(esp)
        assert set() == self._staged(esp, AUTUMN)

    def test_staging_twice_stages_once(self) -> None:
        """An interrupted send stages again, and nobody gets two mails (E2)."""
        esp = self._campaigns()
        self._stage(esp, "ada")
        handled = self._stage(esp, "ada", "bob")
        assert {"ada", "bob"} == set(handled.accepted)
        assert {"ada", "bob"} == self._staged(esp)
        esp.release(SPRING.key)
        self.settled(esp)
        assert ["ada", "bob"] == sorted(self.left(esp, SPRING.key))

    def test_nobody_is_staged_unscreened(self) -> None:
        """A contact, an address, or who was screened for another campaign: refused, and nobody of that call is in."""
        esp = self._campaigns()
        ada, other = contact("ada"), screened(contact("bob"), AUTUMN)
        for intruder in (ada, ada.address, "ada@example.com", None, other):
            call = cast(Any, esp).stage
            raises(Unscreened, calling(call, SPRING.key, [self._recipient("cem"), intruder], content=self.content))
        self.settled(esp)
        assert set() == self._staged(esp)

    def test_unstage_takes_out(self) -> None:
        """Whoever is taken out gets nothing; taking out who is not in changes nothing (F17)."""
        esp = self._campaigns()
        self._stage(esp, "ada", "bob", "cem")
        esp.unstage(SPRING.key, {ContactId("bob"), ContactId("nobody")})
        esp.unstage(SPRING.key, [])
        assert {"ada", "cem"} == self._staged(esp)
        esp.release(SPRING.key)
        self.settled(esp)
        assert ["ada", "cem"] == sorted(self.left(esp, SPRING.key))

    def test_who_was_taken_out_can_be_staged_again(self) -> None:
        """A second thought is possible until release."""
        esp = self._campaigns()
        self._stage(esp, "ada")
        esp.unstage(SPRING.key, [ContactId("ada")])
        self.settled(esp)
        self._stage(esp, "ada")
        assert {"ada"} == self._staged(esp)

    def test_nothing_leaves_before_release(self) -> None:
        """Staging, reading back and taking out send nothing: `release` is the hand-off."""
        esp = self._campaigns()
        self._stage(esp, "ada", "bob")
        esp.unstage(SPRING.key, [ContactId("bob")])
        self._staged(esp)
        assert esp.released(SPRING.key) is False
        assert [] == list(self.left(esp, SPRING.key))

    def test_release_sends_to_all_who_are_staged_once(self) -> None:
        """Each gets one mail; a second release is refused and sends nothing (F7)."""
        esp = self._campaigns()
        self._stage(esp, "ada", "bob")
        self._stage(esp, "cem", to=AUTUMN)
        esp.release(SPRING.key)
        self.settled(esp)
        assert esp.released(SPRING.key) is True
        assert ["ada", "bob"] == sorted(self.left(esp, SPRING.key))
        raises(EspRefused, lambda: esp.release(SPRING.key))
        self.settled(esp)
        assert ["ada", "bob"] == sorted(self.left(esp, SPRING.key))
        assert [] == list(self.left(esp, AUTUMN.key))
        assert esp.released(AUTUMN.key) is False

    def test_a_released_campaign_takes_nobody_in(self) -> None:
        """Staging after release is refused, and sends nothing."""
        esp = self._campaigns()
        self._stage(esp, "ada")
        esp.release(SPRING.key)
        self.settled(esp)
        raises(EspRefused, lambda: esp.stage(SPRING.key, [self._recipient("bob")], content=self.content))
        self.settled(esp)
        assert ["ada"] == list(self.left(esp, SPRING.key))

    def test_one_refused_recipient_does_not_stop_the_others(self) -> None:
        """A partial failure names whom it concerns, with the provider's answer; the rest is staged (F26)."""
        esp = self._campaigns()
        bob = self._recipient("bob")
        self.refuse(esp, bob.address)
        handled = esp.stage(SPRING.key, [self._recipient("ada"), bob, self._recipient("cem")], content=self.content)
        assert {"ada", "cem"} == set(handled.accepted)
        assert {"bob"} == set(handled.refused)
        error = handled.refused[bob.contact_id]
        assert isinstance(error, EspError)
        assert not error.retryable
        assert {"ada", "cem"} == self._staged(esp)

    def test_a_rate_limit_while_staging_can_be_waited_out(self) -> None:
        """429 is "not done, come again", and coming again works (F24)."""
        esp = self._campaigns()
        self.limit(esp, "stage")
        error = raises(EspUnavailable, lambda: self._stage(esp, "ada"))
        assert error.retryable  # type: ignore[attr-defined]
        self._stage(esp, "ada")
        assert {"ada"} == self._staged(esp)

    def test_a_release_whose_answer_is_lost_is_unknown(self) -> None:
        """A cut connection is never taken for a no; `released` tells afterwards what became of it (F22, F23)."""
        for done in (True, False):
            esp = self._campaigns()
            self._stage(esp, "ada")
            self.cut(esp, "release", done=done)
            raises(OutcomeUnknown, calling(esp.release, SPRING.key))
            self.settled(esp)
            assert esp.released(SPRING.key) is done
            assert ["ada"] * done == list(self.left(esp, SPRING.key))
