"""A stream of work, the same whenever it is made from the same seed, that can be begun again at any step.

Everything that changes a registry is in it: people join, leave, come back and are imported; campaigns are sent; the ESP
is told, and swept. A step that was broken off is played again from its beginning, as an application does that got no
answer. So whatever is killed how often, the end must be the end of the story that nobody disturbed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen

from adapters.sql.tests.faults.disk_esp import NAME, DiskEsp, World
from adapters.sql.tests.faults.seeds import dice
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Store, TaskState
from lifecycle_mail.service import Lifecycle, NeedsConfirmation
from lifecycle_mail.testing import frozen_now, lifecycle
from lifecycle_mail.testing.stores.making import PEPPERS

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
ROUNDS = 4
CAMPAIGNS = [Campaign(f"round-{number}", to=[OFFERS]) for number in range(ROUNDS)]
PEOPLE = [f"p{number:02}" for number in range(24)]
STRANGERS = [f"stranger{number:02}" for number in range(10)]
CSV_ROWS = 24

STEP = timedelta(hours=1)
"""How long a step of the story is."""
AGAIN = timedelta(minutes=20)
"""How much later work is begun again that was broken off: what the dead worker held is free by then."""


@frozen
class Step:
    """One piece of work.

    Attributes:
        kind: join, leave, return, leave-there, import, send, drain, sweep, erase or open.
        who: whom it is about: a contact's id, an address, the number of a campaign or of a file.
        scope: how far a no reaches.
    """

    kind: str
    who: str = ""
    scope: str = ""


def address(name: str) -> str:
    """Return somebody's address."""
    return f"{name}@example.com"


def steps(seed: int) -> Sequence[Step]:
    """Return the story of a seed."""
    chance = dice("story", seed)
    story = [Step("join", name) for name in PEOPLE]
    for number in range(ROUNDS):
        part = [Step("leave", _somebody(chance.choice), _scope(chance.random())) for _ in range(7)]
        part += [Step("return", chance.choice(PEOPLE)) for _ in range(5)]
        part += [Step("leave-there", chance.choice(PEOPLE), _scope(chance.random()))]
        part += [Step("import", str(number)), Step("drain"), Step("sweep")]
        chance.shuffle(part)
        story += [*part, Step("send", str(number))]
    return [*story, Step("sweep"), Step("drain")]


def _somebody(choose: Callable[[Sequence[str]], str]) -> str:
    return choose([*PEOPLE, *map(address, PEOPLE), *map(address, STRANGERS)])


def _scope(drawn: float) -> str:
    return str(Scope.all() if drawn < 0.5 else Scope.list(OFFERS.key))


def write_files(folder: Path, seed: int) -> None:
    """Write the files that the story imports: a few people, mostly strangers, some of them twice."""
    chance = dice("files", seed)
    for number in range(ROUNDS):
        names = [*chance.sample(PEOPLE, 2), *(f"listed{chance.randrange(60):02}" for _ in range(CSV_ROWS - 2))]
        chance.shuffle(names)
        file_of(folder, number).write_text("\n".join(["email", *map(address, names)]) + "\n", encoding="utf-8")


def file_of(folder: Path, number: int | str) -> Path:
    """Return the path of a file to import."""
    return folder / f"import-{number}.csv"


def opened(store: Store, esp: DiskEsp) -> Lifecycle:
    """Return the `Lifecycle` of the story."""
    return lifecycle(OFFERS, *CAMPAIGNS, store=store, esp=esp, peppers=PEPPERS)


def instant(place: int, attempt: int) -> datetime:
    """Return when a step is played."""
    return frozen_now + place * STEP + attempt * AGAIN


def play(step: Step, mail: Lifecycle, folder: Path, now: datetime) -> str | None:
    """Play one step; return the id of the opt-out that it acknowledges, if any."""
    if step.kind == "join":
        mail.subscribe(address(step.who), OFFERS, proof="form 7", now=now, contact_id=step.who)
    elif step.kind == "leave":
        return mail.opt_out(step.who, scope=Scope.parse(step.scope), now=now).opt_out.id
    elif step.kind == "return":
        answer = mail.subscribe(step.who, OFFERS, proof="form 7", now=now)
        if isinstance(answer, NeedsConfirmation):
            mail.confirm(answer.token, now=now)
    elif step.kind == "leave-there":
        assert isinstance(mail.esp, DiskEsp)
        mail.esp.leave(address(step.who), Scope.parse(step.scope), at=now)
    elif step.kind == "import":
        mail.import_opt_outs(file_of(folder, step.who), now=now, chunk=5)
    elif step.kind == "send":
        send(mail, CAMPAIGNS[int(step.who)], now=now)
    elif step.kind == "drain":
        mail.drain(now=now)
    elif step.kind == "sweep":
        mail.sweep(now=now)
    elif step.kind == "erase":
        mail.erase(step.who, by=Actor.CONTACT, now=now)
    else:
        assert step.kind == "open"
    return None


def send(mail: Lifecycle, campaign: Campaign, *, now: datetime) -> None:
    """Send a campaign to everybody who should have it; what a dead worker left open is cleared up first."""
    mail.send(mail.plan(campaign, now=now), now=now)
    mail.reconcile(campaign, now=now)
    mail.send(mail.plan(campaign, now=now), now=now)


@frozen(kw_only=True)
class Ending:
    """How a story ended.

    Attributes:
        mails: who got which campaign, and how often.
        standings: how everybody stands with the list.
        noes: the noes that people and files said, by subject, scope and source, and how often the log holds each.
        told: which noes the ESP was told of.
        due: how many tasks of the outbox are not done.
    """

    mails: Mapping[tuple[str, str], int]
    standings: Mapping[str, ListStanding]
    noes: Mapping[tuple[str, str, str], int]
    told: frozenset[tuple[str, str]]
    due: int


def ending(mail: Lifecycle, world: World, *, now: datetime) -> Ending:
    """Read how it ended."""
    noes = [record.entry for record in mail.store.records() if isinstance(record.entry, OptOut)]
    return Ending(
        mails=Counter((one.campaign, one.contact) for one in world.mails),
        standings={one.id: mail.standing(one.id, OFFERS, now=now) for one in mail.store.each()},
        noes=Counter(
            (str(no.subject.contact_id or no.subject.key), str(no.scope), no.provenance.source)
            for no in noes
            if no.provenance.source != NAME
        ),
        told=frozenset(world.told),
        due=sum(many for (_, _, state), many in mail.store.waiting().items() if state is TaskState.DUE),
    )


def mailed_after_no(said: Sequence[str], story: Sequence[Step], world: World) -> list[str]:
    """Return the mails that left after a no of that person was acknowledged, and before they came back.

    Args:
        said: lines of workers: `ACK tick step entry` of a no, `DONE tick step` of any step.
        story: the steps.
        world: what has left.
    """
    events: list[tuple[int, str, str]] = [(one.at, one.contact, one.campaign) for one in world.mails]
    for line in said:
        what, tick, place, *_ = line.split()
        step = story[int(place)]
        contact = step.who.partition("@")[0]
        if what == "ACK":
            events.append((int(tick), contact, "no"))
        elif what == "DONE" and step.kind == "return":
            events.append((int(tick), contact, "yes"))
    out: set[str] = set()
    wrong = []
    for _, contact, what in sorted(events):
        if what == "no":
            out.add(contact)
        elif what == "yes":
            out.discard(contact)
        elif contact in out:
            wrong.append(f"{what} to {contact}")
    return wrong
