"""How often a call is made, and how long is waited between two tries.

stamina counts the tries and says how long to back off; what a provider asks for goes before that. The waiting itself
is the transport's: it can be injected, so that tests do not wait and an application that shuts down can stop it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import stamina
from attrs import define, field, frozen, validators

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail_http.calls import Call

T = TypeVar("T")

_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
# What is more than this was written by nobody who meant it; it is still too long to wait.
_LONGEST_ASKED: Final = timedelta(days=366)
# A count of seconds is far below, an epoch far above it: 1e9 was in 2001.
_EPOCH: Final = 1_000_000_000.0


@frozen(kw_only=True)
class Retries:
    """How often a call is made.

    Attributes:
        tries: at most so often, the first one included.
        longest: the longest pause; a provider that asks for more is not waited for.
        first: the pause after the first failure, where the provider does not ask for one; each doubles the last.
        jitter: up to so much is added to each by chance, so that those who failed together do not return together.
    """

    tries: int = field(default=4, validator=validators.ge(1))
    longest: timedelta = timedelta(seconds=120)
    first: timedelta = timedelta(seconds=0.5)
    jitter: timedelta = timedelta(seconds=1)


def pause_asked(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long a provider asks to be left alone (F24).

    `Retry-After` holds seconds or a date. SendGrid's `X-RateLimit-Reset` is documented as an epoch, and its recorded
    answers hold the seconds that are left: both are read. What is neither is ignored, and so is a negative number.

    Args:
        headers: of the answer, found in upper and lower case.
        now: the instant that a date is counted from.
    """
    said = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(said):
        return _from_seconds(float(said))
    if said:
        try:
            date = parsedate_to_datetime(said)
            return _within_reason((date.replace(tzinfo=UTC) if date.tzinfo is None else date) - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            pass  # garbage
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if _SECONDS.fullmatch(reset):
        seconds = float(reset)
        return _from_seconds(seconds - now.timestamp() if seconds >= _EPOCH else seconds)
    return None


def _from_seconds(seconds: float) -> timedelta:
    return _within_reason(timedelta(seconds=min(seconds, _LONGEST_ASKED.total_seconds())))


def _within_reason(pause: timedelta) -> timedelta:
    return min(max(pause, timedelta()), _LONGEST_ASKED)


@define
class Trying:
    """The tries of one call.

    Attributes:
        call: what is being asked for.
        retries: how often.
        wait: waits so many seconds.
        clock: tells the instant.
    """

    call: Call
    retries: Retries
    wait: Callable[[float], object]
    clock: Callable[[], datetime]
    _backoff: float = 0.0
    _pause: float = 0.0
    _perhaps_done: bool = False
    _latest: datetime | None = None

    def run(self, once: Callable[[], T]) -> T:
        """Make the call until it is done, refused, or tried often enough.

        Raises:
            EspError: what the last try came to. After a try that may have been carried out, no later one makes it sure
                that it was not.
        """
        if self.call.within is not None:
            self._latest = self.clock() + self.call.within
        try:
            return self._tried(once)
        except EspUnavailable as error:
            if not self._perhaps_done:
                raise
            last = error
        raise OutcomeUnknown(
            esp=last.esp,
            operation=last.operation,
            status=last.status,
            body=last.body,
            fix="an earlier try gave no answer that tells whether it was done: reconcile before it is repeated",
            retry_after=last.retry_after,
        )

    def _tried(self, once: Callable[[], T]) -> T:
        for attempt in stamina.retry_context(
            on=self._again,
            attempts=self.retries.tries,
            timeout=None,
            wait_initial=self.retries.first,
            wait_max=self.retries.longest,
            wait_jitter=0,
        ):
            with attempt:
                if self._pause:
                    self.wait(self._pause)
                self._backoff = attempt.next_wait
                return once()
        raise AssertionError("stamina ended without a try")

    def _again(self, error: Exception) -> bool | float:
        """Tell stamina whether to try again: False, or how long it is to wait itself, which is never."""
        if isinstance(error, OutcomeUnknown):
            self._perhaps_done = True
            if not self.call.repeatable:
                return False
        elif not isinstance(error, EspUnavailable):
            return False
        asked = error.retry_after if isinstance(error, EspError) else None
        if asked is not None and asked > self.retries.longest:
            return False
        pause = asked.total_seconds() if asked else self._backoff
        jitter = random.uniform(0, self.retries.jitter.total_seconds())  # noqa: S311 # spreads callers, hides nothing
        self._pause = 0.0 if stamina.is_testing() else pause + jitter
        if self._latest is not None and self.clock() + timedelta(seconds=self._pause) > self._latest:
            return False
        return 0.0
