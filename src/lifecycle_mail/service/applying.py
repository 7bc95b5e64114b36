"""Applying decisions: suppress whom the policy sunsets, welcome back who returned, tag the unresponsive (S10-S12).

Nobody else is called meanwhile: what an ESP and a CRM must be told of it is posted in the same transaction, for
`Lifecycle.drain`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial

from attrs import evolve, frozen

from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Lift, Subject, Suppression, SuppressionKind
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.deciding import ContactDecision
from lifecycle_mail.policy.sunset import ENGAGED_ACTIONS, UNRESPONSIVE, UNRESPONSIVE_ACTIONS, Action
from lifecycle_mail.ports import Capability, Crm, Esp, Store
from lifecycle_mail.service.outbox import post_pictures, post_tags
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.retrying import in_transaction


@frozen(kw_only=True)
class Applied:
    """What a run of the policy changed.

    Attributes:
        sunset: how many contacts were suppressed.
        welcomed_back: how many came back by their own act.
        tagged, untagged: how many now carry the tag of the unresponsive, and how many no longer do.
    """

    sunset: int = 0
    welcomed_back: int = 0
    tagged: int = 0
    untagged: int = 0


def apply(
    decisions: Iterable[ContactDecision], reader: Reader, esp: Esp, crm: Crm | None, *, now: datetime,
    wait: Callable[[int], None],
) -> Applied:  # fmt: skip
    """Write what decisions ask for, a chunk in one transaction; see `Lifecycle.apply`."""
    total = Applied()
    for chunk in chunks(decisions):
        work = partial(_apply_chunk, chunk, reader, esp, crm, now=now)
        found = in_transaction(reader.store, work, wait=wait)
        total = Applied(
            sunset=total.sunset + found.sunset,
            welcomed_back=total.welcomed_back + found.welcomed_back,
            tagged=total.tagged + found.tagged,
            untagged=total.untagged + found.untagged,
        )
    return total


def _apply_chunk(chunk: list[ContactDecision], reader: Reader, esp: Esp, crm: Crm | None, *, now: datetime) -> Applied:
    store = reader.store
    contacts = store.get([row.contact_id for row in chunk])
    profiles = store.profiles(list(contacts))
    known = [row for row in chunk if row.contact_id in contacts]
    people = reader.people([contacts[row.contact_id] for row in known])
    # Of whom the log or an event has spoken since the decision was made, the next run decides anew.
    fresh = [
        (row, person)
        for row, person in zip(known, people, strict=True)
        if person == row.subject.person and profiles.get(row.contact_id, row.subject.profile) == row.subject.profile
    ]
    ends: list[Suppression | Lift] = []
    for row, person in fresh:
        subject = reader.named(contacts[row.contact_id])
        sunset = person.held_by(now=now).get(SuppressionKind.SUNSET)
        if row.action.outcome == Action.SUNSET and sunset is None:
            ends.append(_sunset(row, subject, now))
        elif row.action.outcome == Action.WELCOME_BACK and sunset is not None:
            ends.append(_welcome_back(row, subject, person.suppressions.values(), now))
    store.append(ends, at=now)
    silent = [contacts[row.contact_id] for row, _ in fresh if row.action.outcome in UNRESPONSIVE_ACTIONS]
    tagged = [contact for contact in silent if UNRESPONSIVE not in contact.tags]
    engaged = [contacts[row.contact_id] for row, _ in fresh if row.action.outcome in ENGAGED_ACTIONS]
    untagged = [contact for contact in engaged if UNRESPONSIVE in contact.tags]
    store.put([evolve(contact, tags=contact.tags | {UNRESPONSIVE}) for contact in tagged])
    store.put([evolve(contact, tags=contact.tags - {UNRESPONSIVE}) for contact in untagged])
    _post(store, esp, crm, tagged, present=True, now=now)
    _post(store, esp, crm, untagged, present=False, now=now)
    return Applied(
        sunset=sum(1 for entry in ends if isinstance(entry, Suppression)),
        welcomed_back=sum(1 for entry in ends if isinstance(entry, Lift)),
        tagged=len(tagged),
        untagged=len(untagged),
    )


def _post(
    store: Store, esp: Esp, crm: Crm | None, contacts: Collection[Contact], *, present: bool, now: datetime
) -> None:
    """Post that contacts carry the tag of the unresponsive now, or no longer do."""
    ids = [contact.id for contact in contacts]
    if Capability.TAGS in esp.capabilities:
        post_tags(store, esp, ids, UNRESPONSIVE, present=present, now=now)
    post_pictures(store, crm, ids, now=now)


def _sunset(row: ContactDecision, subject: Subject, now: datetime) -> Suppression:
    why = Provenance(
        actor=Actor.POLICY, through=Through.RUN, at=now, source=f"policy:{row.policy_version}", text=row.action.reason
    )
    event_id = f"{row.contact_id}:{now.isoformat()}"
    return Suppression(subject=subject, kind=SuppressionKind.SUNSET, event_id=event_id, provenance=why)


def _welcome_back(row: ContactDecision, subject: Subject, held: Iterable[Suppression], now: datetime) -> Lift:
    # The act is the person's: they opened, clicked or answered after they were sunset (S11).
    act = Provenance(
        actor=Actor.CONTACT,
        through=Through.RUN,
        at=now,
        source=f"policy:{row.policy_version}",
        evidence=row.action.reason,
    )
    cites = {one.id for one in held if one.kind is SuppressionKind.SUNSET}
    return Lift(subject=subject, cites=cites, provenance=act)
