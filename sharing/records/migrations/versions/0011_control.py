"""Exports that are paused, limited, urgent, and how far the worker that makes them has come."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import control_rules, guards

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
# In SQL of our own: columns with their checks, without rebuilding a table that has triggers.
CHECKED = {
    "priority": "INTEGER NOT NULL DEFAULT 3 CONSTRAINT ck_export_priority "
    "CHECK (priority BETWEEN 1 AND 5)",
    "limit_bytes_per_second": "BIGINT CONSTRAINT ck_export_limit "
    "CHECK (limit_bytes_per_second > 0)",
    "paused_seconds": "FLOAT NOT NULL DEFAULT 0",
    "paused_by": "VARCHAR CONSTRAINT ck_export_pause "
    "CHECK ((paused_by IS NULL) = (paused_at IS NULL))",
}
PLAIN = (
    ("paused_at", MOMENT),
    ("planned_at", MOMENT),
    ("scope_bytes", sa.BigInteger()),
    ("needs_bytes", sa.BigInteger()),
    ("erased_files", sa.BigInteger()),
    ("erased_bytes", sa.BigInteger()),
    ("erased_at", MOMENT),
)


def upgrade() -> None:
    for name, kind in PLAIN:
        op.add_column("export", sa.Column(name, kind, nullable=True))
    for name, sql in CHECKED.items():
        op.execute(f"ALTER TABLE export ADD COLUMN {name} {sql}")
    op.create_table(
        "export_pulse",
        sa.Column(
            "export_id",
            TEXT,
            sa.ForeignKey("export.id", name=op.f("fk_export_pulse_export_id_export")),
            nullable=False,
        ),
        sa.Column("worker", TEXT, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("phase", TEXT, nullable=False),
        sa.Column("moved_objects", sa.BigInteger(), nullable=False),
        sa.Column("moved_bytes", sa.BigInteger(), nullable=False),
        sa.Column("shards", sa.Integer(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("export_id", "worker", "place", name=op.f("pk_export_pulse")),
    )
    guards.put_rules(control_rules.CONTROL, control_rules.RULE)


def downgrade() -> None:
    guards.drop_rules(control_rules.CONTROL, control_rules.RULE)
    op.drop_table("export_pulse")
    for name in (*reversed(CHECKED), *(name for name, _ in reversed(PLAIN))):
        op.execute(f"ALTER TABLE export DROP COLUMN {name}")
