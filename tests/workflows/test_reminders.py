"""Reminders and escalations on a real server, with time that is skipped."""

from datetime import timedelta

import pytest
from sqlmodel import col, update
from temporalio.api.enums.v1 import EventType

from sharing.errors import Refused
from sharing.records import events, reminders, requests
from sharing.records.parties import RoleGrant
from sharing.records.tables import now
from sharing.stages import GATES, Role, Stage
from tests.workflows.conftest import Office
from workflows.messages import request_workflow

REVIEW = Stage.PURPOSE_REVIEW
MINUTES = 20  # of a gate's time, where something is tried again every half minute of it
TOLD = ("gate.reminded", "gate.escalated", "request.expired")


async def told(office: Office, request: str) -> list[str]:
    """What was told of a gate that waits, in order."""
    found = await office.world.database.read(lambda s: list(events.of_request(s, request)))
    return [event.type for event in found if event.type in TOLD]


async def test_reminded_escalated_expired(patient_office: Office) -> None:
    """A gate where nobody decides reminds once, escalates once, and then expires once, in that
    order; and no work that goes on is cancelled by it (F3, F12)."""
    office = patient_office
    request, _ = await office.submitted()
    handle = office.client.get_workflow_handle(request_workflow(request))
    await office.environment.fast_forward(handle)
    assert await handle.result() == "expired"
    assert await told(office, request) == list(TOLD)
    happened = [event.event_type async for event in handle.fetch_history_events()]
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED not in happened
    assert happened.count(EventType.EVENT_TYPE_TIMER_STARTED) >= 3


async def test_a_gate_that_is_decided_at_once_costs_no_more(patient_office: Office) -> None:
    """Where people decide before the reminder each gate has one timer, as it would without."""
    office = patient_office
    request, _ = await office.cleared()
    handle = office.client.get_workflow_handle(request_workflow(request))
    happened = [event.event_type async for event in handle.fetch_history_events()]
    assert happened.count(EventType.EVENT_TYPE_TIMER_STARTED) <= len(GATES) + 1
    assert await told(office, request) == []


async def test_somebody_who_left(patient_office: Office) -> None:
    """A gate whose only person has left is noticed at the reminder, told to others, and then
    expires: nobody is waited for for ever, and nothing falls through (F2)."""
    office = patient_office
    request, digest = await office.submitted()
    await office.world.database.write(
        lambda u: u.session.execute(
            update(RoleGrant)
            .where(col(RoleGrant.role) == Role.PURPOSE_REVIEWER)
            .values(valid_until=now())
        )
    )
    handle = office.client.get_workflow_handle(request_workflow(request))
    await office.environment.fast_forward(handle)
    assert await handle.result() == "expired"
    assert await told(office, request) == ["gate.escalated", "request.expired"]
    with pytest.raises(Refused):
        await office.decide(request, digest, REVIEW)


async def test_a_reminder_in_flight_holds_up_no_deadline(
    patient_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a reminder cannot be recorded the deadline passes all the same, a decision behind it
    gets one definite answer, and nothing but the expiry is recorded (F13)."""
    office, tries = patient_office, list[int]()
    object.__setattr__(office.settings, "stage_days", MINUTES / 1440)

    def broken(*_: object) -> None:
        tries.append(1)
        raise RuntimeError("not now")

    monkeypatch.setattr(reminders, "tell", broken)
    request, digest = await office.submitted()
    handle = office.client.get_workflow_handle(request_workflow(request))
    await office.environment.fast_forward(handle)
    assert await handle.result() == "expired"
    assert tries
    with pytest.raises(Refused):
        await office.decide(request, digest, REVIEW)
    assert await told(office, request) == ["request.expired"]
    assert not await office.world.database.read(lambda s: requests.decisions_of(s, request))


async def test_a_reminder_in_flight_holds_up_no_decision(
    patient_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a reminder cannot be recorded people decide all the same, and the next gate opens."""
    office, tries = patient_office, list[int]()
    object.__setattr__(office.settings, "stage_days", MINUTES / 1440)

    def broken(*_: object) -> None:
        tries.append(1)
        raise RuntimeError("not now")

    monkeypatch.setattr(reminders, "tell", broken)
    request, digest = await office.submitted()
    handle = office.client.get_workflow_handle(request_workflow(request))
    await office.environment.fast_forward(handle, timedelta(minutes=MINUTES / 2 + 1))
    assert tries
    with office.environment.with_time_skipping_disabled():
        await office.decide(request, digest, REVIEW)
        await office.at(request, GATES[1])
