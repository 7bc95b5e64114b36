"""One form of the schema, out of the three that were called 0001; and no text in an index that Postgres cannot hold.

The first form had no table of chores. The first and second had, on Postgres, sequences that nothing used.

Ids of events, mails and campaigns could have any length, and an index of Postgres takes no more than 2,704 bytes.
Longer ones, which only SQLite could hold, are shortened to what the model takes now, in such a way that no two become
one. Profiles keep them as they were: nothing that comes in can speak of these mails any more.

Revision ID: 0002
"""

# ruff: noqa: D103 - as Alembic calls it

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONGEST = 512
MARK = "\\json:"  # before a text that no database takes as it is


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("chores"):
        op.create_table(
            "chores",
            sa.Column("name", WORD, nullable=False),
            sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
            sqlite_with_rowid=False,
        )
    if op.get_bind().dialect.name == "postgresql":
        for table, column in (("complicated", "person"), ("moments", "recorded_at")):
            op.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" DROP DEFAULT')
            op.execute(f'DROP SEQUENCE IF EXISTS "{table}_{column}_seq"')
    for table, columns in (("events", ("id", "mail", "campaign")), ("daily", ("campaign",))):
        for column in columns:
            _shorten(table, column)
    _shorten_quarantined()


def _shorten(table: str, column: str) -> None:
    tx = op.get_bind()
    rows = sa.table(table, sa.column(column))
    one = rows.c[column]
    long = tx.execute(sa.select(one).distinct().where(sa.func.length(one) > LONGEST)).scalars().all()
    for text in long:
        tx.execute(sa.update(rows).where(one == text).values({column: shortened(text)}))


def _shorten_quarantined() -> None:
    tx = op.get_bind()
    rows = sa.table("quarantine", sa.column("id"), sa.column("body"))
    found = tx.execute(sa.select(rows.c.id, rows.c.body).where(sa.func.length(rows.c.body) > LONGEST)).all()
    for name, body in found:
        held = json.loads(body)
        held.update((column, shortened(held[column])) for column in ("id", "mail", "campaign"))
        if held != json.loads(body):
            made = {"id": shortened(name), "body": json.dumps(held)}
            tx.execute(sa.update(rows).where(rows.c.id == name).values(made))


def shortened(text: str) -> str:
    """Return a text of at most 512 characters; a longer one as its beginning and a digest of all of it."""
    plain = json.loads(text[len(MARK) :]) if text.startswith(MARK) else text
    if len(plain) <= LONGEST:
        return text
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    short = f"{plain[: LONGEST - 1 - len(digest)]}~{digest}"
    return MARK + json.dumps(short) if text.startswith(MARK) else short
