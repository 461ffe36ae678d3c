"""Exports that are paused at each moment of their way, by both workers on a real server."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.errors import Refused
from sharing.export.destination import DestinationFailed
from sharing.export.seal import Sealed, seal
from sharing.export.staging import STAGING
from sharing.orders import Verb
from sharing.records import audit, exports
from sharing.records.database import Database
from sharing.records.export_views import export_view
from sharing.records.exports import Export
from sharing.stages import GATES
from tests.databases import SQLiteTemplate
from tests.faults.cases import triggered as trigger
from tests.faults.depot import Depot, until
from tests.faults.depot import depot as made
from workflows import client as verbs
from workflows.export import ExportRun
from workflows.messages import export_workflow
from workflows.progress import RunProgress

SLOW = 20_000  # bytes a second: so that a shard of four photographs takes a while
A_WHILE = 2.5  # seconds in which a paused export might do something it must not


@pytest.fixture
async def slow(
    temporal: WorkflowEnvironment,
    sqlite_template: SQLiteTemplate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """A depot of its own for each test, on SQLite."""
    async with (
        Database(sqlite_template.fresh()) as database,
        made(temporal, database, tmp_path, monkeypatch, people=12) as here,
    ):
        yield here


async def cleared(depot: Depot) -> tuple[str, str]:
    """A request that passed all four gates."""
    order = depot.world.submission()
    await depot.send(order)
    for stage in GATES:
        await depot.at(order.request_id, stage)
        await depot.send(depot.world.decision(order.request_id, order.digest, stage))
    await depot.at(order.request_id, "cleared")
    return order.request_id, order.digest


async def triggered(depot: Depot, **body: Any) -> tuple[str, str]:
    """A request and its export."""
    request, digest = await cleared(depot)
    return request, await depot.tell(Verb.TRIGGER, request, "engineer", digest, **body)


async def steer(depot: Depot, verb: Verb, request: str, export: str, **body: Any) -> None:
    """An engineer's order about an export."""
    await depot.tell(verb, request, "second_engineer", export=export, **body)


async def shown(depot: Depot, export: str) -> dict[str, Any]:
    """The export as people inside see it."""
    return await depot.read(lambda s: export_view(s, exports.get(s, export), inside=True))


async def asked(depot: Depot, export: str) -> RunProgress:
    """What the export's workflow says."""
    handle = depot.office.client.get_workflow_handle_for(ExportRun.run, export_workflow(export))
    return await handle.query(ExportRun.progress)


async def done(depot: Depot, export: str) -> int:
    """How many shards are committed."""
    rows = await depot.read(lambda s: exports.shards_of(s, export))
    return sum(row.result is not None for row in rows)


async def stands_still(depot: Depot, export: str) -> None:
    """Nothing of a paused export is taken, committed or released for a while."""

    def state(session: Any) -> object:
        row: Export = exports.get(session, export)
        out = exports.released(session, export) is not None
        return (
            row.fence,
            [(s.fence, s.committed_at) for s in exports.shards_of(session, export)],
            out,
        )

    await asyncio.sleep(3.0)  # what was under way stops within a second or so
    before = await depot.read(state)
    await asyncio.sleep(A_WHILE)
    assert await depot.read(state) == before


async def test_paused_before_its_plan(slow: Depot) -> None:
    """Paused while no export worker is there: when one comes it plans nothing until it is
    resumed, by another worker still."""
    request, export = await triggered(slow)
    await steer(slow, Verb.PAUSE, request, export)
    async with slow.working():
        await stands_still(slow, export)
        assert (await slow.read(lambda s: exports.get(s, export))).shards is None
    await steer(slow, Verb.RESUME, request, export)
    async with slow.working():
        row = await slow.ended(export)
    assert row.state == "delivered"
    assert slow.verified(row.location).objects == 24


async def test_paused_in_the_middle(slow: Depot) -> None:
    """Paused between shards, those under way stop within moments and none is begun; it survives
    the worker, is told as paused everywhere, and goes on where it was without its limit."""
    request, export = await triggered(slow, limit_bytes_per_second=SLOW)
    async with slow.working():

        async def some() -> bool:
            return await done(slow, export) > 0

        await until(some, "a first shard")
        await steer(slow, Verb.PAUSE, request, export)
        await stands_still(slow, export)
        made_by_then = await done(slow, export)
        assert 0 < made_by_then < 6
        said = await asked(slow, export)
        assert (said.paused, said.shards, said.total) == (True, 6, 24)
        view = await shown(slow, export)
        assert view["paused_by"] == slow.world.people["second_engineer"]
        assert view["progress"]["shards"] == {"done": made_by_then, "total": 6}
    async with slow.working():
        await stands_still(slow, export)
        await steer(slow, Verb.LIMIT, request, export, limit_bytes_per_second=None)
        await steer(slow, Verb.RESUME, request, export)
        row = await slow.ended(export)
    assert (row.state, row.paused_seconds > 0) == ("delivered", True)
    assert slow.verified(row.location).objects == 24
    assert (await asked(slow, export)).paused is False


