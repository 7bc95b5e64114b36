"""The world of the simulation: a clock, a store, an ESP, workers that come and go, and a trace of all that happens.

One seed decides everything. Workers run on one thread: while one of them is in the middle of an operation, at a call
of a port, others may do whole operations of theirs, so races are many and repeat exactly.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from attrs import define, field

from adapters.sql.tests.model.ledger import Broken, Human, Ledger
from adapters.sql.tests.model.sim_ports import Died, Fate, FaultyEsp, Watched
from lifecycle_mail.errors import InvalidInput, LifecycleMailError, RegistryDamaged, UnknownName
from lifecycle_mail.memory.esp import Sent
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing.builders import lifecycle
from lifecycle_mail.testing.stores.making import PEPPERS

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
NEWS = MailingList("news", title="News", expect="what is new, once a month", double_opt_in=True)
LISTS = (OFFERS, NEWS)
SPENDERS = Segment("spenders", of=OFFERS, where=where.field("spend") > 100)
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
YEAR = timedelta(days=365)
WORKERS = 4
DEEPEST = 2
"""How many operations may wait in the middle for others."""

POLICY = Policy.for_cadence(
    "weekly", inactive_days=45, deep_days=90, sunset_after_days=60, re_engagement_mails=1, new_days=10, evidence_mails=3
)

Act = Callable[["World", "Worker"], str]


@define(eq=False)
class Worker:
    """A process that works on the registry.

    Attributes:
        name: for the trace.
        mail: what it calls; None while it is dead.
        ahead: how far its clock is ahead.
        fate: what happens to it in the present operation.
        busy: whether it is in the middle of one.
        heard: what the ESP said to it in the present operation.
    """

    name: str
    mail: Lifecycle | None = None
    ahead: timedelta = timedelta(0)
    fate: Fate | None = None
    busy: bool = False
    heard: list[Statement] = field(factory=list)


class World:
    """Everything there is.

    Args:
        seed: decides what happens.
        steps: how many steps a year has.
        humans: how many people there are.
        open_store: opens the registry, for one worker.
        wrap: what a test puts around each store.
        whole: whether the ESP sends campaigns itself; else mails leave one by one.
        write: called with each line of the trace.
    """

    def __init__(
        self, seed: int, *, steps: int, humans: int, open_store: Callable[[], Any], whole: bool,
        wrap: Callable[[Any], Any] = lambda store: store, write: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.steps = steps
        self.whole = whole
        self.chance = random.Random(f"{seed}:world")  # noqa: S311 - which must repeat, and is no secret
        self.now = START
        self.tick = 0
        self.pace = YEAR / steps
        self.depth = 0
        self.ledger = Ledger(Human(f"p{n}", f"p{n}@{_HOSTS[n % 3]}", {f"p{n}@{_HOSTS[n % 3]}"}) for n in range(humans))
        self.names = list(self.ledger.humans)
        without = set() if whole else {Capability.CAMPAIGNS}
        self.esp = FaultyEsp(
            lambda: self.now, random.Random(f"{seed}:esp"), self._left, self._heard,  # noqa: S311
            capabilities=frozenset(Capability) - without,
        )  # fmt: skip
        self._open_store = open_store
        self._wrap = wrap
        self._write = write
        self._ids = count(1)
        self._digest = hashlib.blake2b(digest_size=16)
        self.tail: deque[str] = deque(maxlen=40)
        self.campaigns: dict[str, Campaign] = {}
        self.unsent: list[str] = []
        self.archive: dict[str, Any] = {}
        self.numbers = count(1)
        self.known: dict[int, str] = {}  # records that were looked at
        self.archived: set[str] = set()
        self.receipts: list[tuple[Campaign, str]] = []  # those whose outcome is not known
        self.reported: list[tuple[str, str]] = []  # dead addresses and complaints: the event, and whose it is
        self.pardoned: set[str] = set()  # those that were lifted, and bind nobody when they are told again
        self.lines = 0
        self.position = 0
        self.tally: dict[str, int] = {}
        self.acts: Sequence[Act] = ()
        self._weights: list[float] = []
        self._at_work: list[Worker] = []
        self.store = open_store()  # to look at, beside all workers
        self.view = lifecycle(*LISTS, SPENDERS, esp=self.esp, store=self.store, policy=POLICY, peppers=PEPPERS)
        self.workers = [Worker(f"w{number}") for number in range(WORKERS)]
        for worker in self.workers:
            self.start(worker)

    # -- workers

    def start(self, worker: Worker) -> None:
        """Start a worker, whose clock is a few minutes wrong."""
        worker.ahead = timedelta(seconds=self.chance.randint(-300, 300))
        worker.fate = Fate(self.chance, deadly=0, crowded=0)
        store = Watched(
            self._wrap(self._open_store()), lambda: _fate(worker), pause=self._pause,
            looked=lambda: self._looks(worker), claimed=self._claimed,
        )  # fmt: skip
        esp = Watched(self.esp, lambda: _fate(worker), pause=self._pause, looked=lambda: None, claimed=lambda *_: None)
        worker.mail = lifecycle(
            *LISTS, SPENDERS, *self.campaigns.values(), esp=esp, store=store, policy=POLICY, new_id=self._new_id,
            peppers=PEPPERS, ticks=self._seconds,
        )  # fmt: skip

    def _seconds(self) -> float:
        return (self.now - START).total_seconds()

    def _new_id(self, _address: EmailAddress) -> ContactId:
        return ContactId(f"n{next(self._ids)}")

    def _looks(self, worker: Worker) -> None:
        self.ledger.looked[worker.name] = self.tick

    def _claimed(self, campaign: str, who: str, leaves: str | None) -> None:
        self.ledger.claims(campaign, who, leaves, self.tick)

    def _left(self, sent: Sent) -> None:
        one = sent.recipient
        self.ledger.leaves(one.campaign, one.contact_id, str(one.address).lower(), one.leaves_list, self.tick)
        if self.whole and one.leaves_list is not None:
            self.ledger.released(one.contact_id, one.leaves_list, self._at_work[-1].name)

    def _heard(self, statements: Iterable[Statement]) -> None:
        if self._at_work:
            self._at_work[-1].heard += statements

    # -- what happens

    def weigh(self, acts: Sequence[tuple[float, Act]]) -> None:
        """Say what may happen, and how often."""
        self.acts = [act for _, act in acts]
        self._weights = [weight for weight, _ in acts]

    def step(self) -> None:
        """Let one thing happen."""
        self.now += self.pace
        self._happen()

    def _happen(self) -> None:
        (act,) = self.chance.choices(self.acts, self._weights)
        idle = [worker for worker in self.workers if not worker.busy]
        if idle:
            self.operate(self.chance.choice(idle), act)

    def _pause(self) -> None:
        """Let others go on while a worker is in the middle of something."""
        if self.depth >= DEEPEST or not self.acts:
            return
        for _ in range(self.chance.randint(1, 2)):
            # Now and then so long that the lease of whoever waits runs out (F19).
            self.now += timedelta(seconds=self.chance.randint(1, self.chance.choice((60, 400, 400, 2400))))
            self._happen()

    def operate(self, worker: Worker, act: Act, *, safe: bool = False) -> str:
        """Let a worker do something; it may die of it, and is then started anew."""
        self.tick += 1
        deadly, crowded = (0.0, 0.0) if safe else (0.06, 0.4)
        worker.fate = Fate(self.chance, deadly=deadly, crowded=crowded)
        self.ledger.looked[worker.name] = self.tick
        worker.heard.clear()
        worker.busy = True
        self.depth += 1
        self._at_work.append(worker)
        begun = self.tick
        try:
            said = act(self, worker)
        except Died:
            said = "died"
        except LifecycleMailError as error:
            if isinstance(error, InvalidInput | RegistryDamaged) and not isinstance(error, UnknownName):
                raise  # nothing here gives a wrong word, and nothing damages the registry
            said = type(error).__name__
        finally:
            worker.busy = False
            self.depth -= 1
            self._at_work.pop()
        what = act.func.__name__ if isinstance(act, partial) else act.__name__
        self.note(f"{begun} {worker.name} {what}: {said}")
        name = f"{what}: died" if said == "died" else what
        self.tally[name] = self.tally.get(name, 0) + 1
        if worker.fate.dead:
            assert worker.mail is not None
            worker.mail.store.close()
            self.start(worker)
        position = self.store.position()
        if position < self.position:
            raise Broken(f"the log shrank from {self.position} to {position}")
        self.position = position
        return said

    def standings(self, who: str) -> dict[str, str]:
        """Return how a contact stands with each list; empty where there is no such contact."""
        contact = self.store.get([ContactId(who)]).get(ContactId(who))
        if contact is None:
            return {}
        person = self.view._reader.person(contact)
        return {to.key: str(person.standing(to.key, now=self.now)) for to in LISTS}

    def clock(self, worker: Worker) -> datetime:
        """Return what a worker's clock says."""
        return self.now + worker.ahead

    def note(self, line: str) -> None:
        """Write a line of the trace."""
        written = f"{self.now:%m-%d %H:%M:%S} {line}"
        self.lines += 1
        self.tail.append(written)
        self._digest.update(written.encode() + b"\n")
        if self._write is not None:
            self._write(written)

    @property
    def digest(self) -> str:
        """What two runs of one seed have in common."""
        return self._digest.hexdigest()


_HOSTS = ("example.com", "example.net", "example.org")


def _fate(worker: Worker) -> Fate:
    assert worker.fate is not None
    return worker.fate
