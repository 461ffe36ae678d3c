"""The manifest: one row an object, in a part per shard, then in one file for the package."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
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
_READ_AT_ONCE, _PARTS = 1_500_000, 16  # names in memory, and in how many parts they are counted
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
    rows, columns, size = 0, 0, 0
    for group in _groups(file, ["bytes", "media_type"]):
        rows += group.num_rows
        columns += pc.sum(pc.equal(group["media_type"], JSON_TYPE)).as_py() or 0
        size += pc.sum(group["bytes"]).as_py() or 0
    subjects = sum(
        pc.count_distinct(names).as_py()
        for names in _by_range(file, "subject_pseudonym", lambda names: names)
    )
    return Counts(max(columns, rows - columns), size, subjects)


def repeated_object(file: Path) -> str | None:
    """An object's pseudonym that stands in the manifest twice, or None; once for a photograph and
    once for its columns is right."""
    for names in _by_range(file, "path", _object_names):
        if pc.count_distinct(names).as_py() != len(names):
            tally = names.value_counts()
            return str(tally.filter(pc.greater(tally.field(1), 1)).field(0)[0].as_py())
    return None


def _object_names(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    keys = pc.utf8_slice_codeunits(pc.replace_substring_regex(paths, ".*/", ""), 0, OBJECT_HEX)
    beside = pc.if_else(pc.ends_with(paths, ".json"), ".json", "")
    return pc.binary_join_element_wise(keys, beside, "")


def _by_range(
    file: Path, column: str, named: Callable[[pa.ChunkedArray], pa.ChunkedArray]
) -> Iterator[pa.ChunkedArray]:
    """All names, those that begin alike together. Pseudonyms are spread evenly over what they can
    begin with; other names come in fewer and larger parts. Counting what is distinct takes five
    times the memory of the names themselves, so that is done in smaller parts than reading."""
    with pq.ParquetFile(file) as parquet:
        passes = max(1, min(_PARTS, -(-parquet.metadata.num_rows // _READ_AT_ONCE)))
    count = passes * _PARTS
    edges = ["", *(f"{256 * edge // count:02x}" for edge in range(1, count)), None]
    ranges = list(pairwise(edges))
    for first in range(0, count, _PARTS):
        parts = ranges[first : first + _PARTS]
        held: list[pa.Array] = []
        for group in _groups(file, [column]):
            held.extend(_within(named(group[column]), parts[0][0], parts[-1][1]).chunks)
        names = pa.chunked_array(held, pa.string())
        for low, high in parts:
            yield _within(names, low, high)


def _within(names: pa.ChunkedArray, low: str | None, high: str | None) -> pa.ChunkedArray:
    """The names from `low` on, and below `high` where there is one."""
    names = names.filter(pc.greater_equal(names, low)) if low else names
    return names.filter(pc.less(names, high)) if high else names


def _groups(file: Path, columns: list[str]) -> Iterator[pa.Table]:
    """Some columns, one shard's rows at a time: reading ahead costs more memory than it saves."""
    with pq.ParquetFile(file) as parquet:
        for number in range(parquet.num_row_groups):
            yield parquet.read_row_group(number, columns=columns, use_threads=False)


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
