"""From state to state: what may follow what, and what is refused without a trace."""

from dataclasses import replace
from pathlib import Path

import pytest

from sharing.orders import Order, Verb
from sharing.records import parties, requests
from sharing.records.database import Database
from sharing.records.tables import now
from sharing.stages import GATES, Outcome, RequestState, Role, Stage
from tests.records.desk import Desk, at_desk
from tests.records.exporting import exporting
from tests.records.refusals import entries, record, refusal, sizes
from workflows.messages import Opened

REVIEW, CONSENT, LEGAL = GATES[0], GATES[1], GATES[3]


async def test_a_revision_voids_what_was_decided(desk: Desk) -> None:
    """After a revision the gates start over: the old digest opens nothing and decides nothing,
    and who decided on it may decide on the new one (F15)."""
    request, old = await desk.submitted()
    await desk.passed(request, old, REVIEW, CONSENT)
    new = await desk.revised(request, 2, retention_days=30)
    assert await refusal(desk, desk.decided(request, old, GATES[2])) == "stale_digest"
    before = await desk.database.read(sizes)
    await desk.opened(request, old, GATES[2])
    assert await desk.database.read(sizes) == before
    await desk.passed(request, new, *GATES)
    assert (await desk.world.request(request)).state == "cleared"


@pytest.mark.parametrize("state", ["refused", "withdrawn", "exporting"])
async def test_an_ended_scope_stays(desk: Desk, state: str) -> None:
    """A request that has ended, or is being exported, takes no revision."""
    if state == "exporting":
        request = (await exporting(desk)).request
    else:
        request, digest = await desk.submitted()
        await desk.opened(request, digest, REVIEW)
        if state == "refused":
            await desk.decided(request, digest, REVIEW, Outcome.REFUSED)
        else:
            await desk.withdrawn(request)
    assert (await desk.world.request(request)).state == state
    assert await refusal(desk, desk.revised(request, 2, title="Another")) == "wrong_state"


async def test_decisions_out_of_place(desk: Desk) -> None:
    """A decision before its gate opened, at another gate, after another's, or by nobody we know is
    refused, each with its own word."""
    request, digest = await desk.submitted()
    assert await refusal(desk, desk.decided(request, digest, REVIEW)) == "wrong_stage"
    await desk.opened(request, digest, REVIEW)
    assert await refusal(desk, desk.decided(request, digest, LEGAL)) == "wrong_stage"
    assert await refusal(desk, desk.decided(request, "d" * 64, REVIEW)) == "stale_digest"
    nobody = desk.decided(request, digest, REVIEW, actor="per_nobody")
    assert await refusal(desk, nobody) == "not_found"
    await desk.decided(request, digest, REVIEW)
    second = desk.world.people["admin"]
    await desk.database.write(
        lambda u: parties.grant_roles(u.session, second, [Role.PURPOSE_REVIEWER])
    )
    late = desk.decided(request, digest, REVIEW, Outcome.REFUSED, second)
    assert await refusal(desk, late) == "already_decided"


async def test_a_decision_behind_the_deadline_is_too_late(desk: Desk) -> None:
    """A decision that is recorded after its gate's deadline is refused as too late, whatever held
    it up on the way (F13)."""
    desk = replace(desk, settings=replace(desk.settings, purpose_review_days=1e-9))
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    assert await refusal(desk, desk.decided(request, digest, REVIEW)) == "too_late"


async def test_a_gate_opens_once_and_in_order(desk: Desk) -> None:
    """A gate opened again stays as it was, decided or not; a later one does not open before."""
    request, digest = await desk.submitted()
    before = await desk.database.read(sizes)
    await desk.opened(request, digest, CONSENT)
    assert await desk.database.read(sizes) == before
    first = await desk.opened(request, digest, REVIEW)
    assert await desk.opened(request, digest, REVIEW) == first
    await desk.decided(request, digest, REVIEW)
    assert await desk.opened(request, digest, REVIEW) == Opened(first.until, Outcome.APPROVED)
    assert (await entries(desk, request)).count("gate.opened") == 1


async def test_a_deadline_counts_only_where_it_was_missed(desk: Desk) -> None:
    """A deadline of a gate that was decided meanwhile, of another digest, or of an ended request
    changes nothing; one that was missed ends the request once (F12)."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, REVIEW)
    await desk.opened(request, digest, CONSENT)
    before = await desk.database.read(sizes)
    await desk.lapsed(request, digest, RequestState.PURPOSE_REVIEW)
    await desk.lapsed(request, "d" * 64, RequestState.CONSENT_VERIFICATION)
    assert await desk.database.read(sizes) == before
    for _ in range(2):
        await desk.lapsed(request, digest, RequestState.CONSENT_VERIFICATION)
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage) == ("expired", None)
    gates = await desk.database.read(lambda s: requests.gates_of(s, request))
    assert [gate.outcome for gate in gates] == ["approved", "expired"]
    assert (await entries(desk, request)).count("request.expired") == 1


async def test_a_deadline_never_takes_back_a_release(desk: Desk) -> None:
    """Once bytes have left no deadline ends the request as expired."""
    there = await exporting(desk)
    await there.all_packed()
    await there.release(await there.attempt())
    await desk.lapsed(there.request, there.digest, RequestState.EXPORTING)
    assert (await desk.world.request(there.request)).state == "exporting"
    assert (await there.row()).state == "running"


async def test_triggers_out_of_place(desk: Desk) -> None:
    """An export before the clearance, on another digest, or beside a running one is refused."""
    request, digest = await desk.submitted()
    await desk.passed(request, digest, *GATES[:3])
    assert await refusal(desk, desk.triggered(request, digest)) == "not_cleared"
    await desk.passed(request, digest, LEGAL)
    assert await refusal(desk, desk.triggered(request, "d" * 64)) == "stale_digest"
    await desk.triggered(request, digest)
    second = desk.triggered(request, digest, "second_engineer")
    assert await refusal(desk, second) == "export_live"


async def test_special_categories_take_two_engineers(database: Database, tmp_path: Path) -> None:
    """An export of a special category waits for a second engineer, who is not the first."""
    desk = await at_desk(database, tmp_path, special_category=True)
    request, digest = await desk.cleared()
    export = await desk.triggered(request, digest)

    def confirmation(actor: str) -> Order:
        return desk.world.order(
            Verb.CONFIRM, request, desk.world.people[actor], digest, export=export
        )

    for actor in ("engineer", "legal_counsel"):
        assert await refusal(desk, record(desk, confirmation(actor))) == "not_eligible"
    row = await desk.world.request(request)
    assert row.waiting_stage == Stage.EXPORT
    await record(desk, confirmation("second_engineer"))
    assert (await desk.world.request(request)).waiting_stage is None
    assert "export.confirmed" in await entries(desk, request)


async def test_waiting_says_until_when(desk: Desk) -> None:
    """While it waits a request says for which gate and until when; returned, for the partner."""
    request, digest = await desk.submitted()
    opened = await desk.opened(request, digest, REVIEW)
    row = await desk.world.request(request)
    assert row.waiting_until is not None
    assert (row.waiting_stage, row.waiting_until.isoformat()) == (REVIEW, opened.until)
    await desk.decided(request, digest, REVIEW, Outcome.RETURNED)
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage) == ("returned", None)
    assert row.waiting_until is not None
    assert abs((row.waiting_until - now()).days - 30) <= 1
