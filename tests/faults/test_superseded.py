"""An export worker that was taken for dead, and was not: what it does then counts for nothing."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlmodel import Session

from api import parts
from api.child import Child
from sharing.export.staging import STAGING
from sharing.records import exports
from sharing.records.exports import Export, ExportShard
from tests.faults.machine import Machine, Moment, demand_same, in_the_middle

pytestmark = pytest.mark.slow
TRIES = 5
SECOND = "second export worker"
AFTERWARDS = 3.0  # seconds in which a worker that wakes up does whatever it was about to do


def sealing(export: Export, shards: list[ExportShard], released: bool) -> bool:
    """An attempt at the release has begun, and has not committed."""
    return export.fence > 0 and not released


async def stop(machine: Machine, child: Child) -> None:
    """SIGSTOP, but not while the process holds SQLite's one write lock: nobody on this machine
    could write anything then, and nobody would take anything over."""
    file = make_url(machine.system.settings.database_url).database
    assert file is not None
    while True:
        child.kill(signal.SIGSTOP)
        with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                child.kill(signal.SIGCONT)
                await asyncio.sleep(0.001)
            else:
                other.execute("ROLLBACK")
                return


@asynccontextmanager
async def stopped(machine: Machine) -> AsyncIterator[None]:
    """The export worker is stopped with SIGSTOP, a second one takes over, and the first one goes
    on (SIGCONT) when the block is left."""
    first = machine.system.children[parts.EXPORT]
    await stop(machine, first)
    try:
        part = parts.part(parts.EXPORT, machine.system.settings)
        log = part.log.with_name("second-export-worker.log")
        await machine.system.start(replace(part, name=SECOND, log=log))
        yield
    finally:
        first.kill(signal.SIGCONT)
        await asyncio.sleep(AFTERWARDS)
        await machine.system.stop(SECOND)
        del machine.system.children[SECOND]


def fences(session: Session, export: str) -> list[int]:
    """How often each shard was taken, then how often a release was begun."""
    shards = exports.shards_of(session, export)
    return [*(shard.fence for shard in shards), exports.get(session, export).fence]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


async def superseded(machine: Machine, undisturbed: Path, moment: Moment) -> int:
    """One run in which the export worker is stopped past its heartbeat at a moment, another one
    takes over, and the first one goes on: how much was taken from its hands. Fails where it changes
    anything then."""
    await machine.cleared()
    export = await machine.exporting()
    if not await machine.sees(export, moment):
        await machine.delivered(export)
        return 0
    async with stopped(machine):
        held = await machine.database.read(lambda s: fences(s, export))
        package = await machine.delivered(export)
        taken = await machine.database.read(lambda s: fences(s, export))
        before = contents(package)
    demand_same(undisturbed, package)
    assert contents(package) == before
    assert await machine.database.read(lambda s: fences(s, export)) == taken
    row = await machine.database.read(lambda s: exports.get(s, export))
    assert await machine.releases(row.request_id) == 1
    staging = machine.system.settings.home / "delivered" / STAGING
    assert not contents(staging), "what nobody will ever deliver is left in staging"
    return sum(now > then for now, then in zip(taken, held, strict=True) if then)


@pytest.mark.parametrize("moment", [in_the_middle, sealing])
async def test_superseded_worker_publishes_nothing(
    machine: Machine, undisturbed: Path, moment: Moment
) -> None:
    """A worker that is stopped past its heartbeat, while another one does its work, changes
    nothing when it goes on: one release, the package as it was, nothing left in staging (I19)."""
    for _ in range(TRIES):
        if await superseded(machine, undisturbed, moment):
            return  # something that the first one had in hand was taken from it
    raise AssertionError(f"nothing was in the first one's hands in {TRIES} runs")
