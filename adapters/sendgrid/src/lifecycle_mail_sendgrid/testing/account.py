"""What all parts of the account share: the clock, ids, jobs that are done later, and files to fetch."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import RLock
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from attrs import define, field, frozen

API: Final = "https://api.sendgrid.com"
"""What SendGrid calls itself in `_metadata`, wherever it was reached."""


def iso(at: datetime) -> str:
    """Write an instant as SendGrid does: `2021-05-10T23:36:19Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(at: datetime) -> int:
    """Write an instant as seconds since 1970."""
    return int(at.timestamp())


def instant(written: object) -> datetime | None:
    """Read an ISO 8601 date or date-time; None where it is none. Without a zone it is UTC."""
    if not isinstance(written, str):
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


@define(kw_only=True, eq=False)
class Job:
    """Work that was taken on and is done later.

    Attributes:
        id: under which its state is asked for.
        kind: `upsert`, `delete` or `export`.
        work: what does it; it counts on the job what came of it.
        requested: how many things it is about.
        started_at, finished_at: when it was taken on, and done.
        created, updated, deleted: how many came out well.
        errors: what went wrong with which of them.
        failed: it could not be worked on at all.
    """

    id: str
    kind: str
    work: Callable[[Job], None]
    requested: int
    started_at: datetime
    finished_at: datetime | None = None
    created: int = 0
    updated: int = 0
    deleted: int = 0
    errors: list[dict[str, Any]] = field(factory=list)
    failed: bool = False

    @property
    def status(self) -> str:
        """Not started, done, done with some errors, or with nothing but errors."""
        if self.finished_at is None:
            return "pending"
        if self.failed or (self.errors and len(self.errors) >= self.requested):
            return "failed"
        return "errored" if self.errors else "completed"


@frozen
class File:
    """Something to fetch from a link that is signed and does not live for long.

    Attributes:
        name: the last part of its path.
        body: its bytes.
        headers: further headers.
        expires_at: until when the link lives.
    """

    name: str
    body: bytes
    headers: dict[str, str]
    expires_at: datetime


class Account:
    """What all parts share.

    Attributes:
        now: the clock, which only a test moves.
        lock: held by whoever reads or changes the account: requests, and people who do things meanwhile.
        jobs: every job there was, by id.
        files: what links lead to, by the name in the link.
        breaks: how many jobs from here on fail as a whole.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.lock = RLock()
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, File] = {}
        self.breaks = 0
        self._waiting: deque[Job] = deque()
        self._numbers = count(1)

    def uuid(self) -> UUID:
        """Return a fresh id; the same run makes the same ones."""
        return uuid5(NAMESPACE_URL, f"sendgrid-simulator:{next(self._numbers)}")

    def new_id(self) -> str:
        """Return a fresh id as text."""
        return str(self.uuid())

    def short_id(self) -> str:
        """Return a fresh id of 22 characters, as messages and events have it."""
        return urlsafe_b64encode(self.uuid().bytes).decode().rstrip("=")

    def start(self, kind: str, work: Callable[[Job], None], *, requested: int) -> Job:
        """Take work on, to be done in its turn."""
        job = Job(id=self.new_id(), kind=kind, work=work, requested=requested, started_at=self.now)
        self.jobs[job.id] = job
        self._waiting.append(job)
        return job

    def settle(self) -> None:
        """Do all work that was taken on, in order."""
        while self._waiting:
            job = self._waiting.popleft()
            if self.breaks > 0:
                self.breaks -= 1
                job.failed = True
            else:
                job.work(job)
            job.finished_at = self.now

    def publish(self, name: str, body: bytes, *, lives: timedelta, **headers: str) -> str:
        """Put a file behind a link, and return the path of the link."""
        self.files[name] = File(
            name, body, {key.replace("_", "-"): value for key, value in headers.items()}, self.now + lives
        )
        return f"/downloads/{name}?X-Amz-Signature={self.signature(name)}"

    @staticmethod
    def signature(name: str) -> str:
        """Return what a link to this file is signed with."""
        return uuid5(NAMESPACE_URL, f"link:{name}").hex
