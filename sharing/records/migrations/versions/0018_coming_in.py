"""Coming in: one-time links for subjects, and each answer of an identity provider, used once."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.add_column("sign_in_code", sa.Column("subject", TEXT, nullable=True))
    op.create_table(
        "provider_answer",
        sa.Column("state", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_provider_answer")),
    )


def downgrade() -> None:
    op.drop_table("provider_answer")
    op.drop_column("sign_in_code", "subject")
