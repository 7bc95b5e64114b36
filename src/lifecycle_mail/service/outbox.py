"""The outbox: what ESPs and a CRM must be told, and telling them (E2, O9); its idea is in `ports.outbox`.

Draining has two steps for each target. First what the log gained since the target's bookmark becomes tasks, a chunk
and the bookmark in one transaction, so that no entry is left out and none is made into tasks twice. Then tasks are
taken and done, most urgent first (F29), by as many workers as there are.

A task is held by one worker at a time. Whatever is told may be told again: a worker that dies anywhere leaves each
task due or done, and what it may have told already is at most repeated (F3, F4).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import count

from attrs import field, frozen

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.ports import LARGEST_CHUNK, Attempt, Bookmark, Crm, Esp, Store, Task, TaskKind, TaskState
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.retrying import again, in_transaction
from lifecycle_mail.service.telling import AGAIN, Teller, of_crm, of_esp, without_addresses


@frozen(kw_only=True)
class Drained:
    """What draining the outbox did.

    Attributes:
        told: how many tasks were done, by kind.
        moot: how many had nothing to tell any more: overridden by the person, known there already, or of somebody who
            is gone. Nothing is wrong; the journal says which.
        refused: how many the target refused for good; kept, with the reason, for a person to look at.
        left: how many are still due.
        problems: what stopped a target for now, by its name; what is due there is tried again by a later call.
    """

    told: Counter[str] = field(factory=Counter)
    moot: int = 0
    refused: int = 0
    left: int = 0
    problems: Mapping[str, EspError] = field(factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{self.told[kind]} {kind.value}" for kind in TaskKind if self.told[kind])
        parts = [f"told {told or 'nothing'}"]
        counts = (("passed over", self.moot), ("refused", self.refused), ("left", self.left))
        parts += [f"{name} {many}" for name, many in counts if many]
        stopped = [f"{target} stopped: {problem}" for target, problem in self.problems.items()]
        return "; ".join([", ".join(parts), *stopped])


def drain(
    tellers: Sequence[Teller], store: Store, *, clock: Clock, wait: Callable[[int], None], most: int | None
) -> Drained:
    """Tell every target what is due; see `Lifecycle.drain`."""
    for teller in tellers:
        if teller.reads_log:
            _look_through(teller, store, clock=clock, wait=wait)
        left = sys.maxsize if most is None else most
        while left > 0 and teller.problem is None:
            done = teller.step(left)
            if not done:
                break
            left -= done
    targets = {teller.target for teller in tellers}
    waiting = again(store.waiting, wait=wait)
    return Drained(
        told=sum((teller.told for teller in tellers), Counter[str]()),
        moot=sum(teller.moot for teller in tellers),
        refused=sum(teller.refused for teller in tellers),
        left=sum(many for (target, _, state), many in waiting.items() if target in targets and state is TaskState.DUE),
        problems={teller.target: teller.problem for teller in tellers if teller.problem is not None},
    )


def _look_through(teller: Teller, store: Store, *, clock: Clock, wait: Callable[[int], None]) -> None:
    """Make tasks of what the log gained since the target's bookmark."""
    name = f"outbox:{teller.target}"

    def look() -> bool:
        mark = store.bookmark(name)
        after = 0 if mark is None else mark.place
        records = list(store.records(after=after, until=after + LARGEST_CHUNK))
        if not records:
            return False
        store.post([task for record in records for task in teller.tasks_of(record)])
        store.mark(Bookmark(name=name, place=records[-1].seq, at=clock()))
        return len(records) == LARGEST_CHUNK

    def is_through() -> bool:
        mark = store.bookmark(name)
        return mark is not None and mark.place >= store.position()

    if again(is_through, wait=wait):
        return
    lease = Lease(store, name, clock=clock, wait=wait)
    if not lease.take():  # another worker looks; what it posts is done by both
        return
    try:
        while in_transaction(store, look, wait=wait) and lease.keep():
            pass
    finally:
        lease.give_back()


# -- tasks that come from no log entry


def post_again(store: Store, esp: Esp, contact_id: ContactId, noes: Collection[EntryId], *, at: datetime) -> None:
    """Post noes that an ESP must hear again: it says that somebody is subscribed, as of an instant, who is out (F30).

    In the transaction that takes the report; the same report posts it once.
    """
    store.post(
        [
            Task(
                target=of_esp(esp), kind=TaskKind.OPT_OUT, contact_id=contact_id, entry=no,
                detail=f"{AGAIN} {at.isoformat()}", made_at=at,
            )
            for no in sorted(noes)
        ]
    )  # fmt: skip


def post_pictures(store: Store, crm: Crm | None, contact_ids: Collection[ContactId], *, now: datetime) -> None:
    """Post that contacts have changed, in the transaction that changes them."""
    if crm is None or not contact_ids:
        return
    target, moment, ids = of_crm(crm), now.isoformat(), set(contact_ids)
    for number in count():  # several changes within one tick of the clock are a task each
        detail = f"{moment} {number}"
        tasks = [
            Task(target=target, kind=TaskKind.PICTURE, contact_id=one, detail=detail, made_at=now)
            for one in sorted(ids)
        ]
        if store.post(tasks) == len(tasks):  # else some are shown once more than they need to be
            return


def of_sync(esp: Esp) -> str:
    """Return the target that stands for showing contacts to an ESP; only a sync does what is posted to it."""
    return f"sync:{esp.name}"


def keep_refused(store: Store, esp: Esp, refused: Mapping[ContactId, EspError], *, now: datetime) -> None:
    """Keep whom an ESP refused for good, with the reason, for a person to look at: no sync tries them again (F28)."""
    tasks = {
        one: Task(target=of_sync(esp), kind=TaskKind.CONTACT, contact_id=one, detail=now.isoformat(), made_at=now)
        for one in refused
    }
    store.post(list(tasks.values()))
    store.note(
        [
            Attempt(task=task.id, at=now, state=TaskState.REFUSED, note=without_addresses(str(refused[one])))
            for one, task in tasks.items()
        ]
    )


def post_tags(
    store: Store, esp: Esp, contact_ids: Collection[ContactId], tag: str, *, present: bool, now: datetime
) -> None:
    """Post that contacts now carry a tag, or no longer do, in the transaction that changes it."""
    store.post(
        [
            Task(
                target=of_esp(esp), kind=TaskKind.TAG if present else TaskKind.UNTAG, contact_id=one,
                detail=f"{now.isoformat()} {tag}", made_at=now,
            )
            for one in contact_ids
        ]
    )  # fmt: skip
