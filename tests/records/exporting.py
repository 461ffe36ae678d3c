"""An export step by step, as the export worker records it; what was packed is only told of."""

from dataclasses import dataclass
from typing import Any

from sharing.export import releases, runs
from sharing.export.pack import ShardResult
from sharing.export.plan import Bounds
from sharing.export.releases import Run, Stale
from sharing.export.seal import Sealed
from sharing.export.select import Chosen
from sharing.records import exports
from sharing.records.exports import Export, Release
from tests.records.desk import Desk

SEALED = Sealed(b"{}", "m" * 64, 10, 100, 3)


@dataclass(slots=True)
class Exporting:
    """A running export of a cleared request."""

    desk: Desk
    request: str
    digest: str
    export: str

    async def planned(self, size: int = 6) -> int:
        """Cuts the scope into shards; returns how many."""
        bounds = Bounds(size, 10**9)
        pieces, counted = await self.desk.database.read(
            lambda s: runs.survey(s, self.export, bounds)
        )
        shards: int = await self.desk.database.write(
            lambda u: runs.plan(u, self.export, pieces, counted)
        )
        return shards

    async def packed(self, number: int) -> Chosen:
        """Takes a shard, asks every subject in it, and commits it."""
        database = self.desk.database
        fenced = await database.write(lambda u: runs.take_shard(u, self.export, number))
        assert fenced is not None
        chosen = await database.read(lambda s: runs.choose(s, fenced))
        done = ShardResult(number, (), len(chosen.candidates), 1, "m", "x" * 64, ())
        await database.write(lambda u: runs.commit_shard(u, fenced, chosen, done))
        return chosen

    async def all_packed(self) -> list[Chosen]:
        """Plans the export and commits every shard of it."""
        return [await self.packed(number) for number in range(await self.planned())]

    async def attempt(self) -> Run:
        """A new attempt at the release."""
        run = await self.desk.database.write(lambda u: releases.take_release(u, self.export))
        assert isinstance(run, Run)
        return run

    async def release(self, run: Run) -> Stale | None:
        """The transaction in which bytes leave, or the shards that may not."""
        return await self.desk.database.write(lambda u: releases.release(u, run, SEALED))

    async def released(self) -> Release | None:
        """The release's row, if bytes left."""
        return await self.desk.database.read(lambda s: exports.released(s, self.export))

    async def row(self) -> Export:
        """The export's row as it stands."""
        return await self.desk.database.read(lambda s: exports.get(s, self.export))


async def exporting(desk: Desk, **changes: Any) -> Exporting:
    """An export that an engineer triggered, of a request where everyone said yes."""
    for number in range(10):
        await desk.world.say(f"s{number:03}")
    request, digest = await desk.cleared(**changes)
    return Exporting(desk, request, digest, await desk.triggered(request, digest))
