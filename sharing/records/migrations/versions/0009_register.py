"""What a conflict officer said of interests found after a release, sign-offs, and reminders."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
RECUSAL = ["request_id", "person_id", "interest_id"]
APPEND_ONLY = {
    "interest_look": (", ".join(RECUSAL),),
    "sign_off": ("decision_id",),
    "register_reminder": ("person_id, day",),
}


def upgrade() -> None:
    op.create_table(
        "interest_look",
        *(sa.Column(name, TEXT, nullable=False) for name in (*RECUSAL, "seen_by", "note")),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            RECUSAL, [f"recusal.{name}" for name in RECUSAL], name="fk_interest_look_recusal"
        ),
        sa.ForeignKeyConstraint(
            ["seen_by"], ["person.id"], name=op.f("fk_interest_look_seen_by_person")
        ),
        sa.CheckConstraint("length(note) > 0", name=op.f("ck_interest_look_note")),
        sa.PrimaryKeyConstraint(*RECUSAL, name=op.f("pk_interest_look")),
    )
    op.create_table(
        "sign_off",
        sa.Column("decision_id", TEXT, nullable=False),
        sa.Column("recused", sa.JSON(), nullable=False),
        sa.Column("replaced_by", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_sign_off_decision_id_decision")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_sign_off")),
    )
    op.create_table(
        "register_reminder",
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_register_reminder_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", "day", name=op.f("pk_register_reminder")),
    )
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        guards.let_go(table)
        op.drop_table(table)
