"""Reads the rows of a dataset's table: the declared columns of the rows that are wanted, as they
were when the table was indexed, and nothing else. A file that changed since gives nothing."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sharing.errors import Refused
from sharing.export.paths import shown
from sharing.export.source import SourceFailed
from sharing.forms import Kind, Value

LONGEST_TEXT = 10_000  # characters
LONGEST_SUBJECT = 1000
CHANGED = "the table changed since it was indexed: index the dataset again"

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_AT_ONCE = 32 * 1024 * 1024  # bytes of values that are held decoded
_MOST_ROWS = 16_384
_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.DAY: pa.date32(),
    Kind.MOMENT: pa.timestamp("us", "UTC"),
    Kind.CLOCK: pa.timestamp("us"),
}
USABLE = "text, whole numbers, numbers, true or false, dates and times"


@dataclass(frozen=True, slots=True)
class TableFile:
    """One Parquet file of a table as it was indexed; its rows have the numbers from `first` on."""

    path: str
    first: int
    rows: int
    bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: whom it is about, and its values in the order that was asked for."""

    subject: str | None
    values: tuple[Value, ...]


def arrow_type(kind: Kind) -> pa.DataType:
    """How a package holds values of a kind."""
    return _TYPES[kind]


def kind_of(column: str, found: pa.DataType) -> Kind:
    """The kind of a column's values; raises Refused, with the column's name, for any other."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_string(found) or pa.types.is_large_string(found):
        return Kind.TEXT
    if pa.types.is_integer(found) and not pa.types.is_uint64(found):
        return Kind.WHOLE
    if pa.types.is_floating(found) or pa.types.is_decimal(found):
        return Kind.REAL
    if pa.types.is_boolean(found):
        return Kind.FLAG
    if pa.types.is_date(found):
        return Kind.DAY
    if pa.types.is_timestamp(found):
        return Kind.CLOCK if found.tz is None else Kind.MOMENT
    raise Refused(
        "bad_index",
        f"The table's column {shown(column)} is {found}: only {USABLE} can be given. Declare "
        "another column, or give the table in another form.",
    )


def kinds_of(schema: pa.Schema, columns: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of some columns; raises Refused where one is absent, or there twice."""
    for name in columns:
        if len(schema.get_all_field_indices(name)) != 1:
            there = ", ".join(schema.names[:20])
            what = "twice in" if name in schema.names else "not in"
            raise Refused(
                "bad_index", f"The column {shown(name)} is {what} the table, which has: {there}."
            )
    return tuple(kind_of(name, schema.field(name).type) for name in columns)


def opened(root: Path, path: str) -> tuple[int, os.stat_result]:
    """A descriptor of a plain file really inside a folder, and its status; raises OSError."""
    whole = root / path if path else root
    descriptor = os.open(whole, _FLAGS)
    status = os.fstat(descriptor)
    outside = os.path.realpath(whole) != os.path.join(os.path.realpath(root), path).rstrip("/")
    if not stat.S_ISREG(status.st_mode) or outside:
        os.close(descriptor)
        raise OSError(errno.ELOOP, "not a plain file inside the table's folder")
    return descriptor, status


def read(
    root: Path,
    files: Sequence[TableFile],
    subject: str,
    columns: Sequence[str],
    numbers: Sequence[int],
) -> dict[int, TableRow | str]:
    """Each wanted row by its number, or why it cannot be given. `root` is the folder of the files,
    or the only one of them. Raises SourceFailed where there is no table at all."""
    if not root.exists():
        raise SourceFailed(
            "source_missing",
            f"The dataset's table {root} is not there: mount it, or index the dataset again.",
        )
    wanted = np.unique(np.array(numbers, np.int64))
    found: dict[int, TableRow | str] = {}
    for file in files:
        ends = np.searchsorted(wanted, [file.first, file.first + file.rows])
        mine = wanted[slice(*ends.tolist())]
        if len(mine):
            found.update(_of_file(root, file, subject, columns, mine))
    return found


