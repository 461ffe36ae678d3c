"""One export: shards in a sliding window on the export queue, then one release.

The export worker demands a clearance from the database at every step; this file cannot give one.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from sharing.stages import ExportState
from workflows.messages import (
    EXPORT_QUEUE,
    ExportEnd,
    Plan,
    ReleaseAttempt,
    ShardDone,
    ShardTask,
)
from workflows.progress import RunProgress, Tally
from workflows.timeouts import EXPORTS_SHARDS_AT_ONCE, MOVE, RECORD, SURVEY


@workflow.defn
class ExportRun:
    """From a triggered export to a delivered package, or to none at all."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._moving = MOVE

    @workflow.run
    async def run(self, export_id: str) -> ExportEnd:
        """Plan, shards, release, deliver; on failure, erase what was staged and say why."""
        try:
            await self._released(export_id)
            return await self._delivered(export_id)
        except (ActivityError, asyncio.CancelledError) as failure:
            # A cancellation that meets an activity's answer in one task comes as the second kind.
            return await self._undone(export_id, failure)

    async def _released(self, export_id: str) -> None:
        plan = await workflow.execute_activity(
            "plan_export",
            export_id,
            task_queue=EXPORT_QUEUE,
            result_type=Plan,
            summary="plan",
            **SURVEY,
        )
        self._tally.begin(plan, workflow.now())
        self._moving = {**MOVE, "heartbeat_timeout": timedelta(seconds=plan.silence)}
        await self._shards(export_id, range(plan.shards))
        while True:
            attempt = await workflow.execute_activity(
                "release_package",
                export_id,
                task_queue=EXPORT_QUEUE,
                result_type=ReleaseAttempt,
                summary="seal and release",
                **self._moving,
            )
            if attempt.released:
                return
            await self._shards(export_id, attempt.stale)

    async def _shards(self, export_id: str, numbers: Iterable[int]) -> None:
        """A few shards at once, so that history grows by what is done and not by what waits."""
        window, failures = asyncio.Semaphore(EXPORTS_SHARDS_AT_ONCE), list[ActivityError]()

        async def one(number: int) -> None:
            async with window:
                if failures:
                    return  # nothing more is begun; what is under way is waited for, then erased
                try:
                    done: ShardDone | None = await workflow.execute_activity(
                        "export_shard",
                        ShardTask(export_id, number),
                        result_type=ShardDone | None,  # type: ignore[arg-type]
                        task_queue=EXPORT_QUEUE,
                        summary=f"shard {number}",
                        **self._moving,
                    )
                    self._tally.add(number, done)
                except ActivityError as failure:
                    failures.append(failure)
                self._tell()

        await asyncio.gather(*(one(number) for number in numbers))
        if failures:
            raise failures[0]

    def _tell(self) -> None:
        workflow.set_current_details(self._tally.words(workflow.now()))

    async def _delivered(self, export_id: str) -> ExportEnd:
        await workflow.execute_activity(
            "deliver_package", export_id, task_queue=EXPORT_QUEUE, summary="deliver", **self._moving
        )
        return ExportEnd(export_id, ExportState.DELIVERED)

    async def _undone(self, export_id: str, failure: BaseException) -> ExportEnd:
        """Records the end first: from then on nothing of it can be released, and what was staged
        may go. Where it had been released all the same, that is what counts."""
        cause = failure.__cause__
        code = cause.type if isinstance(cause, ApplicationError) and cause.type else "export_failed"
        detail = str(cause or failure) or "The run was cancelled."
        state = ExportState.CANCELLED if code == "export_cancelled" else ExportState.FAILED
        end: ExportEnd = await workflow.execute_activity(
            "record_export_end",
            ExportEnd(export_id, state, code, detail),
            result_type=ExportEnd,
            **RECORD,
        )
        if end.state is ExportState.DELIVERED:
            return await self._delivered(export_id)
        await workflow.execute_activity(
            "erase_staging",
            export_id,
            task_queue=EXPORT_QUEUE,
            summary="erase what was staged",
            **self._moving,
        )
        return end

    @workflow.query
    def shards_done(self) -> int:
        """How many shard runs have been committed, repeats included."""
        return self._tally.runs

    @workflow.query
    def progress(self) -> RunProgress:
        """How far it has come, with rate and time left."""
        return self._tally.at(workflow.now())

    @workflow.signal
    def paused(self, paused: bool) -> None:
        """An engineer paused or resumed it. Whether it really waits is up to the database."""
        self._tally.paused = paused
        self._tell()
