"""Consent events out of a file: NDJSON, CSV or Parquet, each with the line it stands on."""

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from api.told import WrongUsage

TRUE, FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class Unusable(Exception):
    """One line that is not even an event."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


Line = tuple[int, dict[str, Any] | Unusable]


def lines(file: Path) -> Iterator[Line]:
    """(line number from 1, event or Unusable) for each; a Parquet file's lines are its rows."""
    match file.suffix.lower():
        case ".ndjson" | ".jsonl" | ".json":
            return _ndjson(file)
        case ".csv":
            return _csv(file)
        case ".parquet":
            return _parquet(file)
    raise WrongUsage(f"{file}: consent events come as .ndjson, .csv or .parquet.")


def count(file: Path) -> int | None:
    """How many lines there are, where that can be known without reading the file twice."""
    if file.suffix.lower() != ".parquet":
        return None
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)


def _ndjson(file: Path) -> Iterator[Line]:
    with file.open(encoding="utf-8", errors="replace") as text:
        for number, line in enumerate(text, 1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except ValueError as problem:
                yield number, Unusable(number, f"not JSON: {problem}")
                continue
            yield number, event if isinstance(event, dict) else Unusable(number, "not an object")


def _csv(file: Path) -> Iterator[Line]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.DictReader(text, restkey="")
        for row in reader:
            number = reader.line_num
            if "" in row:
                yield number, Unusable(number, "more columns than the heading names")
                continue
            event: dict[str, Any] = {name: value for name, value in row.items() if value}
            explicit = str(event.get("explicit", "")).casefold()
            if explicit in TRUE | FALSE:
                event["explicit"] = explicit in TRUE
            yield number, event


def _parquet(file: Path) -> Iterator[Line]:
    from pyarrow import ArrowInvalid, parquet

    try:
        table = parquet.ParquetFile(file)
    except ArrowInvalid:
        raise WrongUsage(f"{file} is not a Parquet file.") from None
    number = 0
    for batch in table.iter_batches(batch_size=5000):
        for row in batch.to_pylist():
            number += 1
            yield number, {name: _plain(v) for name, v in row.items() if v is not None}


def _plain(value: object) -> object:
    """Dates as RFC 3339 text; a time without a zone is taken as UTC."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return text if value.tzinfo else f"{text}Z"
    return value.isoformat() if isinstance(value, date) else value
