"""Which of several exports goes first, by the real server's own queue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from api.embedded import IN_ORDER
from sharing.orders import Verb
from sharing.records import exports
from sharing.records.database import Database
from sharing.stages import GATES
from tests.databases import SQLiteTemplate
from tests.engine import temporal_binary
from tests.faults.depot import Depot
from tests.faults.depot import depot as made
from workflows.activities.shards import ExportPlane
from workflows.messages import EXPORT_QUEUE
from workflows.refusals import RefusalInterceptor


@pytest.fixture
async def depot(
    sqlite_template: SQLiteTemplate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """A depot on SQLite, and on a server as `clearance up` runs it."""
    server = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(temporal_binary()), dev_server_extra_args=IN_ORDER
    )
    async with (
        server as temporal,
        Database(sqlite_template.fresh()) as database,
        made(temporal, database, tmp_path, monkeypatch, people=12) as here,
    ):
        yield here


async def triggered(depot: Depot, priority: int) -> str:
    """An export of a request of its own."""
    order = depot.world.submission()
    await depot.send(order)
    for stage in GATES:
        await depot.at(order.request_id, stage)
        await depot.send(depot.world.decision(order.request_id, order.digest, stage))
    await depot.at(order.request_id, "cleared")
    return await depot.tell(
        Verb.TRIGGER, order.request_id, "engineer", order.digest, priority=priority
    )


def one_at_a_time(depot: Depot) -> Worker:
    """An export worker that does one thing at a time."""
    office = depot.office
    plane = ExportPlane(office.world.database, office.settings)
    return Worker(
        office.client,
        task_queue=EXPORT_QUEUE,
        activities=[
            plane.plan_export,
            plane.export_shard,
            plane.release_package,
            plane.deliver_package,
        ],
        interceptors=[RefusalInterceptor()],
        max_concurrent_activities=1,
    )


async def test_an_urgent_export_overtakes(depot: Depot) -> None:
    """Two bulk exports are triggered first and an urgent one last, while no worker is there: then
    every shard of the urgent one is done before the others', but for what the worker had in hand
    when they were cut."""
    bulk = [await triggered(depot, 5) for _ in range(2)]
    urgent = await triggered(depot, 1)
    async with one_at_a_time(depot):
        for export in (urgent, *bulk):
            assert (await depot.ended(export)).state == "delivered"
    times = {
        export: [
            row.committed_at
            for row in await depot.read(lambda s: exports.shards_of(s, export))  # noqa: B023
            if row.committed_at is not None
        ]
        for export in (urgent, *bulk)
    }
    last = max(times[urgent])
    earlier = sum(at < last for export in bulk for at in times[export])
    assert len(times[urgent]) == 6
    assert earlier <= 2, f"{earlier} of 12 bulk shards went before an urgent one"
