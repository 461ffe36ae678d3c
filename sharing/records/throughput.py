"""How an export moved: second by second of late, over its whole run, and by which workers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from sharing.records import pulses
from sharing.records.export_shards import Shard
from sharing.records.exports import Export
from sharing.records.pulses import HERE, PLACES, ExportPulse
from sharing.records.tables import now

View = dict[str, Any]
BUCKETS = 60


def throughput(session: Session, export: Export, shards: Iterable[Shard]) -> View:
    """`seconds`: bytes and objects of each of the last seconds that any worker spoke of; `run`: of
    committed shards, in equal parts of the time since it was planned; `workers`: the last word of
    each."""
    said = pulses.of_export(session, export.id)
    return {
        "seconds": _seconds(said, now()),
        "run": _run(export, [one for one in shards if one.committed_at is not None]),
        "workers": _workers(said),
    }


def _seconds(said: Sequence[ExportPulse], at: datetime) -> list[View]:
    """Up to the last word, which is a second or two old; up to now where it is older than that."""
    if not said:
        return []
    latest = max(one.at for one in said)
    last = int((latest if at - latest <= HERE else at).timestamp())
    moved: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in said:
        here = moved[int(one.at.timestamp())]
        here[0] += one.moved_objects / max(one.seconds, 1e-3)
        here[1] += one.moved_bytes / max(one.seconds, 1e-3)
    first = min(last, max(min(moved), last - PLACES + 1))
    return [
        {
            "at": datetime.fromtimestamp(second, said[0].at.tzinfo),
            "objects_per_second": round(moved[second][0] if second in moved else 0, 1),
            "bytes_per_second": round(moved[second][1] if second in moved else 0),
        }
        for second in range(first, last + 1)
    ]


def _run(export: Export, made: Sequence[Shard]) -> list[View]:
    """Equal parts of the time from the plan to the last commit, or to now while it runs."""
    if export.planned_at is None or not made:
        return []
    end = export.ended_at or now()
    whole = max(1.0, (end - export.planned_at).total_seconds())
    each = whole / BUCKETS
    parts: list[list[int]] = [[0, 0] for _ in range(BUCKETS)]
    for one in made:
        passed = ((one.committed_at or end) - export.planned_at).total_seconds()
        here = parts[min(BUCKETS - 1, max(0, int(passed / each)))]
        here[0] += one.objects
        here[1] += one.bytes
    return [
        {
            "at": export.planned_at + timedelta(seconds=each * n),
            "objects_per_second": round(objects / each, 1),
            "bytes_per_second": round(size / each),
        }
        for n, (objects, size) in enumerate(parts)
    ]


def _workers(said: Sequence[ExportPulse]) -> list[View]:
    last: dict[str, ExportPulse] = {}
    for one in sorted(said, key=lambda pulse: pulse.at):
        last[one.worker] = one
    return [
        {
            "worker": one.worker,
            "at": one.at,
            "phase": one.phase,
            "shards": one.shards,
            "objects": one.objects,
            "bytes": one.bytes,
            "limited": one.limited,
        }
        for one in last.values()
    ]
