"""What an export would come to if it were triggered now. Reads only: not a byte is written."""

from statistics import median

from sqlmodel import Session, col, select

from sharing.dry_run import DryRun
from sharing.export.plan import Bounds, cut
from sharing.export.room import needed, room
from sharing.records import exports, requests, scopes
from sharing.records.exports import Export, Release
from sharing.stages import RequestState

RECENT = 5  # releases that the rate is taken from


def dry_run(
    session: Session, request_id: str, bounds: Bounds, url: str, most: int | None
) -> DryRun:
    """Counts a request's scope as an export would, in shards of these `bounds`, for the destination
    `url`."""
    request = requests.get(session, request_id)
    revision = requests.revision_row(session, request)
    counted = scopes.coverage(session, request)
    pieces = tuple(cut(scopes.sizes(session, revision), bounds.evenly(counted.objects)))
    objects, held = sum(p.objects for p in pieces), sum(p.bytes for p in pieces)
    wanted, there = needed(objects, held), room(session, url, most)
    short, rate = there.short_of(wanted), recent_rate(session)
    live = exports.live(session, request.id, request.digest)
    obstacle, detail = _obstacle(request.state, live, objects)
    if obstacle is None and short is not None:
        obstacle, detail = short.code, short.detail
    return DryRun(
        objects=objects,
        bytes=held,
        covered_objects=counted.covered_objects,
        covered_subjects=counted.covered_subjects,
        excluded=dict(counted.excluded),
        consent_position=counted.position,
        shards=len(pieces),
        needs_bytes=wanted,
        free_bytes=there.free,
        promised_bytes=there.promised,
        enough_room=short is None,
        objects_per_second=rate,
        seconds=objects / rate if rate else None,
        obstacle=obstacle,
        detail=detail,
    )


def recent_rate(session: Session) -> float | None:
    """Objects a second, from plan to release, of this installation's latest exports that no limit
    held back; pauses do not count. None where there is none."""
    rows = session.exec(
        select(Export, Release)
        .join(Release, col(Release.export_id) == Export.id)
        .where(col(Export.planned_at).is_not(None), col(Export.limit_bytes_per_second).is_(None))
        .order_by(col(Release.released_at).desc())
        .limit(RECENT)
    ).all()
    rates = [rate for export, release in rows if (rate := _rate(export, release)) is not None]
    return median(rates) if rates else None


def _rate(export: Export, release: Release) -> float | None:
    if export.planned_at is None or not export.total:
        return None
    took = (release.released_at - export.planned_at).total_seconds() - export.paused_seconds
    return export.total / took if took > 0 else None


def _obstacle(state: str, live: Export | None, objects: int) -> tuple[str | None, str | None]:
    if live is not None:
        return "export_live", "An export of this request is under way already."
    if state != RequestState.CLEARED:
        return "not_cleared", f"The request is {state}, not cleared."
    if not objects:
        return "nothing_in_scope", "No object is in scope: ask the partner for a revision."
    return None, None
