"""Everything killed with -9 while requests are under way: nothing acknowledged is lost (I23)."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import Session, select

from api import parts
from sharing.export.verify import verify
from sharing.keys import public_key
from sharing.records import audit, exports, requests, signing_keys
from sharing.records.database import Database
from sharing.records.exports import Export, Release
from tests.faults.caller import Acknowledged
from tests.faults.depot import PATIENCE
from tests.faults.under_load import Crowd, Up, under_load

pytestmark = pytest.mark.slow
WALKERS = 4
PAUSE = 1.0  # seconds between two kills
VICTIMS = (parts.CONTROL, parts.API, parts.TEMPORAL, parts.EXPORT, "up")


async def struck(up: Up, crowd: Crowd, victim: str) -> None:
    """Kills it while somebody waits for an answer."""
    async with asyncio.timeout(PATIENCE):
        while not crowd.book.in_flight:
            await asyncio.sleep(0.001)
    if victim == "up":
        await up.kill_itself()
        await up.start()
    else:
        await up.kill(victim)


async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Every process is killed, and at last the one that watches them, each twice and each while
    somebody waits for an answer; every request that was acknowledged comes to its end, with each
    decision that was acknowledged, one export and one release."""
    over = asyncio.Event()

    async def walking(crowd: Crowd) -> None:
        while not over.is_set():
            await crowd.walk()

    async with under_load(tmp_path / "home") as (up, crowd):
        async with asyncio.TaskGroup() as walkers:  # the first one who fails ends it for all
            for _ in range(WALKERS):
                walkers.create_task(walking(crowd))
            for victim in VICTIMS * 2:
                await asyncio.sleep(PAUSE)
                await struck(up, crowd, victim)
            over.set()
        async with Database(f"sqlite+aiosqlite:///{up.home}/clearance.sqlite3") as database:
            await database.read(lambda session: all_there(session, crowd.book))


def all_there(session: Session, book: Acknowledged) -> None:
    """Fails unless the database has all that was acknowledged, each once and each at its end."""
    audit.verify(session)
    assert len(book.requests) >= WALKERS
    decided, triggered = Counter(r for r, _ in book.decisions), Counter(r for r, _ in book.exports)
    for request in book.requests:
        assert requests.get(session, request).state == "delivered"
        assert (decided[request], triggered[request]) == (4, 1)
    for request, decision in book.decisions:
        assert decision in {taken.id for taken in requests.decisions_of(session, request)}
        assert len(requests.decisions_of(session, request)) == 4
    (key,) = signing_keys.known(session, "seal")
    for request, export in book.exports:
        assert [run.id for run in exports.of_request(session, request)] == [export]
        location = session.get_one(Export, export).location
        assert location is not None
        assert verify(Path(location), public_key(key)).objects == 40
    released = session.exec(select(Release.export_id)).all()
    assert sorted(released) == sorted(export for _, export in book.exports)
    assert len(session.exec(select(Export.id)).all()) == len(book.exports)
