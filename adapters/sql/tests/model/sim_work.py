"""What an operator's workers do in the simulation."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from adapters.sql.tests.model.ledger import Broken, Human, Said
from adapters.sql.tests.model.sim_people import known_one, mail_of, somebody
from adapters.sql.tests.model.sim_ports import one_line
from adapters.sql.tests.model.sim_world import LISTS, NEWS, OFFERS, SPENDERS, Worker, World
from lifecycle_mail.errors import BreakerOpen, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.intake import Held, Left
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.service.handoff import SendReport
from lifecycle_mail.service.receiving import Received
from lifecycle_mail.testing.stores.making import PEPPERS

# -- mailing


def announce(world: World, number: int) -> None:
    """Make the campaign of a week."""
    purposes = [Purpose.REGULAR] * 5 + [Purpose.RE_ENGAGEMENT] * 2 + [Purpose.LAST_CHANCE]
    targets = ([OFFERS], [NEWS, OFFERS], [SPENDERS])
    made = Campaign(f"week-{number}", to=targets[number % 3], purpose=purposes[number % len(purposes)])
    world.campaigns[made.key] = made
    world.unsent.append(made.key)
    del world.unsent[:-3]


def send(world: World, worker: Worker) -> str:
    """Plan and send a campaign of these weeks; what was interrupted goes on."""
    if not world.unsent:
        return "nothing"
    campaign = world.campaigns[world.chance.choice(world.unsent)]
    mail, now = mail_of(worker), world.clock(worker)
    plan = mail.plan(campaign, now=now)
    check_plan(plan)
    report = mail.send(plan, now=now)
    check_report(plan, report)
    return f"{campaign.key} of {plan.sendable}: {told(report)}"


def told(report: SendReport) -> str:
    """Write a report in a form that is the same on every run."""
    stopped = "" if report.problem is None else f" {type(report.problem).__name__}"
    return (
        f"sent {report.sent} refused {len(report.refused)} unknown {report.unknown} returned {report.returned}"
        f" withheld {one_line(report.withheld)}{stopped}"
    )


def check_plan(plan: Plan) -> None:
    """Everybody is accounted for."""
    if plan.audience != plan.sendable + sum(plan.withheld.values()):
        raise Broken(f"{plan} does not add up")


def check_report(plan: Plan, report: SendReport) -> None:
    """Everybody that the plan calls sendable has one fate."""
    fates = report.sent + sum(report.withheld.values()) + len(report.refused) + report.unknown + report.returned
    if plan.sendable != fates:
        raise Broken(f"{plan} and {report} do not add up")


def reconcile(world: World, worker: Worker) -> str:
    """Ask what became of the mails whose outcome is unknown."""
    if not world.campaigns:
        return "nothing"
    key = world.chance.choice(list(world.campaigns)[-12:])
    return f"{key} {one_line(mail_of(worker).reconcile(world.campaigns[key], now=world.clock(worker)))}"


def receipt(world: World, worker: Worker) -> str:
    """Somebody gets a receipt, opted out or not, unless their mailbox is dead (O2)."""
    human = known_one(world)
    if human is None:
        return "nobody"
    mail, now = mail_of(worker), world.clock(worker)
    made = Campaign(f"receipt-{next(world.numbers)}", kind="transactional")
    plan = mail.plan(made, now=now, to=[human.name])
    doubt = made, human.name
    world.receipts.append(doubt)
    check_plan(plan)
    allowed = {"bounced", "erased"}
    if not plan.sendable and not set(plan.withheld) <= allowed:
        raise Broken(f"{human.name} does not get a receipt: {plan}")
    report = mail.send(plan, now=now)
    check_report(plan, report)
    if not report.unknown:
        world.receipts.remove(doubt)
    return f"{human.name} {told(report)}"


def sunset(world: World, worker: Worker) -> str:
    """Run the policy; a breaker may stop it (F67)."""
    mail, now = mail_of(worker), world.clock(worker)
    decisions = mail.decide(now=now)
    try:
        done = mail.apply(decisions, now=now)
    except BreakerOpen:
        done = mail.apply(decisions, now=now, confirm=len(world.names) * 2)
    return str(done)


# -- the ESP


def fetch(world: World, worker: Worker) -> str:
    """Fetch the ESP's news."""
    return stored(world, worker, mail_of(worker).fetch(now=world.clock(worker)))


def sweep(world: World, worker: Worker) -> str:
    """Ask the ESP for all that it knows."""
    got = mail_of(worker).sweep(now=world.clock(worker))
    return "another worker sweeps" if got is None else stored(world, worker, got)


def stored(world: World, worker: Worker, got: Received) -> str:
    """Everything that the ESP said in this operation is in the registry now; the answer is the trace's."""
    ledger, tick = world.ledger, world.tick
    by_address = {human.address: human for human in ledger.humans.values()}
    for statement in worker.heard:
        address = str(statement.who.address).lower()
        if isinstance(statement, Left) and statement.event_id in world.esp.own:
            begun = world.esp.own[statement.event_id]
            for no in ledger.at[address]:
                if no.begun == begun and not no.sure:
                    no.sure, no.ended = True, tick
        elif isinstance(statement, Held) and not statement.blocked and not got.set_aside:
            human = by_address.get(address)
            if human is not None and statement.event_id not in world.pardoned and has(world, human, address):
                human.dead = human.dead or statement.kind == "bounce"
                human.angry = human.angry or statement.kind == "complaint"
    return str(got)


def has(world: World, human: Human, address: str) -> bool:
    """Whether a contact has this address, as the registry knows them."""
    contact = world.store.get([ContactId(human.name)]).get(ContactId(human.name))
    return contact is not None and str(contact.address).lower() == address


