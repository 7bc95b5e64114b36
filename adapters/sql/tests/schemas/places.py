"""Where the tests of the schema put registries, and what is in them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from attrs import define
from lifecycle_mail_sql import SqlStore, keeping

from adapters.sql.tests.schemas.write import FOLDER, SCHEMA, dump_postgres, dump_sqlite, renamed
from adapters.sql.tests.servers import Server
from lifecycle_mail.errors import ConsentRefused
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Task, TaskKind
from lifecycle_mail.testing.stores.answers import answer
from tests.service.worlds import DAY, NEWS, NOW, OFFERS, PROOF, address, world

OURS = keeping._MIGRATIONS
"""The folder of the migrations."""
REVISIONS = sorted(script.revision for script in ScriptDirectory(str(OURS)).walk_revisions())
FORMS = ["0001-first", "0001-second", *REVISIONS]
"""The schemas that were ever on main. Two other forms were called 0001 before it: without the table `chores` and, on
Postgres, with sequences; then with both."""


@define
class Place:
    """Where a registry is to be, on either database.

    Attributes:
        kind: `sqlite` or `postgresql`.
        url: of the registry.
        path: of the file.
        server, name: for Postgres, and of the schema there.
    """

    kind: str
    url: str
    path: Path | None = None
    server: Server | None = None
    name: str = ""

    def load(self, form: str) -> None:
        """Put the stored dump of a schema there."""
        dump = (FOLDER / f"{form}.{self.kind}.sql").read_text(encoding="utf-8")
        if self.path is not None:
            with closing(sqlite3.connect(self.path)) as raw:
                raw.executescript(dump)
        else:
            assert self.server is not None
            self.server.load(renamed(dump, SCHEMA, self.name))

    def tables(self) -> str:
        """Return the statements that make what is there, in one order and one way to write them."""
        if self.path is not None:
            said = dump_sqlite(self.path, data=False) if self.path.exists() else ""
        else:
            assert self.server is not None
            there = self.server.sql(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{self.name}'")  # noqa: S608
            said = dump_postgres(self.server, self.name, data=False) if there.strip() == "1" else ""
        # `key > 0` and `"key" > 0` are one; which of them Alembic writes is its own affair.
        return re.sub(r"[ \t]+", " ", said.replace('"', ""))


Where = Callable[[], Place]
"""Makes a new place for a registry."""

NEXT = f"{len(REVISIONS) + 1:04}"
"""The schema that comes next."""
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{REVISIONS[-1]}", None, None

def upgrade():
    op.create_table("notes", sa.Column("no", sa.BigInteger(), primary_key=True), sa.Column("words", sa.Text()))
    op.create_index("ix_notes_words", "notes", ["words"])
    op.execute("INSERT INTO notes SELECT seq, kind FROM log")
    op.add_column("bookmarks", sa.Column("owner", sa.Text(), nullable=True))
    op.execute("UPDATE bookmarks SET owner = 'somebody'")
"""  # noqa: S608 - a program, and no query
"""A migration that is made up, for it."""


def holds_what_was_filled(store: SqlStore) -> None:
    """Check that a registry holds what `schemas.write.fill` put there."""
    assert () == store.check().problems
    mail = world(store=store)
    standings = {name: mail.standing(name, OFFERS, now=NOW + DAY).value for name in ("ada", "bob", "cem")}
    assert {"ada": "out-of-list", "bob": "out-of-all", "cem": "active"} == standings
    ada = store.get([ContactId("ada")])[ContactId("ada")]
    assert ("ada@new.example.com", 120, frozenset({"vip"})) == (ada.email, ada.fields["spend"], ada.tags)
    claims = {one: claim.state.value for one, claim in store.claims(CampaignKey("spring")).items()}
    assert {"ada": "handed-off", "cem": "handed-off"} == {one: claims[ContactId(one)] for one in ("ada", "cem")}
    assert {"eve"} == store.erased(["eve", "ada"])
    assert 1 == store.profiles([ContactId("cem")])[ContactId("cem")].count("opened")
    found = store.bookmark("import:old")
    assert (7, "row 7") == (None if found is None else (found.place, found.note))
    assert {"offers": "a1b2"} == store.bound("esp:memory", "list")
    assert ["cem"] == [one.contact_id for one in store.quarantined()]
    assert ["too many at once"] == [one.why for one in store.aside()]
    assert list(store.tally())


def holds_answers(store: SqlStore) -> None:
    """Check that a registry holds the answers that `schemas.write.fill` put there since there are any."""
    cems, nobodys = store.answers()
    assert answer("cem", text="süß, but dear") == cems
    assert ("", "", cems.reasons) == (nobodys.contact_id, nobodys.text, nobodys.reasons)


def holds_still(store: SqlStore) -> None:
    """Check that a registry that was filled can be written to, and forgets nobody's no."""
    mail = world(store=store)
    mail.subscribe("bob", OFFERS, proof=PROOF, now=NOW + DAY)
    mail.subscribe(address("dee"), OFFERS, proof=PROOF, now=NOW + DAY, contact_id="dee")
    assert ListStanding.OUT_OF_ALL is mail.standing("bob", NEWS, now=NOW + DAY)
    assert ListStanding.ACTIVE is mail.standing("dee", OFFERS, now=NOW + DAY)
    with pytest.raises(ConsentRefused, match="was erased"):
        mail.subscribe(address("eve"), OFFERS, proof=PROOF, now=NOW + DAY)
    assert 1 == store.post([Task(target="esp:x", kind=TaskKind.TAG, contact_id=ContactId("dee"), made_at=NOW)])
    store.put_answers([answer("dee"), answer("eve", text="again")])
    assert [answer("dee")] == store.answers_of([ContactId("dee")])[ContactId("dee")]
    assert not store.answers_of([ContactId("eve")])
    assert () == store.check().problems
