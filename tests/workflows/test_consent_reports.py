"""A scope's consent is counted at submission, at the gate, and when an export is triggered."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.records import reports
from sharing.records.database import Database
from sharing.records.scopes import coverage
from sharing.snapshot.progress import Step
from sharing.stages import GATES, Stage
from tests.faults.depot import depot, until
from workflows import client as verbs
from workflows.activities import consent
from workflows.messages import Progress


async def test_each_moment_has_its_report(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who withdraws between two moments is in the first report and not in the next; each report
    names the ledger's position that it was taken at."""
    async with depot(temporal, database, tmp_path, monkeypatch, people=8) as there:
        office, world = there.office, there.world
        order = world.submission()
        request, digest = order.request_id, order.digest
        await verbs.submit(office.client, order)
        await office.at(request, Stage.PURPOSE_REVIEW)
        await until(lambda: database.read(lambda s: reports.of_request(s, request)), "a report")
        before = await world.say(there.subjects[0], "withdrawn")
        for stage in GATES:
            await office.at(request, stage)
            await office.decide(request, digest, stage)
        await office.at(request, "cleared")
        later = await world.say(there.subjects[1], "withdrawn")
        trigger = await there.tell("trigger", request, "engineer", digest)  # type: ignore[arg-type]
        async with there.working():
            await there.ended(trigger)
        found = await database.read(lambda s: reports.of_request(s, request))
    assert [r.moment for r in found] == ["submission", "gate", "trigger"]
    assert [r.covered_subjects for r in found] == [8, 7, 6]
    assert [r.excluded for r in found] == [{}, {"withdrawn": 2}, {"withdrawn": 4}]
    assert [r.position for r in found] == [before - 1, before, later]
    assert {r.digest for r in found} == {digest}


async def test_a_count_tells_how_far_it_is(
    temporal: WorkflowEnvironment,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a scope is counted, its last heartbeat says how far that has come, to whoever may read
    what the request's workflow says; another count waits its turn. When it is counted, nothing is
    told any more."""
    go_on, told_of = Event(), list[str]()

    def slowly(session: Any, request: Any, tell: Any) -> Any:
        told_of.append(request.id)
        tell(Step.EVENTS, 2_000, 5_000)
        go_on.wait()
        return coverage(session, request, tell)

    monkeypatch.setattr(consent, "coverage", slowly)
    async with (
        Database(sqlite_url) as database,
        depot(temporal, database, tmp_path, monkeypatch, people=2) as there,
    ):
        office, order = there.office, there.world.submission()
        try:
            await verbs.submit(office.client, order)

            async def told() -> Progress | None:
                return await verbs.counting(office.client, order.request_id)

            assert await until(told, "a heartbeat") == Progress("events", 2_000, 5_000)
            await office.at(order.request_id, Stage.PURPOSE_REVIEW)
            await office.decide(order.request_id, order.digest, Stage.PURPOSE_REVIEW)
            await asyncio.sleep(1)  # the gate's count has begun by now, or waits its turn
            assert told_of == [order.request_id]
        finally:
            go_on.set()
        await office.at(order.request_id, Stage.CONSENT_VERIFICATION)
        async with asyncio.timeout(60):
            while await told() is not None:
                await asyncio.sleep(0.05)
    assert await verbs.counting(office.client, "req_nobody") is None
