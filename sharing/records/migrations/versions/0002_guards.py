"""The promise that the database keeps by itself: append-only tables, the gate rule, the release.

Code with a bug, a forged message and a hand-written INSERT all meet these triggers.
"""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
from alembic import op

from sharing.records.migrations import first_rules, guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Each append-only table, with what makes a row of it the same row.
APPEND_ONLY = {
    "agreement": ("request_id, digest",),
    "audit_entry": ("position",),
    "clearance": ("id", "request_id, digest"),
    "consent_event": ("position",),
    "decision": ("id", "request_id, digest, actor_id"),
    "declaration": ("id",),
    "event": ("position",),
    "interest": ("id",),
    "notice": ("name, version",),
    "recusal": ("request_id, person_id",),
    "release": ("export_id",),
    "revision": ("request_id, number", "digest"),
}
SEQUENCES = {"audit": "audit_entry", "consent": "consent_event", "event": "event"}


def upgrade() -> None:
    for name, table in SEQUENCES.items():  # a table may hold rows already: positions go on there
        op.execute(
            f"INSERT INTO head (name, position) "
            f"SELECT '{name}', COALESCE(MAX(position), 0) FROM {table}"
        )
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE FUNCTION clearance_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'clearance: % is append-only', TG_TABLE_NAME; END $$"
        )
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    guards.put_rules(first_rules.FIRST)


def downgrade() -> None:
    guards.drop_rules(first_rules.FIRST)
    for table in APPEND_ONLY:
        guards.let_go(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION clearance_append_only()")
    op.execute("DELETE FROM head")
