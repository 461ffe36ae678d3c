"""Whoever has a hand in a decision is looked at: who took it, and for whom it was taken."""

from sharing.records.migrations import core_rules, guards, hand_rules

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    guards.put_rules(hand_rules.HANDS, hand_rules.RULE)
    guards.drop_rules(hand_rules.VOID)
    guards.put_rules(hand_rules.VOID)


def downgrade() -> None:
    guards.drop_rules(hand_rules.VOID)
    guards.put_rules({table: core_rules.CORE[table] for table in hand_rules.VOID})
    guards.drop_rules(hand_rules.HANDS, hand_rules.RULE)
