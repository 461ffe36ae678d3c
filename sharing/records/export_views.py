"""What an export looks like from outside; unreadable objects and places are for people inside."""

from collections import Counter
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from sharing.push import target
from sharing.records import exports, recalls, requests
from sharing.records.exports import Export, ExportShard, Release
from sharing.stages import LIVE_EXPORTS, ExportState

View = dict[str, Any]
UNREADABLE_SHOWN = 100


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
        "pushed_to": _pushed_to(session, export),
        "recalls": recalls.counts(session, export.id),
    }
    if inside:
        view |= {
            "triggered_by": export.triggered_by,
            "confirmed_by": export.confirmed_by,
            "detail": export.detail,
            "package": export.location,
            "unreadable": [
                {"object": u.path, "detail": u.detail}
                for u in exports.unreadable(session, export.id, UNREADABLE_SHOWN)
            ],
        }
    return view


def _pushed_to(session: Session, export: Export) -> str | None:
    """The partner's own place, once the package lies there."""
    if export.state != ExportState.DELIVERED:
        return None
    request = requests.get(session, export.request_id)
    return target(requests.revision_row(session, request).body, export.id)


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
