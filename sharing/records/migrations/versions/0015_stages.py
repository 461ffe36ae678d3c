"""How long an export spends on each stage of the pipe."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("export", "export_shard"):
        stages = sa.Column("stages", sa.JSON(), nullable=False, server_default="{}")
        op.add_column(table, stages)


def downgrade() -> None:
    for table in ("export_shard", "export"):
        op.drop_column(table, "stages")
