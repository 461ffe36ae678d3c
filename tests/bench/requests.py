"""Bench `requests`: what the four gates cost beside a bare workflow, and what durability costs."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import pyrage
from sqlmodel import Session, select
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from api.parts import CONTROL
from sharing.errors import Refused
from sharing.orders import Order
from sharing.records.database import Database
from sharing.records.requests import Gate
from sharing.stages import GATES, Stage
from tests.bench import photos, posts
from tests.bench.bare_workflow import QUEUE, BareRequest, Vote
from tests.bench.cast import Acts, Cast, cast
from tests.bench.report import Report
from tests.bench.rounds import in_turns
from tests.bench.running import Running, clearance, process, python
from workflows import client as verbs
from workflows.messages import request_workflow

IN_FLIGHT = 20
PHOTOS = 200  # few: what counting a scope's consent costs is the bench `consent`
LOOK_EVERY_SECONDS = 0.02


async def run(*, quick: bool) -> Report:
    """Requests and votes in turns; then POSTs with and without a database, in turns."""
    count, rounds = (40, 2) if quick else (150, 5)
    age = str(pyrage.x25519.Identity.generate().to_public())
    async with clearance(CONTROL) as running:
        address = running.settings.temporal_address
        log = running.settings.home / "logs" / "bare-worker.log"
        async with process(python("tests.bench.bare_worker", address), None, log):
            people = await cast(running.database, running.settings, photos.folder_of(PHOTOS), age)
            gates = GatesOpen(running, people)
            async with gates:
                last = await gates.cleared("warm")
                await voted(running.plain, "warm")
                rates = await in_turns(
                    {
                        "Clearance, to cleared": lambda n: many(count, gates.cleared, f"{n}"),
                        "bare workflow": lambda n: many(
                            count, lambda name: voted(running.plain, name), f"{n}"
                        ),
                    },
                    rounds,
                )
            events = await history(running.client, last)
    post = await posts.measure(quick=quick)
    return Report(
        "requests",
        {"vs_bare_workflow": rates.ratio("Clearance, to cleared", "bare workflow"), **post.ratios},
        {
            "requests_per_second": round(rates.median("Clearance, to cleared"), 1),
            "bare_per_second": round(rates.median("bare workflow"), 1),
            "events_per_request": len(events),
            "events": dict(Counter(events).most_common()),
            **post.figures,
        },
        (*rates.rows("requests"), *post.rows),
    )


async def many(count: int, one: Callable[[str], Awaitable[object]], name: str) -> float:
    """Does `one` `count` times, IN_FLIGHT at a time; how many a second."""
    places = asyncio.Semaphore(IN_FLIGHT)

    async def placed(number: int) -> None:
        async with places:
            await one(f"{name}-{number}")

    begin = time.perf_counter()
    await asyncio.gather(*(placed(number) for number in range(count)))
    return count / (time.perf_counter() - begin)


async def voted(client: Client, name: str) -> None:
    """One bare workflow from start to end; its first vote starts it, as a submission does ours."""
    start = WithStartWorkflowOperation(
        BareRequest.run,
        name,
        id=f"bare:{name}",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    votes = [Vote(stage, f"person {stage}", "0" * 64, "It is fine.") for stage in GATES]
    await client.execute_update_with_start_workflow(
        BareRequest.decide, votes[0], start_workflow_operation=start
    )
    handle = await start.workflow_handle()
    for vote in votes[1:]:
        await handle.execute_update(BareRequest.decide, vote)
    await handle.result()


class GatesOpen:
    """Sees gates open, by one look at the database for all requests in flight."""

    def __init__(self, running: Running, people: Cast) -> None:
        self._running = running
        self._acts = Acts(people)
        self._partner = people.plain_partner
        self._waiting: dict[tuple[str, Stage], asyncio.Event] = {}
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "GatesOpen":
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *failure: object) -> None:
        assert self._looking is not None
        self._looking.cancel()

    async def cleared(self, name: str) -> Order:
        """One request from submission to cleared; its submission."""
        client, submission = self._running.client, self._acts.submission(self._partner)
        await verbs.submit(client, submission)
        for stage in GATES:
            await self._open(submission.request_id, stage)
            await decided(client, self._acts.decision(submission, stage))
        return submission

    async def _open(self, request_id: str, stage: Stage) -> None:
        event = self._waiting[request_id, stage] = asyncio.Event()
        await event.wait()

    async def _look(self) -> None:
        while True:
            for key in await self._running.database.read(_open_gates):
                if (event := self._waiting.pop(key, None)) is not None:
                    event.set()
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def _open_gates(session: Session) -> list[tuple[str, Stage]]:
    rows = session.exec(select(Gate.request_id, Gate.stage).where(Gate.outcome == None))  # noqa: E711
    return [(request_id, Stage(stage)) for request_id, stage in rows]


async def opened(database: Database, request: Order, stage: Stage) -> None:
    """Waits until this gate of one request is open."""
    while (request.request_id, stage) not in await database.read(_open_gates):
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def decided(client: Client, decision: Order) -> None:
    """Decides. The findings are on record a moment before the workflow has heard of it."""
    while True:
        try:
            return await verbs.decide(client, decision)
        except Refused as refused:
            if refused.code != "wrong_stage":
                raise
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def history(client: Client, submission: Order) -> list[str]:
    """What each event of a request is for, from submission to cleared."""
    handle = client.get_workflow_handle(request_workflow(submission.request_id))
    events = [event async for event in handle.fetch_history_events()]
    activities = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
    }
    return [purpose(event, activities) for event in events]


def purpose(event: HistoryEvent, activities: dict[int, str]) -> str:
    """`activity purpose_findings`, `update`, `workflow task`, `timer`, ..."""
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    if name.startswith("ACTIVITY_TASK"):
        details = event.activity_task_started_event_attributes
        ended = event.activity_task_completed_event_attributes
        scheduled = details.scheduled_event_id or ended.scheduled_event_id or event.event_id
        return f"activity {activities[scheduled]}"
    for kind in ("WORKFLOW_TASK", "WORKFLOW_EXECUTION_UPDATE", "TIMER"):
        if name.startswith(kind):
            return kind.removeprefix("WORKFLOW_EXECUTION_").replace("_", " ").lower()
    return name.replace("_", " ").lower()
