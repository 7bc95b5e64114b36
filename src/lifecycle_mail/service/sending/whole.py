"""A campaign that the ESP sends itself, to those who were staged before. Its release is the hand-off.

What the ESP shows may be the past. So it is never believed alone:

- whose claim is `returned` is not staged: they never were, or the ESP has acknowledged that they were taken out;
- whose claim is `staged` is: the ESP has acknowledged it;
- whose claim is `claimed` may be either, and is taken out before anything else is done with the campaign.

Reading back then only finds what others did there, and what the ESP lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import cast

from lifecycle_mail.errors import CampaignRefused, EspError, EspRefused, EspUnavailable, OutcomeUnknown, RegistryDamaged
from lifecycle_mail.model.entries import AddressChanged, Record
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import OPEN_STATES, Claim, ClaimState, Content, Handled, SendsCampaigns
from lifecycle_mail.service.handoff import SendReport, is_same, spent
from lifecycle_mail.service.reading import chunks
from lifecycle_mail.service.sending.base import Worker
from lifecycle_mail.service.sending.writing import Writer

READS = 6
"""How often the staged are read back before those that do not show are given up."""


class Whole(Worker):
    """Sends a plan as a campaign of the ESP."""

    seen = 0  # up to which record of the log the staged were screened

    def hand_over(self, content: Content | Writer | None) -> SendReport:
        """Stage the plan, screen again, read back, and release."""
        if callable(content):
            raise CampaignRefused(f"{self.esp.name} sends one text to the whole campaign: give content, not a writer")
        esp = cast(SendsCampaigns, self.esp)
        unknown = self._in_state(ClaimState.UNKNOWN)  # before it is asked: what comes afterwards is another doubt
        released = esp.released(self.key)
        if released is None:
            return self.report(problem=self._problem("tell", "it cannot tell yet whether the campaign was released"))
        if released:
            return self._finish()
        if unknown:
            self._reopen(unknown)
        problem = self._stage(esp, content)
        if problem is not None:  # releasing a part would shut out the rest: what is staged waits for the next call
            return self.report(problem=problem)
        expected, problem = self._read_back(esp, self._delta(esp, set(self._in_state(ClaimState.STAGED))))
        if not expected:
            return self.report(problem=problem)
        try:
            esp.release(self.key)
        except OutcomeUnknown as error:
            self.left(expected, ClaimState.UNKNOWN, after=self.seen)
            return self.report(unknown=expected, problem=error)
        except EspError as error:
            return self.report(problem=error)  # still staged: the next call goes on
        self.left(expected, ClaimState.HANDED_OFF, after=self.seen)
        return self.report(sent=expected)

    def _finish(self) -> SendReport:
        """Released, and the answer or the worker was lost: what was staged has left."""
        gone = set(self._in_state(*OPEN_STATES))  # in doubt, too, where two were at it: mailed rather than mailed again
        self.left(gone, ClaimState.HANDED_OFF, after=None)
        rest = [one for one in self.ids if one not in gone]
        more = self.read(lambda: self.passing(rest, spent(self.store.claims(self.key))))
        if more:
            raise CampaignRefused(
                f"campaign {self.key!r} was released before: make a new campaign for {len(more)} more"
            )
        return self.report(sent=gone)

    # -- staging

    def _stage(self, esp: SendsCampaigns, content: Content | None) -> EspError | None:
        before = self.read(lambda: self.store.claims(self.key))
        self._require_nobody_erased(before)
        self.require(self.lease.still())
        # In doubt: taken out, which the ESP acknowledges, and then claimed anew.
        self._take_out(esp, {one for one, claim in before.items() if claim.state is ClaimState.CLAIMED})
        self._require_planned()
        # What an earlier call had staged is screened again from its position.
        staged = {one: claim.position for one, claim in before.items() if claim.state is ClaimState.STAGED}
        self.seen = min([self.read(self.store.position), *staged.values()])
        passed: set[ContactId] = set()
        for chunk in chunks(self.ids, self.chunk):
            self.require(self.lease.still())
            passing, free = self._claim(chunk)
            passed.update(one.contact_id for one in passing)
            self.note_taken(one for one in passing if one.contact_id not in free and one.contact_id not in staged)
            mine = [one for one in passing if one.contact_id in free]
            if not mine:
                continue
            try:
                handled = self._staged(esp, mine, content)
            except EspRefused as error:
                self.settle(free, ClaimState.RETURNED)
                return error
            except EspError as error:
                return error  # perhaps in part: claimed, and in doubt to the next call
            if handled.heard:
                self.receive(handled.heard)
            self.refused.update(handled.refused)
            self.settle(handled.refused.keys(), ClaimState.REFUSED)
            self.settle(handled.accepted, ClaimState.STAGED)
            self._take_out(esp, free - handled.accepted - handled.refused.keys())
        # Staged by an earlier call, and since then out of the plan or withheld by what is in no log: a field, a cap.
        self._take_out(esp, staged.keys() - passed)
        return None

    def _reopen(self, unknown: Mapping[ContactId, Claim]) -> None:
        """Take up what an earlier release without an answer left unknown: it was none, as the ESP says (F22)."""

        def settle() -> None:
            self.require(self.lease.prolong())
            now = self.claims(unknown)
            same = [one for one, claim in unknown.items() if is_same(now.get(one), claim)]
            self.store.settle(self.key, same, ClaimState.CLAIMED, at=self.now)

        self.once(settle)

    def _require_planned(self) -> None:
        """Refuse a plan that was made when nobody knew whether a release had been one: who may be mailed is not in it.

        A campaign is released once, and they would be shut out.
        """
        left = self.read(lambda: self.claims(self.doubted))
        free = [one for one in self.doubted if one not in left or left[one].state is ClaimState.RETURNED]
        more = [row for row in self.read(lambda: self.screen(free, ())) if row.recipient is not None]
        if more:
            raise CampaignRefused(
                f"campaign {self.key!r} was not released before, as nobody knew when this was planned, and "
                f"{len(more)} more may get it: plan it again"
            )

    def _require_nobody_erased(self, claims: Mapping[ContactId, Claim]) -> None:
        """Refuse to release where somebody was erased and not taken out: no ESP could be asked for them (O5)."""
        erased = [one for one, claim in claims.items() if is_hashed(one) and claim.state in OPEN_STATES]
        if erased:
            raise CampaignRefused(
                f"{len(erased)} who were erased without {self.esp.name} may be staged there for campaign {self.key!r}: "
                f"delete it there, and make a new one"
            )

    def _staged(self, esp: SendsCampaigns, mine: Sequence[Screened], content: Content | None) -> Handled:
        """Stage a chunk. Where the answer is lost it is staged once more, which changes nothing that was done."""
        try:
            return esp.stage(self.key, mine, content=content)
        except OutcomeUnknown as lost:
            try:
                handled = esp.stage(self.key, mine, content=content)
                if handled.refused:  # which says nothing of the first time, and nor does a refusal of all of them
                    esp.unstage(self.key, handled.refused.keys())
            except EspRefused:
                raise lost from None
            return handled

    def _claim(self, chunk: list[ContactId]) -> tuple[list[Screened], set[ContactId]]:
        tried: set[ContactId] = set()

        def claim() -> tuple[list[Screened], set[ContactId]]:
            claims = self.store.claims(self.key, chunk)
            # Written by a try whose answer was lost. Nothing of theirs was staged, and staging is no hand-off.
            mine = {one for one in tried if one in claims and claims[one].state is ClaimState.CLAIMED}
            passing = self.passing(chunk, spent(claims))
            tried.update(one.contact_id for one in passing)
            return passing, mine.union(self.store.claim(passing, at=self.now))

        return self.once(claim)

    def _take_out(self, esp: SendsCampaigns, gone: Collection[ContactId]) -> None:
        if gone:
            self.settle(gone, ClaimState.CLAIMED)  # perhaps staged, until the ESP has answered
            esp.unstage(self.key, gone)
            self.settle(gone, ClaimState.RETURNED)

    # -- screening again, reading back

    def _delta(self, esp: SendsCampaigns, staged: set[ContactId]) -> set[ContactId]:
        """Screen again whom the log has spoken of since they were screened, until it says nothing new (F17)."""
        while True:
            self.require(self.lease.keep())
            records = self.read(lambda: list(self.store.records(after=self.seen)))
            if not records:
                return staged
            self.seen = records[-1].seq
            gone = self.read(partial(self._gone, records, staged))
            self._take_out(esp, gone)
            staged = staged - gone

    def _gone(self, records: Sequence[Record], staged: set[ContactId]) -> set[ContactId]:
        """Return who of the staged may not be mailed any more, or not there, now that the log says more."""
        # Whose address changed is staged under the old one.
        moved = {record.entry.subject.contact_id for record in records if isinstance(record.entry, AddressChanged)}
        touched: set[ContactId] = set().union(*self.news.about(records, staged).values())
        passing = self.passing(touched - moved, ())
        claims = self.claims([one.contact_id for one in passing])
        # Who left the list that the link in their mail names is staged with that link, whatever other list they are on.
        return touched - {one.contact_id for one in passing if claims[one.contact_id].leaves_list == one.leaves_list}

    def _read_back(self, esp: SendsCampaigns, expected: set[ContactId]) -> tuple[set[ContactId], EspError | None]:
        """Compare whom the ESP would mail with whom we mean; then screen once more what has come since."""
        found: set[ContactId] = set()
        for attempt in range(1, READS + 1):
            found = set(esp.staged(self.key))
            self.require(self.lease.still())
            if found == expected:
                left = self._settled(esp, expected)
                if left == expected:
                    return expected, None
                expected = left
            elif found - expected:
                esp.unstage(self.key, found - expected)
            if attempt < READS:
                self.wait(attempt)
        # Perhaps only late to show: taken out, so that nobody counts on them either way.
        missing = expected - found
        self._take_out(esp, missing)
        expected = expected & found
        if expected or not missing:
            found = set(esp.staged(self.key))
            self.require(self.lease.still())
            if found == expected == self._settled(esp, expected):
                return expected, None
        return set(), self._problem("read back", "it shows others as staged than were screened")

    def _settled(self, esp: SendsCampaigns, staged: set[ContactId]) -> set[ContactId]:
        """Return who of the staged passes, and if it is all of them, at an instant when the log says nothing more.

        At that instant the campaign is ours, too, and has been since they were read back: whoever had it meanwhile may
        have staged others.
        """

        def is_quiet() -> bool:
            self.require(self.lease.prolong())
            return self.store.position() == self.seen

        left = staged
        while left == staged and not self.once(is_quiet):
            before = self.seen
            left = self._delta(esp, staged)
            if self.seen == before:
                raise RegistryDamaged("the log shows less than it says it holds: restore a backup, then sweep")
        return left

    def _problem(self, operation: str, body: str) -> EspUnavailable:
        return EspUnavailable(esp=self.esp.name, operation=operation, body=body, fix="nothing was released: send again")

    def _in_state(self, *states: ClaimState) -> dict[ContactId, Claim]:
        claims = self.read(lambda: self.store.claims(self.key))
        return {one: claim for one, claim in claims.items() if claim.state in states}
