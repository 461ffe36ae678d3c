"""Consent events out of a file: NDJSON, CSV or Parquet, each with the line it stands on.

A line is read by itself, whatever is wrong with the one before it: no field of an event has a line
break in it, so that no line break is inside quotes either."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from api.told import WrongUsage

TRUE, FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
FLAGS = ("explicit", "minor")
LONGEST = 64 << 10  # bytes of one line
ROWS = 5000  # of a Parquet file, in memory at once
_MARK = b"\xef\xbb\xbf"  # how some programs begin a file in UTF-8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its number from 1, what it says or why it says nothing, and how far into
    the file it reaches, in the unit of `length`."""

    number: int
    event: dict[str, Any] | None
    reason: str
    reached: int


def lines(file: Path) -> Iterator[Line]:
    """Every line that is not blank; a Parquet file's lines are its rows. Raises WrongUsage for a
    file that is none of the three."""
    match file.suffix.lower():
        case ".ndjson" | ".jsonl" | ".json":
            return _ndjson(file)
        case ".csv":
            return _csv(file)
        case ".parquet":
            return _parquet(file)
    raise WrongUsage(f"{file}: consent events come as .ndjson, .csv or .parquet.")


def length(file: Path) -> int:
    """How long a file is: bytes, or rows of a Parquet file."""
    if file.suffix.lower() != ".parquet":
        return file.stat().st_size
    return int(_opened(file).metadata.num_rows)


def _ndjson(file: Path) -> Iterator[Line]:
    for number, text, reached in _texts(file):
        if isinstance(text, Line):
            yield text
            continue
        try:
            event = json.loads(text)
        except (ValueError, RecursionError) as problem:
            yield Line(number, None, f"not JSON: {str(problem)[:200]}", reached)
            continue
        if isinstance(event, dict):
            yield Line(number, event, "", reached)
        else:
            yield Line(number, None, "not an object", reached)


def _csv(file: Path) -> Iterator[Line]:
    heading: Sequence[str] | None = None
    for number, text, reached in _texts(file):
        if isinstance(text, Line):
            yield text
            continue
        try:
            (cells,) = csv.reader([text], strict=True)
        except csv.Error as problem:
            yield Line(number, None, f"not CSV: {problem}", reached)
            continue
        if heading is None:
            heading = _heading(file, cells)
        elif len(cells) != len(heading):
            more = "more" if len(cells) > len(heading) else "fewer"
            yield Line(number, None, f"{more} columns than the heading names", reached)
        else:
            yield Line(number, _typed(heading, cells), "", reached)


def _texts(file: Path) -> Iterator[tuple[int, str | Line, int]]:
    """(number, text without its end, bytes so far) of each line that is not blank; in place of the
    text what is wrong with it, where it is not even text."""
    reached = 0
    with file.open("rb") as data:
        for number, raw in enumerate(data, 1):
            reached += len(raw)
            line = raw.removeprefix(_MARK) if number == 1 else raw
            if not line.strip():
                continue
            if len(line) > LONGEST:
                bad = Line(number, None, f"longer than {LONGEST >> 10} KiB", reached)
                yield number, bad, reached
                continue
            try:
                yield number, line.decode().rstrip("\r\n"), reached
            except UnicodeDecodeError:
                yield number, Line(number, None, "not UTF-8", reached), reached


def _heading(file: Path, cells: Sequence[str]) -> Sequence[str]:
    names = [cell.strip() for cell in cells]
    if len(set(names)) < len(names) or not all(names):
        raise WrongUsage(f"{file}: the heading must name each column, and each only once.")
    return names


def _typed(heading: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """An empty cell is a field not given; flags become true and false."""
    event: dict[str, Any] = {n: cell for n, cell in zip(heading, cells, strict=True) if cell}
    for flag in FLAGS:
        said = event.get(flag, "").strip().casefold()
        if said in TRUE | FALSE:
            event[flag] = said in TRUE
    return event


def _parquet(file: Path) -> Iterator[Line]:
    from pyarrow import ArrowException

    number = 0
    try:
        for batch in _opened(file).iter_batches(batch_size=ROWS):
            for row in _in_microseconds(batch).to_pylist():
                number += 1
                event = {name: _plain(v) for name, v in row.items() if v is not None}
                yield Line(number, event, "", number)
    except (ArrowException, OSError) as problem:
        raise WrongUsage(f"{file} cannot be read behind row {number}: {problem}") from None


def _opened(file: Path) -> Any:
    from pyarrow import ArrowInvalid, parquet

    try:
        return parquet.ParquetFile(file)
    except ArrowInvalid:
        raise WrongUsage(f"{file} is not a Parquet file.") from None


def _in_microseconds(batch: Any) -> Any:
    """Times as the ledger has them: it holds nothing finer."""
    import pyarrow as pa

    kinds = [
        pa.field(f.name, pa.timestamp("us", f.type.tz)) if pa.types.is_timestamp(f.type) else f
        for f in batch.schema
    ]
    return pa.Table.from_batches([batch]).cast(pa.schema(kinds), safe=False)


def _plain(value: object) -> object:
    """Dates as RFC 3339 text; a time without a zone is taken as UTC."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return text if value.tzinfo else f"{text}Z"
    return value.isoformat() if isinstance(value, date) else value
