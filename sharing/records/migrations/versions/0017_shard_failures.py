"""Why attempts at a shard failed."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    named = op.f("fk_shard_failure_export_id_export")
    op.create_table(
        "shard_failure",
        sa.Column("export_id", TEXT, sa.ForeignKey("export.id", name=named), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("export_id", "shard", "attempt", name=op.f("pk_shard_failure")),
    )


def downgrade() -> None:
    op.drop_table("shard_failure")
