"""The laws of the simulation that are looked at now and then, and at the end of the year."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.sql.tests.model.ledger import Broken, covers
from adapters.sql.tests.model.sim_people import mail_of
from adapters.sql.tests.model.sim_ports import one_line
from adapters.sql.tests.model.sim_work import receipt
from adapters.sql.tests.model.sim_world import LISTS, Worker, World
from lifecycle_mail.errors import CampaignRefused, UnknownName
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.sunset import UNRESPONSIVE
from lifecycle_mail.ports import OPEN_STATES, ClaimState, TaskState
from lifecycle_mail.service.telling import CANNOT, GONE, NOBODY, OVERRIDDEN

_MAY_HAVE_LEFT = {ClaimState.HANDED_OFF, ClaimState.UNKNOWN, ClaimState.CLAIMED, ClaimState.STAGED}
_NOTHING_TO_TELL = {OVERRIDDEN, NOBODY, GONE, CANNOT}


def look(world: World) -> None:
    """Look at everything that can be looked at in the middle of a year."""
    everybody_stands(world)
    for key in list(world.campaigns)[-8:]:
        counts_agree(world, key)
    log_only_grew(world)


def everybody_stands(world: World) -> None:
    """No acknowledged no is lost, and no confirmed yes."""
    for person in world.view.people():
        who = str(person.contact_id)
        world.ledger.standings(who, {to.key: str(person.standing(to.key, now=world.now)) for to in LISTS})


def counts_agree(world: World, key: str) -> None:
    """Whoever was mailed has a claim that says so or leaves it open, and nobody else has one that says so."""
    claims = {str(who): claim.state for who, claim in world.store.claims(CampaignKey(key)).items()}
    for campaign, who in world.ledger.mailed:
        if campaign == key and who in claims and claims[who] not in _MAY_HAVE_LEFT:
            raise Broken(f"{key} left for {who}, whose claim is {claims[who]}")
    for who, state in claims.items():
        if state is ClaimState.HANDED_OFF and not is_hashed(who) and (key, who) not in world.ledger.mailed:
            raise Broken(f"{key} never left for {who}, whose claim is {state}")


def log_only_grew(world: World) -> None:
    """Records stay what they were, but for those of people who were erased; there are no gaps."""
    position = world.store.position()
    for record in world.store.records(after=max(0, position - 100)):
        world.known.setdefault(record.seq, str(record.entry.id))
    for seq in world.chance.sample(sorted(world.known), min(30, len(world.known))):
        (record,) = world.store.records(after=seq - 1, until=seq)
        subject = record.entry.subject
        redacted = any(is_hashed(name) for name in (subject.contact_id, subject.key) if name is not None)
        if record.seq != seq or (world.known[seq] != record.entry.id and not redacted):
            raise Broken(f"record {seq} is another one than it was: {record}")


def whole(world: World) -> None:
    """The database is whole, and what it keeps beside the log is what the log says."""
    store: Any = world.store
    if hasattr(store, "check"):
        checked = store.check()
        if checked.problems:
            raise Broken(f"{checked.problems}")


# -- the end of the year


def settle(world: World) -> None:
    """Let everything that is under way come to its end: the ESP is well, and nobody dies any more."""
    world.esp.heal()
    worker = world.workers[0]
    for _ in range(60):
        world.now += timedelta(hours=7)
        world.operate(worker, _fetch_all, safe=True)
        for posted in world.store.tasks(states=[TaskState.REFUSED]):
            _require_reason(world, posted.task.id)
        if world.operate(worker, _drain_all, safe=True).endswith("left 0"):
            break
    else:
        raise Broken(f"after 60 tries the ESP has not been told of everything: {world.store.waiting()}")
    world.operate(worker, _fetch_all, safe=True)
    for campaign, who in [*((one, None) for one in world.campaigns.values()), *world.receipts]:
        world.operate(worker, partial(finish, campaign=campaign, who=who), safe=True)


def finish(world: World, worker: Worker, *, campaign: Campaign, who: str | None) -> str:
    """Send what was interrupted, so that what may have left is asked for (F7, F22)."""
    mail, now = mail_of(worker), world.clock(worker)
    states = {claim.state for claim in world.store.claims(campaign.key).values()}
    if states & OPEN_STATES:
        with suppress(CampaignRefused, UnknownName):
            mail.send(mail.plan(campaign, now=now, to=None if who is None else [who]), now=now)
    return f"{campaign.key} {one_line(mail.reconcile(campaign, now=now))}"


def _fetch_all(world: World, worker: Worker) -> str:
    """Sweep until nothing comes any more."""
    got = mail_of(worker).sweep(now=world.clock(worker))
    while world.esp._news:
        got = mail_of(worker).sweep(now=world.clock(worker))
    return str(got is not None)


def _drain_all(world: World, worker: Worker) -> str:
    """Tell the ESP everything."""
    return f"left {mail_of(worker).drain(now=world.clock(worker)).left}"


def _require_reason(world: World, task: Any) -> None:
    notes = [attempt.note for attempt in world.store.attempts(task)]
    if notes[-1] not in _NOTHING_TO_TELL:
        raise Broken(f"a task was refused: {notes}")


def end(world: World) -> None:
    """At the end of the year both sides agree, and everything is accounted for."""
    settle(world)
    look(world)
    for key in world.campaigns:
        counts_agree(world, key)
    _esp_knows(world)
    _we_know(world)
    _tags_agree(world)
    _mails_are_counted(world)
    for _ in range(10):
        world.operate(world.workers[0], receipt, safe=True)
    whole(world)
    _sum_up(world)


def _esp_knows(world: World) -> None:
    """Everybody's standing no reached the ESP (E2, F3, F29)."""
    told = {(str(address).lower(), str(scope)) for address, scope in world.esp.suppressed}
    for human in world.ledger.humans.values():
        there = world.store.get([ContactId(human.name)])
        if not there or human.away or human.erased or len(human.addresses) > 1 or human.name in world.archived:
            continue
        asked = max((back.asked for back in human.backs), default=-1)
        for no in human.noes:
            if no.sure and not no.hidden and no.begun > asked and (human.address, no.scope) not in told:
                raise Broken(f"{human.name} said no to {no.scope}, and {world.esp.name} was never told")


