"""The scan of a dataset: it needs the storage settings, so the export worker does it."""

from temporalio import workflow

from workflows.messages import EXPORT_QUEUE
from workflows.timeouts import SURVEY


@workflow.defn
class IndexDataset:
    """One scan of one dataset; a second one meanwhile joins the first."""

    @workflow.run
    async def run(self, dataset_id: str) -> None:
        """Scans and publishes a new version of the index."""
        await workflow.execute_activity(
            "index_dataset", dataset_id, task_queue=EXPORT_QUEUE, summary="scan", **SURVEY
        )
