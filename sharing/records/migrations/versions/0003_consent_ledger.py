"""The consent ledger: more fields, numbers, checkpoints; consent reports and recall items."""

from typing import Any

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records import ledger
from sharing.records.consents import Consent
from sharing.records.migrations import guards

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
COLUMNS = (
    ("consent_event", "controller", TEXT),
    ("consent_event", "lawful_basis", TEXT),
    ("consent_event", "method", TEXT),
    ("consent_event", "minor", sa.Boolean()),
    ("consent_event", "source_id", TEXT),
    ("consent_event", "evidence", TEXT),
    ("partner", "recipient_class", TEXT),
    ("token", "subject", TEXT),
    ("export_shard", "consent_terms", TEXT),
    ("export_shard", "places", sa.LargeBinary()),
)
APPEND_ONLY = {
    "subject": ("number", "name"),
    "consent_statement": ("number", "terms"),
    "consent_checkpoint": ("last",),
    "consent_report": ("id",),
    "notice_text": ("name, version, language",),
    "notice_compatibility": ("id",),
}
PAGE = 10_000


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_index(
        "uq_consent_event_source", "consent_event", ["source", "source_id"], unique=True
    )
    guards.let_go("consent_event")
    guards.keep("consent_event", ("position", "source, source_id"))
    _numbers()
    _notices()
    _reports()
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    _never_deleted("recall_item")
    op.execute("INSERT INTO head (name, position) VALUES ('subject', 0), ('statement', 0)")
    _fill()


def _numbers() -> None:
    op.create_table(
        "subject",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_subject")),
        sa.UniqueConstraint("name", name=op.f("uq_subject_name")),
    )
    op.create_table(
        "consent_statement",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terms", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consent_statement")),
        sa.UniqueConstraint("terms", name=op.f("uq_consent_statement_terms")),
    )
    op.create_table(
        "consent_checkpoint",
        sa.Column("last", POSITION, autoincrement=False, nullable=False),
        sa.Column("first", POSITION, nullable=False),
        sa.Column("previous", TEXT, nullable=False),
        sa.Column("events_sha256", TEXT, nullable=False),
        sa.Column("columns", sa.LargeBinary(), nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("last", name=op.f("pk_consent_checkpoint")),
    )


def _notices() -> None:
    op.create_table(
        "notice_text",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("text_sha256", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["name", "version"], ["notice.name", "notice.version"], name="fk_notice_text_notice"
        ),
        sa.PrimaryKeyConstraint("name", "version", "language", name=op.f("pk_notice_text")),
    )
    op.create_table(
        "notice_compatibility",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("older", TEXT, nullable=False),
        sa.Column("newer", TEXT, nullable=False),
        sa.Column("compatible", sa.Boolean(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["name", "older"], ["notice.name", "notice.version"], name="fk_compatibility_older"
        ),
        sa.ForeignKeyConstraint(
            ["name", "newer"], ["notice.name", "notice.version"], name="fk_compatibility_newer"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_notice_compatibility_decided_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_compatibility")),
    )


def _reports() -> None:
    op.create_table(
        "consent_report",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("moment", TEXT, nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("covered_objects", sa.Integer(), nullable=False),
        sa.Column("covered_subjects", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("breakdown", sa.JSON(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.Column("seed", TEXT, nullable=False),
        sa.Column("terms_sha256", TEXT, nullable=False),
        sa.Column("decisions_sha256", TEXT, nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_consent_report_request_id_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_report")),
    )
    op.create_index("ix_consent_report_request_id", "consent_report", ["request_id"])
    op.create_table(
        "recall_item",
        sa.Column("export_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("partner_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["release.export_id"], name="fk_recall_item_export_id_release"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_recall_item_request_id_request")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_recall_item_partner_id_partner")
        ),
        sa.PrimaryKeyConstraint("export_id", "subject", name=op.f("pk_recall_item")),
    )
    op.create_index("ix_recall_item_request_id", "recall_item", ["request_id"])
    op.create_index("ix_recall_item_partner_id", "recall_item", ["partner_id"])
    op.create_index("ix_recall_item_position", "recall_item", ["position"])


def _never_deleted(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'clearance: {table} is never deleted'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION clearance_append_only()"
    )


def _fill() -> None:
    """Numbers and checkpoints for what a database holds already."""
    connection = op.get_bind()
    events = Consent.__table__  # type: ignore[attr-defined]
    last = 0
    while columns := _page(connection, events, last):
        ledger.checkpoint(connection, ledger.batch_of(columns), columns["recorded_at"][-1])
        last = columns["position"][-1]
    indexes = connection.execute(sa.text("SELECT id, index_version FROM dataset")).all()
    for dataset_id, index in indexes:
        ledger.number_index(connection, dataset_id, index)


def _page(connection: sa.Connection, events: sa.Table, after: int) -> dict[str, tuple[Any, ...]]:
    found = connection.execute(
        sa.select(events).where(events.c.position > after).order_by(events.c.position).limit(PAGE)
    )
    return dict(zip(found.keys(), zip(*found, strict=True), strict=False))  # none for no rows


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER recall_item_no_delete" + ("" if sqlite else " ON recall_item"))
    for table in APPEND_ONLY:
        guards.let_go(table)
    for table in ("recall_item", "notice_text", "notice_compatibility", "consent_report",
                  "consent_checkpoint", "consent_statement", "subject"):  # fmt: skip
        op.drop_table(table)
    guards.let_go("consent_event")
    guards.keep("consent_event", ("position",))
    op.drop_index("uq_consent_event_source", "consent_event")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
    op.execute("DELETE FROM head WHERE name IN ('subject', 'statement')")
