"""Random walks through the process: every step that is recorded is in the table of transitions."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from sqlmodel import Session

from sharing.errors import Refused
from sharing.orders import Verb
from sharing.records import decisions, exports, requests
from sharing.records.requests import Decision, Request
from sharing.stages import ENDED, GATES, ExportState, Outcome, RequestState, Stage
from sharing.transitions import TRANSITIONS, demand_possible, impossible
from tests.records.desk import Desk
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.messages import ExportEnd

STEPS = 60
Step = Callable[["Walk"], Awaitable[object]]


@dataclass(slots=True)
class Walk:
    """One request on its way."""

    desk: Desk
    chance: random.Random
    request: str
    digest: str
    number: int = 1

    async def row(self) -> Request:
        """The request as it stands."""
        return await self.desk.world.request(self.request)

    async def stage(self) -> Stage:
        """The gate that comes next."""

        def query(session: Session) -> Stage:
            row = requests.get(session, self.request)
            return decisions.next_gate(session, row) or GATES[-1]

        return await self.desk.database.read(query)

    async def open(self) -> None:
        """The machine opens the next gate."""
        await self.desk.opened(self.request, self.digest, await self.stage())

    async def approve(self) -> None:
        """Somebody approves at it, once it is open."""
        stage = await self.stage()
        await self.desk.opened(self.request, self.digest, stage)
        await self.desk.decided(self.request, self.digest, stage)

    async def end_gate(self) -> None:
        """Somebody refuses, or returns."""
        outcome = self.chance.choice([Outcome.RETURNED, Outcome.RETURNED, Outcome.REFUSED])
        await self.desk.decided(self.request, self.digest, await self.stage(), outcome)

    async def take_back(self) -> None:
        """Somebody takes an approval back."""

        def query(session: Session) -> list[Decision]:
            return requests.counted(session, requests.get(session, self.request))

        taken = await self.desk.database.read(query)
        if taken:
            last = taken[-1]
            order = self.desk.world.order(
                Verb.TAKE_BACK, self.request, last.actor_id, self.digest, decision=last.id
            )
            await Decisions(self.desk.database, self.desk.settings).record_taking_back(order)

    async def revise(self) -> None:
        """The partner changes the scope."""
        self.digest = await self.desk.revised(
            self.request, self.number + 1, retention_days=self.number + 1
        )
        self.number += 1

    async def trigger(self) -> None:
        """An engineer starts the export."""
        await self.desk.triggered(self.request, self.digest)

    async def fail(self) -> None:
        """The export fails, or the release finds that the clearance stands no more."""
        code = self.chance.choice(["export_failed", "not_cleared"])
        live = await self.desk.database.read(lambda s: exports.of_request(s, self.request))
        if live:
            end = ExportEnd(live[-1].id, ExportState.FAILED, code)
            await Exports(self.desk.database).record_export_end(end)

    async def finish(self) -> None:
        """Time runs out, or the partner goes."""
        if self.chance.random() < 0.5:
            await self.desk.withdrawn(self.request)
        else:
            state = RequestState((await self.row()).state)
            await self.desk.lapsed(self.request, self.digest, state)


WEIGHTS: Mapping[Step, int] = {
    Walk.open: 3,
    Walk.approve: 12,
    Walk.end_gate: 1,
    Walk.take_back: 2,
    Walk.revise: 1,
    Walk.trigger: 4,
    Walk.fail: 3,
    Walk.finish: 1,
}


@pytest.mark.parametrize("seed", range(4))
async def test_every_recorded_step_is_in_the_table(desk: Desk, seed: int) -> None:
    """Whatever people and the machine do, and in whatever order: a request only ever goes from one
    state to another as the table says."""
    chance, seen = random.Random(seed), list[list[str]]()
    walk = Walk(desk, chance, *(await desk.submitted()))
    seen.append([RequestState.SUBMITTED])
    for _ in range(STEPS):
        if (await walk.row()).state in ENDED:
            walk = Walk(desk, chance, *(await desk.submitted()))
            seen.append([RequestState.SUBMITTED])
        step = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        try:
            await step(walk)
        except Refused:
            continue
        seen[-1].append((await walk.row()).state)
    assert [step for states in seen for step in impossible(states)] == []
    assert len({state for states in seen for state in states}) >= 5


@pytest.mark.parametrize("ended", sorted(ENDED))
def test_what_has_ended_stays(ended: RequestState) -> None:
    """Nothing leads out of an end, and the code refuses such a step."""
    assert [one for one in TRANSITIONS if one.before is ended] == []
    with pytest.raises(Refused) as refused:
        demand_possible(ended, RequestState.SUBMITTED)
    assert refused.value.code == "wrong_state"


def test_an_impossible_step_is_seen() -> None:
    """The look at a row of states can fail: no request is exported behind one approval."""
    row = ["submitted", "purpose_review", "exporting"]
    assert impossible(row) == [("purpose_review", "exporting")]


def test_only_what_is_cleared_is_exported() -> None:
    """The one way into an export, and into a delivery behind it."""
    before = {
        after: {one.before for one in TRANSITIONS if one.after is after} for after in RequestState
    }
    assert before[RequestState.EXPORTING] == {RequestState.CLEARED}
    assert before[RequestState.DELIVERED] == {RequestState.EXPORTING}
