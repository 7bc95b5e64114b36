"""A SendGrid account for tests: a simulator, and a server that holds requests against SendGrid's own contract.

Theory of operation
===================

`SendgridSimulator` keeps the state and the rules of an account and knows nothing of HTTP. `sendgrid_server` puts it
behind a server that holds every request and every answer against SendGrid's OpenAPI files and against `OVERLAY`, which
says where they are wrong. The files are not part of this package; `specs_in` finds them in a folder::

    with sendgrid_server(specs_in(folder)) as server:
        client = SendGridAPIClient(API_KEY, host=server.url)
        ...
        server.simulator.settle()
        server.simulator.person.unsubscribe("ada@example.com", group=101)
        server.require_clean()
"""

from lifecycle_mail_sendgrid.testing.hooks import HookPost
from lifecycle_mail_sendgrid.testing.mailing import SentMail
from lifecycle_mail_sendgrid.testing.overlay import OVERLAY
from lifecycle_mail_sendgrid.testing.people import People
from lifecycle_mail_sendgrid.testing.server import SendgridServer, sendgrid_server, specs_in
from lifecycle_mail_sendgrid.testing.simulator import API_KEY, SendgridSimulator, too_many

__all__ = [
    "API_KEY",
    "OVERLAY",
    "HookPost",
    "People",
    "SendgridServer",
    "SendgridSimulator",
    "SentMail",
    "sendgrid_server",
    "specs_in",
    "too_many",
]
