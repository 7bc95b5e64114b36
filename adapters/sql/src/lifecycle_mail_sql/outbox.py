"""The outbox, its journal, bookmarks and bindings in tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, tuple_

from lifecycle_mail.errors import RegistryDamaged
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.ports import CLOCKS_APART, FARTHEST, URGENCY, Attempt, Bookmark, Posted, Task, TaskKind, TaskState
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.parts import PAGE, Part
from lifecycle_mail_sql.texts import follows, optional, plain, reads, stored


class OutboxPart(Part):
    """`ports.Outbox`, `ports.Bookmarks` and `ports.Bindings`."""

    def _prepare(self) -> None:
        super()._prepare()
        tasks, attempts, among = schema.tasks.c, schema.attempts.c, self.dialect.among
        whole = select(schema.people.c.name, *tasks).select_from(
            schema.tasks.outerjoin(schema.people, schema.people.c.no == tasks.person)
        )
        in_order = (tasks.urgency, tasks.no)
        self.__posted = select(tasks.id).where(among(tasks.id, "ids"))
        self.__last_task = select(func.coalesce(func.max(tasks.no), 0))
        free = or_(
            tasks.worker.is_(None),
            tasks.worker == bindparam("worker"),
            tasks.taken_until <= bindparam("now"),
            tasks.taken_at > bindparam("ahead"),  # by a clock that was ahead (F64)
        )
        due = and_(
            tasks.target == bindparam("target"),
            tasks.state == TaskState.DUE.value,
            or_(tasks.due_at <= bindparam("now"), tasks.due_at > bindparam("never")),
        )
        self.__free = whole.where(due, free).order_by(*in_order).limit(bindparam("most"))
        self.__lend = (
            schema.tasks.update()
            .where(among(tasks.no, "tasks"))
            .values(worker=bindparam("by"), taken_at=bindparam("now"), taken_until=bindparam("until"))
        )
        self.__by_id = select(tasks.id, tasks.no, tasks.tries, tasks.state, tasks.due_at).where(among(tasks.id, "ids"))
        self.__settle = (
            schema.tasks.update()
            .where(tasks.no == bindparam("task"))
            .values(
                state=bindparam("now_is"), tries=bindparam("tried"), due_at=bindparam("next"),
                worker=None, taken_at=None, taken_until=None,
            )
        )  # fmt: skip
        self.__last_attempt = select(func.coalesce(func.max(attempts.no), 0))
        self.__page = (
            whole.where(
                tuple_(*in_order) > tuple_(bindparam("urgency"), bindparam("no")),
                among(tasks.state, "states"),
                or_(bindparam("target", type_=schema.Word).is_(None), tasks.target == bindparam("target")),
            )
            .order_by(*in_order)
            .limit(PAGE)
        )
        self.__waiting = select(tasks.target, tasks.kind, tasks.state, func.count()).group_by(
            tasks.target, tasks.kind, tasks.state
        )
        self.__journal = (
            select(attempts.at, attempts.state, attempts.note)
            .join(schema.tasks, tasks.no == attempts.task)
            .where(tasks.id == bindparam("id"))
            .order_by(attempts.no)
        )
        self.__revive = (
            schema.tasks.update()
            .where(among(tasks.id, "ids"), tasks.state == TaskState.REFUSED.value)
            .values(state=TaskState.DUE.value, due_at=bindparam("now"))
        )
        marks = schema.bookmarks
        self.__bookmark = select(marks).where(marks.c.name == bindparam("name"))
        self.__bookmarks = select(marks)
        self.__mark = self.dialect.replace(marks)
        self.__bind = self.dialect.replace(schema.bindings)
        self.__bound = select(schema.bindings.c.ours, schema.bindings.c.theirs).where(
            schema.bindings.c.target == bindparam("target"), schema.bindings.c.kind == bindparam("kind")
        )

    # -- tasks

    def post(self, tasks: Sequence[Task]) -> int:
        """Write tasks that were never posted before."""
        new = {task.id: task for task in reversed(tasks)}
        if not new:
            return 0
        with self.db.writing() as tx:
            for known in tx.execute(self.__posted, {"ids": self.dialect.many(new)}).scalars():
                del new[known]
            people = dict.fromkeys(task.contact_id for task in new.values() if task.contact_id is not None)
            numbers = self.names.number(tx, people)
            last = tx.execute(self.__last_task).scalar_one()
            rows: list[dict[str, Any]] = []
            for task in tasks:
                if new.pop(task.id, None) is None or task.contact_id in numbers.erased:
                    continue
                made = to_micros(task.made_at)
                rows.append(
                    {
                        "no": last + len(rows) + 1,
                        "id": task.id,
                        "target": stored(task.target),
                        "kind": task.kind.value,
                        "urgency": URGENCY[task.kind],
                        "person": 0 if task.contact_id is None else numbers.people[task.contact_id][0],
                        "entry": task.entry,
                        "detail": stored(task.detail),
                        "made_at": made,
                        "state": TaskState.DUE.value,
                        "tries": 0,
                        "due_at": made,
                    }
                )
            if rows:
                tx.execute(schema.tasks.insert(), rows)
        return len(rows)

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        """Take tasks that are due and free."""
        now = to_micros(at)
        with self.db.writing() as tx:
            asked = {
                "target": stored(target), "worker": stored(worker), "now": now, "ahead": to_micros(at + CLOCKS_APART),
                "never": to_micros(at + FARTHEST), "most": most,
            }  # fmt: skip
            rows = tx.execute(self.__free, asked).all()
            if rows:
                numbers = self.dialect.many([row.no for row in rows])
                tx.execute(self.__lend, {"tasks": numbers, "by": stored(worker), "now": now, "until": to_micros(until)})
        return [_task(row) for row in rows]

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        """Write what became of tries."""
        if not attempts:
            return
        with self.db.writing() as tx:
            ids = self.dialect.many({one.task for one in attempts})
            known = {row[0]: list(row[1:]) for row in tx.execute(self.__by_id, {"ids": ids})}
            last = tx.execute(self.__last_attempt).scalar_one()
            journal: list[dict[str, Any]] = []
            settled: list[dict[str, Any]] = []
            for one in attempts:
                if one.task not in known:  # its contact was erased meanwhile, and the task with them
                    continue
                number, tries, state, due = known[one.task]
                at = to_micros(one.at)
                # What is done is not refused by a worker whose hold has run out.
                if state != TaskState.DONE or one.state is not TaskState.REFUSED:
                    state = one.state.value
                if state == TaskState.DUE:
                    due = at if due_at is None else to_micros(due_at)
                known[one.task] = [number, tries + 1, state, due]
                row = {"task": number, "at": at, "state": one.state.value, "note": stored(one.note)}
                journal.append({"no": last + len(journal) + 1, **row})
                settled.append({"task": number, "now_is": state, "tried": tries + 1, "next": due})
            if journal:
                tx.execute(schema.attempts.insert(), journal)
                tx.execute(self.__settle, settled)

    def tasks(self, *, target: str | None = None, states: Collection[TaskState] = tuple(TaskState)) -> Iterator[Posted]:
        """Yield tasks in the order in which they are done."""
        asked = {"target": optional(target), "states": self.dialect.many([state.value for state in states])}
        place = {"urgency": -1, "no": 0}
        while True:
            with self.db.reading() as tx:
                rows = tx.execute(self.__page, {**asked, **place}).all()
            if not rows:
                return
            yield from map(_posted, rows)
            after = {"urgency": rows[-1].urgency, "no": rows[-1].no}
            if not follows((after["urgency"], after["no"]), (place["urgency"], place["no"])):
                raise RegistryDamaged("the tasks are out of order: restore a backup, then sweep")
            place = after

    def waiting(self) -> Mapping[tuple[str, TaskKind, TaskState], int]:
        """Count tasks by target, kind and state."""
        with self.db.reading() as tx:
            rows = tx.execute(self.__waiting).all()
        return dict(map(_waiting, rows))

    def attempts(self, task_id: EntryId) -> Sequence[Attempt]:
        """Return the journal of one task."""
        with self.db.reading() as tx:
            rows = tx.execute(self.__journal, {"id": task_id}).all()
        return [_attempt(task_id, *row) for row in rows]

    def revive(self, task_ids: Collection[EntryId], *, at: datetime) -> int:
        """Make refused tasks due again."""
        with self.db.writing() as tx:
            done = tx.execute(self.__revive, {"ids": self.dialect.many(task_ids), "now": to_micros(at)})
        return int(done.rowcount)

    # -- bookmarks and bindings

    def bookmark(self, name: str) -> Bookmark | None:
        """Return a bookmark."""
        with self.db.reading() as tx:
            row = tx.execute(self.__bookmark, {"name": stored(name)}).one_or_none()
        return None if row is None else _bookmark(row)

    def mark(self, bookmark: Bookmark) -> None:
        """Set a bookmark."""
        with self.db.writing() as tx:
            row = {"name": stored(bookmark.name), "place": bookmark.place, "at": to_micros(bookmark.at)}
            tx.execute(self.__mark, {**row, "note": stored(bookmark.note)})

    def bookmarks(self, prefix: str = "") -> Sequence[Bookmark]:
        """Return those whose names begin so."""
        with self.db.reading() as tx:
            found = [_bookmark(row) for row in tx.execute(self.__bookmarks).all()]
        return sorted((one for one in found if one.name.startswith(prefix)), key=lambda one: one.name)

    def bind(self, target: str, kind: str, ours: str, theirs: str) -> None:
        """Note that `theirs` at a target stands for our key."""
        with self.db.writing() as tx:
            row = {"target": target, "kind": kind, "ours": ours, "theirs": theirs}
            tx.execute(self.__bind, {name: stored(text) for name, text in row.items()})

    def bound(self, target: str, kind: str) -> Mapping[str, str]:
        """Return all of one kind at a target."""
        with self.db.reading() as tx:
            rows = tx.execute(self.__bound, {"target": stored(target), "kind": stored(kind)}).all()
        return {plain(ours): plain(theirs) for ours, theirs in rows}


@reads("a task")
def _task(row: Any) -> Task:
    return Task(
        target=plain(row.target),
        kind=TaskKind(row.kind),
        contact_id=ContactId(plain(row.name)) if row.person else None,
        entry=None if row.entry is None else EntryId(row.entry),
        detail=plain(row.detail),
        made_at=from_micros(row.made_at),
    )


@reads("a task")
def _posted(row: Any) -> Posted:
    return Posted(task=_task(row), state=TaskState(row.state), tries=row.tries, due_at=from_micros(row.due_at))


@reads("a task")
def _waiting(row: Any) -> tuple[tuple[str, TaskKind, TaskState], int]:
    target, kind, state, count = row
    return (plain(target), TaskKind(kind), TaskState(state)), count


@reads("a try of a task")
def _attempt(task_id: EntryId, at: int, state: str, note: str) -> Attempt:
    return Attempt(task=task_id, at=from_micros(at), state=TaskState(state), note=plain(note))


@reads("a bookmark")
def _bookmark(row: Any) -> Bookmark:
    return Bookmark(name=plain(row.name), place=row.place, at=from_micros(row.at), note=plain(row.note))
