"""What it costs to append consents to the ledger, beside rows written raw."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from sharing.records import consents
from sharing.records.database import Database
from sharing.records.ledger import TERMS
from tests.bench.consent_ledger import BATCH, BEGIN, Made, distinct, name
from tests.databases import PostgreSQLTemplate

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


def appending(fresh: Callable[[], str], made: Made) -> Callable[[int], Awaitable[float]]:
    """Our appends to a fresh database, each batch a transaction that also numbers, links and
    hashes."""
    incoming = batches(made)

    async def append(_: int) -> float:
        async with Database(await asyncio.to_thread(fresh)) as database:
            begin = time.perf_counter()
            for batch in incoming:
                await database.write(lambda unit, batch=batch: consents.append(unit, batch))  # type: ignore[misc]
            return made.events / (time.perf_counter() - begin)

    return append


def plain(position: int, row: dict[str, Any], *, in_words: bool) -> tuple[Any, ...]:
    """An event as the driver takes it."""
    at = row["at"].isoformat(" ") if in_words else row["at"]
    terms = (row[term] for term in TERMS)
    return (position, row["subject"], *terms, at, None, row["source"], at)


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
            rows = [plain(next(positions), row, in_words=True) for row in batch]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, rows)
            connection.execute("COMMIT")
        took = time.perf_counter() - begin
        connection.close()
        return made.events / took

    return write


_RAW = """CREATE TABLE raw_event (position bigint PRIMARY KEY, subject text NOT NULL, purpose text,
  category text, recipient text, action text, explicit boolean, notice text, notice_version text,
  method text, jurisdiction text, minor boolean, at timestamptz, valid_until timestamptz,
  source text, recorded_at timestamptz, source_id text);
  CREATE INDEX raw_by_subject ON raw_event (subject);
  CREATE UNIQUE INDEX raw_by_source ON raw_event (source, source_id)"""


def copied(template: PostgreSQLTemplate, made: Made) -> Callable[[int], Awaitable[float]]:
    """The same rows by COPY into such a table on PostgreSQL, each batch a transaction."""
    incoming = batches(made)

    async def copy(_: int) -> float:
        url = make_url(await asyncio.to_thread(template.fresh)).set(drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        await connection.execute(_RAW)
        begin, positions = time.perf_counter(), count(1)
        for batch in incoming:
            rows = [plain(next(positions), row, in_words=False) for row in batch]
            async with connection.transaction():
                await connection.copy_records_to_table("raw_event", records=rows, columns=_COLUMNS)
        took = time.perf_counter() - begin
        await connection.close()
        return made.events / took

    return copy
