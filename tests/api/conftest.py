"""The application, on both kinds of database, with people and data in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.world import World, world
from tests.databases import SQLiteTemplate


@pytest.fixture
async def there(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own; the test runs once on each kind of database."""
    async with world(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own on SQLite, for what does not depend on the database."""
    async with world(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
async def shared(
    sqlite_template: SQLiteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """One world for a whole file of tests that leave nothing behind that others look at."""
    home = tmp_path_factory.mktemp("shared")
    async with world(sqlite_template.fresh(), home) as made:
        yield made
