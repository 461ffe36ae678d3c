"""How Alembic reaches our database: through the same asynchronous drivers as the program."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from sharing.records.schema import METADATA


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        await _sqlite(engine)
    else:
        await _postgresql(engine)
    await engine.dispose()


async def _postgresql(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        # Two that migrate at once wait for each other instead of failing half-way.
        await connection.exec_driver_sql("SELECT pg_advisory_lock(20140918)")
        await connection.commit()
        await connection.run_sync(_migrate)
        await connection.commit()


async def _sqlite(engine: AsyncEngine) -> None:
    """All in one transaction, begun by us: the driver would begin none for CREATE TABLE, and a
    migration that fails would leave half its tables. Who comes second waits, then finds it done."""

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 30000").close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    async with engine.begin() as connection:
        await connection.run_sync(_migrate)


asyncio.run(_run(context.config.attributes["url"]))
