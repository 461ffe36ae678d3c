"""`python -m tests.bench.long_plan [SHARDS]`: the history of an export of 100 million objects.

The real workflow, in its sandbox, with the real payload codec, on a real Temporal server that
writes to a file; its activities do nothing. What is counted: events, runs, the database's size."""

import argparse
import asyncio
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from sharing.stages import ExportState
from tests.bench.running import server
from tests.replay.record import PAYLOAD_KEY
from tests.workflows.moves import Moves, laps
from workflows.codec import converter
from workflows.export import ExportRun
from workflows.messages import EXPORT_QUEUE, Plan, export_workflow
from workflows.sandbox import Sandbox

SHARDS = 40_000  # 100 million objects in shards of 2,500; of the default 1,250, half of that
WINDOW = 16
QUEUE = "long-plan"


async def run(home: Path, shards: int) -> dict[str, object]:
    """Plays the plan, and counts."""
    async with await server(home) as temporal:
        config = temporal.client.config()
        config["data_converter"] = converter(PAYLOAD_KEY)
        client = Client(**config)
        moves = Moves(Plan(shards, window=WINDOW))
        async with (
            Worker(client, task_queue=EXPORT_QUEUE, activities=moves.all()),
            Worker(
                client,
                task_queue=QUEUE,
                workflows=[ExportRun],
                activities=[moves.ends()],
                workflow_runner=Sandbox(),
            ),
        ):
            begin = time.perf_counter()
            end = await client.execute_workflow(
                ExportRun.run, "exp_1", id=export_workflow("exp_1"), task_queue=QUEUE
            )
            seconds = time.perf_counter() - begin
        if end.state is not ExportState.DELIVERED or sorted(moves.shards) != list(range(shards)):
            raise RuntimeError(f"{end}: {len(moves.shards)} shards done")
        events = await laps(client, export_workflow("exp_1"))
    return {
        "shards": shards,
        "runs": len(events),
        "events": sum(events),
        "events_in_the_longest_run": max(events),
        "events_a_shard": round(sum(events) / shards, 2),
        "seconds": round(seconds, 1),
        "shards_per_second": round(shards / seconds, 1),
        "temporal_bytes": sum(f.stat().st_size for f in home.glob("temporal.sqlite3*")),
        "peak_mib_of_both_workers": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    given = argparse.ArgumentParser(prog="python -m tests.bench.long_plan", description=__doc__)
    given.add_argument("shards", nargs="?", type=int, default=SHARDS)
    with tempfile.TemporaryDirectory(prefix="clearance-bench-plan-") as folder:
        print(json.dumps(asyncio.run(run(Path(folder), given.parse_args().shards))), flush=True)
    os._exit(0)  # the SDK's threads may crash an interpreter that is being taken down
