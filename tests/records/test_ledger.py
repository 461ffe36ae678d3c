"""The ledger in columns: every event once more as numbers, linked to all that came before."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from sharing.records import consents, datasets, ledger
from sharing.records.database import Database
from sharing.records.ledger import NEVER, LedgerBroken
from sharing.records.unit import Unit
from tests import walk
from tests.walk import populate

AT = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def said(subject: str, **changes: Any) -> dict[str, Any]:
    """One event of a subject."""
    return walk.said(subject, **{"at": AT, "source": "test", **changes})


async def append(database: Database, *events: dict[str, Any]) -> int:
    """Appends in one transaction."""
    return await database.write(lambda u: consents.append(u, events))


async def columns(database: Database) -> list[dict[str, list[int]]]:
    """The arrays of each checkpoint, in order."""

    def read(session: Session) -> list[dict[str, list[int]]]:
        return [
            {name: found.tolist() for name, found in ledger.columns_of(one).items()}
            for one in ledger.checkpoints(session)
        ]

    return await database.read(read)


async def test_events_are_there_in_columns(database: Database) -> None:
    """A checkpoint an append; subjects and statements keep the number that they got first."""
    await append(database, said("b"), said("a", valid_until=AT), said("b", action="withdrawn"))
    await append(database, said("c"), said("a", at=datetime(1969, 12, 31, 23, tzinfo=UTC)))
    micros = 1577934245678901
    assert await columns(database) == [
        {"subject": [0, 1, 0], "statement": [0, 0, 1], "at": [micros] * 3,
         "until": [NEVER, micros, NEVER]},
        {"subject": [2, 1], "statement": [0, 0], "at": [micros, -3_600_000_000],
         "until": [NEVER, NEVER]},
    ]  # fmt: skip
    assert [s[3] for s in await database.read(ledger.statements)] == ["given", "withdrawn"]


async def test_checkpoints_are_linked(database: Database) -> None:
    """Each names the hash of the one before, and the positions leave no gap."""
    for subject in "abc":
        await append(database, said(subject), said(subject))
    found = await database.read(lambda s: list(ledger.checkpoints(s)))
    assert [(c.first, c.last) for c in found] == [(1, 2), (3, 4), (5, 6)]
    assert [c.previous for c in found] == [ledger.GENESIS, found[0].hash, found[1].hash]
    assert [c.first for c in await database.read(lambda s: list(ledger.checkpoints(s, 2, 4)))] == [
        3
    ]


async def test_changed_columns_are_noticed(database: Database) -> None:
    """A checkpoint whose numbers, text digest or place were changed is not believed."""
    await append(database, said("a"), said("b"))
    (found,) = await database.read(lambda s: list(ledger.checkpoints(s)))
    for name, value in (
        ("columns", found.columns[:-1] + b"\x00"),
        ("columns", found.columns + b"\x00"),
        ("events_sha256", "0" * 64),
        ("first", 2),
        ("previous", "1" * 64),
    ):
        with pytest.raises(LedgerBroken, match="position 2"):
            ledger.columns_of(ledger.Checkpoint(**{**found.model_dump(), name: value}))
    assert ledger.columns_of(found)["subject"].dtype == np.dtype("<u4")


async def test_an_index_gives_numbers_too(database: Database) -> None:
    """Subjects of a published index have numbers, those who never said anything included."""
    world = await populate(database)
    await append(database, said("s1"))
    rows = [
        {"dataset_id": world.dataset, "index_version": 1, "position": i, "path": f"{i}.jpg",
         "subject": f"s{3 - i}", "bytes": 1, "modified_ns": 0, "media_type": "image/jpeg"}
        for i in range(3)
    ]  # fmt: skip

    def publish(unit: Unit) -> dict[str, int]:
        datasets.append_objects(unit.session, rows)
        datasets.publish_index(unit.session, world.dataset, 1)
        return ledger.numbered(unit.session.connection(), ["s1", "s2", "s3", "s4"])

    assert await database.write(publish) == {"s1": 0, "s3": 1, "s2": 2, "s4": 3}
