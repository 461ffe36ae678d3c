"""The export worker killed with -9 at the moments that matter, beside an undisturbed run.

Every run is a request of its own for the same photos and the same partner, so what may differ
between their packages is what names the request: in manifest.json `request`, `export`, the three
digests, `created` and the audit head, and what croissant.json says of these. Shards and
manifest.parquet are the same byte for byte.
"""

from pathlib import Path

import pytest

from api import parts
from sharing.records import exports
from tests.faults.machine import (
    Machine,
    Moment,
    before_delivery,
    before_release,
    demand_same,
    in_the_middle,
)

pytestmark = pytest.mark.slow
TRIES = 5  # a moment of milliseconds is not met every time


@pytest.mark.parametrize("moment", [in_the_middle, before_release, before_delivery])
async def test_killed_exports_give_the_same_package(
    machine: Machine, undisturbed: Path, moment: Moment
) -> None:
    """Killed between shards, before the release or before delivery, the export goes on by itself,
    and its package is byte for byte what an undisturbed run makes."""
    for _ in range(TRIES):
        await machine.cleared()
        export = await machine.exporting()
        hit = await machine.killed_at(export, moment)
        demand_same(undisturbed, await machine.delivered(export))
        if hit:
            return
    raise AssertionError(f"never hit in {TRIES} runs: {moment.__doc__}")


async def test_dead_between_approval_and_export(machine: Machine, undisturbed: Path) -> None:
    """Both workers die when an export has just been confirmed, before anything of it is done: it
    still runs, once (F1)."""
    for _ in range(TRIES):
        await machine.cleared()
        export = await machine.exporting()
        for worker in (parts.EXPORT, parts.CONTROL):
            machine.system.kill(worker)
        row = await machine.database.read(lambda s: exports.get(s, export))  # noqa: B023
        demand_same(undisturbed, await machine.delivered(export))
        assert await machine.releases(row.request_id) == 1
        if row.shards is None:
            return
    raise AssertionError(f"the export was under way already in {TRIES} runs")
