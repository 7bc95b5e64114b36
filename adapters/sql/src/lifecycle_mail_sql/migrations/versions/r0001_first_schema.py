"""The first schema.

Revision ID: 0001
"""

# ruff: noqa: D103 - written by Alembic from the tables as they were

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "aside",
        sa.Column("id", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("key", NUMBER, nullable=False),
        sa.Column("entry", WORD, nullable=False),
        sa.Column("why", WORD, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aside")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempts",
        sa.Column("no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("note", WORD, nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_task"), "attempts", ["task"], unique=False)
    op.create_table(
        "bindings",
        sa.Column("target", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("ours", WORD, nullable=False),
        sa.Column("theirs", WORD, nullable=False),
        sa.PrimaryKeyConstraint("target", "kind", "ours", name=op.f("pk_bindings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bookmarks",
        sa.Column("name", WORD, nullable=False),
        sa.Column("place", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("note", WORD, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bookmarks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chores",
        sa.Column("name", WORD, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claims",
        sa.Column("campaign", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("leaves_list", WORD, nullable=True),
        sa.Column("inbox", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("opted_out_at", NUMBER, nullable=True),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "person", name=op.f("pk_claims")),
    )
    op.create_index(
        op.f("ix_claims_campaign_inbox"),
        "claims",
        ["campaign", "inbox"],
        unique=True,
        sqlite_where=sa.text("leaves_list IS NOT NULL AND state != 'returned'"),
        postgresql_where=sa.text("leaves_list IS NOT NULL AND state != 'returned'"),
    )
    op.create_index(op.f("ix_claims_person"), "claims", ["person"], unique=False)
    op.create_table(
        "complicated",
        sa.Column("person", NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_complicated")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contacts",
        sa.Column("person", NUMBER, autoincrement=False, nullable=False),
        sa.Column("identity", WORD, nullable=True),
        sa.Column("written", WORD, nullable=True),
        sa.Column("local", WORD, nullable=True),
        sa.Column("domain", WORD, nullable=True),
        sa.Column("body", WORD, nullable=False),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_identity"), "contacts", ["identity"], unique=False)
    op.create_table(
        "daily",
        sa.Column("day", WORD, nullable=False),
        sa.Column("campaign", WORD, nullable=False),
        sa.Column("provider", WORD, nullable=False),
        sa.Column("mark", WORD, nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("day", "campaign", "provider", "mark", name=op.f("pk_daily")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("id", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("mail", WORD, nullable=False),
        sa.Column("campaign", WORD, nullable=False),
        sa.Column("link", WORD, nullable=False),
        sa.Column("evidence", WORD, nullable=False),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.Column("provider", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_person_mail"), "events", ["person", "mail"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("event_id", WORD, nullable=True),
        sa.Column("text", WORD, nullable=False),
        sa.Column("evidence", WORD, nullable=False),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_evidence")),
    )
    op.create_table(
        "leases",
        sa.Column("work", WORD, nullable=False),
        sa.Column("worker", WORD, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("until", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("work", name=op.f("pk_leases")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "links",
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("key", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("person", "key", name=op.f("pk_links")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_links_key"), "links", ["key"], unique=False)
    op.create_table(
        "lists",
        sa.Column("key", WORD, nullable=False),
        sa.Column("body", WORD, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lists")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("recorded_at", NUMBER, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("entry_id", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("key", NUMBER, nullable=False),
        sa.Column("old", NUMBER, nullable=False),
        sa.Column("about", WORD, nullable=False),
        sa.Column("happened_at", NUMBER, nullable=False),
        sa.Column("actor", WORD, nullable=False),
        sa.Column("through", WORD, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.Column("campaign", WORD, nullable=True),
        sa.Column("segment", WORD, nullable=True),
        sa.Column("reason", WORD, nullable=True),
        sa.Column("body", WORD, nullable=True),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log")),
    )
    op.create_index(op.f("ix_log_entry_id_person_key"), "log", ["entry_id", "person", "key"], unique=True)
    op.create_index(
        op.f("ix_log_key_seq"),
        "log",
        ["key", "seq"],
        unique=False,
        sqlite_where=sa.text("key > 0"),
        postgresql_where=sa.text("key > 0"),
    )
    op.create_index(
        op.f("ix_log_old"),
        "log",
        ["old"],
        unique=False,
        sqlite_where=sa.text('"old" > 0'),
        postgresql_where=sa.text('"old" > 0'),
    )
    op.create_index(
        op.f("ix_log_person_seq"),
        "log",
        ["person", "seq"],
        unique=False,
        sqlite_where=sa.text("person > 0"),
        postgresql_where=sa.text("person > 0"),
    )
    op.create_table(
        "marks",
        sa.Column("key", NUMBER, nullable=False),
        sa.Column("mark", WORD, nullable=False),
        sa.PrimaryKeyConstraint("key", "mark", name=op.f("pk_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "match_keys",
        sa.Column("no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("erased", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_match_keys")),
    )
    op.create_index(op.f("ix_match_keys_name"), "match_keys", ["name"], unique=True)
    op.create_table(
        "moments",
        sa.Column("recorded_at", NUMBER, autoincrement=False, nullable=False),
        sa.Column("seq", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("recorded_at", name=op.f("pk_moments")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "people",
        sa.Column("no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("erased", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_name"), "people", ["name"], unique=True)
    op.create_table(
        "peppers",
        sa.Column("id", WORD, nullable=False),
        sa.Column("proof", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peppers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profiles",
        sa.Column("person", NUMBER, autoincrement=False, nullable=False),
        sa.Column("body", WORD, nullable=False),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_profiles")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("body", WORD, nullable=False),
        sa.Column("set_aside_at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscriptions",
        sa.Column("list", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("list", "person", name=op.f("pk_subscriptions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tasks",
        sa.Column("no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", WORD, nullable=False),
        sa.Column("target", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("urgency", NUMBER, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("entry", WORD, nullable=True),
        sa.Column("detail", WORD, nullable=False),
        sa.Column("made_at", NUMBER, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("due_at", NUMBER, nullable=False),
        sa.Column("worker", WORD, nullable=True),
        sa.Column("taken_at", NUMBER, nullable=True),
        sa.Column("taken_until", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_id"), "tasks", ["id"], unique=True)
    op.create_index(
        op.f("ix_tasks_person"),
        "tasks",
        ["person"],
        unique=False,
        sqlite_where=sa.text("person > 0"),
        postgresql_where=sa.text("person > 0"),
    )
    op.create_index(
        op.f("ix_tasks_target_state_urgency_no"), "tasks", ["target", "state", "urgency", "no"], unique=False
    )
    op.create_index(op.f("ix_tasks_urgency_no"), "tasks", ["urgency", "no"], unique=False)
