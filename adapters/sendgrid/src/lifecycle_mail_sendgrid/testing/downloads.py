"""Where the links of exports and of failed imports lead: storage of somebody else, with links that are signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part

BEYOND: Final = ("GET /downloads/{name}",)
"""What is no operation of SendGrid's API: it asks for no key, and takes none."""


def _refused(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "application/xml"})


class Downloads(Part):
    """Hands files out as S3 does: to whoever has the link, and to nobody who also shows a key."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return dict.fromkeys(BEYOND, self.fetch)

    def fetch(self, call: Call) -> Answer:
        """Return a file, as long as the link lives."""
        file = self._account.files.get(call["name"])
        if "authorization" in call.request.headers:
            return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        if file is None or call.query("X-Amz-Signature") != self._account.signature(call["name"]):
            return _refused(403, "SignatureDoesNotMatch", "The request signature does not match")
        if self._account.now >= file.expires_at:
            return _refused(403, "AccessDenied", "Request has expired")
        return Answer(status=200, body=file.body, headers=file.headers)
