"""Two people of whom a store knows everything: Ada, who is erased, and Bob, of whom not a letter may change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
    state_event_id,
)
from lifecycle_mail.model.events import EngagementEvent, EventKind
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.ports import ClaimState, Store, Task, TaskKind, TaskState
from lifecycle_mail.testing.builders import contact, days_ago, event, frozen_now, screened, subject_of
from lifecycle_mail.testing.stores.answers import answer
from lifecycle_mail.testing.stores.aside import set_aside
from lifecycle_mail.testing.stores.everything import Asked, everything
from lifecycle_mail.testing.stores.log import key, opt_out
from lifecycle_mail.testing.stores.outbox import MAILCHIMP, tried

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFERS, NEWS, SPRING = ListKey("offers"), ListKey("news"), CampaignKey("spring")

ADA = contact("ada-4711", address="Ada.Lovelace@example.org", fields={"likes": "engines"}, tags={"countess"})
BOB, EVE = contact("bob", address="bob@example.org"), contact("eve", address="ada.lovelace@example.org")
AT_ADA, AT_FORMER, AT_BOB = (key(f"{name}@example.org") for name in ("ada.lovelace", "ada.byron", "bob"))
THEIRS = [AT_ADA, AT_FORMER]
WORDS = ("ada-4711", "lovelace", "byron", "engines", "countess", "192.0.2.1", "evt-4711")
"""What nobody may read once Ada is erased; ids that are plain hashes of such words are among it as well."""

BY_HERSELF = Provenance(
    actor=Actor.CONTACT,
    through=Through.CONFIRMATION,
    at=frozen_now - DAY,
    campaign="spring",
    segment="spenders",
    reason=OptOutReason.OTHER,
    text="no more engines",
    evidence="a form from 192.0.2.1",
)
BY_ESP = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=frozen_now - 9 * DAY, source="mailchimp")
BY_FILE = evolve(BY_ESP, through=Through.IMPORT, source="file:ada-4711-lovelace.csv")
BY_A_NAME = evolve(BY_ESP, source="ada.byron@example.org")


def about_ada() -> list[Entry]:
    """Return entries of every kind that name Ada, her address, or one that she used to have; the rest cites these."""
    both, former, alone = subject_of(ADA), Subject(key=AT_FORMER), Subject(contact_id=ADA.id)
    master = OptOut(subject=both, scope=Scope.all(), event_id="evt-4711", provenance=BY_HERSELF)
    told = OptOut(
        subject=former,
        scope=Scope.list("offers"),
        event_id=state_event_id(former, BY_FILE.at),
        provenance=BY_FILE,
        dated=False,
    )
    complained = Suppression(subject=alone, kind=SuppressionKind.COMPLAINT, event_id="evt-4711", provenance=BY_ESP)
    sunset = Suppression(subject=both, kind=SuppressionKind.SUNSET, event_id="ada-4711", provenance=BY_ESP)
    asked = ConsentRequest(subject=both, list=OFFERS, provenance=BY_HERSELF, asks={master.id, told.id})
    return [
        Consent(subject=both, list=NEWS, standing=Standing.EXPRESS, provenance=BY_HERSELF),
        master,
        told,
        opt_out(both, "shared"),
        complained,
        Suppression(subject=former, kind=SuppressionKind.BOUNCE, event_id="ada.byron", provenance=BY_A_NAME),
        sunset,
        Suppression(subject=both, kind=SuppressionKind.PAUSE, event_id="p", provenance=BY_HERSELF, until=frozen_now),
        Lift(subject=both, cites={sunset.id}, provenance=BY_HERSELF),
        AddressChanged(subject=both, old=AT_FORMER, provenance=BY_HERSELF),
        asked,
        Consent(
            subject=both,
            list=OFFERS,
            standing=Standing.CONFIRMED,
            provenance=BY_HERSELF,
            cites={master.id, told.id, opt_out(both, "shared").id},
            request=asked.id,
        ),
        Pushed(subject=both, opt_out=master.id, scope=master.scope, provenance=BY_ESP, done=True),
        Suppression(subject=both, kind=SuppressionKind.ERASURE, event_id="evt-4711-x", provenance=BY_HERSELF),
    ]


def about_bob() -> list[Entry]:
    """Return entries about somebody else, one under an id that an entry of Ada's has as well."""
    who = subject_of(BOB)
    shared = opt_out(who, "shared")
    back = evolve(BY_HERSELF, text="", evidence="a form")
    return [
        Consent(subject=who, list=NEWS, standing=Standing.EXPRESS, provenance=back),
        shared,
        Consent(subject=who, list=OFFERS, standing=Standing.CONFIRMED, provenance=back, cites={shared.id}),
        opt_out(Subject(key=AT_BOB), "of bob", scope=Scope.list("news")),
    ]


def clicked(someone: Contact) -> EngagementEvent:
    """Return an event with the source's own id and a link, both of which name somebody."""
    numbered = {ADA.id: "evt-4711", BOB.id: "evt-12"}[someone.id]
    link = f"https://example.org/?who={someone.id}"
    return event(
        someone, EventKind.CLICKED, mail=f"of-{someone.id}", link=link, id=EntryId(numbered), campaign="spring"
    )


def answered(someone: Contact) -> Answer:
    """Return why somebody left, in their own words."""
    words = {ADA.id: "more engines, from 192.0.2.1", BOB.id: "more trains"}[someone.id]
    return answer(someone.id, text=words, tool=f"of {someone.id}", improve=words)


