"""A whole system of real processes with the demo's people in it, and moments to strike at."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlmodel import Session, col, select

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
from sharing.records.exports import Export, ExportShard, Release
from sharing.stages import Role
from tests.faults.depot import PATIENCE, until
from tests.photos import fill

PEOPLE = 150
SETTINGS = {"CLEARANCE_SHARD_OBJECTS": "10", "CLEARANCE_TAKEOVER_SECONDS": "2"}
# What names the request in manifest.json, and so differs between two requests for the same.
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


@dataclass(frozen=True, slots=True)
class Machine:
    """A running system, the story that is played in it, and its database."""

    system: System
    story: Story
    database: Database

    async def cleared(self) -> None:
        """One more request for the same photos passes all four gates."""
        await self.story.ask()
        await self.story.decide()

    async def exporting(self) -> str:
        """Triggers and confirms; gives the export."""
        people, request = self.story.cast.people, self.story.request
        started = await people["Priya Raman"].api.post(
            f"/v1/requests/{request['id']}/exports", {"digest": request["digest"]}
        )
        await people["Tomasz Nowak"].api.post(f"/v1/exports/{started['id']}/confirm", {})
        return str(started["id"])

    async def well_ended(self, export: str) -> Export:
        """The export once it ended; fails unless it was delivered without a word."""

        async def over() -> Export | None:
            row = await self.database.read(lambda s: exports.get(s, export))
            return row if row.ended_at is not None else None

        row = await until(over, f"the end of {export}")
        assert (row.state, row.detail) == ("delivered", None)
        return row

    async def delivered(self, export: str) -> Path:
        """Waits for the export's end; gives its package, which verifies."""
        await self.well_ended(export)
        self.story.export = await self.story.cast.people["Priya Raman"].api.get(
            f"/v1/exports/{export}"
        )
        return (await delivery.package(self.story))[0]

    async def sees(self, export: str, moment: Moment) -> bool:
        """True as soon as the export is at that moment; False where it ended without being seen
        there, as a moment of milliseconds may pass between two looks."""
        async with asyncio.timeout(PATIENCE):
            while True:
                there, over = await self._looked(export, moment)
                if there or over:
                    return there
                await asyncio.sleep(0)

    async def killed_at(self, export: str, moment: Moment) -> bool:
        """kill -9 of the export worker as soon as that moment is seen; True if it died in time."""
        if not await self.sees(export, moment):
            return False
        self.system.kill(parts.EXPORT)
        return (await self._looked(export, moment))[0]

    async def _looked(self, export: str, moment: Moment) -> tuple[bool, bool]:
        """Whether the export is at that moment, and whether it has ended."""

        def look(session: Session) -> tuple[bool, bool]:
            row = exports.get(session, export)
            out = exports.released(session, export) is not None
            there = moment(row, exports.shards_of(session, export), out)
            return there, row.ended_at is not None

        return await self.database.read(look)

    async def releases(self, request: str) -> int:
        """How often bytes of a request left."""
        query = select(Release).where(col(Release.request_id) == request)
        return len(await self.database.read(lambda s: s.exec(query).all()))


@asynccontextmanager
async def machine(
    home: Path, given: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Machine]:
    """A system with PEOPLE and their photos, ready for requests. `given` are settings."""
    photos = home / "store" / "profile-photos"
    names = fill(photos, PEOPLE)
    shown = tuple(Photo(f"{name}/{n}.jpg", name, readable=True) for name in names for n in (0, 1))
    album = Album(photos, "path:{subject}/*", shown, located=0)
    async with running(home, overrides={**SETTINGS, **given}) as system:
        token = await issued(system.settings, "Ada", Role.ADMIN)
        async with (
            cast(system.url, token) as players,
            Database(system.settings.database_url) as database,
        ):
            story = Story(Show(on_stderr=True), players, album)
            await story.prepare()
            yield Machine(system, story, database)


def demand_same(undisturbed: Path, other: Path) -> None:
    """Fails unless two packages of the same photos for the same partner are the same: every shard
    and manifest.parquet byte for byte, manifest.json but for what names the request."""
    names = sorted(file.name for file in undisturbed.iterdir())
    assert names == sorted(file.name for file in other.iterdir())
    for name in names:
        if name.endswith((".tar", ".parquet")):
            assert (undisturbed / name).read_bytes() == (other / name).read_bytes(), name
    left, right = (json.loads((f / "manifest.json").read_text()) for f in (undisturbed, other))
    assert _unnamed(left) == _unnamed(right)


def _unnamed(manifest: dict[str, Any]) -> dict[str, Any]:
    files = [file for file in manifest["files"] if file["path"] != "croissant.json"]
    kept = {name: value for name, value in manifest.items() if name not in NAMING}
    return {**kept, "files": files}
