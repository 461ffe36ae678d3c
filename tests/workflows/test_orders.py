"""Orders that must not count: forged ones, and ones that somebody kept for later."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sharing.errors import NotEligible, Refused
from sharing.orders import Verb, signed
from sharing.records import audit, parties, requests
from sharing.records.tables import now
from sharing.stages import GATES, Outcome, Role, Stage
from tests.workflows.conftest import Office
from workflows import client as verbs


async def test_forged_decision_is_logged(office: Office) -> None:
    """A decision that the API did not sign changes nothing, and is in the log."""
    request, digest = await office.submitted()
    order = office.world.decision(request, digest, Stage.PURPOSE_REVIEW)
    with pytest.raises(Refused) as refused:
        await verbs.decide(office.client, replace(order, actor="per_somebody"))
    assert refused.value.code == "forged_order"
    logged = await office.world.database.read(lambda s: audit.page(s, 0, 200, request))
    assert ("unsigned", "refused.decide") in [(e.actor, e.action) for e in logged]
    assert not await office.world.database.read(lambda s: requests.decisions_of(s, request))


async def test_kept_order_is_stale(office: Office) -> None:
    """A genuine order that is sent twenty minutes after it was signed is refused."""
    request, digest = await office.submitted()
    order = office.world.decision(request, digest, Stage.PURPOSE_REVIEW)
    kept = replace(order, at=(now() - timedelta(minutes=20)).isoformat())
    with pytest.raises(Refused) as refused:
        await verbs.decide(office.client, signed(kept, office.world.key))
    assert refused.value.code == "stale_order"


async def test_decider_of_an_earlier_revision_cannot_trigger(office: Office) -> None:
    """Who decided on a revision that is void by now still decided on this request (I21)."""
    request, digest = await office.submitted()
    reviewer = office.world.people["purpose_reviewer"]
    await office.decide(request, digest, Stage.PURPOSE_REVIEW, Outcome.RETURNED)
    await office.at(request, "returned")

    other = await office.world.database.write(
        lambda u: parties.add_person(u.session, "O", "o@example.org", [Role.PURPOSE_REVIEWER]).id
    )
    await office.world.database.write(
        lambda u: parties.grant_roles(u.session, reviewer, [Role.ENGINEER])
    )
    revision = office.world.submission(request, number=2, retention_days=30)
    await verbs.amend(office.client, revision)
    office.world.people["purpose_reviewer"] = other
    for stage in GATES:
        await office.at(request, stage)
        await office.decide(request, revision.digest, stage)
    await office.at(request, "cleared")
    with pytest.raises(NotEligible) as refused:
        await verbs.trigger(
            office.client, office.world.order(Verb.TRIGGER, request, reviewer, revision.digest)
        )
    assert refused.value.why == "same_person"
