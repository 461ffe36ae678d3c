"""A gate that lost its decision: the process hears of it, waits there again, and goes on."""

from datetime import date

import pytest

from sharing.conflict import InterestKind, Organisation
from sharing.errors import Refused
from sharing.orders import Verb
from sharing.records import (
    clearances,
    decisions,
    exports,
    interests,
    late_interests,
    parties,
    requests,
)
from sharing.records.requests import Decision
from sharing.records.unit import Unit
from sharing.stages import GATE_ROLES, GATES, RequestState, Stage
from tests.workflows.conftest import Office
from workflows import client as verbs
from workflows.messages import request_workflow

SIGNOFF = Stage.CONFLICT_SIGNOFF


async def interest_known(office: Office, person: str) -> list[str]:
    """A person's fund turns out to hold a part of the partner; the requests that this changed."""

    def work(unit: Unit) -> list[str]:
        since, tie = date(2010, 1, 1), Organisation("Northlight Vision")
        found = interests.declare(unit, person, tie, InterestKind.FUND, since, None, "", person)
        return late_interests.follow(unit, found, person).changed

    return await office.world.database.write(work)


async def another(office: Office, stage: Stage) -> str:
    """A second person for a gate."""
    role = GATE_ROLES[stage]
    return await office.world.database.write(
        lambda u: parties.add_person(u.session, "Another", f"another.{role}@example.org", [role]).id
    )


async def take_back(office: Office, request: str, decision: Decision) -> None:
    """The decider of a gate takes the approval back, as the API would send it."""
    order = office.world.order(Verb.TAKE_BACK, request, decision.actor_id, decision=decision.id)
    await verbs.take_back(office.client, order)


async def counted(office: Office, request: str) -> list[Decision]:
    """The decisions that count."""
    row = await office.world.request(request)
    return await office.world.database.read(lambda s: requests.counted(s, row))


async def test_a_late_interest_reopens_a_cleared_request(patient_office: Office) -> None:
    """Cleared, then an interest becomes known: the gate waits for somebody else, and once they
    approve, the same digest is cleared again and exported."""
    office = patient_office
    with office.environment.with_time_skipping_disabled():
        request, digest = await office.cleared()
        first = await office.world.database.read(lambda s: clearances.of(s, request, digest))
        officer = office.world.people[GATE_ROLES[SIGNOFF]]
        assert await interest_known(office, officer) == [request]
        await verbs.look_again(office.client, request)
        await office.at(request, SIGNOFF)
        await office.decide(request, digest, SIGNOFF, actor=await another(office, SIGNOFF))
        await office.at(request, RequestState.CLEARED)
        second = await office.world.database.read(lambda s: clearances.of(s, request, digest))
        assert first is not None
        assert second is not None
        assert first.id != second.id
        trigger = office.world.order(Verb.TRIGGER, request, office.world.people["engineer"], digest)
        await verbs.trigger(office.client, trigger)
        assert await office.world.database.read(lambda s: exports.live(s, request, digest))


@pytest.mark.parametrize("number", range(4))
async def test_an_approval_is_taken_back_at_each_gate(patient_office: Office, number: int) -> None:
    """The latest approval is taken back: its gate waits again, the same person approves again, and
    the request is cleared; an approval behind which another gate has decided stays."""
    office = patient_office
    with office.environment.with_time_skipping_disabled():
        request, digest = await office.submitted()
        for stage in GATES[: number + 1]:
            await office.at(request, stage)
            await office.decide(request, digest, stage)
        taken = await counted(office, request)
        if number:
            with pytest.raises(Refused) as refused:
                await take_back(office, request, taken[0])
            assert refused.value.code == "wrong_state"
        await take_back(office, request, taken[-1])
        for stage in GATES[number:]:
            await office.at(request, stage)
            await office.decide(request, digest, stage)
        await office.at(request, RequestState.CLEARED)
        assert len(await counted(office, request)) == 4


async def test_news_that_was_lost_is_found_by_the_sweep(patient_office: Office) -> None:
    """The API dies between the interest's commit and the news of it, and the workflow with it: what
    the control worker looks after brings the gate back."""
    office = patient_office
    with office.environment.with_time_skipping_disabled():
        request, digest = await office.submitted()
        for stage in GATES[:2]:
            await office.at(request, stage)
            await office.decide(request, digest, stage)
        await office.at(request, SIGNOFF)
        reviewer = office.world.people[GATE_ROLES[GATES[0]]]
        await interest_known(office, reviewer)
        await office.client.get_workflow_handle(request_workflow(request)).terminate()
        found = await office.world.database.read(decisions.reopened_ids)
        assert found == {request}
        await verbs.look_again(office.client, request)
        await office.at(request, GATES[0])
        await office.decide(request, digest, GATES[0], actor=await another(office, GATES[0]))
        await office.at(request, SIGNOFF)


async def test_an_interest_found_by_the_screening_goes_back_at_once(
    patient_office: Office,
) -> None:
    """An interest that nobody followed is found as gate 3 opens: the process itself goes back to
    the gate that lost its decision, and nobody has to tell it."""
    office = patient_office
    with office.environment.with_time_skipping_disabled():
        request, digest = await office.submitted()
        await office.decide(request, digest, GATES[0])
        await office.at(request, GATES[1])
        reviewer = office.world.people[GATE_ROLES[GATES[0]]]
        await office.world.declare_interest(reviewer, "Northlight Vision")
        await office.decide(request, digest, GATES[1])
        await office.at(request, GATES[0])
        await office.decide(request, digest, GATES[0], actor=await another(office, GATES[0]))
        await office.at(request, SIGNOFF)
