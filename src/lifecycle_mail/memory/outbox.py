"""The outbox, bookmarks, bindings, and suppressions set aside, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest

from attrs import evolve, field, frozen

from lifecycle_mail.memory.claims import Hold
from lifecycle_mail.memory.log import Log
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.ports import FARTHEST, URGENCY, Attempt, Bookmark, Posted, SetAside, Task, TaskKind, TaskState


@frozen
class _Kept:
    """A task with its place in the order, and who has taken it."""

    posted: Posted
    number: int
    hold: Hold | None = None
    place: tuple[int, int] = field(init=False)

    @place.default
    def _make_place(self) -> tuple[int, int]:
        return URGENCY[self.posted.task.kind], self.number


class Posting(Log):
    """The ports `Outbox`, `Bookmarks`, `Bindings` and `Aside`."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        self._tasks: dict[EntryId, _Kept] = {}
        self._due: dict[str, dict[EntryId, _Kept]] = defaultdict(dict)  # by target, so that what is done costs nothing
        self._attempts: dict[EntryId, tuple[Attempt, ...]] = {}
        self._posted = 0
        self._bookmarks: dict[str, Bookmark] = {}
        self._bindings: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        self._aside: dict[EntryId, SetAside] = {}

    # -- the outbox

    def post(self, tasks: Sequence[Task]) -> int:
        """Write tasks that were never posted before."""
        with self._lock:
            self._enter("post")
            new = 0
            for given in tasks:
                whose = given.contact_id
                task = given if whose is None else evolve(given, contact_id=self._stored(whose))
                if task.id not in self._tasks:
                    self._posted += 1  # numbers need no undoing: gaps in the order are no harm
                    self._keep(_Kept(Posted(task=task, due_at=task.made_at), self._posted))
                    new += 1
            return new

    def _keep(self, kept: _Kept) -> None:
        task = kept.posted.task
        self._set(self._tasks, task.id, kept)
        if kept.posted.state is TaskState.DUE:
            self._set(self._due[task.target], task.id, kept)
        else:
            self._drop(self._due[task.target], task.id)

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        """Take tasks that are due and that no other worker holds."""
        with self._lock:
            self._enter("take")
            free = (
                kept
                for kept in self._due.get(target, {}).values()
                if (kept.posted.due_at <= at or kept.posted.due_at > at + FARTHEST)
                and (kept.hold is None or not kept.hold.keeps_out(worker, at))
            )
            taken = nsmallest(most, free, key=lambda kept: kept.place)
            for kept in taken:
                self._keep(evolve(kept, hold=Hold(worker, at, until)))
            return [kept.posted.task for kept in taken]

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        """Write what became of tries, and let go of the tasks; of tasks that were erased meanwhile nothing is kept."""
        with self._lock:
            self._enter("note")
            for attempt in attempts:
                kept = self._tasks.get(attempt.task)
                if kept is None:
                    continue
                stays = kept.posted.state is TaskState.DONE and attempt.state is TaskState.REFUSED
                state = TaskState.DONE if stays else attempt.state
                posted = evolve(kept.posted, state=state, tries=kept.posted.tries + 1)
                if state is TaskState.DUE:
                    posted = evolve(posted, due_at=due_at or attempt.at)
                self._set(self._attempts, attempt.task, (*self._attempts.get(attempt.task, ()), attempt))
                self._keep(evolve(kept, posted=posted, hold=None))

    def tasks(self, *, target: str | None = None, states: Collection[TaskState] = tuple(TaskState)) -> Iterator[Posted]:
        """Yield tasks in the order in which they are done."""
        with self._lock:
            self._enter("tasks")
            found = [
                kept
                for kept in self._tasks.values()
                if kept.posted.state in states and target in (None, kept.posted.task.target)
            ]
            return iter([kept.posted for kept in sorted(found, key=lambda kept: kept.place)])

    def waiting(self) -> Mapping[tuple[str, TaskKind, TaskState], int]:
        """Count tasks by target, kind and state."""
        with self._lock:
            self._enter("waiting")
            posted = [kept.posted for kept in self._tasks.values()]
            return Counter((one.task.target, one.task.kind, one.state) for one in posted)

    def attempts(self, task_id: EntryId) -> Sequence[Attempt]:
        """Return the journal of one task."""
        with self._lock:
            self._enter("attempts")
            return self._attempts.get(task_id, ())

    def revive(self, task_ids: Collection[EntryId], *, at: datetime) -> int:
        """Make refused tasks due again."""
        with self._lock:
            self._enter("revive")
            found = [self._tasks[one] for one in set(task_ids) & self._tasks.keys()]
            refused = [kept for kept in found if kept.posted.state is TaskState.REFUSED]
            for kept in refused:
                self._keep(evolve(kept, posted=evolve(kept.posted, state=TaskState.DUE, due_at=at)))
            return len(refused)

    def _erase_tasks(self, contact_id: str, entries: Collection[EntryId]) -> None:
        for kept in list(self._tasks.values()):
            task = kept.posted.task
            if task.contact_id == contact_id or task.entry in entries:
                self._drop(self._tasks, task.id)
                self._drop(self._due[task.target], task.id)
                self._drop(self._attempts, task.id)

    # -- bookmarks and bindings

    def bookmark(self, name: str) -> Bookmark | None:
        """Return a bookmark."""
        with self._lock:
            self._enter("bookmark")
            return self._bookmarks.get(name)

    def mark(self, bookmark: Bookmark) -> None:
        """Set a bookmark."""
        with self._lock:
            self._enter("mark")
            self._set(self._bookmarks, bookmark.name, bookmark)

    def bookmarks(self, prefix: str = "") -> Sequence[Bookmark]:
        """Return those whose names begin so, by name."""
        with self._lock:
            self._enter("bookmarks")
            return [self._bookmarks[name] for name in sorted(self._bookmarks) if name.startswith(prefix)]

    def bind(self, target: str, kind: str, ours: str, theirs: str) -> None:
        """Note that `theirs` at a target stands for our key of this kind."""
        with self._lock:
            self._enter("bind")
            self._set(self._bindings[target, kind], ours, theirs)

    def bound(self, target: str, kind: str) -> Mapping[str, str]:
        """Return all of one kind at a target."""
        with self._lock:
            self._enter("bound")
            return dict(self._bindings.get((target, kind), {}))

    # -- suppressions set aside

    def set_aside(self, entries: Sequence[SetAside]) -> None:
        """Keep suppressions for a person to decide, each once."""
        with self._lock:
            self._enter("set_aside")
            for given in entries:
                entry = self._without_names(given.entry, self._erased_names(given.entry))
                if entry.id not in self._aside:
                    self._set(self._aside, entry.id, evolve(given, entry=entry))

    def aside(self) -> Sequence[SetAside]:
        """Return all that wait, in order of the instant, then of the id."""
        with self._lock:
            self._enter("aside")
            return sorted(self._aside.values(), key=lambda one: (one.at, one.entry.id))

    def take_back(self, entry_ids: Collection[EntryId]) -> Sequence[SetAside]:
        """Stop keeping these, and return them."""
        with self._lock:
            self._enter("take_back")
            found = [self._drop(self._aside, one) for one in sorted(set(entry_ids) & self._aside.keys())]
            return sorted((one for one in found if one is not None), key=lambda one: (one.at, one.entry.id))

    def _erase_aside(self, names: Collection[str]) -> None:
        for one in list(self._aside.values()):
            if one.entry.subject.contact_id in names or one.entry.subject.key in names:
                self._drop(self._aside, one.entry.id)
