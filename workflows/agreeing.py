"""What people do about the agreement while a request waits at the legal gate."""

from datetime import timedelta

from temporalio import workflow

from sharing.orders import Order
from workflows.case import Case
from workflows.messages import Accepted
from workflows.timeouts import ANSWER


class Agreeing(Case):
    """A request whose partner may still have to accept the agreement after counsel approved it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self._accepted = True  # False from an approval until the yes that it waits for

    @workflow.update
    async def add_terms(self, order: Order) -> None:
        """Records one more term of the agreement, by counsel."""
        async with self._ready(order):
            self._open_room(order)
            await workflow.execute_activity("record_terms", order, **ANSWER)

    @workflow.update
    async def accept(self, order: Order) -> None:
        """Records the partner's yes; where only that was missing, the request is cleared."""
        async with self._ready(order):
            accepted = await workflow.execute_activity(
                "record_acceptance", order, result_type=Accepted, **ANSWER
            )
            if accepted.cleared:
                self._wait = timedelta(seconds=accepted.wait_seconds)
                self._accepted = True
