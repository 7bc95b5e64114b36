"""Write down the newest schema, as both databases dump it, with a small registry in it.

A migration is tested on every schema that was ever on main, with data in it. So whoever adds `rNNNN_*.py` to
`lifecycle_mail_sql/migrations/versions` and sets `schema.REVISION` runs, from the root of the repository,

    python -m adapters.sql.tests.schemas.write

which writes `NNNN.sqlite.sql` and `NNNN.postgresql.sql` beside this file. Files of older schemas are never written
again: they are what users have. What `fill` writes may grow, and never changes, because `test_migrations` looks for it
in all of them.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from lifecycle_mail_sql import SqlStore, schema

from adapters.sql.tests.servers import Server, started
from lifecycle_mail.model.entries import Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, OptOutReason
from lifecycle_mail.ports import Bookmark, SetAside
from lifecycle_mail.service import NeedsConfirmation
from lifecycle_mail.testing import contact, days_ago, event, said
from lifecycle_mail.testing.builders import subject_of
from lifecycle_mail.testing.stores.answers import answer
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.service.worlds import DAY, HOUR, NEWS, NOW, OFFERS, PROOF, address, world

FOLDER = Path(__file__).parent
SCHEMA = "lifecycle_mail"

# What a server of another version, or another run, writes differently, and what only a superuser may.
_PASSING = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|)\n", re.MULTILINE)


def fill(store: SqlStore) -> None:
    """Put a little of everything into a registry."""
    mail = world("ada", "bob", "cem", "eve", store=store, lists=(OFFERS, NEWS))
    mail.update("ada", {"spend": 120, "since": NOW}, tags=["vip"], now=NOW - DAY)
    mail.opt_out(
        "bob", scope=Scope.all(), now=NOW - DAY, reason=OptOutReason.TOO_MANY, text="süß, but no", evidence="l"
    )
    mail.opt_out("cem", scope=Scope.list("offers"), now=NOW - DAY)
    asked = mail.subscribe("cem", OFFERS, proof=PROOF, now=NOW - DAY)
    assert isinstance(asked, NeedsConfirmation)
    mail.confirm(asked.token, now=NOW - DAY)
    mail.opt_out("eve", scope=Scope.list("news"), now=NOW - DAY, text="what eve said")
    mail.opt_out(address("stranger"), scope=Scope.all(), now=NOW - DAY)
    mail.suppress("ada", SuppressionKind.SUNSET, provenance=said(Actor.POLICY, at=NOW - DAY), now=NOW - DAY)
    mail.lift("ada", SuppressionKind.SUNSET, by=Actor.OPERATOR, text="she wrote", now=NOW - HOUR)
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.opt_out("ada", campaign="spring", now=NOW + HOUR)
    mail.record([event("cem", EventKind.OPENED, at=days_ago(-0.1), mail="spring:cem")], now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW + HOUR)
    store.put_answers([answer("cem", text="süß, but dear"), answer("eve", text="what eve wrote")])
    mail.erase("eve", by=Actor.CONTACT, now=NOW + HOUR)
    store.mark(Bookmark(name="import:old", place=7, at=NOW, note="row 7"))
    store.bind("esp:memory", "list", "offers", "a1b2")
    store.quarantine([event("cem", at=days_ago(-400))], at=NOW)
    waits = Suppression(
        subject=subject_of(contact("cem")), kind=SuppressionKind.COMPLAINT, event_id="b1",
        provenance=said(Actor.ESP, at=NOW),
    )  # fmt: skip
    store.set_aside([SetAside(entry=waits, why="too many at once", at=NOW)])
    assert store.begin("sweep:memory", "a worker", at=NOW, until=NOW + HOUR)
    assert store.erased([ContactId("eve")])


def dump_sqlite(path: Path, *, data: bool = True) -> str:
    """Return a file of SQLite as statements, or only those that make its tables."""
    with closing(sqlite3.connect(path)) as raw:
        if data:
            return "\n".join(raw.iterdump()) + "\n"
        made = raw.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name").fetchall()
    return "".join(f"{sql};\n" for (sql,) in made)


def dump_postgres(server: Server, name: str = SCHEMA, *, data: bool = True) -> str:
    """Return a schema of a server as statements, or only those that make its tables; it is called `SCHEMA` in them."""
    more = ["--inserts"] if data else ["--schema-only"]
    return renamed(_PASSING.sub("", server.dump(name, "--no-owner", "--no-privileges", *more)), name, SCHEMA)


def renamed(dump: str, before: str, after: str) -> str:
    """Return a dump of a schema for one of another name."""
    return re.sub(rf"\b{before}\.", f"{after}.", dump).replace(f"SCHEMA {before};", f"SCHEMA {after};")


def main() -> None:
    """Write the files of the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.db"
        with closing(SqlStore(f"sqlite:///{path}", peppers=PEPPERS)) as store:
            fill(store)
        (FOLDER / f"{schema.REVISION}.sqlite.sql").write_text(dump_sqlite(path), encoding="utf-8")
    with started() as server:
        with closing(SqlStore(server.url(SCHEMA), peppers=PEPPERS)) as store:
            fill(store)
        (FOLDER / f"{schema.REVISION}.postgresql.sql").write_text(dump_postgres(server), encoding="utf-8")


if __name__ == "__main__":
    main()
