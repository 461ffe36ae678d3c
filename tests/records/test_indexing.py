"""Scans of a dataset: versions that are current one after the other, and never change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from temporalio.testing import ActivityEnvironment

from sharing.errors import Refused
from sharing.records import datasets
from sharing.records.database import Database
from sharing.records.datasets import Dataset, DatasetObject
from sharing.settings import Settings
from tests.photos import fill
from tests.walk import populate
from workflows.activities.indexing import Indexing


def attempt(number: int) -> ActivityEnvironment:
    """The engine's n-th try at one scan."""
    there = ActivityEnvironment()
    there.info = replace(there.info, attempt=number)
    return there


def left_over(dataset: str, *positions: int) -> list[dict[str, Any]]:
    """Rows that the first attempt at the first scan writes."""
    return [
        {
            "dataset_id": dataset,
            "index_version": 1,
            "position": position,
            "path": f"left/{position}.jpg",
            "subject": "left",
            "bytes": 1,
            "modified_ns": 0,
            "media_type": "image/jpeg",
            "taken_at": None,
        }
        for position in positions
    ]


def current(session: Session, dataset: str) -> list[str]:
    """The paths in the version of the index that is current."""
    version = session.get_one(Dataset, dataset).index_version
    return list(
        session.exec(select(DatasetObject.path).where(DatasetObject.index_version == version))
    )


async def test_attempts_at_a_scan_do_not_mix(database: Database, tmp_path: Path) -> None:
    """An attempt that was given up, and goes on all the same, adds nothing to a version that was
    published, and publishes nothing itself."""
    fill(tmp_path / "store" / "photos", 3)
    world = await populate(database)
    settings = Settings(home=tmp_path, database_url=database.url).resolved()
    early, late = left_over(world.dataset, 0, 1), left_over(world.dataset, 20, 21)
    await database.write(lambda u: datasets.append_objects(u.session, early))
    await attempt(2).run(Indexing(database, settings).index_dataset, world.dataset)
    await database.write(lambda u: datasets.append_objects(u.session, late))
    paths = await database.read(lambda s: current(s, world.dataset))
    assert sorted(paths) == [f"s{i:03}/{j}.jpg" for i in range(3) for j in range(2)]
    with pytest.raises(Refused) as refused:
        await database.write(lambda u: datasets.publish_index(u.session, world.dataset, 1))
    assert refused.value.code == "superseded"
