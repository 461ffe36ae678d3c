"""The agreement's versions, who accepted them and how, and the database's own look at it: no
clearance without the partner's yes to exactly the approved version."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.records.migrations import guards

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
COLUMNS = (
    ("notice", "promises", sa.JSON()),
    ("notice", "in_force_from", sa.Date()),
    ("notice", "in_force_until", sa.Date()),
    ("decision", "answers", sa.JSON()),
)
APPEND_ONLY = {
    "agreement_version": ("request_id, digest, number", "order_id"),
    "acceptance": ("id", "request_id, digest, agreement_digest"),
}

# The version that an acceptance names is the latest one of the request's current revision, and the
# acceptance is that partner's; what each method rests on is there.
ACCEPTANCE_RULE = """EXISTS (
  SELECT 1 FROM request r
  JOIN agreement_version v ON v.request_id = r.id AND v.digest = r.digest
  WHERE r.id = NEW.request_id AND r.digest = NEW.digest AND r.partner_id = NEW.partner_id
  AND v.agreement_digest = NEW.agreement_digest
  AND NOT EXISTS (SELECT 1 FROM agreement_version later WHERE later.request_id = v.request_id
    AND later.digest = v.digest AND later.number > v.number)
  AND ((NEW.method = 'submission' AND v.number = 1 AND v.made_by = r.partner_id)
    OR (NEW.method = 'signature' AND EXISTS (
      SELECT 1 FROM partner_key k WHERE k.id = NEW.key_id AND k.partner_id = r.partner_id
      AND k.revoked_at IS NULL))
    OR (NEW.method = 'link' AND EXISTS (
      SELECT 1 FROM acceptance_link l WHERE l.id = NEW.link_id AND l.request_id = r.id
      AND l.digest = r.digest AND l.agreement_digest = NEW.agreement_digest
      AND l.expires_at > NEW.at AND l.used_at IS NULL))))"""
CLEARANCE_RULE = """EXISTS (
  SELECT 1 FROM acceptance a JOIN request r ON r.id = a.request_id
  WHERE a.request_id = NEW.request_id AND a.digest = NEW.digest
  AND a.agreement_digest = NEW.agreement_digest AND a.partner_id = r.partner_id)
AND NEW.agreement_digest = (SELECT v.agreement_digest FROM agreement_version v
  WHERE v.request_id = NEW.request_id AND v.digest = NEW.digest
  ORDER BY v.number DESC LIMIT 1)"""
# Trigger, its table, the code of its refusal, what must hold, and what is said where it does not.
RULES = (
    ("acceptance_rule", "acceptance", "stale_digest", ACCEPTANCE_RULE,
     "only the current version can be accepted, by that partner"),
    ("clearance_accepted", "clearance", "not_cleared", CLEARANCE_RULE,
     "the partner has not accepted the current version of the agreement, or not this one"),
)  # fmt: skip


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    _versions()
    _credentials()
    _acceptances()
    _fill()
    for table, keys in APPEND_ONLY.items():
        guards.keep(table, keys)
    for rule in RULES:
        _demand(*rule)


def _versions() -> None:
    op.create_table(
        "agreement_version",
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agreement_digest", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=True),
        sa.Column("made_by", TEXT, nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_agreement_version_agreement",
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["revision.digest"], name=op.f("fk_agreement_version_digest_revision")
        ),
        sa.PrimaryKeyConstraint(
            "request_id", "digest", "number", name=op.f("pk_agreement_version")
        ),
        sa.UniqueConstraint("order_id", name=op.f("uq_agreement_version_order_id")),
    )


def _credentials() -> None:
    op.create_table(
        "partner_key",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("partner_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("signatory", TEXT, nullable=False),
        sa.Column("added_by", TEXT, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_partner_key_partner_id_partner")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_key")),
        sa.UniqueConstraint("key", name=op.f("uq_partner_key_key")),
    )
    op.create_index("ix_partner_key_partner_id", "partner_key", ["partner_id"])
    op.create_table(
        "acceptance_link",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("agreement_digest", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_acceptance_link_agreement",
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["person.id"], name=op.f("fk_acceptance_link_made_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_acceptance_link_hash")),
    )
    op.create_index("ix_acceptance_link_request_id", "acceptance_link", ["request_id"])


def _acceptances() -> None:
    op.create_table(
        "acceptance",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("agreement_digest", TEXT, nullable=False),
        sa.Column("partner_id", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=True),
        sa.Column("link_id", TEXT, nullable=True),
        sa.Column("signatory", TEXT, nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_acceptance_agreement",
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["revision.digest"], name=op.f("fk_acceptance_digest_revision")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_acceptance_partner_id_partner")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["partner_key.id"], name=op.f("fk_acceptance_key_id_partner_key")
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["acceptance_link.id"], name=op.f("fk_acceptance_link_id_acceptance_link")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint(
            "request_id", "digest", "agreement_digest", name="uq_acceptance_version"
        ),
    )


def _fill() -> None:
    """What was drafted before at the gate is a first version, which nobody has accepted yet."""
    op.execute(
        "INSERT INTO agreement_version (request_id, digest, number, agreement_digest, evidence, at)"
        " SELECT request_id, digest, 1, agreement_digest, '{}', opened_at FROM gate"
        " WHERE agreement_digest IS NOT NULL"
    )


def _demand(name: str, table: str, code: str, rule: str, words: str) -> None:
    """Nothing goes into `table` for which the rule does not hold."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
            f"WHEN NOT COALESCE(({rule}), FALSE) "
            f"BEGIN SELECT RAISE(ABORT, 'clearance: {code}: {words}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION clearance_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT COALESCE(({rule}), FALSE) THEN "
        f"RAISE EXCEPTION 'clearance: {code}: {words}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION clearance_{name}()"
    )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table, *_ in RULES:
        op.execute(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION clearance_{name}()")
    for table in APPEND_ONLY:
        guards.let_go(table)
    for table in ("acceptance", "acceptance_link", "partner_key", "agreement_version"):
        op.drop_table(table)
    for table, name, _ in COLUMNS:
        op.drop_column(table, name)
