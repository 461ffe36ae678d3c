"""Bench `export`: from an engineer's trigger to a delivered package, beside programs that copy.

All of Clearance's own work is in its time: planning, asking each subject's consent again,
stripping, hashing, packing, flushing to disk, manifest, seal, the release transaction and delivery,
through a real Temporal server, by one export worker process. The peers copy, and promise nothing.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import pyrage
from sqlmodel import Session, select

from api.parts import CONTROL, EXPORT
from sharing.export.stopwatch import Step
from sharing.records.exports import Export, ExportShard
from sharing.stages import GATES, ExportState
from tests.bench import cold, export_s3, photos
from tests.bench.cast import Acts, Cast, cast
from tests.bench.copiers import copiers, in_new_folder, prepared, warmed
from tests.bench.report import Report
from tests.bench.requests import decided, opened
from tests.bench.rounds import in_turns
from tests.bench.running import Running, clearance
from workflows import client as verbs

# Whoever looks computes too, on the cores of what it looks at.
LOOK_EVERY_SECONDS = 0.05
PLAIN, SEALED, OBJECTS = "Clearance", "Clearance, age", "Clearance, objects"


async def run(*, quick: bool) -> Report:
    """Clearance plain and encrypted, rclone, tar and cp, in turns on the same photos."""
    count, rounds = (2_000, 2) if quick else (25_000, 3)
    folder = await asyncio.to_thread(photos.folder_of, count)
    size = await asyncio.to_thread(warmed, folder)
    age = str(pyrage.x25519.Identity.generate().to_public())
    async with clearance(CONTROL, EXPORT) as running:
        people = await cast(running.database, running.settings, folder, age)
        runs = running.settings.home / "runs"
        runs.mkdir()
        peers = {
            name: in_new_folder(runs, name, folder, count, command)
            for name, command in copiers(folder).items()
        }
        exports = Exports(running, people, folder, count)
        await exports.method(people.plain_partner, "webdataset")(0)  # the worker's first is slow
        rates = await in_turns(
            {
                PLAIN: exports.method(people.plain_partner, "webdataset"),
                SEALED: exports.method(people.age_partner, "webdataset"),
                OBJECTS: exports.method(people.plain_partner, "objects"),
                **peers,
            },
            rounds,
        )
    in_s3 = await export_s3.s3_rates(folder, count, rounds)
    beside = await _processes(folder, count, rounds)
    from_cold = await in_turns(cold.methods(folder), rounds)
    return Report(
        "export",
        {
            "vs_rclone": rates.ratio(PLAIN, "rclone copy"),
            "vs_tar": rates.ratio(PLAIN, "tar cf"),
            "encrypted_vs_plain": rates.ratio(SEALED, PLAIN),
            "s3_vs_rclone": in_s3.ratio(export_s3.OURS, export_s3.RCLONE),
            "s3_vs_s5cmd": in_s3.ratio(export_s3.OURS, export_s3.S5CMD),
            "s3_vs_boto3": in_s3.ratio(export_s3.OURS, export_s3.BOTO3),
        },
        {
            "photos": count,
            "bytes": size,
            "photos_per_second": {
                name: round(some.median(name), 1)
                for some in (rates, in_s3, from_cold)
                for name in some.of
            },
            "cold_reading_vs_in_order": round(from_cold.ratio(cold.AHEAD, cold.IN_ORDER), 3),
            "sha256_microseconds_50_kb": sha256_cost(),
            **beside,
        },
        (*rates.rows("photos"), *in_s3.rows("photos")[1:], *from_cold.rows("photos")[1:]),
    )


def sha256_cost() -> float:
    """Microseconds for the digest of 50 KB. Packing takes two of each photo: on a processor without
    instructions for it, they are most of an export."""
    data, rounds = bytes(50_000), 200
    begin = time.perf_counter()
    for _ in range(rounds):
        hashlib.sha256(data).digest()
    return round((time.perf_counter() - begin) / rounds * 1e6, 1)


async def _processes(folder: Path, count: int, rounds: int) -> dict[str, object]:
    """One worker that packs in two processes, and one that packs in one: how the rates compare, and
    what an object costs in each. Where the cores are shared or the disk is slow, the rates cannot
    say whether packing scales; processor time an object that stays the same does."""
    rate: dict[int, float] = {}
    spent: dict[int, dict[str, float]] = {}
    for packers in (1, 2):
        async with clearance(CONTROL, EXPORT, pack_processes=packers) as running:
            people = await cast(running.database, running.settings, folder, "")
            exports = Exports(running, people, folder, count)
            method = exports.method(people.plain_partner, "webdataset")
            await method(0)
            rates = [await method(number) for number in range(rounds)]
            rate[packers] = median(rates)
            spent[packers] = await running.database.read(exports.stages)
    return {
        "two_processes_vs_one": round(rate[2] / rate[1], 3),
        "microseconds_a_photo": {str(n): us for n, us in spent.items()},
        "two_processes_vs_one_on_processor_time": round(
            2 * spent[1][Step.PROCESSOR] / spent[2][Step.PROCESSOR], 3
        ),
    }


class Exports:
    """Requests that are cleared first, outside the time, and then exported."""

    def __init__(self, running: Running, people: Cast, folder: Path, photos: int) -> None:
        self._running = running
        self._acts = Acts(people)
        self._folder, self._photos = folder, photos

    def method(self, partner: str, packing: str) -> Callable[[int], Awaitable[float]]:
        """Exports to this partner in this form, as a method for `in_turns`."""

        async def export(_: int) -> float:
            client, request = self._running.client, self._acts.submission(partner, packing)
            await verbs.submit(client, request)
            for stage in GATES:
                await opened(self._running.database, request, stage)
                await decided(client, self._acts.decision(request, stage))
            await prepared(self._folder)
            trigger = self._acts.trigger(request)
            begin = time.perf_counter()
            await verbs.trigger(client, trigger)
            await self._delivered(trigger.id)
            return self._photos / (time.perf_counter() - begin)

        return export

    def stages(self, session: Session) -> dict[str, float]:
        """Microseconds a photo in each stage of its shard, over all exports so far; `processor` is
        what of them the packing computed."""
        rows = session.exec(select(ExportShard.stages, ExportShard.objects)).all()
        total: Counter[str] = Counter()
        for spent, _ in rows:
            total.update(spent)
        objects = sum(count for _, count in rows)
        return {str(step): round(total[step] / objects, 1) for step in Step if step in total}

    async def _delivered(self, export_id: str) -> None:
        """Waits for the end of an export; raises RuntimeError unless every photo is in it."""
        ended = select(Export.ended_at).where(Export.id == export_id)
        while await self._running.database.read(lambda s: s.exec(ended).one()) is None:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        export = await self._running.database.read(lambda s: s.get_one(Export, export_id))
        if export.state != ExportState.DELIVERED or export.excluded:
            raise RuntimeError(f"{export.state}: {export.code} {export.detail} {export.excluded}")
