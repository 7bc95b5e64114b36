"""What commands decide about: files that are read into a `Lifecycle`, with a progress bar, or a registry."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from attrs import field, frozen
from rich.console import Console

from lifecycle_mail import files
from lifecycle_mail.cli.printing import progress_on
from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem, UnknownName
from lifecycle_mail.files import Config, Reading, Reject
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.intake import Happened, Held, Joined, Left, Statement
from lifecycle_mail.model.lists import ScopeKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.deciding import Decisions
from lifecycle_mail.service import Lifecycle, Received

SNAPSHOT = "snapshot"
"""The value of `--now` that decides each contact at the instant its snapshot was taken."""


def id_of(address: EmailAddress) -> ContactId:
    """Name a contact that only has an address: the same in every run, so that two runs can be compared."""
    return ContactId("c-" + hashlib.blake2b(address.identity.encode(), digest_size=8).hexdigest())


@frozen(kw_only=True)
class Loaded:
    """What is decided about: files that were read, or a registry.

    Attributes:
        mail: the service that holds it.
        reading: rows, rejects and counts by file; of a registry, none.
        received: what became of the statements.
        placed: every statement, with the file and line that said it.
        snapshots: the instant at which each contact was counted, where nothing but snapshots was read.
        read_at: the instant of reading.
    """

    mail: Lifecycle
    reading: Reading
    received: Received
    placed: list[tuple[Statement, str, int]] = field(repr=False)
    snapshots: dict[ContactId, datetime]
    read_at: datetime

    @classmethod
    def registry(cls, mail: Lifecycle) -> Loaded:
        """Return what a registry holds, as of now."""
        return cls(
            mail=mail, reading=Reading(()), received=Received(), placed=[], snapshots={}, read_at=datetime.now(UTC)
        )

    def instant(self, text: str | None) -> datetime | None:
        """Return the instant that `--now` names, or None where each contact has its own.

        Left out, it is the present; where nothing but snapshots was read, it is the instant of each snapshot, since
        nobody knows what happened after it.
        """
        if text == SNAPSHOT or (text is None and self.snapshots):
            if not self.snapshots:
                raise InvalidInput("--now snapshot: there are not snapshots alone to decide about: give an instant")
            return None
        return self.read_at if text is None else parse_instant(text)

    def instant_of(self, contact: Contact, text: str | None) -> datetime:
        """Return the instant at which one contact is decided about; one without a snapshot, at the latest one."""
        return self.instant(text) or self.snapshots.get(contact.id) or self._latest

    def single_instant(self, text: str | None) -> datetime:
        """Return the instant that `--now` names; for snapshots, the latest one."""
        return self.instant(text) or self._latest

    @cached_property
    def _latest(self) -> datetime:
        return max(self.snapshots.values())

    def rejects(self) -> Iterator[Reject]:
        """Yield everything that was refused, set aside or taken otherwise than written, with its place and the fix."""
        yield from self.reading.rejects
        ambiguous = {id(statement): str(error) for statement, error in self.received.ambiguous}
        refused = {id(statement): str(error) for statement, error in self.received.refused}
        widened = set(map(id, self.received.widened))
        early = {event.at for event in self.received.quarantined}
        for statement, file, line in self.placed:
            if id(statement) in ambiguous:
                is_no = isinstance(statement, Left | Held)
                reason = f"{type(statement).__name__}: {ambiguous[id(statement)]}"
                said = f"{reason}; it was taken for the address" if is_no else reason
                yield Reject(file=file, line=line, reason=said, fix="give the contact's id", whole=not is_no)
            elif id(statement) in refused:
                yield Reject(file=file, line=line, reason=refused[id(statement)], fix="mend the value or the [fields]")
            elif id(statement) in widened:
                reason = "a no to a list that nobody declared or joined: taken as a no to all marketing"
                yield Reject(file=file, line=line, reason=reason, fix="declare or map the list", whole=False)
            elif isinstance(statement, Happened) and statement.at in early:
                reason = f"{statement.kind} at {statement.at.isoformat()} is in the future: it counts for nothing"
                yield Reject(file=file, line=line, reason=reason, fix="mend the clock or the time zone of the source")

    def sent_by_list(self) -> dict[str, frozenset[str]]:
        """Return the campaigns sent to each list, as far as the events of people on one list alone tell."""
        found: dict[str, set[str]] = {}
        for person in self.mail.people():
            if len(person.lists()) == 1:
                campaigns = {event.campaign for event in self.mail.store.events_of(person.contact_id) if event.campaign}
                found.setdefault(next(iter(person.lists())), set()).update(campaigns)
        return {key: frozenset(campaigns) for key, campaigns in found.items()}

    def decide(self, text: str | None) -> Decisions:
        """Decide for every contact."""
        now = self.instant(text)
        if now is not None:
            return self.mail.decide(now=now)
        return self.mail.decide(each_at=lambda contact: self.instant_of(contact, text))


def load(
    paths: Sequence[Path], config: Config, *, console: Console, mail: Lifecycle | None = None,
    now: datetime | None = None,
) -> Loaded:  # fmt: skip
    """Read files and take what they say.

    Args:
        paths: the files.
        config: how they are read, and the programme.
        console: where progress is shown.
        mail: what takes it; left out, one in memory.
        now: the instant of reading; left out, the present.

    Raises:
        InvalidDocument: the mapping, a header or a file is wrong; all problems at once.
        OSError: a file cannot be opened.
    """
    now = now or datetime.now(UTC)
    mail = mail or Lifecycle.in_memory(programme=config.programme, new_id=id_of)
    with progress_on(console) as progress, _no_collection():
        tasks = {}

        def on_progress(path: Path, done: int, total: int) -> None:
            if path not in tasks:
                tasks[path] = progress.add_task(path.name, total=total or 1)
            progress.update(tasks[path], completed=done if total else 1)

        reading = files.read(paths, received_at=now, sources=config.sources, on_progress=on_progress)
        placed = list(reading.placed())
        _require_lists(placed, config)
        folding = progress.add_task("folding", total=None)
        received = mail.receive((statement for statement, _, _ in placed), now=now)
        progress.update(folding, total=1, completed=1)
    return Loaded(mail=mail, reading=reading, received=received, placed=placed, snapshots=_snapshots(mail), read_at=now)


def _require_lists(placed: Iterable[tuple[Statement, str, int]], config: Config) -> None:
    """Refuse files that speak of lists which a configuration with lists does not declare.

    A no to such a list would bind nothing that is ever planned, and nobody would notice.
    """
    declared = config.programme.lists
    if not declared:
        return
    unknown: dict[tuple[str, str], None] = {}
    for statement, file, _ in placed:
        key = ""
        if isinstance(statement, Joined):
            key = statement.list
        elif isinstance(statement, Left) and statement.scope.kind is ScopeKind.LIST:
            key = statement.scope.key
        if key and key not in declared:
            unknown[file, key] = None
    if unknown:
        fix = 'declare it in [[lists]], or say which list it is: [[sources]] files = "..." list = "..."'
        problems = [Problem(file, str(UnknownName("list", key, declared)), fix) for file, key in unknown]
        raise InvalidDocument("files speak of lists that the configuration does not declare", problems)


def _snapshots(mail: Lifecycle) -> dict[ContactId, datetime]:
    found: dict[ContactId, datetime] = {}
    profiles = mail.store.profiles([contact.id for contact in mail.store.each()])
    for contact_id, profile in profiles.items():
        if profile.baseline is None or profile.folded_until is not None:
            return {}
        found[contact_id] = profile.baseline.taken_at
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the garbage collector off: all that is made while loading stays, and looking for cycles in it is a third
    of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