def _we_know(world: World) -> None:
    """Everybody who left at the ESP is out here, unless they came back (F30, F31, F32)."""
    for left in world.esp.everybody_out():
        if left.event_id not in world.esp.own:
            continue
        begun = world.esp.own[left.event_id]
        address = str(left.who.address).lower()
        for human in world.ledger.humans.values():
            if address not in human.addresses or human.erased:
                continue
            for to, standing in world.standings(human.name).items():
                back = any(one.to == to and one.asked >= begun for one in human.backs)
                if covers(str(left.scope), to) and standing == "active" and not back:
                    raise Broken(f"{human.name} left {left.scope} at {world.esp.name}, and is on {to}")


def _tags_agree(world: World) -> None:
    """The ESP's tags are ours (S12)."""
    here = {str(one.id) for one in world.store.each()} - world.archived  # a tag goes with the contact, and stays there
    ours = {str(one.id) for one in world.store.each() if UNRESPONSIVE in one.tags} & here
    theirs = {str(one) for one in world.esp.tags[UNRESPONSIVE]} & here
    if ours != theirs:
        raise Broken(f"tagged here {sorted(ours - theirs)}, tagged there {sorted(theirs - ours)}")


def _mails_are_counted(world: World) -> None:
    """Each mail that left is counted in the profile of who got it, once."""
    for human in world.ledger.humans.values():
        if human.erased or human.away or human.name in world.archived:
            continue
        profile = world.store.profiles([ContactId(human.name)]).get(ContactId(human.name))
        counted = 0 if profile is None else profile.count("sent")
        if counted != human.mails:
            raise Broken(f"{human.name} got {human.mails} mails, and {counted} are counted")


def _sum_up(world: World) -> None:
    """Write what is in the registry, in a form that is the same on every run."""
    for record in world.store.records():
        subject = record.entry.subject
        world.note(f"{record.seq} {type(record.entry).__name__} {record.entry.id} {subject.contact_id} {subject.key}")
    for sent in world.esp.outbox:
        world.note(f"{sent.recipient.campaign} {sent.recipient.contact_id} {sent.recipient.leaves_list}")
    states: Counter[str] = Counter()
    for key in world.campaigns:
        for claim in world.store.claims(CampaignKey(key)).values():
            states[claim.state] += 1
    world.note(f"claims {sorted(states.items())}, {world.store.count()} contacts")
