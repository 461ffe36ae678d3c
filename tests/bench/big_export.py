"""`python -m tests.bench.big_export [OBJECTS]`: one large export, under kills and withdrawals.

End to end, by the real processes: from an engineer's trigger to a delivered package that verifies.
Meanwhile the export worker is killed with -9 so many times, and so many subjects withdraw. Ends
with an error unless none is missing, none is extra, and none went out after its withdrawal."""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from sqlalchemy import func
from sqlmodel import Session, col, select

from api.parts import CONTROL
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.verify import verify
from sharing.keys import secret, signing_key
from sharing.records import consents
from sharing.records.audit import AuditEntry
from sharing.records.export_views import stages
from sharing.records.exports import Export, ExportShard
from sharing.records.recalls import RecallItem
from sharing.stages import GATES, ExportState
from tests.bench import small_photos
from tests.bench.cast import Acts, Cast, cast, yes
from tests.bench.report import machine
from tests.bench.requests import LOOK_EVERY_SECONDS, decided, opened
from tests.bench.running import Running, clearance
from tests.bench.worker_at_risk import WorkerAtRisk
from tests.workflows.moves import laps
from workflows import client as verbs
from workflows.messages import export_workflow

REDO_AT_MOST = 0.01


@dataclass(slots=True)
class BigRun:
    """`count` objects, `kills` of the worker, and `leaving` subjects who withdraw under way."""

    running: Running
    people: Cast
    worker: WorkerAtRisk
    count: int
    kills: int
    leaving: list[str]
    export: str = ""
    left: list[str] = field(default_factory=list)

    async def triggered(self) -> None:
        """A request for everything, cleared, and its export."""
        client, acts = self.running.client, Acts(self.people)
        request = acts.submission(self.people.plain_partner, "webdataset")
        await verbs.submit(client, request)
        for stage in GATES:
            await opened(self.running.database, request, stage)
            await decided(client, acts.decision(request, stage))
        trigger = acts.trigger(request)
        self.export = trigger.id
        await verbs.trigger(client, trigger)

    async def over(self) -> Export:
        """Kills, and lets subjects withdraw, as the export goes on; gives it as it ended."""
        while True:
            export, done = await self.running.database.read(self._progress)
            if export.ended_at is not None:
                return export
            part = done / export.shards if export.shards else 0.0
            await self._withdraw(part)
            if self.worker.kills < self.kills and part * (self.kills + 1) > self.worker.kills + 1:
                await self.worker.kill()
                print(f"killed {self.worker.kills} at {part:.0%}", file=sys.stderr)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _progress(self, session: Session) -> tuple[Export, int]:
        mine = ExportShard.export_id == self.export
        committed = select(func.count()).where(mine, col(ExportShard.committed_at).is_not(None))
        return session.get_one(Export, self.export), int(session.exec(committed).one())

    async def _withdraw(self, part: float) -> None:
        due = self.leaving[len(self.left) : int(part * len(self.leaving))]
        if due:
            at = datetime.now(UTC)
            events = [{**yes(name), "action": "withdrawn", "at": at} for name in due]
            await self.running.database.write(lambda unit: consents.append(unit, events))
            self.left.extend(due)

    async def proven(self, export: Export) -> dict[str, Any]:
        """Raises RuntimeError unless the package is what it must be; gives what was counted."""
        if export.state != ExportState.DELIVERED or export.location is None:
            raise RuntimeError(f"{export.state}: {export.code} {export.detail}")
        package, settings = Path(export.location), self.running.settings
        verified = verify(package, signing_key(settings.signing_key, "key").public_key())
        names = Pseudonyms(secret(settings.pseudonym_key, "key"), self.people.plain_partner)
        there = parquet.read_table(package / "manifest.parquet", columns=["path"])
        held = {path.removesuffix(".jpg") for path in there["path"].to_pylist()}
        recalled = set(await self.running.database.read(self._recalled))
        gone = set(self.left) - recalled  # withdrew before the release
        owed = {
            names.object(f"{small_photos.name(number // 10)}/{number % 10}.jpg")
            for number in range(self.count)
            if small_photos.name(number // 10) not in gone
        }
        if held != owed or len(there) != len(held):
            raise RuntimeError(
                f"{len(owed - held)} objects are missing and {len(held - owed)} are there that "
                f"must not be, {len(there) - len(held)} twice."
            )
        return {
            "delivered": verified.objects,
            "withdrawn_before_the_release": len(gone),
            "withdrawn_after_it_and_recalled": len(recalled),
        }

    def _recalled(self, session: Session) -> list[str]:
        items = select(RecallItem.subject).where(RecallItem.export_id == self.export)
        return list(session.exec(items))

    async def cost(self) -> dict[str, Any]:
        """What was done more than once, and why."""
        shards, held = await self.running.database.read(self._shards)
        in_hand = sum(shards[int(name[6:11])] for name in self.worker.in_hand)
        if in_hand > REDO_AT_MOST * self.count and self.count >= 3_000_000:
            raise RuntimeError(f"{in_hand} objects were redone because of kills.")
        return {
            "shards": len(shards),
            "kills": self.worker.kills,
            "shards_in_hand_at_kills": len(self.worker.in_hand),
            "redone_at_most": in_hand,
            "redone_at_most_part": round(in_hand / self.count, 4),
            "shards_made_again_for_withdrawals": held,
        }

    def _shards(self, session: Session) -> tuple[list[int], int]:
        mine = select(ExportShard).where(ExportShard.export_id == self.export)
        rows = session.exec(mine.order_by(col(ExportShard.number))).all()
        held = session.exec(select(AuditEntry).where(AuditEntry.action == "release.held")).all()
        return [row.last - row.first + 1 for row in rows], sum(
            len(entry.detail["shards"]) for entry in held if entry.detail["export"] == self.export
        )


async def run(objects: int, kills: int, part: float, shard_objects: int) -> dict[str, Any]:
    """The whole of it."""
    settings = {"shard_objects": shard_objects, "takeover_seconds": 2.0}
    async with clearance(CONTROL, **settings) as running:
        folder = running.settings.home / "small-photos"
        made = time.perf_counter()
        await asyncio.to_thread(small_photos.fill, folder, objects)
        people = await cast(running.database, running.settings, folder, "")
        print(f"made in {time.perf_counter() - made:,.0f} s", file=sys.stderr)
        subjects = range(objects // small_photos.PHOTOS_PER_SUBJECT)
        chosen = random.Random(0).sample(subjects, int(len(subjects) * part))
        leaving = [small_photos.name(number) for number in chosen]
        worker = WorkerAtRisk(running.settings)
        await worker.start()
        try:
            big = BigRun(running, people, worker, objects, kills, leaving)
            await big.triggered()
            begin = time.perf_counter()
            export = await big.over()
            seconds = time.perf_counter() - begin
        finally:
            await worker.stop()
        proof, cost = await big.proven(export), await big.cost()
        events = await laps(running.client, export_workflow(big.export))
        spent = await running.database.read(lambda s: stages(s, export, proof["delivered"], 0))
        home = running.settings.home
        return {
            "objects": objects,
            "seconds": round(seconds, 1),
            "objects_per_second": round(objects / seconds, 1),
            **proof,
            **cost,
            "history_events": sum(events),
            "workflow_runs": len(events),
            "database_bytes": _size(home, "clearance.sqlite3*"),
            "temporal_bytes": _size(home, "temporal.sqlite3*"),
            "peak_mib_of_the_worker": worker.peak_bytes >> 20,
            "peak_mib_of_a_packer": worker.peak_bytes_of_a_packer >> 20,
            "microseconds_an_object": {n: s["microseconds_an_object"] for n, s in spent.items()},
            "machine": machine(),
        }


def _size(folder: Path, pattern: str) -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.big_export", description=__doc__)
    parser.add_argument("objects", nargs="?", type=int, default=3_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--withdrawn", type=float, default=0.01, help="part of the subjects")
    parser.add_argument("--shard-objects", type=int, default=500)
    given = parser.parse_args()
    found = asyncio.run(run(given.objects, given.kills, given.withdrawn, given.shard_objects))
    print(json.dumps(found), flush=True)
    os._exit(0)  # the SDK's threads may crash an interpreter that is being taken down


if __name__ == "__main__":
    main()
