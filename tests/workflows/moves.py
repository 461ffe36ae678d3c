"""An export's moves that move nothing, under the names of the real ones: for the workflow alone."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Client

from sharing.stages import ExportState
from workflows.messages import ExportEnd, Plan, ReleaseAttempt, ShardTask


@dataclass(slots=True)
class Moves:
    """`plan` is what is planned. `stale` are the answers of the first attempts at a release."""

    plan: Plan
    stale: list[tuple[int, ...]] = field(default_factory=list)
    shards: list[int] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    pause: float = 0.0
    under_way: int = 0
    most_at_once: int = 0

    def all(self) -> Sequence[Callable[..., Any]]:
        """The activities of the export queue."""

        @activity.defn
        async def plan_export(_: str) -> Plan:
            self.done.append("plan")
            return self.plan

        @activity.defn
        async def export_shard(task: ShardTask) -> None:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            await asyncio.sleep(self.pause)
            self.under_way -= 1
            self.shards.append(task.number)

        @activity.defn
        async def release_package(_: str) -> ReleaseAttempt:
            self.done.append("release")
            if self.stale:
                return ReleaseAttempt(released=False, stale=self.stale.pop(0))
            return ReleaseAttempt(released=True)

        @activity.defn
        async def deliver_package(_: str) -> None:
            self.done.append("deliver")

        @activity.defn
        async def erase_staging(_: str) -> None:
            self.done.append("erase")

        return [plan_export, export_shard, release_package, deliver_package, erase_staging]

    def ends(self) -> Callable[..., Any]:
        """The control queue's activity that records how a run ended."""

        @activity.defn
        async def record_export_end(end: ExportEnd) -> ExportEnd:
            self.done.append("end")
            return ExportEnd(end.export_id, ExportState.CANCELLED, end.code, end.detail)

        return record_export_end


async def laps(client: Client, workflow_id: str) -> list[int]:
    """How many events each run of a workflow has, the first run first."""
    last = await client.get_workflow_handle(workflow_id).fetch_history()
    started = last.events[0].workflow_execution_started_event_attributes
    run: str | None = started.first_execution_run_id
    counts = []
    while run:
        history = await client.get_workflow_handle(workflow_id, run_id=run).fetch_history()
        counts.append(len(history.events))
        ended = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = ended.new_execution_run_id or None
    return counts
