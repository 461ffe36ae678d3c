"""What an export worker has under way, with a database that is slow to be told."""

import asyncio

import pytest

from sharing.export.pace import Pace
from sharing.records.database import Database
from sharing.records.steering import Steered
from tests.faults.depot import PATIENCE
from tests.records.held import holding
from workflows.activities import hands, underway
from workflows.activities.underway import UnderWay

LIMITED = Steered(wanted=True, limit=1_000_000, workers=1)


def packs(pace: Pace) -> str:
    """Packs three small photos."""
    for number in (1, 2, 3):
        pace(number, number * 100)
    return "packed"


async def test_a_limited_shard_goes_on_whenever_it_begins(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard that begins when nothing else is under way, while the database is still being told
    of what was, is granted its bytes."""
    monkeypatch.setattr(underway, "SECOND", 0.0)
    async with Database(postgresql_url) as database:
        all_work, one = UnderWay(database, None), hands.threads(1)

        async def packed() -> str:
            async with all_work.shard("exp_1", LIMITED) as pace:
                return await one.run(packs, pace)

        async with holding(database, lambda unit: None):
            async with all_work.phase("exp_1", "plan"):
                await asyncio.sleep(10 * underway.TICK)  # told by now; the writer is not free
            await asyncio.sleep(4 * underway.TICK)
            packing = asyncio.create_task(packed())
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            assert await packing == "packed"


async def test_a_shard_that_is_left_stops(sqlite_url: str) -> None:
    """The process of a shard that nobody waits for any more stops, and the shard after it has a
    place of its own."""
    async with Database(sqlite_url) as database:
        all_work, two = UnderWay(database, 1), hands.threads(2)  # a byte a second

        async def packed() -> str:
            async with all_work.shard("exp_1", LIMITED) as pace:
                places.append(pace.place)
                return await two.run(packs, pace)

        places = list[int]()
        left = asyncio.create_task(packed())
        await asyncio.sleep(2 * underway.TICK)
        left.cancel()
        await asyncio.wait([left], timeout=PATIENCE)
        after = asyncio.create_task(packed())
        await asyncio.sleep(2 * underway.TICK)
        after.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(two.wait)
        assert len(set(places)) == 2
