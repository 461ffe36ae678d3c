"""An index file beside the photos: which object is whose, and when it was taken."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sharing.errors import Refused
from sharing.export.paths import shown, why_unsafe

LONGEST_SUBJECT = 1000  # characters

_BATCH = 50_000
_SCHEMA = pa.schema(
    [
        ("object", pa.string()),
        ("subject", pa.string()),
        ("taken_at", pa.timestamp("us", tz="UTC")),
        ("line", pa.int64()),
    ]
)


class Row(NamedTuple):
    """One line of an index file; `line` counts from 1, the header included."""

    object: str
    subject: str
    taken_at: datetime | None
    line: int


def bad_index(file: Path, line: int, message: str) -> Refused:
    """A line of an index file that cannot be taken: names the file, the line and the cure."""
    return Refused("bad_index", f"{file.name}, line {line}: {message}")


def rows(file: Path) -> Iterator[Row]:
    """Every row, sorted by object. Columns: object, subject, and taken_at where known.

    Raises Refused (`missing_index`, `bad_index`) before the first row for any row that is wrong.
    Rows are held as Arrow columns, about 100 bytes each, since they have to be sorted.
    """
    if not file.is_file():
        raise Refused(
            "missing_index",
            f"There is no index file {file.name} in {file.parent}: put it there, or say how the "
            "path names the subject, as in 'path:{subject}/*'.",
        )
    read = _csv_rows if file.suffix.lower() == ".csv" else _parquet_rows
    try:
        checked = (_checked(file, row) for row in read(file))
        table = pa.Table.from_batches(_batches(checked), _SCHEMA).sort_by("object")
    except (UnicodeError, csv.Error, pa.ArrowException) as error:
        raise Refused("bad_index", f"{file.name} cannot be read: {error}") from None
    _refuse_duplicates(file, table)
    return _from_arrow(table)


def _csv_rows(file: Path) -> Iterator[tuple[object, object, object, int]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        header = [name.strip().lower() for name in next(reader, [])]
        where = _columns(file, header)
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise bad_index(
                    file,
                    reader.line_num,
                    f"has {len(fields)} fields where the header has {len(header)}.",
                )
            taken = fields[where[2]] if where[2] is not None else None
            yield fields[where[0]], fields[where[1]], taken, reader.line_num


def _parquet_rows(file: Path) -> Iterator[tuple[object, object, object, int]]:
    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names
        where = _columns(file, names)
        wanted = [names[at] for at in where if at is not None]
        line = 1
        for batch in parquet.iter_batches(_BATCH, columns=wanted):
            columns = [batch.column(name).to_pylist() for name in wanted]
            if where[2] is None:
                columns.append([None] * batch.num_rows)
            for object_, subject, taken in zip(*columns, strict=True):
                line += 1
                yield object_, subject, taken, line


def _columns(file: Path, header: Sequence[str]) -> tuple[int, int, int | None]:
    absent = [name for name in ("object", "subject") if name not in header]
    if absent:
        raise bad_index(file, 1, f"has no column {' and no column '.join(absent)}.")
    taken = header.index("taken_at") if "taken_at" in header else None
    return header.index("object"), header.index("subject"), taken


def _checked(file: Path, row: tuple[object, object, object, int]) -> Row:
    path, subject, taken, line = row
    if not isinstance(path, str) or not isinstance(subject, str):
        raise bad_index(file, line, "object and subject must both be text.")
    unsafe = why_unsafe(path)
    if unsafe:
        raise bad_index(
            file, line, f"the object {shown(path)} {unsafe}; give its path inside the folder."
        )
    if not 0 < len(subject) <= LONGEST_SUBJECT or "\x00" in subject:
        raise bad_index(
            file, line, f"the subject must have 1 to {LONGEST_SUBJECT} characters, none zero."
        )
    return Row(path, subject, _time(file, taken, line), line)


def _time(file: Path, taken: object, line: int) -> datetime | None:
    if taken is None or taken == "":
        return None
    try:
        when = datetime.fromisoformat(taken.strip()) if isinstance(taken, str) else taken
    except ValueError:
        when = None
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    if not isinstance(when, datetime):
        raise bad_index(
            file, line, f"taken_at {shown(str(taken))} is not a time like 2012-05-31T10:00:00Z."
        )
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _batches(checked: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    held: list[Row] = []
    for row in checked:
        held.append(row)
        if len(held) == _BATCH:
            yield _batch(held)
            held = []
    yield _batch(held)


def _batch(held: list[Row]) -> pa.RecordBatch:
    columns = list(zip(*held, strict=True)) if held else [()] * len(_SCHEMA)
    return pa.record_batch([list(column) for column in columns], schema=_SCHEMA)


def _refuse_duplicates(file: Path, table: pa.Table) -> None:
    objects = table.column("object").combine_chunks()
    same = pc.equal(objects[1:], objects[:-1])
    first = pc.index(same, True).as_py()
    if first >= 0:
        line = max(table.column("line")[first].as_py(), table.column("line")[first + 1].as_py())
        raise bad_index(
            file, line, f"the object {objects[first].as_py()!r} is there twice; keep one line."
        )


def _from_arrow(table: pa.Table) -> Iterator[Row]:
    for batch in table.to_batches(_BATCH):
        yield from map(Row._make, zip(*(c.to_pylist() for c in batch.columns), strict=True))
