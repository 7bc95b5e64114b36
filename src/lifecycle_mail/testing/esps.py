"""The laws of an ESP adapter.

A subclass says how to make the adapter, in front of whatever stands in for the provider (recorded answers, a fake
server), and defines the hooks that let the suite see and upset the provider's side. What the adapter does not claim
in `capabilities` is not asked of it; a hook that is missing fails the tests that need it, unless they are waived::

    class TestMailchimp(EspConformance):
        waivers = {"test_an_echo_is_recognised": "reports come by webhook only"}

        def make_esp(self): ...
        def left(self, esp, campaign): ...
"""

# ruff: noqa: ARG002, S101, SIM300 - a suite is made of tests, and of hooks that a subclass fills in

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown, Unscreened
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.consent import ConsentState, Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Pushed, Subject, state_event_id
from lifecycle_mail.model.intake import Left, Statement
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import (
    Capability,
    Content,
    Esp,
    Handled,
    Reports,
    SendsCampaigns,
    SendsMails,
    TagsContacts,
    TakesOptOuts,
)
from lifecycle_mail.testing.builders import contact, frozen_now, key_of, said, screened, subject_of
from lifecycle_mail.testing.conformance import Conformance, does_not_apply, hook, raises

MINUTE = timedelta(minutes=1)
OFFERS = MailingList("offers", title="Offers")
SPRING = Campaign("spring", to=[OFFERS], title="Spring")
AUTUMN = Campaign("autumn", to=[OFFERS], title="Autumn")

_PROTOCOLS: dict[Capability, type] = {
    Capability.CAMPAIGNS: SendsCampaigns,
    Capability.SINGLE_MAILS: SendsMails,
    Capability.OPT_OUTS: TakesOptOuts,
    Capability.TAGS: TagsContacts,
}


