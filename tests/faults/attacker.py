"""Somebody with Temporal's port. `plain` has no key of ours; `insider` even has the payload key.

Neither has the API's decision key, nor the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import workflow
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    RPCError,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue, RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import DataConverter, WorkflowSerializationContext
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import Worker

from sharing.orders import Order, Verb, signed
from sharing.records.tables import new_id, now
from sharing.stages import GATES
from tests.faults.cases import Case
from tests.faults.depot import Depot
from tests.signing import TERM
from workflows.codec import ENCODING
from workflows.messages import request_workflow

HEARD = 15.0  # seconds within which a worker answers whatever it is going to answer


def plain(depot: Depot) -> Client:
    """A client that encrypts nothing."""
    config = {**depot.office.client.config(), "data_converter": DataConverter.default}
    return Client(**config)  # type: ignore[arg-type]


def insider(depot: Depot) -> Client:
    """A client that encrypts as our own processes do."""
    return depot.office.client


def forged(depot: Depot, case: Case) -> Iterator[Order]:
    """Every verb, by just the person who could do it, on just the right digest: unsigned or
    signed with a key of the attacker's own."""
    world, people = depot.world, depot.world.people
    submission = world.submission(case.request)
    revision = world.submission(case.request, number=2, retention_days=1)
    export = {"export": case.export or new_id("exp")}
    legal = {"stage": "legal_approval", "agreement": "0" * 64, "signature": ""}
    gate = case.state if case.state in GATES else GATES[-1]
    acts: list[tuple[Verb, str, str, dict[str, Any]]] = [
        (Verb.SUBMIT, world.partner, submission.digest, dict(submission.body)),
        (Verb.AMEND, world.partner, revision.digest, dict(revision.body)),
        *(
            (Verb.DECIDE, order.actor, order.digest, dict(order.body))
            for outcome in ("approved", "refused", "returned")
            for order in [world.decision(case.request, case.digest, gate, outcome)]  # type: ignore[arg-type]
        ),
        (Verb.TRIGGER, people["engineer"], case.digest, {}),
        (Verb.CONFIRM, people["second_engineer"], "", export),
        (Verb.CANCEL, people["legal_counsel"], "", export),
        (Verb.PAUSE, people["engineer"], "", export),
        (Verb.RESUME, people["engineer"], "", export),
        (Verb.LIMIT, people["engineer"], "", {**export, "limit_bytes_per_second": 1024}),
        (Verb.WITHDRAW, world.partner, "", {}),
        (Verb.ADD_TERMS, people["legal_counsel"], case.digest, {**legal, "term": TERM}),
        (Verb.ACCEPT, world.partner, case.digest, {**legal, "method": "signature"}),
        (Verb.ACCEPT, world.partner, case.digest, {**legal, "method": "submission"}),
    ]
    own = Ed25519PrivateKey.generate()
    for number, (verb, actor, digest, body) in enumerate(acts):
        order = Order(new_id("ord"), verb, case.request, actor, now().isoformat(), digest, body)
        yield signed(order, own) if number % 2 else order


async def told(depot: Depot, client: Client, request: str, order: object, verb: str) -> str:
    """Sends an update to a request's workflow, and starts one where none runs. What came of it:
    the code of a refusal, `unheard`, or `accepted`."""
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        "ShareRequest",
        request,
        id=request_workflow(request),
        task_queue=depot.control_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    sending = client.execute_update_with_start_workflow(
        verb, order, id=new_id("upd"), start_workflow_operation=start
    )
    try:
        await asyncio.wait_for(sending, HEARD)
    except WorkflowUpdateFailedError as failure:
        return str(getattr(failure.cause, "type", failure.cause))
    except RPCError as failure:
        return str(failure.status)
    except (TimeoutError, RPCTimeoutOrCancelledError):
        return "unheard"
    return "accepted"


def garbage() -> Iterator[object]:
    """What is no order of ours at all: as JSON, and as bytes that pretend to be encrypted."""
    yield {"id": "x", "verb": "decide"}
    yield None
    for key in (b"", b"\xff\xfe"):
        yield RawValue(Payload(metadata={"encoding": ENCODING, "key": key}, data=b"x"))


async def recorded(depot: Depot, request: str) -> list[Order]:
    """The genuine orders in a request's history, as whoever has the payload key can read them."""
    client, name = insider(depot), request_workflow(request)
    bound = client.data_converter.with_context(
        WorkflowSerializationContext(namespace=client.namespace, workflow_id=name)
    )
    found = []
    async for event in client.get_workflow_handle(name).fetch_history_events():
        accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
        if accepted.input.args.payloads:
            found += await bound.decode(accepted.input.args.payloads, [Order])
    return found


async def reset(depot: Depot, request: str, number: int) -> bool:
    """Resets a request's workflow to its workflow task of that number (-1: the last one); False
    where Temporal will not."""
    client, name = insider(depot), request_workflow(request)
    history = await client.get_workflow_handle(name).fetch_history()
    tasks = [e for e in history.events if e.HasField("workflow_task_completed_event_attributes")]
    ask = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=name, run_id=history.run_id),
        reason="an attack",
        workflow_task_finish_event_id=tasks[number].event_id,
        request_id=new_id("rst"),
    )
    try:
        await client.workflow_service.reset_workflow_execution(ask)
    except RPCError:
        return False
    return True


async def started(depot: Depot, name: str, argument: str, workflow_id: str) -> bool:
    """Starts one of our workflows by hand under any id; False where Temporal will not."""
    try:
        await insider(depot).start_workflow(
            name,
            args=[argument],
            id=workflow_id,
            task_queue=depot.control_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


@workflow.defn(name="Anything", sandboxed=False)
class Anything:
    """The attacker's own workflow, on a worker of his own: it orders an activity of ours."""

    @workflow.run
    async def run(self, activity: str, queue: str, argument: Any) -> None:
        """One try, and an answer within a few seconds."""
        await workflow.execute_activity(
            activity,
            argument,
            task_queue=queue,
            schedule_to_close_timeout=timedelta(seconds=HEARD),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@asynccontextmanager
async def own_worker(depot: Depot) -> AsyncIterator[Callable[[str, str, object], Awaitable[bool]]]:
    """A worker of the attacker's own. What it gives has one of our workers do an activity:
    (activity, our queue, argument); True if that was done."""
    client, queue = insider(depot), new_id("queue")

    async def does(activity: str, ours: str, argument: object) -> bool:
        try:
            await client.execute_workflow(
                "Anything", args=[activity, ours, argument], id=new_id("evil"), task_queue=queue
            )
        except WorkflowFailureError:
            return False
        return True

    async with Worker(client, task_queue=queue, workflows=[Anything]):
        yield does
