"""The model beside the real records: random walks, each step tried in both."""

import os
import random
from pathlib import Path

import pytest

from sharing.records.database import Database
from sharing.stages import DECISIONS, GATES, RequestState
from tests.model.office import Office
from tests.model.state import (
    APPROVED,
    AWAITING,
    CLOSED,
    EXPIRED,
    GATE_OF,
    REFUSED,
    RETURNED,
    RUNNING,
    STATES,
    State,
    Step,
    at_slot,
    gate_state,
    words,
)
from tests.model.steps import APPROVE, OVER, RETURNED_AT, Steps
from tests.model.world import CLEO_INTERESTED, EVERYBODY, NAMES, WORLDS, World, people_in
from tests.records.desk import at_desk

WALKS = int(os.environ.get("MODEL_WALKS", "4"))  # more by hand: MODEL_WALKS=200
LONGEST = 30
SAID = {APPROVED: "approved", REFUSED: "refused", RETURNED: "returned", EXPIRED: "expired"}
# How often a step is taken that is open: enough of what leads on that many walks end in a release.
WEIGHTS = {
    "open": 30.0, "decide": 6.0, "trigger": 8.0, "confirm": 15.0, "pack": 10.0, "release": 20.0,
    "repack": 20.0, "refused": 20.0, "renew": 5.0, "agree": 3.0, "known": 0.4, "take_back": 0.5,
    "amend": 0.3, "withdraw": 0.03, "late": 0.1, "lapse": 0.1, "cancel": 0.5, "end": 0.5,
}  # fmt: skip


def expected(s: State, steps: Steps) -> dict[str, object]:
    """A state of the model in the words in which the records are asked."""
    world, at = steps.world, STATES[s.at]
    gates = {GATES[g]: gate_state(s.gates, g) for g in range(len(GATES))}
    run = {AWAITING: "awaiting_confirmation", RUNNING: "running"}
    return {
        "at": at,
        "revision": s.revision,
        "waiting": s.waiting if s.at in GATE_OF else None,
        "gates": {stage: SAID.get(g) for stage, g in gates.items() if g != CLOSED},
        "counted": sorted(
            (GATES[slot.gate], slot.role, NAMES[p])
            for i, slot in enumerate(world.slots)
            for p in people_in(at_slot(s.counted, i))
        ),
        "recused": sorted(NAMES[p] for p in people_in(steps.product.recused(s.facts, s.waiver))),
        "cleared": s.cleared > 0,
        "run": run.get(s.run.state) if s.at not in OVER else None,
    }


def attempt(s: State, world: World, dice: random.Random) -> Step:
    """Something that somebody tries, right or wrong."""
    who = dice.choice(EVERYBODY)
    tries = [
        Step("decide", who, dice.randrange(len(world.slots)), dice.randrange(len(DECISIONS))),
        Step("trigger", who),
    ]
    taken = [(i, p) for i in range(len(world.slots)) for p in people_in(at_slot(s.counted, i))]
    if taken:
        tries.append(Step("take_back", who, *dice.choice(taken)))
    if s.facts & CLEO_INTERESTED:
        tries.append(Step("agree", who))
    if s.run.state:
        tries += [Step("confirm", who), Step("amend")]
    return dice.choice(tries)


def weight(step: Step) -> float:
    """How likely a step is taken; what ends a request seldom."""
    bad = step.verb == "decide" and step.how != APPROVE
    return 0.1 if bad else WEIGHTS[step.verb]


def leading(step: Step, counted: int) -> float:
    """How much a step leads on: who decides where nobody has yet comes before anybody else."""
    again = step.verb == "decide" and at_slot(counted, step.what)
    return weight(step) - (1 if again else 0)


async def walked(
    office: Office, steps: Steps, dice: random.Random, straight: bool = False
) -> tuple[list[str], State]:
    """One walk through both; what was done, and where the model ended. A `straight` one tries only
    what leads on."""
    s, told = State(), list[str]()
    await office.begin()
    for _ in range(LONGEST):
        if s.at in OVER:
            break
        # A clearance's row can't be made to run out, so that clock is left alone here.
        open_now = {
            step: new
            for step, new in steps.after(s)
            if step.verb not in ("late", "lapse") or s.at in (*GATE_OF, RETURNED_AT)
        }
        if straight:
            step = max(open_now, key=lambda one: leading(one, s.counted))
        elif dice.random() < 0.7:
            step = dice.choices(list(open_now), [weight(one) for one in open_now])[0]
        else:
            step = attempt(s, steps.world, dice)
        taken = await office.took(step)
        told.append(f"{words(step, steps.world)}: {'done' if taken else 'refused'}")
        assert taken == (step in open_now), ("the records say otherwise", told, s)
        s = open_now.get(step, s)
        assert await office.seen() == expected(s, steps), (told, s)
    return told, s


async def compared(database: Database, home: Path, world: World) -> None:
    """Walks through a world in both, and at least once to its good end."""
    desk = await at_desk(database, home, special_category=world.confirmed)
    for number in range(10):
        await desk.world.say(f"s{number:03}")
    steps, dice = Steps(world), random.Random(2014)
    _, end = await walked(Office(desk, world), steps, dice, straight=True)
    assert STATES[end.at] is RequestState.DELIVERED
    for _ in range(WALKS):
        await walked(Office(desk, world), steps, dice)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name.replace(" ", "_"))
async def test_the_model_is_the_product(sqlite_url: str, tmp_path: Path, world: World) -> None:
    """In random walks, the real activities and triggers take and refuse each step as the model
    does, and stand where it stands."""
    async with Database(sqlite_url) as database:
        await compared(database, tmp_path, world)


async def test_the_model_is_the_product_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    """On PostgreSQL too."""
    async with Database(postgresql_url) as database:
        await compared(database, tmp_path, WORLDS[2])


async def test_a_model_that_lets_more_through_is_told(sqlite_url: str, tmp_path: Path) -> None:
    """A model in which a person may decide twice parts from the records, and the walk says so."""
    off = frozenset({"demand.same_person", "db.decision.once"})
    async with Database(sqlite_url) as database:
        office = Office(await at_desk(database, tmp_path), WORLDS[2])
        with pytest.raises(AssertionError, match="the records say otherwise"):
            await walked(office, Steps(WORLDS[2], off), random.Random(1), straight=True)
