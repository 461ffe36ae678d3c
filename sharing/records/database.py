"""One writer that commits in groups, and readers beside it; SQLite and PostgreSQL alike.

A commit costs far more than what is in it, so works that arrive while one commit is under way
share the next. A work is a plain function of a Unit; its rows, its audit entries and its events
are one transaction: either all of them are there or none (I13).
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session, insert

from sharing.errors import Refused
from sharing.records.audit import GENESIS, AuditEntry, Entry, linked
from sharing.records.events import Event, Happened
from sharing.records.heads import take
from sharing.records.tables import now

T = TypeVar("T")
GROUP = 100
ATTEMPTS = 5
_GUARD = re.compile(r"clearance: (?:(\w+): )?(.+)")  # how our triggers speak


@dataclass(slots=True)
class Unit:
    """One unit of work: a session, and what is to be logged and told when it commits."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)

    def audit(self, actor: str, action: str, request_id: str | None = None, **detail: Any) -> None:
        """Logs that `actor` did `action`; detail holds ids, codes and numbers only."""
        self.entries.append(Entry(actor, action, request_id, detail))

    def tell(self, type: str, subject: str, *, partner_id: str | None = None,
             request_id: str | None = None, **data: Any) -> None:
        """Tells that something happened, in the past tense."""
        self.happened.append(Happened(type, subject, partner_id, request_id, data))


class StorageFailed(Exception):
    """The database could not do it; nothing was changed."""


@dataclass(slots=True)
class _Work:
    run: Callable[[Unit], Any]
    done: asyncio.Future[Any]


class Database:
    """`read` for questions, `write` for changes. Start it before use, close it after."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._sqlite = url.startswith("sqlite")
        self._writer = _engine(url, writes=True)
        self._reader = _engine(url, writes=False) if self._sqlite else self._writer
        self._queue: asyncio.Queue[_Work | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to take works."""
        self._task = asyncio.create_task(self._write_groups(), name="database-writer")

    async def close(self) -> None:
        """Finishes what was handed in, then lets the database go."""
        if self._task is not None:
            await self._queue.put(None)
            await self._task
            self._task = None
        await self._writer.dispose()
        await self._reader.dispose()

    async def __aenter__(self) -> "Database":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def read(self, query: Callable[[Session], T]) -> T:
        """Runs a query in a transaction of its own that changes nothing."""
        async with self._reader.connect() as connection:
            return await connection.run_sync(_reading(query))

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Runs `work` and commits it, together with others that wait. `work` may run more than
        once (its first run rolled back), so it must do nothing but read and write the session.
        Raises what `work` raises, and StorageFailed if the database could not commit."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Work(work, done))
        return await done

    async def _write_groups(self) -> None:
        while (first := await self._queue.get()) is not None:
            group, last = [first], False
            while len(group) < GROUP and not self._queue.empty():
                work = self._queue.get_nowait()
                if work is None:
                    last = True
                    break
                group.append(work)
            await self._settle(group)
            if last:
                return

    async def _settle(self, group: list[_Work]) -> None:
        """Commits the whole group; if one of them fails, each by itself, so that it fails alone."""
        try:
            results = await self._commit(group)
        except Exception as failure:
            if len(group) > 1:
                for work in group:
                    await self._settle([work])
                return
            _fail(group[0], failure)
            return
        for work, result in zip(group, results, strict=True):
            if not work.done.done():
                work.done.set_result(result)

    async def _commit(self, group: list[_Work]) -> list[Any]:
        for attempt in range(ATTEMPTS):
            try:
                async with self._writer.begin() as connection:
                    return await connection.run_sync(_together, [work.run for work in group])
            except DBAPIError as failure:
                if attempt + 1 == ATTEMPTS or not _passing(failure):
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")


def _together(connection: Connection, works: Sequence[Callable[[Unit], Any]]) -> list[Any]:
    results, entries, happened = [], [], []
    for work in works:
        with Session(connection, expire_on_commit=False) as session:
            unit = Unit(session)
            results.append(work(unit))
            session.flush()
        entries += unit.entries
        happened += unit.happened
    _tell(connection, happened)
    _log(connection, entries)
    return results


def _tell(connection: Connection, happened: Sequence[Happened]) -> None:
    if not happened:
        return
    first, at = take(connection, "event", len(happened)), now()
    connection.execute(insert(Event), [
        {"position": first + i, "at": at, "type": h.type, "subject": h.subject,
         "partner_id": h.partner_id, "request_id": h.request_id, "data": h.data}
        for i, h in enumerate(happened)
    ])


def _log(connection: Connection, entries: Sequence[Entry]) -> None:
    """Last of all in the transaction: the log's head is the one row that every writer waits for."""
    if not entries:
        return
    first, at, rows = take(connection, "audit", len(entries)), now(), []
    previous = connection.execute(
        text("SELECT hash FROM audit_entry WHERE position = :last"), {"last": first - 1}
    ).scalar() or GENESIS
    for i, entry in enumerate(entries):
        rows.append(linked(first + i, at, entry, previous))
        previous = rows[-1]["hash"]
    connection.execute(insert(AuditEntry), rows)


def _reading(query: Callable[[Session], T]) -> Callable[[Connection], T]:
    def run(connection: Connection) -> T:
        with Session(connection, autoflush=False, expire_on_commit=False) as session:
            return query(session)

    return run


def _fail(work: _Work, failure: Exception) -> None:
    if work.done.done():
        return
    if isinstance(failure, DBAPIError):
        told = _guarded(failure) or StorageFailed(f"The database could not do it: {failure.orig}")
        told.__cause__ = failure
        work.done.set_exception(told)
    else:
        work.done.set_exception(failure)


def _guarded(failure: DBAPIError) -> Refused | None:
    """The refusal by which a trigger or a constraint of ours said no; None if the machine did."""
    if found := _GUARD.search(str(failure.orig)):
        code, detail = found.groups()
        return Refused(code or "append_only", detail)
    if isinstance(failure, IntegrityError) and not _in_the_log(failure):
        return Refused("storage_conflict", "This is there already, or what it names is not.")
    return None


def _in_the_log(failure: DBAPIError) -> bool:
    """True where the log itself, or somebody else's trigger, is in the way: no fault of the
    caller's, so no conflict, but a storage that has failed (F14)."""
    foreign_trigger = "SQLITE_CONSTRAINT_TRIGGER"
    return AuditEntry.__tablename__ in (failure.statement or "") or (
        getattr(failure.orig, "sqlite_errorname", "") == foreign_trigger
    )


def _passing(failure: DBAPIError) -> bool:
    """True for what another try may cure: a lock held elsewhere, a deadlock, a lost connection."""
    words = str(failure.orig).lower()
    return failure.connection_invalidated or any(
        sign in words for sign in ("database is locked", "deadlock detected", "could not serialize")
    )


def _engine(url: str, *, writes: bool) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=10)
    engine = create_async_engine(url, pool_size=1 if writes else 4, max_overflow=0, pool_timeout=120)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
                       "busy_timeout = 30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that reads first and writes later loses updates silently.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


