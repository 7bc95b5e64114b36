"""Telling a target what is due, and the journal of it (E2, O9); `telling_esp` and `telling_crm` say what is told.

Tags and pictures are told as they are at the moment of telling, whatever the task once said; where they changed
during the call they are told again, so the last word is the true one however many workers tell at once. Who was
erased during the call is forgotten there once more (O5).
"""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.addresses import DEFAULT, MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Record
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.ports import Attempt, Crm, Esp, Task, TaskKind, TaskState
from lifecycle_mail.service.leasing import LEASE, Clock
from lifecycle_mail.service.reading import Reader
from lifecycle_mail.service.retrying import again, in_transaction

T = TypeVar("T")

BATCH = 200
"""How many tags or pictures are told at once at most."""
LONGEST_PAUSE = timedelta(hours=6)
"""How long a task rests at most before it is tried again."""
WAITING = timedelta(hours=12)
"""How long a no rests of somebody who has no address: it is told as soon as the log names one, and looked at then."""

AGAIN = "again"
"""How the detail of a task begins that tells a no although the target knows of it."""

OVERRIDDEN = "overridden by the person"
NOBODY = "waits for an address to tell"
KNOWN = "known to the target already"
GONE = "no contact of that id"
CANNOT = "the target can no longer do that"

_ADDRESS = re.compile(r"\S*(?:@|\uff20|%40)\S*")


def of_esp(esp: Esp) -> str:
    """Return the target that stands for an ESP."""
    return f"esp:{esp.name}"


def of_crm(crm: Crm) -> str:
    """Return the target that stands for a CRM."""
    return f"crm:{crm.name}"


def pause_after(tries: int) -> timedelta:
    """Return how long a task rests after so many tries in vain: twice as long each time."""
    return min(timedelta(minutes=2 ** min(tries, 16)), LONGEST_PAUSE)


def without_addresses(text: str) -> str:
    """Cut what may be an address out of a text, for the journal."""
    return _ADDRESS.sub("[cut]", text)[:300]


class Teller(ABC):
    """Tells one target.

    Args:
        target: its name in the outbox.
        reader: of the store.
        clock: tells the time.
        wait: see `retrying.again`.

    Attributes:
        told: how many tasks were done, by kind.
        moot: how many had nothing to tell any more.
        refused: how many were refused.
        problem: why the target was left alone for now, or None.
    """

    def __init__(self, target: str, reader: Reader, *, clock: Clock, wait: Callable[[int], None]) -> None:
        self.target = target
        self.reader = reader
        self.store = reader.store
        self.clock = clock
        self._wait = wait
        self._worker = uuid.uuid4().hex
        self.told: Counter[str] = Counter()
        self.moot = 0
        self.refused = 0
        self.problem: EspError | None = None

    @property
    def reads_log(self) -> bool:
        """Whether the log has anything to tell the target."""
        return True

    @abstractmethod
    def tasks_of(self, record: Record) -> Iterable[Task]:
        """Return what the target must be told because of a record of the log."""

    @abstractmethod
    def step(self, most: int) -> int:
        """Take up to `most` tasks and do them; return how many were taken, 0 where none is due."""

    @abstractmethod
    def _forget(self, contact: Contact) -> None:
        """Let the target forget somebody."""

    def _forget_erased(self, contacts: Iterable[Contact]) -> None:
        told = {name: contact for contact in contacts for name in (contact.id, *self.reader.keys(contact))}
        try:
            erased = again(lambda: self.store.erased(told), wait=self._wait)
            for contact in {told[one].id: told[one] for one in sorted(erased)}.values():
                self._forget(contact)
        except EspError as error:
            self.problem = error

    def _task(self, record: Record, kind: TaskKind, contact_id: ContactId | None, detail: str = "") -> Task:
        # Oldest first, and never in the future, whatever the clock said when it was recorded (F64).
        made_at = min(record.recorded_at, self.clock())
        return Task(
            target=self.target, kind=kind, contact_id=contact_id, entry=record.entry.id, detail=detail, made_at=made_at
        )

    def _once(self, work: Callable[[], T]) -> T:
        return in_transaction(self.store, work, wait=self._wait)

    def _take(self, most: int) -> Sequence[Task]:
        at = self.clock()
        return self.store.take(self.target, self._worker, most=most, at=at, until=at + LEASE)

    def _write(
        self, tasks: Iterable[Task], state: TaskState, note: str = "", *, pause: timedelta = timedelta(0)
    ) -> None:
        at = self.clock()
        attempts = [Attempt(task=task.id, at=at, state=state, note=without_addresses(note)) for task in tasks]
        if attempts:
            self.store.note(attempts, due_at=at + pause)

    def _count(self, done: Iterable[Task]) -> None:
        """Count what was told, once that is written."""
        self.told.update(task.kind.value for task in done)

    def _settle(self, tasks: Sequence[Task], changed: Callable[[], Collection[ContactId]]) -> None:
        """Write that tasks are done; those of contacts who changed during the call are due again."""

        def write() -> list[Task]:
            again = changed()
            done = [task for task in tasks if task.contact_id not in again]
            self._write(done, TaskState.DONE)
            self._write([task for task in tasks if task.contact_id in again], TaskState.DUE, "changed meanwhile")
            return done

        self._count(self._once(write))

    def _refuse(self, tasks: Sequence[Task], why: str) -> None:
        if tasks:
            self._once(lambda: self._write(tasks, TaskState.REFUSED, why))
            self.refused += len(tasks)

    def _pass_over(self, tasks: Sequence[Task], why: str) -> None:
        """Write that there is nothing to tell any more: done, with the reason; nothing is wrong."""
        if tasks:
            self._once(lambda: self._write(tasks, TaskState.DONE, why))
            self.moot += len(tasks)

    def _failed(self, tasks: Sequence[Task], error: EspError) -> None:
        """Journal a call that failed: for good, or to be tried again after a pause; then the target is left alone."""
        if not isinstance(error, EspUnavailable | OutcomeUnknown):
            self._refuse(tasks, str(error))
            return
        self.problem = error
        asked = min(error.retry_after or timedelta(0), LONGEST_PAUSE)  # by the target itself (F24)

        def write() -> None:
            at = self.clock()
            by_due = defaultdict(list)
            for task in tasks:
                tries = len(self.store.attempts(task.id)) + 1
                line = Attempt(task=task.id, at=at, state=TaskState.DUE, note=without_addresses(str(error)))
                by_due[at + max(pause_after(tries), asked)].append(line)
            for due_at, attempts in by_due.items():
                self.store.note(attempts, due_at=due_at)

        self._once(write)


def whose(task: Task) -> ContactId:
    """Return whom a task of tags or pictures is about."""
    return task.contact_id or ContactId("")


def holders(reader: Reader, key: MatchKey | None) -> Sequence[ContactId]:
    """Return who has the address of a match key, where the key tells it: what several spellings share does not."""
    if key is None or not key.startswith(f"{DEFAULT.version}:"):
        return ()
    return reader.store.find(key)
