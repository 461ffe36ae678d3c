"""The export worker killed with -9 at the moments that matter, beside an undisturbed run.

Every run is a request of its own for the same photos and the same partner, so what may differ
between their packages is what names the request: in manifest.json `request`, `export`, the three
digests, `created` and the audit head, and what croissant.json says of these. Shards and
manifest.parquet are the same byte for byte.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from api import parts
from api.commands.token import issued
from api.demo import delivery
from api.demo.cast import cast
from api.demo.photos import Album, Photo
from api.demo.show import Show
from api.demo.story import Story
from api.up import System, running
from sharing.records import exports
from sharing.records.database import Database
from sharing.records.exports import Export, ExportShard
from sharing.stages import Role
from tests.photos import fill

pytestmark = pytest.mark.slow
PEOPLE = 150
SETTINGS = {"CLEARANCE_SHARD_OBJECTS": "10", "CLEARANCE_TAKEOVER_SECONDS": "2"}
NAMING = {"request", "export", "digest", "clearance_digest", "agreement_digest", "created", "audit"}

Moment = Callable[[Export, list[ExportShard], bool], bool]


def in_the_middle(export: Export, shards: list[ExportShard], released: bool) -> bool:
    """Some shards are committed and some are not."""
    return any(s.result for s in shards) and not all(s.result for s in shards)


def before_release(export: Export, shards: list[ExportShard], released: bool) -> bool:
    """Every shard is committed, and nothing has been released."""
    return bool(shards) and all(s.result for s in shards) and not released


def before_delivery(export: Export, shards: list[ExportShard], released: bool) -> bool:
    """The bytes count as gone, and the package is not where the partner can get it."""
    return released and export.location is None


async def _kill_at(system: System, database: Database, moment: Moment, hits: list[str]) -> None:
    """kill -9 of the export worker as soon as that moment is seen."""
    while True:
        seen = await database.read(
            lambda s: next(
                (
                    e.id
                    for e in s.exec(select(Export).where(Export.state == "running"))
                    if moment(e, exports.shards_of(s, e.id), exports.released(s, e.id) is not None)
                ),
                None,
            )
        )
        if seen is not None:
            system.kill(parts.EXPORT)
            hits.append(seen)
            return
        await asyncio.sleep(0)


async def _delivered(story: Story, meanwhile: Awaitable[None] | None = None) -> Path:
    """One more request for the same photos, all the way; `meanwhile` goes on during its export."""
    await story.ask()
    await story.decide()
    task = asyncio.ensure_future(meanwhile) if meanwhile else None
    try:
        await delivery.export(story)
    finally:
        if task is not None:
            task.cancel()
    folder, _ = await delivery.package(story)
    return folder


def _same(undisturbed: Path, other: Path) -> None:
    names = sorted(f.name for f in undisturbed.iterdir())
    assert names == sorted(f.name for f in other.iterdir())
    for name in names:
        if name.endswith((".tar", ".parquet")):
            assert (undisturbed / name).read_bytes() == (other / name).read_bytes(), name
    left, right = (json.loads((f / "manifest.json").read_text()) for f in (undisturbed, other))
    assert _unnamed(left) == _unnamed(right)


def _unnamed(manifest: dict[str, Any]) -> dict[str, Any]:
    files = [file for file in manifest["files"] if file["path"] != "croissant.json"]
    kept = {name: value for name, value in manifest.items() if name not in NAMING}
    return {**kept, "files": files}


async def test_killed_exports_give_the_same_package(tmp_path: Path) -> None:
    """Killed between shards, before the release and before delivery, each at least once, the
    export goes on by itself, and its package is byte for byte what an undisturbed run makes."""
    home, hits = tmp_path / "home", list[str]()
    photos = home / "store" / "profile-photos"
    names = fill(photos, PEOPLE)
    album = Album(
        photos,
        "path:{subject}/*",
        tuple(Photo(f"{name}/{n}.jpg", name, readable=True) for name in names for n in (0, 1)),
        located=0,
    )
    async with running(home, overrides=SETTINGS) as system:
        token = await issued(system.settings, "Ada", Role.ADMIN)
        async with (
            cast(system.url, token) as players,
            Database(system.settings.database_url) as database,
        ):
            story = Story(Show(on_stderr=True), players, album)
            await story.prepare()
            undisturbed = await _delivered(story)
            for moment in (in_the_middle, before_release, before_delivery):
                before = len(hits)
                for _ in range(4):  # a moment of milliseconds is not met every time
                    killing = _kill_at(system, database, moment, hits)
                    _same(undisturbed, await _delivered(story, killing))
                    if len(hits) > before:
                        break
                assert len(hits) > before, f"never seen: {moment.__doc__}"
