"""`Lifecycle`, the part that shows the ESP who there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import cast

from lifecycle_mail.errors import EspError, Misconfigured
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.policy.facts import Subject
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Capability, KeepsContacts
from lifecycle_mail.service.facade.hearing import TELLABLE, Hearing
from lifecycle_mail.service.leasing import Lease
from lifecycle_mail.service.reading import chunks
from lifecycle_mail.service.segmenting import Published, members, publish
from lifecycle_mail.service.sweeping import has_news, lists_opt_outs
from lifecycle_mail.service.syncing import Sync, Synced


def _quietly(_done: int) -> None:
    """Show nothing."""


class Syncing(Hearing):
    """Keeps the ESP's copy of contacts, fields and topics like ours."""

    def sync(
        self, *, now: datetime, dry_run: bool = False, consent_only: bool = False,
        progress: Callable[[int], object] = _quietly,
    ) -> Synced | None:  # fmt: skip
        """Bring the ESP in line with the registry (E2): noes both ways first, then contacts, fields and topics.

        Only ever towards "do not mail": who is out there is out here from now on (F31), who is out here is told to the
        ESP, again where it shows them as subscribed (F30), and nobody is subscribed there who left there. What is in
        the registry and looks right there is not told again, so a sync that was cut off is started again.

        Args:
            now: the instant of the sync.
            dry_run: only compare: nothing is heard, told or made, and the report says what would be.
            consent_only: noes alone, no fields and topics: what `lifecycle-mail reconcile` does.
            progress: called now and then with the number of contacts that are done.

        Returns:
            What was done, with why it stopped early if it did; None where another worker syncs.

        Raises:
            Misconfigured: the ESP holds no contacts; the message says why.
            RegistryUnavailable: the registry cannot be read.
        """
        now = as_utc(now)
        self.esp.capabilities.require(Capability.CONTACTS, self.esp.name)
        lease = Lease(self.store, f"sync:{self.esp.name}", clock=self._clock(now), wait=self._wait)
        if not lease.take():
            return None
        try:
            return self._synced(now, dry_run=dry_run, consent_only=consent_only, lease=lease, progress=progress)
        finally:
            lease.give_back()

    def publish(self, segment: Segment | str, *, now: datetime, native: bool | None = None) -> Published:
        """Put a segment at the ESP: in its own words where it can express it exactly, else its members (L7).

        The ESP's count is held against ours; what it holds of contacts is as fresh as the last `sync`.

        Args:
            segment: the segment, or its key in the programme.
            now: the instant at which it is computed; a list of members stays as it was then.
            native: True insists on the ESP's own words, False on a list of members; left out, the library chooses.

        Raises:
            Misconfigured: the ESP can hold no segments, or `native` was asked for and it cannot express it.
            UnknownName: no such segment.
            EspError: it could not be told.
        """
        now = as_utc(now)
        found = self.programme.segment(segment)
        lists = self.programme.lists
        inside = self._again(lambda: members(found, self._segment_audience(found, now), lists, now=now))
        return publish(found, inside, self.esp, fields=self.programme.fields, native=native, wait=self._wait)

    def _segment_audience(self, segment: Segment, now: datetime) -> Iterator[Subject]:
        if not segment.of:
            yield from self._reader.all_subjects(now=now)
            return
        for chunk in chunks(self.store.members(segment.of)):
            yield from self._reader.subjects(chunk, now=now)

    def _synced(
        self, now: datetime, *, dry_run: bool, consent_only: bool, lease: Lease, progress: Callable[[int], object]
    ) -> Synced:
        def receive(said: Sequence[Statement]) -> None:
            self._receive(said, now=now)

        def go_on(done: int) -> None:
            if not lease.keep():
                raise Misconfigured("another worker has taken over this sync: let it finish")
            progress(done)

        work = Sync(
            cast(KeepsContacts, self.esp), self._reader, self.programme, receive=receive, now=now, dry_run=dry_run,
            consent_only=consent_only, progress=go_on, wait=self._wait,
        )  # fmt: skip
        report = work.report
        if not dry_run:
            try:
                if has_news(self.esp) or lists_opt_outs(self.esp):
                    report.swept = self._sweep(now=now)
            except EspError as error:
                report.problem = error
                return report
            self._drain_first(report, now=now)
            if report.problem is not None:
                return report
        work.run()
        if not dry_run and report.told_out:
            self._drain_first(report, now=now)
        return report

    def _drain_first(self, report: Synced, *, now: datetime) -> None:
        if self.esp.capabilities & TELLABLE:
            report.drained = self.drain(now=now)
            problems = [problem for name, problem in report.drained.problems.items() if name.startswith("esp:")]
            report.problem = problems[0] if problems else None
