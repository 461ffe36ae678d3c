"""What engineers do to an export while it is under way."""

import contextlib

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from sharing.orders import Order
from workflows.agreeing import Agreeing
from workflows.messages import export_workflow
from workflows.timeouts import ANSWER


class Controlling(Agreeing):
    """A request whose export can be paused, resumed and limited. The export worker reads all of
    it from the database: the export's own workflow is only told, so that it can say so."""

    @workflow.update
    async def pause(self, order: Order) -> None:
        """Records that an export pauses: nothing of it is released until it is resumed."""
        async with self._ready(order):
            await workflow.execute_activity("record_pause", order, **ANSWER)
            await self._say(order, paused=True)

    @workflow.update
    async def resume(self, order: Order) -> None:
        """Records that an export goes on."""
        async with self._ready(order):
            await workflow.execute_activity("record_resumption", order, **ANSWER)
            await self._say(order, paused=False)

    @workflow.update
    async def limit(self, order: Order) -> None:
        """Records how many bytes a second an export may move."""
        async with self._ready(order):
            await workflow.execute_activity("record_limit", order, **ANSWER)

    async def _say(self, order: Order, *, paused: bool) -> None:
        if self._exporting and self._is_under_way(order):
            run = workflow.get_external_workflow_handle(export_workflow(order.body["export"]))
            with contextlib.suppress(ApplicationError):  # it has not begun, or has just ended
                await run.signal("paused", paused)
