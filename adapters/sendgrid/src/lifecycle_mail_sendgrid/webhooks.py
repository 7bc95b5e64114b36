"""SendGrid's Event Webhook: verified over the raw bytes, then read one event at a time (E3, R25).

Theory of operation
===================

A delivery is an array of events, signed with ECDSA on P-256 over its timestamp header and its body, each byte of it:
SendGrid ends the body with CR LF, and that is signed, too. The signature is checked with `cryptography`. The official
package's helper takes text instead of bytes and raises its own errors for what is merely no base64.

Several public keys may be configured, so that a new one can be brought in before the old one goes. Without any,
nothing is believed (F39).

How old a delivery is does not count (F37). SendGrid tries for up to 24 hours, and whether a later try carries a new
timestamp is written nowhere: an age limit below that would lose noes. It would also gain nothing: ids of events are
kept for good, so an old delivery that somebody sends again says only what is known already.

What an event says is decided in `lifecycle_mail.files.sendgrid`, alike for webhooks and for files of them. An event
that cannot be read, or that nobody knows, is a misfit, and so is one that was taken with a reservation: a group that
is bound to no list, for example, which is taken as leaving all marketing.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import field, frozen
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lifecycle_mail.errors import InvalidInput, Misconfigured, WebhookRefused
from lifecycle_mail.files.bodies import MOST_BYTES, open_body, raw_elements, read_array, why
from lifecycle_mail.files.sendgrid import RESUBSCRIBED, SOURCE, event_statements
from lifecycle_mail.files.text import Fault
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.ports import Delivery, Heard, Misfit
from lifecycle_mail_sendgrid.topics import Topics

SIGNATURE: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP: Final = "x-twilio-email-event-webhook-timestamp"
"""The headers of a signed delivery."""

_SIGNED: Final = ec.ECDSA(SHA256())
_LONGEST_HEADER: Final = 200
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def read_key(text: str) -> ec.EllipticCurvePublicKey:
    """Read a public key as SendGrid shows it: base64 of DER.

    Raises:
        Misconfigured: it is none, or of another kind.
    """
    try:
        key = load_der_public_key(b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Misconfigured(
            f"the verification key {text[:12]!r}... is not one of SendGrid's: copy the whole key from Settings, Mail "
            f"Settings, Event Webhook; it begins with MFkw"
        )
    return key


def _as_keys(keys: str | Iterable[str]) -> tuple[ec.EllipticCurvePublicKey, ...]:
    return tuple(read_key(key) for key in ([keys] if isinstance(keys, str) else keys))


@frozen(kw_only=True)
class Hook:
    """What verifies and reads the deliveries of an Event Webhook.

    Attributes:
        keys: the public keys that SendGrid may sign with, as it shows them; given as text, one or several.
        most_bytes: how large a delivery may be.
    """

    keys: tuple[ec.EllipticCurvePublicKey, ...] = field(default=(), converter=_as_keys, repr=False)
    most_bytes: int = MOST_BYTES

    def hear(self, delivery: Delivery, *, topics: Topics, campaigns: Mapping[str, str] = _NONE, now: datetime) -> Heard:
        """Verify and read one delivery; nothing is written.

        Args:
            delivery: what came.
            topics: which of our lists are which unsubscribe groups.
            campaigns: our campaign keys by the ids of their single sends.
            now: the instant of receipt.

        Raises:
            WebhookRefused: it is not SendGrid's, too large, or cannot be read.
            Misconfigured: no key to verify with was given.
        """
        if delivery.method != "POST":
            raise WebhookRefused(f"SendGrid posts its events: {delivery.method[:20]!r} is nothing it sends", status=405)
        if not self.keys:
            raise Misconfigured(
                "nothing that SendGrid's webhook says can be believed without its verification key: switch the Signed "
                "Event Webhook on and give webhook_keys="
            )
        body = open_body(delivery, media_type="application/json", most=self.most_bytes)
        self._require_signed(delivery)
        text = body.text()
        events = read_array(text)
        lists = topics.by_group
        statements: list[Statement] = []
        doubts: dict[int, str] = {}
        notes: list[str] = []

        def note(reason: str, fix: str) -> None:
            notes.append(why(reason, fix))

        for place, event in enumerate(events):
            if isinstance(event, Fault):
                doubts[place] = why(event)
                continue
            try:
                statements += event_statements(event, lists=lists, received_at=now, note=note, campaigns=campaigns)
            except InvalidInput as problem:
                notes.append(why(problem))
            if notes:
                if not _is_resubscribe(event):  # known, and nothing follows from it
                    doubts[place] = "; ".join(notes)
                notes.clear()
        raw = raw_elements(text) if doubts else ()
        misfits = (Misfit(source=SOURCE, raw=raw[place], why=doubt, at=now) for place, doubt in doubts.items())
        return Heard(statements=tuple(statements), misfits=tuple(misfits), events=len(events))

    def _require_signed(self, delivery: Delivery) -> None:
        signature, timestamp = (delivery.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP))
        if signature and timestamp and max(len(signature), len(timestamp)) <= _LONGEST_HEADER:
            try:
                signed, told = b64decode(signature, validate=True), timestamp.encode() + delivery.body
            except ValueError:  # no base64
                pass
            else:
                if any(_verifies(key, signed, told) for key in self.keys):
                    return
        raise WebhookRefused("the delivery is not signed by SendGrid with a key that was given", status=401)


def _verifies(key: ec.EllipticCurvePublicKey, signature: bytes, told: bytes) -> bool:
    try:
        key.verify(signature, told, _SIGNED)
    except InvalidSignature:
        return False
    return True


def _is_resubscribe(event: object) -> bool:
    return isinstance(event, dict) and event.get("event") == RESUBSCRIBED
