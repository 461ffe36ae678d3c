"""A thousand withdrawals aimed at an export: each is in time and out of the package, or too late
and called back; never both, never neither."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlmodel import select

from sharing.export import runs
from sharing.export.pack import ShardResult
from sharing.export.releases import Stale
from sharing.export.select import Chosen
from sharing.records.database import Database
from sharing.records.recalls import RecallItem
from tests.records.desk import Desk, at_desk
from tests.records.exporting import Exporting

pytestmark = pytest.mark.slow

SUBJECTS, SHARD = 1_200, 120  # objects a shard; two objects a subject, so 20 shards
WHILE_PACKED, WHILE_SEALED, ROUNDS, AT_RELEASE = 25, 60, 9, 20
AIMED = 1_000


@dataclass(slots=True)
class Race:
    """An export under way, and the subjects who withdraw while it is."""

    export: Exporting
    chance: random.Random
    willing: list[str]
    packed: dict[int, Chosen] = field(default_factory=dict)
    withdrew: list[str] = field(default_factory=list)
    hits: int = 0

    @property
    def database(self) -> Database:
        """Where it is recorded."""
        return self.export.desk.database

    def inside(self) -> set[str]:
        """Everybody who is in what is packed now."""
        return {c.subject for chosen in self.packed.values() for c in chosen.candidates}

    async def withdraw(self, subjects: list[str], chosen: set[str]) -> None:
        """Each takes its consent back by an event of its own. It is a hit where the subject's
        objects were let through already, and nothing has been released."""
        for subject in subjects:
            self.willing.remove(subject)
            await self.export.desk.world.say(subject, "withdrawn")
            self.withdrew.append(subject)
            self.hits += subject in chosen

    async def pack(self, number: int, withdrawals: int) -> None:
        """Packs a shard; people in it withdraw when they were asked, and before it is recorded."""
        export = self.export.export
        fenced = await self.database.write(lambda u: runs.take_shard(u, export, number))
        assert fenced is not None
        chosen = await self.database.read(lambda s: runs.choose(s, fenced))
        there = {candidate.subject for candidate in chosen.candidates}
        some = sorted(there & set(self.willing))
        await self.withdraw(self.chance.sample(some, min(withdrawals, len(some))), there)
        done = ShardResult(number, (), len(chosen.candidates), 1, "m", "x" * 64, ())
        await self.database.write(lambda u: runs.commit_shard(u, fenced, chosen, done))
        self.packed[number] = chosen

    async def attempt(self, withdrawals: int) -> Stale | None:
        """Seals; people withdraw when everything is sealed; then tries to release."""
        run = await self.export.attempt()
        some = sorted(self.inside() & set(self.willing))
        await self.withdraw(self.chance.sample(some, withdrawals), self.inside())
        return await self.export.release(run)

    async def at_once(self, elsewhere: Desk, withdrawals: int) -> Stale | None:
        """The same, and the withdrawals come from another process while the release commits."""
        run = await self.export.attempt()
        some = self.chance.sample(sorted(self.inside() & set(self.willing)), withdrawals)
        for subject in some:
            self.willing.remove(subject)
        release = asyncio.create_task(self.export.release(run))
        await asyncio.gather(*(elsewhere.world.say(subject, "withdrawn") for subject in some))
        outcome = await release
        self.withdrew += some
        return outcome


async def race(database: Database, home: Path) -> Race:
    """Everybody said yes, and an engineer triggered the export."""
    desk = await at_desk(database, home, SUBJECTS)
    names = [f"s{n:03}" for n in range(SUBJECTS)]
    await asyncio.gather(*(desk.world.say(name) for name in names))
    scope = {"fields": ["photo"], "where": {}, "limit": 10 * SUBJECTS}
    request, digest = await desk.cleared(scope=scope)
    export = Exporting(desk, request, digest, await desk.triggered(request, digest))
    return Race(export, random.Random(20141123), names)


async def called_back(database: Database) -> list[str]:
    """Subjects who have a recall item, one entry an item."""
    return await database.read(lambda s: list(s.exec(select(RecallItem.subject)).all()))


async def test_a_thousand_withdrawals(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Aimed between asking and recording a shard, between seal and release, and at the release
    itself: who is in the package when bytes leave has a recall item, and nobody else has."""
    there = await race(database, tmp_path)
    for number in range(await there.export.planned(SHARD)):
        await there.pack(number, WHILE_PACKED)
    for _ in range(ROUNDS):
        stale = await there.attempt(WHILE_SEALED)
        assert stale is not None, "a release with people in it who had withdrawn"
        assert await there.export.released() is None
        for number in stale.shards:
            await there.pack(number, 0)
        assert not there.inside() & set(there.withdrew)
    assert there.hits >= AIMED
    async with Database(database_url) as other:
        desk = there.export.desk
        elsewhere = replace(desk, world=replace(desk.world, database=other))
        while (stale := await there.at_once(elsewhere, AT_RELEASE)) is not None:
            for number in stale.shards:
                await there.pack(number, 0)
    released = there.inside()
    late = sorted(released)[:AT_RELEASE]
    await there.withdraw([subject for subject in late if subject in there.willing], set())
    assert sorted(await called_back(database)) == sorted(released & set(there.withdrew))
