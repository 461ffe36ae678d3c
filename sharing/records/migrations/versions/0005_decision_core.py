"""Decisions that can be voided, quorums, waivers, the register, linked accounts; the three rules of
decision, clearance and release say so too."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import core_rules, first_rules, guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
STAGES = ("purpose_review", "consent_verification", "conflict_signoff", "legal_approval")
APPEND_ONLY = {
    "person_link": ("person_id",),
    "decision_void": ("decision_id",),
    "clearance_void": ("clearance_id",),
    "gate_need": ("request_id, digest, stage, role",),
    "waiver": ("id", "request_id, person_id, interest_id"),
    "waiver_approval": ("waiver_id, person_id",),
    "register_declaration": ("id",),
    "pressure_note": ("id",),
}
# Rebuilt here: what makes a row of them the same row, before and after.
BEFORE = {
    "decision": ("id", "request_id, digest, actor_id"),
    "clearance": ("id", "request_id, digest"),
    "recusal": ("request_id, person_id",),
    "release": ("export_id",),
}
AFTER = {
    "decision": ("id",),
    "clearance": ("id",),
    "recusal": ("request_id, person_id, interest_id",),
    "release": ("export_id",),
}
REBUILT = tuple(BEFORE)
OUTCOME = ["request_id", "digest", "stage", "outcome", "actor_id"]


def _decision_checks() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint(
            "outcome IN ('approved', 'refused', 'returned')", name=op.f("ck_decision_outcome")
        ),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_decision_reason")),
    )


def _clearance_checks() -> tuple[sa.CheckConstraint, ...]:
    return (
        *(
            sa.CheckConstraint(f"{s}_stage = '{s}'", name=op.f(f"ck_clearance_{s}_stage"))
            for s in STAGES
        ),
        sa.CheckConstraint("outcome = 'approved'", name=op.f("ck_clearance_approved")),
        *(
            sa.CheckConstraint(f"{a}_by <> {b}_by", name=op.f(f"ck_clearance_distinct_{i}{j}"))
            for i, a in enumerate(STAGES)
            for j, b in enumerate(STAGES)
            if i < j
        ),
        sa.CheckConstraint("valid_until > cleared_at", name=op.f("ck_clearance_validity")),
    )


def upgrade() -> None:
    _tables()
    guards.drop_rules(first_rules.FIRST)
    for table in REBUILT:
        guards.let_go(table)
    _rebuild()
    for table, keys in (AFTER | APPEND_ONLY).items():
        guards.keep(table, keys)
    guards.put_rules(core_rules.CORE)


def _tables() -> None:
    op.create_table(
        "person_link",
        _key("person_id", "person.id", "person_link"),
        _ref("same_as", "person.id", "person_link"),
        sa.Column("linked_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_link")),
    )
    op.create_index("ix_person_link_same_as", "person_link", ["same_as"])
    op.create_table(
        "decision_void",
        _key("decision_id", "decision.id", "decision_void"),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("voided_by", TEXT, nullable=False),
        _ref("interest_id", "interest.id", "decision_void", nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "reason IN ('interest', 'taken_back', 'same_person')",
            name=op.f("ck_decision_void_reason"),
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_void")),
    )
    op.create_table(
        "clearance_void",
        _key("clearance_id", "clearance.id", "clearance_void"),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("clearance_id", name=op.f("pk_clearance_void")),
    )
    op.create_table(
        "gate_need",
        *(sa.Column(name, TEXT, nullable=False) for name in ("request_id", "digest", "stage")),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "digest", "stage"],
            ["gate.request_id", "gate.digest", "gate.stage"],
            name="fk_gate_need_gate",
        ),
        sa.CheckConstraint("approvals BETWEEN 1 AND 50", name=op.f("ck_gate_need_approvals")),
        sa.PrimaryKeyConstraint("request_id", "digest", "stage", "role", name=op.f("pk_gate_need")),
    )
    _people()


def _people() -> None:
    op.create_table(
        "waiver",
        sa.Column("id", TEXT, nullable=False),
        _ref("request_id", "request.id", "waiver"),
        _ref("person_id", "person.id", "waiver"),
        _ref("interest_id", "interest.id", "waiver"),
        sa.Column("reason", TEXT, nullable=False),
        _ref("asked_by", "person.id", "waiver"),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
        sa.UniqueConstraint(
            "request_id", "person_id", "interest_id", name=op.f("uq_waiver_request_id")
        ),
    )
    op.create_index("ix_waiver_request_id", "waiver", ["request_id"])
    op.create_table(
        "waiver_approval",
        _key("waiver_id", "waiver.id", "waiver_approval"),
        _key("person_id", "person.id", "waiver_approval"),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("waiver_id", "person_id", name=op.f("pk_waiver_approval")),
    )
    op.create_table(
        "register_declaration",
        sa.Column("id", TEXT, nullable=False),
        _ref("person_id", "person.id", "register_declaration"),
        sa.Column("statement", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.CheckConstraint(
            "statement IN ('nothing', 'interests')", name=op.f("ck_register_declaration_statement")
        ),
        sa.CheckConstraint("valid_until > at", name=op.f("ck_register_declaration_validity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_declaration")),
    )
    op.create_index("ix_register_declaration_person_id", "register_declaration", ["person_id"])
    op.create_table(
        "pressure_note",
        sa.Column("id", TEXT, nullable=False),
        _ref("request_id", "request.id", "pressure_note"),
        _ref("author_id", "person.id", "pressure_note"),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pressure_note")),
    )
    op.create_index("ix_pressure_note_request_id", "pressure_note", ["request_id"])


def _key(name: str, target: str, table: str) -> sa.Column[str]:
    return _ref(name, target, table)


def _ref(name: str, target: str, table: str, nullable: bool = False) -> sa.Column[str]:
    named = op.f(f"fk_{table}_{name}_{target.partition('.')[0]}")
    return sa.Column(name, TEXT, sa.ForeignKey(target, name=named), nullable=nullable)


def _rebuild() -> None:
    for table in ("export", "release"):  # a digest may be cleared again, so it names no clearance
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"fk_{table}_clearance", type_="foreignkey")
    with op.batch_alter_table("clearance", table_args=_clearance_checks()) as batch:
        for stage in STAGES:
            batch.drop_constraint(f"fk_clearance_{stage}", type_="foreignkey")
            batch.add_column(sa.Column(f"{stage}_decision", TEXT, nullable=True))
        batch.drop_constraint("uq_clearance_digest", type_="unique")
    op.create_index("ix_clearance_digest", "clearance", ["request_id", "digest"])
    with op.batch_alter_table("decision", table_args=_decision_checks()) as batch:
        batch.add_column(sa.Column("role", TEXT, nullable=True))
        batch.drop_constraint("uq_decision_one_act", type_="unique")
        batch.drop_constraint("uq_decision_outcome", type_="unique")
        batch.create_unique_constraint("uq_decision_whole", ["id", *OUTCOME])
    op.create_index("ix_decision_digest", "decision", ["request_id", "digest"])
    for stage in STAGES:
        op.execute(
            f"UPDATE clearance SET {stage}_decision = (SELECT d.id FROM decision d WHERE "
            "d.request_id = clearance.request_id AND d.digest = clearance.digest "
            f"AND d.stage = '{stage}' AND d.actor_id = clearance.{stage}_by)"
        )
    with op.batch_alter_table("clearance", table_args=_clearance_checks()) as batch:
        for stage in STAGES:
            batch.alter_column(f"{stage}_decision", existing_type=TEXT, nullable=False)
            batch.create_foreign_key(
                f"fk_clearance_{stage}",
                "decision",
                [
                    f"{stage}_decision",
                    "request_id",
                    "digest",
                    f"{stage}_stage",
                    "outcome",
                    f"{stage}_by",
                ],
                ["id", *OUTCOME],
            )
    with op.batch_alter_table("recusal") as batch:
        batch.drop_constraint("pk_recusal", type_="primary")
        batch.create_primary_key("pk_recusal", ["request_id", "person_id", "interest_id"])


def downgrade() -> None:
    guards.drop_rules(core_rules.CORE)
    for table in (*APPEND_ONLY, *REBUILT):
        guards.let_go(table)
    with op.batch_alter_table("recusal") as batch:
        batch.drop_constraint("pk_recusal", type_="primary")
        batch.create_primary_key("pk_recusal", ["request_id", "person_id"])
    with op.batch_alter_table("clearance", table_args=_clearance_checks()) as batch:
        for stage in STAGES:
            batch.drop_constraint(f"fk_clearance_{stage}", type_="foreignkey")
            batch.drop_column(f"{stage}_decision")
        batch.create_unique_constraint("uq_clearance_digest", ["request_id", "digest"])
    op.drop_index("ix_clearance_digest", "clearance")
    op.drop_index("ix_decision_digest", "decision")
    with op.batch_alter_table("decision", table_args=_decision_checks()) as batch:
        batch.drop_constraint("uq_decision_whole", type_="unique")
        batch.drop_column("role")
        batch.create_unique_constraint("uq_decision_one_act", ["request_id", "digest", "actor_id"])
        batch.create_unique_constraint("uq_decision_outcome", OUTCOME)
    with op.batch_alter_table("clearance", table_args=_clearance_checks()) as batch:
        for stage in STAGES:
            batch.create_foreign_key(
                f"fk_clearance_{stage}",
                "decision",
                ["request_id", "digest", f"{stage}_stage", "outcome", f"{stage}_by"],
                OUTCOME,
            )
    for table in ("export", "release"):
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(
                f"fk_{table}_clearance",
                "clearance",
                ["request_id", "digest"],
                ["request_id", "digest"],
            )
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    for table, keys in BEFORE.items():
        guards.keep(table, keys)
    guards.put_rules(first_rules.FIRST)
