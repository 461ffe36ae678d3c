"""What tests of the records share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sharing.records.database import Database
from tests.databases import PostgreSQLTemplate, SQLiteTemplate
from tests.records.desk import Desk, at_desk

Console = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def untouched_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a migrated database for tests that leave nothing behind, one a kind."""
    template = request.getfixturevalue(f"{request.param}_template")
    if isinstance(template, SQLiteTemplate):
        yield template.fresh(tmp_path_factory.mktemp("untouched"))
        return
    assert isinstance(template, PostgreSQLTemplate)
    url = template.fresh()
    yield url
    template.drop(url)


@pytest.fixture
async def console(untouched_url: str) -> AsyncIterator[Console]:
    """Runs `work(connection, ...)` past all our code, on each of the two kinds of database, and
    takes back all that it did."""
    if untouched_url.startswith("sqlite"):
        # Python's own driver needs no thread: truth tables are thousands of statements.
        address = untouched_url.replace("+aiosqlite", "")
        with create_engine(address, poolclass=NullPool).connect() as plain:

            async def run(work: Callable[..., Any], *given: Any) -> Any:
                return work(plain, *given)

            yield run
        return
    engine = create_async_engine(untouched_url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection.run_sync
    await engine.dispose()


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """A desk on each of the two kinds of database."""
    return await at_desk(database, tmp_path)
