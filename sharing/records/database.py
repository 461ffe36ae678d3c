"""One writer that commits in groups, and readers beside it; SQLite and PostgreSQL alike.

A commit costs far more than what is in it, so works that arrive while one commit is under way
share the next. A work is a plain function of a Unit; its rows, its audit entries and its events
are one transaction: either all of them are there or none (I13).
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from sharing.errors import Refused
from sharing.records.audit import AuditEntry
from sharing.records.engines import LostAtCommit, open_database
from sharing.records.unit import Unit, together

T = TypeVar("T")
GROUP = 100
ATTEMPTS = 5
UNREACHABLE = (OSError, PoolTimeout)
_GUARD = re.compile(r"clearance: (?:(\w+): )?(.+)")  # how our triggers speak


class StorageFailed(Exception):
    """The database could not do it; nothing was changed."""


class OutcomeUnknown(StorageFailed):
    """The connection was lost while committing: look whether it was done before trying again."""


@dataclass(slots=True)
class _Work:
    run: Callable[[Unit], Any]
    done: asyncio.Future[Any]


class Database:
    """`read` for questions, `write` for changes. Start it before use, close it after."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened = open_database(url)
        self._queue: asyncio.Queue[_Work | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to take works."""
        self._task = asyncio.create_task(self._write_groups(), name="database-writer")

    async def close(self) -> None:
        """Finishes what was handed in, then lets the database go. Later works are refused."""
        if self._task is not None:
            writer, self._task = self._task, None
            self._queue.put_nowait(None)
            await writer
        await self._opened.dispose()

    async def __aenter__(self) -> "Database":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def read(self, query: Callable[[Session], T]) -> T:
        """Runs a query in a transaction of its own that changes nothing. It may run twice: where
        the connection was lost meanwhile. Raises StorageFailed if the database cannot be read."""
        for last in (False, True):
            try:
                return await self._opened.reading(_reading(query))
            except DBAPIError as failure:
                if last or not failure.connection_invalidated:
                    raise StorageFailed(f"The database cannot be read: {failure.orig}") from failure
            except UNREACHABLE as failure:
                raise StorageFailed(f"The database cannot be reached: {failure}") from failure
        raise AssertionError("unreachable")

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Runs `work` and commits it, together with others that wait. `work` may run more than
        once (its first run rolled back), so it must do nothing but read and write the session.
        Raises what `work` raises, and StorageFailed if the database could not commit."""
        if self._task is None or self._task.done():
            raise StorageFailed("The database is not open: it was closed, or never started.")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Work(work, done))
        return await done

    async def _write_groups(self) -> None:
        while (first := await self._queue.get()) is not None:
            group, last = [first], False
            await asyncio.sleep(0)  # what arrived with it reaches the queue now: one commit less
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
            if len(group) > 1 and not isinstance(failure, OutcomeUnknown):
                for work in group:
                    await self._settle([work])
                return
            for work in group:
                _fail(work, failure)
            return
        for work, result in zip(group, results, strict=True):
            if not work.done.done():
                work.done.set_result(result)

    async def _commit(self, group: list[_Work]) -> list[Any]:
        for attempt in range(ATTEMPTS):
            try:
                return await self._transaction([work.run for work in group])
            except DBAPIError as failure:
                if attempt + 1 == ATTEMPTS or not _passing(failure):
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    async def _transaction(self, works: Sequence[Callable[[Unit], Any]]) -> list[Any]:
        try:
            return await self._opened.writing(lambda connection: together(connection, works))
        except LostAtCommit as lost:  # done or not: to try again might do it twice
            raise OutcomeUnknown(f"The connection was lost: {lost}") from lost


def _reading(query: Callable[[Session], T]) -> Callable[[Connection], T]:
    def run(connection: Connection) -> T:
        with Session(connection, autoflush=False, expire_on_commit=False) as session:
            return query(session)

    return run


def _fail(work: _Work, failure: Exception) -> None:
    if work.done.done():
        return
    told = failure
    if isinstance(failure, DBAPIError):
        told = _guarded(failure) or StorageFailed(f"The database could not do it: {failure.orig}")
    elif isinstance(failure, UNREACHABLE):
        told = StorageFailed(f"The database cannot be reached: {failure}")
    if told is not failure:
        told.__cause__ = failure
    work.done.set_exception(told)


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
