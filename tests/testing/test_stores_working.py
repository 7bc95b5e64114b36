"""The suite for stores: what breaks a law of marks, leases, the outbox, bookmarks or what is set aside is caught."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.ports import Attempt, Bookmark, Marks, Posted, SetAside, Task, TaskState
from tests.testing.suites import breaks, suite_of

# --- marks ----------------------------------------------------------------------------------------------------------


class ForgetsANo(MemoryStore):
    """Keeps the widest no only."""

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        found = super().marks(keys)
        return {key: evolve(one, noes=frozenset(sorted(one.noes)[:1])) for key, one in found.items()}


class NeverReads(MemoryStore):
    """Takes what is held for what stands."""

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        found = {key: evolve(one, read=False) for key, one in super().marks(keys).items()}
        return {key: one for key, one in found.items() if one != Marks()}


class AnswersForAll(MemoryStore):
    """Names those with nothing against them as well."""

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        return {**dict.fromkeys(keys, Marks()), **super().marks(keys)}


class ForgetsWhereTheyWere(MemoryStore):
    """Does not link who moved to the address that they left."""

    def _marks(self, forms: Collection[str], intricate: dict[ContactId, bool]) -> Marks:
        self._by_old_key.clear()
        return super()._marks(forms, intricate)


class LooksAtTheLatest(MemoryStore):
    """Tells by the latest entry whether somebody must be read."""

    def _is_intricate(self, contact_id: ContactId) -> bool:
        records = self._by_contact[contact_id]
        self._by_contact[contact_id] = dict(list(records.items())[-1:])
        found = super()._is_intricate(contact_id)
        self._by_contact[contact_id] = records
        return found


class MarksTheAddressOnly(MemoryStore):
    """Overlooks a no that names somebody without an address."""

    def _is_intricate(self, contact_id: ContactId) -> bool:
        records = self._by_contact[contact_id]
        self._by_contact[contact_id] = {
            seq: record
            for seq, record in records.items()
            if record.entry.subject.key is not None or not isinstance(record.entry, OptOut)
        }
        found = super()._is_intricate(contact_id)
        self._by_contact[contact_id] = records
        return found


# --- leases ---------------------------------------------------------------------------------------------------------


class EternalLease(MemoryStore):
    """Never lets a lease run out."""

    def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
        held = self._leases.get(work)
        return (held is None or held.worker == worker) and super().begin(work, worker, at=at, until=until)


class TrustsEveryClock(MemoryStore):
    """Holds work for a clock that was years ahead."""

    def begin(self, work: str, worker: str, *, at: datetime, until: datetime) -> bool:
        held = self._leases.get(work)
        if held is not None and held.worker != worker and held.until > at:
            return False
        return super().begin(work, worker, at=at, until=until)


class AnybodyFinishes(MemoryStore):
    """Ends anybody's lease."""

    def finish(self, work: str, worker: str) -> None:
        self._leases.pop(work, None)


# --- the outbox -----------------------------------------------------------------------------------------------------


class GivesToTwo(MemoryStore):
    """Lets two workers have one task."""

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        return super().take(target, worker, most=most, at=at, until=at)


class LooksThenTakes(MemoryStore):
    """Looks first and takes later, with others in between."""

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        free = [
            kept.posted.task
            for kept in list(self._due.get(target, {}).values())
            if kept.hold is None or not kept.hold.keeps_out(worker, at)
        ]
        super().take(target, worker, most=most, at=at, until=until)
        return free[:most]


class WaitsForYears(MemoryStore):
    """Takes a task only once it is due, however far ahead that lies."""

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        late = {posted.task.id for posted in self.tasks(target=target) if posted.due_at > at}
        found = super().take(target, worker, most=most, at=at, until=until)
        return [task for task in found if task.id not in late]


class TakesForYears(MemoryStore):
    """Holds a task for a clock that was years ahead."""

    def take(self, target: str, worker: str, *, most: int, at: datetime, until: datetime) -> Sequence[Task]:
        held = {one for one, kept in self._due[target].items() if kept.hold is not None and kept.hold.worker != worker}
        kept = {one: self._due[target].pop(one) for one in held if self._due[target][one].hold.until > at}  # type: ignore[union-attr]
        taken = super().take(target, worker, most=most, at=at, until=until)
        self._due[target].update(kept)
        return taken


class FirstComeFirstServed(MemoryStore):
    """Does what is oldest."""

    def _keep(self, kept: Any) -> None:
        object.__setattr__(kept, "place", (0, kept.number))
        super()._keep(kept)


class LastComeFirstServed(MemoryStore):
    """Does what is newest."""

    def _keep(self, kept: Any) -> None:
        object.__setattr__(kept, "place", (kept.place[0], -kept.number))
        super()._keep(kept)


class PostsAgain(MemoryStore):
    """Forgets what is done, and takes it for new."""

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        super().note(attempts, due_at=due_at)
        for attempt in attempts:
            if attempt.state is TaskState.DONE:
                self._tasks.pop(attempt.task, None)


class NeverLetsGo(MemoryStore):
    """Keeps a task for the worker who tried it."""

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        holds = {one: kept.hold for one, kept in self._tasks.items()}
        super().note(attempts, due_at=due_at)
        for one, kept in list(self._tasks.items()):
            self._keep(evolve(kept, hold=holds.get(one)))


class ForgetsWhenItIsDue(MemoryStore):
    """Tries again at once, whatever was said."""

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        super().note(attempts)


