"""What a shard takes from a dataset's table: each row in the forms that were asked for, as JSON
beside a photograph, or as the rows of a Parquet file."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sharing.export import manifest, table
from sharing.export.layout import PARQUET_TYPE
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.source import Candidate, Unread
from sharing.export.table import CHANGED, TableFile, TableRow
from sharing.forms import Kind, Value, as_json, made
from sharing.offered import Asked, categories

OBJECT, SUBJECT = "object", "subject_pseudonym"

Values = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields that are wanted of a table. `photos`: they go beside a photograph of the subject,
    or, where that is not asked for, in its place; `alone`: the dataset is a table and no more."""

    root: Path
    files: tuple[TableFile, ...]
    subject: str
    fields: tuple[Asked, ...]
    photos: bool = True
    alone: bool = False

    @property
    def category(self) -> str:
        """The categories of what is in a row, as a manifest names them."""
        return category_of(self.fields)

    def values(
        self, candidates: Sequence[Candidate], pseudonyms: Pseudonyms
    ) -> dict[str, Values | Unread]:
        """The values of each candidate by its path. Who has no row in the table has nulls."""
        names = [field.name for field in self.fields]
        numbers = [one.row for one in candidates if one.row is not None]
        found = table.read(self.root, self.files, self.subject, names, numbers)
        return {one.path: self._of(one, found, pseudonyms) for one in candidates}

    def _of(
        self, one: Candidate, found: Mapping[int, TableRow | str], pseudonyms: Pseudonyms
    ) -> Values | Unread:
        if one.row is None:
            return [None] * len(self.fields)
        row = found.get(one.row, CHANGED)
        if isinstance(row, str):
            return Unread(one.path, row)
        if row.subject != one.subject:
            return Unread(one.path, CHANGED)
        return [
            made(field.form, value, partial(pseudonyms.value, field.name))
            for field, value in zip(self.fields, row.values, strict=True)
        ]

    def kinds(self) -> list[Kind]:
        """The kinds of what is given, in the order of the fields."""
        descriptor, _ = table.opened(self.root, self.files[0].path)
        with os.fdopen(descriptor, "rb") as raw, pq.ParquetFile(raw) as parquet:
            kinds = table.kinds_of(parquet.schema_arrow, [field.name for field in self.fields])
        return [field.form.gives(kind) for field, kind in zip(self.fields, kinds, strict=True)]


def category_of(fields: Sequence[Asked]) -> str:
    """The distinct categories of some fields, in one text."""
    return ",".join(sorted(categories(fields)))


def record(names: Sequence[str], values: Values) -> bytes:
    """A row as JSON: the same values always give the same bytes."""
    whole = {name: as_json(value) for name, value in zip(names, values, strict=True)}
    return json.dumps(
        whole, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


class TableObjects:
    """The rows of a shard of a table: what goes into its Parquet file, and into the manifest. An
    object's bytes and digest are those of its record."""

    def __init__(
        self, columns: Columns, candidates: Sequence[Candidate], pseudonyms: Pseudonyms, shard: str
    ) -> None:
        self.rows: list[manifest.Row] = []
        self.unread: list[Unread] = []
        self.bytes = 0
        self._columns = columns
        self._values: list[Values] = []
        names = [field.name for field in columns.fields]
        found = columns.values(candidates, pseudonyms)
        for key, one in sorted((pseudonyms.object(c.path), c) for c in candidates):
            values = found[one.path]
            if isinstance(values, Unread):
                self.unread.append(values)
                continue
            told = record(names, values)
            self._values.append(values)
            self.bytes += len(told)
            self.rows.append(
                manifest.Row(
                    path=key,
                    shard=shard,
                    bytes=len(told),
                    sha256=sha256(told).hexdigest(),
                    subject_pseudonym=pseudonyms.subject(one.subject),
                    category=columns.category,
                    consent_position=one.consent_position,
                    media_type=PARQUET_TYPE,
                )
            )

    @property
    def objects(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def parquet(self) -> bytes:
        """The rows as Parquet: the same rows always give the same bytes."""
        listed: dict[str, Any] = {
            OBJECT: pa.array([row.path for row in self.rows], pa.string()),
            SUBJECT: pa.array([row.subject_pseudonym for row in self.rows], pa.string()),
        }
        kinds = self._columns.kinds() if self.rows else []
        for place, (field, kind) in enumerate(zip(self._columns.fields, kinds, strict=False)):
            column = [values[place] for values in self._values]
            listed[field.name] = pa.array(column, table.arrow_type(kind))
        out = pa.BufferOutputStream()
        pq.write_table(
            pa.table(listed), out, compression="zstd", store_schema=True, row_group_size=65_536
        )
        data: bytes = out.getvalue().to_pybytes()
        return data


def records(data: bytes, names: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
    """(object, subject's pseudonym, record) of each row of a delivered Parquet file. Raises errors
    of pyarrow's, or ValueError where its columns are others."""
    with pq.ParquetFile(pa.BufferReader(data)) as parquet:
        if parquet.schema_arrow.names != [OBJECT, SUBJECT, *names]:
            raise ValueError("its columns are not those that the package names")
        for batch in parquet.iter_batches(10_000):
            for key, subject, *values in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                yield key, subject, record(names, values)
