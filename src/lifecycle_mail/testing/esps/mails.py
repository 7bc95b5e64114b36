"""The laws of an ESP that sends mails one by one."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from typing import Any, cast

from lifecycle_mail.errors import EspRefused, EspUnavailable, OutcomeUnknown, Unscreened
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing.builders import contact
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.esps.making import AUTUMN, SPRING, MakesEsps, calling


class MailsConformance(MakesEsps, suite=True):
    """The laws of `ports.SendsMails`."""

    def test_a_mail_is_sent_to_whom_it_is_for(self) -> None:
        """One call, one mail; `was_sent` knows it, or says that it cannot tell."""
        esp = self._mails()
        esp.send(self._recipient("ada"), content=self.content)
        self.settled(esp)
        assert ["ada"] == list(self.left(esp, SPRING.key))
        assert esp.was_sent(SPRING.key, ContactId("ada")) is not False
        assert not esp.was_sent(SPRING.key, ContactId("bob"))
        assert not esp.was_sent(AUTUMN.key, ContactId("ada"))

    def test_nothing_is_sent_unscreened(self) -> None:
        """A contact or an address is no recipient."""
        esp = self._mails()
        ada = contact("ada")
        for intruder in (ada, ada.address, "ada@example.com", None):
            raises(Unscreened, calling(cast(Any, esp).send, intruder, content=self.content))
        self.settled(esp)
        assert [] == list(self.left(esp, SPRING.key))

    def test_a_refused_mail_is_refused_for_good(self) -> None:
        """The provider's no comes as `EspRefused`, and nothing has left."""
        esp = self._mails()
        ada = self._recipient("ada")
        self.refuse(esp, ada.address)
        error = raises(EspRefused, lambda: esp.send(ada, content=self.content))
        assert not error.retryable  # type: ignore[attr-defined]
        self.settled(esp)
        assert [] == list(self.left(esp, SPRING.key))

    def test_a_rate_limit_while_sending_can_be_waited_out(self) -> None:
        """429 is "not done, come again": no mail has left, and the next call sends one (F24)."""
        esp = self._mails()
        self.limit(esp, "send")
        raises(EspUnavailable, lambda: esp.send(self._recipient("ada"), content=self.content))
        assert [] == list(self.left(esp, SPRING.key))
        esp.send(self._recipient("ada"), content=self.content)
        self.settled(esp)
        assert ["ada"] == list(self.left(esp, SPRING.key))

    def test_a_mail_whose_answer_is_lost_is_unknown(self) -> None:
        """A cut connection is never taken for a no, and `was_sent` never contradicts what happened (F22, F23)."""
        for done in (True, False):
            esp = self._mails()
            self.cut(esp, "send", done=done)
            raises(OutcomeUnknown, calling(esp.send, self._recipient("ada"), content=self.content))
            self.settled(esp)
            assert ["ada"] * done == list(self.left(esp, SPRING.key))
            assert esp.was_sent(SPRING.key, ContactId("ada")) in (done, None)
