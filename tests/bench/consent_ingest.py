"""What it costs to append consents to the ledger, beside rows written raw."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sharing.records import consents
from sharing.records.database import Database
from sharing.records.ledger import TERMS
from tests.bench.consent_ledger import BATCH, BEGIN, Made, distinct, name
from tests.databases import SQLiteTemplate

_COLUMNS = ("position", "subject", *TERMS, "at", "valid_until", "source", "recorded_at")
_MICROSECOND = timedelta(microseconds=1)


def batches(made: Made) -> list[list[dict[str, Any]]]:
    """The events of a ledger as they come in: in words."""
    said = [dict(zip(TERMS, terms, strict=True)) for terms in distinct()]
    rows: list[dict[str, Any]] = []
    for page in made.pages():
        for subject, statement, at in zip(
            page.subject.tolist(), page.statement.tolist(), page.at.tolist(), strict=True
        ):
            moment = BEGIN + (at - 1_388_534_400_000_000) * _MICROSECOND
            rows.append(
                {
                    "subject": name(subject),
                    **said[statement],
                    "at": moment,
                    "valid_until": None,
                    "source": "bench",
                }
            )
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def appending(
    template: SQLiteTemplate, folder: Path, made: Made
) -> Callable[[int], Awaitable[float]]:
    """Our appends, each batch a transaction that also numbers, links and hashes."""
    incoming = batches(made)

    async def append(_: int) -> float:
        async with Database(template.fresh(folder)) as database:
            begin = time.perf_counter()
            for batch in incoming:
                await database.write(lambda unit, batch=batch: consents.append(unit, batch))  # type: ignore[misc]
            return made.events / (time.perf_counter() - begin)

    return append


def raw(folder: Path, made: Made) -> Callable[[int], Awaitable[float]]:
    """The same rows by the driver alone into a table of the same shape with the same indexes, each
    batch a transaction; nothing is numbered, linked, hashed or checked."""
    incoming, positions, numbers = batches(made), count(1), count(1)

    async def write(_: int) -> float:
        connection = sqlite3.connect(folder / f"raw-{next(numbers)}.sqlite3", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        columns = ", ".join(_COLUMNS[1:])
        connection.execute(
            f"CREATE TABLE event (position INTEGER PRIMARY KEY, {columns}, source_id)"
        )
        connection.execute("CREATE INDEX by_subject ON event (subject)")
        connection.execute("CREATE UNIQUE INDEX by_source ON event (source, source_id)")
        holes = ", ".join("?" * len(_COLUMNS))
        insert = f"INSERT INTO event ({', '.join(_COLUMNS)}) VALUES ({holes})"
        begin = time.perf_counter()
        for batch in incoming:
            rows = [
                (
                    next(positions),
                    row["subject"],
                    *(row[term] for term in TERMS),
                    row["at"].isoformat(" "),
                    None,
                    row["source"],
                    row["at"].isoformat(" "),
                )
                for row in batch
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, rows)
            connection.execute("COMMIT")
        took = time.perf_counter() - begin
        connection.close()
        return made.events / took

    return write
