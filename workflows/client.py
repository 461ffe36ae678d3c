"""How the API reaches the process: connect, and the verbs."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from sharing.errors import NotFound, Refused
from sharing.orders import Order
from sharing.settings import Settings
from workflows.codec import converter
from workflows.indexing import IndexDataset
from workflows.messages import CONTROL_QUEUE, index_workflow, request_workflow
from workflows.refusals import refusal_in
from workflows.share_request import ShareRequest
from workflows.timeouts import UPDATE_ANSWER

T = TypeVar("T")


class EngineUnreachable(Exception):
    """Temporal, or the worker behind it, gave no answer. What was sent may still be done: sending
    the same again (same Idempotency-Key) is safe."""


async def connect(settings: Settings) -> Client:
    """A client whose payloads are encrypted."""
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            data_converter=converter(settings.payload_keys),
        )
    except RuntimeError as failure:
        raise EngineUnreachable(
            f"Temporal does not answer at {settings.temporal_address}."
        ) from failure


async def submit(client: Client, order: Order) -> None:
    """Starts the request's workflow and records its submission, in one call: what was answered
    was recorded."""
    start = WithStartWorkflowOperation(
        ShareRequest.run,
        order.request_id,
        id=request_workflow(order.request_id),
        task_queue=CONTROL_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        static_summary=f"Request {order.request_id}",
    )
    await _answered(
        client.execute_update_with_start_workflow(
            ShareRequest.submit, order, id=order.id, start_workflow_operation=start
        )
    )


async def amend(client: Client, order: Order) -> None:
    """A new revision."""
    await _update(client, order, "amend")


async def decide(client: Client, order: Order) -> None:
    """A decision at the gate that waits."""
    await _update(client, order, "decide")


async def trigger(client: Client, order: Order) -> None:
    """An engineer starts the export."""
    await _update(client, order, "trigger")


async def confirm(client: Client, order: Order) -> None:
    """A second engineer says yes."""
    await _update(client, order, "confirm")


async def cancel(client: Client, order: Order) -> None:
    """The export stops."""
    await _update(client, order, "cancel")


async def withdraw(client: Client, order: Order) -> None:
    """The partner no longer asks."""
    await _update(client, order, "withdraw")


async def index_dataset(client: Client, dataset_id: str, wait: timedelta) -> bool:
    """Starts a scan, or joins the one under way; True if it ended within `wait`."""
    workflow_id = index_workflow(dataset_id)
    try:
        handle = await client.start_workflow(
            IndexDataset.run, dataset_id, id=workflow_id, task_queue=CONTROL_QUEUE
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle_for(IndexDataset.run, workflow_id)
    except RPCError as failure:
        raise EngineUnreachable(failure.message) from failure
    try:
        await asyncio.wait_for(handle.result(), wait.total_seconds())
    except TimeoutError:
        return False
    except WorkflowFailureError as failure:
        raise refusal_in(failure) or failure from failure
    return True


async def _update(client: Client, order: Order, verb: str) -> None:
    handle = client.get_workflow_handle(request_workflow(order.request_id))
    await _answered(handle.execute_update(verb, order, id=order.id))


async def _answered(call: Awaitable[T]) -> T:
    """Waits for an answer, but not for ever; failures become ours."""
    try:
        return await asyncio.wait_for(call, UPDATE_ANSWER.total_seconds())
    except WorkflowUpdateFailedError as failure:
        refused = refusal_in(failure.cause)
        if refused is not None:
            raise refused from None
        raise EngineUnreachable("It could not be recorded; nothing was changed.") from failure
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            raise Refused("wrong_state", "The request has come to its end.") from failure
        if failure.status is RPCStatusCode.ALREADY_EXISTS:
            raise Refused("exists", "This request was submitted before.") from failure
        raise EngineUnreachable(failure.message) from failure
    except TimeoutError as failure:
        raise EngineUnreachable("No worker answered in time.") from failure


__all__ = ["EngineUnreachable", "NotFound", "amend", "cancel", "confirm", "connect", "decide",
           "index_dataset", "submit", "trigger", "withdraw"]
