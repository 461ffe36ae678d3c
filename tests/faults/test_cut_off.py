"""The network between an export worker's host and the engine's is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from api.parts import EXPORT, part
from sharing.export.staging import STAGING
from sharing.records import exports
from sharing.records.database import Database
from tests.faults.cases import cleared, triggered
from tests.faults.cut_off import Host, host
from tests.faults.depot import PATIENCE, Depot, until
from tests.faults.depot import depot as made

pytestmark = pytest.mark.slow
AFTERWARDS = 3.0  # seconds in which the worker does whatever it was about to do


@pytest.fixture
async def place(
    temporal: WorkflowEnvironment,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Depot, Host]]:
    """A depot of many shards, and a host that reaches its engine over a cable."""
    address = temporal.client.service_client.config.target_host
    async with (
        host(address) as elsewhere,
        Database(sqlite_url) as database,
        made(
            temporal, database, tmp_path, monkeypatch,
            people=200, shard_objects=2, takeover_seconds=2.0, pack_processes=2,
        ) as depot,
    ):  # fmt: skip
        yield depot, elsewhere


async def committed(depot: Depot, export: str) -> int:
    """How many shards are committed."""
    shards = await depot.read(lambda s: exports.shards_of(s, export))
    return sum(shard.result is not None for shard in shards)


async def test_worker_that_is_cut_off_from_the_engine(place: tuple[Depot, Host]) -> None:
    """A worker on another host loses the engine in the middle of an export, and goes on writing to
    the database and the disk, which it still reaches: another worker takes over, one package is
    delivered, complete and right, and the first one changes nothing when the network is back."""
    depot, elsewhere = place
    there = replace(depot.office.settings, temporal_address=f"{elsewhere.here}:{elsewhere.port}")
    first = part(EXPORT, there)
    first.log.parent.mkdir(parents=True, exist_ok=True)
    with first.log.open("wb") as log:
        worker = await asyncio.create_subprocess_exec(
            *elsewhere.inside(first.command),
            env=first.environ,
            stdout=log,
            stderr=log,
        )
    try:
        request, digest = await cleared(depot)
        export = await triggered(depot, request, digest)

        async def begun() -> bool:
            return await committed(depot, export) > 5

        await until(begun, "a few shards")
        elsewhere.cut()
        assert await committed(depot, export) < 200, "it was too late to cut anything"
        async with depot.working():
            row = await depot.ended(export)
            elsewhere.join()
            await asyncio.sleep(AFTERWARDS)
    finally:
        worker.terminate()
        with suppress(TimeoutError):  # still cut off, it would not end when it is asked to
            await asyncio.wait_for(worker.wait(), PATIENCE)
        with suppress(ProcessLookupError):
            worker.kill()
    assert (row.state, row.detail) == ("delivered", None)
    assert depot.verified(row.location).objects == 400
    assert len(await depot.releases(request)) == 1
    assert not (depot.office.settings.home / "delivered" / STAGING / export).exists()
