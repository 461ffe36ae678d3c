"""Reminders and escalations: once for each opening, by the server's clock, and never too late."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, update
from temporalio.testing import ActivityEnvironment

from sharing.records import events, requests
from sharing.records.parties import RoleGrant
from sharing.records.requests import Gate
from sharing.records.tables import now
from sharing.records.viewer import Viewer
from sharing.records.views import request_view
from sharing.stages import GATES, Outcome, Role, Stage
from tests.records.desk import Desk
from tests.records.refusals import sizes
from workflows.activities.reminders import Reminders
from workflows.messages import Due, Told

REVIEW, CONFLICT = GATES[0], GATES[2]


async def remind(desk: Desk, due: Due, at: datetime) -> Told:
    """What the workflow asks when its timer fires, at a moment of the server's clock."""
    server = ActivityEnvironment()
    server.info = replace(server.info, current_attempt_scheduled_time=at)
    told: Told = await server.run(Reminders(desk.database, desk.settings).record_reminder, due)
    return told


async def said(desk: Desk, request: str) -> list[tuple[str, dict[str, object]]]:
    """What was told of reminders and escalations."""
    found = await desk.database.read(lambda s: list(events.of_request(s, request)))
    return [(e.type, e.data) for e in found if e.type in ("gate.reminded", "gate.escalated")]


async def gate_of(desk: Desk, request: str, digest: str, stage: Stage) -> Gate:
    """The gate's row."""
    return await desk.database.read(lambda s: s.get_one(Gate, (request, digest, stage)))


async def test_reminded_then_escalated_once_each(desk: Desk) -> None:
    """At half the time those who may decide are reminded, at three quarters the admins are told;
    asked again, or too early, nothing happens."""
    request, digest = await desk.submitted()
    opened = await desk.opened(request, digest, REVIEW)
    gate, due = await gate_of(desk, request, digest, REVIEW), Due(request, digest, REVIEW)
    assert gate.reminds_at is not None
    assert gate.escalates_at is not None
    assert opened.told_at == gate.reminds_at.isoformat()
    before = await desk.database.read(sizes)
    early = await remind(desk, due, gate.reminds_at - timedelta(seconds=1))
    assert (early.told_at, await desk.database.read(sizes)) == (opened.told_at, before)
    for _ in range(2):
        told = await remind(desk, due, gate.reminds_at)
        assert told.told_at == gate.escalates_at.isoformat()
    for _ in range(2):
        assert (await remind(desk, due, gate.escalates_at)).told_at is None
    people = desk.world.people
    assert await said(desk, request) == [
        ("gate.reminded", {"stage": REVIEW, "people": [people[Role.PURPOSE_REVIEWER]]}),
        ("gate.escalated", {"stage": REVIEW, "people": [people["admin"]], "why": "undecided"}),
    ]


async def test_a_gate_shows_whom_it_was_told_to(desk: Desk) -> None:
    """What a request waits for shows people inside when they were reminded and who was told; a
    partner sees neither that nor the events."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    gate = await gate_of(desk, request, digest, REVIEW)
    assert gate.escalates_at is not None
    await remind(desk, Due(request, digest, REVIEW), gate.escalates_at)

    views = await desk.database.read(
        lambda s: [
            request_view(Viewer(s, inside=inside), requests.get(s, request))
            for inside in (True, False)
        ]
    )
    waits, partners = views[0]["waiting_for"], views[1]["waiting_for"]
    assert waits["reminded_at"] == waits["escalated_at"] == gate.escalates_at
    assert waits["escalated_to"] == [desk.world.people["admin"]]
    assert waits["escalates_at"] == gate.escalates_at
    assert "escalated_to" not in partners
    assert not {one["type"] for one in views[1]["timeline"]} & {"gate.reminded", "gate.escalated"}


async def test_nobody_is_told_of_a_gate_that_is_over(desk: Desk) -> None:
    """Behind a decision, behind the deadline, or on a digest that is void, a reminder changes
    nothing."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    gate, due = await gate_of(desk, request, digest, REVIEW), Due(request, digest, REVIEW)
    before = await desk.database.read(sizes)
    await remind(desk, due, gate.until)
    await remind(desk, replace(due, digest="d" * 64), gate.until - timedelta(seconds=1))
    assert await desk.database.read(sizes) == before
    await desk.decided(request, digest, REVIEW, Outcome.RETURNED)
    before = await desk.database.read(sizes)
    assert await remind(desk, due, gate.until - timedelta(seconds=1)) == Told()
    assert await desk.database.read(sizes) == before


async def test_where_nobody_is_left_others_are_told_at_once(desk: Desk) -> None:
    """A gate that opens with nobody who may decide escalates in the same transaction, to the
    auditor too at the conflict gate, and waits: it never falls through."""
    people = desk.world.people
    await desk.world.declare_interest(people[Role.CONFLICT_OFFICER], "Northlight Vision")
    request, digest = await desk.submitted()
    await desk.passed(request, digest, *GATES[:2])
    opened = await desk.opened(request, digest, CONFLICT)
    assert await said(desk, request) == [
        (
            "gate.escalated",
            {
                "stage": CONFLICT,
                "people": [people["admin"], people["auditor"]],
                "why": "nobody_left",
            },
        )
    ]
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage) == (CONFLICT, CONFLICT)
    due = Due(request, digest, CONFLICT)
    gate = await gate_of(desk, request, digest, CONFLICT)
    assert opened.told_at is not None
    await remind(desk, due, gate.until - timedelta(seconds=1))
    assert len(await said(desk, request)) == 1


async def test_somebody_who_left_is_noticed_at_the_reminder(desk: Desk) -> None:
    """Where the only person of a gate has left since it opened there is nobody to remind: others
    are told then, and not only at three quarters (F2)."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    gate = await gate_of(desk, request, digest, REVIEW)
    assert gate.reminds_at is not None
    await desk.database.write(
        lambda u: u.session.execute(
            update(RoleGrant)
            .where(col(RoleGrant.role) == Role.PURPOSE_REVIEWER)
            .values(valid_until=now())
        )
    )
    assert (await remind(desk, Due(request, digest, REVIEW), gate.reminds_at)).told_at is None
    told = await said(desk, request)
    assert [(what, data["why"]) for what, data in told] == [("gate.escalated", "nobody_left")]


@pytest.mark.parametrize("why", ["recused", "sponsor"])
async def test_who_has_an_interest_is_told_nothing(desk: Desk, why: str) -> None:
    """An escalation never goes to somebody who must have no hand in the request."""
    admin = desk.world.people["admin"]
    if why == "recused":
        await desk.world.declare_interest(admin, "Northlight Vision")
    request, digest = await desk.submitted(sponsor=admin if why == "sponsor" else None)
    await desk.opened(request, digest, REVIEW)
    gate = await gate_of(desk, request, digest, REVIEW)
    assert gate.escalates_at is not None
    await remind(desk, Due(request, digest, REVIEW), gate.escalates_at)
    assert (await said(desk, request))[-1][1]["people"] == []
