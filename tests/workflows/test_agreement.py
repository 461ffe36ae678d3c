"""The legal gate waits for two: counsel's approval, and the partner's yes to what was approved."""

import pytest

from sharing.errors import Refused
from sharing.records import acceptances, clearances, events
from sharing.stages import GATES, Stage
from tests.signing import Signatory, signatory
from tests.workflows.conftest import Office
from tests.workflows.test_deadlines import expired
from workflows import client as verbs
from workflows.messages import request_workflow


async def at_legal(office: Office, **changes: object) -> tuple[str, str, Signatory]:
    """A request that waits for counsel, whose agreement has one term more than its template."""
    there = await signatory(office.world)
    request, digest = await office.submitted(**changes)
    for stage in GATES[:-1]:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    await office.at(request, Stage.LEGAL_APPROVAL)
    await verbs.add_terms(office.client, await there.term(request, digest))
    return request, digest, there


async def approved(office: Office, **changes: object) -> tuple[str, str, Signatory]:
    """The same, approved by counsel: now the partner is waited for."""
    request, digest, there = await at_legal(office, **changes)
    await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    return request, digest, there


async def cleared(office: Office, request: str, digest: str) -> bool:
    """True if there is a clearance."""
    found = await office.world.database.read(lambda s: clearances.of(s, request, digest))
    return found is not None


async def told(office: Office, request: str) -> list[str]:
    """The types of a request's events, in order."""
    return await office.world.database.read(
        lambda s: [event.type for event in events.of_request(s, request)]
    )


async def test_the_partners_yes_comes_last(office: Office) -> None:
    """Counsel approves and nothing is cleared; the partner accepts and it is, once."""
    request, digest, there = await approved(office)
    assert not await cleared(office, request, digest)
    yes = await there.yes(request, digest)
    await verbs.accept(office.client, yes)
    await office.at(request, "cleared")
    assert await cleared(office, request, digest)
    assert (await told(office, request)).count("request.cleared") == 1


async def test_the_partners_yes_comes_first(office: Office) -> None:
    """The partner accepts the new version, the request goes on waiting, and the approval clears."""
    request, digest, there = await at_legal(office)
    await verbs.accept(office.client, await there.yes(request, digest))
    assert not await cleared(office, request, digest)
    await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    await office.at(request, "cleared")


async def test_the_partner_never_answers(patient_office: Office) -> None:
    """An approval without the partner's yes expires at the gate's deadline, and clears nothing."""
    office = patient_office
    request, digest, there = await approved(office)
    assert await expired(office, request) == "legal_approval"
    assert not await cleared(office, request, digest)
    with pytest.raises(Refused):
        await verbs.accept(office.client, await there.yes(request, digest))
    assert not await cleared(office, request, digest)


async def test_an_early_yes_does_not_replace_counsel(patient_office: Office) -> None:
    """The partner's yes alone, without counsel's, expires too."""
    office = patient_office
    request, digest, there = await at_legal(office)
    await verbs.accept(office.client, await there.yes(request, digest))
    assert await expired(office, request) == "legal_approval"
    assert not await cleared(office, request, digest)


async def test_a_late_yes_starts_the_clearances_time(patient_office: Office) -> None:
    """A clearance by the partner's yes runs out like any other (I22)."""
    office = patient_office
    request, digest, there = await approved(office)
    await verbs.accept(office.client, await there.yes(request, digest))
    await office.at(request, "cleared")
    assert await expired(office, request) == "cleared"


async def test_taken_up_while_it_waits_for_the_partner(office: Office) -> None:
    """A request whose workflow was ended while it waited for the partner is taken up by the yes."""
    request, digest, there = await approved(office)
    await office.client.get_workflow_handle(request_workflow(request)).terminate()
    await verbs.accept(office.client, await there.yes(request, digest))
    await office.at(request, "cleared")
    assert await cleared(office, request, digest)


async def test_a_revision_starts_again(office: Office) -> None:
    """A changed scope while the partner is waited for voids the approval; the revision is under
    the template again, and its own submission accepts that."""
    request, digest, there = await approved(office)
    old = await there.yes(request, digest)
    revision = office.world.submission(request, number=2, retention_days=30)
    await verbs.amend(office.client, revision)
    with pytest.raises(Refused) as refused:
        await verbs.accept(office.client, old)
    assert refused.value.code in ("stale_digest", "wrong_stage")
    for stage in GATES:
        await office.at(request, stage)
        await office.decide(request, revision.digest, stage)
    await office.at(request, "cleared")


async def test_a_repeated_order_counts_once(office: Office) -> None:
    """The same yes sent again, and the same term sent again, change nothing."""
    request, digest, there = await at_legal(office)
    term = await there.term(request, digest, action="visit", text="let us visit")
    await verbs.add_terms(office.client, term)
    await verbs.add_terms(office.client, term)
    yes = await there.yes(request, digest)
    await verbs.accept(office.client, yes)
    await verbs.accept(office.client, yes)
    types = await told(office, request)
    assert types.count("agreement.terms_added") == 2
    assert types.count("agreement.accepted") == 2  # the submission's, and this one
    await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    await office.at(request, "cleared")


async def test_stricter_houses_ask_always(office: Office) -> None:
    """With `signature` the request itself accepts nothing: the unaltered template is signed too."""
    object.__setattr__(office.settings, "agreement_acceptance", "signature")
    there = await signatory(office.world)
    request, digest = await office.submitted()
    for stage in GATES:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    agreement = await there.current(request)
    found = await office.world.database.read(
        lambda s: acceptances.of(s, request, digest, agreement)
    )
    assert found is None
    assert not await cleared(office, request, digest)
    await verbs.accept(office.client, await there.yes(request, digest))
    await office.at(request, "cleared")
