"""How deciding a scope grows with the ledger, in time and in memory."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from sharing.records.ledger import micros
from sharing.snapshot.keeper import Asked, decided
from sharing.snapshot.scope import Scope
from sharing.snapshot.selection import UNKNOWN, Filter
from sharing.snapshot.snapshot import Snapshot
from tests.bench.consent_ledger import EVENTS_A_SUBJECT, NOW, Made, distinct, question

EVERYTHING = Filter(None, None, None)


def folded(made: Made) -> Snapshot:
    """A snapshot of a whole ledger."""
    snapshot = Snapshot(question())
    terms = list(enumerate(distinct()))
    for page in made.checkpoints():
        snapshot.follow(page, terms, made.subjects)
    return snapshot


def scope_of(subjects: int, objects: int) -> Scope:
    """As many objects of different subjects, drawn from all, in an order of its own."""
    chance = np.random.default_rng(2)
    drawn = chance.permutation(subjects)[:objects].astype(np.uint32)
    return Scope(drawn, np.full(objects, UNKNOWN, np.int64))


def asked() -> Asked:
    """The bench's question over everything."""
    return Asked(question(), "dst", 1, EVERYTHING, micros(NOW), seed="bench")


def deciding(events: int, objects: int) -> Callable[[int], Awaitable[float]]:
    """Deciding a scope by a snapshot of a ledger that is in place, as a method for `in_turns`."""
    subjects = int(events / EVENTS_A_SUBJECT)
    snapshot, scope = folded(Made(subjects, events)), scope_of(subjects, objects)
    decided(snapshot, scope, asked())

    async def decide(_: int) -> float:
        begin = time.perf_counter()
        for _again in range(3):
            decided(snapshot, scope, asked()).sha256()
        return 3 * objects / (time.perf_counter() - begin)

    return decide


async def measured(subjects: int) -> dict[str, float]:
    """The verification of all subjects of a ledger, by a process of its own."""
    command = [sys.executable, "-m", "tests.bench.consent_growth", str(subjects)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Folds a ledger and decides every subject; prints what it took, as JSON."""
    subjects = int(sys.argv[1])
    made = Made(subjects, int(subjects * EVENTS_A_SUBJECT))
    snapshot, terms = Snapshot(question()), list(enumerate(distinct()))
    folding = 0.0
    for page in made.checkpoints():
        begin = time.perf_counter()
        snapshot.follow(page, terms, subjects)
        folding += time.perf_counter() - begin
    scope = scope_of(subjects, subjects)
    scope.selection(EVERYTHING)
    begin = time.perf_counter()
    decided(snapshot, scope, asked()).sha256()
    deciding = time.perf_counter() - begin
    print(
        json.dumps(
            {
                "subjects": subjects,
                "events": made.events,
                "fold_seconds": round(folding, 3),
                "decide_seconds": round(deciding, 3),
                "peak_mib": round(peak_mib()),
            }
        )
    )


def peak_mib() -> float:
    """The most memory that this process ever had, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not tell how much memory a process had.")


if __name__ == "__main__":
    main()
