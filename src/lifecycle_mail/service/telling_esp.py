"""Telling an ESP of noes that did not come from it, and of tags (E2).

Before it is told of a no, the log says so (`Pushed`), durably, so that what the ESP then reports is known for an echo.
A no that its person has overridden meanwhile is not told any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from attrs import evolve, frozen

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Pushed, Record
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability, Esp, TagsContacts, TakesOptOuts, Task, TaskKind, TaskState
from lifecycle_mail.ports.esps import Forgets
from lifecycle_mail.service.leasing import Clock
from lifecycle_mail.service.reading import Reader
from lifecycle_mail.service.retrying import again
from lifecycle_mail.service.telling import BATCH, CANNOT, GONE, NOBODY, OVERRIDDEN, Teller, holders, of_esp, whose


@frozen
class _Push:
    """A no that the log says we tell, and whom it concerns."""

    opt_out: OptOut
    contacts: Sequence[Contact]
    entry: Pushed


class EspTeller(Teller):
    """Tells an ESP of noes that did not come from it, and of tags."""

    def __init__(self, esp: Esp, reader: Reader, *, clock: Clock, wait: Callable[[int], None]) -> None:
        super().__init__(of_esp(esp), reader, clock=clock, wait=wait)
        self.esp = esp

    @property
    def reads_log(self) -> bool:
        """Whether it takes noes; if it learns to, it is told all of them."""
        return Capability.OPT_OUTS in self.esp.capabilities

    def tasks_of(self, record: Record) -> Iterator[Task]:
        """Yield a task for each no that the ESP did not tell us itself."""
        entry = record.entry
        if not isinstance(entry, OptOut):
            return
        # Of whom an erasure, or an import, left a keyed hash alone, nobody can be told.
        erased = is_hashed(entry.subject.contact_id or entry.subject.key or "")
        if entry.provenance.source != self.esp.name and not erased:
            # The place in the log says which: one source's id may come with several subjects.
            yield self._task(record, TaskKind.OPT_OUT, entry.subject.contact_id, detail=str(record.seq))

    def step(self, most: int) -> int:
        """Do one no, or a batch of tags."""
        tasks, push = self._once(lambda: self._begin(min(most, BATCH)))
        if isinstance(push, _Push):
            self._push(tasks, push)
        elif push is not None:
            self._count((), tasks)
        elif tasks:
            self._tell_tags(tasks)
        return len(tasks)

    def _begin(self, most: int) -> tuple[Sequence[Task], _Push | str | None]:
        """Take the next no and write that it is told now, or why not; or take a batch of tags."""
        tasks = self._take(1)
        if not tasks or tasks[0].kind is not TaskKind.OPT_OUT:
            return self._take(most) if tasks else (), None
        push = self._prepared(tasks[0])
        if isinstance(push, _Push):
            self.store.append([push.entry], at=push.entry.provenance.at)
        else:
            self._write(tasks, TaskState.REFUSED, push)
        return tasks, push

    def _forget(self, contact: Contact) -> None:
        if Capability.ERASURE in self.esp.capabilities:
            cast(Forgets, self.esp).forget(contact)

    # -- noes

    def _prepared(self, task: Task) -> _Push | str:
        """Find the no and whom it concerns, or say why there is nothing to tell."""
        if not self.reads_log:
            return CANNOT
        place = int(task.detail)
        opt_out = next(record.entry for record in self.store.records(after=place - 1, until=place))
        assert isinstance(opt_out, OptOut)  # noqa: S101 - entries stay where and what they are
        contacts = self._contacts_of(opt_out)
        if not contacts:
            return NOBODY
        for person in self.reader.people(contacts):
            cited = {cite for consent in person.consents for cite in consent.cites}
            if not cited.isdisjoint({opt_out.id, *person.echoes.get(opt_out.id, ())}):
                return OVERRIDDEN
        why = Provenance(actor=Actor.POLICY, through=Through.RUN, at=self.clock(), source=self.esp.name)
        entry = Pushed(subject=opt_out.subject, opt_out=opt_out.id, scope=opt_out.scope, provenance=why)
        return _Push(opt_out, contacts, entry)

    def _contacts_of(self, opt_out: OptOut) -> list[Contact]:
        subject = opt_out.subject
        named = [subject.contact_id] if subject.contact_id is not None else holders(self.reader, subject.key)
        return [contact for contact in self.store.get(named).values() if contact.address is not None]

    def _push(self, tasks: Sequence[Task], push: _Push) -> None:
        try:
            for contact in push.contacts:
                cast(TakesOptOuts, self.esp).suppress(push.opt_out, contact, at=push.entry.provenance.at)
        except EspError as error:
            self._failed(tasks, error)
            return

        def write() -> None:
            self.store.append([evolve(push.entry, done=True)], at=self.clock())
            self._write(tasks, TaskState.DONE)

        self._once(write)
        self._count(tasks)
        self._forget_erased(push.contacts)

    # -- tags

    def _tell_tags(self, tasks: Sequence[Task]) -> None:
        if Capability.TAGS not in self.esp.capabilities:
            self._refuse(tasks, CANNOT)
            return
        contacts = again(lambda: self._contacts(tasks), wait=self._wait)
        self._refuse([task for task in tasks if task.contact_id not in contacts], GONE)
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
