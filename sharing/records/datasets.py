"""What is held: datasets, and the index of their objects, one version a scan."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, delete, func
from sqlmodel import Field, Session, SQLModel, col, insert, select
from sqlmodel.sql.expression import SelectOfScalar

from sharing.errors import Refused
from sharing.offered import Offer, table_of
from sharing.records import ledger
from sharing.records.tables import new_id, now

_GIVEN = {"autoincrement": False}


class Dataset(SQLModel, table=True):
    """A folder of objects of one category, or a table of rows, or both, joined by subject.
    `index_version` is its current index; 0: none yet.

    `purposes`: the purposes it may be shared for; null where it doesn't say. `tabular`: its table,
    as declared; null where it has none. Without photographs `location` is empty.
    """

    __tablename__ = "dataset"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    location: str
    category: str
    special_category: bool
    subject_from: str
    purposes: list[str] | None = Field(default=None, sa_column=Column(JSON))
    tabular: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    index_version: int = 0
    objects: int = 0
    subjects: int = 0
    bytes: int = Field(default=0, sa_type=BigInteger)
    indexed_at: datetime | None = None
    created_at: datetime


class DatasetObject(SQLModel, table=True):
    """One object of one version of a dataset's index, in path order from position 0."""

    __tablename__ = "dataset_object"
    __table_args__ = (Index("ix_dataset_object_subject", "dataset_id", "index_version", "subject"),)
    dataset_id: str = Field(primary_key=True, foreign_key="dataset.id")
    index_version: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    path: str
    subject: str
    bytes: int = Field(sa_type=BigInteger)
    modified_ns: int = Field(sa_type=BigInteger)
    media_type: str
    taken_at: datetime | None = None
    row: int | None = Field(default=None, sa_type=BigInteger)  # its subject's in the table


class IndexedTable(SQLModel, table=True):
    """One Parquet file of a dataset's table, as it was when a version of the index was made. Its
    rows have the numbers from `first` on."""

    __tablename__ = "indexed_table"
    dataset_id: str = Field(primary_key=True, foreign_key="dataset.id")
    index_version: int = Field(primary_key=True)
    first: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    path: str
    rows: int = Field(sa_type=BigInteger)
    bytes: int = Field(sa_type=BigInteger)
    modified_ns: int = Field(sa_type=BigInteger)


def offer_of(dataset: Dataset) -> Offer:
    """What may be asked of a dataset."""
    return Offer(bool(dataset.location), dataset.category, table_of(dataset.tabular))


def keep_tables(
    session: Session, dataset_id: str, index: int, files: Iterable[Mapping[str, Any]]
) -> None:
    """Notes the files of a table for a version that is still being written."""
    for file in files:
        session.add(IndexedTable(dataset_id=dataset_id, index_version=index, **file))


def tables_of(session: Session, dataset_id: str, index: int) -> list[IndexedTable]:
    """The files of a dataset's table at a version of its index, in order."""
    return list(
        session.exec(
            select(IndexedTable)
            .where(IndexedTable.dataset_id == dataset_id, IndexedTable.index_version == index)
            .order_by(col(IndexedTable.first))
        )
    )


def add(session: Session, **values: Any) -> Dataset:
    """A new dataset, not yet indexed."""
    dataset = Dataset(id=new_id("dst"), created_at=now(), **values)
    session.add(dataset)
    return dataset


def named(session: Session, name: str) -> Dataset | None:
    """A dataset by name or id."""
    found = session.exec(select(Dataset).where(Dataset.name == name)).first()
    return found or session.get(Dataset, name)


def append_objects(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Adds index rows of a version that is still being written."""
    session.execute(insert(DatasetObject), [dict(row) for row in rows])


def index_rows(
    session: Session, dataset_id: str, index: int, first: int, count: int
) -> list[tuple[str, int, int, datetime | None]]:
    """(path, bytes, modified_ns, taken_at) of `count` objects of an index from position `first`."""
    rows = session.execute(
        select(
            DatasetObject.path,
            DatasetObject.bytes,
            DatasetObject.modified_ns,
            DatasetObject.taken_at,
        )
        .where(
            DatasetObject.dataset_id == dataset_id,
            DatasetObject.index_version == index,
            col(DatasetObject.position).between(first, first + count - 1),
        )
        .order_by(col(DatasetObject.position))
    )
    return [tuple(row) for row in rows]


def discard_index(session: Session, dataset_id: str, index: int) -> None:
    """Removes what an unfinished scan of this version left behind."""
    for kept in (DatasetObject, IndexedTable):
        session.execute(
            delete(kept).where(col(kept.dataset_id) == dataset_id, col(kept.index_version) == index)
        )


def publish_index(session: Session, dataset_id: str, index: int) -> Dataset:
    """Makes a fully written version the current one; raises Refused for one that came too late."""
    dataset = session.get_one(Dataset, dataset_id, with_for_update=True)
    if index <= dataset.index_version:
        raise Refused("superseded", "A later scan of this dataset was published meanwhile.")
    ledger.number_index(session.connection(), dataset_id, index)
    counted = session.execute(
        select(
            func.count(),
            func.count(col(DatasetObject.subject).distinct()),
            func.coalesce(func.sum(DatasetObject.bytes), 0),
        ).where(DatasetObject.dataset_id == dataset_id, DatasetObject.index_version == index)
    ).one()
    dataset.objects, dataset.subjects, dataset.bytes = (int(n) for n in counted)
    dataset.index_version, dataset.indexed_at = index, now()
    return dataset


def all_names(session: Session) -> Iterable[str]:
    """Names of all datasets, in order."""
    return session.exec(select(Dataset.name).order_by(Dataset.name))


def in_scope(
    dataset_id: str, index: int, after: datetime | None, before: datetime | None
) -> SelectOfScalar[DatasetObject]:
    """The objects that a scope's filter matches, in index order. Unknown dates match no filter."""
    statement = select(DatasetObject).where(
        DatasetObject.dataset_id == dataset_id, DatasetObject.index_version == index
    )
    if after is not None:
        statement = statement.where(col(DatasetObject.taken_at) >= after)
    if before is not None:
        statement = statement.where(col(DatasetObject.taken_at) < before)
    return statement.order_by(col(DatasetObject.position))