def drain(world: World, worker: Worker) -> str:
    """Tell the ESP what it does not know."""
    most = world.chance.choice([None, None, 1, 5])
    done = mail_of(worker).drain(now=world.clock(worker), most=most)
    problems = " ".join(type(problem).__name__ for problem in done.problems.values())
    return f"told {one_line(done.told)} refused {done.refused} left {done.left} {problems}"


def mischief(world: World, worker: Worker) -> str:  # noqa: ARG001 - it befalls the ESP
    """Something goes wrong at the ESP, or right again (E4, F22-F29)."""
    esp, chance = world.esp, world.chance
    what = chance.choice(["fault"] * 8 + ["lag", "doubt", "late", "late", "on time", "refusal", "well", "down"])
    if what == "fault":
        operation = chance.choice(
            ["send", "stage", "unstage", "staged", "release", "released", "was_sent", "suppress", "suppress", "tag",
             "opt_outs", "reports", "acknowledge"]
        )  # fmt: skip
        unknown = chance.random() < 0.5
        partly = unknown or operation == "stage"  # a chunk that was not done may have been done in part
        esp.fail(
            operation, OutcomeUnknown if unknown else EspUnavailable, done=partly and chance.random() < 0.5,
            times=chance.randint(1, 3), status=None if unknown else chance.choice([429, 500, 503]),
        )  # fmt: skip
        return f"{operation} {'unknown' if unknown else 'not done'}"
    if what == "lag":
        esp.lag(chance.randint(1, 8))
    elif what == "doubt":
        esp.doubt(chance.randint(1, 3))
    elif what in ("late", "on time"):
        esp.delay(timedelta(hours=chance.choice([1, 5, 72])) if what == "late" else timedelta(0))
    elif what == "refusal":
        esp.refuse(somebody(world).address)
    elif what == "well":
        esp.heal()
    elif chance.random() < 0.15:
        esp.down_until = world.now + timedelta(days=7)
        return "down for a week"
    return what


# -- files, and leaving the active records


def import_noes(world: World, worker: Worker) -> str:
    """Import a list of people who are out (F6)."""
    humans = [somebody(world) for _ in range(world.chance.randint(1, 4))]
    said = []
    hidden = world.chance.random() < 0.3
    for human in humans:
        if human.address not in world.ledger.erased:
            said.append(Said(scope="all", begun=world.tick, hidden=hidden))
            world.ledger.at[human.address].append(said[-1])
    name = f"noes-{next(world.numbers)}.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        rows = [Peppers(PEPPERS).hashed(f"1:{human.address}") if hidden else human.address for human in humans]
        path.write_text("\n".join(["hash" if hidden else "email", *rows]) + "\n", encoding="utf-8")
        try:
            got = mail_of(worker).import_opt_outs(path, now=world.clock(worker), chunk=2)
        finally:
            for no in said:
                no.ended = world.tick
    for no in said:
        no.sure = True
    return str(got)


def import_members(world: World, worker: Worker) -> str:
    """Import a list of subscribers of long ago: it brings nobody back (O4, F35)."""
    humans = [somebody(world) for _ in range(world.chance.randint(1, 4))]
    to = world.chance.choice(LISTS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "members.csv")
        path.write_text("email,list\n" + "".join(f"{one.address},{to.key}\n" for one in humans), encoding="utf-8")
        got = mail_of(worker).import_subscriptions(path, now=world.clock(worker), chunk=2)
    return str(got)


def erase(world: World, worker: Worker) -> str:
    """Erase somebody for good (O5, F62)."""
    human = known_one(world)
    if human is None or len(world.ledger.erased) > len(world.names) // 2:
        return "nobody"
    try:
        done = mail_of(worker).erase(human.name, by=Actor.CONTACT, now=world.clock(worker))
    finally:
        if world.store.erased([human.name]):
            human.erased = True
            world.ledger.erased |= {one for one in human.addresses if world.store.erased([f"1:{one}"])}
    if not human.erased or world.store.get([ContactId(human.name)]):
        raise Broken(f"{human} was erased, and is there")
    return f"{human.name} {done.addresses}"


def archive(world: World, worker: Worker) -> str:
    """Take somebody out of the active records (O5)."""
    human = known_one(world)
    if human is None:
        return "nobody"
    world.archived.add(human.name)
    done = mail_of(worker).archive(human.name, by=Actor.OPERATOR, now=world.clock(worker), text="closed")
    world.archive[human.name] = done.document
    human.away = True
    return human.name


def restore(world: World, worker: Worker) -> str:
    """Bring somebody back from their document."""
    if not world.archive:
        return "nobody"
    name = world.chance.choice(list(world.archive))
    document = world.archive.pop(name)
    mail_of(worker).restore(document, by=Actor.OPERATOR, now=world.clock(worker), text="back")
    human = world.ledger.humans[name]
    human.away, human.moved = False, True
    contact = world.store.get([ContactId(name)])[ContactId(name)]
    human.address = str(contact.address).lower()
    return name


def look_aside(world: World, worker: Worker) -> str:
    """An operator decides about what a breaker set aside (F66)."""
    mail, now = mail_of(worker), world.clock(worker)
    waiting = mail.aside()
    if not waiting:
        return "nothing"
    world.pardoned |= {one.entry.event_id for one in waiting}
    return f"{mail.discard_aside(by=Actor.OPERATOR, now=now, text='their own trouble')} of {len(waiting)}"


def lift(world: World, worker: Worker) -> str:
    """A mailbox works again, and an operator says so."""
    human = known_one(world)
    if human is None:
        return "nobody"
    human.dead = False
    world.pardoned |= {event_id for event_id, name in world.reported if name == human.name}
    mail_of(worker).lift(human.name, "bounce", by=Actor.OPERATOR, now=world.clock(worker), text="works again")
    return human.name
