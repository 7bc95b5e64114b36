"""The worked example L4 on SendGrid: the page as it stands, through the real package."""

from pathlib import Path

from lifecycle_mail_http import Retries, Transport
from lifecycle_mail_sendgrid import SendgridEsp
from lifecycle_mail_sendgrid.testing import API_KEY, sendgrid_server, specs_in

from lifecycle_mail.model.names import ListKey
from tests.worked_example import LEFT_AT, walk


def test_the_worked_example_on_sendgrid(shared: Path, tmp_path: Path) -> None:
    """Field, import, segment, campaign, send, one leaves: off Offers, and on every other list (L4)."""
    with sendgrid_server(specs_in(shared / "contracts/sendgrid"), now=LEFT_AT) as server:
        simulator = server.simulator
        esp = SendgridEsp(
            API_KEY,
            sender={"email": "acme@acme-shop.org", "name": "Acme"},
            sender_id=simulator.senders.add("acme@acme-shop.org", verified=True),
            host=server.url,
            transport=Transport("sendgrid", retries=Retries(tries=1), wait=lambda _: simulator.settle()),
            clock=lambda: simulator.now,
        )

        def leave(address: str) -> None:
            group = esp._account.topics.of(ListKey("offers")).group
            simulator.person.unsubscribe(address, LEFT_AT, group=group)

        walk(esp, uses_the_unsubscribe_link=leave, time_passes=simulator.settle, folder=tmp_path)
        assert ["ada@acme-shop.org", "cleo@acme-shop.org"] == sorted(one.email for one in simulator.sent)
        esp.close()
        server.require_clean()
