"""What faults are tried on: an office in this process, or a whole machine of real processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.databases import SQLiteTemplate
from tests.faults.depot import Depot
from tests.faults.depot import depot as made
from tests.faults.machine import Machine
from tests.faults.machine import machine as whole


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
            Database(sqlite_template.fresh()) as database,
            made(temporal, database, home, patch, special_category=True) as here,
        ):
            yield here


@pytest.fixture(scope="session")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    """One machine for all tests that hurt its processes; each brings it back to health."""
    async with whole(tmp_path_factory.mktemp("machine") / "home") as running:
        yield running


@pytest.fixture(scope="session")
async def undisturbed(machine: Machine) -> Path:
    """The package that nothing happened to."""
    await machine.cleared()
    return await machine.delivered(await machine.exporting())