async def test_paused_while_it_is_sealed(slow: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused when all is packed and the package is being sealed: it is not released, and once it
    is resumed a new attempt releases it."""
    sealing, go_on = threading.Event(), threading.Event()

    def held(*given: Any) -> Sealed:
        sealing.set()
        assert go_on.wait(60)
        return seal(*given)

    monkeypatch.setattr("sharing.export.depot.seal", held)
    request, export = await triggered(slow)
    async with slow.working():
        assert await asyncio.to_thread(sealing.wait, 60)
        await steer(slow, Verb.PAUSE, request, export)
        go_on.set()
        await stands_still(slow, export)
        assert not await slow.released(export)
        await steer(slow, Verb.RESUME, request, export)
        row = await slow.ended(export)
    assert row.state == "delivered"
    assert slow.verified(row.location).objects == 24


async def test_too_late_to_pause(slow: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between release and delivery a pause is refused: the bytes count as gone."""

    def full(*_: object) -> None:
        raise DestinationFailed("destination_full", "There is no room left.")

    request, export = await triggered(slow)
    async with slow.working():
        with monkeypatch.context() as patched:
            patched.setattr("sharing.export.depot.deliver", full)
            await until(lambda: slow.released(export), "the release")
            with pytest.raises(Refused) as refused:
                await steer(slow, Verb.PAUSE, request, export)
        row = await slow.ended(export)
    assert (refused.value.code, row.state) == ("wrong_state", "delivered")


async def test_cancelled_while_paused(slow: Depot) -> None:
    """A paused export that is cancelled ends at once, what was staged is erased, and the log says
    how much that was."""
    request, export = await triggered(slow, limit_bytes_per_second=SLOW)
    async with slow.working():

        async def some() -> bool:
            return await done(slow, export) > 0

        await until(some, "a first shard")
        await steer(slow, Verb.PAUSE, request, export)
        await slow.tell(Verb.CANCEL, request, "engineer", export=export)

        async def erased() -> bool:
            return (await shown(slow, export))["erased"] is not None

        await until(erased, "the erasing")
    gone = (await shown(slow, export))["erased"]
    assert gone["files"] > 0
    assert gone["bytes"] > 0
    assert not (slow.office.settings.home / "delivered" / STAGING / export).exists()
    log = await slow.read(lambda s: audit.page(s, 0, 1000, request))
    proof = next(entry.detail for entry in log if entry.action == "export.erased")
    assert proof == {"export": export, "files": gone["files"], "bytes": gone["bytes"],
                     "found_afterwards": 0}  # fmt: skip


async def test_cancelled_while_it_is_slow(slow: Depot) -> None:
    """An export under a limit at which a shard takes minutes ends within seconds of its
    cancellation."""
    request, export = await triggered(slow, limit_bytes_per_second=1024)
    async with slow.working():

        async def under_way() -> bool:
            return bool((await shown(slow, export))["progress"]["under_way"]["shards"])

        await until(under_way, "a shard under way")
        await slow.tell(Verb.CANCEL, request, "engineer", export=export)
        await slow.erased(export)
    assert (await slow.read(lambda s: exports.get(s, export))).state == "cancelled"


async def test_a_worker_keeps_to_its_own_limit(
    temporal: WorkflowEnvironment,
    sqlite_template: SQLiteTemplate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker with CLEARANCE_EXPORT_BYTES_PER_SECOND packs no faster, however many shards it has
    in hand, and says that it is held up by a limit."""
    most = 4000
    async with (
        Database(sqlite_template.fresh()) as database,
        made(
            temporal, database, tmp_path, monkeypatch, people=12, export_bytes_per_second=most
        ) as here,
    ):
        _, export = await triggered(here)
        async with here.working():

            async def limited() -> bool:
                return bool((await shown(here, export))["progress"]["limited"])

            await until(limited, "a word of the limit")
            row = await here.ended(export)
        made_of = await here.read(lambda s: exports.shards_of(s, export))
        assert row.planned_at is not None
        last = max(s.committed_at for s in made_of if s.committed_at is not None)
        rate = sum(s.bytes for s in made_of) / (last - row.planned_at).total_seconds()
        assert rate <= 1.1 * most


async def test_no_room_ends_it_before_anything_is_written(
    slow: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for it an export fails before a byte is written, with numbers and cure; with
    room it can be triggered again."""
    request, digest = await cleared(slow)
    async with slow.working():
        with monkeypatch.context() as patched:
            patched.setattr("sharing.export.room.free", lambda _: 1000)
            export = await slow.tell(Verb.TRIGGER, request, "engineer", digest)
            row = await slow.ended(export)
        assert (row.state, row.code) == ("failed", "destination_full")
        assert "1,000 are free" in (row.detail or "")
        assert not (slow.office.settings.home / "delivered" / STAGING / export).exists()
        await slow.at(request, "cleared")
        again = await trigger(slow, request, digest)
        assert (await slow.ended(again)).state == "delivered"


async def test_a_dry_run_writes_nothing(slow: Depot) -> None:
    """A dry run by a real export worker counts, and leaves staging and delivery as they were."""
    request, _ = await cleared(slow)
    root = slow.office.settings.home / "delivered"
    before = sorted(root.rglob("*")) if root.exists() else []
    async with slow.working():
        found = await verbs.dry_run(slow.office.client, request)
    assert (found.objects, found.covered_objects, found.shards) == (24, 24, 6)
    assert (found.obstacle, found.enough_room) == (None, True)
    assert (sorted(root.rglob("*")) if root.exists() else []) == before
    assert not await slow.runs(request)
