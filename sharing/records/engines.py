"""How each kind of database is opened, and how a transaction is run on it without holding up
the event loop: PostgreSQL by an asynchronous driver, SQLite in threads of its own.

Errors carry no values of rows: errors end in logs, and rows name people (I25)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

T = TypeVar("T")
READERS = 4
# In KiB. A writer that keeps the upper pages of large indexes at hand takes half the time.
WRITERS_CACHE, READERS_CACHE = 64 << 10, 2 << 10


class LostAtCommit(Exception):
    """The connection was lost while committing: it may have been done, or not."""


class Opened(Protocol):
    """An open database. Both raise what `work` raises, and sqlalchemy's own errors."""

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a transaction that changes nothing."""

    async def writing(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` and commits; raises LostAtCommit where nobody can tell whether it did."""

    async def dispose(self) -> None:
        """Lets all connections go."""


def open_database(url: str) -> Opened:
    """The database at an address such as `sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`."""
    return InThreads(url) if url.startswith("sqlite") else Asynchronous(url)


class Asynchronous:
    """PostgreSQL: many connections, each statement awaited."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url, pool_size=10, max_overflow=10, hide_parameters=True)

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """See Opened."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def writing(self, work: Callable[[Connection], T]) -> T:
        """See Opened."""
        async with self._engine.connect() as connection:
            await connection.begin()
            result = await connection.run_sync(work)
            try:
                await connection.commit()
            except DBAPIError as failure:
                if failure.connection_invalidated:
                    raise LostAtCommit(str(failure.orig)) from failure
                raise
            return result

    async def dispose(self) -> None:
        """See Opened."""
        await self._engine.dispose()


class InThreads:
    """SQLite: one thread that writes, some that read. A whole transaction is one trip to a thread;
    one trip a statement, as its asynchronous driver makes, cost twice the time of the work."""

    def __init__(self, url: str) -> None:
        self._writer = _sqlite(url, 1, "BEGIN IMMEDIATE", WRITERS_CACHE)
        self._reader = _sqlite(url, READERS, "BEGIN", READERS_CACHE)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """See Opened."""

        def run() -> T:
            with self._reader.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._reading, run)

    async def writing(self, work: Callable[[Connection], T]) -> T:
        """See Opened."""

        def run() -> T:
            with self._writer.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writing, run)

    async def dispose(self) -> None:
        """See Opened. Waits for what runs; connections are made anew if they are needed again."""
        for threads, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            await asyncio.get_running_loop().run_in_executor(threads, engine.dispose)


def _sqlite(url: str, connections: int, begin: str, cache: int) -> Engine:
    """Write-ahead log, full sync, foreign keys; transactions begin as we say, because a deferred
    one that reads first and writes later loses updates silently."""
    engine = create_engine(
        make_url(url).set(drivername="sqlite"),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=120,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 30000",
            f"cache_size = -{cache}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
