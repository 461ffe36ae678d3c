"""Each step as it is recorded: once however often it is sent, and refused without a trace."""

from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, func, select

from sharing.conflict import Organisation
from sharing.errors import Refused
from sharing.orders import Order, Verb, signed
from sharing.records import audit, parties, requests
from sharing.records.database import Database
from sharing.records.schema import METADATA
from sharing.records.tables import now
from sharing.stages import GATES, Outcome, RequestState, Role, Stage
from tests.records.desk import Desk, at_desk
from tests.records.exporting import exporting
from workflows.activities.exports import Exports
from workflows.activities.gates import Decisions
from workflows.activities.submission import Submissions
from workflows.messages import Opened

REVIEW, CONSENT, LEGAL = GATES[0], GATES[1], GATES[3]


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """A desk on each of the two kinds of database."""
    return await at_desk(database, tmp_path)


def sizes(session: Session) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in METADATA.tables.items()
    }


async def refusal(desk: Desk, step: Awaitable[Any]) -> str:
    """The code by which a step is refused; nothing at all may be written."""
    before = await desk.database.read(sizes)
    with pytest.raises(Refused) as refused:
        await step
    assert await desk.database.read(sizes) == before
    return refused.value.code


async def entries(desk: Desk, request: str) -> list[str]:
    """What the log says of a request."""
    log = await desk.database.read(lambda s: audit.page(s, 0, 10_000, request))
    return [entry.action for entry in log]


def record(desk: Desk, order: Order) -> Awaitable[Any]:
    """Hands an order to the activity that records its verb."""
    submissions, exports = Submissions(desk.database), Exports(desk.database)
    recording = {
        Verb.SUBMIT: submissions.record_submission,
        Verb.AMEND: submissions.record_revision,
        Verb.WITHDRAW: submissions.record_withdrawal,
        Verb.DECIDE: Decisions(desk.database, desk.settings).record_decision,
        Verb.TRIGGER: exports.record_trigger,
        Verb.CONFIRM: exports.record_confirmation,
        Verb.CANCEL: exports.record_cancellation,
    }
    return recording[order.verb](order)


async def every_order(desk: Desk) -> list[Order]:
    """One order of each verb, each of which would be recorded as it is."""
    world = desk.world
    there = await exporting(desk)
    exported = {"export": there.export}
    revised, _ = await desk.submitted()
    await desk.opened(revised, (await world.request(revised)).digest, REVIEW)
    decided, digest = await desk.submitted()
    await desk.opened(decided, digest, REVIEW)
    withdrawn, _ = await desk.submitted()
    cleared, cleared_digest = await desk.cleared()
    engineer = world.people["second_engineer"]
    return [
        world.submission(),
        world.submission(revised, 2, title="Another"),
        world.decision(decided, digest, REVIEW),
        world.order(Verb.WITHDRAW, withdrawn, world.partner),
        world.order(Verb.TRIGGER, cleared, engineer, cleared_digest),
        world.order(Verb.CANCEL, there.request, engineer, there.digest, **exported),
    ]


async def test_no_step_without_the_apis_signature(desk: Desk) -> None:
    """Whatever is sent past the API is refused by name and changes nothing, also where one field
    of an order that the API did sign was changed; the signed order then goes through (I27)."""
    stranger = Ed25519PrivateKey.generate()
    for order in await every_order(desk):
        for forged in (
            replace(order, signature=""),
            signed(order, stranger),
            replace(order, actor=desk.world.people["admin"]),
            replace(order, id="ord_other"),
            replace(order, body={**order.body, "reason": "changed"}),
        ):
            assert await refusal(desk, record(desk, forged)) == "forged_order", order.verb
        await record(desk, order)


async def test_every_step_counts_once(desk: Desk) -> None:
    """The same order recorded again, as after a lost answer, changes nothing and says the same."""
    for order in await every_order(desk):
        first = await record(desk, order)
        before = await desk.database.read(sizes)
        assert await record(desk, order) == first
        assert await desk.database.read(sizes) == before, order.verb


async def test_withdrawing_twice_is_withdrawing_once(desk: Desk) -> None:
    """A second withdrawal changes nothing; after another end there is nothing to withdraw."""
    request, digest = await desk.submitted()
    await desk.withdrawn(request)
    before = await desk.database.read(sizes)
    await desk.withdrawn(request)
    assert await desk.database.read(sizes) == before
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    await desk.decided(request, digest, REVIEW, Outcome.REFUSED)
    assert await refusal(desk, desk.withdrawn(request)) == "wrong_state"


async def test_another_partner_changes_nothing(desk: Desk) -> None:
    """Another partner's revision or withdrawal of this request is refused."""
    other = await desk.database.write(
        lambda u: (
            parties.add_partner(u.session, "Other", None, [(Organisation("O"), None)], None).id
        )
    )
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    stranger = replace(desk, world=replace(desk.world, partner=other))
    assert await refusal(desk, stranger.withdrawn(request)) == "wrong_state"
    assert await refusal(desk, stranger.revised(request, 2, title="Mine")) == "stale_digest"


async def test_an_idempotency_key_is_for_one_body(desk: Desk) -> None:
    """A key that was used with another body is refused, and no second request is made (I16)."""
    order = desk.world.submission()
    keyed = {**order.body, "key": "k1", "body_hash": "one"}
    first = signed(replace(order, body=keyed), desk.world.key)
    await record(desk, first)
    other = desk.world.submission()
    again = signed(replace(other, body={**keyed, "body_hash": "two"}), desk.world.key)
    assert await refusal(desk, record(desk, again)) == "idempotency_mismatch"


async def test_a_digest_is_the_bodys_own(desk: Desk) -> None:
    """A submission whose digest is not that of its body is refused, signed or not."""
    order = desk.world.submission()
    wrong = signed(replace(order, digest="d" * 64), desk.world.key)
    assert await refusal(desk, record(desk, wrong)) == "stale_digest"


async def test_a_dataset_that_is_not_there(desk: Desk) -> None:
    """A scope over a dataset that nobody holds is refused by field."""
    assert await refusal(desk, desk.submitted(dataset="no-such-photos")) == "invalid_body"


@pytest.mark.parametrize("number", [1, 3])
async def test_revisions_follow_each_other(desk: Desk, number: int) -> None:
    """A revision that is not the next one is refused: somebody changed the request meanwhile."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    amendment = desk.world.submission(request, number, title="Another")
    order = signed(replace(amendment, verb=Verb.AMEND), desk.world.key)
    assert await refusal(desk, record(desk, order)) == "stale_digest"


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
