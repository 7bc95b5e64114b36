"""Showing an ESP who there is, with their fields and topics (E2).

As few calls as safety allows. What the ESP holds is read first, where telling it blindly could change somebody's state
there; then only those are told who would look different. Calls go out over as many connections as the ESP takes, a
batch at a time, while the store is read by one thread; what is held in memory does not grow with the registry.

It is a copy that is made, never consent: who is subscribed here is shown as subscribed, and nobody whom the ESP says is
out is ever told otherwise. What the ESP answers about people, such as that somebody is in a compliance state, is
received like any other word of it. Whom it did not take for now is tried again, alone; whom it refused for good is kept
in the outbox, for a person to look at (F26-F28).

Cut off anywhere, a sync is started again: who looks right already is not told again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import closing
from datetime import datetime

from attrs import define, evolve, field, frozen

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.echoes import distinct
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.policy.facts import Subject
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.ports import (
    LARGEST_CHUNK,
    Attempt,
    Change,
    Handled,
    KeepsContacts,
    KeptAs,
    Shown,
    Task,
    TaskState,
)
from lifecycle_mail.service.batching import Calls
from lifecycle_mail.service.kept import Held, KeptTable, Key, as_held
from lifecycle_mail.service.outbox import Drained, keep_refused, of_sync, post_again
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.receiving import Received
from lifecycle_mail.service.retrying import again, in_transaction

SHOWN = 20
"""How many differences a report has as examples."""


@frozen(kw_only=True)
class Difference:
    """How an ESP's copy of one contact differs from ours.

    Attributes:
        contact_id: whose.
        address: theirs, masked.
        place: in which audience.
        what: `new`, `changed`, or why nothing is told: `out there`, `not here`.
    """

    contact_id: ContactId
    address: str
    place: str
    what: str


@define(kw_only=True)
class Synced:
    """What a sync did, or would do.

    Attributes:
        dry_run: whether nothing was told.
        prepared: the fields and topics that were made there, or would be, in words.
        contacts: how many contacts were looked at.
        read: how many the ESP showed.
        new, changed, same: how many it did not hold, held otherwise, or held just so.
        out: how many are subscribed here and out there: nothing is told of them, and the next sweep hears of it.
        told_out: how many the ESP would mail who said no here; their noes are told again (F30).
        strangers: how many it would mail whom we would not: they never joined here, or may not be mailed now. Nothing
            is changed about them.
        accepted: how many it took.
        failed: how many it did not take for now, however often they were tried: the next sync tries again.
        refused: whom it refused for good, with its error; kept in the outbox for a person to look at.
        swept, drained: what was heard and told first.
        examples: some of the differences.
        problem: why it stopped early, or None.
    """

    dry_run: bool = False
    prepared: tuple[str, ...] = ()
    contacts: int = 0
    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    out: int = 0
    told_out: int = 0
    strangers: int = 0
    accepted: int = 0
    failed: int = 0
    refused: dict[ContactId, EspError] = field(factory=dict)
    swept: Received | None = None
    drained: Drained | None = None
    examples: list[Difference] = field(factory=list)
    problem: EspError | None = None

    def __str__(self) -> str:
        verb = "would be told" if self.dry_run else "told"
        parts = [f"{self.contacts:,} contacts: {self.new:,} new, {self.changed:,} changed, {self.same:,} the same"]
        counts = (
            ("out there", self.out), ("out here, told again", self.told_out), ("there and not here", self.strangers),
            ("refused", len(self.refused)), ("to be tried again", self.failed),
        )  # fmt: skip
        parts += [f"{many:,} {name}" for name, many in counts if many]
        parts += [verb if self.dry_run else f"{verb} {self.accepted:,}"]
        made = [f"{'would make' if self.dry_run else 'made'} {', '.join(self.prepared)}"] if self.prepared else []
        stopped = [f"stopped: {self.problem}"] if self.problem else []
        return "; ".join([", ".join(parts), *made, *stopped])

    def count(self, difference: Difference) -> None:
        """Keep a difference as an example, while there are few."""
        if len(self.examples) < SHOWN:
            self.examples.append(difference)


def shown(subject: Subject, lists: Mapping[str, MailingList], *, now: datetime) -> Shown:
    """Say how a contact should look at an ESP: on the lists that they may be mailed about now."""
    person = subject.person
    if person.held_by(now=now):
        return Shown(contact=subject.contact)
    keys = {*person.lists(), *map(ListKey, lists)}
    return Shown(
        contact=subject.contact,
        lists=frozenset(
            key
            for key in keys
            if person.standing(key, now=now, channel=lists.get(key, MailingList(key)).channel) is ListStanding.ACTIVE
        ),
    )


@frozen
class _Look:
    """A contact, and how they should look."""

    subject: Subject
    shown: Shown


def _key(change: Change) -> Key:
    return change.place, change.shown.address.identity


class Sync:
    """One run of showing an ESP who there is.

    Args:
        esp: who is shown.
        reader: of the store.
        programme: the declared lists and fields.
        receive: takes what the ESP says of people.
        now: the instant of showing, aware UTC.
        dry_run: whether nothing is told.
        consent_only: whether only noes are told, and no fields and topics.
        progress: called with how many contacts are done.
        wait: see `retrying.again`.
    """

    def __init__(
        self, esp: KeepsContacts, reader: Reader, programme: Programme, *,
        receive: Callable[[Sequence[Statement]], object], now: datetime, dry_run: bool, consent_only: bool,
        progress: Callable[[int], object], wait: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._esp = esp
        self._reader = reader
        self._store = reader.store
        self._programme = programme
        self._receive = receive
        self._now = now
        self._consent_only = consent_only
        self._progress = progress
        self._wait = wait
        self._revived: dict[ContactId, Task] = {}
        self.report = Synced(dry_run=dry_run)

    def run(self) -> Synced:
        """Read what the ESP holds, compare, and tell it the rest."""
        report = self.report
        try:
            report.prepared = tuple(
                self._esp.prepare(self._programme.fields, self._programme.lists, dry_run=report.dry_run)
            )
            with closing(KeptTable()) as kept, Calls(self._esp, self._took) as calls:
                is_read = self._read(kept)
                self._compare(kept if is_read else None, calls)
                calls.finish()
                report.failed = calls.failed
                report.strangers = kept.strangers()
        except EspError as error:
            report.problem = error
        return report

    def _read(self, kept: KeptTable) -> bool:
        pages = self._esp.kept()
        if pages is None:
            return False
        for page in pages:
            heard = [statement for one in page for statement in one.heard]
            if heard and not self.report.dry_run:
                self._receive(heard)
            kept.add(page)
            self.report.read += len(page)
        return True

    def _compare(self, kept: KeptTable | None, calls: Calls) -> None:
        refused = self._kept_back(TaskState.REFUSED)
        self._revived = self._kept_back(TaskState.DUE)
        places = self._esp.places
        for contacts in chunks(again(self._store.each, wait=self._wait), LARGEST_CHUNK):
            looks = again(lambda some=contacts: self._looks(some), wait=self._wait)  # type: ignore[misc]
            here = [
                Change(shown=evolve(look.shown, lists=look.shown.lists & lists), place=place)
                for look in looks
                for place, lists in places.items()
            ]
            there = {} if kept is None else kept.find([(one.place, one.shown.address) for one in here])
            self._tell_out(looks, places, there)
            for one in here:
                if one.shown.contact.id not in refused:
                    self._one(one, there.get(_key(one)), calls, asked=kept is not None)
            if kept is not None:
                kept.met([_key(one) for one in here if one.shown.lists])
            self.report.contacts += len(contacts)
            self._progress(self.report.contacts)

    def _looks(self, contacts: Sequence[Contact]) -> list[_Look]:
        subjects = self._reader.subjects([one for one in contacts if one.address is not None], now=self._now)
        return [_Look(subject, shown(subject, self._programme.lists, now=self._now)) for subject in subjects]

    def _kept_back(self, state: TaskState) -> dict[ContactId, Task]:
        """Return whom the ESP refused for good before, or those of them whom a person let be tried again (F28)."""
        posted = again(
            lambda: list(self._store.tasks(target=of_sync(self._esp), states=[state])),
            wait=self._wait,
        )
        return {one.task.contact_id: one.task for one in posted if one.task.contact_id is not None}

    def _tell_out(self, looks: Sequence[_Look], places: Mapping[str, Set[ListKey]], there: Mapping[Key, Held]) -> None:
        """Post the noes of those whom the ESP would mail all the same: somebody has let them in there (F30)."""
        again_out: dict[ContactId, set[EntryId]] = {}
        for look in looks:
            on = {
                key
                for place in places
                if (held := there.get((place, look.shown.address.identity))) and held.state is KeptAs.SUBSCRIBED
                for key in held.lists
            }
            person = look.subject.person
            noes = {no.id for key in on for no in person.opt_outs_of(key)}
            if noes:
                again_out[look.subject.contact.id] = distinct(noes, person.echoes)
        self.report.told_out += len(again_out)
        if again_out and not self.report.dry_run:
            self._once(lambda: self._post_again(again_out))

    def _post_again(self, noes: Mapping[ContactId, Set[EntryId]]) -> None:
        for one, which in noes.items():
            post_again(self._store, self._esp, one, which, at=self._now)

    def _one(self, change: Change, there: Held | None, calls: Calls, *, asked: bool) -> None:
        report, look = self.report, change.shown
        if there is None and not look.lists:
            return  # nobody is made known there only to be mailed nothing
        if there is not None and there.state in (KeptAs.OUT, KeptAs.BOUNCED):
            if not look.lists:
                return
            report.out += 1  # left while we read; the next sweep hears of it
            what = "out there"
        elif there is not None and there.digest == as_held(self._esp.digest(look, change.place)):
            report.same += 1
            return
        elif there is None and asked:
            report.new += 1
            what = "new"
        else:
            report.changed += 1
            what = "changed"
        difference = Difference(contact_id=look.contact.id, address=look.address.masked, place=change.place, what=what)
        report.count(difference)
        if what != "out there" and not report.dry_run and not self._consent_only:
            calls.put(evolve(change, known=None if there is None else there.state))

    def _took(self, handled: Handled) -> None:
        report = self.report
        report.accepted += len(handled.accepted)
        report.refused.update(handled.refused)
        if handled.heard:
            self._receive(handled.heard)
        again_taken = [self._revived.pop(one) for one in handled.accepted if one in self._revived]
        if again_taken:
            done = [Attempt(task=task.id, at=self._now, state=TaskState.DONE) for task in again_taken]
            self._once(lambda: self._store.note(done))
        if handled.refused:
            self._once(lambda: keep_refused(self._store, self._esp, handled.refused, now=self._now))

    def _once(self, work: Callable[[], object]) -> None:
        in_transaction(self._store, work, wait=self._wait)
