"""What the fakes share: calls that are written down, and faults that a test scripts (E4)."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from attrs import frozen

from lifecycle_mail.errors import EspError, EspUnavailable, UnknownName
from lifecycle_mail.memory.refusals import refusal_named


def require_operation(fake: object, operation: str) -> None:
    """Refuse an operation that the fake does not have: a script that never fires would prove nothing."""
    if operation.startswith("_") or not callable(getattr(fake, operation, None)):
        known = [name for name in dir(fake) if not name.startswith("_") and callable(getattr(fake, name))]
        raise UnknownName("operation", operation, known)


@frozen
class _Failure:
    error: type[EspError]
    done: bool
    status: int | None
    body: str
    retry_after: timedelta | None = None

    def make(self, esp: str, operation: str) -> EspError:
        """Return the error that is raised."""
        return self.error(
            esp=esp, operation=operation, status=self.status, body=self.body, retry_after=self.retry_after
        )


class Scripted:
    """A service that somebody else runs, and that fails when it is told to.

    Attributes:
        calls: the operations asked of it, in order.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self._failures: dict[str, list[_Failure]] = defaultdict(list)
        self._left: int | None = None
        self._limit: int | None = None
        self.calls: list[str] = []

    @property
    def name(self) -> str:
        """The source that its reports are filed under."""
        return self._name

    def fail(
        self, operation: str, error: type[EspError] = EspUnavailable, *, times: int = 1, done: bool = False,
        status: int | None = None, body: str = "", like: str = "", retry_after: timedelta | None = None,
    ) -> None:  # fmt: skip
        """Let the next calls of an operation raise; with `done` the work is done and only the answer is lost.

        `like` names a refusal of a real one (`memory.refusals`), which says the error, the status and the body.
        """
        require_operation(self, operation)
        if like:
            known = refusal_named(like)
            error, status, body = known.error, known.status, known.text()
        self._failures[operation].extend([_Failure(error, done, status, body, retry_after)] * times)

    def limit(self, calls: int) -> None:
        """Answer 429 after so many calls, until `wait`."""
        self._limit = self._left = calls

    def wait(self) -> None:
        """Let the rate limit start anew, as time would."""
        self._left = self._limit

    @contextmanager
    def _operation(self, operation: str) -> Iterator[None]:
        self.calls.append(operation)
        if self._left is not None:
            if self._left <= 0:
                raise EspUnavailable(
                    esp=self.name, operation=operation, status=429, body="too many requests", fix="wait"
                )
            self._left -= 1
        failure = self._failures[operation].pop(0) if self._failures[operation] else None
        if failure is not None and not failure.done:
            raise failure.make(self.name, operation)
        yield
        if failure is not None:
            raise failure.make(self.name, operation)
