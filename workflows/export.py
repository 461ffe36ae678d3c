"""One export: shards in a sliding window on the export queue, then one release.

The export worker demands a clearance from the database at every step; this file cannot give one.
History stays bounded: every so many shards the run continues as a new one, which is handed a
cursor and nothing else. Whoever waits for this workflow sees one run, and one end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from sharing.stages import ExportState
from workflows.messages import (
    EXPORT_QUEUE,
    Cursor,
    ExportEnd,
    Plan,
    ReleaseAttempt,
    ShardDone,
    ShardTask,
)
from workflows.progress import RunProgress, added, in_words, progress_of
from workflows.timeouts import MOVE, RECORD, SURVEY

# Runs from before continue to the end of their shards, however long their history becomes.
CONTINUES_V1 = "export-continues-v1"


@workflow.defn
class ExportRun:
    """From a triggered export to a delivered package, or to none at all."""

    def __init__(self) -> None:
        self._at = Cursor(Plan(0))
        self._begun = 0  # shards, by this run of the workflow
        self._failures: list[ActivityError] = []
        self._moving = MOVE

    @workflow.run
    async def run(self, export_id: str, at: Cursor | None = None) -> ExportEnd:
        """Plan, shards, release, deliver; on failure, erase what was staged and say why."""
        try:
            await self._released(export_id, at)
            return await self._delivered(export_id)
        except (ActivityError, asyncio.CancelledError) as failure:
            # A cancellation that meets an activity's answer in one task comes as the second kind.
            return await self._undone(export_id, failure)

    async def _released(self, export_id: str, at: Cursor | None) -> None:
        paused = self._at.paused  # a signal may come before anything else
        self._at = at or Cursor(
            await self._planned(export_id), begun=workflow.now().isoformat(), paused=paused
        )
        self._moving = {**MOVE, "heartbeat_timeout": timedelta(seconds=self._at.plan.silence)}
        while True:
            await self._shards(export_id)
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
            self._at = replace(self._at, stale=attempt.stale)

    async def _planned(self, export_id: str) -> Plan:
        plan: Plan = await workflow.execute_activity(
            "plan_export",
            export_id,
            task_queue=EXPORT_QUEUE,
            result_type=Plan,
            summary="plan",
            **SURVEY,
        )
        return plan

    async def _shards(self, export_id: str) -> None:
        """Every shard that is left, a window of them at once: each lane takes the next one when its
        last one is done, so that history grows by what is done and not by what waits."""
        await asyncio.gather(*(self._lane(export_id) for _ in range(self._at.plan.window)))
        if self._failures:
            raise self._failures[0]
        if self._left() is not None:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(args=[export_id, self._at])

    async def _lane(self, export_id: str) -> None:
        while (taken := self._taken()) is not None:
            number, again = taken
            done: ShardDone | None = None
            try:
                done = await workflow.execute_activity(
                    "export_shard",
                    ShardTask(export_id, number),
                    result_type=ShardDone | None,  # type: ignore[arg-type]
                    task_queue=EXPORT_QUEUE,
                    summary=f"shard {number}",
                    **self._moving,
                )
            except ActivityError as failure:
                self._failures.append(failure)
            self._at = added(self._at, None if again else done)
            self._tell()

    def _left(self) -> int | None:
        """The next shard to begin; None where there is none left."""
        if self._at.stale:
            return self._at.stale[0]
        return self._at.next if self._at.next < self._at.plan.shards else None

    def _taken(self) -> tuple[int, bool] | None:
        """The next shard, which is begun now, and whether it is made again. None where a shard
        failed: what is under way is waited for, and then erased; and None where the next run of the
        workflow goes on."""
        number = self._left()
        if number is None or self._failures or self._lap_is_over():
            return None
        self._begun += 1
        again = bool(self._at.stale)
        if again:
            self._at = replace(self._at, stale=self._at.stale[1:])
        else:
            self._at = replace(self._at, next=number + 1)
        return number, again

    def _lap_is_over(self) -> bool:
        suggested = workflow.info().is_continue_as_new_suggested()
        enough = suggested or self._begun >= self._at.plan.lap
        return enough and workflow.patched(CONTINUES_V1)

    def _tell(self) -> None:
        workflow.set_current_details(in_words(progress_of(self._at, workflow.now())))

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
        return self._at.done

    @workflow.query
    def progress(self) -> RunProgress:
        """How far it has come, with rate and time left."""
        return progress_of(self._at, workflow.now())

    @workflow.signal
    def paused(self, paused: bool) -> None:
        """An engineer paused or resumed it. Whether it really waits is up to the database."""
        self._at = replace(self._at, paused=paused)
        self._tell()