class EspConformance(Conformance, suite=True):
    """Every law of the ESP ports; subclass it and define `make_esp`, `left` and the hooks."""

    content: Content | None = Content(subject="Spring", text="It is spring.", html="<p>It is spring.</p>")
    """What the suite's mails say."""

    # -- what an adapter's subclass defines

    def make_esp(self) -> Esp:
        """Return an adapter in front of a provider of its own, which knows the list `offers` and nobody on it."""
        return hook("make_esp", "return the adapter")

    def left(self, esp: Esp, campaign: CampaignKey) -> Sequence[ContactId]:
        """Return whom mails of a campaign have left for, one entry a mail, as the provider's side saw it."""
        return hook("left", "say which mails have left")

    def settled(self, esp: Esp) -> None:
        """Let the provider come to rest, where what it was told shows only later; by default it shows at once."""

    def refuse(self, esp: Esp, address: EmailAddress) -> None:
        """Let the provider refuse one recipient for good."""
        hook("refuse", "let the provider refuse one recipient")

    def limit(self, esp: Esp, operation: str) -> None:
        """Let the provider answer the next call of an operation with 429, whatever a retry policy does about it."""
        hook("limit", "let the provider answer 429")

    def cut(self, esp: Esp, operation: str, *, done: bool) -> None:
        """Cut the connection in the next call of an operation, after (`done`) or before the provider did the work."""
        hook("cut", "let the answer of the provider get lost")

    def unsubscribe(self, esp: Esp, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Let somebody use the provider's own unsubscribe link."""
        hook("unsubscribe", "let somebody leave at the provider")

    def pushed_at(self, esp: Esp) -> datetime:
        """Return the instant that the provider's clock shows when the suite pushes an opt-out."""
        return frozen_now

    # -- what it claims

    def test_it_can_do_what_it_claims(self) -> None:
        """Each capability stands for a port, and its methods are there."""
        esp = self.make_esp()
        assert isinstance(esp, Esp)
        assert esp.name == esp.name.strip() != ""
        assert set(esp.capabilities) <= set(Capability)
        for capability, protocol in _PROTOCOLS.items():
            if capability in esp.capabilities:
                assert isinstance(esp, protocol), f"{capability} is claimed, {protocol.__name__} is not implemented"

    # -- campaigns that the provider sends

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
            raises(Unscreened, _calling(call, SPRING.key, [self._recipient("cem"), intruder], content=self.content))
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
            raises(OutcomeUnknown, _calling(esp.release, SPRING.key))
            self.settled(esp)
            assert esp.released(SPRING.key) is done
            assert ["ada"] * done == list(self.left(esp, SPRING.key))

    # -- mails one by one

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
            raises(Unscreened, _calling(cast(Any, esp).send, intruder, content=self.content))
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
            raises(OutcomeUnknown, _calling(esp.send, self._recipient("ada"), content=self.content))
            self.settled(esp)
            assert ["ada"] * done == list(self.left(esp, SPRING.key))
            assert esp.was_sent(SPRING.key, ContactId("ada")) in (done, None)

    # -- opt-outs

    def test_an_opt_out_can_be_pushed_twice(self) -> None:
        """A push whose answer was lost is pushed again, and that is no error (F4)."""
        esp = self._opt_outs()
        ada = contact("ada")
        for scope in (Scope.all(), Scope.list(OFFERS.key)):
            esp.suppress(_no(ada, scope), ada, at=self.pushed_at(esp))
            self.settled(esp)
            esp.suppress(_no(ada, scope), ada, at=self.pushed_at(esp) + MINUTE)

    def test_an_echo_is_recognised(self) -> None:
        """What the provider reports because we told it is evidence, not a second no (F33)."""
        esp = self._opt_outs()
        ada, at = contact("ada"), self.pushed_at(esp)
        no = _no(ada, Scope.all(), at=at - timedelta(hours=3))
        push = Pushed(
            subject=no.subject,
            opt_out=no.id,
            scope=no.scope,
            provenance=said(Actor.POLICY, at=at, through=Through.RUN, source=esp.name),
        )
        esp.suppress(no, ada, at=at)
        self.settled(esp)
        reported = _opt_outs_in(self._fetched(esp, now=at + 10 * MINUTE), ada)
        assert 1 == ConsentState([no, push, *reported]).opt_out_count()

    def test_a_no_at_the_provider_is_reported(self) -> None:
        """Who leaves through the provider's own link is out here as well (F31)."""
        esp, ada = self._reporting(), contact("ada")
        assert ada.address is not None
        self.unsubscribe(esp, ada.address, Scope.list(OFFERS.key), at=frozen_now)
        self.settled(esp)
        reported = _opt_outs_in(self._fetched(esp, now=frozen_now + 10 * MINUTE), ada)
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
            for one in _opt_outs_in(self._fetched(esp, now=frozen_now + minutes * MINUTE), ada)
        ]
        assert 1 == ConsentState(reported).opt_out_count()

    def test_nothing_happened_nothing_is_reported(self) -> None:
        """A provider without news has none."""
        assert [] == list(self._fetched(self._reporting(), now=frozen_now))

    # -- tags

    def test_tags_can_be_put_on_and_taken_off_again(self) -> None:
        """Repeating either changes nothing and is no error (S12)."""
        esp = self.make_esp()
        self._need(esp, Capability.TAGS)
        people = [contact("ada"), contact("bob")]
        for present in (True, True, False, False):
            cast(TagsContacts, esp).tag(people, "unresponsive", present=present)

    # -- inside

    def _need(self, esp: Esp, capability: Capability) -> None:
        if capability not in esp.capabilities:
            does_not_apply(f"{esp.name} does not claim {capability}")

    def _campaigns(self) -> SendsCampaigns:
        esp = self.make_esp()
        self._need(esp, Capability.CAMPAIGNS)
        return cast(SendsCampaigns, esp)

    def _mails(self) -> SendsMails:
        esp = self.make_esp()
        self._need(esp, Capability.SINGLE_MAILS)
        return cast(SendsMails, esp)

    def _opt_outs(self) -> TakesOptOuts:
        esp = self.make_esp()
        self._need(esp, Capability.OPT_OUTS)
        return cast(TakesOptOuts, esp)

    def _reporting(self) -> Esp:
        esp = self.make_esp()
        if not isinstance(esp, Reports):
            does_not_apply(f"{esp.name} has no reports to fetch")
        return esp

    def _fetched(self, esp: Esp, *, now: datetime) -> Sequence[Statement]:
        if not isinstance(esp, Reports):
            does_not_apply(f"{esp.name} has no reports to fetch")
        return esp.reports(now=now)

    def _recipient(self, name: str, to: Campaign = SPRING) -> Screened:
        return screened(contact(name), to)

    def _stage(self, esp: SendsCampaigns, *names: str, to: Campaign = SPRING) -> Handled:
        handled = esp.stage(to.key, [self._recipient(name, to) for name in names], content=self.content)
        self.settled(esp)
        return handled

    def _staged(self, esp: SendsCampaigns, of: Campaign = SPRING) -> Collection[ContactId]:
        self.settled(esp)
        return set(esp.staged(of.key))


def _calling(call: Callable[..., object], *arguments: object, **named: object) -> Callable[[], object]:
    return lambda: call(*arguments, **named)


def _no(someone: Contact, scope: Scope, *, at: datetime = frozen_now) -> OptOut:
    return OptOut(
        subject=subject_of(someone), scope=scope, event_id="app-1", provenance=said(at=at, through=Through.ONE_CLICK)
    )


def _opt_outs_in(statements: Sequence[Statement], someone: Contact) -> list[OptOut]:
    """Turn what is said of one contact into entries, as the service does."""
    found = []
    for one in statements:
        if isinstance(one, Left) and (one.who.contact_id == someone.id or one.who.address == someone.address):
            subject = Subject(contact_id=someone.id, key=key_of(someone))
            state = state_event_id(subject, one.provenance.at if one.dated else None)
            found.append(
                OptOut(
                    subject=subject,
                    scope=one.scope,
                    event_id=one.event_id or state,
                    provenance=one.provenance,
                    dated=one.dated,
                )
            )
    return found
