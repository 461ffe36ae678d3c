"""The manifest: one row an object, in a part per shard, then in one file for the package."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sharing.export.layout import JSON_TYPE
from sharing.export.pseudonyms import OBJECT_HEX

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("shard", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("subject_pseudonym", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("consent_position", pa.int64(), nullable=False),
        pa.field("media_type", pa.string(), nullable=False),
    ]
)
_DICTIONARIES = ["shard", "category", "media_type", "subject_pseudonym"]


class Row(NamedTuple):
    """One delivered object. `path`, `bytes` and `sha256` are of the plain object, also where
    what is delivered is encrypted: then the file that holds it has `.age` at the end."""

    path: str
    shard: str
    bytes: int
    sha256: str
    subject_pseudonym: str
    category: str
    consent_position: int
    media_type: str


class Counts(NamedTuple):
    """What a manifest adds up to. A photograph and the columns beside it are one object."""

    objects: int
    bytes: int
    subjects: int


def encoded(rows: Sequence[Row]) -> bytes:
    """A part as Parquet: the same rows always give the same bytes."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    table = pa.table([list(column) for column in columns], schema=SCHEMA)
    out = pa.BufferOutputStream()
    with _writer(out) as writer:
        writer.write_table(table, row_group_size=max(1, len(rows)))
    data: bytes = out.getvalue().to_pybytes()
    return data


def concatenate(parts: Sequence[Path], file: Path) -> None:
    """Writes the rows of all parts to `file`, one row group a part, holding one part at a time."""
    with file.open("wb") as out:
        writer = _writer(out)
        for part in parts:
            table = pq.read_table(part, schema=SCHEMA)
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)
        writer.close()
        out.flush()
        os.fsync(out.fileno())


def counts(file: Path) -> Counts:
    """Objects, their bytes and the distinct subjects in a manifest or part."""
    table = pq.read_table(file, columns=["bytes", "subject_pseudonym", "media_type"])
    columns = pc.sum(pc.equal(table["media_type"], JSON_TYPE)).as_py() or 0
    return Counts(
        max(columns, table.num_rows - columns),
        pc.sum(table["bytes"]).as_py() or 0,
        pc.count_distinct(table["subject_pseudonym"]).as_py(),
    )


def repeated_object(file: Path) -> str | None:
    """An object's pseudonym that stands in the manifest twice, or None; once for a photograph and
    once for its columns is right."""
    paths = pq.read_table(file, columns=["path"])["path"]
    keys = pc.utf8_slice_codeunits(pc.replace_substring_regex(paths, ".*/", ""), 0, OBJECT_HEX)
    beside = pc.if_else(pc.ends_with(paths, ".json"), ".json", "")
    names = pc.binary_join_element_wise(keys, beside, "").combine_chunks()
    if pc.count_distinct(names).as_py() == len(names):
        return None
    tally = names.value_counts()
    return str(tally.filter(pc.greater(tally.field(1), 1)).field(0)[0].as_py())


def rows(file: Path) -> Iterator[Row]:
    """The rows of a manifest in order; raises pyarrow's errors for what is not one."""
    with pq.ParquetFile(file) as parquet:
        if not parquet.schema_arrow.equals(SCHEMA):
            raise pa.ArrowInvalid("its columns are not those of a manifest")
        for batch in parquet.iter_batches(10_000):
            yield from map(Row._make, zip(*(c.to_pylist() for c in batch.columns), strict=True))


def _writer(out: object) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        out, SCHEMA, compression="zstd", use_dictionary=_DICTIONARIES, store_schema=False
    )
