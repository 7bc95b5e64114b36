"""Builders: contacts, events, screened recipients and a whole `Lifecycle`, in one line each.

Nothing here invents a shortcut past the rules: `screened` goes through the gates like every other recipient, and
`lifecycle` is the real service on the in-memory store and ESP. What is left out of a call is the same on every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle_mail.model.addresses import EmailAddress, MatchKey, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact, FieldType, FieldValue
from lifecycle_mail.model.entries import Consent, Standing, Subject
from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Screened, Withheld
from lifecycle_mail.policy.facts import Subject as FactSubject
from lifecycle_mail.policy.planning import Plan, plan
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Esp, Store
from lifecycle_mail.service import Lifecycle

frozen_now = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""The instant at which nothing else is said: a Monday morning."""

SIGNING_KEY = "a key for tests, known to everybody"
"""What `lifecycle` signs with; never use it for anything else."""


def days_ago(days: float, *, now: datetime = frozen_now) -> datetime:
    """Return an instant so many days before `now`; a negative number lies ahead."""
    return now - timedelta(days=days)


def contact(
    contact_id: str = "ada",
    *,
    address: str | None = "",
    fields: dict[str, FieldValue] | None = None,
    tags: Iterable[str] = (),
    **attributes: Any,
) -> Contact:
    """Return a contact.

    Args:
        contact_id: their id.
        address: their address; left out it is made from the id, None is a contact without one.
        fields: fields of the application.
        tags: labels.
        attributes: any other attribute of `Contact`.
    """
    written = f"{contact_id}@example.com" if address == "" else address
    return Contact(
        id=ContactId(contact_id),
        address=None if written is None else parse_address(written),
        fields=fields or {},
        tags=frozenset(tags),
        **attributes,
    )


def key_of(someone: Contact) -> MatchKey | None:
    """Return the match key of a contact's address under the default rules."""
    return None if someone.address is None else someone.address.match_key()


def subject_of(someone: Contact) -> Subject:
    """Return what entries about a contact name."""
    return Subject(contact_id=someone.id, key=key_of(someone))


def said(
    actor: Actor = Actor.CONTACT,
    *,
    at: datetime = frozen_now,
    through: Through = Through.APPLICATION,
    **attributes: Any,
) -> Provenance:
    """Return a provenance: who, when, and any other attribute of `Provenance`."""
    return Provenance(actor=actor, at=at, through=through, **attributes)


def consent(someone: Contact, to: str = "offers", *, at: datetime = frozen_now) -> Consent:
    """Return a contact's plain yes to a list."""
    signed_up = said(at=at, through=Through.SIGN_UP, evidence="a form")
    return Consent(
        subject=subject_of(someone), list=MailingList(to).key, standing=Standing.EXPRESS, provenance=signed_up
    )


def event(
    someone: Contact | str = "ada",
    kind: EventKind | str = EventKind.OPENED,
    *,
    at: datetime = frozen_now,
    mail: str = "m1",
    **attributes: Any,
) -> EngagementEvent:
    """Return an engagement event; any other attribute of `EngagementEvent` can be given."""
    whose = someone.id if isinstance(someone, Contact) else ContactId(someone)
    return EngagementEvent(contact_id=whose, kind=EventKind(kind), at=at, mail=mail, **attributes)


def campaign(key: str = "spring", *to: MailingList | Segment, **attributes: Any) -> Campaign:
    """Return a campaign to these lists and segments, or to the list `offers`."""
    return Campaign(key, to=to or (MailingList("offers"),), **attributes)


def screened(
    someone: Contact, send: Campaign | None = None, *, now: datetime = frozen_now, position: int = 0
) -> Screened:
    """Return a recipient who passed the real screen: subscribed to the first list behind the campaign, never out.

    Raises:
        AssertionError: a gate withholds them all the same (no address, not in the segment), with the explanation.
    """
    send = send or campaign()
    entries = [consent(someone, key, at=now) for key in send.lists[:1]]
    subject = FactSubject(
        contact=someone,
        person=Person.read(entries, someone.id, key_of(someone)),
        profile=EngagementProfile(contact_id=someone.id),
        now=now,
    )
    made = plan([subject], send, now=now, position=position)
    assert_sendable(made, someone.id)
    return made.recipients[0]


def same_id(address: EmailAddress) -> ContactId:
    """Return the id that `lifecycle` makes for a new address: the same on every run."""
    return ContactId(f"of-{address.identity}")


def lifecycle(
    *items: MailingList | Segment | Campaign,
    esp: Esp | str = "memory",
    store: Store | str = "memory:",
    policy: Policy | None = None,
    fields: Mapping[str, FieldType] | None = None,
    **options: Any,
) -> Lifecycle:
    """Return a `Lifecycle` in memory that never sleeps and makes the same ids on every run.

    Args:
        items: lists, segments and campaigns.
        esp, store: others than the in-memory ones.
        policy: what decides over time.
        fields: the declared types of custom fields.
        options: anything else that `Lifecycle` takes.
    """
    options.setdefault("signing_keys", [SIGNING_KEY])
    options.setdefault("wait", _no_wait)
    options.setdefault("new_id", same_id)
    return Lifecycle(esp, store, programme=Programme.of(*items, policy=policy, fields=fields), **options)


def _no_wait(attempt: int) -> None:
    """Return at once, however often something was tried."""


def assert_sendable(plan: Plan, who: str) -> None:
    """Fail with the explanation unless a plan would send to a contact (an id or an address)."""
    row = plan[who]
    if not row.sendable:
        raise AssertionError(f"{who} is withheld: {row.decision.outcome}\n{row.decision.explain()}")


def assert_withheld(plan: Plan, who: str, *, reason: Withheld | str | None = None) -> None:
    """Fail with the explanation unless a plan withholds a contact, for this reason where one is given."""
    row = plan[who]
    if row.sendable:
        raise AssertionError(f"{who} is sendable\n{row.decision.explain()}")
    if reason is not None and row.decision.outcome != Withheld(reason):
        raise AssertionError(
            f"{who} is withheld as {row.decision.outcome}, not as {Withheld(reason)}\n{row.decision.explain()}"
        )


MASTER = Scope.all()
"""The no to all marketing."""
