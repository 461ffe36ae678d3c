"""A conflict officer confirms what somebody said of the end of their own interest; and which
sessions the identity provider opened."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards
from sharing.records.migrations.core_rules import _held, _same
from sharing.records.migrations.delegation_rules import _holds
from sharing.records.migrations.guards import Rules

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
TABLE = "interest_end_confirmation"

# A conflict officer confirms, who is not the person by whichever account, does not act for them,
# and did not say it; and it never makes an interest count longer.
RULE = f"""EXISTS (
  SELECT 1 FROM interest_end e JOIN interest i ON i.id = e.interest_id
  WHERE e.interest_id = NEW.interest_id AND NEW.counts_until <= e.counts_until
  AND (e.until IS NULL OR NEW.counts_until >= e.until)
  AND NOT {_same("i.person_id", "NEW.confirmed_by")}
  AND NOT {_same("e.said_by", "NEW.confirmed_by")}
  AND NOT EXISTS (SELECT 1 FROM delegation y WHERE y.delegate_id = NEW.confirmed_by
    AND y.role = 'conflict_officer' AND {_holds("y", "NEW.at")}
    AND {_same("y.delegator_id", "i.person_id")}))
AND {_held("NEW.confirmed_by", "'conflict_officer'", "NEW.at", "NEW.at")}"""
RULES: Rules = {TABLE: ("four_eyes", RULE)}


BY_PROVIDER = ("sign_in_code", "token")


def upgrade() -> None:
    for table in BY_PROVIDER:
        op.add_column(table, _flag("by_provider"))
    op.create_table(
        TABLE,
        sa.Column("interest_id", TEXT, nullable=False),
        sa.Column("counts_until", sa.Date(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("confirmed_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("length(reason) > 0", name=op.f(f"ck_{TABLE}_reason")),
        sa.ForeignKeyConstraint(
            ["interest_id"],
            ["interest_end.interest_id"],
            name=op.f(f"fk_{TABLE}_interest_id_interest_end"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name=op.f(f"fk_{TABLE}_confirmed_by_person")
        ),
        sa.PrimaryKeyConstraint("interest_id", name=op.f(f"pk_{TABLE}")),
    )
    guards.keep(TABLE, ("interest_id",))
    guards.put_rules(RULES)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def downgrade() -> None:
    guards.drop_rules(RULES)
    guards.let_go(TABLE)
    op.drop_table(TABLE)
    for table in BY_PROVIDER:
        op.drop_column(table, "by_provider")
