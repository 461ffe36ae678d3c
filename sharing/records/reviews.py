"""What waits for one person: gates to decide at, exports to trigger or confirm."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, or_, select

from sharing.eligibility import Act, Actor
from sharing.records import exports, late_interests, requests
from sharing.records.parties import Partner
from sharing.records.requests import Request
from sharing.records.views import eligible, free_of_interest
from sharing.stages import GATE_ROLES, ExportState, RequestState, Role, Stage

View = dict[str, Any]
STAGES = {role: stage for stage, role in GATE_ROLES.items()}


def waiting(session: Session, person: Actor, role: Role, limit: int, after: str) -> list[View]:
    """At most `limit` things that this person may do now, by request id, behind `after`."""
    found: list[View] = []
    for request in _candidates(session, role, after):
        view = _review(session, person, role, request)
        if view is not None:
            found.append(view)
        if len(found) == limit:
            break
    return found


def _candidates(session: Session, role: Role, after: str) -> Iterator[Request]:
    statement = select(Request).where(col(Request.id) > after).order_by(Request.id)
    if role is Role.ENGINEER:
        states = (RequestState.CLEARED, RequestState.EXPORTING)
        statement = statement.where(col(Request.state).in_(states))
    else:
        officer = role is Role.CONFLICT_OFFICER
        late = late_interests.unseen_ids(session) if officer else []
        waits = col(Request.waiting_stage) == STAGES[role]
        statement = statement.where(or_(waits, col(Request.id).in_(late)) if late else waits)
    yield from session.exec(statement)


def _review(session: Session, person: Actor, role: Role, request: Request) -> View | None:
    case = requests.case(session, request)
    if role is not Role.ENGINEER:
        stage = STAGES[role]
        if request.waiting_stage != stage:
            may = free_of_interest(person, case)
            return (
                _view(session, request, Stage.STEWARDSHIP, "look_at_late_interest") if may else None
            )
        if not eligible(Act.DECIDE, person, case, stage):
            return None
        return _view(session, request, stage, "decide")
    if request.state == RequestState.CLEARED:
        may = eligible(Act.TRIGGER, person, case, None)
        return _view(session, request, Stage.EXPORT, "trigger") if may else None
    run = exports.live(session, request.id, request.digest)
    if run is None or run.state != ExportState.AWAITING_CONFIRMATION:
        return None
    case = replace(case, triggered_by=run.triggered_by)
    if not eligible(Act.CONFIRM, person, case, None):
        return None
    return {**_view(session, request, Stage.EXPORT, "confirm"), "export": run.id}


def _view(session: Session, request: Request, stage: Stage, act: str) -> View:
    partner = session.get_one(Partner, request.partner_id)
    return {
        "request": request.id,
        "title": request.title,
        "partner": partner.id,
        "partner_name": partner.name,
        "stage": stage,
        "act": act,
        "digest": request.digest,
        "revision": request.revision,
        "until": request.waiting_until,
    }
