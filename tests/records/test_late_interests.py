"""An interest that becomes known late, at each state in which a request can be."""

from pathlib import Path

import pytest

from sharing.errors import NotEligible, Refused
from sharing.export import releases
from sharing.orders import Verb
from sharing.records import clearances, decisions, late_interests, requests
from sharing.records.database import Database
from sharing.stages import GATE_ROLES, GATES, ExportState, Outcome, RequestState, Stage
from tests.records.desk import Desk, at_desk
from tests.records.exporting import Exporting, exporting
from tests.records.late import another, known, told
from workflows.activities.exports import Exports
from workflows.messages import ExportEnd

REVIEW, LEGAL = GATES[0], GATES[3]


async def approved_again(desk: Desk, request: str, digest: str, stage: Stage) -> None:
    """A gate that lost its decision is approved by somebody else, and the rest is passed as it
    stands or decided."""
    other = await another(desk, GATE_ROLES[stage])
    for gate in GATES:
        opened = await desk.opened(request, digest, gate)
        if opened.outcome is None:
            await desk.decided(request, digest, gate, actor=other if gate is stage else None)


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_at_a_gate_it_reopens_the_gate_that_lost_its_decision(
    desk: Desk, number: int
) -> None:
    """While a later gate waits, the decision of whoever has an interest counts no longer, its gate
    opens again, what others decided stands, and somebody else completes the clearance."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, *GATES[:number])
    await desk.opened(request, digest, GATES[number])
    followed = await known(desk, "purpose_reviewer")
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage) == (REVIEW, None)
    assert (len(followed.voided), followed.marked, followed.changed) == (1, [], [request])
    assert request in await desk.database.read(decisions.reopened_ids)
    await desk.opened(request, digest, REVIEW)
    with pytest.raises(NotEligible) as refused:
        await desk.decided(request, digest, REVIEW)
    assert refused.value.why == "recused"
    await approved_again(desk, request, digest, REVIEW)
    assert (await desk.world.request(request)).state == RequestState.CLEARED
    counted = await desk.database.read(lambda s: requests.counted(s, row))
    assert desk.world.people["purpose_reviewer"] not in {one.actor_id for one in counted}


async def test_when_cleared_the_clearance_is_void_and_given_again(desk: Desk) -> None:
    """A cleared request goes back to the gate concerned; approved by somebody else, it is cleared
    a second time on the same digest, and only that clearance counts."""
    request, digest = await desk.cleared()
    first = await desk.database.read(lambda s: clearances.of(s, request, digest))
    await known(desk, "conflict_officer")
    assert await desk.database.read(lambda s: clearances.of(s, request, digest)) is None
    with pytest.raises(Refused):
        await desk.triggered(request, digest)
    await approved_again(desk, request, digest, Stage.CONFLICT_SIGNOFF)
    second = await desk.database.read(lambda s: clearances.of(s, request, digest))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert first.conflict_signoff_by != second.conflict_signoff_by
    assert await desk.triggered(request, digest)


async def test_between_shards_the_export_stops(desk: Desk) -> None:
    """An export that has packed a part of it can go no further, and releases nothing; after a new
    approval another one delivers."""
    there = await exporting(desk)
    await there.planned()
    await there.packed(0)
    assert (await known(desk, "legal_counsel")).changed == [there.request]
    assert (await there.row()).state == ExportState.CANCELLED
    for step in (there.packed(1), there.attempt()):
        with pytest.raises(Refused):
            await step
    end = ExportEnd(there.export, ExportState.CANCELLED, "export_cancelled")
    await Exports(desk.database).record_export_end(end)
    assert (await desk.world.request(there.request)).state == LEGAL
    await approved_again(desk, there.request, there.digest, LEGAL)
    again = await desk.triggered(there.request, there.digest, "second_engineer")
    anew = Exporting(desk, there.request, there.digest, again)
    await anew.all_packed()
    assert await anew.release(await anew.attempt()) is None
    assert await there.released() is None


async def test_while_a_second_engineer_is_waited_for(database: Database, tmp_path: Path) -> None:
    """An export that waits for its confirmation is cancelled, and cannot be confirmed any more."""
    desk = await at_desk(database, tmp_path, special_category=True)
    there = await exporting(desk)
    await known(desk, "consent_steward")
    assert (await there.row()).state == ExportState.CANCELLED
    order = desk.world.order(
        Verb.CONFIRM, there.request, desk.world.people["second_engineer"], export=there.export
    )
    with pytest.raises(Refused):
        await Exports(database).record_confirmation(order)
    assert (await desk.world.request(there.request)).state == Stage.CONSENT_VERIFICATION


@pytest.mark.parametrize("special", [True, False])
async def test_an_engineers_interest_stops_the_export_alone(
    database: Database, tmp_path: Path, special: bool
) -> None:
    """An engineer who triggered and turns out to have an interest exports nothing; the approvals
    stand, and another engineer may begin."""
    desk = await at_desk(database, tmp_path, special_category=special)
    there = await exporting(desk)
    followed = await known(desk, "engineer")
    assert (followed.voided, followed.changed) == ([], [there.request])
    row = await there.row()
    assert (row.state, row.code) == (ExportState.CANCELLED, "engineer_recused")
    end = ExportEnd(there.export, ExportState.CANCELLED, "export_cancelled")
    await Exports(database).record_export_end(end)
    assert (await desk.world.request(there.request)).state == RequestState.CLEARED
    assert there.request in await database.read(decisions.reopened_ids)
    with pytest.raises(NotEligible):
        await desk.triggered(there.request, there.digest)
    assert await desk.triggered(there.request, there.digest, "second_engineer")


async def test_after_the_release_it_is_marked_and_nothing_is_undone(desk: Desk) -> None:
    """Once the bytes have left, nothing is voided and the package is delivered all the same; the
    interest stands at the request until a conflict officer has said what they make of it."""
    there = await exporting(desk)
    await there.all_packed()
    await there.release(await there.attempt())
    followed = await known(desk, "purpose_reviewer")
    assert (followed.voided, followed.marked, followed.changed) == ([], [there.request], [])
    await desk.database.write(lambda u: releases.delivered(u, there.export, "/there"))
    again = await known(desk, "legal_counsel")
    assert again.marked == [there.request]
    assert (await told(desk, there.request)).count("interest.found_late") == 2
    late = await desk.database.read(lambda s: late_interests.late(s, there.request))
    assert {one.person_id for one in late} == {
        desk.world.people["purpose_reviewer"], desk.world.people["legal_counsel"],
    }  # fmt: skip
    row, officer = await desk.world.request(there.request), desk.world.people["conflict_officer"]
    for one in late:
        assert await desk.database.read(late_interests.unseen_ids) == [there.request]
        interest = one.interest_id
        await desk.database.write(
            lambda u, i=interest: late_interests.look(u, row, i, "Told the board.", officer)  # type: ignore[misc]
        )
    assert await desk.database.read(late_interests.unseen_ids) == []
    with pytest.raises(Refused):
        await desk.database.write(
            lambda u: late_interests.look(u, row, late[0].interest_id, "Again.", officer)
        )


async def test_a_returned_request_stays_returned(desk: Desk) -> None:
    """Of a request that waits for a revision, an approval is voided and nothing opens."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, REVIEW)
    await desk.opened(request, digest, GATES[1])
    await desk.decided(request, digest, GATES[1], Outcome.RETURNED)
    assert len((await known(desk, "purpose_reviewer")).voided) == 1
    assert (await desk.world.request(request)).state == RequestState.RETURNED


