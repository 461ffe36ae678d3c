"""How an export comes on, as it is told outside: counts, rates, time left, and what holds it up."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from sharing.progress import Moved, Rate, is_stalled, rate, rounded, seconds_left
from sharing.records import pulses
from sharing.records.exports import Export, ExportShard
from sharing.records.pulses import SHARDS, ExportPulse
from sharing.records.tables import now
from sharing.stages import ExportState

View = dict[str, Any]
PRESENT = timedelta(seconds=5)  # what a worker said longer ago is not under way any more


def progress(session: Session, export: Export) -> tuple[View, dict[str, int]]:
    """An export's progress, and the objects excluded so far by reason. `objects` and `bytes` are
    those of committed shards, so they never fall while a shard is made."""
    done, objects, size, last = _committed(session, export)
    reasons: Counter[str] = Counter()
    for excluded in session.exec(
        select(ExportShard.excluded).where(
            ExportShard.export_id == export.id, col(ExportShard.committed_at).is_not(None)
        )
    ):
        reasons.update(excluded)
    view: View = {
        "objects": objects,
        "bytes": size,
        "excluded": reasons.total(),
        "total": export.total,
        "bytes_in_scope": export.scope_bytes,
        "shards": {"done": done, "total": export.shards},
    }
    said = pulses.of_export(session, export.id) if export.state == ExportState.RUNNING else ()
    view |= _live(export, said, objects + reasons.total(), last)
    return view, dict(reasons)


def _committed(session: Session, export: Export) -> tuple[int, int, int, datetime | None]:
    done, objects, size = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(ExportShard.objects), 0),
            func.coalesce(func.sum(ExportShard.bytes), 0),
        ).where(ExportShard.export_id == export.id, col(ExportShard.committed_at).is_not(None))
    ).one()
    last = session.exec(
        select(ExportShard.committed_at)
        .where(ExportShard.export_id == export.id, col(ExportShard.committed_at).is_not(None))
        .order_by(col(ExportShard.committed_at).desc())
        .limit(1)
    ).first()
    return int(done), int(objects), int(size), last


def _live(
    export: Export, said: Sequence[ExportPulse], done: int, committed: datetime | None
) -> View:
    """What changes by the second, and only while it runs."""
    running = export.state == ExportState.RUNNING
    at = now()
    present = _present(said, at)
    moving = running and export.paused_at is None
    # Measured up to the last word, so that it changes when there is one, and not by being asked.
    until = max((p.at for p in present), default=at)
    speed = rate([Moved(p.at, p.seconds, p.moved_objects, p.moved_bytes) for p in said], until)
    speed = speed if moving else None
    under_way = sum(p.objects for p in present)
    signs = _signs(export, said, committed)
    return {
        "phase": max(present, key=lambda p: p.at).phase if present else None,
        "under_way": {
            "shards": sum(p.shards for p in present),
            "objects": under_way,
            "bytes": sum(p.bytes for p in present),
        },
        **_told(speed),
        "seconds_left": seconds_left(speed, done + under_way, export.total),
        "stalled": moving and is_stalled(signs, at),
        "last_sign_at": max((one for one in signs if one), default=None) if moving else None,
        "limited": moving and any(p.limited for p in present),
    }


def _present(said: Sequence[ExportPulse], at: datetime) -> list[ExportPulse]:
    """The last word of each worker that is there."""
    last: dict[str, ExportPulse] = {}
    for one in sorted(said, key=lambda p: p.at):
        last[one.worker] = one
    return [one for one in last.values() if at - one.at <= PRESENT]


def _signs(
    export: Export, said: Sequence[ExportPulse], committed: datetime | None
) -> list[datetime | None]:
    """Every sign of life. A shard under way that moves nothing, with no limit, gives none."""
    alive = [p.at for p in said if p.moved_objects or p.limited or p.phase != SHARDS]
    return [*alive, committed, export.planned_at, export.confirmed_at, export.triggered_at]


def _told(speed: Rate | None) -> View:
    if speed is None:
        return {"objects_per_second": None, "bytes_per_second": None}
    return {
        "objects_per_second": rounded(speed.objects),
        "bytes_per_second": rounded(speed.bytes),
    }
