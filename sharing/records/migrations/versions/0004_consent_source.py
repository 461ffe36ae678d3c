"""Where we are in the feed of a consent source, and how it is with it."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "consent_source",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("cursor", POSITION, nullable=False),
        sa.Column("pulled_at", MOMENT, nullable=True),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("trouble", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_consent_source")),
    )


def downgrade() -> None:
    op.drop_table("consent_source")
