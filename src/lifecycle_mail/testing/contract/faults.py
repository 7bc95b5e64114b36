"""What goes wrong between an adapter and its vendor, as a test scripts it."""

from __future__ import annotations

from enum import StrEnum
from threading import Condition, Event

from attrs import define, field

from lifecycle_mail.testing.contract.exchanges import Answer


class Manner(StrEnum):
    """How an operation goes wrong."""

    FAIL = "fail"
    CUT = "cut"
    STALL = "stall"
    TRUNCATE = "truncate"
    MISLABEL = "mislabel"


@define(eq=False)
class Fault:
    """Something that goes wrong with the next requests of an operation.

    Attributes:
        match: the name of the operation, or a pattern.
        manner: how.
        times: how often yet.
        done: whether the work is done all the same.
        answer: what is answered instead.
        content_type: under what the right answer is sent; None is without any.
        stalled: how many requests are held right now.
    """

    match: str
    manner: Manner
    times: int
    done: bool
    answer: Answer | None = None
    content_type: str | None = None
    stalled: int = 0
    _go: Event = field(factory=Event, init=False, repr=False)
    _changed: Condition = field(factory=Condition, init=False, repr=False)

    def hold(self) -> None:
        """Wait until it is released."""
        with self._changed:
            self.stalled += 1
            self._changed.notify_all()
        self._go.wait()
        with self._changed:
            self.stalled -= 1

    def wait_until_held(self, count: int = 1, timeout: float = 5) -> bool:
        """Wait until so many requests are held at once, and tell whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: self.stalled >= count, timeout)

    def release(self) -> None:
        """Let go of what is held, and hold nothing more."""
        self._go.set()