def _of_file(
    root: Path,
    file: TableFile,
    subject: str,
    columns: Sequence[str],
    wanted: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> dict[int, TableRow | str]:
    try:
        descriptor, status = opened(root, file.path)
    except OSError:
        return dict.fromkeys(wanted.tolist(), CHANGED)
    with os.fdopen(descriptor, "rb") as raw:
        if (status.st_size, status.st_mtime_ns) != (file.bytes, file.modified_ns):
            return dict.fromkeys(wanted.tolist(), CHANGED)
        try:
            with pq.ParquetFile(raw) as parquet:
                return dict(_rows(parquet, file.first, subject, columns, wanted))
        except (pa.ArrowException, Refused, OSError) as error:
            return dict.fromkeys(wanted.tolist(), f"the table cannot be read: {error}")


def _rows(
    parquet: pq.ParquetFile,
    first: int,
    subject: str,
    columns: Sequence[str],
    wanted: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> Iterator[tuple[int, TableRow | str]]:
    kinds = kinds_of(parquet.schema_arrow, columns)
    begin = first
    for group in range(parquet.num_row_groups):
        end = begin + parquet.metadata.row_group(group).num_rows
        if np.searchsorted(wanted, begin) != np.searchsorted(wanted, end):
            for start, batch in batches(parquet, [subject, *columns], [group]):
                at = begin + start
                some = slice(*np.searchsorted(wanted, [at, at + batch.num_rows]).tolist())
                numbers = wanted[some]
                if len(numbers):
                    taken = batch.take(pa.array(numbers - at))
                    made = _taken(taken, subject, columns, kinds)
                    yield from zip(numbers.tolist(), made, strict=True)
        begin = end


def batches(
    parquet: pq.ParquetFile, columns: Sequence[str], groups: Sequence[int] | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(how many rows came before, some rows): only these columns, few enough to hold."""
    groups = range(parquet.num_row_groups) if groups is None else groups
    names = list(dict.fromkeys(columns))
    done = 0
    for batch in parquet.iter_batches(
        _few(parquet, names), row_groups=list(groups), columns=names, use_threads=False
    ):
        yield done, batch
        done += batch.num_rows


def _few(parquet: pq.ParquetFile, columns: Sequence[str]) -> int:
    """How many rows of these columns may be held at once: fewer where values are large."""
    size, meta = 1, parquet.metadata
    for number in range(meta.num_row_groups):
        group = meta.row_group(number)
        whole = sum(
            column.total_uncompressed_size
            for column in map(group.column, range(group.num_columns))
            if column.path_in_schema in columns
        )
        size = max(size, whole // max(1, group.num_rows))
    return max(16, min(_MOST_ROWS, _AT_ONCE // size))


def _taken(
    batch: pa.RecordBatch, subject: str, columns: Sequence[str], kinds: Sequence[Kind]
) -> Iterator[TableRow | str]:
    subjects = texts(batch.column(batch.schema.get_field_index(subject)))
    listed = [
        plain(batch.column(batch.schema.get_field_index(name)), kind)
        for name, kind in zip(columns, kinds, strict=True)
    ]
    for number, whose in enumerate(subjects):
        values = tuple(column[number] for column in listed)
        wrong = next((name for name, v in zip(columns, values, strict=True) if _odd(v)), None)
        if wrong is None:
            yield TableRow(whose, values)
        else:
            yield f"the column {shown(wrong)} holds what cannot be given: not UTF-8, or too long"


def _odd(value: object) -> bool:
    return isinstance(value, bytes) or (isinstance(value, str) and len(value) > LONGEST_TEXT)


def plain(column: pa.Array, kind: Kind) -> list[Value]:
    """A column's values; what is not UTF-8 stays bytes, which nobody gives away."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kind is Kind.TEXT:
        return _decoded(column)
    made: list[Value] = pc.cast(column, _TYPES[kind], safe=False).to_pylist()
    return made


def _decoded(column: pa.Array) -> list[Value]:
    try:
        fast: list[Value] = column.to_pylist()
        return fast
    except UnicodeDecodeError:
        raw = column.cast(pa.large_binary()).to_pylist()
        return [_utf8(one) for one in raw]


def _utf8(raw: bytes | None) -> Value:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return raw  # type: ignore[return-value]


def texts(column: pa.Array) -> list[str | None]:
    """The subjects in a column of texts or whole numbers; None where there is none that can be."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    return [
        one
        if isinstance(one, str) and 0 < len(one) <= LONGEST_SUBJECT and "\x00" not in one
        else None
        for one in _decoded(column)
    ]
