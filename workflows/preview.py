"""Small pictures of a few photos in scope: only the export worker can read where they lie."""

from temporalio import workflow

from sharing.orders import Order
from workflows.messages import EXPORT_QUEUE
from workflows.timeouts import ANSWER


@workflow.defn
class PreviewScope:
    """One look at a scope; a second one meanwhile joins the first. No picture passes through here:
    the worker puts them, sealed, where the API finds them."""

    @workflow.run
    async def run(self, order: Order) -> None:
        """Has the pictures made, where there are none yet."""
        await workflow.execute_activity(
            "make_previews", order, task_queue=EXPORT_QUEUE, summary="previews", **ANSWER
        )
