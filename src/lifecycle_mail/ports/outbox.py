"""What must reach an ESP or a CRM: tasks, what became of each try, and how far the log was looked through.

The consent log is itself the outbox of what people say: an opt-out is written once, with everything else that
belongs to it, and a task for each ESP is made from it later, by whoever drains the outbox, from the place where the
bookmark of that target stands. So no writer can forget one, a bulk import writes nothing twice, and an ESP that is
added next year hears of the noes of today. What is in no log, a tag for one, is posted in the transaction that causes
it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from lifecycle_mail.model.names import ContactId, EntryId, entry_id


class TaskKind(StrEnum):
    """What a target is told, most urgent first."""

    OPT_OUT = "opt-out"
    PICTURE = "picture"
    TAG = "tag"
    UNTAG = "untag"
    CONTACT = "contact"
    """How a contact looks, which a sync tells; kept where the target refused it."""


URGENCY = {kind: place for place, kind in enumerate(TaskKind)}
"""Tasks are done in this order: after an outage of a week the noes go first (F29)."""


@frozen(kw_only=True)
class Task:
    """One thing that a target must be told.

    Attributes:
        target: whom: `esp:mailchimp`, `crm:acme`.
        kind: what about.
        contact_id: about whom; None where an address alone is known.
        entry: the log entry it tells of, or None.
        detail: what else belongs to it: the tag.
        made_at: when it was made, aware UTC.
        id: a hash of all but `made_at`: posting it again changes nothing.
    """

    target: str
    kind: TaskKind
    contact_id: ContactId | None = None
    entry: EntryId | None = None
    detail: str = ""
    made_at: datetime
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        return entry_id("task", self.target, self.kind, self.contact_id, self.entry, self.detail)


FARTHEST = timedelta(days=1)
"""How far ahead a task is ever put off. What is due later was posted by a clock that was ahead, and is due (F64)."""


class TaskState(StrEnum):
    """How far a task has come."""

    DUE = "due"
    DONE = "done"
    REFUSED = "refused"
    """The target said no for good; kept, with the reason, for a person to look at."""


@frozen(kw_only=True)
class Posted:
    """A task as the outbox keeps it: its state, how often it was tried, and when it is tried next."""

    task: Task
    state: TaskState = TaskState.DUE
    tries: int = 0
    due_at: datetime


@frozen(kw_only=True)
class Attempt:
    """The journal's line for one try of a task.

    Attributes:
        task: the task's id.
        at: when the try ended.
        state: what the task came to: `due` after a try that may be repeated.
        note: the target's answer, or why there was nothing to tell. Holds no address.
    """

    task: EntryId
    at: datetime
    state: TaskState
    note: str = ""


@frozen(kw_only=True)
class Bookmark:
    """How far some work has come that goes on where it stopped.

    Attributes:
        name: which: `outbox:esp:mailchimp`, `import:9f2c...`, `sweep:mailchimp`.
        place: a position of the log, a row, a count: what the work makes of it.
        at: when it was set.
        note: anything else the work must remember.
    """

    name: str
    place: int
    at: datetime
    note: str = ""


class Outbox(Protocol):
    """Tasks, kept until they are done, and the journal of every try."""

    def post(self, tasks: Sequence[Task]) -> int:
        """Write tasks that were never posted before, due at once; return how many were new."""
        ...

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        """Take up to `most` tasks that are due at `at` and that no other worker holds, most urgent, then oldest first.

        Due are also those put off for more than `FARTHEST`, by a clock that was ahead (F64).

        They are this worker's until an instant; what a worker that died held is free again from then on, and as with
        leases where it was taken by a clock more than `CLOCKS_APART` ahead.
        """
        ...

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        """Write what became of tries, let go of the tasks, and set when those still due are tried again.

        What is done is not refused any more: a worker whose hold ran out may be late with that, and only the journal
        keeps it. It may become due again: the late worker may have told what has changed since. Of tasks that are gone
        nothing is written.
        """
        ...

    def tasks(self, *, target: str | None = None, states: Collection[TaskState] = tuple(TaskState)) -> Iterator[Posted]:
        """Yield tasks in the order in which they are done; writes in between do not upset it."""
        ...

    def waiting(self) -> Mapping[tuple[str, TaskKind, TaskState], int]:
        """Count tasks by target, kind and state."""
        ...

    def attempts(self, task_id: EntryId) -> Sequence[Attempt]:
        """Return the journal of one task, in order."""
        ...

    def revive(self, task_ids: Collection[EntryId], *, at: datetime) -> int:
        """Make refused tasks due again, as a person asked; return how many were."""
        ...


class Bookmarks(Protocol):
    """How far work has come that goes on where it stopped: set in the transaction that does the work.

    Also what was settled once for the whole store, as how addresses are matched (F61): a store that loses bookmarks
    would not find its noes again.
    """

    def bookmark(self, name: str) -> Bookmark | None:
        """Return a bookmark."""
        ...

    def mark(self, bookmark: Bookmark) -> None:
        """Set a bookmark, forward or back."""
        ...

    def bookmarks(self, prefix: str = "") -> Sequence[Bookmark]:
        """Return those whose names begin so, by name."""
        ...


class Bindings(Protocol):
    """Which id of an ESP or CRM stands for which key of ours. Keys are ours and stay; their ids may change.

    Never of contacts: an erasure does not look here (O5).
    """

    def bind(self, target: str, kind: str, ours: str, theirs: str) -> None:
        """Note that `theirs` at a target stands for our key of this kind (list, campaign, tag ...); replaces."""
        ...

    def bound(self, target: str, kind: str) -> Mapping[str, str]:
        """Return all of one kind at a target: our key -> their id."""
        ...
