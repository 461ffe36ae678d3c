"""An office whose photographs come from S3 and whose packages go there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.export.bucket import Bucket, place
from sharing.export.verify import Verification, verify
from sharing.keys import signing_key
from sharing.records.database import Database
from sharing.records.exports import Export
from tests.faults.depot import PATIENCE, Depot
from tests.photos import fill
from tests.s3.conftest import get_folder, put_folder
from tests.workflows.conftest import running, settings
from workflows import client as verbs


@asynccontextmanager
async def s3_depot(
    environment: WorkflowEnvironment,
    database: Database,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    photos: Bucket,
    delivery: Bucket,
    *,
    people: int = 8,
    **chosen: Any,
) -> AsyncIterator[Depot]:
    """`people` with two photographs each in the bucket, indexed, who all said yes."""
    subjects = fill(home / "originals" / "photos", people)
    put_folder(home / "originals", photos)
    given = settings(
        home,
        database.url,
        **{
            "shard_objects": 4,
            "store_url": str(photos),
            "delivery_url": str(delivery),
            **chosen,
        },
    )
    async with running(environment, database, given, monkeypatch) as office:
        made = Depot(office, home / "originals" / "photos", subjects)
        async with made.working():
            wait = timedelta(seconds=PATIENCE)
            assert await verbs.index_dataset(office.client, office.world.dataset, wait)
        for subject in subjects:
            await office.world.say(subject)
        yield made


def verified(depot: Depot, export: Export, folder: Path) -> Verification:
    """The package as its recipient checks it, once fetched from where it lies."""
    lies = place(export.location or "", "location")
    assert isinstance(lies, Bucket)
    key = signing_key(depot.office.settings.signing_key, "key").public_key()
    return verify(get_folder(lies, folder), key)
