"""The ports of the simulation: an ESP that fails, and what a worker sees of the ports until it dies."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from lifecycle_mail.errors import EspUnavailable, RegistryBusy
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.memory.esp import Sent
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.intake import Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Content

CALLS = (10, 40, 300)
"""Among how many calls of ports the one is drawn in which a worker dies, or others go on."""


class Died(Exception):
    """A worker was killed; nothing that it was about to do happens."""


class FaultyEsp(MemoryEsp):
    """An ESP that is down for days, repeats itself, tells things late and in any order.

    Args:
        clock: what time it is.
        chance: what decides.
        left: called with each mail that leaves.
        heard: called with all that it says.

    Attributes:
        down_until: when it answers again.
        own: the ids of events that people caused here, each with the tick, and not our own pushes.
    """

    def __init__(
        self, clock: Callable[[], datetime], chance: random.Random, left: Callable[[Sent], None],
        heard: Callable[[Iterable[Statement]], None], **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**options)
        self.clock = clock
        self.chance = chance
        self.left = left
        self.heard = heard
        self.down_until = clock()
        self.own: dict[str, int] = {}
        self._told: list[Statement] = []

    @contextmanager
    def _operation(self, operation: str) -> Iterator[None]:
        if self.clock() < self.down_until:
            raise EspUnavailable(esp=self.name, operation=operation, status=503, body="we are working on it")
        with super()._operation(operation):
            yield

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Send, and tell what left, whatever the answer is."""
        before = len(self.outbox)
        try:
            super().send(recipient, content=content)
        finally:
            self._watch(before)

    def release(self, campaign: Any) -> None:
        """Release, and tell what left, whatever the answer is."""
        before = len(self.outbox)
        try:
            super().release(campaign)
        finally:
            self._watch(before)

    def _watch(self, before: int) -> None:
        for sent in self.outbox[before:]:
            self.left(sent)

    def leave(self, address: EmailAddress, scope: Scope, *, at: datetime, tick: int) -> None:
        """Let a person use its own unsubscribe link."""
        self.unsubscribe(address, scope, at=at)
        left = self._out[-1][1]
        assert left.event_id is not None
        self.own[left.event_id] = tick

    def say(self, statement: Statement, *, at: datetime) -> None:
        """Let it have news."""
        self._report(at, statement)

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return some of the news, some of it again, in any order."""
        found = list(super().reports(now=now))
        if found and self.chance.random() < 0.3:
            found = found[: self.chance.randint(1, len(found))]
        found += self.chance.sample(self._told, min(len(self._told), self.chance.choice([0, 0, 1, 3])))
        self.chance.shuffle(found)
        self.heard(found)
        return found

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Forget most of what was stored; some of it comes again."""
        super().acknowledge(statements)
        self._told = [*self._told, *statements][-50:]

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Return who is out, in any order."""
        found = list(super().opt_outs(since=since, now=now))
        self.chance.shuffle(found)
        self.heard(found)
        return found

    def heal(self) -> None:
        """Let it work again: no outage, no faults, no lag, no doubt; what is late comes now."""
        self.down_until = self.clock()
        self._failures.clear()
        self._refusals.clear()
        self.lag(0)
        self.doubt(0)
        self.delay(timedelta(0))
        self._news = [(min(at, self.clock()), statement) for at, statement in self._news]
        self._out = [(min(at, self.clock()), left) for at, left in self._out]

    def everybody_out(self) -> list[Left]:
        """Return every word that somebody is out."""
        return [left for _, left in self._out]


class Fate:
    """What will happen to a worker in one operation: where others go on, and where it dies, if at all.

    Args:
        chance: what decides.
        deadly: how likely it dies.
        crowded: how likely others go on meanwhile.
    """

    def __init__(self, chance: random.Random, *, deadly: float, crowded: float) -> None:
        self.calls = 0
        self.dead = False
        most = chance.choice(CALLS)
        self.dies_at = chance.randint(1, most) if chance.random() < deadly else 0
        self.after = chance.random() < 0.5
        self.busy = chance.randint(1, most) if chance.random() < deadly else 0
        some = chance.randint(1, 3) if chance.random() < crowded else 0
        self.pauses = {chance.randint(1, most) for _ in range(some)}


class Watched:
    """A port as a worker sees it.

    Args:
        port: the port.
        fate: of the operation that the worker is at.
        pause: lets others go on.
        looked: told when the worker begins to read the log.
        claimed: told of each claim that was committed, and of the list that the mail leaves.
    """

    def __init__(
        self, port: Any, fate: Callable[[], Fate], *, pause: Callable[[], None], looked: Callable[[], None],
        claimed: Callable[[str, str, str | None], None],
    ) -> None:  # fmt: skip
        self._port = port
        self._fate = fate
        self._pause = pause
        self._looked = looked
        self._claimed = claimed
        self._depth = 0
        self._open: list[tuple[str, str, str | None]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; it may die before the commit or after it, or the answer to it be lost (F21)."""
        if self._depth:
            with self._port.transaction():
                yield
            return
        fate = self._begin("transaction")
        busy = self._is_busy(fate)
        if busy and not fate.after:
            raise RegistryBusy("others have been writing for too long")
        self._depth = 1
        try:
            with self._port.transaction():
                yield
                self._live(fate)
        except BaseException:
            self._open.clear()
            raise
        finally:
            self._depth = 0
        committed, self._open = self._open, []
        for claim in committed:
            self._claimed(*claim)
        self._die(fate, after=True)
        if busy:
            raise RegistryBusy("the connection broke in the commit")

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value) or name == "close":
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            fate = self._begin(name)
            self._live(fate)
            answer = value(*arguments, **named)
            if name == "claim":
                free = set(answer)
                self._open += [(str(one.campaign), str(one.contact_id), one.leaves_list)
                               for one in arguments[0] if one.contact_id in free]  # fmt: skip
            self._die(fate, after=True)
            return answer

        self.__dict__[name] = call
        return call

    def _begin(self, name: str) -> Fate:
        fate = self._fate()
        if fate.dead:
            raise Died
        fate.calls += 1
        if not self._depth and fate.calls in fate.pauses:
            fate.pauses.discard(fate.calls)
            self._pause()
        if name == "records":
            self._looked()
        return fate

    @staticmethod
    def _is_busy(fate: Fate) -> bool:
        if fate.busy and fate.calls >= fate.busy:
            fate.busy = 0
            return True
        return False

    def _live(self, fate: Fate) -> None:
        self._die(fate, after=False)

    @staticmethod
    def _die(fate: Fate, *, after: bool) -> None:
        if fate.dies_at and fate.calls >= fate.dies_at and fate.after is after:
            fate.dead = True
        if fate.dead:
            raise Died


def one_line(answer: object) -> str:
    """Write an answer in a form that is the same on every run."""
    if isinstance(answer, Mapping):
        return " ".join(f"{key}={answer[key]}" for key in sorted(answer) if answer[key])
    return str(answer)
