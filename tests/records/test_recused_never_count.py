"""Whatever happens in whatever order: a recused person's decision never counts (I4)."""

import random
from contextlib import suppress
from itertools import combinations

import pytest

from sharing.conflict import InterestKind
from sharing.errors import Refused
from sharing.orders import Verb
from sharing.records import accounts, clearances, interests, linking, requests
from sharing.stages import GATE_ROLES, GATES, RequestState, Stage
from tests.records.desk import Desk
from tests.records.late import another, known
from workflows.activities.decisions import Decisions

STEPS = 25


async def step(desk: Desk, chance: random.Random, request: str, digest: str) -> None:
    """Somebody decides, takes back, turns out to have an interest, or to be somebody else."""
    people = [desk.world.people[GATE_ROLES[stage]] for stage in GATES]
    people += [desk.world.people[f"{GATE_ROLES[stage]}2"] for stage in GATES]
    act = chance.choice(["decide"] * 16 + ["take back"] * 3 + ["interest", "link"])
    if act == "decide":
        for stage in GATES:
            await desk.opened(request, digest, stage)
        stage = Stage((await desk.world.request(request)).waiting_stage or GATES[0])
        role = GATE_ROLES[stage] if stage in GATES else GATE_ROLES[GATES[0]]
        who = desk.world.people[chance.choice([str(role), f"{role}2"])]
        await desk.decided(request, digest, stage, actor=who)
    elif act == "take back":
        taken = await desk.database.read(lambda s: requests.decisions_of(s, request))
        one = chance.choice(taken)
        order = desk.world.order(Verb.TAKE_BACK, request, one.actor_id, decision=one.id)
        await Decisions(desk.database, desk.settings).record_taking_back(order)
    elif act == "interest":
        await known(desk, chance.choice(people), kind=chance.choice(list(InterestKind)))
    else:
        first, second = chance.sample(people, 2)
        await desk.database.write(lambda u: linking.link(u, first, second, "adm"))


async def holds(desk: Desk, request: str, digest: str) -> str:
    """What must be so after every step; returns the request's state."""
    row = await desk.world.request(request)
    counted = await desk.database.read(lambda s: requests.counted(s, row))
    recused = await desk.database.read(lambda s: interests.recused_from(s, request))
    deciders = {one.actor_id for one in counted}
    assert not deciders & recused
    for one, other in combinations(sorted(deciders), 2):
        assert await desk.database.read(
            lambda s, a=one, b=other: accounts.human(s, a) != accounts.human(s, b)  # type: ignore[misc]
        )
    clearance = await desk.database.read(lambda s: clearances.of(s, request, digest))
    assert (clearance is not None) == (row.state == RequestState.CLEARED)
    if clearance is not None:
        assert {one.stage for one in counted} == set(GATES)
    return row.state


@pytest.mark.parametrize("seed", range(8))
async def test_no_recused_persons_decision_counts(desk: Desk, seed: int) -> None:
    """Over random orders of decisions, take-backs, late interests and linked accounts, after every
    step: whose decision counts is recused by no account and counts once, and a clearance stands
    exactly where four such approvals do."""
    chance, reached = random.Random(seed), set()
    for stage in GATES:
        role = GATE_ROLES[stage]
        desk.world.people[f"{role}2"] = await another(desk, role)
    for _ in range(2):
        request, digest = await desk.submitted()
        for _ in range(STEPS):
            with suppress(Refused, IndexError):
                await step(desk, chance, request, digest)
            reached.add(await holds(desk, request, digest))
    assert RequestState.CLEARED in reached
