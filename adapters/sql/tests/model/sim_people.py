"""What people do in the simulation, and what happens to them."""

from __future__ import annotations

from datetime import timedelta

from adapters.sql.tests.model.ledger import Back, Broken, Human, Said
from adapters.sql.tests.model.sim_world import LISTS, Worker, World
from lifecycle_mail.errors import ConsentRefused, InvalidInput
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Held, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.consenting import NeedsConfirmation

SCOPES = ("all", "channel:email", "list:offers", "list:offers", "list:news")


def mail_of(worker: Worker) -> Lifecycle:
    """Return what a worker calls."""
    assert worker.mail is not None
    return worker.mail


def somebody(world: World) -> Human:
    """Draw one of the people."""
    return world.ledger.humans[world.chance.choice(world.names)]


def known_one(world: World) -> Human | None:
    """Draw one of the contacts."""
    human = somebody(world)
    return human if human.known and not human.erased and not human.away else None


def sign_up(world: World, worker: Worker) -> str:
    """Somebody signs up, or signs up again."""
    human, to = somebody(world), world.chance.choice(LISTS)
    tick, chance, address = world.tick, world.chance.random(), human.address
    by_address = chance < 0.3 and human.known and not human.erased
    try:
        answer = mail_of(worker).subscribe(
            address, to, proof="form 7, 192.0.2.1", now=world.clock(worker), source="organic",
            contact_id=None if by_address else human.name,
        )  # fmt: skip
    except ConsentRefused:
        if human.erased or human.address in world.ledger.erased:
            return f"{human.name} {to.key} refused"
        raise Broken(f"{human} was refused, and was never erased") from None
    except InvalidInput:
        contact = world.store.get([ContactId(human.name)]).get(ContactId(human.name))
        if contact is None or str(contact.address) == address:
            raise
        # They moved while they signed up, or the ESP brought them back from the archive, with an address of before.
        return f"{human.name} {to.key} is known at another address"
    if human.erased:
        raise Broken(f"{human} was erased, and signed up again")
    theirs = answer.contact_id == human.name  # and not another contact's at that address
    human.known, human.away = True, human.away and not theirs
    if isinstance(answer, NeedsConfirmation):
        human.tokens.append((answer.token, to.key, tick, world.tick))
        return f"{human.name} {to.key} asks over {len(answer.overrides)}"
    # Done at once: it overrides nothing, and nothing stood.
    human.backs.append(Back(to.key, tick, -1, sure=theirs and answer.standing == "active"))
    return f"{human.name} {to.key} {answer.standing}"


def confirm(world: World, worker: Worker) -> str:
    """Somebody follows a link, perhaps an old one, perhaps twice."""
    waiting = [human for human in world.ledger.humans.values() if human.tokens]
    if not waiting:
        return "nobody"
    human = world.chance.choice(waiting)
    token, to, began, asked = world.chance.choice(human.tokens)
    tried = Back(to, began, asked, sure=False)
    human.backs.append(tried)  # it may be done although no answer comes
    try:
        answer = mail_of(worker).confirm(token, now=world.clock(worker))
    except ConsentRefused:
        human.backs.remove(tried)
        raise
    human.backs.remove(tried)
    sure = answer.contact_id == human.name and answer.standing == "active"
    human.backs.append(Back(to, began, asked, sure=sure))
    if world.chance.random() < 0.8:
        human.tokens = [one for one in human.tokens if one[0] != token]
    return f"{human.name} {to} {answer.standing}"


def opt_out(world: World, worker: Worker) -> str:
    """Somebody says no: by id, by address, by the link in a mail, with one click or two."""
    human = known_one(world)
    if human is None:
        return "nobody"
    scope, chance, now = world.chance.choice(SCOPES), world.chance.random(), world.clock(worker)
    who = human.name if chance < 0.6 else human.address
    said = Said(scope="all", begun=world.tick)
    human.noes.append(said)  # as long as nobody knows how far it reached, it may be to all
    try:
        if chance > 0.8 and human.got:
            campaign = world.chance.choice(human.got)
            answer = mail_of(worker).opt_out(human.name, campaign=campaign, through="one-click", now=now)
        else:
            answer = mail_of(worker).opt_out(who, scope=Scope.parse(scope), now=now)
    finally:
        said.ended = world.tick  # it is written by now, or never will be
    said.scope, said.sure = str(answer.opt_out.scope), True
    if answer.is_new:
        check_flights(world, human, said)
    check_now(world, human)
    return f"{human.name} {said.scope} {'new' if answer.is_new else 'again'} {len(answer.in_flight)}"


def check_now(world: World, human: Human) -> None:
    """What was acknowledged holds at once."""
    if not human.away and not human.erased:
        world.ledger.standings(human.name, world.standings(human.name))


