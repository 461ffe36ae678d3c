"""The four gates, with people played by the test."""

import pytest

from sharing.errors import NotEligible, Refused
from sharing.orders import Verb
from sharing.records import clearances, requests
from sharing.stages import GATES, Outcome, Stage
from tests.workflows.conftest import Office
from workflows import client as verbs


async def test_four_approvals_clear(office: Office) -> None:
    """Four approvals by four people on one digest make a clearance that names them."""
    request, digest = await office.cleared()
    row = await office.world.database.read(lambda s: clearances.of(s, request, digest))
    assert row is not None
    assert row.purpose_review_by == office.world.people["purpose_reviewer"]
    assert row.legal_approval_by == office.world.people["legal_counsel"]


async def test_refusal_ends(office: Office) -> None:
    """One refusal refuses the request, and no later gate opens."""
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW, Outcome.REFUSED)
    await office.at(request, "refused")
    gates = await office.world.database.read(lambda s: requests.gates_of(s, request))
    assert [gate.stage for gate in gates] == [Stage.PURPOSE_REVIEW]


async def test_returned_then_revised_starts_over(office: Office) -> None:
    """A returned request that is revised passes all gates again under a new digest, and the
    decisions on the old one stay readable."""
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW, Outcome.RETURNED)
    await office.at(request, "returned")
    revision = office.world.submission(request, number=2, retention_days=30)
    await verbs.amend(office.client, revision)
    for stage in GATES:
        await office.at(request, stage)
        await office.decide(request, revision.digest, stage)
    await office.at(request, "cleared")
    taken = await office.world.database.read(lambda s: requests.decisions_of(s, request))
    assert [d.digest == digest for d in taken] == [True, False, False, False, False]


async def test_revision_voids_earlier_approvals(office: Office) -> None:
    """A changed scope in the middle of the gates goes back to the first one (F15)."""
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    await office.at(request, Stage.CONSENT_VERIFICATION)
    revision = office.world.submission(request, number=2, retention_days=30)
    await verbs.amend(office.client, revision)
    await office.at(request, Stage.PURPOSE_REVIEW)
    with pytest.raises(Refused) as refused:
        await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    assert refused.value.code == "stale_digest"


async def test_withdrawn_while_waiting(office: Office) -> None:
    """A withdrawn request ends, and nobody can decide on it any more."""
    request, digest = await office.submitted()
    await verbs.withdraw(
        office.client, office.world.order(Verb.WITHDRAW, request, office.world.partner)
    )
    await office.at(request, "withdrawn")
    with pytest.raises(Refused):
        await office.decide(request, digest, Stage.PURPOSE_REVIEW)


@pytest.mark.parametrize(
    ("actor", "why"),
    [("engineer", "role"), ("legal_counsel", "role")],
)
async def test_wrong_role(office: Office, actor: str, why: str) -> None:
    """A person without the gate's role cannot decide there."""
    request, digest = await office.submitted()
    with pytest.raises(NotEligible) as refused:
        await office.decide(request, digest, Stage.PURPOSE_REVIEW, actor=office.world.people[actor])
    assert refused.value.why == why


async def test_recused_person_cannot_decide(office: Office) -> None:
    """A person whose fund holds part of the partner's parent is recused from the request."""
    reviewer = office.world.people["purpose_reviewer"]
    await office.world.declare_interest(reviewer, "NORTHLIGHT HOLDING, Inc.")
    request, digest = await office.submitted()
    with pytest.raises(NotEligible) as refused:
        await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    assert refused.value.why == "recused"


async def test_decision_out_of_order(office: Office) -> None:
    """A later gate cannot be decided while an earlier one waits."""
    request, digest = await office.submitted()
    with pytest.raises(Refused) as refused:
        await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    assert refused.value.code == "wrong_stage"


async def test_same_decision_twice_counts_once(office: Office) -> None:
    """The same order sent again is the same decision (I17)."""
    request, digest = await office.submitted()
    order = office.world.decision(request, digest, Stage.PURPOSE_REVIEW)
    await verbs.decide(office.client, order)
    await verbs.decide(office.client, order)
    await office.at(request, Stage.CONSENT_VERIFICATION)
    taken = await office.world.database.read(lambda s: requests.decisions_of(s, request))
    assert [d.id for d in taken] == [order.id]
