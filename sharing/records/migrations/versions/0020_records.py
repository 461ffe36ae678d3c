"""When an interest ended, and a short way to the last reading of the audit log."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
READINGS = sa.text("action IN ('audit.verified', 'audit.found_broken')")


def upgrade() -> None:
    op.create_table(
        "interest_end",
        sa.Column("interest_id", TEXT, nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("replaced_by", TEXT, nullable=True),
        sa.Column("counts_until", sa.Date(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("said_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "until IS NOT NULL OR replaced_by IS NOT NULL", name=op.f("ck_interest_end_how")
        ),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_interest_end_reason")),
        sa.ForeignKeyConstraint(
            ["interest_id"], ["interest.id"], name=op.f("fk_interest_end_interest_id_interest")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["interest.id"], name=op.f("fk_interest_end_replaced_by_interest")
        ),
        sa.ForeignKeyConstraint(
            ["said_by"], ["person.id"], name=op.f("fk_interest_end_said_by_person")
        ),
        sa.PrimaryKeyConstraint("interest_id", name=op.f("pk_interest_end")),
    )
    guards.keep("interest_end", ("interest_id",))
    op.create_index(
        "ix_audit_entry_reading",
        "audit_entry",
        ["position"],
        sqlite_where=READINGS,
        postgresql_where=READINGS,
    )


def downgrade() -> None:
    op.drop_index("ix_audit_entry_reading", table_name="audit_entry")
    guards.let_go("interest_end")
    op.drop_table("interest_end")
