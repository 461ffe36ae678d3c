"""A run that is cancelled through the engine's own port, at the moment an activity answers."""

import asyncio
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sharing.stages import ExportState
from workflows import export as exporting
from workflows.export import ExportRun
from workflows.messages import ExportEnd, Plan, ReleaseAttempt


async def test_cancellation_that_meets_the_release_in_one_task(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release's answer and a cancellation wait for the same workflow task: the run goes on,
    and delivers what was released."""
    queue = f"cancelled-{uuid4().hex[:8]}"
    monkeypatch.setattr(exporting, "EXPORT_QUEUE", f"{queue}-export")
    begun, may_end, done = asyncio.Event(), asyncio.Event(), list[str]()

    @activity.defn
    async def plan_export(_: str) -> Plan:
        return Plan(0)

    @activity.defn
    async def release_package(_: str) -> ReleaseAttempt:
        begun.set()
        await may_end.wait()
        return ReleaseAttempt(released=True)

    @activity.defn
    async def deliver_package(export_id: str) -> None:
        done.append(export_id)

    @activity.defn
    async def record_export_end(end: ExportEnd) -> ExportEnd:
        return ExportEnd(end.export_id, ExportState.DELIVERED)

    def control() -> Worker:
        return Worker(
            temporal.client,
            task_queue=queue,
            workflows=[ExportRun],
            activities=[record_export_end],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=0,  # so that the second one gets the task at once
        )

    moves = [plan_export, release_package, deliver_package]
    async with Worker(temporal.client, task_queue=f"{queue}-export", activities=moves):
        async with control():
            run = await temporal.client.start_workflow(
                ExportRun.run, "exp_1", id=f"export:{queue}", task_queue=queue
            )
            await begun.wait()
        await run.cancel()
        may_end.set()
        answers = 0
        async for event in run.fetch_history_events(wait_new_event=True):
            answers += event.HasField("activity_task_completed_event_attributes")
            if answers == 2:  # the plan's, and the release's
                break
        async with control():
            end = await run.result()
    assert (end.state, done) == (ExportState.DELIVERED, ["exp_1"])
