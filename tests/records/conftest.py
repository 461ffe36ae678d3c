"""What tests of the records share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sharing.records.database import Database
from tests.databases import PostgreSQLTemplate, SQLiteTemplate
from tests.records.desk import Desk, at_desk

Console = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def untouched_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database for tests that leave nothing behind, one a kind."""
    template = request.getfixturevalue(f"{request.param}_template")
    assert isinstance(template, SQLiteTemplate | PostgreSQLTemplate)
    url = template.fresh()
    yield url
    template.drop(url)


@pytest.fixture(scope="session")
async def untouched(untouched_url: str) -> AsyncIterator[Engine | AsyncEngine]:
    """The same, opened once: what it has compiled of a test's statements and of the database's own
    functions is there for the next."""
    if untouched_url.startswith("sqlite"):
        # Python's own driver needs no thread: truth tables are thousands of statements.
        plain = create_engine(untouched_url.replace("+aiosqlite", ""))
        yield plain
        plain.dispose()
        return
    engine = create_async_engine(untouched_url, pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def console(untouched: Engine | AsyncEngine) -> AsyncIterator[Console]:
    """Runs `work(connection, ...)` past all our code, on each of the two kinds of database, and
    takes back all that it did."""
    if isinstance(untouched, Engine):
        with untouched.connect() as plain:

            async def run(work: Callable[..., Any], *given: Any) -> Any:
                return work(plain, *given)

            yield run
        return
    async with untouched.connect() as connection:
        yield connection.run_sync


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """A desk on each of the two kinds of database."""
    return await at_desk(database, tmp_path)