def check_flights(world: World, human: Human, said: Said) -> None:
    """The mails that had left before, and may still arrive, are known to be in flight (F18)."""
    for claim in world.store.claims_of(ContactId(human.name)):
        left = claim.state in ("handed-off", "unknown") and world.now - claim.at < timedelta(hours=71)
        covered = claim.leaves_list is not None and Scope.parse(said.scope).covers(claim.leaves_list)
        if left and covered and claim.opted_out_at is None:
            raise Broken(f"{human.name} said no, and {claim} is not known to be in flight")


def opt_out_unknown(world: World, worker: Worker) -> str:
    """Somebody says no whom nobody knows yet, or who is out already."""
    human, scope = somebody(world), world.chance.choice(SCOPES)
    if human.known or human.erased:
        return "nobody"
    said = Said(scope=scope, begun=world.tick)
    world.ledger.at[human.address].append(said)
    try:
        mail_of(worker).opt_out(human.address, scope=Scope.parse(scope), now=world.clock(worker))
    finally:
        said.ended = world.tick
    said.sure = True
    return f"{human.name} {scope}"


def leave_at_the_esp(world: World, worker: Worker) -> str:  # noqa: ARG001 - nobody of ours is asked
    """Somebody uses the ESP's own link."""
    human = known_one(world)
    if human is None:
        return "nobody"
    scope = world.chance.choice(SCOPES)
    world.ledger.at[human.address].append(Said(scope=scope, begun=world.tick))
    world.esp.leave(parse_address(human.address), Scope.parse(scope), at=world.now, tick=world.tick)
    return f"{human.name} {scope}"


def react(world: World, worker: Worker) -> str:  # noqa: ARG001 - nobody of ours is asked
    """A mail is delivered, opened, clicked; of some people never."""
    if not world.esp.outbox:
        return "nothing"
    recent = world.esp.outbox[-400:]
    sent = world.chance.choice(recent)
    who = world.ledger.of(sent.recipient.contact_id)
    sleepy = who is not None and int(who.name[1:]) % 3 == 0
    kinds = [EventKind.DELIVERED] if sleepy else [EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED]
    kind = world.chance.choice(kinds)
    world.esp.happen(kind, sent, at=world.now)
    return f"{sent.recipient.contact_id} {kind}"


def complain(world: World, worker: Worker) -> str:  # noqa: ARG001 - nobody of ours is asked
    """Somebody complains, or a mailbox is dead; rarely many at once, which is the ESP's own trouble (F66)."""
    storm = world.chance.random() < 0.02
    many = len(world.names) * 2 // 3 if storm else 1
    kind = SuppressionKind.BOUNCE if storm else world.chance.choice([SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT])
    whom = world.chance.sample(world.names, many)
    for name in whom:
        human = world.ledger.humans[name]
        if not human.known:
            continue
        event_id = f"held-{next(world.numbers)}"
        said = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=world.now, source=world.esp.name)
        status = world.chance.choice(["5.1.1", "5.7.515"]) if kind is SuppressionKind.BOUNCE else ""
        held = Held(who=Who(None, parse_address(human.address)), kind=kind, provenance=said, event_id=event_id,
                    status=status)  # fmt: skip
        world.esp.say(held, at=world.now)
        world.reported.append((event_id, name))
    return f"{kind} {many}"


def pause(world: World, worker: Worker) -> str:
    """Somebody asks for a pause."""
    human = known_one(world)
    if human is None:
        return "nobody"
    mail_of(worker).pause(human.name, until=world.now + timedelta(days=14), now=world.clock(worker))
    return human.name


def change(world: World, worker: Worker) -> str:
    """Somebody buys something."""
    human, spend = known_one(world), world.chance.randint(0, 300)
    if human is None:
        return "nobody"
    mail_of(worker).update(human.name, {"spend": spend}, now=world.clock(worker))
    return f"{human.name} {spend}"


def move(world: World, worker: Worker) -> str:
    """Somebody gets another address, by their own word or by somebody else's."""
    human = known_one(world)
    if human is None:
        return "nobody"
    by = world.chance.choice([Actor.CONTACT, Actor.CONTACT, Actor.OPERATOR])
    to = f"{human.name}.{next(world.numbers)}@example.com"
    human.addresses.add(to)
    human.moved = human.moved or by is not Actor.CONTACT
    try:
        mail_of(worker).change_address(human.name, to, by=by, now=world.clock(worker))
    finally:
        contact = world.store.get([ContactId(human.name)]).get(ContactId(human.name))
        if contact is not None and contact.address is not None and str(contact.address) == to:
            human.address, human.dead = to, False
    return f"{human.name} by {by}"
