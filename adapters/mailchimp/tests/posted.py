"""Deliveries as Mailchimp would post them, and worlds that hear them."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from lifecycle_mail_mailchimp.members_said import Audiences, Interest
from lifecycle_mail_mailchimp.topics import Topic, Topics
from lifecycle_mail_mailchimp.webhooks import Hook

from lifecycle_mail.model.intake import Left
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Delivery, Heard
from lifecycle_mail.service import Lifecycle, Received
from lifecycle_mail.testing import lifecycle

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRED = "2026-11-20 11:00:00"

SECRET = "dhT2yQm7Jx0-in-the-url"  # noqa: S105 - everybody may know it
SIGNING = "5f2a-shown-once"
OTHER = "another-tenant-s-secret"

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
NEWS = MailingList("news", title="News", expect="what is new, once a month")
OWN = MailingList("own", title="Own", expect="an audience of its own")
SPRING = Campaign("spring", to=[OFFERS])

SHARED = "a6b5da1054"
"""The audience of the samples: Offers and News are interests of it."""
APART = "b7c6eb2165"
"""An audience that is one list."""
TOPICS = Topics({
    ListKey("offers"): Topic(SHARED, "int1"), ListKey("news"): Topic(SHARED, "int2"), ListKey("own"): Topic(APART),
})  # fmt: skip
INTERESTS = {"int1": Interest("cat1", "Offers"), "int2": Interest("cat1", "News, monthly")}
AUDIENCES = Audiences(topics=TOPICS, interests=INTERESTS)
HOOK = Hook(secrets=SECRET)


def form(kind: str, name: str = "ada", *, audience: str = SHARED, at: str = FIRED, **data: str) -> dict[str, str]:
    """Return the fields of a body about somebody; double underscores are brackets: `merges__FNAME`."""
    told = {"id": f"id-{name}", "list_id": audience, "email": f"{name}@example.com", **data}
    return {"type": kind, "fired_at": at} | {f"data[{']['.join(key.split('__'))}]": told[key] for key in told}


def encoded(fields: Mapping[str, str]) -> bytes:
    """Return the body of these fields."""
    return urlencode(fields).encode()


def posted(fields: Mapping[str, str] | bytes, *, secret: str = SECRET, **headers: str) -> Delivery:
    """Return a delivery to the URL that holds a secret."""
    named = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return Delivery(headers=named, body=fields if isinstance(fields, bytes) else encoded(fields), secret=secret)


def signed(
    fields: Mapping[str, str] | bytes, *secrets: str, at: datetime = NOW, secret: str = "", body: bytes | None = None
) -> Delivery:
    """Return a delivery that was signed with these secrets at this instant, or whose body was put in afterwards."""
    raw = fields if isinstance(fields, bytes) else encoded(fields)
    time = f"{int(at.timestamp())}"
    macs = [hmac.digest(one.encode(), f"{time}.".encode() + raw, "sha256").hex() for one in secrets or (SIGNING,)]
    header = ",".join([f"t={time}", *(f"v1={mac}" for mac in macs)])
    return posted(raw if body is None else body, secret=secret, **{"X-Mailchimp-Signature": header})


def heard(fields: Mapping[str, str], audiences: Audiences = AUDIENCES) -> Heard:
    """Return what a delivery says."""
    return HOOK.hear(posted(fields), audiences=audiences, now=NOW)


def said(found: Heard) -> list[object]:
    """Return what statements say in a word each: who is held, which scope was left, which list was joined."""
    return [
        one.scope if isinstance(one, Left) else getattr(one, "kind", getattr(one, "list", type(one).__name__))
        for one in found.statements
    ]


def world(*names: str) -> Lifecycle:
    """Return a `Lifecycle` in which these people, each an id, are subscribed to Offers and News."""
    mail = lifecycle(OFFERS, NEWS, OWN, SPRING)
    for name in names:
        for to in (OFFERS, NEWS):
            mail.subscribe(f"{name}@example.com", to, proof="a form", now=NOW, contact_id=name)
    return mail


def take(mail: Lifecycle, fields: Mapping[str, str], *, now: datetime = NOW) -> Received:
    """Let a world hear a delivery."""
    return mail.receive(HOOK.hear(posted(fields), audiences=AUDIENCES, now=now).statements, now=now)


def outcome(mail: Lifecycle, *, now: datetime = NOW) -> dict[str, object]:
    """Return all that is decided about everybody."""
    people = list(mail.store.each())
    lists = (OFFERS, NEWS, OWN)
    return {
        "contacts": people,
        "standings": [(one.id, to.key, mail.standing(one.id, to, now=now)) for one in people for to in lists],
        "plan": [row.as_row() for row in mail.plan(SPRING, now=now)],
        "bound": [sorted(row.subject.person.opt_outs) for row in mail.decide(now=now)],
        "held": [sorted(row.subject.person.suppressions) for row in mail.decide(now=now)],
    }
