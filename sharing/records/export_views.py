"""What an export looks like from outside; unreadable objects and places are for people inside."""

from collections import Counter
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from sharing.export.stopwatch import Step
from sharing.records import exports, recalls
from sharing.records.exports import Export, ExportShard, Release
from sharing.stages import LIVE_EXPORTS, ExportState

View = dict[str, Any]
UNREADABLE_SHOWN = 100
_STEPS = tuple(str(step) for step in Step)


def export_view(session: Session, export: Export, *, inside: bool) -> View:
    """An export with its progress; `excluded` counts objects by reason."""
    progress, excluded = _progress(session, export)
    release = session.get(Release, export.id)
    view: View = {
        "id": export.id,
        "request": export.request_id,
        "digest": export.digest,
        "state": export.state,
        "progress": progress,
        "excluded": excluded,
        "needs_confirmation": export.needs_confirmation,
        "code": export.code if inside else _outside(export.code),
        "triggered_at": export.triggered_at,
        "confirmed_at": export.confirmed_at,
        "released_at": release.released_at if release else None,
        "ended_at": export.ended_at,
        "recalls": recalls.counts(session, export.id),
    }
    if inside:
        view |= {
            "triggered_by": export.triggered_by,
            "confirmed_by": export.confirmed_by,
            "detail": export.detail,
            "package": export.location,
            "stages": stages(session, export, progress["objects"], progress["bytes"]),
            "unreadable": [
                {"object": u.path, "detail": u.detail}
                for u in exports.unreadable(session, export.id, UNREADABLE_SHOWN)
            ],
        }
    return view


def stages(session: Session, export: Export, objects: int, size: int) -> View:
    """How long each stage of the pipe took, added up over all workers, an object and a byte of what
    was packed: `seconds`, `microseconds_an_object`, `bytes_a_second`."""
    total = Counter(export.stages)
    mine = ExportShard.export_id == export.id
    for spent in session.exec(select(ExportShard.stages).where(mine)):
        total.update(spent)
    return {
        step: {
            "seconds": round(total[step] / 1e6, 3),
            "microseconds_an_object": round(total[step] / objects, 1) if objects else None,
            "bytes_a_second": round(size * 1e6 / total[step]) if total[step] else None,
        }
        for step in _STEPS
        if step in total
    }


def _outside(code: str | None) -> str | None:
    """A partner never learns who inside has an interest."""
    return "export_cancelled" if code == exports.ENGINEER_RECUSED else code


def ended(view: View) -> bool:
    """True once nothing will change any more."""
    return ExportState(view["state"]) not in LIVE_EXPORTS


def _progress(session: Session, export: Export) -> tuple[View, dict[str, int]]:
    committed = (ExportShard.export_id == export.id, col(ExportShard.committed_at).is_not(None))
    objects, size = session.execute(
        select(
            func.coalesce(func.sum(ExportShard.objects), 0),
            func.coalesce(func.sum(ExportShard.bytes), 0),
        ).where(*committed)
    ).one()
    reasons: Counter[str] = Counter()
    for excluded in session.exec(select(ExportShard.excluded).where(*committed)):
        reasons.update(excluded)
    return {
        "objects": int(objects),
        "bytes": int(size),
        "excluded": reasons.total(),
        "total": export.total,
    }, dict(reasons)
