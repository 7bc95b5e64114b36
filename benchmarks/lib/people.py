"""Made-up contacts with made-up mails, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Consent, Standing, Subject
from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.profiles import fold, resolve
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy import facts

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)


def contacts(count: int, *, seed: int = 1) -> Iterator[Contact]:
    """Make up contacts with an address, tags and fields; some lack some of them."""
    chance = random.Random(seed)
    for number in range(count):
        yield Contact(
            id=ContactId(f"c{number:07d}"),
            address=parse_address(f"person{number}@example.com"),
            fields={"spend": chance.randint(0, 300)} if chance.random() < 0.8 else {},
            tags=["vip"] if chance.random() < 0.2 else [],
            source=chance.choice(["organic", "contest", "import"]),
            signed_up_at=NOW - timedelta(days=chance.randint(1, 900)),
        )


def events(contact_id: ContactId, chance: random.Random, *, mails: int = 20) -> Iterator[EngagementEvent]:
    """Make up weekly mails to one contact, some of them opened or clicked."""
    liking = chance.random()
    for week in range(mails, 0, -1):
        at = NOW - timedelta(weeks=week, minutes=chance.randint(0, 600))
        mail = f"week{week}"
        yield EngagementEvent(contact_id=contact_id, kind=EventKind.SENT, at=at, mail=mail)
        if chance.random() < liking:
            opened = at + timedelta(minutes=chance.randint(1, 3000))
            yield EngagementEvent(contact_id=contact_id, kind=EventKind.OPENED, at=opened, mail=mail)


def consent(contact: Contact, to: str) -> Consent:
    """Make up an express consent."""
    said = Provenance(actor=Actor.CONTACT, through=Through.SIGN_UP, at=contact.signed_up_at or NOW, evidence="a form")
    key = contact.address.match_key() if contact.address is not None else None
    subject = Subject(contact_id=contact.id, key=key)
    return Consent(subject=subject, list=ListKey(to), standing=Standing.EXPRESS, provenance=said)


def subjects(count: int, *, seed: int = 1) -> list[facts.Subject]:
    """Make up contacts on the list `offers`, with 20 weekly mails each."""
    chance = random.Random(seed + 1)
    found = []
    for contact in contacts(count, seed=seed):
        entry = consent(contact, "offers")
        profile = fold(contact.id, resolve(events(contact.id, chance)))
        person = Person.read([entry], contact.id, entry.subject.key)
        found.append(facts.Subject(contact=contact, person=person, profile=profile, now=NOW))
    return found