def tasks_of(someone: Contact, entries: Sequence[Entry]) -> list[Task]:
    """Return a task about a contact, and one about an entry that names no contact."""
    no = next(one for one in entries if isinstance(one, OptOut) and one.subject.contact_id is None)
    return [
        Task(target=MAILCHIMP, kind=TaskKind.TAG, contact_id=someone.id, detail="silent", made_at=frozen_now),
        Task(target=MAILCHIMP, kind=TaskKind.OPT_OUT, entry=no.id, made_at=frozen_now),
    ]


def fill(store: Store) -> None:
    """Write everything that can be written, about Ada and about Bob, turn by turn."""
    for turn, (hers, his) in enumerate(zip(about_ada(), [*about_bob(), *[None] * len(about_ada())], strict=False)):
        store.append([hers] if his is None else [hers, his], at=frozen_now + turn * HOUR)
    for someone, entries in ((ADA, about_ada()), (BOB, about_bob())):
        store.put([someone])
        store.admit([clicked(someone), event(someone)])
        store.save([EngagementProfile(contact_id=someone.id)])
        store.quarantine([event(someone, at=days_ago(-99), mail=f"early-{someone.id}")], at=frozen_now)
        store.set_aside([set_aside(someone)])
        store.put_answers([answered(someone)])
        store.claim([screened(someone)], at=frozen_now)
        store.settle(SPRING, [someone.id], ClaimState.HANDED_OFF, at=frozen_now)
        store.mark_in_flight(someone.id, [SPRING], opted_out_at=frozen_now + MINUTE)
        tasks = tasks_of(someone, entries)
        store.post(tasks)
        store.note([tried(one, TaskState.DUE, 0, f"no member {someone.id}") for one in tasks])


def readable(store: Store) -> list[str]:
    """Return what can be read of Ada, or be made from her words, in all that a store tells when asked of Bob."""
    asked = Asked(people=[BOB.id], keys=[AT_BOB], campaigns=["spring"], targets=[MAILCHIMP])
    told = repr(everything(store, asked)).casefold()
    shared = {entry.id for entry in about_bob()}
    written = [*about_ada(), clicked(ADA), event(ADA), answered(ADA), *tasks_of(ADA, about_ada())]
    hashes = {one.id for one in written} - shared
    answers = [[one for one in (store.record(entry_id), *store.attempts(entry_id)) if one] for entry_id in hashes]
    return [word for word in (*WORDS, *hashes) if word in told] + [repr(one) for one in answers if one]


def of_bob(store: Store) -> dict[str, object]:
    """Return all that a store tells of Bob, and what it counts and numbers."""
    records = list(store.records())
    tasks = [posted for posted in store.tasks() if posted.task in tasks_of(BOB, about_bob())]
    return {
        "records": [record for record in records if record.entry in about_bob()],
        "numbers": [(record.seq, record.recorded_at, type(record.entry)) for record in records],
        "positions": [store.position(), *(store.position_at(frozen_now + turn * HOUR) for turn in range(20))],
        "about": list(store.about({BOB.id: [AT_BOB]})[BOB.id]),
        "as of": list(store.about({BOB.id: [AT_BOB]}, until=5)[BOB.id]),
        "marks": dict(store.marks([AT_BOB])),
        "contact": dict(store.get([BOB.id])),
        "found": list(store.find(AT_BOB)),
        "members": [one for one in store.members([OFFERS, NEWS]) if one.id == BOB.id],
        "events": sorted(store.events_of(BOB.id), key=lambda one: one.id),
        "quarantined": [one for one in store.quarantined() if one.contact_id == BOB.id],
        "profile": dict(store.profiles([BOB.id])),
        "claims": list(store.claims_of(BOB.id)),
        "tasks": tasks,
        "attempts": [list(store.attempts(posted.task.id)) for posted in tasks],
        "aside": [one for one in store.aside() if one.entry.subject.contact_id == BOB.id],
        "tally": list(store.tally()),
        "answers": [one for one in store.answers() if one.contact_id == BOB.id],
        "reasons": sorted(one.reasons for one in store.answers()),
    }


def read(store: Store, who: ContactId = ADA.id, keys: Sequence[MatchKey] = THEIRS) -> dict[str, object]:
    """Return what binds somebody, as a reading of the log by their plain names tells."""
    person = Person.read(store.about({who: keys})[who], who, keys[0])
    return {
        "opt-outs": sorted((str(no.scope), no.provenance.at) for no in person.opt_outs.values()),
        "held by": set(person.held_by(now=frozen_now)),
        "standing": {key: person.standing(key, now=frozen_now) for key in (OFFERS, NEWS, ListKey("else"))},
        "lists": person.lists(),
        "unanswered": len(person.requests),
        "renewed": person.renewed_at,
        "marks": dict(store.marks(keys)),
    }


def kept(entry: Entry) -> tuple[object, ...]:
    """Return what an erasure leaves of an entry: what it is, what it is about, and when, how and why it was said."""
    said = entry.provenance
    about = getattr(entry, "scope", None) or getattr(entry, "kind", None) or getattr(entry, "list", None)
    whence = (said.actor, said.through, said.at, said.campaign, said.segment, said.reason)
    return type(entry), about, getattr(entry, "dated", None), getattr(entry, "until", None), *whence
