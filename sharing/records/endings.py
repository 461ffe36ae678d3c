"""How a request ended, when and by whom, and what its recipient owes from then on."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from sharing.agreement import due_dates
from sharing.errors import NotFound
from sharing.records import acknowledgements, agreements, exports, recalls, requests
from sharing.records.events import Event
from sharing.records.exports import Export, Release
from sharing.records.requests import Decision, Request
from sharing.records.tables import now
from sharing.records.viewer import View, Viewer
from sharing.stages import ENDED, Outcome, RequestState

NOBODY: View = {"by": None, "by_name": None, "stage": None, "reason": None}
# What was done with data, and so obliges somebody still.
SHARED = frozenset({RequestState.DELIVERED, RequestState.CLOSED})


def ending(viewer: Viewer, request: Request) -> View | None:
    """For people inside; None while it goes on. `share` is there only where something left."""
    if RequestState(request.state) not in ENDED:
        return None
    release = viewer.session.exec(
        select(Release)
        .where(Release.request_id == request.id)
        .order_by(col(Release.released_at).desc())
    ).first()
    return {
        "state": request.state,
        "at": request.ended_at,
        **_by(viewer, request, release),
        "share": _share(viewer, request, release) if release else None,
    }


def _by(viewer: Viewer, request: Request, release: Release | None) -> View:
    """Whose act it was. Deadlines, and what no longer held at the release, are nobody's."""
    match request.state:
        case RequestState.REFUSED:
            return _refused(viewer, request)
        case RequestState.WITHDRAWN:
            return {**NOBODY, **_named(viewer, request.partner_id)}
        case RequestState.EXPIRED:
            return {**NOBODY, "stage": _waited_at(viewer, request)}
    if release is None or request.state not in SHARED:
        return NOBODY
    return {**NOBODY, **_named(viewer, exports.get(viewer.session, release.export_id).triggered_by)}


def _refused(viewer: Viewer, request: Request) -> View:
    """The last refusal of what was asked last."""
    said = [
        one
        for one in requests.decisions_of(viewer.session, request.id)
        if one.outcome == Outcome.REFUSED and one.digest == request.digest
    ]
    if not said:
        return NOBODY
    last: Decision = said[-1]
    named = _named(viewer, last.actor_id)
    return {**named, "stage": last.stage, "reason": last.reason}


def _named(viewer: Viewer, party: str) -> View:
    return {"by": party, "by_name": viewer.name(party)}


def _waited_at(viewer: Viewer, request: Request) -> str | None:
    """The state in which its time ran out."""
    told = viewer.session.exec(
        select(Event)
        .where(Event.request_id == request.id, Event.type == "request.expired")
        .order_by(col(Event.position).desc())
    ).first()
    return told.data.get("waited_at") if told else None


def _share(viewer: Viewer, request: Request, release: Release) -> View:
    """What left, until when it may be kept, and what is owed for it; `recalled`: whose objects are
    to come back; `acknowledged_at`: when the recipient said that it is what was released."""
    session = viewer.session
    body, since = requests.revision_row(session, request).body, request.ended_at or now()
    said = acknowledgements.of(session, release.export_id)
    agreed = next((one.at for one in said if one.outcome == "acknowledged"), None)
    return {
        "export": release.export_id,
        "objects": release.objects,
        "bytes": release.bytes,
        "confirmed_by": session.get_one(Export, release.export_id).confirmed_by,
        "keep_until": since + timedelta(days=body["retention_days"]),
        "acknowledged_at": agreed,
        "recalled": recalls.counts(session, release.export_id),
        "duties": _duties(viewer, request),
    }


def _duties(viewer: Viewer, request: Request) -> list[View]:
    """By date; those that are past, too."""
    try:
        terms = agreements.terms(viewer.session, agreements.current(viewer.session, request))
    except NotFound:  # from before there were agreements
        return []
    if request.ended_at is None:
        return []
    dated: Any = due_dates(terms, request.ended_at)
    return [{"action": one.action, "at": one.at, "past": one.at < now()} for one in dated]
