"""How a suite gets the ESPs it tests."""

# ruff: noqa: ARG002 - a suite is made of tests, and of hooks that a subclass fills in

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import cast

from lifecycle_mail.model.addresses import EmailAddress
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
    TakesOptOuts,
)
from lifecycle_mail.testing.builders import contact, frozen_now, key_of, said, screened, subject_of
from lifecycle_mail.testing.conformance import Conformance, does_not_apply, hook

MINUTE = timedelta(minutes=1)
OFFERS = MailingList("offers", title="Offers")
SPRING = Campaign("spring", to=[OFFERS], title="Spring")
AUTUMN = Campaign("autumn", to=[OFFERS], title="Autumn")


class MakesEsps(Conformance):
    """What an adapter's subclass defines."""

    content: Content | None = Content(subject="Spring", text="It is spring.", html="<p>It is spring.</p>")
    """What the suite's mails say."""

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

    # -- what the laws use

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
        self._need(esp, Capability.REPORTS)
        return esp

    def _fetched(self, esp: Esp, *, now: datetime) -> Sequence[Statement]:
        self._need(esp, Capability.REPORTS)
        return cast(Reports, esp).reports(now=now)

    def _recipient(self, name: str, to: Campaign = SPRING) -> Screened:
        return screened(contact(name), to)

    def _stage(self, esp: SendsCampaigns, *names: str, to: Campaign = SPRING) -> Handled:
        handled = esp.stage(to.key, [self._recipient(name, to) for name in names], content=self.content)
        self.settled(esp)
        return handled

    def _staged(self, esp: SendsCampaigns, of: Campaign = SPRING) -> Collection[ContactId]:
        self.settled(esp)
        return set(esp.staged(of.key))


def calling(call: Callable[..., object], *arguments: object, **named: object) -> Callable[[], object]:
    """Return a call that is still to be made."""
    return lambda: call(*arguments, **named)


def no_of(someone: Contact, scope: Scope, *, at: datetime = frozen_now) -> OptOut:
    """Return somebody's no."""
    return OptOut(
        subject=subject_of(someone), scope=scope, event_id="app-1", provenance=said(at=at, through=Through.ONE_CLICK)
    )


def pushed(opt_out: OptOut, esp: str, at: datetime) -> Pushed:
    """Return what the log says of an opt-out that we tell an ESP of."""
    return Pushed(
        subject=opt_out.subject,
        opt_out=opt_out.id,
        scope=opt_out.scope,
        provenance=said(Actor.POLICY, at=at, through=Through.RUN, source=esp),
    )


def opt_outs_in(statements: Sequence[Statement], someone: Contact) -> list[OptOut]:
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
