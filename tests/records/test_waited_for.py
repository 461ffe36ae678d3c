"""What happens while a transaction waits for another: it is judged by what holds after the wait.

On PostgreSQL, where two write at once. Each test holds what the other needs, and lets it go once
the other is seen to wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from sharing.conflict import InterestKind, Organisation
from sharing.errors import Refused
from sharing.export.releases import Stale
from sharing.orders import Verb
from sharing.ownership import EdgeKind
from sharing.records import gathering, heads, interests, late_interests, roles
from sharing.records.database import Database
from sharing.records.gathering import Entity, Hold
from sharing.records.late_interests import Followed
from sharing.records.parties import Person
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import ExportState, Role
from tests.records.desk import Desk, at_desk
from tests.records.exporting import exporting
from tests.records.held import holding, waits
from workflows.activities.exports import _cancel, _end
from workflows.messages import ExportEnd

AURORA = "Aurora Holdings"


@pytest.fixture
async def other(postgresql_url: str) -> AsyncIterator[Database]:
    """Another process at the same database."""
    async with Database(postgresql_url) as there:
        yield there


@pytest.fixture
async def third(postgresql_url: str) -> AsyncIterator[Database]:
    """One more, which looks on."""
    async with Database(postgresql_url) as there:
        yield there


@pytest.fixture
async def at(postgresql_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on PostgreSQL."""
    async with Database(postgresql_url) as one:
        yield await at_desk(one, tmp_path)


def ledger(unit: Unit) -> None:
    """As an import that takes its time."""
    heads.position(unit.session.connection(), "consent", hold=True)


async def test_a_role_that_is_taken_meanwhile(at: Desk, other: Database, third: Database) -> None:
    """A role that was taken while a release waited for the ledger is held no longer: no release."""
    there = await exporting(at)
    await there.all_packed()
    run = await there.attempt()
    who, admin = at.world.people["legal_counsel"], at.world.people["admin"]

    def take(unit: Unit) -> None:
        roles.take(unit, unit.session.get_one(Person, who), Role.LEGAL_COUNSEL, admin)

    async with holding(other, ledger):
        release = asyncio.create_task(there.release(run))
        await waits(third)
        await third.write(take)
    with pytest.raises(Refused) as refused:
        await release
    assert (refused.value.code, await there.released()) == ("not_cleared", None)


async def test_consent_that_runs_out_meanwhile(at: Desk, other: Database, third: Database) -> None:
    """Consent that ran out while a release waited for the ledger is over: its shard is stale."""
    there = await exporting(at)
    until_then = now() + timedelta(seconds=3)
    await at.world.say("s003", valid_until=until_then)
    await there.all_packed()
    run = await there.attempt()
    async with holding(other, ledger):
        release = asyncio.create_task(there.release(run))
        await waits(third)
        await asyncio.sleep(max(0.0, (until_then - now()).total_seconds()) + 0.1)
    assert isinstance(await release, Stale)
    assert await there.released() is None


async def test_an_owner_and_an_interest_at_once(at: Desk, other: Database, third: Database) -> None:
    """Where an owner of the partner and an interest in that owner become known at once, whoever
    comes second sees the first: the person is recused."""
    owner, partner = Entity(AURORA), Entity("Northlight Vision")
    await at.database.write(lambda u: gathering.gather(u.session, [owner, partner], [], "t"))
    request, _ = await at.cleared()
    officer = at.world.people["conflict_officer"]

    def owned(unit: Unit) -> None:
        held = Hold(owner, partner, next(iter(EdgeKind)), share=0.62)
        gathering.gather(unit.session, [], [held], "t")
        late_interests.follow_all(unit, "tester")

    def declares(unit: Unit) -> Followed:
        since, tie = date(2010, 1, 1), Organisation(AURORA)
        fund = InterestKind.FUND
        interest = interests.declare(unit, officer, tie, fund, since, None, "", officer)
        return late_interests.follow(unit, interest, officer)

    async with holding(at.database, owned):
        declared = asyncio.create_task(other.write(declares))
        await waits(third)
    assert (await declared).recused == [(request, officer)]
    assert officer in await third.read(lambda s: interests.recused_from(s, request))


async def test_a_run_that_ends_while_it_is_cancelled(
    at: Desk, other: Database, third: Database
) -> None:
    """A run that ends while somebody cancels it was cancelled: what the person did stays."""
    there = await exporting(at)
    await there.all_packed()
    order = at.world.order(
        Verb.CANCEL, there.request, at.world.people["engineer"], there.digest, export=there.export
    )
    end = ExportEnd(there.export, ExportState.FAILED, "export_failed", "It failed.")
    async with holding(at.database, lambda u: _cancel(u, order)):
        ended = asyncio.create_task(other.write(lambda u: _end(u, end)))
        await waits(third)
    await ended
    row = await there.row()
    assert (row.state, row.code) == ("cancelled", "export_cancelled")
