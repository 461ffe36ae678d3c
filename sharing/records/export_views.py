"""What an export looks like from outside; unreadable objects and places are for people inside."""

from collections import Counter
from typing import Any

from sqlmodel import Session, col, select

from sharing import untold
from sharing.eligibility import Act, roles_for
from sharing.export.envelope import key_id, signer
from sharing.export.stopwatch import Step
from sharing.keys import public_key
from sharing.push import target
from sharing.records import (
    acknowledgements,
    coarse,
    export_progress,
    exports,
    recalls,
    requests,
    signing_keys,
)
from sharing.records.acknowledgements import Acknowledgement
from sharing.records.exports import Export, ExportShard, Release
from sharing.stages import LIVE_EXPORTS, ExportState
from sharing.untold import Nudge

View = dict[str, Any]
UNREADABLE_SHOWN = 100
_STEPS = tuple(str(step) for step in Step)


def export_view(
    session: Session, export: Export, *, inside: bool, nudge: Nudge | None = None
) -> View:
    """An export with its progress; `excluded` counts objects by reason. Until it is released its
    partner reads no exact count (sharing.untold)."""
    progress, excluded = export_progress.progress(session, export)
    release = session.get(Release, export.id)
    rough = not inside and release is None
    if rough:
        request = requests.get(session, export.request_id)
        known = coarse.agreed(session, request, export.digest, nudge)
        progress, excluded = untold.progress(progress, known.people), {}
    view: View = {
        "id": export.id,
        "request": export.request_id,
        "digest": export.digest,
        "state": export.state,
        "progress": progress,
        "excluded": excluded,
        "needs_confirmation": export.needs_confirmation,
        "waiting_for": _waiting_for(export, inside=inside),
        "paused_at": export.paused_at if export.state in LIVE_EXPORTS else None,
        "erased": _erased(export, rough=rough),
        "code": export.code if inside else _outside(export.code),
        "triggered_at": export.triggered_at,
        "confirmed_at": export.confirmed_at,
        "released_at": release.released_at if release else None,
        "release": _released(session, release) if release else None,
        "ended_at": export.ended_at,
        "pushed_to": _pushed_to(session, export),
        "recalls": recalls.counts(session, export.id),
        "acknowledgements": [said(one) for one in acknowledgements.of(session, export.id)],
    }
    if inside:
        view |= {
            "triggered_by": export.triggered_by,
            "confirmed_by": export.confirmed_by,
            "paused_by": export.paused_by if export.state in LIVE_EXPORTS else None,
            "priority": export.priority,
            "limit_bytes_per_second": export.limit_bytes_per_second,
            "detail": export.detail,
            "package": export.location,
            "stages": stages(session, export, progress["objects"], progress["bytes"]),
            "unreadable": _unreadable(session, export),
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


def said(one: Acknowledgement) -> View:
    """What a partner said that it received, and whether it is what was released."""
    return {
        "id": one.id,
        "at": one.at,
        "outcome": one.outcome,
        "manifest_sha256": one.manifest_sha256,
        "objects": one.objects,
        "bytes": one.bytes,
        "key": one.key_id,
    }


def _unreadable(session: Session, export: Export) -> list[View]:
    """What could not be read, with its shard and the attempt at it that counts."""
    found = exports.unreadable(session, export.id, UNREADABLE_SHOWN)
    if not found:
        return []
    attempts = dict(
        session.exec(
            select(ExportShard.number, ExportShard.fence).where(
                ExportShard.export_id == export.id,
                col(ExportShard.number).in_({one.shard for one in found}),
            )
        ).all()
    )
    return [
        {
            "object": one.path,
            "detail": one.detail,
            "shard": one.shard,
            "attempt": attempts.get(one.shard),
        }
        for one in found
    ]


def _released(session: Session, release: Release) -> View:
    """What was sealed, and by which public key."""
    signed_by = signer(release.envelope.encode())
    keys = {key_id(public_key(one.key)): one.key for one in signing_keys.all_of(session, "seal")}
    return {
        "objects": release.objects,
        "bytes": release.bytes,
        "manifest_sha256": release.manifest_sha256,
        "consent_position": release.consent_position,
        "key": keys.get(signed_by or ""),
    }


def _pushed_to(session: Session, export: Export) -> str | None:
    """The partner's own place, once the package lies there."""
    if export.state != ExportState.DELIVERED:
        return None
    request = requests.get(session, export.request_id)
    return target(requests.revision_row(session, request).body, export.id)


def _outside(code: str | None) -> str | None:
    """A partner never learns who inside has an interest."""
    return "export_cancelled" if code == exports.ENGINEER_RECUSED else code


def _waiting_for(export: Export, *, inside: bool) -> View | None:
    """Whom an export waits for, if for anybody: a second engineer, or whoever resumes it."""
    if export.state == ExportState.AWAITING_CONFIRMATION:
        act, other = Act.CONFIRM, export.triggered_by
    elif export.state == ExportState.RUNNING and export.paused_at is not None:
        act, other = Act.STEER, None
    else:
        return None
    word = "confirm" if act is Act.CONFIRM else "resume"
    view: View = {"act": word, "roles": sorted(roles_for(act))}
    return view | ({"other_than": other} if inside and other else {})


def _erased(export: Export, *, rough: bool) -> View | None:
    """What was staged and is gone: counted before, looked for afterwards."""
    if export.erased_at is None:
        return None
    return {
        "files": None if rough else export.erased_files,
        "bytes": None if rough else export.erased_bytes,
        "at": export.erased_at,
    }


def ended(view: View) -> bool:
    """True once nothing will change any more."""
    return ExportState(view["state"]) not in LIVE_EXPORTS