class NotesStrangers(MemoryStore):
    """Writes down tries of tasks that it does not have."""

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        super().note(attempts, due_at=due_at)
        for attempt in attempts:
            self._attempts.setdefault(attempt.task, (attempt,))


class KeepsTheLatestTry(MemoryStore):
    """Has one line for each task in its journal."""

    def attempts(self, task_id: EntryId) -> Sequence[Attempt]:
        return super().attempts(task_id)[-1:]


class RevivesTheDone(MemoryStore):
    """Makes everything due again."""

    def revive(self, task_ids: Collection[EntryId], *, at: datetime) -> int:
        found = [self._tasks[one] for one in set(task_ids) & self._tasks.keys()]
        for kept in found:
            self._keep(evolve(kept, posted=Posted(task=kept.posted.task, due_at=at)))
        return len(found)


class BelievesTheLatest(MemoryStore):
    """Takes the latest answer for the outcome, whoever gives it."""

    def note(self, attempts: Sequence[Attempt], *, due_at: datetime | None = None) -> None:
        super().note(attempts, due_at=due_at)
        for one in attempts:
            kept = self._tasks.get(one.task)
            if kept is not None:
                self._keep(evolve(kept, posted=evolve(kept.posted, state=one.state)))


# --- bookmarks, bindings, and what is set aside ---------------------------------------------------------------------


class OnlyForward(MemoryStore):
    """Sets no bookmark back."""

    def mark(self, bookmark: Bookmark) -> None:
        before = self._bookmarks.get(bookmark.name)
        if before is None or before.place < bookmark.place:
            super().mark(bookmark)


class ReadsPatterns(MemoryStore):
    """Takes a prefix for a pattern."""

    def bookmarks(self, prefix: str = "") -> Sequence[Bookmark]:
        pattern = prefix.replace("%", "*").replace("_", "?") + "*"
        return [one for one in super().bookmarks() if fnmatchcase(one.name, pattern)]


class BindsByKey(MemoryStore):
    """Has one id for each key, whatever it stands for."""

    def bind(self, target: str, kind: str, ours: str, theirs: str) -> None:
        super().bind(target, "any", ours, theirs)

    def bound(self, target: str, kind: str) -> Mapping[str, str]:
        return super().bound(target, "any")


class LatestAside(MemoryStore):
    """Replaces what waits."""

    def set_aside(self, entries: Sequence[SetAside]) -> None:
        super().take_back([one.entry.id for one in entries])
        super().set_aside(list({one.entry.id: one for one in entries}.values()))


class AsideAsTheyCame(MemoryStore):
    """Orders what waits by its coming."""

    def aside(self) -> Sequence[SetAside]:
        return list(self._aside.values())


STORES: dict[type[MemoryStore], str] = {
    ForgetsANo: "test_noes_and_suppressions_add_up",
    NeverReads: "test_who_came_back_or_has_two_addresses_must_be_read",
    AnswersForAll: "test_an_address_with_nothing_against_it_is_left_out",
    ForgetsWhereTheyWere: "test_a_former_address_must_be_read",
    LooksAtTheLatest: "test_marks_agree_with_a_plain_reading_of_the_log",
    MarksTheAddressOnly: "test_marks_that_need_no_reading_say_what_a_reading_says",
    EternalLease: "test_a_worker_that_died_keeps_a_campaign_until_its_lease_ends",
    TrustsEveryClock: "test_a_clock_that_was_ahead_holds_no_work",
    AnybodyFinishes: "test_a_campaign_that_was_given_back_is_free",
    GivesToTwo: "test_a_task_has_one_worker",
    TakesForYears: "test_a_clock_that_was_ahead_holds_no_task",
    WaitsForYears: "test_a_clock_that_was_ahead_puts_off_no_task",
    FirstComeFirstServed: "test_the_most_urgent_goes_first_then_the_oldest",
    LastComeFirstServed: "test_the_order_of_a_batch_is_kept",
    PostsAgain: "test_a_task_is_posted_once",
    NeverLetsGo: "test_noting_lets_go_of_a_task",
    ForgetsWhenItIsDue: "test_noting_lets_go_of_a_task",
    NotesStrangers: "test_a_task_that_is_gone_is_not_noted",
    KeepsTheLatestTry: "test_tries_are_counted_and_written_down",
    BelievesTheLatest: "test_what_is_done_is_refused_by_nobody",
    RevivesTheDone: "test_only_what_was_refused_is_revived",
    OnlyForward: "test_a_bookmark_is_set_forward_and_back",
    ReadsPatterns: "test_bookmarks_are_found_by_how_their_names_begin",
    BindsByKey: "test_what_is_bound_is_found_by_target_and_kind",
    LatestAside: "test_each_is_kept_once",
    AsideAsTheyCame: "test_they_come_in_order_of_the_instant_then_of_the_id",
}


@pytest.mark.parametrize(("broken", "caught_by"), STORES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_store_that_breaks_a_law_of_working_is_caught(broken: type[MemoryStore], caught_by: str) -> None:
    """By the test of that law (E5)."""
    assert breaks(suite_of(broken), caught_by)


def test_taking_that_is_not_atomic_can_be_caught() -> None:
    """A race does not show every time; the suite's eight threads show it soon (F19)."""
    name = "test_of_many_workers_each_task_is_taken_by_one"
    assert any(breaks(suite_of(LooksThenTakes), name) for _ in range(20))
