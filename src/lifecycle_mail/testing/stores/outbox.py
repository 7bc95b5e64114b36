"""The laws of the outbox: nothing that must be told is lost, and nobody tells it twice at once."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.ports import CLOCKS_APART, FARTHEST, Attempt, Posted, Store, Task, TaskKind, TaskState
from lifecycle_mail.testing.builders import frozen_now
from lifecycle_mail.testing.stores.making import MakesStores

MAILCHIMP, ACME = "esp:mailchimp", "crm:acme"
MINUTE, DAY, YEARS = timedelta(minutes=1), timedelta(days=1), timedelta(days=3650)
MOMENT = timedelta(microseconds=1)
ALL = 1_000


def task(who: str | None = "ada", kind: TaskKind = TaskKind.TAG, *, target: str = MAILCHIMP, detail: str = "") -> Task:
    """Return a task about somebody."""
    contact_id = None if who is None else ContactId(who)
    return Task(target=target, kind=kind, contact_id=contact_id, detail=detail, made_at=frozen_now)


def tried(one: Task, state: TaskState, minutes: float = 0, note: str = "") -> Attempt:
    """Return what became of a try that ended so many minutes after now."""
    return Attempt(task=one.id, at=frozen_now + minutes * MINUTE, state=state, note=note)


def take(
    store: Store, worker: str = "one", *, target: str = MAILCHIMP, most: int = ALL, minutes: float = 0
) -> list[Task]:
    """Take tasks so many minutes after now, for a minute."""
    at = frozen_now + minutes * MINUTE
    return list(store.take(target, worker, most=most, at=at, until=at + MINUTE))


class OutboxConformance(MakesStores, suite=True):
    """The laws of `ports.Outbox`."""

    # -- posting

    def test_a_task_is_posted_once(self) -> None:
        """Within a batch, again later, with another instant, and after it was done (E2)."""
        one, other = task("ada"), task("bob")
        with self.opened() as store:
            assert 0 == store.post([])
            assert 1 == store.post([one, one])
            assert 1 == store.post([one, evolve(one, made_at=frozen_now + DAY), other])
            store.note([tried(one, TaskState.DONE)])
            assert 0 == store.post([one, other])
            assert [TaskState.DONE, TaskState.DUE] == [posted.state for posted in store.tasks()]

    def test_a_task_comes_back_whole(self) -> None:
        """Every attribute is kept, those that are missing among them, and what is told differs by any of them."""
        tasks = [
            Task(
                target=MAILCHIMP,
                kind=TaskKind.OPT_OUT,
                contact_id=ContactId("Ünï-🎉/ada"),
                entry=EntryId("0" * 32),
                detail="with 'quotes', a \N{SNOWMAN}\nand a second line",
                made_at=frozen_now + MOMENT,
            ),
            Task(target=MAILCHIMP, kind=TaskKind.OPT_OUT, entry=EntryId("0" * 32), made_at=frozen_now),
            Task(target=MAILCHIMP, kind=TaskKind.OPT_OUT, entry=EntryId("1" * 32), made_at=frozen_now),
            Task(target=MAILCHIMP, kind=TaskKind.TAG, contact_id=ContactId("ada"), detail="a", made_at=frozen_now),
            Task(target=MAILCHIMP, kind=TaskKind.TAG, contact_id=ContactId("ada"), detail="b", made_at=frozen_now),
            Task(target=MAILCHIMP, kind=TaskKind.UNTAG, contact_id=ContactId("ada"), detail="b", made_at=frozen_now),
        ]
        with self.opened() as store:
            assert len(tasks) == store.post(tasks)
            assert [Posted(task=one, due_at=one.made_at) for one in tasks] == list(store.tasks())
            assert tasks == take(store, minutes=1)

    # -- the order

    def test_the_most_urgent_goes_first_then_the_oldest(self) -> None:
        """After an outage the noes go before pictures, and these before tags, in the order posted (F29)."""
        posted = [task(f"{kind}-{turn}", kind) for turn in "zya" for kind in reversed(TaskKind)]
        expected = [task(f"{kind}-{turn}", kind) for kind in TaskKind for turn in "zya"]
        with self.opened() as store:
            for one in posted:
                store.post([one])
            assert expected == [found.task for found in store.tasks()]
            assert expected[:5] == take(store, most=5)
            assert expected[5:] == take(store, "two")

    def test_the_order_of_a_batch_is_kept(self) -> None:
        """What is posted at once is done in the order given, whatever the tasks are called."""
        posted = [task(f"c{number * 37 % 101}") for number in range(100)]
        with self.opened() as store:
            store.post(posted)
            assert posted == [found.task for found in store.tasks()]
            assert posted[:10] == take(store, most=10)

    def test_tasks_can_be_asked_for_by_target_and_state(self) -> None:
        """Any of them, all of them, and none."""
        due, done, refused, elsewhere = task("a"), task("b"), task("c"), task("d", target=ACME)
        with self.opened() as store:
            store.post([due, done, refused, elsewhere])
            store.note([tried(done, TaskState.DONE), tried(refused, TaskState.REFUSED)])
            assert [due, done, refused] == [found.task for found in store.tasks(target=MAILCHIMP)]
            assert [due, elsewhere] == [found.task for found in store.tasks(states=[TaskState.DUE])]
            both = {TaskState.DONE, TaskState.REFUSED}
            assert [done, refused] == [found.task for found in store.tasks(target=MAILCHIMP, states=both)]
            assert [] == list(store.tasks(target="esp:nobody"))
            assert [] == list(store.tasks(states=[]))

    def test_reading_tasks_is_not_upset_by_writes(self) -> None:
        """Tasks may be noted while they are read one by one."""
        with self.opened() as store:
            store.post([task(name) for name in "abcd"])
            seen = []
            for found in store.tasks(states=[TaskState.DUE]):
                seen.append(found.task.contact_id)
                store.note([tried(found.task, TaskState.DONE)])
            assert list("abcd") == seen

    def test_what_waits_is_counted(self) -> None:
        """By target, kind and state, what is done among it."""
        with self.opened() as store:
            assert {} == dict(store.waiting())
            store.post([task("a"), task("b"), task("c"), task("a", TaskKind.PICTURE), task("a", target=ACME)])
            store.note([tried(task("b"), TaskState.REFUSED), tried(task("c"), TaskState.DONE)])
            expected = {
                (MAILCHIMP, TaskKind.TAG, TaskState.DUE): 1,
                (MAILCHIMP, TaskKind.TAG, TaskState.REFUSED): 1,
                (MAILCHIMP, TaskKind.TAG, TaskState.DONE): 1,
                (MAILCHIMP, TaskKind.PICTURE, TaskState.DUE): 1,
                (ACME, TaskKind.TAG, TaskState.DUE): 1,
            }
            assert expected == {what: count for what, count in store.waiting().items() if count}

    # -- taking

    def test_a_task_has_one_worker(self) -> None:
        """What one has taken nobody else takes; the one who has it may take it again, and so prolongs it."""
        with self.opened() as store:
            store.post([task(name) for name in "abc"])
            assert [task("a"), task("b")] == take(store, "one", most=2)
            assert [task("c")] == take(store, "two")
            assert [] == take(store, "three")
            assert [task("a"), task("b")] == take(store, "one", minutes=0.5)
            assert [task("c")] == take(store, "three", minutes=1)

    def test_only_its_own_target_is_taken_from(self) -> None:
        """Each target is drained by itself."""
        with self.opened() as store:
            store.post([task("ada"), task("ada", target=ACME)])
            assert [] == take(store, target="esp:nobody")
            assert [task("ada", target=ACME)] == take(store, target=ACME)
            assert [task("ada")] == take(store, "two")

    def test_what_a_worker_that_died_held_is_free_from_its_end_on(self) -> None:
        """Not a moment before (F7)."""
        with self.opened() as store:
            store.post([task()])
            take(store, "one")
            end = frozen_now + MINUTE
            assert [] == list(store.take(MAILCHIMP, "two", most=1, at=end - MOMENT, until=end + MINUTE))
            assert [task()] == list(store.take(MAILCHIMP, "two", most=1, at=end, until=end + MINUTE))

    def test_a_clock_that_was_ahead_puts_off_no_task(self) -> None:
        """What is due later than `FARTHEST` was posted, or put off, by a clock that was ahead: it is due (F64)."""
        ahead = evolve(task(), made_at=frozen_now + YEARS)
        with self.opened() as store:
            store.post([ahead])
            edge = frozen_now + YEARS - FARTHEST
            assert [] == list(store.take(MAILCHIMP, "one", most=1, at=edge, until=edge + MINUTE))
            assert [ahead] == list(store.take(MAILCHIMP, "one", most=1, at=frozen_now, until=frozen_now + MINUTE))

    def test_a_clock_that_was_ahead_holds_no_task(self) -> None:
        """What was taken more than `CLOCKS_APART` after now is free; what was taken just within it is not (F64)."""
        ahead = frozen_now + YEARS
        soon = ahead - CLOCKS_APART
        with self.opened() as store:
            store.post([task()])
            assert [task()] == list(store.take(MAILCHIMP, "one", most=1, at=ahead, until=ahead + MINUTE))
            assert [] == list(store.take(MAILCHIMP, "two", most=1, at=soon, until=ahead + MINUTE))
            assert [task()] == list(store.take(MAILCHIMP, "two", most=1, at=soon - MOMENT, until=ahead + MINUTE))

    # -- noting

    def test_a_task_that_is_done_is_not_taken_again(self) -> None:
        """Nor one that was refused."""
        with self.opened() as store:
            store.post([task("a"), task("b"), task("c")])
            take(store)
            store.note([tried(task("a"), TaskState.DONE), tried(task("b"), TaskState.REFUSED)])
            assert [task("c")] == take(store, "two", minutes=1)

    def test_noting_lets_go_of_a_task(self) -> None:
        """A task that is still due may be taken by anybody at once, or from the instant that was set."""
        with self.opened() as store:
            store.post([task()])
            take(store, "one")
            store.note([tried(task(), TaskState.DUE, 0.1)])
            assert [task()] == take(store, "two", minutes=0.1)
            store.note([tried(task(), TaskState.DUE, 0.2)], due_at=frozen_now + DAY)
            assert [] == list(
                store.take(MAILCHIMP, "two", most=1, at=frozen_now + DAY - MOMENT, until=frozen_now + DAY)
            )
            assert [task()] == list(store.take(MAILCHIMP, "two", most=1, at=frozen_now + DAY, until=frozen_now + DAY))

    def test_tries_are_counted_and_written_down(self) -> None:
        """The journal holds each in order, with its note; the task says how often it was tried and when it is next."""
        other = task("bob")
        tries = [
            tried(task(), TaskState.DUE, 1, "503"),
            tried(task(), TaskState.DUE, 2, "it's \N{SNOWMAN}"),
            tried(task(), TaskState.DONE, 3),
        ]
        with self.opened() as store:
            assert [] == list(store.attempts(task().id))
            store.post([task(), other])
            store.note(tries[:1])
            store.note([tries[1], tried(other, TaskState.DUE, 2)], due_at=frozen_now + DAY)
            waiting = [Posted(task=one, tries=n, due_at=frozen_now + DAY) for one, n in ((task(), 2), (other, 1))]
            assert waiting == list(store.tasks())
            store.note(tries[2:])
            assert tries == list(store.attempts(task().id))
            assert [tried(other, TaskState.DUE, 2)] == list(store.attempts(other.id))
            (done,) = store.tasks(states=[TaskState.DONE])
            assert (task(), TaskState.DONE, 3) == (done.task, done.state, done.tries)

    def test_what_is_done_is_refused_by_nobody(self) -> None:
        """A worker whose hold ran out comes late with a refusal: the journal keeps it, the task does not."""
        with self.opened() as store:
            store.post([task("a"), task("b")])
            take(store, "one")
            take(store, "two", minutes=2)
            store.note([tried(task("a"), TaskState.DONE, 2)])
            store.note([tried(task("a"), TaskState.REFUSED, 3, "no")])
            store.note([tried(task("b"), TaskState.DONE, 2), tried(task("b"), TaskState.REFUSED, 3)])
            assert [(TaskState.DONE, 2)] * 2 == [(found.state, found.tries) for found in store.tasks()]
            assert ["", "no"] == [attempt.note for attempt in store.attempts(task("a").id)]
            assert [] == take(store, "three", minutes=24 * 60 + 1)

    def test_what_was_told_late_is_due_again(self) -> None:
        """A worker whose hold ran out may have told what has changed since: it says so, and it is told once more."""
        with self.opened() as store:
            store.post([task("a")])
            take(store, "one")
            take(store, "two", minutes=2)
            store.note([tried(task("a"), TaskState.DONE, 2)])
            store.note([tried(task("a"), TaskState.DUE, 3)], due_at=frozen_now)
            assert [TaskState.DUE] == [found.state for found in store.tasks()]
            assert [task("a")] == list(take(store, "three", minutes=4))

    def test_a_task_that_is_gone_is_not_noted(self) -> None:
        """Somebody may be erased while a worker has their task: nothing of it comes back (O5)."""
        with self.opened() as store:
            store.post([task("bob")])
            store.note([tried(task("ada"), TaskState.DONE), tried(task("bob"), TaskState.DONE)])
            assert [] == list(store.attempts(task("ada").id))
            assert [(task("bob"), TaskState.DONE)] == [(found.task, found.state) for found in store.tasks()]

    def test_only_what_was_refused_is_revived(self) -> None:
        """It is due at the instant given, with its journal; what is due, done or unknown is passed over."""
        due, done, refused = task("a"), task("b"), task("c")
        with self.opened() as store:
            store.post([due, done, refused])
            store.note([tried(done, TaskState.DONE), tried(refused, TaskState.REFUSED, 0, "no such list")])
            everything = [due.id, done.id, refused.id, refused.id, EntryId("nothing")]
            assert 1 == store.revive(everything, at=frozen_now + DAY)
            assert 0 == store.revive(everything, at=frozen_now + DAY)
            assert 0 == store.revive([], at=frozen_now)
            assert [due] == take(store, minutes=1)
            assert [refused] == take(store, "two", minutes=24 * 60, most=2)[1:]
            assert ["no such list"] == [attempt.note for attempt in store.attempts(refused.id)]

    # -- many workers, and restarts

    def test_of_many_workers_each_task_is_taken_by_one(self) -> None:
        """Eight workers drain one outbox in small bites: each task is taken exactly once (F19)."""
        tasks = [task(f"c{number}") for number in range(80)]
        taken: list[EntryId] = []

        def worker(number: int) -> Callable[[Store], None]:
            def drain(store: Store) -> None:
                while found := take(store, f"w{number}", most=1 + number % 3):
                    taken.extend(one.id for one in found)
                    store.note([tried(one, TaskState.DONE) for one in found])

            return drain

        with self.opened() as store:
            store.post(tasks)
            self.at_once(store, *map(worker, range(8)))
            assert {one.id: 1 for one in tasks} == Counter(taken)
            assert {1} == {found.tries for found in store.tasks(states=[TaskState.DONE])}

    def test_of_many_writers_each_task_is_posted_by_one(self) -> None:
        """Eight workers make the same tasks from the log: each is new to exactly one of them."""
        tasks = [task(f"c{number}") for number in range(40)]
        new: list[int] = []

        def worker(turn: int) -> Callable[[Store], None]:
            def post(store: Store) -> None:
                mine = tasks[5 * turn :] + tasks[: 5 * turn]
                new.extend(store.post(mine[start : start + 10]) for start in range(0, len(mine), 10))

            return post

        with self.opened() as store:
            self.at_once(store, *map(worker, range(8)))
            assert 40 == sum(new)
            assert {one.id for one in tasks} == {found.task.id for found in store.tasks()}

    def test_the_outbox_survives_a_restart(self) -> None:
        """What was not done is still to be done, by whom it was taken as well, and the journal is whole (F4)."""
        store = self.make_store()
        store.post([task("a"), task("b"), task("c"), task("d", TaskKind.OPT_OUT)])
        take(store, "one", most=2)
        store.note([tried(task("b"), TaskState.REFUSED, 0, "no"), tried(task("c"), TaskState.DUE)], due_at=frozen_now)
        before = list(store.tasks())
        with self.reopened(store) as again:
            assert before == list(again.tasks())
            assert ["no"] == [attempt.note for attempt in again.attempts(task("b").id)]
            assert [task("c")] == take(again, "two")
            assert 0 == again.post([task("a"), task("b"), task("c")])
