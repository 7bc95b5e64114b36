"""The store: every port of `lifecycle_mail.ports.Store` on SQLite or Postgres."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail_sql.claims import ClaimsPart
from lifecycle_mail_sql.connecting import Connections
from lifecycle_mail_sql.forgetting import ForgettingPart
from lifecycle_mail_sql.keeping import KeepingPart
from lifecycle_mail_sql.opening import open_database, shown
from lifecycle_mail_sql.outbox import OutboxPart

_BESIDE: Final = ("", "-journal", "-wal", "-shm")
"""How the names of the files end that a database of SQLite lies in."""


class SqlStore(ForgettingPart, ClaimsPart, OutboxPart, KeepingPart):
    """A registry that outlives the process; safe to share between threads, and to open in many processes.

    An empty database gets its tables when it is opened. One that an older version made is refused until it is upgraded:
    `lifecycle-mail db upgrade`.

    Args:
        url: `sqlite:///mail.db` or `postgresql://user@host/name`; see `opening.open_database`.
        peppers: secrets by id, the newest last, for what erasures leave (O5). Each one that was ever used is needed.
        ready: False opens it as it is, damaged or of another schema, for those who look after it (`ports.Maintained`).

    Raises:
        Misconfigured: the URL, the schema, a driver or a pepper.
        RegistryDamaged: the file is not whole (F11).
        RegistryUnavailable: it cannot be opened.
    """

    def __init__(
        self, url: str, *, peppers: Peppers | Mapping[str, str | bytes] | None = None, ready: bool = True
    ) -> None:
        self.url = url
        self.opened = open_database(url)
        given = peppers if isinstance(peppers, Peppers) else Peppers(peppers or {})
        self._open(Connections(self.opened.engine), given)
        if not ready:
            return
        try:
            self.make_ready()
        except BaseException:
            self.db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one: all of them or none. What the block raises comes out as it is."""
        with self.db.transaction():
            yield

    @property
    def files(self) -> Collection[str]:
        """The path of the file of SQLite, and of those that it keeps beside it; none for a server."""
        path = self.opened.path
        return [] if path is None else [f"{path}{end}" for end in _BESIDE]

    def close(self) -> None:
        """Let go of every connection."""
        self.db.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self.opened.engine.url)!r})"
