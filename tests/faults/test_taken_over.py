"""Somebody who may do anything at Temporal's port, short of the keys, can only delay (I27)."""

import asyncio
from dataclasses import replace

import pytest

from sharing.records.tables import new_id
from sharing.stages import GATES, ExportState, RequestState
from tests.faults.attacker import insider, own_worker, reset, started
from tests.faults.cases import OPEN, STATES, Case, brought
from tests.faults.depot import Depot, until
from tests.faults.snapshot import carried_on, snapshot
from workflows import client as verbs
from workflows.messages import (
    EXPORT_QUEUE,
    ExportEnd,
    Lapse,
    Opening,
    ShardTask,
    export_workflow,
    request_workflow,
)

SETTLED = 2.0  # seconds in which a workflow that was started by hand has done what it can
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("task", [0, -1], ids=["first", "last"])
async def test_reset(depot: Depot, task: int) -> None:
    """A workflow that is reset decides nothing anew, and what was delivered leaves only once."""
    cases = [await brought(depot, state) for state in STATES]
    before = [await snapshot(depot, case) for case in cases]
    assert all([await reset(depot, case.request, task) for case in cases])
    await asyncio.gather(*(caught_up(depot, case) for case in cases if case.state in OPEN))
    await carried_on(depot, cases)
    for case, was in zip(cases, before, strict=True):
        now = await snapshot(depot, case)
        assert now.decisions[: len(was.decisions)] == was.decisions, case.state


async def caught_up(depot: Depot, case: Case) -> None:
    """Waits until the workflow is again where the database says that the request stands."""
    handle = insider(depot).get_workflow_handle(request_workflow(case.request))

    async def there() -> bool:
        return bool(await handle.query("state") == case.row_state)

    await until(there, f"{case.state} in the engine")


async def test_terminated(depot: Depot) -> None:
    """A workflow that is terminated is taken up again from the database and goes on."""
    cases = [await brought(depot, state) for state in OPEN]
    before = [await snapshot(depot, case) for case in cases]
    for case in cases:
        await insider(depot).get_workflow_handle(request_workflow(case.request)).terminate()
    assert [await snapshot(depot, case) for case in cases] == before
    for case in cases:
        if case.state == "running":  # nobody has to say anything any more: the sweep takes it up
            await verbs.take_up(depot.office.client, case.request)
    await carried_on(depot, cases)


@pytest.mark.parametrize("own_id", [True, False], ids=["own id", "another id"])
async def test_export_started_by_hand(depot: Depot, own_id: bool) -> None:
    """An export's workflow that somebody starts by hand releases nothing that was not triggered
    and confirmed; what was delivered leaves only once."""
    states = ("delivered", "revoked", "cleared", "cancelled", "awaiting_confirmation", "running")
    cases = [await brought(depot, state) for state in states]
    before = {case.state: await snapshot(depot, case) for case in cases}
    async with depot.working():
        for case in cases:
            export = case.export or new_id("exp")
            name = export_workflow(export) if own_id else f"{export_workflow(export)}:evil"
            await started(depot, "ExportRun", export, name)
        await asyncio.sleep(SETTLED)
    for case in cases:
        if case.state != "running":  # of two runs, one may make the other fail
            assert await snapshot(depot, case) == before[case.state]
    await carried_on(depot, [await as_it_stands(depot, case) for case in cases])


async def test_workers_ordered_about(depot: Depot) -> None:
    """Our workers, ordered about by somebody's own workflow, neither decide, nor release, nor let
    a deadline pass before its time."""
    cases = [await brought(depot, state) for state in STATES]
    before = [await snapshot(depot, case) for case in cases]

    async with own_worker(depot) as does:
        ordered = [what for case in cases for what in recordings(depot, case)]
        done = await asyncio.gather(*(does(*what) for what in ordered))
        assert any(done), "no worker took an order: the attack was none"
        async with depot.working():
            ordered = [what for case in cases for what in movements(case)]
            assert any(await asyncio.gather(*(does(*what) for what in ordered)))
    after = [await snapshot(depot, case) for case in cases]
    for case, was, now in zip(cases, before, after, strict=True):
        assert now == was or case.state == "running"  # a run may be made to fail: it goes on below
    await carried_on(depot, [await as_it_stands(depot, case) for case in cases])


Ordered = tuple[str, str, object]  # activity, queue, argument


def recordings(depot: Depot, case: Case) -> list[Ordered]:
    """What the control worker records without an order of the API's: gates, deadlines, ends."""
    queue, long_ago = depot.control_queue, "2001-01-01T00:00:00+00:00"
    openings = zip(
        ("purpose_findings", "consent_findings", "conflict_findings", "legal_findings"),
        GATES,
        strict=True,
    )
    lapse = Lapse(case.request, case.digest, RequestState(case.row_state))
    end = ExportEnd(case.export or new_id("exp"), ExportState.FAILED, "not_cleared")
    return [
        *((name, queue, Opening(case.request, case.digest, at, long_ago)) for name, at in openings),
        ("record_lapse", queue, lapse),
        ("record_export_end", queue, end),
    ]


def movements(case: Case) -> list[Ordered]:
    """What the export worker does with bytes."""
    export = case.export or new_id("exp")
    names = ("plan_export", "release_package", "deliver_package", "erase_staging")
    return [
        ("export_shard", EXPORT_QUEUE, ShardTask(export, 0)),
        *((name, EXPORT_QUEUE, export) for name in names),
    ]


async def as_it_stands(depot: Depot, case: Case) -> Case:
    """The case, where a run that was disturbed may have failed or have gone on meanwhile."""
    if case.state != "running":
        return case
    assert case.export is not None
    export = case.export
    async with depot.working():
        row = await depot.ended(export)
    state = "delivered" if row.state == "delivered" else "cleared"
    await depot.at(case.request, state)
    return replace(case, state=state)
