"""What facts say of a profile at one instant.

A profile may rest on our own events, on a snapshot that somebody else counted (`baseline`), or on both: then the
snapshot speaks for the time up to `taken_at` and our mails for what came after. A mail counts unless it failed.
Window counts are exact up to the number of mails that a profile keeps.
"""

from __future__ import annotations

from functools import cached_property

from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.instants import DAY, Micros, to_micros
from lifecycle_mail.model.profiles import ENGAGED_MARKS, EngagementProfile, Mail, Snapshot


def _latest(*instants: Micros | None) -> Micros | None:
    return max((instant for instant in instants if instant is not None), default=None)


def _baseline_instant(baseline: Snapshot | None, name: str) -> Micros | None:
    instant = getattr(baseline, name) if baseline is not None else None
    return None if instant is None else to_micros(instant)


class Engagement:
    """A profile read at `now` (UTC microseconds). Instants are UTC microseconds, None where it never happened."""

    def __init__(self, profile: EngagementProfile, now: Micros, renewed: Micros | None = None) -> None:
        self.profile = profile
        self.now = now
        self.renewed = renewed  # since then, asking them to stay begins anew (S11)

    @cached_property
    def last_open(self) -> Micros | None:
        """The last open not known to be a machine's."""
        return _latest(self.profile.last.get("opened"), _baseline_instant(self.profile.baseline, "last_open"))

    @cached_property
    def last_click(self) -> Micros | None:
        """The last click not known to be a machine's."""
        return _latest(self.profile.last.get("clicked"), _baseline_instant(self.profile.baseline, "last_click"))

    @cached_property
    def last_conversion(self) -> Micros | None:
        """The last conversion."""
        return self.profile.last.get("converted")

    @cached_property
    def last_engagement(self) -> Micros | None:
        """The last sign of a person's interest."""
        marks = (self.profile.last.get(mark) for mark in ENGAGED_MARKS)
        return _latest(self.last_open, self.last_click, *marks)

    @cached_property
    def last_sent(self) -> Micros | None:
        """When the latest mail of any kind was sent."""
        last = self.profile.last
        return _latest(last.get("sent"), last.get("delivered"), _baseline_instant(self.profile.baseline, "last_sent"))

    @cached_property
    def last_marketing(self) -> Micros | None:
        """When the latest marketing mail was sent."""
        own = next((mail.at for mail in self.profile.mails if mail.purpose is not Purpose.TRANSACTIONAL), None)
        return _latest(own, _baseline_instant(self.profile.baseline, "last_sent"))

    @cached_property
    def inactive_since(self) -> Micros | None:
        """The last engagement, or for those who never engaged their first mail."""
        if self.last_engagement is not None:
            return self.last_engagement
        first = self.profile.first
        if self._whole:  # receipts and what bounced are not what they were silent about
            starts = [mail.at for mail in self.mails[-1:]]
        else:
            starts = [at for at in (first.get("sent"), first.get("delivered")) if at is not None]
        starts += [at for at in (_baseline_instant(self.profile.baseline, "first_sent"),) if at is not None]
        return min(starts, default=None)

    @cached_property
    def mails(self) -> tuple[Mail, ...]:
        """The kept marketing mails that did not fail, newest first."""
        return tuple(m for m in self.profile.mails if not m.failed and m.purpose is not Purpose.TRANSACTIONAL)

    @cached_property
    def _whole(self) -> bool:
        """Whether every mail is kept; then the mails tell all, each once however often it was reported."""
        return len(self.profile.mails) < self.profile.window

    @cached_property
    def _own_since_baseline(self) -> int:
        taken_at = _baseline_instant(self.profile.baseline, "taken_at")
        return len(self.mails) if taken_at is None else sum(1 for mail in self.mails if mail.at > taken_at)

    @cached_property
    def mails_tracked(self) -> int:
        """How many mails there is evidence of."""
        profile = self.profile
        failed = sum(profile.count(mark) for mark in ("soft-bounced", "hard-bounced", "dropped"))
        counted = max(profile.count("sent"), profile.count("delivered")) - failed - profile.count(Purpose.TRANSACTIONAL)
        own = len(self.mails) if self._whole else max(counted, len(self.mails))
        if profile.baseline is None:
            return own
        return max(own, profile.baseline.mails_known + self._own_since_baseline)

    @cached_property
    def mails_since_engagement(self) -> int:
        """Mails sent after the last engagement."""
        last = self.last_engagement
        baseline = self.profile.baseline
        if baseline is not None and baseline.unopened_streak is not None:
            taken_at = to_micros(baseline.taken_at)
            if last is None or last <= taken_at:
                return baseline.unopened_streak + self._own_since_baseline
        if last is None:
            return len(self.mails)
        return sum(1 for mail in self.mails if mail.at > last)

    def engaged_of(self, count: int) -> int:
        """How many of the latest `count` mails show interest."""
        return sum(1 for mail in self.mails[:count] if mail.engaged is not None)

    def clicked_of(self, count: int) -> int:
        """How many of the latest `count` mails were clicked or answered."""
        return sum(1 for mail in self.mails[:count] if mail.clicked is not None)

    def share_of(self, count: int) -> float | None:
        """The share of the latest `count` mails that show interest, or None where there are none."""
        looked_at = min(count, len(self.mails))
        if looked_at:
            return self.engaged_of(count) / looked_at
        return self.profile.baseline.opened_share if self.profile.baseline is not None else None

    def ratio(self, count: int) -> float | None:
        """The share engaged of the latest `count` mails over that of the `count` before; None where those had none."""
        recent, before = self.mails[:count], self.mails[count : 2 * count]
        engaged_before = sum(1 for mail in before if mail.engaged is not None)
        if len(recent) < count or len(before) < count or not engaged_before:
            return None
        return self.engaged_of(count) / engaged_before

    def sent_in(self, days: int) -> int:
        """Marketing mails sent in the last `days` days."""
        since = self.now - days * DAY
        own = sum(1 for mail in self.mails if since < mail.at <= self.now)
        baseline = self.profile.baseline
        if (
            baseline is not None
            and baseline.mails_30d is not None
            and days == 30
            and to_micros(baseline.taken_at) == self.now
        ):
            return max(own, baseline.mails_30d)
        return own

    @cached_property
    def re_engagement_mails(self) -> int:
        """Re-engagement and last-chance mails that nothing has answered."""
        last = _latest(self.last_engagement, self.renewed)
        asking = (Purpose.RE_ENGAGEMENT, Purpose.LAST_CHANCE)
        return sum(1 for mail in self.mails if mail.purpose in asking and (last is None or mail.at > last))

    @cached_property
    def unanswered_last_chance(self) -> Micros | None:
        """When a last-chance mail was sent that nothing has answered."""
        kept = [mail for mail in self.profile.mails if mail.purpose is Purpose.LAST_CHANCE]
        if kept:  # one that bounced asked nobody
            sent = next((mail.at for mail in kept if not mail.failed), None)
        else:
            sent = self.profile.last.get(Purpose.LAST_CHANCE.value)
        answered = _latest(self.last_engagement, self.renewed)
        if sent is None or (answered is not None and answered >= sent):
            return None
        return sent

    @cached_property
    def machine_share(self) -> float | None:
        """The share of opens that machines made, or None where there were none."""
        machine, human = self.profile.count("machine-opened"), self.profile.count("opened")
        return machine / (machine + human) if machine + human else None
