"""`Lifecycle`, the part about others: what files, webhooks, ESPs and CRMs say, and what they are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import cast

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import EntryId
from lifecycle_mail.ports import LARGEST_CHUNK, Capability, Posted, Reports, TaskState
from lifecycle_mail.service import outbox
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.outbox import Drained
from lifecycle_mail.service.picturing import Painter
from lifecycle_mail.service.reading import chunks
from lifecycle_mail.service.receiving import Received, take_events
from lifecycle_mail.service.telling import Teller
from lifecycle_mail.service.telling_crm import CrmTeller
from lifecycle_mail.service.telling_esp import EspTeller

TELLABLE = {Capability.OPT_OUTS, Capability.TAGS}


class Hearing(Base):
    """Takes what others say, and tells them what they must know."""

    # -- what others say

    def receive(self, statements: Iterable[Statement], *, now: datetime) -> Received:
        """Take what files, webhooks and ESPs say. Nothing in it can bring anybody back (O4), nothing counts twice."""
        return self._receive(list(statements), now=as_utc(now))

    def record(self, events: Iterable[EngagementEvent], *, now: datetime) -> int:
        """Take engagement events, also of contacts that are not known yet; return how many were new.

        Those stamped more than 24 h after `now` are kept in quarantine and count for nothing.
        """
        now, batch = as_utc(now), list(events)
        return self._once(lambda: take_events(self.store, batch, now=now).new)

    def fetch(self, *, now: datetime) -> Received:
        """Fetch what the ESP has to say and take it; what could not be stored is fetched again."""
        self.esp.capabilities.require(Capability.REPORTS, self.esp.name)
        esp = cast(Reports, self.esp)
        news = list(esp.reports(now=as_utc(now)))
        received = self.receive(news, now=now)
        esp.acknowledge(news)
        return received

    def sweep(self, *, now: datetime) -> Received | None:
        """Take all that the ESP can say, whatever its webhooks missed (E3, F32).

        Takes its news, and from an ESP that can list who is out everybody who left since the last sweep; the first
        sweep takes them all. Afterwards `send` need not sweep itself for a while.

        Returns:
            What was received, or None where another worker sweeps (F20).

        Raises:
            EspError: the ESP could not be asked; what was taken so far is taken, and the next sweep begins anew.
            Misconfigured: the ESP has nothing to ask it for.
        """
        return self._sweep(now=as_utc(now))

    def hear_crm(self, *, now: datetime) -> Received:
        """Take what the CRM has to say (O9): a no from it holds here, and no yes of it brings anybody back (O4)."""
        if self.crm is None:
            raise Misconfigured("there is no CRM to hear: give Lifecycle(crm=...)")
        news = list(self.crm.changes(now=as_utc(now)))
        received = self.receive(news, now=now)
        self.crm.acknowledge(news)
        return received

    # -- what they are told

    def drain(self, *, now: datetime, most: int | None = None) -> Drained:
        """Tell the ESP and the CRM what they do not know yet: noes first, then how people stand, then tags (E2, F29).

        May be called as often as one likes, by several workers at once, and after any error or crash: what was told
        is not told again, and what was not stays due.

        Args:
            now: the instant of telling.
            most: how many tasks to do at most for each target; all that are due if left out.

        Raises:
            Misconfigured: there is nobody to tell.
        """
        clock = self._clock(as_utc(now))
        tellers: list[Teller] = []
        if self.esp.capabilities & TELLABLE:
            tellers.append(EspTeller(self.esp, self._reader, clock=clock, wait=self._wait, new_id=self._new_id))
        if self.crm is not None:
            painter = Painter(self._reader, self.programme, value_field=self.value_field)
            tellers.append(CrmTeller(self.crm, self._reader, painter, clock=clock, wait=self._wait))
        if not tellers:
            raise Misconfigured(f"{self.esp.name} takes neither opt-outs nor tags of ours, and there is no CRM")
        return outbox.drain(tellers, self.store, clock=clock, wait=self._wait, most=most)

    def outbox(
        self, *, target: str | None = None, states: Collection[TaskState | str] = tuple(TaskState)
    ) -> Iterator[Posted]:
        """Yield what others must be told, in the order in which it is done.

        What the log gained since the last `drain` is not among it yet. The journal of a task is `store.attempts(id)`.

        Args:
            target: whom, such as `esp:mailchimp` or `crm:acme`; everybody if left out.
            states: due, done or refused.
        """
        return self.store.tasks(target=target, states=[TaskState(state) for state in states])

    def retry_refused(self, task_ids: Iterable[EntryId] | None = None, *, now: datetime) -> int:
        """Let tasks that were refused be tried again, these or all of them; return how many."""
        now = as_utc(now)
        if task_ids is None:
            refused = self._again(lambda: list(self.outbox(states=[TaskState.REFUSED])))
            task_ids = [posted.task.id for posted in refused]
        return sum(self._revive(chunk, now) for chunk in chunks(task_ids, LARGEST_CHUNK))

    def _revive(self, task_ids: Collection[EntryId], now: datetime) -> int:
        tried: list[int] = []

        def revive() -> int:
            tried.append(self.store.revive(task_ids, at=now))
            return max(tried)  # where the answer to one that did it was lost, the next finds nothing refused

        return self._once(revive)
