"""Drafts of partners, and the outlooks on consent that they were given."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
APPEND_ONLY = {"consent_outlook": ("id",)}


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("id", TEXT, nullable=False),
        _ref("partner_id", "partner.id", "draft"),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_table(
        "consent_outlook",
        sa.Column("id", TEXT, nullable=False),
        _ref("partner_id", "partner.id", "consent_outlook"),
        _ref("dataset_id", "dataset.id", "consent_outlook"),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("band", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_outlook")),
    )
    for table in ("draft", "consent_outlook"):
        op.create_index(f"ix_{table}_partner_id", table, ["partner_id"])
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)


def _ref(name: str, target: str, table: str) -> sa.Column[str]:
    named = op.f(f"fk_{table}_{name}_{target.partition('.')[0]}")
    return sa.Column(name, TEXT, sa.ForeignKey(target, name=named), nullable=False)


def downgrade() -> None:
    for table in APPEND_ONLY:
        guards.let_go(table)
    for table in ("consent_outlook", "draft"):
        op.drop_table(table)
