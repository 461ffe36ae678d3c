"""Organisations as a graph, and what was said of names that are only alike."""

from typing import Any

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from sharing.conflict import plain
from sharing.records.migrations import guards

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT, MOMENT = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
RULING_KEY = "interest_id, organisation_id, number"


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("lei", TEXT, nullable=True),
        sa.Column("ref", TEXT, nullable=True),
        sa.Column("person", sa.Boolean(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("lei", name=op.f("uq_organisation_lei")),
        sa.UniqueConstraint("ref", name=op.f("uq_organisation_ref")),
    )
    op.create_index("ix_organisation_name_key", "organisation", ["name_key"])
    op.create_table(
        "organisation_alias",
        sa.Column("organisation_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        _to_organisation("organisation_alias", "organisation_id"),
        sa.PrimaryKeyConstraint("organisation_id", "name_key", name=op.f("pk_organisation_alias")),
    )
    op.create_index("ix_organisation_alias_name_key", "organisation_alias", ["name_key"])
    op.create_table(
        "organisation_twin",
        sa.Column("left_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("right_id", NUMBER, autoincrement=False, nullable=False),
        _to_organisation("organisation_twin", "left_id"),
        _to_organisation("organisation_twin", "right_id"),
        sa.PrimaryKeyConstraint("left_id", "right_id", name=op.f("pk_organisation_twin")),
    )
    _edges()
    _rulings()
    op.execute("INSERT INTO head (name, position) VALUES ('organisation', 0)")
    _partners()


def _to_organisation(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_organisation")
    return sa.ForeignKeyConstraint([column], ["organisation.id"], name=name)


def _edges() -> None:
    op.create_table(
        "organisation_edge",
        sa.Column("owner_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("owned_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("at_least", sa.Float(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        _to_organisation("organisation_edge", "owner_id"),
        _to_organisation("organisation_edge", "owned_id"),
        sa.CheckConstraint(
            "share IS NULL OR (share > 0 AND share <= 1)",
            name=op.f("ck_organisation_edge_share"),
        ),
        sa.CheckConstraint(
            "since IS NULL OR until IS NULL OR since <= until",
            name=op.f("ck_organisation_edge_dates"),
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "owned_id", "kind", "source", name=op.f("pk_organisation_edge")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_organisation_edge_up", "organisation_edge", ["owned_id", "until", "share"])


def _rulings() -> None:
    op.create_table(
        "name_ruling",
        sa.Column("interest_id", TEXT, nullable=False),
        sa.Column("organisation_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ruling", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("ruled_by", TEXT, nullable=False),
        sa.Column("ruled_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["interest_id"], ["interest.id"], name=op.f("fk_name_ruling_interest_id_interest")
        ),
        _to_organisation("name_ruling", "organisation_id"),
        sa.ForeignKeyConstraint(
            ["ruled_by"], ["person.id"], name=op.f("fk_name_ruling_ruled_by_person")
        ),
        sa.CheckConstraint(
            "ruling IN ('confirmed', 'dismissed')", name=op.f("ck_name_ruling_ruling")
        ),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_name_ruling_reason")),
        sa.PrimaryKeyConstraint(
            "interest_id", "organisation_id", "number", name=op.f("pk_name_ruling")
        ),
    )
    guards.keep("name_ruling", (RULING_KEY,))


def _partners() -> None:
    """Partners on record and their parents, as add_partner puts them into the graph. A migration
    has the rule as it was when it was written: the tables of the code may be others by then."""
    bind = op.get_bind()
    numbers: dict[tuple[str, str], int] = {}

    def number(name: str, lei: str | None, source: str) -> int:
        known = ("lei", lei.upper()) if lei else ("name", plain(name))
        if known not in numbers:
            numbers[known] = len(numbers) + 1
            _insert(
                "organisation", id=numbers[known], name=name, name_key=plain(name),
                lei=lei.upper() if lei else None, ref=None, person=False, source=source,
            )  # fmt: skip
        return numbers[known]

    edges: set[tuple[int, int, str]] = set()
    for partner_id, name, lei in bind.exec_driver_sql("SELECT id, name, lei FROM partner").all():
        number(name, lei, f"partner:{partner_id}")
    parents = (
        "SELECT p.id, p.name, p.lei, q.name, q.lei, q.share FROM partner p "
        "JOIN partner_parent q ON q.partner_id = p.id ORDER BY p.id, q.number"
    )
    for partner_id, name, lei, owner, owner_lei, share in bind.exec_driver_sql(parents).all():
        source = f"partner:{partner_id}"
        key = (number(owner, owner_lei, source), number(name, lei, source), source)
        if key not in edges:
            edges.add(key)
            _insert(
                "organisation_edge", owner_id=key[0], owned_id=key[1], kind="ownership",
                source=source, share=share, at_least=share, since=None, until=None,
            )  # fmt: skip
    op.execute(f"UPDATE head SET position = {len(numbers)} WHERE name = 'organisation'")  # noqa: S608
    _twins()


def _insert(table: str, **values: Any) -> None:
    columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608
    op.get_bind().execute(sa.text(statement), values)


def _twins() -> None:
    op.execute(
        "INSERT INTO organisation_twin (left_id, right_id) SELECT a.id, b.id FROM organisation a "
        "JOIN organisation b ON b.name_key = a.name_key AND b.id <> a.id "
        "WHERE a.lei IS NULL OR b.lei IS NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM head WHERE name = 'organisation'")
    guards.let_go("name_ruling")
    for table in (
        "name_ruling",
        "organisation_edge",
        "organisation_twin",
        "organisation_alias",
        "organisation",
    ):
        op.drop_table(table)
