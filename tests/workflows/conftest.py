"""The process on a real server, with the test playing every person."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sharing.records.database import Database
from sharing.settings import Settings
from sharing.stages import GATES, Outcome, Role, Stage
from tests.walk import World, index, populate
from workflows import client as verbs
from workflows import worker
from workflows.codec import converter


def secret() -> str:
    """A new random secret in the form that settings take."""
    return base64.b64encode(uuid4().bytes + uuid4().bytes).decode()


@dataclass(slots=True)
class Office:
    """A running control worker with its world."""

    environment: WorkflowEnvironment
    client: Client
    world: World
    settings: Settings

    async def submitted(self, **changes: object) -> tuple[str, str]:
        """A new request at its first gate: its id and digest."""
        order = self.world.submission(**changes)  # type: ignore[arg-type]
        # Time stands still until the test moves it: otherwise the server skips to the deadline.
        with self.environment.with_time_skipping_disabled():
            await verbs.submit(self.client, order)
        await self.at(order.request_id, Stage.PURPOSE_REVIEW)
        return order.request_id, order.digest

    async def at(self, request: str, state: str) -> None:
        """Waits until the request's row says so."""
        for _ in range(400):
            row = await self.world.request(request)
            if row.state == state and (state not in GATES or row.waiting_stage == state):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{request} is {row.state}, not {state}")

    async def decide(
        self,
        request: str,
        digest: str,
        stage: Stage,
        outcome: Outcome = Outcome.APPROVED,
        actor: str | None = None,
        role: Role | None = None,
    ) -> None:
        """A decision, sent as the API would."""
        order = self.world.decision(request, digest, stage, outcome, actor, role)
        await verbs.decide(self.client, order)

    async def cleared(self) -> tuple[str, str]:
        """A new request that passed all four gates."""
        request, digest = await self.submitted()
        for stage in GATES:
            await self.at(request, stage)
            await self.decide(request, digest, stage)
        await self.at(request, "cleared")
        return request, digest


def settings(home: Path, database_url: str, **changes: object) -> Settings:
    """Settings with keys of their own."""
    return Settings(
        home=home,
        database_url=database_url,
        payload_keys=secret(),
        signing_key=secret(),
        pseudonym_key=secret(),
        **{"pack_processes": 1, **changes},  # type: ignore[arg-type]
    ).resolved()


@asynccontextmanager
async def running(
    environment: WorkflowEnvironment,
    database: Database,
    chosen: Settings,
    monkeypatch: pytest.MonkeyPatch,
    **world: Any,
) -> AsyncIterator[Office]:
    """An office on a control queue of its own, so that tests don't take each other's work."""
    queue = f"control-{uuid4().hex[:8]}"
    for module in (worker, verbs):
        monkeypatch.setattr(module, "CONTROL_QUEUE", queue)
    config = environment.client.config()
    config["data_converter"] = converter(chosen.payload_keys)
    client = Client(**config)
    office = Office(environment, client, await populate(database, **world), chosen)
    async with worker.control_worker(client, database, chosen):
        yield office


@pytest.fixture
async def office(
    temporal: WorkflowEnvironment,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """An office on the wall clock."""
    async with running(temporal, database, settings(tmp_path, database_url), monkeypatch) as here:
        await index(here.world)
        yield here


@pytest.fixture
async def patient_office(
    time_skipping: WorkflowEnvironment,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """An office where waiting takes no time."""
    async with running(
        time_skipping, database, settings(tmp_path, database_url), monkeypatch
    ) as here:
        await index(here.world)
        yield here
