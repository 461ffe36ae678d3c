"""Exports of many shards: the window, and a history that is handed on before it grows long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sharing.stages import ExportState
from tests.workflows.moves import Moves, laps
from workflows import export as exporting
from workflows.export import ExportRun
from workflows.messages import ExportEnd, Plan
from workflows.sandbox import Sandbox


@workflow.defn
class Waiting:
    """Waits for an export as a request's workflow does: as its child."""

    @workflow.run
    async def run(self, queue: str) -> ExportEnd:
        """What became of it."""
        return await workflow.execute_child_workflow(
            ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
        )


@asynccontextmanager
async def working(
    temporal: WorkflowEnvironment, moves: Moves, patch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Workers of both kinds; gives the queue."""
    queue = f"long-{uuid4().hex[:8]}"
    patch.setattr(exporting, "EXPORT_QUEUE", f"{queue}-export")
    async with (
        Worker(temporal.client, task_queue=f"{queue}-export", activities=moves.all()),
        Worker(
            temporal.client,
            task_queue=queue,
            workflows=[ExportRun, Waiting],
            activities=[moves.ends()],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        yield queue


async def ahead(handle: WorkflowHandle[ExportRun, ExportEnd], shards: int) -> None:
    """Waits until so many shards are done."""
    while await handle.query(ExportRun.shards_done) < shards:
        await asyncio.sleep(0.02)


async def test_a_long_export_is_one_run_for_who_waits_for_it(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every shard is done once, in runs that hand each other a cursor, and the request that waits
    for its export as for a child sees one end."""
    moves = Moves(Plan(60, window=5, lap=20))
    async with working(temporal, moves, monkeypatch) as queue:
        end = await temporal.client.execute_workflow(
            Waiting.run, queue, id=f"waiting:{queue}", task_queue=queue
        )
        counts = await laps(temporal.client, f"export:{queue}")
        handle = temporal.client.get_workflow_handle_for(ExportRun.run, f"export:{queue}")
        assert await handle.query(ExportRun.shards_done) == 60
    assert end.state is ExportState.DELIVERED
    assert sorted(moves.shards) == list(range(60))
    assert moves.done == ["plan", "release", "deliver"]
    assert len(counts) == 3


async def test_the_window_is_as_wide_as_planned(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many shards are under way as the plan says, and never more."""
    moves = Moves(Plan(30, window=7, lap=12), pause=0.5)
    async with working(temporal, moves, monkeypatch) as queue:
        await temporal.client.execute_workflow(
            ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
        )
    assert moves.most_at_once == 7


async def test_stale_shards_are_handed_on_too(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards that a release found to be stale are made again by whichever run comes to them."""
    moves = Moves(Plan(10, window=2, lap=6), stale=[tuple(range(9)), (3,)])
    async with working(temporal, moves, monkeypatch) as queue:
        await temporal.client.execute_workflow(
            ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
        )
        assert len(await laps(temporal.client, f"export:{queue}")) == 4
    assert sorted(moves.shards[:10]) == list(range(10))
    assert sorted(moves.shards[10:]) == sorted([*range(9), 3])
    assert moves.done == ["plan", "release", "release", "release", "deliver"]


async def test_a_later_run_can_be_cancelled(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation reaches whichever run is at it: the end is recorded, and what was staged is
    erased."""
    moves = Moves(Plan(1000, window=4, lap=10), pause=0.01)
    async with working(temporal, moves, monkeypatch) as queue:
        handle = await temporal.client.start_workflow(
            ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
        )
        any_run = temporal.client.get_workflow_handle_for(ExportRun.run, f"export:{queue}")
        await ahead(any_run, 25)
        await any_run.cancel()
        end = await handle.result()
    assert end.state is ExportState.CANCELLED
    assert moves.done == ["plan", "end", "erase"]
    assert len(moves.shards) < 200


async def test_a_cursor_survives_the_sandbox(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the sandbox, as the control worker runs it, a run goes on from its cursor."""
    moves = Moves(Plan(5, window=2, lap=3))
    queue = f"long-{uuid4().hex[:8]}"
    async with (
        Worker(temporal.client, task_queue="clearance-export", activities=moves.all()),
        Worker(
            temporal.client,
            task_queue=queue,
            workflows=[ExportRun],
            workflow_runner=Sandbox(),
        ),
    ):
        handle = await temporal.client.start_workflow(
            ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
        )
        await handle.result()
        described = await handle.describe()
    assert described.status is not WorkflowExecutionStatus.FAILED
    assert sorted(moves.shards) == list(range(5))
