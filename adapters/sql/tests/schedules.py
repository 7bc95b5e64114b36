"""Two pieces of work on one database, interleaved call by call.

Each runs in a thread of its own and stops before every call of a port. A schedule says who goes on. The stores are
opened with a timeout of nothing: whoever would have to wait for the other's transaction is told so at once, and goes on
when the other has ended it, as after a wait. So every schedule that locks allow can be played, and is the same each
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Any

from attrs import define, field

PATIENCE = 60.0
"""Seconds after which a thread that does not come back fails the test."""


def at_once(url: str) -> str:
    """Return the URL of the same registry, at which nobody waits for others."""
    return f"{url}{'&' if '?' in url else '?'}timeout=0"


@define
class _Part:
    """One piece of work.

    Attributes:
        name: whose.
        state: `ready` to go on, `running`, `blocked` by the other's transaction, or `done`.
        depth: in how many transactions, one in the other, it is.
        error: what it raised.
    """

    name: str
    state: str = "ready"
    depth: int = 0
    error: BaseException | None = None


@define(eq=False)
class Turns:
    """Says who goes on.

    Attributes:
        trace: what happened, in order: (whose, what).
    """

    trace: list[tuple[str, str]] = field(factory=list)
    _parts: dict[str, _Part] = field(factory=dict)
    _changed: Condition = field(factory=Condition)

    # -- what the work sees

    def port(self, name: str, port: object) -> Any:
        """Return a port whose calls stop first."""
        return _Stepping(self, name, port)

    def wait(self, name: str) -> Callable[[int], None]:
        """Return what a `Lifecycle` waits with while the other writes."""
        return lambda _attempt: self.stop(name, "blocked")

    def note(self, name: str, what: str) -> None:
        """Write into the trace."""
        with self._changed:
            self.trace.append((name, what))

    def stop(self, name: str, state: str = "ready") -> None:
        """Let the other go on, if it can, and return when it is one's turn again."""
        part = self._parts.get(name)
        if part is None:  # before the play
            return
        with self._changed:
            part.state = state
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: part.state == "running", PATIENCE), f"{name} never went on"

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Know that one is in a transaction, which the other has to wait for."""
        part = self._parts.get(name, _Part(name))
        part.depth += 1
        try:
            yield
        finally:
            part.depth -= 1

    def is_inside(self, name: str) -> bool:
        """Whether one is in a transaction."""
        return name in self._parts and self._parts[name].depth > 0

    # -- the play

    def play(self, work: dict[str, Callable[[], object]], switches: Sequence[int]) -> list[int]:
        """Let the first go on for as many calls as the first switch says, then the second, and so on to the end.

        Whoever is blocked or done lets the other go on. What the work raises is raised.

        Returns:
            How many steps each took.
        """
        self._parts = {name: _Part(name, state="running") for name in work}
        threads = [Thread(target=self._run, args=item, daemon=True) for item in work.items()]
        for part, thread in zip(self._parts.values(), threads, strict=True):
            thread.start()
            self._until_stopped(part)
        turn, plan, names = 0, list(switches), list(work)
        steps = dict.fromkeys(names, 0)
        left = plan.pop(0) if plan else -1
        while any(part.state != "done" for part in self._parts.values()):
            if left == 0:
                turn, left = 1 - turn, plan.pop(0) if plan else -1
            part = self._parts[names[turn]]
            if not self._can_go(part):
                part = self._parts[names[1 - turn]]
                assert self._can_go(part), f"both wait for each other: {self.trace}"
            with self._changed:
                part.state = "running"
                self._changed.notify_all()
            self._until_stopped(part)
            left -= 1
            steps[part.name] += 1
        for part, thread in zip(self._parts.values(), threads, strict=True):
            thread.join(PATIENCE)
            if part.error is not None:
                raise part.error
        self._parts = {}
        return list(steps.values())

    def _can_go(self, part: _Part) -> bool:
        others = [other for other in self._parts.values() if other is not part]
        free = all(other.depth == 0 for other in others)
        return part.state == "ready" or (part.state == "blocked" and free)

    def _until_stopped(self, part: _Part) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: part.state != "running", PATIENCE), f"{part.name} hangs"

    def _run(self, name: str, work: Callable[[], object]) -> None:
        part = self._parts[name]
        try:
            self.stop(name)
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `play`
            part.error = error
        finally:
            with self._changed:
                part.state = "done"
                self._changed.notify_all()


class _Stepping:
    """A port that stops before each call, and before a transaction is ended."""

    def __init__(self, turns: Turns, name: str, port: Any) -> None:
        self._turns = turns
        self._name = name
        self._port = port

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if name == "transaction":
            return self._transaction
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self._turns.stop(self._name)
            answer = value(*arguments, **named)
            self._turns.note(self._name, name)
            return answer

        return call

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._turns.stop(self._name)
        with self._port.transaction(), self._turns.inside(self._name):
            yield
            self._turns.stop(self._name)
        if not self._turns.is_inside(self._name):
            self._turns.note(self._name, "commit")
