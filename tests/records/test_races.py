"""Two programs at one request at the same moment: there is one order of things, and all agree.

On SQLite there is one writer at a time by nature, so these run on PostgreSQL only.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sharing.errors import Refused
from sharing.export import releases
from sharing.export.releases import Run
from sharing.orders import Order, Verb
from sharing.records import audit, interests, parties
from sharing.records.database import Database
from sharing.records.unit import Unit
from sharing.stages import Role, Stage
from tests.records.desk import Desk, at_desk
from tests.records.exporting import SEALED, Exporting, exporting
from tests.records.held import Work, holding, waits
from workflows.activities.decisions import _decision
from workflows.activities.exports import _cancel
from workflows.activities.submission import _withdrawal


@dataclass(slots=True)
class Race:
    """One export with an attempt at its release, and two programs that have it in hand."""

    export: Exporting
    other: Database
    run: Run

    async def one_then_the_other(self, first: Work, second: Work) -> list[Any]:
        """What each comes to: `first` has done its part, and commits only once `second` waits."""
        async with holding(self.export.desk.database, first) as ours:
            theirs = asyncio.create_task(self.other.write(second))
            await waits(self.export.desk.database)
        return list(await asyncio.gather(ours, theirs, return_exceptions=True))

    def release(self, unit: Unit) -> Any:
        """The export worker releases."""
        return releases.release(unit, self.run, SEALED)

    def withdraw(self, unit: Unit) -> None:
        """The partner withdraws."""
        _withdrawal(unit, self._order(Verb.WITHDRAW, self.export.desk.world.partner))

    def cancel(self, unit: Unit) -> None:
        """An engineer cancels."""
        _cancel(unit, self._order(Verb.CANCEL, self.export.desk.world.people["engineer"]))

    def recuse(self, unit: Unit) -> None:
        """A tie of the conflict officer becomes known."""
        found = interests.matches(unit.session, self.export.desk.world.partner)
        for person in interests.recuse(unit.session, self.export.request, found):
            unit.audit("tester", "person.recused", self.export.request, person=person)

    def _order(self, verb: Verb, actor: str) -> Order:
        world, export = self.export.desk.world, self.export
        return world.order(verb, export.request, actor, export.digest, export=export.export)

    async def states(self) -> tuple[str, str, bool]:
        """How request and export stand, and whether bytes left."""
        request = await self.export.desk.world.request(self.export.request)
        gone = await self.export.released() is not None
        return request.state, (await self.export.row()).state, gone

    async def told(self) -> list[str]:
        """What the log says of it, in order."""
        entries = await self.export.desk.database.read(
            lambda s: audit.page(s, 0, 10_000, self.export.request)
        )
        ends = ("export.released", "export.cancelled", "request.withdrawn", "person.recused")
        return [e.action for e in entries if e.action in ends]


@pytest.fixture
async def race(postgresql_url: str, tmp_path: Path) -> AsyncIterator[Race]:
    """An export ready to be released, and a second program beside it."""
    async with Database(postgresql_url) as one, Database(postgresql_url) as other:
        desk = await at_desk(one, tmp_path)
        there = await exporting(desk)
        await there.all_packed()
        person = desk.world.people["conflict_officer"]
        await desk.world.declare_interest(person, "Northlight Vision")
        yield Race(there, other, await there.attempt())


def refusal(outcome: object) -> str:
    """The code of a refusal."""
    assert isinstance(outcome, Refused), outcome
    return outcome.code


@pytest.mark.parametrize("stop", ["withdraw", "cancel"])
async def test_release_then_stop(race: Race, stop: str) -> None:
    """Who withdraws or cancels while a release commits is told that it is too late (F10)."""
    released, stopped = await race.one_then_the_other(race.release, getattr(race, stop))
    assert released is None
    assert refusal(stopped) == "wrong_state"
    assert await race.states() == ("exporting", "running", True)
    assert await race.told() == ["export.released"]


@pytest.mark.parametrize(("stop", "state"), [("withdraw", "withdrawn"), ("cancel", "exporting")])
async def test_stop_then_release(race: Race, stop: str, state: str) -> None:
    """A release that begins while a withdrawal or a cancellation commits releases nothing."""
    stopped, released = await race.one_then_the_other(getattr(race, stop), race.release)
    assert stopped is None
    assert refusal(released) == "export_cancelled"
    assert await race.states() == (state, "cancelled", False)


async def test_recusal_then_release(race: Race) -> None:
    """A release that begins while a recusal of a decider commits releases nothing (I4)."""
    recused, released = await race.one_then_the_other(race.recuse, race.release)
    assert recused is None
    assert refusal(released) == "not_cleared"
    assert await race.told() == ["person.recused"]


async def test_release_then_recusal(race: Race) -> None:
    """A recusal that begins while a release commits comes after it, in the log too."""
    released, recused = await race.one_then_the_other(race.release, race.recuse)
    assert (released, recused) == (None, None)
    assert await race.told() == ["export.released", "person.recused"]


async def test_withdrawal_of_consent_while_releasing(race: Race) -> None:
    """Consent withdrawn while a release commits is behind it in the ledger: a matter of recall."""
    world = replace(race.export.desk.world, database=race.other)
    async with holding(race.export.desk.database, race.release) as released:
        said = asyncio.create_task(world.say("s004", "withdrawn"))
        await waits(race.export.desk.database)
    assert await released is None
    position = await said
    row = await race.export.released()
    assert row is not None
    assert row.consent_position < position


async def test_two_releases_at_once(race: Race) -> None:
    """Two attempts at once make one release: the other finds it done."""
    assert await race.one_then_the_other(race.release, race.release) == [None, None]
    assert await race.told() == ["export.released"]


async def test_two_decisions_at_once(postgresql_url: str, tmp_path: Path) -> None:
    """Two people who decide at one gate at the same moment: one counts, the other is told (F13)."""
    async with Database(postgresql_url) as one, Database(postgresql_url) as other:
        desk: Desk = await at_desk(one, tmp_path)
        second = desk.world.people["admin"]
        await one.write(lambda u: parties.grant_roles(u.session, second, [Role.PURPOSE_REVIEWER]))
        request, digest = await desk.submitted()
        await desk.opened(request, digest, Stage.PURPOSE_REVIEW)
        orders = [
            desk.world.decision(request, digest, Stage.PURPOSE_REVIEW, actor=actor)
            for actor in (None, second)
        ]
        outcomes = await asyncio.gather(
            *(
                database.write(lambda u, o=order: _decision(u, o, desk.settings))  # type: ignore[misc]
                for database, order in zip((one, other), orders, strict=True)
            ),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        assert [r.code for r in refused] == ["already_decided"]
