"""A rendered mail, and the message that carries it.

Theory of operation
===================

`Mail.to_message` gives a message of the standard library whose bytes are right (R4, R5), whoever writes it out and by
whatever policy for SMTP: its headers know how they are written (`headers`). Two are never folded nor encoded,
`List-Unsubscribe` and `List-Unsubscribe-Post`; a long link in them stays one line of at most 998 octets. An address
whose local part is not ASCII needs a transport with SMTPUTF8 (R21), which `needs_smtputf8` says; its header is UTF-8.

The body is two alternatives, plain text first, both quoted-printable, in lines of at most 76 characters, none of which
begins with "From ": nothing on the way has a reason to change it. Boundary and Message-ID are hashes of what the
message says: the same mail is the same bytes, and the same Message-ID when a send is repeated.

DKIM has to sign the two headers of `DKIM_HEADERS` beside those that it always signs, or a mailbox will not offer the
one click (RFC 8058, 4). Whoever signs, ESP or server, has to be told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.headers import COLUMNS, HEADERS
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.parts import Recipient
from lifecycle_mail.mails.specs import ProgrammeSpecification, Specification
from lifecycle_mail.mails.texts import check_url
from lifecycle_mail.model.addresses import EmailAddress

FOOTER: Final = "\n-- \n"
"""What parts the text of a mail from what stands below it."""

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
"""The one value of `List-Unsubscribe-Post` (RFC 8058, 3.1)."""

DKIM_HEADERS: Final = ("List-Unsubscribe", "List-Unsubscribe-Post")
"""Headers that a DKIM signature has to cover, beside the usual ones (R4)."""

_FROM: Final = re.compile(r"^From ", re.MULTILINE)
_ENCODED_FROM: Final = "=46rom "

POLICY: Final = EmailPolicy(
    linesep=SMTP.linesep, raise_on_defect=False, header_factory=HEADERS,
    # Lines of quoted-printable are as long; they have room for what `_ENCODED_FROM` adds.
    max_line_length=COLUMNS + len("From ") - len(_ENCODED_FROM),
)  # fmt: skip
"""What messages are written by."""


@frozen(kw_only=True, eq=False)
class Mail:
    """A mail to one person, ready to go.

    Attributes:
        spec: what it was made from.
        brand: who sends.
        at: when it was written, aware UTC; the Date header, to the second.
        language: the language tag of its texts.
        subject: the subject.
        preheader: what a mailbox shows beside the subject.
        text: the plain-text part.
        html: the HTML part, its CSS inlined.
        unsubscribe_url: the one-click link of a marketing mail; None in a transactional one.
    """

    spec: Specification = field(repr=False)
    brand: Brand = field(repr=False)
    at: datetime
    language: str
    subject: str
    preheader: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    unsubscribe_url: str | None = field(repr=False)

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return self.spec.kind

    @property
    def to(self) -> Recipient:
        """Who gets it."""
        return self.spec.to

    @property
    def marketing(self) -> bool:
        """Whether it is marketing; if not, it reaches those who opted out (C6)."""
        return self.spec.row.marketing

    @property
    def message_id(self) -> str:
        """Its Message-ID: the same for the same mail, so that a repeated send can be told."""
        parts = (self.kind, self.to.contact_id, str(self.to.address), self.at.isoformat(), self.subject, self.text)
        digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return f"<{digest}@{self.brand.address.domain}>"

    @property
    def headers(self) -> Mapping[str, str]:
        """What an ESP is given beside subject, sender and recipient: the headers of a marketing mail (R4).

        Raises:
            InvalidInput: the link of a marketing mail is missing, longer than a header line holds, or none (R4, R5).
        """
        found: dict[str, str] = {}
        if isinstance(self.spec, ProgrammeSpecification):
            listed = self.spec.listed
            check_url("unsubscribe_url", self.unsubscribe_url)  # `attrs.evolve` makes mails, too
            found["List-Unsubscribe"] = f"<{self.unsubscribe_url}>"
            found["List-Unsubscribe-Post"] = ONE_CLICK
            found["List-Id"] = f"<{listed.key.replace('_', '-')}.{self.brand.address.domain}>"
        else:
            # Nobody's out-of-office reply should come back on a mail that somebody's own act caused (RFC 3834).
            found["Auto-Submitted"] = "auto-generated"
        return MappingProxyType(found)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a transport with SMTPUTF8 can carry it (R21).

        `smtplib` looks for this in From and To alone: where it is the Reply-To, give it `mail_options=["SMTPUTF8"]`.
        """
        return not all(one.ascii_only for one in (self.to.address, self.brand.address, self.brand.replies))

    def to_message(self) -> EmailMessage:
        """Return it as a message of the standard library, whose `as_bytes()` is what goes over SMTP.

        A policy of the caller's, as in `as_bytes(policy=email.policy.SMTP)`, writes the same headers; where the mail
        `needs_smtputf8`, one without `utf8` is refused. Only `email.policy.compat32` must not be used: it folds a long
        link, and encodes an address along with its name.

        Raises:
            InvalidInput: as `headers` says.
        """
        message = EmailMessage(policy=POLICY.clone(utf8=True) if self.needs_smtputf8 else POLICY)
        message["From"] = _address(self.brand.address, self.brand.from_name)
        message["To"] = _address(self.to.address, self.to.greeting)
        if self.brand.replies != self.brand.address:
            message["Reply-To"] = _address(self.brand.replies, self.brand.name)
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.at.replace(microsecond=0))
        message["Message-ID"] = self.message_id
        for name, value in self.headers.items():
            message[name] = value
        message.set_content(self.text, cte="quoted-printable")
        message.add_alternative(self.html, subtype="html", cte="quoted-printable")
        message["Content-Language"] = self.language  # `set_content` would take it away
        for part in message.iter_parts():
            # Whoever keeps mails in an mbox, and `smtplib`, would put ">" before such a line.
            part.set_payload(_FROM.sub(_ENCODED_FROM, str(part.get_payload())))
        message.set_boundary("=_" + self.message_id[1:33])  # no line of quoted-printable has "=_"
        return message


def _address(address: EmailAddress, name: str) -> Address:
    return Address(display_name=name, username=address.local, domain=address.domain)
