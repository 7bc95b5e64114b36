"""The worked example L4 on Mailchimp: the page as it stands, through the real package."""

from pathlib import Path

from lifecycle_mail_http import Retries, Transport
from lifecycle_mail_mailchimp import MailchimpEsp
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, mailchimp_server

from tests.worked_example import LEFT_AT, walk

MAIN, OFFERS = "a36b032126", "0ffe45f00d"


def test_the_worked_example_on_mailchimp(spec: Path, tmp_path: Path) -> None:
    """Field, import, segment, campaign, send, one leaves: off Offers, and on every other list (L4)."""
    simulator = MailchimpSimulator(LEFT_AT)
    simulator.audience("Customers", MAIN)
    simulator.audience("Offers", OFFERS)
    with mailchimp_server(spec, simulator) as server:
        esp = MailchimpEsp(
            "0123456789abcdef0123456789abcdef-us6",
            audience=MAIN,
            own_audiences={"offers": OFFERS},
            from_name="Acme",
            reply_to="acme@acme-shop.org",
            host=server.url,
            transport=Transport("mailchimp", retries=Retries(tries=1), wait=lambda _: None),
            clock=lambda: simulator.now,
        )
        walk(
            esp,
            uses_the_unsubscribe_link=lambda who: simulator.person.unsubscribe(OFFERS, who, at=LEFT_AT),
            time_passes=lambda: simulator.wait(minutes=5),
            folder=tmp_path,
        )
        assert ["ada@acme-shop.org", "cleo@acme-shop.org"] == sorted(email for _, email in simulator.sent)
        esp.close()
        server.require_clean()
