"""Exports whose consents are kept by another process: what it says counts, up to the moment of
release, and while it does not answer nothing is judged and nothing leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from temporalio.testing import WorkflowEnvironment

from sharing.orders import Verb
from sharing.records import consent_sources, exports, requests
from sharing.records.consent_sources import SourceState
from sharing.records.database import Database
from sharing.records.unit import Unit
from sharing.records.viewer import Viewer
from sharing.records.waiting import waiting_for
from sharing.stages import GATES, Stage
from tests.faults.cases import approved, cancelled, cleared, triggered
from tests.faults.depot import Depot, until
from tests.faults.depot import depot as made
from tests.faults.interposed import before
from tests.records.source import Elsewhere, elsewhere
from workflows import worker
from workflows.messages import request_workflow

PEOPLE = 4


@dataclass(slots=True)
class Branch:
    """A depot whose consents are kept elsewhere."""

    depot: Depot
    source: Elsewhere

    async def forget(self) -> None:
        """The last complete answer was too long ago: the next who needs one has to ask."""

        def age(unit: Unit) -> None:
            for row in unit.session.exec(select(SourceState)):
                row.pulled_at = None

        await self.depot.world.database.write(age)

    async def waits(self, request: str) -> dict[str, Any]:
        """What is shown of the request, once it waits for the source."""

        def shown(session: Session) -> dict[str, Any] | None:
            row = requests.get(session, request)
            case, runs = requests.case(session, row), exports.of_request(session, request)
            found = waiting_for(Viewer(session, inside=True), row, case, runs)
            return found if found and found.get("code") == consent_sources.STALE else None

        return await until(lambda: self.depot.read(shown), f"the wait of {request}")

    async def at_consent(self) -> tuple[str, str]:
        """A new request whose next gate is consent verification."""
        order = self.depot.world.submission()
        await self.depot.send(order)
        await self.depot.at(order.request_id, GATES[0])
        return order.request_id, order.digest

    async def delivered(self, export: str) -> dict[str, int]:
        """What was left out of an export, by reason, once a whole package of it is delivered."""
        row = await self.depot.ended(export)
        assert (row.state, row.detail) == ("delivered", None)
        found = self.depot.verified(row.location)
        assert found.objects == 2 * PEOPLE - sum(row.excluded.values())
        return dict(row.excluded)


@pytest.fixture
async def branch(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Branch]:
    """Everybody said yes here; what was said since is told by the source alone."""
    async with (
        elsewhere() as source,
        made(
            temporal, database, tmp_path, monkeypatch, people=PEOPLE, shard_objects=2,
            **source.settings,
        ) as depot,
    ):  # fmt: skip
        yield Branch(depot, source)


async def test_what_the_source_says_is_what_counts(branch: Branch) -> None:
    """A no, and a yes after a no, that only the source knows decide who is in the package."""
    first, second, *_ = branch.depot.subjects
    await branch.depot.world.say(first, "withdrawn")
    await branch.source.say(first, "given")
    await branch.source.say(second, "withdrawn")
    request, digest = await cleared(branch.depot)
    export = await triggered(branch.depot, request, digest)
    async with branch.depot.working():
        assert await branch.delivered(export) == {"withdrawn": 2}


async def test_a_withdrawal_while_the_package_is_sealed_is_seen(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrives at the source when everything is packed, and in the feed only: the subject is not
    in the package, and of the other shards none is made again."""
    leaver, loop = branch.depot.subjects[1], asyncio.get_running_loop()
    sealings = list[int]()

    async def leave() -> None:
        await branch.source.say(leaver, "withdrawn")
        await branch.forget()

    def sealing() -> None:
        if not sealings:
            asyncio.run_coroutine_threadsafe(leave(), loop).result(60)
        sealings.append(1)

    before("seal", monkeypatch, sealing)
    request, digest = await cleared(branch.depot)
    export = await triggered(branch.depot, request, digest)
    async with branch.depot.working():
        assert await branch.delivered(export) == {"withdrawn": 2}
    made_again = await branch.depot.read(
        lambda s: [shard.number for shard in exports.shards_of(s, export) if shard.fence > 1]
    )
    assert (len(sealings), len(made_again)) == (2, 1)


