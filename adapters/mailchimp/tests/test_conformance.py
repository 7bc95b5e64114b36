"""Mailchimp keeps every law of an ESP: the real package, against a simulated account that holds it to the contract."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import define, field
from lifecycle_mail_http import Retries, Transport
from lifecycle_mail_mailchimp import MailchimpEsp
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, mailchimp_server

from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.lists import MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Esp
from lifecycle_mail.testing import EspConformance, frozen_now
from lifecycle_mail.testing.contract import Answer, ContractServer
from tests.conftest import shared

__all__ = ["shared"]

MAIN, OFFERS = "a1b2c3d4e5", "0ffe45f00d"
"""The audience of the interests, and the one that is the list `offers`."""

OPERATIONS = {
    "stage": "POST /lists/{list_id}",
    "show": "POST /lists/{list_id}",
    "release": "POST /campaigns/{campaign_id}/actions/send",
    "opt_outs": "GET /lists/{list_id}/members",
    "forget": "POST /lists/{list_id}/members/{subscriber_hash}/actions/delete-permanent",
}
"""What an operation of the suite asks Mailchimp for first."""


@define(eq=False)
class World:
    """An adapter, and the account that it talks to."""

    server: ContractServer
    simulator: MailchimpSimulator
    own: bool
    esp: MailchimpEsp = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.simulator.audience("Customers", MAIN)
        self.simulator.audience("Offers", OFFERS)
        transport = Transport("mailchimp", retries=Retries(tries=1), wait=lambda _: None)
        self.esp = MailchimpEsp(
            "0123456789abcdef0123456789abcdef-us6",
            audience=MAIN,
            own_audiences={"offers": OFFERS} if self.own else {},
            from_name="Acme",
            reply_to="acme@acme-shop.org",
            host=self.server.url,
            transport=transport,
            clock=lambda: self.simulator.now,
        )
        if not self.own:
            self.esp.prepare({}, {"offers": MailingList("offers", title="Offers")}, dry_run=False)

    @property
    def offers(self) -> str:
        """The audience that who leaves Offers by Mailchimp's own link leaves."""
        return OFFERS if self.own else MAIN


class TestMailchimp(EspConformance):
    """Where the list is an interest of an audience."""

    own = False
    worlds: ClassVar[dict[int, World]] = {}

    @pytest.fixture(autouse=True)
    def _spec(self, shared: Path) -> Iterator[None]:
        type(self).spec = shared / "contracts/mailchimp/marketing-3.0.55.openapi.json"  # type: ignore[attr-defined]
        yield
        for world in self.worlds.values():
            world.esp.close()
            world.server.close()
            world.server.require_clean()
        self.worlds.clear()

    def make_esp(self) -> Esp:
        """Return the adapter in front of an account of its own."""
        simulator = MailchimpSimulator(frozen_now)
        server = mailchimp_server(self.spec, simulator)  # type: ignore[attr-defined]
        server.__enter__()
        world = World(server, simulator, self.own)
        self.worlds[id(world.esp)] = world
        return world.esp

    def world(self, esp: object) -> World:
        """Return what an adapter talks to."""
        return self.worlds[id(esp)]

    def left(self, esp: Esp, campaign: CampaignKey) -> Sequence[ContactId]:
        """Read what the account has sent."""
        world = self.world(esp)
        theirs = {one.id for one in world.simulator.account.campaigns.values() if one.title.endswith(f" {campaign}")}
        return [ContactId(email.partition("@")[0]) for sent, email in world.simulator.sent if sent in theirs]

    def settled(self, esp: Esp) -> None:
        """Let five minutes go by."""
        self.world(esp).simulator.wait(minutes=5)

    def refuse(self, esp: Esp, address: EmailAddress) -> None:
        """Let Mailchimp take an address for a fake."""
        self.world(esp).simulator.changes.fakes.add(str(address))

    def limit(self, esp: Esp, operation: str) -> None:
        """Answer 429 once, as Mailchimp does: without a body."""
        self.world(esp).server.fail(OPERATIONS[operation], Answer(status=429, body=b""))

    def cut(self, esp: Esp, operation: str, *, done: bool) -> None:
        """Reset the connection."""
        self.world(esp).server.cut(OPERATIONS[operation], done=done)

    def unsubscribe(self, esp: Esp, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Leave by Mailchimp's own link, which leaves the audience."""
        world = self.world(esp)
        simulator = world.simulator
        audiences = [world.offers] if scope.kind is ScopeKind.LIST else {MAIN, world.offers}
        for audience in audiences:
            if not any(one.email == str(address) for one in simulator.account.audience(audience).members.values()):
                simulator.person.join(audience, str(address), at=at)
            simulator.person.unsubscribe(audience, str(address), at=at)

    def pushed_at(self, esp: Esp) -> datetime:
        """Return what the account's clock shows."""
        return self.world(esp).simulator.now


class TestMailchimpWithAnAudienceOfItsOwn(TestMailchimp):
    """Where the list is a whole audience."""

    own = True
    waivers: ClassVar[Mapping[str, str]] = {
        "test_a_change_is_seen": "who is no longer on a list that is an audience stays in it, unless they said no"
    }
