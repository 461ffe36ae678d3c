"""What a source has sent before is not taken twice, whoever sends it, and however often."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from sharing.records import intake
from sharing.records.consents import Consent
from sharing.records.database import Database
from sharing.records.intake import Taken
from sharing.records.tables import now
from tests.records.test_ledger import said

USED = "source_id: was used before for something else, at position"


async def take(database: Database, *events: dict[str, Any]) -> Taken:
    """Takes events in, in one transaction."""
    return await database.write(lambda unit: intake.take_in(unit, events))


async def ledger(database: Database) -> list[tuple[int, str, str | None]]:
    """Position, subject and source_id of every event, in order."""

    def read(session: Session) -> list[tuple[int, str, str | None]]:
        statement = select(Consent.position, Consent.subject, Consent.source_id)
        return [(p, s, i) for p, s, i in session.exec(statement.order_by(col(Consent.position)))]

    return await database.read(read)


async def test_the_same_again_is_known(database: Database) -> None:
    """Events sent again under their source_id are counted as known, and the ledger stays."""
    events = [said("a", source_id="1"), said("b", source_id="2", minor=False, evidence="e/2")]
    assert await take(database, *events) == Taken(2, 0, (), 2)
    assert await take(database, *events, said("c", source_id="3")) == Taken(1, 2, (), 3)
    assert await ledger(database) == [(1, "a", "1"), (2, "b", "2"), (3, "c", "3")]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "b"}, {"action": "withdrawn"}, {"explicit": False}, {"notice_version": "2"},
        {"at": datetime(2020, 1, 2, 3, 4, 5, 678902, tzinfo=UTC)}, {"method": "paper"},
        {"valid_until": datetime(2030, 1, 1, tzinfo=UTC)}, {"minor": False}, {"evidence": "x"},
    ],
    ids=str,
)  # fmt: skip
async def test_another_content_is_refused(database: Database, change: dict[str, Any]) -> None:
    """A source_id that stands for something else is refused, with the position of what it is."""
    event = said("a", source_id="1")
    await take(database, said("z"), event)
    told = await take(database, said("n"), {**event, **change}, said("m"))
    assert told == Taken(2, 0, ((1, f"{USED} 2."),), 4)
    assert [s for _, s, _ in await ledger(database)] == ["z", "a", "n", "m"]


async def test_a_batch_is_looked_through_too(database: Database) -> None:
    """Within one batch the first of a source_id counts: the same is known, another is refused."""
    told = await take(
        database, said("a", source_id="1"), said("b"), said("a", source_id="1"),
        said("c", source_id="1"), said("c", source_id="3"), said("d", source_id="3"),
    )  # fmt: skip
    assert told == Taken(3, 1, ((3, f"{USED} 1."), (5, f"{USED} 3.")), 3)


async def test_each_source_names_its_own(database: Database) -> None:
    """Two sources may use the same source_id, and events without one are never the same."""
    events = [said("a", source="web", source_id="1"), said("b", source="app", source_id="1")]
    assert (await take(database, *events, said("c"), said("c"))).accepted == 4
    assert (await take(database, *events, said("c"))).accepted == 1


async def test_nothing_is_said_in_the_future(database: Database) -> None:
    """A clock that runs ahead is set to the moment of recording; sent again it is known."""
    ahead = now() + timedelta(minutes=4)
    event = said("a", source_id="1", at=ahead)
    await take(database, event)
    at, recorded = await database.read(
        lambda s: s.exec(select(Consent.at, Consent.recorded_at)).one()
    )
    assert at == recorded < ahead
    assert (await take(database, event)).known == 1
    early = said("a", source_id="1", at=recorded - timedelta(microseconds=1))
    assert (await take(database, early)).refused == ((0, f"{USED} 1."),)


async def test_two_imports_at_once(database_url: str) -> None:
    """Of two writers that send the same events at once, each event is taken from one of them."""
    async with Database(database_url) as one, Database(database_url) as other:
        batches = [
            [said(f"s{n}", source_id=str(n)) for n in range(start, start + 30)]
            for start in range(0, 300, 10)  # each event is in three batches, and sent six times
        ]
        told = await asyncio.gather(*(take(d, *batch) for batch in batches for d in (one, other)))
        rows = await ledger(one)
    assert [position for position, _, _ in rows] == list(range(1, len(rows) + 1))
    assert sorted(int(name) for _, _, name in rows if name is not None) == list(range(320))
    assert sum(t.accepted for t in told) == len(rows)
    assert sum(t.known for t in told) == 2 * 30 * len(batches) - len(rows)


async def test_two_imports_that_contradict_each_other(database_url: str) -> None:
    """Where two writers at once use an id for different things, one is taken, one refused."""
    async with Database(database_url) as one, Database(database_url) as other:
        for n in range(20):
            told = await asyncio.gather(
                take(one, said("a", source_id=str(n))), take(other, said("b", source_id=str(n)))
            )
            assert sorted((t.accepted, len(t.refused)) for t in told) == [(0, 1), (1, 0)]
        assert len(await ledger(one)) == 20