async def test_the_gate_waits_for_the_source(branch: Branch) -> None:
    """While the source is gone the gate stays shut, and the request says that an admin is needed;
    when it is back, the gate opens by itself."""
    await branch.source.kill()
    request, digest = await branch.at_consent()
    await approved(branch.depot, request, digest, GATES[0])
    shown = await branch.waits(request)
    assert shown["stage"] == Stage.CONSENT_VERIFICATION
    assert shown["people"] == [branch.depot.world.people["admin"]]
    assert "nothing answers at its address" in shown["detail"]
    row = await branch.depot.world.request(request)
    assert (row.state, row.waiting_stage) == (GATES[0], None)
    await branch.source.start()
    await branch.depot.at(request, GATES[1])


async def test_whoever_waits_for_the_source_may_leave(branch: Branch) -> None:
    """A request that is withdrawn meanwhile ends, although the source never comes back."""
    await branch.source.kill()
    request, digest = await branch.at_consent()
    await approved(branch.depot, request, digest, GATES[0])
    await branch.waits(request)
    await branch.depot.tell(Verb.WITHDRAW, request, "partner")
    handle = branch.depot.office.client.get_workflow_handle(request_workflow(request))
    async with asyncio.timeout(90):
        assert await handle.result() == "withdrawn"


@pytest.mark.parametrize("trouble", ["gone", "replayed", "backwards"])
async def test_an_export_waits_for_the_source(branch: Branch, trouble: str) -> None:
    """A source that is gone, or lies, at the trigger: nothing is released, the export waits and
    says so; when the source is there and honest, the same export is delivered, and what was
    withdrawn meanwhile is not in it."""
    await branch.source.say(branch.depot.subjects[0], "given")
    request, digest = await cleared(branch.depot)
    await branch.forget()
    await branch.source.say(branch.depot.subjects[0], "withdrawn")
    await (branch.source.kill() if trouble == "gone" else branch.source.lies(trouble))
    export = await triggered(branch.depot, request, digest)
    async with branch.depot.working():
        shown = await branch.waits(request)
        assert (shown["stage"], shown["roles"]) == (Stage.EXPORT, ["admin"])
        assert not await branch.depot.released(export)
        await (branch.source.start() if trouble == "gone" else branch.source.honest())
        assert await branch.delivered(export) == {"withdrawn": 2}


async def test_a_source_lost_while_sealing_stops_the_release(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is packed and sealed, and the source goes: nothing leaves until it is back."""
    loop, sealings = asyncio.get_running_loop(), list[int]()

    async def lost() -> None:
        await branch.source.kill()
        await branch.forget()

    def sealing() -> None:
        if not sealings:
            asyncio.run_coroutine_threadsafe(lost(), loop).result(60)
        sealings.append(1)

    before("seal", monkeypatch, sealing)
    request, digest = await cleared(branch.depot)
    export = await triggered(branch.depot, request, digest)
    async with branch.depot.working():
        await branch.waits(request)
        assert (len(sealings), await branch.depot.released(export)) == (1, False)
        await branch.source.start()
        assert await branch.delivered(export) == {}


async def test_the_control_worker_keeps_up_unasked(
    branch: Branch, temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running control worker brings in what the source says although nobody asks about it."""
    monkeypatch.setattr(worker, "CONTROL_QUEUE", "control-that-follows")
    address = temporal.client.service_client.config.target_host
    chosen = replace(branch.depot.office.settings, temporal_address=address)
    await branch.source.say(branch.depot.subjects[0], "withdrawn")
    running = asyncio.create_task(worker.run_control(chosen))
    try:

        async def there() -> bool:
            query = select(SourceState.cursor)
            return await branch.depot.read(lambda s: s.exec(query).first()) == 1

        await until(there, "the withdrawal")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_an_export_that_waits_can_be_cancelled(branch: Branch) -> None:
    """While it waits for the source a person may stop it, and nothing of it stays in staging."""
    request, digest = await cleared(branch.depot)
    await branch.forget()
    await branch.source.kill()
    export = await triggered(branch.depot, request, digest)
    async with branch.depot.working():
        await branch.waits(request)
        await cancelled(branch.depot, request, export)
        assert (await branch.depot.ended(export)).state == "cancelled"
        await branch.depot.erased(export)
    assert not await branch.depot.released(export)
