"""From photographs in S3 to a package in S3, by both workers on real servers."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.export.bucket import Bucket
from sharing.records.database import Database
from tests.faults.cases import cleared, triggered
from tests.s3.conftest import paths
from tests.s3.depots import s3_depot, verified


async def test_s3_to_s3(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photos: Bucket,
    delivery: Bucket,
) -> None:
    """A dataset in S3 is exported to S3: the package verifies once it is fetched, an object that
    vanished is unreadable, one that changed too, and nothing stays in staging."""
    async with (
        s3_depot(temporal, database, tmp_path, monkeypatch, photos, delivery) as depot,
        depot.working(),
    ):
        store = photos.store(writing=True)
        store.delete(photos.key("photos/s000/0.jpg"))
        store.put(photos.key("photos/s001/1.jpg"), b"another one")
        request, digest = await cleared(depot)
        export = await depot.ended(await triggered(depot, request, digest))
        assert (export.state, export.detail) == ("delivered", None)
        assert export.excluded == {"unreadable": 2}
        partner = depot.world.partner
        assert export.location == f"{delivery}/{partner}/{export.id}"
        checked = verified(depot, export, tmp_path / "fetched")
        assert (checked.objects, checked.subjects) == (14, 8)
        assert {path.split("/")[0] for path in paths(delivery)} == {partner}
