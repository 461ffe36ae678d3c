"""Disks that fill up, turn read-only or lose files: the export says so, and works once cured."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.export import releases
from sharing.records import exports
from sharing.records.database import Database
from sharing.records.exports import Export
from tests.faults.cases import cleared, triggered
from tests.faults.depot import Depot, until
from tests.faults.depot import depot as made
from tests.faults.interposed import before
from tests.faults.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow


@pytest.fixture
async def place(
    temporal: WorkflowEnvironment,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Depot, Path]]:
    """A depot of its own, with an export worker, and the folder it delivers to."""
    delivered = tmp_path / "delivered"
    async with (
        Database(sqlite_url) as database,
        made(temporal, database, tmp_path, monkeypatch) as depot,
        depot.working(),
    ):
        yield depot, delivered


@pytest.fixture
def disk(tmp_path: Path) -> Any:
    """The place that packages are delivered to is a small disk of its own."""
    with small_disk(tmp_path / "delivered") as mounted:
        yield mounted


async def fails(depot: Depot, request: str, digest: str, code: str) -> None:
    """An export ends as failed for that reason, with a cure, and the request is cleared still."""
    row = await depot.ended(await triggered(depot, request, digest))
    assert (row.state, row.code) == ("failed", code), row.detail
    assert row.detail is not None
    assert row.detail.endswith(".")
    await depot.at(request, "cleared")
    assert not await depot.releases(request)


async def delivers(depot: Depot, request: str, digest: str, objects: int = 16) -> Export:
    """Another export of the same clearance is delivered, and the package verifies."""
    row = await depot.ended(await triggered(depot, request, digest))
    assert (row.state, row.detail) == ("delivered", None)
    assert depot.verified(row.location).objects == objects
    assert len(await depot.releases(request)) == 1
    return row


async def swept(folder: Path) -> None:
    """Waits until nothing is staged there any more."""

    async def empty() -> bool:
        return not list((folder / ".staging").glob("*/*"))

    await until(empty, "an empty staging folder")


async def test_full_disk(disk: SmallDisk, place: tuple[Depot, Path]) -> None:
    """A disk that is full from the start fails the export by name; with room made, it delivers."""
    depot, folder = place
    request, digest = await cleared(depot)
    disk.fill()
    await fails(depot, request, digest, "destination_full")
    await swept(folder)
    disk.free()
    await delivers(depot, request, digest)


async def test_disk_full_at_the_seal(
    disk: SmallDisk, place: tuple[Depot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up when all shards are made fails the export and leaves nothing staged."""
    depot, folder = place
    request, digest = await cleared(depot)
    before("seal", monkeypatch, disk.fill, times=1)
    await fails(depot, request, digest, "destination_full")
    await swept(folder)
    disk.free()
    await delivers(depot, request, digest)


async def test_disk_full_at_delivery(
    disk: SmallDisk, place: tuple[Depot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was released is delivered as soon as there is room, and is never given up."""
    depot, _ = place
    request, digest = await cleared(depot)
    before("deliver", monkeypatch, disk.fill, times=1)
    export = await triggered(depot, request, digest)
    released = until(lambda: depot.read(lambda s: releases.is_released(s, export)), "the release")
    await released
    await asyncio.sleep(1.0)  # the first tries meet the full disk
    row = await depot.read(lambda s: exports.get(s, export))
    assert (row.state, row.location) == ("running", None)
    disk.free()
    row = await depot.ended(export)
    assert depot.verified(row.location).objects == 16
    assert len(await depot.releases(request)) == 1


async def test_read_only_disk(disk: SmallDisk, place: tuple[Depot, Path]) -> None:
    """A read-only destination fails the export by name; made writable, it delivers."""
    depot, _ = place
    request, digest = await cleared(depot)
    disk.writable(False)
    await fails(depot, request, digest, "destination_read_only")
    disk.writable(True)
    await delivers(depot, request, digest)


async def test_disk_read_only_at_the_seal(
    disk: SmallDisk, place: tuple[Depot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was staged on a disk that turned read-only is erased once that can be done."""
    depot, folder = place
    request, digest = await cleared(depot)
    before("seal", monkeypatch, lambda: disk.writable(False), times=1)
    await fails(depot, request, digest, "destination_read_only")
    assert list((folder / ".staging").glob("*/*"))
    disk.writable(True)
    await swept(folder)
    await delivers(depot, request, digest)


async def test_no_folder_at_the_destination(place: tuple[Depot, Path]) -> None:
    """A file where the destination's folder should be fails the export by name."""
    depot, folder = place
    request, digest = await cleared(depot)
    folder.write_text("not a folder")
    await fails(depot, request, digest, "destination_failed")
    folder.unlink()
    await delivers(depot, request, digest)


async def test_objects_that_are_not_as_indexed(place: tuple[Depot, Path]) -> None:
    """Photos that vanished or changed since they were indexed are left out and listed, each with
    its reason; nothing else is lost."""
    depot, _ = place
    request, digest = await cleared(depot)
    photos = depot.photos
    (photos / "s000" / "0.jpg").unlink()
    (photos / "s001" / "0.jpg").write_bytes(b"\xff\xd8 another picture, and a longer one")
    (photos / "s002" / "0.jpg").unlink()
    (photos / "s002" / "0.jpg").symlink_to("/etc/hostname")
    (photos / "s003" / "0.jpg").unlink()
    (photos / "s003" / "0.jpg").mkdir()
    row = await delivers(depot, request, digest, objects=12)
    assert row.excluded == {"unreadable": 4}
    listed = await depot.read(lambda s: exports.unreadable(s, row.id, 100))
    assert [(one.path, one.detail.split(":")[0]) for one in listed] == [
        ("s000/0.jpg", "missing"),
        ("s001/0.jpg", "changed since it was indexed"),
        ("s002/0.jpg", "is a link; only files themselves are exported"),
        ("s003/0.jpg", "is not a plain file"),
    ]


async def test_source_that_vanished(place: tuple[Depot, Path]) -> None:
    """A dataset whose whole folder is gone fails the export: that is no thousand lost photos."""
    depot, _ = place
    request, digest = await cleared(depot)
    aside = depot.photos.with_name("aside")
    depot.photos.rename(aside)
    await fails(depot, request, digest, "source_missing")
    aside.rename(depot.photos)
    await delivers(depot, request, digest)
