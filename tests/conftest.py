"""What tests share: fresh databases, real Temporal servers, real camera photographs."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import URL
from temporalio.testing import WorkflowEnvironment

from api.bytecode import NO_BYTECODE, keep_apart, kept_apart
from tests import compiled
from tests.databases import (
    HOW_TO_GET_POSTGRESQL,
    PostgreSQLTemplate,
    SQLiteTemplate,
    in_memory,
    postgresql_server,
)
from tests.engine import real_time_server, skipped_time_server

if TYPE_CHECKING:
    from sharing.records.database import Database


# Where bytecode is banned, this process and every one that it starts would compile 2,000 modules.
os.environ.update(kept_apart(os.environ))
keep_apart()
os.environ.pop(NO_BYTECODE, None)

EXIT_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remembers how the run ended, for the hook below."""
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leaves without taking the interpreter down bit by bit.

    The Temporal SDK's own threads now and then crash a Python that is being taken down
    (temporalio/sdk-python#300): a run whose tests all passed would then exit with 139.
    """
    if EXIT_STATUS in config.stash and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """A developer's own CLEARANCE_* never reach a test."""
    for name in [name for name in os.environ if name.startswith("CLEARANCE_")]:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> None:
    """Statements are compiled once a process."""
    compiled.share()


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[SQLiteTemplate]:
    """A migrated SQLite file to copy from."""
    with TemporaryDirectory(prefix="clearance-sqlite-", dir=in_memory()) as folder:
        yield SQLiteTemplate.migrated(Path(folder))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """A PostgreSQL server's address; skips, saying why, where there is none."""
    with postgresql_server() as server:
        if server is None:
            pytest.skip(HOW_TO_GET_POSTGRESQL)
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql: URL) -> Iterator[PostgreSQLTemplate]:
    """A migrated PostgreSQL database to copy from."""
    template = PostgreSQLTemplate.migrated(postgresql)
    yield template
    template.drop(template.url(template.name))


@pytest.fixture
def sqlite_url(sqlite_template: SQLiteTemplate) -> Iterator[str]:
    """The address of a fresh, migrated SQLite database."""
    url = sqlite_template.fresh()
    yield url
    sqlite_template.drop(url)


@pytest.fixture
def postgresql_url(postgresql_template: PostgreSQLTemplate) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database."""
    url = postgresql_template.fresh()
    yield url
    postgresql_template.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database: the test runs once on each of the two kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> "AsyncIterator[Database]":
    """A fresh, migrated, started Database: the test runs once on each of the two kinds."""
    from sharing.records.database import Database

    database = Database(database_url)
    await database.start()
    yield database
    await database.close()


@pytest.fixture(scope="session")
def camera_photos() -> Path:
    """A folder of photographs from real cameras, some of them broken; skips without one."""
    folder = Path(os.environ.get("CAMERA_PHOTOS", ""))
    if not os.environ.get("CAMERA_PHOTOS") or not folder.is_dir():
        pytest.skip("Set CAMERA_PHOTOS to a folder of camera photographs to run this.")
    return folder


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server on the wall clock, one a session: use a task queue of your own."""
    async with await real_time_server() as environment:
        yield environment


@pytest.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server that skips waiting, one a session: use a task queue of your own."""
    async with await skipped_time_server() as environment:
        yield environment
