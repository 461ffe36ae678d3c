"""Reminders and escalations of gates, claims, and delegations with their rules."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import delegation_rules, guards

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
MOMENTS = ("reminds_at", "escalates_at", "reminded_at", "escalated_at")
APPEND_ONLY = {"delegation": ("id",), "delegation_end": ("delegation_id",)}
GATE_ROLES = "'conflict_officer', 'consent_steward', 'legal_counsel', 'purpose_reviewer'"


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("gate", sa.Column(name, MOMENT, nullable=True))
    op.add_column("gate", sa.Column("escalated_to", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "claim",
        sa.Column("id", TEXT, nullable=False),
        _ref("request_id", "request.id", "claim"),
        _ref("digest", "revision.digest", "claim"),
        sa.Column("stage", TEXT, nullable=False),
        _ref("person_id", "person.id", "claim"),
        sa.Column("assigned_by", TEXT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_request_id", "claim", ["request_id"])
    _delegations()
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    guards.put_rules(delegation_rules.DELEGATED, delegation_rules.RULE)


def _delegations() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", TEXT, nullable=False),
        _ref("delegator_id", "person.id", "delegation"),
        _ref("delegate_id", "person.id", "delegation"),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_delegation_validity")),
        sa.CheckConstraint("delegate_id <> delegator_id", name=op.f("ck_delegation_two_people")),
        sa.CheckConstraint(f"role IN ({GATE_ROLES})", name=op.f("ck_delegation_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_delegator_id", "delegation", ["delegator_id"])
    op.create_index("ix_delegation_delegate_id", "delegation", ["delegate_id"])
    op.create_table(
        "delegation_end",
        _ref("delegation_id", "delegation.id", "delegation_end"),
        sa.Column("ended_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegation_end")),
    )


def _ref(name: str, target: str, table: str) -> sa.Column[str]:
    named = op.f(f"fk_{table}_{name}_{target.partition('.')[0]}")
    return sa.Column(name, TEXT, sa.ForeignKey(target, name=named), nullable=False)


def downgrade() -> None:
    guards.drop_rules(delegation_rules.DELEGATED, delegation_rules.RULE)
    for table in APPEND_ONLY:
        guards.let_go(table)
    for table in ("delegation_end", "delegation", "claim"):
        op.drop_table(table)
    for name in ("escalated_to", *reversed(MOMENTS)):
        op.drop_column("gate", name)
