"""What the parts of the store share."""

from __future__ import annotations

from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail_sql.connecting import Connections
from lifecycle_mail_sql.names import Dialect, Names

PAGE = 5_000
"""How many rows are read at once; between pages nothing is held, so that writers are not kept waiting."""


SCRUB = "scrub"
"""How a chore begins that is due while free space may still hold what an erasure removed; each makes one of its own."""


class Part:
    """A part of the store.

    Attributes:
        db: the connections.
        dialect: what this database says differently.
        names: numbers of people and addresses.
    """

    db: Connections
    dialect: Dialect
    names: Names

    def _open(self, db: Connections, given: Peppers) -> None:
        self.db = db
        self.dialect = Dialect(db.engine.dialect.name)
        self.names = Names(self.dialect, given)
        self._prepare()

    def _prepare(self) -> None:
        """Build the statements of the part once; they are compiled once."""

    def scrub_if_due(self) -> None:
        """Overwrite what erasures left in free space, where that is soon done."""
