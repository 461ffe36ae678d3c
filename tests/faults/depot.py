"""An office with photographs, whose export worker works only while the test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlmodel import Session, col, select
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from sharing.errors import Refused
from sharing.export.staging import STAGING
from sharing.export.verify import Verification, verify
from sharing.keys import signing_key
from sharing.orders import Order, Verb
from sharing.records import audit, exports, requests
from sharing.records.database import Database
from sharing.records.exports import Export, Release
from sharing.stages import GATES
from tests.photos import fill
from tests.walk import World
from tests.workflows.conftest import Office, running, settings
from workflows import client as verbs
from workflows import worker

T = TypeVar("T")
LOOK_EVERY = 0.05  # seconds
PATIENCE = 90.0  # seconds: other work may share this machine


async def until(
    ask: Callable[[], Awaitable[T | None]],
    what: str,
    *,
    every: float = LOOK_EVERY,
    patience: float = PATIENCE,
) -> T:
    """What `ask` gives once it is not None (nor False), asked again `every` so many seconds; fails
    saying `what` did not come in `patience` seconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while clock() < deadline:
        found = await ask()
        if found:
            return found
        await asyncio.sleep(every)
    raise AssertionError(f"{what} did not come within {patience:g} seconds")


async def outcome(act: Awaitable[object]) -> str:
    """`done`, or the code of the refusal; fails where there is no answer at all."""
    try:
        async with asyncio.timeout(PATIENCE):
            await act
    except Refused as refused:
        return refused.code
    return "done"


@dataclass(slots=True)
class Depot:
    """The control worker runs all the time; the export worker within `working`."""

    office: Office
    photos: Path
    subjects: list[str]

    @property
    def world(self) -> World:
        """Who is there."""
        return self.office.world

    @property
    def control_queue(self) -> str:
        """The queue of this depot's own control worker."""
        return str(vars(verbs)["CONTROL_QUEUE"])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """An export worker for as long as the block lasts."""
        office = self.office
        async with worker.export_worker(office.client, self.world.database, office.settings):
            yield

    async def read(self, query: Callable[[Session], T]) -> T:
        """Asks the database."""
        return await self.world.database.read(query)

    async def tell(self, verb: Verb, request: str, who: str, digest: str = "", **body: Any) -> str:
        """An order of the person or partner `who`, sent as the API would; gives its id."""
        actor = self.world.partner if who == "partner" else self.world.people[who]
        order = self.world.order(verb, request, actor, digest, **body)
        await self.send(order)
        return order.id

    async def send(self, order: Order) -> None:
        """Sends an order as the API would."""
        await getattr(verbs, str(order.verb))(self.office.client, order)

    async def at(self, request: str, state: str) -> None:
        """Waits until the request's row says so, and that people may act on it."""

        async def there() -> bool:
            row = await self.world.request(request)
            return row.state == state and (state not in GATES or row.waiting_stage == state)

        await until(there, f"{state} of {request}")

    async def ended(self, export: str) -> Export:
        """The export once it ended."""

        async def over() -> Export | None:
            row = await self.read(lambda s: exports.get(s, export))
            return row if row.ended_at is not None else None

        return await until(over, f"the end of {export}")

    def verified(self, package: str | Path | None) -> Verification:
        """The package as its recipient checks it."""
        assert package is not None
        key = signing_key(self.office.settings.signing_key, "key").public_key()
        return verify(Path(package), key)

    async def released(self, export: str) -> bool:
        """True once the bytes of an export count as gone."""
        return await self.read(lambda s: exports.released(s, export)) is not None

    async def runs(self, request: str) -> list[Export]:
        """Every export of a request."""
        return await self.read(lambda s: exports.of_request(s, request))

    async def erased(self, export: str) -> None:
        """Waits until nothing of an export is staged any more."""
        place = self.office.settings.home / "delivered" / STAGING / export

        async def gone() -> bool:
            return not place.exists()

        await until(gone, f"the erasing of {export}")

    async def releases(self, request: str) -> list[Release]:
        """Every release of a request: each one means that bytes left."""
        query = select(Release).where(col(Release.request_id) == request)
        return await self.read(lambda s: list(s.exec(query)))

    async def decisions(self, request: str) -> list[dict[str, Any]]:
        """Every decision on a request, column by column."""
        rows = await self.read(lambda s: requests.decisions_of(s, request))
        return [row.model_dump() for row in rows]

    async def log_holds(self) -> int:
        """The number of audit entries, once each one is linked to the one before it."""
        return (await self.read(audit.verify))[0]


@asynccontextmanager
async def depot(
    environment: WorkflowEnvironment,
    database: Database,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    people: int = 8,
    special_category: bool = False,
    **chosen: Any,
) -> AsyncIterator[Depot]:
    """`people` with two photographs each, indexed, who all said yes. `chosen` are settings."""
    photos = home / "store" / "photos"
    subjects = fill(photos, people)
    given = settings(home, database.url, **{"shard_objects": 4, **chosen})
    async with running(
        environment, database, given, monkeypatch, special_category=special_category
    ) as office:
        made = Depot(office, photos, subjects)
        async with made.working():
            wait = timedelta(seconds=PATIENCE)
            assert await verbs.index_dataset(office.client, office.world.dataset, wait)
        for subject in subjects:
            await office.world.say(subject)
        try:
            yield made
        finally:
            await _end_all(office)


async def _end_all(office: Office) -> None:
    """Ends this test's workflows, so that the next test's workers don't get their work."""
    async for found in office.client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):  # it has just ended by itself
            await office.client.get_workflow_handle(found.id).terminate("the test is over")
