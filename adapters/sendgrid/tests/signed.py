"""Deliveries as SendGrid would sign them, and worlds that hear them."""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lifecycle_mail_sendgrid.topics import Topic, Topics
from lifecycle_mail_sendgrid.webhooks import SIGNATURE, TIMESTAMP, Hook

from lifecycle_mail.model.intake import Left
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Delivery, Heard
from lifecycle_mail.service import Lifecycle, Received
from lifecycle_mail.testing import lifecycle

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = 1795172400
"""An hour before that."""

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
NEWS = MailingList("news", title="News", expect="what is new, once a month")
SPRING = Campaign("spring", to=[OFFERS])
TOPICS = Topics({ListKey("offers"): Topic(10), ListKey("news"): Topic(11)})

Key = ec.EllipticCurvePrivateKey
OURS = ec.derive_private_key(20_261_120, ec.SECP256R1())
THEIRS = ec.derive_private_key(20_261_121, ec.SECP256R1())
"""The key of another tenant."""


def shown(key: Key) -> str:
    """Return a public key as SendGrid shows it."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


HOOK = Hook(keys=shown(OURS))


def event(kind: str, name: str = "ada", **more: Any) -> dict[str, Any]:
    """Return an event about somebody; its id is made of what it says."""
    told = {"email": f"{name}@example.com", "timestamp": AT, "event": kind, **more}
    return {"sg_event_id": f"{kind}-{name}-{told['timestamp']}", **told}


def signed(body: bytes, *, key: Key = OURS, at: int = AT, packed: bool = False) -> Delivery:
    """Return a delivery of a body that was signed at this instant; it says that it is gzip, where it is packed."""
    signature = key.sign(str(at).encode() + body, ec.ECDSA(SHA256()))
    return Delivery(
        headers={
            "Content-Type": "application/json",
            SIGNATURE: b64encode(signature).decode(),
            TIMESTAMP: str(at),
            **({"Content-Encoding": "gzip"} if packed else {}),
        },
        body=body,
    )


def bodied(events: Sequence[Any]) -> bytes:
    """Return the body of a delivery of events, with the line end that SendGrid puts behind it."""
    return json.dumps(list(events), separators=(",", ":")).encode() + b"\r\n"


def heard(*events: Any, **more: Any) -> Heard:
    """Return what a delivery of events says."""
    return HOOK.hear(signed(bodied(events)), topics=TOPICS, now=NOW, **more)


def world(*names: str) -> Lifecycle:
    """Return a `Lifecycle` in which these people, each an id, are subscribed to Offers."""
    mail = lifecycle(OFFERS, NEWS, SPRING)
    for name in names:
        mail.subscribe(f"{name}@example.com", OFFERS, proof="a form", now=NOW, contact_id=name)
    return mail


def take(mail: Lifecycle, delivery: Delivery, *, now: datetime = NOW) -> Received:
    """Let a world hear a delivery."""
    return mail.receive(HOOK.hear(delivery, topics=TOPICS, now=now).statements, now=now)


def outcome(mail: Lifecycle, *, now: datetime = NOW) -> dict[str, object]:
    """Return all that is decided about everybody."""
    people = list(mail.store.each())
    return {
        "contacts": people,
        "standings": [(one.id, to.key, mail.standing(one.id, to, now=now)) for one in people for to in (OFFERS, NEWS)],
        "plan": [row.as_row() for row in mail.plan(SPRING, now=now)],
        "profiles": dict(mail.store.profiles([one.id for one in people])),
        "bound": [sorted(row.subject.person.opt_outs) for row in mail.decide(now=now)],
        "held": [sorted(row.subject.person.suppressions) for row in mail.decide(now=now)],
    }


def said(found: Heard) -> list[object]:
    """Return what statements say in a word each: what happened, who is held, which scope was left."""
    return [one.scope if isinstance(one, Left) else getattr(one, "kind", one) for one in found.statements]
