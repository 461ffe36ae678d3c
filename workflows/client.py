"""How the API reaches the process: connect, and the verbs."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from sharing.dry_run import DryRun
from sharing.errors import Refused
from sharing.orders import Order
from sharing.settings import Settings
from workflows.codec import converter
from workflows.dry_run import DryRunExport
from workflows.indexing import IndexDataset
from workflows.messages import (
    CONTROL_QUEUE,
    COUNTS,
    Progress,
    dry_run_workflow,
    index_workflow,
    preview_workflow,
    request_workflow,
)
from workflows.preview import PreviewScope
from workflows.refusals import refusal_in
from workflows.share_request import ShareRequest
from workflows.timeouts import GLANCE, UPDATE_ANSWER

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
    # A closed run of the same request means that it was submitted, unless that run was refused.
    await _tell(client, order, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)


async def amend(client: Client, order: Order) -> None:
    """A new revision."""
    await _tell(client, order)


async def decide(client: Client, order: Order) -> None:
    """A decision at the gate that waits."""
    await _tell(client, order)


async def take_back(client: Client, order: Order) -> None:
    """An approval no longer counts, because its decider says so."""
    await _tell(client, order)


async def trigger(client: Client, order: Order) -> None:
    """An engineer starts the export."""
    await _tell(client, order)


async def confirm(client: Client, order: Order) -> None:
    """A second engineer says yes."""
    await _tell(client, order)


async def cancel(client: Client, order: Order) -> None:
    """The export stops."""
    await _tell(client, order)


async def pause(client: Client, order: Order) -> None:
    """The export waits."""
    await _tell(client, order)


async def resume(client: Client, order: Order) -> None:
    """It goes on."""
    await _tell(client, order)


async def limit(client: Client, order: Order) -> None:
    """It moves at most so many bytes a second."""
    await _tell(client, order)


async def withdraw(client: Client, order: Order) -> None:
    """The partner no longer asks."""
    await _tell(client, order)


async def add_terms(client: Client, order: Order) -> None:
    """Counsel adds a term to the agreement."""
    await _tell(client, order)


async def accept(client: Client, order: Order) -> None:
    """The partner accepts the agreement."""
    await _tell(client, order)


async def counting(client: Client, request_id: str) -> Progress | None:
    """How far the count of a request's scope has come, by its last heartbeat; None where none is
    under way, none was heard yet, or the server does not answer: nobody waits for this."""
    workflow_id = request_workflow(request_id)
    try:
        found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=GLANCE)
    except (RPCError, RPCTimeoutOrCancelledError):
        return None
    context = WorkflowSerializationContext(client.namespace, workflow_id)
    reader = client.data_converter.with_context(context)
    for pending in found.raw_description.pending_activities:
        if pending.activity_type.name in COUNTS and pending.heartbeat_details.payloads:
            with suppress(RuntimeError, TypeError):  # not written by a worker of ours
                return Progress(*await reader.decode(pending.heartbeat_details.payloads))
    return None


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


async def dry_run(client: Client, request_id: str) -> DryRun:
    """What an export of a request would come to now; joins a dry run under way."""
    return await _answered(_dry_run(client, request_id))


async def _dry_run(client: Client, request_id: str) -> DryRun:
    handle = await client.start_workflow(
        DryRunExport.run,
        request_id,
        id=dry_run_workflow(request_id),
        task_queue=CONTROL_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=UPDATE_ANSWER,
    )
    return await _done(handle)


async def _done(handle: WorkflowHandle[Any, T]) -> T:
    """What a short look of the export worker's came to."""
    try:
        return await handle.result()
    except WorkflowFailureError as failure:
        refused = refusal_in(failure)
        if refused is not None:
            raise refused from None
        raise EngineUnreachable("No export worker answered in time.") from failure


async def preview(client: Client, order: Order) -> None:
    """Has small pictures of a few photos in scope made; joins a look under way."""
    await _answered(_preview(client, order))


async def _preview(client: Client, order: Order) -> None:
    handle = await client.start_workflow(
        PreviewScope.run,
        order,
        id=preview_workflow(order.request_id),
        task_queue=CONTROL_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=UPDATE_ANSWER,
    )
    await _done(handle)


async def _tell(
    client: Client,
    order: Order,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
) -> None:
    """Sends an order to the request's workflow. Where that is not running, because somebody ended
    it behind our back, it is started again and takes the request up from the database."""
    start = WithStartWorkflowOperation(
        ShareRequest.run,
        order.request_id,
        id=request_workflow(order.request_id),
        task_queue=CONTROL_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=reuse,
        static_summary=f"Request {order.request_id}",
    )
    await _answered(
        client.execute_update_with_start_workflow(
            str(order.verb), order, id=order.id, start_workflow_operation=start
        )
    )


async def take_up(client: Client, request_id: str) -> None:
    """Makes sure that an open request has a running workflow; does nothing where it has."""
    await client.start_workflow(
        ShareRequest.run,
        request_id,
        id=request_workflow(request_id),
        task_queue=CONTROL_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"Request {request_id}",
    )


async def look_again(client: Client, request_id: str) -> None:
    """Tells a request's workflow that the database knows more than it does; starts it where it is
    not running. Raises EngineUnreachable: the control worker then finds out by itself."""
    try:
        await client.start_workflow(
            ShareRequest.run,
            request_id,
            id=request_workflow(request_id),
            task_queue=CONTROL_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="look_again",
            static_summary=f"Request {request_id}",
        )
    except RPCError as failure:
        raise EngineUnreachable(failure.message) from failure


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
        if failure.status is RPCStatusCode.ALREADY_EXISTS:
            raise Refused("exists", "This request was submitted before.") from failure
        raise EngineUnreachable(failure.message) from failure
    except (TimeoutError, RPCTimeoutOrCancelledError) as failure:
        raise EngineUnreachable("No worker answered in time.") from failure
