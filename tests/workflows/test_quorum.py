"""A gate that needs two people, on a real server."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.errors import CoolingOff, Refused
from sharing.records import clearances, requests
from sharing.records.database import Database
from sharing.stages import GATES, Role, Stage
from tests.walk import index
from tests.workflows.conftest import Office, running, settings
from workflows import client as verbs
from workflows import worker
from workflows.messages import request_workflow

LAW = Stage.LEGAL_APPROVAL
TWO = """[[rule]]
name = "Two lawyers, each for themselves"
legal_approval = { approvals = { legal_counsel = 2 }, blind = true }
"""


async def at_law(office: Office, policy: str) -> tuple[str, str]:
    """A request at its last gate, under a policy."""
    number = await office.world.force(policy)
    request, digest = await office.submitted(policy=number)
    for stage in GATES[:3]:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    await office.at(request, LAW)
    return request, digest


async def test_the_second_approval_comes_after_a_restart(
    temporal: WorkflowEnvironment,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of two lawyers approves, the worker goes and the workflow is lost, another worker comes,
    and the other lawyer's approval clears the request: the first one still counts, once."""
    chosen = settings(tmp_path, database_url)
    async with running(temporal, database, chosen, monkeypatch) as office:
        await index(office.world)
        second = await office.world.person("second-counsel", Role.LEGAL_COUNSEL)
        request, digest = await at_law(office, TWO)
        first = office.world.decision(request, digest, LAW)
        await verbs.decide(office.client, first)
        assert (await office.world.request(request)).state == LAW
    await office.client.get_workflow_handle(request_workflow(request)).terminate()
    async with worker.control_worker(office.client, database, chosen):
        await verbs.decide(office.client, first)
        assert (await office.world.request(request)).state == LAW
        await office.decide(request, digest, LAW, actor=second, role=Role.LEGAL_COUNSEL)
        await office.at(request, "cleared")
    sealed = await database.read(lambda s: clearances.approvals(s, requests.get(s, request)))
    assert [one.stage for one in sealed] == [*GATES, LAW]


async def test_too_soon_crosses_the_engine_with_its_time(office: Office) -> None:
    """An approval during a cooling-off is refused through the engine with the moment from which it
    is taken, and the gate goes on waiting."""
    request, digest = await at_law(
        office, '[[rule]]\nname = "a"\nlegal_approval.cooling_off_hours = 24\n'
    )
    with pytest.raises(Refused) as refused:
        await office.decide(request, digest, LAW)
    assert isinstance(refused.value, CoolingOff)
    gate = await office.world.database.read(
        lambda s: requests.gate(s, requests.get(s, request), LAW)
    )
    assert gate is not None
    assert (refused.value.until - gate.opened_at).total_seconds() == 24 * 3600
    assert (await office.world.request(request)).waiting_stage == LAW
