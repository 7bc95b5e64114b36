"""Imports that go on where they stopped (F6).

Theory of operation
===================

A file is read in chunks, and each is written in one transaction with a bookmark, named for a hash of the file, for
what is imported and how. Its place is the number of rows that are done. Killed anywhere and started again on the same
file, an import goes on after that row; a file that was changed is another file. An import that came to its end begins
anew, and finds that the registry holds it all.

Rows that were done before are read again, and not written: what was wrong with them is found again, so that the table
of rejects is whole, whichever run comes to the end. Where it is no longer the same, because a pepper is given now that
was missing or a list was declared, what was refused could be taken: then the import begins at the first row once more.

What only the registry could know to be wrong is kept: some of it in the bookmark, and where it is much, in bookmarks of
its own (`Refusals`), each written once. So a transaction writes no more for a long file than for a short one (F68).

What is written twice is held once: entries have ids of their own, and contacts too. So two imports of one file at the
same time do no harm.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.importing_rows import Tell
from lifecycle_mail.files.reading import Reject, row_as_text
from lifecycle_mail.files.writing import rejects_file
from lifecycle_mail.model.names import entry_id
from lifecycle_mail.ports import Bookmark, Store
from lifecycle_mail.service.refusals import Refusals
from lifecycle_mail.service.retrying import again

IMPORT_CHUNK = 50_000
"""How many rows of a list one transaction covers: each rewrites pages all over the indexes, so few are better."""

Reads = Callable[[Sequence[tuple[int, Any]], Tell], Sequence[Any]]
"""Turns rows, each with its line, into what is written; tells of rows that cannot be taken."""


@frozen(kw_only=True)
class Imported:
    """What became of a file; the same, however many runs it took.

    Attributes:
        rows: how many rows it has.
        taken: rows that were taken.
        rejected: rows that were not; the two add up to the rows.
        new: what the registry did not hold yet: entries of the log, or contacts with their profiles.
        known: rows that told nothing new.
        passed: rows that say nothing which an import could repeat: of noes that are over, of consents that do not hold.
        resumed_from: the number of rows that earlier runs had done.
    """

    rows: int = 0
    taken: int = 0
    rejected: int = 0
    new: int = 0
    known: int = 0
    passed: int = 0
    resumed_from: int = 0

    def __str__(self) -> str:
        counts = {"new": self.new, "known": self.known, "passed over": self.passed, "rejected": self.rejected}
        return f"{self.rows:,} rows: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())


@frozen(kw_only=True)
class Written:
    """What became of the rows of a chunk.

    Attributes:
        new: see `Imported`.
        passed: see `Imported`.
        refused: rows that the registry refuses, by their place in the chunk, each with the reason.
    """

    new: int = 0
    passed: int = 0
    refused: Mapping[int, str] = field(factory=dict)


class Work(Protocol):
    """One kind of import."""

    @property
    def what(self) -> str:
        """What is imported, and in what way: another way is another import."""
        ...

    def open(self) -> AbstractContextManager[tuple[Iterator[tuple[int, Any]], Reads]]:
        """Open the file: its rows, and what reads them."""
        ...

    def write(self, values: Sequence[Any]) -> Written:
        """Write what a chunk of rows says, inside a transaction. Writing it again changes nothing."""
        ...


@frozen(kw_only=True)
class _State:
    """How far an import has come, as its bookmark remembers it.

    Attributes:
        place: how many rows are done.
        new, passed: see `Imported`.
        wrong: a hash of what was wrong with the rows that are done, as far as reading them tells.
        refused: the rows that the registry refused.
        finished: whether it came to its end.
    """

    place: int = 0
    new: int = 0
    passed: int = 0
    wrong: str = ""
    refused: Refusals = field(factory=Refusals)
    finished: bool = False

    @classmethod
    def read(cls, bookmark: Bookmark | None) -> Self:
        """Return what a bookmark says; a fresh start without one, or after the end."""
        said = {} if bookmark is None else json.loads(bookmark.note)
        if bookmark is None or said["finished"]:
            return cls()
        return cls(
            place=bookmark.place, new=said["new"], passed=said["passed"], wrong=said.get("wrong", ""),
            refused=Refusals.read(said["refused"]),
        )  # fmt: skip

    def bookmark(self, name: str, at: datetime) -> Bookmark:
        """Return the bookmark that says it."""
        note = {"new": self.new, "passed": self.passed, "wrong": self.wrong, "refused": self.refused.note(),
                "finished": self.finished}  # fmt: skip
        return Bookmark(name=name, place=self.place, at=at, note=json.dumps(note))


class _ReadOtherwise(Exception):
    """Raised where something else is wrong with the rows that are done than when they were done."""


@frozen(kw_only=True)
class Import:
    """One import of one file.

    Attributes:
        store: what is written to.
        path: the file.
        digest: its hash.
        work: what is done with it.
        now: the instant of the import, aware UTC.
        chunk: how many rows a transaction covers.
        rejects: where rows that could not be taken are written, or None.
        progress: called after each chunk with the number of rows that are done.
        wait: see `retrying.again`.
    """

    store: Store
    path: Path
    digest: str
    work: Work
    now: datetime
    chunk: int
    rejects: Path | None
    progress: Callable[[int], object]
    wait: Callable[[int], None]

    def run(self) -> Imported:
        """Read the file to its end."""
        if self.chunk < 1:
            raise InvalidInput(f"chunk={self.chunk}: a transaction covers one row at least")
        state = _State.read(again(lambda: self.store.bookmark(self._name), wait=self.wait))
        try:
            return self._run(state)
        except _ReadOtherwise:
            return self._run(_State(new=state.new))

    def _run(self, state: _State) -> Imported:
        start, done, rejected, wrong = state.place, 0, 0, ""
        with self._rejects() as write_reject, self.work.open() as (rows, read):
            while batch := list(islice(rows, self.chunk if done >= start else min(self.chunk, start - done))):
                before, done = done, done + len(batch)
                found: list[Reject] = []
                with _collector_at_rest():
                    values = read(batch, found.append)
                    found.sort(key=lambda reject: reject.line)
                    for reject in found:
                        wrong = entry_id(wrong, reject.line, reject.whole)
                    if done > start:
                        state = again(partial(self._write, values, state, before, done, wrong), wait=self.wait)
                if done == start and wrong != state.wrong:
                    raise _ReadOtherwise
                refused = again(partial(state.refused.among, before, done, self.store, self._name), wait=self.wait)
                found += [self._refused(*batch[number - before], reason) for number, reason in refused.items()]
                for reject in sorted(found, key=lambda reject: reject.line):
                    rejected += reject.whole
                    write_reject(reject)
                self.progress(done)
            if done < start:
                raise _ReadOtherwise
        again(partial(self._finish, state), wait=self.wait)
        taken = done - rejected
        return Imported(
            rows=done, taken=taken, rejected=rejected, new=state.new, passed=state.passed,
            known=max(0, taken - state.new - state.passed), resumed_from=start,
        )  # fmt: skip

    @property
    def _name(self) -> str:
        return f"import:{self.digest}:{self.work.what}"

    def _rejects(self) -> AbstractContextManager[Callable[[Reject], object]]:
        return nullcontext(lambda _: None) if self.rejects is None else rejects_file(self.rejects)

    def _refused(self, line: int, row: object, reason: str) -> Reject:
        return Reject(file=str(self.path), line=line, reason=reason, row=row_as_text(row))

    def _write(self, values: Sequence[Any], state: _State, before: int, done: int, wrong: str) -> _State:
        """Write a chunk and the bookmark, all or nothing."""
        with self.store.transaction():
            seen = _State.read(self.store.bookmark(self._name))
            if (seen.place, seen.wrong) == (done, wrong):  # an earlier try went through after all
                return seen
            written = self.work.write(values)
            refused = {before + place: reason for place, reason in written.refused.items()}
            grown = _State(
                place=done, new=state.new + written.new, passed=state.passed + written.passed, wrong=wrong,
                refused=state.refused.plus(refused, self.store, self._name, at=self.now),
            )  # fmt: skip
            self.store.mark(grown.bookmark(self._name, self.now))
        return grown

    def _finish(self, state: _State) -> None:
        with self.store.transaction():
            state.refused.forget(self.store, self._name, at=self.now)
            ended = evolve(state, refused=Refusals(), finished=True)
            self.store.mark(ended.bookmark(self._name, self.now))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Let Python not look for garbage: all that a chunk makes is in use until it is written, and then freed at once."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def digest_of(path: Path) -> str:
    """Return a hash by which a file is known again, wherever it lies.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
