"""Telling an ESP of noes that did not come from it, and of tags (E2).

Before it is told of a no, the log says so (`Pushed`), durably and of each address, so that what the ESP then reports is
known for an echo, and what it knows is not told again. `telling_whom` says who is told.

What makes a no due: the no itself; a new address of somebody who is out; and a report of the ESP that somebody is
subscribed who is out here (F30). A no of somebody without any address waits: it is told as soon as the log names one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import cast

from attrs import evolve, frozen

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.addresses import DEFAULT, EmailAddress, MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Consent, ConsentRequest, OptOut, Pushed, Record
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability, Esp, TagsContacts, TakesOptOuts, Task, TaskKind, TaskState
from lifecycle_mail.ports.esps import Forgets
from lifecycle_mail.service.leasing import Clock
from lifecycle_mail.service.reading import Reader
from lifecycle_mail.service.retrying import again
from lifecycle_mail.service.telling import (
    AGAIN,
    BATCH,
    CANNOT,
    GONE,
    KNOWN,
    NOBODY,
    OVERRIDDEN,
    WAITING,
    Teller,
    of_esp,
    whose,
)
from lifecycle_mail.service.telling_whom import Addressees


@frozen
class _Push:
    """A no that the log says we tell, and whom it concerns: for each contact what the log says."""

    opt_out: OptOut
    contacts: Sequence[tuple[Contact, Pushed]]


@frozen
class _Nothing:
    """Why there is nothing to tell, what that makes of the task, and when it is looked at again if it is still due."""

    why: str
    state: TaskState = TaskState.DONE
    pause: timedelta = timedelta(0)


class EspTeller(Teller):
    """Tells an ESP of noes that did not come from it, and of tags.

    Args:
        new_id: the id that an address would get, where nobody has it.
    """

    def __init__(
        self,
        esp: Esp,
        reader: Reader,
        *,
        clock: Clock,
        wait: Callable[[int], None],
        new_id: Callable[[EmailAddress], ContactId],
    ) -> None:
        super().__init__(of_esp(esp), reader, clock=clock, wait=wait)
        self.esp = esp
        self._addressees = Addressees(reader, esp.name, new_id)

    @property
    def reads_log(self) -> bool:
        """Whether it takes noes; if it learns to, it is told all of them."""
        return Capability.OPT_OUTS in self.esp.capabilities

    def tasks_of(self, record: Record) -> Iterator[Task]:
        """Yield a task for each no that the ESP does not know of, at an address that it does not know it of."""
        entry, subject = record.entry, record.entry.subject
        # Of whom an erasure, or an import, left a keyed hash alone, nobody can be told.
        if is_hashed(subject.contact_id or subject.key or ""):
            return
        if isinstance(entry, OptOut):
            if self._is_due(entry):
                # The place in the log says which: one source's id may come with several subjects.
                yield self._task(record, TaskKind.OPT_OUT, subject.contact_id, detail=str(record.seq))
        elif self._names_address(record) and subject.contact_id is not None:
            for opt_out in self._addressees.standing(subject.contact_id, before=record.seq):
                task = self._task(record, TaskKind.OPT_OUT, subject.contact_id, detail=f"at {record.seq}")
                yield evolve(task, entry=opt_out.id)

    def _is_due(self, opt_out: OptOut) -> bool:
        if opt_out.provenance.source == self.esp.name:
            return self._addressees.left_behind(opt_out.subject.key)  # what it knows of an address that they had
        return self._addressees.has_somebody(opt_out)

    def _names_address(self, record: Record) -> bool:
        """Whether somebody may be known by an address from here on of which the ESP was told nothing."""
        entry = record.entry
        if isinstance(entry, AddressChanged):
            return True
        # Where several spellings share a key, a no by address alone does not tell the one that comes later.
        return isinstance(entry, Consent | ConsentRequest) and self.reader.rules.version != DEFAULT.version

    def step(self, most: int) -> int:
        """Do one no, or a batch of tags."""
        tasks, push = self._once(lambda: self._begin(min(most, BATCH)))
        if isinstance(push, _Push):
            self._push(tasks, push)
        elif push is not None:
            self.refused += push.state is TaskState.REFUSED
            self.moot += push.state is TaskState.DONE
        elif tasks:
            self._tell_tags(tasks)
        return len(tasks)

    def _begin(self, most: int) -> tuple[Sequence[Task], _Push | _Nothing | None]:
        """Take the next no and write that it is told now, or why not; or take a batch of tags."""
        tasks = self._take(1)
        if not tasks or tasks[0].kind is not TaskKind.OPT_OUT:
            return self._take(most) if tasks else (), None
        push = self._prepared(tasks[0])
        if isinstance(push, _Push):
            self._write_push(push)
        else:
            self._write(tasks, push.state, push.why, pause=push.pause)
        return tasks, push

    def _forget(self, contact: Contact) -> None:
        if Capability.ERASURE in self.esp.capabilities:
            cast(Forgets, self.esp).forget(contact)

    # -- noes

    def _prepared(self, task: Task) -> _Push | _Nothing:
        """Find the no and whom it concerns, or say why there is nothing to tell."""
        if not self.reads_log:
            return _Nothing(CANNOT, TaskState.REFUSED)
        opt_out = self._no_of(task)
        if opt_out is None:
            return _Nothing(GONE)
        return self._push_of(opt_out, again=task.detail.startswith(AGAIN))

    def _no_of(self, task: Task) -> OptOut | None:
        if not task.detail.isdigit():
            return self._addressees.named(whose(task), task.entry or EntryId(""))
        place = int(task.detail)
        found = next(record.entry for record in self.store.records(after=place - 1, until=place))
        assert isinstance(found, OptOut)  # noqa: S101 - entries stay where and what they are
        return found

    def _push_of(self, opt_out: OptOut, *, again: bool = False) -> _Push | _Nothing:
        whom = self._addressees.of(opt_out)
        due = whom.contacts if again else whom.unaware
        if due:
            return _Push(opt_out, [(contact, self._pushed(opt_out, contact)) for contact in due])
        if whom.contacts:
            return _Nothing(KNOWN)
        return _Nothing(OVERRIDDEN) if whom.is_overridden else _Nothing(NOBODY, TaskState.DUE, WAITING)

    def _pushed(self, opt_out: OptOut, contact: Contact) -> Pushed:
        why = Provenance(actor=Actor.POLICY, through=Through.RUN, at=self.clock(), source=self.esp.name)
        # Of an address that no contact has, the log goes on to know the address alone.
        subject = self.reader.named(contact)
        if contact.id != opt_out.subject.contact_id and not self.store.get([contact.id]):
            subject = evolve(subject, contact_id=None)
        return Pushed(subject=subject, opt_out=opt_out.id, scope=opt_out.scope, provenance=why)

    def _write_push(self, push: _Push) -> None:
        self.store.append([entry for _, entry in push.contacts], at=push.contacts[0][1].provenance.at)

    def _suppress(self, push: _Push) -> tuple[list[Pushed], EspError | None]:
        """Tell the ESP; return what it took, and why it did not take the rest: what may be tried again first."""
        taken: list[Pushed] = []
        problem: EspError | None = None
        for contact, entry in push.contacts:
            try:
                cast(TakesOptOuts, self.esp).suppress(push.opt_out, contact, at=entry.provenance.at)
                taken.append(evolve(entry, done=True))
            except (EspUnavailable, OutcomeUnknown) as error:
                return taken, error
            except EspError as error:  # refused for one address: the others are told
                problem = error
        return taken, problem

    def _push(self, tasks: Sequence[Task], push: _Push) -> None:
        taken, problem = self._suppress(push)

        def write() -> None:
            self.store.append(taken, at=self.clock())
            if problem is None:
                self._write(tasks, TaskState.DONE)

        self._once(write)
        if problem is None:
            self._count(tasks)
        else:
            self._failed(tasks, problem)
        self._forget_erased(contact for contact, _ in push.contacts)

    def tell_before_erasure(self, contact_id: ContactId | None, keys: Collection[MatchKey]) -> None:
        """Tell an ESP that cannot erase what is due of somebody, while we still know whom it is about.

        Raises:
            EspUnavailable, OutcomeUnknown: it could not be told; the same may be tried again.
        """
        for opt_out in again(lambda: self._addressees.about(contact_id, keys), wait=self._wait):

            def begin(opt_out: OptOut = opt_out) -> _Push | _Nothing:
                push = self._push_of(opt_out)
                if isinstance(push, _Push):
                    self._write_push(push)
                return push

            push = self._once(begin)
            if isinstance(push, _Push):
                taken, problem = self._suppress(push)
                self._once(lambda taken=taken: self.store.append(taken, at=self.clock()))  # type: ignore[misc]
                if isinstance(problem, EspUnavailable | OutcomeUnknown):
                    raise problem
                # What it refuses for good, it would refuse at every erasure: that keeps nobody from being erased.

    # -- tags

    def _tell_tags(self, tasks: Sequence[Task]) -> None:
        if Capability.TAGS not in self.esp.capabilities:
            self._refuse(tasks, CANNOT)
            return
        contacts = again(lambda: self._contacts(tasks), wait=self._wait)
        self._pass_over([task for task in tasks if task.contact_id not in contacts], GONE)
        groups: dict[tuple[str, bool], list[Task]] = defaultdict(list)
        for task in tasks:
            contact = contacts.get(whose(task))
            if contact is not None:
                tag = tag_of(task)
                groups[tag, tag in contact.tags].append(task)
        for (tag, present), group in groups.items():
            self._tag(group, contacts, tag, present=present)

    def _contacts(self, tasks: Sequence[Task]) -> Mapping[ContactId, Contact]:
        return self.store.get({whose(task) for task in tasks})

    def _tag(self, tasks: Sequence[Task], contacts: Mapping[ContactId, Contact], tag: str, *, present: bool) -> None:
        if self.problem is not None:  # the call before found it out of reach
            self._failed(tasks, self.problem)
            return
        whom = [contacts[one] for one in dict.fromkeys(map(whose, tasks))]
        try:
            cast(TagsContacts, self.esp).tag(whom, tag, present=present)
        except EspError as error:
            final = not isinstance(error, EspUnavailable | OutcomeUnknown)
            if final and len(tasks) > 1:  # refused as a whole: find out for which of them (F26)
                half = len(tasks) // 2
                self._tag(tasks[:half], contacts, tag, present=present)
                self._tag(tasks[half:], contacts, tag, present=present)
            else:
                self._failed(tasks, error)
            return

        def changed() -> set[ContactId]:
            now = self._contacts(tasks)
            return {one for one, contact in now.items() if (tag in contact.tags) is not present}

        self._settle(tasks, changed)
        self._forget_erased(whom)


def tag_of(task: Task) -> str:
    """Return the tag that a task is about; before it stands when it was posted."""
    return task.detail.partition(" ")[2]
