"""What the database knows of the table that a run takes columns from."""

from dataclasses import dataclass

from sqlmodel import Session

from sharing.export.columns import Columns
from sharing.export.layout import TABLE
from sharing.export.table import TableFile
from sharing.export.table_sources import Tables
from sharing.offered import PHOTO, Asked, Table, columns_of
from sharing.records.datasets import Dataset, offer_of, tables_of
from sharing.records.requests import RequestRevision


@dataclass(frozen=True, slots=True)
class TablePart:
    """The fields that a revision asks for of a table, and the table as it was indexed."""

    dataset_id: str
    index: int
    table: Table
    files: tuple[TableFile, ...]
    fields: tuple[Asked, ...]
    photos: bool
    alone: bool

    def found(self, tables: Tables) -> Columns:
        """The same with the place where this export worker finds it."""
        root = tables.root(self.table, self.dataset_id, self.index)
        subject = self.table.subject
        return Columns(root, self.files, subject, self.fields, self.photos, self.alone)


def table_part(session: Session, dataset: Dataset, revision: RequestRevision) -> TablePart | None:
    """None where nothing of a table is asked for."""
    offer = offer_of(dataset)
    asked = offer.asked(revision.body["scope"]["fields"])
    columns = columns_of(asked)
    if offer.table is None or not columns:
        return None
    index = revision.index_version
    files = tuple(
        TableFile(one.path, one.first, one.rows, one.bytes, one.modified_ns)
        for one in tables_of(session, dataset.id, index)
    )
    photos = any(field.name == PHOTO for field in asked)
    return TablePart(dataset.id, index, offer.table, files, columns, photos, not offer.photos)


def packing_of(dataset: Dataset, revision: RequestRevision) -> str:
    """How a package is put together: a table without photographs is always Parquet."""
    packing: str = revision.body["delivery"]["format"]
    return packing if offer_of(dataset).photos else TABLE
