"""Two transactions on PostgreSQL, one of which waits for the other: in an order that no clock
decides."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.util import await_only
from sqlmodel import Session

from sharing.records.database import Database
from sharing.records.unit import Unit
from tests.faults.depot import PATIENCE, until

Work = Callable[[Unit], Any]
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND wait_event_type = 'Lock'"
)


@asynccontextmanager
async def holding(database: Database, work: Work) -> AsyncIterator[asyncio.Task[Any]]:
    """A transaction that has done its work, and commits at the end of the block."""
    worked, over = asyncio.Event(), asyncio.Event()

    def held(unit: Unit) -> Any:
        done = work(unit)
        unit.session.flush()
        worked.set()
        await_only(over.wait())
        return done

    task = asyncio.create_task(database.write(held))
    try:
        async with asyncio.timeout(PATIENCE):
            await worked.wait()
        yield task
    finally:
        over.set()
        await asyncio.wait([task])


async def waits(database: Database) -> None:
    """Returns once somebody waits for what another transaction holds."""

    def seen(session: Session) -> bool:
        return bool(session.connection().execute(WAITING).scalar_one())

    await until(lambda: database.read(seen), "a transaction that waits")
