"""What becomes known of the people behind decisions, as the activities see it."""

import pytest

from sharing.errors import NotCleared
from sharing.records import accounts, clearances, decisions, parties, requests
from sharing.records.decisions import GateNeed
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATES, Outcome, RequestState, Role, Stage
from tests.records.desk import Desk


async def test_a_returned_request_is_not_reopened(desk: Desk) -> None:
    """A decision that an interest voids leaves a returned request with its partner."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, Stage.PURPOSE_REVIEW)
    await desk.opened(request, digest, Stage.CONSENT_VERIFICATION)
    await desk.decided(request, digest, Stage.CONSENT_VERIFICATION, Outcome.RETURNED)

    def undo(unit: Unit) -> list[str]:
        row = requests.get(unit.session, request)
        first = requests.counted(unit.session, row)[0]
        return decisions.undo(unit, row, [first], decisions.TAKEN_BACK, first.actor_id)

    assert await desk.database.write(undo)
    row = await desk.world.request(request)
    assert row.state == RequestState.RETURNED
    assert row.waiting_until is not None


async def test_accounts_that_are_linked_late_clear_nothing(desk: Desk) -> None:
    """A clearance by two accounts that turn out to be one person's is worth nothing."""
    request, digest = await desk.cleared()
    people = desk.world.people
    first, second = people[Role.PURPOSE_REVIEWER], people[Role.LEGAL_COUNSEL]
    await desk.database.write(lambda u: accounts.link(u.session, first, second, "admin"))
    with pytest.raises(NotCleared, match="one person"):
        await desk.database.read(lambda s: clearances.demand(s, request, digest, now()))
    with pytest.raises(NotCleared):
        await desk.triggered(request, digest)


async def test_who_works_for_a_partner_does_so_by_each_account(desk: Desk) -> None:
    """Another account of a partner's employee is the partner's too."""

    def hire(unit: Unit) -> str:
        employee = parties.add_person(
            unit.session, "E", "e@example.com", [Role.PARTNER], desk.world.partner
        )
        accounts.link(unit.session, employee.id, desk.world.people[Role.ENGINEER], "admin")
        return desk.world.people[Role.ENGINEER]

    engineer = await desk.database.write(hire)
    person = await desk.database.read(lambda s: parties.actor(s, engineer))
    assert person is not None
    assert person.partner_id == desk.world.partner


async def test_a_gate_needs_its_own_role_whatever_else_is_asked(desk: Desk) -> None:
    """A policy adds to what a gate needs, and takes nothing away."""
    request, digest = await desk.submitted()
    stage = GATES[0]
    await desk.opened(request, digest, stage)
    asked = GateNeed(request_id=request, digest=digest, stage=stage, role=Role.AUDITOR, approvals=2)
    await desk.database.write(lambda u: u.session.add(asked))
    row = await desk.world.request(request)
    needs = await desk.database.read(lambda s: decisions.needs(s, row, stage))
    assert [(need.role, need.approvals) for need in needs] == [
        (Role.PURPOSE_REVIEWER, 1),
        (Role.AUDITOR, 2),
    ]
