"""A scope's consent is counted at submission, at the gate, and when an export is triggered."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.records import reports
from sharing.records.database import Database
from sharing.stages import GATES, Stage
from tests.faults.depot import depot
from workflows import client as verbs


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
        while len(await database.read(lambda s: reports.of_request(s, request))) < 1:
            pass
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
