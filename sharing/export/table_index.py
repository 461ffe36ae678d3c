"""What a table holds when it is indexed: its files, that every declared column can be given in its
forms, and whose each row is. One row a subject, or nobody could say which one a photograph gets."""

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sharing.errors import Refused
from sharing.export.index import IndexedObject
from sharing.export.layout import PARQUET_TYPE
from sharing.export.paths import shown, why_unsafe
from sharing.export.table import (
    LONGEST_SUBJECT,
    TableFile,
    batches,
    kinds_of,
    opened,
    texts,
)
from sharing.forms import Kind
from sharing.offered import Table

_NAMED = 16  # bytes by which a subject is told from all others
_DIGESTS = np.dtype(f"S{_NAMED + 1}")


def files_of(root: Path) -> list[TableFile]:
    """The Parquet files of a table, one file or a folder of them, in the order of their names."""
    names = sorted(_named(root)) if root.is_dir() else [""] if root.is_file() else []
    if not names:
        raise Refused(
            "missing_table",
            f"There is no Parquet file at {root}: check the table's location.",
        )
    found, first = list[TableFile](), 0
    for name in names:
        try:
            descriptor, status = opened(root, name)
            with os.fdopen(descriptor, "rb") as raw, pq.ParquetFile(raw) as parquet:
                rows = parquet.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            raise _bad(
                f"The table's file {shown(name or root.name)} cannot be read: {error}"
            ) from None
        found.append(TableFile(name, first, rows, status.st_size, status.st_mtime_ns))
        first += rows
    return found


def _named(root: Path) -> Iterator[str]:
    for entry in os.scandir(root):
        if entry.name.endswith(".parquet") and not entry.name.startswith("."):
            if why_unsafe(entry.name) or not entry.is_file(follow_symlinks=False):
                raise _bad(f"{shown(entry.name)} in the table's folder is no plain file.")
            yield entry.name


def check_columns(root: Path, files: list[TableFile], table: Table) -> None:
    """Raises Refused, with the column's name, where a column is absent, of a kind that cannot be
    given in a form that was declared, or of another kind in another file."""
    names = [column.name for column in table.read]
    known: tuple[Kind, ...] | None = None
    for file in files:
        with pq.ParquetFile(root / file.path if file.path else root) as parquet:
            schema = parquet.schema_arrow
        if kinds_of(schema, [table.subject])[0] not in (Kind.TEXT, Kind.WHOLE):
            raise _bad(f"The column {shown(table.subject)} names no subject: give text or numbers.")
        kinds = kinds_of(schema, names)
        for column, kind in zip(table.read, kinds, strict=True):
            unfit = next((form for form in column.forms if not form.fits(kind)), None)
            if unfit is not None:
                found = schema.field(column.name).type
                raise _bad(f"The column {shown(column.name)} is {found}: it has no {unfit}.")
        if known is not None and kinds != known:
            raise _bad(f"The table's file {shown(file.path)} has columns of other kinds.")
        known = kinds


class Subjects:
    """Whose the rows are: 25 bytes a row, so that millions can be told apart and looked up."""

    def __init__(self) -> None:
        self._names = bytearray()
        self._sorted = np.empty(0, _DIGESTS)
        self._rows = np.empty(0, np.int64)

    def add(self, subject: str) -> None:
        """The subject of the next row."""
        self._names += _name(subject)

    def close(self) -> None:
        """Ends the adding. Raises Refused for a subject that has two rows."""
        names = np.frombuffer(bytes(self._names), _DIGESTS)
        self._names = bytearray()
        self._rows = np.argsort(names, kind="stable")
        self._sorted = names[self._rows]
        twice = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if len(twice):
            rows = self._rows[[twice[0], twice[0] + 1]].tolist()
            raise _bad(
                f"Rows {rows[0] + 1} and {rows[1] + 1} of the table are about one subject: a table "
                "has one row a subject."
            )

    def row(self, subject: str) -> int | None:
        """The number of a subject's row, or None."""
        name = np.array(_name(subject), self._sorted.dtype)
        place = int(np.searchsorted(self._sorted, name))
        if place == len(self._sorted) or self._sorted[place] != name:
            return None
        return int(self._rows[place])


def _name(subject: str) -> bytes:
    # numpy drops zero bytes from a text's end: with one more byte behind it a digest keeps its own.
    return blake2b(subject.encode(), digest_size=_NAMED).digest() + b"."


def rows(root: Path, files: list[TableFile], table: Table) -> Iterator[tuple[TableFile, int, str]]:
    """(file, row number, subject) of every row, in order, few at a time in memory."""
    for file in files:
        with pq.ParquetFile(root / file.path if file.path else root) as parquet:
            for before, batch in batches(parquet, [table.subject]):
                for i, subject in enumerate(texts(batch.column(0)), before):
                    if subject is None:
                        raise _bad(
                            f"Row {file.first + i + 1} of the table names no subject: give 1 to "
                            f"{LONGEST_SUBJECT} characters, none zero."
                        )
                    yield file, file.first + i, subject


def subjects_of(root: Path, files: list[TableFile], table: Table) -> Subjects:
    """All subjects of a table, to look up."""
    found = Subjects()
    for _, _, subject in rows(root, files, table):
        found.add(subject)
    found.close()
    return found


def objects(root: Path, files: list[TableFile], table: Table) -> Iterator[IndexedObject]:
    """Every row as an object of its own, in the table's order. Raises Refused at the end for a
    subject that has two."""
    found = Subjects()
    for file, number, subject in rows(root, files, table):
        found.add(subject)
        size = file.bytes // max(1, file.rows)
        yield IndexedObject(subject, subject, size, file.modified_ns, PARQUET_TYPE, None, number)
    found.close()


def _bad(message: str) -> Refused:
    return Refused("bad_index", message)


__all__ = ["Subjects", "check_columns", "files_of", "objects", "subjects_of"]
