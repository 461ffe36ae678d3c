"""Refused steps, and the proof that they left nothing behind."""

from collections.abc import Awaitable
from typing import Any

import pytest
from sqlmodel import Session, func, select

from sharing.errors import Refused
from sharing.orders import Order, Verb
from sharing.records import audit
from sharing.records.schema import METADATA
from tests.records.desk import Desk
from workflows.activities.agreement import Agreements
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.activities.steering import Steering
from workflows.activities.submission import Submissions


def sizes(session: Session) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in METADATA.tables.items()
    }


async def refusal(desk: Desk, step: Awaitable[Any]) -> str:
    """The code by which a step is refused. Nothing at all may be written, but for the one entry
    by which a forged order is noticed."""
    before = await desk.database.read(sizes)
    with pytest.raises(Refused) as refused:
        await step
    forged = refused.value.code == "forged_order"
    after = await desk.database.read(sizes)
    assert after == {**before, "audit_entry": before["audit_entry"] + forged}
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
        Verb.ADD_TERMS: Agreements(desk.database, desk.settings).record_terms,
        Verb.ACCEPT: Agreements(desk.database, desk.settings).record_acceptance,
        Verb.TAKE_BACK: Decisions(desk.database, desk.settings).record_taking_back,
        Verb.TRIGGER: exports.record_trigger,
        Verb.CONFIRM: exports.record_confirmation,
        Verb.CANCEL: exports.record_cancellation,
        Verb.PAUSE: Steering(desk.database).record_pause,
        Verb.RESUME: Steering(desk.database).record_resumption,
        Verb.LIMIT: Steering(desk.database).record_limit,
    }
    return recording[order.verb](order)
