"""Datasets of tables: what is declared of one, its files at each version of the index, its rows."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()


def upgrade() -> None:
    op.add_column("dataset", sa.Column("tabular", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("dataset_object", sa.Column("row", sa.BigInteger(), nullable=True))
    op.create_table(
        "indexed_table",
        sa.Column("dataset_id", TEXT, nullable=False),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_indexed_table_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint(
            "dataset_id", "index_version", "first", name=op.f("pk_indexed_table")
        ),
    )


def downgrade() -> None:
    op.drop_table("indexed_table")
    op.drop_column("dataset_object", "row")
    op.drop_column("dataset", "tabular")
