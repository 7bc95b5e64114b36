"""For tests: a Mailchimp account that stands in for a real one, behind a server that holds requests to the contract.

    simulator = MailchimpSimulator()
    customers = simulator.audience("Customers")
    with mailchimp_server(spec, simulator) as server:
        client = MailchimpClient("key-us6", host=server.url)
        ...
        simulator.person.unsubscribe(customers.id, "ada@example.com")
        simulator.wait(minutes=5)
        server.require_clean()

`spec` is the path of the OpenAPI file of Mailchimp's Marketing API, which is not part of this package. Needs
`pip install 'lifecycle-mail[contract]'`.
"""

from lifecycle_mail_mailchimp.testing.hooks import Posted
from lifecycle_mail_mailchimp.testing.overlay import OVERLAY
from lifecycle_mail_mailchimp.testing.people import People
from lifecycle_mail_mailchimp.testing.simulator import MailchimpSimulator, mailchimp_server
from lifecycle_mail_mailchimp.testing.state import Audience, Campaign, Member

__all__ = ["OVERLAY", "Audience", "Campaign", "MailchimpSimulator", "Member", "People", "Posted", "mailchimp_server"]
