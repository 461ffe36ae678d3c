"""Deadlines: each wait has a twin in which its timer wins."""

from datetime import timedelta

import pytest

from sharing.errors import Refused
from sharing.records import events, requests
from sharing.stages import GATES, Outcome, Stage
from tests.workflows.conftest import Office
from workflows.messages import request_workflow


async def expired(office: Office, request: str) -> str:
    """Lets time pass until the workflow ends; the one place where `request.expired` says it
    waited."""
    handle = office.client.get_workflow_handle(request_workflow(request))
    await office.environment.fast_forward(handle)
    assert await handle.result() == "expired"
    told = await office.world.database.read(
        lambda s: [e for e in events.of_request(s, request) if e.type == "request.expired"]
    )
    assert len(told) == 1
    return str(told[0].data["waited_at"])


@pytest.mark.parametrize("number", range(4))
async def test_gate_expires(patient_office: Office, number: int) -> None:
    """A gate where nobody decides expires at its deadline, once, and says so (F12)."""
    office = patient_office
    request, digest = await office.submitted()
    for stage in GATES[:number]:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    await office.at(request, GATES[number])
    assert await expired(office, request) == GATES[number]
    assert (await office.world.request(request)).state == "expired"


async def test_late_decision_is_refused(patient_office: Office) -> None:
    """A decision behind the deadline gets one definite answer, and changes nothing (F13)."""
    office = patient_office
    request, digest = await office.submitted()
    await expired(office, request)
    with pytest.raises(Refused):
        await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    assert not await office.world.database.read(lambda s: requests.decisions_of(s, request))


async def test_returned_request_expires(patient_office: Office) -> None:
    """A partner who never answers a return lets the request expire."""
    office = patient_office
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW, Outcome.RETURNED)
    assert await expired(office, request) == "returned"


async def test_clearance_expires(patient_office: Office) -> None:
    """A clearance that nobody uses runs out (I22)."""
    office = patient_office
    request, _ = await office.cleared()
    assert await expired(office, request) == "cleared"


async def test_ninety_days_of_waiting_pass(patient_office: Office) -> None:
    """Forty-six days at each of two gates are no reason to stop: no timeout ends the case, and
    people are reminded once at each (F16)."""
    office = patient_office
    object.__setattr__(office.settings, "stage_days", 64.0)
    request, digest = await office.submitted()
    handle = office.client.get_workflow_handle(request_workflow(request))
    for stage in GATES[:2]:
        await office.at(request, stage)
        await office.environment.fast_forward(handle, timedelta(days=46))
        await office.decide(request, digest, stage)
    await office.at(request, GATES[2])
    told = await office.world.database.read(lambda s: list(events.of_request(s, request)))
    assert [e.data["stage"] for e in told if e.type == "gate.reminded"] == list(GATES[:2])
    assert not [e for e in told if e.type == "gate.escalated"]
