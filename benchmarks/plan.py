"""Planning a campaign, and deciding, for 40,000 contacts in memory."""

from __future__ import annotations

import argparse
import random

from lib.people import NOW, consent, contacts, events
from lib.timing import take_turns, timed

from lifecycle_mail import Campaign, Lifecycle, MailingList, Policy, Programme, Segment, where
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.policy.eligibility import Cap

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
SPENDERS = Segment("spenders", of=OFFERS, where=where.field("spend") > 100)
BEST = Segment("best", of=OFFERS, where=where.top(1000, by=where.field("spend")))
TO_LIST = Campaign("to-the-list", to=[OFFERS])
TO_SPENDERS = Campaign("to-spenders", to=[SPENDERS])
TO_BEST = Campaign("to-the-best", to=[BEST])


def filled(count: int, *, mails: int) -> Lifecycle:
    """Return a service that knows so many contacts, each with so many mails."""
    policy = Policy.for_cadence("weekly", cap=Cap(mails=5, days=30))
    programme = Programme.of(TO_LIST, TO_SPENDERS, TO_BEST, OFFERS, policy=policy)
    store = MemoryStore()
    mail = Lifecycle.in_memory(programme=programme, store=store)
    chance = random.Random(7)
    people = list(contacts(count))
    store.put(people)
    store.append([consent(contact, "offers") for contact in people], at=NOW)
    for contact in people:
        mail.record(events(contact.id, chance, mails=mails), now=NOW)
    for contact in people[:: max(1, count // 200)]:
        mail.opt_out(contact.id, campaign=TO_LIST, now=NOW)
    return mail


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=40_000)
    parser.add_argument("--mails", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    mail = filled(given.contacts, mails=given.mails)
    print(mail.plan(TO_LIST, now=NOW))
    runs = {
        "plan for a list, with a cap": timed(lambda: mail.plan(TO_LIST, now=NOW)),
        "plan for a segment": timed(lambda: mail.plan(TO_SPENDERS, now=NOW)),
        "plan for the top 1,000": timed(lambda: mail.plan(TO_BEST, now=NOW)),
        "tier and next step": timed(lambda: mail.decide(now=NOW)),
    }
    print(f"{given.contacts:,} contacts with {given.mails} mails each, CPU, median of {given.repeats}")
    for name, sample in take_turns(runs, repeats=given.repeats).items():
        print(f"  {name:<28} {sample.median:6.2f} s, {sample.micros(given.contacts)} a contact")


if __name__ == "__main__":
    main()
