"""An ESP with a clock of its own, which writes down what it says and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Left, Statement
from lifecycle_mail.ports import Capability


class Provider(MemoryEsp):
    """An ESP whose clock is right, whatever ours says (F64).

    Attributes:
        said: what it told us, in order.
        told: the noes that it was told of, each with our stamp.
    """

    def __init__(self, clock: Callable[[], datetime], *, capabilities: Collection[Capability]) -> None:
        super().__init__(capabilities=capabilities)
        self.clock = clock
        self.said: list[Statement] = []
        self.told: list[tuple[OptOut, datetime]] = []

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Take an opt-out, and report it as of its own clock."""
        self.told.append((opt_out, at))
        super().suppress(opt_out, contact, at=self.clock())

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:  # noqa: ARG002
        """Say who is out by its own clock."""
        found = list(super().opt_outs(since=since, now=self.clock()))
        self.said += found
        return found

    def reports(self, *, now: datetime) -> Sequence[Statement]:  # noqa: ARG002
        """Return the news that has arrived by its own clock."""
        found = super().reports(now=self.clock())
        self.said += found
        return found

    def lose_news(self) -> None:
        """Lose what was not fetched yet, as a webhook does that nobody answered (F32)."""
        self._news.clear()

    def everybody_out(self) -> list[Left]:
        """Return who is out, as far as it shows."""
        return [left for at, left in self._out if at <= self.clock()]
