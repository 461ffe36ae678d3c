"""Delivery: which key a partner's names are made with, what partners acknowledged, canaries."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
APPEND_ONLY = {
    "acknowledgement": ("id", "export_id, said"),
    "canary": ("export_id, name",),
    "pseudonym_key": ("partner_id",),
}
# Only the digest that was released can be acknowledged; any other is a dispute.
RULES = {
    "acknowledgement": (
        "storage_conflict",
        "NEW.outcome = 'disputed' OR EXISTS (SELECT 1 FROM release r WHERE "
        "r.export_id = NEW.export_id AND r.manifest_sha256 = NEW.manifest_sha256)",
    )
}


def upgrade() -> None:
    op.create_table(
        "pseudonym_key",
        _ref("partner_id", "partner.id", "pseudonym_key"),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_pseudonym_key")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", TEXT, nullable=False),
        _ref("export_id", "release.export_id", "acknowledgement"),
        _ref("partner_id", "partner.id", "acknowledgement"),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("said", TEXT, nullable=False),
        sa.Column("manifest_sha256", TEXT, nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        _ref("key_id", "partner_key.id", "acknowledgement", nullable=True),
        sa.Column("signature", TEXT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("export_id", "said", name=op.f("uq_acknowledgement_export_id_said")),
        sa.CheckConstraint(
            "outcome IN ('acknowledged', 'disputed')", name=op.f("ck_acknowledgement_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_table(
        "canary",
        _ref("export_id", "export.id", "canary"),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("subject_pseudonym", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("export_id", "name", name=op.f("pk_canary")),
    )
    op.create_index("ix_canary_sha256", "canary", ["sha256"])
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    guards.put_rules(RULES)


def _ref(name: str, target: str, table: str, *, nullable: bool = False) -> sa.Column[str]:
    named = op.f(f"fk_{table}_{name}_{target.partition('.')[0]}")
    return sa.Column(name, TEXT, sa.ForeignKey(target, name=named), nullable=nullable)


def downgrade() -> None:
    guards.drop_rules(RULES)
    for table in APPEND_ONLY:
        guards.let_go(table)
    for table in ("canary", "acknowledgement", "pseudonym_key"):
        op.drop_table(table)
