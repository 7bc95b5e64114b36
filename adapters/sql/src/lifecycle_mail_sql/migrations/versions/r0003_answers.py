"""What people answered to the question why.

Revision ID: 0003
"""

# ruff: noqa: D103 - as Alembic calls it

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", WORD, nullable=False),
        sa.Column("person", NUMBER, nullable=False),
        sa.Column("question", WORD, nullable=False),
        sa.Column("about", WORD, nullable=False),
        sa.Column("campaign", WORD, nullable=True),
        sa.Column("asked_at", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("reasons", WORD, nullable=False),
        sa.Column("text", WORD, nullable=False),
        sa.Column("tool", WORD, nullable=False),
        sa.Column("improve", WORD, nullable=False),
        sa.Column("crc", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_at_id"), "answers", ["at", "id"], unique=False)
    op.create_index(
        op.f("ix_answers_person"),
        "answers",
        ["person"],
        unique=False,
        sqlite_where=sa.text("person > 0"),
        postgresql_where=sa.text("person > 0"),
    )
    op.create_index(op.f("ix_answers_question_at_id"), "answers", ["question", "at", "id"], unique=False)
