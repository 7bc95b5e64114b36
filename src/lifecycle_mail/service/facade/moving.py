"""`Lifecycle`, the part that moves a registry: exports that bring it back, and imports of what others know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.files.apart import require_apart
from lifecycle_mail.files.importing_rows import Given
from lifecycle_mail.files.importing_subscriptions import Taking
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.ports import LARGEST_CHUNK, InFiles
from lifecycle_mail.service import exporting
from lifecycle_mail.service.exporting import Exported
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.importing import OptOuts, Profiles, Subscriptions
from lifecycle_mail.service.moving import IMPORT_CHUNK, Import, Imported, Work, digest_of
from lifecycle_mail.service.outbox import post_pictures
from lifecycle_mail.service.receiving import Received, Receiver

Progress = Callable[[int], object]
"""Called now and then with the number of rows that are done."""


def _quietly(_done: int) -> None:
    """Show nothing."""


class Moving(Base):
    """Exports and imports a registry. Files are CSV tables, and JSON lines for profiles."""

    def export_opt_outs(
        self, path: Path | str, *, hashed: str | None = None, after: int = 0, until: datetime | None = None,
        progress: Progress = _quietly,
    ) -> Exported:  # fmt: skip
        """Write every opt-out and suppression of the log, with all that it says, and what became of it.

        Args:
            path: the file; it is written whole or not at all.
            hashed: the id of a pepper: then people are named by keyed hashes alone, and words are left out.
            after: the position of the log after which to begin: that of an earlier export.
            until: an instant, to write the registry as it stood (O10).
            progress: called now and then with the number of rows that are written.

        Raises:
            UnknownName: no such pepper is given.
            InvalidInput: the file is the registry itself.
            OSError: it cannot be written; the file is then as it was.
        """
        self._require_apart(path)
        position = self.store.position() if until is None else self.store.position_at(as_utc(until))
        return exporting.export_opt_outs(
            self._reader, Path(path), peppers=self.peppers, hashed=hashed, after=after, until=position,
            progress=progress,
        )  # fmt: skip

    def export_subscriptions(
        self, path: Path | str, *, now: datetime, hashed: str | None = None, progress: Progress = _quietly
    ) -> Exported:
        """Write how each contact stands with each list that they ever agreed to, or asked for, at an instant.

        Raises:
            UnknownName: no such pepper is given.
            InvalidInput: the file is the registry itself.
            OSError: it cannot be written; the file is then as it was.
        """
        self._require_apart(path)
        channels = {key: one.channel for key, one in self._known_lists().items()}
        return exporting.export_subscriptions(
            self._reader, Path(path), now=as_utc(now), peppers=self.peppers, hashed=hashed, channels=channels,
            progress=progress,
        )  # fmt: skip

    def export_profiles(self, path: Path | str, *, progress: Progress = _quietly) -> Exported:
        """Write every contact, with their engagement and their changes of address.

        Raises:
            InvalidInput: the file is the registry itself.
            OSError: it cannot be written; the file is then as it was.
        """
        self._require_apart(path)
        return exporting.export_profiles(self._reader, Path(path), progress=progress)

    def import_opt_outs(
        self, path: Path | str, *, now: datetime, source: str | None = None, scope: Scope | None = None,
        match_contacts: bool = False, fallback: str | None = None, chunk: int = IMPORT_CHUNK,
        rejects: Path | str | None = None, progress: Progress = _quietly,
    ) -> Imported:  # fmt: skip
        """Take opt-outs from a file: an export of ours, a list of addresses, or a list of keyed hashes.

        An import that was killed goes on where it stopped, when it is started again on the same file (F6). Nothing in
        it brings anybody back (O4).

        Args:
            path: the file.
            now: the instant of the import.
            source: what a list is known by from week to week; left out, its name. What the same source says again of
                the same address is no new no.
            scope: how far the noes of a list reach that does not say; left out, all marketing.
            match_contacts: whether the noes of a list name the contact too, where exactly one has the address.
            fallback: the encoding, such as `cp1252`, of a file that is not UTF-8.
            chunk: how many rows a transaction covers.
            rejects: where rows that could not be taken, and cells that were set aside, are written.
            progress: called after each chunk with the number of rows that are done.

        Raises:
            InvalidDocument: no column of the file says who is out.
            UnknownName: the scope names a list that is not declared.
            InvalidInput: the rejects would take the place of the file, or of the registry.
            OSError: a file cannot be read or written.
        """
        path, digest = Path(path), digest_of(Path(path))
        lists = self._known_lists()
        if scope is not None and scope.kind is ScopeKind.LIST and scope.key not in lists:
            raise UnknownName("list", scope.key, lists)
        given = Given(
            rules=self._reader.rules, peppers=self.peppers, now=as_utc(now), source=_source(path, source),
            evidence=_evidence(path, digest), scope=scope or Scope.all(), lists=lists,
            who_has=self._who_has if match_contacts else None, fallback=fallback,
        )  # fmt: skip
        work = OptOuts(reader=self._reader, path=path, given=given)
        return self._import(path, digest, work, now=given.now, chunk=chunk, rejects=rejects, progress=progress)

    def import_subscriptions(
        self, path: Path | str, *, now: datetime, to: MailingList | str | None = None, source: str | None = None,
        fallback: str | None = None, chunk: int = LARGEST_CHUNK, rejects: Path | str | None = None,
        progress: Progress = _quietly,
    ) -> Imported:  # fmt: skip
        """Take subscriptions from a file: an export of ours, or a list of addresses.

        Every consent in it is an imported one, and overrides nothing (O4). What was not active stays so.

        Args:
            path: the file.
            now: the instant of the import.
            to: the list of rows that name none.
            source: what a list is known by from week to week; left out, its name.
            fallback: the encoding, such as `cp1252`, of a file that is not UTF-8.
            chunk: how many rows a transaction covers.
            rejects: where rows that could not be taken are written.
            progress: called after each chunk with the number of rows that are done.

        Raises:
            InvalidDocument: no column says who is subscribed, or one says that some may be out.
            UnknownName: the list is not declared.
            InvalidInput: the rejects would take the place of the file, or of the registry.
            OSError: a file cannot be read or written.
        """
        path, digest = Path(path), digest_of(Path(path))
        taking = Taking(
            now=as_utc(now), source=_source(path, source), evidence=_evidence(path, digest),
            to=None if to is None else self._list(to).key, lists=self._known_lists(), fallback=fallback,
        )  # fmt: skip

        def receive(said: Sequence[Statement]) -> Received:
            receiver = Receiver(
                self._reader, fields=self.programme.fields, lists=self.programme.lists, new_id=self._new_id,
                breaker=self.breaker, rules=self.programme.consent, esp=self.esp, crm=self.crm, now=taking.now,
            )  # fmt: skip
            return receiver.take(said)

        work = Subscriptions(reader=self._reader, path=path, taking=taking, receive=receive)
        return self._import(path, digest, work, now=taking.now, chunk=chunk, rejects=rejects, progress=progress)

    def import_profiles(
        self, path: Path | str, *, now: datetime, replace: bool = False, chunk: int = LARGEST_CHUNK,
        rejects: Path | str | None = None, progress: Progress = _quietly,
    ) -> Imported:  # fmt: skip
        """Take contacts and their engagement from an export of ours.

        Args:
            path: the file.
            now: the instant of the import.
            replace: whether contacts and profiles that are there are written over; left out, they stay as they are.
            chunk: how many rows a transaction covers.
            rejects: where rows that could not be taken are written.
            progress: called after each chunk with the number of rows that are done.

        Raises:
            InvalidInput: the rejects would take the place of the file, or of the registry.
            OSError: a file cannot be read or written.
        """
        path, at = Path(path), as_utc(now)

        def show(changed: Collection[ContactId]) -> None:
            post_pictures(self.store, self.crm, changed, now=at)

        work = Profiles(reader=self._reader, path=path, replace=replace, now=at, changed=show)
        return self._import(path, digest_of(path), work, now=at, chunk=chunk, rejects=rejects, progress=progress)

    def _import(
        self, path: Path, digest: str, work: Work, *, now: datetime, chunk: int, rejects: Path | str | None,
        progress: Progress,
    ) -> Imported:  # fmt: skip
        if rejects is not None:
            self._require_apart(rejects, ("the file that is read", path))
        return Import(
            store=self.store, path=path, digest=digest, work=work, now=now, chunk=chunk,
            rejects=None if rejects is None else Path(rejects), progress=progress, wait=self._wait,
        ).run()  # fmt: skip

    def _require_apart(self, target: Path | str, *kept: tuple[str, Path]) -> None:
        """Check that what is written takes the place of neither the registry nor what is read."""
        own = self.store.files if isinstance(self.store, InFiles) else ()
        require_apart(Path(target), [*(("the registry", Path(one)) for one in own), *kept])

    def _known_lists(self) -> Mapping[str, MailingList]:
        return {**{str(key): one for key, one in self._again(self.store.lists).items()}, **self.programme.lists}

    def _who_has(self, identity: str) -> ContactId | None:
        found = self._again(lambda: self.store.find(identity))
        return found[0] if len(found) == 1 else None


def _source(path: Path, source: str | None) -> str:
    return source or f"file:{path.name}"


def _evidence(path: Path, digest: str) -> str:
    return f"{path.name}, sha256 {digest}"
