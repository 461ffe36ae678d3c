"""The depots that faults are tried on."""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.databases import SQLiteTemplate
from tests.faults.depot import Depot
from tests.faults.depot import depot as made


@pytest.fixture(scope="module")
async def depot(
    temporal: WorkflowEnvironment,
    sqlite_template: SQLiteTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Depot]:
    """One depot for a whole file on SQLite, where exports need two engineers."""
    from sharing.records.database import Database

    home = tmp_path_factory.mktemp("depot")
    with pytest.MonkeyPatch.context() as patch:
        async with (
            Database(sqlite_template.fresh(home)) as database,
            made(temporal, database, home, patch, special_category=True) as here,
        ):
            yield here