async def test_a_tie_to_somebody_else_changes_nothing(desk: Desk) -> None:
    """An interest that leads to no partner with a request here leaves every decision as it is."""
    request, _ = await desk.cleared()
    followed = await known(desk, "purpose_reviewer", "Elsewhere")
    assert (followed.recused, followed.voided, followed.marked) == ([], [], [])
    assert (await desk.world.request(request)).state == RequestState.CLEARED


async def test_what_was_missed_is_found_by_the_screening(desk: Desk) -> None:
    """An interest that nobody followed when it was declared is found as gate 3 opens: the decision
    at gate 1 counts no longer, and gate 3 does not open before gate 1 is decided again."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, *GATES[:2])
    reviewer = desk.world.people["purpose_reviewer"]
    await desk.world.declare_interest(reviewer, "Northlight Holding")
    opened = await desk.opened(request, digest, GATES[2])
    assert opened.moved
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage) == (REVIEW, None)
    await approved_again(desk, request, digest, REVIEW)
    assert (await desk.world.request(request)).state == RequestState.CLEARED


async def test_a_gate_with_nobody_left_says_so_once(desk: Desk) -> None:
    """When the last one who may decide at a gate steps aside, one event tells it. It waits."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    other = await another(desk, GATE_ROLES[REVIEW])
    await known(desk, "purpose_reviewer")
    assert "gate.nobody_left" not in await told(desk, request)
    await known(desk, other)
    await known(desk, other)
    await known(desk, "legal_counsel")
    assert (await told(desk, request)).count("gate.nobody_left") == 1
    assert (await desk.world.request(request)).waiting_stage == REVIEW
