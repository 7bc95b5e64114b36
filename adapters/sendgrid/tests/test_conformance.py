"""SendGrid keeps every law of an ESP: the real package, against a simulated account that holds it to the contract."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import define, field
from lifecycle_mail_http import Retries, Transport
from lifecycle_mail_sendgrid import SendgridEsp
from lifecycle_mail_sendgrid.testing import API_KEY, SendgridServer, sendgrid_server, specs_in, too_many

from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.lists import MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.ports import Esp
from lifecycle_mail.testing import EspConformance, frozen_now
from lifecycle_mail.testing.contract import Answer
from tests.conftest import shared

__all__ = ["shared"]

MINUTES = timedelta(minutes=10)
OFFERS = ListKey("offers")
REFUSED = Answer(status=400, json={"errors": [{"message": "not accepted", "field": "personalizations.0.to"}]})

OPERATIONS = {
    "send": "POST /v3/mail/send",
    "stage": "PUT /v3/marketing/contacts",
    "show": "PUT /v3/marketing/contacts",
    "release": "PUT /v3/marketing/singlesends/{id}/schedule",
    "opt_outs": "GET /v3/suppression/unsubscribes",
    "forget": "POST /v3/recipients/erasejob",
}
"""What an operation of the suite asks SendGrid for."""


@define(eq=False)
class World:
    """An adapter, and the account that it talks to."""

    server: SendgridServer
    esp: SendgridEsp = field(init=False)

    def __attrs_post_init__(self) -> None:
        simulator = self.server.simulator
        sender = simulator.senders.add("acme@acme-shop.org", verified=True)
        transport = Transport("sendgrid", retries=Retries(tries=1), wait=lambda _: simulator.settle())
        self.esp = SendgridEsp(
            API_KEY,
            sender={"email": "acme@acme-shop.org", "name": "Acme"},
            sender_id=sender,
            host=self.server.url,
            transport=transport,
            clock=lambda: simulator.now,
        )
        self.esp.prepare({}, {"offers": MailingList("offers", title="Offers")}, dry_run=False)


class TestSendgrid(EspConformance):
    """One suite for every ESP."""

    worlds: ClassVar[dict[int, World]] = {}

    @pytest.fixture(autouse=True)
    def _specs(self, shared: Path) -> Iterator[None]:
        type(self).specs = specs_in(shared / "contracts/sendgrid")  # type: ignore[attr-defined]
        yield
        for world in self.worlds.values():
            world.esp.close()
            world.server.close()
            world.server.require_clean()
        self.worlds.clear()

    def make_esp(self) -> Esp:
        """Return the adapter in front of an account of its own."""
        server = sendgrid_server(self.specs, now=frozen_now)  # type: ignore[attr-defined]
        server.__enter__()
        world = World(server)
        self.worlds[id(world.esp)] = world
        return world.esp

    def world(self, esp: object) -> World:
        """Return what an adapter talks to."""
        return self.worlds[id(esp)]

    def left(self, esp: Esp, campaign: CampaignKey) -> Sequence[ContactId]:
        """Read what the account has sent."""
        sent = self.world(esp).server.simulator.sent
        return [ContactId(one.email.partition("@")[0]) for one in sent if str(campaign) in one.categories]

    def settled(self, esp: Esp) -> None:
        """Let ten minutes go by."""
        simulator = self.world(esp).server.simulator
        simulator.now += MINUTES
        simulator.settle()

    def refuse(self, esp: Esp, address: EmailAddress) -> None:
        """Let a job refuse an address, and Mail Send too."""
        simulator = self.world(esp).server.simulator
        simulator.contacts.refused[str(address)] = "the address is not accepted"
        self.world(esp).server.fail("POST /v3/mail/send", REFUSED)

    def limit(self, esp: Esp, operation: str) -> None:
        """Answer 429 once."""
        self.world(esp).server.fail(OPERATIONS[operation], too_many())

    def cut(self, esp: Esp, operation: str, *, done: bool) -> None:
        """Reset the connection."""
        self.world(esp).server.cut(OPERATIONS[operation], done=done)

    def unsubscribe(self, esp: Esp, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Leave a group, or everything, by SendGrid's own link."""
        world = self.world(esp)
        group = None
        if scope.kind is ScopeKind.LIST:
            group = world.esp._account.topics.of(OFFERS).group
        world.server.simulator.person.unsubscribe(str(address), at, group=group)

    def pushed_at(self, esp: Esp) -> datetime:
        """Return what the account's clock shows."""
        return self.world(esp).server.simulator.now
