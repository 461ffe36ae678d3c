"""`python -m tests.faults.superseded [RUNS]`: the same fault, over and over (I19).

A whole system of real processes. In each run the export worker is stopped with SIGSTOP past its
heartbeat, in the middle of the shards or while it seals; another one takes over and delivers; then
the first one goes on (SIGCONT). Ends with an error where it changed anything. What is counted
besides: in how many runs something really was in its hands, and how much was taken from them."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.faults.machine import in_the_middle, machine
from tests.faults.test_superseded import sealing, superseded

RUNS = 50
MOMENTS = (in_the_middle, sealing)


async def run(home: Path, runs: int) -> dict[str, object]:
    """Half of the runs at each moment."""
    taken: dict[str, list[int]] = {moment.__name__: [] for moment in MOMENTS}
    async with machine(home) as running:
        await running.cleared()
        undisturbed = await running.delivered(await running.exporting())
        for number in range(runs):
            moment = MOMENTS[number % len(MOMENTS)]
            found = await superseded(running, undisturbed, moment)
            taken[moment.__name__].append(found)
            print(f"{number + 1}/{runs} {moment.__name__}: {found} taken over", file=sys.stderr)
    return {
        "runs": runs,
        "leaks": 0,  # one would have ended this
        "hit": {name: sum(n > 0 for n in counts) for name, counts in taken.items()},
        "taken_over": {name: sum(counts) for name, counts in taken.items()},
    }


if __name__ == "__main__":
    given = argparse.ArgumentParser(prog="python -m tests.faults.superseded", description=__doc__)
    given.add_argument("runs", nargs="?", type=int, default=RUNS)
    with tempfile.TemporaryDirectory(prefix="clearance-superseded-") as folder:
        found = asyncio.run(run(Path(folder) / "home", given.parse_args().runs))
        print(json.dumps(found), flush=True)
    os._exit(0)  # the SDK's threads may crash an interpreter that is being taken down
