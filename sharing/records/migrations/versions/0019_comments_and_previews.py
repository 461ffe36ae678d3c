"""Comments on requests; and small pictures for who decides, which go when the gates are passed."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
LOOK = ["request_id", "digest"]
AT_GATES = (
    "'submitted', 'purpose_review', 'consent_verification', 'conflict_signoff', 'legal_approval'"
)
GONE = f"NEW.digest <> OLD.digest OR NEW.state NOT IN ({AT_GATES})"
ERASE = "".join(
    f"DELETE FROM {table} WHERE request_id = NEW.id; " for table in ("preview", "preview_look")
)


def upgrade() -> None:
    op.create_table(
        "comment",
        *_texts("id", "request_id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *_texts("audience", "author_id", "role"),
        *(sa.Column(name, TEXT, nullable=True) for name in ("field", "stage")),
        *_texts("text"),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "revision"],
            ["revision.request_id", "revision.number"],
            name="fk_comment_revision",
        ),
        sa.CheckConstraint("audience IN ('internal', 'partner')", name=op.f("ck_comment_audience")),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_comment_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_request_id"), "comment", ["request_id"])
    guards.keep("comment", ("id",))
    op.create_table(
        "preview_look",
        *_texts("request_id", "digest", "sealed_to", "asked_by"),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("looked", "unreadable")),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_preview_look_request_id_request")
        ),
        sa.PrimaryKeyConstraint(*LOOK, name=op.f("pk_preview_look")),
    )
    op.create_table(
        "preview",
        *_texts("id", "request_id", "digest"),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("number", "position", "width", "height")
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            LOOK, [f"preview_look.{name}" for name in LOOK], name="fk_preview_look"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview")),
    )
    op.create_index(op.f("ix_preview_request_id"), "preview", ["request_id"])
    _erase_in_time()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _erase_in_time() -> None:
    """When a request changes, or leaves its gates, its pictures go in the same transaction."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER request_previews AFTER UPDATE OF state, digest ON request "
            f"WHEN {GONE} BEGIN {ERASE}END"
        )
        return
    op.execute(
        "CREATE FUNCTION clearance_request_previews() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN {ERASE}RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER request_previews AFTER UPDATE OF state, digest ON request FOR EACH ROW "
        f"WHEN ({GONE}) EXECUTE FUNCTION clearance_request_previews()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER request_previews")
    else:
        op.execute("DROP TRIGGER request_previews ON request")
        op.execute("DROP FUNCTION clearance_request_previews()")
    op.drop_table("preview")
    op.drop_table("preview_look")
    guards.let_go("comment")
    op.drop_table("comment")
