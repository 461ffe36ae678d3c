"""Versions of the policy, each approved by a second admin; a revision names the one in force, and a
partner has a risk."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards, policy_rules

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
APPEND_ONLY = {"policy_version": ("number",), "policy_approval": ("number",)}
RISK = "CHECK (risk IN ('low', 'standard', 'high'))"


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column(
            "proposed_by",
            TEXT,
            sa.ForeignKey("person.id", name=op.f("fk_policy_version_proposed_by_person")),
            nullable=False,
        ),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.CheckConstraint("number > 1", name=op.f("ck_policy_version_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "policy_approval",
        sa.Column(
            "number",
            sa.Integer(),
            sa.ForeignKey(
                "policy_version.number", name=op.f("fk_policy_approval_number_policy_version")
            ),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "approved_by",
            TEXT,
            sa.ForeignKey("person.id", name=op.f("fk_policy_approval_approved_by_person")),
            nullable=False,
        ),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_approval")),
    )
    # In SQL of our own: a column with its check, without rebuilding a table that has triggers.
    op.execute("ALTER TABLE revision ADD COLUMN policy INTEGER NOT NULL DEFAULT 1")
    op.execute(
        "ALTER TABLE partner ADD COLUMN risk VARCHAR NOT NULL DEFAULT 'standard' "
        f"CONSTRAINT ck_partner_risk {RISK}"
    )
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    guards.put_rules(policy_rules.POLICY)


def downgrade() -> None:
    guards.drop_rules(policy_rules.POLICY)
    for table in APPEND_ONLY:
        guards.let_go(table)
    op.execute("ALTER TABLE partner DROP COLUMN risk")
    op.execute("ALTER TABLE revision DROP COLUMN policy")
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
