"""The page of one request: everything that a decision needs, and the form to take it by."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.pages import ending_words, own_request
from api.pages.acts import Errors
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.pages.standing import agreement_of, position, standing_of
from api.routes import comments as comment_routes
from api.routes import previews as preview_routes
from api.routes.requests import own, viewer
from api.routes.screenings import SEES_WHO
from sharing.comments import ANSWERS
from sharing.errors import Refused
from sharing.export.sample import has_photos
from sharing.legal import ANSWERED_IN_WORDS
from sharing.records import (
    comments,
    datasets,
    endings,
    lookback,
    reports,
    requests,
    risks,
    screening_views,
    sign_offs,
)
from sharing.records.requests import Request
from sharing.records.viewer import Viewer
from sharing.records.views import request_view
from sharing.stages import Role, Stage

View = dict[str, Any]
PERSON = re.compile(r"\bper_[0-9a-f]{20}\b")


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/requests/{request_id}", "pages.request", _request)


async def _request(visit: Visit) -> Response:
    """For people inside all that a decision needs; for its partner where it stands."""
    of_partner = visit.role is Role.PARTNER
    return await (own_request.shown(visit, 200) if of_partner else shown(visit, 200))


async def shown(
    visit: Visit,
    status: int,
    errors: Mapping[str, str] | None = None,
    unsaid: Mapping[str, str] | None = None,
) -> Response:
    """The page as it stands now; with `errors` of a decision, or of a comment that was left
    `unsaid`, what was sent is still in the form."""
    values = await visit.call.read(lambda session: _all(session, visit))
    wrong = {"ends": ending_words, "errors": Errors(errors or {}), "unsaid": Errors(unsaid or {})}
    return page("request.html", status, visit=visit, **wrong, **values)


def _all(session: Session, visit: Visit) -> View:
    request = own(session, visit.call, visit.call.path_params["request_id"])
    whom = viewer(session, visit.call)
    view = request_view(whom, request)
    _name_people(view, whom, who=visit.role in SEES_WHO)
    ended = endings.ending(whom, request)
    return {
        "request": view,
        "open_gate": next((s for s in view["stages"] if s["state"] == "open"), None),
        "people": {one: whom.name(one) for one in _named(view, ended)},
        "partner": lookback.earlier(session, request),
        "dataset": datasets.named(session, view["dataset"]),
        "reports": reports.of_request(session, request.id),
        "screening": screening_views.screening_view(session, request, who=visit.role in SEES_WHO),
        "recused": _recused(session, request, visit, whom),
        "agreement": agreement_of(session, request, inside=True),
        "changes": _changes(session, request, visit.sent("digest")),
        "ending": ended,
        "mine": standing_of(session, request, visit),
        "position": position(session, request, inside=True),
        "answered": ANSWERED_IN_WORDS,
        "risks": risks.risks_of(session, request),
        "photos": _photos(session, request, visit),
        **_said(session, request, visit, whom),
    }


def _name_people(view: View, whom: Viewer, *, who: bool) -> None:
    """Findings name people by id: here by their names, or as somebody, where the reader is not one
    of those who look after interests."""
    for finding in (one for stage in view["stages"] for one in stage["findings"]):
        finding["detail"] = PERSON.sub(
            lambda found: whom.name(found[0]) if who else "somebody here", finding["detail"]
        )


def _photos(session: Session, request: Request, visit: Visit) -> View:
    """The few photos that are shown, or `why` there are none for this reader."""
    revision = requests.revision_row(session, request)
    dataset = datasets.named(session, revision.dataset_id)
    if dataset is None or not has_photos(revision, dataset):
        return {"why": "none_asked"}
    try:
        return {"why": "", **preview_routes.shown(session, visit.call, request.id)}
    except Refused:
        return {"why": "not_for_you"}


def _said(session: Session, request: Request, visit: Visit, whom: Viewer) -> View:
    """What was said of the request, and whether the reader may say something."""
    open_to = comments.may_read_internal(session, request, whom.person)
    said = comment_routes.shown(session, visit.call, request.id)
    return {
        "comments": said,
        "answers": ANSWERS,
        "may_comment": open_to and comments.is_open(request),
        "sees_all_comments": open_to,
        "talked": Counter(one["field"] for one in said if one["field"]),
    }


def _named(view: View, ended: View | None) -> set[str]:
    """Everybody whose name the page says."""
    share = (ended or {}).get("share") or {}
    waits = view["waiting_for"] or {}
    named = {
        *waits.get("people", ()),
        share.get("confirmed_by"),
        waits.get("claimed_by"),
        waits.get("assigned_by"),
    }
    named |= {one["delegated_by"] for stage in view["stages"] for one in stage["decisions"]}
    named |= {event.get("person") or event.get("actor") for event in view["timeline"]}
    return {one for one in named if one}


def _recused(
    session: Session, request: Request, visit: Visit, whom: Viewer
) -> dict[str, str] | None:
    """Whom a sign-off at gate 3 names, with their names; None for who does not sign one. It is what
    is on record, which a waiver or a ruling may have made another than what screening finds."""
    if request.waiting_stage != Stage.CONFLICT_SIGNOFF or visit.role not in SEES_WHO:
        return None
    return {one: whom.name(one) for one in sign_offs.to_name(session, request.id)}


def _changes(session: Session, request: Request, digest: str) -> View | None:
    """How the current revision differs from the one before; or, where a form was made for an older
    one, from that."""
    rows = lookback.revisions(session, request)
    if len(rows) < 2:
        return None
    stale = next((row for row in rows[:-1] if row.digest == digest), None)
    before = stale or rows[-2]
    return {
        "from": before.number,
        "to": rows[-1].number,
        "at": rows[-1].submitted_at,
        "stale": stale is not None,
        "answers": lookback.differences(before.body, rows[-1].body),
    }
