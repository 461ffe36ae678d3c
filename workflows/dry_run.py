"""A dry run of an export: the export worker knows the destination and its room, so it is asked."""

from temporalio import workflow

from sharing.dry_run import DryRun
from workflows.messages import EXPORT_QUEUE
from workflows.timeouts import ANSWER


@workflow.defn
class DryRunExport:
    """One look at what an export would come to; a second one meanwhile joins the first."""

    @workflow.run
    async def run(self, request_id: str) -> DryRun:
        """Counts, and changes nothing."""
        found: DryRun = await workflow.execute_activity(
            "dry_run_export",
            request_id,
            task_queue=EXPORT_QUEUE,
            result_type=DryRun,
            summary="dry run",
            **ANSWER,
        )
        return found
